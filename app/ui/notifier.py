"""Notices between the parts of the window, in place of Qt's signals."""

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Notifier(Generic[P]):
    """Calls everybody who is connected, at once, on the caller's thread.

    Unlike a Qt signal its arguments have types that are checked, and it does not rely on Signal.emit(), with which
    PySide 6.12.0 ends a process on Python 3.11: it gives back references to True that it never took.
    """

    def __init__(self) -> None:
        self._slots: list[Callable[P, object]] = []

    def connect(self, slot: Callable[P, object]) -> None:
        """Call it with every notice."""
        self._slots.append(slot)

    def disconnect(self, slot: Callable[P, object]) -> None:
        """Call it no more."""
        self._slots = [s for s in self._slots if s != slot]

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Give notice."""
        for slot in self._slots:
            slot(*args, **kwargs)
