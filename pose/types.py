"""Values that travel from a source to the recognizer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    bgr: (H, W, 3) uint8, blue-green-red, contiguous, never mirrored; read-only by convention.
    time_s: seconds on the source's own clock: capture time since opening for a live source,
        presentation time for a file. Strictly increasing. Everything downstream measures with it.
    captured_s: time.perf_counter() when the picture reached this process; for ages and latencies only. (On Windows
        time.monotonic() moves in steps of 15.6 ms before Python 3.13, half a frame.)
    index: 0 for the first frame of the source, then increasing.
    """

    bgr: NDArray[np.uint8]
    time_s: float
    captured_s: float
    index: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.bgr.shape[1], self.bgr.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One person in one frame.

    xy_px: (V, 2) float32, pixels of the frame, x right, y down.
    confidence: (V,) float32 in 0..1; 0 means the joint was not seen.
    layout: names the V joints.
    time_s: the frame's time.
    person: identity kept over frames, 0, 1, 2, ...; the estimator gives 0 and the tracker assigns.
    """

    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    layout: Layout
    time_s: float
    person: int = 0
