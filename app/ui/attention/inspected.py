"""One frame of the clip around the body: picture, skeleton, joints sized by relevance, bones by their links' weight."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.outputs.heat import heat_rgb
from app.ui.attention.moments import SmallFrame
from app.ui.people_painter import relevance_radius
from app.ui.theme import Colours
from recognizer.clips import Clip

_REFERENCE_PX = 300.0
_MARGIN = 0.14  # of the body's longer side, around it: the joints leave out hair, hands and feet
_MIN_EXTENT = 0.3  # of the picture's shorter side: limits the zoom on a distant person
_NEAR_S = 0.15  # a picture further from the pose's time is not shown


class InspectedFrame(QWidget):
    """Draws the skeleton of the resampled clip over the nearest picture."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._frame: SmallFrame | None = None
        self._clip: Clip | None = None
        self._place = 0
        self._joints: NDArray[np.float32] | None = None
        self._links: NDArray[np.float32] | None = None
        self._mirror = False
        self._note = ""
        self.setMinimumHeight(110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("The chosen frame")

    def sizeHint(self) -> QSize:
        """Qt override."""
        return QSize(320, 110)

    def show_frame(
        self,
        frame: SmallFrame | None,
        clip: Clip | None,
        place: int,
        joints: NDArray[np.float32] | None = None,
        links: NDArray[np.float32] | None = None,
        note: str = "",
    ) -> None:
        """Frame `place` of a clip over the picture nearest to it.

        joints: (V,) 0..1, sizes of circles. links: (V, V) 0..1, widths of bones. note: in the corner.
        """
        self._frame, self._clip, self._place = frame, clip, place
        self._joints, self._links, self._note = joints, links, note
        self.update()

    def set_mirror(self, mirror: bool) -> None:
        """Mirror the picture; data stay as they are."""
        self._mirror = mirror
        self.update()

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(self._colours.window))
        clip, frame = self._clip, self._frame
        if clip is None or frame is None:
            painter.setPen(QColor(self._colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No frame yet")
            return
        height, width = frame.bgr.shape[:2]
        part = self._crop(clip, frame.scale, (width, height))
        room = QRectF(QPointF(), part.size().scaled(QSizeF(self.size()), Qt.AspectRatioMode.KeepAspectRatio))
        room.moveCenter(QRectF(self.rect()).center())
        painter.setClipRect(room)
        if abs(frame.time_s - clip.time_s + (len(clip.xy_px) - 1 - self._place) / clip.fps) <= _NEAR_S:
            image = QImage(frame.bgr.data, width, height, 3 * width, QImage.Format.Format_BGR888)
            painter.drawImage(room, image.flipped(Qt.Orientation.Horizontal) if self._mirror else image, part)
        else:  # not kept any more
            painter.fillRect(room, QColor("#2b303a"))
        xy = clip.xy_px[self._place].astype(float) * frame.scale
        if self._mirror:
            xy[:, 0] = width - 1 - xy[:, 0]
        xy = (xy - (part.left(), part.top())) * (room.width() / part.width()) + (room.left(), room.top())
        self._paint_skeleton(painter, clip, xy, max(min(room.width(), room.height()) / _REFERENCE_PX, 0.4))
        painter.setClipping(False)
        self._paint_note(painter, room)

    def _crop(self, clip: Clip, scale: float, size: tuple[int, int]) -> QRectF:
        """The part of a picture of this size to show: the body in the whole clip, so that it does not jump from frame
        to frame, in the shape of the widget as far as the picture goes."""
        whole = QRectF(0, 0, *size)
        seen = clip.xy_px[clip.confidence > 0].astype(float) * scale
        if not len(seen):
            return whole
        low, high = seen.min(axis=0), seen.max(axis=0)
        margin = _MARGIN * float((high - low).max())
        wide, tall = (max(float(extent) + 2 * margin, _MIN_EXTENT * min(size)) for extent in high - low)
        shape = self.width() / max(self.height(), 1)
        part = QRectF(0, 0, min(max(wide, tall * shape), size[0]), min(max(tall, wide / shape), size[1]))
        x, y = (low + high) / 2
        part.moveCenter(QPointF(size[0] - 1 - x if self._mirror else x, y))
        part.moveLeft(min(max(part.left(), 0.0), size[0] - part.width()))
        part.moveTop(min(max(part.top(), 0.0), size[1] - part.height()))
        return part

    def _paint_skeleton(self, painter: QPainter, clip: Clip, xy: NDArray[np.float64], unit: float) -> None:
        """xy: (V, 2) in the widget."""
        seen = clip.confidence[self._place] > 0
        for a, b in clip.layout.edge_indices:
            if seen[a] and seen[b]:
                wide = 2.0 if self._links is None else 1.0 + 5.0 * float(max(self._links[a, b], self._links[b, a]))
                painter.setPen(QPen(QColor(255, 255, 255, 210), wide * unit))
                painter.drawLine(QLineF(QPointF(*xy[a]), QPointF(*xy[b])))
        if self._joints is None:
            return
        painter.setPen(QPen(QColor(10, 12, 16, 180), unit))
        colours = heat_rgb(self._joints)
        for joint in np.flatnonzero(seen):
            red, green, blue = (int(part) for part in colours[joint])
            painter.setBrush(QColor(red, green, blue, 220))
            radius = relevance_radius(float(self._joints[joint]), unit)
            painter.drawEllipse(QPointF(*xy[joint]), radius, radius)

    def _paint_note(self, painter: QPainter, room: QRectF) -> None:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.9)
        painter.setFont(font)
        area = painter.fontMetrics().boundingRect(self._note).adjusted(-6, -3, 6, 3)
        box = QRectF(6, 0, area.width(), area.height())  # beside the picture where there is room, and below raised arms
        box.moveBottom(room.bottom() - 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 22, 26, 190))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._note)
