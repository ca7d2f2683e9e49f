"""Full there-and-back movements in the poses of any action: nothing in here knows an exercise.

All joints, in body lengths and without telling left from right (so that a left punch is as good as a right one), give
a few common movements: principal components. The turning points of the one that swings most, and most evenly, are
counted: two swings of the usual size are a repetition.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_SHOULDER, _HIP, _KNEE = 0, 3, 4  # places in _PARTS
JOINTS = 1 + 2 * len(_PARTS)

_SEEN_SHARE = 0.5  # of the poses in which a joint must be seen to take part
_COMPONENTS = 3  # movements that are tried
_SMOOTH_S = 0.2  # the poses' own noise is faster
_NOISE_SHARE = 0.2  # of the whole range: a smaller swing says nothing of the usual size
_SHOULDERS_TO_TORSO = 1.3


@dataclass(frozen=True, slots=True)
class CountSettings:
    """What a repetition is. Chosen on the `tune` half of the people of docs/repetitions.csv.

    smallest: swing that counts at all, in torso lengths summed over all joints like a vector's length.
    half: part of the usual swing from which one counts; a smaller one is half a repetition.
    back: part of the usual swing at which the way back is complete.
    likely: probability of the action, in the mean over a movement, from which the movement is a repetition of it.
    """

    smallest: float = 0.25
    half: float = 0.5
    back: float = 0.6
    likely: float = 0.6


class Cycle(NamedTuple):
    """A full movement: there and back."""

    start_s: float
    end_s: float


@cache
def joint_indices(layout: Layout) -> NDArray[np.intp]:
    """(13,) the joints of a layout that are looked at: the head, then pairs of left and right."""
    head = "nose" if "nose" in layout.joints else "head"
    return np.array([layout.index(head), *(layout.index(f"{s}_{p}") for p in _PARTS for s in ("left", "right"))])


def find_cycles(times_s: Array, xy: Array, seen: Mask, settings: CountSettings | None = None) -> tuple[Cycle, ...]:
    """Every full movement, in order; half of one at either end is left out.

    times_s: (T,) increasing. xy: (T, 13, 2) in any square unit, joints as joint_indices gives them. seen: (T, 13).
    """
    settings = settings or CountSettings()
    features = _features(times_s, xy, seen) if len(times_s) > 2 else None
    if features is None:
        return ()
    best: tuple[float, list[int]] = 0.0, []
    for curve in _movements(features):
        if float(np.ptp(curve)) <= best[0]:  # no swing of it can be better
            continue
        found = _swings(curve, settings)
        if found[0] > best[0]:
            best = found
    turns = times_s[best[1]].tolist()
    return tuple(Cycle(turns[n], turns[n + 2]) for n in range(0, len(turns) - 2, 2))


def _features(times_s: Array, xy: Array, seen: Mask) -> Array | None:
    """(T, F) positions of joints, in torso lengths; None where too little of the body is seen."""
    share = seen.mean(axis=0)
    use = share >= _SEEN_SHARE
    filled = _filled(times_s, xy, seen, use & (share < 1))
    left, right = filled[:, 1::2], filled[:, 2::2]
    pairs, known = use[1::2] & use[2::2], use[1::2] | use[2::2]
    middle = (left + right) / 2
    alone = known & ~pairs  # the other side is hidden: the seen one stands for both
    middle[:, alone] = np.where(use[1::2][alone][:, None], left[:, alone], right[:, alone])
    length = _body_length(left, right, middle, pairs, known)
    if not length > 0:
        return None
    parts = [middle[:, known], np.abs(left - right)[:, pairs] / 2]
    if use[0]:
        parts.append(filled[:, :1])
    return _smooth(times_s, np.concatenate(parts, axis=1).reshape(len(times_s), -1) / length)


def _filled(times_s: Array, xy: Array, seen: Mask, gaps: Mask) -> Array:
    """The joints with gaps drawn through."""
    filled = xy.copy()
    for joint in np.flatnonzero(gaps).tolist():
        at = seen[:, joint]
        for axis in range(2):
            filled[:, joint, axis] = np.interp(times_s, times_s[at], xy[at, joint, axis])
    return filled


def _body_length(left: Array, right: Array, middle: Array, pairs: Mask, known: Mask) -> float:
    """The longest of torso, thigh and 1.3 shoulder widths: whichever the view does not foreshorten; 0 without any."""
    lengths = [0.0]
    if known[_SHOULDER] and known[_HIP]:
        lengths.append(_median_length(middle[:, _SHOULDER] - middle[:, _HIP]))
    if pairs[_SHOULDER]:
        lengths.append(_SHOULDERS_TO_TORSO * _median_length(left[:, _SHOULDER] - right[:, _SHOULDER]))
    if known[_HIP] and known[_KNEE]:
        lengths.append(_median_length(middle[:, _HIP] - middle[:, _KNEE]))
    return max(lengths)


def _median_length(vectors: Array) -> float:
    return float(np.median(np.hypot(vectors[:, 0], vectors[:, 1])))


def _smooth(times_s: Array, values: Array) -> Array:
    """A moving mean; at the ends of what there is."""
    step_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    reach = round(_SMOOTH_S / 2 / step_s)
    if reach < 1 or len(values) <= 2 * reach:
        return values
    padded = np.concatenate([np.repeat(values[:1], reach, axis=0), values, np.repeat(values[-1:], reach, axis=0)])
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), axis=0)
    smoothed: Array = (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
    return smoothed


def _movements(features: Array) -> Array:
    """(C, T) the strongest common movements."""
    centred = features - features.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    curves: Array = (centred @ vectors[:, : -_COMPONENTS - 1 : -1]).T
    return curves


def _swings(curve: Array, settings: CountSettings) -> tuple[float, list[int]]:
    """How well a movement can be counted, and the indices of its turning points, each the end of a whole swing."""
    sizes = _sizes(curve, _turns(curve, max(settings.smallest, _NOISE_SHARE * float(np.ptp(curve)))))
    if len(sizes) < 2:
        return 0.0, []
    usual = float(np.median(np.sort(sizes)[len(sizes) // 2 :]))
    turns = _turns(curve, max(settings.smallest, settings.half * usual))
    sizes = _sizes(curve, turns)
    if len(sizes) and sizes[0] < settings.back * usual:
        turns, sizes = turns[1:], sizes[1:]
    if len(sizes) and sizes[-1] < settings.back * usual:
        turns, sizes = turns[:-1], sizes[:-1]
    if len(sizes) < 2:
        return 0.0, []
    return usual / (1 + float(np.std(sizes) / np.mean(sizes))), turns


def _sizes(curve: Array, turns: list[int]) -> Array:
    return np.abs(np.diff(curve[turns]))


def _turns(curve: Array, least: float) -> list[int]:
    """Places of the turning points between which the curve moves by `least`, with its first and last extreme."""
    values = curve.tolist()
    low = high = 0
    rising = falling = True  # until the first move both are possible
    turns: list[int] = []
    for index, value in enumerate(values):
        if value > values[high]:
            high = index
        if value < values[low]:
            low = index
        if rising and values[high] - value >= least:
            turns.append(high)
            rising, falling, low = False, True, index
        elif falling and value - values[low] >= least:
            turns.append(low)
            rising, falling, high = True, False, index
    if turns:
        turns.append(high if rising else low)
    return turns
