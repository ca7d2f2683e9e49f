"""python -m recognizer.training as a process."""

import argparse
import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch")

import torch

from recognizer.training.command_line import main, run_command
from recognizer.training.fine_tune import fine_tune_command


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


def test_the_papers_data_sets_are_pretrained_on_in_research(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "run", "--data", "x", "--out", "y", "--task", "nw-ucla"]) == 2
    assert "python -m research pretrain run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("train --data d --out o --threads 0", "--threads: 0 is not above 0"),
        ("train --data d --out o --seed -1", "--seed: -1 is below 0"),
        ("train --data d --out o --steps 0", "--steps: 0 is not above 0"),
        ("train --data d --out o --batch many", "--batch: 'many' is not a whole number"),
        ("train --data d --out o --learning-rate=-1", "--learning-rate: -1 is not a number above 0"),
        ("train --data d --out o --learning-rate nan", "--learning-rate: nan is not a number above 0"),
        ("generate --action a --out o --seed -1", "--seed: -1 is below 0"),
        ("stream-set o --data d --seed -1", "--seed: -1 is below 0"),
        ("generator train --data d --out o --seed -1", "--seed: -1 is below 0"),
        ("pretrain run --data d --out o --learning-rate=-1", "--learning-rate: -1 is not a number above 0"),
        ("pretrain run --data d --out o --num-nodes 0", "--num-nodes: 0 is not above 0"),
    ],
)
def test_numbers_that_cannot_be_are_told_before_anything_is_read(
    command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    assert ended.value.code == 2
    assert f"argument {told}" in capsys.readouterr().err


def test_what_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "file").touch()

    def write(options: argparse.Namespace) -> None:
        (tmp_path / "file" / "run").mkdir()

    assert run_command("recognizer.training", "", {"write": ("write", lambda parser: None, write)}, ["write"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{tmp_path / 'file' / 'run'}: Not a directory; give ")
    assert told.count("\n") == 1


def test_full_teaching_keeps_to_the_threads_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr(fine_tune_command, "lower_priority", lambda: None)
    assert main(["fine-tune", "nowhere", "--threads", "2"]) == 2
    assert asked == [2]
