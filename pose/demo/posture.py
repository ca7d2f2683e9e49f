"""How the demo's person holds the body at one moment, and mixtures of such postures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

LEFT, RIGHT = 0, 1
# Outwards, seen from the body: the person's left is +x.
SIDE = np.array([1.0, -1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where somebody stands on the floor: metres, x to the right of the picture and z to the camera.

    heading: degrees; 0 faces the camera, 90 the right edge of the picture.
    """

    x: float
    z: float
    heading: float


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """Metres and degrees. Body axes: x to the person's left, y up, z forwards; sides are (left, right).

    place: (3,) x and z on the floor and heading, as in Place.
    pelvis: (3,) offset of the mid-hip from where it is when standing upright on the place.
    turn: (3,) pelvis yaw, pitch (forwards) and roll (to the right).
    spine: (3,) twist to the left, lean forwards, bend to the right, of the shoulders against the pelvis.
    head: (3,) turn to the left, nod, tilt, of the head against the shoulders.
    wrists: (2, 3) from the shoulder, in arm lengths: outwards, up, forwards; upright whatever the lean of the body.
    elbows: (2, 3) direction in which the elbow points, same axes.
    feet: (2, 3) ankles: x and z from the place, y above the height of a flat foot.
    toes: (2, 2) of each foot: yaw outwards, pitch (toes down).
    curl: (2,) fingers: 0 straight, 1 a fist.
    """

    place: Floats
    pelvis: Floats
    turn: Floats
    spine: Floats
    head: Floats
    wrists: Floats
    elbows: Floats
    feet: Floats
    toes: Floats
    curl: Floats


NAMES = tuple(field.name for field in fields(Posture))

STANDING = Posture(
    place=np.zeros(3),
    pelvis=np.array([0.0, -0.012, 0.0]),
    turn=np.zeros(3),
    spine=np.array([0.0, 2.0, 0.0]),
    head=np.zeros(3),
    wrists=np.array([[0.14, -0.955, 0.10], [0.13, -0.960, 0.08]]),
    elbows=np.array([[0.5, 0.0, -1.0], [0.5, 0.0, -1.0]]),
    feet=np.array([[0.115, 0.0, 0.01], [-0.115, 0.0, -0.01]]),
    toes=np.array([[10.0, 0.0], [12.0, 0.0]]),
    curl=np.array([0.25, 0.25]),
)


def change(posture: Posture, **values: object) -> Posture:
    """The same posture with some fields set; each value must have the field's shape."""
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    for name, array in arrays.items():
        if array.shape != getattr(posture, name).shape:
            raise ValueError(f"{name} must have shape {getattr(posture, name).shape}, got {array.shape}")
    return replace(posture, **arrays)


def both(value: Sequence[float]) -> list[Sequence[float]]:
    """The same on both sides."""
    return [value, value]


def mix(postures: Sequence[Posture], weights: Sequence[float]) -> Posture:
    """Weighted sum of postures; the weights add up to 1."""
    shares = np.asarray(weights, dtype=np.float64)
    return Posture(**{name: np.tensordot(shares, [getattr(p, name) for p in postures], axes=1) for name in NAMES})


def onto_floor(place: Floats, aside: float, ahead: float) -> Floats:
    """(2,) x and z in the room of a point so far to the left of a place and ahead of it. place: (3,) as Posture's."""
    angle = math.radians(place[2])
    c, s = math.cos(angle), math.sin(angle)
    return np.array([place[0] + aside * c + ahead * s, place[1] - aside * s + ahead * c])


def from_place(place: Floats, spot: Floats) -> Floats:
    """(2,) how far to the left of a place and ahead of it a spot is, whose first two values are x and z."""
    angle = math.radians(place[2])
    c, s = math.cos(angle), math.sin(angle)
    dx, dz = spot[0] - place[0], spot[1] - place[1]
    return np.array([dx * c - dz * s, dx * s + dz * c])


def ease(start: float, end: float, value: float) -> float:
    """0 up to `start`, 1 from `end` on, smooth between them (quintic: no jump in speed or acceleration)."""
    s = min(max((value - start) / (end - start), 0.0), 1.0)
    return s * s * s * (s * (6 * s - 15) + 10)


def keyed(time_s: float, keys: Sequence[tuple[float, Posture]]) -> Posture:
    """Through key postures at their times, held before the first and after the last.

    Cubic Hermite with the slopes of Catmull and Rom ("A class of local interpolating splines", 1974), at rest at
    both ends.
    """
    times = [at for at, _ in keys]
    postures = [posture for _, posture in keys]
    last = len(keys) - 1
    if time_s <= times[0]:
        return postures[0]
    if time_s >= times[last]:
        return postures[last]
    i = max(k for k in range(last) if times[k] <= time_s)
    span = times[i + 1] - times[i]
    s = (time_s - times[i]) / span
    weights = np.zeros(len(keys))
    weights[i] += 2 * s**3 - 3 * s**2 + 1
    weights[i + 1] += 3 * s**2 - 2 * s**3
    for key, basis in ((i, s**3 - 2 * s**2 + s), (i + 1, s**3 - s**2)):
        if 0 < key < last:
            slope = basis * span / (times[key + 1] - times[key - 1])
            weights[key + 1] += slope
            weights[key - 1] -= slope
    used = [k for k in range(len(keys)) if weights[k] != 0]
    return mix([postures[k] for k in used], [float(weights[k]) for k in used])
