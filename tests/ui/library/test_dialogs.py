"""The library's dialogs by themselves: names, splits and export say what they do not do, and cut no text."""

import json

import pytest
from library_fakes import add_recording
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.library.rows import Filter, NewSegment
from app.library.shared_library import shared
from app.recording.folder import recordings_folder
from app.ui.jobs import Jobs
from app.ui.library.export_dialog import ExportDialog
from app.ui.library.names_dialog import NamesDialog
from app.ui.library.segment_edits import SegmentEdits
from app.ui.library.splits_dialog import SplitsDialog
from app.ui.picker import Picker

TIMEOUT_MS = 60_000
ROOM = 80  # pixels, of a text in a narrow picker


class Changes(QObject):
    happened = Signal()


@pytest.fixture
def library(tmp_path):
    with shared(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def three(library):
    """Three recordings of a segment each."""
    for seed in range(3):
        add_recording(library, seed, [NewSegment(0, 1, 0, ("wave", "clap", "sit_down")[seed])])
    return library


@pytest.fixture
def edits(library, qapp):
    """As the window has them, without its lists."""
    made = SegmentEdits(None, None, None, lambda line: None, lambda: made.changes.happened.emit(), None)
    made.library, made.changes = library, Changes()
    return made


def opened(kind, edits, qtbot):
    dialog = kind(edits, edits.changes.happened)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def split_of_all(dialog, name):
    dialog.name.setText(name)
    dialog.add.click()
    dialog.list.selectAll()
    dialog.parts["train"].click()


# Splits.


def test_a_split_counts_what_is_listed_and_keeps_the_parts_of_what_is_in_the_bin(three, edits, qtbot):
    dialog = opened(SplitsDialog, edits, qtbot)
    split_of_all(dialog, "Main")
    assert dialog.state.text() == "train 3 · validation 0 · test 0 · in no part 0, of 3 segments"
    binned = [row.id for row in three.recordings()[:2]]
    edits.do(lambda library: library.delete_recordings(binned))
    assert dialog.state.text() == "train 1 · validation 0 · test 0 · in no part 0, of 1 segment"
    edits.do(lambda library: library.set_part("Main", [three.segments()[0].id], "test"))
    dialog.share.click()
    qtbot.waitUntil(dialog.share.isEnabled, timeout=TIMEOUT_MS)
    assert three.splits()["Main"] == dict.fromkeys(three.segment_ids(Filter(deleted=None)), "train")
    edits.do(lambda library: library.restore_recordings(binned))
    assert dialog.state.text() == "train 3 · validation 0 · test 0 · in no part 0, of 3 segments"
    dialog.close()


@pytest.mark.parametrize("typed", ["main", " MAIN ", "Main"])
def test_a_split_that_is_there_in_another_case_is_chosen(typed, three, edits, qtbot):
    dialog = opened(SplitsDialog, edits, qtbot)
    split_of_all(dialog, "Main")
    split_of_all(dialog, "other")
    dialog.name.setText(typed)
    dialog.add.click()
    assert dialog.split.currentData() == "Main"
    assert dialog.parts["train"].isEnabled()
    assert "There is already the split " in dialog.state.text()
    assert "Main" in dialog.state.text()
    assert sorted(three.splits()) == ["Main", "other"]
    dialog.close()


def test_a_split_that_is_typed_with_marks_of_their_own_is_chosen(three, edits, qtbot):
    dialog = opened(SplitsDialog, edits, qtbot)
    dialog.name.setText("cafe\u0301")
    dialog.add.click()
    assert (dialog.split.currentText(), dialog.name.text()) == ("café", "")
    dialog.close()


def test_a_split_without_a_name_is_asked_for_one(library, edits, qtbot):
    dialog = opened(SplitsDialog, edits, qtbot)
    dialog.name.setText("  ")
    dialog.add.click()
    assert dialog.state.text() == "Type the name of the new split first"
    assert library.splits() == {}
    dialog.close()


# Names.


def test_what_needs_a_name_says_so_where_there_is_none(library, edits, qtbot):
    dialog = opened(NamesDialog, edits, qtbot)
    dialog.kind.setCurrentIndex(dialog.kind.findData("person"))
    for button in (dialog.rename, dialog.remove, dialog.merge):
        dialog.state.clear()
        button.click()
        assert dialog.state.text() == "Choose a name in the list first, or press Add"
    dialog.state.clear()
    dialog.name.setText("Anna")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert dialog.state.text() == "Choose a name in the list first, or press Add"
    dialog.add.click()
    assert [named.name for named in library.names("person")] == ["Anna"]
    dialog.close()


def test_the_key_of_an_action_is_a_digit_from_1_to_9(three, edits, qtbot):
    dialog = opened(NamesDialog, edits, qtbot)
    dialog.list.setCurrentRow([named.name for named in dialog._named].index("wave"))
    assert dialog.key.placeholderText() == "1 to 9"
    for typed in ("0", "x", "N"):
        dialog.key.setText(typed)
        dialog.set_key.click()
        assert dialog.state.text().endswith("choose a digit from 1 to 9, or none")
    dialog.key.setText("4")
    dialog.set_key.click()
    assert {named.name: named.key for named in three.names("action") if named.key} == {"wave": "4"}
    dialog.close()


# Export.


@pytest.fixture
def jobs(qapp):
    made = Jobs()
    yield made
    made.close(TIMEOUT_MS / 1000)


@pytest.fixture
def exporting(qapp, qtbot, jobs):
    def opened(library, chosen, target, format="coco", what="selection"):
        dialog = ExportDialog(library.root, jobs, Filter(), chosen)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.format.setCurrentIndex(dialog.format.findData(format))
        dialog.what.setCurrentIndex(("selection", "list", "all").index(what))
        dialog.target.setText(str(target))
        dialog.show()
        return dialog

    return opened


def said(dialog, qtbot):
    """What an export says when it has ended."""
    dialog.begin.click()
    qtbot.waitUntil(lambda: dialog._cancel is None, timeout=TIMEOUT_MS)
    return dialog.state.text()


def actions_in(file):
    return [clip["action"] for clip in json.loads(file.read_text(encoding="utf-8"))["clips"]]


def test_the_selection_is_exported_as_it_is_now(three, exporting, tmp_path, qtbot):
    first, second, _ = three.segments()
    dialog = exporting(three, [first, second], tmp_path / "a.json")
    three.label([first.id], "jump")
    three.remove_segments([second.id])
    assert "written" in said(dialog, qtbot)
    assert actions_in(tmp_path / "a.json") == ["jump"]
    three.remove_segments([first.id])
    dialog.target.setText(str(tmp_path / "b.json"))
    told = "The selection has been removed; select something else in the list and export again"
    assert said(dialog, qtbot) == told
    assert not (tmp_path / "b.json").exists()
    dialog.close()


def test_what_an_export_leaves_out_is_named(library, exporting, tmp_path, qtbot):
    for seed in range(6):
        name = add_recording(library, seed, [NewSegment(0, 1, 0, "wave")])
        if seed:
            (recordings_folder(library.root) / name / "joints.npz").write_bytes(b"x")
    dialog = exporting(library, [], tmp_path / "a.json", what="all")
    written, *left_out, more = said(dialog, qtbot).splitlines()
    assert written == f"52 poses written to {tmp_path / 'a.json'}"
    assert len([line for line in left_out if " is left out: " in line]) == 3
    assert more == "… and 2 more recordings left out"
    dialog.close()


def test_selected_recordings_are_exported_with_the_labels_that_they_have_now(three, exporting, tmp_path, qtbot):
    first, second, _ = three.recordings()
    dialog = exporting(three, [first, second], tmp_path / "a.json")
    three.label([segment.id for segment in three.segments_in(first.id)], "jump")
    three.delete_recordings([second.id])
    three.empty_bin()
    assert "written" in said(dialog, qtbot)
    assert actions_in(tmp_path / "a.json") == ["jump"]
    dialog.close()


def test_an_export_of_one_segment_of_a_recording_holds_no_other(library, exporting, tmp_path, qtbot):
    add_recording(library, 1, [NewSegment(0, 1, 0, "wave"), NewSegment(1, 1.5, 0, "clap")])
    dialog = exporting(library, library.segments()[1:], tmp_path / "out", "tables")
    assert said(dialog, qtbot).startswith("1 segment of 1 recording written")
    assert "clap" in (tmp_path / "out" / "clips.csv").read_text(encoding="utf-8")
    assert "wave" not in (tmp_path / "out" / "clips.csv").read_text(encoding="utf-8")
    dialog.close()


def test_an_export_of_no_selection_says_that_there_is_none(three, exporting, tmp_path, qtbot):
    dialog = exporting(three, [], tmp_path / "a.json")
    assert said(dialog, qtbot) == "Nothing was selected; select something in the list and export again"
    dialog.close()


# Text.


@pytest.mark.parametrize("points", [9.0, 16.0, 20.0])
def test_the_labels_of_the_export_dialog_are_whole_with_letters_of_any_size(library, exporting, theme, qapp, points):
    before = qapp.font()
    try:
        font = qapp.font()
        font.setPointSizeF(points)
        qapp.setFont(font)
        dialog = exporting(library, [], "")
        assert dialog.width() >= 520
        dialog.resize(300, dialog.height())
        qapp.processEvents()
        labels = [label for label in dialog.findChildren(QLabel) if label.text().startswith("&")]
        assert len(labels) == 3
        assert [label.text() for label in labels if label.width() < label.sizeHint().width()] == []
        dialog.close()
    finally:
        qapp.setFont(before)


def test_a_picker_ends_a_text_that_does_not_fit_with_dots(theme, qtbot):
    def picture(text):
        picker = Picker()
        qtbot.addWidget(picker)
        picker.addItem(text)
        picker.resize(ROOM + 30, 32)  # what is beside the text, with the arrow
        picker.show()
        return picker.grab().toImage()

    text, metrics = "All sessions of this year", Picker().fontMetrics()
    readable = {metrics.elidedText(text, Qt.TextElideMode.ElideRight, room) for room in range(ROOM)}
    assert picture(text) in [picture(shorter) for shorter in readable if shorter.endswith("…")]
