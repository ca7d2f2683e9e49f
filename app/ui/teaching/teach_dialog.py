"""The Teach dialog: which actions, how, its progress, what the check found, and the switch to the new recognizer."""

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.errors import UsageError
from app.library.labels import MAX_TYPED
from app.model_files import refusal_of
from app.plurals import counted
from app.teaching_process import Progress, TeachingDone, command_of
from app.ui.child_windows import ClosingDialog, close_box
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.live_run import RunView
from app.ui.picker import Picker
from app.ui.teaching.action_list import ActionList
from app.ui.teaching.library_summary import (
    Files,
    LibrarySummary,
    base_model,
    files_of,
    previous_model,
    read,
    running_model,
    short_name,
)
from app.ui.teaching.report import as_html, examples_html, progress_text, worst_takes
from app.ui.teaching.teaching_job import Training, show_progress
from app.ui.teaching.variants_choice import VariantsChoice
from app.ui.teaching.version_list import VersionList
from app.ui.teaching.worst_takes import WorstTakes
from app.ui.theme import Colours
from recognizer.teaching.examples import Example
from recognizer.teaching.full_start import cannot_start, start_sentence
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.request import FULL, QUICK, TeachingRequest
from recognizer.teaching.versions import TaughtModel, plain_name, version_label

_LETTERS, _LINES = 143, 48  # across and down the window
_WATCH_MS = 1000
_KINDS = ((QUICK, "Quick: seconds, from three examples per action"), (FULL, "Full: minutes, from many examples"))
_FULL = "Trains the network itself, and once more for the check; the result knows only the ticked actions."
_IN_TURN = "each person or session in turn, not trained on"


class TeachDialog(ClosingDialog):
    """use: the folder of a recognizer to switch to. again: another take of an action is to be recorded. It does not
    block the window."""

    use = Signal(str)
    again = Signal(str)

    def __init__(self, root: Path, model: str, jobs: Jobs, colours: Colours, parent: QWidget | None = None) -> None:
        """root: of the library. model: the recognizer that runs, to build on where it can be built on."""
        super().__init__(parent)
        self.setWindowTitle("Teach new actions")
        letter = self.fontMetrics()
        self.resize(_LETTERS * letter.averageCharWidth(), _LINES * letter.height())
        self.worst = WorstTakes(root, colours, jobs)
        self._root, self._jobs = root, jobs
        self._base = base_model(root, model)
        self._running = running_model(root, model)
        self._before = previous_model(root, model)
        self._seen: Files = ()
        self._reading = False
        self._taught = False  # what came of a teaching stays on the screen
        self._closed = False
        self._missing = ""  # what Full needs and is not there
        self._newest: str | None = None  # the version that has just been made
        self.training = Training(root, jobs, self)
        self._watch = QTimer(self)
        self._watch.setInterval(_WATCH_MS)
        self._watch.timeout.connect(self._check_for_changes)
        self._make_parts()
        self._lay_out()
        self._follow_training()
        self._follow_worst()
        self.read_library()
        self._watch.start()

    def _make_parts(self) -> None:
        self.list = ActionList()
        self.name = QLineEdit("mine")
        self.name.setMaxLength(MAX_TYPED)
        self.name.textChanged.connect(lambda _: self._hint_at_name())
        self.kept_as = QLabel()
        self.kept_as.setObjectName("muted")
        self.kind = Picker()
        for value, text in _KINDS:
            self.kind.addItem(text, value)
        self.kind.currentIndexChanged.connect(lambda _: self._choose_kind())
        self.hint = QLabel()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.test = Picker()
        self.test.setToolTip("Splits are made in the library's window (F3); the test part is not used for training")
        self.test.addItem(_IN_TURN, ())
        self.keep = QCheckBox("Keep the actions that it already knows")
        self.keep.setChecked(True)
        self.variants = VariantsChoice(self._root)
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
        self.report.setAccessibleName("Results of the check")
        self.taught = VersionList()
        self.taught.picked.connect(self._show_version)
        self.switch = QPushButton("Use it")
        self.switch.clicked.connect(self._use_chosen)
        self.back = QPushButton()
        self.back.clicked.connect(self._go_back)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("", self.kept_as)
        form.addRow("How", self.kind)
        form.addRow("Check", self.test)
        form.addRow("", self.keep)
        form.addRow("", self.variants)
        form.addRow(self.hint)
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addLayout(form)
        right = QVBoxLayout()
        right.addWidget(self.taught, 2)
        right.addWidget(self.report, 5)
        right.addWidget(self.worst)
        models = QHBoxLayout()
        models.addWidget(self.switch)
        models.addWidget(self.back)
        right.addLayout(models)
        columns = QHBoxLayout()
        columns.setSpacing(12)
        columns.addLayout(left, 5)
        columns.addLayout(right, 6)
        run = QHBoxLayout()
        run.addWidget(self.train)
        run.addWidget(self.progress, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addLayout(columns, 1)
        column.addLayout(run)
        foot = QHBoxLayout()
        foot.addWidget(self.state, 1)
        foot.addWidget(close_box(self))
        column.addLayout(foot)
        self._hint_at_name()
        self._choose_kind()
        self._show_version(None)

    # What can be taught.

    def read_library(self) -> None:
        """Read what there is, off the window's thread."""
        if self._closed or self._reading:
            return
        self._reading = True
        if not self._seen:
            self.state.setText("Reading the library …")
        self._jobs.start("library", lambda: read(self._root), self._offer, self._cannot_read)

    def _check_for_changes(self) -> None:
        """Segments are recorded and labelled in other windows meanwhile."""
        if not self._reading and self._seen != files_of(self._root):
            self.read_library()

    def _cannot_read(self, line: str) -> None:
        self._reading, self._seen = False, files_of(self._root)  # not again before something has changed
        self._show_status(line)

    def _offer(self, summary: LibrarySummary) -> None:
        if self._closed:
            return
        self._reading, self._seen = False, summary.seen
        self.list.offer(summary.counts)
        self.taught.offer(summary.models, self._newest, self._running)
        if self._newest in self.taught.labels():
            self._newest = None
        self._offer_tests(summary.tests)
        self._show_way_back()
        if not self._taught:
            self.state.setText(_what_there_is(summary.counts))
        self._refresh()

    def _offer_tests(self, tests: dict[str, tuple[str, ...]]) -> None:
        before = self.test.currentText()
        self.test.clear()
        self.test.addItem(_IN_TURN, ())
        for split, examples in tests.items():
            self.test.addItem(f"on the test part of {split}", examples)
        self.test.setCurrentIndex(max(self.test.findText(before), 0))
        none = "No split has a test part: make one in the library (Ctrl+L, F3)"
        enable(self.test, "" if self.test.count() > 1 else none)

    def _hint_at_name(self) -> None:
        name = plain_name(self.name.text())
        self.kept_as.setText("" if name == self.name.text() else f"kept as {name}")
        self.kept_as.setVisible(bool(self.kept_as.text()))

    def _choose_kind(self) -> None:
        full = self.kind.currentData() == FULL
        try:
            command_of(str(self.kind.currentData()))
            self._missing = ""
        except UsageError as error:
            self._missing = str(error)
        if full and not self._missing:
            self._missing = cannot_start(self._base)
        sentences = [f"Builds on {self._base.name}."]
        if full:
            sentences += [start_sentence(self._base), _FULL]
        self.hint.setText(self._missing or " ".join(filter(None, sentences)))
        enable(self.keep, "Full knows only the ticked actions" if full else "")
        self.variants.allow(quick=not full)
        self._refresh()

    def _follow_worst(self) -> None:
        review = self.worst.review
        review.message.connect(self._show_status)
        review.again_wanted.connect(self.again)
        review.changed.connect(self.read_library)

    def _show_version(self, model: TaughtModel | None) -> None:
        self._offer_switch()
        if model is None:
            self.report.setPlainText("No recognizer has been taught yet.")
        elif model.problem:
            self.report.setPlainText(model.problem)
        else:
            self.report.setHtml(as_html(model.check) + examples_html(model.actions, model.check))
        self.worst.show_takes(worst_takes(model.check) if model is not None and not model.problem else ())

    # Teaching.

    def toggle(self) -> None:
        """Begin, or cancel what runs."""
        if self.training.job is not None:
            self.training.cancel()
            self.state.setText("Cancelling …")
            return
        actions = self.list.chosen()
        if not actions:
            self._show_status("Tick at least one action")
            return
        if refusal := refusal_of(plain_name(self.name.text())):
            self._show_status(refusal)
            return
        enable(self.train, "The examples are being read")
        self.state.setText("Reading the examples …")
        self._taught = True
        self.training.start(actions, self._request)

    def _request(self, examples: list[Example]) -> TeachingRequest:
        return TeachingRequest(
            kind=str(self.kind.currentData()),
            name=plain_name(self.name.text()),
            base=self._base,
            models=self._root / "models",
            examples=examples,
            keep_base=self.keep.isChecked(),
            one_sided=self.list.one_sided(),
            generator=self.variants.folder,
            test=tuple(example.name for example in examples if example.name in set(self.test.currentData())),
        )

    def _follow_training(self) -> None:
        training = self.training
        training.began.connect(self._training_began)
        training.progressed.connect(self._show_progress)
        training.done.connect(self._done)
        training.failed.connect(self._failed)
        training.registered.connect(
            lambda summary: self._offer(summary) if summary is not None else self.read_library()
        )

    def _training_began(self) -> None:
        enable(self.train, "")
        self.train.setText("Cancel")
        self.training.poll()

    def _show_progress(self, progress: Progress) -> None:
        show_progress(self.progress, progress)
        if not self.training.cancelling:
            self.state.setText(progress_text(progress))

    def _done(self, outcome: TeachingDone) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(1000)
        self._reset()
        label = version_label(outcome.folder)
        self.state.setText(f"{label} is ready: look at the check, then press Use it.")
        self._newest = label

    # Which recognizer runs.

    def show_run(self, view: RunView) -> None:
        """The recognizer may have been chosen elsewhere, or the last one that was chosen here cannot be used."""
        running = running_model(self._root, view.options.model)
        if running != self._running:
            self._mark_running(running)

    def _use_chosen(self) -> None:
        model = self.taught.chosen()
        if model is not None:
            self._switch_to(str(model.folder))

    def _go_back(self) -> None:
        if self._before is not None:
            self._switch_to(self._before)

    def _switch_to(self, model: str) -> None:
        self._mark_running(model)
        self.use.emit(model)

    def _mark_running(self, model: str) -> None:
        self._before, self._running = self._running, model
        self.taught.mark(model)
        self._show_way_back()
        self._offer_switch()

    def _offer_switch(self) -> None:
        model = self.taught.chosen()
        in_use = "It is already in use" if model is not None and str(model.folder) == self._running else ""
        enable(self.switch, "No recognizer is chosen" if model is None else model.problem or in_use)

    def _show_way_back(self) -> None:
        enable(self.back, "" if self._before is not None else "There is nothing to go back to")
        self.back.setText("Back" if self._before is None else f"Back to {short_name(self._root, self._before)}")

    def _failed(self, line: str) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(0)
        self._reset()
        self._show_status(line)

    def _reset(self) -> None:
        self.dismiss_question()
        self.train.setText("Train")
        self._refresh()

    def _refresh(self) -> None:
        none = "" if self.list.rows() else "There are no labelled segments: record some takes (Ctrl+E)"
        enable(self.train, "" if self.training.job is not None else self._missing or none)

    def _show_status(self, line: str) -> None:
        if not self._closed:
            self.state.setText(line)

    def stop_question(self) -> str:
        """Whether to stop the training; "" once it has been cancelled."""
        return self.training.stop_question()

    def on_close(self) -> None:
        """What runs is cancelled."""
        self._closed = True
        self._watch.stop()
        self.worst.on_close()
        self.training.close()


def _what_there_is(counts: dict[str, int]) -> str:
    if not counts:
        return "Nothing is labelled yet: record some takes (Ctrl+E), then come back."
    hint = "" if counts.get(NOTHING) else " Label some footage “nothing” to estimate false alarms."
    return f"{counted(len(counts.keys() - {NOTHING}), 'action')} in the library.{hint}"
