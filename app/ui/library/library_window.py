"""The library's window: the clips, the chosen one playing, its label and its bounds."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelection, Qt
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.library.catalogue import Library
from app.library.types import ClipRow, Filter, NewClip
from app.palette import action_text
from app.ui.jobs import Jobs
from app.ui.library.clip_model import ClipModel
from app.ui.library.frames import Stretch, motion_energy, propose, read_stretch
from app.ui.library.keys import KEYS, NOTHING, actions_by_key
from app.ui.library.player import Player
from app.ui.notifier import Notifier
from app.ui.theme import Theme
from pose.errors import ActionLensError

_ALL = "all actions"
_WAITING = "recordings without labels"
_WIDTHS = (140, 70, 90, 60, 120)
_MARGIN_S = 1.0  # of pictures around a clip, for setting its bounds


class LibraryWindow(QMainWindow):
    """changed: clips have changed. The library is opened on a job's thread and closed with the window."""

    def __init__(self, root: Path, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Library")
        self.resize(1180, 720)
        self.changed: Notifier[[]] = Notifier()
        self.library: Library | None = None
        self._theme, self._jobs = theme, Jobs(self)
        self._clip: ClipRow | None = None
        self._recording: str | None = None  # that is shown whole, without a clip
        self._closed = False
        self._make_parts()
        self._lay_out()
        self._connect()
        self.say("Opening the library …")
        self._jobs.start("library", lambda: Library(root), self._opened, self.say)

    def _make_parts(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("search in notes, names and sources")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search")
        self.only = QComboBox()
        self.only.setAccessibleName("Action")
        self.waiting = QComboBox()
        self.waiting.setAccessibleName("Recordings without labels")
        self.unlabelled = QCheckBox("Unlabelled")
        self.suspect = QCheckBox("Suspect")
        self.model = ClipModel()
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.table.horizontalHeader().setStretchLastSection(True)
        for section, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(section, width)
        self.table.setAccessibleName("Clips")
        self.count = QLabel()
        self.count.setObjectName("muted")
        self.player = Player(self._theme.colours)
        self.label = QLineEdit()
        self.label.setPlaceholderText("action of the chosen clips, then Enter")
        self.label.setAccessibleName("Action")
        self.who = QLineEdit()
        self.who.setPlaceholderText("who, then Enter")
        self.who.setAccessibleName("Who")
        self.undo = QPushButton("Undo")
        self.redo = QPushButton("Redo")
        self.state = QLabel()
        self.state.setWordWrap(True)

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        above: tuple[tuple[QWidget, int], ...] = (
            *((self.search, 2), (self.only, 1)),
            *((self.unlabelled, 0), (self.suspect, 0)),
        )
        for part, stretch in above:
            filters.addWidget(part, stretch)
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(filters)
        column.addWidget(self.table, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.count, 1)
        foot.addWidget(self.waiting, 2)
        column.addLayout(foot)
        labels = QHBoxLayout()
        below: tuple[tuple[QWidget, int], ...] = ((self.label, 3), (self.who, 2), (self.undo, 0), (self.redo, 0))
        for part, stretch in below:
            labels.addWidget(part, stretch)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.player, 1)
        column.addLayout(labels)
        parts = QSplitter()
        parts.addWidget(left)
        parts.addWidget(right)
        parts.setSizes([560, 620])
        keys = QLabel(KEYS)
        keys.setObjectName("muted")
        keys.setWordWrap(True)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(14, 12, 14, 10)
        column.setSpacing(8)
        column.addWidget(parts, 1)
        column.addWidget(self.state)
        column.addWidget(keys)
        self.setCentralWidget(middle)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _: self.refresh())
        self.only.activated.connect(lambda _: self.refresh())
        self.waiting.activated.connect(self._choose_waiting)
        self.unlabelled.toggled.connect(lambda _: self.refresh())
        self.suspect.toggled.connect(lambda _: self.refresh())
        self.table.selectionModel().selectionChanged.connect(self._choose)
        self.label.returnPressed.connect(lambda: self._label(self.label.text()))
        self.who.returnPressed.connect(self._set_who)
        self.undo.clicked.connect(lambda: self._do(lambda library: library.undo()))
        self.redo.clicked.connect(lambda: self._do(lambda library: library.redo()))
        self.player.bounds_changed.connect(self._set_bounds)
        self._theme.changed.connect(self._wear_theme)
        keys: tuple[tuple[str, Callable[[], object]], ...] = (
            ("Space", self.player.toggle),
            ("Left", lambda: self.player.step(-1 / 30)),
            ("Right", lambda: self.player.step(1 / 30)),
            ("+", lambda: self.player.change_speed(1)),
            ("-", lambda: self.player.change_speed(-1)),
            ("I", self.player.set_in),
            ("O", self.player.set_out),
            ("N", lambda: self._label(NOTHING)),
            ("S", self._toggle_suspect),
            ("A", self._another_clip),
            ("P", self._propose),
            ("Delete", self._remove),
            ("Ctrl+Z", self.undo.click),
            ("Ctrl+Y", self.redo.click),
            ("/", self.search.setFocus),
            *((str(number), lambda key=str(number): self._label_by_key(key)) for number in range(1, 10)),
            *((f"Ctrl+{number}", lambda key=str(number): self._keep_key(key)) for number in range(1, 10)),
        )
        for sequence, slot in keys:
            shortcut = QShortcut(QKeySequence(sequence), self)
            shortcut.activated.connect(lambda slot=slot: slot())

    # The library.

    def _opened(self, library: Library) -> None:
        if self._closed:
            library.close()
            return
        self.library = library
        self.refresh()
        self.say(library.notes[-1] if library.notes else "")
        self.table.setFocus()
        if self._recording is None:
            self.table.selectRow(0)
        else:
            self.show_recording(self._recording)

    def refresh(self) -> None:
        """Read the list again; what was chosen stays chosen where it is still there."""
        library = self.library
        if library is None:
            return
        chosen = self._clip.id if self._clip else None
        self._offer_actions(library)
        self._offer_waiting(library)
        action = self.only.currentData()
        unlabelled, suspect = self.unlabelled.isChecked(), self.suspect.isChecked()
        picked = Filter(action=action, unlabelled=unlabelled, suspect=suspect, text=self.search.text())
        self.model.show(library, picked)
        self.count.setText(f"{self.model.total} clips")
        place = next((row for row, clip in enumerate(self.model.rows) if clip.id == chosen), None)
        if place is not None:
            self.table.selectRow(place)
        self._show_clips()
        for button, text in ((self.undo, library.undo_text()), (self.redo, library.redo_text())):
            button.setEnabled(text is not None and not library.read_only)
            button.setToolTip(text or "")

    def _offer_actions(self, library: Library) -> None:
        before = self.only.currentData()
        self.only.clear()
        self.only.addItem(_ALL, None)
        for named in library.names("action"):
            self.only.addItem(f"{action_text(named.name)} ({named.clips})", named.name)
        self.only.setCurrentIndex(max(self.only.findData(before), 0))

    def _offer_waiting(self, library: Library) -> None:
        rows, total = library.recordings(Filter(unlabelled=True)), library.count_recordings(Filter(unlabelled=True))
        self.waiting.clear()
        self.waiting.addItem(f"{total} {_WAITING}", None)
        for row in rows:
            recorded = row.created.replace("T", " ")[:16]
            self.waiting.addItem(f"{recorded}, {row.duration_s:.0f} s, {row.source}", row.id)
        self.waiting.setEnabled(bool(rows))

    def _choose_waiting(self, place: int) -> None:
        recording = self.waiting.itemData(place)
        if recording is not None:
            self.show_recording(recording)

    def show_recording(self, recording: str) -> None:
        """Show a recording whole, for clips to be made of it by A and P. Before the library is open: when it is."""
        self._recording = recording
        library = self.library
        if library is None:
            return
        self.table.clearSelection()
        self._clip, self._recording = None, recording
        self._jobs.start(
            "recording", lambda: _read(library, recording), lambda s: self._show_whole(recording, s), self.say
        )

    def _show_whole(self, recording: str, found: Stretch) -> None:
        if not self._closed and self._clip is None and self._recording == recording:
            persons = found.recording.persons()
            self.player.show_stretch(found, persons[0] if persons else 0, 0.0, found.recording.info.duration_s)
            self.table.setFocus()
            self.say("No clip of this recording is chosen: A makes one here, P proposes those in which something moves")

    def _choose(self, *_: QItemSelection) -> None:
        rows = self._rows()
        clip = rows[0] if rows else None
        self._recording = None
        if clip is None:
            self._clip = None
            self.player.show_stretch(None, 0, 0.0, 0.0)
            return
        same = self._clip is not None and self._clip.recording == clip.recording and self.player.stretch is not None
        self._clip = clip
        self.label.setText("" if clip.action is None else action_text(clip.action))
        self.who.setText(clip.who or "")
        library = self.library
        if library is None or (same and self.player.bounds == (clip.start_s, clip.end_s)):
            return
        self._jobs.start(
            "clip",
            lambda: _read(library, clip.recording, clip.start_s, clip.end_s),
            lambda found: self._show(clip, found),
            self.say,
        )

    def _show(self, clip: ClipRow, found: Stretch) -> None:
        if not self._closed and clip == self._clip:
            self.player.show_stretch(found, clip.person, clip.start_s, clip.end_s)
            self._show_clips()

    def _show_clips(self) -> None:
        recording = self._clip.recording if self._clip else self._recording
        if self.library is not None and recording is not None:
            self.player.show_clips(self.library.clips(Filter(recording=recording)))

    def _rows(self) -> list[ClipRow]:
        places = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.rows[place] for place in places]

    # Edits.

    def _do(self, edit: Callable[[Library], object]) -> None:
        library = self.library
        if library is None:
            return
        try:
            edit(library)
        except ActionLensError as error:
            self.say(str(error))
            return
        self.say(library.undo_text() or "")
        self.refresh()
        self.changed.tell()

    def _label(self, text: str) -> None:
        ids = [row.id for row in self._rows()]
        name = self._known(" ".join(text.split()))
        if ids:
            self._do(lambda library: library.label(ids, name or None))
            self.table.setFocus()

    def _known(self, text: str) -> str:
        """The name that reads like this: "sit down" for sit_down."""
        names = [named.name for named in self.library.names("action")] if self.library else []
        return next((name for name in names if action_text(name).casefold() == text.casefold()), text)

    def _label_by_key(self, key: str) -> None:
        name = actions_by_key(self.library.names("action")).get(key) if self.library else None
        if name is not None:
            self._label(name)

    def _keep_key(self, key: str) -> None:
        action = self._clip.action if self._clip else None
        if action is not None:
            self._do(lambda library: library.set_key(action, key))

    def _set_who(self) -> None:
        ids = [row.id for row in self._rows()]
        if ids:
            self._do(lambda library: library.set_who(ids, " ".join(self.who.text().split()) or None))
            self.table.setFocus()

    def _toggle_suspect(self) -> None:
        rows = self._rows()
        if rows:
            self._do(lambda library: library.mark_suspect([row.id for row in rows], not rows[0].suspect))

    def _set_bounds(self, start_s: float, end_s: float) -> None:
        clip = self._clip
        if clip is not None:
            new = NewClip(start_s, end_s, clip.person, clip.action, clip.who, clip.note, clip.suspect)
            self._do(lambda library: library.change_clip(clip.id, new))

    def _shown(self) -> tuple[str, int, str | None] | None:
        """The recording in the player, the person in it, and who that is."""
        if self._clip is not None:
            return self._clip.recording, self._clip.person, self._clip.who
        if self._recording is None or self.player.stretch is None:
            return None
        persons = self.player.stretch.recording.persons()
        return self._recording, persons[0] if persons else 0, None

    def _add(self, recording: str, new: list[NewClip]) -> None:
        """Keep clips; the first is chosen where the list shows it."""
        made: list[int] = []
        self._do(lambda library: made.extend(library.add_clips(recording, new)))
        place = next((row for row, clip in enumerate(self.model.rows) if made and clip.id == made[0]), None)
        if place is not None and self._clip is None:
            self.table.selectRow(place)

    def _another_clip(self) -> None:
        """A second of the same recording, from where the player stands."""
        shown, at_s = self._shown(), self.player.time_s
        if shown is not None:
            recording, person, who = shown
            start_s = min(at_s, max(self.player.duration_s - 1.0, 0.0))
            self._add(recording, [NewClip(start_s, min(start_s + 1.0, self.player.duration_s), person, None, who)])

    def _propose(self) -> None:
        """Clips wherever something moves in the recording."""
        shown, stretch = self._shown(), self.player.stretch
        if shown is None or stretch is None:
            return
        recording, person, who = shown
        parts = propose(*motion_energy(stretch.recording, person))
        if not parts:
            self.say("nothing moves in this recording for half a second or longer")
            return
        self._add(recording, [NewClip(start_s, end_s, person, None, who) for start_s, end_s in parts])

    def _remove(self) -> None:
        ids = [row.id for row in self._rows()]
        if ids:
            self._do(lambda library: library.remove_clips(ids))

    # Odds and ends.

    def say(self, line: str) -> None:
        """The last thing to tell."""
        if not self._closed:
            self.state.setText(line)

    def _wear_theme(self) -> None:
        self.player.set_colours(self._theme.colours)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt's: the library is let go."""
        self._closed = True
        self.player.pause()
        self._theme.changed.disconnect(self._wear_theme)
        self._jobs.close(timeout_s=1.0)
        if self.library is not None:
            self.model.show(None, Filter())
            self.library.close()
            self.library = None
        super().closeEvent(event)


def _read(library: Library, recording: str, start_s: float = 0.0, end_s: float | None = None) -> Stretch:
    found = library.open_recording(recording)
    return read_stretch(found, start_s - _MARGIN_S, (found.info.duration_s if end_s is None else end_s) + _MARGIN_S)
