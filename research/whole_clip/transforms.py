"""Augmentations of whole clips, each as its paper or code has it.

x: (N, T, V, C) float32 coordinates, C 2 or 3, x right, y down, z away. seen: (N, T, V) bool, or float32 scores, which
are 0 where a joint is not seen. Every function draws from `rng` and returns new arrays; each clip is treated by itself.
Lengths are in the units of x.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout

Array = NDArray[np.float32]
Visibility = NDArray[Any]  # bool or float32; functions return the dtype they are given
Angles = NDArray[np.floating]


def mirror(x: Array, seen: Visibility, layout: Layout) -> tuple[Array, Visibility]:
    """Every clip as in a mirror: x negated, left and right joints exchanged."""
    return negate_x(x[:, :, layout.mirrored]), seen[:, :, layout.mirrored]


def negate_x(x: Array) -> Array:
    """Every clip with x negated and its joints where they were (AcT's flip, which leaves left and right)."""
    out = x.copy()
    out[..., 0] *= -1
    return out


def random_flip(
    x: Array, seen: Visibility, layout: Layout, rng: np.random.Generator, swap: bool = True
) -> tuple[Array, Visibility]:
    """Mirrors half of the clips. swap: exchange left and right joints as well, which the code of AcT does not."""
    chosen = rng.random(len(x)) < 0.5
    flipped, flipped_seen = mirror(x, seen, layout) if swap else (negate_x(x), seen)
    return (
        np.where(chosen[:, None, None, None], flipped, x),
        np.where(chosen[:, None, None], flipped_seen, seen),
    )


def gaussian_noise(x: Array, rng: np.random.Generator, sigma: float) -> Array:
    """White noise on every number (AcT: sigma 0.03 on the features, velocities included)."""
    noisy: Array = x + rng.standard_normal(x.shape, dtype=np.float32) * np.float32(sigma)
    return noisy


def random_move(
    x: Array,
    rng: np.random.Generator,
    angles_deg: tuple[float, ...] = (-10, -5, 0, 5, 10),
    scales: tuple[float, ...] = (0.9, 1.0, 1.1),
    shifts: tuple[float, ...] = (-0.2, -0.1, 0, 0.1, 0.2),
) -> Array:
    """ST-GCN's random moving: rotates, scales and shifts the image plane, interpolated linearly from one random draw
    at the clip's start to another at its end. Defaults are those of its code, for coordinates that span one image."""
    frames = np.linspace(0, 1, x.shape[1], dtype=np.float32)

    def interpolated(values: tuple[float, ...]) -> Array:  # (N, T, 1)
        start, end = rng.choice(np.asarray(values, np.float32), (2, len(x), 1))
        path: Array = start + (end - start) * frames
        return path[..., None]

    angle, scale = np.radians(interpolated(angles_deg)), interpolated(scales)
    right, down = interpolated(shifts), interpolated(shifts)
    out = x.copy()
    out[..., 0] = scale * (np.cos(angle) * x[..., 0] - np.sin(angle) * x[..., 1]) + right
    out[..., 1] = scale * (np.sin(angle) * x[..., 0] + np.cos(angle) * x[..., 1]) + down
    return out


def random_choose(x: Array, seen: Visibility, frames: int, rng: np.random.Generator) -> tuple[Array, Visibility]:
    """`frames` consecutive frames from a random place (ST-GCN on Kinetics: 150 of 300)."""
    if not 0 < frames <= x.shape[1]:
        raise ValueError(f"cannot choose {frames} frames of {x.shape[1]}")
    start = rng.integers(0, x.shape[1] - frames + 1, len(x))
    positions = start[:, None] + np.arange(frames)  # (N, frames)
    rows = np.arange(len(x))[:, None]
    return x[rows, positions], seen[rows, positions]


def shear(x: Array, rng: np.random.Generator, amplitude: float = 0.3) -> Array:
    """One linear map for each clip: ones on the diagonal, the rest uniform in +-amplitude (GL-Transformer: 0.3)."""
    n, _, _, c = x.shape
    maps = rng.uniform(-amplitude, amplitude, (n, c, c)).astype(np.float32)
    maps[:, np.arange(c), np.arange(c)] = 1
    sheared: Array = np.einsum("ncd,ntvd->ntvc", maps, x, optimize=True)
    return sheared


def resample(x: Array, seen: Visibility, positions: NDArray[np.floating]) -> tuple[Array, Visibility]:
    """Clips at fractional frame positions (N, T'), interpolated linearly and clamped to the clip.

    A joint is seen as in the nearer frame. Between a frame where it is seen and one where it is not, it keeps its seen
    position.
    """
    last = x.shape[1] - 1
    positions = np.clip(positions, 0, last)
    before = np.minimum(positions.astype(np.intp), max(last - 1, 0))
    after = np.minimum(before + 1, last)
    late = (positions - before).astype(np.float32)[..., None]
    rows = np.arange(len(x))[:, None]
    there = seen[rows, before] > 0, seen[rows, after] > 0
    share = np.where(there[0] == there[1], late, there[1])[..., None].astype(np.float32)
    joints = x[rows, before] * (1 - share) + x[rows, after] * share
    return joints.astype(np.float32), np.where(late < 0.5, seen[rows, before], seen[rows, after])


def even_positions(n: int, frames: int, out: int) -> NDArray[np.float64]:
    """Evenly spaced positions (N, out) over clips of `frames`, first and last included."""
    return np.broadcast_to(np.linspace(0, frames - 1, out), (n, out))


def interpolation(
    n: int, frames: int, out: int, rng: np.random.Generator, shortest: float = 0.9, longest: float = 1.1
) -> NDArray[np.float64]:
    """Positions (N, out) that span `shortest` to `longest` of a clip of `frames`, from a random start.

    The same motion faster or slower, as in the interpolation of GL-Transformer (+-10%); positions may lie outside the
    clip where the span is longer.
    """
    span = rng.uniform(shortest, longest, n) * (frames - 1)
    spare = (frames - 1) - span
    start = rng.uniform(np.minimum(spare, 0), np.maximum(spare, 0))
    positions: NDArray[np.float64] = start[:, None] + span[:, None] * np.linspace(0, 1, out)
    return positions


def random_positions(n: int, frames: int, out: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Sorted positions (N, out), uniform over clips of `frames` (CTR-GCN on NW-UCLA, Chen et al., 2021)."""
    positions: NDArray[np.float64] = np.sort(rng.uniform(0, frames - 1, (n, out)), axis=1)
    return positions


def warp(positions: NDArray[np.floating], rng: np.random.Generator, strength: float) -> NDArray[np.float64]:
    """Positions at uneven speed, which varies by up to +-strength within each clip; first and last are kept."""
    n, frames = positions.shape
    knots = rng.uniform(1 - strength, 1 + strength, (n, 4))
    at = np.linspace(0, 3, frames)
    low = np.minimum(at.astype(np.intp), 2)
    speed = knots[:, low] * (1 - (at - low)) + knots[:, low + 1] * (at - low)
    run = np.cumsum(speed, axis=1) - speed[:, :1]
    warped: NDArray[np.float64] = positions[:, :1] + run / run[:, -1:] * (positions[:, -1:] - positions[:, :1])
    return warped


def joint_dropout(seen: Visibility, rng: np.random.Generator, share: float) -> Visibility:
    """Hides each joint of a clip in all its frames, with probability `share`."""
    kept: Visibility = seen * (rng.random((len(seen), 1, seen.shape[2])) >= share)
    return kept


def rotate(x: Array, rng: np.random.Generator, limits_deg: tuple[float, float, float]) -> Array:
    """Each clip turned about y (yaw), x (pitch) and z (roll) by angles uniform within +-limits, about the origin.

    Clips in two dimensions are turned in the picture by the roll alone. As the random rotation of PYSKL (0.3 rad about
    each axis, 3D) does it.
    """
    yaw, pitch, roll = (np.radians(rng.uniform(-limit, limit, len(x))) for limit in limits_deg)
    turn = _rotation_about(2, roll)
    turn = turn @ _rotation_about(0, pitch) @ _rotation_about(1, yaw) if x.shape[-1] == 3 else turn[:, :2, :2]
    turned: Array = np.einsum("nij,ntvj->ntvi", turn.astype(np.float32), x, optimize=True)
    return turned


def _rotation_about(axis: int, angle: Angles) -> NDArray[np.float64]:
    """(N, 3, 3) rotations about one of the axes."""
    turn = np.zeros((len(angle), 3, 3))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn[:, axis, axis] = 1
    turn[:, a, a] = turn[:, b, b] = np.cos(angle)
    turn[:, b, a], turn[:, a, b] = np.sin(angle), -np.sin(angle)
    return turn


def scale(x: Array, rng: np.random.Generator, share: float) -> Array:
    """Scales each axis of each clip by a factor within 1 +- share (PYSKL's random scale)."""
    factor = rng.uniform(1 - share, 1 + share, (len(x), 1, 1, x.shape[-1])).astype(np.float32)
    return x * factor


def zoom(x: Array, rng: np.random.Generator, share: float) -> Array:
    """Scales each clip by a factor within 1 +- share (CTR-GCN on NW-UCLA: 0.5)."""
    return x * rng.uniform(1 - share, 1 + share, (len(x), 1, 1, 1)).astype(np.float32)


def scale_to_box(x: Array, seen: Visibility) -> Array:
    """Scales each axis of each clip to -1..1 over the seen joints of all frames, as Predict & Cluster (Su et al., 2020)
    prepares NW-UCLA. A constant axis becomes 0."""
    there = (seen > 0)[..., None]
    low = np.where(there, x, np.inf).min(axis=(1, 2), keepdims=True)
    high = np.where(there, x, -np.inf).max(axis=(1, 2), keepdims=True)
    wide = high > low
    extent = np.where(wide, high - low, 1)
    scaled: Array = np.where(wide, (x - low) / extent * 2 - 1, 0).astype(np.float32)
    return scaled
