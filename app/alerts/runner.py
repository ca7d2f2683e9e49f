"""Rules beside a run: a tap that watches, and one thread that does what they say. The run never waits for it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.alerts.reactions import Reactions
from app.alerts.rules import NOBODY, AlertError, Alerts, Rule
from app.alerts.watch import Alert, RuleWatch
from app.results import Result
from pose.address import redacted

log = logging.getLogger(__name__)

MAX_WAITING = 32  # what is slower than this many alerts loses the newest, and says so
_CLOSE_S = 1.0
_AGAIN_S = 15.0  # from a state that could not be shown until the next; an attempt may hold alerts up for seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a part of an alert. failure: "" where all went well.

    lost_s: when an alert fired that is lost; None of any other.
    """

    rule: str
    failure: str = ""
    lost_s: float | None = None


class AlertRunner:
    """on_outcome(outcome) is called after each alert, on the runner's thread, and when one is lost, also on others."""

    def __init__(self, alerts: Alerts, on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> None:
        self._on_outcome = on_outcome
        self._changed = threading.Condition()  # of what waits, the state and whether it is busy
        self._waiting: deque[Alert | Alerts] = deque()
        self._state: str | None = None  # the newest action, to be shown when nothing else waits
        self._busy = self._closed = False
        self._doing: Alert | None = None
        self._watch = RuleWatch(alerts.rules)
        self._shows_action = alerts.broker is not None and alerts.broker.home_assistant
        self._action = ""
        self._not_shown_s: float | None = None  # when the broker failed
        self._reactions = Reactions(alerts)
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def __call__(self, result: Result) -> None:
        """The tap; never waits."""
        for alert in self._watch.add(result):
            self._put(alert)
        if self._shows_action:
            self._show(result)

    def begin_run(self) -> None:
        """Another run begins; called before its first result."""
        self._watch.begin_run()

    def use(self, alerts: Alerts) -> None:
        """Go on with other rules; any thread."""
        with self._changed:
            self._waiting.append(alerts)  # also where there is no place for another alert
            self._watch = RuleWatch(alerts.rules)
            self._shows_action = alerts.broker is not None and alerts.broker.home_assistant
            self._action, self._state, self._not_shown_s = "", None, None
            self._changed.notify_all()

    def try_rule(self, rule: Rule) -> None:
        """Do what the rule says, now."""
        self._put(Alert(rule, 0.0, 0, rule.lasts_s or 0.0, rule.times or 0))

    def wait(self, timeout_s: float) -> bool:
        """Until everything is done that was to be done; False after the timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._busy or self._waiting or self._state), timeout_s)

    def close(self) -> None:
        """Drop what waits and end; what is being done is left behind after a second. Each lost alert is told."""
        with self._changed:
            lost = [waiting for waiting in self._waiting if isinstance(waiting, Alert)]
            self._waiting.clear()
            self._state, self._closed = None, True
            self._changed.notify_all()
        for alert in lost:
            self._tell_lost(alert, "skipped: the run was over before its turn came")
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive() and (doing := self._doing) is not None:
            self._tell_lost(doing, "left unfinished: the run is over")

    def _put(self, alert: Alert) -> None:
        with self._changed:
            has_place = len(self._waiting) < MAX_WAITING
            if has_place:
                self._waiting.append(alert)
                self._changed.notify_all()
        if not has_place:
            self._tell_lost(alert, f"skipped: {MAX_WAITING} alerts are already waiting; set a longer limit")

    def _tell_lost(self, alert: Alert, why: str) -> None:
        self._on_outcome(Outcome(alert.rule.name, why, alert.time_s))

    def _show(self, result: Result) -> None:
        first = min(result.persons, key=lambda person: person.pose.person, default=None)
        if first is not None and first.decision is None:
            return
        action = first.decision.action if first is not None and first.decision is not None else NOBODY
        with self._changed:
            if self._not_shown_s is None:
                due = action != self._action
            else:  # also of another action: the broker is the same
                due = time.monotonic() >= self._not_shown_s + _AGAIN_S
            if due:
                self._action, self._state, self._not_shown_s = action, action, None
                self._changed.notify_all()

    # The runner's thread.

    def _run(self) -> None:
        while (what := self._next()) is not None:
            if isinstance(what, Alerts):
                self._reactions.close()
                self._reactions = Reactions(what)
            elif isinstance(what, str):
                self._show_now(what)
            else:
                self._do(what)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        self._reactions.close()

    def _next(self) -> Alert | Alerts | str | None:
        """What is to be done next: alerts and rules in their order, else the newest state; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting or self._state)
            if self._closed:
                return None
            self._busy = True
            if self._waiting:
                return self._waiting.popleft()
            state, self._state = self._state, None
            return state

    def _do(self, alert: Alert) -> None:
        self._doing = alert
        for reaction in alert.rule.reactions:
            done = self._attempt(alert.rule.name, partial(self._reactions.do, reaction, alert))
            if reaction.kind == "mqtt" and not done:
                self._show_later()  # the failure has ended the sensor's connection, too
        self._doing = None

    def _show_now(self, action: str) -> None:
        mqtt = self._reactions.mqtt
        if mqtt is not None and not self._attempt("Home Assistant", partial(mqtt.show_action, action)):
            self._show_later()

    def _show_later(self) -> None:
        with self._changed:
            self._state, self._not_shown_s = None, time.monotonic()

    def _attempt(self, name: str, do: Callable[[], None]) -> bool:
        """Whether it was done; the outcome is told."""
        try:
            do()
        except AlertError as error:
            self._on_outcome(Outcome(name, str(error)))
        except Exception as error:  # top of the thread: one rule's fault must not end the others
            log.exception("a rule failed")
            self._on_outcome(Outcome(name, redacted(f"{type(error).__name__}: {error}")))
        else:
            self._on_outcome(Outcome(name))
            return True
        return False
