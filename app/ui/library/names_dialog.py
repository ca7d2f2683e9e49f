"""Actions, people and sessions: renamed, merged, removed, added, and the keys of actions."""

from collections.abc import Callable

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.library.catalogue import Library
from app.library.labels import MAX_TYPED, refusal_of_action
from app.library.queries import Kind
from app.library.rows import Named
from app.names_in_text import isolated
from app.palette import action_text
from app.plurals import counted
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable
from app.ui.library.segment_edits import SegmentEdits
from app.ui.picker import Picker
from app.ui.sentences import sentence

_KINDS: tuple[tuple[str, Kind], ...] = (("Actions", "action"), ("People", "person"), ("Sessions", "session"))
_LETTERS = 16  # of a name that can be read while it is typed


class NamesDialog(ClosingDialog):
    """Every step is one of the library's undo. It does not block the window."""

    def __init__(self, edits: SegmentEdits, changed: SignalInstance, parent: QWidget | None = None) -> None:
        """changed: tells when something in the library has changed."""
        super().__init__(parent)
        self.setWindowTitle("Names")
        self.resize(460, 460)
        self._edits, self._changed = edits, changed
        self._named: list[Named] = []
        self.kind = Picker()
        self.kind.setAccessibleName("Kind of names")
        for title, kind in _KINDS:
            self.kind.addItem(title, kind)
        self.list = QListWidget()
        self.list.setAccessibleName("Names")
        self.name = QLineEdit()
        self.name.setMaxLength(MAX_TYPED)
        self.name.setMinimumWidth(self.name.fontMetrics().averageCharWidth() * _LETTERS)
        self.name.setAccessibleName("Name")
        self.rename, self.add, self.remove = QPushButton("&Rename"), QPushButton("&Add"), QPushButton("Re&move")
        self.into = Picker()
        self.into.setAccessibleName("Merge into")
        self.merge = QPushButton("Mer&ge")
        self.key = QLineEdit()
        self.key.setMaxLength(1)
        self.key.setAccessibleName("Key, 1 to 9")
        self.key.setPlaceholderText("1 to 9")
        self.set_key = QPushButton("Set &key")
        self.state = QLabel()
        self.state.setWordWrap(True)
        self._lay_out()
        self._connect()
        self.read()

    def _lay_out(self) -> None:
        form = QFormLayout()
        rows: tuple[tuple[str, QWidget, tuple[QPushButton, ...]], ...] = (
            ("&Name", self.name, (self.rename, self.add, self.remove)),
            ("&Into", self.into, (self.merge,)),
            ("Ke&y", self.key, (self.set_key,)),
        )
        for text, field, buttons in rows:
            row = QHBoxLayout()
            row.addWidget(field, 1)
            for button in buttons:
                button.setAutoDefault(False)
                row.addWidget(button)
            label = QLabel(text)
            label.setBuddy(field)
            form.addRow(label, row)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.kind)
        column.addWidget(self.list, 1)
        column.addLayout(form)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(close_box(self))
        column.addLayout(foot)

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(lambda _: self._switch())
        self.list.currentRowChanged.connect(lambda _: self._choose())
        self.name.returnPressed.connect(self._rename)
        self.rename.clicked.connect(self._rename)
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(lambda: self._on_chosen(lambda library, n: library.remove_name(self._kind, n)))
        self.merge.clicked.connect(
            lambda: self._on_chosen(lambda library, n: library.merge(self._kind, n, self.into.currentData()))
        )
        self.set_key.clicked.connect(lambda: self._on_chosen(lambda library, n: library.set_key(n, self.key.text())))
        self.key.returnPressed.connect(self.set_key.click)
        self._changed.connect(self.read)

    @property
    def _kind(self) -> Kind:
        kind: Kind = self.kind.currentData()
        return kind

    def read(self) -> None:
        """Read the names again; the chosen one stays chosen, and what is being typed for it stays typed."""
        library = self._edits.library
        if library is None:
            return
        chosen, place, into = self._chosen(), self.list.currentRow(), self.into.currentData()
        typing = (self.name.text(), self.key.text()) != _texts(chosen)
        self._named = library.names(self._kind)
        ids = [named.id for named in self._named]
        there = chosen is not None and chosen.id in ids
        self.list.blockSignals(True)
        self._fill()
        self.list.setCurrentRow(ids.index(chosen.id) if chosen and there else min(max(place, 0), len(ids) - 1))
        self.list.blockSignals(False)
        self.into.setCurrentIndex(max(self.into.findData(into), 0))
        if not (typing and there):
            self._choose()
        self._enable(library)

    def _fill(self) -> None:
        self.list.clear()
        self.into.clear()
        for named in self._named:
            key = f", key {named.key}" if named.key else ""
            text = action_text(named.name) if self._kind == "action" else named.name
            self.list.addItem(QListWidgetItem(f"{isolated(text)}   ({counted(named.segments, 'segment')}{key})"))
            self.into.addItem(text, named.name)

    def _enable(self, library: Library) -> None:
        refused = "" if not library.read_only else (library.notes or ["The library is open read-only"])[0]
        for part in (self.name, self.rename, self.add, self.remove, self.into, self.merge, self.key, self.set_key):
            enable(part, refused)
        for part in (self.key, self.set_key):
            enable(part, refused or ("" if self._kind == "action" else "Only actions have keys"))

    def _switch(self) -> None:
        """To names of another kind, of which none is chosen yet."""
        self._named = []
        self._fill()
        self._choose()
        self.read()

    def _choose(self) -> None:
        for field, text in zip((self.name, self.key), _texts(self._chosen()), strict=True):
            field.setText(text)

    def _chosen(self) -> Named | None:
        place = self.list.currentRow()
        return self._named[place] if 0 <= place < len(self._named) else None

    def _add(self) -> None:
        if self._is_valid():
            self._do(lambda library: library.add_name(self._kind, self.name.text()))

    def _is_valid(self) -> bool:
        refusal = refusal_of_action(self.name.text()) if self._kind == "action" else ""
        self.state.setText(sentence(refusal))
        return not refusal

    def _rename(self) -> None:
        if self._chosen() is None or self._is_valid():
            self._on_chosen(lambda library, name: library.rename(self._kind, name, self.name.text()))

    def _on_chosen(self, edit: Callable[[Library, str], object]) -> None:
        named = self._chosen()
        if named is not None:
            self._do(lambda library: edit(library, named.name))
        else:
            self.state.setText("Choose a name in the list first, or press Add")

    def _do(self, edit: Callable[[Library], object]) -> None:
        line = self._edits.attempt(edit)
        self.state.setText(line)
        if not line:
            self._choose()  # what was typed is done

    def on_close(self) -> None:
        """Nothing is shown any more."""
        self._changed.disconnect(self.read)


def _texts(named: Named | None) -> tuple[str, str]:
    """What the fields show of a name: itself and its key."""
    return (named.name, named.key) if named else ("", "")
