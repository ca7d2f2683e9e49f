"""What people do that nobody taught: everyday motions of the demo's person, as negatives where footage is scarce."""

from dataclasses import dataclass

import numpy as np

from pose.demo.body import Proportions, pose_body
from pose.demo.script import Script
from pose.skeleton import MPOSE_13, convert
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.windows import Shape, SteadyClip, steady

_RATE_HZ = 12.0  # enough for the curves between
_FOCAL_PX = 600.0
# Distance in metres and height of the camera, and how far it is turned about the person, in degrees.
_CAMERAS = ((3.0, 1.3, 0.0), (2.2, 1.0, 25.0))


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One action of the background. action: its everyday name, "idle" too."""

    action: str
    clip: SteadyClip


def everyday_motion(shape: Shape) -> list[Stretch]:
    """The actions of the demo's loop, one after the other, seen by cameras in front and half aside."""
    script = Script()
    times_s = np.arange(0, script.duration_s, 1 / _RATE_HZ)
    bodies = [pose_body(script.posture(float(time_s)), Proportions()).joints for time_s in times_s]
    joints = np.array([[body[name] for name in MPOSE_13.joints] for body in bodies])  # (n, 13, 3), metres
    found = []
    for camera in _CAMERAS:
        xy = _seen_by(joints, *camera)
        confidence = np.ones(xy.shape[:2], np.float32)
        xy, confidence = convert(xy, confidence, MPOSE_13, shape.layout)
        for number, segment in enumerate(script.segments):
            here = (times_s >= segment.start_s) & (times_s < segment.end_s)
            name = f"{segment.action}/{number}"
            clip = TeachingClip(
                name, segment.action, None, None, times_s[here], xy[here], confidence[here], shape.layout
            )
            found.append(Stretch(segment.action, steady(clip, shape)))
    return found


def _seen_by(joints: np.ndarray, distance_m: float, height_m: float, turn_deg: float) -> np.ndarray:
    """(n, V, 2) float32 pixels of points in metres, x right, y up, z to the camera."""
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x = cos * joints[..., 0] - sin * joints[..., 2]
    away = distance_m - (sin * joints[..., 0] + cos * joints[..., 2])
    scale = _FOCAL_PX / np.maximum(away, 0.3)
    return np.stack([320 + scale * x, 240 + scale * (height_m - joints[..., 1])], axis=-1).astype(np.float32)
