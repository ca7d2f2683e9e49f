"""Work that must not block the window: each job runs on its own thread and reports on the window's thread."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer

from pose.errors import ActionLensError

log = logging.getLogger(__name__)

T = TypeVar("T")

_POLL_MS = 30


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None] | None
    queue: str
    waits_for: threading.Thread | None
    outcome: Any = None
    error: str | None = None
    thread: threading.Thread | None = None

    def run(self) -> None:
        """On the job's thread."""
        if self.waits_for is not None:
            self.waits_for.join()
        try:
            self.outcome = self.work()
        except ActionLensError as error:
            self.error = str(error)
        except Exception as error:  # top of the thread: it must reach the window
            log.exception("%s failed", threading.current_thread().name)
            self.error = f"{type(error).__name__}: {error}"


class Jobs(QObject):
    """Runs jobs until it is closed; after that no outcome is delivered any more."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[_Job] = []
        self._over: list[_Job] = []  # whose outcome has not been delivered yet
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._deliver)

    def start(
        self,
        name: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
        queue: str = "",
    ) -> None:
        """Call work() on a thread, then done(outcome), or failed(one line) where it raised, on the window's thread.
        Jobs of one queue run one after another, in the order in which they are started."""
        before = [job.thread for job in self._jobs if queue and job.queue == queue]
        job = _Job(work, done, failed, queue, before[-1] if before else None)
        job.thread = threading.Thread(target=job.run, name=name, daemon=True)
        self._jobs.append(job)
        job.thread.start()
        self._timer.start()

    def close(self, timeout_s: float) -> bool:
        """Wait for what still runs; False where something is stuck and left behind."""
        self._timer.stop()
        deadline = time.monotonic() + timeout_s
        for job in self._jobs:
            if job.thread is not None:
                job.thread.join(max(0.0, deadline - time.monotonic()))
        return not any(job.thread is not None and job.thread.is_alive() for job in self._jobs)

    def _deliver(self) -> None:
        self._over += [job for job in self._jobs if job.thread is not None and not job.thread.is_alive()]
        self._jobs = [job for job in self._jobs if job not in self._over]
        while self._over:  # where one raises, the timer, which still runs, comes back for the rest
            job = self._over.pop(0)
            if job.error is None:
                job.done(job.outcome)
            elif job.failed is not None:
                job.failed(job.error)
        if not self._jobs:
            self._timer.stop()
