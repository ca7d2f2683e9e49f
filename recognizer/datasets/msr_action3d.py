"""MSR Action3D (Li, Zhang, Liu, CVPR Workshops 2010): Kinect skeletons of 20 actions by 10 people."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.datasets.dataset import DataSet, ReadResult, Split, people
from recognizer.datasets.file_problems import damaged, empty, files_of, load_text, numbers_in_name, read_each
from recognizer.datasets.kinect import TO_PICTURE, KinectView
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

NAME = "msr_action3d"
FPS = 15.0  # measured from the stride frequency of jogging
ACTIONS = (
    *("high_arm_wave", "horizontal_arm_wave", "hammer", "hand_catch", "forward_punch", "high_throw", "draw_x"),
    *("draw_tick", "draw_circle", "hand_clap", "two_hand_wave", "side_boxing", "bend", "forward_kick", "side_kick"),
    *("jogging", "tennis_swing", "tennis_serve", "golf_swing", "pick_up_and_throw"),
)
# The three sets of the set's own paper, its Table 1, by numbers of actions: similar ones in the first two, complex ones
# in the third.
SUBSETS = {
    "as1": (2, 3, 5, 6, 10, 13, 18, 20),
    "as2": (1, 4, 7, 8, 9, 11, 12, 14),
    "as3": (6, 14, 15, 16, 17, 18, 19, 20),
}
# Position of each KINECT_20 joint in the files: shoulders, shoulder centre, spine, hips, hip centre, elbows, ...
_ORDER = (6, 3, 2, 19, 0, 7, 9, 11, 1, 8, 10, 12, 4, 13, 15, 17, 5, 14, 16, 18)


def read(folder: Path) -> Iterator[ReadResult]:
    """Every aAA_sSS_eEE_skeleton3D.txt in `folder`; odd subjects train, even ones test (cross-subject protocol).

    The files' confidence is kept out of it: it is 0 for joints that are in the right place (hip centre, feet).
    """
    return read_each(files_of(folder, "a*_s*_e*_skeleton3D.txt", "MSR Action3D"), _sequence)


def read_subset(folder: Path, subset: str) -> Iterator[ReadResult]:
    """As `read`, of the eight actions of one of SUBSETS."""
    names = tuple(f"a{action:02d}_" for action in SUBSETS[subset])
    files = [
        file for file in files_of(folder, "a*_s*_e*_skeleton3D.txt", "MSR Action3D") if file.name.startswith(names)
    ]
    return read_each(files, _sequence)


def _sequence(file: Path) -> ActionSequence:
    action, subject = numbers_in_name(file, r"a(\d+)_s(\d+)_e\d+_skeleton3D\.txt")
    if not 1 <= action <= len(ACTIONS):
        raise damaged(file, f"the set has no action {action}")
    rows = load_text(file)
    if not len(rows):
        raise empty(file, "no skeleton")
    if len(rows) % 20 or rows.shape[1] != 4:
        raise damaged(file, f"{rows.shape} numbers are not skeletons of 20 rows of 4")
    skeletons = rows.reshape(-1, 20, 4)[..., :3]
    if not np.isfinite(skeletons).all():
        raise damaged(file, "joints that are not numbers")
    skeletons = skeletons[(skeletons[..., 2] > 0).all(axis=-1)]  # a frame of zeros: nobody tracked
    if len(skeletons) < 2:
        raise empty(file, f"somebody in {len(skeletons)} frames")
    return ActionSequence(
        dataset=NAME,
        name=file.stem.removesuffix("_skeleton3D"),
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
    layout=KINECT_20,
    terms=TrainingSource(
        "MSR Action3D",
        "Li, Zhang, Liu: Action Recognition Based on a Bag of 3D Points, CVPR Workshops 2010",
        "research data, non-commercial research use",
    ),
    files="a*_s*_e*_skeleton3D.txt",
    splits=(
        Split("msr-action3d", "MSR Action3D cross-subject, 3D", read, people(9)),
        *(
            Split(
                f"msr-action3d-{subset}",
                f"MSR Action3D cross-subject, 3D, action set {subset.upper()}",
                partial(read_subset, subset=subset),
                people(9),
            )
            for subset in SUBSETS
        ),
    ),
    everyday={
        **{"run": ("jogging",), "pick_up": ("bend",), "clap": ("hand_clap",), "throw": ("high_throw",)},
        "wave": ("high_arm_wave", "horizontal_arm_wave", "two_hand_wave"),
        **{"punch": ("forward_punch", "side_boxing"), "kick": ("forward_kick", "side_kick")},
        "swing": ("tennis_swing", "golf_swing"),
    },
    validation_people=frozenset({9}),
    kinect=KinectView(6.0, 0.5, 0.5),
)
