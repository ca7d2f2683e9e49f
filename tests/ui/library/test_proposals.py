"""Segments that are proposed by motion, and labels that a recognizer proposes for them."""

import threading

import pytest
from library_window_fakes import on_recordings, opened, press, record
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.library.catalogue import Library
from app.library.rows import NewSegment
from app.recording.folder import recordings_folder
from app.ui.library.segment_model import ACTION


def test_motion_proposes_segments(window, waver, qtbot):
    for segment in window.browser.segments.rows:
        window.library.change_segment(segment.id, NewSegment(0.0, 0.5, 0, segment.action))
    window.refresh()
    qtbot.waitUntil(lambda: not window.player.loading)
    QTest.keyClick(window, Qt.Key.Key_P)
    proposed = [row for row in window.browser.segments.rows if row.action is None]
    assert len(proposed) == 1
    assert (proposed[0].start_s, proposed[0].end_s) == pytest.approx((1.8, 4.2), abs=0.3)


def test_a_recording_without_segments_gets_them_with_labels_by_keys_alone(tmp_path, theme, qtbot, waver):
    record(tmp_path)
    made = opened(tmp_path, theme, qtbot, model=lambda: "mine")
    assert made.browser.segments.rowCount() == 0
    assert "Alt+2" in made.browser.segment_table.hint
    QTest.keyClick(made, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=60_000)
    assert "no segments yet" in made.state.text()
    QTest.keyClick(made, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: bool(made.labeller.proposals), timeout=60_000)
    assert waver == [("mine", "cpu")]
    (row,) = made.browser.segments.rows
    assert row.action is None
    shown = made.browser.segments.index(0, ACTION).data()
    assert shown == "wave? 80%"
    QTest.keyClick(made, Qt.Key.Key_Y)
    assert [segment.action for segment in made.browser.segments.rows] == ["wave"]
    QTest.keyClick(made, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [segment.action for segment in made.browser.segments.rows] == [None]
    made.close()


def test_proposals_are_accepted_for_the_chosen_recordings_too(window, waver, qtbot):
    window.library.label([segment.id for segment in window.library.segments()], None)
    on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_R)
    told = "2 labels are proposed, 2 with 50% or more: Y accepts"
    qtbot.waitUntil(lambda: window.state.text() == told, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert [segment.action for segment in window.library.segments()] == ["wave"] * 2


def test_a_label_that_was_given_elsewhere_is_not_replaced_by_a_proposal(window, waver, qtbot):
    first, second = (segment.id for segment in window.library.segments())
    window.library.label([first, second], None)
    window.refresh()
    window.browser.segment_table.selectAll()
    QTest.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: len(window.labeller.proposals) == 2, timeout=60_000)
    window.library.label([first], "clap")
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert [window.library.segment(segment).action for segment in (first, second)] == ["clap", "wave"]


def test_where_proposals_are_for_other_segments_than_the_selected_the_way_to_them_is_told(window, waver, qtbot):
    """A recording that was imported is one segment without a label, which stays selected while P divides it."""
    window.browser.segment_table.choose([0])
    (chosen,) = window.browser.chosen_segments()
    whole_s = window.library.recording(chosen.recording).duration_s
    window.library.change_segment(chosen.id, NewSegment(0.0, whole_s, chosen.person, None))
    window.refresh()
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_P)
    told = "1 label is proposed, 1 with 50% or more: Ctrl+A, then Y accepts"
    qtbot.waitUntil(lambda: window.state.text() == told, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert window.state.text().endswith("R asks the recognizer, Ctrl+A selects all")
    QTest.keyClick(window.browser.segment_table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_Y)
    labels = {segment.action for segment in window.library.segments() if segment.recording == chosen.recording}
    assert labels == {None, "wave"}


def test_motion_that_has_a_segment_is_not_proposed_again(window, qtbot, waver):
    for row in list(window.browser.segments.rows):
        whole_s = window.library.recording(row.recording).duration_s
        window.library.change_segment(row.id, NewSegment(0.0, whole_s, row.person, row.action))
    QTest.keyClick(window, Qt.Key.Key_P)
    assert window.browser.segments.rowCount() == 2
    assert "outside the segments" in window.state.text()


def test_labels_that_there_are_are_not_asked_for(window, waver):
    QTest.keyClick(window, Qt.Key.Key_R)
    assert "labelled" in window.state.text()
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert waver == []


def test_p_works_on_all_the_chosen_recordings_in_one_step(window, root, waver, qtbot):
    record(root)
    record(root, moving=(9.0, 9.0))  # where nothing moves
    window.recordings_changed()
    qtbot.waitUntil(lambda: window.browser.recordings.rowCount() == 4, timeout=60_000)
    for segment in window.library.segments():
        window.library.remove_segments([segment.id])
    window.refresh()
    assert len(on_recordings(window)) == 4
    QTest.keyClick(window, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: window.library.count_segments() == 3, timeout=60_000)
    found = window.library.segments()
    assert len({segment.recording for segment in found}) == 3
    for segment in found:
        assert (segment.start_s, segment.end_s) == pytest.approx((1.8, 4.2), abs=0.3)
    qtbot.waitUntil(lambda: "3 labels are proposed" in window.state.text(), timeout=60_000)
    window.fields.undo.click()
    assert window.library.count_segments() == 0


@pytest.mark.parametrize("keys", [(Qt.Key.Key_P, Qt.Key.Key_P), (Qt.Key.Key_1, Qt.Key.Key_2)])
def test_what_a_key_did_meanwhile_is_not_done_again_by_the_next(window, waver, qtbot, monkeypatch, keys):
    read, go_on = Library.open_recording, threading.Event()
    monkeypatch.setattr(Library, "open_recording", lambda *asked: go_on.wait(60) and read(*asked))
    window.library.set_key("wave", "1")
    window.library.set_key("clap", "2")
    window.library.remove_segments([segment.id for segment in window.library.segments()])
    window.refresh()
    assert len(on_recordings(window)) == 2
    for key in keys:
        QTest.keyClick(window, key)
    assert window.library.count_segments() == 0
    go_on.set()
    qtbot.waitUntil(lambda: not window._jobs._jobs, timeout=60_000)
    assert len({segment.recording for segment in window.library.segments()}) == 2
    assert window.library.count_segments() == 2


def test_new_segments_have_the_name_that_the_person_has_in_the_recording(window, waver, qtbot):
    for segment in window.library.segments():
        window.library.change_segment(segment.id, NewSegment(0.0, 0.5, 0, segment.action, "Anna"))
    window.refresh()
    on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: window.library.count_segments() == 4, timeout=60_000)
    assert {segment.who for segment in window.library.segments()} == {"Anna"}
    window.fields.undo.click()
    window.browser.recording_table.choose([0])
    for key, count in ((Qt.Key.Key_P, 3), (Qt.Key.Key_A, 4)):
        qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
        QTest.keyClick(window, key)
        assert window.library.count_segments() == count
    assert {segment.who for segment in window.library.segments()} == {"Anna"}


def test_p_on_segments_of_several_recordings_where_nothing_moves_besides(window, waver, qtbot):
    for segment in window.library.segments():
        window.library.change_segment(segment.id, NewSegment(1.5, 4.5, 0, segment.action))
    window.refresh()
    window.browser.segment_table.selectAll()
    QTest.keyClick(window, Qt.Key.Key_P)
    said = "Nothing moves in these 2 recordings where no segment is yet"
    qtbot.waitUntil(lambda: window.state.text() == said, timeout=60_000)


def test_one_of_anything_is_told_as_one(window, waver, qtbot):
    segment = window.library.segments()[0]
    window.library.label([segment.id], None)
    window.refresh()
    window.browser.choose_segment(segment.id)
    QTest.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "proposed" in window.state.text(), timeout=60_000)
    assert window.state.text() == "1 label is proposed, 1 with 50% or more: Y accepts"


def test_a_proposal_for_other_bounds_is_not_accepted(window, waver, qtbot):
    window.edits.label("")
    press(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "proposed" in window.state.text(), timeout=60_000)
    row = window.browser.segment_table.chosen_rows()[0]
    assert window.browser.segments.index(row, ACTION).data() == "wave? 80%"
    window.player.seek(1.0)
    press(window, Qt.Key.Key_I)
    assert window.browser.segments.index(row, ACTION).data() == "unlabelled"
    press(window, Qt.Key.Key_Y)
    assert window.content.segment.action is None


def test_r_on_recordings_without_segments_names_the_key_that_makes_some(root, theme, qtbot, waver):
    record(root)
    made = opened(root, theme, qtbot)
    on_recordings(made)
    for row, told in ((0, "There are no segments yet: P proposes them"), (1, "All segments are labelled")):
        names = sorted(made.browser.recordings.rows, key=lambda one: one.segments)
        made.browser.recording_table.choose([made.browser.recordings.position_of(names[row].id)])
        press(made, Qt.Key.Key_R)
        assert made.state.text().startswith(told)
    made.close()


def test_a_recording_that_cannot_be_read_costs_the_others_no_proposal(window, waver, qtbot):
    window.library.label([segment.id for segment in window.library.segments()], None)
    damaged, whole = window.library.segments()
    joints = recordings_folder(window.root) / damaged.recording / "joints.npz"
    joints.write_bytes(b"junk")
    on_recordings(window)
    press(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: bool(window.labeller.proposals), timeout=60_000)
    assert list(window.labeller.proposals) == [whole.id]
    assert window.state.text().startswith("1 label is proposed")
    assert window.state.text().endswith(f"; left out as unreadable: {damaged.recording}")
    (recordings_folder(window.root) / whole.recording / "joints.npz").write_bytes(b"junk")
    press(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "joints.npz is damaged" in window.state.text(), timeout=60_000)
