"""Poses of a recording of the app's, and the segments that are cut from it: what its library exports tell of both.

F frames with a time, P poses, each of a frame and a person, V joints, M people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.sequences import ActionSequence, Skeleton
from recognizer.plain_arrays import refuse_traps

NAME = "actionlens"  # in place of the data set's name
_MAX_BYTES = 2 << 30  # of joints.npz, unpacked
_ROUNDING_S = 1e-6  # the length of a recording, which is the end of many a segment, is rounded to this
KINDS = {"times_s": "f", "frame": "i", "person": "i", "xy_px": "f", "confidence": "f"}


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """times_s: (F,) float64, growing. frame, person: (P,). xy_px: (P, V, 2) and confidence: (P, V), 0 where a joint was
    not seen. size_px: of the picture. scored: whether the confidence is the estimator's, or 1 and 0 alone."""

    times_s: NDArray[np.float64]
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    layout: Layout
    size_px: tuple[int, int]
    scored: bool = True


class LabelledSegment(NamedTuple):
    """A labelled stretch of a recording. person: the identity in it. who: the person's name, "" if unknown."""

    name: str
    person: int
    start_s: float
    end_s: float
    action: str
    who: str


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """A stretch of a recording. times_s: (T,). persons: their identities, the segment's own first. skeletons: one each.
    present: (M, T) who is in which frame."""

    times_s: NDArray[np.float64]
    persons: list[int]
    skeletons: list[Skeleton]
    present: NDArray[np.bool_]

    @property
    def fps(self) -> float:
        """Mean rate of the frames."""
        return (len(self.times_s) - 1) / float(self.times_s[-1] - self.times_s[0])


def within(times_s: NDArray[np.float64], start_s: float, end_s: float) -> NDArray[np.bool_]:
    """Which times lie in a stretch, both ends included."""
    inside: NDArray[np.bool_] = (times_s >= start_s - _ROUNDING_S) & (times_s <= end_s + _ROUNDING_S)
    return inside


def cut(poses: Poses, start_s: float, end_s: float, person: int) -> Excerpt | None:
    """Everybody in a stretch; None where it has less than two frames or its own person is in none of them."""
    frames = np.flatnonzero(within(poses.times_s, start_s, end_s))
    inside = (poses.frame >= frames[0]) & (poses.frame <= frames[-1]) if len(frames) else np.zeros(0, bool)
    if len(frames) < 2 or not (poses.person[inside] == person).any():
        return None
    persons = [person, *sorted(set(poses.person[inside].tolist()) - {person})]
    shape = (len(persons), len(frames), len(poses.layout))
    joints, score = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    present = np.zeros(shape[:2], np.bool_)
    for index in np.flatnonzero(inside):
        place = persons.index(int(poses.person[index])), int(poses.frame[index] - frames[0])
        joints[place], score[place], present[place] = poses.xy_px[index], poses.confidence[index], True
    skeletons = [Skeleton(joints[m], score[m] > 0, score[m] if poses.scored else None) for m in range(len(persons))]
    return Excerpt(poses.times_s[frames], persons, skeletons, present)


def sequence_of(found: Excerpt, poses: Poses, segment: LabelledSegment, people: Sequence[str]) -> ActionSequence:
    """A stretch as training has it. people: all names, among which the segment's person has a number."""
    own = found.skeletons[0]
    return ActionSequence(
        dataset=NAME,
        name=segment.name,
        action=segment.action,
        joints=own.joints,
        seen=own.seen,
        layout=poses.layout,
        fps=found.fps,
        subject=people.index(segment.who) if segment.who else None,
        test=False,
        others=tuple(found.skeletons[1:]),
        score=own.score,
        size_px=poses.size_px,
    )


def load_joints(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a joints.npz by the names of Poses, checked against each other. Raises one of UNREADABLE."""
    refuse_traps(file, _MAX_BYTES)
    with np.load(file, allow_pickle=False) as content:
        arrays = {name: np.asarray(content[name]) for name in KINDS}
    poses, joints = len(arrays["frame"]), arrays["confidence"].shape[-1]
    shapes = {"times_s": arrays["times_s"].shape, "frame": (poses,), "person": (poses,)}
    shapes |= {"xy_px": (poses, joints, 2), "confidence": (poses, joints)}
    for name, kind in KINDS.items():
        if arrays[name].shape != shapes[name] or arrays[name].dtype.kind != kind:
            raise ValueError(f"{name} is {arrays[name].dtype} of {arrays[name].shape}")
    if poses and (arrays["frame"].min() < 0 or arrays["frame"].max() >= len(arrays["times_s"])):
        raise ValueError("poses of frames that are not there")
    if not all(np.isfinite(arrays[name]).all() for name in ("times_s", "xy_px", "confidence")):
        raise ValueError("joints or times that are not numbers")
    if not (np.diff(arrays["times_s"]) > 0).all():
        raise ValueError("its times do not grow")
    return arrays
