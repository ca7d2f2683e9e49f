"""The frames of a run with the people in them, found by a worker beside everything else."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from app.live.stats import Stats
from pose.process import IN_WORK
from pose.types import Frame, Pose

PosedFrame = tuple[Frame, tuple[Pose, ...]]


class PoseWorker(Protocol):
    """Finds people in successive frames of one source, elsewhere; pose.process.PoseProcess."""

    def ready(self) -> None:
        """Wait until it can work. Raises PoseModelError."""
        ...

    def take_processor(self) -> None:
        """Keep everything else of this program off the processor that it works on."""
        ...

    def submit(self, frame: Frame) -> None:
        """Hand over a frame, in order of time; at most IN_WORK without taking a result. Raises PoseError."""
        ...

    def result(self) -> tuple[tuple[Pose, ...], float]:
        """Wait for the people in the next frame, and the milliseconds that finding them took. Raises PoseError."""
        ...

    def close(self) -> None:
        """Free it. Any number of times."""
        ...


class PoseStage:
    """The frames that next_frame() gives, with the people in them, in order.

    ahead: hand over the next frame while one is worked on, so that the worker never waits. For runs that lose nothing;
    a live frame would grow old there, so it is only taken when the worker is free.
    next_frame(): blocks; None at the end. What the worker or next_frame raises is raised by the iteration.
    took(seconds): called after each frame with the time that it kept the next one waiting.
    """

    def __init__(
        self,
        worker: PoseWorker,
        next_frame: Callable[[], Frame | None],
        stats: Stats,
        *,
        ahead: bool,
        took: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._worker = worker
        self._next_frame = next_frame
        self._stats = stats
        self._took = took
        self._free = threading.Semaphore(IN_WORK if ahead else 1)
        self._submitted: queue.SimpleQueue[tuple[Frame, float] | None] = queue.SimpleQueue()  # and when
        self._error: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._feed, name="pose-feed", daemon=True)

    def __iter__(self) -> Iterator[PosedFrame]:
        self._thread.start()
        freed_s = 0.0
        while (submitted := self._submitted.get()) is not None:
            frame, submitted_s = submitted
            poses, took_ms = self._worker.result()
            before_s, freed_s = freed_s, time.perf_counter()
            self._free.release()
            self._stats.took("pose", took_ms)
            self._took(freed_s - max(before_s, submitted_s))
            yield frame, poses
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the thread. next_frame must return None from now on."""
        self._closing = True
        self._free.release()
        if self._thread.ident is not None:
            self._thread.join()

    def _feed(self) -> None:
        try:
            while self._free.acquire() and not self._closing and (frame := self._next_frame()) is not None:
                began_s = time.perf_counter()
                self._worker.submit(frame)
                self._submitted.put((frame, began_s))
        except Exception as error:  # noqa: BLE001  top of the thread: it is raised where the poses are taken
            self._error = error
        finally:
            self._submitted.put(None)
