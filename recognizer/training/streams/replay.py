"""Streams with their windows stored, so that other networks and decision rules can be tried without the poses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.types import Pose
from recognizer.clips import Clip, Prediction
from recognizer.datasets.sequences import LabelledSequence
from recognizer.decision import HALF_BODY, ActionCard, ActionEvent, Decider
from recognizer.features import LAYOUT, RATE_FPS, clip_features
from recognizer.live import GONE_S, TICKS_PER_DECISION
from recognizer.training.augment import Array
from recognizer.training.batches import FRAMES
from recognizer.training.streams.run import Moment, StreamResult
from recognizer.view import BodyView, view_of
from recognizer.window import PoseWindow


@dataclass(frozen=True, slots=True, eq=False)
class RecordedStream:
    """The windows of a sequence, as live recognition makes them.

    times_s: (N,) their ends. features: (N, 30, F). views: N, what of the body they show.
    """

    sequence: LabelledSequence
    times_s: NDArray[np.float64]
    features: Array
    views: tuple[BodyView, ...]


def record(sequences: Iterable[LabelledSequence]) -> Iterator[RecordedStream]:
    """The windows of each sequence that has any."""
    for sequence in sequences:
        clips = list(_clips(sequence))
        if clips:
            xy_px, confidence = (np.stack([getattr(c, name) for c in clips]) for name in ("xy_px", "confidence"))
            yield RecordedStream(
                sequence,
                np.array([clip.time_s for clip in clips]),
                clip_features(xy_px, confidence, RATE_FPS),
                tuple(view_of(clip) for clip in clips),
            )


def _clips(sequence: LabelledSequence) -> Iterator[Clip]:
    window = PoseWindow(FRAMES, RATE_FPS, LAYOUT, every=TICKS_PER_DECISION)
    for place in np.flatnonzero(sequence.posed).tolist():
        yield from window.push(
            Pose(
                sequence.xy_px[place],
                sequence.confidence[place],
                sequence.layout,
                float(sequence.times_s[place]),
            )
        )


def replay(stream: RecordedStream, probabilities: Array, card: ActionCard) -> StreamResult:
    """What the live program would show with these probabilities (N, A), at the times of the windows."""
    decider = Decider(card)
    moments: list[Moment] = []
    events: list[ActionEvent] = []
    before_s = float(stream.times_s[0])
    for place, time_s in enumerate(stream.times_s.tolist()):
        if time_s - before_s > GONE_S:
            events += decider.gone(0, before_s)
        likeliest, view = None, stream.views[place]
        if decider.can_judge(view):
            likeliest = card.actions[int(probabilities[place].argmax())]
            decision = decider.update(Prediction(0, time_s, tuple(card.actions), probabilities[place]), view)
        else:
            decision = decider.absent(0, time_s, HALF_BODY, view.view)
        events += decision.events
        moments.append(Moment(time_s, decision, True, likeliest))
        before_s = time_s
    return StreamResult(tuple(moments), (*events, *decider.finish(before_s)))


def features_of(streams: Sequence[RecordedStream]) -> Array:
    """(sum of N, 30, F) of all windows, one stream after the other."""
    return np.concatenate([stream.features for stream in streams])


def split_by_stream(streams: Sequence[RecordedStream], rows: Array) -> list[Array]:
    """The inverse of features_of: rows of all windows as one array for each stream."""
    ends = np.cumsum([len(stream.times_s) for stream in streams])[:-1]
    return np.split(rows, ends)
