"""Takes of one action after the other, on the live run: each after a countdown, until there are enough."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.recording.recorder import Recorder, RecorderState, RecorderView, TakeSettings
from app.results import EngineState
from app.ui.jobs import Jobs
from app.ui.live_run import LiveRun
from app.ui.messages import cannot_record
from app.ui.recording.record_bar import RecordChoices
from app.ui.video_view import VideoView

_POLL_MS = 50
_BUSY = (RecorderState.COUNTDOWN, RecorderState.RECORDING, RecorderState.SAVING)


@dataclass(frozen=True, slots=True)
class Series:
    """takes: still to be made of an action, the running one among them. when_still: a take ends with the movement."""

    action: str
    takes: int
    longest_s: float
    when_still: bool = True


class TakeRecorder(QObject):
    """choices: what the record bar remembers of who it is and whether pictures are kept.

    saved: the folder of a new take and its action. ended: the series is over, or was. message: a line that must be
    seen. polled: how far the recorder is."""

    saved = Signal(object, str)  # Path, str
    ended = Signal()
    message = Signal(str)
    polled = Signal(object)  # RecorderView

    def __init__(
        self,
        root: Path,
        live: LiveRun,
        video: VideoView,
        jobs: Jobs,
        choices: Callable[[], RecordChoices],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.countdown_s = 3.0
        self.series: Series | None = None
        self._root, self._live, self._video, self._jobs = root, live, video, jobs
        self._choices, self._session = choices, f"{datetime.now():%Y-%m-%d %H:%M}"
        self._recorder: Recorder | None = None
        self._done: list[Path] = []
        self._failures: list[str] = []
        self._remaining = 0
        self._started = False  # the take that was asked for has been seen to begin
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def view(self) -> RecorderView:
        """How far the recorder is."""
        return self._recorder.view if self._recorder is not None else RecorderView()

    @property
    def busy(self) -> bool:
        """Whether a series runs."""
        return self.series is not None

    def open(self) -> None:
        """Keep the last seconds from now on."""
        if self._recorder is None:
            # Paths and failures reach the window's thread through the lists that the timer looks at.
            source, done, failed = self._live.options.source, self._done.append, self._failures.append
            live = self._live
            self._recorder = Recorder(
                *(self._root, source, live.options.layout), saved=done, failed=failed, followed=lambda: live.followed
            )
            self._recorder.arm(self._settings(Series("", 1, 1.0)))
            self._live.add_tap(self._recorder)
            self._timer.start()

    def start(self, series: Series) -> bool:
        """Begin a series; False, and `message`, where there is no picture to record."""
        self._live.update_state()
        if reason := cannot_record(self._live.view):
            self.message.emit(reason)
            return False
        self.open()
        self.series, self._remaining = series, series.takes
        self._begin()
        return True

    def again(self) -> None:
        """Add a take to the running series; a running countdown starts over."""
        self._remaining += 1
        if self._recorder is not None and self.view.state is RecorderState.COUNTDOWN:
            self._recorder.cancel()
            self._begin()

    def stop(self) -> None:
        """Keep the take that runs and make no more."""
        self._remaining, self._started = 0, True
        if self._recorder is not None:
            self._recorder.stop()

    def source_changed(self) -> None:
        """Another run begins."""
        if self._recorder is not None:
            self._recorder.source_changed(self._live.options.source, self._live.options.layout)

    def close(self, wait_s: float = 0.0) -> None:
        """Keep what is being recorded, and let the last seconds go. Any number of times."""
        self._timer.stop()
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._remaining = 0
        self._live.remove_tap(recorder)
        self._video.set_countdown("")
        if wait_s:
            recorder.close(wait_s)
        else:
            self._jobs.start("recorder-stop", recorder.close, lambda _: self._pass_on())
        self._end()

    def poll(self) -> None:
        """Show the recorder's state, report saved takes, and start the next one."""
        view = self.view
        over = self._live.view.state in (EngineState.STOPPED, EngineState.FAILED)
        if self.series is not None and self._remaining > 0 and over:
            self.message.emit(cannot_record(self._live.view))
            self.stop()
        self._video.set_countdown(_countdown_text(view))
        self._pass_on()
        self._started |= view.state in _BUSY
        if self.series is not None and self._started and view.state is RecorderState.READY:
            if self._remaining > 0:
                self._begin()
            else:
                self._end()
        self.polled.emit(self.view)

    def _begin(self) -> None:
        assert self._recorder is not None
        assert self.series is not None
        self._started = False
        self._recorder.arm(self._settings(self.series))
        self._recorder.start()

    def _end(self) -> None:
        if self.series is not None:
            self.series = None
            self.ended.emit()

    def _settings(self, series: Series) -> TakeSettings:
        choices = self._choices()
        return TakeSettings(
            session=self._session,
            person=choices.person,
            action=series.action,
            countdown_s=self.countdown_s,
            longest_s=series.longest_s,
            when_still=series.when_still,
            skeleton_only=choices.skeleton_only,
        )

    def _pass_on(self) -> None:
        while self._done:
            folder = self._done.pop(0)
            self._remaining, self._started = max(self._remaining - 1, 0), True
            if self.series is not None:
                self.saved.emit(folder, self.series.action)
        while self._failures:
            self._remaining, self._started = 0, True
            self.message.emit(self._failures.pop(0))


def _countdown_text(view: RecorderView) -> str:
    """The large sign over the picture: seconds left, a dot while recording, or ""."""
    if view.state is RecorderState.COUNTDOWN:
        return f"{view.seconds_left}"
    return "●" if view.state is RecorderState.RECORDING else ""
