"""Rates, ages and stage times over the last few seconds, from any thread, in bounded memory."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import numpy as np

from app.results import Result, StatsSnapshot

SPAN_S = 3.0
_KEPT = 1024  # more than SPAN_S of any camera; bounds the memory whatever happens


class Stats:
    """What the engine's threads report and the window shows.

    clock: monotonic seconds, injectable.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._captured_at: deque[float] = deque(maxlen=_KEPT)
        self._processed_at: deque[float] = deque(maxlen=_KEPT)
        self._decided: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # (when, age in ms)
        self._painted: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._stages: dict[str, deque[float]] = {}
        self._captured = 0
        self._processed = 0

    def captured(self) -> None:
        """A frame came from the source."""
        now = self._clock()
        with self._lock:
            self._captured += 1
            self._captured_at.append(now)

    def processed(self, result: Result) -> None:
        """A result is ready."""
        with self._lock:
            self._processed += 1
            self._processed_at.append(result.decided_s)
            self._decided.append((result.decided_s, result.age_ms))

    def painted(self, result: Result) -> None:
        """A result is on the screen; ages are then counted to here."""
        now = self._clock()
        with self._lock:
            self._painted.append((now, (now - result.frame.captured_s) * 1000.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage of the inference thread."""
        start = time.perf_counter()
        yield
        self.took(name, (time.perf_counter() - start) * 1000.0)

    def took(self, name: str, elapsed_ms: float) -> None:
        """A stage was timed elsewhere."""
        with self._lock:
            self._stages.setdefault(name, deque(maxlen=128)).append(elapsed_ms)

    def snapshot(self, dropped: int = 0, note: str = "") -> StatsSnapshot:
        """Counters since the start, rates and ages over the last SPAN_S seconds."""
        now = self._clock()
        with self._lock:
            ages = _recent(self._painted, now) or _recent(self._decided, now)
            p50, p95 = (float(p) for p in np.percentile(ages, (50, 95))) if ages else (0.0, 0.0)
            return StatsSnapshot(
                camera_fps=_rate(self._captured_at, now),
                pose_fps=_rate(self._processed_at, now),
                age_p50_ms=p50,
                age_p95_ms=p95,
                captured=self._captured,
                processed=self._processed,
                dropped=dropped,
                note=note,
                stage_ms={name: median(times) for name, times in self._stages.items()},
            )


def _recent(ages: deque[tuple[float, float]], now: float) -> list[float]:
    return [age for when, age in ages if now - when <= SPAN_S]


def _rate(times: deque[float], now: float) -> float:
    recent = [when for when in times if now - when <= SPAN_S]
    if len(recent) < 2 or recent[-1] <= recent[0]:
        return 0.0
    return (len(recent) - 1) / (max(recent[-1], now - 0.5) - recent[0])  # falls when nothing comes any more
