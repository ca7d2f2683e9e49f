"""A run without a window: results to stdout, a file or a stream, what happens to the run on stderr."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from app.errors import OutputError
from app.interrupt import STATUS as INTERRUPTED
from app.interrupt import Interrupt
from app.live.engine import Engine
from app.outputs.run_outputs import Outputs
from app.results import EngineState, Failure
from app.settings import RunOptions

if TYPE_CHECKING:
    from app.alerts.runner import AlertRunner

DONE, FAILED, USER_ERROR = 0, 1, 2
_POLL_S = 0.1
_QUIET_S = 0.5
_ALERTS_S = 30.0  # for the alerts that still wait when a run is over


def run_headless(options: RunOptions, make_engine: Callable[[RunOptions], Engine] = Engine) -> int:
    """Run until the source ends, the time is over or a signal comes; the exit status.

    Raises AlertError where the rules cannot be read, and OutputError where an output cannot be opened, before anything
    else.
    """
    with Interrupt() as interrupt, ExitStack() as begun:
        alerts = _alerts(options)  # first: a mistake in them is to cost no file that an output replaces
        if alerts is not None:
            begun.callback(alerts.close)
        outputs = Outputs(options, printing=options.json != "-")
        begun.callback(outputs.close)
        engine = make_engine(options)
        outputs.attach(engine)
        if alerts is not None:
            engine.add_tap(alerts)
        reporter = _Reporter(engine)
        begun.pop_all()  # from here on the run itself ends them
        engine.start()
        try:
            while not (engine.wait(_POLL_S) or interrupt.requested.is_set() or outputs.pipe_closed):
                reporter.tell()
                if _output_failed(engine):
                    break
        finally:
            engine.stop(1.5)
            try:
                finished = _finish(outputs)  # first: a file is not to stay open while alerts are slow
                reporter.tell()
            finally:
                if alerts is not None:
                    _finish_alerts(alerts, interrupt)
        reporter.sum_up()
    if interrupt.requested.is_set():
        return INTERRUPTED
    if not finished or _output_failed(engine):
        return FAILED
    return _status(engine)


def _alerts(options: RunOptions) -> "AlertRunner | None":
    """The rules of the run; each failure is reported once, and each alert that is lost."""
    if options.alerts is None:
        return None
    from app.alerts.rules import load
    from app.alerts.runner import AlertRunner, Outcome

    told: set[str] = set()

    def tell(outcome: Outcome) -> None:
        lost = "" if outcome.lost_s is None else f" (alert at {outcome.lost_s:.2f} s)"
        line = f"{outcome.rule}: {outcome.failure}{lost}"
        if outcome.failure and line not in told:
            told.add(line)
            _say(line)

    return AlertRunner(load(options.alerts), tell)


def _finish_alerts(alerts: "AlertRunner", interrupt: Interrupt) -> None:
    """A file is worked through faster than its alerts: what waits is done, within a time, and unless a signal comes."""
    deadline = time.monotonic() + _ALERTS_S
    if not interrupt.requested.is_set() and not alerts.wait(_QUIET_S):
        _say("the run is over; the alerts that still wait are being done, Ctrl-C drops them")
    while not interrupt.requested.is_set() and time.monotonic() < deadline:
        if alerts.wait(_POLL_S):
            break
    alerts.close()


def _finish(outputs: Outputs) -> bool:
    try:
        outputs.close()
    except OutputError as error:
        _say(str(error))
        return False
    return True


def _output_failed(engine: Engine) -> bool:
    failure = engine.failure
    return failure is not None and failure.stage == "output"


def _status(engine: Engine) -> int:
    """A run that never gave a result could not be opened: for the user to fix."""
    failure = engine.failure
    if engine.state is not EngineState.FAILED or failure is None:
        return DONE
    at_start = engine.stats().processed == 0 and failure.stage != "internal"
    return USER_ERROR if at_start else FAILED


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class _Reporter:
    """Tells on stderr what changes in a run, each thing once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._progress = ""
        self._state = EngineState.STARTING
        self._failure: Failure | None = None
        self._slow = False  # a machine that is told to be too slow may be a little faster now and then
        self._introduced = False
        self._notes = {""}  # already reported

    def tell(self) -> None:
        """Call it now and then; writes nothing where nothing is new."""
        state, failure, progress = self._engine.state, self._engine.failure, self._engine.progress
        if progress and progress != self._progress:
            _say(progress)
        self._progress = progress
        if not self._introduced and self._engine.stats().processed:
            self._introduced = True
            self._introduce()
        note = self._engine.stats().note
        if note not in self._notes:
            self._notes.add(note)
            _say(note)
        again = self._state is EngineState.RETRYING and state is EngineState.RETRYING  # each attempt may fail again
        if failure is not None and failure.stage == "pose" and not failure.fatal:
            again = again or self._slow
            self._slow = True
        if failure is not None and failure != self._failure and not again:
            retrying = "" if failure.retry_in_s is None else "; trying again until it is back"
            _say(failure.message + retrying)
        if self._state is EngineState.RETRYING and state is EngineState.RUNNING:
            _say("the source is back")
        self._state, self._failure = state, failure

    def _introduce(self) -> None:
        info = self._engine.info
        if info.source is not None:
            size = "" if info.source.size is None else " {}x{}".format(*info.source.size)
            note = f" ({info.provider_note})" if info.provider_note else ""
            _say(
                f"{info.source.name}{size}, {info.recognizer} with {len(info.actions)} actions on {info.provider}{note}"
            )

    def sum_up(self) -> None:
        """How many frames were seen, at the end."""
        stats = self._engine.stats()
        if stats.processed:
            frames = "1 frame" if stats.processed == 1 else f"{stats.processed} frames"
            _say(f"{frames}, {stats.dropped} dropped")
