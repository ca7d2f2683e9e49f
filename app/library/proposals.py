"""Labels that a recognizer proposes for segments, for a user to accept or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.library.labels import NOTHING
from app.live.inference import Recognizer
from app.recording.folder import Recording
from recognizer.decision import IDLE
from recognizer.features import LAYOUT
from recognizer.teaching.examples import Example
from recognizer.teaching.windows import Shape, as_clips, cut, resampled, sliding

_HOP_S = 0.25
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording in which one person is looked at. Seconds since the start of the recording."""

    start_s: float
    end_s: float
    person: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a stretch shows with this probability, the mean over its windows. idle is proposed as "nothing"."""

    action: str
    probability: float


def propose_labels(recording: Recording, stretches: Sequence[Stretch], recognizer: Recognizer) -> list[Proposal | None]:
    """The likeliest action of each stretch; None where its person is not there, or none of the actions is done.

    A stretch is read in windows of the recognizer's own length, as live; a shorter one with what is around it.
    """
    shape = Shape(recognizer.card.frames, recognizer.card.fps, LAYOUT)
    return [_propose(recording, stretch, recognizer, shape) for stretch in stretches]


def _propose(recording: Recording, stretch: Stretch, recognizer: Recognizer, shape: Shape) -> Proposal | None:
    poses = _poses(recording, stretch, shape.span_s)
    if len(poses.times_s) < 2:
        return None
    even = resampled(poses, shape)
    windows = as_clips(*cut(even, sliding(even, shape, _HOP_S)), shape)
    found = recognizer.predict(windows)
    probabilities = np.mean([one.probabilities for one in found], axis=0)
    best = int(np.argmax(probabilities))
    action = found[0].actions[best]
    if action in recognizer.card.decision.other:
        return None
    return Proposal(NOTHING if action == IDLE else action, float(probabilities[best]))


def _poses(recording: Recording, stretch: Stretch, span_s: float) -> Example:
    """The person's poses in a stretch, which is widened to a window where it is shorter."""
    missing_s = max(span_s - (stretch.end_s - stretch.start_s), 0.0)
    start_s = max(stretch.start_s - missing_s / 2, 0.0)
    end_s = max(stretch.end_s, start_s + span_s)
    times_s = recording.times_s[recording.frame]
    inside = (times_s >= start_s - _ROUNDING_S) & (times_s <= end_s + _ROUNDING_S)
    chosen = inside & (recording.person == stretch.person)
    poses = recording.xy_px[chosen], recording.confidence[chosen]
    return Example(recording.info.id, "", None, None, times_s[chosen], *poses, recording.layout)
