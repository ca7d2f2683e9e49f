"""Plays a segment with its skeleton, and sets its in and out points on a bar of motion."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QSizePolicy, QVBoxLayout, QWidget

from app.library.motion import motion_energy
from app.library.rows import SegmentRow
from app.palette import action_rgb, person_rgb
from app.ui.elided_label import ElidedLabel
from app.ui.library.frames import Stretch
from app.ui.people_painter import fitted
from app.ui.theme import Colours

_STEP_MS = 33
_BAR_PX = 64
_SEGMENT_PX = 7  # of each segment, as a stripe of its action's colour
_GRIP_PX = 6
_SHORTEST_S = 0.1  # of a segment
_OTHERS_ALPHA = 90  # of people whom the segment is not of
SPEEDS = (0.25, 0.5, 1.0, 2.0)
LOADING = "Loading …"


class Player(QWidget):
    """moved: the time that is shown. bounds_changed: in and out were set. Keys are the window's."""

    moved = Signal(float)
    bounds_changed = Signal(float, float)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self.stretch: Stretch | None = None
        self.problem = ""  # why what was chosen cannot be shown
        self.loading = False  # another stretch is being read: bounds, time and stretch are of what was shown before
        self.person = 0
        self.bounds = (0.0, 0.0)
        self.time_s = 0.0
        self.speed = 1.0
        self.picture = _Picture(self)
        self.bar = _MotionBar(self)
        self.status = ElidedLabel()
        self.status.setObjectName("muted")
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._advance)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture, 1)
        column.addWidget(self.bar)
        column.addWidget(self.status)

    @property
    def colours(self) -> Colours:
        """Of the theme."""
        return self._colours

    @property
    def duration_s(self) -> float:
        """Of the recording."""
        return self.stretch.recording.info.duration_s if self.stretch is not None else 0.0

    def show_stretch(self, stretch: Stretch | None, person: int, start_s: float, end_s: float) -> None:
        """A segment of a recording, from its beginning; None shows nothing."""
        self.stretch, self.bounds, self.loading, self.problem = stretch, (start_s, end_s), False, ""
        if stretch is None:
            self.bar.segments = ()
            self._timer.stop()
        self.bar.cancel_drag()
        self.choose_person(person)
        self.seek(start_s)

    def begin_loading(self) -> None:
        """Another excerpt is being read; bounds of the old one cannot be edited meanwhile."""
        self.loading = True
        self.bar.cancel_drag()
        self.picture.update()
        self._update_status()

    def choose_person(self, person: int) -> None:
        """Whose motion is on the bar, and whose skeleton is bright."""
        self.person = person
        self.bar.energy = np.zeros(0), np.zeros(0, np.float32)
        if self.stretch is not None:
            self.bar.energy = motion_energy(self.stretch.recording, person)
        self.update()
        self._update_status()

    def seek(self, time_s: float) -> None:
        """Show a time."""
        self.time_s = min(max(time_s, 0.0), self.duration_s)
        self.picture.update()
        self.bar.update()
        self._update_status()
        self.moved.emit(self.time_s)

    def step(self, seconds: float, *, loop: bool = False) -> None:
        """Forward or back; in a loop within the segment."""
        time_s = self.time_s + seconds
        if loop and time_s > self.bounds[1]:
            time_s = self.bounds[0]
        self.seek(time_s)

    def _advance(self) -> None:
        if not self.loading:
            self.step(self.speed * _STEP_MS / 1000, loop=True)

    def toggle(self) -> None:
        """Play in a loop, or pause."""
        if self._timer.isActive():
            self._timer.stop()
        elif self.stretch is not None:
            self._timer.start()
        self._update_status()

    def pause(self) -> None:
        """Pause playback."""
        self._timer.stop()
        self._update_status()

    def change_speed(self, by: int) -> None:
        """To the next speed of SPEEDS, up or down."""
        self.speed = SPEEDS[min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)]
        self._update_status()

    def show_segments(self, segments: Sequence[SegmentRow]) -> None:
        """The segments of the recording, as stripes on the bar."""
        self.bar.segments = tuple(segments)
        self.bar.update()

    def drag(self, which: int, time_s: float) -> None:
        """Move the segment's beginning (0) or end (1) without keeping it yet."""
        start_s, end_s = self.bounds
        time_s = min(max(time_s, 0.0), self.duration_s)
        self.bounds = (
            (min(time_s, end_s - _SHORTEST_S), end_s) if which == 0 else (start_s, max(time_s, start_s + _SHORTEST_S))
        )
        self.seek(time_s)

    def show_bounds(self, start_s: float, end_s: float) -> None:
        """Those of the segment, or of the whole recording."""
        self.bounds = start_s, end_s
        self.bar.update()
        self._update_status()

    def commit_bounds(self) -> None:
        """Save the dragged bounds."""
        self._set(*self.bounds)

    def set_in(self) -> None:
        """The segment begins here."""
        start_s = min(self.time_s, self.duration_s - _SHORTEST_S)
        self._set(start_s, max(self.bounds[1], start_s + _SHORTEST_S))

    def set_out(self) -> None:
        """The segment ends here."""
        end_s = max(self.time_s, _SHORTEST_S)
        self._set(min(self.bounds[0], end_s - _SHORTEST_S), end_s)

    def _set(self, start_s: float, end_s: float) -> None:
        start_s, end_s = max(start_s, 0.0), min(end_s, self.duration_s)
        if self.stretch is not None and not self.loading and end_s > start_s:
            self.show_bounds(start_s, end_s)
            self.bounds_changed.emit(start_s, end_s)

    def _update_status(self) -> None:
        if self.loading or self.stretch is None:
            self.status.setText(LOADING if self.loading else "")
            return
        start_s, end_s = self.bounds
        persons = sorted(self.stretch.recording.persons())
        number = persons.index(self.person) + 1 if self.person in persons else 0
        parts = [
            f"{self.time_s:.2f} of {self.duration_s:.1f} s",
            f"segment {start_s:.2f} to {end_s:.2f} ({end_s - start_s:.1f} s)",
            "playing" if self._timer.isActive() else "stopped",
            *([f"{self.speed:g}x"] if self.speed != 1 else []),
            *([f"person {number or 'not'} of {len(persons)}"] if len(persons) > 1 else []),
        ]
        self.status.setText(" · ".join(parts))

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        for part in (self.picture, self.bar):
            part.update()


class _Picture(QWidget):
    def __init__(self, player: Player) -> None:
        super().__init__(player)
        self._player = player
        self.setMinimumSize(240, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("The segment")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor("#0c0d10"))
        if self._player.stretch is not None:
            self._paint_stretch(painter, self._player.stretch)
        if self._player.loading or self._player.stretch is None:
            painter.fillRect(self.rect(), QColor(12, 13, 16, 190))  # over what was shown before
            painter.setPen(QColor("#a0a7b4"))
            room = self.rect().adjusted(20, 20, -20, -20)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.placeholder)

    @property
    def placeholder(self) -> str:
        """The text in place of a picture."""
        return LOADING if self._player.loading else self._player.problem or "Select a segment or a recording"

    def _paint_stretch(self, painter: QPainter, stretch: Stretch) -> None:
        size = stretch.recording.info.size
        room = fitted(size, QRectF(self.rect()))
        bgr = stretch.picture_at(self._player.time_s)
        if bgr is not None:
            height, width = bgr.shape[:2]
            painter.drawImage(room, QImage(bgr.data, width, height, 3 * width, QImage.Format.Format_BGR888))
        scale = room.width() / max(size[0], 1)
        for person, xy, confidence in stretch.poses_at(stretch.frame_time_at(self._player.time_s)):
            points = xy.astype(float) * scale + (room.left(), room.top())
            self._skeleton(painter, points, confidence, person)

    def _skeleton(
        self, painter: QPainter, points: NDArray[np.float64], confidence: NDArray[np.float32], person: int
    ) -> None:
        assert self._player.stretch is not None
        colour = QColor(*person_rgb(person))
        if person != self._player.person:
            colour.setAlpha(_OTHERS_ALPHA)
        painter.setPen(QPen(colour, 2.2))
        seen = confidence > 0.1
        edges = self._player.stretch.recording.layout.edge_indices
        lines = [QLineF(QPointF(*points[a]), QPointF(*points[b])) for a, b in edges if seen[a] and seen[b]]
        painter.drawLines(lines)


class _MotionBar(QWidget):
    """Motion over the recording; the segment is bright. A press goes there."""

    def __init__(self, player: Player) -> None:
        super().__init__(player)
        self._player = player
        self.energy: tuple[NDArray[np.float64], NDArray[np.float32]] = (np.zeros(0), np.zeros(0, np.float32))
        self.segments: tuple[SegmentRow, ...] = ()
        self._dragged: int | None = None
        self._pressed_x = 0.0
        self._moved = False  # far enough for a drag
        self.setFixedHeight(_BAR_PX)
        self.setAccessibleName("Motion over time, with the segment's beginning and end")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter, colours = QPainter(self), self._player.colours
        painter.fillRect(self.rect(), QColor(colours.track))
        if self._player.stretch is None or not self._player.duration_s:
            return
        start, end = (self._x(bound) for bound in self._player.bounds)
        painter.fillRect(QRectF(start, 0, max(end - start, 2), self.height()), QColor(colours.hover))
        lines = self._energy_lines()
        painter.setPen(QPen(QColor(colours.accent), max(self.width() / max(len(lines), 1), 1.0)))
        painter.drawLines(lines)
        for segment in self.segments:
            colour = QColor(*action_rgb(segment.action)) if segment.action is not None else QColor(colours.muted)
            left, right = self._x(segment.start_s), self._x(segment.end_s)
            painter.fillRect(QRectF(left + 1, 0, max(right - left - 2, 2), _SEGMENT_PX), colour)
        painter.setPen(QPen(QColor(colours.text), 2))
        for x in (start, end):
            painter.drawLine(QLineF(x, 0, x, self.height()))
        painter.setPen(QPen(QColor(colours.warning), 2))
        here = self._x(self._player.time_s)
        painter.drawLine(QLineF(here, 0, here, self.height()))

    def _energy_lines(self) -> list[QLineF]:
        """One line for each column of pixels that holds a pose: the most energy there."""
        times_s, energy = self.energy
        columns = np.round(times_s / max(self._player.duration_s, 1e-9) * (self.width() - 1)).astype(int)
        there, first = np.unique(columns, return_index=True)
        if not len(there):
            return []
        room, most = self.height() - _SEGMENT_PX, np.maximum.reduceat(energy, first)
        pairs = zip(there.tolist(), most.tolist(), strict=True)
        return [QLineF(x, self.height(), x, self.height() - value * room) for x, value in pairs]

    def _x(self, time_s: float) -> float:
        return time_s / max(self._player.duration_s, 1e-9) * (self.width() - 1)

    def cancel_drag(self) -> None:
        """End a drag: another segment is shown."""
        self._dragged = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override: goes there, and takes hold of the segment's end if it is near."""
        if self._player.loading or event.button() != Qt.MouseButton.LeftButton:
            return
        self._player.pause()
        self._pressed_x, self._moved = event.position().x(), False
        away = [abs(self._x(bound) - event.position().x()) for bound in self._player.bounds]
        self._dragged = away.index(min(away)) if min(away) <= _GRIP_PX else None
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt override."""
        if self._player.loading or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        self._moved |= abs(event.position().x() - self._pressed_x) >= QApplication.startDragDistance()
        time_s = event.position().x() / max(self.width() - 1, 1) * self._player.duration_s
        if self._dragged is None or not self._moved:
            self._player.seek(time_s)
        else:
            self._player.drag(self._dragged, time_s)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt override."""
        if event.button() == Qt.MouseButton.LeftButton and self._dragged is not None:
            self._dragged = None
            if self._moved:
                self._player.commit_bounds()
