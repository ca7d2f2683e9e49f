"""Made-up results to record."""

import time

import numpy as np

from app.results import PersonResult, Result
from pose.skeleton import MEDIAPIPE_33
from pose.types import Frame, Pose

WRIST = MEDIAPIPE_33.index("left_wrist")


def pose(time_s, wrist_x=0.0, person=0):
    """Somebody upright, 100 pixels from shoulders to hips, the left wrist where it is wanted."""
    xy = np.full((33, 2), 100, np.float32)
    for side in ("left", "right"):
        xy[MEDIAPIPE_33.index(f"{side}_hip")] = (100, 200)
    xy[WRIST] = (150 + wrist_x, 150)
    return Pose(xy, np.full(33, 0.9, np.float32), MEDIAPIPE_33, time_s, person)


def result(time_s, wrist_x=0.0, people=1, size=(64, 48)):
    """A result whose picture is as bright as its time."""
    bgr = np.full((size[1], size[0], 3), round(time_s * 20) % 256, np.uint8)
    frame = Frame(bgr, time_s, time.perf_counter(), round(time_s * 30))
    found = tuple(PersonResult(pose(time_s, wrist_x, n), None, False) for n in range(people))
    return Result(frame, found, (), not found, time.perf_counter())
