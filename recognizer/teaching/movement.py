"""Where a person moves in a recording and where they rest, from the poses alone, relative to body size.

A take begins and ends with stillness. The movement is what it teaches; a stillness in the posture from before the
movement is rest; a stillness in another posture, as of a raised hand, may be the action itself and is never taken for
rest.
T times evenly apart, 13 joints of MPOSE-13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, Layout, convert

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Span = tuple[float, float]  # seconds, begin and end

HZ = 25.0
_SURE = 0.3  # confidence from which on a joint's place is good enough to tell motion from jitter
_GAP_S = 0.25  # a joint that is lost for longer is not known
_MEDIAN = 5  # poses over which a jump of a single one is smoothed away
_HALF = 3  # poses to either side of which a speed is the way between
# Torsos a second, the mean of the two fastest joints. In poses of webcams people who stand have 0.3 in half of their
# time and reach 0.6 in a tenth; kicks, claps and waves have 0.7 to 1.6 and reach 1.4 to 3.5.
_MOVES, _MOVES_PART = 0.6, 0.25  # and part of the fastest moment of the recording
_STILL, _MAX_STILL, _STILL_PART = 0.3, 0.6, 0.1
_FIDGETS = 1.0
_JITTER = 1.8  # times the quietest part of the recording
_BURST_S = 0.12  # shorter ones are a detector's mistake
MARGIN_S = 0.15  # kept before and after a movement
SHORTEST_S = 0.6  # of a part; shorter ones are widened
_PAUSE_S = 0.7  # of rest between two parts
_REST_S = 0.4
_HELD_S = 0.8  # longer than the pauses between two repetitions
_EARLY_S = 0.8  # before the key: what began earlier and goes on is the way to the place, or has no beginning
_WORTH = 0.4  # of the way of the largest part: less is no repetition of the action
# Distances of the joint that differs most, in torsos.
_ALIKE, _DIFFERENT = 0.3, 0.6
_LEGS_ASIDE = 0.4  # weight of a leg's horizontal distance: people stand with their feet here and there
_TORSO_OF_SHOULDERS = 1.5  # where no hips are seen
_LEGS = [MPOSE_13.index(f"{side}_{part}") for part in ("knee", "ankle") for side in ("left", "right")]


@dataclass(frozen=True, slots=True)
class Movement:
    """parts: stretches that show the action, with a short margin, in order; empty where nothing moves. held: the last
    part ends in a posture that is held and is not that from before the movement."""

    parts: tuple[Span, ...]
    held: bool = False


@dataclass(frozen=True, eq=False)
class Track:
    """One person at even times. joints: (T, 13, 2) in torsos, smoothed; NaN where not known. pace: (T,) torsos a second
    of the two fastest joints, 0 where nothing is known. known: (T,) whether any pose is near. begins_s: where the take
    was asked for. torso_px: the unit."""

    times_s: Floats
    joints: Floats
    pace: Floats
    known: Mask
    begins_s: float
    torso_px: float

    @cached_property
    def still(self) -> Mask:
        """(T,) whether the person stands still, against the fastest moment and the jitter of this very recording."""
        if not self.known.any():
            return np.zeros(len(self.times_s), bool)
        found: Mask = self.known & (self.pace < self._still_pace())
        return found

    @property
    def fidgets(self) -> bool:
        """Whether nothing in it is faster than a person holding a posture without keeping quite still."""
        return bool(self.known.any()) and self._peak() < _FIDGETS

    def moving(self) -> list[tuple[int, int]]:
        """Moving stretches: the indices of the first and the last pose of each."""
        if not self.known.any():
            return []
        limit = max(_MOVES, _MOVES_PART * self._peak(), 2 * _JITTER * self._quiet())
        wide = runs(self.known & (self.pace >= self._still_pace()))
        fast = self.pace >= limit
        return [(a, b) for a, b in wide if fast[a : b + 1].sum() >= _BURST_S * HZ]

    def _still_pace(self) -> float:
        limit = float(np.clip(_STILL_PART * self._peak(), _STILL, _MAX_STILL))
        return max(limit, min(_JITTER * self._quiet(), 2 * _MAX_STILL))

    def _peak(self) -> float:
        """Of the take itself: what was done before it may have been much faster."""
        taken = self.known & (self.times_s >= self.begins_s - MARGIN_S)
        return float(np.quantile(self.pace[taken if taken.any() else self.known], 0.97))

    def _quiet(self) -> float:
        """What the joints of somebody who stands still seem to do; no more than that, where nobody ever does."""
        return min(float(np.quantile(self.pace[self.known], 0.1)), _STILL)


def track_of(
    times_s: Floats,
    xy_px: NDArray[np.float32],
    confidence: NDArray[np.float32],
    layout: Layout,
    begins_s: float = -np.inf,
) -> Track:
    """(n,) growing seconds, (n, V, 2) pixels and (n, V) confidence of one person as a track."""
    xy, seen = convert(xy_px, confidence, layout, MPOSE_13)
    sure = (seen >= _SURE) & np.isfinite(xy).all(axis=-1)
    at_s = np.arange(times_s[0], times_s[-1] + 1e-9, 1 / HZ) if len(times_s) else np.zeros(0)
    joints = np.full((len(at_s), len(MPOSE_13), 2), np.nan)
    for joint in np.flatnonzero(sure.any(axis=0)):
        there = times_s[sure[:, joint]]
        after = np.clip(np.searchsorted(there, at_s), 0, len(there) - 1)
        before = np.maximum(after - 1, 0)
        gap_s = np.minimum(np.abs(there[after] - at_s), np.abs(at_s - there[before]))
        for axis in (0, 1):
            values = np.interp(at_s, there, xy[sure[:, joint], joint, axis].astype(np.float64))
            joints[:, joint, axis] = np.where(gap_s <= _GAP_S, values, np.nan)
    torso = _torso_px(joints)
    joints = _median(joints) / torso
    known: Mask = np.any(np.isfinite(joints).all(axis=-1), axis=1)
    return Track(at_s, joints, _pace(joints), known, begins_s, torso)


def movement(track: Track) -> Movement:
    """What a take shows; what had come to rest before it was asked for is no part of it."""
    bursts = [(a, b) for a, b in track.moving() if track.times_s[b] >= track.begins_s - MARGIN_S]
    if not bursts:
        return Movement(())
    rest = _rest_before(track, bursts[0][0])
    if rest is not None and not is_natural(rest) and track.fidgets:
        return Movement(())  # a posture that is held from beginning to end
    groups = [[bursts[0]]]
    for before, after in pairwise(bursts):
        if _paused(track, before[1], after[0], rest):
            groups.append([])
        groups[-1].append(after)
    spans = [(group[0][0], group[-1][1]) for group in groups]
    if len(spans) > 1 and spans[-1][1] >= len(track.times_s) - 1 - _HALF:
        spans = spans[:-1]  # cut off, or the way to the key that ended the take
    way = [float(track.pace[a : b + 1].sum()) for a, b in spans]
    spans = [span for span, length in zip(spans, way, strict=True) if length >= _WORTH * max(way)]
    end = _end_of_hold(track, spans[-1][1], rest)
    parts = [_with_margin(track, span) for span in spans]
    if track.times_s[spans[0][0]] < track.begins_s - _EARLY_S:
        parts[0] = (track.begins_s, parts[0][1])
    if end is not None:
        parts[-1] = (parts[-1][0], float(track.times_s[end]))
    return Movement(tuple(parts), end is not None)


def rests(track: Track, parts: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Stretches in which the person stands still as before the first of the parts that show an action. taken: those
    that are not looked at, the parts themselves among them.

    None where that is not known, where it is no posture of rest for most people, or where somebody stands like that
    inside of a part: it may be the action.
    """
    if not parts or not track.known.any():
        return []
    first = int(np.searchsorted(track.times_s, min(start for start, _ in parts)))
    rest = _rest_before(track, first)
    if rest is None or not is_natural(rest) or any(alike(rest, held) for held in held_postures(track, parts)):
        return []
    free = track.still.copy()
    for start_s, end_s in taken:
        free &= (track.times_s < start_s) | (track.times_s > end_s)
    found = []
    for a, b in runs(free):
        if (b - a) / HZ >= _REST_S and distance(posture(track, a, b), rest) < _ALIKE:
            found.append((float(track.times_s[a]), float(track.times_s[b])))
    return found


def held_postures(track: Track, spans: Sequence[Span]) -> list[Floats]:
    """(13, 2) of every stillness inside of spans: what may be held as the action itself."""
    found = []
    for start_s, end_s in spans:
        inside = track.still & (track.times_s >= start_s) & (track.times_s <= end_s)
        found += [posture(track, a, b) for a, b in runs(inside) if (b - a) / HZ >= _HELD_S]
    return found


def posture(track: Track, first: int, last: int) -> Floats:
    """(13, 2) the median of the poses of places `first` to `last`, about the middle of the hips, else the shoulders."""
    joints = track.joints[first : last + 1]
    centre = joints[:, 7:9].mean(axis=1, keepdims=True)
    shoulders = joints[:, 1:3].mean(axis=1, keepdims=True)
    if np.isnan(centre).any(axis=(1, 2)).mean() > 0.5:
        centre = shoulders
    return _nanmedian(joints - centre)


def alike(a: Floats, b: Floats) -> bool:
    """Whether two postures may be the same one: for all that must not be taken for it."""
    return distance(a, b) < _DIFFERENT


def distance(a: Floats, b: Floats) -> float:
    """How far apart two postures (13, 2) are, in torsos: the joint that differs most. 0 where they share no joint."""
    apart = a - b
    apart[_LEGS, 0] *= _LEGS_ASIDE
    lengths = np.linalg.norm(apart, axis=-1)
    return float(np.nanmax(lengths)) if np.isfinite(lengths).any() else 0.0


def is_natural(upright: Floats) -> bool:
    """Whether a posture (13, 2) is one of rest for most people: arms down, trunk upright, both feet on one level."""
    shoulders, hips = upright[1:3].mean(axis=0), upright[7:9].mean(axis=0)
    trunk = hips - shoulders
    leans = bool(np.isfinite(trunk).all()) and trunk[1] < 0.8 * float(np.linalg.norm(trunk))
    raised = bool((upright[5:7, 1] < shoulders[1] + 0.6).any())  # a wrist; NaN is none
    one_foot = bool(abs(upright[11, 1] - upright[12, 1]) > 0.4)
    return not (leans or raised or one_foot)


def runs(mask: Mask) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _rest_before(track: Track, place: int) -> Floats | None:
    """The posture of the last stillness before a place; None where there is none."""
    for a, b in reversed(runs(track.still[:place])):
        if (b - a) / HZ >= _REST_S:
            return posture(track, max(a, b - int(HZ)), b)
    return None


def _paused(track: Track, end: int, start: int, rest: Floats | None) -> bool:
    """Whether the person rests between two bursts, so that they are not one movement."""
    between = posture(track, end + 1, max(start - 1, end + 1))
    at_rest = distance(between, rest) < _ALIKE if rest is not None else is_natural(between)
    return (start - end) / HZ >= _PAUSE_S and at_rest


def _end_of_hold(track: Track, end: int, rest: Floats | None) -> int | None:
    """Where the stillness ends that follows a movement, if the taught posture is held in it; None where it is not."""
    after = [run for run in runs(track.still[end:]) if (run[1] - run[0]) / HZ >= _REST_S]
    if not after or after[0][0] > _PAUSE_S * HZ:
        return None
    first, last = end + after[0][0], end + after[0][1]
    held = posture(track, first, last)
    if is_natural(held) or (rest is not None and distance(held, rest) < _DIFFERENT):
        return None
    return last


def _with_margin(track: Track, span: tuple[int, int]) -> Span:
    start_s, end_s = track.times_s[span[0]] - MARGIN_S, track.times_s[span[1]] + MARGIN_S
    missing_s = max(SHORTEST_S - (end_s - start_s), 0.0)
    start_s, end_s = start_s - missing_s / 2, end_s + missing_s / 2
    return float(max(start_s, track.times_s[0])), float(min(end_s, track.times_s[-1]))


def _pace(joints: Floats) -> Floats:
    """(T,) the mean speed of the two fastest joints; at the ends that of the nearest place which has one."""
    pace = np.zeros(len(joints))
    if len(joints) <= 2 * _HALF:
        return pace
    way = np.linalg.norm(joints[2 * _HALF :] - joints[: -2 * _HALF], axis=-1)
    fastest = np.sort(np.where(np.isnan(way), 0, way), axis=1)[:, -2:].mean(axis=1) * HZ / (2 * _HALF)
    return np.concatenate([np.full(_HALF, fastest[0]), fastest, np.full(_HALF, fastest[-1])])


def _median(joints: Floats) -> Floats:
    """Each joint's median over a few poses; NaN where one of them is not known."""
    half = _MEDIAN // 2
    padded = np.pad(joints, [(half, half), (0, 0), (0, 0)], mode="edge") if len(joints) else joints
    if not len(joints):
        return joints
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN, axis=0)
    return np.asarray(np.median(windows, axis=-1))


def _torso_px(joints: Floats) -> float:
    """The length of the trunk when it is not foreshortened, or what the shoulders' width says of it; 1 where neither is
    seen."""
    shoulders = np.linalg.norm(joints[:, 1] - joints[:, 2], axis=-1)
    trunk = np.linalg.norm(joints[:, 1:3].mean(axis=1) - joints[:, 7:9].mean(axis=1), axis=-1)
    for lengths, factor in ((trunk, 1.0), (shoulders, _TORSO_OF_SHOULDERS)):
        known = lengths[np.isfinite(lengths)]
        if len(known) and (length := float(np.quantile(known, 0.7)) * factor) >= 1:
            return length
    return 1.0


def _nanmedian(joints: Floats) -> Floats:
    """(n, 13, 2) to (13, 2); NaN for joints that are not known in half of the poses."""
    known: Mask = np.asarray(np.isfinite(joints).all(axis=-1))
    found = np.full(joints.shape[1:], np.nan)
    for joint in np.flatnonzero(known.mean(axis=0) >= 0.5):
        found[joint] = np.median(joints[known[:, joint], joint], axis=0)
    return found
