"""The result of a training in plain words, with the takes that should be checked."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from app.ui.teaching.worst_takes import TakeRows
from app.ui.wrapping_label import WrappingLabel


class ResultCard(QFrame):
    """takes: those to be looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.title, self.report = WrappingLabel(), QLabel()
        self.report.setTextFormat(Qt.TextFormat.RichText)
        self.report.setWordWrap(True)
        self.report.setAccessibleName("Results of the check")
        self.takes = TakeRows()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.report)
        column.addWidget(self.takes)
        self.hide()

    def show_result(self, title: str, html: str, worst: Sequence[tuple[str, str]]) -> None:
        """worst: segment and what is wrong with it, of takes to play, do again or throw away."""
        self.title.setText(title)
        self.report.setText(html)
        self.report.setVisible(bool(html))
        self.takes.show_takes(worst)
        self.show()
