"""One person who is followed from frame to frame: where, since when, who, and in which colours."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pose.blazepose.colours import Colours, blended, trunk_colours
from pose.blazepose.detector import Detection
from pose.blazepose.filters import LandmarkFilter
from pose.blazepose.landmarks import JOINTS, Landmarks
from pose.blazepose.region import Region
from pose.in_picture import confidence_inside
from pose.skeleton import MEDIAPIPE_33
from pose.types import Frame, Pose

MIN_SCORE = 0.5
_TRUNK = [MEDIAPIPE_33.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
_TRUNK_SEEN = 0.3
_COAST_S = 0.3  # how long a lost person is assumed to keep moving
_SPEED_MEMORY_S = 0.2
_LARGEST_TURN = math.radians(75)  # from frame to frame; more is another reading of the same body
_AGREEMENT = 0.3  # of the size: how far the shoulders may be from where the detector had them
_SCORE_SHARE = 0.2  # of a new frame in the mean score


class Follower:
    """A person followed from frame to frame.

    person: the identity, None until confirmed. score: the best detection score so far.

    pose: as of the last frame in which the person was seen, smoothed; `person` in it is 0.
    """

    def __init__(self, region: Region, score: float, time_s: float) -> None:
        self.person: int | None = None
        self.region = region
        self.score = score
        self.since_s = self.seen_s = time_s
        self.looks = 0
        self.mean_score = 0.0
        self.mirror_score: float | None = None  # of the landmark network on the mirror image; None: not checked yet
        self.lost = False
        self.pose: Pose | None = None
        self.colours: Colours | None = None  # learned over time
        self.colours_now: Colours | None = None
        self.swap_votes: dict[int, int] = {}  # by the other person's identity
        self.occluders: list[Follower] = []  # people covered while the network looks for this one
        self.last_region = region  # where the network looked when the person was last seen
        self._filter = LandmarkFilter()
        self._speed_px: NDArray[np.float32] = np.zeros(2, np.float32)

    def expected(self, time_s: float, *, coasting: bool = True) -> Region:
        """Where to look for the person at a time. coasting: assume that a lost person kept moving, else stood still."""
        ahead_s = min(time_s - self.seen_s, _COAST_S) if self.lost and coasting else 0.0
        region = self.region
        x, y = region.x_px + float(self._speed_px[0]) * ahead_s, region.y_px + float(self._speed_px[1]) * ahead_s
        return Region(x, y, region.side_px, region.turn)

    def fits(self, found: Landmarks, frame: Frame) -> bool:
        """Whether the landmarks found are a person, inside the picture, and turned no further than is possible."""
        if found.score < MIN_SCORE or not np.isfinite(found.xy_px).all():
            return False
        region = found.next_region
        if not region.is_in(*frame.size):
            return False
        turned = abs((region.turn - found.region.turn + math.pi) % (2 * math.pi) - math.pi)
        return turned <= _LARGEST_TURN or self.looks == 0

    def update(self, found: Landmarks, frame: Frame) -> None:
        """Move the follower to the landmarks found in a frame."""
        if self.lost:
            self._filter = LandmarkFilter()
            self.lost = False
        step_s = frame.time_s - self.seen_s
        smooth = self._filter(found, frame.time_s)
        region = smooth.next_region
        if step_s > 0:
            moved = np.array([region.x_px - self.region.x_px, region.y_px - self.region.y_px], np.float32)
            share = np.float32(step_s / (step_s + _SPEED_MEMORY_S))
            self._speed_px = self._speed_px + share * (moved / np.float32(step_s) - self._speed_px)
        self.region, self.last_region, self.seen_s = region, found.region, frame.time_s
        share_now = 1.0 if self.looks == 0 else _SCORE_SHARE
        self.mean_score += share_now * (found.score - self.mean_score)
        self.looks += 1
        self.pose = pose_of(smooth, frame)
        self.colours_now = trunk_colours(frame.bgr, self.pose.xy_px, self.pose.confidence, bodies(self.occluders))

    def agrees_with(self, detection: Detection) -> bool:
        """Whether the shoulders are where the detector had them."""
        if self.pose is None:
            return False
        shoulders = self.pose.xy_px[_TRUNK[:2]].mean(axis=0)
        return float(np.linalg.norm(shoulders - detection.shoulders_px)) <= _AGREEMENT * detection.size_px

    def remember_colours(self) -> None:
        """Learn the colours of this frame as the person's own; only while nobody else is near."""
        if self.colours_now is not None:
            self.colours = blended(self.colours, self.colours_now)

    def mark_lost(self) -> None:
        """The person was not found in this frame."""
        self.lost = True
        self.occluders = []
        self.swap_votes.clear()

    def has_trunk(self) -> bool:
        """Whether two of shoulders and hips are seen."""
        return self.pose is not None and int((self.pose.confidence[_TRUNK] >= _TRUNK_SEEN).sum()) >= 2


def bodies(followers: Sequence[Follower]) -> list[NDArray[np.float32]]:
    """Joints (33, 2) px of those who have a pose."""
    return [follower.pose.xy_px for follower in followers if follower.pose is not None]


def pose_of(found: Landmarks, frame: Frame) -> Pose:
    """Landmarks as a pose. Confidence is visibility times presence, falling to 0 outside the picture."""
    xy_px = found.xy_px[:JOINTS]
    return Pose(
        xy_px, confidence_inside(xy_px, found.visibility * found.presence, frame.size), MEDIAPIPE_33, frame.time_s
    )
