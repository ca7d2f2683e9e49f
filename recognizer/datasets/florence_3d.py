"""Florence 3D Actions (Seidenari et al., CVPR Workshops 2013): Kinect skeletons of 9 actions by 10 people.

One text file for the whole set, Florence_dataset_WorldCoordinates.txt; a line is a frame of 48 numbers: idvideo,
idactor, idcategory, then x, y, z of 15 joints in the order of the set's own description: head, neck, spine, left
shoulder, elbow and wrist, the right ones, left hip, knee and ankle, the right ones. Its spine is JHMDB's belly, so the
joints are those of JHMDB-15 and come in that order.

The description tells neither the unit nor which way x runs, so both are taken from each video: depths of more than 100
are millimetres, and everybody faces the camera, so that the left shoulder is on the right of an unmirrored picture.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import JHMDB_15
from recognizer.datasets.dataset import DataSet, Postures, ReadResult, Split, people
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.file_problems import read_each
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

NAME = "florence_3d"
FILE = "Florence_dataset_WorldCoordinates.txt"
FPS = 30.0  # not in the file; Kinect's
ACTIONS = ("wave", "drink", "answer_phone", "clap", "tie_lace", "sit_down", "stand_up", "read_watch", "bow")
_JOINTS = (
    *("head", "neck", "belly", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_shoulder", "right_elbow", "right_wrist", "left_hip", "left_knee", "left_ankle"),
    *("right_hip", "right_knee", "right_ankle"),
)
_ORDER = [_JOINTS.index(joint) for joint in JHMDB_15.joints]
_NUMBERS = 3 + 3 * len(_JOINTS)
_TRAIN_PEOPLE = 5  # the first of ten; the others test
_FARTHEST_MM = 1e6
_MAX_M = 100.0  # a depth beyond is in millimetres
_SHOULDERS = [JHMDB_15.index("left_shoulder"), JHMDB_15.index("right_shoulder")]


class _Video(NamedTuple):
    """Lines of the file that follow each other and are of one video: numbers in the file, and words."""

    file: Path
    name: str
    lines: list[tuple[int, list[str]]]


def read(folder: Path) -> Iterator[ReadResult]:
    """Every video of the file in `folder`; the first five people train, the others test (cross-subject).

    A video with a line that is not a frame is a problem of its own. A frame of zeros, nobody tracked, is left out.
    """
    file = folder / FILE
    if not file.is_file():
        raise DataError(f"no Florence 3D file {file}; give the folder that holds the data sets")
    return read_each(_videos(file), _sequence)


def _videos(file: Path) -> list[_Video]:
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}); check its permissions") from error
    videos: list[_Video] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        if not videos or (words[0].isdecimal() and words[0] != videos[-1].name):
            videos.append(_Video(file, words[0], []))
        videos[-1].lines.append((number, words))  # what begins with no number belongs to the video that it stands in
    return videos


def _sequence(video: _Video) -> ActionSequence:
    rows = np.array([_row(video, number, words) for number, words in video.lines])
    which = f"{video.file}: lines {video.lines[0][0]} to {video.lines[-1][0]}"
    ids = rows[:, :3]
    whole = np.isfinite(ids).all() and (ids == np.round(ids)).all()
    if not whole or (ids != ids[0]).any() or not 1 <= ids[0, 2] <= len(ACTIONS):
        raise DataError(f"{which}: not one video of one person and one of {len(ACTIONS)} actions; get this file again")
    number, subject, action = (int(value) for value in ids[0])
    skeletons = rows[:, 3:].reshape(len(rows), len(_JOINTS), 3)
    if not (np.abs(skeletons) < _FARTHEST_MM).all():  # nor of what is not a number
        raise DataError(f"{which}: joints that are not positions; get this file again")
    skeletons = skeletons[skeletons.any(axis=(1, 2))].astype(np.float32)
    if len(skeletons) < 2:
        raise EmptyFileError(f"{which}: somebody in {len(skeletons)} frames, left out")
    return ActionSequence(
        dataset=NAME,
        name=f"v{number:03d}_s{subject:02d}_a{action}",
        action=ACTIONS[action - 1],
        joints=_in_picture(skeletons[:, _ORDER]),
        seen=np.ones(skeletons.shape[:2], dtype=bool),
        layout=JHMDB_15,
        fps=FPS,
        subject=subject,
        test=subject > _TRAIN_PEOPLE,
    )


def _row(video: _Video, number: int, words: list[str]) -> list[float]:
    try:
        row = [float(word) for word in words]
    except ValueError:
        row = []
    if len(row) != _NUMBERS:
        raise DataError(f"{video.file}: line {number} is not {_NUMBERS} numbers; get this file again")
    return row


def _in_picture(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Joints (T, 15, 3) in metres: x right in an unmirrored picture, y down, z away."""
    if float(np.median(np.abs(joints[..., 2]))) > _MAX_M:
        joints = joints / np.float32(1000)
    left, right = (float(np.median(joints[:, shoulder, 0])) for shoulder in _SHOULDERS)
    return joints * np.array([1 if left > right else -1, -1, 1], np.float32)


DATASET = DataSet(
    name=NAME,
    read=read,
    layout=JHMDB_15,
    terms=TrainingSource(
        "Florence 3D Actions",
        "Seidenari, Varano, Berretti, Del Bimbo, Pala: Recognizing Actions from Depth Cameras as Weakly Aligned "
        "Multi-Part Bag-of-Poses, CVPR Workshops 2013",
        "research data, no licence stated; its authors ask to be cited",
    ),
    files=FILE,
    splits=(Split("florence-3d", "Florence 3D Actions cross-subject (people 1-5 / 6-10), 3D", read, people(5)),),
    everyday={"wave": ("wave",), "clap": ("clap",), "sit_down": ("sit_down",), "stand_up": ("stand_up",)},
    left_out=frozenset({"bow"}),  # MSR's bend, which counts as picking up, looks the same
    postures=Postures(("stand_up",), ("sit_down",), ("tie_lace",)),
    validation_people=frozenset({5}),
)
