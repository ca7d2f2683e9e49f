"""Tells when a take is over because the person stands still again."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MEDIAPIPE_33
from pose.types import Pose

_STILL_SPEED = 0.25  # torso lengths a second of the fastest limb joint, below which a person stands still
_STILL_S = 1.2  # so long, after something has moved, ends a take
_SPEED_OVER_S = 0.25
_SURE = 0.3  # joints that are hardly seen jitter
_LIMBS = tuple(
    MEDIAPIPE_33.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("wrist", "elbow", "knee", "ankle")
)
_TORSO = tuple(MEDIAPIPE_33.index(f"{side}_{joint}") for joint in ("shoulder", "hip") for side in ("left", "right"))


class Stillness:
    """Tells when somebody has moved and stands still again, by the fastest of wrists, elbows, knees and ankles."""

    def __init__(self) -> None:
        self._poses: deque[tuple[float, NDArray[np.float32]]] = deque()
        self._moved = False
        self._still_since_s: float | None = None

    def is_over(self, time_s: float, pose: Pose | None) -> bool:
        """True once the motion is over. Without a pose nothing is known, which is no stillness."""
        if pose is None or pose.layout != MEDIAPIPE_33:
            self._still_since_s = None
            return False
        limbs = np.where(pose.confidence[list(_LIMBS), None] >= _SURE, pose.xy_px[list(_LIMBS)], np.float32(np.nan))
        corners = pose.xy_px[list(_TORSO)]
        torso = float(np.linalg.norm(corners[:2].mean(axis=0) - corners[2:].mean(axis=0)))
        self._poses.append((time_s, limbs))
        while time_s - self._poses[0][0] > _SPEED_OVER_S:
            self._poses.popleft()
        before_s, before = self._poses[0]
        if torso < 1 or time_s - before_s < _SPEED_OVER_S / 2:
            return False
        way = np.linalg.norm(limbs - before, axis=1)
        if np.isnan(way).all():
            return False
        speed = float(np.nanmax(way)) / torso / (time_s - before_s)
        if speed > 2 * _STILL_SPEED:
            self._moved, self._still_since_s = True, None
        elif speed > _STILL_SPEED:
            self._still_since_s = None
        elif self._still_since_s is None:
            self._still_since_s = time_s
        return self._moved and self._still_since_s is not None and time_s - self._still_since_s >= _STILL_S
