"""Poses to results: the live recognition with its stage times, and when "nobody in view" is due."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from app.live.stats import Stats
from app.results import Result
from pose.types import Frame, Pose
from recognizer.live import TICKS_PER_DECISION, LiveRecognition, Predictor


class Recognizer(Predictor, Protocol):
    """What the engine needs of a loaded recognizer."""

    provider: str
    provider_note: str

    def close(self) -> None:
        """Free the model. Any number of times."""
        ...


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
        self._step_s = TICKS_PER_DECISION / recognizer.card.fps
        self._live = LiveRecognition(recognizer, (stats or Stats()).stage)
        self._clock = clock
        self._last: Result | None = None
        self._nobody_due_s = -math.inf

    def process(self, frame: Frame, poses: tuple[Pose, ...]) -> Result:
        """Everything that is found in the frame whose people these are."""
        self._live.attention = self.attention
        persons = self._live.process(frame.time_s, poses)
        nobody = self._is_nobody_due(frame, poses)
        self._last = Result(
            frame, persons, self._live.take_events(), nobody, self._clock(), self._live.take_repetitions()
        )
        return self._last

    def use(self, recognizer: Recognizer) -> None:
        """Go on with another recognizer; its windows begin empty."""
        self._step_s = TICKS_PER_DECISION / recognizer.card.fps
        self._live.use(recognizer)

    def clear(self) -> None:
        """Forget everybody; what was running ends, and the next result tells so."""
        self._live.clear()

    def finish(self) -> Result | None:
        """At the end of the run: the last frame again, with the ends of what was running; None if there are none."""
        self.clear()
        events, repetitions = self._live.take_events(), self._live.take_repetitions()
        if self._last is None or not (events or repetitions):
            return None
        persons = tuple(replace(person, fresh=False) for person in self._last.persons)
        return replace(self._last, persons=persons, events=events, nobody=False, repetitions=repetitions)

    def _is_nobody_due(self, frame: Frame, poses: tuple[Pose, ...]) -> bool:
        """True at the rate of decisions while nobody is in view."""
        if poses or frame.time_s < self._nobody_due_s:
            return False
        self._nobody_due_s = max(self._nobody_due_s + self._step_s, frame.time_s + self._step_s / 2)
        return True
