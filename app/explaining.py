"""Explanations on a thread and a recognizer of their own, so that they never delay live recognition. No Qt."""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app import opening
from app.inference import Recognizer
from app.latest import Latest
from pose.errors import ActionLensError
from recognizer import explain
from recognizer.types import Clip, Explanation, Prediction

log = logging.getLogger(__name__)

_NICE = 15  # of the thread, where the system can slow a single thread down
_SHARE = 0.3  # of one processor at most, on average
_LEAST_S = 0.1  # between two explanations


@dataclass(frozen=True, slots=True)
class _Request:
    model: str
    clip: Clip
    action: str | None
    method: str


class _GivenUp(Exception):
    """Nobody wants the answer any more."""


class _Interruptible:
    """A recognizer that gives up before its next call once `unwanted` says so: an explanation takes many calls."""

    def __init__(self, recognizer: Recognizer, unwanted: Callable[[], bool]) -> None:
        self.card = recognizer.card
        self._recognizer = recognizer
        self._unwanted = unwanted

    def predict(self, clips: Sequence[Clip], *, attention: bool = False) -> Sequence[Prediction]:
        """As the recognizer's. Raises _GivenUp."""
        if self._unwanted():
            raise _GivenUp
        return self._recognizer.predict(clips, attention=attention)


class Explainer:
    """Answers the newest question; older ones that nobody began are dropped.

    model: as on the command line. open_recognizer(model, provider) is called on this thread, at the first question.
    explanations: the newest answer. Answers to what was asked before `use` do not come any more.
    """

    def __init__(
        self, model: str, *, open_recognizer: Callable[[str, str], Recognizer] = opening.open_recognizer
    ) -> None:
        self.explanations: Latest[Explanation] = Latest()
        self._model = model
        self._open = open_recognizer
        self._asked: Latest[_Request] = Latest()
        self._closing = threading.Event()
        self._failure: str | None = None
        self._opened: tuple[str, Recognizer] | None = None
        self._thread = threading.Thread(target=self._run, name="explainer", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """Why the last question has no answer, in one line; None where it has one."""
        return self._failure

    def ask(self, clip: Clip, action: str | None = None, method: str = explain.OCCLUSION) -> None:
        """Explain the action, or the likeliest where None, by a method of recognizer.explain. Returns at once."""
        self._asked.put(_Request(self._model, clip, action, method))

    def use(self, model: str) -> None:
        """Explain another model from now on."""
        self._model = model
        self._failure = None
        self._asked.take(0)
        self.explanations.take(0)

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread; an explanation in work is given up after its present call. Any number of times."""
        self._closing.set()
        self._asked.close()
        self.explanations.close()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        _slow_down()
        try:
            while not self._closing.is_set():
                request = self._asked.take()
                if request is None:
                    continue
                started_s = time.thread_time()  # of this thread: waiting for others is no work
                self._answer(request)
                worked_s = time.thread_time() - started_s
                self._closing.wait(max(_LEAST_S, worked_s * (1 / _SHARE - 1)))
        finally:
            self._close_recognizer()

    def _answer(self, request: _Request) -> None:
        failure = None
        try:
            recognizer = _Interruptible(self._recognizer(request.model), lambda: self._is_unwanted(request))
            found = explain.explain(recognizer, request.clip, request.action, request.method)
        except _GivenUp:
            return
        except ActionLensError as error:
            failure = str(error)
        except Exception as error:  # top of the thread: whatever happens must reach the user
            log.exception("explaining failed")
            failure = f"{type(error).__name__}: {error}".splitlines()[0]
        if self._is_unwanted(request):
            return
        self._failure = failure
        if failure is None:
            self.explanations.put(found)

    def _is_unwanted(self, request: _Request) -> bool:
        return self._closing.is_set() or request.model != self._model

    def _recognizer(self, model: str) -> Recognizer:
        if self._opened is None or self._opened[0] != model:
            self._close_recognizer()
            self._opened = model, self._open(model, "cpu")
        return self._opened[1]

    def _close_recognizer(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None


def _slow_down() -> None:
    """Let this thread wait for all others; only Linux can, elsewhere the pauses must do."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
