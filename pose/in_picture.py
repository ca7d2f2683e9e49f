"""What an estimator says of joints outside the picture is a guess."""

import numpy as np
from numpy.typing import NDArray

_MARGIN = 0.05  # part of the picture's longer side, outside the picture, within which confidence falls to 0


def confidence_inside(
    xy_px: NDArray[np.float32], confidence: NDArray[np.float32], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Confidence (V,) in 0..1, falling to 0 outside the picture. xy_px: (V, 2). size: width and height in pixels."""
    sides = np.array(size, dtype=np.float32)
    outside_px = np.maximum(np.maximum(-xy_px, xy_px - (sides - 1)), 0).max(axis=-1)
    inside = np.clip(1 - outside_px / (_MARGIN * sides.max()), 0, 1)
    result: NDArray[np.float32] = np.clip(confidence * inside, 0, 1).astype(np.float32, copy=False)
    return result
