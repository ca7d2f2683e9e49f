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
Shown = NDArray[Any]  # of bool or float32; what is returned is of the kind that was given
Angles = NDArray[np.floating]


def mirror(x: Array, seen: Shown, layout: Layout) -> tuple[Array, Shown]:
    """Every clip as in a mirror: x negated, left and right joints exchanged."""
    return negate_x(x[:, :, layout.mirrored]), seen[:, :, layout.mirrored]


def negate_x(x: Array) -> Array:
    """Every clip with x negated and its joints where they were (AcT's flip, which leaves left and right)."""
    out = x.copy()
    out[..., 0] *= -1
    return out


def random_flip(
    x: Array, seen: Shown, layout: Layout, rng: np.random.Generator, swap: bool = True
) -> tuple[Array, Shown]:
    """Half of the clips mirrored; `swap` exchanges left and right joints, without it as in the code of AcT."""
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
    """ST-GCN's random moving: the picture plane turned, scaled and shifted, from one draw at the clip's start to
    another at its end, linear between. The numbers are those of its code, for coordinates that span one picture."""
    frames = np.linspace(0, 1, x.shape[1], dtype=np.float32)

    def course(values: tuple[float, ...]) -> Array:  # (N, T, 1)
        start, end = rng.choice(np.asarray(values, np.float32), (2, len(x), 1))
        way: Array = start + (end - start) * frames
        return way[..., None]

    angle, scale, right, down = np.radians(course(angles_deg)), course(scales), course(shifts), course(shifts)
    out = x.copy()
    out[..., 0] = scale * (np.cos(angle) * x[..., 0] - np.sin(angle) * x[..., 1]) + right
    out[..., 1] = scale * (np.sin(angle) * x[..., 0] + np.cos(angle) * x[..., 1]) + down
    return out


def random_choose(x: Array, seen: Shown, frames: int, rng: np.random.Generator) -> tuple[Array, Shown]:
    """`frames` consecutive frames from a random place (ST-GCN on Kinetics: 150 of 300)."""
    if not 0 < frames <= x.shape[1]:
        raise ValueError(f"cannot choose {frames} frames of {x.shape[1]}")
    start = rng.integers(0, x.shape[1] - frames + 1, len(x))
    places = start[:, None] + np.arange(frames)  # (N, frames)
    rows = np.arange(len(x))[:, None]
    return x[rows, places], seen[rows, places]


def shear(x: Array, rng: np.random.Generator, amplitude: float = 0.3) -> Array:
    """One linear map for each clip: ones on the diagonal, the rest uniform in +-amplitude (GL-Transformer: 0.3)."""
    n, _, _, c = x.shape
    maps = rng.uniform(-amplitude, amplitude, (n, c, c)).astype(np.float32)
    maps[:, np.arange(c), np.arange(c)] = 1
    sheared: Array = np.einsum("ncd,ntvd->ntvc", maps, x, optimize=True)
    return sheared


def resample(x: Array, seen: Shown, places: NDArray[np.floating]) -> tuple[Array, Shown]:
    """Clips at the frame places (N, T'), linear between frames, ends held; joints are seen as in the nearer frame.

    Between a frame where a joint was seen and one where it was not, it stays where it was seen.
    """
    last = x.shape[1] - 1
    places = np.clip(places, 0, last)
    before = np.minimum(places.astype(np.intp), max(last - 1, 0))
    after = np.minimum(before + 1, last)
    late = (places - before).astype(np.float32)[..., None]
    rows = np.arange(len(x))[:, None]
    there = seen[rows, before] > 0, seen[rows, after] > 0
    share = np.where(there[0] == there[1], late, there[1])[..., None].astype(np.float32)
    joints = x[rows, before] * (1 - share) + x[rows, after] * share
    return joints.astype(np.float32), np.where(late < 0.5, seen[rows, before], seen[rows, after])


def whole(n: int, frames: int, out: int) -> NDArray[np.float64]:
    """Places (N, out) that are even over clips of `frames`, first and last included."""
    return np.broadcast_to(np.linspace(0, frames - 1, out), (n, out))


def interpolation(
    n: int, frames: int, out: int, rng: np.random.Generator, shortest: float = 0.9, longest: float = 1.1
) -> NDArray[np.float64]:
    """Places (N, out) of a stretch between `shortest` and `longest` of a clip of `frames`, from a random start.

    The same motion faster or slower, as the interpolation of GL-Transformer (+-10%) does it; where the stretch is
    longer than the clip the ends are held.
    """
    span = rng.uniform(shortest, longest, n) * (frames - 1)
    spare = (frames - 1) - span
    start = rng.uniform(np.minimum(spare, 0), np.maximum(spare, 0))
    places: NDArray[np.float64] = start[:, None] + span[:, None] * np.linspace(0, 1, out)
    return places


def random_places(n: int, frames: int, out: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Places (N, out) drawn from all over clips of `frames`, in their order (CTR-GCN on NW-UCLA, Chen et al., 2021)."""
    places: NDArray[np.float64] = np.sort(rng.uniform(0, frames - 1, (n, out)), axis=1)
    return places


def warp(places: NDArray[np.floating], rng: np.random.Generator, strength: float) -> NDArray[np.float64]:
    """The places of each clip gone through unevenly: speed varies by up to +-strength within it, ends kept."""
    n, frames = places.shape
    knots = rng.uniform(1 - strength, 1 + strength, (n, 4))
    at = np.linspace(0, 3, frames)
    low = np.minimum(at.astype(np.intp), 2)
    speed = knots[:, low] * (1 - (at - low)) + knots[:, low + 1] * (at - low)
    run = np.cumsum(speed, axis=1) - speed[:, :1]
    warped: NDArray[np.float64] = places[:, :1] + run / run[:, -1:] * (places[:, -1:] - places[:, :1])
    return warped


def joint_dropout(seen: Shown, rng: np.random.Generator, share: float) -> Shown:
    """`share` of the joints of each clip not seen at all."""
    kept: Shown = seen * (rng.random((len(seen), 1, seen.shape[2])) >= share)
    return kept


def rotate(x: Array, rng: np.random.Generator, limits_deg: tuple[float, float, float]) -> Array:
    """Each clip turned about y (yaw), x (pitch) and z (roll) by angles uniform within +-limits, about the origin.

    Clips in two dimensions are turned in the picture by the roll alone. As the random rotation of PYSKL (0.3 rad about
    each axis, 3D) does it.
    """
    yaw, pitch, roll = (np.radians(rng.uniform(-limit, limit, len(x))) for limit in limits_deg)
    turn = _about(2, roll)
    turn = turn @ _about(0, pitch) @ _about(1, yaw) if x.shape[-1] == 3 else turn[:, :2, :2]
    turned: Array = np.einsum("nij,ntvj->ntvi", turn.astype(np.float32), x, optimize=True)
    return turned


def _about(axis: int, angle: Angles) -> NDArray[np.float64]:
    """(N, 3, 3) rotations about one of the axes."""
    turn = np.zeros((len(angle), 3, 3))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn[:, axis, axis] = 1
    turn[:, a, a] = turn[:, b, b] = np.cos(angle)
    turn[:, b, a], turn[:, a, b] = np.sin(angle), -np.sin(angle)
    return turn


def scale(x: Array, rng: np.random.Generator, share: float) -> Array:
    """Each axis of each clip longer or shorter by up to `share` (PYSKL's random scale)."""
    factor = rng.uniform(1 - share, 1 + share, (len(x), 1, 1, x.shape[-1])).astype(np.float32)
    return x * factor


def zoom(x: Array, rng: np.random.Generator, share: float) -> Array:
    """Each clip larger or smaller by up to `share` (CTR-GCN on NW-UCLA: 0.5)."""
    return x * rng.uniform(1 - share, 1 + share, (len(x), 1, 1, 1)).astype(np.float32)


def boxed(x: Array, seen: Shown) -> Array:
    """Each axis of each clip from -1 to 1: of the joints of all its frames that are seen. Predict & Cluster (Su et al.,
    2020) prepares NW-UCLA so. An axis along which nothing differs is 0."""
    there = (seen > 0)[..., None]
    low = np.where(there, x, np.inf).min(axis=(1, 2), keepdims=True)
    high = np.where(there, x, -np.inf).max(axis=(1, 2), keepdims=True)
    wide = high > low
    extent = np.where(wide, high - low, 1)
    scaled: Array = np.where(wide, (x - low) / extent * 2 - 1, 0).astype(np.float32)
    return scaled
