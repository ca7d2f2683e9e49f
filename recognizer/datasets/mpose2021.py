"""MPOSE2021 (Mazzia et al., Pattern Recognition 2022): short 2D clips of 20 actions, as published arrays.

The archive has one folder per pose extractor, in it one per split, in it X_train.npy, y_train.npy, X_test.npy and
y_test.npy: X (N, 30, K, 3) of x, y in pixels and confidence, y (N,) whole numbers. What is done to them here is what
the authors' package `mpose` and the code of AcT do, in the same order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, Layout
from recognizer.datasets.dataset import DataSet, ReadResult
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import damaged, load_npy, read_each
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

NAME = "mpose2021"
FPS = 30.0  # not in the files; of most videos that it was made of
FRAMES = 30
SPLITS = (1, 2, 3)
ACTIONS = (
    *("standing", "check_watch", "cross_arms", "scratch_head", "sit_down", "get_up", "turn", "walk", "wave1", "box"),
    *("kick", "point", "pick_up", "bend", "hands_clap", "wave2", "jog", "jump", "pjump", "run"),
)
# The seeds of the 10 folds of the protocol: each splits 10% of the training clips off for validation, stratified.
FOLD_SEEDS = (11331, 11435, 12123, 53453, 42344, 24234, 65747, 84443, 29345, 99543)


@dataclass(frozen=True, slots=True)
class _Extractor:
    """How an extractor's joints become 13. places: the source joints of each of the 15 or 13 that are averaged.

    centre, module: joints after averaging whose middles give the origin and, by its distance, the scale.
    order: where the joints of MPOSE-13 are among those.
    """

    joints: int
    places: tuple[tuple[int, ...], ...]
    centre: tuple[int, ...]
    module: tuple[int, ...]
    order: tuple[int, ...]


_COCO = _Extractor(
    joints=17,
    places=((0, 1, 2, 3, 4), *((joint,) for joint in range(5, 17))),
    centre=(1, 2),
    module=(7, 8),
    order=tuple(range(13)),
)
_BODY_25 = _Extractor(
    joints=25,
    places=(
        (0, 15, 16, 17, 18),
        *((joint,) for joint in range(1, 11)),
        (11, 22, 23, 24),
        *((12,), (13,), (14, 19, 20, 21)),
    ),
    centre=(1,),
    module=(8,),
    order=(0, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11),
)
EXTRACTORS = {"openpose": _BODY_25, "posenet": _COCO, "movenet": _COCO}
_SEQUENCES_OF = "openpose"


class _Part(NamedTuple):
    """x: (N, 30, K, 3) as the archive has it. y: (N,)."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class MposeSplit:
    """One split. x: (N, 30, 13, C) float32 in the order of MPOSE-13, y: (N,) places in `actions`.

    C is x, y, then vx, vy where they were asked for. x.reshape(N, 30, -1) are the features of AcT.
    The package leaves OpenPose's right side before its left; here all extractors have MPOSE-13's order.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    actions: tuple[str, ...]
    layout: Layout = MPOSE_13


def read(
    folder: Path,
    pose_extractor: str = "openpose",
    split: int = 1,
    velocities: bool = True,
) -> MposeSplit:
    """Split 1, 2 or 3 of `folder`/EXTRACTOR/SPLIT/, reduced to 13 joints, scaled and centred; DataError otherwise.

    Each pose's origin is the neck (middle of the shoulders), its unit the distance to the middle of the hips, at least
    one pixel; missing joints, at (0, 0) in the files, are moved like the rest. Velocities are differences to the frame
    before of the scaled places; the first frame's is its place itself.
    """
    if pose_extractor not in EXTRACTORS:
        raise DataError(f"MPOSE2021 has no poses of {pose_extractor}; choose one of {', '.join(EXTRACTORS)}")
    if split not in SPLITS:
        raise DataError(f"MPOSE2021 has no split {split}; choose one of {', '.join(map(str, SPLITS))}")
    place = _place(folder, pose_extractor, split)
    x_train, y_train = _finite(place, "train", pose_extractor)
    x_test, y_test = _finite(place, "test", pose_extractor)
    return MposeSplit(
        x_train=prepare(x_train, pose_extractor, velocities, False),
        y_train=y_train,
        x_test=prepare(x_test, pose_extractor, velocities, False),
        y_test=y_test,
        actions=ACTIONS,
    )


def sequences(folder: Path) -> Iterator[ReadResult]:
    """Every clip of split 1 of the OpenPose poses: about the neck, in torsos, as `read` gives them."""
    place = _place(folder, _SEQUENCES_OF, 1)
    for part in read_each(("train", "test"), lambda part: _Part(part, *_load(place, part, _SEQUENCES_OF))):
        if isinstance(part, DataError):
            yield part
        else:
            finite: NDArray[np.bool_] = np.all(np.isfinite(part.x), axis=(1, 2, 3))
            clips = prepare(np.where(finite[:, None, None, None], part.x, 0), _SEQUENCES_OF, False, True)
            yield from read_each(range(len(clips)), partial(_sequence, place, part, finite, clips))


def _sequence(
    place: Path, part: _Part, finite: NDArray[np.bool_], clips: NDArray[np.float32], number: int
) -> ActionSequence:
    if not finite[number]:
        raise DataError(f"{place / f'X_{part.name}.npy'}: clip {number}: joints that are not numbers; get it again")
    clip = clips[number]
    return ActionSequence(
        dataset=NAME,
        name=f"{part.name}_{number:05d}",
        action=ACTIONS[part.y[number]],
        joints=clip[..., :2],
        seen=clip[..., 2] > 0,
        layout=MPOSE_13,
        fps=FPS,
        subject=None,
        test=part.name == "test",
        score=clip[..., 2],
    )


def prepare(x: NDArray[np.float64], pose_extractor: str, velocities: bool, confidence: bool) -> NDArray[np.float32]:
    """(N, T, 13, C) float32 of the archive's own (N, T, K, 3) poses in pixels."""
    how = EXTRACTORS[pose_extractor]
    reduced = np.stack([_mean_of_found(x[..., places, :]) for places in how.places], axis=-2)
    centre = reduced[..., how.centre, :2].mean(axis=-2)
    module = reduced[..., how.module, :2].mean(axis=-2)
    scale = np.maximum(np.linalg.norm(centre - module, axis=-1), 1)
    reduced = reduced[..., how.order, :]
    xy = (reduced[..., :2] - centre[..., None, :]) / scale[..., None, None]
    channels = [xy]
    if velocities:
        channels.append(np.diff(xy, axis=1, prepend=0))
    if confidence:
        channels.append(reduced[..., 2:])
    return np.concatenate(channels, axis=-1).astype(np.float32)


def _mean_of_found(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) mean over joints (..., J, 3) of each coordinate's entries that are not 0."""
    count = (values != 0).sum(axis=-2)
    mean: NDArray[np.float64] = values.sum(axis=-2) / np.maximum(count, 1)
    return mean


def _place(folder: Path, pose_extractor: str, split: int) -> Path:
    place = folder / pose_extractor / str(split)
    if not place.is_dir():
        raise DataError(f"no MPOSE2021 arrays in {place}; unpack {pose_extractor}.zip of the published archive there")
    return place


def _finite(place: Path, part: str, pose_extractor: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    x, y = _load(place, part, pose_extractor)
    if not np.isfinite(x).all():
        raise damaged(place / f"X_{part}.npy", "holds joints that are not numbers")
    return x, y


def _load(place: Path, part: str, pose_extractor: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    x_file, y_file = place / f"X_{part}.npy", place / f"y_{part}.npy"
    for file in (x_file, y_file):
        if not file.is_file():
            raise DataError(f"no MPOSE2021 file {file}; unpack the published archive again")
    x, y, joints = load_npy(x_file), load_npy(y_file), EXTRACTORS[pose_extractor].joints
    if x.dtype.kind not in "fiu" or x.ndim != 4 or x.shape[1:] != (FRAMES, joints, 3) or not len(x):
        raise damaged(x_file, f"{x.dtype} of shape {x.shape}, not numbers of shape (N, {FRAMES}, {joints}, 3)")
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise damaged(y_file, f"{y.dtype} of shape {y.shape}, not {len(x)} whole numbers")
    if y.min() < 0 or y.max() >= len(ACTIONS):
        raise damaged(y_file, f"labels beyond the {len(ACTIONS)} actions")
    return x.astype(np.float64), y.astype(np.int64)


DATASET = DataSet(
    name=NAME,
    read=sequences,
    layout=MPOSE_13,
    terms=TrainingSource(
        "MPOSE2021",
        "Mazzia et al.: Action Transformer, Pattern Recognition 2022; https://github.com/PIC4SeR/MPOSE2021_Dataset",
        "its package is GPL-3.0; the clips are of research sets with terms of their own",
    ),
    files=f"{_SEQUENCES_OF}/1/X_train.npy",
)
