"""Composed exercises: a pose of somebody, held, of which single limbs or the trunk swing. Negatives for "unknown".

Whoever exercises before a camera does a hundred things that no list has: raises of arms or legs, curls, twists, bends,
whatever can be done on hands and feet. The recordings hold a few of them; these are the rest, made of real poses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.features import RATE_FPS
from recognizer.training.augment import Array, middle

_HIPS = [7, 8]
_UPPER = list(range(7))  # head, shoulders, arms


@dataclass(frozen=True, slots=True)
class _Limb:
    """A chain: the joint that it turns about, the joint in its middle, and its end."""

    root: int
    hinge: int
    end: int


def _limb(root: str, hinge: str, end: str) -> _Limb:
    return _Limb(*(MPOSE_13.index(joint) for joint in (root, hinge, end)))


_ARMS = tuple(_limb(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in ("left", "right"))
_LEGS = tuple(_limb(f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in ("left", "right"))
_PATTERNS = 6  # both arms, one arm, both legs, one leg, arms and legs, the trunk
_LARGEST_DEG, _LEAST_DEG = 80.0, 15.0
_TRUNK_SHARE = 0.6  # of a limb's angle: a trunk turns less
_SLOWEST_HZ, _FASTEST_HZ = 0.3, 1.6


def exercise(joints: Array, rng: np.random.Generator) -> Array:
    """Clips (N, T, 13, C) of held poses to the same poses with limbs or the trunk swinging, in the picture's plane."""
    n, frames = joints.shape[:2]
    pattern = rng.integers(0, _PATTERNS, n)
    arms, legs = np.isin(pattern, (0, 1, 4)), np.isin(pattern, (2, 3, 4))
    single, trunk = np.isin(pattern, (1, 3)), pattern == 5
    side = rng.integers(0, 2, n)
    swing = _angles(rng, n, frames)
    # The second of a pair swings with the first, like its mirror image, or in its turn.
    turn = np.where(rng.random(n) < 0.5, -1, 1)[:, None] * np.where(rng.random(n) < 0.3, 0.0, 1.0)[:, None]
    bend = _angles(rng, n, frames) * np.where(rng.random(n) < 0.5, 1, 0)[:, None]
    out = joints.copy()
    for limbs, active in ((_ARMS, arms), (_LEGS, legs)):
        for place, limb in enumerate(limbs):
            moved = active & (~single | (side == place))
            factor = moved[:, None] * np.where((place == 0) | single[:, None], 1.0, turn)
            out = _turned(out, [limb.hinge, limb.end], out[:, :, limb.root], swing * factor)
            out = _turned(out, [limb.end], out[:, :, limb.hinge], bend * factor)
    return _turned(out, _UPPER, middle(out, _HIPS), swing * _TRUNK_SHARE * trunk[:, None])


def _angles(rng: np.random.Generator, n: int, frames: int) -> NDArray[np.float64]:
    """(N, T) radians of swings about a pose: to and fro, or to one side and back."""
    time_s = np.arange(frames) / RATE_FPS
    largest = np.radians(rng.uniform(_LEAST_DEG, _LARGEST_DEG, (n, 1)))
    hz = np.exp(rng.uniform(np.log(_SLOWEST_HZ), np.log(_FASTEST_HZ), (n, 1)))
    phase = 2 * np.pi * (hz * time_s + rng.random((n, 1)))
    to_and_fro = np.sin(phase)
    one_sided = (1 - np.cos(phase)) / 2 * rng.choice([-1, 1], (n, 1))
    return largest * np.where(rng.random((n, 1)) < 0.5, to_and_fro, one_sided)


def _turned(joints: Array, moved: list[int], pivot: Array, angle: NDArray[np.float64]) -> Array:
    """The joints `moved` turned about a pivot (N, T, C) by angles (N, T) in the picture's plane."""
    out = joints.copy()
    offset = joints[:, :, moved] - pivot[:, :, None]
    cos, sin = (f(angle)[..., None].astype(np.float32) for f in (np.cos, np.sin))
    out[:, :, moved, 0] = pivot[:, :, None, 0] + cos * offset[..., 0] - sin * offset[..., 1]
    out[:, :, moved, 1] = pivot[:, :, None, 1] + sin * offset[..., 0] + cos * offset[..., 1]
    return out
