"""JHMDB (Jhuang et al., ICCV 2013): annotated 2D puppets of film and web clips; the 14-action edition."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import JHMDB_15
from recognizer.datasets.dataset import DataSet, ReadResult, Split
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.file_problems import damaged, load_npz, numbers, read_each
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

NAME = "jhmdb14"
SPLITS = (1, 2, 3)
FPS = 30.0  # the clips are 15 to 40 frames of 30 a second
_PARTS = ("train", "test")


class _Clip(NamedTuple):
    """joints: (T, 15, 2)."""

    file: Path
    number: int
    action: str
    joints: NDArray[np.float32]


def read(folder: Path, split: int = 1) -> Iterator[ReadResult]:
    """Every clip of splitS_train.npz and splitS_test.npz in `folder` (official split `split`, 1 to 3).

    `validation` are the training clips that the next split tests: the official splits keep clips of one source video
    together, which a random part would not.
    """
    if split not in SPLITS:
        raise DataError(f"JHMDB has no split {split}; choose one of {', '.join(map(str, SPLITS))}")
    files = [folder / f"split{split}_{part}.npz" for part in _PARTS]
    if not any(file.is_file() for file in files):
        raise DataError(f"no JHMDB file {files[0]}; give the folder that holds the data sets")
    kept: frozenset[bytes] = frozenset()
    try:
        kept = _tested_by_the_next(folder, split)
    except DataError as problem:
        yield problem
    for clips in read_each(files, _clips):
        yield from (clips,) if isinstance(clips, DataError) else read_each(clips, partial(_sequence, kept=kept))


def _tested_by_the_next(folder: Path, split: int) -> frozenset[bytes]:
    """The joints of the clips that the next split tests; none where its file is not there."""
    file = folder / f"split{split % len(SPLITS) + 1}_test.npz"
    return frozenset(clip.joints.tobytes() for clip in _clips(file)) if file.is_file() else frozenset()


def _clips(file: Path) -> list[_Clip]:
    if not file.is_file():
        raise DataError(f"no JHMDB file {file}; give the folder that holds the data sets")
    joints, lengths, labels = _arrays(file)
    starts = np.cumsum(lengths) - lengths
    return [
        _Clip(file, number, str(label), joints[start : start + length])
        for number, (start, length, label) in enumerate(zip(starts, lengths, labels, strict=True))
    ]


def _sequence(clip: _Clip, kept: Collection[bytes]) -> ActionSequence:
    where = f"{clip.file}: clip {clip.number}"
    if len(clip.joints) < 2:
        raise EmptyFileError(f"{where}: {len(clip.joints)} frames, left out")
    if not np.isfinite(clip.joints).all():
        raise DataError(f"{where}: joints that are not numbers; get this file again")
    test = clip.file.stem.endswith("_test")
    return ActionSequence(
        dataset=NAME,
        name=f"{clip.file.stem}_{clip.number:03d}",
        action=clip.action,
        joints=clip.joints,
        seen=np.ones(clip.joints.shape[:2], dtype=bool),
        layout=JHMDB_15,
        fps=FPS,
        subject=None,
        test=test,
        validation=not test and clip.joints.tobytes() in kept,
    )


def _arrays(file: Path) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_]]:
    """joints (sum of T, 15, 2), lengths (R,) and labels (R,) of a file, fitting each other."""
    raw, lengths, labels = load_npz(file, "joints", "lengths", "labels")
    joints = numbers(raw, file, "joints")
    if joints.ndim != 3 or joints.shape[1:] != (15, 2):
        raise damaged(file, f"joints of shape {joints.shape}, not (frames, 15, 2)")
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or labels.shape != lengths.shape or labels.dtype.kind != "U":
        raise damaged(file, "`lengths` and `labels` are not one whole number and one name for each clip")
    if (lengths < 0).any() or lengths.sum(dtype=object) != len(joints):
        raise damaged(file, f"the lengths do not add up to its {len(joints)} skeletons")
    return joints, lengths.astype(np.int64), labels


def _held_out(_folder: Path, sequences: Sequence[ActionSequence]) -> NDArray[np.bool_]:
    """DataError where none is: a random part would share source videos with the rest."""
    rows = np.array([sequence.validation for sequence in sequences])
    if not rows.any():
        raise DataError("no validation clips: they are those that the next split tests; add its file splitS_test.npz")
    return rows


def _split(number: int) -> Split:
    return Split(f"jhmdb14-{number}", f"JHMDB-14, split {number}", partial(read, split=number), _held_out)


DATASET = DataSet(
    name=NAME,
    read=read,
    layout=JHMDB_15,
    terms=TrainingSource(
        "JHMDB (14 of its 21 actions)",
        "Jhuang, Gall, Zuffi, Schmid, Black: Towards Understanding Action Recognition, ICCV 2013; http://jhmdb.is.tue.mpg.de/",
        "research data; the clips come from films and web videos",
    ),
    files="split*_train.npz",
    splits=tuple(_split(number) for number in SPLITS),
    everyday={
        **{"walk": ("walk",), "run": ("run",), "sit_down": ("sit",), "stand_up": ("stand",), "pick_up": ("pick",)},
        **{"wave": ("wave",), "clap": ("clap",), "throw": ("throw",), "pull_up": ("pullup",), "swing": ("golf",)},
    },
    marks_validation=True,
    left_out=frozenset({"jump"}),  # too weak to be an action of its own and too much of one to be called unknown
)
