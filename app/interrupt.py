"""Ctrl-C and SIGTERM: the first asks a run to end, the second ends the process."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

STATUS = 130
raised = threading.Event()  # raise_and_end has been called
_LOST_S = 1.5  # for what cleans up after itself; by then a KeyboardInterrupt that ended nothing is lost in a library


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


def raise_and_end(number: int, frame: FrameType | None) -> None:
    """A signal's handler: KeyboardInterrupt, and the end of the process where that is swallowed, as some libraries do
    while they are loaded."""
    signal.signal(number, lambda *_: os._exit(STATUS))
    raised.set()
    end = threading.Timer(_LOST_S, os._exit, (STATUS,))
    end.daemon = True
    end.start()
    raise KeyboardInterrupt


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Defer Ctrl-C until the block is left, while loading what a KeyboardInterrupt would crash, such as Qt. Main thread
    only."""
    came: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(*came[0])
