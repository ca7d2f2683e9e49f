"""Northwestern-UCLA Multiview Action 3D (Wang et al., CVPR 2014): Kinect skeletons of 10 actions from 3 views."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import KINECT_20
from recognizer.datasets.dataset import DataSet, Postures, ReadResult, Split
from recognizer.datasets.file_problems import damaged, empty, files_of, load_json, numbers, numbers_in_name, read_each
from recognizer.datasets.kinect import TO_PICTURE, KinectView
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource

NAME = "nw_ucla"
FPS = 15.0  # measured from the stride frequency of walking
ACTIONS = {
    **{1: "pick_up_one_hand", 2: "pick_up_two_hands", 3: "drop_trash", 4: "walk", 5: "sit_down", 6: "stand_up"},
    **{8: "donning", 9: "doffing", 11: "throw", 12: "carry"},
}
# Of these (subject, view) the published names exchange two actions, see docs/datasets.md. All are training clips.
_SWAPPED_ACTIONS = {(4, 2): {5: 6, 6: 5}, (5, 2): {8: 9, 9: 8}}


def read(folder: Path, *, corrected: bool = True) -> Iterator[ReadResult]:
    """Every aA_sS_eE_vV.json in `folder`; views 1 and 2 train, view 3 tests (the set's cross-view protocol).

    corrected: 24 training clips get the action that they show, and the 95 test clips that are copies of training clips
    are left out, with one line for all of them.
    """
    files = files_of(folder, "a*_s*_e*_v*.json", "NW-UCLA")
    kept = [file for file in files if not (corrected and _is_copy(file))]
    yield from read_each(kept, partial(_sequence, corrected=corrected))
    if copies := len(files) - len(kept):
        yield empty(folder, f"{copies} files of view 3 that repeat those of view 2")


def _is_copy(file: Path) -> bool:
    """Whether a file of view 3 holds the skeletons of view 2 again, as all published ones of actions 2 and 3 do."""
    if not file.stem.endswith("_v03"):
        return False
    seen_from_2 = file.with_name(f"{file.stem[:-3]}v02.json")
    try:
        if seen_from_2.stat().st_size != file.stat().st_size:
            return False
        first, second = (one.read_bytes().partition(b'"skeletons"')[2] for one in (file, seen_from_2))
    except OSError:  # there is none, or reading the sequence will say what is wrong
        return False
    return bool(first) and first == second


def _sequence(file: Path, *, corrected: bool) -> ActionSequence:
    action, subject, view = numbers_in_name(file, r"a(\d+)_s(\d+)_e\d+_v(\d+)\.json")
    if action not in ACTIONS:
        raise damaged(file, f"the set has no action {action}")
    if corrected:
        action = _SWAPPED_ACTIONS.get((subject, view), {}).get(action, action)
    content = load_json(file)
    if not isinstance(content, dict) or "skeletons" not in content:
        raise damaged(file, "has no list `skeletons`")
    skeletons = numbers(content["skeletons"], file, "joints")
    if skeletons.size and (skeletons.ndim != 3 or skeletons.shape[1:] != (20, 3)):
        raise damaged(file, f"joints of shape {skeletons.shape}, not (frames, 20, 3)")
    if len(skeletons) < 2:
        raise empty(file, f"{len(skeletons)} frames")
    if not np.isfinite(skeletons).all():
        raise damaged(file, "joints that are not numbers")
    return ActionSequence(
        dataset=NAME,
        name=file.stem,
        action=ACTIONS[action],
        joints=skeletons * TO_PICTURE,
        seen=np.ones(skeletons.shape[:2], dtype=bool),
        layout=KINECT_20,
        fps=FPS,
        subject=subject,
        test=view == 3,
    )


read_published = partial(read, corrected=False)


def _view_2(folder: Path, sequences: Sequence[ActionSequence]) -> NDArray[np.bool_]:
    """The other training view: choosing meets what the test does, the same people from a new side."""
    return np.array([sequence.name.endswith("_v02") for sequence in sequences])


DATASET = DataSet(
    name=NAME,
    read=read,
    layout=KINECT_20,
    terms=TrainingSource(
        "Northwestern-UCLA Multiview Action 3D",
        "Wang, Nie, Xia, Wu, Zhu: Cross-view Action Modeling, CVPR 2014",
        "research data, no licence stated",
    ),
    files="a*_s*_e*_v*.json",
    splits=(
        Split("nw-ucla-3d", "NW-UCLA cross-view, 3D", read_published, _view_2),
        Split("nw-ucla-2d", "NW-UCLA cross-view, 2D", read_published, _view_2, flat=True),
        Split("nw-ucla-3d-corrected", "NW-UCLA cross-view, 3D, corrected", read, _view_2),
    ),
    everyday={
        **{"walk": ("walk", "carry"), "sit_down": ("sit_down",), "stand_up": ("stand_up",), "throw": ("throw",)},
        "pick_up": ("pick_up_one_hand", "pick_up_two_hands"),
    },
    postures=Postures(("stand_up",), ("sit_down",)),
    validation_people=frozenset({5, 10}),
    kinect=KinectView(13.0, 0.42, 1.2),
)
