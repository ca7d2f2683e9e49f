"""The live view while a recognizer is taught beside it: `python main.py --bench FILE --teaching [full]`."""

import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from app import models as recognizers
from app.errors import UsageError
from app.settings import RunOptions
from app.teaching_process import TeachingCancelled, TeachingDone, TeachingFailed, TeachingJob
from app.tools.bench_live import live_run, run_line
from app.tools.bench_runs import Show
from pose.demo.source import DemoSource
from pose.skeleton import MPOSE_13
from recognizer.teaching.examples import Example
from recognizer.teaching.request import TeachingRequest

GOAL_FPS = 25.0
_ACTIONS = ("wave", "squat", "clap", "jumping_jacks", "kick")
_EXAMPLES, _EXAMPLE_S, _RATE = 5, 2.5, 30
_LOOK_S = 0.05
_WAIT_S = 10.0


def made_examples() -> list[Example]:
    """Five actions of five examples, by five looks of the demo's person, in two sessions."""
    found = []
    for look in range(_EXAMPLES):
        source = DemoSource(seed=look, paced=False)
        for action in _ACTIONS:
            segment = next(each for each in source.script if each.action == action)
            times_s = np.arange(round(_EXAMPLE_S * _RATE)) / _RATE
            xy = np.stack([source.truth(segment.start_s + float(time_s)).joints_px for time_s in times_s])
            seen = np.ones(xy.shape[:2], np.float32)
            name, session = f"{look}/{action}", f"session {look % 2}"
            found.append(Example(name, f"my {action}", None, session, times_s, xy, seen, MPOSE_13))
    return found


class Teaching:
    """Teaches the same again and again on a thread, until it is left. done_s: how long each took. Raises UsageError at
    the end where it failed."""

    def __init__(self, model: str, kind: str) -> None:
        self.done_s: list[float] = []
        self._failure = ""
        self._over = threading.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="actionlens-bench-")
        models = Path(self._folder.name)
        self._request = TeachingRequest(kind, "bench", recognizers.find(model), models, made_examples(), keep_base=True)
        self._thread = threading.Thread(target=self._run, name="bench-teaching", daemon=True)

    def __enter__(self) -> "Teaching":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._folder.cleanup()
        if self._failure and error is None:
            raise UsageError(self._failure)

    def _run(self) -> None:
        while not self._over.is_set() and not self._failure:
            began_s = time.perf_counter()
            try:
                job = TeachingJob(self._request)
            except UsageError as error:  # Full without what it needs
                self._failure = str(error)
                return
            while job.outcome is None and not self._over.wait(_LOOK_S):
                pass
            job.cancel()
            outcome = job.wait(_WAIT_S)
            if isinstance(outcome, TeachingDone):
                self.done_s.append(time.perf_counter() - began_s)
            elif isinstance(outcome, TeachingFailed):
                self._failure = outcome.message
            elif not isinstance(outcome, TeachingCancelled):
                self._failure = "the process that teaches does not end"


def beside_teaching(options: RunOptions, kind: str, seconds: float, fps: float, show: Show) -> dict[str, Any]:
    """A paced run alone, then one while a recognizer is taught: frames a second, in the worst whole second too."""
    found: dict[str, Any] = {"kind": kind, "goal_fps": GOAL_FPS, "alone": live_run(options, seconds, fps, show)}
    with Teaching(options.model, kind) as teaching:
        found["teaching"] = live_run(options, seconds, fps, show)
    return found | {"taught_s": [round(each, 1) for each in teaching.done_s]}


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [run_line(name, found[name]) for name in ("alone", "teaching")]
    reached = "reached" if found["teaching"]["worst_fps"] >= GOAL_FPS else "MISSED"
    lines.append(f"goal: never below {GOAL_FPS:g} FPS while {found['kind']} teaching runs: {reached}")
    took = ", ".join(f"{each} s" for each in found["taught_s"]) or "none was done in that time"
    lines.append(f"taught meanwhile: {took}")
    return "\n".join(lines) + "\n"
