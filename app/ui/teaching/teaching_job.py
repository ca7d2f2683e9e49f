"""A teaching as the windows see it: the examples are read, a process learns from them, the model is registered."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QProgressBar

from app.errors import UsageError
from app.library.rows import Model
from app.teaching_process import Progress, TeachingDone, TeachingFailed, TeachingJob
from app.ui.jobs import Jobs
from app.ui.teaching.library_summary import TAKES, LibrarySummary, examples_of, register_model
from recognizer.teaching.examples import Example
from recognizer.teaching.request import TeachingRequest
from recognizer.teaching.versions import version_label

_POLL_MS = 150
STOP_TRAINING = "Training is in progress. Stop it? Nothing will be kept."
CANCELLED = "Cancelled; nothing was kept."


class Training(QObject):
    """One teaching at a time.

    began: a process learns. progressed: how far it is. done: what came of it. failed: one line, also of a cancelled
    one. registered: the library knows the new model; None where it could not be told.
    """

    began = Signal()
    progressed = Signal(object)  # Progress
    done = Signal(object)  # TeachingDone
    failed = Signal(str)
    registered = Signal(object)  # LibrarySummary | None

    def __init__(self, root: Path, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job: TeachingJob | None = None
        self.cancelling = False
        self._root, self._jobs = root, jobs
        self._request: TeachingRequest | None = None
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.poll)

    def start(self, actions: Sequence[str], request_of: Callable[[list[Example]], TeachingRequest]) -> None:
        """Read the examples of actions, and teach what is asked for with them."""

        def begin(examples: list[Example]) -> None:
            if not self._closed:
                self._begin(request_of(examples))

        self._jobs.start("examples", lambda: examples_of(self._root, actions), begin, self._fail, TAKES)

    def stop_question(self) -> str:
        """Whether to stop it, as a question; "" where nothing runs, or it has been cancelled."""
        return STOP_TRAINING if self.job is not None and not self.cancelling else ""

    def cancel(self) -> None:
        """Cancel the running job; `failed` is emitted when it has ended."""
        if self.job is not None:
            self.cancelling = True
            self.job.cancel()

    def close(self) -> None:
        """Cancel the running job and emit nothing more."""
        self._closed = True
        self._timer.stop()
        job, self.job = self.job, None
        if job is not None:
            job.cancel()

    def poll(self) -> None:
        """Emit the progress or the outcome of the running job."""
        job = self.job
        if job is None:
            return
        outcome = job.outcome
        if outcome is None:
            self.progressed.emit(job.progress)
            return
        self.job, self.cancelling = None, False
        self._timer.stop()
        if isinstance(outcome, TeachingDone):
            self._done(outcome)
        else:
            self._fail(outcome.message if isinstance(outcome, TeachingFailed) else CANCELLED)

    def _begin(self, request: TeachingRequest) -> None:
        self._request = request
        try:
            self.job = TeachingJob(request)
        except UsageError as error:
            self._fail(str(error))
            return
        self._timer.start()
        self.began.emit()

    def _done(self, outcome: TeachingDone) -> None:
        request = self._request
        assert request is not None
        created = datetime.now(UTC).isoformat(timespec="seconds")
        left_out = outcome.check.get("left_out", ())
        made_of = tuple(
            (example.name, example.action)
            for example in request.learnt
            if example.name not in left_out and not example.around
        )
        folder = f"models/{request.name}/{outcome.folder.name}"
        model = Model(version_label(outcome.folder), created, request.kind, folder, made_of, outcome.check)
        self.done.emit(outcome)
        self._jobs.start(
            "model", lambda: register_model(self._root, model), self._registered, lambda _: self._registered(None)
        )

    def _registered(self, summary: LibrarySummary | None) -> None:
        if not self._closed:
            self.registered.emit(summary)

    def _fail(self, line: str) -> None:
        if not self._closed:
            self.failed.emit(line)


def show_progress(bar: QProgressBar, progress: Progress) -> None:
    """Show the progress, of 1000; an indeterminate bar while it is not known."""
    bar.setRange(0, 1000 if progress.part else 0)
    bar.setValue(round(1000 * progress.part))
