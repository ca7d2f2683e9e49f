"""A one-place mailbox between two threads: the newest value wins and nothing ever queues."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The newest value put and not yet taken.

    A put over a value that nobody took counts as a drop. With block=True a put waits instead
    until the place is free: for files that are measured or annotated, where every frame counts.
    """

    def __init__(self, *, block: bool = False) -> None:
        self._block = block
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self._dropped = 0

    def put(self, value: T) -> bool:
        """Leave a value; False where the mailbox is closed and the value was not taken in."""
        with self._condition:
            if self._block:
                self._condition.wait_for(lambda: self._value is None or self._closed)
            if self._closed:
                return False
            if self._value is not None:
                self._dropped += 1
            self._value = value
            self._condition.notify_all()
            return True

    def take(self, timeout_s: float | None = None) -> T | None:
        """Remove and return the value, waiting for one; None after the timeout, or when closed and empty."""
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed, timeout_s)
            value, self._value = self._value, None
            self._condition.notify_all()
            return value

    def close(self) -> None:
        """Wake everybody; a value already there can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """True once close() was called."""
        return self._closed

    @property
    def dropped(self) -> int:
        """How many values were overwritten before anybody took them."""
        return self._dropped
