"""Recordings that are exported and imported from the library's window."""

import json
import threading

import pytest
from library_window_fakes import HEBREW, MARKED, record
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QMessageBox

from app.library.import_report import ImportProgress, ImportReport
from app.ui.library.export_dialog import ExportDialog
from app.ui.library.import_dialog import ImportDialog


def test_an_export_is_brought_in_again_by_the_dialogs(window, root, tmp_path, qtbot):
    window.open_export()
    (export,) = window.findChildren(ExportDialog)
    export.format.setCurrentIndex(export.format.findData("tables"))
    export.target.setText(str(tmp_path / "out"))
    export.begin.click()
    qtbot.waitUntil(lambda: "written" in export.state.text(), timeout=60_000)
    export.close()
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path / "out")])
    dialog.begin.click()
    told = "0 recordings imported; 2 recordings skipped: already in the library"
    qtbot.waitUntil(lambda: told in dialog.state.text(), timeout=60_000)
    assert dialog.problems.toPlainText().count(" is already in the library (20") == 2
    window.library.delete_recordings([row.id for row in window.library.recordings()])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "2 recordings imported" in dialog.state.text(), timeout=60_000)
    assert window.browser.segments.rowCount() == 2
    assert not dialog.problems.isVisible()
    dialog.close()


def exporting(window, format, target):
    window.open_export()
    (dialog,) = window.findChildren(ExportDialog)
    dialog.format.setCurrentIndex(dialog.format.findData(format))
    dialog.target.setText(str(target))
    return dialog


@pytest.mark.parametrize("format", ["coco", "tables"])
def test_what_is_in_the_bin_is_exported_with_its_labels(window, tmp_path, qtbot, format):
    window.commands["delete_recordings"].trigger()
    window.commands["bin"].trigger()
    for what in range(2):  # the selection, and everything in the list
        window.browser.bin_table.choose([0])
        dialog = exporting(window, format, tmp_path / f"{what} out")
        dialog.what.setCurrentIndex(what)
        dialog.begin.click()
        qtbot.waitUntil(lambda dialog=dialog: "written" in dialog.state.text(), timeout=60_000)
        dialog.close()
        QCoreApplication.sendPostedEvents(dialog, QEvent.Type.DeferredDelete.value)
        if format == "coco":
            assert len(json.loads((tmp_path / f"{what} out.json").read_text())["clips"]) == 1
        else:
            assert len((tmp_path / f"{what} out" / "clips.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("format", ["pyskl", "coco", "tables", "video"])
@pytest.mark.parametrize("target", [".", "/", "..", "~no-such-user/out"])
def test_an_odd_target_is_told_and_another_can_be_tried(window, tmp_path, qtbot, monkeypatch, format, target):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    written = []
    monkeypatch.setattr("app.library.export_video.write", lambda export: written.append(export.target) or "videos")
    dialog = exporting(window, format, target)
    dialog.begin.click()
    qtbot.waitUntil(lambda: dialog.state.text() not in ("", "Writing …"), timeout=60_000)
    if format != "video" or target.startswith("~"):  # which fills any folder
        assert any(told in dialog.state.text() for told in ("is a folder", "no such user", "new folder"))
    dialog.target.setText(str(tmp_path / "out"))
    dialog.begin.click()
    qtbot.waitUntil(lambda: "written" in dialog.state.text(), timeout=60_000)
    assert list((tmp_path / "here").iterdir()) == []
    dialog.close()


def test_a_file_that_is_there_is_replaced_after_a_question(window, tmp_path, qtbot):
    (tmp_path / "out.json").write_text("precious")
    dialog = exporting(window, "coco", tmp_path / "out")
    dialog.begin.click()
    (question,) = dialog.findChildren(QMessageBox)
    assert str(tmp_path / "out.json") in question.text()
    next(button for button in question.buttons() if button.text() == "Cancel").click()
    assert (tmp_path / "out.json").read_text() == "precious"
    assert dialog.begin.isEnabled()
    QCoreApplication.sendPostedEvents(question, QEvent.Type.DeferredDelete.value)
    dialog.begin.click()
    (question,) = dialog.findChildren(QMessageBox)
    next(button for button in question.buttons() if button.text() == "&Replace").click()
    qtbot.waitUntil(lambda: "written" in dialog.state.text(), timeout=60_000)
    assert json.loads((tmp_path / "out.json").read_text())["clips"]
    dialog.close()


def test_videos_of_recordings_that_are_there_are_replaced_after_a_question(window, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "of mine.mp4").write_text("")
    video = tmp_path / "out" / f"{window.library.recordings()[0].id}.mp4"
    video.write_text("precious")
    dialog = exporting(window, "video", tmp_path / "out")
    dialog.begin.click()
    (question,) = dialog.findChildren(QMessageBox)
    assert "videos of the same recordings" in question.text()
    next(button for button in question.buttons() if button.text() == "Cancel").click()
    assert video.read_text() == "precious"
    dialog.close()


def test_an_import_that_fails_says_why_and_can_be_tried_again(window, tmp_path, qtbot):
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path / "not there.mp4")])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "does not exist" in dialog.state.text(), timeout=60_000)
    assert dialog.begin.isEnabled()
    dialog.close()


def test_closing_the_window_cancels_an_import(window, monkeypatch, qtbot, tmp_path):
    cancelled = threading.Event()

    def slow(library, paths, options, *, format, tell, cancel):
        tell(ImportProgress(0.5, 2, "a.mp4"))
        assert cancel.wait(60)
        assert library.count_segments() == 2  # it is still open
        cancelled.set()
        return ImportReport(cancelled=True)

    monkeypatch.setattr("app.ui.library.import_dialog.import_any", slow)
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "of 2" in dialog.state.text(), timeout=60_000)
    window.close()
    assert window.isVisible(), "it asks first"
    (question,) = window.findChildren(QMessageBox)
    next(button for button in question.buttons() if button.text() == "&Stop").click()
    assert not window.isVisible()
    assert cancelled.wait(60)


def test_what_is_imported_is_listed_with_each_name_in_its_place_and_can_be_left_out(
    window, qtbot, monkeypatch, tmp_path
):
    asked = []
    monkeypatch.setattr(
        "app.ui.library.import_dialog.import_any", lambda _, paths, *a, **b: asked.extend(paths) or ImportReport()
    )
    dialog = ImportDialog(window.root, window._jobs, window.refresh, window)
    dialog.add([f"/videos/{HEBREW}/12.mp4", "/videos/other.mp4"])
    assert [dialog.paths.item(row).text() for row in range(2)] == [f"/videos/{MARKED}/12.mp4", "/videos/other.mp4"]
    assert dialog.drop.text().replace("&", "") == "Remove from the list"
    assert not dialog.drop.isEnabled()
    dialog.paths.setCurrentRow(1)
    dialog.drop.click()
    dialog.add([f"/videos/{HEBREW}/12.mp4"])  # it is there already
    assert dialog.paths.count() == 1
    assert dialog.format.itemText(0) == "Detect automatically"
    dialog.begin.click()
    qtbot.waitUntil(lambda: bool(asked))
    assert [path.as_posix() for path in asked] == [f"/videos/{HEBREW}/12.mp4"]
    qtbot.waitUntil(lambda: dialog._cancel is None)
    dialog.close()


def test_what_could_not_be_imported_is_counted_in_words(window):
    dialog = ImportDialog(window.root, window._jobs, window.refresh, window)
    dialog._done(ImportReport(problems=["one: bad"]))
    assert dialog.state.text() == "0 recordings imported; 1 item could not be imported"
    dialog._done(ImportReport(problems=["one: bad", "the archive is empty"]))
    assert dialog.state.text().endswith("; 2 items could not be imported")
    assert dialog.problems.toPlainText() == "one: bad\nThe archive is empty"
    dialog.close()


def test_an_import_counts_whole_things(window, monkeypatch, qtbot, tmp_path):
    def slow(library, paths, options, *, format, tell, cancel):
        tell(ImportProgress(2.4, 6, "a.mp4"))
        assert cancel.wait(60)
        return ImportReport(cancelled=True)

    monkeypatch.setattr("app.ui.library.import_dialog.import_any", slow)
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "of 6" in dialog.state.text(), timeout=60_000)
    assert dialog.state.text() == "2 of 6 done a.mp4"
    dialog.close_now()


def test_what_an_import_that_is_stopped_has_brought_in_is_listed(window, monkeypatch, qtbot, tmp_path):
    def slow(library, paths, options, *, format, tell, cancel):
        assert cancel.wait(60)
        return ImportReport(recordings=[record(window.root, "jump", moving=(1.0, 3.0)).name], cancelled=True)

    monkeypatch.setattr("app.ui.library.import_dialog.import_any", slow)
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.begin.click()
    dialog.reject()
    (question,) = dialog.findChildren(QMessageBox)
    with qtbot.waitSignal(window.changed, timeout=60_000):
        next(button for button in question.buttons() if button.text() == "&Stop").click()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert not window.findChildren(ImportDialog)
