"""The surface of the demo's person: trunk, limbs, hands, shoes, head, hair and face, dressed as a look says."""

import math

from pose.demo.body import KNUCKLES, Proportions
from pose.demo.look import Colour, Look
from pose.demo.mesh import Mesh, Part, Point, Ring, join, keep, patch, tube
from pose.demo.posture import LEFT, RIGHT, SIDE

_EYE_WHITE: Colour = (226, 230, 234)
_IRIS: Colour = (44, 48, 60)


def build_figure(look: Look) -> Mesh:
    """The whole person, in the order of no importance: faces are sorted when drawn."""
    pieces = [_trunk(look), _hips(look), _neck(look), _skull(look), *_hair(look), *_face(look)]
    for side, prefix in ((LEFT, "left_"), (RIGHT, "right_")):
        pieces += [
            _arm(look, prefix),
            *_hand(look, side, prefix),
            _leg(look, prefix),
            _shoe(look, prefix),
            _ear(look, side),
        ]
    return join(pieces)


def _darker(colour: Colour, share: float) -> Colour:
    blue, green, red = (round(value * share) for value in colour)
    return blue, green, red


def _smooth(start: float, end: float, value: float) -> float:
    s = min(max((value - start) / (end - start), 0.0), 1.0)
    return s * s * (3 - 2 * s)


# Trunk: height over the hips as a share of the trunk's length, half width, depth to the front and to the back.
_TRUNK = (
    (-0.150, 0.162, 0.112, 0.122),
    (-0.100, 0.168, 0.115, 0.130),
    (-0.030, 0.168, 0.116, 0.130),
    (0.060, 0.162, 0.116, 0.120),
    (0.150, 0.152, 0.114, 0.106),
    (0.250, 0.147, 0.113, 0.100),
    (0.350, 0.150, 0.115, 0.102),
    (0.450, 0.157, 0.119, 0.108),
    (0.550, 0.165, 0.123, 0.114),
    (0.650, 0.173, 0.125, 0.118),
    (0.750, 0.180, 0.121, 0.119),
    (0.840, 0.183, 0.110, 0.114),
    (0.910, 0.176, 0.095, 0.105),
    (0.965, 0.150, 0.080, 0.094),
    (1.010, 0.115, 0.068, 0.082),
    (1.045, 0.078, 0.058, 0.070),
    (1.065, 0.060, 0.052, 0.060),
)


def _trunk(look: Look) -> Mesh:
    size = look.body
    length = size.lower_back + size.upper_back
    part = Part("pelvis", "chest", (0.0, size.lower_back, 0.0))
    girth, width = size.girth, size.girth * (0.6 + 0.4 * size.shoulders / Proportions().shoulders)
    rings = []
    for i, (share, across, front, back) in enumerate(_TRUNK):
        striped = look.stripes and 3 <= i <= 11 and i % 3 != 0
        colour = _darker(look.shirt, 0.62) if striped or i == len(_TRUNK) - 2 else look.shirt
        bend = _smooth(0.05, 0.60, share)
        rings.append(Ring(share * length, across * width, front * girth, back * girth, colour, bend))
    return tube(part, rings, 20, square=0.86)


def _hips(look: Look) -> Mesh:
    girth = look.body.girth
    part = Part("pelvis", "pelvis")
    rows = (
        (-0.135, 0.02, 0.02),
        (-0.13, 0.105, 0.075),
        (-0.10, 0.140, 0.100),
        (-0.04, 0.155, 0.108),
        (0.0, 0.150, 0.105),
    )
    rings = [Ring(y, a * girth, d * girth, (d + 0.012) * girth, look.trousers) for y, a, d in rows]
    return tube(part, rings, 16, square=0.9)


def _neck(look: Look) -> Mesh:
    size = look.body
    part = Part("chest", "head", (0.0, size.upper_back + size.neck, 0.0))
    base = size.upper_back
    shade = _darker(look.skin, 0.86)
    rings = [
        Ring(base - 0.03, 0.066, 0.052, 0.062, shade, 0.0),
        Ring(base + 0.015, 0.056, 0.050, 0.056, shade, 0.2),
        Ring(base + 0.05, 0.052, 0.050, 0.052, shade, 0.6),
        Ring(base + 0.10, 0.050, 0.050, 0.050, shade, 1.0, 0.0, 0.008),
        Ring(base + 0.13, 0.050, 0.046, 0.050, shade, 1.0, 0.0, 0.010),
    ]
    return tube(part, rings, 12)


# Upper arm and forearm: share of the bone's length, radius. The deltoid and the forearm's belly make the outline.
_UPPER_ARM = ((-0.19, 0.020), (-0.15, 0.040), (-0.08, 0.052), (0.0, 0.057), (0.14, 0.057), (0.30, 0.052), (0.48, 0.048))
_SLEEVE_END = (0.66, 0.050)
_FOREARM = ((0.10, 0.040), (0.26, 0.041), (0.45, 0.038), (0.65, 0.032), (0.85, 0.027), (1.0, 0.025))


def _arm(look: Look, prefix: str) -> Mesh:
    size = look.body
    girth = size.girth
    part = Part(prefix + "upper_arm", prefix + "forearm", (0.0, -size.upper_arm, 0.0))
    below = look.shirt if look.long_sleeves else look.skin
    wider = 0.006 if look.long_sleeves else 0.0
    rings = [Ring(-s * size.upper_arm, r * girth, r * girth, r * girth, look.shirt) for s, r in _UPPER_ARM]
    s, r = _SLEEVE_END
    rings.append(Ring(-s * size.upper_arm, r * girth, r * girth, r * girth, below))
    for s, r, bend in ((0.67, 0.042 + wider, 0.0), (0.84, 0.040 + wider, 0.15), (1.0, 0.038 + wider, 0.5)):
        rings.append(Ring(-s * size.upper_arm, r * girth, r * girth, r * girth, below, bend))
    for s, r in _FOREARM:
        radius = (r + wider) * girth
        y = -size.upper_arm - s * size.forearm
        rings.append(Ring(y, radius * 0.94, radius, radius, below, 0.85 if s < 0.2 else 1.0))
    return tube(part, rings, 12)


def _hand(look: Look, side: int, prefix: str) -> list[Mesh]:
    size = look.body
    part = Part(prefix + "forearm", prefix + "fingers", (0.0, -size.forearm - KNUCKLES, 0.0))
    wrist = -size.forearm
    skin = look.skin
    palm = tube(
        part,
        [
            Ring(wrist + 0.01, 0.020, 0.024, 0.024, skin),
            Ring(wrist - 0.02, 0.018, 0.029, 0.028, skin),
            Ring(wrist - 0.055, 0.017, 0.038, 0.036, skin),
            Ring(wrist - KNUCKLES, 0.015, 0.039, 0.038, skin),
            Ring(wrist - KNUCKLES - 0.008, 0.008, 0.034, 0.034, skin),
        ],
        8,
        square=0.8,
    )
    fingers = [
        tube(
            part,
            [
                Ring(wrist - KNUCKLES + 0.008, 0.0095, 0.0090, 0.0090, skin, 1.0, 0.0, off),
                Ring(wrist - KNUCKLES - 0.5 * length, 0.0090, 0.0088, 0.0088, skin, 1.0, 0.0, off * 1.12),
                Ring(wrist - KNUCKLES - length, 0.0050, 0.0055, 0.0055, skin, 1.0, 0.0, off * 1.2),
            ],
            5,
        )
        for off, length in ((0.0285, 0.072), (0.0095, 0.082), (-0.0095, 0.078), (-0.028, 0.062))
    ]
    thumb = tube(
        part,
        [
            Ring(wrist - 0.018, 0.011, 0.012, 0.012, skin, 0.0, 0.0, 0.022),
            Ring(wrist - 0.055, 0.010, 0.011, 0.011, skin, 0.0, -0.006 * float(SIDE[side]), 0.048),
            Ring(wrist - 0.088, 0.006, 0.007, 0.007, skin, 0.0, -0.012 * float(SIDE[side]), 0.060),
        ],
        6,
    )
    return [palm, *fingers, thumb]


# Trousers: share of thigh or shin, radius across, to the front, to the back.
_THIGH = (
    (-0.16, 0.045, 0.050, 0.060),
    (-0.10, 0.074, 0.080, 0.092),
    (0.0, 0.086, 0.092, 0.104),
    (0.14, 0.086, 0.092, 0.098),
    (0.32, 0.081, 0.088, 0.088),
    (0.52, 0.074, 0.080, 0.078),
    (0.74, 0.066, 0.070, 0.068),
    (0.90, 0.062, 0.065, 0.063),
)
_SHIN = (
    (0.0, 0.060, 0.063, 0.060),
    (0.12, 0.060, 0.060, 0.064),
    (0.28, 0.060, 0.057, 0.070),
    (0.46, 0.057, 0.055, 0.068),
    (0.66, 0.053, 0.052, 0.060),
    (0.84, 0.050, 0.050, 0.054),
    (0.97, 0.050, 0.051, 0.054),
    (0.98, 0.030, 0.030, 0.030),
)


def _leg(look: Look, prefix: str) -> Mesh:
    size = look.body
    girth = size.girth
    part = Part(prefix + "thigh", prefix + "shin", (0.0, -size.thigh, 0.0))
    rings = [
        Ring(-s * size.thigh, a * girth, f * girth, b * girth, look.trousers, _smooth(0.80, 1.2, s))
        for s, a, f, b in _THIGH
    ]
    for s, a, f, b in _SHIN:
        colour = look.trousers if s < 0.9 else _darker(look.trousers, 0.8)
        bend = _smooth(-0.2, 0.2, s)
        rings.append(Ring(-size.thigh - s * size.shin, a * girth, f * girth, b * girth, colour, bend))
    return tube(part, rings, 13)


# Shoe: from the ankle forwards, half width, height of the upper over the sole.
_SHOE = (
    (-0.068, 0.010, 0.030),
    (-0.060, 0.030, 0.075),
    (-0.030, 0.039, 0.098),
    (0.020, 0.041, 0.100),
    (0.060, 0.043, 0.078),
    (0.105, 0.047, 0.060),
    (0.150, 0.046, 0.048),
    (0.180, 0.037, 0.038),
    (0.195, 0.012, 0.022),
)


def _shoe(look: Look, prefix: str) -> Mesh:
    part = Part(prefix + "foot", prefix + "foot")
    floor = -look.body.ankle
    rings = []
    for z, across, height in _SHOE:
        low = floor + 0.020
        rings.append(Ring(z, across, height - 0.020, 0.020, look.shoes, 0.0, 0.0, low))
    shoe = tube(part, rings, 12, lengthways=True, square=0.85)
    sole = shoe.first[shoe.faces].mean(axis=1)[:, 1] < floor + 0.018
    shoe.colours[sole] = (70, 72, 74)
    return shoe


# Head, from the point between the ears: height, half width, shift forwards, front, back.
_SKULL = (
    (-0.122, 0.016, 0.052, 0.020, 0.020),
    (-0.112, 0.036, 0.044, 0.038, 0.050),
    (-0.090, 0.052, 0.030, 0.058, 0.072),
    (-0.060, 0.061, 0.016, 0.074, 0.082),
    (-0.030, 0.067, 0.004, 0.088, 0.088),
    (0.000, 0.071, 0.0, 0.094, 0.092),
    (0.030, 0.073, 0.0, 0.093, 0.095),
    (0.062, 0.072, -0.002, 0.088, 0.096),
    (0.090, 0.062, -0.004, 0.072, 0.084),
    (0.110, 0.043, -0.006, 0.050, 0.060),
    (0.122, 0.012, -0.006, 0.014, 0.018),
)


def _head_part() -> Part:
    return Part("head", "head")


def _ears_at(look: Look) -> float:
    return look.body.head


def _skull(look: Look) -> Mesh:
    up = _ears_at(look)
    rings = [Ring(up + y, a, f, b, look.skin, 0.0, 0.0, 0.012 + off) for y, a, off, f, b in _SKULL]
    return tube(_head_part(), rings, 18, square=0.95)


def _ear(look: Look, side: int) -> Mesh:
    up, x = _ears_at(look), 0.074 * float(SIDE[side])
    shade = _darker(look.skin, 0.92)
    rings = [
        Ring(up - 0.034, 0.006, 0.008, 0.008, shade, 0.0, x * 0.97, 0.008),
        Ring(up - 0.016, 0.011, 0.014, 0.014, shade, 0.0, x, 0.006),
        Ring(up + 0.012, 0.012, 0.019, 0.018, shade, 0.0, x * 1.04, 0.002),
        Ring(up + 0.026, 0.006, 0.010, 0.010, shade, 0.0, x * 1.02, 0.002),
    ]
    return tube(_head_part(), rings, 8)


def _hair(look: Look) -> list[Mesh]:
    """A shell over the skull, cut at the hairline; long hair falls behind to the shoulders."""
    up, grow = _ears_at(look), 0.012
    lowest = -0.20 if look.long_hair else -0.066
    rings = []
    if look.long_hair:
        for y, a, b in ((lowest, 0.060, 0.080), (-0.16, 0.078, 0.100), (-0.11, 0.082, 0.104)):
            rings.append(Ring(up + y, a, 0.05, b, look.hair, 0.0, 0.0, -0.002))
    for y, a, off, f, b in _SKULL[3:]:
        top = 0.014 if y > 0.1 else 0.004
        rings.append(Ring(up + y + top, a + grow, f + grow * 0.7, b + grow, look.hair, 0.0, 0.0, 0.010 + off))
    shell = tube(_head_part(), rings, 20)
    middle = shell.first[shell.faces].mean(axis=1)
    height, fore = middle[:, 1] - up, middle[:, 2]
    side_limit = 0.0 if look.long_hair else -0.012
    limit = side_limit + 0.035 * ((height > 0.0) & (height < 0.062)) + 1.0 * (height > 0.064)
    return [keep(shell, (fore < limit) & (height > (lowest if look.long_hair else -0.07)))]


def _oval(x: float, y: float, z: float, across: float, high: float, slope: float = 0.0) -> list[Point]:
    """Eight points around a spot of the face; slope: metres backwards for each metre outwards."""
    points = []
    for k in range(8):
        angle = 2 * math.pi * (k + 0.5) / 8
        dx = across * math.cos(angle)
        points.append((x + dx, y + high * math.sin(angle), z - slope * (abs(x + dx) - abs(x))))
    return points


def _face(look: Look) -> list[Mesh]:
    up = _ears_at(look)
    part = _head_part()
    lips = (round(look.skin[0] * 0.66), round(look.skin[1] * 0.60), round(look.skin[2] * 0.82))
    brow = _darker(look.hair, 0.8)
    nose = tube(
        part,
        [
            Ring(up - 0.040, 0.014, 0.012, 0.02, look.skin, 0.0, 0.0, 0.092),
            Ring(up - 0.032, 0.015, 0.026, 0.02, look.skin, 0.0, 0.0, 0.096),
            Ring(up - 0.012, 0.010, 0.018, 0.02, look.skin, 0.0, 0.0, 0.098),
            Ring(up + 0.012, 0.007, 0.008, 0.02, look.skin, 0.0, 0.0, 0.100),
        ],
        8,
    )
    pieces = [nose]
    for x in (-0.031, 0.031):
        outer = 0.6
        pieces += [
            patch(part, _oval(x, up + 0.008, 0.099, 0.0185, 0.0115, outer), _darker(look.skin, 0.84), 0.012),
            patch(part, _oval(x, up + 0.006, 0.100, 0.0150, 0.0068, outer), _EYE_WHITE, 0.016),
            patch(part, _oval(x, up + 0.006, 0.101, 0.0066, 0.0070, outer), _IRIS, 0.020),
            patch(part, _oval(x, up + 0.014, 0.100, 0.0155, 0.0022, outer), _darker(look.hair, 0.7), 0.022),
            patch(part, _oval(x * 1.04, up + 0.030, 0.098, 0.0190, 0.0038, outer), brow, 0.018),
        ]
    pieces += [
        patch(part, _oval(0.0, up - 0.066, 0.098, 0.0250, 0.0080, 0.5), lips, 0.016),
        patch(part, _oval(0.0, up - 0.0645, 0.099, 0.0235, 0.0018, 0.5), _darker(lips, 0.7), 0.020),
        patch(part, _oval(0.0, up - 0.046, 0.110, 0.0110, 0.0030, 0.5), _darker(look.skin, 0.70), 0.016),
    ]
    return pieces
