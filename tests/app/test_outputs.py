import json
import os
import socket
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from app.errors import OutputError
from app.outputs import video_writer
from app.outputs.run_outputs import ChangePrinter, Outputs
from app.results import PersonResult, Result, RunInfo
from app.settings import RunOptions
from pose.skeleton import MPOSE_13
from pose.source import SourceInfo
from pose.types import Frame, Pose
from recognizer.decision import Decision


class FakeEngine:
    """Gives results to its taps on demand."""

    playback = None

    def __init__(self, source="demo", *, paced=True, live=True):
        self.options = RunOptions(source=source, paced=paced)
        self.info = RunInfo(SourceInfo(source, live), "act", ("idle", "wave"), "cpu")
        self.taps = []

    def add_tap(self, tap):
        self.taps.append(tap)

    def give(self, time_s, index=0):
        frame = Frame(np.full((48, 64, 3), 90, np.uint8), time_s, 0.0, index)
        for tap in self.taps:
            tap(Result(frame, (), (), True, 0.01))


def test_two_runs_in_one_video_follow_each_other(tmp_path):
    outputs = Outputs(RunOptions(save=tmp_path / "out.mp4", source="walk.mp4", paced=False))
    for start_s in (100.0, 0.0):
        engine = FakeEngine("walk.mp4", paced=False, live=False)
        outputs.attach(engine)
        for step in range(5):
            engine.give(start_s + step / 10)
        engine.give(start_s + 4 / 10)  # the end of a run repeats its last frame
    outputs.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = np.array([frame.time for frame in container.decode(video=0)])
    steps = np.diff(times)
    assert len(times) == 10
    assert steps[[0, 1, 2, 3, 5, 6, 7, 8]] == pytest.approx(0.1, abs=0.001)
    assert 0 < steps[4] < 0.1


@pytest.mark.parametrize("source", ["walk/%04d.png", "~/walk.mp4", "file:///walk.mp4", "http://127.0.0.1/walk.mp4"])
@pytest.mark.parametrize(
    ("paced", "live", "lossless"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_the_video_waits_where_the_engine_does_and_tells_what_it_lacks(
    source, paced, live, lossless, tmp_path, monkeypatch, caplog
):
    go_on, encode = threading.Event(), video_writer._Encoder.encode
    monkeypatch.setattr(video_writer._Encoder, "encode", lambda *given: go_on.wait(60) and encode(*given))
    outputs = Outputs(RunOptions(save=tmp_path / "out.mp4", source=source, paced=paced))
    engine = FakeEngine(source, paced=paced, live=live)
    outputs.attach(engine)
    giving = threading.Thread(target=lambda: [engine.give(step / 10) for step in range(50)])
    giving.start()
    giving.join(1.0 if lossless else 60)  # longer than it takes to fill the queue, which only a lossless run waits for
    assert giving.is_alive() == lossless
    go_on.set()
    giving.join(60)
    outputs.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        lacks = 50 - sum(1 for _ in container.decode(video=0))
    assert (lacks == 0) == lossless
    told = (
        []
        if lossless
        else [f"{tmp_path / 'out.mp4'} lacks {lacks} frames: the computer was too slow to save every one"]
    )
    assert [record.getMessage() for record in caplog.records] == told


def test_lines_go_to_the_file_while_it_runs(tmp_path):
    outputs = Outputs(RunOptions(json=str(tmp_path / "out.jsonl")))
    engine = FakeEngine()
    outputs.attach(engine)
    engine.give(1.0, 7)
    line = json.loads((tmp_path / "out.jsonl").read_text())
    assert (line["time_s"], line["frame"], line["person"]) == (1.0, 7, None)
    outputs.close()


@pytest.mark.parametrize("spelt", ["plain", "home", "address"])
@pytest.mark.parametrize("output", ["save", "json"])
def test_the_video_that_is_read_is_never_written(tmp_path, output, spelt, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    video = tmp_path / "dance.mp4"
    video.write_bytes(b"precious")
    source = {"plain": str(video), "home": "~/dance.mp4", "address": video.as_uri()}[spelt]
    other = tmp_path / "folder" / ".." / "dance.mp4"
    (tmp_path / "folder").mkdir()
    options = {"save": {"save": other}, "json": {"json": str(other)}}[output]
    with pytest.raises(OutputError, match="it is the video that is read"):
        Outputs(RunOptions(source=source, **options))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dance.mp4", "folder"]
    assert video.read_bytes() == b"precious"


@pytest.mark.parametrize(("option", "what"), [("alerts", "file of rules"), ("pose_model", "pose model")])
def test_no_other_file_that_is_read_is_written(tmp_path, option, what):
    file = tmp_path / "precious"
    file.write_text("precious")
    with pytest.raises(OutputError, match=f"it is the {what} that is read"):
        Outputs(RunOptions(json=str(file), **{option: file}))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("first", "second"), [("save", "json"), ("save", "events_csv"), ("json", "events_csv")], ids=lambda name: name
)
def test_two_outputs_never_write_one_file(tmp_path, first, second, there):
    (tmp_path / "folder").mkdir()
    file, spelt = tmp_path / "out.mp4", tmp_path / "folder" / ".." / "out.mp4"
    if there:
        file.write_bytes(b"precious")
    with pytest.raises(OutputError, match=r"^--[\w-]+ and --[\w-]+ both name .*; give each a file of its own$"):
        Outputs(RunOptions(**{first: file, second: spelt}))
    assert file.exists() == there
    assert not there or file.read_bytes() == b"precious"
    assert not list(tmp_path.glob("*.bak"))


def test_two_outputs_may_be_the_same_device_or_files_of_one_folder(tmp_path):
    Outputs(RunOptions(json=os.devnull, events_csv=Path(os.devnull))).close()
    Outputs(RunOptions(json=str(tmp_path / "out"), events_csv=tmp_path / "out.csv")).close()


def test_a_video_that_is_written_is_not_read_in_a_later_run(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"of last week")
    outputs = Outputs(RunOptions(save=out))
    with pytest.raises(OutputError, match="it is the video that is read"):
        outputs.attach(FakeEngine(str(out)))
    outputs.attach(FakeEngine("rtsp://127.0.0.1/\0"))
    outputs.close()


def test_when_one_cannot_be_opened_the_others_are_closed(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        Outputs(
            RunOptions(events="ws://127.0.0.1:0", save=tmp_path / "no" / "out.mp4", json=str(tmp_path / "out.jsonl"))
        )  # a server left open would leave its thread, which fails the test


@pytest.mark.parametrize("bad", [{"save": "no/out.mp4"}, {"save": "out.txt"}, {"events": "wss://127.0.0.1"}])
def test_a_mistake_in_one_output_leaves_the_files_of_the_others(tmp_path, bad, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("out.jsonl", "out.csv"):
        Path(name).write_text("of last week")
    options = {key: Path(value) if key == "save" else value for key, value in bad.items()}
    with pytest.raises(OutputError):
        Outputs(RunOptions(json="out.jsonl", events_csv=Path("out.csv"), **options))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "out.jsonl": "of last week",
        "out.csv": "of last week",
    }


def test_the_event_stream_says_what_runs():
    from websockets.sync.client import connect

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{free.getsockname()[1]}"
    outputs = Outputs(RunOptions(events=url))
    engine = FakeEngine()
    outputs.attach(engine)
    engine.give(1.0)
    with connect(url) as client:
        hello = json.loads(client.recv(timeout=60))
        assert (hello["model"], hello["actions"]) == ("act", ["idle", "wave"])
        engine.give(2.0)
        assert json.loads(client.recv(timeout=60))["time_s"] == 2.0
    outputs.close()


def test_changes_are_printed_with_what_was_in_view(capsys):
    printer = ChangePrinter()
    for time_s, action, reason, view in (
        (1.0, "wave", "", "upper"),
        (2.0, "unknown", "low evidence", "upper"),
        (3.0, "walk", "", "whole"),
        (4.0, "unknown", "half a body in view", "upper"),
    ):
        pose = Pose(np.zeros((13, 2), np.float32), np.ones(13, np.float32), MPOSE_13, time_s, 0)
        decision = Decision(0, time_s, action, 0.9, 0.0, (), reason, (), view)
        frame = Frame(np.zeros((4, 4, 3), np.uint8), time_s, 0.0, 0)
        printer(Result(frame, (PersonResult(pose, decision, True),), (), False, 0.0))
    assert [line.partition(" 0.90")[2] for line in capsys.readouterr().out.splitlines()] == [
        "  (upper body only)",
        "  (low evidence, upper body only)",
        "",
        "  (half a body in view)",
    ]
