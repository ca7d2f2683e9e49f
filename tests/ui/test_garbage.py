"""Where Python's garbage is collected while a window is open."""

import gc
import threading

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.garbage import EventLoopCollector, collect_due_generation
from app.ui.theme import DARK, LIGHT, Theme


class CyclicObject(QObject):
    """Records the thread that destroys it. Part of a reference cycle, so that only the collector can."""

    def __init__(self, destroyed_on):
        super().__init__()
        self.itself = self
        self.destroyed.connect(lambda *_: destroyed_on.append(threading.current_thread().name))


def make_garbage(objects=1000):
    """Objects enough to start a collection wherever Python is free to."""
    kept = []
    for _ in range(objects):
        kept.append([])
        kept[-1].append(kept[-1])


@pytest.fixture
def python_collects():
    """Python's own collection is on, as it is when the program starts."""
    gc.enable()
    yield
    gc.disable()


def test_nothing_is_collected_on_another_thread(qtbot, python_collects):
    destroyed_on = []
    with EventLoopCollector():
        CyclicObject(destroyed_on)
        worker = threading.Thread(target=make_garbage)
        worker.start()
        worker.join()
        assert destroyed_on == []
        qtbot.waitUntil(lambda: destroyed_on == ["MainThread"], timeout=60_000)


def test_python_collects_again_when_the_window_is_closed(qapp, python_collects):
    with EventLoopCollector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off(qapp):
    with EventLoopCollector():
        pass
    assert not gc.isenabled()


def test_the_oldest_generation_that_is_due_is_collected(python_collects):
    collected = []

    def note(phase, about):
        if phase == "start":
            collected.append(about["generation"])

    gc.disable()
    gc.collect()
    gc.callbacks.append(note)
    try:
        for _ in range(200):
            make_garbage()
            collect_due_generation()
    finally:
        gc.callbacks.remove(note)
    assert set(collected) == {0, 1, 2}


class Busy(QLabel):
    """A widget that makes garbage whenever the theme changes, as every widget with a method in Python may."""

    def event(self, event):
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            make_garbage()
        return super().event(event)


def test_the_theme_changes_while_closed_windows_wait_to_be_collected(qtbot, qapp, python_collects):
    """Qt goes on over a list of widgets made before: none of them may be destroyed meanwhile (it was a crash)."""
    with EventLoopCollector():
        for _ in range(5):
            closed = QWidget()
            closed.itself = closed
            for _ in range(20):
                Busy(closed)
        del closed
        theme = Theme(qapp, DARK)
        theme.choose(LIGHT)
        theme.choose(DARK)
