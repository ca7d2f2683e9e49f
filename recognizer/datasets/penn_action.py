"""Penn Action (Zhang, Zhu, Derpanis: From Actemes to Action, ICCV 2013): hand-annotated 2D joints of web videos."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import PENN_13
from recognizer.datasets.mat_files import MatFiles
from recognizer.datasets.reading import damaged, numbers
from recognizer.datasets.recording import Recording, files_of

log = logging.getLogger(__name__)

NAME = "penn_action"
FPS = 30.0  # not in the files; the web videos are 24 to 30


def read(folder: Path) -> Iterator[Recording]:
    """Every clip under `folder`/labels; the official train field gives the split.

    The files' left and right are the viewer's, so they are swapped here. Joints at (1, 1) are missing: they are
    given the place of the mirrored joint, else of the next joint towards the trunk, and `seen` is False.
    """
    with MatFiles() as mat:
        for file in files_of(folder / "labels", "*.mat", "Penn Action"):
            recording = _recording(mat, file)
            if recording is not None:
                yield recording


def _recording(mat: MatFiles, file: Path) -> Recording | None:
    """The clip of a label file; None, with a line in the log, when it has no 13 joints of 2 or more frames."""
    x, y, action, train = mat.arrays(file, "x", "y", "action", "train")
    if x.shape != y.shape:
        raise damaged(file, f"x of shape {x.shape}, y of shape {y.shape}")
    if (
        action.shape != (1,)
        or action.dtype.kind != "U"
        or train.size != 1
        or train.dtype.kind not in "iuf"
        or not np.isfinite(train).all()
    ):
        raise damaged(file, "`action` is no name, or `train` no number")
    joints = numbers(np.stack([x, y], axis=-1), file, "x and y")  # as float32: some files hold uint8
    if len(joints) < 2 or joints.shape[1:] != (13, 2):
        log.warning("%s: %d frames of %s joints, skipped", file.name, len(joints), joints.shape[1:])
        return None
    joints = joints[:, PENN_13.mirrored]
    finite: NDArray[np.bool_] = np.all(np.isfinite(joints), axis=-1)
    if not finite.all():
        log.warning("%s: %d joints are not numbers, taken as missing", file.name, (~finite).sum())
        joints = np.where(finite[..., None], joints, np.float32(1))
    seen: NDArray[np.bool_] = np.any(joints > 1.5, axis=-1)
    return Recording(
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
