"""MSR Action3D (Li, Zhang, Liu, CVPR Workshops 2010): Kinect skeletons of 20 actions by 10 people."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.datasets.kinect import TO_PICTURE
from recognizer.datasets.reading import damaged, load_text, numbered
from recognizer.datasets.recording import Recording, files_of

log = logging.getLogger(__name__)

NAME = "msr_action3d"
FPS = 15.0  # measured from the stride frequency of jogging
ACTIONS = (
    *("high_arm_wave", "horizontal_arm_wave", "hammer", "hand_catch", "forward_punch", "high_throw", "draw_x"),
    *("draw_tick", "draw_circle", "hand_clap", "two_hand_wave", "side_boxing", "bend", "forward_kick", "side_kick"),
    *("jogging", "tennis_swing", "tennis_serve", "golf_swing", "pick_up_and_throw"),
)
# Position of each KINECT_20 joint in the files: shoulders, shoulder centre, spine, hips, hip centre, elbows, ...
_ORDER = (6, 3, 2, 19, 0, 7, 9, 11, 1, 8, 10, 12, 4, 13, 15, 17, 5, 14, 16, 18)


def read(folder: Path) -> Iterator[Recording]:
    """Every aAA_sSS_eEE_skeleton3D.txt in `folder`; odd subjects train, even ones test (cross-subject protocol).

    The files' confidence is kept out of it: it is 0 for joints that are in the right place (hip centre, feet).
    """
    files = files_of(folder, "a*_s*_e*_skeleton3D.txt", "MSR Action3D")
    for file, (action, subject) in numbered(files, r"a(\d+)_s(\d+)_e\d+_skeleton3D\.txt"):
        if not 1 <= action <= len(ACTIONS):
            raise damaged(file, f"the set has no action {action}")
        rows = load_text(file)
        if len(rows) < 40 or len(rows) % 20 or rows.shape[1] != 4:
            log.warning("%s: %s numbers are not skeletons of 20 rows, skipped", file.name, rows.shape)
            continue
        skeletons = rows.reshape(-1, 20, 4)[..., :3]
        if not np.isfinite(skeletons).all():
            log.warning("%s: joints that are not numbers, skipped", file.name)
            continue
        skeletons = skeletons[(skeletons[..., 2] > 0).all(axis=-1)]  # a frame of zeros: nobody tracked
        if len(skeletons) < 2:
            log.warning("%s: every frame is zero, skipped", file.name)
            continue
        yield Recording(
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
