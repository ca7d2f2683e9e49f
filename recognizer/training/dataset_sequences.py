"""Data sets as training reads them: every sequence that can be used, and a line for each that cannot."""

import logging
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from recognizer.datasets.dataset import Found
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.sequences import ActionSequence, LabelledSequence

log = logging.getLogger(__name__)
Read = TypeVar("Read")


def action_sequences(found: Iterable[Found]) -> Iterator[ActionSequence]:
    """The sequences of one action each; a line in the log for whatever cannot be used."""
    return (one for one in told(found) if isinstance(one, ActionSequence))


def labelled_sequences(found: Iterable[Found]) -> Iterator[LabelledSequence]:
    """The sequences with segments; a line in the log for whatever cannot be used."""
    return (one for one in told(found) if isinstance(one, LabelledSequence))


def told(found: Iterable[Read | DataError]) -> Iterator[Read]:
    """What could be read; a line in the log for whatever cannot be used."""
    for one in found:
        if isinstance(one, DataError):
            level = logging.WARNING if isinstance(one, EmptyFileError) else logging.ERROR
            log.log(level, "%s", one)
        else:
            yield one


class LeftOut(logging.Filter):
    """While it is entered, each line is told once, however often its file is read.

    damaged: files and clips that were left out, but for those that are whole and empty, as some sets publish them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.damaged = 0
        self._told: set[str] = set()

    def __enter__(self) -> "LeftOut":
        log.addFilter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line that was told already."""
        line = record.getMessage()
        if line in self._told:
            return False
        self._told.add(line)
        self.damaged += record.levelno >= logging.ERROR
        return True
