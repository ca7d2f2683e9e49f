"""The page of today and this week."""

import csv
import time
from dataclasses import replace

from engine_fakes import until
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from window_fakes import end, result

from app.outputs.history import Done, History
from app.settings import UserSettings
from app.ui.history.page import HistoryPage


def opened(window):
    window.actions_by_name["history"].trigger()
    return window.findChild(HistoryPage)


def rows(page):
    return [[page.table.topLevelItem(r).text(c) for c in range(5)] for r in range(page.table.topLevelItemCount())]


def test_nothing_is_kept_unless_switched_on(running, engines, qtbot, history_file):
    page = opened(running)
    assert not page.keep.isChecked()
    assert "Nothing is kept" in page.state.text()
    engines.last.give(result(5.0, events=[end("wave", 5.0)]))
    qtbot.wait(100)
    assert not history_file.exists()
    page.keep.click()
    engines.last.give(result(6.0, events=[replace(end("squat", 6.0, duration_s=65.0), count=12)]))
    qtbot.waitUntil(history_file.exists, timeout=60_000)
    qtbot.waitUntil(lambda: bool(History(history_file).totals(0, 1e12)), timeout=60_000)
    page.read()
    assert [row[:4] for row in rows(page)] == [["squat", "1 min 05 s", "1", "12"]] or time.localtime().tm_hour == 0
    page.keep.click()
    engines.last.give(result(7.0, events=[end("wave", 7.0)]))
    qtbot.wait(100)
    assert [total.action for total in History(history_file).totals(0, 1e12)] == ["squat"]
    page.close()


def test_the_choice_is_remembered(open_window, settings, engines):
    settings.history = True
    window = open_window()
    assert window.history.kept
    window.history.keep(False)
    assert settings.history is False
    assert UserSettings().history is False


def test_files_that_are_played_are_not_today(running, engines, qtbot, history_file):
    running.history.keep(True)
    info = engines.last.info
    engines.last.info = replace(info, source=replace(info.source, live=False))
    running.live.update_state()
    engines.last.give(result(6.0, events=[end("squat", 6.0)]))
    qtbot.wait(200)
    assert not history_file.exists()


def ends_with(engine, action, when=lambda: True):
    """The engine's last result, which comes then, ends what is done."""
    stop = engine.stop
    engine.stop = lambda *args: (until(when), engine.give(result(9.0, events=[end(action, 9.0)])), stop(*args))


def kept(file):
    return [total.action for total in History(file).totals(0, 1e12)]


def test_what_is_done_when_the_run_is_stopped_is_kept(running, engines, qtbot, history_file):
    running.history.keep(True)
    ends_with(engines.last, "squat", when=lambda: running.live.view.info is None)
    running.live.stop()
    qtbot.waitUntil(lambda: kept(history_file) == ["squat"], timeout=60_000)


def test_what_is_done_when_the_window_closes_is_kept(running, engines, history_file):
    running.history.keep(True)
    ends_with(engines.last, "squat")
    running.close()
    assert kept(history_file) == ["squat"]


def test_what_is_done_when_a_stopped_run_ends_after_the_window_is_kept(running, engines, history_file):
    running.history.keep(True)
    ends_with(engines.last, "squat", when=lambda: running.live.view.info is None)
    running.live.stop()
    running.close()
    assert kept(history_file) == ["squat"]


def test_a_file_after_a_camera_is_not_today(running, engines, qtbot, history_file):
    running.history.keep(True)
    running.live.start(replace(running.live.options, source="walk.mp4"))
    qtbot.waitUntil(lambda: engines.last.options.source == "walk.mp4")
    engines.last.give(result(6.0, events=[end("squat", 6.0)]))  # before anybody has looked at what it is
    qtbot.wait(200)
    assert not history_file.exists()


def test_export_and_delete(running, engines, qtbot, history_file, tmp_path):
    History(history_file).add(Done(time.time() - 1, "squat", 0, 30.0, 10))
    page = opened(running)
    page.export.click()
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible())
    dialog.fileSelected.emit(str(tmp_path / "h.csv"))
    dialog.close()
    assert next(csv.DictReader((tmp_path / "h.csv").open()))["action"] == "squat"
    page.delete.click()
    box = next(w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible())
    next(button for button in box.buttons() if "Delete" in button.text()).click()
    qtbot.waitUntil(lambda: not history_file.exists())
    assert rows(page) == []
    assert not page.export.isEnabled()
    page.close()


def test_the_page_looks_again_while_it_is_open(running, qtbot, history_file, monkeypatch):
    monkeypatch.setattr("app.ui.history.page._REFRESH_MS", 50)
    page = opened(running)
    assert page.export.toolTip() == "There is no history"
    page.state.setText("Saved 1 action in h.csv")
    History(history_file).add(Done(time.time() - 0.01, "squat", 0, 0.01, 10))
    qtbot.waitUntil(lambda: [row[0] for row in rows(page)] == ["squat"] or time.localtime().tm_hour == 0)
    qtbot.waitUntil(page.export.isEnabled)
    assert page.state.text() == "Saved 1 action in h.csv"
    page.close()


def test_the_page_looks_again_when_the_user_comes_back_to_it(running, qtbot, history_file):
    page = opened(running)
    qtbot.waitUntil(page.isActiveWindow)
    running.activateWindow()
    qtbot.waitUntil(running.isActiveWindow)
    History(history_file).add(Done(time.time() - 0.01, "squat", 0, 0.01, 10))
    page.activateWindow()
    qtbot.waitUntil(page.export.isEnabled, timeout=2000)
    page.close()
