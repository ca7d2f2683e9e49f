"""Single measured runs of the benchmark: a bare pose loop, the whole pipeline, the window, a paced source."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from app.capture.latest import Latest
from app.errors import UsageError
from app.live import run_inputs
from app.live.engine import Engine
from app.live.pose_stage import PoseWorker
from app.outputs.overlay import draw
from app.results import Result
from app.settings import RunOptions
from pose.estimator import MediaPipeEstimator
from pose.estimators import MEDIAPIPE, EstimatorSpec, open_estimator
from pose.source import Source, SourceInfo
from pose.types import Frame, Pose

WARM_UP_FRAMES = 10  # the first frames load caches and find the person; no run is timed on them
_POLL_S = 0.25

Show = Callable[[Engine], None]  # starts an engine, shows its results until it ends, and stops it


@dataclass(slots=True)
class Run:
    """What one run gave. fps: over the frames after the warm-up. Times in milliseconds, a value per frame."""

    fps: float
    frames: int
    pose_ms: list[float] = field(default_factory=list)
    ages_ms: list[float] = field(default_factory=list)
    stage_ms: dict[str, float] = field(default_factory=dict)
    dropped: int = 0


Runs = dict[str, list[Run]]  # by kind


class BareLandmarker(MediaPipeEstimator):
    """MediaPipe and nothing else: no Pose, no smoothing, no tracking."""

    def landmarks(self, frame: Frame) -> Any:
        """The Pose Landmarker's own answer."""
        return self._detect(frame)


class TimedWorker:
    """A PoseWorker that notes how long each frame takes."""

    def __init__(self, inner: PoseWorker, times_ms: list[float]) -> None:
        self.ready, self.submit, self.close = inner.ready, inner.submit, inner.close
        self.take_processor = inner.take_processor
        self._inner = inner
        self._times_ms = times_ms

    def result(self) -> tuple[tuple[Pose, ...], float]:
        """As PoseWorker."""
        poses, took_ms = self._inner.result()
        self._times_ms.append(took_ms)
        return poses, took_ms


class MeasuredEngine(Engine):
    """An engine that keeps the age of every painted result and the time of every pose."""

    def __init__(
        self, options: RunOptions, open_source: Callable[[RunOptions], Source] = run_inputs.open_source
    ) -> None:
        self.pose_ms: list[float] = []
        self.ages_ms: list[float] = []
        self.first_painted_s: float | None = None  # time.time()
        self.first_decided_s: float | None = None
        super().__init__(
            options,
            open_source=open_source,
            open_pose_worker=lambda *given: TimedWorker(run_inputs.open_pose_worker(*given), self.pose_ms),
        )

    def mark_painted(self, result: Result) -> None:
        """As Engine."""
        self.ages_ms.append((time.perf_counter() - result.frame.captured_s) * 1000)
        self.first_painted_s = self.first_painted_s or time.time()
        if any(person.fresh for person in result.persons):
            self.first_decided_s = self.first_decided_s or time.time()
        super().mark_painted(result)


class FirstFrames:
    """The first frames of a source."""

    def __init__(self, source: Source, frames: int) -> None:
        self._source = source
        self._left = frames
        self.info: SourceInfo = source.info

    def read(self) -> Frame | None:
        """As Source."""
        self._left -= 1
        return self._source.read() if self._left >= 0 else None

    def close(self) -> None:
        """As Source."""
        self._source.close()


class RetimedFile:
    """A file as a camera would give it: at a steady rate, over and over, a frame lost where nobody takes it in time.

    Ends after so many frames.
    """

    def __init__(self, open_file: Callable[[], Source], fps: float, frames: int) -> None:
        self._open_file = open_file
        self._file = open_file()
        self._fps = fps
        self._frames = frames
        self._start_s: float | None = None
        self._index = 0
        self._closed = False
        self.info: SourceInfo = replace(self._file.info, live=True, fps=fps, frames=None)

    def read(self) -> Frame | None:
        """The next frame when its time has come; captured_s is that moment."""
        frame = self._next() if self._index < self._frames else None
        if frame is None:
            return None
        if self._start_s is None:
            self._start_s = time.perf_counter()
        time_s = self._index / self._fps
        time.sleep(max(0.0, self._start_s + time_s - time.perf_counter()))
        self._index += 1
        return None if self._closed else Frame(frame.bgr, time_s, time.perf_counter(), self._index - 1)

    def close(self) -> None:
        """As Source."""
        self._closed = True
        self._file.close()

    def _next(self) -> Frame | None:
        frame = self._file.read()
        if frame is None and not self._closed:
            self._file.close()
            self._file = self._open_file()
            frame = self._file.read()
        return frame


class _Clock:
    """Frames a second over the frames after the warm-up."""

    def __init__(self) -> None:
        self.frames = 0
        self._last_index = -1
        self._began_s = 0.0
        self._ended_s = 0.0

    def tick(self, frame: Frame) -> None:
        """A frame is done. The end of a run gives its last frame again: that one is not counted."""
        if frame.index == self._last_index:
            return
        self._last_index = frame.index
        self.frames += 1
        self._ended_s = time.perf_counter()
        if self.frames == WARM_UP_FRAMES:
            self._began_s = self._ended_s

    def fps(self) -> float:
        if self.frames <= WARM_UP_FRAMES:
            raise UsageError(f"only {self.frames} frames: give a video with at least {2 * WARM_UP_FRAMES}")
        return (self.frames - WARM_UP_FRAMES) / (self._ended_s - self._began_s)


def bare_run(options: RunOptions, model: Path, frames: int) -> Run:
    """Decode, convert to RGB, detect: one thread, one frame after another, as anyone would write it first."""
    source = run_inputs.open_source(options)
    spec = options.estimator(model)
    landmarker = BareLandmarker(model) if spec == EstimatorSpec(MEDIAPIPE, model) else open_estimator(spec)
    find = landmarker.landmarks if isinstance(landmarker, BareLandmarker) else landmarker.estimate
    clock = _Clock()
    try:
        while clock.frames < frames and (frame := source.read()) is not None:
            find(frame)
            clock.tick(frame)
    finally:
        landmarker.close()
        source.close()
    return Run(clock.fps(), clock.frames)


def opencv_run(path: Path, model: Path, frames: int) -> Run:
    """The bare loop with OpenCV's own decoder, to show that ours does not flatter the comparison."""
    import cv2

    capture = cv2.VideoCapture(str(path))
    landmarker = BareLandmarker(model)
    clock = _Clock()
    try:
        while clock.frames < frames:
            there, bgr = capture.read()
            if not there:
                break
            frame = Frame(np.asarray(bgr, dtype=np.uint8), clock.frames / 30, 0.0, clock.frames)
            landmarker.landmarks(frame)
            clock.tick(frame)
    finally:
        landmarker.close()
        capture.release()
    return Run(clock.fps(), clock.frames)


def run_alternating(kinds: Sequence[tuple[str, Callable[[], Run]]], rounds: int, say: Callable[[str], None]) -> Runs:
    """Runs of each kind in turn; every second round in the opposite order."""
    found: Runs = {name: [] for name, _ in kinds}
    for number in range(rounds):
        for name, run in kinds if number % 2 == 0 else reversed(kinds):
            found[name].append(run())
            say(f"round {number + 1} of {rounds}: {name} {found[name][-1].fps:.1f} FPS")
    return found


def pipeline_run(options: RunOptions, frames: int, prepare: Callable[[Engine], None] = lambda engine: None) -> Run:
    """The engine on every frame of the file: decode, pose, window, recognize, decide, and every picture drawn.

    As in the application, the picture is drawn on a thread of its own; none is left out. prepare: called before the
    engine starts.
    """
    engine = MeasuredEngine(options, lambda given: FirstFrames(run_inputs.open_source(given), frames))
    clock = _Clock()
    draw_ms: list[float] = []
    drawn: Latest[Result] = Latest(block=True)

    def draw_all() -> None:
        while (result := drawn.take()) is not None:
            began_s = time.perf_counter()
            draw(result)
            draw_ms.append((time.perf_counter() - began_s) * 1000)
            clock.tick(result.frame)

    drawing = threading.Thread(target=draw_all, name="bench-draw", daemon=True)
    drawing.start()
    engine.add_tap(lambda result: _leave(result, drawn))
    prepare(engine)
    try:
        show_nothing(engine)
    finally:
        drawn.close()
        drawing.join()
    return _run_of(engine, clock, {"draw": median(draw_ms)} if draw_ms else {})


def window_run(options: RunOptions, frames: int, show: Show) -> Run:
    """The engine on every frame of the file while a window paints what it gets."""
    engine = MeasuredEngine(options, lambda given: FirstFrames(run_inputs.open_source(given), frames))
    clock = _Clock()
    engine.add_tap(lambda result: clock.tick(result.frame))
    show(engine)
    return _run_of(engine, clock)


def paced_run(options: RunOptions, seconds: float, fps: float, show: Show) -> Run:
    """The file as a camera of that rate, shown: ages from capture until painted, and the frames that were lost."""
    engine = MeasuredEngine(
        options, lambda given: RetimedFile(lambda: run_inputs.open_source(given), fps, round(seconds * fps))
    )
    clock = _Clock()
    engine.add_tap(lambda result: clock.tick(result.frame))
    show(engine)
    return _run_of(engine, clock)


def show_nothing(engine: Engine) -> None:
    """A Show for runs that are measured by a tap."""
    try:
        engine.start()
        engine.wait()
    finally:
        engine.stop()


def show_drawn(engine: Engine) -> None:
    """A Show without a window: each newest result is drawn, as the window would."""
    try:
        engine.start()
        while not engine.wait(0):
            result = engine.results.take(_POLL_S)
            if result is not None:
                draw(result)
                engine.mark_painted(result)
    finally:
        engine.stop()


def _leave(result: Result, place: Latest[Result]) -> None:
    place.put(result)


def _run_of(engine: MeasuredEngine, clock: _Clock, extra_ms: dict[str, float] | None = None) -> Run:
    failure = engine.failure
    if failure is not None and failure.fatal:
        raise UsageError(failure.message)
    stats = engine.stats()
    pose_ms, ages_ms = engine.pose_ms[WARM_UP_FRAMES:], engine.ages_ms[WARM_UP_FRAMES:]
    return Run(clock.fps(), clock.frames, pose_ms, ages_ms, {**stats.stage_ms, **(extra_ms or {})}, stats.dropped)
