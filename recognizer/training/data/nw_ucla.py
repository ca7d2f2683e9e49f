"""Northwestern-UCLA Multiview Action 3D (Wang et al., CVPR 2014): Kinect skeletons of 10 actions from 3 views."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.training.data.kinect import TO_PICTURE
from recognizer.training.data.recording import Recording, files_of

log = logging.getLogger(__name__)

NAME = "nw_ucla"
FPS = 15.0  # measured from the stride frequency of walking
ACTIONS = {
    **{1: "pick_up_one_hand", 2: "pick_up_two_hands", 3: "drop_trash", 4: "walk", 5: "sit_down", 6: "stand_up"},
    **{8: "donning", 9: "doffing", 11: "throw", 12: "carry"},
}


def read(folder: Path) -> Iterator[Recording]:
    """Every aA_sS_eE_vV.json in `folder`; views 1 and 2 train, view 3 tests (the set's cross-view protocol)."""
    for file in files_of(folder, "a*_s*_e*_v*.json", "NW-UCLA"):
        action, subject, _, view = (int(number) for number in re.findall(r"\d+", file.stem))
        skeletons = np.array(json.loads(file.read_text())["skeletons"], dtype=np.float32)
        if skeletons.ndim != 3 or len(skeletons) < 2 or skeletons.shape[1:] != (20, 3):
            log.warning("%s: %d frames, skipped", file.name, len(skeletons))
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
