"""Composed exercises and gestures: a real pose, held, in which limbs or the trunk move. Negatives for "unknown".

People who exercise do many things that are not listed: raises of arms or legs, curls, twists, bends, exercises on hands
and feet. People at a desk talk with their hands, type, drink, scratch their heads. The recordings show few of these;
the rest is made here from real poses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.features import RATE_FPS
from recognizer.training.augment import Array, middle

_SHOULDERS, _HIPS = [1, 2], [7, 8]
_UPPER = list(range(7))  # head, shoulders, arms


@dataclass(frozen=True, slots=True)
class _Limb:
    """A kinematic chain: the joint that it rotates about, the joint in its middle, and its end."""

    root: int
    hinge: int
    end: int


def _limb(root: str, hinge: str, end: str) -> _Limb:
    return _Limb(*(MPOSE_13.index(joint) for joint in (root, hinge, end)))


_ARMS = tuple(_limb(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in ("left", "right"))
_LEGS = tuple(_limb(f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in ("left", "right"))
_PATTERNS = 6  # both arms, one arm, both legs, one leg, arms and legs, the trunk
_MAX_DEG, _MIN_DEG = 80.0, 15.0
_TRUNK_SHARE = 0.6  # of a limb's angle: a trunk turns less
_SLOWEST_HZ, _FASTEST_HZ = 0.3, 1.6
# Of gestures: where a hand goes, outwards from its shoulder and downwards in torsos: from the other shoulder and the
# forehead to an arm's length and the lap.
_NEAREST, _FARTHEST = np.array([-0.6, -0.45]), np.array([0.4, 0.9])
_BOTH_ALIKE_SHARE, _ONE_HAND_SHARE = 0.3, 0.35  # parts of the gestures with both hands alike, and with one hand
_MIN_REACH = 0.1  # of the way there, for small movements about one place, as in typing
_PLACES, _PLACE_S = 16, (0.2, 0.7)
_REST_SHARE = 0.15  # part of the time between two places that a hand rests at either
_MIN_ARM = 0.4  # torsos; an arm that points at the camera in the held pose looks shorter than it is


def exercise(joints: Array, rng: np.random.Generator) -> Array:
    """Clips (N, T, 13, C) of held poses to the same poses with limbs or the trunk swinging, in the picture's plane."""
    n, frames = joints.shape[:2]
    pattern = rng.integers(0, _PATTERNS, n)
    arms, legs = np.isin(pattern, (0, 1, 4)), np.isin(pattern, (2, 3, 4))
    single, trunk = np.isin(pattern, (1, 3)), pattern == 5
    side = rng.integers(0, 2, n)
    swing = _swing_angles(rng, n, frames)
    # The second of a pair swings with the first, like its mirror image, or in its turn.
    turn = np.where(rng.random(n) < 0.5, -1, 1)[:, None] * np.where(rng.random(n) < 0.3, 0.0, 1.0)[:, None]
    bend = _swing_angles(rng, n, frames) * np.where(rng.random(n) < 0.5, 1, 0)[:, None]
    out = joints.copy()
    for limbs, active in ((_ARMS, arms), (_LEGS, legs)):
        for place, limb in enumerate(limbs):
            moved = active & (~single | (side == place))
            factor = moved[:, None] * np.where((place == 0) | single[:, None], 1.0, turn)
            out = _rotated(out, [limb.hinge, limb.end], out[:, :, limb.root], swing * factor)
            out = _rotated(out, [limb.end], out[:, :, limb.hinge], bend * factor)
    return _rotated(out, _UPPER, middle(out, _HIPS), swing * _TRUNK_SHARE * trunk[:, None])


def gesture(joints: Array, rng: np.random.Generator) -> Array:
    """Clips (N, T, 13, C) of held upright poses of unit size to the same poses with hands moving in front of the body.

    One hand, both alike or each its own way, from place to place with rests between. Elbows follow in the picture's
    plane, foreshortened by chance.
    """
    n, frames = joints.shape[:2]
    which = rng.random((n, 1, 1))
    alike, alone = which < _BOTH_ALIKE_SHARE, which[:, 0, 0] > 1 - _ONE_HAND_SHARE
    first, second = (_hand_paths(rng, n, frames) for _ in range(2))
    second = np.where(alike, first, second)
    side = rng.integers(0, 2, n)
    out = joints.copy()
    for place, limb in enumerate(_ARMS):
        moved = np.flatnonzero(~alone | (side == place))
        out[moved] = _reach(out[moved], limb, (first, second)[place][moved], rng)
    return out


def _hand_paths(rng: np.random.Generator, n: int, frames: int) -> NDArray[np.float64]:
    """(N, T, 2) places of a hand: outwards from its shoulder and downwards, in torsos."""
    about = rng.uniform(_NEAREST, _FARTHEST, (n, 1, 2))
    reach = np.exp(rng.uniform(np.log(_MIN_REACH), 0, (n, 1, 1)))
    places = about + reach * (rng.uniform(_NEAREST, _FARTHEST, (n, _PLACES, 2)) - about)
    pause_s = rng.uniform(*_PLACE_S, (n, 1)) * rng.uniform(0.6, 1.4, (n, _PLACES))
    times_s = np.cumsum(pause_s, axis=1) - pause_s[:, :1] * (1 + rng.random((n, 1)))
    out = np.empty((n, frames, 2))
    for row in range(n):
        at = np.interp(np.arange(frames) / RATE_FPS, times_s[row], np.arange(_PLACES))
        whole = np.minimum(at.astype(np.intp), _PLACES - 2)
        part = np.clip((at - whole - _REST_SHARE) / (1 - 2 * _REST_SHARE), 0, 1)
        part = (part**2 * (3 - 2 * part))[:, None]
        out[row] = (1 - part) * places[row, whole] + part * places[row, whole + 1]
    return out


def _reach(joints: Array, limb: _Limb, target: NDArray[np.float64], rng: np.random.Generator) -> Array:
    """Move the limb's end to places (N, T, 2), see _hand_paths, or as close to them as it reaches."""
    out = joints.copy()
    root, hinge, end = (joints[..., place, :2].astype(np.float64) for place in (limb.root, limb.hinge, limb.end))
    down = (middle(joints, _HIPS) - middle(joints, _SHOULDERS))[..., :2].astype(np.float64)
    outwards = root - middle(joints, _SHOULDERS)[..., :2]
    across = np.stack([-down[..., 1], down[..., 0]], axis=-1)
    across *= np.where((across * outwards).sum(axis=-1, keepdims=True) < 0, -1, 1)
    upper = np.maximum(np.linalg.norm(hinge - root, axis=-1), _MIN_ARM)
    lower = np.maximum(np.linalg.norm(end - hinge, axis=-1), _MIN_ARM)
    way = target[..., :1] * across + target[..., 1:] * down
    length = np.linalg.norm(way, axis=-1) + 1e-6
    far = np.minimum(length, 0.98 * (upper + lower))
    way = way * (far / length)[..., None]
    along = np.clip((upper**2 + far**2 - lower**2) / (2 * far), -upper, upper)
    bend = np.sqrt(upper**2 - along**2) * rng.uniform(0.3, 1, (len(joints), 1))
    aside = np.stack([-way[..., 1], way[..., 0]], axis=-1) / far[..., None]
    aside *= np.where((aside * (across + down)).sum(axis=-1, keepdims=True) < 0, -1, 1)  # elbows out and down
    out[..., limb.hinge, :2] = root + way * (along / far)[..., None] + aside * bend[..., None]
    out[..., limb.end, :2] = root + way
    return out


def _swing_angles(rng: np.random.Generator, n: int, frames: int) -> NDArray[np.float64]:
    """(N, T) radians of swings about a pose: to and fro, or to one side and back."""
    time_s = np.arange(frames) / RATE_FPS
    largest = np.radians(rng.uniform(_MIN_DEG, _MAX_DEG, (n, 1)))
    hz = np.exp(rng.uniform(np.log(_SLOWEST_HZ), np.log(_FASTEST_HZ), (n, 1)))
    phase = 2 * np.pi * (hz * time_s + rng.random((n, 1)))
    to_and_fro = np.sin(phase)
    one_sided = (1 - np.cos(phase)) / 2 * rng.choice([-1, 1], (n, 1))
    return largest * np.where(rng.random((n, 1)) < 0.5, to_and_fro, one_sided)


def _rotated(joints: Array, moved: list[int], pivot: Array, angle: NDArray[np.float64]) -> Array:
    """The joints `moved` turned about a pivot (N, T, C) by angles (N, T) in the picture's plane."""
    out = joints.copy()
    offset = joints[:, :, moved] - pivot[:, :, None]
    cos, sin = (f(angle)[..., None].astype(np.float32) for f in (np.cos, np.sin))
    out[:, :, moved, 0] = pivot[:, :, None, 0] + cos * offset[..., 0] - sin * offset[..., 1]
    out[:, :, moved, 1] = pivot[:, :, None, 1] + sin * offset[..., 0] + cos * offset[..., 1]
    return out
