"""Sequences of poses with labels, and a recognizer that is sure of what a script says, for tests of streams."""

import numpy as np
from toy_recognizer import ACTIONS, make_card

from pose.skeleton import MEDIAPIPE_33
from recognizer.clips import Prediction
from recognizer.datasets.sequences import LabelledSequence, Segment


def sequence_of(seconds, segments, *, fps=20.0, hidden=(), absent=(), name="a", source="o/r", layout=MEDIAPIPE_33):
    """A person who moves a little. hidden, absent: (from, to) in seconds without legs, without a pose."""
    times_s = np.arange(round(seconds * fps) + 1) / fps
    joints = len(layout)
    base = np.random.default_rng(joints).uniform(100, 300, (joints, 2))
    sway = 20 * np.sin(times_s[:, None, None] * np.linspace(1, 5, joints)[:, None])
    xy_px = (base + sway).astype(np.float32)
    confidence = np.ones((len(times_s), joints), np.float32)
    legs = [index for index, joint in enumerate(layout.joints) if joint.endswith(("knee", "ankle", "heel", "foot"))]
    for start_s, end_s in hidden:
        rows = (times_s >= start_s) & (times_s < end_s)
        confidence[np.ix_(rows, legs)] = 0
    for start_s, end_s in absent:
        rows = (times_s >= start_s) & (times_s < end_s)
        xy_px[rows], confidence[rows] = 0, 0
    labels = tuple(Segment(*segment) for segment in segments)
    return LabelledSequence(name, source, "p1", times_s, xy_px, confidence, layout, (640, 480), labels)


class Scripted:
    """Sure of an action from a time on: says {0: "idle", 3: "walk"}."""

    def __init__(self, says, **changes):
        self.card = make_card(**changes)
        self._says = sorted(says.items())

    def predict(self, clips, *, attention=False):
        return [self._predict(clip) for clip in clips]

    def _predict(self, clip):
        said = [action for since_s, action in self._says if since_s <= clip.time_s + 1e-6][-1]
        probabilities = np.full(len(ACTIONS), 0.02, np.float32)
        probabilities[ACTIONS.index(said)] = 0.94
        return Prediction(clip.person, clip.time_s, ACTIONS, probabilities)
