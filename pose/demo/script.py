"""What the demo's person does and when: one loop of everyday actions, each with its true name and onset."""

import math
from dataclasses import dataclass

import numpy as np

from pose.demo import motion
from pose.demo.gait import Walk
from pose.demo.motion import Motion
from pose.demo.posture import SIDE, Floats, Place, Posture, change, ease, from_place, mix, onto_floor

# The new action fades in over this time from its start, which is its true onset.
BLEND_S = 0.5


@dataclass(frozen=True, slots=True)
class Segment:
    """One action: from its onset, when the body begins to leave the previous posture, to the next onset."""

    action: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class _Act:
    """A line of the script: an action's name, its motion and length, and where on the floor."""

    action: str
    move: Motion | Walk
    duration_s: float
    place: Place


_FRONT = Place(-0.35, 0.05, 6)
_HALF = Place(-0.35, 0.05, 15)
_ASIDE = Place(-0.35, 0.05, 48)
CHAIR = Place(0.72, -0.05, -22)

_TO_CHAIR = Walk(
    (
        (0.0, _FRONT),
        (0.7, Place(-0.58, 0.02, -70)),
        (1.45, Place(-1.02, 0.08, -62)),
        (2.1, Place(-1.05, 0.36, 40)),
        (2.7, Place(-0.66, 0.50, 86)),
        (3.8, Place(0.42, 0.44, 92)),
        (4.5, Place(0.78, 0.16, 96)),
        (5.2, CHAIR),
    )
)
_FROM_CHAIR = Walk(
    (
        (0.0, CHAIR),
        (0.7, Place(0.60, 0.02, -66)),
        (1.3, Place(0.14, -0.02, -88)),
        (2.4, Place(-0.86, -0.08, -84)),
        (2.95, Place(-1.02, 0.00, -34)),
        (3.5, Place(-0.94, 0.10, 38)),
        (4.2, Place(-0.60, 0.12, 74)),
        (5.0, _ASIDE),
    )
)


def _acts() -> tuple[_Act, ...]:
    def on_the_spot(place: Place, *lines: tuple[str, Motion, float]) -> list[_Act]:
        return [_Act(action, move, duration_s, place) for action, move, duration_s in lines]

    still = motion.stand
    return (
        *on_the_spot(_FRONT, ("idle", still, 2.2), ("wave", motion.wave, 3.6), ("idle", still, 2.2)),
        *on_the_spot(_FRONT, ("clap", motion.clap, 3.6), ("idle", still, 2.0)),
        _Act("walk", _TO_CHAIR, _TO_CHAIR.duration_s, CHAIR),
        *on_the_spot(CHAIR, ("idle", still, 1.8), ("sit_down", motion.sit_down, 1.7), ("idle", motion.sit, 3.0)),
        *on_the_spot(CHAIR, ("stand_up", motion.stand_up, 1.6), ("idle", still, 1.8)),
        _Act("walk", _FROM_CHAIR, _FROM_CHAIR.duration_s, _ASIDE),
        *on_the_spot(_ASIDE, ("idle", still, 2.0), ("squat", motion.squat, 4.4)),
        *on_the_spot(_FRONT, ("idle", still, 2.2), ("jumping_jacks", motion.jumping_jacks, 4.2)),
        *on_the_spot(_HALF, ("idle", still, 2.2), ("punch", motion.punch, 3.9)),
        *on_the_spot(_HALF, ("idle", still, 2.2), ("kick", motion.kick, 3.2)),
        *on_the_spot(_HALF, ("idle", still, 2.0), ("run", motion.run, 3.7)),
        *on_the_spot(_ASIDE, ("idle", still, 2.2), ("pick_up", motion.pick_up, 2.2)),
        *on_the_spot(_ASIDE, ("idle", motion.hold, 2.0), ("throw", motion.throw, 2.2)),
    )


class Script:
    """One loop of actions; everything is periodic with `duration_s`."""

    def __init__(self) -> None:
        self._acts = _acts()
        ends = np.cumsum([act.duration_s for act in self._acts])
        starts = (0.0, *ends[:-1])
        self.segments = tuple(
            Segment(act.action, round(float(a), 6), round(float(b), 6))
            for act, a, b in zip(self._acts, starts, ends, strict=True)
        )
        self.duration_s = self.segments[-1].end_s

    def segment(self, time_s: float) -> Segment:
        """The segment that contains the time, counted from the start of the first loop."""
        return self.segments[self._find(time_s % self.duration_s)]

    def posture(self, time_s: float) -> Posture:
        """The body at a time: its act, blended with the end of the one before, swaying as the living do."""
        t = time_s % self.duration_s
        i = self._find(t)
        since_s = t - self.segments[i].start_s
        posture = self._played(i, since_s)
        if since_s < BLEND_S:
            before = self._played(i - 1, since_s + self._acts[i - 1].duration_s)
            posture = _blended(before, posture, since_s / BLEND_S)
        return _swaying(posture, t / self.duration_s)

    def _find(self, t: float) -> int:
        return next((i for i, segment in enumerate(self.segments) if t < segment.end_s), len(self.segments) - 1)

    def _played(self, i: int, since_s: float) -> Posture:
        act = self._acts[i]
        if isinstance(act.move, Walk):
            return act.move.posture(since_s)
        return change(act.move(since_s, act.duration_s), place=(act.place.x, act.place.z, act.place.heading))


def _blended(before: Posture, after: Posture, share: float) -> Posture:
    """From one posture to the next. Feet that must stand elsewhere are lifted there, the left one first."""
    turned = (after.place[2] - before.place[2] + 180) % 360 - 180
    start = change(before, place=(before.place[0], before.place[1], after.place[2] - turned))
    body = ease(0.0, 1.0, share)
    posture = mix((start, after), (1 - body, body))
    feet, toes = posture.feet.copy(), posture.toes.copy()
    for side, (begin, end) in enumerate(((0.0, 0.6), (0.4, 1.0))):
        step = ease(begin, end, share)
        old, new = _standing_at(start, side), _standing_at(after, side)
        distance = float(np.hypot(*(new[:2] - old[:2])))
        spot = old + (new - old) * step
        local = from_place(posture.place, spot)
        lift = min(0.4 * distance, 0.06) * math.sin(math.pi * step)
        feet[side] = (local[0], start.feet[side, 1] * (1 - step) + after.feet[side, 1] * step + lift, local[1])
        toes[side, 0] = (spot[2] - posture.place[2]) * SIDE[side]
    return change(posture, feet=feet, toes=toes)


def _standing_at(posture: Posture, side: int) -> Floats:
    """(3,) x, z and heading of a foot in the room."""
    aside, _, ahead = posture.feet[side]
    heading = posture.place[2] + posture.toes[side, 0] * SIDE[side]
    return np.array([*onto_floor(posture.place, aside, ahead), heading])


def _swaying(posture: Posture, turn_of_loop: float) -> Posture:
    """Breath, shifting weight and a wandering look; every rate fits a whole number of times into the loop."""

    def rhythm(times: int, offset: float = 0.0) -> float:
        return math.sin(2 * math.pi * (times * turn_of_loop + offset))

    breath = rhythm(19)
    shift = 0.7 * rhythm(11) + 0.3 * rhythm(17, 0.3)
    return change(
        posture,
        pelvis=posture.pelvis + np.array([0.010 * shift, -0.0015 * (1 - breath), 0.004 * rhythm(13, 0.2)]),
        turn=posture.turn + np.array([1.2 * rhythm(7, 0.1), 0.0, 0.8 * shift]),
        spine=posture.spine + np.array([1.5 * rhythm(9, 0.6), 0.7 * breath, -1.0 * shift]),
        head=posture.head + np.array([7.0 * rhythm(6, 0.4) * abs(rhythm(5)), 2.0 * rhythm(8, 0.7), 1.5 * rhythm(10)]),
        wrists=posture.wrists + 0.006 * breath * np.array([[0.6, 0.5, 0.8], [0.8, 0.5, 0.6]]),
    )
