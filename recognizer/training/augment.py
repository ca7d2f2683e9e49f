"""Random augmentations of batches of clips, which do not change the action.

joints: (N, T, 13, 3) float32 of the MPOSE-13 layout, x right, y down, z away from the camera (0 for sets in two
dimensions). xy: (N, T, 13, 2). seen: (N, T, 13) bool. Each function draws from `rng` and returns new arrays.
Lengths are in torsos unless said.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.features import RATE_FPS

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SHOULDERS, _HIPS = [1, 2], [7, 8]
# What kinect.to_mpose does to UTD-MHAD and NW-UCLA, undone: hips lower by 0.42 of the torso and 1.2 times as wide, the
# neck 0.68 times as long. MSR Action3D's hips are moved otherwise (0.5, 0.5) and only about undone.
_KINECT_HIPS, _KINECT_WIDTH, _KINECT_NECK = 0.42 / 1.42, 1 - 1 / 1.2, 1 / 0.68 - 1
# Bones that lengthen together, with the spread (standard deviation of the logarithm) among people and detectors.
_LIMBS = (("elbow", "shoulder", 0.10), ("wrist", "elbow", 0.10), ("knee", "hip", 0.10), ("ankle", "knee", 0.10))
_WIDTH_SPREAD, _HEAD_SPREAD = 0.12, 0.12


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strengths of the augmentations. Angles in degrees, lengths in torsos."""

    proportions: float = 0.5  # part of the clips whose bones are lengthened or shortened
    yaw: float = 30.0
    pitch: float = 12.0
    roll: float = 5.0
    unusual: float = 0.2  # part of the clips seen from anywhere: a phone on the floor, a shelf, from the side
    unusual_yaw: float = 70.0
    unusual_pitch: float = 30.0
    distance: tuple[float, float] = (2.5, 12.0)  # of the camera
    tilt: float = 0.06  # how much flat clips taper, as under a tilted camera: per torso of height
    kinect: float = 0.35  # part of the 3D clips with hips and head where Kinect has them
    drift: float = 0.5  # part of the clips whose way across the picture is changed
    noise: float = 0.012  # upper bound of each clip's standard deviation
    bias: float = 0.02  # constant displacement of each joint
    lose_joint: float = 0.02  # part of the (clip, joint) pairs that are missing for some frames
    crop: float = 0.35  # part of the clips that leave the picture at its lower edge
    desk: float = 0.6  # the same of arm actions and gestures, which people do at a desk


def middle(joints: Array, pair: list[int]) -> Array:
    """Middle (..., C) of two joints of (..., V, C)."""
    centre: Array = joints[..., pair, :].mean(axis=-2)
    return centre


def torso_length(joints: Array) -> Array:
    """(N,) the torso's length, 80th percentile over the frames so that a bent or turned torso counts little.

    At least 0.15 of the clip's extent: where most joints were never annotated the torso can be a point.
    """
    lengths = np.linalg.norm(middle(joints, _SHOULDERS) - middle(joints, _HIPS), axis=-1)
    extent = np.ptp(joints, axis=(1, 2)).max(axis=-1)
    length: Array = np.maximum(np.percentile(lengths, 80, axis=-1), 0.15 * extent + 1e-6).astype(np.float32)
    return length


def unit_size(joints: Array) -> Array:
    """The same clips with torsos of length 1 and the first frame's mid-hip at the origin."""
    origin = middle(joints, _HIPS)[:, :1, None]
    return (joints - origin) / torso_length(joints)[:, None, None, None]


def change_proportions(joints: Array, rng: np.random.Generator, share: float) -> Array:
    """Lengthen and shorten the bones of a share of the clips; the root's way scales with the legs."""
    n = len(joints)
    chosen = rng.random(n) < share

    def factor(spread: float) -> Array:
        drawn: Array = np.where(chosen, np.exp(rng.normal(0, spread, n)), 1).astype(np.float32)
        return drawn[:, None, None, None]

    shoulders, hips = middle(joints, _SHOULDERS)[..., None, :], middle(joints, _HIPS)[..., None, :]
    limbs = {(a, b): factor(spread) for a, b, spread in _LIMBS}
    legs = (limbs["knee", "hip"] + limbs["ankle", "knee"]) / 2
    root = hips[:, :1] + legs * (hips - hips[:, :1])
    out = np.empty_like(joints)
    top = root + shoulders - hips
    out[..., :1, :] = top + factor(_HEAD_SPREAD) * (joints[..., :1, :] - shoulders)
    out[..., _SHOULDERS, :] = top + factor(_WIDTH_SPREAD) * (joints[..., _SHOULDERS, :] - shoulders)
    out[..., _HIPS, :] = root + factor(_WIDTH_SPREAD) * (joints[..., _HIPS, :] - hips)
    for (end, start), scale in limbs.items():
        for side in ("left", "right"):
            a, b = MPOSE_13.index(f"{side}_{end}"), MPOSE_13.index(f"{side}_{start}")
            out[..., a, :] = out[..., b, :] + scale[..., 0] * (joints[..., a, :] - joints[..., b, :])
    return out


def view(joints: Array, depth: Mask, rng: np.random.Generator, how: Augmentation) -> Array:
    """What a camera at a random place sees: (N, T, 13, 2). depth: (N,) False for clips in two dimensions."""
    n = len(joints)
    unusual = rng.random(n) < how.unusual
    most_yaw = np.where(unusual, how.unusual_yaw, how.yaw)
    most_pitch = np.where(unusual, how.unusual_pitch, how.pitch)
    yaw, pitch, roll = (np.radians(rng.uniform(-1, 1, n) * most) for most in (most_yaw, most_pitch, how.roll))
    turned = rotate(joints, (yaw * depth).astype(np.float32), (pitch * depth).astype(np.float32), roll)
    distance = rng.uniform(*how.distance, n).astype(np.float32)[:, None, None, None]
    taper = rng.uniform(-how.tilt, how.tilt, n).astype(np.float32)[:, None, None, None]
    depths = np.where(depth[:, None, None, None], turned[..., 2:] / distance, turned[..., 1:2] * taper)
    away = np.maximum(1 + depths, 0.3)
    xy = turned[..., :2] / away
    squeeze = np.where(depth, 1, rng.uniform(0.9, 1.05, n)).astype(np.float32)
    out: Array = xy * np.stack([squeeze, np.ones_like(squeeze)], axis=-1)[:, None, None]
    return out


def rotate(joints: Array, yaw: Array, pitch: Array, roll: NDArray[np.floating]) -> Array:
    """Turn each clip about y (yaw), then x (pitch), then z (roll), angles (N,) in radians, about the origin."""
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)

    def matrix(*rows: tuple[Array, Array, Array]) -> Array:
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    cos, sin = np.cos(yaw), np.sin(yaw)
    about_y = matrix((cos, zero, sin), (zero, one, zero), (-sin, zero, cos))
    cos, sin = np.cos(pitch), np.sin(pitch)
    about_x = matrix((one, zero, zero), (zero, cos, -sin), (zero, sin, cos))
    cos, sin = np.cos(roll), np.sin(roll)
    about_z = matrix((cos, -sin, zero), (sin, cos, zero), (zero, zero, one))
    turn = (about_z @ about_x @ about_y).astype(np.float32)
    turned: Array = np.einsum("nij,ntvj->ntvi", turn, joints, optimize=True)
    return turned


def mirror(xy: Array, seen: Mask, rng: np.random.Generator) -> tuple[Array, Mask]:
    """Half of the clips as in a mirror: x negated, left and right joints exchanged."""
    chosen = rng.random(len(xy)) < 0.5
    flipped = xy[:, :, MPOSE_13.mirrored] * np.array([-1, 1], dtype=np.float32)
    return (
        np.where(chosen[:, None, None, None], flipped, xy),
        np.where(chosen[:, None, None], seen[:, :, MPOSE_13.mirrored], seen),
    )


def change_drift(xy: Array, rng: np.random.Generator, share: NDArray[np.floating]) -> Array:
    """Remove the motion across the picture, or replace it by up to 2 torsos a second. share: (N,) its probability."""
    n, frames = xy.shape[:2]
    hips = middle(xy, _HIPS)[..., 0]
    ramp = np.linspace(0, 1, frames, dtype=np.float32)
    own: Array = (hips[:, -1] - hips[:, 0])[:, None] * ramp
    added = rng.uniform(-2, 2, (n, 1)) * ramp * (frames / RATE_FPS)
    draw: NDArray[np.float64] = rng.random(n) / np.maximum(share, 1e-6)
    change = np.where(draw[:, None] < 0.5, -own, np.where(draw[:, None] < 1, added - own, 0))
    out = xy.copy()
    out[..., 0] += change[..., None]
    return out


def smooth_noise(shape: tuple[int, int, int, int], rng: np.random.Generator, fastest_hz: float = 1.0) -> Array:
    """Slow random movement (N, T, V, C) of about unit size: three sines of random frequency and phase."""
    n, frames, joints, channels = shape
    time = np.arange(frames, dtype=np.float32) / RATE_FPS
    out = np.zeros(shape, dtype=np.float32)
    for _ in range(3):
        hz = rng.uniform(0.05, fastest_hz, (n, 1, joints, channels)).astype(np.float32)
        phase = rng.uniform(0, 2 * np.pi, (n, 1, joints, channels)).astype(np.float32)
        out += np.sin(2 * np.pi * hz * time[:, None, None] + phase)
    return out / np.float32(np.sqrt(1.5))


def jitter(xy: Array, rng: np.random.Generator, how: Augmentation) -> Array:
    """Detector noise: white, of a strength drawn for each clip, and a constant displacement of each joint."""
    n, _, joints, _ = xy.shape
    strength = rng.uniform(0, how.noise, (n, 1, 1, 1)).astype(np.float32)
    white = rng.standard_normal(xy.shape, dtype=np.float32) * strength
    bias = rng.standard_normal((n, 1, joints, 2), dtype=np.float32) * np.float32(how.bias)
    out: Array = xy + white + bias
    return out


def lose_joints(seen: Mask, rng: np.random.Generator, how: Augmentation) -> Mask:
    """Single joints missing for a while."""
    n, frames, joints = seen.shape
    lost = rng.random((n, 1, joints)) < how.lose_joint
    start = rng.integers(0, frames, (n, 1, joints))
    length = rng.integers(2, frames, (n, 1, joints))
    now = np.arange(frames)[:, None]
    return seen & ~(lost & (now >= start) & (now < start + length))


def crop(xy: Array, seen: Mask, rng: np.random.Generator, share: Array, strict: Mask) -> Mask:
    """Joints below the lower edge of the picture are not seen, at a height drawn for each clip.

    The edge lies between the middle of the torso and the knees of the first frame, so that hands, too, come and go at a
    desk. share: (N,) chance of each clip. strict: (N,) clips that only lose what is below the knees, for their legs
    matter.
    """
    n = len(xy)
    shoulders, hips = middle(xy, _SHOULDERS)[:, 0, 1], middle(xy, _HIPS)[:, 0, 1]
    torso = np.maximum(np.abs(hips - shoulders), 0.3)
    height = np.where(strict, rng.uniform(1.7, 2.4, n), rng.uniform(0.55, 1.6, n))
    edge = np.where(rng.random(n) < share, shoulders + height * torso, np.inf)
    return seen & (xy[..., 1] < edge[:, None, None])


def as_kinect(joints: Array, depth: Mask, rng: np.random.Generator, share: float) -> Array:
    """Some of the 3D clips with higher and narrower hips and a longer neck, about as Kinect itself gives them: the
    reverse of kinect.to_mpose for UTD-MHAD and NW-UCLA, in part or whole."""
    n = len(joints)
    amount = np.where((rng.random(n) < share) & depth, rng.uniform(0.2, 1.0, n), 0).astype(np.float32)
    amount = amount[:, None, None, None]
    shoulders, hips = middle(joints, _SHOULDERS)[..., None, :], middle(joints, _HIPS)[..., None, :]
    raised = hips - amount * np.float32(_KINECT_HIPS) * (hips - shoulders)
    out = joints.copy()
    out[..., _HIPS, :] = raised + (1 - amount * np.float32(_KINECT_WIDTH)) * (joints[..., _HIPS, :] - hips)
    out[..., :1, :] = shoulders + (1 + amount * np.float32(_KINECT_NECK)) * (joints[..., :1, :] - shoulders)
    return out
