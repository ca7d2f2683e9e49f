"""Evaluation of one streamed sequence. The rules:

Labels. An action that the recognizer lists counts as listed, `other:sit_still` as idle; every other label is
unlisted motion. Time without a label is not evaluated.

Windows. One for each clip that is due, ten a second. It counts for a label when its end and its middle lie in it.
Its likeliest action is that of the highest probability, its shown action what stands on the screen after it. Where
half a body was in view nothing was recognized: neither is right, and nothing counts as shown.

Events. A start and its end, idle aside. Right where a label of its action overlaps it. Wrong where none does, it
starts in labelled time and at least half of it is labelled; otherwise it is not counted. A label is missed when no
event of its action overlaps it.

Delay. From a listed label's start, idle aside, to the first frame in the label with which its action stands on the
screen. Labels during which it never does have none; they are the missed ones, or nearly.

Segments. The shown action ten times a second in labelled time against the label; unlisted motion and unknown are the
background. Stretches apart from each other make segments of their own. The edit score is of sequences with a listed
label.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.datasets.sequences import LabelledSequence, Segment
from recognizer.decision import IDLE, ActionCard, ActionEvent
from recognizer.training.everyday import SIT_STILL
from recognizer.training.streams.run import Moment, StreamResult
from recognizer.training.streams.segmentation import OVERLAPS, Matches, edit_score, match, runs
from recognizer.view import View

_GRID_HZ = 10
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """A window of a label. truth: its listed action; None for unlisted motion. label: as it stands in the index.

    likeliest: None where the window was refused for half a body. shown: a listed action, or None. view: what of the
    body was in it.
    """

    label: str
    truth: str | None
    likeliest: str | None
    shown: str | None
    view: View | None


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """A listed label, idle aside. found: an event of its action overlaps it. delay_s: None where it never showed.

    inside: the window was full before the label began, so the delay has no part of the recording's own beginning.
    """

    action: str
    found: bool
    delay_s: float | None
    inside: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One sequence. right, wrong: numbers of events. seconds, labelled_s: of the recording, of its labels.

    refused: windows of half a body, of all windows that were due. matches: of segments, one for each of OVERLAPS.
    edit: None without a listed label.
    """

    source: str
    windows: tuple[WindowOutcome, ...]
    due: int
    refused: int
    right: int
    wrong: int
    labels: tuple[LabelOutcome, ...]
    matches: tuple[Matches, ...]
    edit: float | None
    seconds: float
    labelled_s: float


def evaluate_stream(sequence: LabelledSequence, streamed: StreamResult, card: ActionCard) -> Outcome:
    """The outcome, by the rules above. card: of the recognizer that it was streamed through."""
    listed = frozenset(card.actions) - frozenset(card.decision.other)
    span_s = (card.frames - 1) / card.fps
    spans = _spans(streamed.events, listed)
    right, wrong = _count_events(spans, sequence.segments, listed)
    matches, edit = _match_segments(sequence, streamed.moments, listed)
    fresh = [moment for moment in streamed.moments if moment.fresh]
    return Outcome(
        source=sequence.source,
        windows=tuple(_window_outcomes(fresh, sequence.segments, listed, span_s)),
        due=len(fresh),
        refused=sum(moment.likeliest is None for moment in fresh),
        right=right,
        wrong=wrong,
        labels=tuple(_label_outcomes(sequence, streamed.moments, spans, listed, span_s)),
        matches=matches,
        edit=edit,
        seconds=float(sequence.times_s[-1] - sequence.times_s[0]),
        labelled_s=sum(segment.end_s - segment.start_s for segment in sequence.segments),
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """An event from its start to its end."""

    action: str
    start_s: float
    end_s: float

    def overlap_s(self, segment: Segment) -> float:
        return min(self.end_s, segment.end_s) - max(self.start_s, segment.start_s)

    def overlaps(self, segment: Segment) -> bool:
        """True where they share more than a point, or an event without a duration lies in the segment."""
        shared_s = self.overlap_s(segment)
        return shared_s > 0 or (shared_s == 0 and self.start_s == self.end_s)


def true_action(label: str, listed: frozenset[str]) -> str | None:
    """The listed action of a label, None for unlisted motion."""
    action = IDLE if label == SIT_STILL else label
    return action if action in listed else None


def _window_outcomes(
    fresh: Sequence[Moment], segments: Sequence[Segment], listed: frozenset[str], span_s: float
) -> list[WindowOutcome]:
    decided = [(moment, moment.decision) for moment in fresh if moment.decision is not None]
    labels = labels_of(np.array([decision.time_s for _, decision in decided]), segments, span_s)
    outcomes = []
    for (moment, decision), place in zip(decided, labels.tolist(), strict=True):
        if place >= 0:
            label = segments[place].label
            shown = decision.action if moment.likeliest is not None and decision.action in listed else None
            outcomes.append(WindowOutcome(label, true_action(label, listed), moment.likeliest, shown, decision.view))
    return outcomes


def labels_of(ends_s: NDArray[np.float64], segments: Sequence[Segment], span_s: float) -> NDArray[np.intp]:
    """(N,) the place of the label that holds the middle and the end of each window of span_s, -1 where none does."""
    out = np.full(len(ends_s), -1, dtype=np.intp)
    for place in reversed(range(len(segments))):  # of labels that overlap, the first counts
        start_s, end_s, _ = segments[place]
        out[(ends_s - span_s / 2 >= start_s - _ROUNDING_S) & (ends_s <= end_s + _ROUNDING_S)] = place
    return out


def _contains(segment: Segment, time_s: float) -> bool:
    return segment.start_s - _ROUNDING_S <= time_s <= segment.end_s + _ROUNDING_S


def _spans(events: Sequence[ActionEvent], listed: frozenset[str]) -> list[_Span]:
    """Starts of listed actions, idle aside, each with the end that follows it."""
    spans = []
    for place, event in enumerate(events):
        if event.kind == "start" and event.action in listed - {IDLE}:
            ends = (e.time_s for e in events[place + 1 :] if e.kind == "end" and e.action == event.action)
            spans.append(_Span(event.action, event.time_s, next(ends)))
    return spans


def _count_events(spans: Sequence[_Span], segments: Sequence[Segment], listed: frozenset[str]) -> tuple[int, int]:
    """Numbers of right and wrong events."""
    right = wrong = 0
    for span in spans:
        if any(true_action(segment.label, listed) == span.action and span.overlaps(segment) for segment in segments):
            right += 1
            continue
        starts_labelled = any(_contains(segment, span.start_s) for segment in segments)
        labelled_s = sum(max(0.0, span.overlap_s(segment)) for segment in segments)
        wrong += starts_labelled and labelled_s >= (span.end_s - span.start_s) / 2
    return right, wrong


def _label_outcomes(
    sequence: LabelledSequence,
    moments: Sequence[Moment],
    spans: Sequence[_Span],
    listed: frozenset[str],
    span_s: float,
) -> list[LabelOutcome]:
    outcomes = []
    for segment in sequence.segments:
        action = true_action(segment.label, listed)
        if action is None or action == IDLE:
            continue
        shown_s = next(
            (
                moment.time_s
                for moment in moments
                if _contains(segment, moment.time_s)
                and moment.decision is not None
                and moment.decision.action == action
            ),
            None,
        )
        outcomes.append(
            LabelOutcome(
                action=action,
                found=any(span.action == action and span.overlaps(segment) for span in spans),
                delay_s=None if shown_s is None else max(0.0, shown_s - segment.start_s),
                inside=segment.start_s - sequence.times_s[0] >= span_s,
            )
        )
    return outcomes


def _match_segments(
    sequence: LabelledSequence, moments: Sequence[Moment], listed: frozenset[str]
) -> tuple[tuple[Matches, ...], float | None]:
    """Segments matched at each of OVERLAPS, and the edit score."""
    times_s = [moment.time_s for moment in moments]
    true: list[str | None] = []
    shown: list[str | None] = []
    stretches: list[int] = []
    stretch = 0
    first, last = times_s[0], times_s[-1]
    for tick in range(int((last - first) * _GRID_HZ + _ROUNDING_S) + 1):
        time_s = first + tick / _GRID_HZ
        segment = next((s for s in sequence.segments if s.start_s - _ROUNDING_S <= time_s < s.end_s), None)
        if segment is None:
            stretch += 1
            continue
        decision = moments[bisect_right(times_s, time_s + _ROUNDING_S) - 1].decision
        action = decision.action if decision is not None else None
        true.append(true_action(segment.label, listed))
        shown.append(action if action in listed else None)
        stretches.append(stretch)
    true_runs, shown_runs = runs(true, stretches), runs(shown, stretches)
    matches = tuple(match(true_runs, shown_runs, overlap) for overlap in OVERLAPS)
    return matches, edit_score(true_runs, shown_runs) if true_runs else None
