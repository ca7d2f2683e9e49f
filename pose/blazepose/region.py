"""Turned squares of a picture: what a network looks at, and the way back from its coordinates to pixels."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_MARGIN = 1.25  # of the circle around a person, as MediaPipe takes it


@dataclass(frozen=True, slots=True)
class Region:
    """A square. x_px, y_px: its middle. side_px: its side. turn: radians clockwise; a person upright has 0."""

    x_px: float
    y_px: float
    side_px: float
    turn: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.x_px, self.y_px, self.side_px, self.turn)):
            raise ValueError(f"a region of {self.x_px}, {self.y_px}, {self.side_px}, {self.turn} is nowhere")

    def to_picture(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in units of the side, 0..1 from the top left of the region, in pixels of the picture."""
        cos, sin = math.cos(self.turn) * self.side_px, math.sin(self.turn) * self.side_px
        x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
        return np.stack((cos * x - sin * y + self.x_px, sin * x + cos * y + self.y_px), axis=-1).astype(np.float32)

    def from_picture(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in pixels of the picture, in units of the side; to_picture's inverse."""
        cos, sin = math.cos(self.turn) / self.side_px, math.sin(self.turn) / self.side_px
        x, y = points[..., 0] - self.x_px, points[..., 1] - self.y_px
        return np.stack((cos * x + sin * y + 0.5, cos * y - sin * x + 0.5), axis=-1).astype(np.float32)

    def is_in(self, width: int, height: int) -> bool:
        """Whether the middle is in the picture, or near enough that the region holds some of it."""
        reach = self.side_px / 2
        return self.side_px >= 1 and -reach < self.x_px < width + reach and -reach < self.y_px < height + reach


def around_person(middle: NDArray[np.float32], top: NDArray[np.float32]) -> Region:
    """The region of a person, from the middle of the hips and a point on the circle around the person, above them."""
    dx, dy = float(top[0] - middle[0]), float(top[1] - middle[1])
    turn = math.pi / 2 - math.atan2(-dy, dx)
    turn = (turn + math.pi) % (2 * math.pi) - math.pi
    return Region(float(middle[0]), float(middle[1]), 2 * _MARGIN * math.hypot(dx, dy), turn)


def cut(bgr: NDArray[np.uint8], region: Region, side: int) -> NDArray[np.uint8]:
    """(side, side, 3): the region, black where it reaches over the picture."""
    scale = region.side_px / side
    cos, sin = math.cos(region.turn) * scale, math.sin(region.turn) * scale
    half = side / 2
    back = np.array(
        [[cos, -sin, region.x_px - (cos - sin) * half], [sin, cos, region.y_px - (sin + cos) * half]], np.float64
    )
    made = cv2.warpAffine(bgr, back, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(made, dtype=np.uint8)
