"""Keeps a history of live runs while the user wants one."""

from collections import deque

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.outputs.history import History, HistoryLog, history_path
from app.settings import UserSettings
from app.ui.live_run import LiveRun, RunView
from app.ui.panel import Panel
from app.ui.sentences import sentence
from app.ui.theme import Theme

_POLL_MS = 500


class HistoryControl(QObject, Panel):
    """message: a line for the user. Files that are played are not kept: their actions are not today's.

    close() comes when the run has ended, for what was going on ends with it.
    """

    message = Signal(str)

    def __init__(self, live: LiveRun, settings: UserSettings, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.history = History(history_path())
        self._live, self._settings, self._theme, self._window = live, settings, theme, parent
        self._log: HistoryLog | None = None
        self._is_live = False  # the run; remembered, for it gives its last events when it is no longer in view
        self._lines: deque[str] = deque(maxlen=5)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        if settings.history:
            self.keep(True)

    @property
    def kept(self) -> bool:
        """Whether it is switched on."""
        return self._log is not None

    def keep(self, on: bool) -> None:
        """From now on, or no longer; what is there stays until it is deleted."""
        self._settings.history = on
        if on and self._log is None:
            self._log = HistoryLog(self.history, lambda: self._is_live, self._lines.append)
            self._live.add_tap(self._log)
            self._timer.start()
        elif not on:
            self.close()

    def begin_run(self) -> None:
        """Another run begins, of which nothing is known yet."""
        self._is_live = False

    def show_run(self, view: RunView) -> None:
        """What is known of it."""
        if view.info is not None and view.info.source is not None:
            self._is_live = view.info.source.live

    def show(self) -> None:
        """The page."""
        from app.ui.history.page import HistoryPage  # it loads pyqtgraph

        page = self._window.findChild(HistoryPage)
        if page is None:
            page = HistoryPage(self, self._theme.colours, self._window)
        page.read()
        page.show()
        page.raise_()
        page.activateWindow()

    def close(self) -> None:
        """End; what waits is written. Any number of times."""
        self._timer.stop()
        if self._log is not None:
            self._live.remove_tap(self._log)
            self._log.close()
            self._log = None

    def _poll(self) -> None:
        while self._lines:
            self.message.emit(sentence(self._lines.popleft()))
