"""An engine on fakes for the tests of this package."""

from dataclasses import dataclass, field

import pytest
from engine_fakes import FakeEstimator, FakeRecognizer, FakeSource, InPlace

from app.capture.reader import Timing
from app.live.engine import Engine
from app.settings import RunOptions

QUICK = Timing(open_s=30.0, stall_s=0.2, retry_s=(0.02, 0.04, 0.08))


@dataclass
class Run:
    """An engine on fakes and what it gave."""

    engine: Engine
    results: list = field(default_factory=list)
    asked: list = field(default_factory=list)  # names that the source was opened by

    @property
    def events(self):
        return [event for result in self.results for event in result.events]


@pytest.fixture
def run():
    """run(source, ...) starts an engine on fakes; every one is stopped at the end of the test."""
    runs, opened = [], []

    def start(
        source=None, *, sources=None, estimator=None, recognizer=None, timing=QUICK, begin=True, name="fake", **options
    ):
        waiting = iter(sources if sources is not None else [source or FakeSource()])

        asked = []

        def open_source(options):
            asked.append(options.source)
            made = next(waiting)
            made = made() if callable(made) else made
            if isinstance(made, Exception):
                raise made
            opened.append(made)
            return made

        def open_recognizer(model, provider):
            made = (recognizer or {}).get(model) if isinstance(recognizer, dict) else recognizer
            made = made() if callable(made) else made
            if isinstance(made, Exception):
                raise made
            return made or FakeRecognizer()

        def open_pose_worker(options, progress, cancel):
            made = estimator(progress, cancel) if callable(estimator) else estimator
            return InPlace(made or FakeEstimator())

        engine = Engine(
            RunOptions(source=name, **options),
            open_source=open_source,
            open_pose_worker=open_pose_worker,
            open_recognizer=open_recognizer,
            timing=timing,
        )
        started = Run(engine, asked=asked)
        engine.add_tap(started.results.append)
        runs.append(started)
        if begin:
            engine.start()
        return started

    yield start
    for started in runs:
        started.engine.stop()
    for source in opened:
        source.let_go.set()
