"""Penn Action (Zhang, Zhu, Derpanis: From Actemes to Action, ICCV 2013): hand-annotated 2D joints of web videos."""

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import PENN_13
from recognizer.datasets.dataset import DataSet, Postures, ReadResult, Split
from recognizer.datasets.file_problems import damaged, empty, files_of, numbers, read_each
from recognizer.datasets.mat_files import Arrays, mat_reader
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

log = logging.getLogger(__name__)

NAME = "penn_action"
FPS = 30.0  # not in the files; the web videos are 24 to 30


def read(folder: Path, *, isolated: bool = False) -> Iterator[ReadResult]:
    """Every clip under `folder`/labels; the official train field gives the split.

    The files' left and right are the viewer's, so they are swapped here. Joints at (1, 1) are missing: they are
    given the place of the mirrored joint, else of the next joint towards the trunk, and `seen` is False.
    isolated: as mat_reader has it.
    """
    files = files_of(folder / "labels", "*.mat", "Penn Action")
    with mat_reader(isolated=isolated) as arrays:
        yield from read_each(files, partial(_sequence, arrays))


def _sequence(arrays: Arrays, file: Path) -> ActionSequence:
    """The clip of a label file. DataError where it has no 13 joints of 2 or more frames."""
    x, y, action, train = arrays(file, "x", "y", "action", "train")
    if x.shape != y.shape:
        raise damaged(file, f"x of shape {x.shape}, y of shape {y.shape}")
    if (
        action.shape != (1,)
        or action.dtype.kind != "U"
        or train.size != 1
        or train.dtype.kind not in "iuf"
        or not np.isfinite(train).all()
    ):
        raise damaged(file, "`action` is not a name, or `train` not a number")
    # as float32: some files hold uint8
    joints = np.stack([numbers(each_axis, file, "x and y") for each_axis in (x, y)], axis=-1)
    if joints.ndim != 3 or joints.shape[1:] != (13, 2):
        raise damaged(file, f"joints of shape {joints.shape}, not (frames, 13, 2)")
    if len(joints) < 2:
        raise empty(file, f"{len(joints)} frames")
    joints = joints[:, PENN_13.mirrored]
    finite: NDArray[np.bool_] = np.all(np.isfinite(joints), axis=-1)
    if not finite.all():
        log.warning("%s: %d joints are not numbers, taken as missing", file.name, (~finite).sum())
        joints = np.where(finite[..., None], joints, np.float32(1))
    seen: NDArray[np.bool_] = np.any(joints > 1.5, axis=-1)
    return ActionSequence(
        dataset=NAME,
        name=file.stem,
        action=str(action[0]),
        joints=_fill_missing(joints, seen),
        seen=seen,
        layout=PENN_13,
        fps=FPS,
        subject=None,
        test=int(train.item()) == -1,
    )


def _fill_missing(joints: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Joints (T, 13, 2) with a place for those not `seen`: mirrored joint, else the neighbour nearer the trunk."""
    filled, have = joints.copy(), seen.copy()
    towards_trunk = {"ankle": "knee", "knee": "hip", "hip": "shoulder", "wrist": "elbow", "elbow": "shoulder"}
    for joint, mirrored in enumerate(PENN_13.mirrored):
        take = ~seen[:, joint] & seen[:, mirrored]
        filled[take, joint] = joints[take, mirrored]
        have[take, joint] = True
    for limb in ("shoulder", "hip", "elbow", "wrist", "knee", "ankle"):
        for side in ("left", "right"):
            joint = PENN_13.index(f"{side}_{limb}")
            source = PENN_13.index(f"{side}_{towards_trunk[limb]}") if limb in towards_trunk else PENN_13.index("head")
            take = ~have[:, joint]
            filled[take, joint] = filled[take, source]
    return filled


DATASET = DataSet(
    name=NAME,
    read=read,
    read_isolated=partial(read, isolated=True),
    layout=PENN_13,
    terms=TrainingSource(
        "Penn Action",
        "Zhang, Zhu, Derpanis: From Actemes to Action, ICCV 2013; http://dreamdragon.github.io/PennAction/",
        "research data; the videos belong to their makers",
    ),
    files="labels/*.mat",
    splits=(Split("penn", "Penn Action, official split", read),),
    everyday={
        **{"throw": ("baseball_pitch",), "squat": ("squat",), "push_up": ("pushup",), "sit_up": ("situp",)},
        **{"jumping_jacks": ("jumping_jacks",), "pull_up": ("pullup",)},
        "swing": ("baseball_swing", "golf_swing", "tennis_forehand"),
    },
    postures=Postures(crouching=("squat", "clean_and_jerk")),
)
