"""Recording from the window: the bar, the keys, what reaches the disk and what is remembered."""

import sqlite3
import threading
from dataclasses import replace

import numpy as np
import pytest
import window_fakes as fakes
from geometry import faults
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QSpinBox, QWidget

from app.library.catalogue import Library
from app.library.database import FILE
from app.library.rows import Filter, Named
from app.recording.folder import read_recording, recording_folders
from app.recording.recorder import RecorderState
from app.recording.writer import RecordingWriter, recover
from app.results import EngineState
from app.ui.library.library_window import LibraryWindow
from app.ui.recording.record_bar import RecordBar, RecordChoices
from app.ui.recording.wrong import RightActionDialog
from pose.skeleton import MEDIAPIPE_33


@pytest.fixture
def library(monkeypatch, tmp_path):
    monkeypatch.setattr("app.ui.recording.control.library_root", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def recording(library, running):
    """A window with the record bar open."""
    running.actions_by_name["record"].trigger()
    bar = running.recording.bar
    bar.countdown.setValue(0)
    bar.takes.setValue(1)
    bar.longest.setValue(1)
    bar.when_still.setChecked(False)
    bar.action.setText("wave")
    settle(running)
    return running


def settle(window):
    done = threading.Event()
    recorder = window.recording._recorder
    if recorder is not None:
        recorder._post(done.set)
        assert done.wait(60)
    window.recording.poll()


def play(window, engine, start_s, seconds, persons=((0, "walk"),)):
    bgr = np.full((48, 64, 3), 90, np.uint8)
    for number in range(round(seconds * 30)):
        engine.give(fakes.result(start_s + number / 30, persons=persons, bgr=bgr, size=(64, 48)))
    window.live.pull()
    settle(window)


def test_a_take_is_recorded_with_its_label_and_told(recording, engines, library, qtbot):
    recording.recording.bar.action.setText("  juggle  balls ")
    recording.recording.bar.person.setText("Ada")
    play(recording, engines.last, 0.0, 4.0)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    play(recording, engines.last, 4.0, 1.5)
    (folder,) = recording_folders(library)
    found = read_recording(folder)
    assert (found.info.action, found.info.person) == ("juggle balls", "Ada")
    assert found.info.begins_s == pytest.approx(3.0, abs=0.1)
    assert recording.toast.text() == "juggle balls: take saved (1.0 s)", "the take, without the seconds before it"
    assert [button.text() for button in recording.toast.buttons] == ["Undo", "Open"]


def test_a_take_is_of_the_person_who_was_chosen(recording, engines, library):
    two = ((0, "walk"), (1, "wave"))
    recording.live.options = replace(recording.live.options, people=2)
    play(recording, engines.last, 0.0, 1.0, two)
    recording._refresh()
    recording.actions_by_name["next_person"].trigger()
    play(recording, engines.last, 1.0, 0.2, two)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    play(recording, engines.last, 1.2, 1.5, two)
    (folder,) = recording_folders(library)
    found = read_recording(folder)
    assert found.persons() == (0, 1)
    assert found.subject() == 1
    with Library(library) as opened:
        assert [segment.person for segment in opened.segments(Filter(recording=folder.name))] == [1]


def test_who_was_chosen_in_one_run_is_not_followed_in_the_next(recording, engines, library, qtbot):
    two = ((0, "walk"), (1, "wave"))
    recording.live.options = replace(recording.live.options, people=2)
    play(recording, engines.last, 0.0, 1.0, two)
    recording._refresh()
    recording.actions_by_name["next_person"].trigger()
    assert recording.live.followed == 1
    first = engines.last
    recording.run_choices.restart()
    qtbot.waitUntil(lambda: engines.last is not first)
    engines.last.run()
    assert recording.live.followed is None
    play(recording, engines.last, 0.0, 0.2, two)
    assert (recording.panel.chosen, recording.live.followed) == (None, 0)


def test_a_take_is_of_nobody_in_particular_where_one_is_looked_for(recording, engines, library):
    play(recording, engines.last, 0.0, 1.0)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    play(recording, engines.last, 1.0, 0.3)
    play(recording, engines.last, 1.3, 1.2, ((1, "walk"),))  # lost and found again
    (folder,) = recording_folders(library)
    found = read_recording(folder)
    assert found.info.track_id is None
    assert found.persons()[0] == found.subject()


def test_the_bar_says_what_happens_and_the_button_ends_it(recording, engines):
    bar = recording.recording.bar
    bar.countdown.setValue(3)
    bar.takes.setValue(2)
    play(recording, engines.last, 0.0, 0.5)
    QTest.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    settle(recording)
    assert recording.video._countdown == "3"
    assert bar.state.text() == "take 1 of 2 in 3 s"
    play(recording, engines.last, 0.5, 1.5)
    assert recording.video._countdown == "2"
    assert bar.state.text() == "take 1 of 2 in 2 s"
    assert bar.button.text() == "Stop"
    assert not bar.action.isEnabled()
    QTest.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    settle(recording)
    assert recording.recording.view.state is RecorderState.READY
    assert recording.video._countdown == ""


def test_hiding_the_bar_ends_recording_and_keeps_nothing(recording, engines, qtbot, ui_threads):
    play(recording, engines.last, 0.0, 1.0)
    recording.actions_by_name["record"].trigger()
    qtbot.waitUntil(lambda: "recorder" not in ui_threads())
    assert not recording.recording.bar.isVisible()
    assert engines.last._taps == [recording.live._tap]


def test_the_first_press_of_the_key_shows_the_bar(library, running):
    running.actions_by_name["take"].trigger()
    assert running.recording.bar.isVisible()
    assert running.recording.view.state is not RecorderState.RECORDING


def test_that_was_wrong_keeps_the_last_seconds_under_another_name(recording, engines, library):
    play(recording, engines.last, 0.0, 5.0)
    recording.actions_by_name["wrong"].trigger()
    (dialog,) = recording.video.findChildren(RightActionDialog)
    dialog.name.setText("juggle")
    dialog.accept()
    settle(recording)
    (folder,) = recording_folders(library)
    found = read_recording(folder)
    assert found.info.action == "juggle"
    assert found.info.duration_s == pytest.approx(3.0, abs=0.1)


def test_no_action_but_nothing_is_offered_that_is_none(recording, qtbot):
    dialog = RightActionDialog(recording, ["wave", "other", "unknown", "nothing", "clap"], lambda name: None)
    assert [dialog.list.item(row).text() for row in range(dialog.list.count())] == ["nothing", "clap", "wave"]
    dialog.close()


@pytest.mark.parametrize("width", [374, 494, 760, 1100])
def test_nothing_in_the_bar_is_cut_off(recording, width, qtbot):
    """374 pixels are what the narrowest window leaves."""
    bar = RecordBar(RecordChoices(), recording)
    bar.resize(width, 130)
    bar.show()
    qtbot.wait(20)  # the rows are laid out
    for part in bar.findChildren(QWidget):
        if isinstance(part, QCheckBox | QSpinBox | QDoubleSpinBox) or (type(part) is QLabel and part.text()):
            assert part.width() >= part.minimumSizeHint().width(), part
            assert part.mapTo(bar, part.rect().bottomRight()).x() < width
    assert bar.state.width() > 100
    bar.close()


def test_in_the_smallest_window_all_of_the_bar_is_reached(recording, qtbot):
    recording.resize(recording.minimumSize())
    qtbot.waitUntil(lambda: faults(recording) == "")
    assert (recording.width(), recording.height()) == (720, 400)


def test_a_person_whose_name_is_too_long_is_refused_with_its_length(recording, engines, library, settings):
    bar = recording.recording.bar
    bar.person.setText("y" * 95)
    play(recording, engines.last, 0.0, 0.5)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    assert "person's name has 95 characters; at most 80" in bar.state.text()
    assert recording.focusWidget() is bar.person
    assert recording.recording.view.state is RecorderState.READY
    recording.actions_by_name["wrong"].trigger()
    assert "95 characters" in recording.toast.text()
    assert recording_folders(library) == []
    recording.close()
    assert settings.record_person == ""


def test_a_message_stands_below_the_sign_of_the_countdown(recording, engines, qtbot):
    bar = recording.recording.bar
    bar.countdown.setValue(9)
    play(recording, engines.last, 0.0, 0.5)
    recording.toast.show_message("a long message " * 20)
    top = recording.toast.y()
    QTest.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    settle(recording)
    sign = recording.video.countdown_rect()
    assert not sign.isEmpty()
    assert not recording.toast.geometry().intersects(sign)
    recording.toast.show_message("another long message " * 20)
    assert not recording.toast.geometry().intersects(sign)
    QTest.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    settle(recording)
    assert recording.toast.y() == top


def test_that_was_wrong_needs_a_name(recording, engines, library):
    play(recording, engines.last, 0.0, 2.0)
    recording.actions_by_name["wrong"].trigger()
    (dialog,) = recording.video.findChildren(RightActionDialog)
    dialog.name.setText("   ")
    dialog.accept()
    assert dialog.isVisible()
    dialog.reject()
    settle(recording)
    assert recording_folders(library) == []


def test_another_run_ends_a_take_and_is_recorded_from_then_on(recording, engines, library):
    bar = recording.recording.bar
    bar.longest.setValue(60)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    play(recording, engines.last, 0.0, 1.0)
    first = engines.last
    recording.run_choices.restart()
    while engines.last is first:
        recording.jobs._deliver()
    engines.last.run()
    settle(recording)
    assert len(recording_folders(library)) == 1
    recording.actions_by_name["take"].trigger()
    settle(recording)
    play(recording, engines.last, 0.0, 1.0)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    assert len(recording_folders(library)) == 2


def test_closing_the_window_keeps_the_take(recording, engines, library):
    recording.recording.bar.longest.setValue(60)
    recording.actions_by_name["take"].trigger()
    settle(recording)
    play(recording, engines.last, 0.0, 1.0)
    recording.close()
    assert len(recording_folders(library)) == 1


def test_choices_are_remembered(recording, settings):
    recording.recording.bar.skeleton_only.setChecked(True)
    recording.recording.bar.takes.setValue(7)
    recording.close()
    assert settings.record_skeleton_only
    assert settings.record_takes == 7


def test_a_library_of_a_newer_version_is_not_recorded_into(library, running):
    with Library(library):
        pass
    connection = sqlite3.connect(library / FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    running.actions_by_name["record"].trigger()
    running.record_places.toggle_take()
    bar = running.recording.bar
    assert not bar.button.isEnabled()
    assert "newer version" in bar.state.text()
    assert running.recording.view.state is RecorderState.OFF
    assert not (library / "recordings").exists()


def test_what_refuses_recording_is_told_to_the_keys_and_looked_at_again(library, running, monkeypatch):
    reasons = ["the library cannot be written", "the library cannot be written", ""]
    monkeypatch.setattr("app.library.catalogue_file.refusal", lambda root: reasons.pop(0))
    running.actions_by_name["record"].trigger()
    assert running.recording.bar.state.text() == "The library cannot be written"
    said = []
    monkeypatch.setattr(running.toast, "show_message", said.append)
    running.actions_by_name["wrong"].trigger()
    assert said == ["The library cannot be written"]
    assert not running.video.findChildren(RightActionDialog)
    running.record_places.toggle_take()
    assert not running.recording.bar.button.isEnabled()
    running.record_places.toggle_take()
    assert running.recording.bar.button.isEnabled()
    settle(running)
    assert running.recording.view.state is RecorderState.READY


def test_a_disk_that_fills_up_is_told_where_it_is_seen_and_what_was_recorded_stays(
    recording, engines, library, monkeypatch
):
    recording.recording.bar.skeleton_only.setChecked(True)
    recording.record_places.toggle_take()
    settle(recording)
    play(recording, engines.last, 0.0, 0.5)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("app.recording.writer._write_all", full)
        play(recording, engines.last, 0.5, 0.1)
    said = "cannot continue recording: No space left on device; make room; it is completed at the next start"
    assert recording.toast.text() == said
    assert recording.recording.view.state is RecorderState.READY
    assert recording.live.active
    (found,) = recover(library)
    assert read_recording(found.folder).info.frames == 15


def test_the_next_start_completes_what_a_killed_run_was_recording_and_says_so(library, open_window, engines, qtbot):
    writer = RecordingWriter(library, source="cam", session="s", layout=MEDIAPIPE_33, size=(64, 48), skeleton_only=True)
    for number in range(60):
        writer.add(number / 30, None, [])
    writer.keep_for_recovery()
    assert recording_folders(library) == []
    window = open_window()
    qtbot.waitUntil(lambda: "was completed" in window.toast.text(), timeout=60_000)
    assert "an unfinished recording of 2.0 s was completed" in window.toast.text()
    assert len(recording_folders(library)) == 1
    window.toast.hide()
    for expected in (True, False):  # once more when the first picture is there, and then no more
        engines.last.give(fakes.result(1.0 + expected))
        window.live.pull()
        assert window.toast.isVisible() == expected
        window.toast.hide()


def test_a_library_that_is_open_elsewhere_takes_recordings(library, recording, engines):
    with Library(library) as owner:
        recording.recording.bar.action.setText("wave")
        recording.record_places.toggle_take()
        settle(recording)
        play(recording, engines.last, 1.0, 2.0)
        assert owner.refresh() == 1
        assert [segment.action for segment in owner.segments()] == ["wave"]


def take(window):
    window.actions_by_name["take"].trigger()
    settle(window)


def test_at_the_end_of_a_file_f8_says_what_plays_it_again_and_starts_nothing(recording, engines, library):
    recording.recording.bar.action.setText("wave")
    recording.recording.bar.countdown.setValue(3)
    play(recording, engines.last, 0.0, 1.0)
    engines.last.state = EngineState.STOPPED
    recording.live.update_state()
    take(recording)
    assert recording.recording.view.state is RecorderState.READY
    assert recording.video._countdown == ""
    assert recording.toast.text() == "It has stopped: F5 starts"  # a camera
    recording.live.options = replace(recording.live.options, source="/videos/a.mp4")
    recording.live.update_state()
    take(recording)
    assert recording.toast.text() == "The end: F5 plays it again, then F8 records"
    assert recording_folders(library) == []


def test_a_countdown_that_the_end_of_the_file_overtakes_is_called_off(recording, engines, library):
    recording.recording.bar.action.setText("wave")
    recording.recording.bar.countdown.setValue(3)
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    play(recording, engines.last, 1.0, 1.0)
    assert recording.recording.view.state is RecorderState.COUNTDOWN
    recording.live.options = replace(recording.live.options, source="/videos/a.mp4")
    engines.last.state = EngineState.STOPPED
    recording.live.update_state()
    settle(recording)
    settle(recording)
    assert recording.recording.view.state is RecorderState.READY
    assert recording.video._countdown == ""
    assert recording.toast.text() == "No take was made. The end: F5 plays it again, then F8 records"
    assert recording_folders(library) == []


def test_a_take_that_the_end_of_the_file_overtakes_is_kept_at_once(recording, engines, library):
    bar = recording.recording.bar
    bar.action.setText("wave")
    bar.longest.setValue(60)
    bar.takes.setValue(3)
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    play(recording, engines.last, 1.0, 2.0)
    assert recording.recording.view.state is RecorderState.RECORDING
    engines.last.state = EngineState.STOPPED
    recording.live.update_state()
    settle(recording)
    settle(recording)
    assert recording.recording.view.state is RecorderState.READY
    (folder,) = recording_folders(library)
    assert read_recording(folder).info.duration_s == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (EngineState.PAUSED, "It is paused: Ctrl+P resumes, then F8 records"),
        (EngineState.STARTING, "The camera is still being opened: wait for the picture"),
        (EngineState.RETRYING, "There is no picture: waiting for the camera"),
        (EngineState.FAILED, "There is no picture: see the message above, or F5 starts again"),
    ],
)
def test_without_a_picture_f8_says_why_it_records_nothing(recording, engines, state, says):
    recording.recording.bar.action.setText("wave")
    engines.last.state = state
    recording.live.update_state()
    take(recording)
    assert recording.toast.text() == says
    assert recording.recording.view.state is RecorderState.READY


def test_f8_without_a_name_asks_for_it_and_offers_the_last_one(recording, engines, library):
    bar = recording.recording.bar
    bar.action.clear()
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    assert recording.recording.view.state is RecorderState.READY
    assert bar.state.text() == "Type the action's name, for example wave; F8 again records without one"
    assert recording.toast.text() == bar.state.text()
    assert bar.action.hasFocus()
    QTest.keyClicks(bar.action, "greet")
    settle(recording)
    assert bar.state.text() == "Ready; the last 3 s before the key press are kept"
    take(recording)
    play(recording, engines.last, 1.0, 2.0)
    (folder,) = recording_folders(library)
    assert read_recording(folder).info.action == "greet"
    bar.action.clear()
    take(recording)
    assert recording.recording.view.state is RecorderState.READY
    assert (bar.action.text(), bar.action.selectedText()) == ("greet", "greet")
    assert bar.state.text() == "F8 records “greet”; type another name for another action"
    take(recording)
    play(recording, engines.last, 3.0, 0.5)
    assert recording.recording.view.state is RecorderState.RECORDING
    recording.recording.cancel()
    settle(recording)


def test_a_take_without_a_name_is_recorded_by_those_who_insist(recording, engines, library):
    recording.recording.bar.action.clear()
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    take(recording)
    play(recording, engines.last, 1.0, 2.0)
    (folder,) = recording_folders(library)
    assert read_recording(folder).info.action == ""


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("https://example.org/v.mp4", "That is an address"),
        ("rtsp://cam/1", "That is an address"),
        ("w" * 200, "The action has 200 characters; at most 80 are allowed, so shorten it"),
        ("\u200b", "The action is empty; type at least one letter"),
    ],
)
def test_what_is_no_name_is_refused_in_one_line(recording, engines, typed, says):
    bar = recording.recording.bar
    bar.action.setText(typed)
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    assert recording.recording.view.state is RecorderState.READY
    assert bar.state.text().startswith(says)
    assert bar.action.text() == typed
    bar.action.clear()
    take(recording)
    assert bar.action.text() == "", "what was refused is not offered again"


@pytest.mark.parametrize("name", ["走る", "махать рукой", "يلوّح", "clap / wave", "a/b", "..", "CON", "w" * 80, "👋🏽"])
def test_names_in_any_script_and_with_slashes_are_recorded(recording, engines, library, name):
    recording.recording.bar.action.setText(name)
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    play(recording, engines.last, 1.0, 2.0)
    with Library(library) as opened:
        assert [row.action for row in opened.segments()] == [name]


def test_names_of_the_library_are_completed_with_the_count_of_their_takes(recording, engines, library, qtbot):
    bar = recording.recording.bar
    bar.takes.setValue(3)
    bar.action.setText("greet")
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    play(recording, engines.last, 1.0, 5.0)
    assert len(recording_folders(library)) == 3

    def offered():
        completer = bar.action.completer()
        completer.setCompletionPrefix("GR")
        model = completer.completionModel()
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    qtbot.waitUntil(lambda: bar.action.completer() is not None and offered() == ["greet, 3 takes"], timeout=60_000)
    assert bar.action.completer().currentCompletion() == "greet"
    bar.offer([Named("greet", 4)], [])
    assert len(bar.action.findChildren(QStandardItemModel)) == 1, "the names before are gone"


@pytest.mark.parametrize(
    ("typed", "kept"), [("sit down", "sit_down"), ("Sit  Down", "sit_down"), ("get_up", "get_up"), ("get up", "get up")]
)
def test_a_name_that_is_shown_as_that_of_a_known_action_means_it(recording, engines, library, qtbot, typed, kept):
    bar = recording.recording.bar
    qtbot.waitUntil(lambda: bar.action.completer() is not None)  # with the names of the library, which has none
    bar.offer([Named(name, 1) for name in ("sit_down", "get up", "get_up")], [])
    bar.action.setText(typed)
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    play(recording, engines.last, 1.0, 2.0)
    (folder,) = recording_folders(library)
    assert read_recording(folder).info.action == kept


@pytest.mark.parametrize(("typed", "kept"), [("pick up", "pick_up"), ("Sit Down", "sit_down"), ("Nothing", "nothing")])
def test_what_the_last_seconds_were_can_be_typed_as_it_is_shown(recording, engines, library, qtbot, typed, kept):
    bar = recording.recording.bar
    qtbot.waitUntil(lambda: bar.action.completer() is not None)
    bar.offer([Named("pick_up", 1)], [])
    play(recording, engines.last, 0.0, 4.0)
    recording.actions_by_name["wrong"].trigger()
    (dialog,) = recording.video.findChildren(RightActionDialog)
    assert "sit_down" in dialog._names, "of the recognizer"
    dialog.name.setText(typed)
    dialog.accept()
    settle(recording)
    (folder,) = recording_folders(library)
    assert read_recording(folder).info.action == kept


def test_the_last_action_is_remembered(recording, engines, settings):
    recording.recording.bar.action.setText("greet")
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    recording.close()
    assert settings.record_action == "greet"
    assert RecordBar(RecordChoices(action="greet")).choices().action == "greet"


def test_what_the_last_seconds_were_needs_a_name_that_can_be_one(recording, engines):
    play(recording, engines.last, 0.0, 4.0)
    recording.actions_by_name["wrong"].trigger()
    (dialog,) = recording.video.findChildren(RightActionDialog)
    dialog.accept()
    assert dialog.message.text() == "Type a name, or choose one from the list"
    dialog.name.setText("http://a.b/c")
    dialog.accept()
    assert dialog.message.text().startswith("That is an address")
    assert dialog.isVisible()
    dialog.close()


def two_of_three(recording, engines):
    """Two of three takes of boot; the id of the second."""
    bar = recording.recording.bar
    bar.action.setText("boot")
    bar.takes.setValue(3)
    play(recording, engines.last, 0.0, 1.0)
    take(recording)
    play(recording, engines.last, 1.0, 1.5)
    assert recording.toast.text().startswith("boot: take 1 of 3 (")
    first = {folder.name for folder in recording_folders(recording.recording.root)}
    play(recording, engines.last, 2.5, 1.0)
    assert recording.toast.text().startswith("boot: take 2 of 3 (")
    recording.recording.cancel()
    settle(recording)
    (second,) = {folder.name for folder in recording_folders(recording.recording.root)} - first
    return second


def test_a_take_is_told_by_name_and_number_and_undo_puts_it_into_the_bin(recording, engines, library, qtbot):
    second = two_of_three(recording, engines)
    said = recording.toast.text()
    assert str(library) not in said
    count = len(recording_folders(library))
    QTest.mouseClick(recording.toast.buttons[0], Qt.MouseButton.LeftButton)
    assert not recording.toast.isVisible()
    qtbot.waitUntil(lambda: "is in the library's bin" in recording.toast.text(), timeout=60_000)
    with Library(library) as opened:
        assert opened.count_recordings() == count - 1
        (row,) = opened.recordings(Filter(deleted=True))
    assert row.id == second


def test_open_shows_the_take_in_the_library(recording, engines, library, qtbot):
    second = two_of_three(recording, engines)
    QTest.mouseClick(recording.toast.buttons[1], Qt.MouseButton.LeftButton)
    (window,) = recording.findChildren(LibraryWindow)
    qtbot.waitUntil(lambda: window.library is not None and window.browser.chosen_recordings() != [], timeout=60_000)
    assert [row.id for row in window.browser.chosen_recordings()] == [second]
    window.close()


def test_a_message_without_buttons_lets_clicks_through(recording):
    recording.toast.show_message("Theme: dark")
    assert recording.toast.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    assert recording.toast.buttons == []
    recording.toast.show_message("x", Undo=lambda: None)
    assert not recording.toast.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
