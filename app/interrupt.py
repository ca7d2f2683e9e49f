"""Ctrl-C and SIGTERM: the first asks a run to end, the second ends the process."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

STATUS = 130


class Interrupt:
    """While it is entered, a signal sets `requested` instead of raising KeyboardInterrupt. Main thread only."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested.is_set():
            os._exit(STATUS)
        self.requested.set()
