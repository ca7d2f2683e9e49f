"""Start poses of generated actions, and motions that return to them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recognizer.training.synthetic.key_poses import KeyPose, KeyPoses, Limb, reach

STANDS: Limb = (6.0, 90.0, 12.0, 0.0)  # the leg that carries the body while the other is raised
_SEATED = 0.3  # of those at ease


def hanging(rng: np.random.Generator) -> Limb:
    return rng.uniform(3, 20), rng.uniform(20, 110), rng.uniform(5, 35), rng.uniform(-20, 10)


def at_ease(rng: np.random.Generator) -> KeyPose:
    """Standing or sitting with the arms down."""
    turn = rng.uniform(-40, 40)
    lean = (rng.uniform(-3, 8), rng.uniform(-4, 4))
    if rng.random() < _SEATED:
        apart, bent = rng.uniform(0, 25), rng.uniform(75, 105)
        legs: tuple[Limb, Limb] = ((rng.uniform(78, 95), apart, bent, 0.0), (rng.uniform(78, 95), apart, bent, 0.0))
        lap = rng.uniform(0.3, 0.6), rng.uniform(-0.2, 0.1), rng.uniform(-0.9, -0.7)
        return KeyPose(turn, lean, 0.0, (reach(*lap), reach(*lap)), legs)
    apart = rng.uniform(2, 12)
    legs = ((apart, rng.uniform(40, 110), rng.uniform(2, 12), 0.0), (apart, rng.uniform(40, 110), 6.0, 0.0))
    return KeyPose(turn, lean, 0.0, (hanging(rng), hanging(rng)), legs)


def standing(rng: np.random.Generator) -> KeyPose:
    key = at_ease(rng)
    while key.leg[0][0] > 45:  # seated
        key = at_ease(rng)
    return replace(key, turn=rng.uniform(-90, 90))


def on_hands(rng: np.random.Generator) -> KeyPose:
    """The pose of a push-up, arms straight, or on the forearms or the knees."""
    pitch = rng.uniform(60, 82)
    arm: Limb = (pitch + rng.uniform(-14, 12), rng.uniform(0, 20), rng.uniform(0, 15), 0.0)
    leg: Limb = (rng.uniform(0, 15), rng.uniform(0, 60), rng.uniform(0, 12), 0.0)
    which = rng.random()
    if which < 0.2:
        arm = (pitch, arm[1], rng.uniform(75, 105), rng.uniform(-20, 20))
    elif which < 0.35:
        leg = (rng.uniform(0, 90), 0.0, rng.uniform(60, 100), 0.0)
    return KeyPose(rng.uniform(-180, 180), (0.0, 0.0), 0.0, (arm, arm), (leg, leg), pitch)


def on_the_back(rng: np.random.Generator) -> KeyPose:
    """On the back, knees bent or legs straight, or half seated on the floor and leaning on the hands."""
    leg: Limb = (rng.uniform(0, 15), rng.uniform(0, 60), rng.uniform(0, 15), 0.0)
    if rng.random() < 0.65:
        leg = (rng.uniform(40, 70), rng.uniform(0, 30), rng.uniform(80, 120), 0.0)
    if rng.random() < 0.4:
        arm: Limb = (rng.uniform(35, 65), rng.uniform(150, 185), rng.uniform(0, 40), 0.0)
        leg = (rng.uniform(35, 75), rng.uniform(0, 30), rng.uniform(0, 120), 0.0)
        return KeyPose(rng.uniform(-180, 180), (0.0, 0.0), 0.0, (arm, arm), (leg, leg), rng.uniform(-65, -30))
    arm = (rng.uniform(0, 60), 90.0, rng.uniform(0, 30), 0.0)
    if rng.random() < 0.4:
        arm = reach(rng.uniform(-0.1, 0.2), rng.uniform(0.05, 0.3), rng.uniform(0.25, 0.5))
    return KeyPose(
        rng.uniform(-180, 180), (rng.uniform(-5, 10), 0.0), 0.0, (arm, arm), (leg, leg), rng.uniform(-97, -82)
    )


def there_and_back(
    rng: np.random.Generator, base: KeyPose, there: Sequence[KeyPose], fastest_s: float, slowest_s: float
) -> KeyPoses:
    """From a pose to others in turn, and back to it each time, two to four times."""
    each_s = np.exp(rng.uniform(np.log(fastest_s), np.log(slowest_s)))
    held_s = rng.uniform(0, 0.4)
    out: KeyPoses = []
    for i in range(rng.integers(2, 5) * len(there)):
        key = there[i % len(there)]
        out += [(each_s * rng.uniform(0.85, 1.15), key), (held_s, key), (each_s, base)]
    return out
