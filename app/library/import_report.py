"""Reporting of an import: progress, cancel, and a line for each thing that could not be imported."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.library.errors import LibraryError
from pose.address import public_source
from pose.errors import ActionLensError
from pose.estimators import AUTO


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """done of total things, with parts of those at work; name: the one that was finished last."""

    done: float
    total: int
    name: str = ""


@dataclass(slots=True)
class ImportReport:
    """recordings: ids of what came in. problems: a line for each thing that did not. cancelled: before all was done.

    copies: a line for each thing that was left out because the library has it already.
    """

    recordings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    cancelled: bool = False
    copies: list[str] = field(default_factory=list)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """An error in the block becomes a line, so that what is in this report is not lost with it. Where there is
        nothing in it yet, the error is raised: ActionLensError, OSError."""
        try:
            yield
        except (ActionLensError, OSError) as error:
            if not (self.recordings or self.problems or self.copies):
                raise
            line = f"the import has ended early ({getattr(error, 'strerror', None) or error}); import the rest again"
            self.problems.append(str(error) if isinstance(error, ActionLensError) else line)


def refused(path: Path, error: OSError) -> LibraryError:
    """What the system says of something that is to be imported."""
    name, why = public_source(str(path)), error.strerror or error
    return LibraryError(f"{name} cannot be imported ({why}); check its name, its permissions and the room on the disk")


Tell = Callable[[ImportProgress], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import.

    action: what all of it shows, "" for not known. action_from_folder: the name of the folder that a video is in.
    who, session: of all of it. skeleton_only: keep no pixels. people: to follow in videos, 1 to 8. pose: what
    finds them, as in the options of a run. jobs: videos at a time. backend: "local" or "ray".
    """

    action: str = ""
    action_from_folder: bool = False
    who: str = ""
    session: str = ""
    skeleton_only: bool = False
    people: int = 1
    pose: str = AUTO
    jobs: int = 2
    backend: str = "local"


class ProgressReporter:
    """Passes progress on from any thread, never backwards."""

    def __init__(self, tell: Tell | None, total: int) -> None:
        self._tell, self._total = tell, total
        self._done = 0.0
        self._lock = threading.Lock()

    def __call__(self, done: float, name: str = "") -> None:
        """So many things are done, the last of them `name`."""
        with self._lock:
            moved = done > self._done
            self._done = max(min(done, float(self._total)), self._done)
            if self._tell is not None and (moved or name):
                self._tell(ImportProgress(self._done, self._total, name))


class Ticker:
    """Calls back regularly on its own thread while the context is open."""

    def __init__(self, tick: Callable[[], None], every_s: float = 0.2) -> None:
        self._tick, self._every_s = tick, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="import-progress", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            self._tick()
