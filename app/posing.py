"""Poses on a thread of their own, while what is made of the last ones runs beside it.

MediaPipe computes without Python's lock, so on two cores most of the other work is done beside it (docs/benchmarks.md).
"""

import threading
from collections.abc import Callable, Iterator

from app.latest import Latest
from app.stats import Stats
from pose.estimator import PoseEstimator
from pose.types import Frame, Pose

Posed = tuple[Frame, tuple[Pose, ...]]


class Posing:
    """The frames of a run with the people in them, in order. At most one waits while the next is worked on.

    next_frame(): blocks; None at the end. What the estimator raises is raised by the iteration.
    """

    def __init__(self, estimator: PoseEstimator, next_frame: Callable[[], Frame | None], stats: Stats) -> None:
        self._estimator = estimator
        self._next_frame = next_frame
        self._stats = stats
        self._posed: Latest[Posed] = Latest(block=True)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="pose", daemon=True)

    def __iter__(self) -> Iterator[Posed]:
        self._thread.start()
        while (posed := self._posed.take()) is not None:
            yield posed
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the thread. next_frame must return None from now on."""
        self._posed.close()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while (frame := self._next_frame()) is not None:
                with self._stats.stage("pose"):
                    poses = self._estimator.estimate(frame)
                if not self._posed.put((frame, poses)):
                    return
        except Exception as error:  # noqa: BLE001  top of the thread: it is raised where the poses are taken
            self._error = error
        finally:
            self._posed.close()
