"""Data sets as training reads them: every sequence that can be used, and a line for each that cannot."""

import logging
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from recognizer.datasets.dataset import ReadResult
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.sequences import ActionSequence, LabelledSequence

log = logging.getLogger(__name__)
Read = TypeVar("Read")


def action_sequences(found: Iterable[ReadResult]) -> Iterator[ActionSequence]:
    """The sequences of one action each; a line in the log for whatever cannot be used."""
    return (one for one in log_errors(found) if isinstance(one, ActionSequence))


def labelled_sequences(found: Iterable[ReadResult]) -> Iterator[LabelledSequence]:
    """The sequences with segments; a line in the log for whatever cannot be used."""
    return (one for one in log_errors(found) if isinstance(one, LabelledSequence))


def log_errors(found: Iterable[Read | DataError]) -> Iterator[Read]:
    """The items that could be read; errors are logged, one line each, and skipped."""
    for one in found:
        if isinstance(one, DataError):
            level = logging.WARNING if isinstance(one, EmptyFileError) else logging.ERROR
            log.log(level, "%s", one)
        else:
            yield one


class SkippedFiles(logging.Filter):
    """While it is entered, each skipped file is logged once, however often it is read.

    damaged: number of skipped files and clips, without the empty ones that some sets publish.
    """

    def __init__(self) -> None:
        super().__init__()
        self.damaged = 0
        self._logged: set[str] = set()

    def __enter__(self) -> "SkippedFiles":
        log.addFilter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line that was logged before."""
        line = record.getMessage()
        if line in self._logged:
            return False
        self._logged.add(line)
        self.damaged += record.levelno >= logging.ERROR
        return True
