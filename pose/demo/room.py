"""The room in which the demo's person moves: wall, floor, window, picture, plant and the chair."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.demo.body import about_y
from pose.demo.look import Colour, Look
from pose.demo.posture import Floats, Place

Picture = NDArray[np.uint8]
Project = Callable[[Floats], Floats]

_WALL_Z = -1.25
_NEAR_Z = 2.3
_FLOOR: Colour = (112, 142, 170)
_BOARD: Colour = (98, 126, 154)
_SKIRTING: Colour = (226, 230, 232)
_WOOD: Colour = (66, 104, 142)
_DARK_WOOD: Colour = (50, 80, 112)
SEAT_Z = -0.42  # of the chair's seat, behind the place on which its user stands


def draw_room(look: Look, project: Project, size: tuple[int, int], chair: Place) -> Picture:
    """(H, W, 3) uint8 BGR. project: (N, 3) metres to (N, 2) pixels. chair: where one stands to sit down."""
    width, height = size
    across = np.linspace(-1, 1, width)[None, :]
    down = np.linspace(0, 1, height)[:, None]
    shade = 1.04 - 0.10 * (across + 0.35) ** 2 - 0.12 * down
    picture = np.clip(shade[..., None] * np.array(look.wall, dtype=np.float64), 0, 255).astype(np.uint8)
    pen = _Pen(picture, project)
    _floor(pen)
    _hang_picture(pen)
    _plant(pen)
    _chair(pen, chair)
    return cv2.GaussianBlur(picture, (0, 0), 1.2).astype(np.uint8)


class _Pen:
    """Draws flat shapes of the room."""

    def __init__(self, picture: Picture, project: Project) -> None:
        self._picture = picture
        self._project = project

    def fill(self, corners: Sequence[tuple[float, float, float]] | Floats, colour: Colour) -> None:
        xy = np.rint(self._project(np.asarray(corners, dtype=np.float64)) * 16).astype(np.int32)
        cv2.fillPoly(self._picture, [xy], colour, cv2.LINE_AA, 4)

    def line(self, start: tuple[float, float, float], end: tuple[float, float, float], colour: Colour) -> None:
        a, b = np.rint(self._project(np.array([start, end], dtype=np.float64)) * 16).astype(int).tolist()
        cv2.line(self._picture, tuple(a), tuple(b), colour, 2, cv2.LINE_AA, 4)

    def on_wall(self, left: float, low: float, right: float, high: float, colour: Colour, before: float = 0.0) -> None:
        z = _WALL_Z + before
        self.fill([(left, low, z), (right, low, z), (right, high, z), (left, high, z)], colour)

    def soft_blot(self, centre: tuple[float, float, float], across: float, deep: float, strength: float) -> None:
        """A shadow on the floor."""
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = np.stack([across * np.cos(angles), 0 * angles, deep * np.sin(angles)], axis=1) + centre
        mask = np.zeros(self._picture.shape[:2], dtype=np.uint8)
        cv2.fillConvexPoly(mask, np.rint(self._project(ring)).astype(np.int32), 255)
        soft = cv2.GaussianBlur(mask, (0, 0), 9)
        self._picture[:] = (self._picture * (1 - strength * soft[..., None] / 255.0)).astype(np.uint8)


def _floor(pen: _Pen) -> None:
    pen.fill([(-9, 0, _WALL_Z), (9, 0, _WALL_Z), (9, 0, _NEAR_Z), (-9, 0, _NEAR_Z)], _FLOOR)
    for i in range(-16, 17):
        pen.line((0.29 * i, 0, _WALL_Z), (0.29 * i, 0, _NEAR_Z), _BOARD)
    pen.on_wall(-9, 0, 9, 0.085, _SKIRTING)
    pen.line((-9, 0.085, _WALL_Z), (9, 0.085, _WALL_Z), (196, 202, 206))


def _hang_picture(pen: _Pen) -> None:
    pen.on_wall(-1.86, 1.12, -1.02, 1.76, (82, 100, 116))
    pen.on_wall(-1.82, 1.16, -1.06, 1.72, (224, 214, 196))
    z = _WALL_Z
    pen.fill(
        [(-1.82, 1.16, z), (-1.06, 1.16, z), (-1.06, 1.34, z), (-1.38, 1.52, z), (-1.82, 1.30, z)], (128, 158, 120)
    )
    pen.fill([(-1.82, 1.16, z), (-1.06, 1.16, z), (-1.06, 1.22, z), (-1.56, 1.36, z), (-1.82, 1.24, z)], (102, 136, 92))


def _plant(pen: _Pen) -> None:
    x, z = 1.72, _WALL_Z + 0.25
    pen.soft_blot((x, 0, z), 0.30, 0.16, 0.35)
    for k, (lean, high) in enumerate(((-0.34, 0.86), (0.30, 0.92), (-0.18, 1.10), (0.16, 1.16), (0.0, 1.0))):
        green: Colour = (70 + 8 * k, 120 + 9 * k, 66 + 7 * k)
        tip = (x + lean, high, z)
        pen.fill([(x, 0.36, z), (x + 0.45 * lean - 0.06, 0.36 + 0.5 * (high - 0.36), z), tip], green)
        pen.fill([(x, 0.36, z), (x + 0.45 * lean + 0.06, 0.36 + 0.6 * (high - 0.36), z), tip], green)
    pen.fill([(x - 0.13, 0, z), (x + 0.13, 0, z), (x + 0.17, 0.38, z), (x - 0.17, 0.38, z)], (178, 184, 190))
    pen.fill([(x + 0.03, 0, z), (x + 0.13, 0, z), (x + 0.17, 0.38, z), (x + 0.05, 0.38, z)], (154, 162, 170))


def _chair(pen: _Pen, place: Place) -> None:
    turn = about_y(place.heading)
    seat = np.array([place.x, 0.0, place.z]) + turn @ (0.0, 0.0, SEAT_Z)
    pen.soft_blot((float(seat[0]) + 0.08, 0.0, float(seat[2]) - 0.03), 0.34, 0.26, 0.38)

    def box(low: tuple[float, float, float], high: tuple[float, float, float], colour: Colour) -> None:
        _box(pen, seat, turn, np.array([low, high]), colour)

    half, deep, top = 0.22, 0.21, 0.43
    for x in (-half + 0.02, half - 0.02):
        box((x - 0.018, 0, -deep), (x + 0.018, 0.92, -deep + 0.035), _DARK_WOOD)
    for low in (0.62, 0.78):
        box((-half, low, -deep), (half, low + 0.10, -deep + 0.025), _WOOD)
    for x in (-half + 0.02, half - 0.02):
        box((x - 0.018, 0, deep - 0.04), (x + 0.018, top, deep - 0.005), _DARK_WOOD)
    box((-half, top - 0.04, -deep), (half, top, deep), _WOOD)


def _box(pen: _Pen, centre: Floats, turn: Floats, limits: Floats, colour: Colour) -> None:
    """The sides of an upright box that a camera before and above it may see."""
    (x0, y0, z0), (x1, y1, z1) = limits.tolist()
    sides = (
        (((x0, y0, z0), (x0, y1, z0), (x0, y1, z1), (x0, y0, z1)), 0.80),
        (((x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)), 0.72),
        (((x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)), 1.15),
        (((x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)), 0.92),
    )
    if turn[0, 2] > 0:  # turned to the right: its right side is the hidden one
        sides = (sides[1], sides[0], *sides[2:])
    for corners, light in sides:
        blue, green, red = (min(round(value * light), 255) for value in colour)
        pen.fill(np.array(corners) @ turn.T + centre, (blue, green, red))
