"""The One-Euro filter for joints, measured in body sizes so that near and far people are smoothed alike.

Casiez, Roussel, Vogel: 1 Euro Filter, CHI 2012. MediaPipe smooths a single person by itself,
but not several people.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from pose.types import Pose

_SEEN = 0.3  # confidence from which a joint tells the body's size


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """How much to smooth.

    min_cutoff_hz: cutoff of a joint at rest; lower means steadier.
    beta: cutoff gained per body size a second of speed, in Hz; higher means less lag.
    speed_cutoff_hz: cutoff of the speed itself (1 Hz in the paper).
    reset_s: after a gap longer than this the filter starts again.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 20.0
    speed_cutoff_hz: float = 1.0
    reset_s: float = 0.5


def body_size_px(xy_px: NDArray[np.float32], confidence: NDArray[np.float32]) -> float:
    """Longer side of the box around the seen joints, in pixels; 0 where fewer than two are seen.

    xy_px: (V, 2). confidence: (V,).
    """
    seen = xy_px[confidence >= _SEEN]
    return float(np.ptp(seen, axis=0).max()) if len(seen) > 1 else 0.0


class OneEuroFilter:
    """Smooths the joints of one person over time; each joint has its own cutoff."""

    def __init__(self, settings: OneEuroSettings | None = None) -> None:
        self._settings = settings or OneEuroSettings()
        self._time_s = -math.inf
        self._xy: NDArray[np.float32] | None = None
        self._speed: NDArray[np.float32] | None = None  # pixels a second

    def __call__(self, xy_px: NDArray[np.float32], size_px: float, time_s: float) -> NDArray[np.float32]:
        """The smoothed joints, (V, 2). xy_px: (V, 2). size_px: size of the body now. time_s must increase."""
        step_s = time_s - self._time_s
        if self._xy is None or self._speed is None or not 0 < step_s <= self._settings.reset_s or size_px <= 0:
            self._xy, self._speed = xy_px.copy(), np.zeros_like(xy_px)
        else:
            s = self._settings
            speed = (xy_px - self._xy) / np.float32(step_s)
            self._speed += np.float32(_weight(s.speed_cutoff_hz, step_s)) * (speed - self._speed)
            bodies_per_s = np.linalg.norm(self._speed, axis=-1, keepdims=True) / size_px
            self._xy = self._xy + _weight(s.min_cutoff_hz + s.beta * bodies_per_s, step_s) * (xy_px - self._xy)
            self._xy = self._xy.astype(np.float32, copy=False)
        self._time_s = time_s
        return self._xy


def _weight(cutoff_hz: float | NDArray[np.float32], step_s: float) -> float | NDArray[np.float32]:
    """Weight of the new value in a low-pass filter: 1 / (1 + tau / step) with tau = 1 / (2 pi cutoff)."""
    turns = 2 * math.pi * cutoff_hz * step_s
    return turns / (1 + turns)


class PoseSmoother:
    """Smooths the poses of several people, told apart by their identity."""

    def __init__(self, settings: OneEuroSettings | None = None) -> None:
        self._settings = settings
        self._filters: dict[int, OneEuroFilter] = {}
        self._layout: Layout | None = None

    def __call__(self, poses: tuple[Pose, ...]) -> tuple[Pose, ...]:
        """The same poses with smoothed joints; filters of people who are gone are forgotten."""
        filters = {p.person: self._filters.get(p.person) or OneEuroFilter(self._settings) for p in poses}
        self._filters = filters
        return tuple(
            replace(p, xy_px=filters[p.person](p.xy_px, body_size_px(p.xy_px, p.confidence), p.time_s)) for p in poses
        )
