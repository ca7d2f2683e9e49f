"""Room for the results that wait between a tap and its thread."""

import threading
from collections.abc import Callable


class Room:
    """For so many bytes at most, of any threads; a larger result fits while nothing else waits. dropped: results
    that found no room since count_again()."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._changed = threading.Condition()
        self.dropped = 0

    def take(self, size: int, waits: Callable[[], bool]) -> bool:
        """Take room for a result; whether there was any. It is waited for as long as waits() says so."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(size) or not waits())
            if not self._fits(size):
                self.dropped += 1
                return False
            self._bytes += size
            return True

    def give_back(self, size: int) -> None:
        """The result waits no longer."""
        with self._changed:
            self._bytes -= size
            self._changed.notify_all()

    def count_again(self) -> None:
        """Count what is dropped from 0."""
        with self._changed:
            self.dropped = 0

    def _fits(self, size: int) -> bool:
        return not self._bytes or self._bytes + size <= self._most_bytes
