"""The live run: its threads, their state and their failures. No Qt.

[capture]    Source.read --Latest[Frame]-->        (watched and opened again by [capture-watch])
[pose-feed]  hands each frame to the process that finds poses
[inference]  poses -> window -> recognize -> decide --Latest[Result]--> the window; taps on the side
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from app.capture.latest import Latest
from app.capture.reader import Capture, Timing
from app.live import run_inputs
from app.live.inference import Pipeline, Recognizer
from app.live.pace import Pace
from app.live.pose_stage import PoseStage, PoseWorker
from app.live.rate import PoseRate
from app.live.stats import Stats
from app.results import EngineState, Failure, Result, RunInfo, StatsSnapshot
from app.settings import RunOptions
from pose.address import redacted
from pose.arguments import error_line
from pose.errors import ActionLensError, PoseError, PoseModelError
from pose.source import Source
from pose.types import Frame
from recognizer.errors import CardError, RecognizerError

if TYPE_CHECKING:
    from app.capture.playback import PlayedVideo

log = logging.getLogger(__name__)

OpenSource = Callable[[RunOptions], Source]
OpenPoseWorker = Callable[[RunOptions, Callable[[str], None], threading.Event], PoseWorker]
OpenRecognizer = Callable[[str, str], Recognizer]
Tap = Callable[[Result], None]

_POLL_S = 0.25


class Engine:
    """One run of one source, started once and stopped once; a restart is a new Engine.

    open_source(options), open_pose_worker(options, progress, cancel) and open_recognizer(model, provider) are called
    on the engine's threads; they may take long and raise ActionLensError. progress takes one line; cancel is set
    when the run is over.
    """

    def __init__(
        self,
        options: RunOptions,
        *,
        open_source: OpenSource = run_inputs.open_source,
        open_pose_worker: OpenPoseWorker = run_inputs.open_pose_worker,
        open_recognizer: OpenRecognizer = run_inputs.open_recognizer,
        timing: Timing | None = None,
        rate: PoseRate | None = None,
    ) -> None:
        self.options = options
        self.results: Latest[Result] = Latest()
        self._open = open_source
        self._source = options.source
        self._open_pose_worker = open_pose_worker
        self._open_recognizer = open_recognizer
        self._stats = Stats()
        self._rate = rate or PoseRate(options.people)
        self._capture = Capture(
            self._open_source,
            self._stats,
            lossless=not options.paced,
            on_failure=self._source_failed,
            on_recovered=lambda: self._resolve("source"),
            wants=lambda frame: self._rate.wants(frame.captured_s),
            timing=timing,
        )
        self._lock = threading.Lock()
        self._taps: tuple[Tap, ...] = ()
        self._failures: dict[str, Failure] = {}
        self._final: EngineState | None = None
        self._running = False
        self._paused = False
        self._attention = False
        self._forget = False  # windows are to be cleared: what comes next does not follow on
        self._progress = ""
        self._recognizer: Recognizer | None = None  # the one in use, for `info`
        self._next_recognizer: Recognizer | None = None
        self._swap = 0
        self._loader: threading.Thread | None = None
        self._pace = Pace()
        self._start: Frame | None = None  # the first frame worked on, from which --seconds counts
        self._no_more_frames = threading.Event()  # the pose stage gets no more frames
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._inference = threading.Thread(target=self._run, name="inference", daemon=True)

    # What any thread may ask.

    @property
    def state(self) -> EngineState:
        """The state of the run."""
        if self._final is not None:
            return self._final
        if not self._running:
            return EngineState.STARTING
        if self._capture.lost:
            return EngineState.RETRYING
        return EngineState.PAUSED if self._paused else EngineState.RUNNING

    @property
    def failure(self) -> Failure | None:
        """The newest failure that still holds, a fatal one before others."""
        with self._lock:
            failures = list(self._failures.values())
        return next((f for f in failures if f.fatal), failures[-1] if failures else None)

    @property
    def info(self) -> RunInfo:
        """What is running, as far as it is open."""
        recognizer = self._recognizer
        if recognizer is None:
            return RunInfo(self._capture.source, self.options.model, (), "")
        card = recognizer.card
        return RunInfo(
            self._capture.source, card.name, card.actions, recognizer.provider, provider_note=recognizer.provider_note
        )

    @property
    def playback(self) -> "PlayedVideo | None":
        """The video file that is played, for seeking in it; None for any other source."""
        from app.capture.playback import PlayedVideo

        source = self._capture.opened_source
        return source if isinstance(source, PlayedVideo) else None

    @property
    def progress(self) -> str:
        """What takes so long while the run is starting; "" once it runs."""
        return "" if self._running or self._final is not None else self._progress

    def stats(self) -> StatsSnapshot:
        """Rates, ages, drops and stage times."""
        return self._stats.snapshot(self._capture.dropped, self._rate.line)

    def mark_painted(self, result: Result) -> None:
        """The window has painted this result: ages are counted to here."""
        self._stats.painted(result)

    # What any thread may do.

    def add_tap(self, tap: Tap) -> None:
        """Call it with every result, on the inference thread. It must not block, except in a lossless run.

        A tap that raises ActionLensError or OSError is dropped and shown as a failure; the run goes on.
        """
        with self._lock:
            self._taps = (*self._taps, tap)

    def remove_tap(self, tap: Tap) -> None:
        """Remove a tap; unknown ones are ignored."""
        with self._lock:
            self._taps = tuple(t for t in self._taps if t != tap)

    def start(self) -> None:
        """Open everything and run, on the engine's threads; returns at once."""
        self._progress = "opening the source and loading the models"
        self._capture.thread.start()
        self._inference.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the run from any thread, any number of times. What is stuck in a driver is released and left behind."""
        deadline = time.perf_counter() + timeout_s
        self._stopping.set()
        self._capture.stop()
        for thread in (self._inference, self._loader):
            if thread is not None and thread.ident is not None and thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.perf_counter()))
        if not self._capture.join(max(0.0, deadline - time.perf_counter())):
            log.info("the source did not close in time and is left behind")
        self._end(EngineState.STOPPED)

    def pause(self) -> None:
        """Pause: a file stops; a live source is still read, and its frames are dropped."""
        self._paused = True
        self._capture.pause(True)

    def resume(self) -> None:
        """Resume; a live source starts with empty windows, since time has passed."""
        source = self._capture.source
        if self._paused and source is not None and source.live:
            self._forget = True
        self._paused = False
        self._capture.pause(False)

    def watch_attention(self, on: bool) -> None:
        """From the next decision on, predictions carry attention, or no longer; without, nothing of it is computed."""
        self._attention = on

    def swap_recognizer(self, model: str, provider: str) -> None:
        """Load another recognizer beside the running one, which serves until then; a failure leaves it in place."""
        with self._lock:
            self._swap += 1
            swap = self._swap
        self._loader = threading.Thread(
            target=self._load, args=(swap, model, provider), name="recognizer-loader", daemon=True
        )
        self._loader.start()

    def report(self, failure: Failure) -> None:
        """Show a failure, of an output for instance; it holds until the next of its stage."""
        with self._lock:
            self._record_failure(failure)

    def _record_failure(self, failure: Failure) -> None:
        """Call with the lock held."""
        self._failures.pop(failure.stage, None)  # so that the newest is last
        self._failures[failure.stage] = failure

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the run has ended; False after the timeout."""
        return self._ended.wait(timeout_s)

    # The capture thread.

    def _open_source(self) -> Source:
        if self._source == "auto":  # asked once: a camera that is lost must not turn into the demo
            self._source = run_inputs.find_source()
        return self._open(replace(self.options, source=self._source))

    # The inference thread.

    def _run(self) -> None:
        try:
            with ExitStack() as opened:
                self._recognizer = self._open_recognizer(self.options.model, self.options.provider)
                opened.callback(self._close_recognizer)
                if self._stopping.is_set():
                    return
                worker = self._open_pose_worker(self.options, self._set_progress, self._stopping)
                opened.callback(worker.close)
                worker.ready()
                self._infer(worker, Pipeline(self._recognizer, self._stats))
        except ActionLensError as error:
            if not self._stopping.is_set():
                self.report(Failure(_stage(error), error_line(error)))
        except Exception as error:  # top of the thread: whatever happens must reach the user
            log.exception("inference failed")
            self.report(Failure("internal", redacted(f"{type(error).__name__}: {error}")))
        finally:
            failure = self.failure
            self._end(EngineState.FAILED if failure is not None and failure.fatal else EngineState.STOPPED)

    def _infer(self, worker: PoseWorker, pipeline: Pipeline) -> None:
        self._capture.ready()
        self._capture.opened()
        frames = self._capture.frames
        if frames is None:
            return
        if not self._is_live() and self.options.save is None and self.options.people == 1:
            # A live run has time to spare and does better where the system places it beside other programs; to encode a
            # large video takes every processor, and so do several people, who are looked at at the same time.
            worker.take_processor()
        ahead = not self._is_live()
        posing = PoseStage(worker, lambda: self._next(frames), self._stats, ahead=ahead, took=self._rate.took)
        try:
            for frame, poses in posing:
                self._running = True
                self._change(pipeline)
                result = pipeline.process(frame, poses)
                self._stats.processed(result)
                self._watch_pace(result)
                self._publish(result)
        finally:
            self._no_more_frames.set()
            self._capture.stop()  # what comes while the models are freed is not lost, nobody wants it
            posing.close()
            last = pipeline.finish()  # what ran has ended, whatever the run ends with
            if last is not None:
                self._publish(last)

    def _next(self, frames: Latest[Frame]) -> Frame | None:
        """The next frame to work on; None at the end of the run."""
        limit_s, start = self.options.seconds, self._start
        while not (self._stopping.is_set() or self._no_more_frames.is_set() or self._final is not None):
            closed = frames.closed  # before taking: what was left before closing is still there to take
            frame = frames.take(_POLL_S)
            if frame is None:
                waited_s = time.perf_counter() - start.captured_s if start else 0.0
                if closed or (limit_s and waited_s > limit_s and self._is_live()):
                    return None
                continue
            if start is not None and limit_s is not None and frame.time_s - start.time_s >= limit_s:
                return None
            if not (self._paused and self._is_live()):
                self._start = start or frame
                return frame
        return None

    def _watch_pace(self, result: Result) -> None:
        before = self._pace.slow
        self._pace.add(result)
        if self._pace.slow and not before:
            line = self._pace.line(live=self._is_live(), people=self.options.people)
            self.report(Failure("pose", line, fatal=False))
        elif before and not self._pace.slow:
            self._resolve("pose")

    def _is_live(self) -> bool:
        source = self._capture.source
        return source is not None and source.live

    def _change(self, pipeline: Pipeline) -> None:
        """Carry out, between two frames, what other threads have asked for."""
        pipeline.attention = self._attention
        if self._forget:
            self._forget = False
            pipeline.clear()
        with self._lock:
            new, self._next_recognizer = self._next_recognizer, None
            if new is None:
                return
            old, self._recognizer = self._recognizer, new
        pipeline.use(new)
        if old is not None:
            old.close()

    def _publish(self, result: Result) -> None:
        if self._final is not None:
            return
        self.results.put(result)
        for tap in self._taps:
            try:
                with self._stats.stage("outputs"):
                    tap(result)
            except (ActionLensError, OSError) as error:
                self.remove_tap(tap)
                self.report(Failure("output", redacted(str(error)), fatal=False))

    # Helpers used by several threads.

    def _load(self, swap: int, model: str, provider: str) -> None:
        try:
            recognizer = self._open_recognizer(model, provider)
        except ActionLensError as error:
            self._load_failed(swap, error_line(error))
            return
        except Exception as error:  # top of the thread: whatever happens must reach the user
            log.exception("loading a recognizer failed")
            self._load_failed(swap, redacted(f"{type(error).__name__}: {error}"))
            return
        with self._lock:
            wanted = swap == self._swap and self._final is None
            unused: Recognizer | None = recognizer
            if wanted:
                unused, self._next_recognizer = self._next_recognizer, recognizer
        if unused is not None:
            unused.close()
        if wanted:
            self._resolve("recognizer")

    def _load_failed(self, swap: int, line: str) -> None:
        with self._lock:
            if swap == self._swap:  # else another one is wanted by now, and this failure would be taken for its own
                self._record_failure(Failure("recognizer", line, fatal=False))

    def _source_failed(self, failure: Failure) -> None:
        self.report(failure)
        if failure.fatal and not self._capture.has_delivered:
            self._end(EngineState.FAILED)  # nothing to finish first, and the models need not load

    def _close_recognizer(self) -> None:
        if self._recognizer is not None:  # the one in use now, after any swaps
            self._recognizer.close()

    def _resolve(self, stage: str) -> None:
        with self._lock:
            self._failures.pop(stage, None)

    def _set_progress(self, line: str) -> None:
        self._progress = line

    def _end(self, state: EngineState) -> None:
        with self._lock:
            if self._final is None:
                self._final = state
            unused, self._next_recognizer = self._next_recognizer, None
        if unused is not None:
            unused.close()
        self._stopping.set()
        self._capture.stop()
        self.results.close()
        self._ended.set()


def _stage(error: ActionLensError) -> str:
    if isinstance(error, PoseModelError | PoseError):
        return "pose"
    return "recognizer" if isinstance(error, CardError | RecognizerError) else "internal"
