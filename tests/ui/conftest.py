"""For every test of the window: no dialog that nobody asked for, no widget, timer or thread left behind."""

import gc
import os
import threading
from functools import partial
from pathlib import Path

import pytest
import shiboken6
from actor import User
from engine_fakes import InPlace
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QColorDialog, QDialog, QFileDialog, QInputDialog, QMessageBox
from window_fakes import Engines

from app.live.engine import Engine
from app.settings import RunOptions, UserSettings
from app.ui.main_window import MainWindow
from app.ui.theme import Theme

TIMEOUT_MS = 60_000
if os.environ.get("QT_QPA_PLATFORM") == "offscreen":  # whose own screen is 800 pixels wide, and windows fit theirs
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).with_name('screen.json')}"

_BLOCKING = (
    (QDialog, ("exec", "exec_")),
    (QMessageBox, ("exec", "exec_", "about", "critical", "information", "question", "warning")),
    (QFileDialog, ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")),
    (QInputDialog, ("getText", "getItem", "getInt", "getDouble")),
    (QColorDialog, ("getColor",)),
)


@pytest.fixture(autouse=True)
def _no_blocking_dialog(monkeypatch):
    opened = []
    for kind, names in _BLOCKING:
        for name in names:
            if hasattr(kind, name):
                monkeypatch.setattr(kind, name, lambda *_, what=f"{kind.__name__}.{name}", **__: opened.append(what))
    yield
    assert not opened, f"a dialog blocked the window: {opened}"


@pytest.fixture(autouse=True)
def alerts_file(monkeypatch, tmp_path):
    """Replaces the user's own rules, which would play sounds and send messages."""
    file = tmp_path / "config" / "alerts.toml"
    monkeypatch.setattr("app.ui.alerts.control.alerts_path", lambda: file)
    return file


@pytest.fixture(autouse=True)
def history_file(monkeypatch, tmp_path):
    """Replaces the user's own history."""
    file = tmp_path / "data" / "history.sqlite"
    monkeypatch.setattr("app.ui.history.control.history_path", lambda: file)
    return file


@pytest.fixture(scope="module", autouse=True)
def _no_collection_within_a_test():
    """As in the program (app.ui.garbage): the closed windows of one test may not be destroyed in the midst of another.

    What earlier tests left is frozen, so that the collection after every test is short.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _nothing_left(qapp, _no_collection_within_a_test, _no_blocking_dialog):
    yield
    _process_deferred_deletes()
    left = [f"{type(w).__name__} {w.windowTitle()!r}" for w in QApplication.topLevelWidgets() if w.isVisible()]
    timers = [t for t in gc.get_objects() if issubclass(type(t), QTimer) and shiboken6.isValid(t) and t.isActive()]
    for widget in QApplication.topLevelWidgets():  # so that one test that fails does not fail the others
        widget.close()
    for timer in timers:
        timer.stop()
    gc.collect()
    assert not left, f"top-level widgets left on the screen: {left}"
    assert not timers, f"timers left running: {timers} of {[t.parent() for t in timers]}"


def _process_deferred_deletes():
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


@pytest.fixture(scope="session")
def theme(qapp):
    return Theme(qapp, "dark")


@pytest.fixture(params=[9, 16], ids=["small letters", "large letters"])
def letters(request, qapp):
    """The application in two sizes of its font."""
    before = qapp.font()
    font = QFont(before)
    font.setPointSizeF(request.param)
    qapp.setFont(font)
    yield
    qapp.setFont(before)


@pytest.fixture
def qtbot(qtbot, monkeypatch):
    """Waits as long as a machine needs on which other tests run."""
    for wait in ("waitUntil", "waitSignal", "waitSignals", "waitActive", "waitExposed"):
        monkeypatch.setattr(qtbot, wait, partial(getattr(qtbot, wait), timeout=TIMEOUT_MS))
    return qtbot


@pytest.fixture
def settings():
    return UserSettings()


@pytest.fixture
def engines():
    return Engines()


@pytest.fixture
def open_window(qtbot, qapp, theme, settings, engines):
    """Opens a window on fake engines: open_window(source="demo", people=2, ...); the options are RunOptions."""
    opened = []

    def make(find_cameras=lambda: [(0, "Webcam"), (2, "")], **options):
        window = MainWindow(engines, RunOptions(**options), settings, theme, find_cameras)
        opened.append(window)
        window.show()
        window.activateWindow()
        with qtbot.waitActive(window):
            pass
        return window

    yield make
    for window in opened:
        window.close_now()
        window.deleteLater()


@pytest.fixture
def window(open_window):
    """A window whose run is starting."""
    return open_window()


@pytest.fixture
def own_library(tmp_path, monkeypatch):
    """The folder in which this test's window stores its recordings."""
    monkeypatch.setattr("app.ui.recording.control.library_root", lambda: tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def open_live_window(own_library, theme, settings, qtbot):
    """open_live_window(PERSON) opens the real window and engine; PERSON is both source and estimator (actor.Actor)."""
    opened = []

    def make(person):
        def engine(options):
            return Engine(options, open_source=lambda _: person, open_pose_worker=lambda *_: InPlace(person))

        made = MainWindow(engine, RunOptions(model="act", source="person", paced=False), settings, theme, list)
        opened.append(made)
        made.resize(made.minimumSize())  # less to paint
        made.show()
        qtbot.waitUntil(made.isActiveWindow)  # before it is, its keys do nothing
        return made

    yield make
    for made in opened:
        made.close()
        made.deleteLater()


@pytest.fixture
def user(open_live_window, actor, qtbot):
    """A user in front of the window; the test file's own fixture `actor` provides the movements."""
    window = open_live_window(actor)
    window.live.result.connect(lambda result: actor.see_up_to(result.frame.index))
    return User(window, actor, qtbot)


@pytest.fixture
def running(window, engines):
    """A window whose run goes well, before its first result."""
    engines.last.run()
    window.live.update_state()
    return window


@pytest.fixture
def ui_threads():
    """Names of the threads there are now, but for the main one."""
    return lambda: [t.name for t in threading.enumerate() if t is not threading.main_thread()]
