"""What the dialogs of import and export share: a job with progress and cancel, seen from a dialog."""

import threading
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget

from app.library.import_report import ImportProgress
from app.ui.child_windows import ClosingDialog
from app.ui.disabled_controls import enable
from app.ui.jobs import Jobs
from app.ui.sentences import sentence

_PARTS = 100  # of the progress bar for each thing
_POLL_MS = 150


class TransferDialog(ClosingDialog):
    """It does not block the window; closing it cancels, after a question. needs: what is to be given first."""

    needs = ""

    def __init__(self, title: str, root: Path, jobs: Jobs, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._root, self._jobs = root, jobs
        self._cancel: threading.Event | None = None  # while it runs
        self._progress: ImportProgress | None = None
        self._closed = False
        self.bar, self.state = QProgressBar(), QLabel()
        self.state.setWordWrap(True)
        self.begin, self.stop = QPushButton(f"&{title}"), QPushButton("Close")
        self.begin.setObjectName("primary")
        self.stop.clicked.connect(self._stop)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._show_progress)

    def cancel(self) -> None:
        """End it within a few seconds; what is finished stays."""
        if self._cancel is not None:
            self._cancel.set()

    def stop_question(self) -> str:
        """Whether to stop what runs; "" once it has been cancelled."""
        runs = self._cancel is not None and not self._cancel.is_set()
        return f"{self.windowTitle()} is running. Stop it? What is finished is kept." if runs else ""

    def on_close(self) -> None:
        """Cancel what runs; nothing is shown any more."""
        self.cancel()
        self._closed = True
        self._timer.stop()

    def _stop(self) -> None:
        if not self.stop_question():
            self.reject()
            return
        self.cancel()
        self.state.setText("Cancelling …")
        self.stop.setText("Close")  # a job that does not react may be left behind

    def _set_progress(self, progress: ImportProgress) -> None:
        """From any thread."""
        self._progress = progress

    def _show_progress(self) -> None:
        progress = self._progress
        if progress is not None and self._cancel is not None and not self._cancel.is_set():
            self.bar.setMaximum(_PARTS * progress.total)  # 0, where it is not known, shows that it is at work
            self.bar.setValue(round(_PARTS * progress.done))

    def _show_running(self, running: bool) -> None:
        if not running:
            self._cancel = None
            self._timer.stop()
            self.dismiss_question()
        else:
            self._timer.start()
        self.bar.setVisible(running)
        self.bar.setRange(0, 0)
        enable(self.begin, "It is running" if running else "" if self._ready() else self.needs)
        self.stop.setText("Cancel" if running else "Close")

    def _ready(self) -> bool:
        """Whether there is something to be done."""
        raise NotImplementedError

    def _ended(self, line: str) -> None:
        if not self._closed:
            self._show_running(False)
            self.state.setText(sentence(line))
