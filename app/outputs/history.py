"""What was done when, kept in SQLite on this machine for as long as the user wants it. Nothing is kept unless asked."""

import logging
import math
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from app.errors import OutputError
from app.outputs.event_table import write_table
from app.results import Result
from pose.types import Frame

log = logging.getLogger(__name__)

COLUMNS = ("start", "action", "person", "duration_s", "count")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS done (
    started REAL NOT NULL,    -- seconds since 1970
    action TEXT NOT NULL,
    person INTEGER NOT NULL,
    duration_s REAL NOT NULL,
    count INTEGER             -- repetitions; NULL where none are counted
);
CREATE INDEX IF NOT EXISTS done_started ON done (started);
"""
_MAX_WAITING = 256
_BUSY_S = 3.0
_CLOSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """An action that has ended. started: seconds since 1970."""

    started: float
    action: str
    person: int
    duration_s: float
    count: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """One action over some time. times: how often it was begun. count: its repetitions, where they are counted."""

    action: str
    seconds: float
    times: int
    count: int
    longest_s: float


def history_path() -> Path:
    """The path of the history file."""
    return user_data_path("actionlens", appauthor=False) / "history.sqlite"


class History:
    """The history file. Each call opens it anew, so any thread may; OutputError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, done: Done) -> None:
        """Store one; the file is created with the first."""
        with self._opened() as connection:
            connection.execute(
                "INSERT INTO done VALUES (?, ?, ?, ?, ?)",
                (done.started, done.action, done.person, done.duration_s, done.count),
            )

    def totals(self, since: float, until: float) -> list[Total]:
        """Totals by action of what began in that time, the longest first."""
        rows = self._rows(
            "SELECT action, sum(duration_s), count(*), coalesce(sum(count), 0), max(duration_s) FROM done "
            "WHERE started >= ? AND started < ? GROUP BY action ORDER BY 2 DESC, 1",
            (since, until),
        )
        return [Total(*row) for row in rows]

    def parts(self, edges: list[float]) -> list[dict[str, float]]:
        """Seconds by action between each two edges (seconds since 1970)."""
        return [
            {total.action: total.seconds for total in self.totals(since, until)} for since, until in pairwise(edges)
        ]

    def export(self, target: Path) -> int:
        """Export everything as a table; returns the number of rows."""
        rows = self._rows("SELECT started, action, person, duration_s, count FROM done ORDER BY started", ())
        write_table(
            target,
            COLUMNS,
            (
                (
                    datetime.fromtimestamp(started).astimezone().isoformat(timespec="seconds"),
                    action,
                    str(person),
                    f"{duration_s:.1f}",
                    "" if count is None else str(count),
                )
                for started, action, person, duration_s, count in rows
            ),
        )
        return len(rows)

    def delete(self) -> None:
        """Delete everything, including the file."""
        try:
            for file in (
                self.path,
                *(self.path.with_name(self.path.name + end) for end in ("-journal", "-wal", "-shm")),
            ):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot delete {self.path}: {error.strerror or error}; close what uses it") from None

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        with self._opened() as connection:
            return connection.execute(sql, values).fetchall()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_S)) as connection, connection:
                connection.execute("PRAGMA secure_delete = ON")
                connection.executescript(_SCHEMA)
                yield connection
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"the history in {self.path} cannot be used ({error}); delete it or check its folder"
            ) from None


class HistoryLog:
    """A tap that keeps each action when it ends, on a thread of its own; the run never waits.

    wanted(): whether this is to be kept now. failed(line): it cannot be; on the log's thread, once.
    clock: seconds since 1970. counter: as of the frames' captured_s.
    """

    def __init__(
        self,
        history: History,
        wanted: Callable[[], bool] = lambda: True,
        failed: Callable[[str], None] = log.warning,
        clock: Callable[[], float] = time.time,
        counter: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._history, self._wanted, self._failed = history, wanted, failed
        self._clock, self._counter = clock, counter
        self._captured_s = self._captured_at = math.nan  # of the newest frame, by either clock
        self._queue: queue.Queue[Done | None] = queue.Queue(_MAX_WAITING)
        self._reported = False
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def __call__(self, result: Result) -> None:
        """The tap."""
        captured_at = self._time_of_day(result.frame)
        ended = [event for event in result.events if event.kind == "end"]
        if not ended or not self._wanted():
            return
        for event in ended:
            duration_s = event.duration_s or 0.0
            started = captured_at - (result.frame.time_s - event.time_s) - duration_s
            done = Done(started, event.action, event.person, duration_s, event.count)
            try:
                self._queue.put_nowait(done)
            except queue.Full:
                self._tell("the disk is too slow to keep the history: some of it is lost")

    def _time_of_day(self, frame: Frame) -> float:
        """When it was captured, in seconds since 1970. Determined while it is new: the end of a run repeats the last
        frame, perhaps after a pause of hours, in which the computer may have slept."""
        if frame.captured_s != self._captured_s:
            self._captured_s = frame.captured_s
            self._captured_at = self._clock() - (self._counter() - frame.captured_s)
        return self._captured_at

    def close(self) -> None:
        """Write what waits, for a second at most."""
        try:
            self._queue.put(None, timeout=_CLOSE_S)
        except queue.Full:
            return
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while (done := self._queue.get()) is not None:
            try:
                self._history.add(done)
            except OutputError as error:
                self._tell(str(error))

    def _tell(self, line: str) -> None:
        if not self._reported:
            self._reported = True
            self._failed(line)


def day_start(now: datetime, days_ago: int = 0) -> float:
    """Midnight, in seconds since 1970; by the calendar, so that days with another clock are right."""
    day = now.date() - timedelta(days=days_ago)
    return datetime(day.year, day.month, day.day).astimezone().timestamp()


def week_start(now: datetime) -> float:
    """Midnight of its Monday."""
    return day_start(now, now.weekday())
