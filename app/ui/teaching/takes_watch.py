"""Reads the takes of a library off the window's thread, again whenever its files have changed."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.ui.jobs import Jobs
from app.ui.teaching import take_store
from app.ui.teaching.library_summary import Files, files_of
from app.ui.teaching.take_store import TakesByAction

_WATCH_MS = 1000


class TakesWatch(QObject):
    """found: the takes as they are now. failed: one line, where they cannot be read. looked: every second."""

    found = Signal(object)  # TakesByAction
    failed = Signal(str)
    looked = Signal()

    def __init__(self, root: Path, jobs: Jobs, wanted: Callable[[], tuple[str, ...]], parent: QObject) -> None:
        """wanted: the actions that are read whatever else there is."""
        super().__init__(parent)
        self._root, self._jobs, self._wanted = root, jobs, wanted
        self._seen: Files = ()
        self._reading = self._stale = self._ended = False
        self._held = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_WATCH_MS)
        self._timer.timeout.connect(self._look)

    @property
    def active(self) -> bool:
        """Whether it looks for changes."""
        return self._timer.isActive()

    def start(self) -> None:
        """Read now, and look for changes from now on."""
        self._timer.start()
        self.read()

    def stop(self) -> None:
        """Look for changes no more."""
        self._timer.stop()

    def end(self) -> None:
        """The window closes: nothing is emitted any more."""
        self._ended = True
        self._timer.stop()

    def hold(self) -> None:
        """Read nothing until release(), for the library is being changed; what is being read now is not told."""
        self._held += 1
        self._stale = True

    def release(self) -> None:
        """The change that hold() was called for is over: read."""
        self._held -= 1
        self.read()

    def read(self) -> None:
        """Read the library."""
        if self._reading or self._held or self._ended:
            self._stale = True  # what is being read is older than what has just changed
            return
        self._reading, self._stale = True, False
        wanted = self._wanted()
        self._jobs.start("takes", lambda: take_store.read_takes(self._root, wanted), self._pass_on, self._fail)

    def _look(self) -> None:
        self.looked.emit()
        if not self._reading and self._seen != files_of(self._root):
            self.read()

    def _pass_on(self, takes: TakesByAction) -> None:
        self._reading = False
        if self._stale:
            self.read()
        elif not self._ended:
            self._seen = takes.seen
            self.found.emit(takes)

    def _fail(self, line: str) -> None:
        self._reading, self._seen = False, files_of(self._root)  # not again before something has changed
        if self._stale:
            self.read()
        elif not self._ended:
            self.failed.emit(line)
