"""What is removed and comes back: undo, the bin, and what the window says of each edit."""

import pytest
from library_window_fakes import opened, press
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox

from app.library.rows import Filter
from app.ui.library.browser import BIN
from app.ui.library.keys_dialog import KeysDialog


def test_a_removed_segment_comes_back(window):
    QTest.keyClick(window, Qt.Key.Key_Delete)
    assert window.browser.segments.rowCount() == 1
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.browser.segments.rowCount() == 2


def test_recordings_go_into_the_bin_and_come_back_by_undo_and_from_there(window, qtbot):
    root, gone = window.root, window.content.segment.recording
    QTest.keyClick(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert window.browser.segments.rowCount() == 1
    assert (root / "recordings" / gone / "joints.npz").exists()
    window.commands["undo"].trigger()
    assert window.browser.segments.rowCount() == 2
    window.commands["recordings"].trigger()
    window.browser.recording_table.choose([window.browser.recordings.position_of(gone)])
    window.commands["remove"].trigger()
    assert [row.id for row in window.browser.deleted.rows] == [gone]
    window.commands["bin"].trigger()
    window.commands["restore"].trigger()
    assert window.browser.deleted.rows == []
    assert window.browser.segments.rowCount() == 2


def test_the_bin_is_emptied_after_a_question(window, root):
    gone = window.content.segment.recording
    window.commands["delete_recordings"].trigger()
    window.commands["empty_bin"].trigger()
    (question,) = window.findChildren(QMessageBox)
    assert (root / "recordings" / gone).exists()
    next(button for button in question.buttons() if button.text() == "Remove").click()
    assert not (root / "recordings" / gone).exists()


def test_a_recording_in_the_bin_shows_its_segments_and_gets_no_labels(window, waver, qtbot):
    window.commands["delete_recordings"].trigger()
    window.commands["bin"].trigger()
    window.browser.bin_table.choose([0])
    qtbot.waitUntil(lambda: window.player.stretch is not None and not window.player.loading, timeout=60_000)
    qtbot.waitUntil(lambda: len(window.player.bar.segments) == 1, timeout=60_000)
    window.labeller.recognise()
    assert window.state.text() == "A recording in the bin gets no labels: Ctrl+Shift+R restores it"
    assert waver == []


def test_keys_are_listed_and_none_is_used_twice(window):
    used = [action.shortcut().toString() for action in window.actions() if not action.shortcut().isEmpty()]
    assert len(used) == len(set(used))
    window.commands["keys"].trigger()
    (page,) = window.findChildren(KeysDialog)
    texts = {label.text() for label in page.findChildren(QLabel)}
    assert {"Space", "Y", "Ctrl+Z", "1 to 9"} <= texts
    page.close()


# What the library's window says to keys while nothing is in it.
KEYS_THAT_SAY_WHY = [
    (Qt.Key.Key_N, "", "Nothing is selected: select something in the list first"),
    (Qt.Key.Key_0, "", "Nothing is selected"),
    (Qt.Key.Key_S, "", "Nothing is selected"),
    (Qt.Key.Key_R, "", "Nothing is selected"),
    (Qt.Key.Key_Y, "", "Nothing is selected"),
    (Qt.Key.Key_P, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_A, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_W, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_I, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_O, "", "Nothing is shown"),
    (Qt.Key.Key_Space, "", "Nothing is shown"),
    (Qt.Key.Key_Left, "", "Nothing is shown"),
    (Qt.Key.Key_Right, "", "Nothing is shown"),
    (Qt.Key.Key_Delete, "", "Nothing is selected"),
    (Qt.Key.Key_Delete, "Shift", "Nothing is selected"),
    (Qt.Key.Key_Delete, "Control Shift", "The bin is empty"),
    (Qt.Key.Key_R, "Control Shift", "Select recordings in the bin first (Alt+3)"),
    (Qt.Key.Key_4, "Control", "Label a segment first: then Ctrl+4 assigns that key to its action"),
    (Qt.Key.Key_9, "", "No action has the key 9 yet"),
    (Qt.Key.Key_Z, "Control", "There is nothing to undo"),
    (Qt.Key.Key_Y, "Control", "There is nothing to redo"),
]


def test_a_key_that_does_nothing_says_why(tmp_path, theme, qtbot):
    made = opened(tmp_path, theme, qtbot)
    for key, modifiers, says in KEYS_THAT_SAY_WHY:
        made.show_status("")
        held = Qt.KeyboardModifier.NoModifier
        for name in modifiers.split():
            held |= getattr(Qt.KeyboardModifier, f"{name}Modifier")
        QTest.keyClick(made, key, held)
        assert made.state.text().startswith(says), (key, modifiers)
    for field in (made.fields.action, made.fields.who, made.fields.session, made.fields.note):
        made.show_status("")
        field.setText("something")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert made.state.text().startswith("Nothing is selected")
    made.close()


DONE = [
    (
        lambda library, ids, _: library.label(ids, "sit_down"),
        "Labelled 2 segments: sit down",
        "label 2 segments as sit down",
    ),
    (
        lambda library, ids, _: library.label(ids[:1], None),
        "Labelled a segment as unlabelled",
        "label a segment as unlabelled",
    ),
    (
        lambda library, ids, _: library.label_each({ids[0]: "kick"}),
        "Labelled a segment as proposed",
        "label a segment as proposed",
    ),
    (lambda library, ids, _: library.remove_segments(ids[:1]), "Removed a segment", "remove a segment"),
    (
        lambda library, ids, _: library.set_who(ids, "Ada"),
        "Named the person of 2 segments",
        "name the person of 2 segments",
    ),
    (lambda library, ids, _: library.mark_suspect(ids[:1], True), "Doubted a label", "doubt a label"),
    (lambda library, _, names: library.set_recording_note(names[0], "x"), "Note on a recording", "note on a recording"),
    (
        lambda library, _, names: library.set_session(names, "today"),
        "Set the session of 2 recordings",
        "set the session of 2 recordings",
    ),
    (
        lambda library, _, names: library.delete_recordings(names[:1]),
        "Moved a recording to the bin",
        "delete a recording",
    ),
    (
        lambda library, ids, _: library.add_name("action", "and label"),
        "Added the action and label",
        "add the action and label",
    ),
    (
        lambda library, ids, _: library.set_part("mine", ids[:1], "test"),
        "Put a segment into test of the split mine",
        "put a segment into test of the split mine",
    ),
]


@pytest.mark.parametrize(("edit", "done", "step"), DONE, ids=[done for _, done, _ in DONE])
def test_what_was_done_and_what_undo_does_are_told_as_such(window, edit, done, step):
    ids, names = window.library.segment_ids(), [row.id for row in window.library.recordings()]
    window.edits.do(lambda library: edit(library, ids, names))
    assert window.state.text() == done
    assert window.fields.undo.toolTip() == f"Undo: {step} (Ctrl+Z)"
    window.fields.undo.click()
    assert window.state.text() == f"Undone: {step}"
    assert window.fields.redo.toolTip() == f"Redo: {step} (Ctrl+Y)"
    window.fields.redo.click()
    assert window.state.text() == f"Done again: {step}"


def test_the_question_before_the_bin_is_emptied_counts_what_the_filters_hide(window, qtbot):
    window.library.delete_recordings([row.id for row in window.browser.recordings.rows])
    window.refresh()
    window.browser.show_list(BIN)
    window.browser.filters.search.setText("nothing has this name")
    qtbot.waitUntil(lambda: window.browser.deleted.total == 0)
    window.edits.ask_empty_bin(window)
    (question,) = window.findChildren(QMessageBox)
    assert question.text() == "Remove 2 recordings from the disk?"
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert len(window.library.recordings(Filter(deleted=True))) == 2


def test_the_bin_gets_no_segments_and_no_labels(window, qtbot):
    window.library.delete_recordings([window.library.segments()[0].recording])
    window.refresh()
    window.browser.show_list(BIN)
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    count = window.library.count_segments()
    for key, told in ((Qt.Key.Key_A, "gets no segments"), (Qt.Key.Key_Y, "gets no labels"), (Qt.Key.Key_I, "restores")):
        press(window, key)
        assert told in window.state.text()
    assert window.library.count_segments() == count


def test_an_edit_that_changes_nothing_says_so(window):
    press(window, Qt.Key.Key_N)
    assert window.state.text().startswith("Labelled")
    session = window.fields.session
    session.setFocus()
    QTest.keyClick(session, Qt.Key.Key_Return)
    assert window.state.text() == "Nothing to change: it is so already"
