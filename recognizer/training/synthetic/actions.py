"""Generated recordings of actions that the data sets hardly show.

They have few kicks and punches, and of another kind: a kick at a ball, a step with a foot raised. People in front of a
webcam box and train martial arts. The ranges of angles and durations below are not measured: they are wide estimates,
checked on the validation people.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from recognizer.features import RATE_FPS
from recognizer.training.everyday import ACTIONS, OTHER, Corpus
from recognizer.training.synthetic import exercises
from recognizer.training.synthetic.key_poses import (
    LEFT,
    Floats,
    KeyPose,
    KeyPoses,
    Limb,
    joints_of,
    motion_through,
    reach,
)
from recognizer.training.synthetic.stances import STANDS, at_ease, hanging, on_hands, on_the_back, standing

GENERATED = "generated"
_FEET_TO_SHOULDERS, _KNEES_TO_SHOULDERS = 2.7, 1.86  # torsos, of a straight body
_ARM_LENGTH = 1.08
_BEFORE_S, _PAUSE_S = (0.8, 1.6), (0.1, 0.7)


@dataclass(frozen=True, slots=True, eq=False)
class _GeneratedMotions:
    """joints: (F, 13, 3) of all recordings. For each recording its action, how many frames it has, and how many of them
    come before the first action."""

    joints: NDArray[np.float32]
    actions: tuple[str, ...]
    frames: NDArray[np.intp]
    lead: NDArray[np.intp]


def with_generated(corpus: Corpus) -> Corpus:
    """The corpus with generated recordings for training, at 20 poses a second, in three dimensions, always the same;
    what comes before the first action of a recording leads up to it."""
    made = _generate()
    return corpus.appended(
        [made.joints],
        [np.ones(made.joints.shape[:2], dtype=bool)],
        [f"{GENERATED}/{action}" for action in _ACTION_SPECS],
        first=np.cumsum(made.frames) - made.frames + made.lead,
        length=made.frames - made.lead,
        lead=made.lead,
        fps=RATE_FPS,
        depth=True,
        action=[action if action in ACTIONS else OTHER for action in made.actions],
        kind=[f"{GENERATED}/{action}" for action in made.actions],
        dataset=GENERATED,
        part="train",
        name=[f"{action}{i}" for i, action in enumerate(made.actions)],
    )


@cache
def _generate() -> _GeneratedMotions:
    rng = np.random.default_rng(0)
    actions = tuple(action for action, (_, _, count) in _ACTION_SPECS.items() for _ in range(count))
    motions, lead = zip(*(_recording(rng, action) for action in actions), strict=True)
    frames = np.array([len(motion) for motion in motions], dtype=np.intp)
    return _GeneratedMotions(joints_of(np.concatenate(motions)), actions, frames, np.array(lead, dtype=np.intp))


def _recording(rng: np.random.Generator, action: str) -> tuple[Floats, int]:
    """The motion (T, 22) of a person who does the action one to three times, and how many frames come before."""
    stance, motion, _ = _ACTION_SPECS[action]
    base = stance(rng)
    before = rng.uniform(*_BEFORE_S)
    keys: KeyPoses = [(0.0, base), (before, base)]
    for _ in range(rng.integers(1, 4)):
        keys += [*motion(rng, base), (rng.uniform(*_PAUSE_S), base)]
    return motion_through(keys, rng), round(before * RATE_FPS)


def _on_guard(rng: np.random.Generator) -> KeyPose:
    """A fighting stance: one foot ahead, hands at the chin, low or hanging."""
    ahead = int(rng.integers(0, 2))
    height = rng.choice(3, p=(0.6, 0.2, 0.2))

    def arm() -> Limb:
        if height == 0:
            return rng.uniform(15, 50), rng.uniform(-10, 40), rng.uniform(105, 145), rng.uniform(-35, 10)
        if height == 1:
            return rng.uniform(5, 25), rng.uniform(10, 70), rng.uniform(50, 100), rng.uniform(-30, 10)
        return hanging(rng)

    bent = rng.uniform(5, 35)
    front = (rng.uniform(5, 28), rng.uniform(0, 40), bent, 0.0)
    back = (rng.uniform(3, 25), rng.uniform(120, 175), bent * rng.uniform(0.3, 1), 0.0)
    lean = (rng.uniform(-3, 12), rng.uniform(-4, 4))
    legs = (front, back) if ahead == LEFT else (back, front)
    return KeyPose((1, -1)[ahead] * rng.uniform(-10, 90), lean, rng.uniform(-12, 12), (arm(), arm()), legs)


def _kick(rng: np.random.Generator, guard: KeyPose) -> KeyPoses:
    """Chamber, extend, chamber, put down: a front kick, roundhouse, side kick, kick at a ball, or low kick."""
    side = int(rng.integers(0, 2))
    sign = (1, -1)[side]  # a kick of the left leg turns the body to the right
    kind = rng.choice(5, p=(0.22, 0.34, 0.22, 0.08, 0.14))
    high = rng.uniform(35, 65) if kind == 4 else rng.uniform(50, 135)
    back, away = rng.uniform(0, 12) + 0.22 * max(high - 60, 0), rng.uniform(0, 8)
    if kind == 0:
        fold = (rng.uniform(60, 115), rng.uniform(-10, 20), rng.uniform(80, 140), 0.0)
        hit = (high, rng.uniform(-12, 15), rng.uniform(0, 25), 0.0)
        pivot = rng.uniform(-10, 40)
    elif kind in (1, 4):
        plane = rng.uniform(40, 95)
        fold = (rng.uniform(55, 100) * high / 100 + 10, rng.uniform(40, 90), rng.uniform(80, 130), plane)
        hit = (high, rng.uniform(0, 50), rng.uniform(0, 30), plane)
        pivot, away = rng.uniform(40, 120), rng.uniform(0.05, 0.4) * high
    elif kind == 2:
        fold = (rng.uniform(60, 110), rng.uniform(20, 60), rng.uniform(90, 140), rng.uniform(0, 50))
        hit = (high, rng.uniform(70, 100), rng.uniform(0, 20), 0.0)
        pivot, away = rng.uniform(-20, 40), rng.uniform(0.15, 0.65) * high
    else:
        fold = (rng.uniform(15, 40), rng.uniform(150, 180), rng.uniform(50, 110), 0.0)
        hit = (rng.uniform(35, 80), rng.uniform(-25, 20), rng.uniform(0, 25), 0.0)
        pivot, back = rng.uniform(0, 30), rng.uniform(0, 20)
    chamber, strike = (
        replace(
            guard.with_leg(1 - side, STANDS).with_leg(side, leg),
            turn=guard.turn - sign * pivot * part,
            lean=(guard.lean[0] - back * part, guard.lean[1] + sign * away * part),
        )
        for leg, part in ((fold, 0.5), (hit, 1.0))
    )
    if rng.random() < 0.6:  # the arm of this side goes down or back for balance
        strike = strike.with_arm(side, (rng.uniform(10, 60), rng.uniform(60, 170), rng.uniform(5, 60), 0.0))
    slow = np.exp(rng.uniform(np.log(0.75), np.log(1.9)))
    held = rng.uniform(0.03, 0.12) if rng.random() < 0.7 else rng.uniform(0.1, 0.6)
    out: KeyPoses = [(slow * rng.uniform(0.18, 0.32), chamber)]
    for _ in range(rng.choice(3, p=(0.75, 0.17, 0.08)) + 1):  # without putting the foot down between them
        out += [(slow * rng.uniform(0.10, 0.18), strike), (slow * held, strike)]
        out += [(slow * rng.uniform(0.12, 0.22), chamber)]
    landing = guard if rng.random() < 0.7 else replace(guard, leg=guard.leg[::-1], turn=-guard.turn)
    return [*out, (slow * rng.uniform(0.2, 0.35), landing)]


def _punch(rng: np.random.Generator, guard: KeyPose) -> KeyPoses:
    """One to four punches: straight, hooks and upper cuts."""
    out: KeyPoses = []
    side, quick = int(rng.integers(0, 2)), rng.uniform(0.75, 1.6)
    one_handed = rng.random() < 0.25
    for _ in range(rng.integers(1, 5)):
        kind, height = rng.choice(3, p=(0.65, 0.2, 0.15)), rng.uniform(70, 105)
        arm: Limb = (height, rng.uniform(-25, 10), rng.uniform(0, 25), 0.0)
        if kind == 1:
            arm = (height, rng.uniform(-10, 40), rng.uniform(70, 110), rng.uniform(-110, -70))
        elif kind == 2:
            arm = (rng.uniform(40, 80), rng.uniform(-20, 10), rng.uniform(70, 110), 0.0)
        twist = (-1, 1)[side] * rng.uniform(10, 55)
        lean = (guard.lean[0] + rng.uniform(0, 12), guard.lean[1])
        hit = replace(guard, twist=twist, turn=guard.turn + 0.4 * twist, lean=lean).with_arm(side, arm)
        out += [
            (quick * rng.uniform(0.10, 0.2), hit),
            (quick * rng.uniform(0.02, 0.07), hit),
            (quick * rng.uniform(0.12, 0.25), guard),
        ]
        side = side if one_handed else 1 - side
    return out


def _wave(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """One hand or both, raised, from side to side: the forearm, or the whole arm overhead."""
    both, side, overhead = rng.random() < 0.25, int(rng.integers(0, 2)), rng.random() < 0.3
    ahead, swivel = rng.uniform(0.1, 0.5), rng.uniform(-25, 25)
    up = rng.uniform(0.75, 1.05) if overhead else rng.uniform(0.05, 0.75)
    middle = rng.uniform(-0.1, 0.4) if overhead else rng.uniform(0.0, 0.6)
    far = rng.uniform(0.2, 0.6) if overhead else rng.uniform(0.08, 0.4)
    in_turn = rng.random() < 0.5  # both hands to the same side, or like mirror images
    half_s = np.exp(rng.uniform(np.log(0.11), np.log(0.4)))

    def at(place: float) -> KeyPose:
        drop = 0.3 * abs(place) * far
        key = base.with_arm(side, reach(ahead, middle + place * far, up - drop, swivel))
        other = -place if in_turn else place
        return key.with_arm(1 - side, reach(ahead, middle + other * far, up - drop, swivel)) if both else key

    swings: KeyPoses = [(half_s * rng.uniform(0.85, 1.15), at((1, -1)[i % 2])) for i in range(rng.integers(4, 13))]
    return [(rng.uniform(0.25, 0.6), at(-1)), *swings, (rng.uniform(0.25, 0.6), base)]


def _push_up_start(rng: np.random.Generator) -> KeyPose:
    """The upper end of a push-up: hands on the floor, on a bench or a wall, or on the knees."""
    knees = rng.random() < 0.15
    bench = rng.uniform(0.0, 0.15) if knees or rng.random() < 0.7 else rng.uniform(0.2, 1.4)
    rise = np.arcsin((_ARM_LENGTH + bench) / (_KNEES_TO_SHOULDERS if knees else _FEET_TO_SHOULDERS))
    arm = reach(_ARM_LENGTH * np.cos(rise), rng.uniform(-0.05, 0.3), -_ARM_LENGTH * np.sin(rise))
    leg: Limb = (0.0, 0.0, rng.uniform(60, 100), 0.0) if knees else (rng.uniform(0, 8), 90.0, rng.uniform(0, 8), 0.0)
    return KeyPose(
        rng.uniform(-180, 180), (rng.uniform(-8, 10), 0.0), 0.0, (arm, arm), (leg, leg), 90 - np.degrees(rise)
    )


def _push_up(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Arms bent and straight in turn, the hands where they are."""
    radius = _KNEES_TO_SHOULDERS if base.leg[0][2] > 50 else _FEET_TO_SHOULDERS
    bench = radius * np.cos(np.radians(base.pitch)) - _ARM_LENGTH
    apart, along, swivel = rng.uniform(-0.05, 0.45), rng.uniform(-0.25, 0.2), rng.uniform(-20, 70)

    def at(far: float) -> KeyPose:
        rise = np.arcsin(np.clip((far + bench) / radius, 0.0, 0.95))
        arm = reach(far * np.cos(rise), apart, along - far * np.sin(rise), swivel)
        return replace(base, arm=(arm, arm), pitch=90 - np.degrees(rise))

    return _up_and_down(rng, at(rng.uniform(0.95, 1.1)), at(rng.uniform(0.28, 0.6)), 0.3, 1.2)


def _squat(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Hips down between the feet and up, the hands ahead, at the chin, at the hips, on the shoulders or hanging."""
    deep, apart = rng.uniform(50, 115), rng.uniform(0, 45)
    shin, lean = rng.uniform(5, 40), rng.uniform(8, 50)
    leg: Limb = (deep, apart, deep + shin, rng.uniform(-10, 10))
    up = replace(base, leg=((3.0, 90.0, 5.0, 0.0),) * 2) if rng.random() < 0.7 else base
    arm: Limb = (
        (rng.uniform(70, 95), rng.uniform(-15, 15), rng.uniform(0, 25), 0.0),
        reach(rng.uniform(0.15, 0.4), rng.uniform(-0.36, 0.0), rng.uniform(-0.35, 0.1)),
        reach(rng.uniform(-0.1, 0.15), rng.uniform(0.05, 0.4), rng.uniform(0.0, 0.2)),
        reach(rng.uniform(-0.05, 0.15), rng.uniform(0.0, 0.15), -0.85, 60.0),
        (lean * rng.uniform(0.6, 1.0), 0.0, rng.uniform(0, 20), 0.0),
    )[rng.integers(0, 5)]
    down = replace(up, leg=(leg, leg), lean=(lean, base.lean[1]), arm=(arm, arm))
    if rng.random() < 0.6:  # the hands are there when the knees are straight, too
        up = replace(up, arm=(arm, arm))
    return _up_and_down(rng, up, down, 0.4, 1.6)


def _up_and_down(rng: np.random.Generator, up: KeyPose, down: KeyPose, fastest_s: float, slowest_s: float) -> KeyPoses:
    """Down and up two to five times."""
    half_s = np.exp(rng.uniform(np.log(fastest_s), np.log(slowest_s)))
    out: KeyPoses = [(0.3, up)]
    for _ in range(rng.integers(2, 6)):
        out += [(half_s * rng.uniform(0.8, 1.25), down), (rng.uniform(0, 0.3), down)]
        out += [(half_s * rng.uniform(0.7, 1.1), up), (rng.uniform(0, 0.3), up)]
    return out


_ActionSpec = tuple[Callable[[np.random.Generator], KeyPose], Callable[[np.random.Generator, KeyPose], KeyPoses], int]
# Start pose, motion, and number of recordings. Names that are not in ACTIONS are unlisted motion: similar to listed
# actions, and rare in the data sets.
_ACTION_SPECS: dict[str, _ActionSpec] = {
    "kick": (_on_guard, _kick, 300),
    "punch": (_on_guard, _punch, 300),
    "wave": (at_ease, _wave, 100),
    "push_up": (_push_up_start, _push_up, 150),
    "squat": (standing, _squat, 150),
    "lunge": (standing, exercises.lunge, 60),
    "knee_raise": (standing, exercises.knee_raise, 60),
    "leg_raise": (standing, exercises.leg_raise, 60),
    "arm_raise": (at_ease, exercises.arm_raise, 40),
    "curl": (at_ease, exercises.curl, 40),
    "press": (at_ease, exercises.press, 40),
    "twist": (standing, exercises.twist, 40),
    "plank": (on_hands, exercises.on_floor, 200),
    "compound": (standing, exercises.compound, 300),
    "dance": (standing, exercises.dance, 80),
    "burpee": (standing, exercises.burpee, 80),
    "on_back": (on_the_back, exercises.on_back, 150),
}
