"""What the lists are restricted to."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.library.catalogue import Library
from app.library.edit_operations import PARTS
from app.library.rows import Filter, Named
from app.names_in_text import action_in_text, isolated
from app.ui.picker import Picker

_NARROWEST_PX = 74
_ID = Qt.ItemDataRole.UserRole + 1  # what a choice is told by when its name changes; its value is its user data

_Choice = tuple[str, object, object]  # text, value, id


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
        """The names that there are; what was picked stays, also under a new name."""
        _fill(self.action, "All actions", _choices(library.names("action"), action_in_text))
        _fill(self.who, "All people", _choices(library.names("person"), isolated))
        _fill(self.session, "All sessions", _choices(library.names("session"), isolated))
        splits: list[_Choice] = []
        for name in library.splits():
            splits.append((name, (name, None), (name, None)))
            splits += [(f"{isolated(name)}: {part}", (name, part), (name, part)) for part in PARTS]
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


def _choices(names: Sequence[Named], text_of: Callable[[str], str]) -> list[_Choice]:
    return [(f"{text_of(named.name)} ({named.segments})", named.name, named.id) for named in names]


def _fill(picker: QComboBox, everything: str, choices: Sequence[_Choice]) -> None:
    before = picker.currentData(_ID)
    picker.clear()
    picker.addItem(everything, None)
    for place, (text, value, key) in enumerate(choices, 1):
        picker.addItem(text, value)
        picker.setItemData(place, key, _ID)
    keys = [None, *(key for _, _, key in choices)]
    picker.setCurrentIndex(keys.index(before) if before in keys else 0)
