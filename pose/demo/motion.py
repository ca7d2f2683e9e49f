"""The actions of the demo: seconds since an action began to a posture, on the spot.

Each function takes the time and the action's duration, and holds or dies out sensibly when asked for times just after
the end, because the next action is blended in there.
"""

import math
from collections.abc import Callable

import numpy as np

from pose.demo.posture import LEFT, RIGHT, SIDE, STANDING, Floats, Posture, both, change, ease, keyed, mix

Motion = Callable[[float, float], Posture]

UPPER_ARM_SHARE = 0.53  # of the arm's length from shoulder to wrist


def _wave_of(time_s: float, period_s: float) -> float:
    """0 at the start of each period, 1 in its middle, smooth."""
    return 0.5 - 0.5 * math.cos(2 * math.pi * time_s / period_s)


def _repeats(duration_s: float, period_s: float) -> float:
    """The period nearest to the wished one that fits a whole number of times."""
    return duration_s / max(round(duration_s / period_s), 1)


def _one_side(rest: Floats, side: int, value: tuple[float, ...]) -> Floats:
    out = rest.copy()
    out[side] = value
    return out


def stand(_time_s: float, _duration_s: float) -> Posture:
    """Upright, arms hanging; the sway of a living person is added to every action elsewhere."""
    return STANDING


SEATED = change(
    STANDING,
    pelvis=(0, -0.425, -0.40),
    spine=(0, 4, 0),
    wrists=[[-0.06, -0.66, 0.42], [-0.02, -0.64, 0.45]],
    elbows=[[0.7, 0, -1], [0.7, 0, -1]],
    feet=[[0.14, 0, 0.02], [-0.14, 0, 0.05]],
)
_BENT_TO_SEAT = change(
    STANDING,
    pelvis=(0, -0.21, -0.27),
    spine=(0, 40, 0),
    head=(0, -12, 0),
    wrists=[[0.05, -0.78, 0.42], [0.08, -0.76, 0.44]],
    feet=SEATED.feet,
)
_LEANING_TO_RISE = change(
    SEATED,
    pelvis=(0, -0.415, -0.37),
    spine=(0, 38, 0),
    head=(0, -14, 0),
    wrists=[[0.0, -0.72, 0.42], [0.02, -0.70, 0.45]],
)


def sit(_time_s: float, _duration_s: float) -> Posture:
    """On the chair, hands on the thighs."""
    return SEATED


def sit_down(time_s: float, duration_s: float) -> Posture:
    """Lean, lower the hips backwards, straighten up on the seat."""
    d = duration_s
    standing = change(STANDING, feet=SEATED.feet)
    return keyed(time_s, ((0.0, standing), (0.52 * d, _BENT_TO_SEAT), (0.82 * d, _almost_seated()), (d, SEATED)))


def _almost_seated() -> Posture:
    return change(SEATED, spine=(0, 22, 0), head=(0, -8, 0), pelvis=(0, -0.415, -0.40))


def stand_up(time_s: float, duration_s: float) -> Posture:
    """Lean over the feet, then rise."""
    d = duration_s
    standing = change(STANDING, feet=SEATED.feet)
    return keyed(time_s, ((0.0, SEATED), (0.30 * d, _LEANING_TO_RISE), (0.58 * d, _BENT_TO_SEAT), (0.98 * d, standing)))


def wave(time_s: float, _duration_s: float) -> Posture:
    """The right hand beside the head, the forearm swinging about the elbow."""
    swing = math.radians(4 + 33 * math.sin(2 * math.pi * 1.35 * time_s))
    upper = np.array([0.82, -0.34 + 0.05 * math.sin(2 * math.pi * 1.35 * time_s), 0.36])
    elbow = upper / np.linalg.norm(upper) * UPPER_ARM_SHARE
    wrist = elbow + (1 - UPPER_ARM_SHARE) * np.array([math.sin(swing), math.cos(swing), 0.12])
    return change(
        STANDING,
        wrists=_one_side(STANDING.wrists, RIGHT, tuple(wrist)),
        elbows=_one_side(STANDING.elbows, RIGHT, tuple(upper)),
        spine=(0, 1, -3),
        head=(0, -2, -4),
        curl=(0.25, 0.0),
    )


def clap(time_s: float, _duration_s: float) -> Posture:
    """Both palms together before the chest, again and again."""
    apart = _wave_of(time_s, 0.62) ** 0.8
    reach = [-0.215 + 0.40 * apart, -0.36 + 0.03 * apart, 0.60 - 0.05 * apart]
    return change(
        STANDING,
        wrists=[reach, [reach[0], reach[1] - 0.02, reach[2]]],
        elbows=both((0.40, -1.0, -0.35)),
        curl=(0.0, 0.0),
    )


_READY_TO_SQUAT = change(
    STANDING,
    wrists=both((-0.16, -0.22, 0.44)),
    elbows=both((0.7, -1.0, -0.1)),
    feet=[[0.21, 0, 0], [-0.21, 0, 0]],
    toes=both((24, 0)),
)
_SQUATTING = change(
    _READY_TO_SQUAT,
    pelvis=(0, -0.45, -0.22),
    spine=(0, 32, 0),
    head=(0, -6, 0),
    wrists=both((-0.16, -0.16, 0.50)),
)


def squat(time_s: float, duration_s: float) -> Posture:
    """Down and up with the feet apart and the hands before the chest."""
    period_s = _repeats(duration_s, 2.3)
    if time_s >= duration_s:
        return _READY_TO_SQUAT
    depth = ease(0.0, 0.46, time_s % period_s / period_s) - ease(0.50, 0.97, time_s % period_s / period_s)
    return mix((_READY_TO_SQUAT, _SQUATTING), (1 - depth, depth))


def jumping_jacks(time_s: float, duration_s: float) -> Posture:
    """Feet apart and hands over the head in one jump, back in the next."""
    period_s = _repeats(duration_s, 1.05)
    if time_s >= duration_s:
        return STANDING
    phase = time_s % period_s / period_s
    spread = ease(0.02, 0.46, phase) - ease(0.54, 0.98, phase)
    hop = 0.09 * math.sin(math.pi * min(max((phase % 0.5 - 0.10) / 0.34, 0.0), 1.0)) ** 1.5
    crouch = (
        0.04 * max(math.cos(2 * math.pi * 2 * phase), 0.0) * ease(0, 0.2, time_s) * ease(0, 0.2, duration_s - time_s)
    )
    angle = math.radians(8.5 + 161 * spread)
    reach = np.array([math.sin(angle), -math.cos(angle), 0.10]) * (0.965 + 0.02 * math.sin(math.pi * spread))
    return change(
        STANDING,
        pelvis=(0, hop - 0.012 - crouch - 0.050 * spread, 0),
        wrists=both(tuple(reach)),
        elbows=both((0.25, -0.2 - 0.6 * spread, -1.0 + 0.8 * spread)),
        feet=[[0.115 + 0.25 * spread, hop, 0], [-0.115 - 0.25 * spread, hop, 0]],
        toes=both((12, 260 * hop)),
        curl=(0.05, 0.05),
    )


_GUARD = change(
    STANDING,
    pelvis=(0, -0.045, 0.0),
    spine=(0, 6, 0),
    wrists=both((-0.02, -0.16, 0.38)),
    elbows=both((0.65, -0.8, -0.5)),
    feet=[[0.13, 0, 0.14], [-0.14, 0, -0.14]],
    toes=[[2, 0], [35, 0]],
    curl=(1.0, 1.0),
)
_LEFT_OUT = change(
    _GUARD,
    pelvis=(0, -0.05, 0.04),
    spine=(-28, 8, 0),
    turn=(-6, 0, 0),
    wrists=[[-0.10, 0.04, 0.975], [0.10, -0.26, 0.20]],
    elbows=[[0.6, -0.8, 0], [0.6, -0.6, -0.8]],
)
_RIGHT_OUT = change(
    _GUARD,
    pelvis=(0, -0.055, 0.06),
    spine=(32, 9, 0),
    turn=(10, 0, 0),
    wrists=[[0.10, -0.26, 0.20], [-0.12, 0.04, 0.975]],
    elbows=[[0.6, -0.6, -0.8], [0.6, -0.8, 0]],
    toes=[[2, 0], [20, 18]],
)


def punch(time_s: float, duration_s: float) -> Posture:
    """Boxing the air: left, right, left, right, one fist coming back while the other goes out."""
    period_s = _repeats(duration_s, 1.3)
    t = time_s % period_s * 1.3 / period_s if time_s < duration_s else 0.0
    keys = ((0, _GUARD), (0.30, _LEFT_OUT), (0.38, _LEFT_OUT), (0.84, _RIGHT_OUT), (0.92, _RIGHT_OUT), (1.3, _GUARD))
    return keyed(t, keys)


_CHAMBER = change(
    STANDING,
    pelvis=(0.05, -0.02, -0.02),
    spine=(8, -3, 0),
    turn=(4, 0, -3),
    wrists=[[0.16, -0.74, 0.36], [0.26, -0.84, -0.06]],
    feet=[[0.09, 0, 0.0], [-0.10, 0.38, 0.02]],
    toes=[[14, 0], [2, 30]],
    curl=(0.7, 0.7),
)
_KICKING = change(
    _CHAMBER,
    pelvis=(0.05, -0.015, 0.03),
    spine=(14, -14, 0),
    turn=(12, -4, -4),
    wrists=[[0.20, -0.66, 0.46], [0.36, -0.78, -0.20]],
    feet=[[0.09, 0, 0.0], [-0.07, 0.66, 0.80]],
    toes=[[18, 0], [0, -5]],
)
_WEIGHT_LEFT = change(
    STANDING, pelvis=(0.05, -0.02, 0), feet=[[0.09, 0, 0], [-0.11, 0.02, -0.10]], toes=[[12, 0], [8, 25]]
)


def kick(time_s: float, duration_s: float) -> Posture:
    """The right foot forwards at the height of the waist, two or three times."""
    period_s = _repeats(duration_s, 1.6)
    t = time_s % period_s * 1.6 / period_s if time_s < duration_s else 1.6
    ready = change(STANDING, pelvis=(0.02, -0.012, 0))
    keys = (
        (0.0, ready),
        (0.24, _WEIGHT_LEFT),
        (0.46, _CHAMBER),
        (0.66, _KICKING),
        (0.74, _KICKING),
        (0.96, _CHAMBER),
        (1.28, ready),
    )
    return keyed(t, keys)


_REACHING_DOWN = change(
    STANDING,
    pelvis=(0, -0.31, -0.20),
    spine=(6, 84, 6),
    head=(0, 6, 0),
    wrists=[[0.02, -0.62, 0.34], [-0.12, -0.95, 0.22]],
    elbows=[[0.8, 0, -0.6], [0.6, 0, -0.6]],
    feet=[[0.13, 0, 0.10], [-0.14, 0, -0.06]],
    curl=(0.3, 0.1),
)
_GRASPED = change(_REACHING_DOWN, curl=(0.3, 0.8), pelvis=(0, -0.32, -0.20))
_HOLDING = change(
    STANDING, wrists=[STANDING.wrists[LEFT], (-0.04, -0.66, 0.52)], elbows=both((0.6, -0.3, -1)), curl=(0.25, 0.8)
)


def pick_up(time_s: float, duration_s: float) -> Posture:
    """Bend the knees and the back, take a thing from the floor with the right hand, come up with it."""
    d = duration_s
    return keyed(time_s, ((0, STANDING), (0.40 * d, _REACHING_DOWN), (0.52 * d, _GRASPED), (0.95 * d, _HOLDING)))


def hold(_time_s: float, _duration_s: float) -> Posture:
    """Standing with a thing in the right hand."""
    return _HOLDING


_WOUND_UP = change(
    STANDING,
    pelvis=(-0.03, -0.03, -0.05),
    turn=(-16, 0, 0),
    spine=(-24, -6, 4),
    head=(28, 0, 0),
    wrists=[[0.12, -0.25, 0.62], [0.44, 0.52, -0.34]],
    elbows=[[0.6, -0.8, 0], [0.9, 0.20, -0.40]],
    feet=[[0.11, 0.0, 0.16], [-0.13, 0, -0.14]],
    toes=[[4, 0], [40, 0]],
    curl=(0.3, 0.8),
)
_RELEASE = change(
    _WOUND_UP,
    pelvis=(0, -0.04, 0.06),
    turn=(4, 0, 0),
    spine=(10, 8, -5),
    head=(-8, 0, 0),
    wrists=[[0.22, -0.70, 0.24], [0.06, 0.80, 0.46]],
    elbows=[[0.5, -0.3, -1], [0.9, 0.1, 0.15]],
    toes=[[4, 0], [36, 14]],
    curl=(0.3, 0.1),
)
_FOLLOW = change(
    _RELEASE,
    pelvis=(0.02, -0.05, 0.09),
    turn=(12, 3, 0),
    spine=(24, 20, -6),
    head=(-18, -10, 0),
    wrists=[[0.28, -0.84, -0.04], [-0.34, -0.56, 0.62]],
    elbows=[[0.4, 0, -1], [0.8, 0.1, -0.2]],
    toes=[[4, 0], [30, 30]],
)


def throw(time_s: float, duration_s: float) -> Posture:
    """Overhand with the right arm: wind up, release, follow through, once or twice."""
    period_s = _repeats(duration_s, 2.2)
    t = time_s % period_s * 2.2 / period_s if time_s < duration_s else 2.2
    ready = change(STANDING, feet=_WOUND_UP.feet, wrists=_HOLDING.wrists, elbows=_HOLDING.elbows, curl=(0.3, 0.7))
    keys = ((0, ready), (0.62, _WOUND_UP), (0.80, _WOUND_UP), (1.06, _RELEASE), (1.34, _FOLLOW), (2.05, STANDING))
    return keyed(t, keys)


def run(time_s: float, _duration_s: float) -> Posture:
    """Running on the spot: knees up, bent arms swinging against the legs."""
    cycle = 2 * math.pi * 1.35 * time_s
    bounce = 0.035 * math.cos(2 * cycle)
    feet, toes, wrists = [], [], []
    for side in (LEFT, RIGHT):
        phase = (cycle + math.pi * side) % (2 * math.pi)
        lift = max(math.sin(phase), 0.0) ** 1.2
        share = phase / math.pi  # of the foot's flight: it rises behind the body and comes down under it
        feet.append((0.10 * float(SIDE[side]), 0.36 * lift + max(-bounce, 0.0), lift * (0.20 * share - 0.11)))
        toes.append((4, 55 * lift))
        swing = math.sin(phase + 0.2)
        wrists.append((0.06 - 0.12 * max(-swing, 0), -0.50 - 0.14 * swing, 0.24 - 0.30 * swing))
    return change(
        STANDING,
        pelvis=(0.012 * math.sin(cycle), -0.03 - bounce * 0.8, 0.02),
        turn=(-5 * math.sin(cycle), 0, -2 * math.sin(cycle)),
        spine=(10 * math.sin(cycle), 8, 0),
        wrists=wrists,
        elbows=both((0.45, -0.25, -1.0)),
        feet=feet,
        toes=toes,
        curl=(0.75, 0.75),
    )
