"""Under the picture of a video file: where it is, what was recognised in all of it, and how to move in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.capture.playback import SPEEDS
from app.names_in_text import action_in_text
from app.palette import action_rgb
from app.ui.event_list import clock_text, is_again
from app.ui.picker import Picker
from app.ui.theme import Colours

_ROW = 7.0
_MAX_ROWS = 4
_KEY_S = 5.0


@dataclass(frozen=True, slots=True)
class RecognizedSpan:
    """An action of a person, in seconds of the file."""

    person: int
    action: str
    start_s: float
    end_s: float


class SeekTrack(QWidget):
    """Everything recognised so far, over the whole file. seek_requested: a place was chosen, in seconds of the file."""

    seek_requested = Signal(float)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.at_s, self.length_s = 0.0, 0.0
        self.found: list[RecognizedSpan] = []
        self._colours = colours
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Position in the file")
        self.setFixedHeight(self.sizeHint().height())
        self.setToolTip("Click to go there; Left and Right go back and forward five seconds")

    def sizeHint(self) -> QSize:
        """Qt override."""
        return QSize(300, int(_MAX_ROWS * _ROW) + 8)

    def show_position(self, at_s: float, length_s: float) -> None:
        """Where it is."""
        if (at_s, length_s) != (self.at_s, self.length_s):
            self.at_s, self.length_s = at_s, length_s
            self.update()

    def add(self, found: RecognizedSpan) -> None:
        """Add an action; it replaces an overlapping one of the same person."""
        span = found.start_s, found.end_s
        self.found = [
            old for old in self.found if old.person != found.person or not is_again(span, (old.start_s, old.end_s))
        ]
        self.found.append(found)
        self.update()

    def clear(self) -> None:
        """Another file."""
        self.found, self.at_s, self.length_s = [], 0.0, 0.0
        self.update()

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colours.track))
        painter.drawRoundedRect(self._groove(), 3, 3)
        rows = sorted({found.person for found in self.found})[-_MAX_ROWS:]
        height = self._groove().height() / max(len(rows), 1)
        for found in self.found:
            if found.person in rows and self.length_s > 0:
                left, right = self._x(found.start_s), self._x(found.end_s)
                top = self._groove().top() + rows.index(found.person) * height
                painter.setBrush(QColor(*action_rgb(found.action)))
                painter.drawRect(QRectF(left, top + 0.5, max(right - left, 1.5), height - 1))
        painter.setBrush(QColor(self._colours.accent if self.hasFocus() else self._colours.text))
        painter.drawRoundedRect(QRectF(self._x(self.at_s) - 1.5, 0, 3, self.height()), 1.5, 1.5)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._colours.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._seek_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt override: while a button is pressed."""
        self._seek_to(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override."""
        places = {
            Qt.Key.Key_Left: self.at_s - _KEY_S,
            Qt.Key.Key_Right: self.at_s + _KEY_S,
            Qt.Key.Key_Home: 0.0,
            Qt.Key.Key_End: self.length_s,
        }
        place = places.get(Qt.Key(event.key()))
        if place is None:
            super().keyPressEvent(event)
        else:
            self.seek_requested.emit(min(max(place, 0.0), self.length_s))

    def _seek_to(self, at: QPointF) -> None:
        groove = self._groove()
        share = (at.x() - groove.left()) / max(groove.width(), 1.0)
        self.seek_requested.emit(min(max(share, 0.0), 1.0) * self.length_s)

    def _groove(self) -> QRectF:
        return QRectF(self.rect()).adjusted(4, 4, -4, -4)

    def _x(self, time_s: float) -> float:
        groove = self._groove()
        return groove.left() + (time_s / self.length_s if self.length_s else 0.0) * groove.width()


class SeekBar(QFrame):
    """The track with its buttons. stepped: frames, negative for back. looped, speed_chosen: the new setting."""

    stepped = Signal(int)
    looped = Signal(bool)
    speed_chosen = Signal(float)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.track = SeekTrack(colours)
        self.back = _button("◂", "One frame back (while paused)", lambda: self.stepped.emit(-1))
        self.forward = _button("▸", "One frame forward (while paused)", lambda: self.stepped.emit(1))
        self.loop = _button("↻", "Start again at the end", lambda: self.looped.emit(self.loop.isChecked()))
        self.loop.setCheckable(True)
        self.speed = Picker()
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Speed")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}x", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.speed.activated.connect(lambda row: self.speed_chosen.emit(SPEEDS[row]))
        self.time = QLabel()
        self.time.setObjectName("muted")
        self.time.setMinimumWidth(int(QFontMetricsF(self.font()).horizontalAdvance("00:00.0 / 00:00.0")) + 8)
        self.time.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(6)
        for part in (self.back, self.forward, self.loop, self.speed):
            row.addWidget(part)
        row.addWidget(self.track, 1)
        row.addWidget(self.time)

    def show_position(self, at_s: float, length_s: float) -> None:
        """Where it is."""
        self.track.show_position(at_s, length_s)
        self.time.setText(f"{clock_text(at_s)} / {clock_text(length_s)}")

    def show_spans(self, found: Sequence[RecognizedSpan]) -> None:
        """What was recognised."""
        for each in found:
            self.track.add(each)
            self.track.setAccessibleDescription(f"{action_in_text(each.action)} until {clock_text(each.end_s)}")

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.track.set_colours(colours)


def _button(text: str, tip: str, do: Callable[[], None]) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFixedSize(28, 28)
    button.clicked.connect(lambda: do())
    return button
