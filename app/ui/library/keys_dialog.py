"""The page of keys of the library's window."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.library.commands import key_rows


class KeysDialog(QDialog):
    """Two columns of keys and what they do. It does not block the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keys of the library")
        self.resize(980, 560)
        rows = key_rows()
        page = QWidget()
        grid = QGridLayout(page)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(7)
        half = (len(rows) + 1) // 2
        for number, (keys, says) in enumerate(rows):
            row, column = number % half, number // half * 3
            label = QLabel(keys)
            label.setObjectName("heading")
            grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
            text = QLabel(says)
            text.setWordWrap(True)
            grid.addWidget(text, row, column + 1, Qt.AlignmentFlag.AlignTop)
        grid.setColumnMinimumWidth(2, 16)
        for column in (1, 4):
            grid.setColumnStretch(column, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.addWidget(scroll, 1)
        layout.addWidget(buttons)
