import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import OutputError
from app.outputs.json_lines import JsonLinesWriter, event_line, nobody_line, prediction_line, result_lines
from app.results import PersonResult, Result
from pose.skeleton import MPOSE_13
from pose.types import Frame, Pose
from recognizer.decision import ActionEvent, Decision
from recognizer.repetition_counter import Repetition

ROOT = Path(__file__).resolve().parents[2]


def person_of(number: int = 0, *, fresh: bool = True, **decision) -> PersonResult:
    pose = Pose(np.zeros((13, 2), np.float32), np.ones(13, np.float32), MPOSE_13, 2.5, number)
    given = {"action": "walk", "score": 0.876543, "top": (("walk", 0.876543), ("run", np.float32(0.1)))} | decision
    return PersonResult(pose, Decision(person=number, time_s=2.5, since_s=1.0, **given), fresh)


def result_of(*persons: PersonResult, nobody: bool = False, events: tuple[ActionEvent, ...] = ()) -> Result:
    frame = Frame(np.zeros((4, 4, 3), np.uint8), 2.5000004, 100.0, 75)
    return Result(frame, persons, events, nobody, 100.0123)


def refuse_constants(name: str):
    raise AssertionError(f"{name} is no JSON")


def parsed(line: str) -> dict:
    assert "\n" not in line
    return json.loads(line, parse_constant=refuse_constants)


def test_a_prediction_line():
    person = person_of(1)
    assert parsed(prediction_line(result_of(person), person)) == {
        "type": "prediction",
        "time_s": 2.5,
        "frame": 75,
        "person": 1,
        "action": "walk",
        "score": 0.8765,
        "top": [["walk", 0.8765], ["run", 0.1]],
        "view": None,
        "age_ms": 12.3,
    }


def test_a_prediction_line_says_what_of_the_body_was_in_view():
    for view in ("whole", "upper", None):
        person = person_of(view=view)
        assert parsed(prediction_line(result_of(person), person))["view"] == view
    waiting = PersonResult(person.pose, None, True)
    assert parsed(prediction_line(result_of(waiting), waiting))["view"] is None
    assert parsed(nobody_line(result_of(nobody=True)))["view"] is None


def test_nobody_is_a_prediction_of_no_person():
    line = parsed(nobody_line(result_of(nobody=True)))
    assert (line["type"], line["person"], line["action"], line["top"]) == ("prediction", None, "unknown", [])
    assert (line["time_s"], line["frame"], line["age_ms"]) == (2.5, 75, 12.3)


def test_event_lines():
    assert parsed(event_line(ActionEvent("start", 1.23456, 0, "sit_down", 0.7))) == {
        "type": "start",
        "time_s": 1.235,
        "person": 0,
        "action": "sit_down",
        "score": 0.7,
        "duration_s": None,
        "count": None,
    }
    ended = parsed(event_line(ActionEvent("end", 3.0, 2, "squat", 0.7, 9.0, count=6)))
    assert ended["count"] == 6
    assert parsed(event_line(ActionEvent("end", 3.0, 2, "sit_down", 0.71234567, 1.76543)))["duration_s"] == 1.765


def test_a_repetition_is_a_line_before_the_end_of_its_action():
    repetition = Repetition(2.41234, 0, "squat", 3, 1.23456, 31.26)
    event = ActionEvent("end", 2.0, 0, "squat", 0.8, 7.0, count=3)
    first, second = result_lines(replace(result_of(events=(event,)), repetitions=(repetition,)))
    assert parsed(first) == {
        "type": "rep",
        "time_s": 2.412,
        "person": 0,
        "action": "squat",
        "count": 3,
        "duration_s": 1.235,
        "per_minute": 31.3,
    }
    assert parsed(second)["type"] == "end"


def test_the_lines_that_are_due():
    fresh, stale = person_of(0), person_of(1, fresh=False)
    event = ActionEvent("start", 2.0, 0, "walk", 0.8)
    kinds = [(parsed(x)["type"], parsed(x)["person"]) for x in result_lines(result_of(fresh, stale, events=(event,)))]
    assert kinds == [("prediction", 0), ("start", 0)]
    assert result_lines(result_of(stale)) == []
    assert [parsed(x)["person"] for x in result_lines(result_of(nobody=True))] == [None]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), np.float32("nan"), np.float64(0.25)])
def test_numbers_are_always_json(number: float):
    person = person_of(score=number, top=(("walk", number),))
    line = parsed(prediction_line(result_of(person), person))
    assert line["score"] in (None, 0.25)
    assert line["top"] == [["walk", line["score"]]]


@pytest.mark.parametrize("action", ["挥手", 'say "hi"\\', "two\nlines", "\u2028", "😀"])
def test_any_name_comes_back(action: str):
    person = person_of(action=action)
    assert parsed(prediction_line(result_of(person), person))["action"] == action


def test_half_a_character_becomes_a_question_mark():
    person = person_of(action="\ud800wave")
    line = prediction_line(result_of(person), person)
    assert parsed(line)["action"] == "?wave"
    line.encode("utf-8")


def test_lines_can_be_read_while_they_are_written(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    writer = JsonLinesWriter(path)
    writer.write(['{"a": 1}'])
    assert path.read_text(encoding="utf-8") == '{"a": 1}\n'
    writer.write([])
    writer.write(['{"a": "走"}', '{"a": 3}'])
    assert path.read_text(encoding="utf-8") == '{"a": 1}\n{"a": "走"}\n{"a": 3}\n'
    writer.close()
    writer.close()
    writer.write(["ignored"])
    assert "ignored" not in path.read_text(encoding="utf-8")


def test_an_earlier_run_is_kept_beside(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    path.write_text("earlier\n")
    JsonLinesWriter(path).close()
    assert path.read_text() == ""
    assert (tmp_path / "out.jsonl.bak").read_text() == "earlier\n"
    JsonLinesWriter(path).close()  # an empty file does not push the earlier run out
    assert (tmp_path / "out.jsonl.bak").read_text() == "earlier\n"


@pytest.mark.parametrize(("name", "says"), [("missing/out.jsonl", "no folder"), ("", "folder"), ("file/x", "cannot")])
def test_what_cannot_be_opened_is_said_at_once(tmp_path: Path, name: str, says: str):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=says) as raised:
        JsonLinesWriter(tmp_path / name)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_told_once():
    writer = JsonLinesWriter(Path("/dev/full"))
    with pytest.raises(OutputError, match="No space left"):
        writer.write(["{}"])
    writer.write(["{}"])
    writer.close()


def run(code: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=300, **more
    )


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files with setrlimit")
def test_a_full_disk_leaves_whole_lines(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    done = run(
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from pathlib import Path; from app.errors import OutputError\n"
        "from app.outputs.json_lines import JsonLinesWriter\n"
        f"writer = JsonLinesWriter(Path({str(path)!r})); told = 0\n"
        "for n in range(100):\n"
        "    try: writer.write(['{\"number\": %d}' % n])\n"
        "    except OutputError: told += 1\n"
        "writer.close(); print(told)"
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
    lines = path.read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))
    assert 900 < path.stat().st_size <= 1000


def test_standard_output_is_utf8_whatever_the_terminal_says():
    done = run(
        "from app.outputs.json_lines import JsonLinesWriter; w = JsonLinesWriter(); print('first'); w.close()\n"
        "JsonLinesWriter().write(['\\u8d70'])",
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
    )
    assert (done.stdout, done.stderr) == ("first\n走\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="closes a pipe under the process")
def test_a_reader_that_goes_away_is_no_crash():
    code = (
        "import sys; from app.outputs.json_lines import JsonLinesWriter; from app.errors import OutputError\n"
        "writer = JsonLinesWriter(); told = []\n"
        "for n in range(100000):\n"
        "    try: writer.write(['x' * 100])\n"
        "    except OutputError as error: told.append(str(error))\n"
        "writer.close(); print('not read'); sys.stderr.write('|'.join(told))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "x" * 100 + "\n"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
    assert said == "standard output: the reader has gone, so no more lines are written"
