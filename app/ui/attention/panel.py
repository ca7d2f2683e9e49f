"""The panel at the side: joints by time for one action, the chosen frame, and the network's own matrices."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QTabWidget, QToolButton, QVBoxLayout, QWidget

from app.palette import action_text
from app.ui.attention.comparison import Comparison
from app.ui.attention.inspected import InspectedFrame
from app.ui.attention.matrix import MatrixView
from app.ui.attention.moments import Moment
from app.ui.attention.views import LINKS_TITLE, SPATIAL_TITLE, View, joint_names, times, views_of
from app.ui.chooser import Choice, Chooser
from app.ui.theme import Colours
from recognizer.clips import Explanation

PREDICTED = ""  # the likeliest action, whichever it is
_METHOD_NAMES = {
    "occlusion": "Hiding joints",
    "attention": "The network's attention",
    "class_activation": "Class activation",
}


class InsideView(QWidget):
    """The network's own outputs: a chooser for the kind, pickers for layer and head, and the matrix."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._views: list[View] = []
        self.kind = Chooser("What to look at", str)
        self.kind.chosen.connect(lambda _: self._picked_kind())
        self.pickers: list[Chooser] = []
        self.matrix = MatrixView(colours, "Matrix of the network")
        self.note = QLabel("This recognizer has no attention to show. Hiding joints works with any recognizer.")
        self.note.setObjectName("muted")
        self.note.setWordWrap(True)
        self.note.setVisible(False)
        self.kind.setVisible(False)
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.kind)
        column.addLayout(self._row)
        column.addWidget(self.note)
        column.addWidget(self.matrix, 1)

    @property
    def view(self) -> View | None:
        """The chosen kind."""
        place = self.kind.currentIndex()
        return self._views[place] if 0 <= place < len(self._views) else None

    def show_moment(self, moment: Moment | None) -> None:
        """Its outputs; the pickers stay where they are as long as the recognizer is the same."""
        if moment is None:
            self.matrix.show_matrix(None)
            return
        before = [(view.title, view.pickers) for view in self._views]
        said = moment.prediction
        self._views = views_of(said.attention, moment.clip, said.actions, int(said.probabilities.argmax()))
        if [(view.title, view.pickers) for view in self._views] != before:
            self._offer()
        self._refresh()

    def joint_scores(self) -> NDArray[np.float32] | None:
        """(V,) 0..1 column sums of an attention between joints (ST-TR's paper, Fig. 8); None of anything else."""
        shown = self._shown(SPATIAL_TITLE)
        if shown is None:
            return None
        sums = shown.sum(axis=0)
        return np.asarray(sums / max(float(sums.max(initial=0)), 1e-9), np.float32)

    def links(self) -> NDArray[np.float32] | None:
        """(V, V) learned weights of links; None while anything else is looked at."""
        return self._shown(LINKS_TITLE)

    def _shown(self, title: str) -> NDArray[np.float32] | None:
        view = self.view
        return self.matrix.values if view and view.title == title and self.matrix.values.size else None

    def follow(self, part: float | None) -> None:
        """Go to the frame at this part of the clip, 0..1, where frames can be picked."""
        names = [picker.name for picker in self.view.pickers] if self.view else []
        if part is None or "Frame" not in names:
            return
        picker = self.pickers[names.index("Frame")]
        place = round(part * (picker.count() - 1))
        if place != picker.currentIndex():
            picker.set_value(picker.choices[place].value)
            self._refresh()

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.matrix.set_colours(colours)

    def _offer(self) -> None:
        titles = [view.title for view in self._views]
        self.kind.set_value(self.kind.value if self.kind.value in titles else titles[0] if titles else "")
        self.kind.offer([Choice(title, title) for title in titles])
        self._picked_kind()

    def _picked_kind(self) -> None:
        for picker in self.pickers:
            self._row.removeWidget(picker)
            picker.deleteLater()
        self.pickers = []
        for asked in self.view.pickers if self.view else ():
            picker = Chooser(asked.name, str)
            picker.offer([Choice(name, name) for name in asked.choices])
            picker.set_value(asked.choices[-1 if asked.name == "Layer" else 0])
            picker.chosen.connect(lambda _: self._refresh())
            self.pickers.append(picker)
            self._row.addWidget(picker, 1)
        self._refresh()

    def _refresh(self) -> None:
        view = self.view
        self.kind.setVisible(bool(self._views))
        self.note.setVisible(view is None)
        if view is None:
            self.matrix.show_matrix(None)
            return
        matrix = view.matrix([picker.currentIndex() for picker in self.pickers])
        self.matrix.show_matrix(matrix, view.rows, view.columns, (view.row_axis, view.column_axis), signed=view.signed)


class AttentionPanel(QFrame):
    """asked: an action (or PREDICTED) and a method were chosen. hold, overlay: buttons that keys toggle, too."""

    asked = Signal(str, str)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.action = Chooser("Action to explain", action_text)
        self.method = Chooser("Method", lambda method: _METHOD_NAMES.get(method, method))
        self.hold = self._button("Freeze", "Freeze this moment, also in the main picture; recognition continues")
        self.overlay = self._button("On picture", "Draw the relevance of joints on the picture")
        self.map = MatrixView(colours, "Relevance of joints over time")
        self.comparison = Comparison(colours)
        self.frame = InspectedFrame(colours)
        self.inside = InsideView(colours)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("What to look at")
        self.tabs.tabBar().setAccessibleName("What to look at")
        self.tabs.setDocumentMode(True)
        self._lay_out()
        for chooser in (self.action, self.method):
            chooser.chosen.connect(lambda _: self.asked.emit(self.action.value, self.method.value))

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        return button

    def _lay_out(self) -> None:
        explained = QWidget()
        maps = QVBoxLayout(explained)
        maps.setContentsMargins(0, 8, 0, 0)
        maps.setSpacing(6)
        maps.addWidget(self.map, 5)
        maps.addWidget(self.comparison, 6)
        self.tabs.addTab(explained, "Which joints mattered")
        self.tabs.addTab(self.inside, "Expert")
        heading = QLabel("Why")
        heading.setObjectName("heading")
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.overlay)
        head.addWidget(self.hold)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.action, 1)
        row.addWidget(self.method, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.title)
        column.addLayout(row)
        column.addWidget(self.tabs, 2)
        column.addWidget(self.frame, 1)

    def offer(self, actions: Sequence[str], methods: Sequence[str]) -> None:
        """Offer the actions and methods of a recognizer; an unknown chosen action falls back to PREDICTED."""
        wanted = self.action.value if self.action.value in actions else PREDICTED
        self.action.set_value(wanted)
        self.action.offer([Choice("Top action", PREDICTED), *(Choice(action_text(a), a) for a in actions)])
        method = self.method.value if self.method.value in methods else methods[0]
        self.method.set_value(method)
        self.method.offer([Choice(_METHOD_NAMES.get(method, method), method) for method in methods])

    def set_title(self, text: str) -> None:
        """Set the line that tells what is shown, or why nothing is."""
        self.title.setText(text)

    @property
    def expert_shown(self) -> bool:
        """Whether the Expert tab is shown instead of the explanation."""
        return self.tabs.currentWidget() is self.inside

    def show_moment(self, moment: Moment | None) -> None:
        """Show the network's own outputs."""
        if self.expert_shown:
            self.inside.show_moment(moment)

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Joints by time."""
        if explanation is None:
            self.map.show_matrix(None)
            return
        clip = explanation.clip
        moments = times(clip, len(clip.xy_px))
        self.map.show_matrix(explanation.relevance.T, joint_names(clip), moments, ("joint", "time"), signed=True)

    def joint_scores(self, explanation: Explanation | None) -> NDArray[np.float32] | None:
        """(V,) 0..1 for the circles: of the attention that is looked at, else of the explanation over the clip."""
        sums = self.column_sums
        if sums is not None:
            return sums
        return None if explanation is None else joint_relevance(explanation)

    @property
    def column_sums(self) -> NDArray[np.float32] | None:
        """(V,) 0..1 of the attention between joints that is looked at; None where something else is."""
        return self.inside.joint_scores() if self.expert_shown else None

    @property
    def links(self) -> NDArray[np.float32] | None:
        """(V, V) of the importance of links that is looked at; None where something else is."""
        return self.inside.links() if self.expert_shown else None

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        for part in (self.map, self.comparison, self.frame, self.inside):
            part.set_colours(colours)


def joint_relevance(explanation: Explanation, place: int | None = None) -> NDArray[np.float32]:
    """(V,) 0..1: the evidence for the action, summed over the clip or at one frame; 1 is the largest joint's."""
    evidence = np.maximum(explanation.relevance, 0)
    sums = evidence.sum(axis=0) if place is None else evidence[place]
    top = float(evidence.sum(axis=0).max() if place is None else evidence.max())
    return np.asarray(sums / max(top, 1e-9), np.float32)


def frame_relevance(explanation: Explanation) -> NDArray[np.float32]:
    """(T,) 0..1: the evidence for the action at each frame; 1 is the largest."""
    sums = np.maximum(explanation.relevance, 0).sum(axis=1)
    return np.asarray(sums / max(float(sums.max(initial=0)), 1e-9), np.float32)
