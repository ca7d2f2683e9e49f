"""A posture on a body of given proportions: where every bone is and how it is turned."""

import math
from dataclasses import dataclass

import numpy as np

from pose.demo.posture import LEFT, RIGHT, SIDE, Floats, Posture


@dataclass(frozen=True, slots=True)
class Proportions:
    """Lengths in metres, between joint centres. The standard ones follow Winter's table of body segments
    (Biomechanics and Motor Control of Human Movement, fig. 4.1) for somebody 1.72 m tall.
    """

    thigh: float = 0.412
    shin: float = 0.415
    ankle: float = 0.085
    hips: float = 0.185
    lower_back: float = 0.148
    upper_back: float = 0.345
    shoulders: float = 0.35
    upper_arm: float = 0.285
    forearm: float = 0.253
    neck: float = 0.07
    head: float = 0.115
    girth: float = 1.0

    @property
    def hip_height(self) -> float:
        """Of the hip joints over the floor, legs straight."""
        return self.ankle + self.shin + self.thigh

    @property
    def arm(self) -> float:
        """From shoulder to wrist."""
        return self.upper_arm + self.forearm


BONES = (
    "pelvis",
    "chest",
    "head",
    *(
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("collar", "upper_arm", "forearm", "fingers", "thigh", "shin", "foot")
    ),
)
BONE = {name: i for i, name in enumerate(BONES)}


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """Joints and bones in the room: metres, x right, y up, z to the camera.

    joints: (3,) by name: head (between the ears), neck, waist, pelvis, and left_/right_ shoulder, elbow, wrist, hip,
        knee, ankle.
    turns: (B, 3, 3) of each of BONES, the columns its own axes: sideways, up, forwards when it hangs at rest.
    origins: (B, 3) the joint about which each bone turns.
    """

    joints: dict[str, Floats]
    turns: Floats
    origins: Floats


def about_x(degrees: float) -> Floats:
    """Rotation that bends forwards."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_y(degrees: float) -> Floats:
    """Rotation that turns to the left."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def about_z(degrees: float) -> Floats:
    """Rotation that tilts to the right."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


_REST_HEAD_FORWARD = 0.012
# Of a lean of the shoulders, what the hips do; the spine does the rest. A bow is mostly a turn of the hips.
_LEAN_BY_HIPS = 0.6
_LEVELLED = 0.75  # of a lean, how much the head makes up for, so that one looks ahead


def pose_body(posture: Posture, size: Proportions, *, bones: bool = True) -> Skeleton:
    """The skeleton of a posture. Bones never change their length: what is out of reach is not reached.

    bones: with the turns and origins of bones, which only drawing needs; without, those are empty.
    """
    place = np.array([posture.place[0], 0.0, posture.place[1]])
    facing = about_y(posture.place[2])
    twist, lean, bend = posture.spine
    yaw, pitch, roll = posture.turn
    pelvis = facing @ about_y(yaw) @ about_x(pitch + _LEAN_BY_HIPS * lean) @ about_z(roll)
    chest = pelvis @ about_y(twist) @ about_x((1 - _LEAN_BY_HIPS) * lean) @ about_z(-bend - roll)
    turn, nod, tilt = posture.head
    head = chest @ about_y(turn - 0.5 * twist) @ about_x(nod - _LEVELLED * (lean + pitch)) @ about_z(tilt + 0.6 * bend)

    sink = posture.pelvis * (1.0, size.hip_height / Proportions().hip_height, 1.0)
    joints = {"pelvis": place + facing @ sink + (0.0, size.hip_height, 0.0)}
    joints["waist"] = joints["pelvis"] + pelvis @ (0.0, size.lower_back, 0.0)
    collar = joints["waist"] + chest @ (0.0, size.upper_back, 0.0)
    joints["neck"] = collar + chest @ (0.0, size.neck, 0.0)
    joints["head"] = joints["neck"] + head @ (0.0, size.head, _REST_HEAD_FORWARD)
    turns, origins = np.empty((len(BONES), 3, 3)), np.empty((len(BONES), 3))
    for name, turned, origin in (
        ("pelvis", pelvis, joints["pelvis"]),
        ("chest", chest, joints["waist"]),
        ("head", head, joints["neck"]),
    ):
        turns[BONE[name]], origins[BONE[name]] = turned, origin
    for side, prefix in ((LEFT, "left_"), (RIGHT, "right_")):
        turned_bones = [
            *_arm(posture, size, side, collar, chest, facing @ about_y(yaw), joints, prefix, bones),
            *_leg(posture, size, side, pelvis, facing, place, joints, prefix, bones),
        ]
        for part, turned, origin in turned_bones:
            turns[BONE[prefix + part]], origins[BONE[prefix + part]] = turned, origin
    return Skeleton(joints, turns, origins) if bones else Skeleton(joints, turns[:0], origins[:0])


_Bone = tuple[str, Floats, Floats]


def _arm(
    posture: Posture,
    size: Proportions,
    side: int,
    collar: Floats,
    chest: Floats,
    facing: Floats,
    joints: dict[str, Floats],
    prefix: str,
    bones: bool,
) -> list[_Bone]:
    outwards = np.array([SIDE[side], 1.0, 1.0])
    reach = posture.wrists[side] * outwards * size.arm
    # The collar bone rises with the arm: up to 25 degrees when the arm points straight up.
    raised = 25.0 * min(max(float(posture.wrists[side, 1]) + 0.15, 0.0) / 1.1, 1.0)
    shoulder = collar + chest @ about_z(SIDE[side] * raised) @ (SIDE[side] * size.shoulders / 2, 0.0, 0.0)
    towards = facing @ (posture.elbows[side] * outwards)
    elbow, wrist = two_bones(shoulder, shoulder + facing @ reach, towards, size.upper_arm, size.forearm)
    joints.update({prefix + "shoulder": shoulder, prefix + "elbow": elbow, prefix + "wrist": wrist})
    if not bones:
        return []
    upper = _hanging(elbow - shoulder, -towards, facing)
    fore = _hanging(wrist - elbow, -towards, facing)
    girdle = _hanging(shoulder - collar, chest[:, 2], facing)
    fingers = fore @ about_z(-SIDE[side] * 150.0 * float(posture.curl[side]))
    knuckles = wrist + fore @ (0.0, -KNUCKLES, 0.0)
    return [
        ("collar", girdle, collar),
        ("upper_arm", upper, shoulder),
        ("forearm", fore, elbow),
        ("fingers", fingers, knuckles),
    ]


KNUCKLES = 0.085  # metres from the wrist


def _leg(
    posture: Posture,
    size: Proportions,
    side: int,
    pelvis: Floats,
    facing: Floats,
    place: Floats,
    joints: dict[str, Floats],
    prefix: str,
    bones: bool,
) -> list[_Bone]:
    hip = joints["pelvis"] + pelvis @ (SIDE[side] * size.hips / 2, 0.0, 0.0)
    target = place + facing @ posture.feet[side] + (0.0, size.ankle, 0.0)
    yaw, pitch = posture.toes[side]
    pointing = facing @ about_y(SIDE[side] * float(np.clip(yaw, -40, 60)))
    towards = pointing @ (SIDE[side] * 0.10, 0.0, 1.0)
    # A leg drawn up straight below the hip still bends the knee forwards, also when the shank goes back.
    towards = towards + np.array([0.0, 0.15, 0.0])
    knee, ankle = two_bones(hip, target, towards, size.thigh, size.shin)
    joints.update({prefix + "hip": hip, prefix + "knee": knee, prefix + "ankle": ankle})
    if not bones:
        return []
    thigh = _hanging(knee - hip, towards, pointing)
    shin = _hanging(ankle - knee, towards, pointing)
    return [("thigh", thigh, hip), ("shin", shin, knee), ("foot", pointing @ about_x(float(pitch)), ankle)]


def two_bones(root: Floats, target: Floats, towards: Floats, upper: float, lower: float) -> tuple[Floats, Floats]:
    """Middle and end of a two-bone limb that reaches for a target, its middle joint pointing `towards`.

    The end lies on the line to the target, as near as the lengths allow. `towards` need not be at right angles.
    """
    line = target - root
    distance = math.sqrt(line @ line)
    along = line / max(distance, 1e-6)
    reach = min(max(distance, abs(upper - lower) + 0.02), (upper + lower) * 0.9985)
    near = (upper**2 - lower**2 + reach**2) / (2 * reach)
    off = math.sqrt(max(upper**2 - near**2, 0.0))
    aside = towards - along * float(along @ towards)
    aside /= max(math.sqrt(aside @ aside), 1e-6)
    return root + along * near + aside * off, root + along * reach


def _hanging(bone: Floats, front: Floats, fallback: Floats) -> Floats:
    """Axes of a limb's bone: y against its direction, z as near to `front` as can be."""
    y = -bone / math.sqrt(bone @ bone)
    z = front - y * float(y @ front)
    if z @ z < 1e-12:
        z = fallback[:, 2] - y * float(y @ fallback[:, 2])
    z = z / math.sqrt(z @ z)
    return np.stack([cross(y, z), y, z], axis=1)


def cross(a: Floats, b: Floats) -> Floats:
    """Cross products of (..., 3) vectors; numpy's own is several times slower on few of them."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)
