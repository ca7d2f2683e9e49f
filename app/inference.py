"""Poses to results: a window and a decision for each person, one recognizer call for all of them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.stats import Stats
from app.types import PersonResult, Result
from pose.types import Frame, Pose
from recognizer.decision import HALF_BODY, WAITING, ActionEvent, Decider, Decision, body_in_view
from recognizer.model_card import ModelCard
from recognizer.types import Clip, Prediction
from recognizer.window import PoseWindow

# Poses of a clip's rate between two decisions. Ten decisions a second are more than anybody follows, and the processor
# is the poses'.
TICKS_A_DECISION = 2
GONE_S = 1.0  # a person out of view for longer is gone, and the running action ends


class Recognizer(Protocol):
    """What the engine needs of a loaded recognizer."""

    card: ModelCard
    provider: str
    provider_note: str

    def predict(self, clips: Sequence[Clip], *, attention: bool = False) -> Sequence[Prediction]:
        """A prediction for each clip, in one call; with attention where it is asked for and the model has some."""
        ...

    def close(self) -> None:
        """Free the model. Any number of times."""
        ...


@dataclass(slots=True)
class _Person:
    """What is remembered of one person."""

    window: PoseWindow
    seen_s: float
    decision: Decision | None = None
    clip: Clip | None = None  # of the decision
    prediction: Prediction | None = None


class Pipeline:
    """The way of a frame and its poses to a result. One thread at a time.

    stats: stage times go there. clock: monotonic seconds, for ages. attention: predictions carry it; may be changed.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        stats: Stats | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.attention = False
        self._recognizer = recognizer
        self._decider = Decider(recognizer.card)
        self._stats = stats or Stats()
        self._clock = clock
        self._people: dict[int, _Person] = {}
        self._events: list[ActionEvent] = []  # to tell with the next result
        self._last: Result | None = None
        self._nobody_due_s = -math.inf

    def process(self, frame: Frame, poses: tuple[Pose, ...]) -> Result:
        """Everything that is found in the frame whose people these are."""
        with self._stats.stage("window"):
            clips = [clip for pose in poses for clip in self._person(pose).window.push(pose)]
        with self._stats.stage("recognize"):
            judged = [clip for clip in clips if body_in_view(clip)]
            predictions = self._recognizer.predict(judged, attention=self.attention) if judged else ()
        with self._stats.stage("decide"):
            self._decide(poses, clips, predictions)
            self._end_gone(frame.time_s)
        events, self._events = tuple(self._events), []
        fresh = {clip.person for clip in clips}
        persons = tuple(self._result(pose, pose.person in fresh) for pose in poses)
        self._last = Result(frame, persons, events, self._is_nobody_due(frame, poses), self._clock())
        return self._last

    def use(self, recognizer: Recognizer) -> None:
        """Go on with another recognizer; its windows begin empty."""
        self.clear()
        self._recognizer = recognizer
        self._decider = Decider(recognizer.card)

    def clear(self) -> None:
        """Forget everybody; what was running ends, and the next result tells so."""
        self._end_gone(math.inf)

    def finish(self) -> Result | None:
        """At the end of the run: the last frame again, with the ends of what was running; None if there are none."""
        self.clear()
        if self._last is None or not self._events:
            return None
        persons = tuple(replace(person, fresh=False) for person in self._last.persons)
        return replace(self._last, persons=persons, events=tuple(self._events), nobody=False)

    def _person(self, pose: Pose) -> _Person:
        person = self._people.get(pose.person)
        if person is None:
            card = self._recognizer.card
            window = PoseWindow(card.frames, card.fps, card.skeleton, every=TICKS_A_DECISION)
            person = self._people[pose.person] = _Person(window, pose.time_s)
        person.seen_s = pose.time_s
        return person

    def _result(self, pose: Pose, fresh: bool) -> PersonResult:
        person = self._people[pose.person]
        return PersonResult(pose, person.decision, fresh, person.clip, person.prediction)

    def _decide(self, poses: Sequence[Pose], clips: Sequence[Clip], predictions: Sequence[Prediction]) -> None:
        predicted = {prediction.person: prediction for prediction in predictions}
        decisions = {prediction.person: self._decider.update(prediction) for prediction in predictions}
        for clip in clips:
            if clip.person not in decisions:
                decisions[clip.person] = self._decider.absent(clip.person, clip.time_s, HALF_BODY)
        for pose in poses:
            person = self._people[pose.person]
            if pose.person not in decisions and person.decision is not None and person.window.fill < 1:
                # The window has begun anew after a gap: what was decided before holds for a moment only.
                decisions[pose.person] = self._decider.absent(pose.person, pose.time_s, WAITING)
        of_person = {clip.person: clip for clip in clips if clip.person in predicted}
        for identity, decision in decisions.items():
            person = self._people[identity]
            person.decision = decision
            person.clip, person.prediction = of_person.get(identity), predicted.get(identity)
            self._events += decision.events

    def _end_gone(self, time_s: float) -> None:
        for identity, person in list(self._people.items()):
            if time_s - person.seen_s > GONE_S:
                self._events += self._decider.gone(identity, person.seen_s)
                del self._people[identity]

    def _is_nobody_due(self, frame: Frame, poses: Sequence[Pose]) -> bool:
        """True at the rate of decisions while nobody is in view."""
        if poses or frame.time_s < self._nobody_due_s:
            return False
        step_s = TICKS_A_DECISION / self._recognizer.card.fps
        self._nobody_due_s = max(self._nobody_due_s + step_s, frame.time_s + step_s / 2)
        return True
