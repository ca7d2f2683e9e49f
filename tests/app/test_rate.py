"""Where a computer is too slow for every frame poses are found in fewer, evenly, and the user is told."""

import math
import threading
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from engine_fakes import FakeEstimator, FakeSource, until

from app.live.pose_stage import PoseStage
from app.live.rate import PoseRate
from app.live.stats import Stats
from pose.skeleton import MPOSE_13
from pose.types import Frame, Pose
from recognizer.window import PoseWindow

FPS = 25.0


class Everything:
    """As without a rate: every frame is wanted."""

    line = ""

    def wants(self, captured_s):
        return True

    def took(self, work_s):
        pass


def played(rate, work_s, seconds, fps=FPS, from_s=0.0, waits=None, between_s=0.0):
    """A camera, a place for one frame and somebody who works work_s(time) seconds on each, all in made-up time.

    Returns when the frames that were worked on were captured, and the changes of the line as (time, line). waits: a
    list that gets the seconds that each of these frames waited. between_s: from the end of the work on a frame to the
    start of the next, of which nobody is told.
    """
    taken, lines, waiting, free_s = [], [(from_s, rate.line)], None, 0.0
    for number in range(round(seconds * fps)):
        now_s = from_s + number / fps
        while waiting is not None and free_s <= now_s:
            began_s, took_s = max(free_s, waiting), work_s(now_s)
            taken.append(waiting)
            if waits is not None:
                waits.append(began_s - waiting)
            free_s, waiting = began_s + took_s + between_s, None
            rate.took(took_s)
            if rate.line != lines[-1][1]:
                lines.append((now_s, rate.line))
        if rate.wants(now_s):
            waiting = now_s  # over one that nobody took
    return np.array(taken), lines[1:]


def steps(taken, after_s, before_s=np.inf):
    return np.diff(taken[(taken > after_s) & (taken < before_s)])


@pytest.mark.parametrize(
    ("work_s", "share", "told"),
    [
        (0.0457, Fraction(5, 6), "20.8"),  # which could have 21.9 a second where each is taken when there is time
        (0.0495, Fraction(4, 5), "20"),
        (0.052, Fraction(3, 4), "18.8"),
        (0.055, Fraction(2, 3), "16.7"),
        (0.065, Fraction(3, 5), "15"),
        (0.075, Fraction(1, 2), "12.5"),
        (0.095, Fraction(2, 5), "10"),
        (0.115, Fraction(1, 3), "8.3"),
        (0.19, Fraction(1, 5), "5"),
    ],
)
def test_a_slow_computer_takes_the_highest_even_share(work_s, share, told):
    taken, lines = played(PoseRate(3), lambda now_s: work_s, 30)
    assert [line for _, line in lines] == [f"3 people: poses in {told} of 25 frames a second, this computer's limit"]
    assert 2 <= lines[0][0] < 5
    found = np.rint(steps(taken, 6) * FPS)
    assert set(found) == {math.floor(1 / share), math.ceil(1 / share)}
    rounds = len(found) // share.numerator * share.numerator
    assert found[:rounds].reshape(-1, share.numerator).sum(axis=1) == pytest.approx(share.denominator)


def test_time_between_frames_that_is_no_work_counts_too():
    """Frames are lost, unevenly, though the work on one takes less than the time that there is."""
    lost, _ = played(Everything(), lambda now_s: 0.0365, 30, between_s=0.0105)
    taken, lines = played(PoseRate(3), lambda now_s: 0.0365, 60, between_s=0.0105)
    assert set(np.rint(steps(lost, 6) * FPS)) == {1, 2}
    assert [line for _, line in lines] == ["3 people: poses in 20.8 of 25 frames a second, this computer's limit"]
    found = np.rint(steps(taken, 6) * FPS)
    rounds = len(found) // 5 * 5
    assert found[:rounds].reshape(-1, 5).sum(axis=1) == pytest.approx(6)


def test_a_frame_that_is_lost_now_and_then_is_no_slowness():
    turns = iter(range(10_000))
    _, lines = played(PoseRate(1), lambda now_s: 0.09 if next(turns) % 25 == 0 else 0.03, 20)
    assert lines == []


def test_a_window_of_some_frames_is_as_true_as_one_of_every_second():
    """Two of three frames against one of two, on a motion of 1.5 Hz; the window reads its curve at even times."""
    layout = MPOSE_13

    def clip(wanted):
        window, made = PoseWindow(30, 20.0, layout), []
        for number in range(75):
            if wanted(number):
                xy = np.full((len(layout), 2), 100.0) + 40 * np.sin(2 * np.pi * 1.5 * number / FPS)
                made += window.push(Pose(xy.astype(np.float32), np.ones(len(layout), np.float32), layout, number / FPS))
        times_s = made[-1].time_s - (29 - np.arange(30)) / 20.0
        return np.abs(made[-1].xy_px[:-2, 0, 0] - (100 + 40 * np.sin(2 * np.pi * 1.5 * times_s))[:-2])

    uneven, even = clip(lambda number: number % 3), clip(lambda number: number % 2)
    assert uneven.mean() < even.mean()
    assert uneven.max() < even.max()


def test_without_it_frames_are_older_when_they_are_done():
    """At 1.14 frames' work each frame waits for the one before, and the wait adds up until a frame is lost."""
    before, after = [], []
    played(Everything(), lambda now_s: 0.0457, 60, waits=before)
    played(PoseRate(3), lambda now_s: 0.0457, 60, waits=after)
    assert np.mean(before[200:]) > 0.4 / FPS
    assert np.mean(after[200:]) < 0.3 / FPS
    assert max(after[200:]) < 4 * (0.0457 - 1 / FPS) + 1e-9  # the fifth of six frames waits for four


@pytest.mark.parametrize("work_s", [0.02, 0.039])
def test_a_computer_that_is_fast_enough_takes_every_frame(work_s):
    taken, lines = played(PoseRate(1), lambda now_s: work_s, 20)
    assert steps(taken, 0) == pytest.approx(1 / FPS)
    assert lines == []


def test_a_look_for_newcomers_in_every_second_frame_is_no_slowness():
    turns = iter(range(10_000))
    taken, lines = played(PoseRate(3), lambda now_s: 0.046 if next(turns) % 2 else 0.032, 20)
    assert lines == []
    assert steps(taken, 1) == pytest.approx(1 / FPS)


def test_a_stall_is_no_slowness():
    stalled = []

    def work_s(now_s):
        if now_s > 10 and not stalled:
            stalled.append(now_s)
            return 1.5
        return 0.03

    assert played(PoseRate(1), work_s, 20)[1] == []


def test_the_rate_rises_again_and_the_line_goes_when_the_computer_has_time():
    taken, lines = played(PoseRate(2), lambda now_s: 0.055 if now_s < 10 else 0.02, 30)
    assert [line for _, line in lines] == [
        "2 people: poses in 16.7 of 25 frames a second, this computer's limit",
        "",
    ]
    assert 10 < lines[1][0] < 15
    assert steps(taken, 5, 10).mean() == pytest.approx(1.5 / FPS, rel=0.02)
    assert steps(taken, 15) == pytest.approx(1 / FPS)


def test_work_near_a_limit_changes_nothing_to_and_fro():
    """Between .9 and 1.1 of the time that there is the rate stays as it is."""
    noise = np.random.default_rng(5)
    for mean_s in (0.036, 0.04, 0.042, 0.046, 0.05, 0.055, 0.06, 0.07, 0.08):
        _, lines = played(PoseRate(1), lambda now_s, mean_s=mean_s: mean_s * noise.uniform(0.8, 1.2), 120)
        assert len(lines) <= 1


def test_a_higher_rate_that_fails_is_tried_ever_more_rarely():
    """As where the rest of the program needs the processor as soon as there are more poses."""
    rate = PoseRate(1)
    _, lines = played(rate, lambda now_s: 0.03 if rate.line else 0.06, 300)
    tried = [now_s for now_s, line in lines if not line]
    waits = np.diff(tried)
    assert 3 <= len(tried) <= 8
    assert all(later > 1.4 * earlier for earlier, later in pairwise(waits[:3]))


def test_a_higher_rate_that_held_for_long_makes_up_for_trials_that_failed():
    """After a minute of trials that fail, a minute in which there is time: the next slowness is short again."""
    rate = PoseRate(1)

    def work_s(now_s):
        if now_s < 60:
            return 0.03 if rate.line else 0.06
        return 0.06 if 120 <= now_s < 126 else 0.02

    _, lines = played(rate, work_s, 170)
    after = [(now_s, bool(line)) for now_s, line in lines if now_s > 100]
    assert [slow for _, slow in after] == [True, False]
    assert 120 < after[0][0] < 125
    assert 126 < after[1][0] < 132


def test_a_camera_that_gives_fewer_frames_has_all_of_them_taken_again():
    rate = PoseRate(1)
    played(rate, lambda now_s: 0.055, 10, fps=25.0)
    assert rate.line
    taken, lines = played(rate, lambda now_s: 0.055, 20, fps=12.0, from_s=10.0)
    assert lines[-1][1] == ""
    assert steps(taken, lines[-1][0] + 0.2) == pytest.approx(1 / 12)


def test_so_much_work_that_no_window_fills_is_not_made_worse():
    taken, _ = played(PoseRate(1), lambda now_s: 0.9, 60)
    assert np.median(steps(taken, 20)) <= 0.9 + 2 / FPS


def test_more_work_lowers_the_rate_once_to_what_can_be_done():
    """No step between, though the mean of the work rises slowly over two seconds."""
    _, lines = played(PoseRate(2), lambda now_s: 0.03 if now_s < 10 else 0.075, 30)
    assert [line for _, line in lines] == ["2 people: poses in 12.5 of 25 frames a second, this computer's limit"]
    assert 12 < lines[0][0] < 14


def test_one_person_is_named_so():
    _, lines = played(PoseRate(1), lambda now_s: 0.055, 10)
    assert lines[0][1] == "1 person: poses in 16.7 of 25 frames a second, this computer's limit"


def frame(number):
    return Frame(np.zeros((4, 4, 3), np.uint8), number / 10, 0.0, number)


@pytest.mark.parametrize("ahead", [True, False])
def test_work_is_counted_once_also_where_a_frame_waits(ahead):
    """Three frames of .1 s each: one that was handed over ahead has not been worked on while it waited."""

    class Worker:
        def submit(self, frame):
            pass

        def result(self):
            time.sleep(0.1)
            return (), 100.0

    left, told = [frame(n) for n in range(3)], []
    posing = PoseStage(Worker(), lambda: left.pop(0) if left else None, Stats(), ahead=ahead, took=told.append)
    began_s = time.perf_counter()
    assert [found.index for found, _ in posing] == [0, 1, 2]
    assert 0.29 < sum(told) <= time.perf_counter() - began_s
    posing.close()


def test_the_engine_leaves_frames_out_tells_and_takes_it_back(run):
    """A worker that needs three frames' time until it is let: live, so that frames are lost otherwise."""
    slow = threading.Event()
    slow.set()

    class Slow(FakeEstimator):
        def estimate(self, frame):
            if slow.is_set():
                time.sleep(2.5 / FPS)
            return super().estimate(frame)

    started = run(FakeSource(live=True, fps=FPS), estimator=Slow(), people=3)
    until(lambda: started.engine.stats().note)
    note = started.engine.stats().note
    assert note.startswith("3 people: poses in ")
    assert note.endswith(" frames a second, this computer's limit")
    assert started.engine.stats().dropped > 0
    told_at = len(started.results)
    until(lambda: len(started.results) > told_at + 6)
    left_out = np.diff([result.frame.index for result in started.results[told_at + 1 :]])
    assert left_out.mean() >= 2
    slow.clear()
    until(lambda: not started.engine.stats().note)


def test_a_file_that_is_worked_through_loses_nothing(run):
    started = run(FakeSource(live=False, frames=40, fps=200.0), estimator=FakeEstimator(work_s=0.02), paced=False)
    assert started.engine.wait(60)
    assert len({result.frame.index for result in started.results}) == 40
    assert started.engine.stats().dropped == 0
