"""Counts repetitions live, from the poses of one person and the decisions about them."""

import math
from collections import deque
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from pose.types import Pose
from recognizer.clips import Prediction
from recognizer.decision import IDLE, UNKNOWN, Decision
from recognizer.repetitions import JOINTS, CountSettings, Cycle, find_cycles, joint_indices
from recognizer.window import MIN_CONFIDENCE

# What goes on instead of repeating. The steps of a walk are as even as squats, but nobody counts walks by them.
UNCOUNTED = frozenset({UNKNOWN, IDLE, "walk", "run"})

SPAN_S = 12.0  # the last seconds are recounted each time; older counts stay
_COUNT_EVERY_S = 0.2  # between two counts
_POSE_S = 0.04  # between two poses that are kept: 15 to 25 a second are enough for any stroke
SAME_SET_S = 5.0  # an action that comes back within this is counted on
_LONGEST_GAP_S = 1.0  # without a pose for longer, what comes next does not continue the movement before
_LATE_S = 0.3  # after an action's end, which is an estimate, too
_TEMPO_REPETITIONS = 5  # the last ones, over which the tempo is taken
_CAPACITY = math.ceil(SPAN_S / _POSE_S) + 2


@dataclass(frozen=True, slots=True)
class Repetition:
    """A person has completed a repetition of an action.

    time_s: when. count: how many of it, with those shortly before. duration_s: of this one.
    per_minute: tempo, of the last few.
    """

    time_s: float
    person: int
    action: str
    count: int
    duration_s: float
    per_minute: float


@dataclass(slots=True)
class _Set:
    """Repetitions of one action with short breaks at most.

    from_s: where counting begins or continues. checked: movements examined so far, the last of which ended at
    checked_s; settled: those before from_s. count: those that were repetitions of the action. reported: those since the
    action was last shown.
    """

    from_s: float
    shown_s: float
    count: int = 0
    checked: int = 0
    checked_s: float = -math.inf
    settled: int = 0
    reported: int = 0
    per_minute: float = 0.0

    def continue_from(self, time_s: float) -> None:
        """Look for new movements from then on only."""
        self.from_s, self.settled = time_s, self.checked


class RepetitionCounter:
    """Counts what one person repeats. One thread at a time; times never go back.

    Counting begins at the onset of an action, which is known a second later: what was done by then is counted then.
    Before the first decision there is a whole window, and onsets are dated to a few tenths; so a movement begun
    up to lead_s before belongs to the action, too, unless another one was shown.

    A movement is a repetition of the action only where the action was likely for as long as it took: see
    CountSettings.likely. What somebody does who does nothing listed is now and then taken for an action, but seldom
    with much certainty.
    """

    def __init__(self, person: int, lead_s: float = 1.5, settings: CountSettings | None = None) -> None:
        self._person = person
        self._lead_s = lead_s
        self._lag_s = lead_s / 2  # a prediction is about the middle of its window
        self._predictions: deque[tuple[float, dict[str, float]]] = deque()  # time, and probability of each action
        self._settings = settings or CountSettings()
        self._times = np.empty(2 * _CAPACITY)
        self._xy = np.empty((2 * _CAPACITY, JOINTS, 2))
        self._seen = np.empty((2 * _CAPACITY, JOINTS), dtype=np.bool_)
        self._first = self._end = 0
        self._sets: dict[str, _Set] = {}
        self._action = UNKNOWN
        self._other_until_s = -math.inf  # another action was shown, which moves
        self._away_until_s = -math.inf  # the person was not seen
        self._counted_at_s = -math.inf

    def push(self, pose: Pose) -> None:
        """Keep a pose."""
        if self._first < self._end:
            since_s = pose.time_s - self._times[self._end - 1]
            if since_s > _LONGEST_GAP_S or since_s < 0:
                self._begin_anew(pose.time_s, since_s)
            elif since_s < _POSE_S - 1e-6:
                return
        if self._end == len(self._times):
            kept = self._end - self._first
            for values in (self._times, self._xy, self._seen):
                values[:kept] = values[self._first : self._end]
            self._first, self._end = 0, kept
        indices = joint_indices(pose.layout)
        self._times[self._end] = pose.time_s
        self._xy[self._end] = pose.xy_px[indices]
        self._seen[self._end] = pose.confidence[indices] >= MIN_CONFIDENCE
        self._seen[self._end] &= np.isfinite(self._xy[self._end]).all(axis=-1)
        self._end += 1
        while self._end - self._first > _CAPACITY or self._times[self._first] < pose.time_s - SPAN_S:
            self._first += 1

    def _begin_anew(self, time_s: float, away_s: float) -> None:
        """The person is back: nothing is one movement with what was before, but a short break leaves the counts."""
        self._first = self._end = 0
        self._predictions.clear()
        self._away_until_s = time_s
        if 0 < away_s <= SAME_SET_S:
            for counted in self._sets.values():
                counted.continue_from(time_s)
        else:
            self._sets.clear()

    def update(self, decision: Decision, prediction: Prediction | None = None) -> tuple[Repetition, ...]:
        """The new repetitions since the last call, given the current decision.

        prediction: what the decision was made from. If there never was one, every movement counts.
        """
        action, now_s = decision.action, decision.time_s
        if prediction is not None:
            self._record(prediction)
        if action != self._action:
            if self._action not in (UNKNOWN, IDLE):
                self._other_until_s = decision.since_s
            self._action = action
            if action in self._sets:
                self._sets[action].reported = 0
        if action in UNCOUNTED:
            return ()
        counted = self._sets.get(action)
        if counted is None or now_s - counted.shown_s > self._longest_break_s(counted):
            from_s = max(decision.since_s - self._lead_s, self._other_until_s)
            counted = self._sets[action] = _Set(from_s, now_s)
            self._counted_at_s = -math.inf
        counted.shown_s = now_s
        if now_s - self._counted_at_s < _COUNT_EVERY_S - 1e-6:
            return ()
        self._counted_at_s = now_s
        return self._count_new(action, counted, now_s, now_s, final=False)

    def _longest_break_s(self, counted: _Set) -> float:
        """How long the action may not be shown. Who was away cannot be judged before the window is full again."""
        return SAME_SET_S + (self._lead_s if self._away_until_s > counted.shown_s else 0.0)

    def finish(self, action: str, end_s: float) -> tuple[tuple[Repetition, ...], int]:
        """An action has ended: its last repetitions, and how many there were since it was shown."""
        counted = self._sets.get(action)
        if counted is None or self._first == self._end:
            return (), 0
        last = self._count_new(action, counted, float(self._times[self._end - 1]), end_s + _LATE_S, final=True)
        reported, counted.reported = counted.reported, 0
        return last, reported

    def count(self, action: str) -> int:
        """How many of the action now; 0 where none was counted shortly before."""
        counted = self._sets.get(action)
        return counted.count if counted is not None else 0

    def per_minute(self, action: str) -> float:
        """The tempo; 0 before the first repetition."""
        counted = self._sets.get(action)
        return counted.per_minute if counted is not None else 0.0

    def _record(self, prediction: Prediction) -> None:
        """Keep the raw probabilities: smoothing and the weight for half a body in view would make them look better."""
        probabilities = dict(zip(prediction.actions, prediction.probabilities.tolist(), strict=True))
        self._predictions.append((prediction.time_s, probabilities))
        while self._predictions[0][0] < prediction.time_s - SPAN_S - self._lag_s:
            self._predictions.popleft()

    def _count_new(
        self, action: str, counted: _Set, now_s: float, until_s: float, *, final: bool
    ) -> tuple[Repetition, ...]:
        """The new repetitions up to a time. final: no further predictions will come."""
        if counted.from_s < now_s - SPAN_S:  # in a break: the poses of movements that were examined are dropped
            counted.continue_from(max(counted.from_s, counted.checked_s))
        first = self._first + int(np.searchsorted(self._times[self._first : self._end], counted.from_s))
        kept = slice(first, self._end)
        cycles = find_cycles(self._times[kept], self._xy[kept], self._seen[kept], self._settings)
        if cycles:
            durations = [cycle.end_s - cycle.start_s for cycle in cycles[-_TEMPO_REPETITIONS:]]
            counted.per_minute = 60 / median(durations)
        reported = []
        for cycle in cycles[counted.checked - counted.settled :]:
            if cycle.end_s > until_s:
                break
            if self._probability(action, cycle) >= self._settings.likely:
                counted.count += 1
                counted.reported += 1
                duration_s = cycle.end_s - cycle.start_s
                new = Repetition(cycle.end_s, self._person, action, counted.count, duration_s, counted.per_minute)
                reported.append(new)
            elif now_s < cycle.end_s + self._lag_s and not final:
                break  # the windows that show all of it are still to come
            counted.checked, counted.checked_s = counted.checked + 1, cycle.end_s
        _settle(counted, cycles, now_s)
        return tuple(reported)

    def _probability(self, action: str, cycle: Cycle) -> float:
        """Mean probability of the action over the predictions about a movement, or that of the last prediction."""
        if not self._predictions:
            return 1.0
        from_s, until_s = cycle.start_s + self._lag_s, cycle.end_s + self._lag_s
        found = [
            probabilities.get(action, 0.0) for time_s, probabilities in self._predictions if from_s <= time_s <= until_s
        ]
        return fmean(found) if found else self._predictions[-1][1].get(action, 0.0)


def _settle(counted: _Set, cycles: tuple[Cycle, ...], now_s: float) -> None:
    """Before old poses are dropped, move the start of counting to the end of a counted repetition."""
    keep_s = now_s - SPAN_S + 2 * _COUNT_EVERY_S
    if counted.from_s > keep_s:
        return
    counted.from_s = keep_s
    settled = counted.checked
    for number, cycle in enumerate(cycles):
        if cycle.end_s >= keep_s:
            counted.from_s, settled = cycle.end_s, counted.settled + number + 1
            break
    counted.settled = min(settled, counted.checked)
