"""A card of the guided page: an action's name, its takes, and the button that records more."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.library.labels import MAX_TYPED
from app.library.rows import SegmentRow
from app.names_in_text import action_in_text
from app.palette import action_text
from app.ui.disabled_controls import enable
from app.ui.flow import FlowLayout
from app.ui.library.strips import Strips
from app.ui.styled import style_as
from app.ui.teaching.guidance import WANTED_TAKES
from app.ui.teaching.take_store import SHOWN_TAKES
from app.ui.teaching.train_bar import make_primary
from app.ui.wrapping_label import WrappingLabel

PICTURE_PX = (54, 60)
_FRAMES = 3  # in the strip of a take, of which the middle one is shown


class TakesRow(QWidget):
    """Small pictures of takes, each a button. chosen: the one that is to be played."""

    chosen = Signal(object)  # SegmentRow

    def __init__(self, strips: Strips) -> None:
        super().__init__()
        self.buttons: list[QToolButton] = []
        self._strips = strips
        self._rows: tuple[SegmentRow, ...] = ()
        row = FlowLayout(self, spacing=6)
        for _ in range(SHOWN_TAKES):
            row.addWidget(self._button())
        strips.ready.connect(self._draw)
        self.hide()

    def show_takes(self, rows: Sequence[SegmentRow], first: int) -> None:
        """The newest takes, the first of them number `first`; those that look wrong are marked."""
        self._rows = tuple(rows)
        self.setVisible(bool(rows))
        for place, button in enumerate(self.buttons):
            button.setVisible(place < len(rows))
            if place >= len(rows):
                continue
            doubt = "something may be wrong with it" if rows[place].suspect else ""
            name = f"Take {first + place}"
            button.setText("Check" if doubt else "")
            style = Qt.ToolButtonStyle.ToolButtonTextUnderIcon if doubt else Qt.ToolButtonStyle.ToolButtonIconOnly
            button.setToolButtonStyle(style)
            button.setToolTip(f"{name}: {doubt}; play it to see what" if doubt else f"{name}: play it again")
            button.setAccessibleName(f"{name}, {doubt}" if doubt else name)
        self._draw([row.id for row in rows])

    def _button(self) -> QToolButton:
        button = QToolButton()
        button.setIconSize(QSize(*PICTURE_PX))
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        place = len(self.buttons)
        button.clicked.connect(lambda: self.chosen.emit(self._rows[place]))
        button.hide()
        self.buttons.append(button)
        return button

    def _draw(self, ready: list[int]) -> None:
        for row, button in zip(self._rows, self.buttons, strict=False):
            if row.id in ready:
                strip = self._strips.of(row)
                button.setIcon(QIcon() if strip is None else QIcon(_middle(strip)))


class NameField(QLineEdit):
    """An action's name. restored: Esc has put back what stood there before something else was typed."""

    restored = Signal()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.kept = name  # what Esc restores

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Esc restores the name; where it has not been changed, Esc is left to the window."""
        if event.key() == Qt.Key.Key_Escape and self.text() != self.kept:
            self.setText(self.kept)
            self.restored.emit()
        else:
            super().keyPressEvent(event)


class ActionCard(QFrame):
    """record: the button that begins and ends takes was pressed. named: another name was typed. entered: as named, with
    the Enter key, also where the name is the same. chosen: a take is to be played."""

    record = Signal(object)  # ActionCard
    named = Signal(object)  # ActionCard
    entered = Signal(object)  # ActionCard
    chosen = Signal(object)  # SegmentRow

    def __init__(self, strips: Strips, fixed_name: str = "", hint: str = "") -> None:
        """fixed_name: of a card whose name cannot be changed."""
        super().__init__()
        self.setObjectName("card")
        self.action = fixed_name  # as the library has it; "" of a card that has no name yet
        self.count = 0
        self._fixed = bool(fixed_name)
        self._busy = self._waits = False
        self.name = NameField(fixed_name)
        self.title = QLabel(fixed_name)
        self.number = QLabel()
        self.button = QPushButton("Record")
        self.takes = TakesRow(strips)
        self.state = WrappingLabel(hint)
        self._hint = hint
        self._set_up_parts()
        self._lay_out()
        self.show_count(f"0 of {WANTED_TAKES}")

    def _set_up_parts(self) -> None:
        self.name.setPlaceholderText("name, such as wave")
        self.name.setMaxLength(MAX_TYPED)
        self.name.setAccessibleName("Name of the action")
        self.name.editingFinished.connect(lambda: self.named.emit(self))
        self.name.returnPressed.connect(lambda: self.entered.emit(self))
        self.name.restored.connect(lambda: self.show_status(""))
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.number.setObjectName("muted")
        self.button.clicked.connect(lambda: self.record.emit(self))
        self.takes.chosen.connect(self.chosen)
        self.state.setObjectName("muted")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name, 1)
        head.addWidget(self.title, 1)
        head.addWidget(self.number)
        head.addWidget(self.button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 10, 12, 10)
        self._column.setSpacing(8)
        self._column.addLayout(head)
        self._column.addWidget(self.takes)
        self._column.addWidget(self.state)
        for part, seen in ((self.name, not self._fixed), (self.title, self._fixed), (self.state, bool(self._hint))):
            part.setVisible(seen)  # only now: without a parent it would be a window

    @property
    def typed(self) -> str:
        """The typed name; the library's spelling if it reads the same."""
        text = " ".join(self.name.text().split())
        return self.action if text == action_text(self.action) else text

    def set_action(self, action: str) -> None:
        """Set the action's name."""
        self.action = action
        self.name.kept = action_text(action)
        self.name.setText(self.name.kept)
        self._name_button()

    def show_count(self, text: str) -> None:
        """Show how many takes there are."""
        self.number.setText(text)

    def show_status(self, line: str, *, warning: bool = False) -> None:
        """Show a line under the takes; "" restores the hint."""
        self.state.setText(line or self._hint)
        self.state.setVisible(bool(line or self._hint))
        style_as(self.state, "warning" if warning else "muted")

    def set_busy(self, busy: bool, waits: bool, comes_next: bool) -> None:
        """busy: its takes are being recorded. waits: those of another card are. comes_next: it wants takes."""
        make_primary(self.button, primary=comes_next)
        if (busy, waits) != (self._busy, self._waits):
            self._busy, self._waits = busy, waits
            self.button.setText("Stop" if busy else "Record")
            enable(self.button, "Takes of another action are being recorded" if waits else "")
            enable(self.name, "Takes of it are being recorded" if busy else "")
            self._name_button()

    def insert(self, part: QWidget) -> None:
        """Insert a widget into the card, above the last line."""
        self._column.insertWidget(2, part)

    def _name_button(self) -> None:
        what = action_in_text(self.action) or "this action"
        self.button.setAccessibleName(f"{self.button.text()} {what}")


def _middle(strip: QPixmap) -> QPixmap:
    """The middle frame of a strip."""
    width = strip.width() // _FRAMES
    return strip.copy(QRect(width, 0, width, strip.height()))
