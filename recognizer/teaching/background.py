"""What people do that nobody taught: everyday motions of the demo's person, as negatives where footage is scarce."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.demo.body import Proportions, pose_body
from pose.demo.script import Script
from pose.skeleton import MPOSE_13, convert
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.windows import Shape, SteadyClip, steady

_RATE_HZ = 8.0  # enough for the curves between
_FOCAL_PX = 600.0
# The camera's distance and height in metres, and how far it is turned about the person, in degrees.
_DISTANCE_M, _HEIGHT_M, _TURN_DEG = 3.0, 1.2, 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One action of the background. action: its everyday name, "idle" too."""

    action: str
    clip: SteadyClip


def everyday_motion(shape: Shape) -> list[Stretch]:
    """The actions of the demo's loop, one after the other, seen from a little aside."""
    script = Script()
    times_s = np.arange(0, script.duration_s, 1 / _RATE_HZ)
    bodies = [pose_body(script.posture(float(time_s)), Proportions()).joints for time_s in times_s]
    joints = np.array([[body[name] for name in MPOSE_13.joints] for body in bodies])  # (n, 13, 3), metres
    xy = _seen(joints)
    xy, confidence = convert(xy, np.ones(xy.shape[:2], np.float32), MPOSE_13, shape.layout)
    found = []
    for number, segment in enumerate(script.segments):
        here = (times_s >= segment.start_s) & (times_s < segment.end_s)
        name, action = f"{segment.action}/{number}", segment.action
        clip = TeachingClip(name, action, None, None, times_s[here], xy[here], confidence[here], shape.layout)
        found.append(Stretch(action, steady(clip, shape)))
    return found


def _seen(joints: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, V, 2) pixels of points in metres, x right, y up, z to the camera."""
    cos, sin = np.cos(np.radians(_TURN_DEG)), np.sin(np.radians(_TURN_DEG))
    x = cos * joints[..., 0] - sin * joints[..., 2]
    away = _DISTANCE_M - (sin * joints[..., 0] + cos * joints[..., 2])
    scale = _FOCAL_PX / np.maximum(away, 0.3)
    xy = np.stack([320 + scale * x, 240 + scale * (_HEIGHT_M - joints[..., 1])], axis=-1)
    return xy.astype(np.float32)
