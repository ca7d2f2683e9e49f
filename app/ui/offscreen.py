"""The real window without a screen, for the benchmark."""

import os
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.engine import Engine
from app.interrupt import Interrupt
from app.settings import UserSettings
from app.ui.garbage import CollectsBetweenEvents
from app.ui.main_window import MainWindow
from app.ui.run import show_until_closed
from app.ui.theme import Theme

_LOOK_MS = 50


class _Unsaved(UserSettings):
    """Settings that leave the user's own alone."""

    def save(self, path: Path | None = None) -> None:
        """Save nothing."""


def show_offscreen(engine: Engine, *, attention: bool = False) -> None:
    """Start an engine in the main window, painted but not shown, and return when it has ended. attention: with the
    attention panel open. Raises KeyboardInterrupt where Ctrl-C ended it: raised within Qt it would be lost."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(["actionlens-bench"])
    settings = _Unsaved(attention=attention)
    with Interrupt() as interrupt, CollectsBetweenEvents():
        window = MainWindow(lambda options: engine, engine.options, settings, Theme(application, "light"), list)
        timer = QTimer()
        timer.timeout.connect(lambda: window.close() if engine.wait(0) or interrupt.requested.is_set() else None)
        show_until_closed(application, window, timer, _LOOK_MS)
    if interrupt.requested.is_set():
        raise KeyboardInterrupt
