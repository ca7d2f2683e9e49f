"""Generated exercises. They are unlisted motion: similar to listed actions, and rare in the data sets."""

from dataclasses import replace

import numpy as np

from recognizer.training.synthetic.key_poses import SHOULDER, KeyPose, KeyPoses, Limb, reach
from recognizer.training.synthetic.stances import STANDS, hanging, there_and_back


def lunge(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """One foot far ahead or aside, the body down over it, and back."""
    side = int(rng.integers(0, 2))
    if rng.random() < 0.6:
        bends: Limb = (rng.uniform(55, 95), rng.uniform(-5, 15), rng.uniform(60, 105), 0.0)
        stays: Limb = (rng.uniform(5, 35), 180.0, rng.uniform(30, 95), 0.0)
    else:
        bends = (rng.uniform(35, 70), rng.uniform(60, 90), rng.uniform(50, 110), 0.0)
        stays = (rng.uniform(25, 55), 90.0, rng.uniform(0, 12), 0.0)
    down = base.with_leg(side, bends).with_leg(1 - side, stays)
    return there_and_back(rng, base, [replace(down, lean=(base.lean[0] + rng.uniform(0, 25), base.lean[1]))], 0.6, 1.4)


def knee_raise(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Knees up in turn, as in marching on the spot."""
    leg: Limb = (rng.uniform(50, 110), rng.uniform(-10, 25), rng.uniform(60, 120), 0.0)
    sides = (0, 1) if rng.random() < 0.8 else (0,)
    return there_and_back(rng, base, [base.with_leg(1 - s, STANDS).with_leg(s, leg) for s in sides], 0.2, 0.7)


def leg_raise(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """A straight leg to the front, the side or behind, without haste."""
    side = int(rng.integers(0, 2))
    leg: Limb = (rng.uniform(20, 75), rng.choice([0, 90, 180]) + rng.uniform(-15, 15), rng.uniform(0, 20), 0.0)
    return there_and_back(rng, base, [base.with_leg(1 - side, STANDS).with_leg(side, leg)], 0.5, 1.5)


def arm_raise(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Straight arms to the front, the side or overhead."""
    arm: Limb = (rng.uniform(60, 175), rng.choice([0, 90]) + rng.uniform(-15, 15), rng.uniform(0, 25), 0.0)
    return there_and_back(rng, base, [base.with_arm(0, arm).with_arm(1, arm)], 0.5, 1.4)


def curl(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Forearms up to the shoulders, both or in turn."""
    arm: Limb = (rng.uniform(0, 20), rng.uniform(-20, 40), rng.uniform(100, 145), rng.uniform(-20, 20))
    both = [base.with_arm(0, arm).with_arm(1, arm)]
    return there_and_back(rng, base, both if rng.random() < 0.5 else [base.with_arm(s, arm) for s in (0, 1)], 0.4, 1.2)


def press(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """From the shoulders up, or out, and back."""
    near = reach(rng.uniform(0.1, 0.3), rng.uniform(0.05, 0.25), rng.uniform(0.0, 0.25))
    far = reach(0.1, 0.15, 1.05) if rng.random() < 0.6 else reach(1.0, rng.uniform(-0.2, 0.1), 0.0)
    held = base.with_arm(0, near).with_arm(1, near)
    return [(0.5, held), *there_and_back(rng, held, [held.with_arm(0, far).with_arm(1, far)], 0.5, 1.3)]


def twist(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """The shoulders to the left and to the right, or the trunk bent to either side."""
    angle = rng.uniform(25, 65)
    if rng.random() < 0.6:
        return there_and_back(rng, base, [replace(base, twist=angle), replace(base, twist=-angle)], 0.35, 1.0)
    return there_and_back(rng, base, [replace(base, lean=(0, s * 0.7 * angle)) for s in (1, -1)], 0.5, 1.3)


def on_floor(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Exercises in a push-up position that are not push-ups: knees to the chest, feet apart or raised, a hand to the
    other shoulder or out, hips up, and holding still."""
    kind = rng.integers(0, 6)
    if kind == 0:
        leg: Limb = (rng.uniform(75, 125), rng.uniform(-15, 40), rng.uniform(80, 130), 0.0)
        return there_and_back(rng, base, [base.with_leg(side, leg) for side in (0, 1)], 0.15, 0.6)
    if kind == 1:
        leg = (rng.uniform(15, 40), 90.0, 0.0, 0.0)
        return there_and_back(rng, base, [base.with_leg(0, leg).with_leg(1, leg)], 0.2, 0.6)
    if kind == 2:
        leg = (rng.uniform(15, 45), 180.0, rng.uniform(0, 90), 0.0)
        return there_and_back(rng, base, [base.with_leg(side, leg) for side in (0, 1)], 0.4, 1.2)
    if kind == 3:
        arm = reach(0.25, -0.6, 0.0) if rng.random() < 0.6 else reach(rng.uniform(0, 1), 0.3, rng.uniform(0.2, 1))
        return there_and_back(rng, base, [base.with_arm(side, arm) for side in (0, 1)], 0.3, 1.0)
    if kind == 4:
        angle = rng.uniform(15, 45)
        leg = (2 * angle, 0.0, rng.uniform(0, 25), 0.0)
        arm = (base.arm[0][0] + angle, base.arm[0][1], base.arm[0][2], 0.0)
        up = replace(base, arm=(arm, arm), leg=(leg, leg), pitch=base.pitch + angle)
        return there_and_back(rng, base, [up], 0.5, 1.5)
    return [(rng.uniform(1.5, 3.0), base)]


def compound(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Two or three poses in turn, over and over: a lunge and a knee, a step and raised arms."""
    side = int(rng.integers(0, 2))
    each_s = np.exp(rng.uniform(np.log(0.25), np.log(1.1)))
    count = rng.integers(2, 4)
    poses = [_POSES[i](rng, base, side) for i in rng.choice(len(_POSES), count, replace=False)]
    if rng.random() < 0.5:
        poses[0] = base
    out: KeyPoses = []
    for i in range(rng.integers(2, 5) * count):
        key = poses[i % count]
        out += [(each_s * rng.uniform(0.8, 1.25), key), (rng.uniform(0, 0.25), key)]
    return [*out, (each_s, base)]


def _far_step(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """A lunge, the other foot far behind or crossed behind."""
    front: Limb = (rng.uniform(45, 95), rng.uniform(-10, 15), rng.uniform(60, 110), 0.0)
    back: Limb = (rng.uniform(5, 40), rng.uniform(170, 225), rng.uniform(20, 110), 0.0)
    lean = (base.lean[0] + rng.uniform(0, 40), base.lean[1])
    return replace(_arms(rng, base), lean=lean).with_leg(1 - side, front).with_leg(side, back)


def _side_step(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    bends: Limb = (rng.uniform(15, 70), rng.uniform(60, 95), rng.uniform(0, 110), 0.0)
    stays: Limb = (rng.uniform(10, 45), 90.0, rng.uniform(0, 12), 0.0)
    lean = (base.lean[0] + rng.uniform(0, 40), (1, -1)[side] * rng.uniform(-20, 10))
    return replace(_arms(rng, base), lean=lean).with_leg(side, bends).with_leg(1 - side, stays)


def _knee(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """A knee up, the arms as in running."""
    leg: Limb = (rng.uniform(50, 115), rng.uniform(-25, 35), rng.uniform(60, 130), 0.0)
    key = base.with_leg(1 - side, STANDS).with_leg(side, leg)
    if rng.random() < 0.5:
        return replace(_arms(rng, key), twist=(1, -1)[side] * rng.uniform(-10, 35))
    ahead, behind = (rng.uniform(15, 70), 0.0, rng.uniform(60, 130), 0.0), (rng.uniform(15, 60), 180.0, 70.0, 0.0)
    return key.with_arm(1 - side, ahead).with_arm(side, behind)


def _straight_leg(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """A straight leg high to the side or behind, the trunk away from it."""
    high, aside = rng.uniform(30, 100), rng.random() < 0.6
    leg: Limb = (high, rng.uniform(75, 105) if aside else rng.uniform(165, 195), rng.uniform(0, 25), 0.0)
    away = rng.uniform(0, 0.4) * high
    lean = (base.lean[0], (1, -1)[side] * away) if aside else (base.lean[0] + 1.6 * away, base.lean[1])
    key = _arms(rng, base) if rng.random() < 0.5 else base
    return replace(key, lean=lean).with_leg(1 - side, STANDS).with_leg(side, leg)


def _on_one_leg(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """The trunk down and a leg up behind, hands to the floor or spread."""
    down = rng.uniform(45, 100)
    back: Limb = (rng.uniform(20, 60), rng.uniform(165, 195), rng.uniform(0, 90), 0.0)
    stands: Limb = (rng.uniform(0, 60), 0.0, rng.uniform(10, 90), 0.0)
    arm: Limb = (down * rng.uniform(0.7, 1.0), rng.uniform(-10, 15), rng.uniform(0, 25), 0.0)
    if rng.random() < 0.3:
        arm = (rng.uniform(70, 100), 90.0, rng.uniform(0, 20), 0.0)
    key = replace(base, lean=(down, base.lean[1])).with_leg(1 - side, stands).with_leg(side, back)
    return key.with_arm(0, arm).with_arm(1, arm)


def _chop_low(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """Both hands low on one side, the trunk turned and bent to it."""
    leg: Limb = (rng.uniform(15, 60), rng.uniform(20, 60), rng.uniform(20, 70), 0.0)
    key = _hands_together(base, rng.uniform(0.4, 0.8), (1, -1)[side] * rng.uniform(0.1, 0.6), rng.uniform(-0.7, -0.2))
    key = replace(key, lean=(rng.uniform(15, 75), base.lean[1]), twist=(1, -1)[side] * rng.uniform(5, 60))
    return key.with_leg(0, leg).with_leg(1, leg) if rng.random() < 0.7 else key


def _chop_high(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """Both hands high on the other side."""
    key = _hands_together(base, rng.uniform(0.2, 0.6), (-1, 1)[side] * rng.uniform(0.0, 0.6), rng.uniform(0.3, 0.95))
    return replace(key, twist=(-1, 1)[side] * rng.uniform(0, 45))


def _raised(rng: np.random.Generator, base: KeyPose, side: int) -> KeyPose:
    """The arms in another place, the trunk to one side or not."""
    aside = (1, -1)[side] * rng.uniform(0, 35) if rng.random() < 0.5 else base.lean[1]
    return replace(_arms(rng, base), lean=(base.lean[0] + rng.uniform(-5, 25), aside))


_POSES = (_far_step, _side_step, _knee, _straight_leg, _on_one_leg, _chop_low, _chop_high, _raised)


def _arms(rng: np.random.Generator, base: KeyPose) -> KeyPose:
    """Both arms up, out, ahead, at the hips, at the chin or hanging; now and then each its own way."""
    left, right = _arm(rng), _arm(rng)
    return base.with_arm(0, left).with_arm(1, right if rng.random() < 0.3 else left)


def _arm(rng: np.random.Generator) -> Limb:
    kind = rng.integers(0, 6)
    if kind == 0:
        return rng.uniform(130, 178), rng.uniform(0, 90), rng.uniform(0, 40), 0.0
    if kind == 1:
        return rng.uniform(70, 105), rng.uniform(70, 100), rng.uniform(0, 30), 0.0
    if kind == 2:
        return rng.uniform(60, 100), rng.uniform(-10, 20), rng.uniform(0, 40), 0.0
    if kind == 3:
        return reach(rng.uniform(-0.05, 0.2), rng.uniform(0.0, 0.15), rng.uniform(-0.95, -0.75), 60.0)
    if kind == 4:
        return reach(rng.uniform(0.2, 0.4), rng.uniform(-0.35, 0.0), rng.uniform(-0.2, 0.2))
    return hanging(rng)


def _hands_together(base: KeyPose, ahead: float, to_left: float, up: float) -> KeyPose:
    """Both hands in one place, from the middle of the shoulders."""
    key = base.with_arm(0, reach(ahead, to_left - SHOULDER, up))
    return key.with_arm(1, reach(ahead, -to_left - SHOULDER, up))


def dance(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Arms, trunk and weight go anywhere, on a beat."""
    beat_s = rng.uniform(0.25, 0.6)
    out: KeyPoses = []
    for _ in range(rng.integers(6, 14)):
        bend = [(rng.uniform(2, 35), rng.uniform(20, 90), rng.uniform(2, 50), 0.0) for _ in range(2)]
        key = replace(
            _arms(rng, base),
            turn=base.turn + rng.uniform(-30, 30),
            lean=(rng.uniform(-5, 25), rng.uniform(-20, 20)),
            twist=rng.uniform(-35, 35),
            leg=(bend[0], bend[1]),
        )
        out += [(beat_s * rng.choice((0.5, 1.0, 1.0, 2.0)), key)]
    return [*out, (beat_s, base)]


def burpee(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Down on the hands, the feet back, and up again, with a jump or without."""
    leg: Limb = (rng.uniform(100, 125), rng.uniform(0, 30), rng.uniform(105, 140), 0.0)
    lean = rng.uniform(50, 80)
    arm: Limb = (lean + rng.uniform(-10, 15), 0.0, rng.uniform(0, 20), 0.0)
    crouch = replace(base, lean=(lean, 0.0), arm=(arm, arm), leg=(leg, leg))
    pitch = rng.uniform(62, 76)
    straight: Limb = (pitch + rng.uniform(-10, 10), 5.0, rng.uniform(0, 15), 0.0)
    back: Limb = (rng.uniform(0, 12), rng.uniform(0, 60), rng.uniform(0, 12), 0.0)
    plank = replace(base, lean=(0.0, 0.0), arm=(straight, straight), leg=(back, back), pitch=pitch)
    up = replace(_arms(rng, base), leg=(STANDS, STANDS)) if rng.random() < 0.6 else base
    each_s = np.exp(rng.uniform(np.log(0.25), np.log(0.7)))
    back_only = rng.random() < 0.3  # hands stay on the floor: a squat thrust
    down = [(each_s, crouch), (each_s * 0.7, plank), (rng.uniform(0, 0.5), plank), (each_s * 0.7, crouch)]
    once: KeyPoses = down if back_only else [*down, (each_s, up), (each_s * 0.6, base)]
    return [*once * int(rng.integers(2, 4)), (each_s, base)]


def on_back(rng: np.random.Generator, base: KeyPose) -> KeyPoses:
    """Hips up, legs up in turn or together, a bicycle, arms and legs. The trunk does not sit up."""
    turns = rng.random() < 0.5
    kind = rng.integers(0, 4)
    there = [base]
    if kind == 0:  # hips up
        angle = rng.uniform(15, 40)
        thigh, bent = base.leg[0][0], rng.uniform(70, 105)
        leg: Limb = (max(thigh - 1.4 * angle, 0.0), base.leg[0][1], bent, 0.0)
        arm = (base.arm[0][0] + angle, *base.arm[0][1:])
        there = [replace(base, pitch=base.pitch - angle, leg=(leg, leg), arm=(arm, arm))]
    elif kind == 1:  # legs up
        leg = (rng.uniform(50, 100), rng.uniform(-5, 30), rng.uniform(0, 110), 0.0)
        there = [base.with_leg(0, leg), base.with_leg(1, leg)] if turns else [base.with_leg(0, leg).with_leg(1, leg)]
    elif kind == 2:  # a bicycle in the air, the shoulders off the floor
        near: Limb = (rng.uniform(70, 110), 0.0, rng.uniform(70, 120), 0.0)
        far: Limb = (rng.uniform(10, 40), 0.0, rng.uniform(0, 20), 0.0)
        angle, raised = rng.uniform(0, 40), rng.uniform(0, 25)
        there = [
            replace(base, lean=(raised, 0.0), twist=sign * angle).with_leg(side, near).with_leg(1 - side, far)
            for side, sign in ((0, -1), (1, 1))
        ]
    else:  # arms and legs
        up: Limb = (rng.uniform(60, 175), rng.uniform(0, 90), rng.uniform(0, 30), 0.0)
        leg = (rng.uniform(0, 80), rng.uniform(0, 80), rng.uniform(0, 90), 0.0)
        there = [base.with_arm(s, up).with_leg(1 - s if turns else s, leg) for s in (0, 1)]
    return there_and_back(rng, base, there, 0.2, 1.2)
