"""A file that is moved in while it is played."""

import csv
import json
import threading
import time

import av
import numpy as np
import pytest

from app.capture.playback import _MAX_JUMPS, JUMP_S, PlayedVideo
from app.capture.reader import Capture
from app.live import run_inputs
from app.live.stats import Stats
from app.outputs.run_outputs import Outputs
from app.results import Result
from app.settings import RunOptions
from pose.errors import SourceError
from pose.video_file import VideoFile
from recognizer.decision import ActionEvent
from recognizer.repetition_counter import Repetition

FPS, COUNT = 25, 50


def write_video(path, count):
    """How bright a picture is tells its number."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(count):
            picture = np.full((48, 64, 3), 20 + 4 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def video(tmp_path):
    """Two seconds."""
    return write_video(tmp_path / "walk.mp4", COUNT)


@pytest.fixture
def played(video):
    source = PlayedVideo(video)
    yield source
    source.close()


@pytest.fixture
def number(video):
    """number(frame): which picture of the file it is."""
    source = VideoFile(video)
    means = np.array([frame.bgr.mean() for frame in iter(source.read, None)])
    source.close()
    assert np.diff(means).min() > 2
    return lambda frame: int(np.abs(means - frame.bgr.mean()).argmin())


def test_it_plays_from_the_beginning_to_its_end(played, number):
    played.set_speed(1000.0)
    frames = [played.read() for _ in range(COUNT)]
    assert [number(frame) for frame in frames] == list(range(COUNT))
    assert [frame.time_s for frame in frames] == pytest.approx([n / FPS for n in range(COUNT)], abs=1e-3)
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert played.read() is None
    assert (played.info.name, played.info.size, played.info.live) == ("walk.mp4", (64, 48), False)
    assert played.position.length_s == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("there", [0, 13, 40, 49])
def test_a_jump_shows_that_place_and_the_clock_goes_on(played, number, there):
    played.set_speed(1000.0)
    before = [played.read() for _ in range(20)][-1]
    played.seek(there / FPS + 0.001)
    after = played.read()
    assert number(after) == there
    assert after.time_s == pytest.approx(before.time_s + JUMP_S, abs=1e-3), "further than anybody may be out of sight"
    assert after.index == before.index + 1
    assert played.file_s(after.time_s) == pytest.approx(there / FPS, abs=1e-3)
    assert played.file_s(before.time_s) == pytest.approx(19 / FPS, abs=1e-3)
    assert played.position.at_s == pytest.approx(there / FPS, abs=1e-3)


def test_beyond_the_end_is_the_last_picture(played, number):
    played.set_speed(1000.0)
    played.seek(99.0)
    assert number(played.read()) == COUNT - 1
    assert played.read() is None


def test_paused_it_stands_still_and_goes_step_by_step(played, number):
    played.set_speed(1000.0)
    for _ in range(10):
        played.read()
    played.pause()
    came = []
    reading = threading.Thread(target=lambda: came.extend(iter(played.read, None)))
    reading.start()
    time.sleep(0.2)
    assert came == []
    for steps, expected in ((1, 10), (1, 11), (-1, 10), (-1, 9), (1, 10)):
        count = len(came)
        played.step(steps)
        deadline = time.monotonic() + 60
        while len(came) == count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [number(frame) for frame in came[count:]] == [expected]
    played.seek(1.0)
    deadline = time.monotonic() + 60
    while len(came) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert number(came[-1]) == 25
    played.close()
    reading.join(60)
    assert not reading.is_alive()
    assert len(came) == 6


def test_a_loop_begins_anew_and_the_clock_goes_on(played, number):
    played.set_speed(1000.0)
    played.set_loop(True)
    frames = [played.read() for _ in range(COUNT + 3)]
    assert [number(frame) for frame in frames[-3:]] == [0, 1, 2]
    assert np.all(np.diff([frame.time_s for frame in frames]) > 0)


@pytest.mark.parametrize("count", [1, 3])
def test_in_a_loop_the_last_picture_is_shown_as_long_as_the_others(tmp_path, count):
    played = PlayedVideo(write_video(tmp_path / "short.mp4", count))
    played.set_speed(0.25)
    played.set_loop(True)
    played.read()
    start = time.perf_counter()
    frames = [played.read() for _ in range(3 * count)]
    assert time.perf_counter() - start >= 3 * count / FPS / 0.25 - 0.1
    assert [played.file_s(frame.time_s) for frame in frames[count - 1 :: count]] == pytest.approx([0.0] * 3, abs=1e-3)
    played.close()


def test_paused_at_the_end_of_a_loop_a_step_shows_the_first_picture(played, number):
    played.set_speed(1000.0)
    played.set_loop(True)
    assert [number(played.read()) for _ in range(COUNT)][-1] == COUNT - 1
    played.pause()
    came = []
    reading = threading.Thread(target=lambda: came.extend(iter(played.read, None)))
    reading.start()
    played.step(2)
    deadline = time.monotonic() + 60
    while len(came) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    played.close()
    reading.join(60)
    assert [number(frame) for frame in came] == [0, 1]


def test_of_many_jumps_the_newest_are_remembered(played):
    played.set_speed(1000.0)
    for _ in range(_MAX_JUMPS + 10):
        played.seek(1.0)
        newest = played.read()
    assert len(played._jumps) == _MAX_JUMPS
    assert played.file_s(newest.time_s) == pytest.approx(1.0, abs=0.05)
    assert played.file_s(newest.time_s - JUMP_S) == pytest.approx(1.0, abs=0.05)
    assert played.file_s(0.0) == 0.0


def test_half_the_speed_takes_twice_as_long(played):
    def seconds_of(speed):
        played.seek(0.0)
        played.set_speed(speed)
        played.read()
        start = time.perf_counter()
        for _ in range(12):
            played.read()
        return time.perf_counter() - start

    assert seconds_of(0.5) >= 12 / FPS / 0.5 - 0.1
    assert seconds_of(0.25) >= 12 / FPS / 0.25 - 0.1


@pytest.mark.parametrize("name", ["{path}", " {path}", "{url}"])
def test_the_window_plays_files_so_and_headless_does_not(video, name):
    video = video.rename(video.with_name("my walk.mp4"))
    played = run_inputs.open_source(RunOptions(source=name.format(path=video, url=video.as_uri())))
    assert isinstance(played, PlayedVideo)
    played.close()
    plain = run_inputs.open_source(RunOptions(source=str(video), paced=False))
    assert not isinstance(plain, PlayedVideo)
    plain.close()


def test_what_is_no_video_is_said(tmp_path):
    file = tmp_path / "walk.mp4"
    file.write_bytes(b"no video")
    with pytest.raises(SourceError):
        PlayedVideo(file)


class Played:
    """An engine that plays a file: what the outputs need of it."""

    def __init__(self, playback):
        self.playback, self.taps = playback, []
        self.options = RunOptions(source="walk.mp4")

    def add_tap(self, tap):
        self.taps.append(tap)


def test_lines_and_tables_have_the_file_s_time_after_a_jump(played, tmp_path):
    """The run's own clock goes on at a jump; who reads the lines looks for the place in the file."""
    lines, table = tmp_path / "lines.json", tmp_path / "actions.csv"
    outputs = Outputs(RunOptions(source="walk.mp4", json=str(lines), events_csv=table))
    engine = Played(played)
    outputs.attach(engine)
    played.set_speed(1000.0)
    for _ in range(5):
        played.read()
    played.seek(1.0)
    jumped = played.read()
    assert jumped.time_s > JUMP_S
    done = ActionEvent("end", jumped.time_s, 0, "wave", 0.9, 0.2, 3)
    counted = Repetition(jumped.time_s, 0, "wave", 3, 0.2, 60.0)
    result = Result(jumped, (), (done,), True, time.perf_counter(), (counted,))
    for tap in engine.taps:
        tap(result)
    outputs.close()
    times = [line["time_s"] for line in map(json.loads, lines.read_text().splitlines()) if "time_s" in line]
    assert len(times) == 3
    assert times == pytest.approx([1.0] * 3, abs=0.05)
    (row,) = csv.DictReader(table.open())
    assert float(row["end_s"]) == pytest.approx(1.0, abs=0.05)
    assert result.events[0] is done, "the window and the recorder go by the run's clock"


def test_paused_while_it_is_opened_it_shows_its_first_picture(video, number):
    opening = threading.Event()

    def open_source():
        assert opening.wait(60)
        return PlayedVideo(video)

    capture = Capture(open_source, Stats(), lossless=False, on_failure=lambda _: None, on_recovered=lambda: None)
    capture.thread.start()
    capture.ready()
    capture.pause(True)
    opening.set()
    assert capture.opened(60)
    assert number(capture.frames.take(timeout_s=60)) == 0
    assert capture.frames.take(timeout_s=0.3) is None
    capture.pause(False)
    assert number(capture.frames.take(timeout_s=60)) > 0
    capture.stop()
    assert capture.join(60)
