"""The last minute: for each person a strip of actions, newest at the right."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.names_in_text import action_in_text
from app.palette import action_rgb, action_text, person_rgb, text_rgb
from app.results import PersonResult, Result
from app.ui.panel import Panel
from app.ui.theme import Colours
from pose.estimators import MAX_PEOPLE

SPAN_S = 60.0
_GAP_S = 1.0  # a person unseen for longer leaves a hole
_HANDOVER_S = 3.0  # a new person this soon after another left takes over the row: mostly it is the same person
_TICK_S = 10
_MAX_STRETCHES = 400
_ROW, _AXIS, _GUTTER, _PAD = 30, 22, 34, 12


@dataclass(slots=True)
class Stretch:
    """One action without a break, in seconds of the source's clock."""

    action: str
    start_s: float
    end_s: float


class History:
    """Who did what in the last SPAN_S seconds; MAX_PEOPLE persons at most, those seen last.

    rows: by person, from the top. A row stays where it is when its person is lost and found again as another one.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self.rows: dict[int, list[Stretch]] = {}

    def clear(self) -> None:
        """Forget everything, for a new run."""
        self.now_s = 0.0
        self.rows.clear()

    def add(self, result: Result) -> None:
        """Take in a result; its time is not before that of the last one."""
        self.now_s = result.frame.time_s
        present = {person.pose.person for person in result.persons}
        for person in sorted(result.persons, key=lambda person: person.pose.person):
            if person.decision is not None and person.pose.person not in self.rows:
                self._hand_over(person.pose.person, present)
            self._add(person)
        for stretches in self.rows.values():
            while stretches and (stretches[0].end_s < self.now_s - SPAN_S or len(stretches) > _MAX_STRETCHES):
                stretches.pop(0)
        kept = sorted((p for p, row in self.rows.items() if row), key=lambda p: -self.rows[p][-1].end_s)[:MAX_PEOPLE]
        self.rows = {person: row for person, row in self.rows.items() if person in kept}

    def _hand_over(self, newcomer: int, present: set[int]) -> None:
        """The row of the last person to leave goes to the newcomer."""
        left = [
            p for p, row in self.rows.items() if p not in present and row and self.now_s - row[-1].end_s <= _HANDOVER_S
        ]
        if left:
            last = max(left, key=lambda p: self.rows[p][-1].end_s)
            self.rows = {newcomer if p == last else p: row for p, row in self.rows.items()}

    def _add(self, person: PersonResult) -> None:
        decision = person.decision
        if decision is None:
            return
        row = self.rows.setdefault(person.pose.person, [])
        last = row[-1] if row else None
        joins = last is not None and self.now_s - last.end_s <= _GAP_S
        if last is not None and joins and last.action == decision.action:
            last.end_s = self.now_s
            return
        earliest_s = 0.0 if last is None else last.start_s if joins else last.end_s
        start_s = min(max(decision.since_s, earliest_s), self.now_s)
        if last is not None and joins:  # decisions lag: date the change back to when it happened
            last.end_s = start_s
            if last.end_s <= last.start_s:
                row.pop()
        row.append(Stretch(decision.action, start_s, self.now_s))


class Timeline(QWidget, Panel):
    """Paints a History; it is drawn when refresh() is called, not with every result."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history = History()
        self._colours = colours
        self._rows_shown = 0
        self._drawn: list[tuple[QRectF, Stretch]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Actions of the last minute")
        self._fit_rows()

    def sizeHint(self) -> QSize:
        """A row for each person."""
        return QSize(480, max(self._rows_shown, 1) * _ROW + _AXIS + _PAD)

    def refresh(self) -> None:
        """Draw what has been added."""
        self._fit_rows()
        self.update()

    def add_result(self, result: Result) -> None:
        """Drawn with the next refresh."""
        self.history.add(result)

    def begin_run(self) -> None:
        """Forget everything."""
        self.history.clear()
        self.refresh()

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        self.update()

    def _fit_rows(self) -> None:
        rows = max(len(self.history.rows), 1)
        if rows != self._rows_shown:
            self._rows_shown = rows
            self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(self._colours.border))
        painter.setBrush(QColor(self._colours.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        self._paint_axis(painter)
        self._drawn = []
        for number, (person, stretches) in enumerate(self.history.rows.items()):
            self._paint_row(painter, _PAD / 2 + number * _ROW, person, stretches)
        if not self.history.rows:
            painter.setPen(QColor(self._colours.muted))
            empty = self._strip(_PAD / 2)
            painter.drawText(empty, Qt.AlignmentFlag.AlignCenter, "The actions of the last minute appear here")

    def _strip(self, top: float) -> QRectF:
        return QRectF(_GUTTER, top + 4, max(self.width() - _GUTTER - _PAD, 1), _ROW - 6)

    def _x(self, time_s: float, strip: QRectF) -> float:
        return strip.right() - (self.history.now_s - time_s) / SPAN_S * strip.width()

    def _paint_axis(self, painter: QPainter) -> None:
        strip = self._strip(_PAD / 2)
        bottom = self.height() - _AXIS
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.88)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        free = float(self.width())  # up to the last label, from the right
        for ago_s in range(0, int(SPAN_S) + 1, _TICK_S):
            x = strip.right() - ago_s / SPAN_S * strip.width()
            text = "now" if ago_s == 0 else f"-{ago_s} s"
            width = metrics.horizontalAdvance(text) + 2
            left = min(max(x - width / 2, strip.left() - 14), self.width() - width - 6)
            painter.setPen(QColor(self._colours.border))
            painter.drawLine(round(x), round(_PAD / 2), round(x), round(bottom))
            if left + width > free:  # it would touch its neighbour
                continue
            free = left - metrics.horizontalAdvance(" ")
            painter.setPen(QColor(self._colours.muted))
            painter.drawText(QRectF(left, bottom, width, _AXIS - 4), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_row(self, painter: QPainter, top: float, person: int, stretches: list[Stretch]) -> None:
        strip = self._strip(top)
        painter.setFont(self.font())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*person_rgb(person)))
        painter.drawRoundedRect(QRectF(8, strip.top() + 3, 4, strip.height() - 6), 2, 2)
        painter.setPen(QColor(self._colours.muted))
        number = QRectF(12, strip.top(), _GUTTER - 14, strip.height())
        painter.drawText(number, Qt.AlignmentFlag.AlignCenter, str(person + 1))
        painter.save()
        painter.setClipRect(strip)
        for stretch, box in self._boxes(stretches, strip):
            self._paint_stretch(painter, stretch, box, strip)
            self._drawn.append((box, stretch))
        painter.restore()

    def _boxes(self, stretches: list[Stretch], strip: QRectF) -> Iterator[tuple[Stretch, QRectF]]:
        for stretch in stretches:
            left, right = self._x(stretch.start_s, strip), self._x(stretch.end_s, strip)
            if right >= strip.left():
                yield stretch, QRectF(left, strip.top(), max(right - left - 1, 1.5), strip.height())

    def _paint_stretch(self, painter: QPainter, stretch: Stretch, box: QRectF, strip: QRectF) -> None:
        rgb = action_rgb(stretch.action)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*rgb))
        painter.drawRoundedRect(box, 4, 4)
        room = box.intersected(strip).adjusted(6, 0, -4, 0)
        metrics = QFontMetricsF(painter.font())
        name = action_text(stretch.action)
        if room.width() < min(metrics.horizontalAdvance(name), metrics.horizontalAdvance("mmm…")):
            return
        painter.setPen(QColor(*text_rgb(rgb)))
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def event(self, event: QEvent) -> bool:
        """Qt override: action and duration as a tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            for box, stretch in self._drawn:
                if box.contains(event.pos()):
                    lasted_s = stretch.end_s - stretch.start_s
                    QToolTip.showText(event.globalPos(), f"{action_in_text(stretch.action)}, {lasted_s:.1f} s", self)
                    return True
        return super().event(event)
