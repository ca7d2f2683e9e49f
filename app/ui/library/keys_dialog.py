"""The page of keys of the library's window."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.library.rows import Named
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.library.commands import key_rows
from app.ui.scrolled_page import ScrolledPage
from app.ui.shortcuts import key_grid


class KeysDialog(ClosingDialog):
    """Two columns of keys and what they do; actions: those of the library. It does not block the window."""

    def __init__(self, parent: QWidget | None = None, actions: Sequence[Named] = ()) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of the library")
        self.resize(980, 560)
        grid = key_grid(key_rows(actions), wrapped=True)
        for column in (1, 4):
            grid.setColumnStretch(column, 1)
        page = QWidget()
        page.setLayout(grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.addWidget(ScrolledPage(page), 1)
        layout.addWidget(close_box(self))
