"""The picture with skeletons and labels, or what there is to say while there is none."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.palette import LABEL_BACKGROUND
from app.results import Result
from app.ui.large_text import paint_large_text
from app.ui.live_run import RunView
from app.ui.messages import empty_message, notice
from app.ui.panel import Panel
from app.ui.people_painter import JointScores, Placement, fitted, paint_people
from app.ui.theme import Colours

_SIGN_SIZE, _DOT_SIZE = 0.16, 0.06  # of the countdown and of a take, in heights of the picture
_ROUND = 1.25  # the disc behind a sign, in heights of its letters
_FROZEN = "Frozen: Ctrl+F goes back to live"


class VideoView(QWidget, Panel):
    """Shows results. painted: once for each result, when it is on the screen. countdown_changed: its text changed.

    Nothing is drawn while nothing is new, and nothing at all while the window is minimised or hidden.
    """

    painted = Signal(object)  # Result
    countdown_changed = Signal()

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._result: Result | None = None
        self._held: Result | None = None
        self._advice = ""
        self._unpainted = False
        self._pixels: NDArray[np.uint8] | None = None
        self._mirror = False
        self._large_text = False
        self._black = False
        self._message = ("", "")
        self._notice = ""
        self._scores: JointScores | None = None
        self._countdown = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Video")

    def sizeHint(self) -> QSize:
        """Room for a common camera picture."""
        return QSize(860, 560)

    @property
    def result(self) -> Result | None:
        """The newest one."""
        return self._result

    @property
    def shown(self) -> Result | None:
        """What is shown: the one that is held, or the newest."""
        return self._held or self._result

    def hold(self, result: Result | None) -> None:
        """Freeze on this result; None goes back to the newest."""
        self._held, self._pixels = result, None
        self._refresh()

    def set_advice(self, text: str) -> None:
        """What the person in the picture can do for a better answer; "" for nothing."""
        if text != self._advice:
            self._advice = text
            self.setAccessibleDescription(text or " ".join(self._message).strip())
            self._refresh()

    def begin_run(self) -> None:
        """Empty the view."""
        self.show_result(None)

    def add_result(self, result: Result) -> None:
        """Show it at once."""
        self.show_result(result)

    def show_run(self, view: RunView) -> None:
        """What is said in place of a picture, and over one that stands still."""
        self.set_message(*empty_message(view))
        self.set_notice(notice(view))

    def show_result(self, result: Result | None) -> None:
        """Show a result; None empties the view."""
        self._result = result
        if self._held is None:
            self._pixels = None
            self._unpainted = result is not None
            self._refresh()

    def set_mirror(self, mirror: bool) -> None:
        """Mirror the picture; data and text stay as they are."""
        self._mirror, self._pixels = mirror, None
        self._refresh()

    def set_large_text(self, large: bool) -> None:
        """Write the action over the picture, readable from across a room."""
        self._large_text = large
        self._refresh()

    def set_message(self, title: str, hint: str = "") -> None:
        """What stands in the middle while there is no picture."""
        if (title, hint) != self._message:
            self._message = title, hint
            self.setAccessibleDescription(f"{title} {hint}".strip())
            self._refresh()

    def set_notice(self, text: str) -> None:
        """A short state over the picture, which is dimmed, like "Paused"; "" for none."""
        if text != self._notice:
            self._notice = text
            self._refresh()

    def set_black(self, black: bool) -> None:
        """Black around the picture, for the full screen."""
        self._black = black
        self._refresh()

    def set_countdown(self, text: str) -> None:
        """A large sign over the picture, in a corner: seconds before a take, a dot during it; "" for none."""
        if text != self._countdown:
            self._countdown = text
            self._refresh()
            self.countdown_changed.emit()

    def countdown_rect(self) -> QRect:
        """Where the sign of the countdown is, with the room that its largest text takes; empty where there is none."""
        if not self._countdown or self.shown is None:
            return QRect()
        return _countdown_box(self._picture_rect(self.shown), _SIGN_SIZE).toAlignedRect()

    def set_joint_scores(self, scores: JointScores | None) -> None:
        """Circles on a person's joints by their relevance, with the next picture; None takes them away."""
        if scores is None and self._scores is not None:
            self._refresh()
        self._scores = scores

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        self._refresh()

    def screenshot(self) -> QImage | None:
        """What is shown, in the picture's own resolution; None while there is no picture."""
        result = self.shown
        if result is None:
            return None
        width, height = result.frame.size
        image = QImage(width, height, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.setFont(self.font())
        place = Placement(QRectF(0, 0, width, height), (width, height), self._mirror)
        painter.drawImage(0, 0, self._image(result))
        paint_people(painter, result, place, self._scores)
        if self._large_text:
            paint_large_text(painter, result, QRectF(0, 0, width, height), float(height))
        painter.end()
        return image

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000" if self._black else self._colours.window))
        result = self.shown
        if result is None:
            self._paint_message(painter)
            return
        rect = self._picture_rect(result)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, self._image(result))
        painter.setClipRect(rect)
        paint_people(painter, result, Placement(rect, result.frame.size, self._mirror), self._scores)
        if self._notice:
            painter.fillRect(rect, QColor(0, 0, 0, 110))
            self._paint_pill(painter, rect, self._notice, 18, rect.center().y())
        elif line := _FROZEN if self._held is not None else self._advice:
            at_top = self._large_text  # which is at the bottom
            self._paint_pill(painter, rect, line, 15, rect.top() + 24 if at_top else rect.bottom() - 24)
        if self._countdown:
            self._paint_countdown(painter, rect)
        if self._large_text:
            paint_large_text(painter, result, rect, float(self.window().height()))
        painter.end()
        if self._unpainted and result is self._result:
            self._unpainted = False
            self.painted.emit(result)

    def _picture_rect(self, result: Result) -> QRectF:
        return QRectF(fitted(result.frame.size, QRectF(self.rect())).toAlignedRect().intersected(self.rect()))

    def _refresh(self) -> None:
        if self.isVisible() and not self.window().isMinimized():
            self.update()

    def _image(self, result: Result) -> QImage:
        """The frame for QPainter. Four bytes a pixel: QPainter scales that two to three times faster than BGR."""
        width, height = result.frame.size
        if self._pixels is None:
            bgr = result.frame.bgr
            self._pixels = np.asarray(cv2.cvtColor(cv2.flip(bgr, 1) if self._mirror else bgr, cv2.COLOR_BGR2BGRA))
        return QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)

    def _paint_message(self, painter: QPainter) -> None:
        title, hint = self._message
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(self._colours.border))
        painter.setBrush(QColor(self._colours.card))
        painter.drawRoundedRect(card, 8, 8)
        room = QRectF(0, 0, min(card.width() - 48, 560), 120)
        room.moveCenter(card.center())
        font = QFont(self.font())
        font.setPixelSize(22)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(self._colours.text))
        middle = QTextOption(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        metrics = QFontMetricsF(font)
        title = metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room.adjusted(0, 0, 0, -68), title, middle)
        font.setPixelSize(14)
        font.setWeight(QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(self._colours.muted))
        below = QTextOption(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        below.setWrapMode(QTextOption.WrapMode.WordWrap)
        painter.drawText(room.adjusted(0, 64, 0, 40), hint, below)

    def _paint_countdown(self, painter: QPainter, rect: QRectF) -> None:
        font = QFont(self.font())
        recording = not self._countdown.isdecimal()
        box = _countdown_box(rect, _DOT_SIZE if recording else _SIGN_SIZE)
        font.setPixelSize(round(box.height() / _ROUND))
        font.setWeight(QFont.Weight.Bold)
        painter.setFont(font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*LABEL_BACKGROUND, 200))
        painter.drawEllipse(box)
        painter.setPen(QColor("#ff5a52" if recording else "#ffffff"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._countdown)

    def _paint_pill(self, painter: QPainter, rect: QRectF, line: str, size_px: int, y: float) -> None:
        font = QFont(self.font())
        font.setPixelSize(size_px)
        font.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetricsF(font)
        text = metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, rect.width() - 60)
        pill = QRectF(0, 0, metrics.horizontalAdvance(text) + 2 * size_px, metrics.height() + 0.8 * size_px)
        pill.moveCenter(QPointF(rect.center().x(), y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*LABEL_BACKGROUND, 235))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setFont(font)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)


def _countdown_box(picture: QRectF, part: float) -> QRectF:
    size = max(picture.height() * part, 24.0)
    return QRectF(picture.right() - size * 1.5, picture.top() + size * 0.25, size * _ROUND, size * _ROUND)
