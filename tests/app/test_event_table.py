"""The table of actions, as an output of a run and as an export."""

import csv

import numpy as np
import pytest

from app.cli import parse
from app.errors import OutputError
from app.outputs.event_table import COLUMNS, write_table
from app.outputs.run_outputs import Outputs
from app.results import Result
from app.settings import RunOptions, UserSettings
from pose.types import Frame
from recognizer.decision import ActionEvent


class FakeEngine:
    playback = None

    options = RunOptions()

    def __init__(self):
        self.taps = []

    def add_tap(self, tap):
        self.taps.append(tap)

    def give(self, *events):
        frame = Frame(np.zeros((4, 4, 3), np.uint8), 1.0, 0.0, 0)
        for tap in self.taps:
            tap(Result(frame, (), events, True, 0.01))


def test_each_action_is_a_line_when_it_ends(tmp_path):
    file = tmp_path / "events.csv"
    outputs, engine = Outputs(RunOptions(events_csv=file)), FakeEngine()
    outputs.attach(engine)
    engine.give(ActionEvent("start", 1.0, 0, "squat", 0.8))
    assert list(csv.reader(file.open())) == [list(COLUMNS)]
    engine.give(ActionEvent("end", 7.5, 0, "squat", 0.91, 6.5, 4), ActionEvent("start", 7.5, 0, "walk", 0.8))
    engine.give(ActionEvent("end", 9.0, 1, 'say "hi", twice', 0.5, 1.5))
    rows = list(csv.DictReader(file.open()))  # while it runs
    assert rows[0] == {
        "start_s": "1.000",
        "end_s": "7.500",
        "person": "0",
        "action": "squat",
        "duration_s": "6.500",
        "count": "4",
        "score": "0.9100",
    }
    assert (rows[1]["action"], rows[1]["person"], rows[1]["count"]) == ('say "hi", twice', "1", "")
    outputs.close()


def test_a_table_that_is_there_is_kept_beside_the_new_one(tmp_path):
    file = tmp_path / "events.csv"
    file.write_text("mine\n")
    Outputs(RunOptions(events_csv=file)).close()
    assert (tmp_path / "events.csv.bak").read_text() == "mine\n"


def test_the_video_that_is_read_is_not_overwritten(tmp_path):
    video = tmp_path / "walk.mp4"
    video.write_bytes(b"video")
    with pytest.raises(OutputError, match="it is the video that is read"):
        Outputs(RunOptions(source=str(video), events_csv=video))
    assert video.read_bytes() == b"video"


def test_the_command_line_asks_for_it(tmp_path):
    command = parse(["--headless", "--events-csv", str(tmp_path / "e.csv")], UserSettings())
    assert command.options.events_csv == tmp_path / "e.csv"


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="choose another place"):
        write_table(tmp_path / "none" / "e.csv", COLUMNS, [])
    assert list(tmp_path.iterdir()) == []
