"""The dialogs of names and splits, opened from the library's window."""

import threading

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.library import splits_dialog
from app.ui.library.names_dialog import NamesDialog
from app.ui.library.splits_dialog import SplitsDialog


def test_names_are_renamed_merged_and_refused_when_double(window):
    window.open_names()
    (dialog,) = window.findChildren(NamesDialog)
    names = [named.name for named in dialog._named]
    dialog.list.setCurrentRow(names.index("wave"))
    dialog.name.setText("CLAP")
    dialog.rename.click()
    assert "already" in dialog.state.text()
    dialog.name.setText("winken")
    dialog.rename.click()
    assert {segment.action for segment in window.library.segments()} == {"winken", "clap"}
    dialog.into.setCurrentText("clap")
    dialog.merge.click()
    assert {segment.action for segment in window.library.segments()} == {"clap"}
    window.commands["undo"].trigger()
    window.commands["undo"].trigger()
    assert {segment.action for segment in window.library.segments()} == {"wave", "clap"}
    dialog.close()


def test_the_names_follow_what_is_done_elsewhere(window):
    window.open_names()
    (dialog,) = window.findChildren(NamesDialog)
    dialog.list.setCurrentRow([named.name for named in dialog._named].index("wave"))
    dialog.name.setText("half typed")
    dialog.into.setCurrentIndex(dialog.into.findData("clap"))
    window.edits.do(lambda library: library.add_name("action", "crawl"))
    assert "crawl" in [named.name for named in dialog._named]
    assert dialog.list.count() == len(dialog._named)
    assert (dialog._chosen().name, dialog.name.text(), dialog.into.currentData()) == ("wave", "half typed", "clap")
    window.commands["undo"].trigger()
    assert "crawl" not in [named.name for named in dialog._named]
    assert (dialog._chosen().name, dialog.name.text()) == ("wave", "half typed")
    window.edits.do(lambda library: library.rename("action", "wave", "greet"))
    assert (dialog._chosen().name, dialog.name.text()) == ("greet", "half typed")
    window.edits.do(lambda library: library.remove_name("action", "greet"))
    assert dialog.name.text() == dialog._chosen().name != "greet", "what was typed was for another name"
    dialog.name.setText("crawl")
    dialog.add.click()
    assert dialog.name.text() == dialog._chosen().name
    dialog.kind.setCurrentIndex(dialog.kind.findData("session"))
    assert (dialog.list.count(), dialog.name.text()) == (1, "s")
    dialog.close()
    window.edits.do(lambda library: library.add_name("action", "jump"))


def test_what_changes_while_segments_are_compared_stays(window, qtbot, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(splits_dialog, "copy_pairs", lambda *asked: go_on.wait(60) and [])
    window.commands["splits"].trigger()
    (dialog,) = window.findChildren(SplitsDialog)
    QTest.keyClicks(dialog.name, "mine")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    dialog.share.click()
    dialog.list.selectAll()
    dialog.parts["test"].click()
    assert not dialog.share.isEnabled()
    go_on.set()
    qtbot.waitUntil(dialog.share.isEnabled, timeout=60_000)
    assert set(window.library.splits()["mine"].values()) == {"test"}
    assert "press By chance again" in dialog.state.text()
    dialog.close()


def test_recordings_are_put_into_the_parts_of_a_split_and_taken_out_by_undo(window, qtbot):
    window.commands["splits"].trigger()
    (dialog,) = window.findChildren(SplitsDialog)
    assert not dialog.parts["test"].isEnabled()
    QTest.keyClicks(dialog.name, "mine")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    dialog.by.setCurrentIndex(dialog.by.findData("recording"))
    dialog.parts["test"].click()
    assert "Select some" in dialog.state.text()
    dialog.list.topLevelItem(0).setSelected(True)
    dialog.parts["test"].click()
    first, _ = window.browser.segments.rows
    assert window.library.splits() == {"mine": {first.id: "test"}}
    assert dialog.state.text() == "train 0 · validation 0 · test 1 · in no part 1, of 2 segments"
    dialog.share.click()
    qtbot.waitUntil(lambda: len(window.library.splits()["mine"]) == 2, timeout=60_000)
    assert sorted(window.library.splits()["mine"].values()) == ["test", "train"]
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: dialog.list.topLevelItem(1).text(2) == "", timeout=60_000)
    dialog.undo.click()
    dialog.undo.click()
    assert window.library.splits() == {}
    assert dialog.split.count() == 0
    dialog.close()
