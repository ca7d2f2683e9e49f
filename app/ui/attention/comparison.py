"""Another recognizer's explanation of the same clip and action, below the first one, with the same colour scale."""

from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.live.explainer import Explainer
from app.names_in_text import action_in_text
from app.ui.attention.matrix import MatrixView
from app.ui.attention.views import joint_names, times
from app.ui.choices import model_choices, model_name, model_text
from app.ui.chooser import Choice, Chooser
from app.ui.theme import Colours
from recognizer.clips import Explanation
from recognizer.explain import OCCLUSION

NOTHING = ""
_TALL = QSizePolicy.Policy.Expanding


class Comparison(QWidget):
    """Explains on its own thread while a second model is chosen; by occlusion, which every recognizer supports."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = Chooser("Compare with", model_text)
        self.model.opening.connect(self._offer)
        self.model.chosen.connect(lambda _: self._choose())
        self.title = QLabel("Compare with")
        self.title.setObjectName("muted")
        self.title.setWordWrap(True)
        self.map = MatrixView(colours, "Relevance of joints over time for another recognizer")
        self._explainer: Explainer | None = None
        self._asked: Explanation | None = None  # sent to the second recognizer, not answered yet
        self._first: Explanation | None = None  # the first recognizer's explanation that the shown one belongs to
        self._found: Explanation | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.model)
        column.addWidget(self.map, 1)
        self._offer()
        self._choose()

    @property
    def found(self) -> Explanation | None:
        """What is shown."""
        return self._found

    @property
    def asked(self) -> Explanation | None:
        """The explanation that the second recognizer has not matched yet."""
        return self._asked

    def refresh(self, explanation: Explanation | None) -> Explanation | None:
        """Request an explanation of the clip and action that the first recognizer explains, one at a time, and show the
        newest one. Returns the first recognizer's explanation of that moment, or its newest while there is none."""
        if self._explainer is None:
            return explanation
        found = self._explainer.explanations.take(timeout_s=0)
        for known in (self._asked, self._first):
            if known is not None and (explanation is None or _is_other_subject(explanation, known)):
                self.forget()
        asked = self._asked
        if found is not None and asked is not None and found.clip is asked.clip and found.action == asked.action:
            self._found, self._first, self._asked = found, asked, None
        if explanation is not None and self._asked is None and explanation is not self._first:
            self._asked = explanation
            self._explainer.ask(explanation.clip, explanation.action, OCCLUSION)
        self._show()
        return self._first or explanation

    def forget(self) -> None:
        """Drop the comparison."""
        self._asked = self._first = self._found = None

    def mark(self, explanation: Explanation | None, place: int | None) -> None:
        """A line through a frame of what the first recognizer explains."""
        same = explanation is not None and self._found is not None and self._found.clip is explanation.clip
        self.map.mark_column(place if same else None)

    def release(self, timeout_s: float = 0.0) -> None:
        """End the thread, and wait for it that long; the choice stays."""
        if self._explainer is not None:
            self._explainer.close(timeout_s)
        self._explainer = None
        self.forget()

    def open(self) -> None:
        """Start the explainer if a second model is chosen."""
        if self.model.value != NOTHING and self._explainer is None:
            self._explainer = Explainer(self.model.value)

    def set_colours(self, colours: Colours) -> None:
        """Apply the colours of another theme."""
        self.map.set_colours(colours)

    def _offer(self) -> None:
        models = [choice for choice in model_choices() if not choice.command]
        self.model.offer([Choice("Nothing", NOTHING), *models])

    def _choose(self) -> None:
        self.release()
        self.open()
        self._show()

    def _show(self) -> None:
        found, chosen = self._found, self.model.value != NOTHING
        self.map.setVisible(chosen)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, _TALL if chosen else QSizePolicy.Policy.Maximum)
        self.title.setText(self._text() if chosen else "Compare with")
        if found is None:
            self.map.show_matrix(None)
            return
        moments = times(found.clip, len(found.clip.xy_px))
        self.map.show_matrix(found.relevance.T, joint_names(found.clip), moments, ("joint", "time"), signed=True)

    def _text(self) -> str:
        found, name = self._found, model_name(self.model.value)
        if self._explainer is not None and self._explainer.failure:
            return self._explainer.failure
        if found is None:
            return f"{name}: computing …" if self._asked is not None else name
        return f"{name}: {action_in_text(found.action)} {found.probability:.0%}, by hiding joints"


def _is_other_subject(one: Explanation, other: Explanation) -> bool:
    """Whether they explain another person or action."""
    return one.clip.person != other.clip.person or one.action != other.action
