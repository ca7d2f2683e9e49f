"""Timed poses to decisions: a window for each person, one recognizer call for all of them, one decider.

What a live run shows and what the benchmark of streams measures is computed here, and nowhere else.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from pose.types import Pose
from recognizer.clips import Clip, Prediction
from recognizer.decision import HALF_BODY, WAITING, ActionEvent, Decider, Decision
from recognizer.model_card import ModelCard
from recognizer.repetition_counter import SAME_SET_S, UNCOUNTED, Repetition, RepetitionCounter
from recognizer.view import BodyView, view_of
from recognizer.window import PoseWindow

# Poses of a clip's rate between two decisions. Ten decisions a second are more than anybody follows, and the processor
# is the poses'.
TICKS_PER_DECISION = 2
_DATING_S = 0.1  # how far an onset may be dated too late
GONE_S = 1.0  # a person out of view for longer is gone, and the running action ends


class Predictor(Protocol):
    """What is needed of a loaded recognizer here."""

    card: ModelCard

    def predict(self, clips: Sequence[Clip], *, attention: bool = False) -> Sequence[Prediction]:
        """A prediction for each clip, in one call; with attention where it is asked for and the model has some."""
        ...


@dataclass(frozen=True, slots=True)
class PersonResult:
    """One person in one result. decision is None until the first window of that person is decided.

    fresh is True where the decision was made on this very frame (a prediction line is due).
    clip: what the newest decision was made of; None before the first and where nothing was recognized.
    prediction: of that clip; it has attention only while somebody looks at it (Engine.watch_attention).
    count: repetitions of the shown action until now; 0 before the first. per_minute: their tempo.
    """

    pose: Pose
    decision: Decision | None
    fresh: bool
    clip: Clip | None = None
    prediction: Prediction | None = None
    count: int = 0
    per_minute: float = 0.0


@dataclass(slots=True)
class _Person:
    """What is remembered of one person."""

    window: PoseWindow
    counter: RepetitionCounter
    seen_s: float
    decision: Decision | None = None
    clip: Clip | None = None  # of the decision
    prediction: Prediction | None = None


class LiveRecognition:
    """What everybody in view does, frame by frame. One thread at a time.

    attention: predictions carry it; may be changed. stage: called with "window", "recognize" and "decide" for a
    context to do each in, for those who measure times.
    """

    def __init__(
        self, recognizer: Predictor, stage: Callable[[str], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self.attention = False
        self._stage = stage
        self._people: dict[int, _Person] = {}
        self._left: dict[int, tuple[float, RepetitionCounter]] = {}  # who may be back soon: seen_s, and the counts
        self._events: list[ActionEvent] = []  # not told yet
        self._repetitions: list[Repetition] = []  # not told yet
        self._set_recognizer(recognizer)

    def process(self, time_s: float, poses: Sequence[Pose]) -> tuple[PersonResult, ...]:
        """The people in a frame whose poses these are, in their order. Frames come in order of time.

        A frame without poses matters too: time passes, and a person not seen for a while has left.
        """
        with self._stage("window"):
            self._end_gone(time_s)  # first: who is back after a long time begins anew
            clips = [clip for pose in poses for clip in self._person(pose).window.push(pose)]
        with self._stage("recognize"):
            views = {clip.person: view_of(clip) for clip in clips}
            judged = [clip for clip in clips if self._decider.can_judge(views[clip.person])]
            predictions = self._recognizer.predict(judged, attention=self.attention) if judged else ()
        with self._stage("decide"):
            self._decide(poses, clips, predictions, views)
        with self._stage("count"):
            self._count(poses, {clip.person for clip in clips})
        fresh = {clip.person for clip in clips}
        return tuple(self._result(pose, pose.person in fresh) for pose in poses)

    def take_events(self) -> tuple[ActionEvent, ...]:
        """The starts and ends since this was last asked, also of people who have left."""
        events, self._events = tuple(self._events), []
        return events

    def take_repetitions(self) -> tuple[Repetition, ...]:
        """The repetitions that were completed since this was last asked."""
        repetitions, self._repetitions = tuple(self._repetitions), []
        return repetitions

    def use(self, recognizer: Predictor) -> None:
        """Go on with another recognizer; its windows begin empty."""
        self.clear()
        self._set_recognizer(recognizer)

    def clear(self) -> None:
        """Forget everybody, as at the end of a source; what was running ends."""
        self._end_gone(math.inf)

    def _set_recognizer(self, recognizer: Predictor) -> None:
        self._recognizer = recognizer
        self._decider = Decider(recognizer.card)

    def _person(self, pose: Pose) -> _Person:
        person = self._people.get(pose.person)
        if person is None:
            card = self._recognizer.card
            window = PoseWindow(card.frames, card.fps, card.skeleton, every=TICKS_PER_DECISION)
            _, counter = self._left.pop(pose.person, (0.0, None))
            if counter is None:
                counter = RepetitionCounter(pose.person, lead_s=(card.frames - 1) / card.fps + _DATING_S)
            person = self._people[pose.person] = _Person(window, counter, pose.time_s)
        person.seen_s = pose.time_s
        return person

    def _result(self, pose: Pose, fresh: bool) -> PersonResult:
        person = self._people[pose.person]
        shown = PersonResult(pose, person.decision, fresh, person.clip, person.prediction)
        if person.decision is None or not person.counter.count(person.decision.action):
            return shown
        action = person.decision.action
        return replace(shown, count=person.counter.count(action), per_minute=person.counter.per_minute(action))

    def _count(self, poses: Sequence[Pose], decided: set[int]) -> None:
        for pose in poses:
            person = self._people[pose.person]
            person.counter.push(pose)
            if pose.person in decided and person.decision is not None:
                self._repetitions += person.counter.update(person.decision, person.prediction)

    def _decide(
        self,
        poses: Sequence[Pose],
        clips: Sequence[Clip],
        predictions: Sequence[Prediction],
        views: Mapping[int, BodyView],
    ) -> None:
        predicted = {prediction.person: prediction for prediction in predictions}
        decisions = {
            person: self._decider.update(prediction, views[person]) for person, prediction in predicted.items()
        }
        for clip in clips:
            person = clip.person
            if person not in decisions:
                decisions[person] = self._decider.absent(person, clip.time_s, HALF_BODY, views[person].view)
        for pose in poses:
            known = self._people[pose.person]
            if pose.person not in decisions and known.decision is not None and known.window.fill < 1:
                # The window has begun again after a gap: what was decided before holds for a moment only.
                decisions[pose.person] = self._decider.absent(pose.person, pose.time_s, WAITING)
        of_person = {clip.person: clip for clip in clips if clip.person in predicted}
        for identity, decision in decisions.items():
            known = self._people[identity]
            known.decision = decision
            known.clip, known.prediction = of_person.get(identity), predicted.get(identity)
            self._add_events(decision.events, known.counter)

    def _end_gone(self, time_s: float) -> None:
        for identity, person in list(self._people.items()):
            if time_s - person.seen_s > GONE_S:
                self._add_events(self._decider.gone(identity, person.seen_s), person.counter)
                self._left[identity] = person.seen_s, person.counter
                del self._people[identity]
        self._left = {identity: left for identity, left in self._left.items() if time_s - left[0] <= SAME_SET_S}

    def _add_events(self, events: Sequence[ActionEvent], counter: RepetitionCounter) -> None:
        """Starts, and ends with the repetitions since their start."""
        for event in events:
            if event.kind == "end" and event.action not in UNCOUNTED:
                last, count = counter.finish(event.action, event.time_s)
                self._repetitions += last
                event = replace(event, count=count)
            self._events.append(event)
