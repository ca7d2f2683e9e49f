"""Frames to results on one thread: poses, a window and a decision for each person, one recognizer call for all."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.stats import Stats
from app.types import PersonResult, Result
from pose.estimator import PoseEstimator
from pose.types import Frame, Pose
from recognizer.decision import ActionEvent, Decider, Decision
from recognizer.model_card import ModelCard
from recognizer.types import Clip, Prediction
from recognizer.window import PoseWindow

GONE_S = 1.0  # a person out of view for longer is gone, and the running action ends


class Recognizer(Protocol):
    """What the engine needs of a loaded recognizer."""

    card: ModelCard
    provider: str

    def predict(self, clips: Sequence[Clip]) -> Sequence[Prediction]:
        """A prediction for each clip, in one call."""
        ...

    def close(self) -> None:
        """Free the model. Any number of times."""
        ...


@dataclass(slots=True)
class _Person:
    """What is remembered of one person."""

    window: PoseWindow
    decider: Decider
    seen_s: float
    decision: Decision | None = None


class Pipeline:
    """The way of a frame to its result. One thread at a time.

    stats: stage times go there. clock: monotonic seconds, for ages.
    """

    def __init__(
        self,
        estimator: PoseEstimator,
        recognizer: Recognizer,
        stats: Stats | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._estimator = estimator
        self._recognizer = recognizer
        self._stats = stats or Stats()
        self._clock = clock
        self._people: dict[int, _Person] = {}
        self._ended: list[ActionEvent] = []  # ends to tell with the next result
        self._last: Result | None = None
        self._nobody_due_s = -math.inf

    def process(self, frame: Frame) -> Result:
        """Everything that is found in the frame."""
        with self._stats.stage("pose"):
            poses = self._estimator.estimate(frame)
        with self._stats.stage("window"):
            clips = self._clips(poses)
        with self._stats.stage("recognize"):
            predictions = self._recognizer.predict(clips) if clips else ()
        with self._stats.stage("decide"):
            for prediction in predictions:
                person = self._people[prediction.person]
                person.decision = person.decider.update(prediction)
            self._end_gone(frame.time_s)
        self._last = self._result(frame, poses, {prediction.person for prediction in predictions})
        return self._last

    def use(self, recognizer: Recognizer) -> None:
        """Go on with another recognizer; its windows begin empty."""
        self.clear()
        self._recognizer = recognizer

    def clear(self) -> None:
        """Forget everybody; what was running ends, and the next result tells so."""
        self._end_gone(math.inf)

    def finish(self) -> Result | None:
        """At the end of the run: the last frame again, with the ends of what was running; None if there are none."""
        self.clear()
        if self._last is None or not self._ended:
            return None
        persons = tuple(replace(person, fresh=False) for person in self._last.persons)
        return replace(self._last, persons=persons, events=tuple(self._ended), nobody=False)

    def _clips(self, poses: Sequence[Pose]) -> list[Clip]:
        """The clips that are due at this frame."""
        clips: list[Clip] = []
        for pose in poses:
            person = self._people.get(pose.person)
            if person is None:
                person = self._people[pose.person] = self._new_person(pose)
            person.seen_s = pose.time_s
            clips += person.window.push(pose)
        return clips

    def _new_person(self, pose: Pose) -> _Person:
        card = self._recognizer.card
        window = PoseWindow(card.frames, card.fps, card.skeleton)
        return _Person(window, Decider(card), pose.time_s)

    def _end_gone(self, time_s: float) -> None:
        for identity, person in list(self._people.items()):
            if time_s - person.seen_s > GONE_S:
                self._ended += person.decider.finish(person.seen_s)
                del self._people[identity]

    def _result(self, frame: Frame, poses: Sequence[Pose], fresh: set[int]) -> Result:
        persons = []
        events, self._ended = self._ended, []
        for pose in poses:
            decision = self._people[pose.person].decision
            persons.append(PersonResult(pose, decision, pose.person in fresh))
            if decision is not None and pose.person in fresh:
                events += decision.events
        return Result(frame, tuple(persons), tuple(events), self._is_nobody_due(frame, poses), self._clock())

    def _is_nobody_due(self, frame: Frame, poses: Sequence[Pose]) -> bool:
        """True at the recognizer's rate while nobody is in view."""
        if poses or frame.time_s < self._nobody_due_s:
            return False
        step_s = 1.0 / self._recognizer.card.fps
        self._nobody_due_s = max(self._nobody_due_s + step_s, frame.time_s + step_s / 2)
        return True
