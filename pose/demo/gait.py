"""Walking over the floor: a path through places, footsteps that stay where they are put, and the body above them."""

import math
from dataclasses import dataclass

import numpy as np

from pose.demo.posture import LEFT, RIGHT, SIDE, STANDING, Floats, Place, Posture, change, ease, from_place, onto_floor

STEP_S = 0.52
_STANCE_SHARE = 0.60  # of a foot's cycle on the floor; 0.6 at a comfortable speed (Perry, Gait Analysis, 1992)
_LIFT = 0.075
_BALL = 0.13  # metres from the ankle to the ball of the foot, over which the heel rises


@dataclass(frozen=True, slots=True)
class _Footstep:
    """A foot put down at a time, and where: x, z, heading."""

    time_s: float
    spot: Floats


class Walk:
    """A walk through timed places, beginning and ending at rest with both feet side by side."""

    def __init__(self, keys: tuple[tuple[float, Place], ...]) -> None:
        """keys: seconds from the start of the walk, rising from 0, and the places passed."""
        self._times = np.array([at for at, _ in keys])
        self._spots = np.array([(p.x, p.z, p.heading) for _, p in keys])
        self.duration_s = float(self._times[-1])
        self._slopes = np.zeros_like(self._spots)
        spans = (self._times[2:] - self._times[:-2])[:, None]
        self._slopes[1:-1] = (self._spots[2:] - self._spots[:-2]) / spans
        self._steps = (self._plan(LEFT), self._plan(RIGHT))

    def place(self, time_s: float) -> Floats:
        """(3,) x, z and heading on the path; at rest before and after the walk."""
        t = min(max(time_s, 0.0), self.duration_s)
        i = min(int(np.searchsorted(self._times, t, side="right")) - 1, len(self._times) - 2)
        span = float(self._times[i + 1] - self._times[i])
        s = (t - float(self._times[i])) / span
        spot: Floats = (
            (2 * s**3 - 3 * s**2 + 1) * self._spots[i]
            + (3 * s**2 - 2 * s**3) * self._spots[i + 1]
            + (s**3 - 2 * s**2 + s) * span * self._slopes[i]
            + (s**3 - s**2) * span * self._slopes[i + 1]
        )
        return spot

    def posture(self, time_s: float) -> Posture:
        """The walker at a time since the start of the walk."""
        place = self.place(time_s)
        feet, toes, ahead = np.zeros((2, 3)), np.zeros((2, 2)), np.zeros(2)
        for side in (LEFT, RIGHT):
            spot, height, pitch = self._foot(side, time_s)
            aside, forwards = from_place(place, spot)
            feet[side] = (aside, height, forwards)
            toes[side] = ((spot[2] - place[2]) * SIDE[side], pitch)
            ahead[side] = feet[side, 2]
        return _above(place, feet, toes, float(ahead[LEFT] - ahead[RIGHT]))

    def _plan(self, side: int) -> list[_Footstep]:
        """Footsteps of one side; each is put where the body passes in the middle of its stance."""
        steps = [_Footstep(-1.0, self._spot(side, -1.0))]
        at = 0.16 + STEP_S * (0.8 + side)
        while at < self.duration_s + 0.9 * STEP_S:
            steps.append(_Footstep(at, self._spot(side, at + _STANCE_SHARE * STEP_S * 0.92)))
            at += 2 * STEP_S
        return steps

    def _spot(self, side: int, time_s: float) -> Floats:
        place = self.place(time_s)
        still = time_s <= 0 or time_s >= self.duration_s
        narrow = 1.0 if still else 0.72  # walking feet pass close to each other
        aside, _, ahead = STANDING.feet[side]
        outward = float(STANDING.toes[side, 0] * SIDE[side]) * narrow
        return np.array([*onto_floor(place, aside * narrow, ahead), place[2] + outward])

    def _foot(self, side: int, time_s: float) -> tuple[Floats, float, float]:
        """Spot (3,), height of the ankle and pitch of the toes."""
        steps = self._steps[side]
        i = max(k for k, step in enumerate(steps) if step.time_s <= time_s) if time_s > -1.0 else 0
        here = steps[i]
        if i + 1 == len(steps):
            return here.spot, 0.0, -14.0 * _landing(time_s - here.time_s) * self._stride(i, side)
        there = steps[i + 1]
        swing_s = 2 * STEP_S * (1 - _STANCE_SHARE)
        lift_off = there.time_s - swing_s
        stride = self._stride(i + 1, side)
        rise = ease(lift_off - 0.24, lift_off + 0.04, time_s) * stride
        if time_s < lift_off:
            pitch = 38 * rise - 14 * _landing(time_s - here.time_s) * self._stride(i, side)
            return here.spot, _BALL * math.sin(math.radians(max(pitch, 0.0))), pitch
        s = (time_s - lift_off) / swing_s
        travel = ease(0.0, 1.0, s)
        pitch = (38 * rise * (1 - ease(0.1, 0.75, s))) - 14 * ease(0.6, 1.0, s) * stride
        heel = _BALL * math.sin(math.radians(max(pitch, 0.0)))
        return (
            here.spot + (there.spot - here.spot) * travel,
            heel + _LIFT * (0.4 + 0.6 * stride) * math.sin(math.pi * s),
            pitch,
        )

    def _stride(self, step: int, side: int) -> float:
        """How long a step is: 0 on the spot, 1 for a full one."""
        if step == 0:
            return 0.0
        moved = self._steps[side][step].spot[:2] - self._steps[side][step - 1].spot[:2]
        return min(float(np.hypot(*moved)) / 0.8, 1.0)


def _landing(since_s: float) -> float:
    """1 at heel strike, 0 when the foot lies flat."""
    return 1 - ease(0.0, 0.12, since_s)


def _above(place: Floats, feet: Floats, toes: Floats, ahead: float) -> Posture:
    """The body over the feet: hips sink and turn with the stride, arms swing against the legs."""
    swing = float(np.clip(ahead / 0.6, -1.2, 1.2))
    wrists = STANDING.wrists.copy()
    for side, sign in ((LEFT, -1.0), (RIGHT, 1.0)):
        forwards = sign * swing
        wrists[side] = (
            0.09 - 0.05 * max(forwards, 0),
            -0.95 + 0.13 * max(forwards, 0.0) + 0.03 * abs(forwards),
            0.10 + (0.46 if forwards > 0 else 0.34) * forwards,
        )
    return change(
        STANDING,
        place=place,
        pelvis=(0.02 * float(np.clip((feet[RIGHT, 1] - feet[LEFT, 1]) / 0.1, -1, 1)), -0.008 - 0.034 * swing**2, 0.0),
        turn=(-6 * swing, 0, 0),
        spine=(12 * swing, 4, 0),
        head=(-5 * swing, 2, 0),
        wrists=wrists,
        elbows=[[0.35, 0, -1], [0.35, 0, -1]],
        feet=feet,
        toes=toes,
        curl=(0.35, 0.35),
    )
