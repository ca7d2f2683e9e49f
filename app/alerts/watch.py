"""When a rule fires. Costs a few comparisons a frame."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.alerts.rules import NOBODY, Rule
from app.results import Result
from recognizer.live import GONE_S

_NEAR_S = 1e-9


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule has fired. person: None where it is about nobody. lasted_s: how long it had lasted. count: of repetitions.

    time_s: seconds of the source.
    """

    rule: Rule
    time_s: float
    person: int | None
    lasted_s: float
    count: int = 0

    def values(self) -> dict[str, str | int | float | None]:
        """For other programs."""
        return {
            "rule": self.rule.name,
            "action": self.rule.action,
            "time_s": round(self.time_s, 3),
            "person": self.person,
            "lasted_s": round(self.lasted_s, 3),
            "count": self.count,
        }


class RuleWatch:
    """Turns results, in order of time, into alerts.

    A rule fires once each time its action has lasted long enough, or at every `times` repetitions, but never more often
    than its limit allows: an action that still lasts when the limit is over fires then. After more than GONE_S without
    a result, as over a pause, nobody in view begins anew. A time before the last one begins a new run.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rule for rule in rules if rule.on)
        self._fired_s: dict[str, float] = {}
        # Start of the action for which a rule last fired, by rule and person.
        self._fired_since_s: dict[tuple[str, int | None], float] = {}
        self._nobody_since_s: float | None = None
        self._last_s = -math.inf

    def begin_run(self) -> None:
        """Another run begins, with a clock of its own: the times of the one before mean nothing in it."""
        self._fired_s.clear()
        self._fired_since_s.clear()
        self._nobody_since_s, self._last_s = None, -math.inf

    def add(self, result: Result) -> list[Alert]:
        """The alerts of one result."""
        now_s = result.frame.time_s
        if now_s < self._last_s:
            self.begin_run()
        # Over a pause or an outage nobody was looking.
        watched = now_s - self._last_s <= GONE_S
        self._last_s = now_s
        if result.persons:
            self._nobody_since_s = None
        elif self._nobody_since_s is None or not watched:
            self._nobody_since_s = now_s
        found: list[Alert] = []
        for rule in self._rules:
            found += self._lasting(rule, result) if rule.lasts_s is not None else self._counted(rule, result)
        return found

    def _lasting(self, rule: Rule, result: Result) -> Iterator[Alert]:
        now_s = result.frame.time_s
        for person, since_s in self._people_doing(rule.action, result):
            lasted_s = now_s - since_s
            key = rule.name, person
            due = lasted_s + _NEAR_S >= (rule.lasts_s or 0.0) and self._fired_since_s.get(key) != since_s
            if due and self._may_fire(rule, now_s):
                self._fired_since_s[key] = since_s
                yield Alert(rule, now_s, person, lasted_s)

    def _counted(self, rule: Rule, result: Result) -> Iterator[Alert]:
        now_s = result.frame.time_s
        for done in result.repetitions:
            due = done.action == rule.action and rule.times and done.count % rule.times == 0
            if due and self._may_fire(rule, now_s):
                yield Alert(rule, now_s, done.person, 0.0, done.count)

    def _people_doing(self, action: str, result: Result) -> Iterator[tuple[int | None, float]]:
        if action == NOBODY:
            if self._nobody_since_s is not None:
                yield None, self._nobody_since_s
            return
        for person in result.persons:
            decision = person.decision
            if decision is not None and decision.action == action:
                yield person.pose.person, decision.since_s

    def _may_fire(self, rule: Rule, now_s: float) -> bool:
        """Whether the rule's limit is over; if so, it counts as fired now."""
        if now_s < self._fired_s.get(rule.name, -math.inf) + rule.limit_s:
            return False
        self._fired_s[rule.name] = now_s
        return True
