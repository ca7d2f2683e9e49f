"""Probabilities to a steady state: smoothing, hysteresis, "unknown", and start/end events."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.clips import Clip, Prediction
from recognizer.view import ARMS, PARTS, WHOLE, BodyView, View, view_of

Array = NDArray[np.float64]

UNKNOWN = "unknown"
IDLE = "idle"

WAITING = "collecting movement"
HALF_BODY = "half a body in view"
LOW_EVIDENCE = "low evidence"

_TOP = 5


@dataclass(frozen=True, slots=True)
class ActionEvent:
    """An action began or ended.

    kind: "start" or "end". time_s: when it happened (for a start, the estimated onset).
    score: smoothed probability at the start, mean over the action at the end. duration_s: None for a start.
    count: repetitions since the start; None for a start, and for what is not counted.
    """

    kind: Literal["start", "end"]
    time_s: float
    person: int
    action: str
    score: float
    duration_s: float | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The shown state of one person after a window.

    action: an action name or "unknown". score: its smoothed probability (0 for unknown without evidence).
    since_s: time at which this state began. top: the five likeliest actions with smoothed probabilities.
    reason: why unknown, for people ("collecting movement", "half a body in view", "low evidence"); "" otherwise.
    view: what of the body the window showed; None where that is too little, or there was no window.
    """

    person: int
    time_s: float
    action: str
    score: float
    since_s: float
    top: tuple[tuple[str, float], ...] = ()
    reason: str = ""
    events: tuple[ActionEvent, ...] = ()
    view: View | None = None


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """Time constants and margins of the steady state; they are the same at any rate of predictions.

    smoothing_s: time constant of the exponential smoothing of probabilities.
    leave_share: a shown action is left below this part of its threshold, so that it does not flicker around it.
    lead: probability by which another action must lead the shown one.
    confirm_s: how long another action must be ahead before it is shown.
    unknown_after_s: the same for unknown; longer, so that a change from one action to the next, where for a moment
        neither is certain, is one change and not two.
    shortest_s: an action once shown stays for this long at least.
    hold_s: a person who cannot be judged (lost, half in view) keeps the state for this long, and so does an action
        that needs what has gone out of view.
    lag_share: part of a window that must show the new action before its probability leads. With the smoothing it is
        the lag that is subtracted to estimate when a change really was. Measured on the validation streams with a
        share of 0.7: starts were dated 0.2 s too early (median of 311), 0.5 s for people at a webcam (22).
    """

    smoothing_s: float = 0.2
    leave_share: float = 0.4
    lead: float = 0.1
    confirm_s: float = 0.15
    unknown_after_s: float = 1.3
    shortest_s: float = 0.7
    hold_s: float = 0.5
    lag_share: float = 0.5


class Rules(Protocol):
    """The part of a card's decision rules that is used here."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Probability from which an action is shown, by action."""
        ...

    @property
    def other(self) -> tuple[str, ...]:
        """Actions that are shown as unknown."""
        ...

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Parts of the body without which an action cannot be judged, by action; all of them where it is not there."""
        ...

    @property
    def upper_weight(self) -> float:
        """Weight of the probability of what is not shown, while the upper body alone is in view."""
        ...


class ActionCard(Protocol):
    """The part of a model card that is used here."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Names in the order of the probabilities."""
        ...

    @property
    def decision(self) -> Rules:
        """Thresholds, and which actions are shown as unknown."""
        ...

    @property
    def frames(self) -> int:
        """Poses of a clip."""
        ...

    @property
    def fps(self) -> float:
        """Rate of a clip's poses."""
        ...


@dataclass(slots=True)
class _State:
    """One person. since_s: estimated beginning of the shown action; shown_s: when it was first shown."""

    time_s: float
    since_s: float
    shown_s: float
    masked: NDArray[np.bool_]  # (A,) actions that cannot be judged now
    action: str = UNKNOWN
    smoothed: Array | None = None  # (A + 1,) of the actions, and of all that could not be judged
    view: View | None = None
    candidate: str = UNKNOWN
    candidate_since_s: float = math.inf
    evidence_s: float = -math.inf  # time of the last prediction
    score_sum: float = 0.0
    score_time_s: float = 0.0
    events: list[ActionEvent] = field(default_factory=list)


class Decider:
    """Predictions to a steady state and events, for any number of persons. Times of a person never go back.

    Every start event has its end: at the next action, at unknown, or when the person cannot be judged any more.
    Unknown has no events.

    With half a body in view, the actions that need the rest of it are masked: they are not shown, and their probability
    counts as evidence for unknown, like that of everything unlisted. The other actions need enough probability of their
    own. Networks are less certain without the legs, so the card may give the evidence for unknown a smaller weight
    there.
    """

    def __init__(self, card: ActionCard, settings: DecisionSettings | None = None) -> None:
        self._settings = settings or DecisionSettings()
        self._lag_s = self._settings.lag_share * (card.frames - 1) / card.fps + self._settings.smoothing_s
        self._actions = card.actions
        self._enter = np.array([card.decision.thresholds[action] for action in card.actions])
        self._other = np.array([action in card.decision.other for action in card.actions])
        self._masks = {frozenset(PARTS): np.zeros(len(card.actions), dtype=np.bool_)}
        self._needs, self._upper_weight = card.decision.needs, card.decision.upper_weight
        self._persons: dict[int, _State] = {}

    def can_judge(self, view: BodyView) -> bool:
        """Whether any action can be shown for a person with this much of the body in view."""
        return view.view is not None and not (self._mask(view) | self._other).all()

    def update(self, prediction: Prediction, view: BodyView = WHOLE) -> Decision:
        """Take in a prediction; the person's state, with the events that this prediction brought.

        view: what the window of the prediction showed of the body.
        """
        now_s = prediction.time_s
        state = self._state(prediction.person, now_s)
        state.view, state.masked = view.view, self._mask(view)
        if now_s - state.evidence_s > self._settings.hold_s:
            self._lose(prediction.person, state, now_s)
        passed_s = now_s - state.evidence_s
        smoothed = self._smooth(state, prediction.probabilities.astype(np.float64), now_s)
        wanted = self._next_action(state, smoothed)
        if wanted == state.action:
            state.candidate_since_s = math.inf
            if math.isfinite(passed_s):  # while something else leads the action may be over: that does not count
                state.score_sum += passed_s * self._score(state)
                state.score_time_s += passed_s
        elif wanted != state.candidate or state.candidate_since_s == math.inf:
            state.candidate, state.candidate_since_s = wanted, now_s
        if self._confirmed(state, now_s):
            self._change(prediction.person, state, now_s)
        state.time_s = now_s
        reason = LOW_EVIDENCE if state.action == UNKNOWN else ""
        return self._decision(prediction.person, state, reason)

    def absent(self, person: int, time_s: float, reason: str, view: View | None = None) -> Decision:
        """A person without a usable clip, and why: the state is kept for a moment, then becomes unknown.

        view: what the window shows of the body, where there is one.
        """
        state = self._state(person, time_s)
        state.time_s, state.view = time_s, view
        if state.action != UNKNOWN and time_s - state.evidence_s <= self._settings.hold_s:
            return self._decision(person, state, "")
        self._lose(person, state, time_s)
        return self._decision(person, state, reason)

    def gone(self, person: int, time_s: float) -> tuple[ActionEvent, ...]:
        """The person has left: the end of what was shown, if anything. The person is forgotten."""
        state = self._persons.pop(person, None)
        if state is None:
            return ()
        self._lose(person, state, time_s)
        return tuple(state.events)

    def finish(self, time_s: float) -> tuple[ActionEvent, ...]:
        """Everybody has left, as at the end of a source."""
        return tuple(event for person in sorted(self._persons) for event in self.gone(person, time_s))

    def _state(self, person: int, time_s: float) -> _State:
        return self._persons.setdefault(person, _State(time_s, time_s, time_s, self._mask(WHOLE)))

    def _mask(self, view: BodyView) -> NDArray[np.bool_]:
        """(A,) the actions that need a part of the body that is not in view."""
        if view.parts not in self._masks:
            # Where the card says what actions need, who does nothing is seen to by the arms alone.
            default = {IDLE: (ARMS,)} if self._needs else {}
            needs = {**default, **self._needs}
            self._masks[view.parts] = np.array(
                [not set(needs.get(action, PARTS)) <= view.parts for action in self._actions], dtype=np.bool_
            )
        masked: NDArray[np.bool_] = self._masks[view.parts] & ~self._other
        return masked

    def _smooth(self, state: _State, predicted: Array, now_s: float) -> Array:
        hidden = np.where(state.masked, predicted, 0)
        smoothed = probabilities = np.append(predicted - hidden, hidden.sum())
        if state.view == "upper" and self._upper_weight < 1:
            probabilities = probabilities * np.where(np.append(self._other, True), self._upper_weight, 1.0)
            smoothed = probabilities = probabilities / max(probabilities.sum(), 1e-9)
        if state.smoothed is not None:
            passed_s = max(0.0, now_s - state.evidence_s)
            kept = math.exp(-passed_s / self._settings.smoothing_s)
            smoothed = kept * state.smoothed + (1 - kept) * probabilities
        state.smoothed, state.evidence_s = smoothed, now_s
        return smoothed

    def _next_action(self, state: _State, smoothed: Array) -> str:
        """The action that the smoothed probabilities favour, given the shown one."""
        action = state.action
        listed = np.where(self._other | state.masked, -1.0, smoothed[:-1])
        best = int(listed.argmax())
        unlisted = self._unlisted(smoothed)
        enters = listed[best] >= self._enter[best] and listed[best] > unlisted
        if action == UNKNOWN:
            return self._actions[best] if enters else UNKNOWN
        shown = self._actions.index(action)
        if enters and listed[best] > listed[shown] + self._settings.lead:
            return self._actions[best]
        stays = listed[shown] >= self._settings.leave_share * self._enter[shown]
        return action if stays and listed[shown] + self._settings.lead > unlisted else UNKNOWN

    def _confirmed(self, state: _State, now_s: float) -> bool:
        settings = self._settings
        wait_s = settings.unknown_after_s if state.candidate == UNKNOWN else settings.confirm_s
        if state.action != UNKNOWN:
            if now_s - state.shown_s < settings.shortest_s:
                return False
            if state.masked[self._actions.index(state.action)]:
                wait_s = min(wait_s, settings.hold_s)
        return now_s - state.candidate_since_s >= wait_s - 1e-9

    def _change(self, person: int, state: _State, now_s: float) -> None:
        """Show the candidate. The change is dated back by the lag, but not into the action before."""
        earliest_s = state.since_s if state.action == UNKNOWN else state.since_s + self._settings.shortest_s
        onset_s = max(earliest_s, state.candidate_since_s - self._lag_s)
        self._end(person, state, onset_s)
        state.action, state.since_s, state.shown_s = state.candidate, onset_s, now_s
        state.candidate_since_s = math.inf
        state.score_sum = state.score_time_s = 0.0
        if state.action != UNKNOWN:
            score = self._score(state)
            state.events.append(ActionEvent("start", onset_s, person, state.action, score))

    def _lose(self, person: int, state: _State, now_s: float) -> None:
        """The evidence has ended: what was shown ended with it."""
        if state.action != UNKNOWN:
            ended_s = max(state.since_s, state.evidence_s)
            self._end(person, state, ended_s)
            state.action, state.since_s, state.shown_s = UNKNOWN, ended_s, now_s
        state.smoothed = None
        state.candidate_since_s = math.inf

    def _end(self, person: int, state: _State, time_s: float) -> None:
        if state.action == UNKNOWN:
            return
        score = state.score_sum / state.score_time_s if state.score_time_s > 0 else self._score(state)
        duration_s = time_s - state.since_s
        state.events.append(ActionEvent("end", time_s, person, state.action, score, duration_s))

    def _unlisted(self, smoothed: Array) -> float:
        """Probability of everything that is shown as unknown."""
        return float(smoothed[:-1][self._other].sum() + smoothed[-1])

    def _score(self, state: _State) -> float:
        if state.smoothed is None:
            return 0.0
        if state.action == UNKNOWN:
            return self._unlisted(state.smoothed)
        return float(state.smoothed[self._actions.index(state.action)])

    def _decision(self, person: int, state: _State, reason: str) -> Decision:
        events = tuple(state.events)
        state.events.clear()
        return Decision(
            person=person,
            time_s=state.time_s,
            action=state.action,
            score=self._score(state),
            since_s=state.since_s,
            top=self._top(state),
            reason=reason,
            events=events,
            view=state.view,
        )

    def _top(self, state: _State) -> tuple[tuple[str, float], ...]:
        if state.smoothed is None:
            return ()
        hidden = self._other | state.masked
        pairs = [
            (action, float(p))
            for action, p, not_shown in zip(self._actions, state.smoothed[:-1], hidden, strict=True)
            if not not_shown
        ]
        if hidden.any() or state.smoothed[-1] > 0:
            pairs.append((UNKNOWN, self._unlisted(state.smoothed)))
        return tuple(sorted(pairs, key=lambda pair: -pair[1])[:_TOP])


def body_in_view(clip: Clip) -> bool:
    """Whether a clip shows the whole body: without legs most actions look the same."""
    return view_of(clip).view == "whole"
