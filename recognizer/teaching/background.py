"""Untaught everyday motion: the demo's person as negatives where footage is scarce, and other bodies from other
viewpoints to test the taught recognizer on."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pose.demo.body import Proportions, pose_body
from pose.demo.look import draw_look
from pose.demo.script import Script
from pose.skeleton import MPOSE_13, convert
from recognizer.decision import IDLE
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.windows import ResampledExample, Shape, resampled

_RATE_HZ = 8.0  # enough for the curves between
_FOCAL_PX = 600.0
# The camera's distance and height in metres, and how far it is turned about the person, in degrees.
_DISTANCE_M, _HEIGHT_M, _TURN_DEG = 3.0, 1.2, 15.0

_PROBE_HZ = 10.0
_PROBES = ((3, -20.0), (5, 28.0), (11, 0.0))  # looks of the demo, whose bodies are used, and turns of the camera
_AROUND_S = 1.6  # of what comes before and after a motion: a window's length
_SETTLED_S = 0.6  # from the beginning of a stillness on
_STILL_S = 4.0
_STANDING = (0, 8, 14)  # of the many times that the demo's person stands still: places among the segments
STANDING, SITTING = "standing still", "sitting still"
_WORDS = {
    "wave": "waving",
    "clap": "clapping",
    "walk": "walking",
    "sit_down": "sitting down",
    "stand_up": "standing up",
    "squat": "squats",
    "jumping_jacks": "jumping jacks",
    "punch": "punching",
    "kick": "kicking",
    "run": "running on the spot",
    "pick_up": "picking something up",
    "throw": "throwing",
}


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One background motion. action: its everyday name, also "idle"."""

    action: str
    example: ResampledExample


@dataclass(frozen=True, slots=True, eq=False)
class ProbeMotion:
    """A motion to test for false alarms. action: its everyday name; words: as in "also fires on waving"."""

    action: str
    words: str
    example: Example


@cache
def everyday_motion(shape: Shape) -> tuple[Stretch, ...]:
    """The actions of the demo's loop in sequence, seen slightly from the side."""
    script = Script()
    times_s = np.arange(0, script.duration_s, 1 / _RATE_HZ)
    xy = _seen(script, times_s, Proportions(), _TURN_DEG)
    xy, confidence = convert(xy, np.ones(xy.shape[:2], np.float32), MPOSE_13, shape.layout)
    found = []
    for number, segment in enumerate(script.segments):
        here = (times_s >= segment.start_s) & (times_s < segment.end_s)
        name, action = f"{segment.action}/{number}", segment.action
        example = Example(name, action, None, None, times_s[here], xy[here], confidence[here], shape.layout)
        found.append(Stretch(action, resampled(example, shape)))
    return tuple(found)


@cache
def probe_motions() -> tuple[ProbeMotion, ...]:
    """Every motion of the demo's loop once, from stillness to stillness, and standing and sitting still, by other
    bodies and from other viewpoints than in everyday_motion()."""
    script, found = Script(), list[ProbeMotion]()
    before = ""
    for number, segment in enumerate(script.segments):
        look, turn_deg = _PROBES[len(found) % len(_PROBES)]
        sitting, before = before == "sit_down", segment.action
        if segment.action == IDLE and not sitting and number not in _STANDING:
            continue
        if segment.action == IDLE:
            times_s = _to_and_fro(segment.start_s + _SETTLED_S, segment.end_s)
            words = SITTING if sitting else STANDING
        else:
            times_s = np.arange(segment.start_s - _AROUND_S, segment.end_s + _AROUND_S, 1 / _PROBE_HZ)
            words = _WORDS.get(segment.action, segment.action)
        xy = _seen(script, times_s, draw_look(look).body, turn_deg)
        at_s = np.arange(len(xy)) / _PROBE_HZ
        confidence = np.ones(xy.shape[:2], np.float32)
        example = Example(f"{words}/{number}", NOTHING, None, None, at_s, xy, confidence, MPOSE_13)
        found.append(ProbeMotion(segment.action, words, example))
    return tuple(found)


def _to_and_fro(start_s: float, end_s: float) -> NDArray[np.float64]:
    """Times that play a still phase back and forth, to make it longer than the demo's."""
    passed = np.arange(0, _STILL_S, 1 / _PROBE_HZ) % (2 * (end_s - start_s))
    return start_s + np.minimum(passed, 2 * (end_s - start_s) - passed)


def _seen(script: Script, times_s: NDArray[np.float64], body: Proportions, turn_deg: float) -> NDArray[np.float32]:
    """(n, V, 2) pixels of a person with that body, who follows the script at those times."""
    bodies = [pose_body(script.posture(float(time_s)), body, bones=False).joints for time_s in times_s]
    joints = np.array([[each[name] for name in MPOSE_13.joints] for each in bodies])  # (n, 13, 3), metres
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x = cos * joints[..., 0] - sin * joints[..., 2]
    away = _DISTANCE_M - (sin * joints[..., 0] + cos * joints[..., 2])
    scale = _FOCAL_PX / np.maximum(away, 0.3)
    xy = np.stack([320 + scale * x, 240 + scale * (_HEIGHT_M - joints[..., 1])], axis=-1)
    return xy.astype(np.float32)
