"""Poses that are too far apart to fill a window are told of, once, with what helps."""

import time

import numpy as np
import pytest
from engine_fakes import FakeSource, pose, until

from app.live.pace import Pace
from app.results import EngineState, PersonResult, Result
from pose.types import Frame

SLOW_S, QUICK_S = 0.7, 0.1


def result(time_s, index, *, nobody=False):
    frame = Frame(np.zeros((4, 4, 3), np.uint8), time_s, time.perf_counter(), index)
    persons = () if nobody else (PersonResult(pose(0, time_s), None, False),)
    return Result(frame, persons, (), nobody, time.perf_counter())


def fed(steps_s, frames_a_step=24, pace=None, nobody=False):
    """Results so far apart; frames_a_step: of the source, 1 where none is skipped."""
    pace = pace or Pace()
    time_s = pace._last.frame.time_s if pace._last else 0.0
    index = pace._last.frame.index if pace._last else 0
    for step_s in steps_s:
        time_s, index = time_s + step_s, index + frames_a_step
        pace.add(result(time_s, index, nobody=nobody))
    return pace


def test_a_slow_machine_is_told_with_its_rate():
    pace = fed([SLOW_S] * 6)
    assert pace.slow
    line = pace.line(live=True, people=1)
    assert line.startswith("this machine processes 1.4 poses per second; recognition needs at least 2: close other")
    assert "follow one person" in pace.line(live=True, people=2)


@pytest.mark.parametrize(("live", "help"), [(True, "more light"), (False, "choose another")])
def test_a_slow_source_is_told_from_a_slow_machine(live, help):
    line = fed([SLOW_S] * 6, frames_a_step=1).line(live=live, people=1)
    assert line.startswith("the source gives 1.4 pictures per second")
    assert help in line


def test_a_stall_is_not_slowness():
    assert not fed([QUICK_S] * 5 + [3.0] + [QUICK_S] * 3).slow


def test_it_is_over_when_poses_follow_each_other_again_and_not_before():
    pace = fed([SLOW_S] * 6)
    assert fed([QUICK_S, SLOW_S, QUICK_S, SLOW_S, QUICK_S], pace=pace).slow
    assert not fed([QUICK_S] * 5, pace=pace).slow


def test_nobody_in_view_says_nothing():
    assert not fed([SLOW_S] * 9, nobody=True).slow


def test_the_engine_tells_and_goes_on(run):
    started = run(FakeSource(live=False, frames=12, fps=1.0), paced=False)
    assert started.engine.wait(60)
    assert started.engine.state is EngineState.STOPPED
    failure = started.engine.failure
    assert (failure.stage, failure.fatal) == ("pose", False)
    assert "1.0 pictures per second" in failure.message


def test_the_engine_takes_it_back(run):
    class Hastening(FakeSource):
        def read(self):
            frame = super().read()
            return frame and Frame(frame.bgr, min(frame.time_s, 8 + frame.time_s / 10), frame.captured_s, frame.index)

    failures = []
    started = run(Hastening(live=False, frames=80, fps=1.0), paced=False, begin=False)
    started.engine.add_tap(lambda _: failures.append(started.engine.failure))
    started.engine.start()
    until(lambda: started.engine.state is EngineState.STOPPED)
    assert failures[8] is not None
    assert failures[-1] is None
