"""Smoothing of one person's landmarks with the filters and settings of MediaPipe's own single-person graph."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose.blazepose.landmarks import JOINTS, Landmarks

_VISIBILITY_SHARE = 0.1  # of the new value
_LONGEST_GAP_S = 0.5  # after which smoothing begins anew


@dataclass(frozen=True, slots=True)
class _Settings:
    """min_cutoff_hz, beta: of a One-Euro filter; its speed is in sides of the region a second."""

    min_cutoff_hz: float
    beta: float


_JOINTS = _Settings(0.05, 80.0)
_NEXT_REGION = _Settings(0.01, 10.0)
_SPEED_CUTOFF_HZ = 1.0


class _OneEuro:
    """Each coordinate by itself, its speed from raw values, as MediaPipe computes it; see Casiez et al., CHI 2012."""

    def __init__(self, settings: _Settings) -> None:
        self._settings = settings
        self._raw: NDArray[np.float32] | None = None
        self._smooth: NDArray[np.float32] | None = None
        self._speed: NDArray[np.float32] | None = None

    def __call__(self, xy_px: NDArray[np.float32], side_px: float, step_s: float) -> NDArray[np.float32]:
        if self._raw is None or self._smooth is None or self._speed is None:
            self._smooth, self._speed = xy_px, np.zeros_like(xy_px)
        else:
            speed = (xy_px - self._raw) / np.float32(side_px * step_s)
            self._speed = self._speed + np.float32(_smoothing_factor(_SPEED_CUTOFF_HZ, step_s)) * (speed - self._speed)
            cutoff = self._settings.min_cutoff_hz + self._settings.beta * np.abs(self._speed)
            self._smooth = (self._smooth + _smoothing_factor(cutoff, step_s) * (xy_px - self._smooth)).astype(
                np.float32
            )
        self._raw = xy_px
        return self._smooth


def _smoothing_factor(cutoff_hz: float | NDArray[np.floating], step_s: float) -> float | NDArray[np.floating]:
    """Weight of the new value in a low-pass filter."""
    turns = 2 * math.pi * cutoff_hz * step_s
    return turns / (1 + turns)


class LandmarkFilter:
    """Smooths the landmarks of one person over time."""

    def __init__(self) -> None:
        self._time_s = -math.inf
        self._begin()

    def _begin(self) -> None:
        self._joints, self._next_region = _OneEuro(_JOINTS), _OneEuro(_NEXT_REGION)
        self._visibility: NDArray[np.float32] | None = None

    def __call__(self, found: Landmarks, time_s: float) -> Landmarks:
        """The landmarks with smoothed points and visibility. time_s must increase."""
        step_s = time_s - self._time_s
        if not 0 < step_s <= _LONGEST_GAP_S:
            self._begin()
        self._time_s = time_s
        side_px = max(found.region.side_px, 1.0)
        joints = self._joints(found.xy_px[:JOINTS], side_px, step_s)
        further = self._next_region(found.xy_px[JOINTS:], side_px, step_s)
        if self._visibility is None:
            self._visibility = found.visibility
        else:
            self._visibility = self._visibility + np.float32(_VISIBILITY_SHARE) * (found.visibility - self._visibility)
        return replace(found, xy_px=np.concatenate((joints, further)), visibility=self._visibility)
