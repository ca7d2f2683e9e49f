"""Nothing is noted for sending: ONNX Runtime's telemetry is off before it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What switches telemetry off by itself, and would hide that we do not.
SUPPRESSORS = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "TF_BUILD", "GITHUB_ACTIONS", "XDG_CACHE_HOME")
LOAD = (
    "from pathlib import Path\n"
    "from recognizer.model_card import find_model\n"
    "from recognizer.onnx_recognizer import OnnxRecognizer\n"
    "OnnxRecognizer(find_model('act'), 'cpu').close()\n"
)
SPEED = "import benchmarks.recognizers\n"  # once imported ONNX Runtime by itself, before the telemetry was off
UNGUARDED = (
    "import onnxruntime\nonnxruntime.InferenceSession('weights/act/model.onnx', providers=['CPUExecutionProvider'])\n"
)


def files_noted(code: str, home: Path) -> list[Path]:
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in SUPPRESSORS}
    environment["HOME"] = str(home)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=300)
    return [path for path in home.rglob("*") if path.is_file() and ".onnxruntime" in path.parts]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such files")
def test_a_recognizer_leaves_no_identifier_and_no_events(tmp_path: Path):
    if not files_noted(UNGUARDED, tmp_path / "unguarded"):
        pytest.skip("this build of ONNX Runtime notes nothing by itself")
    assert files_noted(LOAD, tmp_path / "ours") == []
    pytest.importorskip("torch", reason="needs the extra `train`")
    assert files_noted(SPEED + LOAD, tmp_path / "speed first") == []
