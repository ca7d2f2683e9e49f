"""Cross-validation of a taught recognizer: every example is predicted by a head that was not trained on it.

An example's answer is the top taught action over its windows; unknown if it is below its threshold or no taught action
is on top. Held out together are the examples of a session, of a person, or single examples.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.clips import Prediction
from recognizer.decision import Decider, DecisionSettings
from recognizer.model_card import DecisionRules
from recognizer.teaching.copies import joined_groups
from recognizer.teaching.examples import Example
from recognizer.teaching.head import Head
from recognizer.teaching.lesson import NOTHING, Lesson
from recognizer.teaching.metrics import (
    EXAMPLES,
    MIN_PER_ACTION,
    PEOPLE,
    SESSIONS,
    FalseAlarms,
    Finding,
    HeldOutCheck,
    answered,
    counted,
    json_values,
)
from recognizer.teaching.quick import QuickSettings, TaughtHead, fit, folds, with_bias
from recognizer.teaching.windows import Array, Shape

GOOD_RECALL = 0.9  # from here on an action needs no more examples
# Errors fall with the number of examples as examples ** -LEARNING_RATE: between 1 and 10 examples in few-shot episodes
# (docs/benchmarks-teaching.md).
LEARNING_RATE = 0.5
_MAX_EXAMPLES_ASKED = 20
_MIN_EVIDENCE = 0.05
_ALL = "All examples are"
_CONTRADICTED, _CONTRADICTING = 0.15, 0.6  # probabilities of its own and of another action of a suspect example


@dataclass(frozen=True, slots=True)
class Suspect:
    """An example whose label the held-out prediction contradicts: it gives `looks_like` that probability."""

    example: str
    action: str
    looks_like: str
    probability: float


@dataclass(frozen=True, slots=True)
class VariantComparison:
    """The benefit of generated variants of the examples (recognizer.teaching.variants).

    generator, sha256, seed: what made them. variants: how many. held_out, examples, accuracy_without, accuracy_with: of
    the strictest check; no accuracy (None) without an example in it. alarms_without, alarms_with: an hour; None without
    footage of nothing. kept: the recognizer learnt from them. made: where it did, each variant's name, action, example
    and provenance.
    """

    generator: str
    sha256: str
    seed: int
    variants: int
    held_out: str
    examples: int
    accuracy_without: float | None
    accuracy_with: float | None
    alarms_without: float | None
    alarms_with: float | None
    kept: bool
    made: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """checks: the strictest first. suspects: labels to look at. needed: examples still to record, by action. alarms:
    None without footage of nothing. remarks: plain sentences on what the metrics do not say. variants: None where none
    were asked for. left_out: names of examples of nothing that show nobody. copies: names of examples that show the
    same moment as others, which were held out with those. findings: what is wrong with it, the worst first
    (recognizer.teaching.replay)."""

    checks: tuple[HeldOutCheck, ...]
    suspects: tuple[Suspect, ...]
    needed: dict[str, int]
    alarms: FalseAlarms | None
    remarks: tuple[str, ...] = field(default=())
    variants: VariantComparison | None = None
    left_out: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the parts, intervals and alarms an hour that follow from the counts."""
        return json_values(self) | {
            "checks": [check.to_json() for check in self.checks],
            "alarms": None if self.alarms is None else self.alarms.to_json(),
        }


def check(lesson: Lesson, taught: TaughtHead, shape: Shape, settings: QuickSettings | None = None) -> Check:
    """Check a lesson's examples, each with heads trained on the others, at the thresholds of the taught recognizer."""
    settings = settings or QuickSettings()
    checks = []
    groups: dict[str, list[Any]] = {
        SESSIONS: [session_of(example) for example in lesson.examples],
        PEOPLE: people_of(lesson.examples),
    }
    for held_out in (PEOPLE, SESSIONS):
        groups[held_out] = merged(groups[held_out], lesson.together)
        if len(set(_of_actions(lesson, groups[held_out]))) > 1:
            answers = _answers(lesson, taught, settings, groups[held_out])
            found = _held_out(lesson, taught, answers, held_out, groups[held_out])
            if found.examples:  # none where every action is of one group alone
                checks.append(found)
    single = _fold_of_example(lesson)
    by_example = _answers(lesson, taught, settings, single)
    if not checks:
        checks.append(_held_out(lesson, taught, by_example, EXAMPLES, single))
    return Check(
        checks=tuple(checks),
        suspects=suspects_of(lesson.examples, lesson.actions, by_example),
        needed=needed_examples(distinct(lesson.examples, lesson.together), checks[0]),
        alarms=_false_alarms(lesson, taught, shape, settings),
        remarks=_remarks(lesson, checks),
        copies=copies_in(lesson.examples, lesson.together),
    )


def merged(groups: Sequence[Any], together: NDArray[np.intp]) -> list[int]:
    """Groups that share a moment are merged: (C,) fold numbers. together: as in a Lesson."""
    number = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    own = np.array([number[group] for group in groups], np.intp)
    pairs = sorted({(int(own[first]), int(mine)) for first, mine in zip(together, own, strict=True)})
    return [int(each) for each in joined_groups(len(number), pairs)[own]]


def copies_in(examples: Sequence[Example], together: NDArray[np.intp]) -> tuple[str, ...]:
    """Names of examples that show the same moment as one before them."""
    pairs = zip(examples, together, strict=True)
    return tuple(c.name for index, (c, first) in enumerate(pairs) if c.around is None and first != index)


def distinct(examples: Sequence[Example], together: NDArray[np.intp]) -> list[Example]:
    """The examples without those that `copies_in` names. together: as in a Lesson."""
    copies = set(copies_in(examples, together))
    return [example for example in examples if example.name not in copies]


def session_of(example: Example) -> str:
    """An example without a named session belongs to the session of its recording."""
    return example.session if example.session is not None else example.name.rpartition("/")[0]


def people_of(examples: Sequence[Example]) -> list[str | None]:
    """Who did each example. All are of one person, None, unless each has a name: one without may be of anybody."""
    named = all(example.person for example in examples)
    return [example.person if named else None for example in examples]


def _of_actions(lesson: Lesson, groups: Sequence[Any]) -> list[Any]:
    return [group for group, example in zip(groups, lesson.examples, strict=True) if example.action != NOTHING]


def _fold_of_example(lesson: Lesson) -> list[int]:
    place = np.zeros(len(lesson.examples), int)
    for number, (held, _) in enumerate(folds(lesson)):
        place[held] = number
    return [int(each) for each in place]


def _held_out(
    lesson: Lesson, taught: TaughtHead, answers: Mapping[int, Array], held_out: str, groups: Sequence[Any]
) -> HeldOutCheck:
    """Counted answers for every example from heads trained without its group."""
    # A copy of one that is counted, or its stillness, is not counted.
    once = {example: answer for example, answer in answers.items() if lesson.together[example] == example}
    found = answered(lesson.examples, lesson.actions, taught.thresholds, once)
    judged = sum(true != NOTHING for _, true, _ in found)
    asked = [example for index, example in enumerate(lesson.examples) if lesson.together[index] == index]
    count = len(set(_of_actions(lesson, groups))) if held_out != EXAMPLES else judged
    not_judged = sum(example.action != NOTHING for example in asked) - judged
    return counted(found, lesson.actions, held_out, count, not_judged)


def _answers(lesson: Lesson, taught: TaughtHead, settings: QuickSettings, groups: Sequence[Any]) -> dict[int, Array]:
    """(A + 1,) probabilities of each example that can be checked, by a head trained without its group."""
    number = {group: index for index, group in enumerate(dict.fromkeys(groups))}
    labels = np.array([number[group] for group in groups])
    found: dict[int, Array] = {}
    for label in number.values():
        held = labels == label
        left = np.bincount(lesson.target[~held], minlength=len(lesson.actions))
        judged = [
            example
            for example in np.flatnonzero(held)
            if lesson.examples[example].action == NOTHING or left[lesson.target[example]]
        ]
        if not judged or not left[: len(lesson.actions)].any():
            continue
        head = with_bias(fit(lesson, ~held, settings), taught.other_bias)
        for example in judged:
            windows = lesson.original.description[lesson.original.owner == example]
            found[int(example)] = example_answer(head, windows)
    return found


def example_answer(head: Head, description: Array) -> Array:
    """As example_probabilities, of an example's windows (W, D)."""
    return example_probabilities(head.probabilities(description))


def example_probabilities(probabilities: Array) -> Array:
    """(A + 1,) of a whole example: the mean over its windows (W, A + 1), each weighted by its evidence for any action,
    because examples begin and end at rest."""
    answer: Array = np.average(probabilities, axis=0, weights=1 - probabilities[:, -1] + _MIN_EVIDENCE)
    return answer


def suspects_of(
    examples: Sequence[Example], actions: Sequence[str], answers: Mapping[int, Array]
) -> tuple[Suspect, ...]:
    """Examples whose labels are contradicted by their answers (A + 1,); answers by the index of the example."""
    found = []
    for place, answer in answers.items():
        name, action = examples[place].name, examples[place].action
        best = int(answer[:-1].argmax())
        if action == NOTHING or actions[best] == action:
            continue
        if answer[list(actions).index(action)] < _CONTRADICTED and answer[best] > _CONTRADICTING:
            found.append(Suspect(name, action, actions[best], round(float(answer[best]), 3)))
    return tuple(sorted(found, key=lambda suspect: -suspect.probability))


def needed_examples(examples: Sequence[Example], strictest: HeldOutCheck) -> dict[str, int]:
    """Examples still to record for each action that is poorly recognised or has too few checked examples. examples:
    without copies.

    An error e with n examples becomes e * (n / m) ** LEARNING_RATE with m: m is where it reaches 1 - GOOD_RECALL.
    """
    needed = {}
    for action, metrics in strictest.actions.items():
        have = sum(example.action == action for example in examples)
        wanted = MIN_PER_ACTION
        if metrics.recall is not None and metrics.examples >= MIN_PER_ACTION and metrics.recall < GOOD_RECALL:
            error = 1 - metrics.recall
            wanted = max(wanted, have + 1, math.ceil(have * (error / (1 - GOOD_RECALL)) ** (1 / LEARNING_RATE)))
        if wanted > have:
            needed[action] = min(wanted - have, _MAX_EXAMPLES_ASKED)
    return needed


def _false_alarms(lesson: Lesson, taught: TaughtHead, shape: Shape, settings: QuickSettings) -> FalseAlarms | None:
    """What live recognition would have shown on the footage of nothing, with heads that were not trained on it."""
    nothing = np.flatnonzero((lesson.target == len(lesson.actions)) & ~lesson.still)
    if not len(nothing):
        return None
    shown: Counter[str] = Counter()
    seconds = 0.0
    moments, firsts = np.unique(lesson.together[nothing], return_index=True)
    halves = [slice(None)] if len(moments) == 1 else [slice(0, None, 2), slice(1, None, 2)]
    for half in halves:
        examples = np.ones(len(lesson.examples), bool)
        examples[nothing[np.isin(lesson.together[nothing], moments[half])]] = False
        head = with_bias(fit(lesson, examples, settings), taught.other_bias)
        for example in nothing[firsts[half]]:  # of copies the first one
            probabilities = head.probabilities(lesson.original.description[lesson.original.owner == example])
            shown.update(
                shown_live(lesson.actions, taught.thresholds, shape, probabilities, float(lesson.hop_s[example]))
            )
            times_s = lesson.examples[example].times_s
            seconds += float(times_s[-1] - times_s[0])
    return FalseAlarms(round(seconds, 1), dict(shown.most_common()))


@dataclass(frozen=True, slots=True)
class _Rules:
    """The part of a card that decisions use."""

    actions: tuple[str, ...]
    decision: DecisionRules
    frames: int
    fps: float


def shown_live(taught: Sequence[str], thresholds: Array, shape: Shape, probabilities: Array, hop_s: float) -> list[str]:
    """The actions that would start if windows with these probabilities (W, A + 1) were seen live in sequence."""
    actions = (*(f"{index}" for index in range(len(taught))), "rest")
    limits = dict(zip(actions, [*map(float, thresholds), 1.0], strict=True))
    rules = _Rules(actions, DecisionRules(1.0, limits, ("rest",)), shape.frames, shape.fps)
    # Windows may be further apart than live ones: without evidence for so long a person would be given up.
    decider = Decider(rules, DecisionSettings(hold_s=max(DecisionSettings().hold_s, 2.5 * hop_s)))
    found = []
    for number, row in enumerate(probabilities):
        decision = decider.update(Prediction(0, number * hop_s, actions, row))
        found += [taught[int(event.action)] for event in decision.events if event.kind == "start"]
    return found


def copies_sentence(copies: Sequence[str]) -> str:
    """How a check treated near-copies."""
    if len(copies) == 1:
        return "Two of your takes overlap in time, so they were checked together."
    return f"{len(copies)} of your takes overlap in time with others, so they were checked together with those."


def unnamed_sentence(examples: Sequence[Example]) -> str:
    """Why no person was held out, where that is for takes without a name beside others with one; "" otherwise."""
    names = {example.person or None for example in examples}
    of_actions = {example.person or None for example in examples if example.action != NOTHING}
    if None not in names or len(of_actions) < 2:
        return ""
    return "Some takes have no person's name, so it was not checked how well it works for other people."


def session_sentence(examples: Sequence[Example]) -> str:
    """Why no session was held out, and what to do."""
    whole = _of_one([(example.action, session_of(example)) for example in examples])
    why = f"{whole} from one session, where all examples look similar" if whole else "No session could be held out"
    return f"{why}. Record every action on another day, in other clothes and light, and check again."


def person_sentence(examples: Sequence[Example]) -> str:
    """Why no person was held out, and what to do."""
    if unnamed := unnamed_sentence(examples):
        return unnamed
    whole = _of_one([(example.action, example.person or None) for example in examples])
    unknown = "how well it works for other people is not known."
    if whole == _ALL:
        return f"{_ALL} of one person: {unknown}"
    why = f"{whole} of one person alone" if whole else "No person could be held out"
    return f"{why}: {unknown} Let others record each action, too."


def _of_one(groups: Sequence[tuple[str, str | None]]) -> str:
    """What is of one group, as the beginning of a sentence; "" where that is only some actions or none. groups: of each
    example, its action and its group."""
    of_actions = {(action, group) for action, group in groups if action != NOTHING}
    if len({group for _, group in of_actions}) == 1:
        return _ALL
    return "Every action is" if len({action for action, _ in of_actions}) == len(of_actions) else ""


def _remarks(lesson: Lesson, checks: Sequence[HeldOutCheck]) -> tuple[str, ...]:
    remarks = []
    if all(each.held_out == EXAMPLES for each in checks):
        remarks.append(session_sentence(lesson.examples))
    if all(each.held_out != PEOPLE for each in checks):
        remarks.append(person_sentence(lesson.examples))
    if checks[0].not_judged:
        one = checks[0].not_judged == 1
        remarks.append(
            f"{checks[0].not_judged} example{'' if one else 's'} could not be checked: "
            f"no other group has examples of {'its' if one else 'their'} action."
        )
    if copies := copies_in(lesson.examples, lesson.together):
        remarks.append(copies_sentence(copies))
    if not any(example.action == NOTHING and example.around is None for example in lesson.examples):
        remarks.append(
            "There is no footage of nothing: false alarms were not measured, and thresholds come from everyday "
            "motions of the demo's rendered person. Record a few minutes of other activity and label it as nothing."
        )
    return tuple(remarks)
