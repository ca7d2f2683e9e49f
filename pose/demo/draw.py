"""The demo's camera and pictures: the room once, the person's shadow and shaded surface in every frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.demo.body import Skeleton, cross
from pose.demo.figure import build_figure
from pose.demo.look import Look
from pose.demo.posture import Floats
from pose.demo.room import draw_room
from pose.demo.script import CHAIR

Picture = NDArray[np.uint8]

# The figure is drawn this many times larger and scaled down: smooth outlines, as fast as one polygon a face can be.
_FINE = 2
_SUBPIXEL_BITS = 3
_LIGHT = np.array([-0.45, 0.68, 0.58]) / np.linalg.norm([-0.45, 0.68, 0.58])
_SHADOW_SCALE = 4  # the shadow is blurred: a quarter of the resolution is enough
_SHADOW_BLUR = 8
_SHADOW_DEPTH = 0.42


class Camera:
    """A pinhole at 1.05 m height before the middle of the room, 56 degrees wide in a 4:3 picture.

    Points are in metres: x right, y up, z to the camera.
    """

    HEIGHT_M = 1.05

    def __init__(self, size: tuple[int, int], distance_m: float, yaw: float) -> None:
        """size: width and height in pixels; a wider or higher picture shows more of the room."""
        width, height = size
        self.size = size
        self.focal_px = min(width / 640, height / 480) * 602.0
        self.distance_m = distance_m
        angle = np.radians(yaw)
        self._right = np.array([np.cos(angle), 0.0, -np.sin(angle)])
        self._back = np.array([np.sin(angle), 0.0, np.cos(angle)])
        self._centre = np.array([width / 2, height * 0.475])
        self.position = self._back * distance_m + np.array([0.0, self.HEIGHT_M, 0.0])

    def depth(self, points: Floats) -> Floats:
        """(...,) distance along the line of sight of (..., 3) points."""
        depth: Floats = self.distance_m - points @ self._back
        return depth

    def project(self, points: Floats) -> Floats:
        """(..., 2) pixels of (..., 3) points; integers are the middles of pixels."""
        scale = self.focal_px / self.depth(points)
        xy = np.stack([points @ self._right * scale, (self.HEIGHT_M - points[..., 1]) * scale], axis=-1)
        pixels: Floats = xy + self._centre - 0.5
        return pixels


class Painter:
    """Draws one look's person in its room. Not for use by several threads at once."""

    def __init__(self, look: Look, size: tuple[int, int]) -> None:
        self.camera = Camera(size, look.camera_m, look.camera_yaw)
        self._mesh = build_figure(look)
        fine = Camera((size[0] * _FINE, size[1] * _FINE), look.camera_m, look.camera_yaw)
        room = draw_room(look, fine.project, fine.size, CHAIR)
        self._room: Picture = cv2.resize(room, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        self._shadow = np.zeros((size[1] // _SHADOW_SCALE + 1, size[0] // _SHADOW_SCALE + 1), dtype=np.uint8)

    def paint(self, skeleton: Skeleton) -> Picture:
        """(H, W, 3) uint8 BGR: a new picture."""
        picture = self._room.copy()
        self._cast_shadow(picture, skeleton)
        points = self._mesh.shape(skeleton)
        xy = self.camera.project(points)
        left, top, right, bottom = self._box(xy, margin=3)
        if right > left and bottom > top:
            part = picture[top:bottom, left:right]
            canvas: cv2.typing.MatLike = cv2.resize(part, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_NEAREST)
            self._fill(canvas, points, xy - (left, top))
            cv2.resize(canvas, (right - left, bottom - top), dst=part, interpolation=cv2.INTER_AREA)
        return picture

    def _fill(self, canvas: cv2.typing.MatLike, points: Floats, xy: Floats) -> None:
        """The faces that look at the camera, from the farthest to the nearest."""
        mesh = self._mesh
        a, b, c, d = (points[mesh.faces[:, corner]] for corner in range(4))
        middle = (a + b + c + d) * 0.25
        normal = cross(c - a, d - b)
        seen = np.flatnonzero(np.einsum("fi,fi->f", self.camera.position - middle, normal) > 0)
        order = seen[np.argsort(mesh.lift[seen] - self.camera.depth(middle[seen]), kind="stable")]
        colours = _lit(mesh.colours[order], normal[order])
        fine = np.rint(((xy + 0.5) * _FINE - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
        for polygon, colour in zip(list(fine[mesh.faces[order]]), colours.tolist(), strict=True):
            cv2.fillConvexPoly(canvas, polygon, colour, cv2.LINE_8, _SUBPIXEL_BITS)

    def _cast_shadow(self, picture: Picture, skeleton: Skeleton) -> None:
        """Darken the floor where a high soft lamp does not reach."""
        mask = self._shadow
        mask[:] = 0
        joints = np.stack([skeleton.joints[name] for start, end, _ in _SHADOW_LIMBS for name in (start, end)])
        ends = np.rint(self.camera.project(_onto_floor(joints)) * (8 / _SHADOW_SCALE)).astype(int).reshape(-1, 4)
        thickness = 1.2 * self.camera.focal_px / self.camera.distance_m / _SHADOW_SCALE  # flat on the floor
        for (x0, y0, x1, y1), (_, _, radius_m) in zip(ends.tolist(), _SHADOW_LIMBS, strict=True):
            cv2.line(mask, (x0, y0), (x1, y1), 255, max(round(thickness * radius_m), 1), cv2.LINE_AA, 3)
        left, top, width, height = cv2.boundingRect(mask)
        left, top = max(left - _SHADOW_BLUR, 0), max(top - _SHADOW_BLUR, 0)
        crop = mask[top : top + height + 2 * _SHADOW_BLUR, left : left + width + 2 * _SHADOW_BLUR]
        part = picture[top * _SHADOW_SCALE :, left * _SHADOW_SCALE :]
        part = part[: crop.shape[0] * _SHADOW_SCALE, : crop.shape[1] * _SHADOW_SCALE]
        soft = cv2.GaussianBlur(crop, (0, 0), _SHADOW_BLUR / 4)
        dark = cv2.resize(soft, None, fx=_SHADOW_SCALE, fy=_SHADOW_SCALE)[: part.shape[0], : part.shape[1]]
        light = cv2.convertScaleAbs(dark, alpha=-_SHADOW_DEPTH, beta=255)
        cv2.multiply(part, cv2.cvtColor(light, cv2.COLOR_GRAY2BGR), dst=part, scale=1 / 255)

    def _box(self, xy: Floats, margin: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the pixels around the points, inside the picture."""
        width, height = self.camera.size
        low, high = np.floor(xy.min(axis=0)) - margin, np.ceil(xy.max(axis=0)) + margin + 1
        left, top = np.clip(low, 0, (width, height)).astype(int).tolist()
        right, bottom = np.clip(high, 0, (width, height)).astype(int).tolist()
        return left, top, right, bottom


_SHADOW_LIMBS = (
    ("head", "neck", 0.09),
    ("neck", "pelvis", 0.15),
    *(
        (f"{side}_{a}", f"{side}_{b}", radius)
        for side in ("left", "right")
        for a, b, radius in (
            ("shoulder", "elbow", 0.06),
            ("elbow", "wrist", 0.05),
            ("hip", "knee", 0.09),
            ("knee", "ankle", 0.08),
        )
    ),
)


def _onto_floor(points: Floats) -> Floats:
    """(N, 3) where the lamp throws the shadow of (N, 3) points."""
    x, y, z = points.T
    return np.stack([x + 0.20 * y, np.zeros_like(y), z - 0.16 * y], axis=1)


def _lit(colours: Floats, normals: Floats) -> Floats:
    """Colours (F, 3) under a lamp from the upper left and the light of the room; normals of any length."""
    unit = normals / np.sqrt(np.maximum(np.einsum("fi,fi->f", normals, normals), 1e-24))[:, None]
    lamp = np.clip(0.5 + 0.5 * (unit @ _LIGHT), 0.0, 1.0) ** 1.4
    sky = 0.5 + 0.5 * unit[:, 1]
    lit: Floats = np.minimum(colours * (0.40 + 0.62 * lamp + 0.12 * sky)[:, None], 255.0)
    return lit
