"""The surface of the demo's person: trunk, limbs, hands, shoes, head, hair and face, dressed as a look says."""

import math

import numpy as np

from pose.demo.body import KNUCKLES, Proportions
from pose.demo.look import Colour, Look
from pose.demo.mesh import Mesh, Part, Point, Ring, join, keep, patch, tube
from pose.demo.posture import LEFT, RIGHT, SIDE

_EYE_WHITE: Colour = (226, 230, 234)
_IRIS: Colour = (44, 48, 60)


def build_figure(look: Look) -> Mesh:
    """The whole person."""
    pieces = [_trunk(look), _hips(look), _neck(look), _skull(look), *_hair(look), *_face(look)]
    for side, prefix in ((LEFT, "left_"), (RIGHT, "right_")):
        pieces += [_yoke(look, side, prefix), _arm(look, prefix), *_hand(look, side, prefix)]
        pieces += [_leg(look, prefix), _shoe(look, prefix), _ear(look, side)]
    return join(pieces)


def _darker(colour: Colour, share: float) -> Colour:
    blue, green, red = (round(value * share) for value in colour)
    return blue, green, red


def _smooth(start: float, end: float, value: float) -> float:
    s = min(max((value - start) / (end - start), 0.0), 1.0)
    return s * s * (3 - 2 * s)


# Trunk: height over the hips as a share of the trunk's length, half width, depth to the front and to the back.
_TRUNK = (
    (-0.070, 0.158, 0.110, 0.126),
    (-0.065, 0.173, 0.124, 0.140),
    (-0.035, 0.174, 0.124, 0.140),
    (0.010, 0.173, 0.121, 0.138),
    (0.070, 0.170, 0.118, 0.132),
    (0.150, 0.164, 0.115, 0.120),
    (0.240, 0.155, 0.114, 0.108),
    (0.330, 0.149, 0.115, 0.102),
    (0.430, 0.152, 0.118, 0.105),
    (0.550, 0.165, 0.123, 0.114),
    (0.650, 0.174, 0.125, 0.118),
    (0.750, 0.181, 0.121, 0.119),
    (0.830, 0.183, 0.110, 0.114),
    (0.890, 0.178, 0.098, 0.106),
    (0.940, 0.162, 0.085, 0.096),
    (0.985, 0.134, 0.073, 0.085),
    (1.020, 0.106, 0.064, 0.076),
    (1.050, 0.080, 0.058, 0.068),
    (1.072, 0.062, 0.054, 0.060),
    (1.080, 0.054, 0.050, 0.055),
)
# Yoke of the shirt, from the middle of the shoulders outwards, as a share of half their width: shift upwards, half
# height, depth to the front and to the back.
_YOKE = (
    (0.30, -0.032, 0.034, 0.046, 0.052),
    (0.50, -0.026, 0.042, 0.054, 0.060),
    (0.72, -0.020, 0.049, 0.055, 0.061),
    (0.90, -0.014, 0.050, 0.053, 0.057),
    (1.05, -0.012, 0.047, 0.050, 0.052),
    (1.18, -0.012, 0.037, 0.040, 0.042),
    (1.26, -0.012, 0.012, 0.014, 0.014),
)


def _trunk(look: Look) -> Mesh:
    size = look.body
    length = size.lower_back + size.upper_back
    part = Part("pelvis", "chest", (0.0, size.lower_back, 0.0))
    girth, width = size.girth, size.girth * (0.6 + 0.4 * size.shoulders / Proportions().shoulders)
    rings = []
    for i, (share, across, front, back) in enumerate(_TRUNK):
        striped = look.stripes and 3 <= i <= 13 and i % 2 == 0
        colour = _darker(look.shirt, 0.62) if striped or i == len(_TRUNK) - 2 else look.shirt
        bend = _smooth(0.05, 0.60, share)
        rings.append(Ring(share * length, across * width, front * girth, back * girth, colour, bend))
    return tube(part, rings, 26, square=0.84)


def _yoke(look: Look, side: int, prefix: str) -> Mesh:
    half, girth = look.body.shoulders / 2, look.body.girth
    rings = [
        Ring(-share * half, high * girth, front * girth, back * girth, look.shirt, x=up * float(SIDE[side]))
        for share, up, high, front, back in _YOKE
    ]
    return tube(Part(prefix + "collar", prefix + "collar"), rings, 14)


def _hips(look: Look) -> Mesh:
    girth = look.body.girth
    part = Part("pelvis", "pelvis")
    rows = (
        (-0.110, 0.02, 0.02),
        (-0.105, 0.080, 0.075),
        (-0.080, 0.135, 0.100),
        (-0.040, 0.158, 0.112),
        (0.0, 0.152, 0.108),
    )
    rings = [Ring(y, a * girth, d * girth, (d + 0.012) * girth, look.trousers) for y, a, d in rows]
    hips = tube(part, rings, 16, square=0.9)
    hips.lift[:] = -0.08  # under the tops of the legs
    return hips


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
_UPPER_ARM = (
    (-0.105, 0.012),
    (-0.095, 0.028),
    (-0.065, 0.042),
    (-0.010, 0.052),
    (0.08, 0.056),
    (0.20, 0.055),
    (0.34, 0.052),
    (0.48, 0.050),
)
_SLEEVE_END = (0.66, 0.052)
_FOREARM = ((0.10, 0.040), (0.26, 0.041), (0.45, 0.038), (0.65, 0.032), (0.85, 0.027), (1.0, 0.025))


def _arm(look: Look, prefix: str) -> Mesh:
    size = look.body
    girth = size.girth
    part = Part(prefix + "upper_arm", prefix + "forearm", (0.0, -size.upper_arm, 0.0))
    below = look.shirt if look.long_sleeves else look.skin
    wider = 0.007 if look.long_sleeves else 0.0
    rings = [Ring(-s * size.upper_arm, r * girth, r * girth, r * girth, look.shirt) for s, r in _UPPER_ARM]
    s, r = _SLEEVE_END
    r -= 0.002 if look.long_sleeves else 0.0
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
    (-0.14, 0.030, 0.036, 0.040),
    (-0.10, 0.060, 0.066, 0.076),
    (-0.02, 0.078, 0.086, 0.098),
    (0.10, 0.083, 0.092, 0.102),
    (0.20, 0.083, 0.090, 0.096),
    (0.34, 0.079, 0.086, 0.088),
    (0.52, 0.073, 0.079, 0.078),
    (0.74, 0.065, 0.070, 0.068),
    (0.90, 0.061, 0.065, 0.063),
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
    leg = tube(part, rings, 13)
    # Drawn behind where they are: legs that come forwards must not show through the shirt.
    leg.lift[leg.first[leg.faces].mean(axis=1)[:, 1] > -0.34 * size.thigh] = -0.045
    return leg


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
    shoe.colours[sole] = (120, 122, 124)
    return shoe


# Head, from the point between the ears: height, half width, shift forwards, front, back.
_SKULL = (
    (-0.124, 0.014, 0.056, 0.018, 0.020),
    (-0.116, 0.032, 0.048, 0.034, 0.048),
    (-0.096, 0.048, 0.034, 0.054, 0.070),
    (-0.066, 0.059, 0.018, 0.074, 0.082),
    (-0.034, 0.066, 0.006, 0.087, 0.088),
    (-0.002, 0.071, 0.0, 0.094, 0.092),
    (0.030, 0.074, 0.0, 0.094, 0.096),
    (0.060, 0.074, -0.002, 0.090, 0.098),
    (0.086, 0.068, -0.004, 0.079, 0.090),
    (0.106, 0.054, -0.006, 0.062, 0.072),
    (0.119, 0.034, -0.006, 0.040, 0.046),
    (0.126, 0.008, -0.006, 0.010, 0.012),
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
    up, grow = _ears_at(look), 0.013
    lowest = -0.215 if look.long_hair else -0.066
    rings = []
    if look.long_hair:
        for y, a, b in ((lowest, 0.058, 0.080), (-0.16, 0.080, 0.102), (-0.11, 0.086, 0.106)):
            rings.append(Ring(up + y, a, 0.05, b, look.hair, 0.0, 0.0, -0.002))
    for y, a, off, f, b in _SKULL[3:]:
        thick = grow * (0.5 + 0.5 * _smooth(-0.04, 0.07, y))
        if look.long_hair:
            thick += 0.016 * (1 - _smooth(-0.05, 0.07, y))
        side = 0.5 if abs(y - 0.030) < 0.01 else 1.0  # close to the temples
        top = up + y + 0.014 * _smooth(0.05, 0.12, y)
        rings.append(Ring(top, a + side * thick, f + thick, b + thick, look.hair, off=0.010 + off))
    shell = tube(_head_part(), rings, 24)
    middle = shell.first[shell.faces].mean(axis=1)
    height, fore = middle[:, 1] - up, middle[:, 2]
    # The hairline: behind the ears at their height, over the temples above them, a fringe over the brow.
    line = np.where(height < 0.028, 0.002 if look.long_hair else -0.028, np.where(height < 0.058, 0.055, 1.0))
    line = np.where(height < -0.10, -0.045, line)
    hair = keep(shell, fore < line)
    hair.lift[:] = 0.015  # over the skull, which it covers thinly
    return [hair]


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
        pieces += [
            patch(part, _oval(x, up + 0.009, 0.099, 0.0190, 0.0125, 0.6), _darker(look.skin, 0.88), 0.012),
            patch(part, _oval(x, up + 0.007, 0.100, 0.0158, 0.0080, 0.6), _EYE_WHITE, 0.016),
            patch(part, _oval(x * 0.98, up + 0.007, 0.101, 0.0078, 0.0080, 0.6), _IRIS, 0.020),
            patch(part, _oval(x, up + 0.0155, 0.100, 0.0160, 0.0020, 0.6), _darker(look.hair, 0.7), 0.022),
            patch(part, _oval(x * 1.04, up + 0.032, 0.098, 0.0180, 0.0032, 0.6), brow, 0.018),
        ]
    for x in (-1.0, 1.0):  # a smile: the corners of the mouth are higher than its middle
        corners = ((0, -73), (12, -71), (26, -60), (24, -61), (12, -64), (0, -65))  # millimetres from between the ears
        points = [(0.001 * dx * x, up + 0.001 * dy, 0.099 - 0.0005 * dx) for dx, dy in corners]
        pieces.append(patch(part, points if x > 0 else points[::-1], lips, 0.016))
    pieces.append(patch(part, _oval(0.0, up - 0.045, 0.110, 0.0110, 0.0026, 0.5), _darker(look.skin, 0.76), 0.016))
    return pieces
