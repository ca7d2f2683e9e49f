"""Thresholds from which an action is shown, chosen on streams of people the network was not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recognizer.features import LAYOUT, RATE_FPS
from recognizer.model_card import DecisionRules
from recognizer.training.augment import Array
from recognizer.training.batches import FRAMES
from recognizer.training.errors import TrainingError
from recognizer.training.evaluate import softmax
from recognizer.training.everyday import ACTIONS, IDLE, OTHER
from recognizer.training.everyday_streams import action_and_kind
from recognizer.training.streams.outcome import Outcome, evaluate_stream, labels_of
from recognizer.training.streams.replay import RecordedStream, replay
from recognizer.training.streams.report import as_json

BIASES = (-1.0, -0.5, 0.0, 0.5)
THRESHOLDS = (0.4, 0.5, 0.6, 0.7)
# Cost of one wrong start an hour, in shares of correctly shown windows: 100 an hour cost as much as one window in ten.
_WRONG_PER_HOUR_COST = 1e-3

UPPER_WEIGHTS = (0.1, 0.2, 0.3, 0.5)  # and 1
_UPPER_BUDGET = 0.05  # of the windows of unlisted motion of the upper body that may be shown as a listed action

Needs = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How logits become shown actions.

    other_bias: subtracted from the logit of `other`. temperature: then divides the logits. thresholds: (A,) on the
    probabilities; that of `other` is not used. needs: parts of the body that must be in view, by action.
    upper_weight: as in a card's rules.
    """

    other_bias: float
    temperature: float
    thresholds: Array
    needs: Needs = field(default_factory=dict)
    upper_weight: float = 1.0

    def probabilities(self, logits: Array) -> Array:
        """Probabilities (W, A) of logits (W, A) without the bias."""
        biased = logits.copy()
        biased[:, ACTIONS.index(OTHER)] -= np.float32(self.other_bias)
        return softmax(biased, self.temperature)

    def by_action(self) -> dict[str, float]:
        """Thresholds by the names of the listed actions."""
        return {action: float(t) for action, t in zip(ACTIONS, self.thresholds, strict=True) if action != OTHER}

    def decision_rules(self) -> DecisionRules:
        """For a card. `other` needs no threshold, for it is never shown."""
        thresholds = {action: round(threshold, 4) for action, threshold in self.by_action().items()}
        temperature = round(float(self.temperature), 4)
        return DecisionRules(temperature, {**thresholds, OTHER: 1.0}, (OTHER,), self.needs, self.upper_weight)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What one pair of bias and threshold does on a set of streams.

    shown_right: mean over the actions of the share of their windows. shown_listed: share of the windows of unlisted
    motion, idle aside. wrong_per_hour: starts of wrong actions. delay_s: median from a label's start.
    """

    other_bias: float
    threshold: float
    shown_right: float
    shown_listed: float
    wrong_per_hour: float
    delay_s: float | None

    @property
    def score(self) -> float:
        """The objective: what is shown correctly, less what is shown wrongly."""
        return self.shown_right - self.shown_listed - _WRONG_PER_HOUR_COST * self.wrong_per_hour


Streams = Sequence[RecordedStream]


def calibrate(
    sets: Sequence[tuple[Streams, Sequence[Array]]], needs: Needs, biases: Sequence[float] = BIASES
) -> tuple[Calibration, list[list[OperatingPoint]]]:
    """The rules of the highest mean score over the sets of streams, and every point that was tried, by set.

    sets: streams, and the logits (N, A) of each one's windows. needs: as in the rules. biases: that are tried.
    Raises TrainingError where there is nothing to choose by.
    """
    truths = [_true_actions(stream) for streams, _ in sets for stream in streams]
    true = np.concatenate(truths) if truths else np.empty(0, dtype=np.intp)
    if not (true >= 0).any():
        raise TrainingError("no window of the validation streams has a label, so no threshold can be chosen")
    logits = np.concatenate([each for _, group in sets for each in group])
    temperature = _best_temperature(logits[true >= 0], true[true >= 0])
    points = [
        [
            _operating_point(streams, group, Calibration(bias, temperature, _uniform(threshold), needs))
            for bias in biases
            for threshold in THRESHOLDS
        ]
        for streams, group in sets
    ]
    score = np.mean([[point.score for point in of_set] for of_set in points], axis=0)
    best = points[0][int(np.argmax(score))]
    chosen = Calibration(best.other_bias, temperature, _uniform(best.threshold), needs)
    return replace(chosen, upper_weight=_choose_upper_weight(sets, chosen)), points


def _choose_upper_weight(sets: Sequence[tuple[Streams, Sequence[Array]]], rules: Calibration) -> float:
    """The lowest weight of `other` that keeps false alarms in upper-body views within the budget."""
    for weight in UPPER_WEIGHTS:
        candidate = replace(rules, upper_weight=weight)
        windows = [
            window for streams, logits in sets for one in outcomes(streams, logits, candidate) for window in one.windows
        ]
        unlisted = [window for window in windows if window.view == "upper" and window.truth is None]
        shown = sum(window.shown not in (None, IDLE) for window in unlisted)
        if unlisted and shown <= _UPPER_BUDGET * len(unlisted):
            return weight
    return 1.0


def _uniform(threshold: float) -> Array:
    return np.full(len(ACTIONS), threshold, dtype=np.float32)


def outcomes(streams: Streams, logits: Sequence[Array], rules: Calibration) -> list[Outcome]:
    """The outcome of each stream under the rules."""
    card = _CalibrationCard(rules)
    return [
        evaluate_stream(stream.sequence, replay(stream, rules.probabilities(each), card), card)
        for stream, each in zip(streams, logits, strict=True)
    ]


def _operating_point(streams: Streams, logits: Sequence[Array], rules: Calibration) -> OperatingPoint:
    figures = as_json(outcomes(streams, logits, rules))
    return OperatingPoint(
        other_bias=rules.other_bias,
        threshold=round(float(rules.thresholds[0]), 4),
        shown_right=figures["windows"]["macro_shown_right"] or 0.0,
        shown_listed=figures["unlisted"]["shown_listed"] or 0.0,
        wrong_per_hour=figures["events"]["wrong_per_hour"] or 0.0,
        delay_s=figures["delay_s"]["p50"],
    )


class _CalibrationCard:
    """The part of a model card that the decider needs."""

    actions, frames, fps, layout = ACTIONS, FRAMES, RATE_FPS, LAYOUT.name

    def __init__(self, rules: Calibration) -> None:
        thresholds: Mapping[str, float] = {**rules.by_action(), OTHER: 1.0}
        self.decision = DecisionRules(1.0, thresholds, (OTHER,), rules.needs, rules.upper_weight)


def _true_actions(stream: RecordedStream) -> NDArray[np.intp]:
    """(N,) the action of each window that has a label and shows the whole body, -1 for the others."""
    segments = stream.sequence.segments
    labels = labels_of(stream.times_s, segments, (FRAMES - 1) / RATE_FPS)
    actions = np.array([*(ACTIONS.index(action_and_kind(segment.label)[0]) for segment in segments), -1])
    whole = np.array([view.view == "whole" for view in stream.views])
    return np.where(whole, actions[labels], -1)


def _best_temperature(logits: Array, true: NDArray[np.intp]) -> float:
    """The temperature of lowest cross entropy, all actions weighted equally."""
    candidates = np.exp(np.linspace(np.log(0.5), np.log(3), 41))
    weight = (1 / np.bincount(true, minlength=len(ACTIONS)).clip(1))[true]
    rows = np.arange(len(true))
    losses = [-(weight * np.log(softmax(logits, t)[rows, true] + 1e-9)).sum() for t in candidates]
    return float(candidates[int(np.argmin(losses))])
