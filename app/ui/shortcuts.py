"""The page of keyboard shortcuts."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.ui.actions import shortcut_rows
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.scrolled_page import ScrolledPage


class ShortcutsDialog(ClosingDialog):
    """Two columns of keys and what they do. It does not block the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        page = QWidget()
        grid = key_grid(shortcut_rows(), wrapped=True)
        for column in (1, 4):
            grid.setColumnStretch(column, 1)
        page.setLayout(grid)
        self.resize(1080, 640)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(22, 18, 22, 16)
        column_layout.setSpacing(16)
        column_layout.addWidget(ScrolledPage(page), 1)
        column_layout.addWidget(close_box(self))


def key_grid(rows: Sequence[tuple[str, str]], *, wrapped: bool = False) -> QGridLayout:
    """Keys and their descriptions in two columns; `wrapped` breaks long lines."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(7)
    half = (len(rows) + 1) // 2
    place = Qt.AlignmentFlag.AlignTop if wrapped else Qt.AlignmentFlag(0)
    for number, (keys, description) in enumerate(rows):
        row, column = number % half, number // half * 3
        label, text = QLabel(keys), QLabel(description)
        label.setObjectName("heading")
        text.setWordWrap(wrapped)
        grid.addWidget(label, row, column, place)
        grid.addWidget(text, row, column + 1, place)
    grid.setColumnMinimumWidth(2, 16)
    return grid
