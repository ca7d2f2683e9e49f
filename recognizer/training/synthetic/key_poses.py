"""A 3D kinematic body model that moves between key poses, by forward kinematics.

Axes of the body: ahead, to its left, up. Angles in degrees, lengths in torsos (middle of the shoulders to middle of the
hips), which are those of an adult.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.features import RATE_FPS

Floats = NDArray[np.float64]
Limb = tuple[float, float, float, float]

LEFT, RIGHT = 0, 1
SHOULDER = 0.36  # from the middle to either side
_HIP, _HEAD = 0.21, np.array([0.12, 0.0, 0.47])
_ARM, _LEG = (0.60, 0.53), (0.86, 0.84)
_NEAREST = 0.25  # of a hand to its shoulder
_STRAIGHT = 0.99
_LIFT = 0.05  # a joint that much higher than the lowest carries hardly any weight


@dataclass(frozen=True, slots=True)
class KeyPose:
    """How the body is held, in degrees; each limb value is (left, right).

    turn: of the whole body, to its left. lean: of the trunk, forwards and to its right. twist: of the shoulders against
    the hips, to the left. arm, leg: of the upper arm or thigh the angle from hanging down and the direction, 0 ahead
    and 90 outwards, then how far the elbow or knee is bent, and the plane in which it bends: 0 as a hinge that lies
    across the body, 90 turned outwards. pitch: of the whole body, forwards: 90 lies face down.
    """

    turn: float
    lean: tuple[float, float]
    twist: float
    arm: tuple[Limb, Limb]
    leg: tuple[Limb, Limb]
    pitch: float = 0.0

    def row(self) -> Floats:
        """(21,) all angles."""
        limbs = np.ravel([self.arm, self.leg])
        return np.concatenate([[self.turn, *self.lean, self.twist], limbs, [self.pitch]])

    def with_arm(self, side: int, arm: Limb) -> "KeyPose":
        """With another arm on one side."""
        return replace(self, arm=_replace_side(self.arm, side, arm))

    def with_leg(self, side: int, leg: Limb) -> "KeyPose":
        """With another leg on one side."""
        return replace(self, leg=_replace_side(self.leg, side, leg))


KeyPoses = list[tuple[float, KeyPose]]  # seconds since the previous key pose, and the key pose


def _replace_side(pair: tuple[Limb, Limb], side: int, limb: Limb) -> tuple[Limb, Limb]:
    return (limb, pair[1]) if side == LEFT else (pair[0], limb)


def reach(ahead: float, outwards: float, up: float, swivel: float = 0.0) -> Limb:
    """Inverse kinematics: the arm whose hand is at a place relative to its shoulder, in the trunk's axes, or as close
    as it reaches.

    swivel: degrees by which the elbow is turned about the line from shoulder to hand; at 0 it points down and out.
    """
    target = np.array([ahead, outwards, up])
    upper, lower = _ARM
    far = float(np.linalg.norm(target)) + 1e-6
    way = target / far
    far = min(max(far, _NEAREST), _STRAIGHT * (upper + lower))
    along = (upper**2 + far**2 - lower**2) / (2 * far)
    pole = np.array([-0.1, 0.5, -1.0])
    pole -= (pole @ way) * way
    pole /= np.linalg.norm(pole) + 1e-6
    angle = np.radians(swivel)
    pole = np.cos(angle) * pole + np.sin(angle) * np.cross(way, pole)
    first = along * way + np.sqrt(max(upper**2 - along**2, 0.0)) * pole
    second = (far * way - first) / lower
    first /= upper
    raised, direction = np.arccos(np.clip(-first[2], -1, 1)), np.arctan2(first[1], first[0])
    away = np.array([np.cos(direction), np.sin(direction), 0.0])
    across = np.cos(raised) * away + np.array([0, 0, np.sin(raised)])
    aside = np.cross(first, across)
    bent = np.arccos(np.clip(first @ second, -1, 1))
    plane = np.arctan2(second @ aside, second @ across)
    return tuple(float(np.degrees(value)) for value in (raised, direction, bent, plane))  # type: ignore[return-value]


def motion_through(keys: Sequence[tuple[float, KeyPose]], rng: np.random.Generator) -> Floats:
    """(T, 22) at 20 poses a second from key to key, at rest at each: angles as in KeyPose.row, and how high the body
    is off the floor. With a slight sway."""
    angles = _interpolated(keys)
    return np.column_stack([angles + _sway(angles.shape, rng), _bounce(len(angles), rng)])


def joints_of(motion: Floats) -> NDArray[np.float32]:
    """(T, 13, 3) joints of MPOSE-13 of motions (T, 22), as everyday.Corpus has them: in torsos, x right, y down, z away
    from the camera, towards which a body with no turn faces."""
    turn, forwards, aside, twist = np.radians(motion[:, :4].T)
    arms, legs = (np.radians(part).reshape(-1, 2, 4) for part in (motion[:, 4:12], motion[:, 12:20]))
    hips = _pitched(_yawed(np.broadcast_to(np.eye(3), (len(motion), 3, 3)), turn), np.radians(motion[:, 20]))
    trunk = _leaned(_yawed(hips, twist), hips, forwards, aside)
    out = np.zeros((len(motion), len(MPOSE_13.joints), 3))
    out[:, 0] = trunk[:, 2] + _HEAD @ trunk
    for side, outwards in ((LEFT, 1.0), (RIGHT, -1.0)):
        shoulder = trunk[:, 2] + outwards * SHOULDER * trunk[:, 1]
        hip = outwards * _HIP * hips[:, 1]
        out[:, 1 + side], out[:, 7 + side] = shoulder, hip
        out[:, 3 + side], out[:, 5 + side] = _limb(shoulder, trunk, outwards, arms[:, side], _ARM, 1)
        out[:, 9 + side], out[:, 11 + side] = _limb(hip, hips, outwards, legs[:, side], _LEG, -1)
    out = _on_the_floor(out)
    out[..., 2] += motion[:, 21, None]
    return np.stack([out[..., 1], -out[..., 2], -out[..., 0]], axis=-1).astype(np.float32)


def _interpolated(keys: Sequence[tuple[float, KeyPose]]) -> Floats:
    """(T, 21) angles between the key poses, at rest at each (cubic)."""
    times = np.cumsum([duration for duration, _ in keys])
    rows = np.stack([key.row() for _, key in keys])
    now = np.arange(0, times[-1], 1 / RATE_FPS)
    place = np.clip(np.searchsorted(times, now, side="right") - 1, 0, len(keys) - 2)
    part = ((now - times[place]) / np.maximum(times[place + 1] - times[place], 1e-6))[:, None]
    part = part**2 * (3 - 2 * part)
    out: Floats = (1 - part) * rows[place] + part * rows[place + 1]
    return out


def _leaned(trunk: Floats, hips: Floats, forwards: Floats, aside: Floats) -> Floats:
    """Axes (T, 3, 3) of a trunk that leans forwards and to its right over the hips by angles (T,) in radians."""
    cos, sin = np.cos(forwards)[:, None], np.sin(forwards)[:, None]
    up = cos * np.cos(aside)[:, None] * hips[:, 2] + sin * hips[:, 0] - cos * np.sin(aside)[:, None] * hips[:, 1]
    left = trunk[:, 1] - (trunk[:, 1] * up).sum(axis=1, keepdims=True) * up
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return np.stack([np.cross(left, up), left, up], axis=1)


def _yawed(axes: Floats, angle: Floats) -> Floats:
    """Axes (T, 3, 3), rows ahead, left and up, turned to the left by angles (T,) in radians."""
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    turn = np.stack([np.stack(row, -1) for row in ((cos, sin, zero), (-sin, cos, zero), (zero, zero, zero + 1))], 1)
    turned: Floats = turn @ axes
    return turned


def _pitched(axes: Floats, angle: Floats) -> Floats:
    """Axes (T, 3, 3) turned forwards about their second by angles (T,) in radians."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    ahead, left, up = axes[:, 0], axes[:, 1], axes[:, 2]
    return np.stack([cos * ahead - sin * up, left, cos * up + sin * ahead], axis=1)


def _limb(
    root: Floats, axes: Floats, outwards: float, angles: Floats, lengths: tuple[float, float], bends: int
) -> tuple[Floats, Floats]:
    """Middle joint and end (T, 3) of a limb. bends: 1 forwards, as an elbow, -1 backwards, as a knee."""
    raised, direction, bent, plane = (angle[:, None] for angle in angles.T)
    ahead, out, up = axes[:, 0], axes[:, 1] * outwards, axes[:, 2]
    away = np.cos(direction) * ahead + np.sin(direction) * out
    along = np.sin(raised) * away - np.cos(raised) * up
    across = bends * (np.cos(raised) * away + np.sin(raised) * up)
    aside = np.cross(along, across) * outwards * bends
    second = np.cos(bent) * along + np.sin(bent) * (np.cos(plane) * across + np.sin(plane) * aside)
    middle = root + lengths[0] * along
    return middle, middle + lengths[1] * second


def _on_the_floor(joints: Floats) -> Floats:
    """Put the lowest joint on the floor and keep supporting joints in place: the body moves over its feet or hands."""
    lift = joints[..., 2] - joints[..., 2].min(axis=1, keepdims=True)
    weight = np.exp(-lift / _LIFT)
    weight /= weight.sum(axis=1, keepdims=True)
    step = (np.diff(joints[..., :2], axis=0) * weight[1:, :, None]).sum(axis=1)
    out = joints.copy()
    out[..., 2] -= joints[..., 2].min(axis=1)[:, None]
    out[1:, :, :2] -= np.cumsum(step, axis=0)[:, None]
    return out


def _sway(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """(T, 21) slow random changes of the angles, about three degrees."""
    time_s = np.arange(shape[0])[:, None] / RATE_FPS
    hz, phase = rng.uniform(0.2, 1.2, (3, shape[1])), rng.uniform(0, 2 * np.pi, (3, shape[1]))
    waves: Floats = np.sin(2 * np.pi * hz[:, None] * time_s + phase[:, None]).sum(axis=0)
    return waves * rng.uniform(0.5, 3.5)


def _bounce(frames: int, rng: np.random.Generator) -> Floats:
    """(T,) height: some people bounce on the balls of their feet."""
    height = rng.uniform(0, 0.12) if rng.random() < 0.3 else 0.0
    phase = np.pi * rng.uniform(1.2, 3.0) * np.arange(frames) / RATE_FPS
    up: Floats = height * np.abs(np.sin(phase + rng.uniform(0, np.pi)))
    return up
