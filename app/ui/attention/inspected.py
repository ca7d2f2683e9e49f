"""One frame of the clip: picture and skeleton, joints sized by relevance, bones by the importance of their links."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.attention.heat import heat_rgb
from app.ui.attention.moments import SmallFrame
from app.ui.people_painter import fitted, relevance_radius
from app.ui.theme import Colours
from recognizer.types import Clip

_REFERENCE_PX = 300.0
_NEAR_S = 0.15  # a picture further from the pose's time is not shown


class InspectedFrame(QWidget):
    """Painted from the clip, which is at even times, over the nearest picture."""

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
        """Qt's."""
        return QSize(320, 190)

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
        """Another theme."""
        self._colours = colours
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(self._colours.window))
        clip, frame = self._clip, self._frame
        if clip is None or frame is None:
            painter.setPen(QColor(self._colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No frame yet")
            return
        height, width = frame.bgr.shape[:2]
        room = fitted((width, height), QRectF(self.rect()))
        painter.setClipRect(room)
        if abs(frame.time_s - clip.time_s + (len(clip.xy_px) - 1 - self._place) / clip.fps) <= _NEAR_S:
            image = QImage(frame.bgr.data, width, height, 3 * width, QImage.Format.Format_BGR888)
            painter.drawImage(room, image.flipped(Qt.Orientation.Horizontal) if self._mirror else image)
        else:  # not kept any more
            painter.fillRect(room, QColor("#2b303a"))
        self._paint_skeleton(painter, clip, frame.scale, room, width)
        self._paint_note(painter, room)

    def _paint_skeleton(self, painter: QPainter, clip: Clip, scale: float, room: QRectF, width: int) -> None:
        zoom = room.width() / width
        xy = clip.xy_px[self._place].astype(float) * scale
        if self._mirror:
            xy[:, 0] = width - 1 - xy[:, 0]
        xy = xy * zoom + (room.left(), room.top())
        seen = clip.confidence[self._place] > 0
        unit = max(min(room.width(), room.height()) / _REFERENCE_PX, 0.5)
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
        box = QRectF(room.left() + 6, room.top() + 6, area.width(), area.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 22, 26, 190))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._note)
