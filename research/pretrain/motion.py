"""Recordings as input of GL-Transformer: the motion of the whole body, and of its joints relative to it.

After the published preparation of NTU RGB+D: joints are relative to the root of their frame, the root itself holds its
displacement since the person's first frame, and everybody is rotated about the vertical so that the shoulders lie
across the picture. T frames, V joints, C coordinates, P people, J = V P tokens (token = joint * P + person).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence, Skeleton
from recognizer.training.pretrain.own_recordings import filled
from recognizer.training.pretrain.recipes import GLOBAL, Facing

Array = NDArray[np.float32]
Rows = NDArray[np.intp]

ROOT = "shoulder_centre"
_TORSO_M = 0.5  # what a torso counts for where lengths are not in metres
_LEAST_ACROSS_M = 1e-4  # shoulders nearer than this, seen from above, give no direction


@dataclass(frozen=True, slots=True, eq=False)
class MotionClips:
    """Clips at their natural speed.

    x: N arrays (T, J, C) float32, metres (2D: a torso is 0.5 m); people that a clip lacks are 0. labels: (N,) indices
    into `actions`. joints: names of the V tokens of a person. global_joint: index of the one that carries the
    displacement of the whole body. test, validation, subjects: (N,), as in the recordings; subjects are -1 where
    unknown.
    """

    x: tuple[Array, ...]
    labels: Rows
    actions: tuple[str, ...]
    names: tuple[str, ...]
    joints: tuple[str, ...]
    global_joint: int
    people: int
    test: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    subjects: Rows

    @property
    def channels(self) -> int:
        """C: 2 or 3."""
        return int(self.x[0].shape[2])

    def arrays(self, rows: Rows) -> Iterator[tuple[str, NDArray[Any]]]:
        """The labels and clips of some rows by name, for a digest of the training data."""
        yield "labels", self.labels[rows]
        yield from ((self.names[row], self.x[row]) for row in rows)


def motion_clips(
    recordings: Iterable[ActionSequence],
    people: int = 1,
    facing: Facing = "frame",
) -> MotionClips:
    """facing: turned in each frame (published), once for the whole clip, or not; 2D clips are not turned. DataError
    when there is nothing, or recordings do not fit each other."""
    recordings = [recording for recording in recordings if len(recording.joints) > 1]
    if not recordings:
        raise DataError("no recordings of two frames or more; check the data folder and the split")
    first = recordings[0]
    names = tuple(sorted({recording.action for recording in recordings}))
    for recording in recordings:
        if recording.joints.shape[-1] != first.joints.shape[-1] or recording.layout != first.layout:
            raise DataError(f"{recording.dataset}/{recording.name} does not fit {first.dataset}/{first.name}")
    joints, place = tokens_of(first.layout)
    return MotionClips(
        x=tuple(_clip(recording, people, facing) for recording in recordings),
        labels=np.array([names.index(recording.action) for recording in recordings], dtype=np.intp),
        actions=names,
        names=tuple(recording.name for recording in recordings),
        joints=joints,
        global_joint=place,
        people=people,
        test=np.array([recording.test for recording in recordings]),
        validation=np.array([recording.validation for recording in recordings]),
        subjects=np.array([-1 if r.subject is None else r.subject for r in recordings], dtype=np.intp),
    )


def tokens_of(layout: Layout) -> tuple[tuple[str, ...], int]:
    """Names of a person's tokens, and the index of the one that carries the body's displacement: the root, whose
    relative position is always 0, or an extra token where the layout has none."""
    if ROOT in layout.joints:
        return layout.joints, layout.index(ROOT)
    return (*layout.joints, GLOBAL), len(layout)


def _clip(recording: ActionSequence, people: int, facing: Facing) -> Array:
    skeletons = recording.people[:people]
    scale = 1.0 if recording.joints.shape[-1] == 3 else _metres_per_unit(skeletons[0], recording.layout)
    moving = [_person(skeleton, recording.layout, facing, scale) for skeleton in skeletons]
    frames, tokens, channels = moving[0].shape
    x = np.zeros((frames, tokens, people, channels), dtype=np.float32)
    for number, person in enumerate(moving):
        x[:, :, number] = person
    if not np.isfinite(x).all():
        raise DataError(f"{recording.dataset}/{recording.name} has joints that are not numbers; take the file out")
    return x.reshape(frames, tokens * people, channels)


def _person(skeleton: Skeleton, layout: Layout, facing: Facing, scale: float) -> Array:
    """(T, V, C) in metres of one person; all 0 where the person is never there."""
    xyz, there = skeleton.joints, skeleton.seen | np.any(skeleton.joints != 0, axis=-1)
    names, place = tokens_of(layout)
    if not there.any():
        return np.zeros((len(xyz), len(names), xyz.shape[-1]), dtype=np.float32)
    places = filled(xyz, there).astype(np.float64) * scale
    root = places[:, layout.index(ROOT)] if ROOT in layout.joints else _midpoint(places, layout, "hip")
    local = places - root[:, None]
    if place == len(layout):
        local = np.concatenate([local, np.zeros_like(root)[:, None]], axis=1)
    local[:, place] = root - root[0]
    local[:, np.flatnonzero(~there.any(axis=0))] = 0  # a joint that is never seen is nowhere
    if facing != "none" and xyz.shape[-1] == 3:
        local = _facing_front(local, layout, facing)
    return local.astype(np.float32)


def _midpoint(xyz: NDArray[np.float64], layout: Layout, part: str) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = xyz[:, [layout.index(f"left_{part}"), layout.index(f"right_{part}")]].mean(axis=1)
    return middle


def _facing_front(local: NDArray[np.float64], layout: Layout, facing: Facing) -> NDArray[np.float64]:
    """Rotated about the vertical (y) so that the vector from right to left shoulder has no depth and points along x."""
    across = local[:, layout.index("left_shoulder")] - local[:, layout.index("right_shoulder")]
    if facing == "clip":
        across = np.broadcast_to(across.sum(axis=0), across.shape)
    length = np.hypot(across[:, 0], across[:, 2])
    known = length > _LEAST_ACROSS_M
    cos = np.where(known, across[:, 0] / np.where(known, length, 1), 1)[:, None]
    sin = np.where(known, across[:, 2] / np.where(known, length, 1), 0)[:, None]
    x, y, z = np.moveaxis(local, 2, 0)
    return np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=2)


def _metres_per_unit(skeleton: Skeleton, layout: Layout) -> float:
    """Metres in the unit of a 2D clip, from the median length of the torso."""
    sides = [[layout.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip")]
    seen = skeleton.seen[:, [*sides[0], *sides[1]]].all(axis=1)
    shoulders, hips = (skeleton.joints[seen][:, pair].mean(axis=1) for pair in sides)
    torso = float(np.median(np.linalg.norm(shoulders - hips, axis=-1))) if seen.any() else 0.0
    joints = skeleton.joints[skeleton.seen]
    extent = float(np.ptp(joints, axis=0).max()) if len(joints) else 0.0
    return _TORSO_M / (max(torso, 0.2 * extent) or 1.0)  # a torso seen end-on is no measure
