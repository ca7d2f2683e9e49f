"""The check of Full teaching: a network is evaluated on held-out examples, on which its thresholds are chosen too."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from recognizer.teaching.check import (
    Check,
    copies_in,
    copies_sentence,
    distinct,
    example_probabilities,
    merged,
    needed_examples,
    people_of,
    person_sentence,
    session_of,
    session_sentence,
    shown_live,
    suspects_of,
)
from recognizer.teaching.copies import copy_groups
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.metrics import EXAMPLES, PEOPLE, SESSIONS, FalseAlarms, answered, counted
from recognizer.teaching.quick import DEFAULT_THRESHOLD, QuickSettings, thresholds_of
from recognizer.training.augment import Array
from recognizer.training.fine_tune.training import HOP_S, SHAPE, window_probabilities

_HOLD_OUT_EVERY = 3  # without people or sessions, every third example of an action is held out
_ONLY_ONE = {
    PEOPLE: "Only one person was held out: with a few takes the figures are rough.",
    SESSIONS: "Only one session was held out: with a few takes the figures are rough.",
}
_OPTIMISTIC = (
    "The thresholds were chosen on the takes and the footage of nothing that were held out, so on new ones expect more "
    "mistakes and more false alarms."
)
_MIN_SPLIT_S = 3.0  # of footage of nothing, for a third of it to be worth holding out


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example], str]:
    """Examples to train on, examples to check with, and what is held out: the last person without whom every action is
    left, else the last such session, else a part of each action's examples.

    Footage of nothing is always on both sides where there are three examples of it, or one that can be cut.
    """
    actions = [example for example in examples if example.action != NOTHING]
    together = copy_groups(actions)
    held_out, held = EXAMPLES, list[Example]()
    shown = [example.action for example in actions]
    for what, named in (
        (PEOPLE, people_of(actions)),
        (SESSIONS, [session_of(c) for c in actions]),
    ):
        groups = merged(named, together)
        last = _last_to_hold_out(shown, groups)
        if last is not None:
            held_out = what
            held = [example for example, group in zip(actions, groups, strict=True) if group == last]
            break
    if held_out == EXAMPLES:
        number, moments = Counter[str](), set[int]()
        for place, example in enumerate(actions):
            number[example.action] += int(together[place] == place)
            if together[place] == place and number[example.action] % _HOLD_OUT_EVERY == 0:
                moments.add(place)
        held = [example for example, moment in zip(actions, together.tolist(), strict=True) if moment in moments]
    nothing, of_nothing = _split_nothing(
        [example for example in examples if example.action == NOTHING and example.around is None]
    )
    chosen, held_names = {id(example) for example in held}, {example.name for example in held}
    still = [example for example in examples if example.around is not None and example.around not in held_names]
    kept = [example for example in actions if id(example) not in chosen]
    return [*kept, *nothing, *still], [*held, *of_nothing], held_out


def _last_to_hold_out(actions: Sequence[str], groups: Sequence[int]) -> int | None:
    """The last group without which every action is left; None where there is none. Both: of each example."""
    total = Counter(actions)
    of_groups = Counter(zip(groups, actions, strict=True))
    needed = {group for (group, action), count in of_groups.items() if count == total[action]}
    return next((group for group in reversed(groups) if group not in needed), None)


def _split_nothing(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Footage of nothing to train on and to check with: every third example, or the last third of the longest. Copies
    of a moment are not on both sides."""
    if not examples:
        return [], []
    together = copy_groups(examples)
    held = np.isin(together, np.unique(together)[_HOLD_OUT_EVERY - 1 :: _HOLD_OUT_EVERY])
    if held.any():
        return _chosen(examples, ~held), _chosen(examples, held)
    longest = max(range(len(examples)), key=lambda place: _duration_s(examples[place]))
    example = examples[longest]
    if _duration_s(example) < _MIN_SPLIT_S:
        return list(examples), []
    early = example.times_s < example.times_s[-1] - _duration_s(example) / _HOLD_OUT_EVERY
    others = _chosen(examples, together != together[longest])
    return [*others, _select_frames(example, early)], [_select_frames(example, ~early)]


def _chosen(examples: Sequence[Example], chosen: np.ndarray) -> list[Example]:
    return [example for example, there in zip(examples, chosen.tolist(), strict=True) if there]


def _duration_s(example: Example) -> float:
    return float(example.times_s[-1] - example.times_s[0])


def _select_frames(example: Example, chosen: np.ndarray) -> Example:
    return replace(
        example, times_s=example.times_s[chosen], xy_px=example.xy_px[chosen], confidence=example.confidence[chosen]
    )


def evaluate(
    network: nn.Module,
    examples: Sequence[Example],
    held: Sequence[Example],
    held_out: str,
    one_sided: Sequence[str] = (),
) -> tuple[Check, Array]:
    """Evaluate a network on the held-out examples, which it was not trained on; the check, and thresholds (A,) chosen
    on them. examples: all, held out or not. Of copies of a moment the first one counts."""
    actions = tuple(sorted({example.action for example in examples} - {NOTHING}))
    windows = [window_probabilities(network, example, mirror=not one_sided) for example in held]
    thresholds = _thresholds(windows, held, actions)
    answers = {place: example_probabilities(rows) for place, rows in enumerate(windows)}
    together = copy_groups(held)
    once = {place: answer for place, answer in answers.items() if together[place] == place}
    found = answered(held, actions, thresholds, once)
    groups = 1 if held_out != EXAMPLES else sum(true != NOTHING for _, true, _ in found)
    figures = counted(found, actions, held_out, groups, 0)
    needed = needed_examples(distinct(examples, copy_groups(examples)), figures)
    alarms = _false_alarms(windows, held, actions, thresholds)
    suspects, copies = suspects_of(held, actions, answers), copies_in(held, together)
    return Check((figures,), suspects, needed, alarms, copies=copies), thresholds


def _thresholds(windows: Sequence[Array], held: Sequence[Example], actions: Sequence[str]) -> Array:
    """Thresholds chosen as in Quick teaching; 0.5 where there is no footage of nothing to choose them on."""
    target = [actions.index(example.action) if example.action != NOTHING else len(actions) for example in held]
    if len(actions) not in target:
        return np.full(len(actions), DEFAULT_THRESHOLD, np.float32)
    of_window = np.repeat(np.array(target, np.intp), [len(rows) for rows in windows])
    return thresholds_of(np.concatenate(windows), of_window, QuickSettings())


def _false_alarms(
    windows: Sequence[Array], held: Sequence[Example], actions: Sequence[str], thresholds: Array
) -> FalseAlarms | None:
    shown: Counter[str] = Counter()
    seconds = 0.0
    for example, rows in zip(held, windows, strict=True):
        if example.action == NOTHING:
            shown.update(shown_live(actions, thresholds, SHAPE, rows, HOP_S))
            seconds += _duration_s(example)
    return FalseAlarms(round(seconds, 1), dict(shown.most_common())) if seconds else None


def remarks(check: Check, examples: Sequence[Example], *, from_scratch: bool, start: str = "") -> tuple[str, ...]:
    """Caveats of the metrics. examples: all, held out or not. start: a sentence on the network that training started
    from."""
    actions = [example for example in examples if example.action != NOTHING]
    (figures,) = check.checks
    found = [session_sentence(actions) if figures.held_out == EXAMPLES else _ONLY_ONE[figures.held_out]]
    if not all(metrics.examples for metrics in figures.actions.values()):
        found.append("Some actions have no take that was held out, so they were not checked.")
    if figures.held_out != PEOPLE:
        found.append(person_sentence(actions))
    if check.copies:
        found.append(copies_sentence(check.copies))
    if check.alarms is None:
        found.append("There is too little footage of nothing: false alarms were not measured, thresholds are 0.5.")
    else:
        found.append(_OPTIMISTIC)
    if from_scratch:
        found.append("The network began from scratch: with few examples of an action Quick does better.")
    if start:
        found.append(start)
    return tuple(found)
