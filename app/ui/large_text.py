"""The actions in letters that can be read from across a room, at the lower edge of the picture."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.palette import person_rgb, state_text
from app.results import Result
from recognizer.decision import UNKNOWN

_SHARE = 0.16  # font size in the window's height: capitals and descenders together are more than an eighth
_WIDTH_SHARE = 0.92
_LEAST_PX = 8  # of a font; what is still too wide is shortened
_UNKNOWN_COLOUR = "#b4bac4"


def paint_large_text(painter: QPainter, result: Result, rect: QRectF, window_height: float) -> None:
    """Write everybody's action over the lower part of rect. One person's name may take two lines."""
    said = [(p.pose.person, p.decision, p.count) for p in result.persons if p.decision is not None]
    if not said:
        return
    size = min(window_height * _SHARE, rect.height() * 0.9 / len(said))
    bottom = rect.bottom()
    for person, decision, count in reversed(said):
        text = f"{person + 1} · {state_text(decision)}" if len(said) > 1 else state_text(decision)
        text = f"{text} {count}" if count else text
        lines, font = _lines(text, QFont(painter.font()), size, rect, wrap=len(said) == 1)
        height = QFontMetricsF(font).height() * len(lines)
        band = QRectF(rect.left(), bottom - height, rect.width(), height)
        painter.fillRect(band, QColor(0, 0, 0, 150))
        if len(said) > 1:
            painter.fillRect(QRectF(band.left(), band.top(), size * 0.08, height), QColor(*person_rgb(person)))
        painter.setFont(font)
        painter.setPen(QColor(_UNKNOWN_COLOUR if decision.action == UNKNOWN else "#ffffff"))
        painter.drawText(band, Qt.AlignmentFlag.AlignCenter, "\n".join(lines))
        bottom = band.top()


def _lines(text: str, font: QFont, size: float, rect: QRectF, *, wrap: bool) -> tuple[list[str], QFont]:
    """The text in one line or, between words, in two; smaller only where a word would not fit."""
    font.setWeight(QFont.Weight.Bold)
    font.setPixelSize(max(round(size), _LEAST_PX))
    room = rect.width() * _WIDTH_SHARE
    lines = [text]
    if wrap and QFontMetricsF(font).horizontalAdvance(text) > room and " " in text:
        lines = _halved(text)
    widest = _widest(lines, font)
    if widest > room:
        pixels = max(round(size * room / widest), _LEAST_PX)
        font.setPixelSize(pixels)
        while pixels > _LEAST_PX and _widest(lines, font) > room:  # letters do not shrink in proportion
            pixels -= 1
            font.setPixelSize(pixels)
        metrics = QFontMetricsF(font)
        lines = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in lines]
    return lines, font


def _widest(lines: list[str], font: QFont) -> float:
    return max(QFontMetricsF(font).horizontalAdvance(line) for line in lines)


def _halved(text: str) -> list[str]:
    """Two lines of words, as equal as can be."""
    words = text.split(" ")
    splits = ([" ".join(words[:i]), " ".join(words[i:])] for i in range(1, len(words)))
    return min(splits, key=lambda lines: max(len(line) for line in lines))
