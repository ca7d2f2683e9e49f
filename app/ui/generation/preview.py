"""A synthetic clip as a moving skeleton, in a loop."""

import time

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.live.generation import SIZE_PX, provenance_text, result_at
from app.ui.people_painter import Placement, fitted, paint_people
from recognizer.generator import GeneratedClip

_STEP_MS = 33
_BACKGROUND, _MUTED = QColor("#0c0d10"), QColor("#a0a7b4")
_PAUSE_S = 0.4  # at the end, before it begins again


class Preview(QWidget):
    """playing: whether it moves. clip: what is shown; None while a line says why there is nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clip: GeneratedClip | None = None
        self.playing = True
        self.time_s = 0.0
        self._line = ""
        self._last_s = 0.0
        self.setMinimumSize(200, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Synthetic clip")
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._tick)

    def sizeHint(self) -> QSize:
        """Qt override."""
        return QSize(*SIZE_PX)

    def show_clip(self, clip: GeneratedClip) -> None:
        """Show another clip, at the same playback time."""
        self.clip = clip
        self.time_s = min(self.time_s, clip.duration_s)
        self.setAccessibleDescription(provenance_text(clip))
        self.play(self.playing)

    def show_line(self, line: str) -> None:
        """Show why there is no clip."""
        self.clip, self._line = None, line
        self._timer.stop()
        self.update()

    def play(self, playing: bool) -> None:
        """Play or pause."""
        self.playing, self._last_s = playing, time.perf_counter()
        if playing and self.clip is not None:
            self._timer.start()
        else:
            self._timer.stop()
        self.update()

    def stop(self) -> None:
        """The window is closing."""
        self._timer.stop()

    def _tick(self) -> None:
        now_s = time.perf_counter()
        self.advance(now_s - self._last_s)
        self._last_s = now_s

    def advance(self, seconds: float) -> None:
        """Advance the playback; it restarts a moment after the end."""
        if self.clip is not None:
            self.time_s = (self.time_s + seconds) % (self.clip.duration_s + _PAUSE_S)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self.clip is None:
            painter.setPen(_MUTED)
            room = self.rect().adjusted(24, 12, -24, -12)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._line)
            return
        place = Placement(fitted(SIZE_PX, QRectF(self.rect())), SIZE_PX)
        paint_people(painter, result_at(self.clip, self.time_s), place)
