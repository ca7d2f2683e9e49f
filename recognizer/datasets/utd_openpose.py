"""OpenPose COCO-18 poses of colour videos of UTD-MHAD: 7 of its 27 actions by its 8 people, one table a video."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import OPENPOSE_18
from recognizer.datasets.reading import damaged, load_text, numbered
from recognizer.datasets.recording import Recording, files_of
from recognizer.datasets.utd_mhad import ACTIONS

log = logging.getLogger(__name__)

NAME = "utd_openpose_csv"
FPS = 15.0  # of the videos, which have one frame more than the tables have rows
_NECK = OPENPOSE_18.index("neck")


def read(folder: Path) -> Iterator[Recording]:
    """Every aA_sS_tT_color.avi.csv under `folder`; odd subjects train, even ones test, as in UTD-MHAD.

    A row is a frame of 18 joints (x, y) around the neck, in widths of the shoulders. A joint that lies exactly on the
    neck was not found.
    """
    files = files_of(folder, "*/a*_s*_t*_color.avi.csv", "UTD OpenPose")
    for file, (action, subject) in numbered(files, r"a(\d+)_s(\d+)_t\d+_color\.avi\.csv"):
        if not 1 <= action <= len(ACTIONS):
            raise damaged(file, f"the set has no action {action}")
        rows = load_text(file, delimiter=",")
        if len(rows) < 2 or rows.shape[1] != 2 * len(OPENPOSE_18):
            log.warning("%s: shape %s, skipped", file.name, rows.shape)
            continue
        joints = rows.reshape(-1, len(OPENPOSE_18), 2)
        if not np.isfinite(joints).all():
            log.warning("%s: joints that are not numbers, skipped", file.name)
            continue
        seen: NDArray[np.bool_] = np.any(joints != 0, axis=-1)
        seen[:, _NECK] = seen.any(axis=-1)
        yield Recording(
            dataset=NAME,
            name=file.name.removesuffix("_color.avi.csv"),
            action=ACTIONS[action - 1],
            joints=joints,
            seen=seen,
            layout=OPENPOSE_18,
            fps=FPS,
            subject=subject,
            test=subject % 2 == 0,
        )
