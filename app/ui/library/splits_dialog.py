"""Splits: which people, sessions or recordings are learnt from, and on which a recognizer is tested."""

from collections import Counter
from collections.abc import Callable

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.clock_text import local_clock
from app.library.catalogue import Library
from app.library.copies import copy_pairs
from app.library.edit_operations import PARTS
from app.library.labels import MAX_TYPED, label_key
from app.library.splits import BY, NOT_KNOWN, By, Groups, grouped, part_of, share_out
from app.names_in_text import isolated
from app.plurals import counted
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.library.edit_text import step_text
from app.ui.library.segment_edits import SegmentEdits
from app.ui.picker import Picker
from app.ui.sentences import sentence

_HINT = "Name a split, then assign people, sessions or recordings to its parts; every step can be undone (Ctrl+Z)."


class SplitsDialog(ClosingDialog):
    """Every step is one of the library's undo. It does not block the window."""

    def __init__(self, edits: SegmentEdits, changed: SignalInstance, parent: QWidget | None = None) -> None:
        """changed: tells when something in the library has changed."""
        super().__init__(parent)
        self.setWindowTitle("Splits")
        self.resize(560, 540)
        self._edits, self._changed = edits, changed
        self._jobs = Jobs(self)
        self._groups: Groups = {}
        self._sharing = False
        self.split = Picker()
        self.split.setAccessibleName("Split")
        self.name = QLineEdit()
        self.name.setPlaceholderText("name of a new split")
        self.name.setMaxLength(MAX_TYPED)
        self.name.setAccessibleName("Name of a new split")
        self.add, self.remove = QPushButton("&Add"), QPushButton("Re&move")
        self.by = Picker()
        self.by.setAccessibleName("What stays together")
        for by in BY:
            self.by.addItem(f"each {by}", by)
        self.list = QTreeWidget()
        self.list.setAccessibleName("What is in which part")
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHeaderLabels(["", "Segments", "Part"])
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.parts = {
            part: QPushButton(text) for part, text in zip(PARTS, ("&Train", "&Validation", "T&est"), strict=True)
        }
        self.none, self.share = QPushButton("&None"), QPushButton("By &chance")
        self.share.setToolTip(
            "70% of the segments to train, 15% to validation, 15% to test; what is named above stays whole"
        )
        self.undo = QPushButton("&Undo")
        self.undo.setShortcut(QKeySequence("Ctrl+Z"))
        self.state = QLabel(_HINT)
        self.state.setWordWrap(True)
        self._lay_out()
        self._connect()
        self.read()

    def _lay_out(self) -> None:
        top = QGridLayout()
        for row, (field, button) in enumerate(((self.name, self.add), (self.split, self.remove))):
            top.addWidget(field, row, 0)
            top.addWidget(button, row, 1)
        top.setColumnStretch(0, 1)
        into = QHBoxLayout()
        into.addWidget(QLabel("Move selected to"))
        for button in (*self.parts.values(), self.none):
            into.addWidget(button)
        into.addStretch(1)
        into.addWidget(self.share)
        for button in (self.add, self.remove, *self.parts.values(), self.none, self.share, self.undo):
            button.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(self.undo)
        foot.addWidget(close_box(self))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.by)
        column.addWidget(self.list, 1)
        column.addLayout(into)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.split.currentIndexChanged.connect(lambda _: self._fill())
        self.by.currentIndexChanged.connect(lambda _: self._fill())
        self.add.clicked.connect(self._add)
        self.name.returnPressed.connect(self._add)
        self.remove.clicked.connect(lambda: self._do(lambda library: library.remove_split(self._name)))
        for part, button in self.parts.items():
            button.clicked.connect(lambda _=False, part=part: self._put(part))
        self.none.clicked.connect(lambda: self._put(None))
        self.share.clicked.connect(self._share)
        self.undo.clicked.connect(self._edits.undo)
        self._changed.connect(self.read)

    @property
    def _name(self) -> str:
        return str(self.split.currentData() or "")

    def read(self) -> None:
        """Read the splits again; the chosen one stays chosen."""
        library, before = self._edits.library, self._name
        if library is None:
            return
        names = list(library.splits())
        self.split.blockSignals(True)
        self.split.clear()
        for name in names:
            self.split.addItem(name, name)
        self.split.setCurrentIndex(max(self.split.findData(before), 0) if names else -1)
        self.split.blockSignals(False)
        self._fill()

    def _fill(self) -> None:
        library, by = self._edits.library, self._by
        if library is None:
            return
        chosen = {item.data(0, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()}
        parts = library.splits().get(self._name, {})
        segments = library.segments(limit=-1)
        self._groups = grouped(segments, by)
        titles = {
            segment.recording: f"{isolated(segment.source)}  {local_clock(segment.created)}" for segment in segments
        }
        self.list.clear()
        for name, members in self._groups.items():
            title = isolated(titles.get(name, name)) if name != NOT_KNOWN else f"(no {by} named)"
            item = QTreeWidgetItem([title, str(len(members)), part_of(members, parts)])
            item.setData(0, Qt.ItemDataRole.UserRole, name)
            self.list.addTopLevelItem(item)
            item.setSelected(name in chosen)
        counts = Counter(parts[segment.id] for segment in segments if segment.id in parts)  # others are in the bin
        if self._name:
            rest = len(segments) - sum(counts.values())
            texts = [f"{part} {counts[part]}" for part in PARTS]
            self.state.setText(" · ".join([*texts, f"in no part {rest}"]) + f", of {counted(len(segments), 'segment')}")
        self._enable(library)

    @property
    def _by(self) -> By:
        by: By = self.by.currentData()
        return by

    def _enable(self, library: Library) -> None:
        refused = "" if not library.read_only else (library.notes or ["The library is open read-only"])[0]
        for part in (self.remove, *self.parts.values(), self.none, self.share):
            enable(part, refused or ("" if self._name else "Name a split first"))
        if self._sharing and self._name and not refused:
            enable(self.share, "Segments are being compared")
        text = library.undo_text()
        enable(self.undo, refused or ("" if text else "There is nothing to undo"))
        if text and not refused:
            self.undo.setToolTip(f"Undo: {step_text(library, text)} (Ctrl+Z)")
        for field in (self.name, self.add):
            enable(field, refused)

    def _add(self) -> None:
        name = " ".join(self.name.text().split())
        if not name:
            self.state.setText("Type the name of the new split first")
        elif (place := self._place_of(name)) >= 0:
            self.split.setCurrentIndex(place)
            self.name.clear()
            self.state.setText(f"There is already the split {isolated(self._name)}: it is chosen now")
        elif self._do(lambda library: library.set_part(name, [], None)):
            self.name.clear()
            self.split.setCurrentIndex(self._place_of(name))

    def _place_of(self, name: str) -> int:
        """Where a split is in its picker, in whatever case its name is typed; -1 where there is none."""
        names = [label_key(self.split.itemData(place)) for place in range(self.split.count())]
        return names.index(label_key(name)) if label_key(name) in names else -1

    def _put(self, part: str | None) -> None:
        names = [item.data(0, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]
        if not names:
            self.state.setText("Select some of the list first (Ctrl+A selects all)")
            return
        segments = [segment for name in names for segment in self._groups[name]]
        self._do(lambda library: library.set_part(self._name, segments, part))

    def _share(self) -> None:
        """The segments are compared first, which takes a moment: those of one moment go into one part."""
        library = self._edits.library
        if library is None:
            return
        name, by, segments, parts = self._name, self._by, library.segments(limit=-1), library.splits().get(self._name)
        self._share_going_on(True)
        self.state.setText("Looking for segments of the same moment …")

        def found(pairs: list[tuple[int, int]]) -> None:
            self._share_going_on(False)
            if (library.segments(limit=-1), library.splits().get(name)) != (segments, parts):
                self.state.setText("Something has changed meanwhile, and was kept: press By chance again")
                return
            new = share_out(segments, by, copies=pairs)
            self._do(lambda library: library.set_split(name, {**(parts or {}), **new}))

        def failed(line: str) -> None:
            self._share_going_on(False)
            self.state.setText(sentence(line))

        self._jobs.start("copies", lambda: copy_pairs(library, segments), found, failed)

    def _share_going_on(self, sharing: bool) -> None:
        self._sharing = sharing
        if self._edits.library is not None:
            self._enable(self._edits.library)

    def _do(self, edit: Callable[[Library], object]) -> bool:
        line = self._edits.attempt(edit)
        if line:
            self.state.setText(line)
        return not line

    def on_close(self) -> None:
        """Nothing is shown any more."""
        self._changed.disconnect(self.read)
