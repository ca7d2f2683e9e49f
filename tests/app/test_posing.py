"""The way of frames to a pose worker and back: how many are out, in which order, and how it ends."""

import queue
import threading

import numpy as np
import pytest
from engine_fakes import pose, until

from app.live.pose_stage import PoseStage
from app.live.stats import Stats
from pose.errors import PoseError
from pose.process import IN_WORK
from pose.types import Frame


class SlowWorker:
    """Gives a result when the test lets it."""

    def __init__(self):
        self.let = threading.Semaphore(0)
        self.submitted = []
        self.waiting = queue.SimpleQueue()
        self.most = self.out = 0

    def submit(self, frame):
        self.submitted.append(frame.index)
        self.out += 1
        self.most = max(self.most, self.out)
        self.waiting.put(frame)

    def result(self):
        frame = self.waiting.get()
        self.let.acquire()
        self.out -= 1
        if frame.index == 7:
            raise PoseError("it broke; start it again")
        return (pose(0, frame.time_s),), 3.0


def frames(n):
    left = [Frame(np.zeros((4, 4, 3), np.uint8), i / 10, 0.0, i) for i in range(n)]
    return lambda: left.pop(0) if left else None


@pytest.mark.parametrize(("ahead", "out"), [(True, IN_WORK), (False, 1)])
def test_no_more_are_out_than_asked_for(ahead, out):
    worker, stats = SlowWorker(), Stats()
    posing = PoseStage(worker, frames(6), stats, ahead=ahead)
    steps = iter(posing)
    worker.let.release(6)
    found = [next(steps)]
    until(lambda: len(worker.submitted) == 1 + out)  # while the first is dealt with
    found += list(steps)
    posing.close()
    assert [frame.index for frame, _ in found] == list(range(6))
    assert all(people[0].time_s == frame.time_s for frame, people in found)
    assert worker.most == out
    assert stats.snapshot().stage_ms == {"pose": 3.0}


def test_a_failure_of_the_worker_is_raised_where_poses_are_taken():
    worker = SlowWorker()
    worker.let.release(20)
    posing = PoseStage(worker, frames(20), Stats(), ahead=True)
    found = []

    def take_all():
        for frame, _ in posing:
            found.append(frame.index)

    with pytest.raises(PoseError, match="it broke"):
        take_all()
    assert found == list(range(7))
    posing.close()


def test_a_failure_to_hand_over_is_raised_after_what_came_before():
    worker = SlowWorker()
    worker.let.release(20)
    give = frames(3)

    def next_frame():
        frame = give()
        if frame is None:
            raise PoseError("no shared memory; make it larger")
        return frame

    posing = PoseStage(worker, next_frame, Stats(), ahead=False)
    found = []

    def take_all():
        for frame, _ in posing:
            found.append(frame.index)

    with pytest.raises(PoseError, match="no shared memory"):
        take_all()
    assert found == [0, 1, 2]
    posing.close()


def test_closing_ends_the_thread_that_waits_for_the_worker():
    worker = SlowWorker()
    give = frames(100)
    closing = threading.Event()
    posing = PoseStage(worker, lambda: None if closing.is_set() else give(), Stats(), ahead=True)
    steps = iter(posing)
    worker.let.release()
    next(steps)
    until(lambda: len(worker.submitted) == 1 + IN_WORK)
    closing.set()
    posing.close()
    assert "pose-feed" not in {thread.name for thread in threading.enumerate()}
