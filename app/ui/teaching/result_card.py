"""What came of a training, in plain words, with the takes that are worth another look."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from app.ui.notifier import Notifier


class ResultCard(QFrame):
    """look: a take is to be played, by the name of its clip."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.look: Notifier[[str]] = Notifier()
        self.title, self.report = QLabel(), QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.report.setTextFormat(Qt.TextFormat.RichText)
        self.report.setWordWrap(True)
        self.report.setAccessibleName("What the check has found")
        self.worst: list[QPushButton] = []
        self._worst = QVBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.report)
        column.addLayout(self._worst)
        self.hide()

    def show_result(self, title: str, html: str, worst: Sequence[tuple[str, str]]) -> None:
        """worst: clip and what is wrong with it, of takes to play, do again or throw away."""
        self.title.setText(title)
        self.report.setText(html)
        self.report.setVisible(bool(html))
        while (item := self._worst.takeAt(0)) is not None:
            row = item.layout()
            while row is not None and (part := row.takeAt(0)) is not None:
                widget = part.widget()
                if widget is not None:
                    widget.deleteLater()
        self.worst = []
        for clip, says in worst:
            self._worst.addLayout(self._row(clip, says))
        self.show()

    def _row(self, clip: str, says: str) -> QHBoxLayout:
        label, button = QLabel(says), QPushButton("Look at it")
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        button.setAccessibleName(f"Look at it: {says}")
        button.clicked.connect(lambda: self.look.tell(clip))
        self.worst.append(button)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label, 1)
        row.addWidget(button)
        return row
