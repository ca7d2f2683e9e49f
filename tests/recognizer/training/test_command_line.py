"""python -m recognizer.training as a process."""

import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch")


@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C for one process")
def test_ctrl_c_while_torch_loads_is_quiet() -> None:
    arguments = [sys.executable, "-X", "importtime", "-m", "recognizer.training", "speed"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("torch." in line for line in process.stderr)  # each line is a module that has been loaded
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in rest
