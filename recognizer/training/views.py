"""What a camera sees of 3D skeletons: pinhole projections, from the set's own camera or from one put elsewhere."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.sequences import ActionSequence, Skeleton

Array = NDArray[np.float32]
Angle = float | NDArray[np.floating]

_NEAREST = 0.1  # part of the distance: what comes nearer to the camera is drawn as if it were there


def project(
    joints: Array,
    pivot: NDArray[np.floating],
    yaw_deg: Angle = 0.0,
    pitch_deg: Angle = 0.0,
    distance_m: Angle = 3.5,
) -> Array:
    """2D joints (..., T, V, 2) of 3D ones (..., T, V, 3), as a camera `distance_m` before the pivot (..., 3) sees them.

    joints: metres, x right, y down, z away. The camera looks at the pivot; a positive yaw moves it to the right around
    the person, a positive pitch up. The result is centred on the pivot and in metres at the pivot's distance. Yaw,
    pitch and distance are numbers or one for each leading entry (...).
    """
    yaw, pitch, distance = (
        np.asarray(value, np.float32)[..., None, None] for value in (yaw_deg, pitch_deg, distance_m)
    )
    x, y, z = np.moveaxis(joints - np.asarray(pivot, np.float32)[..., None, None, :], -1, 0)
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
    """The 2D recording of a camera put around the person of a 3D one, level and 3.5 m away; `project` says how.

    All people of the clip are seen by the one camera. Joints that are not there (unseen, at 0) stay at 0.
    """
    _demand_depth(recording)
    pivot = body_centre(recording.joints, recording.seen, recording.layout)
    return _with_people(recording, lambda joints: project(joints, pivot, yaw_deg))


def own_view(recording: ActionSequence) -> ActionSequence:
    """The 2D recording of the camera that recorded a 3D one: x / z and y / z, in metres at the person's distance."""
    _demand_depth(recording)
    depth = max(float(body_centre(recording.joints, recording.seen, recording.layout)[2]), 1e-3)

    def seen_by_it(joints: Array) -> Array:
        away: Array = np.maximum(joints[..., 2:] / np.float32(depth), np.float32(_NEAREST))
        return joints[..., :2] / away

    return _with_people(recording, seen_by_it)


def _demand_depth(recording: ActionSequence) -> None:
    if recording.joints.shape[-1] != 3:
        raise ValueError(f"{recording.dataset}/{recording.name} is flat already; only 3D recordings can be projected")


def _with_people(recording: ActionSequence, camera: Callable[[Array], Array]) -> ActionSequence:
    flat = []
    for person in recording.people:
        there = person.seen | np.any(person.joints != 0, axis=-1)
        joints = np.where(there[..., None], camera(person.joints), np.float32(0))
        flat.append(Skeleton(joints, person.seen, person.score))
    return replace(recording, joints=flat[0].joints, others=tuple(flat[1:]), size_px=None)
