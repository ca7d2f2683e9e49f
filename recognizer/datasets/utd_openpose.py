"""OpenPose COCO-18 poses of colour videos of UTD-MHAD: 7 of its 27 actions by its 8 people, one table a video."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import OPENPOSE_18
from recognizer.datasets.dataset import DataSet, ReadResult
from recognizer.datasets.file_problems import damaged, empty, files_of, load_text, numbers_in_name, read_each
from recognizer.datasets.sequences import ActionSequence
from recognizer.datasets.utd_mhad import ACTIONS
from recognizer.model_card import TrainingSource

NAME = "utd_openpose_csv"
FPS = 15.0  # of the videos, which have one frame more than the tables have rows
_NECK = OPENPOSE_18.index("neck")


def read(folder: Path) -> Iterator[ReadResult]:
    """Every aA_sS_tT_color.avi.csv under `folder`; odd subjects train, even ones test, as in UTD-MHAD.

    A row is a frame of 18 joints (x, y) around the neck, in widths of the shoulders. A joint that lies exactly on the
    neck was not found.
    """
    return read_each(files_of(folder, "*/a*_s*_t*_color.avi.csv", "UTD OpenPose"), _sequence)


def _sequence(file: Path) -> ActionSequence:
    action, subject = numbers_in_name(file, r"a(\d+)_s(\d+)_t\d+_color\.avi\.csv")
    if not 1 <= action <= len(ACTIONS):
        raise damaged(file, f"the set has no action {action}")
    rows = load_text(file, delimiter=",")
    if len(rows) < 2:
        raise empty(file, f"{len(rows)} frames")
    if rows.shape[1] != 2 * len(OPENPOSE_18):
        raise damaged(file, f"rows of {rows.shape[1]} numbers, not {2 * len(OPENPOSE_18)}")
    joints = rows.reshape(-1, len(OPENPOSE_18), 2)
    if not np.isfinite(joints).all():
        raise damaged(file, "joints that are not numbers")
    seen: NDArray[np.bool_] = np.any(joints != 0, axis=-1)
    seen[:, _NECK] = seen.any(axis=-1)
    return ActionSequence(
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


DATASET = DataSet(
    name=NAME,
    read=read,
    layout=OPENPOSE_18,
    terms=TrainingSource(
        "OpenPose poses of 195 videos of UTD-MHAD",
        "the videos: Chen, Jafari, Kehtarnavaz: UTD-MHAD, ICIP 2015",
        "as UTD-MHAD: research data, free to use with citation",
    ),
    files="*/a*_s*_t*_color.avi.csv",
)
