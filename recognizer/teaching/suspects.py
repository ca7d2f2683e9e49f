"""What looks wrong with a take, in plain words, as soon as it is recorded and before training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, convert
from recognizer.action_names import action_text
from recognizer.teaching.examples import Example
from recognizer.teaching.movement import HZ, Floats, Track, movement, posture, track_of

_SHORTEST_S = 0.4
_LOST_S = 0.5  # without a pose
_SEEN_HERE, _SEEN_THERE = 0.5, 0.7  # parts of the frames: less is out of the picture, more is in it
_SEEN = 0.1
_LONGER, _SHORTER = 3.0, 1 / 3.0  # than the others of its name
_MIN_OTHERS = 2  # to say that a take is unlike them
_UNLIKE, _MIN_UNLIKE = 2.2, 0.3  # times how unlike the others are each other, and torsos
_FRAMES = 24  # of a take that is compared
_BAND = 6  # frames by which one may be ahead of the other
_PARTS = {
    "the head": ("head",),
    "the shoulders": ("left_shoulder", "right_shoulder"),
    "the left hand": ("left_wrist",),
    "the right hand": ("right_wrist",),
    "the hips": ("left_hip", "right_hip"),
    "the knees": ("left_knee", "right_knee"),
    "the feet": ("left_ankle", "right_ankle"),
}
_ALWAYS = ("the shoulders",)  # without which nothing can be said of a take


def suspicions(take: Example, others: Sequence[Example] = ()) -> list[str]:
    """What is wrong with a take of an action, a sentence each, without its stop; nothing where it looks right.

    others: further takes of the same action, if there are some. What is missing in all of them, such as the legs at a
    desk, is part of the action, and a posture that all of them hold is the action.
    """
    track, rest = _track(take), [_track(other) for other in others]
    found = [*_length(take, others), *_lost(take), *_cut_off(take, others)]
    still = not movement(track).parts
    if still and not any(not movement(other).parts for other in rest):
        found.append("nothing moves in it" + ("" if rest else ": correct only if you are teaching a posture"))
    if not found and len(rest) >= _MIN_OTHERS and _is_unlike(track, rest):
        found.append(f"it looks unlike the other takes of {action_text(take.action)}")
    return found


def _track(example: Example) -> Track:
    return track_of(example.times_s, example.xy_px, example.confidence, example.layout)


def _length(take: Example, others: Sequence[Example]) -> list[str]:
    own = _seconds(take)
    if own < _SHORTEST_S:
        return [f"it is too short: {own:.1f} s"]
    if len(others) < _MIN_OTHERS:
        return []
    usual = float(np.median([_seconds(other) for other in others]))
    if own > _LONGER * usual:
        return [f"it is much longer than the others: {own:.1f} s instead of {usual:.1f} s"]
    if own < _SHORTER * usual:
        return [f"it is much shorter than the others: {own:.1f} s instead of {usual:.1f} s"]
    return []


def _seconds(example: Example) -> float:
    return float(example.times_s[-1] - example.times_s[0]) if len(example.times_s) else 0.0


def _lost(take: Example) -> list[str]:
    gap_s = float(np.diff(take.times_s).max()) if len(take.times_s) > 1 else 0.0
    return [f"you are out of the picture for {gap_s:.1f} s of it"] if gap_s > _LOST_S else []


def _cut_off(take: Example, others: Sequence[Example]) -> list[str]:
    """Parts of the body that are out of the picture here; of those that the others show too little, nothing is said."""
    here, there = _shown(take), [_shown(other) for other in others]
    missing = []
    for part in _PARTS:
        usual = all(shown[part] >= _SEEN_THERE for shown in there) if there else part in _ALWAYS
        if here[part] < _SEEN_HERE and (usual or part in _ALWAYS):
            missing.append(part)
    if not there and here["the knees"] >= _SEEN_THERE and here["the feet"] < _SEEN_HERE:
        missing.append("the feet")
    hands = ["the left hand", "the right hand"]
    if not there and max(here[hand] for hand in hands) < _SEEN_HERE:
        missing += hands
    if not missing:
        return []
    names = ", ".join(missing[:-1]) + (" and " if len(missing) > 1 else "") + missing[-1]
    are = "are" if len(missing) > 1 or missing[0].endswith("s") or missing[0] == "the feet" else "is"
    return [f"{names} {are} out of the picture in most of it"]


def _shown(example: Example) -> dict[str, float]:
    """In which part of the poses each part of the body is seen, on one side at least."""
    _, confidence = convert(example.xy_px, example.confidence, example.layout, MPOSE_13)
    seen: NDArray[np.bool_] = confidence >= _SEEN
    shown = {}
    for part, joints in _PARTS.items():
        places = [MPOSE_13.index(joint) for joint in joints]
        shown[part] = float(np.any(seen[:, places], axis=1).mean()) if len(seen) else 0.0
    return shown


def _is_unlike(track: Track, others: Sequence[Track]) -> bool:
    """Whether a take is further from its nearest other than those are from theirs."""
    own = _resampled(track)
    rest = [_resampled(other) for other in others]
    nearest = min(_take_distance(own, other) for other in rest)
    usual = [min(_take_distance(a, b) for b in rest if b is not a) for a in rest]
    return nearest > max(_UNLIKE * float(np.median(usual)), _MIN_UNLIKE)


def _resampled(track: Track) -> Floats:
    """(_FRAMES, 13, 2) of what moves in a take, or of all of it, about the trunk, in torsos; NaN where not known."""
    parts = movement(track).parts or ((float(track.times_s[0]), float(track.times_s[-1])),)
    first, last = (round((time_s - track.times_s[0]) * HZ) for time_s in (parts[0][0], parts[-1][1]))
    places = np.linspace(first, min(last, len(track.times_s) - 1), _FRAMES).round().astype(np.intp)
    return np.stack([posture(track, place, place) for place in places])


def _take_distance(a: Floats, b: Floats) -> float:
    """The distance of two takes in torsos, time warped within a band, as they are or one of them as in a mirror."""
    return min(_warped_distance(a, b), _warped_distance(a, b[:, MPOSE_13.mirrored] * np.array([-1.0, 1.0])))


def _warped_distance(a: Floats, b: Floats) -> float:
    lengths = np.linalg.norm(a[:, None] - b[None], axis=-1)  # (F, F, 13)
    known = np.isfinite(lengths)
    # The three joints that differ most, so that one arm weighs as much as a whole body.
    largest = np.sort(np.where(known, lengths, 0), axis=-1)[..., -3:].mean(axis=-1)
    best = np.full((len(a) + 1, len(b) + 1), np.inf)
    best[0, 0] = 0
    for i in range(len(a)):
        for j in range(max(0, i - _BAND), min(len(b), i + _BAND + 1)):
            before = min(best[i, j] + largest[i, j], best[i, j + 1], best[i + 1, j])
            best[i + 1, j + 1] = before + largest[i, j]
    return float(best[-1, -1] / (len(a) + len(b)))
