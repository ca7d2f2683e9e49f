"""JHMDB (Jhuang et al., ICCV 2013): annotated 2D puppets of film and web clips; the 14-action edition."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose.skeleton import JHMDB_15
from recognizer.training.data.recording import DataError, Recording

log = logging.getLogger(__name__)

NAME = "jhmdb14"
FPS = 30.0  # the clips are 15 to 40 frames of 30 a second


def read(folder: Path, split: int = 1) -> Iterator[Recording]:
    """Every clip of splitS_train.npz and splitS_test.npz in `folder` (official split `split`, 1 to 3)."""
    for part in ("train", "test"):
        file = folder / f"split{split}_{part}.npz"
        if not file.is_file():
            raise DataError(f"no JHMDB file {file}; give the folder that holds the data sets")
        with np.load(file) as content:
            joints, lengths, labels = content["joints"], content["lengths"], content["labels"]
        ends = np.cumsum(lengths)
        for number, (end, length, label) in enumerate(zip(ends, lengths, labels, strict=True)):
            clip = joints[end - length : end].astype(np.float32)
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
