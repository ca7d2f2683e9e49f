"""The colours of a person's trunk, by which people who pass each other are told apart."""

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MEDIAPIPE_33

_CORNERS = [MEDIAPIPE_33.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
_ACROSS, _DOWN = (0.2, 0.35, 0.5, 0.65, 0.8), (0.1, 0.3, 0.5, 0.7, 0.9)
_MEMORY = 0.1  # share of a new frame
_LEAST_SEEN = 0.3

Colours = NDArray[np.float32]  # (5, 3) of rows from the shoulders to the hips: blue, green, red, 0..1


def trunk_colours(
    bgr: NDArray[np.uint8], xy_px: NDArray[np.float32], confidence: NDArray[np.float32]
) -> Colours | None:
    """Of a pose in MEDIAPIPE_33; None where the trunk is not seen.

    bgr: (H, W, 3). xy_px: (33, 2). confidence: (33,).
    """
    if (confidence[_CORNERS] < _LEAST_SEEN).any():
        return None
    left_shoulder, right_shoulder, left_hip, right_hip = xy_px[_CORNERS]
    across, down = np.array(_ACROSS, np.float32)[:, None], np.array(_DOWN, np.float32)[:, None, None]
    top = left_shoulder + across * (right_shoulder - left_shoulder)
    bottom = left_hip + across * (right_hip - left_hip)
    points = np.rint(top + down * (bottom - top)).astype(np.int64)  # (rows, columns, 2)
    height, width = bgr.shape[:2]
    x, y = np.clip(points[..., 0], 0, width - 1), np.clip(points[..., 1], 0, height - 1)
    colours: Colours = np.median(bgr[y, x].astype(np.float32), axis=1) / np.float32(255)
    return colours


def difference(a: Colours, b: Colours) -> float:
    """0 for the same colours, 1 for black and white."""
    return float(np.abs(a - b).mean())


def remembered(known: Colours | None, new: Colours) -> Colours:
    """The known colours, turned a little to new ones."""
    return new if known is None else known + np.float32(_MEMORY) * (new - known)
