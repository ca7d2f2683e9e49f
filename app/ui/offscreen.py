"""The real window without a screen, for the benchmark."""

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.interrupt import Interrupt
from app.live.engine import Engine
from app.settings import UserSettings
from app.ui.garbage import EventLoopCollector
from app.ui.main_window import MainWindow
from app.ui.run import show_until_closed
from app.ui.theme import Theme

_POLL_MS = 50


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
    with (
        TemporaryDirectory(prefix="actionlens-bench-") as folder,
        Interrupt() as interrupt,
        EventLoopCollector(),
    ):
        no_rules = Path(folder) / "alerts.toml"
        no_rules.touch()  # the user's own must not fire at what is measured
        options = replace(engine.options, alerts=no_rules)
        window = MainWindow(lambda options: engine, options, settings, Theme(application, "light"), list)
        timer = QTimer()
        timer.timeout.connect(lambda: window.close() if engine.wait(0) or interrupt.requested.is_set() else None)
        show_until_closed(application, window, timer, _POLL_MS)
    if interrupt.requested.is_set():
        raise KeyboardInterrupt
