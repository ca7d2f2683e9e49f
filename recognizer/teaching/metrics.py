"""Results of a check: counts, 95% intervals, and whether there are enough examples to say anything."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy.special import gammaincinv

from recognizer.decision import UNKNOWN
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.windows import Array

SESSIONS, PEOPLE, EXAMPLES, TEST = "sessions", "people", "clips", "test"  # as in clips.json

MIN_EVALUATED = 10  # examples: a figure on fewer says nothing (9 of 9 right may be 70%)
MIN_PER_ACTION = 5  # with fewer, recall says little, and the advice is to record this many
_Z = 1.959964  # of 95%

# clips.json, cards and the windows have an example under the name that it had when they were first written.
_KEYS = {"example": "clip", "examples": "clips"}

Interval = tuple[float, float]


def json_values(metrics: Any) -> dict[str, Any]:
    """The fields of a dataclass, and of those in it, by their JSON keys."""
    return asdict(metrics, dict_factory=lambda fields: {_KEYS.get(name, name): value for name, value in fields})


def wilson(right: int, count: int) -> Interval:
    """The 95% interval of a proportion, `right` of `count` (Wilson, 1927); 0 to 1 where count is 0."""
    if not count:
        return 0.0, 1.0
    part, squared = right / count, _Z**2
    middle = (part + squared / (2 * count)) / (1 + squared / count)
    half = _Z * math.sqrt(part * (1 - part) / count + squared / (4 * count**2)) / (1 + squared / count)
    return max(middle - half, 0.0), min(middle + half, 1.0)


@dataclass(frozen=True, slots=True)
class ActionMetrics:
    """right of `examples` examples of the action were answered so; `answered` examples in all got it as the answer."""

    examples: int
    right: int
    answered: int

    @property
    def recall(self) -> float | None:
        """Share of the action's examples that are right (recall); None without an example."""
        return self.right / self.examples if self.examples else None

    @property
    def precision(self) -> float | None:
        """Share of the answers that are right (precision); None where it was never answered."""
        return self.right / self.answered if self.answered else None


@dataclass(frozen=True, slots=True)
class HeldOutCheck:
    """held_out: SESSIONS, PEOPLE, EXAMPLES or TEST, `groups` of them one after the other. actions: by name. confusions:
    (true action, answer, examples), the most frequent first; an answer may be "unknown". not_judged: examples
    that are not counted: no other group has their action, or, in TEST, they are of an untaught action or copies of
    others. seen: nobody and no session among the examples is new to who answers them. mistakes: (name of the example,
    true action, answer) of each that is wrong."""

    held_out: str
    groups: int
    accuracy: float
    examples: int
    actions: dict[str, ActionMetrics]
    confusions: tuple[tuple[str, str, int], ...]
    not_judged: int
    seen: bool = False
    mistakes: tuple[tuple[str, str, str], ...] = ()

    @property
    def right(self) -> int:
        """How many examples are right."""
        return sum(metrics.right for metrics in self.actions.values())

    @property
    def verdict(self) -> str:
        """Why no percentage can be given, and what to do; "" where one can."""
        if not self.examples:
            return "not checked: no example could be held out; record in a second session"
        if self.seen:
            return "not checked: no person and no session in the test part is new; record it in another session"
        if self.held_out == EXAMPLES:
            return "not checked: no session was held out; record every action in a second session"
        if self.examples < MIN_EVALUATED:
            return f"too few separate takes ({self.examples}) for a percentage. Record more on another occasion"
        return ""

    def to_json(self) -> dict[str, Any]:
        """Plain values. Shares and intervals are None where they would say nothing; counts are always there."""
        judged, values = not self.verdict, json_values(self)
        values |= {
            "right": self.right,
            "verdict": self.verdict,
            "accuracy": self.accuracy if judged else None,
            "interval": wilson(self.right, self.examples) if judged else None,
        }
        for action, metrics in self.actions.items():
            enough = judged and metrics.examples >= MIN_PER_ACTION
            values["actions"][action] |= {
                "recall": metrics.recall if enough else None,
                "interval": wilson(metrics.right, metrics.examples) if enough else None,
                "precision": metrics.precision if judged and metrics.answered >= MIN_PER_ACTION else None,
            }
        return values


def answered(
    examples: Sequence[Example], actions: Sequence[str], thresholds: Array, answers: Mapping[int, Array]
) -> list[tuple[str, str, str]]:
    """(Name, true action, answer) of each answered example. answers (A + 1,): by the index of the example."""
    found = []
    for example, answer in answers.items():
        best = int(answer[:-1].argmax())
        shown = answer[best] >= thresholds[best] and answer[best] > answer[-1]
        found.append((examples[example].name, examples[example].action, actions[best] if shown else UNKNOWN))
    return found


def counted(
    answers: Sequence[tuple[str, str, str]],
    actions: Sequence[str],
    held_out: str,
    groups: int,
    not_judged: int,
    *,
    seen: bool = False,
) -> HeldOutCheck:
    """Metrics of answered examples: (name, true action or nothing, answer) of each."""
    of_actions = [(true, answer) for _, true, answer in answers if true != NOTHING]
    count, answered_so = Counter(true for true, _ in of_actions), Counter(answer for _, _, answer in answers)
    right = Counter(true for true, answer in of_actions if true == answer)
    wrong = Counter((true, answer) for true, answer in of_actions if true != answer)
    return HeldOutCheck(
        held_out=held_out,
        groups=groups,
        accuracy=right.total() / len(of_actions) if of_actions else math.nan,
        examples=len(of_actions),
        actions={action: ActionMetrics(count[action], right[action], answered_so[action]) for action in actions},
        confusions=tuple((true, answer, examples) for (true, answer), examples in wrong.most_common()),
        not_judged=not_judged,
        seen=seen,
        mistakes=tuple((name, true, answer) for name, true, answer in answers if true not in (answer, NOTHING)),
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a taught recognizer. text: a sentence without its stop. takes: names of the examples of the
    action that are most worth another look, two at most."""

    text: str
    action: str
    takes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Actions that were shown on `seconds` of footage of nothing; how many, and which."""

    seconds: float
    shown: dict[str, int]

    @property
    def an_hour(self) -> float:
        """Actions shown an hour."""
        return self.count / self.seconds * 3600

    @property
    def count(self) -> int:
        """Actions shown in all."""
        return sum(self.shown.values())

    @property
    def interval(self) -> Interval:
        """The 95% interval of actions shown an hour (Garwood, 1936): 0 in three minutes may be 70 an hour."""
        low = float(gammaincinv(self.count, 0.025)) if self.count else 0.0
        high = float(gammaincinv(self.count + 1, 0.975))
        return low / self.seconds * 3600, high / self.seconds * 3600

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        low, high = self.interval
        return json_values(self) | {
            "count": self.count,
            "an_hour": round(self.an_hour, 1),
            "interval": [round(low, 1), round(high, 1)],
        }
