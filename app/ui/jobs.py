"""Work that must not block the window: each job on a thread of its own, its outcome back on the window's thread."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from pose.errors import ActionLensError

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None] | None
    outcome: Any = None
    error: str | None = None


class Jobs(QObject):
    """Runs jobs until it is closed; after that no outcome is delivered any more."""

    _ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._ended.connect(self._deliver)  # queued, because it is emitted on the job's thread

    def start(
        self, name: str, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[str], None] | None = None
    ) -> None:
        """Call work() on a thread, then done(outcome), or failed(one line) where it raised, on the window's thread."""
        job = _Job(work, done, failed)
        thread = threading.Thread(target=self._run, args=(job,), name=name, daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def close(self, timeout_s: float) -> bool:
        """Wait for what still runs; False where something is stuck and left behind."""
        self._closed = True
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, job: _Job) -> None:
        try:
            job.outcome = job.work()
        except ActionLensError as error:
            job.error = str(error)
        except Exception as error:  # top of the thread: it must reach the window
            log.exception("%s failed", threading.current_thread().name)
            job.error = f"{type(error).__name__}: {error}"
        if not self._closed:
            self._ended.emit(job)

    def _deliver(self, job: _Job) -> None:
        if self._closed:
            return
        if job.error is None:
            job.done(job.outcome)
        elif job.failed is not None:
            job.failed(job.error)
