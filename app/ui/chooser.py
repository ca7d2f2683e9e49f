"""A drop-down list that only changes on a deliberate choice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from app.ui.picker import MAX_ROWS
from pose.address import public_source

_BESIDE_TEXT = 44  # frame, padding and arrow


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry. value: what is chosen.

    command: the entry asks for something and is never the current one. kept: it is there only because it is current.
    """

    text: str
    value: str
    command: bool = False
    kept: bool = False


class Chooser(QComboBox):
    """Choices by value; text_of names a value that is none of the choices.

    chosen: a value other than the current one, or a command. opening: the list is about to show. The wheel and the
    arrow keys do not change the value of a closed list, since a change may restart the run.
    """

    chosen = Signal(str)
    opening = Signal()

    def __init__(self, name: str, text_of: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMaxVisibleItems(MAX_ROWS)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._text_of = text_of
        self._choices: list[Choice] = []
        self._value = ""
        self.activated.connect(self._activated)

    @property
    def value(self) -> str:
        """The current choice."""
        return self._value

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can be chosen."""
        return tuple(self._choices)

    def text_width(self) -> int:
        """What the current choice needs to be read whole."""
        return self.fontMetrics().horizontalAdvance(self.currentText()) + _BESIDE_TEXT

    def offer(self, choices: Sequence[Choice]) -> None:
        """Replace the entries; a current value that is not among them is kept as an entry of its own."""
        self._choices = list(choices)
        if self._value and all(choice.value != self._value for choice in choices):
            self._choices.insert(0, Choice(self._text_of(self._value), self._value, kept=True))
        self.blockSignals(True)
        self.clear()
        for row, choice in enumerate(self._choices):
            self.addItem(choice.text, choice.value)
            if len(choice.text) > 24 or choice.text != choice.value:
                whole = public_source(choice.value) if choice.text != choice.value else ""
                self.setItemData(row, whole, Qt.ItemDataRole.ToolTipRole)
        first_command = next((row for row, choice in enumerate(self._choices) if choice.command), 0)
        if first_command:
            self.insertSeparator(first_command)
        self.blockSignals(False)
        self._show_value()
        if self.view().isVisible():
            self.showPopup()  # fits the open list to its new entries

    def set_value(self, value: str) -> None:
        """Show a value as the current one, without a signal."""
        if value != self._value or self.currentIndex() < 0:
            self._value = value
            self.offer([choice for choice in self._choices if not choice.kept])

    def showPopup(self) -> None:
        """Qt override."""
        if not self.view().isVisible():
            self.opening.emit()
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)
        super().showPopup()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: keys that would change the value open the list instead."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.showPopup()
        elif event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override: left to what lies behind."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's, with an arrow in the text's colour."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().text().color(), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        x, y = self.width() - 14.0, self.height() / 2
        painter.drawPolyline([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])

    def _show_value(self) -> None:
        row = self.findData(self._value)
        self.setCurrentIndex(row)
        text = self.itemText(row) if row >= 0 else ""
        self.setAccessibleDescription(text)

    def _activated(self, row: int) -> None:
        value = self.itemData(row)
        choice = next((c for c in self._choices if c.value == value), None)
        if choice is None or value == self._value:
            return
        if choice.command:
            self._show_value()
        else:
            self.set_value(value)
        self.chosen.emit(value)
