"""A fake engine for the window, and fake results."""

import threading
import time

import numpy as np

from app.capture.latest import Latest
from app.results import EngineState, PersonResult, Result, RunInfo, StatsSnapshot
from pose.skeleton import MEDIAPIPE_33
from pose.source import SourceInfo
from pose.types import Frame, Pose
from recognizer.decision import UNKNOWN, ActionEvent, Decision

ACTIONS = ("idle", "walk", "wave", "clap", "sit_down", "stand_up")

# A standing person, arms down, as parts of a box: x, y of the joints that matter; the others lie at the nose.
_STANDING = {
    "shoulder": (0.16, 0.22),
    "elbow": (0.22, 0.38),
    "wrist": (0.24, 0.52),
    "hip": (0.10, 0.52),
    "knee": (0.11, 0.74),
    "ankle": (0.11, 0.95),
    "heel": (0.10, 0.98),
    "foot": (0.15, 1.0),
    "pinky": (0.25, 0.55),
    "index": (0.24, 0.56),
    "thumb": (0.22, 0.55),
    "ear": (0.04, 0.07),
    "eye": (0.02, 0.06),
    "eye_inner": (0.01, 0.06),
    "eye_outer": (0.03, 0.06),
    "mouth": (0.015, 0.11),
}


def pose(person=0, time_s=0.0, x=320.0, y=80.0, height=340.0, confidence=1.0):
    """A person standing with the nose at about (x, y), seen from the front: the person's left is at the right."""
    xy = np.empty((len(MEDIAPIPE_33), 2), np.float32)
    for number, joint in enumerate(MEDIAPIPE_33.joints):
        side, _, part = joint.partition("_")
        across, down = _STANDING.get(part, (0.0, 0.08))
        xy[number] = x + (across if side == "left" else -across) * height, y + (down - 0.08) * height
    return Pose(xy, np.full(len(MEDIAPIPE_33), confidence, np.float32), MEDIAPIPE_33, time_s, person)


def decision(person=0, time_s=0.0, action="walk", score=0.92, since_s=0.0, reason="", top=None):
    """A decision; by default with a top five led by the action."""
    if top is None:
        others = [name for name in ACTIONS if name != action][:4]
        top = ((action, score), *((name, round((1 - score) / 4, 3)) for name in others))
    return Decision(person, time_s, action, score, since_s, tuple(top), reason)


def frame(time_s=0.0, index=0, bgr=None, size=(640, 480)):
    """A grey picture, or the one given."""
    if bgr is None:
        bgr = np.full((size[1], size[0], 3), 90, np.uint8)
    return Frame(bgr, time_s, time.perf_counter(), index)


def result(time_s=1.0, persons=((0, "walk"),), events=(), bgr=None, size=(640, 480), decided=True):
    """A result with persons given as (number, action)."""
    found = tuple(
        PersonResult(
            pose(number, time_s, x=size[0] * (place + 1) / (len(persons) + 1)),
            decision(number, time_s, action) if decided else None,
            True,
        )
        for place, (number, action) in enumerate(persons)
    )
    return Result(frame(time_s, int(time_s * 30), bgr, size), found, tuple(events), not found, time.perf_counter())


def unknown(time_s=1.0, reason="half a body in view"):
    """A result with one person of whom it is not known what they do."""
    person = PersonResult(pose(0, time_s), decision(0, time_s, UNKNOWN, 0.0, 0.0, reason, ()), True)
    return Result(frame(time_s), (person,), (), False, time.perf_counter())


def start(action="walk", time_s=1.0, person=0):
    """A start event."""
    return ActionEvent("start", time_s, person, action, 0.9)


def end(action="walk", time_s=3.0, person=0, duration_s=2.0):
    """An end event."""
    return ActionEvent("end", time_s, person, action, 0.9, duration_s)


class FakeEngine:
    """Does what the test tells it: state, failure, progress and info are plain attributes.

    stop_s: how long stop() takes.
    """

    def __init__(self, options, *, stop_s=0.0):
        self.options = options
        self.results = Latest()
        self.state = EngineState.STARTING
        self.failure = None
        self.progress = ""
        self.info = RunInfo(None, options.model, (), "")
        self.snapshot = StatsSnapshot()
        self.playback = None
        self.painted = []
        self.watches = False
        self.swaps = []
        self.stopped_on = []
        self.started = False
        self._stop_s = stop_s
        self._taps = []

    def run(self, name="camera 0", size=(640, 480), provider="cpu"):
        """Come to the state of a run that goes well."""
        self.state = EngineState.RUNNING
        self.info = RunInfo(SourceInfo(name, True, size, 30.0), self.options.model, ACTIONS, provider)

    def give(self, *results):
        """Hand out results as the inference thread does."""
        for given in results:
            self.results.put(given)
            for tap in self._taps:
                tap(given)

    def fail(self, failure, state=EngineState.FAILED):
        """Fail."""
        self.failure, self.state = failure, state

    def add_tap(self, tap):
        self._taps.append(tap)

    def remove_tap(self, tap):
        self._taps.remove(tap)

    def start(self):
        assert not self.started, "an engine is started once"
        self.started = True

    def stop(self, timeout_s=2.0):
        self.stopped_on.append(threading.current_thread().name)
        time.sleep(self._stop_s)
        self.state = EngineState.STOPPED
        self.results.close()

    def wait(self, timeout_s=None):
        return self.state in (EngineState.STOPPED, EngineState.FAILED)

    def pause(self):
        self.state = EngineState.PAUSED

    def resume(self):
        self.state = EngineState.RUNNING

    def swap_recognizer(self, model, provider):
        self.swaps.append((model, provider))

    def watch_attention(self, on):
        self.watches = on

    def stats(self):
        return self.snapshot

    def mark_painted(self, shown):
        self.painted.append(shown)


class Engines:
    """Makes fake engines and keeps them in order."""

    def __init__(self):
        self.made = []
        self.stop_s = 0.0
        self.refuse = None

    def __call__(self, options):
        if self.refuse is not None:
            raise self.refuse
        self.made.append(FakeEngine(options, stop_s=self.stop_s))
        return self.made[-1]

    @property
    def last(self):
        return self.made[-1]
