"""A short message over the picture that goes away by itself, with what can be done about it."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

_SHOWN_MS = 5000
_SHOWN_WITH_BUTTONS_MS = 9000
_MARGIN = 16
_PADDING = (14, 8)


class Toast(QFrame):
    """Sits at the top of its parent, as wide as its text needs, and below a sign there that it would cover. Without
    buttons clicks go through it."""

    def __init__(self, parent: QWidget, sign: Callable[[], QRect] = QRect) -> None:
        """sign: the area to keep clear, empty for none. Call place() when it changes."""
        super().__init__(parent)
        self._over, self._sign = parent, sign
        self.setObjectName("toast")
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(_PADDING[0], _PADDING[1], _PADDING[0], _PADDING[1])
        self._row.setSpacing(8)
        self._row.addWidget(self._label, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def text(self) -> str:
        """The last message."""
        return self._label.text()

    def show_message(self, text: str, **buttons: Callable[[], object]) -> None:
        """Show a text for a few seconds. buttons: callbacks by button text; a click also hides the message."""
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = [self._button(name, do) for name, do in buttons.items()]
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not buttons)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.place()
        self.show()
        self.raise_()
        self._timer.start(_SHOWN_WITH_BUTTONS_MS if buttons else _SHOWN_MS)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: follows the parent's size."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return False

    def _button(self, name: str, do: Callable[[], object]) -> QPushButton:
        button = QPushButton(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self.hide)
        button.clicked.connect(lambda: do())
        self._row.addWidget(button)
        button.show()
        return button

    def place(self) -> None:
        """Update size and position."""
        room = max(self._over.width() - 2 * _MARGIN, 80)
        beside = 2 * _PADDING[0] + sum(button.sizeHint().width() + self._row.spacing() for button in self.buttons)
        text = self._label.fontMetrics().horizontalAdvance(self._label.text()) + 12
        width = min(text + beside, room)
        height = self._label.heightForWidth(max(width - beside, 40))
        tallest = max([height, *(button.sizeHint().height() for button in self.buttons)])
        self.resize(width, tallest + 2 * _PADDING[1])
        self.move((self._over.width() - width) // 2, _MARGIN)
        sign = self._sign()
        if self.geometry().intersects(sign):
            self.move(self.x(), sign.bottom() + _MARGIN)
