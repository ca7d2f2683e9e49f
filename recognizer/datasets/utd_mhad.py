"""UTD-MHAD (Chen, Jafari, Kehtarnavaz, ICIP 2015): Kinect skeletons of 27 actions by 8 people."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.datasets.dataset import DataSet, Postures, ReadResult, Split, people
from recognizer.datasets.file_problems import damaged, empty, files_of, numbers, numbers_in_name, read_each
from recognizer.datasets.kinect import TO_PICTURE, KinectView
from recognizer.datasets.mat_files import Arrays, mat_reader
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

NAME = "utd_mhad"
FPS = 20.0  # measured from the stride frequency of walking and jogging
ACTIONS = (
    *("swipe_left", "swipe_right", "wave", "clap", "throw", "cross_arms", "basketball_shoot", "draw_x"),
    *("draw_circle_clockwise", "draw_circle_counter_clockwise", "draw_triangle", "bowl", "box", "baseball_swing"),
    *("tennis_swing", "arm_curl", "tennis_serve", "push", "knock", "catch", "pick_up_and_throw", "jog", "walk"),
    *("sit_to_stand", "stand_to_sit", "lunge", "squat"),
)
# Position of each KINECT_20 joint in the files, which begin with the head.
_ORDER = (3, 2, 1, 0, *range(4, 20))


def read(folder: Path, *, isolated: bool = False) -> Iterator[ReadResult]:
    """Every aA_sS_tT_skeleton.mat in `folder`; odd subjects train, even ones test (its cross-subject protocol).

    isolated: as mat_reader has it.
    """
    files = files_of(folder, "a*_s*_t*_skeleton.mat", "UTD-MHAD")
    with mat_reader(isolated=isolated) as arrays:
        yield from read_each(files, partial(_sequence, arrays))


def _sequence(arrays: Arrays, file: Path) -> ActionSequence:
    """The skeletons of a file. DataError where it holds no 20 joints of 2 or more frames."""
    action, subject = numbers_in_name(file, r"a(\d+)_s(\d+)_t\d+_skeleton\.mat")
    if not 1 <= action <= len(ACTIONS):
        raise damaged(file, f"the set has no action {action}")
    skeletons = numbers(arrays(file, "d_skel")[0], file, "joints")
    if skeletons.ndim != 3 or skeletons.shape[:2] != (20, 3):
        raise damaged(file, f"joints of shape {skeletons.shape}, not (20, 3, frames)")
    if skeletons.shape[2] < 2:
        raise empty(file, f"{skeletons.shape[2]} frames")
    if not np.isfinite(skeletons).all():
        raise damaged(file, "joints that are not numbers")
    skeletons = skeletons.transpose(2, 0, 1)  # (T, 20, 3)
    return ActionSequence(
        dataset=NAME,
        name=file.stem.removesuffix("_skeleton"),
        action=ACTIONS[action - 1],
        joints=skeletons[:, _ORDER] * TO_PICTURE,
        seen=np.ones(skeletons.shape[:2], dtype=bool),
        layout=KINECT_20,
        fps=FPS,
        subject=subject,
        test=subject % 2 == 0,
    )


DATASET = DataSet(
    name=NAME,
    read=read,
    read_isolated=partial(read, isolated=True),
    layout=KINECT_20,
    terms=TrainingSource(
        "UTD-MHAD",
        "Chen, Jafari, Kehtarnavaz: UTD-MHAD, ICIP 2015; https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
        "research data, free to use with citation",
    ),
    files="a*_s*_t*_skeleton.mat",
    splits=(Split("utd-mhad", "UTD-MHAD cross-subject, 3D", read, people(7)),),
    everyday={
        **{"walk": ("walk",), "run": ("jog",), "sit_down": ("stand_to_sit",), "stand_up": ("sit_to_stand",)},
        **{"wave": ("wave",), "clap": ("clap",), "throw": ("throw",), "punch": ("box",), "squat": ("squat",)},
        "swing": ("baseball_swing", "tennis_swing"),
    },
    postures=Postures(("sit_to_stand",), ("stand_to_sit",), ("squat", "lunge")),
    validation_people=frozenset({7}),
    kinect=KinectView(4.0, 0.42, 1.2),
)
