"""Whether arrays of joints can be what their place in a file says, and what they likely are where they cannot."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.datasets.errors import DataError

_MANY_PEOPLE, _FEW_FRAMES = 20, 5
_AROUND = 0.1  # of the picture's sides, that a joint may lie outside
_MOST, _NEARLY_ALL, _HALF = 0.9, 0.99, 0.5
_SMALL_PX = 16  # no picture of people is smaller
_MAX_SCORE = 2.0  # of a heatmap, which may be above 1
_MAX_METRES = 20.0  # from a camera to anybody: what is further is in pixels


def check_axes(keypoint: NDArray[Any], total_frames: Any, name: str) -> None:
    """Raise DataError, with what the axes likely are, unless they can be (people, frames, joints, 2 or 3)."""
    shape = keypoint.shape
    likely = ""
    if keypoint.ndim == 3 and shape[-1] in (2, 3):
        likely = "likely (frames, joints, values) of one person: add the axis of people in front"
    elif keypoint.ndim == 4 and shape[-1] not in (2, 3) and shape[2] in (2, 3):
        likely = "likely (people, frames, values, joints): swap the last two axes"
    elif keypoint.ndim == 4 and shape[-1] not in (2, 3) and shape[1] in (2, 3):
        likely = "likely (people, values, frames, joints): put the values last"
    elif keypoint.ndim != 4 or shape[-1] not in (2, 3):
        likely = "not (people, frames, joints, 2 or 3)"
    elif shape[1] != shape[0] == total_frames or (shape[0] > _MANY_PEOPLE and shape[1] <= _FEW_FRAMES):
        likely = "likely (frames, people, joints, values): swap the first two axes"
    if likely:
        raise DataError(f"{name}: `keypoint` of shape {shape}, {likely}")


def check_coordinates(
    keypoint: NDArray[np.float32], seen: NDArray[np.bool_], size_px: tuple[int, int] | None, name: str
) -> None:
    """Raise DataError, with what was likely meant, where joints (M, T, V, 2 or 3) cannot be places in a picture of
    size_px (width, height) or, with three values, in space."""
    points = keypoint[seen & np.isfinite(keypoint).all(axis=-1)].astype(np.float64)
    if not len(points):
        return
    if keypoint.shape[-1] == 3:
        _check_depth(points[:, 2], float(np.abs(points[:, :2]).max()), name)
    elif size_px is not None:
        _check_picture(points, size_px, name)


def _check_depth(depth: NDArray[np.float64], aside: float, name: str) -> None:
    """aside: the largest of x and y."""
    if depth.min() < 0 or depth.max() > (_MAX_SCORE if aside > _MAX_METRES else 1):
        return
    if not depth.any():
        raise DataError(f"{name}: the third value of every joint is 0: leave it out, so that `keypoint` ends in x, y")
    raise DataError(
        f"{name}: the third value of every joint lies in 0..{max(float(depth.max()), 1):.3g}, so it is likely a score "
        "and no depth: put it into `keypoint_score` (people, frames, joints), and leave x, y in `keypoint`"
    )


def _check_picture(points: NDArray[np.float64], size_px: tuple[int, int], name: str) -> None:
    width, height = size_px
    if np.abs(points).max() <= 1.5 and min(size_px) >= _SMALL_PX:
        raise DataError(
            f"{name}: joints from {points.min():.2g} to {points.max():.2g} in a picture of {width}x{height}: likely "
            "shares of its sides; multiply them by its width and height"
        )
    inside, turned = _share_inside(points, size_px), _share_inside(points, (height, width))
    if inside < _MOST and turned > _NEARLY_ALL:
        raise DataError(
            f"{name}: joints lie outside the picture of {width}x{height} and inside one of {height}x{width}: likely "
            "`img_shape` is (width, height) instead of (height, width), or joints are (y, x)"
        )
    if inside < _HALF:
        low, high = points.min(), points.max()
        raise DataError(
            f"{name}: most joints, from {low:.0f} to {high:.0f}, lie far outside the picture of {width}x{height}: "
            "likely `img_shape` is that of another size, or joints are in no pixels"
        )


def _share_inside(points: NDArray[np.float64], size_px: tuple[int, int]) -> float:
    size = np.array(size_px, dtype=np.float64)
    return float(((points >= -_AROUND * size) & (points <= (1 + _AROUND) * size)).all(axis=-1).mean())
