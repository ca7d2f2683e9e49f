"""The part of the page that teaches which scrolls: its cards, one below the other."""

from collections.abc import Iterable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

_BESIDE_PX = 10  # of what is scrolled to


class CardColumn(QScrollArea):
    """Scrolls when there is too little room; its controls are reached one by one."""

    def __init__(self, parts: Iterable[QWidget]) -> None:
        super().__init__()
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 6, 0)
        self._column.setSpacing(10)
        for part in parts:
            self._column.addWidget(part)
        self._column.addStretch(1)
        inside = QWidget()
        inside.setLayout(self._column)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inside)
        self._wanted: tuple[QWidget, ...] = ()  # kept in sight
        self._focus_then: QWidget | None = None
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._keep_in_sight)
        bar.actionTriggered.connect(lambda _: self._follow(()))  # the user scrolls

    def insert(self, card: QWidget, before: QWidget) -> None:
        """Insert a card above another part."""
        self._column.insertWidget(self._column.indexOf(before), card)

    def reveal(self, *parts: QWidget) -> None:
        """Scroll to parts of the column, the last one above all. They stay in sight while the column grows, until the
        user scrolls or moves the focus."""
        QTimer.singleShot(0, self, lambda: self._follow(parts))  # the caller may move the focus yet

    def _follow(self, parts: tuple[QWidget, ...]) -> None:
        self._wanted, self._focus_then = parts, self.window().focusWidget()
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        if self.window().focusWidget() is not self._focus_then:
            self._wanted = ()
        for part in self._wanted:
            self.ensureWidgetVisible(part, 0, _BESIDE_PX)
