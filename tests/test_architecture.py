"""The arrow main -> app -> recognizer -> pose, and where Qt, torch and ONNX Runtime may be imported."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pose", "recognizer", "app")
SOURCES = [*sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py")), ROOT / "main.py"]
QT = {"PySide6", "pyqtgraph", "shiboken6"}
TRAINING = {"torch", "lightning", "onnxscript", "tensorboard", "torchmetrics", "matplotlib", "pandas"}
LEARNING = {"onnx", "sklearn"}  # Quick teaching fits a head and puts it on a graph, without torch
READERS = "recognizer.datasets"  # numpy only: the library imports and exports what training reads and writes
_LEARNS = ("recognizer/teaching/", "pose/tflite_to_onnx.py")  # which writes the pose networks as ONNX, once
FORBIDDEN_FILES = {"utils.py", "helpers.py", "manager.py", "core.py", "base.py", "misc.py", "common.py"}


def imported_modules(path: Path) -> set[str]:
    """Full dotted names of everything a file imports, at any depth of the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the full name"
            found.add(node.module or "")
    return found


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported_modules(path)}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_calls_point_one_way(path: Path):
    allowed = {
        "pose": {"pose"},
        "recognizer": {"pose", "recognizer"},
        "app": {"pose", "recognizer", "app"},
        "main.py": {"app"},
    }[relative(path).partition("/")[0]]
    ours = tops(path) & {*PACKAGES, "main", "tests"}
    assert ours <= allowed, f"{relative(path)} imports {sorted(ours - allowed)}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_heavy_libraries_stay_in_their_place(path: Path):
    name, modules = relative(path), tops(path)
    if not name.startswith("app/ui/"):
        assert not modules & QT, "Qt belongs to app/ui"
    if not name.startswith("recognizer/training/"):
        assert not modules & TRAINING, "training libraries belong to recognizer/training"
        assert not modules & LEARNING or name.startswith(_LEARNS), "learning belongs to recognizer"
        # importlib.import_module and lazy imports inside functions are walked too, so only strings could hide one
    if name != "pose/onnx_session.py":
        assert "onnxruntime" not in modules, "only pose/onnx_session.py knows ONNX Runtime"
    if name not in ("pose/estimator.py", "pose/tflite_metadata.py"):
        assert "mediapipe" not in modules, "only the estimator and the builder of its model know MediaPipe"


def test_live_code_never_reaches_the_training_package():
    for path in SOURCES:
        if not relative(path).startswith("recognizer/training/"):
            reached = {m for m in imported_modules(path) if m.startswith("recognizer.training")}
            assert not reached, f"{relative(path)} imports {reached}"


def test_readers_of_data_sets_need_no_torch():
    readers = sorted((ROOT / "recognizer/datasets").glob("*.py"))
    modules = ", ".join(f"{READERS}.{path.stem}" for path in readers if path.stem != "__init__")
    code = f"import sys, {modules}; print(sorted({{m.partition('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for heavy in (*TRAINING, *LEARNING, "PySide6"):
        assert f"'{heavy}'" not in loaded, f"the readers load {heavy}"


def test_no_catch_all_modules():
    assert not [relative(p) for p in SOURCES if p.name in FORBIDDEN_FILES]


def test_the_command_line_starts_without_anything_heavy():
    code = "import sys, app.cli; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "PySide6", "mediapipe", "onnxruntime", "cv2", "av"):
        assert f"'{heavy}'" not in loaded, f"importing app.cli loads {heavy}"
