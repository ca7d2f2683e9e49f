"""Near-copies: examples of the same moment, trimmed differently, mirrored, re-encoded or filmed twice. They leak a
check.

Two examples are near-copies where one's movement is found in the other at one shift in time, so close that no person
could have done it twice, or where all their poses are equal, however short or still they are. C examples, F frames of
all of them, J joints of MPOSE-13.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.teaching.examples import Example
from recognizer.teaching.movement import HZ, Floats, Track, track_of

Indices = NDArray[np.intp]

_ANCHORS_EVERY = 8  # frames between the moments of an example that are looked for in the others
_ANCHOR_PACE = 0.7  # torsos a second: still moments look the same in all examples
_NEAR = 0.08  # of a joint in a whole posture, the root of the mean square, in torsos: what is looked at more closely
_SHORTEST_S = 0.6  # that both share
_MIN_MOVING_S = 0.3  # of it
_SHARED = 0.6  # part of the shorter one's movement that must be in the other
# The difference of two trajectories, as a share of the movement itself. Of UTD-MHAD's 1231 pairs of one person doing an
# action twice, one in a hundred is nearer than 0.11; copies whose joints jitter by 2% of the torso differ by 0.05
# (median).
_SAME = 0.12
_FINE = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)  # frames by which a shift is made more exact
_WORTH_REFINING = 3.0  # times _SAME


@dataclass(frozen=True, slots=True, eq=False)
class _Trajectory:
    """joints: (F, J, 2) from the middle of the trunk in torsos, NaN where not known. moving: (F,)."""

    joints: Floats
    moving: NDArray[np.bool_]


def near_copies(examples: Sequence[Example]) -> list[tuple[int, int]]:
    """Index pairs of examples that share a moment; each pair once, the lower index first."""
    trajectories = [_trajectory(example) for example in examples]
    frames = _Frames(trajectories)
    equal = _equal_after(examples)
    found: list[tuple[int, int]] = []
    for example, trajectory in enumerate(trajectories):
        others = set(equal[example])
        for seen in (trajectory, _mirrored(trajectory)):
            for other, shift in frames.matches(seen, after=example):
                if other not in others and _same(seen, trajectories[other], shift):
                    others.add(other)
        found += [(example, other) for other in sorted(others)]
    return found


def _equal_after(examples: Sequence[Example]) -> list[list[int]]:
    """For each example, the later ones whose poses are equal to its own. Where nobody is seen, nothing is compared."""
    places: dict[bytes, list[int]] = {}
    found: list[list[int]] = [[] for _ in examples]
    for index, example in enumerate(examples):
        if not example.confidence.any():
            continue
        same = places.setdefault(_mark(example), [])
        for earlier in same:
            found[earlier].append(index)
        same.append(index)
    return found


def _mark(example: Example) -> bytes:
    return hashlib.blake2b(example.xy_px.tobytes() + example.confidence.tobytes(), digest_size=16).digest()


def copy_groups(examples: Sequence[Example]) -> Indices:
    """(C,) the index of the first example in each group of copies, direct or through other copies."""
    return joined_groups(len(examples), near_copies(examples))


def joined_groups(count: int, pairs: Sequence[tuple[int, int]]) -> Indices:
    """(count,) the lowest index in each group connected by pairs."""
    group = np.arange(count)
    for a, b in pairs:
        one, other = sorted((int(group[a]), int(group[b])))
        group[group == other] = one
    return group


def _trajectory(example: Example) -> _Trajectory:
    track = track_of(example.times_s, example.xy_px, example.confidence, example.layout)
    return _Trajectory(_centred(track), track.known & (track.pace >= _ANCHOR_PACE))


def _centred(track: Track) -> Floats:
    hips, shoulders = track.joints[:, 7:9].mean(axis=1), track.joints[:, 1:3].mean(axis=1)
    centre = np.where(np.isfinite(hips), hips, shoulders)
    centred: Floats = track.joints - centre[:, None]
    return centred


def _mirrored(trajectory: _Trajectory) -> _Trajectory:
    return _Trajectory(trajectory.joints[:, MPOSE_13.mirrored] * np.array([-1.0, 1.0]), trajectory.moving)


def _filled(joints: Floats) -> NDArray[np.float32]:
    """(n, J, 2) to (n, 2 J)."""
    return np.nan_to_num(joints).reshape(len(joints), -1).astype(np.float32)


def _anchors(trajectory: _Trajectory) -> Indices:
    places = np.flatnonzero(trajectory.moving)
    kept: list[int] = []
    for place in places.tolist():
        if not kept or place - kept[-1] >= _ANCHORS_EVERY:
            kept.append(place)
    return np.array(kept, np.intp)


class _Frames:
    """The frames of all examples, in which postures are looked for."""

    def __init__(self, trajectories: Sequence[_Trajectory]) -> None:
        lots = [
            np.zeros((0, 2 * len(MPOSE_13)), np.float32),
            *(_filled(trajectory.joints) for trajectory in trajectories),
        ]
        frames = np.concatenate(lots)
        self._first = np.cumsum([0, *(len(trajectory.joints) for trajectory in trajectories)])
        self._squares = (frames**2).sum(axis=1)
        self._columns = np.ascontiguousarray(-2 * frames.T)

    def matches(self, trajectory: _Trajectory, *, after: int) -> list[tuple[int, int]]:
        """Examples after a place that have nearly the postures of an example's anchors, and at which shift."""
        anchors, first = _anchors(trajectory), self._first
        examples = after + 1 + np.flatnonzero(np.diff(first[after + 1 :]))  # that have a frame
        if not len(anchors) or not len(examples):
            return []
        looked_for, begin = _filled(trajectory.joints[anchors]), first[after + 1]
        # (anchors, F) squared distances, when all three are added. Not by BLAS, whose threads cost more than they save.
        apart = np.einsum("aj,jf->af", looked_for, self._columns[:, begin:])
        apart += self._squares[begin:]
        apart += (looked_for**2).sum(axis=1)[:, None]
        near = np.float32(len(MPOSE_13) * _NEAR**2)
        rows, places = np.nonzero(np.minimum.reduceat(apart, first[examples] - begin, axis=1) < near)
        examples = examples[places]
        start, end = first[examples] - begin, first[examples + 1] - begin
        best = [int(apart[r, a:b].argmin()) for r, a, b in zip(rows, start, end, strict=True)]
        shift = np.array(best, np.intp) - anchors[rows]
        # At the same shift the other anchors must be near, too, as far as the example has their frames.
        at = anchors[None] + shift[:, None]
        inside = (at >= 0) & (at < (end - start)[:, None])
        there = apart[np.arange(len(anchors)), np.where(inside, start[:, None] + at, 0)]
        agree = np.where(inside, there, 0).sum(axis=1) < near * inside.sum(axis=1)
        return sorted(set(zip(examples[agree].tolist(), shift[agree].tolist(), strict=True)))


def _same(a: _Trajectory, b: _Trajectory, shift: int) -> bool:
    """Whether frame n of a and frame n + shift of b show the same moment."""
    start, end = max(0, -shift), min(len(a.joints), len(b.joints) - shift)
    if end - start < _SHORTEST_S * HZ:
        return False
    shared = min(a.moving[start:end].sum(), b.moving[start + shift : end + shift].sum())
    if shared < max(_MIN_MOVING_S * HZ, _SHARED * min(a.moving.sum(), b.moving.sum())):
        return False
    if _difference(a, b, shift, start, end) > _WORTH_REFINING * _SAME:
        return False
    return min(_difference(a, b, shift + fine, start, end) for fine in _FINE) < _SAME


def _difference(a: _Trajectory, b: _Trajectory, shift: float, start: int, end: int) -> float:
    """The distance between frames start to end of a and those of b at a shift, as a share of a's movement. Joints count
    as much as they move; where a joint is always found a little aside, as in a mirror, that is no difference."""
    own = a.joints[start:end]
    at = np.clip(np.arange(start, end) + shift, 0, len(b.joints) - 1)
    before = np.minimum(at.astype(np.intp), len(b.joints) - 2)
    part = (at - before)[:, None, None]
    spread = _variance(own)
    if spread.sum() <= 0:
        return np.inf
    apart = _variance(own - (b.joints[before] * (1 - part) + b.joints[before + 1] * part))
    return float(np.sqrt((spread * apart).sum() / (spread**2).sum()))


def _variance(joints: Floats) -> Floats:
    """(J,) how far each joint goes about its mean, squared."""
    known: NDArray[np.bool_] = np.asarray(np.isfinite(joints).all(axis=-1))
    count = np.maximum(known.sum(axis=0), 1)
    there = np.where(known[..., None], joints, 0)
    mean = there.sum(axis=0) / count[:, None]
    apart = np.where(known, ((joints - mean) ** 2).sum(axis=-1), 0)
    return np.asarray(apart.sum(axis=0) / count)
