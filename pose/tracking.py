"""Identities: which pose of this frame is which person of the frames before."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pose.skeleton import MPOSE_13, Layout
from pose.smoothing import body_size_px
from pose.types import Pose


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Distances are in body sizes (longer side of the box around the seen joints).

    duplicate_tolerance, duplicate_similarity: two poses of one frame at least this similar are one person.
    match_tolerance: joint distance at which similarity has fallen to 0.61 when poses are matched to people.
    match_similarity: least similarity to a person seen in the frame before; lost_similarity: to one who was
    lost keep_s ago; in between it falls evenly.
    keep_s: how long a person who is not seen is remembered.
    confirm_s: how long somebody must be seen beside known people before getting an identity.
    coast_s: how long a person who is not seen is taken to move on at the last speed.
    """

    duplicate_tolerance: float = 0.06
    duplicate_similarity: float = 0.5
    match_tolerance: float = 0.25
    match_similarity: float = 0.5
    lost_similarity: float = 0.2
    keep_s: float = 1.0
    confirm_s: float = 0.2
    coast_s: float = 0.3


@dataclass(slots=True, eq=False)
class _Track:
    pose: Pose
    since_s: float
    person: int | None = None  # None until confirmed
    speed_px: NDArray[np.float32] | None = None  # (2,) pixels a second of the whole body


class Tracker:
    """Gives people identities 0, 1, 2, ... that are never used again in one run."""

    def __init__(self, people: int, settings: TrackingSettings | None = None) -> None:
        self._people = people
        self._settings = settings or TrackingSettings()
        self._tracks: list[_Track] = []
        self._next_person = 0

    def update(self, poses: tuple[Pose, ...], time_s: float) -> tuple[Pose, ...]:
        """The poses of one frame with identities, the person known longest first; time_s must increase.

        Duplicates are removed, and somebody new is left out until seen for confirm_s, unless nobody else is known.
        """
        s = self._settings
        poses = remove_duplicates(poses, s.duplicate_tolerance, s.duplicate_similarity)
        self._tracks = [track for track in self._tracks if self._remembered(track, time_s)]
        matched = self._match(poses, time_s)
        seen = []
        for pose, track in zip(poses, matched, strict=True):
            if track is None:
                track = _Track(pose, time_s)
                self._tracks.append(track)
            else:
                _follow(track, pose)
            seen.append(track)
        self._confirm(seen, time_s)
        named = sorted((track for track in seen if track.person is not None), key=lambda track: track.person or 0)
        return tuple(replace(track.pose, person=track.person or 0) for track in named[: self._people])

    def forget(self) -> None:
        """Begin anew, as when a source is played again; identities are still not used twice."""
        self._tracks = []

    def _remembered(self, track: _Track, time_s: float) -> bool:
        keep_s = self._settings.keep_s if track.person is not None else self._settings.confirm_s
        return time_s - track.pose.time_s <= keep_s

    def _match(self, poses: tuple[Pose, ...], time_s: float) -> list[_Track | None]:
        """For each pose the person it belongs to: the assignment of greatest summed similarity."""
        matched: list[_Track | None] = [None] * len(poses)
        if not poses or not self._tracks:
            return matched
        s = self._settings
        similar = np.zeros((len(poses), len(self._tracks)))
        for column, track in enumerate(self._tracks):
            gap_s = time_s - track.pose.time_s
            expected = _moved(track, min(gap_s, s.coast_s))
            least = np.interp(gap_s / s.keep_s, (0.0, 1.0), (s.match_similarity, s.lost_similarity))
            for row, pose in enumerate(poses):
                value = similarity(pose, expected, s.match_tolerance)
                similar[row, column] = value if value >= least else 0.0
        for row, column in zip(*linear_sum_assignment(similar, maximize=True), strict=True):
            if similar[row, column] > 0:
                matched[row] = self._tracks[column]
        return matched

    def _confirm(self, seen: list[_Track], time_s: float) -> None:
        """Name those who were seen for long enough, and the first to come where nobody is known."""
        for track in sorted(seen, key=lambda track: (track.since_s, track.pose.xy_px[:, 0].mean())):
            known = any(other.person is not None for other in self._tracks)
            if track.person is None and (not known or time_s - track.since_s >= self._settings.confirm_s):
                track.person = self._next_person
                self._next_person += 1


def similarity(a: Pose, b: Pose, tolerance: float) -> float:
    """How nearly two poses coincide, 0..1, in the manner of COCO's object keypoint similarity.

    exp(-d**2 / 2) averaged over head and limbs with the smaller confidence as weight, d the distance of a joint
    divided by tolerance times the body size.
    """
    main = _main_joints(a.layout)
    weight = np.minimum(a.confidence, b.confidence)[main]
    total = float(weight.sum())
    size = max(body_size_px(a.xy_px, a.confidence), body_size_px(b.xy_px, b.confidence))
    if total <= 0 or size <= 0:
        return 0.0
    square = ((a.xy_px[main] - b.xy_px[main]) ** 2).sum(axis=-1) / (tolerance * size) ** 2
    return float((weight * np.exp(-square / 2)).sum() / total)


def remove_duplicates(poses: tuple[Pose, ...], tolerance: float, least: float) -> tuple[Pose, ...]:
    """The poses without those that nearly coincide with a more confident one; order kept."""
    if len(poses) < 2:
        return poses
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda pose: -float(pose.confidence.sum())):
        if all(similarity(pose, other, tolerance) < least for other in kept):
            kept.append(pose)
    return tuple(pose for pose in poses if any(pose is other for other in kept))


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
    """Head and limbs without face, hand and foot details, which would count many times."""
    return np.array([i for i, joint in enumerate(layout.joints) if joint == "nose" or joint in MPOSE_13.joints])
