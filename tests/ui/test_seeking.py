"""The bar under the picture of a file."""

from PySide6.QtCore import QPoint, Qt
from window_fakes import end, start

from app.playback import Position
from app.ui.seek_bar import Found, SeekTrack


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
    window.seeking.look()
    return engines.last.playback


def test_the_bar_is_there_for_files_alone(running, engines):
    running.seeking.look()
    assert not running.seeking.bar.isVisible()
    played = playing(running, engines)
    assert running.seeking.bar.isVisible()
    played.position = Position(61.25, 100.0)
    running.seeking.look()
    assert running.seeking.bar.time.text() == "1:01.2 / 1:40.0"
    running.run_choices.choose_source("demo")
    running.seeking.look()
    assert not running.seeking.bar.isVisible()


def test_a_click_and_keys_go_there(running, engines, qtbot):
    played = playing(running, engines)
    running.seeking.look()
    track = running.seeking.bar.track
    qtbot.mouseClick(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, track.height() // 2))
    name, place = played.asked[-1]
    assert name == "seek"
    assert abs(place - 50.0) < 2.0
    played.position = Position(50.0, 100.0)
    running.seeking.look()
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
    bar.back.click()
    bar.on.click()
    bar.loop.click()
    bar.speed.setCurrentIndex(0)
    bar.speed.activated.emit(0)
    assert played.asked[-4:] == [("step", -1), ("step", 1), ("set_loop", True), ("set_speed", 0.25)]
    again = playing(running, engines)  # the same file opened anew plays as it was asked to
    assert again.asked == [("set_loop", True), ("set_speed", 0.25)]


def test_events_are_shown_over_the_whole_file_and_lead_there(running, engines, qtbot):
    played = playing(running, engines)
    running.live.events.tell((start("walk", 12.0), end("walk", 17.0, duration_s=5.0)))
    assert running.seeking.bar.track.found == [Found(0, "walk", 10.0, 15.0)]
    running.events.clicked.emit(running.events.events.index(0, 0))
    assert played.asked[-1] == ("seek", 10.0)


def test_what_is_recognised_again_takes_the_place_of_what_was(qtbot, theme):
    track = SeekTrack(theme.colours)
    qtbot.addWidget(track)
    for found in (
        Found(0, "walk", 10, 15),
        Found(1, "walk", 10, 15),
        Found(0, "run", 11, 15),
        Found(0, "wave", 15, 18),
    ):
        track.add(found)
    assert track.found == [Found(1, "walk", 10, 15), Found(0, "run", 11, 15), Found(0, "wave", 15, 18)]


def test_a_file_that_has_ended_is_opened_again_there(running, engines):
    playing(running, engines)
    before = engines.last
    before.state = type(before.state).STOPPED
    running.seeking.go_to(30.0)
    running.live.pull()
    assert running.seeking._wanted_s == 30.0
