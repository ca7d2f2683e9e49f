"""The page of keys of the library's window."""

from collections.abc import Sequence

from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.library.types import Named
from app.ui.closing import ClosingDialog, close_box
from app.ui.library.commands import key_rows
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
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.addWidget(scroll, 1)
        layout.addWidget(close_box(self))
