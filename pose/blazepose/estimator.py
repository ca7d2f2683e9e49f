"""Pixels to poses of several people: a finder that looks at parts of the picture in turn, and a follower for each."""

import math
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pose.blazepose.detector import Detection, Detector
from pose.blazepose.follower import Follower, bodies, pose_of
from pose.blazepose.identities import Identities, IdentitySettings, exchange
from pose.blazepose.landmarks import LandmarkNetwork, Landmarks
from pose.blazepose.networks import load_networks
from pose.blazepose.region import Region
from pose.blazepose.tiles import Looks, around
from pose.estimators import CPU, FULL, MAX_PEOPLE
from pose.types import Frame, Pose

_LEAST_SIZE = 0.15  # of the picture's height: smaller people are not followed
_REJECTED_S = 1.0  # so long a place where nobody was is not tried again
_REJECTED_WELL_SEEN_S = 0.2  # the same where the detector is certain
_REJECTED_NEAR = 0.2  # of the size
_LOST_EVERY = 2  # frames between looks for somebody lost
_MOST_AT_ONCE = 4  # people who are looked at on processors of their own


@dataclass(frozen=True, slots=True, eq=False)
class _Rejected:
    """uncovered: whether the network saw those in front as well."""

    detection: Detection
    time_s: float
    uncovered: bool


class BlazePoseEstimator:
    """MediaPipe's two pose networks with a finder and followers of our own; poses in MEDIAPIPE_33.

    A frame costs at most one call of the landmark network for each person, and one further call of a network: a look
    for newcomers, the first look at one, or the look at their mirror image before they get an identity. A frame earlier
    than the last one, or of another size, begins a new run; identities are not used again.
    """

    def __init__(
        self,
        model: Path,
        *,
        people: int = 1,
        quality: str = FULL,
        provider: str = CPU,
        settings: IdentitySettings | None = None,
    ) -> None:
        """model: a Pose Landmarker bundle. people: 1..8. provider: what its networks run on.

        Raises PoseModelError, ModelFileError and ProviderError.
        """
        if not 1 <= people <= MAX_PEOPLE:
            raise ValueError(f"people must be 1 to {MAX_PEOPLE}, not {people}")
        networks = load_networks(model, quality)
        self._detector = Detector(networks.detector, provider)
        self._landmarks = LandmarkNetwork(networks.landmarks, provider)
        self._identities = Identities(settings)
        self._people = people
        self._at_once = min(people, os.cpu_count() or 1, _MOST_AT_ONCE)
        self._pool = ThreadPoolExecutor(self._at_once, "landmarks")  # starts its threads when they are needed
        self._followers: list[Follower] = []
        self._rejected: list[_Rejected] = []
        self._time_s = -math.inf
        self._frames = 0
        self.calls = 0  # of networks in the last frame
        self._size = (0, 0)
        self._looks = Looks(1, 1)  # until the first frame tells the size

    def estimate(self, frame: Frame) -> tuple[Pose, ...]:
        """The people in the frame; see PoseEstimator."""
        if frame.size != self._size or frame.time_s <= self._time_s:
            self._begin_run(frame.size)
        self._time_s = frame.time_s
        self._frames += 1
        self.calls = 0
        self._follow(frame)
        self._separate(frame)
        self._name(frame)  # before the frame's calls are spent on looks for others
        self._find(frame)
        self._name(frame)
        self._followers = [f for f in self._followers if f.person is not None or not f.lost]
        self._identities.settle(self._followers, frame.time_s)
        return self._poses()

    def close(self) -> None:
        """Free the networks. Any number of times."""
        self._pool.shutdown()
        self._followers = []

    def _begin_run(self, size: tuple[int, int]) -> None:
        self._size = size
        self._looks = Looks(*size)
        self._followers = []
        self._rejected = []
        self._frames = 0

    @property
    def _seen(self) -> list[Follower]:
        return [follower for follower in self._followers if not follower.lost]

    @property
    def _named(self) -> int:
        return sum(follower.person is not None for follower in self._seen)

    @property
    def _left(self) -> int:
        """Calls of networks that this frame may still cost."""
        return self._people + 1 - self.calls

    def _follow(self, frame: Frame) -> None:
        """Look where people were; those who are lost only now and then."""
        time_s = frame.time_s
        begun = self._begin_looks(frame)
        in_front_first = sorted(self._seen, key=lambda follower: len(follower.behind))
        for follower in [*in_front_first, *(f for f in self._followers if f.lost)]:
            if follower.lost and (self._frames % _LOST_EVERY or not self._left or len(self._seen) >= self._people):
                continue
            self._look_at(follower, frame, begun.get(follower))
        kept = []
        for follower in self._followers:
            doubtful = self._identities.is_doubtful(follower, self._followers, time_s)
            if self._identities.remembers(follower, time_s) and not doubtful:
                kept.append(follower)
        if len(kept) < len(self._followers):
            self._looks.changed()
        self._followers = kept

    def _begin_looks(self, frame: Frame) -> "dict[Follower, Future[Landmarks]]":
        """Look at once at all for whom nobody is covered: what is found there depends on nobody else."""
        alone = [follower for follower in self._seen if not follower.behind]
        if min(len(alone), self._at_once) < 2:
            return {}
        regions = {follower: follower.expected(frame.time_s) for follower in alone}
        return {who: self._pool.submit(self._landmarks, frame.bgr, region) for who, region in regions.items()}

    def _look_at(self, follower: Follower, frame: Frame, begun: "Future[Landmarks] | None" = None) -> None:
        """Find somebody where they are expected; lost where they are not there. begun: a look, nobody covered."""
        # Who was lost behind somebody may have gone on, or turned back.
        coasting = self._frames // _LOST_EVERY % 2 == 0
        region = follower.expected(frame.time_s, coasting=coasting)
        hiding = self._identities.hiding(region, [other for other in self._seen if other is not follower])
        behind = [other for other in hiding if follower.lost or other in follower.behind]
        if begun is None:
            found = self._landmarks_in(region, frame, behind)
        else:
            found = begun.result()
            self.calls += 1
        if not follower.fits(found, frame):
            follower.lose()
        elif not follower.lost or self._comes_back(follower, found, frame, behind):
            follower.behind = behind
            follower.take(found, frame)

    def _landmarks_in(
        self, region: Region, frame: Frame, hidden: list[Follower], *, mirrored: bool = False
    ) -> Landmarks:
        self.calls += 1
        return self._landmarks(frame.bgr, region, bodies(hidden), mirrored=mirrored)

    def _comes_back(self, lost: Follower, found: Landmarks, frame: Frame, hidden_by: list[Follower]) -> bool:
        """Whether what is found is somebody lost, and nobody whom another one follows.

        Where it is somebody whose follower went on with another body, the two exchange identities.
        """
        pose = pose_of(found, frame)
        if self._identities.is_taken(pose, self._seen):
            return False
        whose = self._identities.whose(lost, pose, frame, self._seen, hidden_by)
        if whose is not None and whose is not lost:
            exchange(lost, whose)
        return whose is not None

    def _separate(self, frame: Frame) -> None:
        """Of two followers on one body one stands behind the other, or is lost, or was nobody."""
        for drawn, right in self._identities.conflicts(self._followers):
            if not self._finds_behind(drawn, right, frame):
                drawn.lose()

    def _finds_behind(self, drawn: Follower, right: Follower, frame: Frame) -> bool:
        """Look once more at somebody whose place the network mistook for another one's, with that one covered."""
        if drawn.person is None or right in drawn.behind or not self._left:
            return False
        behind = [*drawn.behind, right]
        found = self._landmarks_in(drawn.looked_at, frame, behind)
        others = [other for other in self._seen if other is not drawn]
        if not drawn.fits(found, frame) or self._identities.is_taken(pose_of(found, frame), others):
            return False
        drawn.behind = behind
        drawn.take(found, frame)
        return True

    def _find(self, frame: Frame) -> None:
        """Look at a part of the picture for people who are not followed, and at those whom it shows."""
        if self._named >= self._people:
            return
        if not self._seen:
            self._look_for_somebody(self._looks.whole, frame)
            if not self._seen:
                self._look_for_somebody(self._looks.next(), frame)
        elif self._frames % 2 and (doubted := self._doubted()) is not None:
            self._look_for_somebody(around(doubted.region, self._frames // 2), frame)
        elif self._looks.is_due():
            self._look_for_somebody(self._looks.next(), frame)
        else:
            known = [follower for follower in self._seen if follower.person is not None]
            if (region := self._looks.behind([follower.region for follower in known])) is not None:
                self._look_for_somebody(region, frame, known)

    def _look_for_somebody(self, region: Region, frame: Frame, hidden: Sequence[Follower] = ()) -> None:
        if not self._left:
            return
        self.calls += 1
        detections = self._detector(frame.bgr, region, bodies(hidden))
        for detection in self._identities.unfollowed(detections, self._followers):
            if not self._is_new(detection, frame):
                continue
            if len(self._seen) >= self._people:
                self._make_room(detection, frame)
            elif self._left:
                self._begin(detection, frame)

    def _make_room(self, detection: Detection, frame: Frame) -> None:
        """Somebody whom the detector sees well takes the place of a newcomer whom it does not, as a picture on a wall.

        The first look at them is in the next frame: this one's is spent.
        """
        worst = self._doubted()
        if worst is not None and detection.score >= self._identities.settings.confirm_detection:
            self._followers.remove(worst)
            self._followers.append(Follower(detection.region, detection.score, frame.time_s))

    def _doubted(self) -> Follower | None:
        """Of newcomers whom the detector has not seen well enough yet the one whom it sees worst."""
        waiting = [f for f in self._seen if f.person is None and f.score < self._identities.settings.confirm_detection]
        return min(waiting, key=lambda follower: follower.score, default=None)

    def _is_new(self, detection: Detection, frame: Frame) -> bool:
        alone = not self._seen
        if alone and detection.score < self._identities.settings.alone_score:
            return False
        if detection.size_px < _LEAST_SIZE * frame.size[1] or not np.isfinite(detection.size_px):
            return False
        rejected = self._rejected_near(detection, frame.time_s)
        well_seen = detection.score >= self._identities.settings.confirm_detection
        wait_s = _REJECTED_WELL_SEEN_S if well_seen else _REJECTED_S
        # Alone, every frame is another try, as with MediaPipe: there is nobody whose time it takes.
        return alone or rejected is None or frame.time_s - rejected.time_s >= wait_s

    def _rejected_near(self, detection: Detection, time_s: float) -> _Rejected | None:
        """The last time that somebody was not found at the place of a detection."""
        self._rejected = [r for r in self._rejected if time_s - r.time_s < _REJECTED_S]
        near = _REJECTED_NEAR * detection.size_px
        found = [r for r in self._rejected if np.linalg.norm(r.detection.hips_px - detection.hips_px) < near]
        return found[-1] if found else None

    def _begin(self, detection: Detection, frame: Frame) -> None:
        """Follow somebody new from the first look at them on, if there is somebody."""
        follower = Follower(detection.region, detection.score, frame.time_s)
        rejected = self._rejected_near(detection, frame.time_s)
        uncovered = rejected is not None and not rejected.uncovered
        follower.behind = [] if uncovered else self._identities.hiding(follower.region, self._seen)
        found = self._landmarks_in(follower.region, frame, follower.behind)
        if follower.fits(found, frame):
            follower.take(found, frame)
            trial = [*self._followers, follower]
            agrees = follower.agrees_with(detection) or not self._seen
            if agrees and not self._identities.is_doubtful(follower, trial, frame.time_s):
                self._followers.append(follower)
                self._looks.changed()
                return
        self._rejected.append(_Rejected(detection, frame.time_s, uncovered))

    def _name(self, frame: Frame) -> None:
        """Give newcomers their identities, after a look at the mirror image."""
        for newcomer in self._seen:
            if newcomer.person is not None:
                continue
            if self._left and self._identities.is_to_be_checked(newcomer, self._followers, frame.time_s):
                found = self._landmarks_in(newcomer.looked_at, frame, newcomer.behind, mirrored=True)
                newcomer.mirror_score = found.score
            self._identities.name(newcomer, self._followers, frame.time_s)

    def _poses(self) -> tuple[Pose, ...]:
        named = [(f.person, f.pose) for f in self._seen if f.person is not None and f.pose is not None]
        named.sort(key=lambda item: item[0])
        return tuple(replace(pose, person=person) for person, pose in named[: self._people])
