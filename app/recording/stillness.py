"""Tells when a take is over because the person stands still again."""

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from pose.types import Pose

# Torso lengths a second of the two fastest limb joints, below which a person stands still: a tenth of what the take
# had, between these bounds.
_STILL_SPEED, _MAX_STILL_SPEED, _STILL_PART = 0.25, 0.5, 0.1
_STILL_S = 1.2  # so long, after something has moved, ends a take
_SPEED_OVER_S = 0.25
_MEAN_OVER_S = 0.12  # poses of so long are averaged: a detector's jitter is no motion
_SURE = 0.3  # joints that are hardly seen jitter


class Stillness:
    """Tells when somebody has moved and stands still again, by the two fastest of wrists, elbows, knees and ankles."""

    def __init__(self) -> None:
        self._poses: deque[tuple[float, NDArray[np.float32]]] = deque()
        self._fastest = 0.0
        self._still_since_s: float | None = None

    def is_over(self, time_s: float, pose: Pose | None) -> bool:
        """True once the motion is over. Without a pose nothing is known, which is no stillness."""
        if pose is None:
            self._still_since_s = None
            return False
        limb, torso_joints = _joints(pose.layout)
        limbs = np.where(pose.confidence[limb, None] >= _SURE, pose.xy_px[limb], np.float32(np.nan))
        corners = pose.xy_px[torso_joints]
        torso = float(np.linalg.norm(corners[:2].mean(axis=0) - corners[2:].mean(axis=0)))
        self._poses.append((time_s, limbs))
        while time_s - self._poses[0][0] > _SPEED_OVER_S + _MEAN_OVER_S:
            self._poses.popleft()
        way, over_s = self._displacement(time_s)
        if torso < 1 or over_s < _SPEED_OVER_S / 2 or np.isnan(way).all():
            return False
        speed = float(np.sort(way[~np.isnan(way)])[-2:].mean()) / torso / over_s
        self._fastest = max(self._fastest, speed)
        still = float(np.clip(_STILL_PART * self._fastest, _STILL_SPEED, _MAX_STILL_SPEED))
        if speed > still:
            self._still_since_s = None
        elif self._still_since_s is None:
            self._still_since_s = time_s
        moved = self._fastest > 2 * _STILL_SPEED
        return moved and self._still_since_s is not None and time_s - self._still_since_s >= _STILL_S

    def _displacement(self, time_s: float) -> tuple[NDArray[np.float32], float]:
        """Displacement of each limb joint from the mean of the oldest poses to that of the newest, and the seconds."""
        first_s = self._poses[0][0]
        half_s = min(_MEAN_OVER_S, (time_s - first_s) / 2)
        newest = [(at_s, limbs) for at_s, limbs in self._poses if time_s - at_s <= half_s]
        oldest = [(at_s, limbs) for at_s, limbs in self._poses if at_s - first_s <= half_s]
        over_s = float(np.mean([at_s for at_s, _ in newest]) - np.mean([at_s for at_s, _ in oldest]))
        way = np.mean([limbs for _, limbs in newest], axis=0) - np.mean([limbs for _, limbs in oldest], axis=0)
        return np.linalg.norm(way, axis=1), over_s


@cache
def _joints(layout: Layout) -> tuple[list[int], list[int]]:
    """Places of wrists, elbows, knees and ankles, and of shoulders and then hips; every layout has them."""

    def places(*parts: str) -> list[int]:
        return [layout.index(f"{side}_{part}") for part in parts for side in ("left", "right")]

    return places("wrist", "elbow", "knee", "ankle"), places("shoulder", "hip")
