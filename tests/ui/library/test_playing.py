"""A segment or recording in the player: what is read, played and cut."""

import threading

import numpy as np
import pytest
from library_window_fakes import on_recordings, opened, press, record
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.errors import RecordingError
from app.library.motion import motion_energy, propose
from app.library.rows import NewSegment
from app.ui.library import player_content
from app.ui.library.frames import read_stretch


def test_in_and_out_points_change_the_segment(window):
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    window.player.seek(4.0)
    QTest.keyClick(window, Qt.Key.Key_O)
    segment = window.library.segment(window.content.segment.id)
    assert (segment.start_s, segment.end_s) == pytest.approx((2.0, 4.0))


def test_what_other_windows_have_changed_meanwhile_stays(window):
    shown = window.content.segment
    window.library.rename("action", shown.action, "hello")
    window.library.mark_suspect([shown.id], True)
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    segment = window.library.segment(shown.id)
    assert (segment.start_s, segment.action, segment.suspect) == (pytest.approx(2.0), "hello", True)


def test_several_segments_of_one_recording(window):
    window.player.seek(3.0)
    QTest.keyClick(window, Qt.Key.Key_A)
    assert window.browser.segments.rowCount() == 3


def test_what_is_still_being_read_is_not_cut_by_what_was_shown_before(window, qtbot, monkeypatch):
    """The player shows the segment before until the next one is there: its times are not the new one's."""
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    window.player.seek(3.0)
    second = window.browser.segments.row(1)
    window.browser.segment_table.choose([1])
    for key in (Qt.Key.Key_I, Qt.Key.Key_O, Qt.Key.Key_A, Qt.Key.Key_P):
        QTest.keyClick(window, key)
    assert window.library.segment(second.id) == second
    assert window.browser.segments.rowCount() == 2
    assert "wait until it is shown" in window.state.text()
    go_on.set()
    qtbot.waitUntil(lambda: not window.player.loading, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_A)
    assert window.browser.segments.rowCount() == 3


def test_another_segment_of_the_same_recording_is_waited_for_too(window, qtbot, monkeypatch):
    """The time and the bounds of the segment before are not those of the one that is being read."""
    first = window.browser.segments.row(0)
    window.library.change_segment(first.id, NewSegment(0.0, 2.0, 0, first.action))
    (second,) = window.library.add_segments(first.recording, [NewSegment(4.0, 5.0, 0, first.action)])
    window.refresh()
    qtbot.waitUntil(lambda: window.player.bounds == (0.0, 2.0) and not window.player.loading)
    before = window.library.segments()
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    window.browser.choose_segment(second)
    assert window.player.status.text() == window.player.picture.placeholder == "Loading …"
    for key in (Qt.Key.Key_I, Qt.Key.Key_O, Qt.Key.Key_A, Qt.Key.Key_P, Qt.Key.Key_W, Qt.Key.Key_Right):
        window.show_status("")
        QTest.keyClick(window, key)
        assert "wait until it is shown" in window.state.text(), key
    QTest.mousePress(window.player.bar, Qt.MouseButton.LeftButton, pos=QPoint(0, 20))  # on the old beginning
    QTest.mouseMove(window.player.bar, QPoint(60, 20))
    QTest.mouseRelease(window.player.bar, Qt.MouseButton.LeftButton, pos=QPoint(60, 20))
    assert window.library.segments() == before
    go_on.set()
    qtbot.waitUntil(lambda: not window.player.loading)
    assert (window.player.time_s, window.player.bounds) == (4.0, (4.0, 5.0))
    assert "segment 4.00 to 5.00" in window.player.status.text()
    assert window.library.segments() == before


def test_a_failure_of_what_was_left_does_not_blank_what_is_shown(window, qtbot, monkeypatch):
    """Two are read at once: the one that was chosen last is shown, whatever becomes of the other."""
    first, second = window.browser.segments.rows
    read, go_on = player_content._read, threading.Event()

    def reading(library, recording, *bounds):
        if recording == second.recording:
            go_on.wait(60)
            raise RecordingError("it is damaged")
        return read(library, recording, *bounds)

    monkeypatch.setattr(player_content, "_read", reading)
    window.browser.segment_table.choose([1])
    window.browser.segment_table.choose([0])
    qtbot.waitUntil(lambda: not window.player.loading)
    go_on.set()
    qtbot.waitUntil(lambda: not window._jobs._jobs)
    assert window.player.stretch.recording.info.id == first.recording
    assert "damaged" not in window.state.text()


def test_while_the_first_one_is_read_the_player_says_so(root, theme, qtbot, monkeypatch):
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    made = opened(root, theme, qtbot)
    qtbot.waitUntil(lambda: made.content.segment is not None)
    assert made.player.picture.placeholder == "Loading …"
    go_on.set()
    qtbot.waitUntil(lambda: made.player.stretch is not None)
    made.close()


def test_a_segment_that_is_labelled_while_it_is_read_is_shown(window, qtbot, monkeypatch):
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    second = window.browser.segments.row(1)
    window.browser.segment_table.choose([1])
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.library.segment(second.id).action == "nothing"
    go_on.set()
    qtbot.waitUntil(lambda: not window.player.loading, timeout=60_000)
    assert window.player.stretch.recording.info.id == second.recording


def test_a_recording_that_cannot_be_read_is_not_mistaken_for_another(window, root, qtbot):
    second = window.browser.segments.row(1)
    (root / "recordings" / second.recording / "joints.npz").write_bytes(b"damaged")
    window.browser.segment_table.choose([1])
    qtbot.waitUntil(lambda: "is damaged" in window.state.text(), timeout=60_000)
    assert window.player.stretch is None
    QTest.keyClick(window, Qt.Key.Key_I)
    assert window.library.segment(second.id) == second


def test_playing_goes_round_within_the_segment(window):
    window.player.bounds = (1.0, 1.2)
    window.player.seek(1.19)
    window.player.step(0.05, loop=True)
    assert window.player.time_s == pytest.approx(1.0)
    window.player.toggle()
    window.player.pause()


def test_pictures_of_a_stretch_are_those_of_their_times(tmp_path):
    from app.recording.folder import read_recording

    recording = read_recording(record(tmp_path, pictures=True))
    stretch = read_stretch(recording, 2.0, 3.0)
    assert stretch.times_s[0] == pytest.approx(2.0, abs=0.1)
    assert stretch.times_s[-1] == pytest.approx(3.0, abs=0.15)
    assert float(stretch.picture_at(2.5).mean()) == pytest.approx(75, abs=6)


def test_energy_is_high_where_something_moves(tmp_path):
    from app.recording.folder import read_recording

    recording = read_recording(record(tmp_path))
    times_s, energy = motion_energy(recording, 0)
    assert energy[(times_s > 2.2) & (times_s < 3.8)].mean() > 5 * energy[times_s < 1.8].mean() + 0.1
    assert propose(times_s, np.zeros_like(energy)) == []


def test_the_end_of_a_segment_is_dragged_and_kept_when_it_is_let_go(window):
    bar, segment = window.player.bar, window.content.segment.id
    recording_s = window.library.recording(window.library.segment(segment).recording).duration_s
    end_s = window.library.segment(segment).end_s  # of the movement, before the recording's own end
    end, later = (QPoint(round(bar.width() * part), 20) for part in (end_s / recording_s, 0.75))
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    QTest.mouseMove(bar, later)
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, later)
    assert window.library.segment(segment).end_s == pytest.approx(0.75 * recording_s, abs=0.1)


def test_the_speed_has_keys_and_ends(window):
    for _ in range(5):
        QTest.keyClick(window, Qt.Key.Key_Minus)
    assert window.player.speed == 0.25
    window.player.change_speed(1)
    assert window.player.speed == 0.5


def test_bounds_without_a_segment_say_what_makes_one(window, qtbot):
    on_recordings(window)
    window.browser.recording_table.choose([0])
    qtbot.waitUntil(lambda: window.content.segment is None and window.content.shown is not None, timeout=60_000)
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    assert window.state.text() == "Only a segment has a start and an end: A makes one here, or select one (Alt+1)"


def test_of_several_people_the_player_counts_the_shown_one(window):
    recording = window.player.stretch.recording
    for number, identity in enumerate((2, 5, 9)):  # identities as a tracker gives them
        recording.person[number::3] = identity
    window.player.choose_person(5)
    assert "person 2 of 3" in window.player.status.text()


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_click_near_the_end_of_a_segment_does_not_move_it(window, button):
    bar, before = window.player.bar, window.content.segment
    QTest.mouseClick(bar, button, pos=QPoint(round(bar._x(window.player.bounds[1])) - 4, 30))
    after = window.library.segment(before.id)
    assert (after.start_s, after.end_s) == (before.start_s, before.end_s)
    assert window.player.bounds == (before.start_s, before.end_s)


def test_a_whole_recording_keeps_its_bounds(window, qtbot):
    on_recordings(window)
    window.browser.recording_table.choose([0])
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    assert "Only a segment has a start and an end" in window.state.text()
    assert window.player.bounds == (0.0, window.player.duration_s)


def test_in_at_the_very_end_and_out_at_the_beginning_leave_a_tenth_of_a_second(window):
    window.player.seek(window.player.duration_s)
    QTest.keyClick(window, Qt.Key.Key_I)
    segment = window.library.segment(window.content.segment.id)
    assert segment.end_s - segment.start_s == pytest.approx(0.1)
    window.player.seek(0.0)
    QTest.keyClick(window, Qt.Key.Key_O)
    segment = window.library.segment(window.content.segment.id)
    assert (segment.start_s, segment.end_s) == pytest.approx((0.0, 0.1))


def test_advice_about_a_recording_goes_with_it(window):
    on_recordings(window)
    window.browser.recording_table.choose([0])
    assert "A makes one here" in window.state.text()
    press(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert window.state.text() == ""


def test_keys_on_a_damaged_recording_say_what_is_wrong_with_it(root, theme, qtbot):
    folder = record(root)
    made = opened(root, theme, qtbot)
    made.library.refresh()
    for file in folder.iterdir():
        if file.suffix == ".npz":
            file.write_bytes(b"broken")
    made.show_recording(folder.name)
    qtbot.waitUntil(lambda: bool(made.content.problem), timeout=60_000)
    for key in (Qt.Key.Key_P, Qt.Key.Key_A, Qt.Key.Key_W, Qt.Key.Key_I):
        made.show_status("")
        press(made, key)
        assert made.state.text() == made.content.problem
    assert made.player.picture.placeholder == made.content.problem
    made.show_status("")
    press(made, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: folder.name in made.state.text(), timeout=60_000)
    made.close()
