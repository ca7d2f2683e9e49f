"""The engine as the window sees it: pulled by timers, started, stopped and replaced without blocking the window."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.results import EngineState, Failure, Result, RunInfo, StatsSnapshot
from app.settings import RunOptions
from app.ui.jobs import Jobs
from pose.arguments import error_line
from pose.errors import ActionLensError
from recognizer.decision import ActionEvent

if TYPE_CHECKING:
    from app.capture.playback import PlayedVideo
    from app.live.engine import Engine

Tap = Callable[[Result], None]
MakeEngine = Callable[[RunOptions], "Engine"]

_PULL_MS = 16
_STATE_MS = 100
_CLOSE_S = 1.6  # leaves time for the rest within the 2 s in which the window must be gone
_CLOSE_EARLY_S = 0.6  # while it starts: a library that is being loaded hears nothing, and there is no result to lose
_KEPT_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class RunView:
    """What the window shows of a run besides its results. stopping: an engine is on its way out."""

    options: RunOptions
    state: EngineState
    stopping: bool = False
    failure: Failure | None = None
    progress: str = ""
    info: RunInfo | None = None


class LiveRun(QObject):
    """One engine at a time. All methods are for the window's thread and return at once, but for close().

    began: a new engine was started. result: the newest Result, none twice. events: a tuple of ActionEvent, none left
    out. changed: a RunView that differs from the last one, or holds a new Failure. followed: identity of whom the
    window shows of several people, None while there is nobody or only one is looked for.
    """

    began = Signal()
    result = Signal(object)  # Result
    events = Signal(object)  # tuple[ActionEvent, ...]
    changed = Signal(object)  # RunView

    def __init__(self, make_engine: MakeEngine, options: RunOptions, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.options = options
        self.followed: int | None = None
        self._make_engine = make_engine
        self._jobs = jobs
        self._engine: Engine | None = None
        self._retiring: Engine | None = None
        self._should_run = False
        self._attention_watched = False
        self._taps: list[Tap] = []
        self._launch_failure: Failure | None = None  # an engine that could not even be made
        self._events: deque[ActionEvent] = deque(maxlen=_KEPT_EVENTS)
        self._newest: Result | None = None
        self._fallback: tuple[str, str, RunInfo] | None = None  # model, provider and what ran before a hot swap
        self._view = RunView(options, EngineState.STOPPED)
        self._pull_timer = self._timer(_PULL_MS, self.pull, Qt.TimerType.PreciseTimer)
        self._state_timer = self._timer(_STATE_MS, self.update_state, Qt.TimerType.CoarseTimer)

    @property
    def view(self) -> RunView:
        """The run as it was last looked at."""
        return self._view

    @property
    def active(self) -> bool:
        """True while an engine runs or is about to."""
        over = (EngineState.FAILED, EngineState.STOPPED)
        return self._should_run and (self._engine is None or self._engine.state not in over)

    @property
    def playback(self) -> "PlayedVideo | None":
        """The file that is played, which can be moved in; None for everything else."""
        return self._engine.playback if self._engine is not None else None

    def stats(self) -> StatsSnapshot:
        """Rates and ages of the running engine; zeros without one."""
        return self._engine.stats() if self._engine is not None else StatsSnapshot()

    def start(self, options: RunOptions | None = None) -> None:
        """Start, or start again, with other options where given; the engine before is stopped first."""
        self.options = options or self.options
        self._should_run = True
        if self._engine is not None:
            self._retire()
        elif self._retiring is None:
            self._launch()
        self.update_state()

    def stop(self) -> None:
        """End the run."""
        self._should_run = False
        self._launch_failure = None
        if self._engine is not None:
            self._retire()
        self.update_state()

    def toggle_pause(self) -> None:
        """Pause or resume; nothing where nothing runs."""
        if self._engine is None:
            return
        if self._engine.state is EngineState.PAUSED:
            self._engine.resume()
        else:
            self._engine.pause()
        self.update_state()

    def use_recognizer(self, model: str, provider: str) -> None:
        """Change the recognizer: in the running engine where there is one, else at the next start."""
        options = replace(self.options, model=model, provider=provider)
        if self._engine is not None and self.active:
            self._fallback = self._fallback or (self.options.model, self.options.provider, self._engine.info)
            self.options = options
            self._engine.swap_recognizer(model, provider)
            self.update_state()
        elif self._should_run:  # the run has failed, perhaps for want of this
            self.start(options)
        else:
            self.options = options
            self.update_state()

    def add_tap(self, tap: Tap) -> None:
        """Pass the results of this and later runs to a tap; see Engine.add_tap."""
        self._taps.append(tap)
        if self._engine is not None:
            self._engine.add_tap(tap)

    def remove_tap(self, tap: Tap) -> None:
        """Stop passing results to a tap."""
        self._taps = [t for t in self._taps if t != tap]
        if self._engine is not None:
            self._engine.remove_tap(tap)

    def watch_attention(self, on: bool) -> None:
        """Switch the recognizer's attention outputs in predictions on or off, for this and later runs."""
        self._attention_watched = on
        if self._engine is not None:
            self._engine.watch_attention(on)

    def mark_painted(self, result: Result) -> None:
        """A result is on the screen."""
        if self._engine is not None and result is self._newest:
            self._engine.mark_painted(result)

    def close(self) -> None:
        """End everything for good; waits up to _CLOSE_S, less before the first result."""
        self._pull_timer.stop()
        self._state_timer.stop()
        self._should_run = False
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop(_CLOSE_EARLY_S if engine.state is EngineState.STARTING else _CLOSE_S)

    # Called by timers.

    def pull(self) -> None:
        """Pass on what is new."""
        if self._engine is not None:
            found = self._engine.results.take(timeout_s=0)
            if found is not None:
                self._newest = found
                self.result.emit(found)
        self._pass_events()

    def update_state(self) -> None:
        """Emit `changed` if the state of the run differs from the last view."""
        view = self._current_view()
        if view != self._view or view.failure is not self._view.failure:
            self._view = view
            self.changed.emit(view)

    def _current_view(self) -> RunView:
        engine = self._engine
        if engine is None:
            stopping = self._retiring is not None
            state = EngineState.FAILED if self._launch_failure else EngineState.STOPPED
            if stopping and self._should_run:
                state = EngineState.STARTING
            return RunView(self.options, state, stopping, self._launch_failure)
        failure, info = engine.failure, engine.info
        self._settle_swap(failure, info)
        return RunView(self.options, engine.state, False, failure, engine.progress, info)

    def _settle_swap(self, failure: Failure | None, info: RunInfo) -> None:
        """After a failed hot swap, reset the options to what still runs."""
        if self._fallback is None:
            return
        model, provider, before = self._fallback
        if failure is not None and failure.stage == "recognizer" and failure is not self._view.failure:
            self.options = replace(self.options, model=model, provider=provider)
            self._fallback = None
        elif (info.recognizer, info.provider) != (before.recognizer, before.provider):
            self._fallback = None

    # Starting and stopping engines.

    def _launch(self) -> None:
        self._launch_failure = None
        try:
            engine = self._make_engine(self.options)
        except ActionLensError as error:
            self._launch_failure = Failure("internal", error_line(error))
            return
        engine.add_tap(self._tap)
        engine.watch_attention(self._attention_watched)
        for tap in self._taps:
            engine.add_tap(tap)
        self._engine = engine
        self._newest = None
        self._fallback = None
        self.followed = None  # person numbers start over
        self.began.emit()
        engine.start()

    def _tap(self, result: Result) -> None:
        """On the engine's thread. Events go past the mailbox, where a newer result would replace them."""
        self._events.extend(result.events)

    def _retire(self) -> None:
        engine, self._engine = self._engine, None
        assert engine is not None
        self._retiring = engine
        self._jobs.start("engine-stop", engine.stop, self._retired, lambda error: self._retired(None))

    def _retired(self, _: None) -> None:
        self._retiring = None
        self._pass_events()
        if self._should_run and self._engine is None:
            self._launch()
        self.update_state()

    def _pass_events(self) -> None:
        if self._events:
            events = tuple(self._events.popleft() for _ in range(len(self._events)))
            self.events.emit(events)

    def _timer(self, interval_ms: int, slot: Callable[[], None], kind: Qt.TimerType) -> QTimer:
        timer = QTimer(self)
        timer.setTimerType(kind)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        timer.start()
        return timer
