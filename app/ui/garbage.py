"""Runs Python's garbage collector between Qt events, on the window's thread only."""

import gc
from types import TracebackType

from PySide6.QtCore import QObject, QTimer

_POLL_MS = 500


class EventLoopCollector(QObject):
    """A context manager: automatic collection is off, and a timer on the entering thread collects instead.

    A collection destroys the Qt objects of closed windows. Python starts one wherever memory is asked for: on the
    thread of the camera or of the recognizer, where Qt objects may not be destroyed, or in the middle of Qt's walk
    over all widgets when the theme changes, which then goes on with a widget that is gone. Both end the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(collect_due_generation)
        self._was_on = gc.isenabled()

    def __enter__(self) -> "EventLoopCollector":
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        if self._was_on:
            gc.enable()


def collect_due_generation() -> None:
    """Collect the oldest generation whose count is over Python's threshold (gc.get_threshold); 0 is never."""
    for generation in (2, 1, 0):
        threshold = gc.get_threshold()[generation]
        if threshold and gc.get_count()[generation] > threshold:
            gc.collect(generation)
            return
