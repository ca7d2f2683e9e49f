"""How relevant each joint of each person is to their action, for the annotated video. No Qt."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from app.live import run_inputs
from app.live.explainer import Explainer
from app.live.inference import Recognizer
from app.results import PersonResult, Result
from recognizer import explain
from recognizer.clips import Explanation

Array = NDArray[np.float32]


class JointRelevance:
    """The newest relevance (V,) of each person's joints, 0..1, in the layout of their clips.

    model: as on the command line. wait: explain every decision before its frame is passed on, for files; otherwise on a
    thread, as fast as it can.
    """

    def __init__(
        self,
        model: str,
        *,
        wait: bool,
        open_recognizer: Callable[[str, str], Recognizer] = run_inputs.open_recognizer,
    ) -> None:
        self._model = model
        self._open = open_recognizer
        self._recognizer: Recognizer | None = None
        self._explainer = None if wait else Explainer(model, open_recognizer=open_recognizer)
        self._newest: dict[int, Array] = {}
        self._actions: dict[int, str] = {}
        self._turn = 0

    def __call__(self, result: Result) -> Mapping[int, Array]:
        """By person, for those whose action is known. Raises ActionLensError if the model cannot be opened."""
        people = {person.pose.person: person for person in result.persons if person.clip is not None}
        fresh = [person for person in people.values() if person.fresh]
        if self._explainer is None:
            for person in fresh:
                self._explain(person)
        else:
            self._ask(self._explainer, fresh)
        self._newest = {person: values for person, values in self._newest.items() if person in people}
        return self._newest

    @property
    def actions(self) -> Mapping[int, str]:
        """The action that each person's relevance explains."""
        return self._actions

    def use(self, model: str) -> None:
        """Explain another model from now on and forget earlier results. Does nothing if the model is the same."""
        if model == self._model:
            return
        self._model = model
        self._newest = {}
        self._free()
        if self._explainer is not None:
            self._explainer.use(model)

    def close(self) -> None:
        """Free the model."""
        if self._explainer is not None:
            self._explainer.close()
        self._free()

    def _free(self) -> None:
        if self._recognizer is not None:
            self._recognizer.close()
            self._recognizer = None

    def _explain(self, person: PersonResult) -> None:
        if self._recognizer is None:
            self._recognizer = self._open(self._model, "cpu")
        assert person.clip is not None
        found = explain.explain(self._recognizer, person.clip, None)
        self._store(found)

    def _store(self, found: Explanation) -> None:
        self._newest[found.clip.person] = explain.relevance_of_joints(found)
        self._actions[found.clip.person] = found.action

    def _ask(self, explainer: Explainer, fresh: list[PersonResult]) -> None:
        found = explainer.explanations.take(0)
        if found is not None:
            self._store(found)
        if fresh:
            self._turn += 1
            clip = fresh[self._turn % len(fresh)].clip
            assert clip is not None
            explainer.ask(clip)
