"""Benchmarks: a mistake is one line and exit status 2, before anything is measured."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MISTAKES = [
    ("people.one_person NONE.avi", "NONE.avi"),
    ("people.one_person {file}", "note.txt"),
    ("people.one_person NONE.avi --frames -1", "--frames: -1 is not above 0"),
    ("people.steadiness NONE.avi", "NONE.avi"),
    ("people.steadiness NONE.avi --frames 30", "the first 30 frames do not count"),
    ("people.empty --videos NONE", "there is no folder NONE"),
    ("people.empty --people 0", "--people: 0 is not above 0"),
    ("people.empty --people 9", "give 1 to 8"),
    ("people.empty --frames -3", "--frames: -3 is not above 0"),
    ("people.rate NONE.avi", "NONE.avi"),
    ("people.rate NONE.avi --seconds -1", "--seconds: -1 is not a number above 0"),
    ("soak --rounds 0", "--rounds: 0 is not above 0"),
    ("soak --repeats -1", "--repeats: -1 is not above 0"),
    ("soak --json NONE/x.json", "there is no folder NONE"),
    ("soak --json {folder}", "is a folder"),
    ("fuzz --reader nope", "invalid choice: 'nope'"),
    ("fuzz --findings {file}", "note.txt"),
    ("fuzz --minutes 0", "--minutes: 0 is not a number above 0"),
]


@pytest.mark.slow  # a process each
@pytest.mark.parametrize(("command", "said"), MISTAKES)
def test_a_mistake_is_one_line(command, said, tmp_path):
    (tmp_path / "note.txt").write_text("no video\n")
    words = command.format(file=tmp_path / "note.txt", folder=tmp_path).split()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{words[0]}", *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert said in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert (done.returncode, done.stdout) == (2, "")
