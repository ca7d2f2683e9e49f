"""Kinect skeletons in camera axes to upright MPOSE-13 joints with the proportions of annotated people."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import KINECT_20, MPOSE_13

TO_PICTURE = np.array([-1, -1, 1], dtype=np.float32)  # Kinect's x runs to the left of an unmirrored picture, its y up

_SHARED = [KINECT_20.index(joint) for joint in MPOSE_13.joints]
_HIPS = [MPOSE_13.index("left_hip"), MPOSE_13.index("right_hip")]
_SHOULDERS = [MPOSE_13.index("left_shoulder"), MPOSE_13.index("right_shoulder")]
_HEAD = MPOSE_13.index("head")
_HEAD_LENGTH = 0.68  # Kinect's head is the top of it; annotations and MediaPipe's ears are in the middle


class KinectView(NamedTuple):
    """How a set's camera was put up (pitch in degrees), and what `to_mpose` does to its hips."""

    pitch_deg: float
    hip_drop: float
    hip_width: float


def upright(joints: NDArray[np.float32], camera_pitch_deg: float) -> NDArray[np.float32]:
    """Joints (..., 3) of a camera that looks down by `camera_pitch_deg`, turned so that y is along gravity."""
    angle = np.radians(camera_pitch_deg)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y, z = joints[..., 0], joints[..., 1], joints[..., 2]
    return np.stack([x, cos * y + sin * z, cos * z - sin * y], axis=-1)


def to_mpose(joints: NDArray[np.float32], hip_drop: float, hip_width: float) -> NDArray[np.float32]:
    """MPOSE-13 joints (..., 13, 3) of KINECT-20 ones (..., 20, 3).

    Kinect puts the hips too high. They are moved on along the spine by `hip_drop` of the torso's length, and their
    distance is multiplied by `hip_width`; the neck is shortened to the middle of the head. With 0.42 the lengths
    relative to the torso become those that MediaPipe sees in the videos of UTD-MHAD (shoulders .65, thigh .71).
    """
    out = joints[..., _SHARED, :].copy()
    shoulders, hips = out[..., _SHOULDERS, :].mean(axis=-2), out[..., _HIPS, :].mean(axis=-2)
    moved = hips + hip_drop * (hips - shoulders)
    out[..., _HIPS, :] = moved[..., None, :] + hip_width * (out[..., _HIPS, :] - hips[..., None, :])
    out[..., _HEAD, :] = shoulders + _HEAD_LENGTH * (out[..., _HEAD, :] - shoulders)
    return out
