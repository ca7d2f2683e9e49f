"""Pinhole projections of 3D skeletons, from the data set's own camera or from one placed elsewhere."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.sequences import ActionSequence

Array = NDArray[np.float32]

_NEAREST = 0.1  # part of the distance: what comes nearer to the camera is drawn as if it were there


def project(
    joints: Array,
    pivot: NDArray[np.floating],
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    distance_m: float = 3.5,
) -> Array:
    """2D joints (T, V, 2) of 3D ones (T, V, 3), as a camera `distance_m` before the pivot (3,) sees them.

    joints: metres, x right, y down, z away. The camera looks at the pivot; a positive yaw moves it to the right around
    the person, a positive pitch up. The result is centred on the pivot and in metres at the pivot's distance.
    """
    yaw, pitch, distance = (np.float32(value) for value in (yaw_deg, pitch_deg, distance_m))
    x, y, z = np.moveaxis(joints - np.asarray(pivot, np.float32), -1, 0)
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    x, z = cos * x + sin * z, cos * z - sin * x
    cos, sin = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    y, z = cos * y - sin * z, cos * z + sin * y
    away = np.maximum(1 + z / distance, _NEAREST)
    return np.stack([x / away, y / away], axis=-1).astype(np.float32)


def body_centre(joints: Array, seen: NDArray[np.bool_], layout: Layout) -> NDArray[np.float32]:
    """(3,) the mean over a clip of the middle of the hips, of all joints where the hips were never seen."""
    hips = [layout.index("left_hip"), layout.index("right_hip")]
    place = joints[:, hips][seen[:, hips]]
    if not len(place):
        place = joints[seen]
    centre: NDArray[np.float32] = place.mean(axis=0) if len(place) else np.zeros(3, np.float32)
    return centre


def view(recording: ActionSequence, yaw_deg: float = 0.0) -> ActionSequence:
    """The 2D recording of a camera put around the first person of a 3D one, level and 3.5 m away; `project` says how.

    Joints that are not there (unseen, at 0) stay at 0.
    """
    pivot = _centre(recording)
    return _flat(recording, project(recording.joints, pivot, yaw_deg))


def own_view(recording: ActionSequence) -> ActionSequence:
    """The 2D recording of the camera that recorded a 3D one: x / z and y / z of the first person, in metres at the
    person's distance."""
    depth = max(float(_centre(recording)[2]), 1e-3)
    away: Array = np.maximum(recording.joints[..., 2:] / np.float32(depth), np.float32(_NEAREST))
    return _flat(recording, recording.joints[..., :2] / away)


def _centre(recording: ActionSequence) -> NDArray[np.float32]:
    if recording.joints.shape[-1] != 3:
        raise ValueError(f"{recording.dataset}/{recording.name} is flat already; only 3D recordings can be projected")
    return body_centre(recording.joints, recording.seen, recording.layout)


def _flat(recording: ActionSequence, joints: Array) -> ActionSequence:
    there = recording.seen | np.any(recording.joints != 0, axis=-1)
    joints = np.where(there[..., None], joints, np.float32(0))
    return replace(recording, joints=joints, others=(), size_px=None)
