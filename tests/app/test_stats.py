import numpy as np
import pytest

from app.live.stats import Stats
from app.results import Result
from pose.types import Frame


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def result(captured_s, decided_s):
    return Result(Frame(np.zeros((2, 2, 3), np.uint8), 0.0, captured_s, 0), (), (), False, decided_s)


@pytest.fixture
def clock():
    return Clock()


def test_rates_and_ages(clock):
    stats = Stats(clock)
    for number in range(60):
        clock.now += 1 / 30
        stats.captured()
        stats.processed(result(clock.now - (0.110 if number % 10 == 9 else 0.010), clock.now))
    snapshot = stats.snapshot(dropped=7)
    assert snapshot.camera_fps == pytest.approx(30, rel=0.02)
    assert snapshot.pose_fps == pytest.approx(30, rel=0.02)
    assert snapshot.age_p50_ms == pytest.approx(10)
    assert snapshot.age_p95_ms == pytest.approx(110)
    assert (snapshot.captured, snapshot.processed, snapshot.dropped) == (60, 60, 7)


def test_ages_are_those_of_the_last_seconds(clock):
    stats = Stats(clock)
    stats.processed(result(clock.now - 5, clock.now))
    clock.now += 10
    stats.processed(result(clock.now - 0.010, clock.now))
    assert stats.snapshot().age_p95_ms == pytest.approx(10)


def test_painted_ages_replace_decided_ones(clock):
    stats = Stats(clock)
    shown = result(clock.now, clock.now + 0.010)
    stats.processed(shown)
    clock.now += 0.035
    stats.painted(shown)
    assert stats.snapshot().age_p50_ms == pytest.approx(35)


def test_rates_fall_when_nothing_comes_any_more(clock):
    stats = Stats(clock)
    for _ in range(30):
        clock.now += 0.1
        stats.captured()
    clock.now += 2.0
    assert 0 < stats.snapshot().camera_fps < 6
    clock.now += 10
    assert stats.snapshot().camera_fps == 0
    assert stats.snapshot().captured == 30


def test_stage_times_are_medians(clock):
    stats = Stats(clock)
    for _ in range(3):
        with stats.stage("pose"):
            sum(range(1000))
    assert 0 < stats.snapshot().stage_ms["pose"] < 100


def test_memory_is_bounded(clock):
    stats = Stats(clock)
    for _ in range(5000):
        stats.captured()
        stats.processed(result(clock.now, clock.now))
        with stats.stage("pose"):
            pass
    assert max(len(kept) for kept in vars(stats).values() if hasattr(kept, "maxlen")) <= 1024
    assert max(len(times) for times in stats._stages.values()) <= 1024
