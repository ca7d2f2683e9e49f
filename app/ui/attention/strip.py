"""The heat strip under the video: the clip's frames as small skeletons, each as bright as its score."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.outputs.heat import heat_rgb
from app.ui.theme import Colours
from recognizer.clips import Clip

_CELLS, _PAD = 70, 10
_FAINT = 0.25  # opacity of a skeleton whose score is 0
_LIGHT = 340  # sum of red, green and blue from which on a cell takes a dark skeleton


class HeatStrip(QWidget):
    """picked: the place of the frame that the user points at with a button held or the arrow keys; None for none.

    The small skeletons have one scale for the whole clip, so that a jump is seen as one.
    """

    picked = Signal(object)  # int | None

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._clip: Clip | None = None
        self._scores: NDArray[np.float64] = np.zeros(0)
        self._title, self._empty = "", ""
        self._frozen, self._age_s = False, 0.0
        self._pick: int | None = None
        line = self.fontMetrics().height()
        self._heading, self._axis = line + 2, line
        self.setFixedHeight(_CELLS + self._heading + self._axis)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Frames of the clip by attention")

    def sizeHint(self) -> QSize:
        """Qt override."""
        return QSize(480, self.height())

    @property
    def scores(self) -> NDArray[np.float64]:
        """(T,) of what is shown, 0..1; nan where there is none."""
        return self._scores

    @property
    def pick(self) -> int | None:
        """Place of the picked frame."""
        return self._pick

    def show_clip(
        self,
        clip: Clip | None,
        scores: NDArray[np.floating],
        title: str,
        empty: str = "",
        *,
        frozen: bool = False,
        age_s: float = 0.0,
    ) -> None:
        """A clip with a score of 0..1 for each frame; without a clip, why there is none. frozen: it is past. age_s: of
        its end, before now or before the frozen moment.

        A frame without a score, nan, is neither faint nor coloured.
        """
        self._clip = clip
        self._scores = np.clip(np.asarray(scores, float), 0, 1) if clip is not None else np.zeros(0)
        self._title, self._empty, self._frozen, self._age_s = title, empty, frozen, age_s
        if self._pick is not None and self._pick >= len(self._scores):
            self.set_pick(None)
        self.update()

    def set_pick(self, place: int | None) -> None:
        """Point at a frame, or at none."""
        if place is not None:
            place = min(max(place, 0), len(self._scores) - 1) if len(self._scores) else None
        if place != self._pick:
            self._pick = place
            self.update()
            self.picked.emit(place)

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        self.update()

    def cell(self, place: int) -> QRectF:
        """Where a frame is drawn."""
        wide = (self.width() - 2 * _PAD) / max(len(self._scores), 1)
        return QRectF(_PAD + place * wide, self._heading + 4, wide, self.height() - self._heading - self._axis - 6)

    def frame_at(self, x: float) -> int | None:
        """Which frame is at this place across."""
        count = len(self._scores)
        if not count or not _PAD <= x <= self.width() - _PAD:
            return None
        return min(int((x - _PAD) / (self.width() - 2 * _PAD) * count), count - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = self.hasFocus()
        painter.setPen(QPen(QColor(self._colours.accent if focused else self._colours.border), 2 if focused else 1))
        painter.setBrush(QColor(self._colours.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.setPen(QColor(self._colours.muted))
        if self._clip is None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._empty)
            return
        heading = QRectF(_PAD, 3, self.width() - 2 * _PAD, self._heading)
        painter.drawText(heading, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._title)
        self._paint_axis(painter)
        colours = heat_rgb(self._scores)
        fit = _vertical_extent(self._clip)
        for place, score in enumerate(self._scores):
            area = self.cell(place)
            if np.isnan(score):
                back, pen, opacity = QColor(self._colours.track), QColor(self._colours.text), 1.0
            else:
                back = QColor(*(int(part) for part in colours[place]))
                pen = QColor("#15171c" if colours[place].astype(int).sum() > _LIGHT else "#ffffff")
                opacity = _FAINT + (1 - _FAINT) * float(score)
            painter.fillRect(area.adjusted(0.5, 0, -0.5, 0), back)
            pen.setAlphaF(opacity)
            self._paint_skeleton(painter, place, area, fit, pen)
        if self._pick is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in (("#15171c", 5), ("#ffffff", 2.5)):  # seen on any colour of a cell
                painter.setPen(QPen(QColor(colour), width))
                painter.drawRect(self.cell(self._pick))

    def _paint_axis(self, painter: QPainter) -> None:
        assert self._clip is not None
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        area = QRectF(_PAD, self.height() - self._axis - 1, self.width() - 2 * _PAD, self._axis)
        span_s = (len(self._scores) - 1) / self._clip.fps
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._when(span_s))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._when(0))

    def _when(self, before_end_s: float) -> str:
        return before(before_end_s + self._age_s, self._frozen)

    def _paint_skeleton(
        self, painter: QPainter, place: int, area: QRectF, fit: tuple[float, float], colour: QColor
    ) -> None:
        clip = self._clip
        assert clip is not None
        seen = clip.confidence[place] > 0
        if not seen.any():
            return
        top, size = fit
        inner = area.adjusted(1, 3, -1, -3)
        scale = inner.height() / size
        xy = clip.xy_px[place].astype(float)
        middle = (xy[seen, 0].min() + xy[seen, 0].max()) / 2  # each in the middle of its cell
        x = inner.center().x() + (xy[:, 0] - middle) * scale
        y = inner.top() + (xy[:, 1] - top) * scale
        painter.setPen(QPen(colour, 1.4))
        painter.save()
        painter.setClipRect(area)
        bones = [(a, b) for a, b in clip.layout.edge_indices if seen[a] and seen[b]]
        painter.drawLines([QLineF(QPointF(x[a], y[a]), QPointF(x[b], y[b])) for a, b in bones])
        painter.restore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override: points at a frame."""
        self.set_pick(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt override: while a button is held."""
        place = self.frame_at(event.position().x())
        if place is not None:
            self.set_pick(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt override: points at none."""
        self.set_pick(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: the arrow keys go through the frames."""
        last = len(self._scores) - 1
        here = last if self._pick is None else self._pick
        key = event.key()
        if key == Qt.Key.Key_Left and last >= 0:
            self.set_pick(here if self._pick is None else here - 1)
        elif key == Qt.Key.Key_Right and last >= 0:
            self.set_pick(here + 1)
        elif key == Qt.Key.Key_Home and last >= 0:
            self.set_pick(0)
        elif key == Qt.Key.Key_End and last >= 0:
            self.set_pick(last)
        elif key == Qt.Key.Key_Escape and self._pick is not None:
            self.set_pick(None)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Qt override: the frame's time and score as a tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._clip is not None:
            place = self.frame_at(event.pos().x())
            if place is not None:
                when = self._when((len(self._scores) - 1 - place) / self._clip.fps)
                score = "" if np.isnan(self._scores[place]) else f": {self._scores[place]:.2f}"
                text = f"frame {place + 1} of {len(self._scores)}, {when}{score}"
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)


def before(seconds: float, frozen: bool) -> str:
    """How long before now, or before the moment that is frozen."""
    if seconds < 0.025:
        return "frozen moment" if frozen else "now"
    return f"{seconds:.2f} s {'before' if frozen else 'ago'}"


def _vertical_extent(clip: Clip) -> tuple[float, float]:
    """Top and height of what holds the seen joints of all frames."""
    seen = clip.confidence > 0
    if not seen.any():
        return 0.0, 1.0
    y = clip.xy_px[seen][:, 1].astype(float)
    return float(y.min()), max(float(y.max() - y.min()), 1.0)
