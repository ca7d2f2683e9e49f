"""python -m recognizer.training as a process."""

import importlib.util
import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch")

from recognizer.training.command_line import COMMANDS, MOVED, main


@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C for one process")
def test_ctrl_c_while_torch_loads_is_quiet() -> None:
    arguments = [sys.executable, "-X", "importtime", "-m", "recognizer.training", "stream"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("torch." in line for line in process.stderr)  # each line is a module that has been loaded
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in rest


@pytest.mark.parametrize("name", MOVED)
def test_a_command_that_moved_says_where_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*name.split(), "--data", "nowhere"]) == 2
    told = capsys.readouterr().err
    assert told == f"`{name}` has moved; use `python -m {MOVED[name]}` in the source tree\n"


def test_what_moved_is_there() -> None:
    from research.command_line import COMMANDS as RESEARCH

    for name, now in MOVED.items():
        package, *words = now.split()
        if package == "research":
            assert words == name.split()
            assert words[0] in RESEARCH
        else:
            assert importlib.util.find_spec(package) is not None
        if " " not in name:
            assert name not in COMMANDS


def test_the_papers_data_sets_are_pretrained_on_in_research(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "run", "--data", "x", "--out", "y", "--task", "nw-ucla"]) == 2
    assert "python -m research pretrain run" in capsys.readouterr().err
