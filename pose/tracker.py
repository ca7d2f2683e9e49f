"""Identities: which pose of this frame is which person of the frames before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from pose.one_euro import body_size_px
from pose.skeleton import MPOSE_13, Layout
from pose.types import Pose


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Distances are in body sizes (longer side of the box around the seen joints).

    duplicate_tolerance, duplicate_similarity: two poses of one frame at least this similar are one person.
    duplicate_gap: so are two whose trunks lie nearer than this, however their limbs were understood.
    match_tolerance: joint distance at which similarity has fallen to 0.61 when poses are matched to people.
    match_similarity: least similarity to a person seen in the frame before; lost_similarity: to one who was
        lost keep_s ago; in between it falls evenly.
    match_gap: a pose that is like nobody still belongs to a person whose trunk would be nearer than this: MediaPipe
        may take a back for a front from one frame to the next, which changes sides.
    keep_s: how long a person who is not seen is remembered.
    coast_s: how long a person who is not seen is taken to move on at the last speed.
    confirm_s: how long somebody must be seen beside known people before getting an identity.
    confirm_gap: how far the trunk of somebody new must be from those of known people. People who hug were apart
        before; a second skeleton on one person never was.
    trunk_confidence: how well two of shoulders and hips of somebody new must be seen.
    """

    duplicate_tolerance: float = 0.06
    duplicate_similarity: float = 0.6
    duplicate_gap: float = 0.08
    match_tolerance: float = 0.25
    match_similarity: float = 0.5
    lost_similarity: float = 0.2
    match_gap: float = 0.15
    keep_s: float = 1.0
    coast_s: float = 0.3
    confirm_s: float = 0.2
    confirm_gap: float = 0.2
    trunk_confidence: float = 0.3


@dataclass(slots=True, eq=False)
class _Track:
    pose: Pose
    since_s: float
    person: int | None = None  # None until confirmed
    speed_px: NDArray[np.float32] | None = None  # (2,) pixels a second of the whole body


class Tracker:
    """Gives people identities 0, 1, 2, ... that are never used again in one run."""

    def __init__(self, people: int, settings: TrackingSettings | None = None) -> None:
        """people: how many to return at most."""
        self._people = people
        self._settings = settings or TrackingSettings()
        self._tracks: list[_Track] = []
        self._next_person = 0

    def update(self, poses: Sequence[Pose], time_s: float) -> tuple[Pose, ...]:
        """The poses of one frame with identities, the person known longest first; time_s must increase.

        Duplicates are removed. Somebody new beside known people is left out until seen for a moment, with a trunk
        of their own; somebody alone is named at once.
        """
        self._tracks = [track for track in self._tracks if self._remembered(track, time_s)]
        seen = []
        for pose, track in self._without_duplicates(self._match(poses, time_s)):
            if track is None:
                track = _Track(pose, time_s)
                self._tracks.append(track)
            else:
                _follow(track, pose)
            seen.append(track)
        self._confirm(seen, time_s)
        named = sorted((track.person, track.pose) for track in seen if track.person is not None)
        return tuple(replace(pose, person=person) for person, pose in named[: self._people])

    def forget(self) -> None:
        """Begin again, as when a source is played again; identities are still not used twice."""
        self._tracks = []

    def _remembered(self, track: _Track, time_s: float) -> bool:
        keep_s = self._settings.keep_s if track.person is not None else self._settings.confirm_s
        return time_s - track.pose.time_s <= keep_s

    def _match(self, poses: Sequence[Pose], time_s: float) -> list[tuple[Pose, _Track | None]]:
        """Each pose with the person it belongs to: the assignment of greatest summed likeness."""
        s = self._settings
        likeness = np.zeros((len(poses), len(self._tracks)))
        for column, track in enumerate(self._tracks):
            gap_s = time_s - track.pose.time_s
            expected = _moved(track, min(gap_s, s.coast_s))
            least = s.match_similarity + gap_s / s.keep_s * (s.lost_similarity - s.match_similarity)
            for row, pose in enumerate(poses):
                value = similarity(pose, expected, s.match_tolerance)
                if value >= least:  # known people go before newcomers, joints before place
                    likeness[row, column] = value + (1 if track.person is None else 2)
                elif track.person is not None:
                    likeness[row, column] = max(1 - trunk_gap(pose, expected) / s.match_gap, 0.0)
        # 0.2 s to import: only where several people are followed.
        from scipy.optimize import linear_sum_assignment

        pairs = zip(*linear_sum_assignment(likeness, maximize=True), strict=True)
        track_of = {row: self._tracks[column] for row, column in pairs if likeness[row, column] > 0}
        return [(pose, track_of.get(row)) for row, pose in enumerate(poses)]

    def _without_duplicates(self, matched: list[tuple[Pose, _Track | None]]) -> list[tuple[Pose, _Track | None]]:
        """Of poses of one person, keep that of the person known longest, else the more confident one."""

        def rank(item: tuple[Pose, _Track | None]) -> tuple[float, float, float]:
            pose, track = item
            person = math.inf if track is None or track.person is None else track.person
            return person, math.inf if track is None else track.since_s, -float(pose.confidence.sum())

        kept: list[tuple[Pose, _Track | None]] = []
        for pose, track in sorted(matched, key=rank):
            if not any(self._is_duplicate(pose, other) for other, _ in kept):
                kept.append((pose, track))
        return kept

    def _is_duplicate(self, a: Pose, b: Pose) -> bool:
        s = self._settings
        return similarity(a, b, s.duplicate_tolerance) >= s.duplicate_similarity or trunk_gap(a, b) < s.duplicate_gap

    def _confirm(self, seen: list[_Track], time_s: float) -> None:
        """Name newcomers; of several who come at once the left one first."""
        for track in sorted(seen, key=lambda track: (track.since_s, float(track.pose.xy_px[:, 0].mean()))):
            if track.person is None and self._is_somebody(track, time_s):
                track.person = self._next_person
                self._next_person += 1

    def _is_somebody(self, track: _Track, time_s: float) -> bool:
        s = self._settings
        known = [other for other in self._tracks if other.person is not None]
        if not known:
            return True
        trunk = track.pose.confidence[_trunk_joints(track.pose.layout)]
        return (
            time_s - track.since_s >= s.confirm_s
            and int((trunk >= s.trunk_confidence).sum()) >= 2
            and all(trunk_gap(track.pose, other.pose) >= s.confirm_gap for other in known)
        )


def similarity(a: Pose, b: Pose, tolerance: float) -> float:
    """How nearly two poses coincide, 0..1, in the manner of COCO's object keypoint similarity.

    exp(-d**2 / 2) averaged over head and limbs with the smaller confidence as weight, d the distance of a joint
    divided by tolerance times the body size.
    """
    main = _main_joints(a.layout)
    weight = np.minimum(a.confidence, b.confidence)[main]
    total = float(weight.sum())
    size = _common_size_px(a, b)
    if total <= 0 or size <= 0:
        return 0.0
    square = ((a.xy_px[main] - b.xy_px[main]) ** 2).sum(axis=-1) / (tolerance * size) ** 2
    return float((weight * np.exp(-square / 2)).sum() / total)


def trunk_gap(a: Pose, b: Pose) -> float:
    """Distance of the middles of shoulders and hips of two poses, in body sizes; infinite where nothing is seen."""
    trunk = _trunk_joints(a.layout)
    size = _common_size_px(a, b)
    if size <= 0:
        return math.inf
    return float(np.linalg.norm(a.xy_px[trunk].mean(axis=0) - b.xy_px[trunk].mean(axis=0))) / size


def _common_size_px(a: Pose, b: Pose) -> float:
    return max(_size_px(a), _size_px(b))


@lru_cache(maxsize=32)  # each pose of a frame is compared with several others
def _size_px(pose: Pose) -> float:
    return body_size_px(pose.xy_px, pose.confidence)


def _moved(track: _Track, ahead_s: float) -> Pose:
    if track.speed_px is None:
        return track.pose
    return replace(track.pose, xy_px=track.pose.xy_px + track.speed_px * np.float32(ahead_s))


_SPEED_MEMORY_S = 0.2  # time constant of the body's speed


def _follow(track: _Track, pose: Pose) -> None:
    """Take a new pose of the person; the speed is that of the middle joint, which arms and legs do not disturb."""
    step_s = pose.time_s - track.pose.time_s
    speed = np.median(pose.xy_px - track.pose.xy_px, axis=0) / np.float32(step_s)
    if track.speed_px is None:
        track.speed_px = np.zeros(2, dtype=np.float32)
    track.speed_px = track.speed_px + np.float32(step_s / (step_s + _SPEED_MEMORY_S)) * (speed - track.speed_px)
    track.pose = pose


@cache
def _main_joints(layout: Layout) -> NDArray[np.intp]:
    """Head and limbs without details of face, hands and feet, which would count many times."""
    return np.array([i for i, joint in enumerate(layout.joints) if joint == "nose" or joint in MPOSE_13.joints])


@cache
def _trunk_joints(layout: Layout) -> NDArray[np.intp]:
    return np.array([layout.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")])
