"""The whole window on made-up engines."""

import time
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QFileDialog
from window_fakes import end, result, start, unknown

from app.errors import OutputError
from app.results import EngineState, Failure, StatsSnapshot
from app.settings import UserSettings
from app.ui import choices
from app.ui.actions import shortcut_rows
from app.ui.shortcuts import ShortcutsDialog
from app.ui.source_dialog import SourceDialog


def press(window, qtbot, keys):
    """Type a shortcut into the window."""
    combination = QKeySequence(keys)[0]
    qtbot.keyClick(window, combination.key(), combination.keyboardModifiers())


def pick(chooser, value):
    """Choose an entry as a click on it does."""
    row = chooser.findData(value)
    assert row >= 0, f"{value} is not offered"
    chooser.activated.emit(row)


def open_dialogs(kind=QDialog):
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def shown(window, qtbot, given, engines):
    engines.last.give(given)
    qtbot.waitUntil(lambda: window.video.result is given)
    window._refresh()


def test_it_starts_by_itself_and_says_what_takes_so_long(window, engines, qtbot):
    assert engines.last.started
    engines.last.progress = "building the pose model: 12 of 36 MB"
    qtbot.waitUntil(lambda: "Building the pose model" in window.video.accessibleDescription())
    assert window.video.accessibleDescription().startswith("Starting the camera…")


def test_a_result_reaches_every_part(running, engines, qtbot):
    given = result(3.0, persons=((0, "walk"), (1, "wave")), events=[start("walk", 2.0)])
    shown(running, qtbot, given, engines)
    assert running.panel.action.text() == "walk"
    assert set(running.timeline.history.rows) == {0, 1}
    assert running.events.events.rows[0].action == "walk"
    qtbot.waitUntil(lambda: engines.last.painted == [given])


def test_unknown_is_shown_with_its_reason(running, engines, qtbot):
    shown(running, qtbot, unknown(3.0, "low evidence"), engines)
    assert running.panel.action.text() == "unknown"
    assert running.panel.detail.text().startswith("low evidence")


def test_the_status_line_shows_the_engine_s_numbers(running, engines):
    engines.last.snapshot = StatsSnapshot(30.0, 29.0, 40.0, 60.0, 100, 98, 2)
    running._show_stats()
    assert running.status.camera.text() == "Camera 30 fps"
    assert running.status.source.text() == "camera 0 640 x 480"
    assert running.status.provider.text() == "CPU"


def test_nothing_is_painted_while_minimised_but_history_and_events_go_on(running, engines, qtbot):
    running.showMinimized()
    qtbot.waitUntil(running.isMinimized)
    painted = len(engines.last.painted)
    given = result(3.0, events=[start("walk", 2.0), end("walk", 3.0)])
    engines.last.give(given)
    qtbot.waitUntil(lambda: running.video.result is given)
    qtbot.wait(50)
    assert len(engines.last.painted) == painted
    assert running.events.events.rowCount() == 1
    assert running.timeline.history.rows


def test_another_source_starts_another_engine_and_is_remembered(running, engines, qtbot, settings):
    running.events.events.add([start()])
    first = engines.last
    stop = first.stop
    first.stop = lambda *args: (first.give(result(3.0, events=[end("wave", 3.0)])), stop(*args))
    pick(running.toolbar.source, "demo")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.source == "demo"
    assert running.events.events.rowCount() == 0
    running.close()
    assert UserSettings.load().source == "demo"


def test_a_restart_begins_with_an_empty_view(running, engines, qtbot):
    shown(running, qtbot, result(3.0), engines)
    press(running, qtbot, "Ctrl+R")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert running.video.result is None
    assert running.timeline.history.rows == {}
    assert engines.last.options == engines.made[0].options


def test_more_people_start_another_engine(running, engines, qtbot):
    assert [running.toolbar.people.itemText(n) for n in range(8)] == [str(n) for n in range(1, 9)]
    pick(running.toolbar.people, "3")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.people == 3


def test_another_estimator_starts_another_engine_and_is_remembered(running, engines, qtbot):
    pick(running.toolbar.pose, "blazepose")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.pose == "blazepose"
    settings = UserSettings()
    running.run_choices.remember(settings)
    assert settings.pose == "blazepose"


def test_model_and_provider_are_changed_while_it_runs(running, engines):
    pick(running.toolbar.provider, "cpu")
    running.toolbar.model.offer([choices.Choice("act", "act"), choices.Choice("st-gcn", "st-gcn")])
    pick(running.toolbar.model, "st-gcn")
    assert engines.last.swaps == [("act", "cpu"), ("st-gcn", "cpu")]
    assert len(engines.made) == 1


def test_a_provider_that_does_not_work_is_told_and_taken_back(running, engines, qtbot):
    running.toolbar.provider.offer(choices.provider_choices(("cpu", "cuda")))
    pick(running.toolbar.provider, "cuda")
    engines.last.failure = Failure("recognizer", "CUDA does not work here: choose CPU", fatal=False)
    qtbot.waitUntil(lambda: running.banner.isVisible())
    assert running.toolbar.provider.value == "auto"
    assert running.banner.message.text() == "CUDA does not work here: choose CPU"


def test_what_a_recognizer_can_run_on_here_is_offered_and_nothing_else(running, qtbot, monkeypatch):
    monkeypatch.setattr("app.ui.choices.find_providers", lambda: ("cpu", "directml"))
    chooser = running.toolbar.provider
    assert [choice.value for choice in chooser.choices] == ["auto", "cpu"]
    press(running, qtbot, "Ctrl+4")
    qtbot.waitUntil(lambda: [choice.text for choice in chooser.choices] == ["Auto", "CPU", "DirectML"])
    chooser.hidePopup()


def test_cameras_are_looked_for_when_the_list_opens_and_not_on_this_thread(open_window, qtbot):
    import threading

    looked_on = []

    def find_cameras():
        looked_on.append(threading.current_thread().name)
        time.sleep(0.05)
        return [(0, "Webcam"), (3, "")]

    window = open_window(find_cameras)
    assert looked_on == []
    press(window, qtbot, "Ctrl+1")
    qtbot.waitUntil(lambda: window.toolbar.source.findData("3") >= 0)
    assert looked_on == ["cameras"]
    assert window.toolbar.source.itemText(window.toolbar.source.findData("0")) == "Webcam (0)"
    window.toolbar.source.hidePopup()


def test_cameras_that_cannot_be_listed_leave_the_rest(open_window, qtbot):
    def find_cameras():
        raise OSError("no permission")

    window = open_window(find_cameras)
    window.toolbar.source.showPopup()
    qtbot.waitUntil(lambda: not window.run_choices.looking_for_cameras)
    assert window.toolbar.source.findData("demo") >= 0
    window.toolbar.source.hidePopup()


def test_start_and_stop(running, engines, qtbot):
    action = running.actions_by_name["start"]
    assert action.text() == "&Stop"
    press(running, qtbot, "F5")
    qtbot.waitUntil(lambda: engines.last.state is EngineState.STOPPED)
    qtbot.waitUntil(lambda: action.text() == "&Start")
    qtbot.waitUntil(lambda: running.video.accessibleDescription().startswith("Stopped"))
    press(running, qtbot, "F5")
    qtbot.waitUntil(lambda: len(engines.made) == 2)


def test_pause_and_on(running, engines, qtbot):
    press(running, qtbot, "Ctrl+P")
    assert engines.last.state is EngineState.PAUSED
    assert running.actions_by_name["pause"].isChecked()
    press(running, qtbot, "Ctrl+P")
    assert engines.last.state is EngineState.RUNNING
    assert not running.actions_by_name["pause"].isChecked()


@pytest.mark.parametrize("state", [EngineState.FAILED, EngineState.RETRYING])
def test_a_failure_is_a_banner_and_restart_builds_a_new_engine(running, engines, qtbot, state):
    fatal = state is EngineState.FAILED
    engines.last.fail(Failure("source", "camera 0 is gone: plug it in", fatal, None if fatal else 4.0), state)
    qtbot.waitUntil(lambda: running.banner.isVisible())
    assert running.banner.message.text() == "Camera 0 is gone: plug it in"
    assert running.banner.countdown.isVisible() is not fatal
    qtbot.mouseClick(running.banner.restart_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.started
    qtbot.waitUntil(lambda: not running.banner.isVisible())


def test_a_source_that_comes_back_takes_the_banner_away(running, engines, qtbot):
    engines.last.fail(Failure("source", "camera 0 is gone", False, 4.0), EngineState.RETRYING)
    qtbot.waitUntil(lambda: running.banner.isVisible())
    engines.last.failure, engines.last.state = None, EngineState.RUNNING
    qtbot.waitUntil(lambda: not running.banner.isVisible())


def test_choose_another_source_in_the_banner_opens_the_list(running, engines, qtbot):
    engines.last.fail(Failure("source", "camera 0 is gone"))
    qtbot.waitUntil(lambda: running.banner.isVisible())
    qtbot.mouseClick(running.banner.source_button, Qt.MouseButton.LeftButton)
    assert running.toolbar.source.view().isVisible()
    running.toolbar.source.hidePopup()
    qtbot.waitUntil(lambda: not running.run_choices.looking_for_cameras)


def test_an_engine_that_cannot_be_made_is_a_banner_too(open_window, engines, qtbot):
    engines.refuse = OutputError("the pose model cannot be built: check the network")
    window = open_window()
    qtbot.waitUntil(lambda: window.banner.isVisible())
    assert window.video.accessibleDescription().startswith("It could not start")


def test_a_screenshot_says_where_it_is(running, engines, qtbot, settings, tmp_path):
    settings.save_folder = str(tmp_path / "shots")
    press(running, qtbot, "Ctrl+S")
    assert running.toast.text() == "There is no picture yet"
    shown(running, qtbot, result(3.0), engines)
    press(running, qtbot, "Ctrl+S")
    qtbot.waitUntil(lambda: running.toast.text().startswith("Saved "))
    (picture,) = (tmp_path / "shots").iterdir()
    assert running.toast.text() == f"Saved “{picture.name}” in shots"
    assert [button.text() for button in running.toast.buttons] == ["Open"]


def test_a_screenshot_that_cannot_be_saved_is_said(running, engines, qtbot, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.save_folder = str(tmp_path / "file")
    shown(running, qtbot, result(3.0), engines)
    press(running, qtbot, "Ctrl+S")
    qtbot.waitUntil(lambda: "choose another folder" in running.toast.text())


def test_full_screen_is_the_picture_alone_and_escape_leaves_it(running, qtbot):
    press(running, qtbot, "F11")
    assert running.isFullScreen()
    for part in (running.toolbar, running.status, running.panel, running.timeline, running.menuBar()):
        assert not part.isVisible()
    assert running.video.isVisible()
    press(running, qtbot, "Ctrl+T")  # shortcuts work without their menus
    assert running._settings.large_text
    press(running, qtbot, "Esc")
    assert not running.isFullScreen()
    for part in (running.toolbar, running.status, running.panel, running.timeline):
        assert part.isVisible()
    assert not running.actions_by_name["full_screen"].isChecked()


def test_the_side_panel_hides_and_stays_hidden_after_the_full_screen(running, qtbot):
    press(running, qtbot, "Ctrl+B")
    assert not running.panel.isVisible()
    press(running, qtbot, "F11")
    press(running, qtbot, "F11")
    assert not running.panel.isVisible()
    press(running, qtbot, "Ctrl+B")
    assert running.panel.isVisible()


@pytest.mark.parametrize(("name", "closes"), [("teach", "Ctrl+K"), ("attention", "Ctrl+H")])
def test_the_side_panel_cannot_be_hidden_while_something_else_stands_in_it(running, qtbot, name, closes):
    panel = running.actions_by_name["panel"]
    running.actions_by_name[name].trigger()
    assert not panel.isEnabled()
    assert panel.toolTip().endswith(f"{closes} closes it")
    press(running, qtbot, "Ctrl+B")
    assert panel.isChecked()
    running.actions_by_name[name].trigger()
    assert panel.isEnabled()
    assert panel.toolTip().startswith("Show or hide the side panel")


def test_mirror_changes_what_is_shown_and_nothing_of_the_run(running, engines, qtbot):
    mirrored = []
    running.mirror_changed.connect(mirrored.append)
    given = result(3.0)
    shown(running, qtbot, given, engines)
    before = given.frame.bgr.copy(), given.persons[0].pose.xy_px.copy()
    press(running, qtbot, "Ctrl+M")
    assert mirrored == [True]
    assert running.video._mirror
    assert (given.frame.bgr == before[0]).all()
    assert (given.persons[0].pose.xy_px == before[1]).all()
    assert len(engines.made) == 1
    press(running, qtbot, "Ctrl+R")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.mirror, "the next run knows"


def test_the_theme_changes_and_is_remembered(running, qtbot, theme):
    before = theme.choice
    press(running, qtbot, "Ctrl+Shift+T")
    assert theme.choice != before
    assert running._settings.theme == theme.choice
    assert running.toast.text() == f"Theme: {theme.choice}"
    theme.choose("dark")


def test_next_person(running, engines, qtbot):
    shown(running, qtbot, result(3.0, persons=((0, "walk"), (1, "wave"))), engines)
    press(running, qtbot, "Ctrl+N")
    assert running.panel.action.text() == "wave"
    shown(running, qtbot, result(4.0), engines)
    action = running.actions_by_name["next_person"]
    assert (action.isEnabled(), action.toolTip()) == (False, "There is no second person in view")


def test_the_demo_is_one_key_away(running, engines, qtbot):
    press(running, qtbot, "Ctrl+D")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.source == "demo"
    assert running.toolbar.source.value == "demo"


def test_f1_lists_every_shortcut_without_blocking(running, qtbot):
    press(running, qtbot, "F1")
    (dialog,) = open_dialogs(ShortcutsDialog)
    keys = [keys for keys, _ in shortcut_rows()]
    assert len(keys) == len(set(keys)), "a shortcut is used twice"
    dialog.close()


def test_a_file_is_asked_for_without_blocking(running, engines, qtbot):
    press(running, qtbot, "Ctrl+O")
    (dialog,) = open_dialogs(QFileDialog)
    dialog.fileSelected.emit("/videos/walk.mp4")
    dialog.close()
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.source == "/videos/walk.mp4"
    assert running.toolbar.source.currentText() == "walk.mp4"


def test_a_url_is_asked_for_without_blocking(running, engines, qtbot):
    pick(running.toolbar.source, choices.OPEN_URL)
    (dialog,) = open_dialogs(SourceDialog)
    dialog.address.setText("rtsp://camera/1")
    dialog._accept()
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.source == "rtsp://camera/1"


def test_a_folder_with_a_model_is_asked_for_without_blocking(running, engines):
    running.toolbar.model.offer(choices.model_choices())
    pick(running.toolbar.model, choices.OPEN_MODEL)
    (dialog,) = open_dialogs(QFileDialog)
    dialog.fileSelected.emit("/models/mine")
    dialog.close()
    assert engines.last.swaps == [("/models/mine", "auto")]
    assert running.toolbar.model.currentText() == "mine"


def test_the_folder_for_pictures_is_asked_for_and_remembered(running, qtbot, settings):
    press(running, qtbot, "Ctrl+Shift+S")
    (dialog,) = open_dialogs(QFileDialog)
    dialog.fileSelected.emit("/pictures")
    dialog.close()
    assert settings.save_folder == "/pictures"


@pytest.mark.parametrize(
    ("keys", "name"), [("Ctrl+2", "model"), ("Ctrl+3", "people"), ("Ctrl+4", "provider"), ("Ctrl+5", "pose")]
)
def test_every_list_opens_with_a_key(running, qtbot, keys, name):
    press(running, qtbot, keys)
    chooser = getattr(running.toolbar, name)
    assert chooser.view().isVisible()
    chooser.hidePopup()


def test_every_button_names_itself_and_its_key(running):
    for name, button in running.toolbar.buttons.items():
        keys = running.actions_by_name[name].shortcut().toString()
        assert keys, name
        assert keys in button.toolTip()
    for chooser in running.toolbar.findChildren(QComboBox):
        assert chooser.accessibleName()
        assert "(Ctrl+" in chooser.toolTip()
    for button in running.findChildren(QAbstractButton):
        assert button.accessibleName() or button.text() or not button.isVisible(), button


def test_tab_reaches_every_control(running, qtbot):
    wanted = {*running.toolbar.buttons.values(), running.events}
    wanted |= {running.toolbar.source, running.toolbar.model, running.toolbar.people, running.toolbar.provider}
    wanted.add(running.toolbar.pose)
    reached = set()
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget() or running, Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
    assert {b for b in wanted if b.isEnabled()} <= reached


def test_more_choices_close_after_a_choice(running, qtbot, engines):
    """A popup that stays open would take the keys."""
    running.resize(900, 600)
    toolbar = running.toolbar
    qtbot.waitUntil(lambda: toolbar.is_folded(toolbar.people))
    for value in ("2", "2"):  # another one, and the current one
        toolbar.more.click()
        assert toolbar._panel.isVisible()
        pick(toolbar.people, value)
        assert not toolbar._panel.isVisible()
    qtbot.waitUntil(lambda: engines.last.options.people == 2)


@pytest.mark.usefixtures("letters")
def test_the_narrowest_window_shows_the_whole_tool_bar_and_the_banners(open_window, qtbot, engines):
    window = open_window(source="/videos/a long name of a file.mp4")
    window.resize(10, 10)
    qtbot.waitUntil(lambda: window.toolbar.more.isVisible())
    qtbot.wait(20)
    source, more = window.toolbar.source, window.toolbar.more
    assert source.mapTo(window, source.rect().topRight()).x() < more.mapTo(window, QPoint()).x()
    assert window.rect().contains(window.toolbar.buttons["shortcuts"].mapTo(window, QPoint(30, 30)))
    window.demo.show()
    qtbot.waitUntil(lambda: window.demo.width() >= window.demo.minimumSizeHint().width())
    assert window.rect().contains(window.demo.mapTo(window, window.demo.rect().bottomRight()))


@pytest.mark.parametrize("size", [(900, 600), (1024, 768), (1280, 800)])
def test_the_record_bar_is_in_sight_as_soon_as_it_opens(running, qtbot, size):
    """The picture gives way to it."""
    running.resize(*size)
    running.actions_by_name["record"].trigger()
    bar = running.recording.bar
    qtbot.wait(100)  # it is laid out
    qtbot.waitUntil(lambda: bar.visibleRegion().boundingRect() == bar.rect())
    assert running.video.height() >= 160


@pytest.mark.parametrize("size", [(1280, 800), (1024, 700), (860, 560)])
def test_nothing_is_cut_off(running, engines, qtbot, size):
    running.resize(*size)
    engines.last.snapshot = StatsSnapshot(120.0, 118.0, 1234.0, 2345.0, 99999, 9, 99999)
    shown(running, qtbot, result(3.0), engines)
    running._show_stats()
    qtbot.wait(20)
    assert (running.width(), running.height()) == size
    inside = running.rect()
    for button in running.toolbar.buttons.values():
        corner = button.mapTo(running, QPoint(button.width(), button.height()))
        assert inside.contains(corner)
        assert button.width() >= button.sizeHint().width()
    for label in (running.status.camera, running.status.age, running.status.dropped, running.status.provider):
        assert label.width() >= label.sizeHint().width(), label.text()


def test_what_was_chosen_is_there_again(open_window, engines, settings, qtbot):
    first = open_window()
    first.resize(1100, 650)
    pick(first.toolbar.people, "2")
    press(first, qtbot, "Ctrl+T")
    first.close()
    remembered = UserSettings.load()
    assert (remembered.people, remembered.large_text) == (2, True)
    assert remembered.source == "auto", "what was not chosen in the window is not remembered"
    settings.geometry = remembered.geometry
    assert open_window().height() == 650  # the width depends on the screen: offscreen it is small


def test_broken_geometry_is_no_error(open_window, settings):
    settings.geometry = "not base64 at all!"
    assert open_window().isVisible()


@pytest.mark.parametrize("moment", ["starting", "running", "paused", "retrying", "failed", "stopping", "changing"])
def test_closing_at_any_moment(open_window, engines, qtbot, moment, ui_threads):
    engines.stop_s = 0.2
    before = ui_threads()
    window = open_window()
    engine = engines.last
    if moment != "starting":
        engine.run()
        engine.give(result(1.0))
    if moment == "paused":
        engine.pause()
    if moment == "retrying":
        engine.fail(Failure("source", "gone", False, 8.0), EngineState.RETRYING)
    if moment == "failed":
        engine.fail(Failure("source", "gone"))
    qtbot.wait(30)
    if moment == "stopping":
        window.live.stop()
    if moment == "changing":
        window.run_choices.choose_source("demo")
    asked = time.monotonic()
    window.close()
    assert time.monotonic() - asked < 2.0
    assert engine.state is EngineState.STOPPED
    assert ui_threads() == before
    qtbot.wait(100)
    assert len(engines.made) == 1, "nothing starts any more"


def test_seconds_end_the_program(open_window, engines, qtbot):
    window = open_window(seconds=2.0)
    engines.last.run()
    qtbot.wait(150)
    assert window.isVisible()
    engines.last.state = EngineState.STOPPED
    qtbot.waitUntil(lambda: not window.isVisible())


def test_the_end_of_a_file_keeps_the_last_picture(open_window, engines, qtbot):
    window = open_window(source="walk.mp4")
    engines.last.run("walk.mp4")
    given = result(3.0)
    shown(window, qtbot, given, engines)
    engines.last.state = EngineState.STOPPED
    qtbot.waitUntil(lambda: window.video._notice == "The end. F5 plays it again")
    assert window.video.result is given
    press(window, qtbot, "F5")
    qtbot.waitUntil(lambda: len(engines.made) == 2)


def test_a_slow_stop_does_not_freeze_the_window(running, engines, qtbot):
    engines.last._stop_s = 0.6
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(10)
    pick(running.toolbar.source, "demo")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    timer.stop()
    assert len(ticks) > 10
    assert max(b - a for a, b in pairwise(ticks)) < 0.4


def test_lists_stay_bounded(running, engines):
    """A day's worth of rows and stretches is bounded, whatever the window has seen."""
    for number in range(2000):
        time_s = number / 10
        events = [start("walk", time_s), end("walk", time_s, duration_s=0.1)]
        engines.last.give(result(time_s, events=events, size=(64, 48)))
        running.live.pull()
    assert running.events.events.rowCount() <= 500
    assert sum(len(row) for row in running.timeline.history.rows.values()) <= 4 * 401
