"""Labels by typing and by keys, and the fields of person, session and note."""

import pytest
from library_window_fakes import on_recordings, opened, press, record, two_people, type_into
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.library.catalogue import Library
from app.library.rows import NewSegment
from app.ui.library.import_dialog import ImportDialog
from app.ui.library.keys_dialog import KeysDialog
from app.ui.library.names_dialog import NamesDialog


def test_labels_are_given_by_typing_and_by_one_key_and_taken_back(window):
    names = sorted(row.action for row in window.browser.segments.rows)
    window.fields.action.setText("  high   five ")
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert "high five" in [row.action for row in window.browser.segments.rows]
    window.fields.undo.click()
    assert sorted(row.action for row in window.browser.segments.rows) == names
    first = next(named.name for named in window.library.names("action") if named.name != "nothing")
    QTest.keyClick(window, Qt.Key.Key_1)
    assert [row.action for row in window.browser.segments.rows if row.id == window.content.segment.id] == [first]


def test_of_two_names_that_read_the_same_the_one_of_the_segment_stays(window):
    window.library.rename("action", "clap", "sit_down")
    window.library.rename("action", "wave", "sit down")
    window.library.set_key("sit_down", "3")
    window.refresh()
    place = next(place for place in range(2) if window.browser.segments.row(place).action == "sit down")
    window.browser.segment_table.choose([place])
    assert window.fields.action.text() == "sit down"
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    segment = window.content.segment.id
    assert window.library.segment(segment).action == "sit down"
    QTest.keyClick(window, Qt.Key.Key_3)
    assert window.library.segment(segment).action == "sit_down"


def test_a_second_key_while_recordings_are_read_labels_none_of_them_again(window, qtbot):
    window.edits.do(lambda library: library.remove_segments(library.segment_ids()))
    kept, deleted = on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_1)
    QTest.keyClick(window, Qt.Key.Key_2)  # before the job of the first key has added anything
    window.library.delete_recordings([deleted])
    qtbot.waitUntil(lambda: not window._jobs._jobs, timeout=60_000)
    assert window.state.text().startswith("Changed meanwhile: nothing more was labelled")
    (segment,) = window.library.segments_in(kept)
    assert segment.action in ("wave", "clap")
    assert window.library.segments_in(deleted) == []


def test_w_leaves_what_was_changed_elsewhere(tmp_path, theme, qtbot):
    name = two_people(tmp_path).name
    with Library(tmp_path) as library:
        library.add_segments(name, [NewSegment(2.0, 4.0, 0, "wave")])
    made = opened(tmp_path, theme, qtbot)
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=60_000)
    made.library.rename("action", "wave", "greet")
    press(made, Qt.Key.Key_W)
    (segment,) = made.library.segments()
    assert (segment.person, segment.action) == (1, "greet")
    made.close()


def test_nothing_and_suspect_have_keys(window):
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.content.segment.action == "nothing"
    QTest.keyClick(window, Qt.Key.Key_S)
    assert window.content.segment.suspect
    window.browser.filters.suspect.setChecked(True)
    assert window.browser.segments.rowCount() == 1


def test_person_session_and_note_are_given_by_keys(window):
    for command, field, text in (
        ("who", window.fields.who, "Zoë"),
        ("session", window.fields.session, "Monday  evening"),
        ("note", window.fields.note, "left hand"),
    ):
        window.commands[command].trigger()
        field.setText(text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    segment = window.library.segment(window.content.segment.id)
    assert (segment.who, segment.session, segment.note) == ("Zoë", "Monday evening", "left hand")
    window.browser.filters.who.setCurrentIndex(window.browser.filters.who.findData("Zoë"))
    window.browser.filters.changed.emit()
    assert [row.id for row in window.browser.segments.rows] == [segment.id]


def test_names_that_cannot_be_are_told_in_one_line(window):
    action = window.content.segment.action
    for bad in ("\u200b", "x" * 90):
        window.fields.action.setText(bad)
        QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
        assert window.state.text()
        assert "\n" not in window.state.text()
        assert window.library.segment(window.content.segment.id).action == action
    window.fields.action.setText("拍手 🙌")
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert window.library.segment(window.content.segment.id).action == "拍手 🙌"


def test_a_key_that_was_kept_labels_with_its_action(window):
    first, second = window.browser.segments.rows
    window.browser.segment_table.selectRow(0)
    QTest.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    window.browser.segment_table.selectRow(1)
    QTest.keyClick(window, Qt.Key.Key_7)
    assert window.library.segment(second.id).action == first.action


def test_n_on_chosen_recordings_labels_what_has_no_label_in_them(window, root, qtbot):
    bare = record(root).name
    window.recordings_changed()
    qtbot.waitUntil(lambda: window.browser.recordings.rowCount() == 3, timeout=60_000)
    window.library.remove_segments([segment.id for segment in window.library.segments() if segment.recording == bare])
    window.library.label([segment.id for segment in window.library.segments() if segment.action == "clap"], None)
    window.refresh()
    on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: window.library.count_segments() == 3, timeout=60_000)
    actions = {segment.recording: segment.action for segment in window.library.segments()}
    assert sorted(actions.values()) == ["nothing", "nothing", "wave"]
    (whole,) = [segment for segment in window.library.segments() if segment.recording == bare]
    assert (whole.start_s, whole.end_s) == pytest.approx((0.0, 6.0), abs=0.1)
    assert window.state.text() == "Added a segment and labelled a segment: nothing"
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.state.text().startswith("All its segments are labelled: Alt+1 lists them")
    window.fields.undo.click()
    assert sorted(str(segment.action) for segment in window.library.segments()) == ["None", "wave"]


def test_a_segment_that_another_list_hides_is_not_labelled(window):
    before = [segment.action for segment in window.library.segments()]
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)  # the bin
    QTest.keyClick(window, Qt.Key.Key_N)
    assert [segment.action for segment in window.library.segments()] == before
    assert window.state.text() == "This works on segments: Alt+1 lists them"


def test_the_keys_of_actions_are_shown_and_listed(window):
    first, second = (named.name for named in window.library.names("action") if named.name != "nothing")
    assert window.legend.text() == f"Keys · 1 {first} · 2 {second} · Ctrl+1 to 9 assigns a key"
    window.library.set_key("clap", "7")
    window.refresh()
    assert window.legend.text() == "Keys · 1 wave · 7 clap · Ctrl+1 to 9 assigns a key"
    window.commands["keys"].trigger()
    (page,) = window.findChildren(KeysDialog)
    texts = [label.text() for label in page.findChildren(QLabel)]
    assert texts[texts.index("7") + 1] == "Label “clap”"
    page.close()


def test_without_actions_the_legend_says_how_there_will_be_some(tmp_path, theme, qtbot):
    made = opened(tmp_path, theme, qtbot)
    assert (
        made.legend.text()
        == "Keys 1 to 9 label with your first nine actions. There is none yet: label a segment with L."
    )
    made.close()


@pytest.mark.parametrize(
    ("typed", "says"),
    [("http://a.b/c", "That is an address"), ("w" * 200, "The action has 200 characters; at most 80 are allowed")],
)
def test_what_is_no_action_s_name_is_refused_wherever_it_is_typed(window, qtbot, typed, says, tmp_path):
    before = [segment.action for segment in window.library.segments()]
    window.fields.action.setText(typed)
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert window.state.text().startswith(says)
    names = NamesDialog(window.edits, window.changed, window)
    names.show()
    for button in (names.add, names.rename):
        names.name.setText(typed)
        button.click()
        assert names.state.text().startswith(says)
    names.close()
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.action.setText(typed)
    dialog.begin.click()
    assert dialog.state.text().startswith(says)
    dialog.close()
    assert [segment.action for segment in window.library.segments()] == before


@pytest.mark.parametrize("name", ["走る", "махать рукой", "clap / wave", "..", "w" * 80])
def test_actions_are_named_in_any_script(window, name):
    window.fields.action.setText(name)
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert name in [segment.action for segment in window.library.segments()]


def test_what_is_being_typed_stays_when_the_lists_are_read_again(window):
    type_into(window.fields.note, "a remark")
    window.recordings_changed()
    window.refresh()
    assert window.fields.note.text() == "a remark"
    QTest.keyClick(window.fields.note, Qt.Key.Key_Return)
    assert window.content.segment.note == "a remark"


def test_what_is_left_without_enter_shows_what_is_stored_and_says_so(window):
    stored = window.fields.action.text()
    type_into(window.fields.action, "juggle")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.fields.action.text() == stored
    assert window.state.text() == "Not stored: Enter stores what is typed"
    type_into(window.fields.action, stored)
    window.show_status("")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.state.text() == ""


def test_what_is_refused_stays_in_its_field_to_be_corrected(window):
    stored = window.fields.action.text()
    type_into(window.fields.action, "http://there")
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert "is an address" in window.state.text()
    assert window.fields.action.text() == "http://there"
    assert window.fields.action.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.fields.action.text() == stored


def test_a_note_that_is_left_as_it_is_keeps_its_line_breaks(window):
    segment = window.content.segment
    window.edits.set_note("first\nsecond")
    window.fields.note.setFocus()
    QTest.keyClick(window.fields.note, Qt.Key.Key_Return)
    assert window.library.segment(segment.id).note == "first\nsecond"


def test_labels_go_to_the_person_that_was_chosen_in_the_recording(root, theme, qtbot):
    name = two_people(root).name
    made = opened(root, theme, qtbot)
    made.show_recording(name)
    qtbot.waitUntil(lambda: made.content.shown is not None and made.content.shown[0] == name, timeout=60_000)
    first = made.content.shown[1]
    press(made, Qt.Key.Key_W)
    press(made, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: bool(made.library.segments_in(name)), timeout=60_000)
    (segment,) = made.library.segments_in(name)
    assert segment.person == 1 - first
    made.close()


def test_another_person_has_the_name_that_they_have_in_the_recording(root, theme, qtbot):
    name = two_people(root).name
    made = opened(root, theme, qtbot)
    made.library.refresh()
    made.library.add_segments(name, [NewSegment(1.0, 2.0, 0, None, "Anna"), NewSegment(3.0, 4.0, 1, None, "Ben")])
    made.refresh()
    first = next(row for row in made.library.segments_in(name) if row.person == 0)
    made.browser.choose_segment(first.id)
    qtbot.waitUntil(lambda: made.content.shown is not None and made.content.shown[0] == name, timeout=60_000)
    press(made, Qt.Key.Key_W)
    changed = made.library.segment(first.id)
    assert (changed.person, changed.who) == (1, "Ben")
    made.close()
