"""The colours of a person's trunk, by which people who pass each other are told apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pose.blazepose.covers import are_covered
from pose.skeleton import MEDIAPIPE_33

_CORNERS = [MEDIAPIPE_33.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
_ACROSS, _DOWN = (0.2, 0.35, 0.5, 0.65, 0.8), (0.1, 0.3, 0.5, 0.7, 0.9)
_MEMORY = 0.1  # share of a new frame
_MIN_SEEN = 0.3
_MIN_POINTS, _MIN_ROWS = 2, 2  # of a row and of the trunk that must not be hidden

Colours = NDArray[np.float32]  # (5, 3) of rows from the shoulders to the hips: blue, green, red, 0..1


def trunk_colours(
    bgr: NDArray[np.uint8],
    xy_px: NDArray[np.float32],
    confidence: NDArray[np.float32],
    hidden_by: Sequence[NDArray[np.float32]] = (),
) -> Colours | None:
    """Trunk colours of a pose in MEDIAPIPE_33; None where the trunk is not seen. A row of which nothing is seen is NaN.

    bgr: (H, W, 3). xy_px: (33, 2). confidence: (33,). hidden_by: bodies (33, 2) px in front.
    """
    if (confidence[_CORNERS] < _MIN_SEEN).any():
        return None
    left_shoulder, right_shoulder, left_hip, right_hip = xy_px[_CORNERS]
    across, down = np.array(_ACROSS, np.float32)[:, None], np.array(_DOWN, np.float32)[:, None, None]
    top = left_shoulder + across * (right_shoulder - left_shoulder)
    bottom = left_hip + across * (right_hip - left_hip)
    places = top + down * (bottom - top)  # (rows, columns, 2)
    seen = np.ones(places.shape[:2], bool)
    for body in hidden_by:
        seen &= ~are_covered(places, body)
    rows = seen.sum(axis=1) >= _MIN_POINTS
    if rows.sum() < _MIN_ROWS:
        return None
    points = np.rint(places).astype(np.int64)
    height, width = bgr.shape[:2]
    x, y = np.clip(points[..., 0], 0, width - 1), np.clip(points[..., 1], 0, height - 1)
    colours: Colours = np.full((len(_DOWN), 3), np.nan, np.float32)
    for row in np.flatnonzero(rows):
        colours[row] = np.median(bgr[y[row], x[row]][seen[row]], axis=0) / 255
    return colours


def difference(a: Colours, b: Colours) -> float:
    """0 for the same colours, 1 for black and white; of the rows that both have, 1 where there are none."""
    both = np.isfinite(a[:, 0]) & np.isfinite(b[:, 0])
    return float(np.abs(a - b)[both].mean()) if both.any() else 1.0


def blended(known: Colours | None, new: Colours) -> Colours:
    """The known colours moved a little towards new ones."""
    return new if known is None else known + np.float32(_MEMORY) * (new - known)
