"""Connects the record bar with a recorder on the live run."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import RecordingError
from app.library.labels import refusal_of_person
from app.library.rows import Named
from app.names_in_text import action_in_text
from app.recording.folder import INFO_FILE, library_root, parse_info, recordings_folder
from app.recording.recorder import Recorder, RecorderState, RecorderView
from app.results import EngineState, Result
from app.ui.jobs import Jobs
from app.ui.live_run import LiveRun
from app.ui.messages import cannot_record
from app.ui.panel import Panel
from app.ui.recording.record_bar import RecordBar, RecordChoices
from app.ui.sentences import sentence
from app.ui.video_view import VideoView

log = logging.getLogger(__name__)

_POLL_MS = 100


@dataclass(frozen=True, slots=True)
class Saved:
    """A new recording. text: what to say of it, "boot: take 2 of 3 (2.8 s)"."""

    folder: Path
    text: str


class RecordControl(QObject, Panel):
    """Recording while the bar is shown; hidden, nothing is kept in memory.

    saved: there is a new recording. taken_back: one was moved to the bin. message: a line that must be seen: a failure,
    or what a killed run left behind.
    root: folder of the library.
    """

    saved = Signal(object)  # Saved
    taken_back = Signal()
    message = Signal(str)

    def __init__(
        self,
        live: LiveRun,
        video: VideoView,
        jobs: Jobs,
        choices: RecordChoices,
        root: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.root = root or library_root()
        self._live, self._video, self._jobs = live, video, jobs
        self.bar = RecordBar(choices)
        self.bar.setVisible(False)
        self._recorder: Recorder | None = None
        self._refusal = ""  # why nothing can be recorded
        self._session = f"{datetime.now():%Y-%m-%d %H:%M}"
        self._done: list[tuple[Path, RecorderView]] = []
        self._failures: list[str] = []
        self._ending = False  # the recorder was already stopped for the end of the source
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.poll)
        self.bar.pressed.connect(self.toggle)
        self.bar.cancelled.connect(self.cancel)
        self.bar.changed.connect(self._arm)
        jobs.start("unfinished", self._recover, self._report_recovered, self._report_failure)

    @property
    def view(self) -> RecorderView:
        """How far the recorder is."""
        return self._recorder.view if self._recorder is not None else RecorderView()

    def show(self, shown: bool) -> None:
        """Show the bar and keep the last seconds from now on, or end both."""
        self.bar.setVisible(shown)
        if shown and self._refused():
            return
        if shown and self._recorder is None:
            # Paths and failures reach the window's thread through the lists that the timer looks at.
            source, done = self._live.options.source, self._done
            recorder = Recorder(
                self.root,
                source,
                self._live.options.layout,
                saved=lambda folder: done.append((folder, recorder.view)),
                failed=self._failures.append,
                followed=lambda: self._live.followed,
            )
            self._recorder = recorder
            self._live.add_tap(recorder)
            self._arm()
            self._timer.start()
            self._read_names()
            self.bar.action.setFocus()
        elif not shown and self._recorder is not None:
            self._end(wait_s=0)

    def toggle(self) -> None:
        """Start recording takes, or stop the current one; opens the bar where it is hidden."""
        if self._recorder is None:
            self.show(True)  # looks again whether it can be recorded now
            return
        if self.view.state in (RecorderState.COUNTDOWN, RecorderState.RECORDING):
            self._recorder.stop()
        elif reason := self._no_picture():
            self.message.emit(reason)
        elif not self.bar.ready():
            self.message.emit(self.bar.state.text())  # the bar has seldom room for all of it
        else:
            self._arm()
            self._recorder.start()
        self.poll()

    def cancel(self) -> None:
        """Throw the take away."""
        if self._recorder is not None:
            self._recorder.cancel()

    def take_back(self, saved: Saved) -> None:
        """Put a recording into the library's bin."""

        def done(_: None) -> None:
            self.taken_back.emit()
            self._read_names()
            self.message.emit("The take is in the library's bin and can be restored from there")

        self._jobs.start("take-back", lambda: put_into_bin(self.root, saved.folder.name), done, self._report_failure)

    def hold_last(self) -> str:
        """Put the last seconds aside for save_last(), while the user is asked; why that cannot be, "" where it is."""
        if self._recorder is None:
            return self._refusal or "The last seconds are kept while the record bar is shown (Ctrl+E)"
        refusal = refusal_of_person(self.bar.person.text())
        if not refusal:
            self._recorder.hold_last()
        return refusal

    def save_last(self, action: str) -> None:
        """Keep the last seconds as an example of an action: "that was wrong"."""
        if self._recorder is not None:
            self._arm()
            self._recorder.save_last(self.bar.known_action(action))

    def begin_run(self) -> None:
        """Another run begins."""
        if self._recorder is not None:
            self._recorder.source_changed(self._live.options.source, self._live.options.layout)

    def poll(self) -> None:
        """Show the recorder's state and report saved takes."""
        self._end_with_source()
        view = self.view
        self.bar.show_view(view)
        self._video.set_countdown(_countdown_text(view))
        self._pass_on()

    def _no_picture(self) -> str:
        self._live.update_state()
        return cannot_record(self._live.view)

    def _end_with_source(self) -> None:
        """Stop the recorder when the source has ended: a countdown is cancelled, a running take is kept."""
        state = self.view.state
        if self._recorder is None or state not in (RecorderState.COUNTDOWN, RecorderState.RECORDING):
            self._ending = False
        elif not self._ending and self._live.view.state in (EngineState.STOPPED, EngineState.FAILED):
            self._ending = True
            self._recorder.stop()
            if state is RecorderState.COUNTDOWN:
                self.message.emit(f"No take was made. {cannot_record(self._live.view)}")

    def _read_names(self) -> None:
        """Of actions and people, to complete what is typed."""
        self._jobs.start("names", lambda: names_of(self.root), lambda names: self.bar.offer(*names), log.warning)

    def end(self) -> None:
        """The window closes: what is being recorded is kept."""
        self._end(wait_s=1.0)

    def _recover(self) -> list[str]:
        """On a job's thread."""
        if not any(recordings_folder(self.root).glob(".*.part")):
            return []
        from app.library.shared_library import recover  # it loads SQLite

        return recover(self.root)

    def _report_failure(self, line: str) -> None:
        self.message.emit(sentence(line))

    def _report_recovered(self, lines: list[str]) -> None:
        if not lines:
            return
        line = "\n".join(lines)

        def again(_: Result) -> None:
            self._live.result.disconnect(again)
            self.message.emit(line)

        self.message.emit(line)
        self._live.result.connect(again)  # shown again once the window is painted and visible
        self.bar.show_view(RecorderView(RecorderState.READY, message=line))

    def _refused(self) -> bool:
        """Whether the library takes no recordings now; the bar says why."""
        from app.library.catalogue_file import refusal  # it loads SQLite

        self._refusal = refusal(self.root)
        self.bar.refuse(self._refusal)
        return bool(self._refusal)

    def _arm(self) -> None:
        if self._recorder is not None:
            self._recorder.arm(self.bar.settings(self._session))

    def _end(self, wait_s: float) -> None:
        self._timer.stop()
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._live.remove_tap(recorder)
        self._video.set_countdown("")
        if wait_s:
            recorder.close(wait_s)
            self.poll()
        else:
            self._jobs.start("recorder-stop", recorder.close, lambda _: self._pass_on())

    def _pass_on(self) -> None:
        if self._done:
            self._read_names()
        while self._done:
            folder, view = self._done.pop(0)
            self.saved.emit(Saved(folder, saved_text(folder, view)))
        while self._failures:
            self.message.emit(self._failures.pop(0))


def names_of(root: Path) -> tuple[list[Named], list[Named]]:
    """The actions and the people of a library with the number of their takes."""
    from app.library.take_names import take_names  # it loads SQLite

    return take_names(root)


def put_into_bin(root: Path, recording: str) -> None:
    """Delete a new recording, so that it can be restored. Raises LibraryError."""
    from app.library.shared_library import shared  # it loads SQLite

    with shared(root) as library:
        if not library.read_only:
            library.refresh()
        library.delete_recordings([recording])


def saved_text(folder: Path, view: RecorderView) -> str:
    """The message for a newly saved recording. view: the recorder's state at that moment."""
    if view.state is not RecorderState.SAVING:
        return view.message[:1].upper() + view.message[1:]
    try:
        what = action_in_text(parse_info((folder / INFO_FILE).read_bytes(), folder).action or "(no name)")
    except (OSError, RecordingError):
        what = folder.name
    of = max(view.of, view.takes)
    take = f"take {view.takes} of {of}" if of > 1 else "take saved"
    return f"{what}: {take} ({view.message.removeprefix('saved ')})"


def _countdown_text(view: RecorderView) -> str:
    """The large sign over the picture: seconds left, a dot while recording, or ""."""
    if view.state is RecorderState.COUNTDOWN:
        return f"{view.seconds_left}"
    return "●" if view.state is RecorderState.RECORDING else ""
