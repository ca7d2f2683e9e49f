"""What the lists are restricted to."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.library.catalogue import Library
from app.library.edit_operations import PARTS
from app.library.rows import Filter
from app.names_in_text import action_in_text, isolated
from app.ui.picker import Picker

_NARROWEST_PX = 74


class FilterBar(QWidget):
    """changed: something else is asked for."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit()
        self.search.setPlaceholderText("notes, names, sources")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search")
        self.search.textChanged.connect(self.changed)
        self.unlabelled = self._check("Unlabelled", "Show only segments without a label")
        self.suspect = self._check("Suspect", "Show only segments whose label may be wrong")
        self.action = self._picker("Action")
        self.who = self._picker("Person")
        self.session = self._picker("Session")
        self.split = self._picker("Split")
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.search, 1)
        for check in (self.unlabelled, self.suspect):
            first.addWidget(check)
        for picker in (self.action, self.who, self.session, self.split):
            second.addWidget(picker, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(first)
        column.addLayout(second)

    def filter(self, *, deleted: bool = False) -> Filter:
        """What is asked for; deleted: of the bin."""
        split, part = self.split.currentData() or (None, None)
        return Filter(
            action=self.action.currentData(),
            who=self.who.currentData(),
            session=self.session.currentData(),
            unlabelled=self.unlabelled.isChecked(),
            suspect=self.suspect.isChecked(),
            text=self.search.text(),
            deleted=deleted,
            split=split,
            part=part,
        )

    @property
    def restricts(self) -> bool:
        """False where everything is asked for."""
        return self.filter() != Filter()

    def offer(self, library: Library) -> None:
        """The names that there are; what was picked stays."""
        of_actions = [(f"{action_in_text(n.name)} ({n.segments})", n.name) for n in library.names("action")]
        _fill(self.action, "All actions", of_actions)
        _fill(self.who, "All people", [(f"{isolated(n.name)} ({n.segments})", n.name) for n in library.names("person")])
        _fill(
            self.session,
            "All sessions",
            [(f"{isolated(n.name)} ({n.segments})", n.name) for n in library.names("session")],
        )
        splits: list[tuple[str, object]] = []
        for name in library.splits():
            splits.append((name, (name, None)))
            splits += [(f"{isolated(name)}: {part}", (name, part)) for part in PARTS]
        _fill(self.split, "All splits", splits)
        self.split.setVisible(bool(splits))

    def _picker(self, name: str) -> QComboBox:
        picker = Picker()
        picker.setAccessibleName(name)
        picker.setToolTip(name)
        picker.setMinimumWidth(_NARROWEST_PX)
        picker.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        picker.activated.connect(self.changed)
        return picker

    def _check(self, text: str, tip: str) -> QCheckBox:
        check = QCheckBox(text)
        check.setToolTip(tip)
        check.toggled.connect(self.changed)
        return check


def _fill(picker: QComboBox, everything: str, choices: Sequence[tuple[str, object]]) -> None:
    before = picker.currentData()
    picker.clear()
    picker.addItem(everything, None)
    for text, value in choices:
        picker.addItem(text, value)
    values = [None, *(value for _, value in choices)]
    picker.setCurrentIndex(values.index(before) if before in values else 0)
