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
from pose.blazepose.tiles import SearchPlan, around
from pose.estimators import CPU, FULL, MAX_PEOPLE
from pose.types import Frame, Pose

_MIN_SIZE = 0.15  # of the picture's height: smaller people are not followed
_REJECTED_S = 1.0  # how long a rejected detection is not tried again
_REJECTED_WELL_SEEN_S = 0.2  # the same where the detector is certain
_REJECTED_NEAR = 0.2  # of the size
_LOST_EVERY = 2  # frames between searches for a lost person
_MAX_PARALLEL = 4  # people whose landmarks are computed in parallel


@dataclass(frozen=True, slots=True, eq=False)
class _Rejection:
    """A detection where the landmark network found nobody. uncovered: the people in front were not covered."""

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
        self._parallel = min(people, os.cpu_count() or 1, _MAX_PARALLEL)
        self._pool = ThreadPoolExecutor(self._parallel, "landmarks")  # starts its threads when they are needed
        self._followers: list[Follower] = []
        self._rejected: list[_Rejection] = []
        self._time_s = -math.inf
        self._frames = 0
        self.calls = 0  # of networks in the last frame
        self._size = (0, 0)
        self._plan = SearchPlan(1, 1)  # until the first frame tells the size

    def estimate(self, frame: Frame) -> tuple[Pose, ...]:
        """The people in the frame; see PoseEstimator."""
        if frame.size != self._size or frame.time_s <= self._time_s:
            self._begin_run(frame.size)
        self._time_s = frame.time_s
        self._frames += 1
        self.calls = 0
        self._follow(frame)
        self._resolve_conflicts(frame)
        self._identify(frame)  # before the frame's budget is spent on searches
        self._find(frame)
        self._identify(frame)
        self._followers = [f for f in self._followers if f.person is not None or not f.lost]
        self._identities.exchange_swapped(self._followers, frame.time_s)
        return self._poses()

    def close(self) -> None:
        """Free the networks. Any number of times."""
        self._pool.shutdown()
        self._followers = []

    def _begin_run(self, size: tuple[int, int]) -> None:
        self._size = size
        self._plan = SearchPlan(*size)
        self._followers = []
        self._rejected = []
        self._frames = 0

    @property
    def _seen(self) -> list[Follower]:
        return [follower for follower in self._followers if not follower.lost]

    @property
    def _identified_count(self) -> int:
        return sum(follower.person is not None for follower in self._seen)

    @property
    def _calls_left(self) -> int:
        """Network calls left in the budget of this frame."""
        return self._people + 1 - self.calls

    def _follow(self, frame: Frame) -> None:
        """Follow people from their last position; search for lost ones only now and then."""
        time_s = frame.time_s
        begun = self._start_lookups(frame)
        in_front_first = sorted(self._seen, key=lambda follower: len(follower.occluders))
        for follower in [*in_front_first, *(f for f in self._followers if f.lost)]:
            if follower.lost and (
                self._frames % _LOST_EVERY or not self._calls_left or len(self._seen) >= self._people
            ):
                continue
            self._update_follower(follower, frame, begun.get(follower))
        kept = []
        for follower in self._followers:
            doubtful = self._identities.is_doubtful(follower, self._followers, time_s)
            if self._identities.remembers(follower, time_s) and not doubtful:
                kept.append(follower)
        if len(kept) < len(self._followers):
            self._plan.note_change()
        self._followers = kept

    def _start_lookups(self, frame: Frame) -> "dict[Follower, Future[Landmarks]]":
        """Start parallel lookups for the followers without occluders, which do not depend on each other."""
        alone = [follower for follower in self._seen if not follower.occluders]
        if min(len(alone), self._parallel) < 2:
            return {}
        regions = {follower: follower.expected(frame.time_s) for follower in alone}
        return {who: self._pool.submit(self._landmarks, frame.bgr, region) for who, region in regions.items()}

    def _update_follower(self, follower: Follower, frame: Frame, begun: "Future[Landmarks] | None" = None) -> None:
        """Find the person at the expected place, or mark the follower lost. begun: a lookup already started."""
        # Somebody lost behind another person may have kept moving, or turned back.
        coasting = self._frames // _LOST_EVERY % 2 == 0
        region = follower.expected(frame.time_s, coasting=coasting)
        nearby = self._identities.occluders_of(region, [other for other in self._seen if other is not follower])
        occluders = [other for other in nearby if follower.lost or other in follower.occluders]
        if begun is None:
            found = self._landmarks_in(region, frame, occluders)
        else:
            found = begun.result()
            self.calls += 1
        if not follower.fits(found, frame):
            follower.mark_lost()
        elif not follower.lost or self._recover(follower, found, frame, occluders):
            follower.occluders = occluders
            follower.update(found, frame)

    def _landmarks_in(
        self, region: Region, frame: Frame, hidden: list[Follower], *, mirrored: bool = False
    ) -> Landmarks:
        self.calls += 1
        return self._landmarks(frame.bgr, region, bodies(hidden), mirrored=mirrored)

    def _recover(self, lost: Follower, found: Landmarks, frame: Frame, hidden_by: list[Follower]) -> bool:
        """Whether the landmarks found belong to a lost person and to no other follower.

        If another follower has drifted onto a different body, the two exchange identities.
        """
        pose = pose_of(found, frame)
        if self._identities.is_taken(pose, self._seen):
            return False
        owner = self._identities.owner_of(lost, pose, frame, self._seen, hidden_by)
        if owner is not None and owner is not lost:
            exchange(lost, owner)
        return owner is not None

    def _resolve_conflicts(self, frame: Frame) -> None:
        """Of two followers on one body, find the wrong one behind the other, or mark it lost."""
        for displaced, rightful in self._identities.conflicts(self._followers):
            if not self._find_behind(displaced, rightful, frame):
                displaced.mark_lost()

    def _find_behind(self, displaced: Follower, rightful: Follower, frame: Frame) -> bool:
        """Look again for a displaced person with the rightful one covered; whether they were found."""
        if displaced.person is None or rightful in displaced.occluders or not self._calls_left:
            return False
        occluders = [*displaced.occluders, rightful]
        found = self._landmarks_in(displaced.last_region, frame, occluders)
        others = [other for other in self._seen if other is not displaced]
        if not displaced.fits(found, frame) or self._identities.is_taken(pose_of(found, frame), others):
            return False
        displaced.occluders = occluders
        displaced.update(found, frame)
        return True

    def _find(self, frame: Frame) -> None:
        """Search a part of the picture for people who are not followed yet."""
        if self._identified_count >= self._people:
            return
        if not self._seen:
            self._search(self._plan.whole, frame)
            if not self._seen:
                self._search(self._plan.next_region(), frame)
        elif self._frames % 2 and (weakest := self._weakest_newcomer()) is not None:
            self._search(around(weakest.region, self._frames // 2), frame)
        elif self._plan.is_due():
            self._search(self._plan.next_region(), frame)
        else:
            known = [follower for follower in self._seen if follower.person is not None]
            if (region := self._plan.next_behind([follower.region for follower in known])) is not None:
                self._search(region, frame, known)

    def _search(self, region: Region, frame: Frame, hidden: Sequence[Follower] = ()) -> None:
        if not self._calls_left:
            return
        self.calls += 1
        detections = self._detector(frame.bgr, region, bodies(hidden))
        for detection in self._identities.unfollowed(detections, self._followers):
            if not self._is_new(detection, frame):
                continue
            if len(self._seen) >= self._people:
                self._make_room(detection, frame)
            elif self._calls_left:
                self._try_to_follow(detection, frame)

    def _make_room(self, detection: Detection, frame: Frame) -> None:
        """Replace a weak newcomer, such as a picture on a wall, with a strong detection.

        Its landmarks are computed in the next frame: this frame's budget is spent.
        """
        worst = self._weakest_newcomer()
        if worst is not None and detection.score >= self._identities.settings.confirm_detection:
            self._followers.remove(worst)
            self._followers.append(Follower(detection.region, detection.score, frame.time_s))

    def _weakest_newcomer(self) -> Follower | None:
        """The newcomer with the lowest detection score below the confirmation limit."""
        waiting = [f for f in self._seen if f.person is None and f.score < self._identities.settings.confirm_detection]
        return min(waiting, key=lambda follower: follower.score, default=None)

    def _is_new(self, detection: Detection, frame: Frame) -> bool:
        alone = not self._seen
        if alone and detection.score < self._identities.settings.alone_score:
            return False
        if detection.size_px < _MIN_SIZE * frame.size[1] or not np.isfinite(detection.size_px):
            return False
        rejected = self._rejected_near(detection, frame.time_s)
        well_seen = detection.score >= self._identities.settings.confirm_detection
        wait_s = _REJECTED_WELL_SEEN_S if well_seen else _REJECTED_S
        # With nobody followed, every frame may try again, as MediaPipe does: it takes time from nobody.
        return alone or rejected is None or frame.time_s - rejected.time_s >= wait_s

    def _rejected_near(self, detection: Detection, time_s: float) -> _Rejection | None:
        """The last rejection near a detection."""
        self._rejected = [r for r in self._rejected if time_s - r.time_s < _REJECTED_S]
        near = _REJECTED_NEAR * detection.size_px
        found = [r for r in self._rejected if np.linalg.norm(r.detection.hips_px - detection.hips_px) < near]
        return found[-1] if found else None

    def _try_to_follow(self, detection: Detection, frame: Frame) -> None:
        """Follow a new person if the landmark network confirms the detection, else remember the rejection."""
        follower = Follower(detection.region, detection.score, frame.time_s)
        rejected = self._rejected_near(detection, frame.time_s)
        uncovered = rejected is not None and not rejected.uncovered
        follower.occluders = [] if uncovered else self._identities.occluders_of(follower.region, self._seen)
        found = self._landmarks_in(follower.region, frame, follower.occluders)
        if follower.fits(found, frame):
            follower.update(found, frame)
            trial = [*self._followers, follower]
            agrees = follower.agrees_with(detection) or not self._seen
            if agrees and not self._identities.is_doubtful(follower, trial, frame.time_s):
                self._followers.append(follower)
                self._plan.note_change()
                return
        self._rejected.append(_Rejection(detection, frame.time_s, uncovered))

    def _identify(self, frame: Frame) -> None:
        """Give newcomers their identities, after a mirror check where one is needed."""
        for newcomer in self._seen:
            if newcomer.person is not None:
                continue
            if self._calls_left and self._identities.needs_mirror_check(newcomer, self._followers, frame.time_s):
                found = self._landmarks_in(newcomer.last_region, frame, newcomer.occluders, mirrored=True)
                newcomer.mirror_score = found.score
            self._identities.identify(newcomer, self._followers, frame.time_s)

    def _poses(self) -> tuple[Pose, ...]:
        named = [(f.person, f.pose) for f in self._seen if f.person is not None and f.pose is not None]
        named.sort(key=lambda item: item[0])
        return tuple(replace(pose, person=person) for person, pose in named[: self._people])
