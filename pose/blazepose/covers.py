"""Bodies covered with grey, so that the networks see the people behind them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MEDIAPIPE_33, MPOSE_13

_GREY = (128, 128, 128)
_REACH = 0.055  # of the body's height: half the thickness of a limb in its clothes
_HEAD = 1.9  # of that, around the nose
_LIMBS = np.array([(MEDIAPIPE_33.index(a), MEDIAPIPE_33.index(b)) for a, b in MPOSE_13.edges if "head" not in (a, b)])
_NOSE = MEDIAPIPE_33.index("nose")
_TRUNK = [
    MEDIAPIPE_33.index(name) for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
]  # in order around it
_LARGEST_PX = 1e5  # beyond which OpenCV's coordinates overflow


def cover(bgr: NDArray[np.uint8], bodies: Sequence[NDArray[np.float32]]) -> None:
    """Paint bodies grey, in place. bodies: (33, 2) px of the picture each."""
    for body in bodies:
        if not np.isfinite(body).all() or np.abs(body).max() > _LARGEST_PX:
            continue  # nowhere near the picture
        points, height = np.rint(body).astype(np.int32), _height_px(body)
        thick = max(round(2 * _REACH * height), 1)
        for a, b in _LIMBS:
            cv2.line(bgr, points[a].tolist(), points[b].tolist(), _GREY, thick)
        cv2.fillConvexPoly(bgr, points[_TRUNK], _GREY)
        cv2.circle(bgr, points[_NOSE].tolist(), max(round(_HEAD * _REACH * height), 1), _GREY, -1)


def are_covered(points: NDArray[np.float32], body: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which points (..., 2) lie on a body (33, 2); all in pixels of one picture."""
    flat = points.reshape(-1, 2)
    on_limb = _limb_gaps(flat, body) < _REACH * _height_px(body) + 1  # as what cover() draws in whole pixels
    hull = cv2.convexHull(body[_TRUNK].astype(np.float32))
    in_trunk = [cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in flat]
    made: NDArray[np.bool_] = (on_limb | np.array(in_trunk, bool)).reshape(points.shape[:-1])
    return made


def share_on_bones(points: NDArray[np.float32], body: NDArray[np.float32], reach_px: float) -> float:
    """Share of the points (P, 2) nearer than reach_px to a bone of a body (33, 2)."""
    return float((_limb_gaps(points, body) < reach_px).mean())


def _height_px(body: NDArray[np.float32]) -> float:
    """Longer side of the box around the main joints."""
    return float(np.ptp(body[_LIMBS.ravel()], axis=0).max())


def _limb_gaps(points: NDArray[np.float32], body: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P,) distance of each point (P, 2) to the nearest bone."""
    starts, ends = body[_LIMBS[:, 0]], body[_LIMBS[:, 1]]
    along = ends - starts
    length = np.maximum((along**2).sum(axis=-1), 1e-6)
    share = np.clip(((points[:, None] - starts) * along).sum(axis=-1) / length, 0, 1)
    gaps: NDArray[np.float32] = np.linalg.norm(starts + share[..., None] * along - points[:, None], axis=-1).min(axis=1)
    return gaps
