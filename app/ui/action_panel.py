"""What one person does now: the action in large letters, how long, why unknown, and the five likeliest as bars."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.names_in_text import action_in_text
from app.palette import action_rgb, action_text, is_ending, person_rgb, reason_text, state_text, view_text
from app.plurals import counted
from app.results import PersonResult, Result
from app.ui.elided_label import ElidedLabel
from app.ui.panel import Panel
from app.ui.theme import Colours
from pose.estimators import MAX_PEOPLE
from recognizer.decision import UNKNOWN

BARS = 5
_CHIP = 28


class ActionBars(QWidget):
    """Up to five actions with their probabilities, the likeliest first."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self.top: tuple[tuple[str, float], ...] = ()
        self._row_height = self.fontMetrics().height() + 15
        self.setFixedHeight(BARS * self._row_height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Most likely actions")

    def sizeHint(self) -> QSize:
        """Qt override."""
        return QSize(260, BARS * self._row_height)

    def show_top(self, top: Sequence[tuple[str, float]]) -> None:
        """Actions with their probabilities."""
        if tuple(top[:BARS]) != self.top:
            self.top = tuple(top[:BARS])
            self.setAccessibleDescription(", ".join(f"{action_in_text(a)} {_percent(p)}" for a, p in self.top))
            self.update()

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self._colours = colours
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in range(BARS):
            area = QRectF(0, row * self._row_height, self.width(), self._row_height)
            if row < len(self.top):
                self._paint_row(painter, area, *self.top[row])
            else:
                self._paint_track(painter, area)

    def _paint_row(self, painter: QPainter, area: QRectF, action: str, p: float) -> None:
        text = area.adjusted(0, 0, 0, -9)
        metrics = QFontMetricsF(self.font())
        room = text.width() - metrics.horizontalAdvance("100%") - 8
        name = metrics.elidedText(action_text(action), Qt.TextElideMode.ElideRight, room)
        painter.setPen(QColor(self._colours.text))
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(self._colours.muted))
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, _percent(p))
        track = self._paint_track(painter, area)
        painter.setBrush(QColor(*action_rgb(action)))
        share = min(max(p, 0.0), 1.0)
        if share >= 0.005:
            filled = QRectF(track)
            filled.setWidth(max(track.width() * share, track.height()))
            painter.drawRoundedRect(filled, track.height() / 2, track.height() / 2)

    def _paint_track(self, painter: QPainter, area: QRectF) -> QRectF:
        track = QRectF(area.left(), area.bottom() - 9, area.width(), 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colours.track))
        painter.drawRoundedRect(track, 3, 3)
        return track

    def event(self, event: QEvent) -> bool:
        """Qt override: the whole name as a tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = int(QPointF(event.pos()).y() // self._row_height)
            if 0 <= row < len(self.top):
                action, p = self.top[row]
                QToolTip.showText(event.globalPos(), f"{action_in_text(action)}: {p:.1%}", self)
                return True
        return super().event(event)


class PersonChooser(QWidget):
    """A button for each person in view; hidden while there is one at most."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(lambda place: self.chosen.emit(self._persons[place]))
        for place in range(MAX_PEOPLE):  # created up front: a button created later would come last in the tab order
            button = QToolButton(self)
            button.setCheckable(True)
            button.setFixedSize(_CHIP, _CHIP)
            button.setVisible(False)
            self._group.addButton(button, place)
            row.addWidget(button)
        self._persons: tuple[int, ...] = ()
        self.setVisible(False)

    @property
    def persons(self) -> tuple[int, ...]:
        """Who can be chosen."""
        return self._persons

    @property
    def buttons(self) -> list[QToolButton]:
        """The visible buttons, in the order of the persons."""
        found = [self._group.button(place) for place in range(len(self._persons))]
        return [button for button in found if isinstance(button, QToolButton)]

    def show_persons(self, persons: tuple[int, ...], current: int) -> None:
        """Offer these persons, MAX_PEOPLE at most."""
        persons = persons[:MAX_PEOPLE]
        if persons != self._persons:
            self._persons = persons
            self._name_buttons()
        if current in persons:
            self.buttons[persons.index(current)].setChecked(True)
        self.setVisible(len(persons) > 1)

    def _name_buttons(self) -> None:
        for place, button in enumerate(self._group.buttons()):
            button.setVisible(place < len(self._persons))
        for person, button in zip(self._persons, self.buttons, strict=True):
            button.setText(str(person + 1))
            red, green, blue = person_rgb(person)
            button.setStyleSheet(f"QToolButton {{ padding: 0; border-bottom: 3px solid rgb({red}, {green}, {blue}); }}")
            button.setToolTip(f"Show person {person + 1}")
            button.setAccessibleName(f"Show person {person + 1}")


class ActionPanel(QFrame, Panel):
    """Shows the chosen person of each result, or the first one. person_chosen: another one is followed."""

    person_chosen = Signal()

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.persons = PersonChooser()
        self.persons.chosen.connect(self.choose)
        self.action = ElidedLabel()
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 2.3)
        font.setWeight(QFont.Weight.Bold)
        self.action.setFont(font)
        self.count = QLabel()
        self.count.setFont(font)
        self.count.setAccessibleName("Repetitions")
        self.detail = ElidedLabel()
        self.detail.setObjectName("muted")
        self.bars = ActionBars(colours)
        self._result: Result | None = None
        self._newest: Result | None = None  # not shown yet
        self._lay_out()
        self.begin_run()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        heading = QLabel("Now")
        heading.setObjectName("heading")
        heading.setMinimumHeight(_CHIP)  # the layout does not jump when a second person appears
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.persons)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(3)
        column.addLayout(head)
        row = QHBoxLayout()
        row.addWidget(self.action, 1)
        row.addWidget(self.count)
        column.addLayout(row)
        column.addWidget(self.detail)
        column.addSpacing(10)
        self._likeliest = QLabel("Most likely actions")
        self._likeliest.setObjectName("heading")
        column.addWidget(self._likeliest)
        column.addSpacing(4)
        column.addWidget(self.bars)

    def show_result(self, result: Result) -> None:
        """Show a result."""
        self._result = result
        persons = tuple(sorted(person.pose.person for person in result.persons))
        shown = self.person_of(result)
        self.persons.show_persons(persons, shown.pose.person if shown else 0)
        if shown is None:
            self._show("nobody", "Nobody in view", ())
        elif shown.decision is None:
            self._show("watching", "Collecting the first second of movement", ())
        else:
            decision = shown.decision
            for_s = max(result.frame.time_s - decision.since_s, 0.0)
            if decision.action == UNKNOWN:
                reason = reason_text(decision)
                detail = f"{reason} · {_duration(for_s)}" if reason else f"for {_duration(for_s)}"
            elif is_ending(decision):
                detail = f"for {_duration(for_s)}"
            else:
                detail = f"{_percent(decision.score)} · for {_duration(for_s)}"
            tempo = f"{shown.per_minute:.0f} per minute" if shown.count > 1 else ""
            detail = " · ".join(text for text in (detail, tempo, view_text(decision)) if text)
            self._show(state_text(decision), detail, decision.top, shown.count)

    def add_result(self, result: Result) -> None:
        """Keep the result for the next refresh(); only the newest is shown, since nobody reads thirty a second."""
        self._newest = result

    def refresh(self) -> None:
        """Show the newest result."""
        result, self._newest = self._newest, None
        if result is not None:
            self.show_result(result)

    def begin_run(self) -> None:
        """Empty the panel for a new run."""
        self.chosen: int | None = None  # in another run somebody else has the number
        self._result = self._newest = None
        self.persons.show_persons((), 0)
        self._show("–", "No picture yet", ())  # noqa: RUF001

    def choose(self, person: int) -> None:
        """Show this person while in view."""
        self.chosen = person
        if self._result is not None:
            self.show_result(self._result)
        self.person_chosen.emit()

    def choose_next(self) -> None:
        """Show the next person in view."""
        if self._result is not None and self.persons.persons:
            shown = self.person_of(self._result)
            later = [p for p in self.persons.persons if shown is not None and p > shown.pose.person]
            self.choose((later or list(self.persons.persons))[0])

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.bars.set_colours(colours)

    def set_compact(self, compact: bool) -> None:
        """Hide the bars to save space."""
        self.bars.setVisible(not compact)
        self._likeliest.setVisible(not compact)

    def person_of(self, result: Result) -> PersonResult | None:
        """The chosen person, or the first."""
        by_number = sorted(result.persons, key=lambda person: person.pose.person)
        return next((p for p in by_number if p.pose.person == self.chosen), by_number[0] if by_number else None)

    def _show(self, action: str, detail: str, top: Sequence[tuple[str, float]], count: int = 0) -> None:
        self.action.setText(action)
        self.count.setText(str(count) if count else "")
        self.count.setToolTip(f"Done {counted(count, 'time')}" if count else "")
        self.detail.setText(detail)
        self.bars.show_top(top)


def _percent(p: float) -> str:
    return f"{round(p * 100)}%"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
