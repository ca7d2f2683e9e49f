"""Northwestern-UCLA Multiview Action 3D (Wang et al., CVPR 2014): Kinect skeletons of 10 actions from 3 views."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.datasets.kinect import TO_PICTURE
from recognizer.datasets.reading import damaged, load_json, numbered, numbers
from recognizer.datasets.recording import Recording, files_of

log = logging.getLogger(__name__)

NAME = "nw_ucla"
FPS = 15.0  # measured from the stride frequency of walking
ACTIONS = {
    **{1: "pick_up_one_hand", 2: "pick_up_two_hands", 3: "drop_trash", 4: "walk", 5: "sit_down", 6: "stand_up"},
    **{8: "donning", 9: "doffing", 11: "throw", 12: "carry"},
}


def read(folder: Path) -> Iterator[Recording]:
    """Every aA_sS_eE_vV.json in `folder`; views 1 and 2 train, view 3 tests (the set's cross-view protocol)."""
    files = files_of(folder, "a*_s*_e*_v*.json", "NW-UCLA")
    for file, (action, subject, view) in numbered(files, r"a(\d+)_s(\d+)_e\d+_v(\d+)\.json"):
        if action not in ACTIONS:
            raise damaged(file, f"the set has no action {action}")
        content = load_json(file)
        if not isinstance(content, dict) or "skeletons" not in content:
            raise damaged(file, "has no list `skeletons`")
        skeletons = numbers(content["skeletons"], file, "joints")
        if skeletons.ndim != 3 or len(skeletons) < 2 or skeletons.shape[1:] != (20, 3):
            log.warning("%s: shape %s, skipped", file.name, skeletons.shape)
            continue
        if not np.isfinite(skeletons).all():
            log.warning("%s: joints that are not numbers, skipped", file.name)
            continue
        yield Recording(
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
