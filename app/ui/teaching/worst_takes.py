"""The worst takes of a check, each with a button to play it; in the Teach dialog they are also reviewed in place."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.names_in_text import action_in_text
from app.ui.jobs import Jobs
from app.ui.teaching.review import Review
from app.ui.teaching.take_store import Replay
from app.ui.theme import Colours
from app.ui.wrapping_label import WrappingLabel

GONE = "That take is no longer in the library"


class TakeRows(QWidget):
    """A sentence and a button for each take. play_requested: one is to be played, by the name of its segment."""

    play_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[QPushButton] = []
        self._rows: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.hide()

    def show_takes(self, takes: Sequence[tuple[str, str]]) -> None:
        """takes: the name of each segment, and what is wrong with it."""
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows, self.buttons = [], []
        for segment, problem in takes:
            row = self._row(segment, problem)
            self._rows.append(row)
            self._column.addWidget(row)
        self.setVisible(bool(takes))

    def _row(self, segment: str, problem: str) -> QWidget:
        row, label, button = QWidget(), WrappingLabel(problem), QPushButton("Look at it")
        button.setAutoDefault(False)
        button.setAccessibleName(f"Look at it: {problem}")
        button.setToolTip("Play this take again, to keep it, do it again or throw it away")
        button.clicked.connect(lambda: self.play_requested.emit(segment))
        self.buttons.append(button)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(label, 1)
        line.addWidget(button)
        return row


class WorstTakes(QWidget):
    """The rows, and the take that is looked at below them."""

    def __init__(self, root: Path, colours: Colours, jobs: Jobs) -> None:
        super().__init__()
        self._closed = False
        self._takes: list[tuple[str, str]] = []
        self.rows, self.review = TakeRows(), Review(root, colours, jobs)
        self.rows.play_requested.connect(lambda segment: self.review.load_take(segment, self._show))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.rows)
        column.addWidget(self.review)

    def show_takes(self, takes: Sequence[tuple[str, str]]) -> None:
        """takes: the name of each segment, and what is wrong with it; what was looked at is hidden. The same again
        changes nothing."""
        if list(takes) != self._takes:
            self._takes = list(takes)
            self.rows.show_takes(takes)
            self.review.clear()

    def on_close(self) -> None:
        """Nothing is played any more."""
        self._closed = True
        self.review.clear()

    def _show(self, take: Replay) -> None:
        if self._closed:
            return
        if take.segments:
            self.review.show_take(take, f"A take of {action_in_text(str(take.segments[0].action))}")
        else:
            self.review.message.emit(GONE)
