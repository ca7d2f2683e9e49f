"""A clip as a camera gives it, through the whole program: poses a second, and how even the steps between them are.

python -m benchmarks.people.rate ../shared/videos/aerobics_3people.avi --people 3
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from app.live import run_inputs
from app.live.engine import Engine
from app.live.rate import PoseRate
from app.results import Result
from app.settings import RunOptions
from app.tools.bench_runs import RetimedFile, show_drawn
from benchmarks.command import parser_of, run_command
from benchmarks.people.scenes import FPS, SIZE
from pose.estimators import BLAZEPOSE, choose
from pose.number_arguments import count, positive
from pose.source import Source, SourceInfo
from pose.types import Frame
from pose.video_file import VideoFile

_SETTLED_S = 8.0  # the models load, people are found, and the rate settles


class Resized:
    """A source whose pictures have the size of scenes.py."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.info: SourceInfo = replace(source.info, size=SIZE)

    def read(self) -> Frame | None:
        """As Source."""
        frame = self._source.read()
        return frame and replace(frame, bgr=np.asarray(cv2.resize(frame.bgr, SIZE), np.uint8))

    def close(self) -> None:
        """As Source."""
        self._source.close()


class EveryFrame(PoseRate):
    """Takes every frame, not only as many as an even rate allows."""

    def wants(self, captured_s: float) -> bool:
        """As PoseRate."""
        return True

    def took(self, work_s: float) -> None:
        """As PoseRate."""


def steps_s(results: list[Result], after_s: float) -> list[float]:
    """Seconds from one frame in which poses were found to the next, from a time of the source on."""
    times_s = sorted({result.frame.time_s for result in results if result.frame.time_s >= after_s})
    return [float(step_s) for step_s in np.diff(times_s)]


def measure(path: Path, options: RunOptions, seconds: float, fps: float, rate: Callable[[int], PoseRate]) -> str:
    """One run's line. Raises ActionLensError where the clip or a model cannot be opened."""

    def open_source(given: RunOptions) -> Source:
        return RetimedFile(lambda: Resized(VideoFile(path)), fps, round(seconds * fps))

    engine = Engine(
        options, open_source=open_source, open_pose_worker=run_inputs.open_pose_worker, rate=rate(options.people)
    )
    results: list[Result] = []
    engine.add_tap(results.append)
    show_drawn(engine)
    steps = steps_s(results, _SETTLED_S)
    if not steps:
        return "no poses after the start: measure for longer"
    windows = sum(person.fresh for result in results for person in result.persons)
    people = float(np.mean([len(result.persons) for result in results if result.frame.time_s >= _SETTLED_S]))
    stats = engine.stats()
    note = stats.note or "no note"
    return (
        f"{1 / float(np.mean(steps)):.1f} poses a second of {fps:g}, steps {1000 * median(steps):.0f} ms, p90 / median "
        f"{np.percentile(steps, 90) / median(steps):.2f}, {people:.2f} people, {windows} predictions, pose stage "
        f"{stats.stage_ms['pose']:.1f} ms, age {stats.age_p50_ms:.0f} / {stats.age_p95_ms:.0f} ms; {note}"
    )


def main() -> int:
    """Print a line for a run that takes what it can, and one for a run with an even rate."""
    parser = parser_of("benchmarks.people.rate", __doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--people", type=count, default=3)
    parser.add_argument("--seconds", type=positive, default=25.0, help="of each run")
    parser.add_argument("--fps", type=positive, default=FPS)
    return run_command(_measure_rates, parser.parse_args())


def _measure_rates(given: argparse.Namespace) -> None:
    VideoFile(given.clip).close()  # told as it is: in a run it would be a run without poses
    choose(BLAZEPOSE, given.people)
    options = RunOptions(source=str(given.clip), people=given.people, provider="cpu")
    for name, rate in (("every frame", EveryFrame), ("even", PoseRate)):
        sys.stdout.write(f"{name}: {measure(given.clip, options, given.seconds, given.fps, rate)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
