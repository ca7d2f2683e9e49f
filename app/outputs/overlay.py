"""Draws a result: the picture, the skeletons with their confidence, and each person's action at the head."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from app.label_places import Box, free_place
from app.names_in_text import without_marks
from app.outputs.heat import heat_rgb
from app.palette import LABEL_BACKGROUND, LABEL_TEXT, Rgb, confidence_rgb, label_text, person_rgb
from app.results import Result
from pose.skeleton import Layout, convert
from pose.types import Pose

Picture = NDArray[np.uint8]
Relevance = NDArray[np.float32]

NO_RELEVANCE: Mapping[int, Relevance] = MappingProxyType({})
NOTHING_EXPLAINED: Mapping[int, str] = MappingProxyType({})

HIDDEN_BELOW = 0.05  # confidence under which a joint is not drawn
_STEPS = 4  # shades of confidence: one drawing call for all the bones of a shade
_SHIFT = 3  # fixed-point bits of OpenCV's coordinates: skeletons glide instead of jumping from pixel to pixel
_DETAILS = ("inner", "eye", "outer", "ear", "mouth", "pinky", "index", "thumb", "heel", "foot")  # bones are enough
_REFERENCE_PX = 480.0
_OUTLINE = (20, 20, 20)
_HEAD = ("head", "nose", "left_eye", "right_eye", "left_ear", "right_ear")


def draw(
    result: Result,
    *,
    mirror: bool = False,
    relevance: Mapping[int, Relevance] = NO_RELEVANCE,
    explained: Mapping[int, str] = NOTHING_EXPLAINED,
) -> Picture:
    """The result as a new (H, W, 3) uint8 BGR picture; the frame itself is never changed.

    relevance: by person, (V,) 0..1 for the joints of their clip's layout, drawn as circles that grow with it,
    violet to yellow (ST-TR paper, Fig. 8). explained: by person, the action that the circles are for.

    mirror flips picture and skeletons like a mirror does; texts stay readable. Lines and texts grow with the
    picture. Action names in Latin, Greek, Cyrillic, Arabic, Chinese, Japanese and Korean script are drawn with
    OpenCV's own fonts; signs of other scripts appear as question marks.
    """
    bgr = result.frame.bgr
    picture: Picture = np.asarray(cv2.flip(bgr, 1), dtype=np.uint8) if mirror else bgr.copy()
    width, height = result.frame.size
    unit = max(min(width, height) / _REFERENCE_PX, 0.5)
    poses = [_Placed(person.pose, width, height, mirror) for person in result.persons]
    for placed in poses:
        _draw_skeleton(picture, placed, unit)
    for person in result.persons:
        if person.clip is not None and person.pose.person in relevance:
            joints = _in_layout(person.pose, person.clip.layout)
            _draw_relevance(picture, _Placed(joints, width, height, mirror), relevance[person.pose.person], unit)
    taken: list[Box] = []
    for person, placed in zip(result.persons, poses, strict=True):
        action = explained.get(person.pose.person, "") if person.pose.person in relevance else ""
        label = without_marks(label_text(person, action, numbered=len(poses) > 1))
        _draw_label(picture, label, placed, unit, taken)
    return picture


class _Placed:
    """A pose on the picture: xy (V, 2) float64 in pixels, shown (V,) bool."""

    def __init__(self, pose: Pose, width: int, height: int, mirror: bool) -> None:
        xy = pose.xy_px.astype(np.float64)
        self.confidence = np.nan_to_num(pose.confidence, nan=0.0)
        self.shown = (self.confidence >= HIDDEN_BELOW) & np.isfinite(xy).all(axis=1)
        limit = 2.0 * max(width, height)  # far outside; keeps OpenCV's fixed-point numbers from overflowing
        xy = np.clip(np.nan_to_num(xy), -limit, limit)
        if mirror:
            xy[:, 0] = width - 1 - xy[:, 0]
        self.xy = xy
        self.layout: Layout = pose.layout
        self.person = pose.person

    def fixed(self) -> NDArray[np.int32]:
        """(V, 2) in OpenCV's fixed-point pixels."""
        return np.round(self.xy * (1 << _SHIFT)).astype(np.int32)


def _draw_skeleton(picture: Picture, placed: _Placed, unit: float) -> None:
    edges = np.array(placed.layout.edge_indices, dtype=np.intp).reshape(-1, 2)
    edges = edges[placed.shown[edges].all(axis=1)]
    points = placed.fixed()
    bones = points[edges]  # (bones, 2, 2)
    shades = _shades(placed.confidence[edges].min(axis=1))
    line = max(round(2.4 * unit), 1)
    colours = [_bgr(confidence_rgb((shade + 1) / _STEPS, placed.person)) for shade in range(_STEPS)]
    if len(bones):
        cv2.polylines(picture, list(bones), False, _OUTLINE, line + max(round(2 * unit), 1), cv2.LINE_8, _SHIFT)
    for shade in range(_STEPS):
        of_shade = bones[shades == shade]
        if len(of_shade):
            cv2.polylines(picture, list(of_shade), False, colours[shade], line, cv2.LINE_AA, _SHIFT)
    radius = round(3.4 * unit * (1 << _SHIFT))
    dotted = placed.shown & _dotted(placed.layout)
    for (x, y), shade in zip(points[dotted].tolist(), _shades(placed.confidence[dotted]).tolist(), strict=True):
        cv2.circle(picture, (x, y), radius, colours[shade], cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _in_layout(pose: Pose, layout: Layout) -> Pose:
    xy_px, confidence = convert(pose.xy_px, pose.confidence, pose.layout, layout)
    return replace(pose, xy_px=xy_px, confidence=confidence, layout=layout)


def _draw_relevance(picture: Picture, placed: _Placed, relevance: Relevance, unit: float) -> None:
    """The largest first, so that small ones stay visible."""
    points, radii = placed.fixed(), relevance_radius_px(relevance, unit)
    colours = heat_rgb(relevance)[:, ::-1].tolist()
    for joint in np.argsort(-relevance):
        if placed.shown[joint]:
            radius, (x, y) = round(float(radii[joint]) * (1 << _SHIFT)), points[joint].tolist()
            edge = radius + round(unit * (1 << _SHIFT))
            cv2.circle(picture, (x, y), edge, _OUTLINE, cv2.FILLED, cv2.LINE_AA, _SHIFT)
            cv2.circle(picture, (x, y), radius, colours[joint], cv2.FILLED, cv2.LINE_AA, _SHIFT)


def relevance_radius_px(relevance: Relevance, unit: float) -> NDArray[np.float64]:
    """Of the circles (V,): the same as in the window."""
    return np.asarray((3.0 + 15.0 * np.sqrt(np.clip(relevance, 0.0, 1.0))) * unit, dtype=np.float64)


@cache
def _dotted(layout: Layout) -> NDArray[np.bool_]:
    """(V,) the joints that get a dot: not those of face, fingers and toes."""
    return np.array([joint.rpartition("_")[2] not in _DETAILS for joint in layout.joints], dtype=np.bool_)


def _shades(confidence: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.minimum((confidence * _STEPS).astype(np.intp), _STEPS - 1)


def _draw_label(picture: Picture, label: str, placed: _Placed, unit: float, taken: list[Box]) -> None:
    """A dark plate with a bar in the person's colour, over the head, inside the picture and beside other plates."""
    anchor = over_head(placed.layout, placed.xy, placed.shown)
    if anchor is None:
        return
    height, width = picture.shape[:2]
    font = cv2.FontFace("sans")
    pad = max(round(5 * unit), 3)
    bar = max(round(4 * unit), 2)
    text, size, text_width = _fitted(label, font, max(round(20 * unit), 13), width - 2 * pad - bar)
    box_height = round(size * 1.2) + pad
    box_width = bar + 2 * pad + text_width
    head_x, head_y = anchor
    left = int(np.clip(head_x - box_width / 2, 0, max(width - box_width, 0)))
    above = int(np.clip(head_y - box_height, 0, max(height - box_height, 0)))
    box = free_place((left, above, box_width, box_height), taken, (0, 0, width, height))
    taken.append(box)
    x, y = int(box[0]), int(box[1])
    cv2.rectangle(picture, (x, y), (x + box_width - 1, y + box_height - 1), _bgr(LABEL_BACKGROUND), cv2.FILLED)
    cv2.rectangle(picture, (x, y), (x + bar - 1, y + box_height - 1), _bgr(person_rgb(placed.person)), cv2.FILLED)
    baseline = y + round((box_height + size * 0.72) / 2)
    cv2.putText(picture, text, (x + bar + pad, baseline), _bgr(LABEL_TEXT), font, size, 600, cv2.PUT_TEXT_ALIGN_LEFT)


def over_head(layout: Layout, xy: NDArray[np.float64], shown: NDArray[np.bool_]) -> tuple[float, float] | None:
    """A point (x, y) above the head, so that raised hands do not move a label; None where nothing is shown.

    xy: (V, 2) in pixels of any picture or window. shown: (V,). Where the head is not seen, above the highest joint.
    """
    if not shown.any():
        return None
    head = [joint for joint in _named(layout, _HEAD) if shown[joint]]
    shoulders = [joint for joint in _named(layout, ("left_shoulder", "right_shoulder")) if shown[joint]]
    if head and shoulders:
        x, y = xy[head].mean(axis=0)
        neck = float(np.hypot(*(xy[shoulders].mean(axis=0) - (x, y))))
        return float(x), float(y) - 0.95 * neck
    x, y = xy[np.flatnonzero(shown)[xy[shown][:, 1].argmin()]]
    return float(x), float(y) - 16.0


@cache
def _named(layout: Layout, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(layout.index(name) for name in names if name in layout.joints)


def _fitted(text: str, font: cv2.FontFace, size: int, room: int) -> tuple[str, int, int]:
    """The text, its size and its width in pixels: smaller, then shorter, until it fits into room pixels."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # OpenCV takes no lone surrogates
    width = _text_width(text, font, size)
    if width > room:
        size = max(round(size * room / width), min(size, 11))
        width = _text_width(text, font, size)
    while width > room and len(text) > 1:
        text = text.removesuffix("...")[:-1] + "..." if len(text) > 4 else text[:-1]
        width = _text_width(text, font, size)
    return text, size, width


def _text_width(text: str, font: cv2.FontFace, size: int) -> int:
    box = cv2.getTextSize((0, 0), text, (0, 0), font, size, 600)
    return int(box[0] + box[2])


def _bgr(rgb: Rgb) -> tuple[int, int, int]:
    return rgb[2], rgb[1], rgb[0]
