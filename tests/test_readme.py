"""What the README tells people to type is what the program understands."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app import cli
from app.settings import UserSettings

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
TYPED = [
    line.split(" #")[0].strip()
    for block in re.findall(r"```(?:sh|powershell)\n(.*?)```", TEXT, flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
MAIN = [line for line in TYPED if "main.py" in line]
MAKE = [line for line in TYPED if line.startswith("make ")]


def test_the_quick_start_is_there():
    assert {"make run", "make test"} <= set(MAKE)
    assert len(MAIN) >= 8


@pytest.mark.parametrize("line", MAIN)
def test_the_program_understands(line: str):
    arguments = shlex.split(line.replace("\\", "/"))
    after = arguments[next(i for i, word in enumerate(arguments) if word.endswith("main.py")) + 1 :]
    if "--help" in after:
        done = subprocess.run(
            [sys.executable, "main.py", *after], cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0
        assert "--camera" in done.stdout
    else:
        cli.parse(after, UserSettings())


@pytest.mark.parametrize("line", MAKE)
def test_make_has_the_target(line: str):
    target = shlex.split(line)[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_pictures_and_links_are_there():
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (ROOT / path).exists(), path


def test_the_training_command_is_there(monkeypatch, capsys):
    pytest.importorskip("torch")
    (line,) = (line for line in TYPED if line.startswith("python -m recognizer.training"))
    _, _, module, *arguments = shlex.split(line)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(SystemExit) as ended:  # in this process, for what it imports takes seconds
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    assert "fine-tune" in capsys.readouterr().out
