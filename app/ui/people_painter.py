"""Skeletons and labels, painted as vectors: the same on the screen at any scaling and in a screenshot."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen

from app.label_places import Box, free_place
from app.outputs.overlay import HIDDEN_BELOW, over_head
from app.palette import LABEL_BACKGROUND, LABEL_TEXT, confidence_rgb, label_text, person_rgb
from app.results import PersonResult, Result
from pose.skeleton import Layout, convert
from pose.types import Pose

Points = NDArray[np.float64]

_STEPS = 4  # shades of confidence; one call draws all the bones of a shade
_REFERENCE_PX = 480.0
_SMALL = ("eye_inner", "eye_outer", "eye", "mouth", "pinky", "index", "thumb", "heel", "foot")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture of (width, height) pixels is painted. Mirroring is in the painting only."""

    rect: QRectF
    size: tuple[int, int]
    mirror: bool = False

    @property
    def unit(self) -> float:
        """Thickness of lines and size of text follow the painted picture's shorter side."""
        return max(min(self.rect.width(), self.rect.height()) / _REFERENCE_PX, 0.6)

    def map(self, xy_px: NDArray[np.float32]) -> Points:
        """(V, 2) pixels of the picture to the painter's coordinates."""
        width, height = self.size
        xy = np.clip(np.nan_to_num(xy_px.astype(np.float64)), -2 * max(width, height), 3 * max(width, height))
        if self.mirror:
            xy[:, 0] = width - 1 - xy[:, 0]
        scale = self.rect.width() / max(width, 1), self.rect.height() / max(height, 1)
        return np.asarray((xy + 0.5) * scale + (self.rect.left(), self.rect.top()))


def fitted(size: tuple[int, int], room: QRectF) -> QRectF:
    """The largest rectangle of the picture's shape in the middle of the room."""
    width, height = max(size[0], 1), max(size[1], 1)
    scale = min(room.width() / width, room.height() / height)
    fitting = QRectF(0, 0, width * scale, height * scale)
    fitting.moveCenter(room.center())
    return fitting


@dataclass(frozen=True, slots=True, eq=False)
class JointScores:
    """How relevant each joint of a person is: (V,) 0..1, with (V, 3) the colours, for the joints of a layout."""

    person: int
    layout: Layout
    scores: NDArray[np.float32]
    rgb: NDArray[np.uint8]


def relevance_radius(score: float, unit: float) -> float:
    """Radius of a joint's circle: its area grows evenly with the score, as in the ST-TR paper's Fig. 8."""
    area = max(min(score, 1.0), 0.0)
    return (3.0 + 15.0 * math.sqrt(area)) * unit


def paint_people(painter: QPainter, result: Result, place: Placement, scores: JointScores | None = None) -> None:
    """Everybody's skeleton, then everybody's label, which keep off each other and inside the picture."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    points = [place.map(person.pose.xy_px) for person in result.persons]
    for person, xy in zip(result.persons, points, strict=True):
        _paint_skeleton(painter, person.pose, xy, place.unit)
        if scores is not None and scores.person == person.pose.person:
            _paint_scores(painter, person.pose, place, scores)
    taken: list[QRectF] = []
    several = len(result.persons) > 1
    for person, xy in zip(result.persons, points, strict=True):
        _paint_label(painter, person, label_text(person, numbered=several), xy, place, taken)


def _paint_skeleton(painter: QPainter, pose: Pose, xy: Points, unit: float) -> None:
    shown = _shown(pose)
    shades = np.minimum((np.nan_to_num(pose.confidence) * _STEPS).astype(int), _STEPS - 1)
    colours = [QColor(*confidence_rgb((shade + 1) / _STEPS, pose.person)) for shade in range(_STEPS)]
    bones = [(a, b) for a, b in pose.layout.edge_indices if shown[a] and shown[b]]
    lines: list[list[QLineF]] = [[] for _ in range(_STEPS)]
    for a, b in bones:
        lines[min(shades[a], shades[b])].append(QLineF(*xy[a], *xy[b]))
    outline = QColor(10, 12, 16, 150)
    painter.setPen(_pen(outline, 4.6 * unit))
    painter.drawLines([line for of_shade in lines for line in of_shade])
    for colour, of_shade in zip(colours, lines, strict=True):
        if of_shade:
            painter.setPen(_pen(colour, 2.4 * unit))
            painter.drawLines(of_shade)
    painter.setPen(_pen(outline, 1.0 * unit))
    small = _small_joints(pose.layout)
    for joint in np.flatnonzero(shown):
        radius = (2.0 if small[joint] else 4.2) * unit
        painter.setBrush(QBrush(colours[shades[joint]]))
        painter.drawEllipse(QPointF(*xy[joint]), radius, radius)


def _paint_scores(painter: QPainter, pose: Pose, place: Placement, scores: JointScores) -> None:
    xy, confidence = convert(pose.xy_px, pose.confidence, pose.layout, scores.layout)
    points = place.map(xy)
    painter.setPen(_pen(QColor(10, 12, 16, 190), 1.2 * place.unit))
    for joint in np.argsort(-scores.scores):  # small ones over large ones
        if confidence[joint] >= HIDDEN_BELOW and np.isfinite(xy[joint]).all():
            red, green, blue = (int(part) for part in scores.rgb[joint])
            painter.setBrush(QBrush(QColor(red, green, blue, 215)))
            radius = relevance_radius(float(scores.scores[joint]), place.unit)
            painter.drawEllipse(QPointF(*points[joint]), radius, radius)


def _paint_label(
    painter: QPainter, person: PersonResult, label: str, xy: Points, place: Placement, taken: list[QRectF]
) -> None:
    """A dark plate with a bar in the person's colour, over the head."""
    head = over_head(person.pose.layout, xy, _shown(person.pose))
    if head is None:
        return
    anchor = QPointF(*head)
    unit, bounds = place.unit, place.rect
    font = QFont(painter.font())
    font.setPixelSize(round(min(max(17 * unit, 14), 15 + 6 * unit)))
    font.setWeight(QFont.Weight.DemiBold)
    metrics = QFontMetricsF(font)
    pad, bar = metrics.height() * 0.35, metrics.height() * 0.2
    room = max(bounds.width() - 2 * pad - bar, 1.0)
    text = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
    box = QRectF(0, 0, metrics.horizontalAdvance(text) + 2 * pad + bar, metrics.height() + pad)
    box.moveCenter(anchor)
    box.moveBottom(anchor.y())
    box = _free_place(_inside(box, bounds), bounds, taken)
    taken.append(box)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*LABEL_BACKGROUND, 225))
    painter.drawRoundedRect(box, pad * 0.6, pad * 0.6)
    painter.setBrush(QColor(*person_rgb(person.pose.person)))
    mark = QRectF(box.left() + pad * 0.5, box.top() + pad * 0.6, bar * 0.75, box.height() - pad * 1.2)
    painter.drawRoundedRect(mark, bar * 0.3, bar * 0.3)
    painter.setFont(font)
    painter.setPen(QColor(*LABEL_TEXT))
    painter.drawText(box.adjusted(bar + pad, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def _shown(pose: Pose) -> NDArray[np.bool_]:
    confidence = np.nan_to_num(pose.confidence)
    return np.asarray((confidence >= HIDDEN_BELOW) & np.isfinite(pose.xy_px).all(axis=1))


@cache
def _small_joints(layout: Layout) -> tuple[bool, ...]:
    return tuple(joint.removeprefix("left_").removeprefix("right_") in _SMALL for joint in layout.joints)


def _inside(box: QRectF, bounds: QRectF) -> QRectF:
    left = min(max(box.left(), bounds.left()), max(bounds.right() - box.width(), bounds.left()))
    top = min(max(box.top(), bounds.top()), max(bounds.bottom() - box.height(), bounds.top()))
    return QRectF(left, top, box.width(), box.height())


def _free_place(box: QRectF, bounds: QRectF, taken: list[QRectF]) -> QRectF:
    return QRectF(*free_place(_box(box), [_box(other) for other in taken], _box(bounds)))


def _box(rect: QRectF) -> Box:
    return rect.x(), rect.y(), rect.width(), rect.height()


def _pen(colour: QColor, width: float) -> QPen:
    return QPen(QBrush(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)  # joints cover the ends
