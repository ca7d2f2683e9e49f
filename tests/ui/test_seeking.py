"""The bar under the picture of a file."""

from dataclasses import replace

import av
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from window_fakes import end, start

from app.capture.playback import JUMP_S, PlayedVideo, Position
from app.results import EngineState
from app.ui.seek_bar import RecognizedSpan, SeekTrack


class Played:
    """In the place of a PlayedVideo: what is asked of it. Its run is two seconds ahead of the file."""

    def __init__(self, length_s=100.0):
        self.asked, self.position = [], Position(0.0, length_s)

    def file_s(self, run_s):
        return run_s - 2.0

    def __getattr__(self, name):
        if name in ("seek", "step", "set_speed", "set_loop"):
            return lambda value: self.asked.append((name, value))
        raise AttributeError(name)


def playing(window, engines):
    engines.last.playback = Played()
    window.seeking.poll()
    return engines.last.playback


def test_the_bar_is_there_for_files_alone(running, engines):
    running.seeking.poll()
    assert not running.seeking.bar.isVisible()
    played = playing(running, engines)
    assert running.seeking.bar.isVisible()
    played.position = Position(61.25, 100.0)
    running.seeking.poll()
    assert running.seeking.bar.time.text() == "1:01.2 / 1:40.0"
    running.run_choices.choose_source("demo")
    running.seeking.poll()
    assert not running.seeking.bar.isVisible()


def test_a_click_and_keys_go_there(running, engines, qtbot):
    played = playing(running, engines)
    running.seeking.poll()
    track = running.seeking.bar.track
    qtbot.mouseClick(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, track.height() // 2))
    name, place = played.asked[-1]
    assert name == "seek"
    assert abs(place - 50.0) < 2.0
    played.position = Position(50.0, 100.0)
    running.seeking.poll()
    for key, expected in (
        (Qt.Key.Key_Right, 55.0),
        (Qt.Key.Key_Left, 45.0),
        (Qt.Key.Key_Home, 0.0),
        (Qt.Key.Key_End, 100.0),
    ):
        qtbot.keyClick(track, key)
        assert played.asked[-1] == ("seek", expected)


def test_steps_speed_and_loop(running, engines):
    played, bar = playing(running, engines), running.seeking.bar
    running.live.toggle_pause()
    bar.back.click()
    bar.forward.click()
    bar.loop.click()
    bar.speed.setCurrentIndex(0)
    bar.speed.activated.emit(0)
    assert played.asked[-4:] == [("step", -1), ("step", 1), ("set_loop", True), ("set_speed", 0.25)]
    again = playing(running, engines)  # the same file opened again plays as it was asked to
    assert again.asked == [("set_loop", True), ("set_speed", 0.25)]


def test_single_frames_are_shown_while_it_is_paused(running, engines):
    """Not while it plays, where it would show another one at once, nor after the end, where nothing would."""
    playing(running, engines)
    steps = running.seeking.bar.back, running.seeking.bar.forward
    assert [(button.isEnabled(), button.toolTip()) for button in steps] == [(False, "Pause first (Ctrl+P)")] * 2
    running.live.toggle_pause()
    assert all(button.isEnabled() for button in steps)
    engines.last.state = EngineState.STOPPED
    running.live.update_state()
    assert [button.toolTip() for button in steps] == ["The file is not playing: F5 plays it again"] * 2
    engines.last.state = EngineState.PAUSED
    running.live.update_state()
    assert [button.toolTip() for button in steps] == [
        "One frame back (while paused)",
        "One frame forward (while paused)",
    ]


def test_what_is_played_again_takes_the_place_of_what_was_in_the_list_too(running, engines):
    playing(running, engines)
    running.live.events.emit((start("walk", 12.0), end("walk", 17.0, duration_s=5.0)))
    running.live.events.emit((start("wave", 17.0), end("wave", 20.0, duration_s=3.0), end("clap", 19.0, 1, 4.0)))
    running.live.events.emit((start("run", 12.5), end("run", 16.5, duration_s=4.0)))
    rows = running.events.events.rows
    assert [(row.action, row.person) for row in rows] == [("run", 0), ("clap", 1), ("wave", 0)]
    assert [(found.action, found.person) for found in running.seeking.bar.track.found] == [
        ("wave", 0),
        ("clap", 1),
        ("run", 0),
    ]


def test_a_camera_has_no_moment_twice(running, engines):
    """The clock of another run starts over."""
    running.live.events.emit((start("walk", 12.0), end("walk", 17.0, duration_s=5.0)))
    running.live.events.emit((start("walk", 12.0), end("walk", 17.0, duration_s=5.0)))
    assert len(running.events.events.rows) == 2


def test_events_are_shown_over_the_whole_file_and_lead_there(running, engines, qtbot):
    played = playing(running, engines)
    running.live.events.emit((start("walk", 12.0), end("walk", 17.0, duration_s=5.0)))
    assert running.seeking.bar.track.found == [RecognizedSpan(0, "walk", 10.0, 15.0)]
    assert running.events.events.rows[0].start_s == 10.0, "the file's time"
    running.events.clicked.emit(running.events.events.index(0, 0))
    assert played.asked[-1] == ("seek", 10.0)


def test_what_is_recognised_again_takes_the_place_of_what_was(qtbot, theme):
    track = SeekTrack(theme.colours)
    qtbot.addWidget(track)
    for found in (
        RecognizedSpan(0, "walk", 10, 15),
        RecognizedSpan(1, "walk", 10, 15),
        RecognizedSpan(0, "run", 11, 15),
        RecognizedSpan(0, "wave", 15, 18),
    ):
        track.add(found)
    assert track.found == [
        RecognizedSpan(1, "walk", 10, 15),
        RecognizedSpan(0, "run", 11, 15),
        RecognizedSpan(0, "wave", 15, 18),
    ]


def test_a_file_that_has_ended_is_opened_again_there(running, engines):
    playing(running, engines)
    before = engines.last
    before.state = type(before.state).STOPPED
    running.seeking.go_to(30.0)
    running.live.pull()
    assert running.seeking._wanted_s == 30.0


def test_a_place_in_a_file_that_did_not_open_again_is_not_gone_to_in_another(running, engines, qtbot):
    playing(running, engines)
    engines.last.state = EngineState.STOPPED
    running.seeking.go_to(30.0)
    running.live.start(replace(running.live.options, source="another.mp4"))
    qtbot.waitUntil(lambda: engines.last.options.source == "another.mp4")
    assert ("seek", 30.0) not in playing(running, engines).asked
    assert running.seeking._wanted_s is None


@pytest.fixture
def film(tmp_path):
    """A real file of ten seconds, ten pictures a second."""
    path = tmp_path / "walk.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(100):
            picture = np.full((48, 64, 3), 20 + 2 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def showing(running, engines, film):
    """The real window on a real file that is played; read() takes its pictures."""
    played = engines.last.playback = PlayedVideo(film)
    running.seeking.poll()
    played.set_speed(1000.0)
    yield running, played
    played.close()


def test_clicks_in_the_real_window_move_a_real_file_and_events_keep_its_time(showing, engines, qtbot):
    window, played = showing
    for _ in range(10):
        played.read()
    window.seeking.poll()
    track = window.seeking.bar.track
    assert track.isVisible()
    qtbot.mouseClick(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track._x(6.0)), track.height() // 2))
    seen = played.read()
    assert played.position.at_s == pytest.approx(6.0, abs=0.15)
    assert seen.time_s == pytest.approx(0.9 + JUMP_S, abs=1e-3), "the run's clock goes on"
    window.live.events.emit((start("walk", seen.time_s), end("walk", seen.time_s + 1.0, duration_s=1.0)))
    (row,) = window.events.events.rows
    assert row.start_s == pytest.approx(played.position.at_s, abs=1e-3)
    (found,) = track.found
    assert (found.start_s, found.end_s) == pytest.approx((row.start_s, row.start_s + 1.0), abs=1e-3)
    for _ in range(20):
        played.read()
    assert played.position.at_s > 7.5
    cell = window.events.visualRect(window.events.events.index(0, 2)).center()
    qtbot.mouseClick(window.events.viewport(), Qt.MouseButton.LeftButton, pos=cell)
    played.read()
    assert played.position.at_s == pytest.approx(row.start_s, abs=0.15)


def test_the_last_events_of_a_file_that_is_over_have_its_time_too(showing, engines):
    window, played = showing
    played.read()
    played.seek(5.0)
    seen = played.read()
    engines.last.state = EngineState.STOPPED
    window.live.events.emit((end("walk", seen.time_s, duration_s=0.0),))
    assert window.events.events.rows[0].start_s == pytest.approx(5.0, abs=0.15)
