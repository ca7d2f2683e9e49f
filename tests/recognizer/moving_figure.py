"""A stick figure of the MPOSE-13 layout whose joints are moved by functions of time."""

import numpy as np

from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.decision import Decision

_STANDING = {
    "head": (320, 80),
    "shoulder": (40, 130),
    "elbow": (45, 180),
    "wrist": (48, 225),
    "hip": (25, 240),
    "knee": (26, 320),
    "ankle": (26, 400),
}


def figure():
    """(13, 2) pixels, standing."""
    return np.array(
        [_STANDING["head"] if joint == "head" else _side(joint) for joint in MPOSE_13.joints],
        dtype=np.float64,
    )


def _side(joint):
    side, _, part = joint.partition("_")
    away, y = _STANDING[part]
    return 320 + (away if side == "left" else -away), y


def squat(depth):
    """depth 0..1: everything above the knees goes down."""
    xy = figure()
    for joint in ("head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"):
        xy[MPOSE_13.index(joint), 1] += 70 * depth
    for joint in ("left_hip", "right_hip"):
        xy[MPOSE_13.index(joint), 1] += 70 * depth
    return xy


def kick(height, side):
    """One leg goes up and out."""
    xy, out = figure(), 1 if side == "left" else -1
    xy[MPOSE_13.index(f"{side}_knee")] += (25 * out * height, -60 * height)
    xy[MPOSE_13.index(f"{side}_ankle")] += (90 * out * height, -150 * height)
    return xy


def there_and_back(time_s, period_s=1.0, rest_s=0.0):
    """0 at rest, 1 in the middle of a movement; a rest after each."""
    phase = time_s % (period_s + rest_s)
    return (1 - np.cos(2 * np.pi * phase / period_s)) / 2 if phase < period_s else 0.0


def poses(joints_at, until_s, *, from_s=0.0, fps=30.0, noise_px=1.0, seed=0, person=0, hidden=()):
    """joints_at(time_s) -> (13, 2), from from_s until until_s."""
    rng = np.random.default_rng(seed)
    confidence = np.ones(len(MPOSE_13), np.float32)
    confidence[[MPOSE_13.index(joint) for joint in hidden]] = 0
    for time_s in np.arange(from_s, until_s, 1 / fps).tolist():
        xy = joints_at(time_s) + rng.normal(0, noise_px, (len(MPOSE_13), 2))
        yield Pose(xy.astype(np.float32), confidence, MPOSE_13, time_s, person)


def counted(counter, moving, action, *, since_s=0.0, known_after_s=0.0):
    """Every repetition told while the poses come and the person is said to do this, a decision each 0.1 s."""
    found, due_s = [], known_after_s
    for pose in moving:
        counter.push(pose)
        if pose.time_s >= due_s:
            due_s = pose.time_s + 0.1
            found += counter.update(Decision(0, pose.time_s, action, 0.9, since_s))
    return found
