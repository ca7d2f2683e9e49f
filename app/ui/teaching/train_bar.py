"""The foot of the page that teaches: Train, Try it, how far the training is, and what is seen now."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.results import Result
from app.teaching_process import Progress, TeachingDone
from app.ui.disabled_controls import enable
from app.ui.elided_label import ElidedLabel
from app.ui.flow import FlowLayout
from app.ui.jobs import Jobs
from app.ui.live_run import LiveRun
from app.ui.styled import style_as
from app.ui.teaching.guidance import cannot_train, left_out, live_text
from app.ui.teaching.library_summary import base_model, running_model, short_name
from app.ui.teaching.report import progress_text
from app.ui.teaching.teaching_job import Training, show_progress
from app.ui.wrapping_label import WrappingLabel
from recognizer.model_card import CARD_FILE
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import MIN_EXAMPLES
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.versions import version_label

MODEL_NAME = "mine"


class TrainBar(QWidget):
    """use: the folder or name of a recognizer to switch to. more: every choice is wanted. changed: what can be done
    next is something else. training_requested: a training is asked for. gone: what was taught is no longer there."""

    use = Signal(str)
    more = Signal()
    changed = Signal()
    training_requested = Signal()
    gone = Signal()

    def __init__(self, root: Path, live: LiveRun, jobs: Jobs) -> None:
        super().__init__()
        self.training = Training(root, jobs, self)
        self.taught: Path | None = None  # the recognizer that has just been made
        self._root, self._live = root, live
        self.tried = False  # what was taught runs
        self._before = running_model(root, live.options.model)  # what ran last, but for what was taught
        self._lost = ""  # says that what was taught is no longer there
        self._counts: Mapping[str, int] = {}
        self._nothing = 0
        self.left_out = ""  # of the training that runs, or of the last one
        self._busy = self._starting = False
        self._runs = live.active
        self.train, self.try_it, self.options = QPushButton(), QPushButton(), QPushButton("&More options…")
        self.options.setToolTip("Full training, other recognizers to build on, variants, versions")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setAccessibleName("Progress of the training")
        self.state, self.left_out_label = WrappingLabel(), WrappingLabel()
        for label in (self.state, self.left_out_label):
            label.setObjectName("muted")
        self.live_label = ElidedLabel()
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        row = FlowLayout(fills=True)
        for button in (self.train, self.try_it, self.options):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.progress, self.state, self.left_out_label, self.live_label):
            column.addWidget(part)
        column.addLayout(row)

    def _connect(self) -> None:
        self.train.clicked.connect(lambda: self.toggle())
        self.try_it.clicked.connect(lambda: self._try())
        self.options.clicked.connect(self.more)
        self.training.began.connect(self._refresh)
        self.training.began.connect(self.changed)
        self._live.changed.connect(lambda _: self.follow_run())
        self.training.progressed.connect(self._show_progress)
        self.training.done.connect(self._done)
        self.training.failed.connect(self._failed)

    def offer(self, counts: Mapping[str, int], nothing: int, *, busy: bool) -> None:
        """counts: takes by the names of the actions. nothing: recordings of nothing. busy: takes are recorded."""
        self._counts, self._nothing, self._busy = counts, nothing, busy
        self._refresh()

    def show_status(self, line: str) -> None:
        """A line over the buttons."""
        self.state.setText(line)
        self.state.setVisible(bool(line))

    def toggle(self) -> None:
        """Begin, or cancel what runs."""
        if self.training.job is not None:
            self.training.cancel()
            self.show_status("Cancelling …")
            return
        base = base_model(self._root, self._live.options.model)

        def request(examples: list[Example]) -> TeachingRequest:
            return TeachingRequest(QUICK, MODEL_NAME, base, self._root / "models", examples, keep_base=True)

        self._starting, self.left_out = True, left_out(self._counts)
        self._refresh()
        self.show_status("Reading the takes …")
        self.training_requested.emit()
        self.training.start([name for name, count in self._counts.items() if count >= MIN_EXAMPLES], request)

    def follow_run(self) -> None:
        """Look what runs now: it may have been chosen elsewhere; and whether what was taught is still there."""
        before = self.taught, self.tried, self._runs
        running = running_model(self._root, self._live.options.model)
        if self.taught is not None and not (self.taught / CARD_FILE).is_file():
            self._lost = (
                f"{version_label(self.taught)} has been renamed or deleted: choose another recognizer, or train"
            )
            self.taught = None
            self.gone.emit()
        is_chosen = self.taught is not None and Path(running) == self.taught
        if not is_chosen:
            self._before = running
        self._runs = self._live.active
        self.tried = is_chosen and self._runs
        if before != (self.taught, self.tried, self._runs):
            self._refresh()
            self.changed.emit()

    def show_now(self, result: Result) -> None:
        """What the live recognizer sees."""
        if self.tried:
            self.live_label.setText(live_text(result))

    def close_training(self) -> None:
        """Cancel the running job and emit nothing more."""
        self.training.close()

    def _show_progress(self, progress: Progress) -> None:
        show_progress(self.progress, progress)
        if not self.training.cancelling:
            self.show_status(progress_text(progress))

    def _done(self, outcome: TeachingDone) -> None:
        self.taught, self._lost, self._starting = outcome.folder, "", False
        self.follow_run()
        self._refresh()
        self.show_status(f"{version_label(outcome.folder)} is ready: press Try it, and do your actions.")
        self.changed.emit()

    def _failed(self, line: str) -> None:
        self._starting = False
        self._refresh()
        self.changed.emit()
        self.show_status(line)

    def _try(self) -> None:
        """Switch to what was taught, or back."""
        self.follow_run()
        if self.taught is not None:
            self.show_status("")
            self.use.emit(self._before if self.tried else str(self.taught))

    def _refresh(self) -> None:
        trains, ready = self.training.job is not None, self.taught is not None
        reason = cannot_train(self._counts, self._nothing)
        self.left_out_label.setText("" if reason else left_out(self._counts))
        self.left_out_label.setVisible(bool(self.left_out_label.text()))
        self.train.setText("Cancel" if trains else "&Train")
        works = "Takes are being recorded" if self._busy else "The takes are being read" if self._starting else ""
        enable(self.train, "" if trains else reason or works)
        self.progress.setVisible(trains)
        make_primary(self.train, primary=not ready)
        make_primary(self.try_it, primary=ready and not self.tried)
        refusal = "Training is in progress" if trains else "" if self._runs else "Nothing is running: F5 starts"
        enable(self.try_it, refusal if ready else "Train first")
        self.try_it.setText(f"Back to {short_name(self._root, self._before)}" if self.tried else "Tr&y it")
        self.live_label.setVisible(self.tried)
        if not trains and not ready and not self._starting:
            self.show_status(reason or self._lost)


def make_primary(button: QPushButton, *, primary: bool) -> None:
    """Whether the button is the one to be pressed next."""
    style_as(button, "primary" if primary else "")
