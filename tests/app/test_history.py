"""What was done when: kept, summed up, exported, deleted."""

import csv
import sqlite3
import threading
from datetime import datetime, timedelta

import numpy as np
import pytest

from app.errors import OutputError
from app.outputs.history import Done, History, HistoryLog, Total, day_start, week_start
from app.results import Result
from pose.types import Frame
from recognizer.decision import ActionEvent

NOW = datetime(2026, 11, 25, 14, 30)  # a Wednesday


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "data" / "history.sqlite")


def result(time_s, *events):
    """Of a frame that was captured at 300 s more of the frames' counter."""
    return Result(Frame(np.zeros((4, 4, 3), np.uint8), time_s, 300.0 + time_s, 0), (), events, True, time_s)


def at(days=0, hours=0.0):
    return (NOW - timedelta(days=days, hours=hours)).timestamp()


def test_an_action_is_kept_when_it_ends_with_the_time_of_day_at_which_it_began(history):
    log = HistoryLog(history, clock=lambda: 1000.0, counter=lambda: 360.0)
    log(result(50.0, ActionEvent("start", 40.0, 0, "squat", 0.9)))
    log(result(60.0, ActionEvent("end", 58.0, 0, "squat", 0.9, 18.0, 7)))
    log.close()
    assert history.totals(980.0, 980.5) == [Total("squat", 18.0, 1, 7, 18.0)]
    assert history.totals(980.5, 2000.0) == []


@pytest.mark.parametrize(("seen_before", "slept_s"), [(True, 0.0), (True, 5000.0), (False, 0.0)])
def test_a_pause_before_the_end_of_a_run_moves_nothing(history, seen_before, slept_s):
    """The end of the run tells the last frame again. The frames' counter may stand still while a computer sleeps."""
    now = [1000.0, 360.0]
    log = HistoryLog(history, clock=lambda: now[0], counter=lambda: now[1])
    if seen_before:  # else the history was switched on in the pause
        log(result(60.0))
    now[:] = [1000.0 + 3600.0 + slept_s, 360.0 + 3600.0]
    log(result(60.0, ActionEvent("end", 60.0, 0, "squat", 0.9, 18.0, 7)))
    log.close()
    assert history.totals(982.0, 982.5) == [Total("squat", 18.0, 1, 7, 18.0)]


def test_nothing_is_made_where_nothing_is_kept(history):
    log = HistoryLog(history, wanted=lambda: False)
    log(result(60.0, ActionEvent("end", 58.0, 0, "squat", 0.9, 18.0, 7)))
    log.close()
    assert history.totals(0, 1e12) == []
    assert not history.path.parent.exists()


def test_totals_of_a_day_and_a_week(history):
    for done in (
        Done(at(hours=1), "squat", 0, 30.0, 10),
        Done(at(hours=3), "squat", 1, 50.0, 20),
        Done(at(hours=2), "walk", 0, 60.0, None),
        Done(at(days=1), "squat", 0, 5.0, 2),
        Done(at(days=3), "squat", 0, 500.0, 99),  # the Sunday before
    ):
        history.add(done)
    assert history.totals(day_start(NOW), day_start(NOW, -1)) == [
        Total("squat", 80.0, 2, 30, 50.0),
        Total("walk", 60.0, 1, 0, 60.0),
    ]
    assert history.totals(week_start(NOW), at(hours=-1))[0] == Total("squat", 85.0, 3, 32, 50.0)
    days = history.parts([day_start(NOW, 2 - day) for day in range(8)])
    assert [part.get("squat", 0) for part in days] == [0, 5.0, 80.0, 0, 0, 0, 0]


def test_days_begin_at_midnight_and_weeks_on_monday():
    assert datetime.fromtimestamp(day_start(NOW)) == datetime(2026, 11, 25)
    assert datetime.fromtimestamp(week_start(NOW)) == datetime(2026, 11, 23)


def test_export_and_delete(history, tmp_path):
    history.add(Done(at(), "squat", 0, 30.04, 10))
    history.add(Done(at(hours=1), "walk", 1, 5.0, None))
    assert history.export(tmp_path / "h.csv") == 2
    first, second = csv.DictReader((tmp_path / "h.csv").open())
    assert datetime.fromisoformat(first["start"]).timestamp() == pytest.approx(at(hours=1), abs=1)
    assert (first["action"], first["person"], first["count"]) == ("walk", "1", "")
    assert (second["action"], second["duration_s"], second["count"]) == ("squat", "30.0", "10")
    history.delete()
    assert list(history.path.parent.iterdir()) == []
    assert history.totals(0, 1e12) == []
    history.delete()


def test_a_damaged_file_is_one_line_and_left_as_it_is(history, tmp_path):
    history.path.parent.mkdir()
    history.path.write_bytes(b"no database at all" * 100)
    with pytest.raises(OutputError, match="cannot be used") as error:
        history.totals(0, 1)
    assert "\n" not in str(error.value)
    assert history.path.read_bytes().startswith(b"no database")


def test_a_failure_is_told_once_and_the_run_goes_on(history):
    history.path.parent.mkdir()
    history.path.write_bytes(b"no database at all" * 100)
    said, first = [], threading.Event()
    log = HistoryLog(history, failed=lambda line: (said.append(line), first.set()))
    for _ in range(3):
        log(result(60.0, ActionEvent("end", 58.0, 0, "squat", 0.9, 18.0, 7)))
    assert first.wait(60)
    log.close()
    assert len(said) == 1


def test_another_program_may_read_meanwhile(history):
    history.add(Done(at(), "squat", 0, 30.0, 10))
    reader = sqlite3.connect(history.path)
    assert reader.execute("SELECT count(*) FROM done").fetchone() == (1,)
    history.add(Done(at(), "squat", 0, 30.0, 10))
    assert reader.execute("SELECT count(*) FROM done").fetchone() == (2,)
    reader.close()
