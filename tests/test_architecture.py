"""What the contracts in pyproject.toml (import-linter) cannot say, and that they say what they are meant to."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "benchmarks", "pose", "recognizer", "research")
FORBIDDEN_FILES = {"utils.py", "helpers.py", "manager.py", "core.py", "base.py", "misc.py", "common.py"}
BROKEN = {  # one line that breaks each contract, in a file of the live program
    "pose/types.py": "import recognizer.clips, torch, onnxruntime, mediapipe, sklearn",
    "app/live/stats.py": "import PySide6.QtCore, recognizer.training.command_line, research.page",
    "recognizer/datasets/sequences.py": "import sklearn",
}


def contracts(folder):
    """The lines on contracts that are kept and broken, and the exit status."""
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    arguments = ("--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml"))
    done = subprocess.run([sys.executable, "-c", lint, *arguments], cwd=folder, capture_output=True, text=True)
    said = " ".join(done.stdout.split())
    return done.returncode, said.count(" KEPT"), said.count(" BROKEN")


def test_a_line_that_breaks_a_contract_is_found(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    status, kept, broken = contracts(tmp_path)
    assert (status, broken) == (0, 0)
    for name, line in BROKEN.items():
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    assert contracts(tmp_path) == (1, 0, kept)


def test_no_catch_all_modules():
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert not [str(path) for path in files if path.name in FORBIDDEN_FILES]


@pytest.mark.parametrize("module", ["app.cli", "app.__main__", "main"])
def test_the_command_line_starts_without_anything_heavy(module):
    code = f"import sys, {module}; print(sorted({{m.partition('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "PySide6", "mediapipe", "onnxruntime", "cv2", "av"):
        assert f"'{heavy}'" not in loaded, f"importing {module} loads {heavy}"
