"""The Teach dialog: which actions, how, its progress, what the check found, and the switch to the new recognizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.errors import UsageError
from app.library.catalogue import Library
from app.library.types import Model
from app.teaching import TeachingDone, TeachingFailed, TeachingJob
from app.ui.jobs import Jobs
from app.ui.notifier import Notifier
from app.ui.teaching.report import as_html
from pose.errors import ActionLensError
from recognizer.model_card import find_model, weights_folders
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.lesson import FEWEST_CLIPS, NOTHING
from recognizer.teaching.package import plain_name, versions
from recognizer.teaching.request import FULL, QUICK, TeachingRequest

_LOOK_MS = 150
_ACTION, _CLIPS, _SIDES = range(3)
_KINDS = ((QUICK, "Quick: seconds, from three clips an action"), (FULL, "Full: minutes to hours, from many clips"))
_STAGES = {"starting": "Starting", "": "Working"}


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the library has to teach with. clips: labelled ones by action, "nothing" among them."""

    counts: dict[str, int]
    models: tuple[str, ...]


class TeachDialog(QDialog):
    """use: the folder of a recognizer to switch to. It does not block the window."""

    def __init__(self, root: Path, model: str, jobs: Jobs, parent: QWidget | None = None) -> None:
        """root: of the library. model: the recognizer that runs, to build on where it can be built on."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Teach new actions")
        self.resize(760, 600)
        self.use: Notifier[[str]] = Notifier()
        self._root, self._jobs = root, jobs
        self._base = _base_of(model)
        self._before = model
        self._job: TeachingJob | None = None
        self._asked: TeachingRequest | None = None
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._make_parts()
        self._lay_out()
        self.look_at_library()

    def _make_parts(self) -> None:
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Action", "Clips", "Left and right differ"])
        self.list.setRootIsDecorated(False)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(_ACTION, QHeaderView.ResizeMode.Stretch)
        self.list.setAccessibleName("Actions to teach")
        self.name = QLineEdit("mine")
        self.name.setMaxLength(48)
        self.kind = QComboBox()
        for value, text in _KINDS:
            self.kind.addItem(text, value)
        self.keep = QCheckBox("Keep the actions that it knows already")
        self.keep.setChecked(True)
        self.train = QPushButton("Train")
        self.train.setObjectName("primary")
        self.train.setDefault(True)
        self.train.clicked.connect(self.toggle)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.report = QTextBrowser()
        self.report.setAccessibleName("What the check has found")
        self.taught = QComboBox()
        self.taught.setAccessibleName("Taught recognizers")
        self.switch = QPushButton("Use it")
        self.switch.clicked.connect(self._use_chosen)
        self.back = QPushButton("Back to the one before")
        self.back.clicked.connect(lambda: self.use.tell(self._before))

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("How", self.kind)
        form.addRow("", self.keep)
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addLayout(form)
        right = QVBoxLayout()
        right.addWidget(self.report, 1)
        columns = QHBoxLayout()
        columns.setSpacing(12)
        columns.addLayout(left, 5)
        columns.addLayout(right, 6)
        run = QHBoxLayout()
        run.addWidget(self.train)
        run.addWidget(self.progress, 1)
        models = QHBoxLayout()
        models.addWidget(QLabel("Taught recognizers"))
        models.addWidget(self.taught, 1)
        models.addWidget(self.switch)
        models.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addLayout(columns, 1)
        column.addLayout(run)
        column.addWidget(self.state)
        column.addLayout(models)

    # What can be taught.

    def look_at_library(self) -> None:
        """Read what there is, off the window's thread."""
        self.state.setText("Looking at the library …")
        self._jobs.start("library", lambda: _read(self._root), self._offer, self._say)

    def _offer(self, shelf: _Shelf) -> None:
        if self._closed:
            return
        before = {self._text(item): item.checkState(_ACTION) for item in self._items()}
        self.list.clear()
        for action, count in sorted(shelf.counts.items()):
            if action == NOTHING:
                continue
            item = QTreeWidgetItem([action, str(count), ""])
            enough = count >= FEWEST_CLIPS
            chosen = before.get(action, Qt.CheckState.Checked if enough else Qt.CheckState.Unchecked)
            item.setCheckState(_ACTION, chosen)
            item.setCheckState(_SIDES, Qt.CheckState.Unchecked)
            item.setToolTip(_ACTION, action if enough else f"{action}: at least {FEWEST_CLIPS} clips are needed")
            item.setDisabled(not enough)
            self.list.addTopLevelItem(item)
        for section in (_CLIPS, _SIDES):
            self.list.resizeColumnToContents(section)
        self._offer_models(shelf.models)
        if self._asked is None:  # later, what came of the teaching stays on the screen
            self.state.setText(_what_there_is(shelf.counts))
        self._refresh()

    def _offer_models(self, models: Sequence[str]) -> None:
        self.taught.clear()
        self.taught.addItems(list(models))
        self.taught.setCurrentIndex(len(models) - 1)
        self.switch.setEnabled(bool(models))

    def chosen(self) -> list[str]:
        """The actions that are ticked."""
        return [self._text(i) for i in self._items() if i.checkState(_ACTION) == Qt.CheckState.Checked]

    def _items(self) -> list[QTreeWidgetItem]:
        found = [self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount())]
        return [item for item in found if item is not None]

    def _text(self, item: QTreeWidgetItem) -> str:
        return item.text(_ACTION)

    # Teaching.

    def toggle(self) -> None:
        """Begin, or cancel what runs."""
        if self._job is not None:
            self._job.cancel()
            self.state.setText("Cancelling …")
            return
        actions = self.chosen()
        if not actions:
            self._say("tick at least one action")
            return
        self.train.setEnabled(False)
        self.state.setText("Reading the clips …")
        self._jobs.start("clips", lambda: _clips(self._root, actions), self._begin, self._failed)

    def _begin(self, clips: list[TeachingClip]) -> None:
        if self._closed:
            return
        one_sided = [self._text(i) for i in self._items() if i.checkState(_SIDES) == Qt.CheckState.Checked]
        self._asked = TeachingRequest(
            kind=str(self.kind.currentData()),
            name=plain_name(self.name.text()),
            base=self._base,
            models=self._root / "models",
            clips=clips,
            keep_base=self.keep.isChecked(),
            one_sided=tuple(one_sided),
        )
        try:
            self._job = TeachingJob(self._asked)
        except UsageError as error:
            self._failed(str(error))
            return
        self.train.setEnabled(True)
        self.train.setText("Cancel")
        self._timer.start()

    def look(self) -> None:
        """Show how far it is, and what came of it."""
        job = self._job
        if job is None:
            return
        outcome, progress = job.outcome, job.progress
        if outcome is None:
            self.progress.setValue(round(1000 * progress.part))
            left = "" if progress.remaining_s is None else f", about {progress.remaining_s:.0f} s left"
            self.state.setText(f"{_STAGES.get(progress.stage, progress.stage.capitalize())}{left}")
            return
        self._job = None
        self._timer.stop()
        if isinstance(outcome, TeachingDone):
            self._done(outcome)
        else:
            self.progress.setValue(0)
            cancelled = "Cancelled; nothing is left of it."
            self._failed(outcome.message if isinstance(outcome, TeachingFailed) else cancelled)

    def _done(self, outcome: TeachingDone) -> None:
        self.progress.setValue(1000)
        self.report.setHtml(as_html(outcome.check))
        self._reset()
        asked = self._asked
        assert asked is not None
        label = f"{asked.name}/{outcome.folder.name}"
        self.state.setText(f"{label} is ready: look at the check, then press Use it.")
        created = datetime.now(UTC).isoformat(timespec="seconds")
        made_of = tuple((clip.name, clip.action) for clip in asked.clips)
        model = Model(label, created, asked.kind, f"models/{label}", made_of, outcome.check)
        self._jobs.start("model", lambda: _enter(self._root, model), self._offer, lambda _: self.look_at_library())

    def _use_chosen(self) -> None:
        if self.taught.currentText():
            self.use.tell(str(self._root / "models" / self.taught.currentText()))

    def _failed(self, line: str) -> None:
        self._reset()
        self._say(line)

    def _reset(self) -> None:
        self.train.setEnabled(True)
        self.train.setText("Train")
        self._refresh()

    def _refresh(self) -> None:
        self.train.setEnabled(self._job is not None or bool(self._items()))

    def _say(self, line: str) -> None:
        if not self._closed:
            self.state.setText(line)

    def done(self, result: int) -> None:
        """Qt's: what runs is cancelled."""
        self._end()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt's: what runs is cancelled."""
        self._end()
        super().closeEvent(event)

    def _end(self) -> None:
        self._closed = True
        self._timer.stop()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()


def _what_there_is(counts: dict[str, int]) -> str:
    if not counts:
        return "Nothing is labelled yet: record some takes (Ctrl+E), then come back."
    hint = "" if counts.get(NOTHING) else " Label some footage “nothing” to know its false alarms."
    return f"{len(counts.keys() - {NOTHING})} actions in the library.{hint}"


def _base_of(model: str) -> Path:
    """What is built on: the recognizer that runs where it is one of the shipped ones, else the first of those."""
    shipped = {path.name for folder in weights_folders() if folder.is_dir() for path in folder.iterdir()}
    return find_model(model if model in shipped else "act")


def _read(root: Path) -> _Shelf:
    with Library(root) as library:
        return _shelf(library, root)


def _shelf(library: Library, root: Path) -> _Shelf:
    counts = {named.name: named.clips for named in library.names("action") if named.clips}
    home = root / "models"
    names = sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    return _Shelf(counts, tuple(f"{name}/{number}" for name in names for number in versions(home, name)))


def _clips(root: Path, actions: Sequence[str]) -> list[TeachingClip]:
    with Library(root) as library:
        return library.teaching_clips([*actions, NOTHING])


def _enter(root: Path, model: Model) -> _Shelf:
    """Note which clips made the model. A library that is open elsewhere is only read: the model has its clips.json."""
    with Library(root) as library:
        if not library.read_only:
            try:
                library.add_model(model)
            except ActionLensError as error:
                library.notes.append(str(error))
        return _shelf(library, root)
