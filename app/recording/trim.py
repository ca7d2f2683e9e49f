"""The part of a take that shows its action: the movement, without the stillness before and after it."""

import numpy as np

from app.recording.folder import Recording
from recognizer.decision import IDLE
from recognizer.teaching.examples import NOTHING
from recognizer.teaching.movement import Span, Track, movement, track_of

_WHOLE = ("", IDLE, NOTHING)  # what may well be stillness


def trimmed(recording: Recording, person: int) -> list[Span]:
    """Stretches of a take, in seconds since its start, that show what it was recorded as: one, or several where the
    person rests between repetitions. All from where the take began to its end where nothing moves, and of a take
    that may show stillness. The recording stays as it is."""
    info = recording.info
    if info.action.strip().casefold() not in _WHOLE and (found := movement(track_of_person(recording, person)).parts):
        return [(start_s, min(end_s, info.duration_s)) for start_s, end_s in found]
    return [(info.begins_s, info.duration_s)]


def track_of_person(recording: Recording, person: int) -> Track:
    """One person of a recording, for recognizer.teaching.movement."""
    rows = np.flatnonzero(recording.person == person)
    times_s = recording.times_s[recording.frame[rows]]
    joints = recording.xy_px[rows], recording.confidence[rows]
    return track_of(times_s, *joints, recording.layout, recording.info.begins_s)
