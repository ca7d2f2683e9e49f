"""UTD-MHAD (Chen, Jafari, Kehtarnavaz, ICIP 2015): Kinect skeletons of 27 actions by 8 people."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose.skeleton import KINECT_20
from recognizer.datasets.kinect import TO_PICTURE
from recognizer.datasets.mat_files import MatFiles
from recognizer.datasets.reading import damaged, numbered, numbers
from recognizer.datasets.recording import Recording, files_of

log = logging.getLogger(__name__)

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


def read(folder: Path) -> Iterator[Recording]:
    """Every aA_sS_tT_skeleton.mat in `folder`; odd subjects train, even ones test (its cross-subject protocol)."""
    files = files_of(folder, "a*_s*_t*_skeleton.mat", "UTD-MHAD")
    with MatFiles() as mat:
        for file, (action, subject) in numbered(files, r"a(\d+)_s(\d+)_t\d+_skeleton\.mat"):
            if not 1 <= action <= len(ACTIONS):
                raise damaged(file, f"the set has no action {action}")
            recording = _recording(mat, file, action, subject)
            if recording is not None:
                yield recording


def _recording(mat: MatFiles, file: Path, action: int, subject: int) -> Recording | None:
    """The clip of a file; None, with a line in the log, when it holds no 20 joints of 2 or more frames."""
    skeletons = numbers(mat.arrays(file, "d_skel")[0], file, "joints")
    if skeletons.ndim != 3 or skeletons.shape[:2] != (20, 3) or skeletons.shape[2] < 2:
        log.warning("%s: shape %s, skipped", file.name, skeletons.shape)
        return None
    if not np.isfinite(skeletons).all():
        log.warning("%s: joints that are not numbers, skipped", file.name)
        return None
    skeletons = skeletons.transpose(2, 0, 1)  # (T, 20, 3)
    return Recording(
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
