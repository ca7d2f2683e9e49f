"""A person before the camera who does what the test says: the demo's rendered one, at chosen looks and speeds; and the
same person as a user, who clicks and types.

The true joints, with a detector's jitter, stand for what MediaPipe would find; everything behind it is what runs live.
"""

import threading
import time

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.recording.recorder import RecorderState
from pose.demo.source import DemoSource
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.source import SourceInfo
from pose.types import Frame, Pose

SIZE, FPS, AHEAD = (160, 120), 15.0, 5
TIMEOUT_MS = 600_000  # some minutes in all on a quiet machine
REACTION_S = 0.3
_JITTER_PX = 0.25  # some 3 mm of a person who fills the picture
_FADE_S = 0.5  # from one motion to the next
_AFTER_S = 0.7  # of the script after an action
_TRUNK_AND_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_NEAR = {"pinky": "wrist", "index": "wrist", "thumb": "wrist", "heel": "ankle", "foot": "ankle"}


def joint_of(name):
    """The joint of MPOSE-13 that stands for one of MediaPipe's."""
    side = "left" if "left" in name else "right"
    part = next((part for part in (*_TRUNK_AND_LIMBS, *_NEAR) if part in name), None)
    return "head" if part is None else f"{side}_{_NEAR.get(part, part)}"


PLACES = [MPOSE_13.index(joint_of(name)) for name in MEDIAPIPE_33.joints]

BELOW = np.array(
    [any(part in name for part in ("hip", "knee", "ankle", "heel", "foot")) for name in MEDIAPIPE_33.joints]
)


class Actor:
    """A source, and the estimator that goes with it. Stands still until told what to do, does it once, stands again.

    Frames come as fast as they are worked through, but never more than `ahead` of what the window has seen (see_up_to),
    so that a slow machine has only slower tests, and never faster than `speedup` times their own clock. at_desk: hips
    and legs are out of the picture. cue: asked before every frame, for what is done as soon as something is seen.
    """

    def __init__(self, speedup, *, at_desk=False):
        self.info = SourceInfo("actor", False, SIZE, FPS, None)
        self.speedup, self.cue = speedup, lambda: None
        self.ahead = AHEAD
        self._allowed, self._changed = AHEAD, threading.Condition()
        self.time_s = 0.0  # of the source
        self.idle_since_s = 0.0
        self._sources, self._poses, self._number, self._closed = {}, {}, 0, threading.Event()
        self._rng = np.random.default_rng(0)
        self._from = None
        self._joints = None
        self._look = 0
        self._confidence = np.where(at_desk & BELOW, 0.0, 1.0).astype(np.float32)
        self._picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        self._next = None
        self._begin(self._rest())

    def do(self, action, look=0, speed=1.0):
        """Do one of the demo's actions once."""
        self._look, source = look, self._source(look)
        segment = next(each for each in source.script if each.action == action)
        self._play((source, segment.start_s, segment.end_s + _AFTER_S, speed, False))

    def do_all_except(self, actions, look=0, speed=1.0):
        """Do all of the demo's actions in turn, but for some, until told to rest."""
        self._look, source = look, self._source(look)
        spans = [(each.start_s, each.end_s) for each in source.script if each.action not in actions]
        self._play((source, spans, None, speed, True))

    def rest(self, look=0):
        """Stand still, in another look perhaps."""
        self._look = look
        self._play(self._rest())

    @property
    def idle_s(self):
        """For how long it has stood still."""
        return self.time_s - self.idle_since_s if self.idle_since_s is not None else 0.0

    def _source(self, look):
        if look not in self._sources:
            self._sources[look] = DemoSource(seed=look, size=SIZE, paced=False)
        return self._sources[look]

    def _rest(self):
        return self._source(self._look), 0.3, 1.9, 0.6, True

    def _play(self, act):
        """May be called on any thread; takes effect with the next frame."""
        self._next, self.idle_since_s = act, None

    def _begin(self, act):
        self._from, self._act, self._began_s = self._joints, act, self.time_s
        self.idle_since_s = self.time_s if act[4] and act[2] is not None else None

    def _script_s(self, passed_s):
        """The time in the demo's script; None once the action is over."""
        _, start, end, speed, again = self._act
        passed_s *= speed
        if isinstance(start, list):
            passed_s %= sum(b - a for a, b in start)
            for a, b in start:
                if passed_s < b - a:
                    return a + passed_s
                passed_s -= b - a
        length_s = end - start
        if not again:
            return start + passed_s if passed_s < length_s else None
        passed_s %= 2 * length_s
        return start + min(passed_s, 2 * length_s - passed_s)

    def see_up_to(self, index):
        """The window shows the frame of that number."""
        with self._changed:
            self._allowed = index + self.ahead
            self._changed.notify()

    def read(self):
        """A frame; None once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed.is_set() or self._number < self._allowed)
        if self._closed.wait(1 / FPS / self.speedup):
            return None
        self.cue()
        time_s = self.time_s = self._number / FPS
        act, self._next = self._next, None
        if act is not None:
            self._begin(act)
        script_s = self._script_s(time_s - self._began_s)
        if script_s is None:
            self._begin(self._rest())
            script_s = self._script_s(0.0)
        joints = self._act[0].truth(script_s).joints_px
        faded = (time_s - self._began_s) / _FADE_S
        if self._from is not None and faded < 1:
            joints = (1 - faded) * self._from + faded * joints
        self._joints = joints
        seen = (joints + self._rng.normal(0, _JITTER_PX, joints.shape))[PLACES].astype(np.float32)
        self._poses[self._number] = Pose(seen, self._confidence, MEDIAPIPE_33, time_s, 0)
        self._number += 1
        return Frame(self._picture, time_s, time.perf_counter(), self._number - 1)

    def estimate(self, frame):
        """The joints in a frame."""
        return (self._poses.pop(frame.index),)

    def close(self):
        """No more frames."""
        with self._changed:
            self._closed.set()
            self._changed.notify()


class User:
    """Clicks and types, and counts it. Before the camera it does what is asked for, once it sees that a take runs."""

    def __init__(self, window, actor, qtbot):
        self.window, self.actor, self.qtbot, self.inputs = window, actor, qtbot, 0

    @property
    def page(self):
        return self.window.teaching.page

    def click(self, button):
        self.wait(button.isEnabled)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.inputs += 1

    def type(self, text):
        for sign in text:
            QTest.keyClick(self.window.focusWidget(), sign)
            self.inputs += 1

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.window, key, modifier)
        self.inputs += 1

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=TIMEOUT_MS)

    def wait_s(self, seconds):
        """Of the source's time."""
        until_s = self.actor.time_s + seconds
        self.wait(lambda: self.actor.time_s >= until_s)

    def takes(self, do):
        """Until no more takes are made, do what is asked for in each; do: called with the take's number."""
        recorder = self.page.recorder
        self.wait(lambda: recorder.busy)
        self.actor.cue = Cue(recorder, self.actor, do)
        self.wait(lambda: not recorder.busy)
        self.actor.cue = lambda: None

    def take(self, recording, do):
        """One take of the record bar, with its key; recording: the bar's control."""
        self.actor.cue = Cue(recording, self.actor, lambda _: do())
        self.press(Qt.Key.Key_F8)
        self.wait(lambda: recording.view.state is RecorderState.RECORDING)
        self.wait(lambda: recording.view.state is RecorderState.READY)
        self.actor.cue = lambda: None


class Cue:
    """Performs the action of a take shortly after the take has started."""

    def __init__(self, recorder, actor, do):
        self._recorder, self._actor, self._do = recorder, actor, do
        self._takes, self._since_s, self._done = 0, None, False

    def __call__(self):
        if self._recorder.view.state is not RecorderState.RECORDING:
            self._since_s, self._done = None, False
        elif self._since_s is None:
            self._since_s = self._actor.time_s
        elif not self._done and self._actor.time_s - self._since_s >= REACTION_S:
            self._do(self._takes)
            self._takes, self._done = self._takes + 1, True
