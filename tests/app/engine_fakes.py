"""Fakes of what the engine runs: a source, an estimator and a recognizer that do as they are told."""

import queue
import threading
import time

import numpy as np

from pose.skeleton import MEDIAPIPE_33
from pose.source import SourceInfo
from pose.types import Frame, Pose
from recognizer.clips import Prediction
from recognizer.model_card import DecisionRules, ModelCard, TensorSpec

ACTIONS = ("idle", "wave")


class FakeSource:
    """Frames at a rate (0: as fast as they are read), then whatever `at` says for a frame number.

    at: frame number -> an exception to raise, "stall" (block until closed), or "end".
    """

    def __init__(self, *, live=True, fps=100.0, frames=None, at=None, size=(64, 48), sizes=None, name="fake"):
        self.info = SourceInfo(name, live, size, fps or 30.0, frames)
        self.read_count = 0
        self.closed = threading.Event()
        self.let_go = threading.Event()  # ends what hangs in StuckSource
        self._step_s = 1 / (fps or 30.0)
        self._waits = bool(fps) and live
        self._frames = frames
        self._at = at or {}
        self._sizes = sizes or {}
        self._size = size
        self._start_s = time.perf_counter()

    def read(self):
        number = self.read_count
        if self.closed.is_set() or number == self._frames:
            return None
        what = self._at.get(number)
        if isinstance(what, Exception):
            raise what
        if what == "stall":
            self.closed.wait()
            return None
        if self._waits:
            self.closed.wait(max(0.0, self._start_s + number * self._step_s - time.perf_counter()))
        self.read_count += 1
        self._size = self._sizes.get(number, self._size)
        width, height = self._size
        return Frame(np.zeros((height, width, 3), np.uint8), number * self._step_s, time.perf_counter(), number)

    def close(self):
        self.closed.set()


class StuckSource(FakeSource):
    """A driver that hangs: read() does not return on close(), only when the test lets it go."""

    def __init__(self, stuck_at=0, **kwargs):
        super().__init__(**kwargs)
        self._stuck_at = stuck_at

    def read(self):
        if self.read_count == self._stuck_at:
            self.let_go.wait()
            return None
        return super().read()


def pose(person, time_s, x=30.0):
    """A person standing at x."""
    xy = np.zeros((len(MEDIAPIPE_33), 2), np.float32)
    xy[:, 0] = x + np.arange(len(MEDIAPIPE_33)) % 7
    xy[:, 1] = np.arange(len(MEDIAPIPE_33))
    return Pose(xy, np.ones(len(MEDIAPIPE_33), np.float32), MEDIAPIPE_33, time_s, person)


class FakeEstimator:
    """The people that `people(frame)` names; slow or failing when asked."""

    def __init__(self, *, people=lambda frame: (0,), work_s=0.0, fail_at=None):
        self.seen = []
        self.closed = False
        self._people = people
        self._work_s = work_s
        self._fail_at = fail_at

    def estimate(self, frame):
        assert not self.closed
        assert not self.seen or frame.time_s > self.seen[-1].time_s, "frames must come in order of time"
        if len(self.seen) == self._fail_at:
            raise RuntimeError("the graph is broken")
        self.seen.append(frame)
        time.sleep(self._work_s)
        return tuple(pose(person, frame.time_s) for person in self._people(frame))

    def close(self):
        self.closed = True


class InPlace:
    """A PoseWorker that runs an estimator where its results are taken."""

    def __init__(self, estimator):
        self._estimator = estimator
        self._submitted = queue.SimpleQueue()
        self.close = estimator.close

    def ready(self):
        pass

    def take_processor(self):
        pass

    def submit(self, frame):
        self._submitted.put(frame)

    def result(self):
        start = time.perf_counter()
        poses = self._estimator.estimate(self._submitted.get())
        return poses, (time.perf_counter() - start) * 1000


def card(name="fake", fps=20.0, frames=4, actions=ACTIONS):
    return ModelCard(
        name=name,
        model="act",
        actions=actions,
        layout="mpose-13",
        frames=frames,
        fps=fps,
        features="1",
        logits=TensorSpec("logits", ("N", len(actions))),
        training_data=(),
        metrics={},
        decision=DecisionRules(1.0, dict.fromkeys(actions, 0.5)),
        sha256="0" * 64,
        opset=18,
        created="2026-01-01T00:00:00Z",
    )


class FakeRecognizer:
    """Sure of one action."""

    def __init__(self, *, action="wave", work_s=0.0, provider="cpu", **card_values):
        self.card = card(**card_values)
        self.provider = provider
        self.provider_note = ""
        self.batches = []
        self.closed = False
        self._index = self.card.actions.index(action)
        self._work_s = work_s

    def predict(self, clips, *, attention=False):
        assert not self.closed
        self.batches.append(len(clips))
        maps = {"attention": np.full((1, 1, 5, 5), 0.2, np.float32)} if attention else {}
        time.sleep(self._work_s)
        probabilities = np.full(len(self.card.actions), 0.02, np.float32)
        probabilities[self._index] = 1 - 0.02 * (len(self.card.actions) - 1)
        return [Prediction(clip.person, clip.time_s, self.card.actions, probabilities, maps) for clip in clips]

    def close(self):
        self.closed = True


def until(condition, timeout_s=60.0):
    """Wait for something to become true; fails the test when it does not."""
    deadline = time.perf_counter() + timeout_s
    while not condition():
        assert time.perf_counter() < deadline, "it never happened"
        time.sleep(0.005)
