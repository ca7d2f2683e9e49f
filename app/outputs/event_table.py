"""Actions as a table of comma-separated values: a row for each action that has ended."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from app.errors import OutputError
from app.outputs.json_lines import JsonLinesWriter
from app.results import Result
from pose.whole_file import write_bytes
from recognizer.decision import ActionEvent

COLUMNS = ("start_s", "end_s", "person", "action", "duration_s", "count", "score")


def row_of(event: ActionEvent) -> tuple[str, ...]:
    """The cells of an action that has ended: seconds of the source's clock; count is empty where nothing counts."""
    duration_s = event.duration_s or 0.0
    cells = cells_of(event.time_s - duration_s, duration_s, event.person, event.action, event.count)
    return (*cells, f"{event.score:.4f}")


def cells_of(start_s: float, duration_s: float, person: int, action: str, count: int | None) -> tuple[str, ...]:
    """The same without the score."""
    return (
        f"{start_s:.3f}",
        f"{start_s + duration_s:.3f}",
        str(person),
        action,
        f"{duration_s:.3f}",
        "" if count is None else str(count),
    )


def csv_line(cells: Iterable[str]) -> str:
    """One line without its end; quoted as RFC 4180 says."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


class EventTableWriter:
    """A tap that writes each action as a line at once when it ends.

    A file of that name that already holds something is renamed to NAME.bak, in place of an earlier one. Raises
    OutputError where it cannot be opened, and once where it cannot be written any more.
    """

    def __init__(self, target: Path) -> None:
        self._writer = JsonLinesWriter(target)
        self._writer.write([csv_line(COLUMNS)])

    def __call__(self, result: Result) -> None:
        """The tap."""
        self._writer.write(csv_line(row_of(event)) for event in result.events if event.kind == "end")

    def close(self) -> None:
        """Close the file. Any number of times."""
        self._writer.close()


def write_table(target: Path, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A whole table at once, through a temporary file. Raises OutputError where it cannot be written."""
    text = "".join(csv_line(cells) + "\n" for cells in (columns, *rows))
    try:
        write_bytes(target, text.encode("utf-8", "replace"))
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}; choose another place") from None
