"""Explanations on their own thread with their own recognizer, so that they never delay live recognition. No Qt."""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.capture.latest import Latest
from app.live import run_inputs
from app.live.inference import Recognizer
from pose.errors import ActionLensError
from recognizer import explain
from recognizer.clips import Clip, Explanation, Prediction

log = logging.getLogger(__name__)

_NICE = 15  # of the thread, where the system has priorities for single threads
_SHARE = 0.3  # of one processor, on average: the upper limit
_MIN_S = 0.1  # between two explanations


@dataclass(frozen=True, slots=True)
class _Request:
    model: str
    clip: Clip
    action: str | None
    method: str


class _Cancelled(Exception):
    """The explanation is no longer wanted."""


class _Interruptible:
    """A recognizer that stops before its next call once `unwanted` returns True: an explanation takes many calls."""

    def __init__(self, recognizer: Recognizer, unwanted: Callable[[], bool]) -> None:
        self.card = recognizer.card
        self._recognizer = recognizer
        self._unwanted = unwanted

    def predict(self, clips: Sequence[Clip], *, attention: bool = False) -> Sequence[Prediction]:
        """Like the recognizer's. Raises _Cancelled."""
        if self._unwanted():
            raise _Cancelled
        return self._recognizer.predict(clips, attention=attention)


class Explainer:
    """Explains the newest request; older ones that have not been started are dropped.

    model: as on the command line. open_recognizer(model, provider) is called on this thread, at the first request.
    explanations: the newest one. Requests made before `use` are not answered.
    """

    def __init__(
        self, model: str, *, open_recognizer: Callable[[str, str], Recognizer] = run_inputs.open_recognizer
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
        """Why the last request failed, in one line; None if it did not."""
        return self._failure

    def ask(self, clip: Clip, action: str | None = None, method: str = explain.OCCLUSION) -> None:
        """Request an explanation of an action (None: the top one), by a method of recognizer.explain. Does not wait."""
        self._asked.put(_Request(self._model, clip, action, method))

    def use(self, model: str) -> None:
        """Explain another model from now on."""
        self._model = model
        self._failure = None
        self._asked.take(0)
        self.explanations.take(0)

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread; a running explanation stops after its current call. May be called repeatedly."""
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
                started_s = time.thread_time()  # of this thread: waiting does not count as work
                self._answer(request)
                worked_s = time.thread_time() - started_s
                self._closing.wait(max(_MIN_S, worked_s * (1 / _SHARE - 1)))
        finally:
            self._close_recognizer()

    def _answer(self, request: _Request) -> None:
        failure = None
        try:
            recognizer = _Interruptible(self._recognizer(request.model), lambda: self._is_unwanted(request))
            found = explain.explain(recognizer, request.clip, request.action, request.method)
        except _Cancelled:
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
    """Lower this thread's priority. Only Linux can; elsewhere the pauses must do."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
