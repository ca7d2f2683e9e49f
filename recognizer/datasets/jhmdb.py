"""JHMDB (Jhuang et al., ICCV 2013): annotated 2D puppets of film and web clips; the 14-action edition."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import JHMDB_15
from recognizer.datasets.reading import damaged, load_npz, numbers
from recognizer.datasets.recording import DataError, Recording

log = logging.getLogger(__name__)

NAME = "jhmdb14"
SPLITS = (1, 2, 3)
FPS = 30.0  # the clips are 15 to 40 frames of 30 a second


def read(folder: Path, split: int = 1) -> Iterator[Recording]:
    """Every clip of splitS_train.npz and splitS_test.npz in `folder` (official split `split`, 1 to 3)."""
    if split not in SPLITS:
        raise DataError(f"JHMDB has no split {split}; choose one of {', '.join(map(str, SPLITS))}")
    for part in ("train", "test"):
        file = folder / f"split{split}_{part}.npz"
        if not file.is_file():
            raise DataError(f"no JHMDB file {file}; give the folder that holds the data sets")
        joints, lengths, labels = _arrays(file)
        ends = np.cumsum(lengths)
        for number, (end, length, label) in enumerate(zip(ends, lengths, labels, strict=True)):
            clip = joints[end - length : end]
            if len(clip) < 2 or not np.isfinite(clip).all():
                log.warning("%s clip %d: not %d whole skeletons, skipped", file.name, number, length)
                continue
            yield Recording(
                dataset=NAME,
                name=f"split{split}_{part}_{number:03d}",
                action=str(label),
                joints=clip,
                seen=np.ones(clip.shape[:2], dtype=bool),
                layout=JHMDB_15,
                fps=FPS,
                subject=None,
                test=part == "test",
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
