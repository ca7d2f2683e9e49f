"""The check on the test part of a split: the taught recognizer itself predicts examples that it was not trained on."""

from collections.abc import Sequence
from dataclasses import replace

from recognizer.teaching.check import (
    Check,
    copies_sentence,
    distinct,
    example_answer,
    needed_examples,
    session_of,
    suspects_of,
)
from recognizer.teaching.copies import copy_groups, near_copies
from recognizer.teaching.description import Embedder, describe
from recognizer.teaching.examples import Example
from recognizer.teaching.head import Head
from recognizer.teaching.lesson import NOTHING, checked
from recognizer.teaching.metrics import TEST, answered, counted
from recognizer.teaching.windows import Array, Shape, as_clips, cut, sliding

_HOP_S = 0.2  # between windows that are judged


def answers_to(examples: Sequence[Example], head: Head, embedder: Embedder, shape: Shape) -> list[Array]:
    """(A + 1,) of each example by a head of Quick. Raises TeachingError where an example shows too little of a body."""
    found = []
    for example in examples:
        even = checked(example, shape)
        windows = as_clips(*cut(even, sliding(even, shape, _HOP_S)), shape)
        found.append(example_answer(head, describe(windows, embedder)))
    return found


def with_test(
    found: Check,
    actions: Sequence[str],
    thresholds: Array,
    learnt: Sequence[Example],
    tested: Sequence[Example],
    answers: Sequence[Array],
) -> Check:
    """A check with the metrics of the tested examples before the others, at the thresholds (A,) of the taught actions.

    answers: (A + 1,) to each tested example. Examples of untaught actions are not counted, nor are near-copies of a
    training example or of another tested example.
    """
    known = copies_of(learnt, tested)
    judged = {
        index: answer
        for index, answer in enumerate(answers)
        if tested[index].action in (*actions, NOTHING) and index not in known
    }
    pairs = answered(tested, actions, thresholds, judged)
    new_sessions = {session_of(example) for example in tested} - {session_of(example) for example in learnt}
    new_people = {example.person for example in tested if example.person} - {example.person for example in learnt}
    if not all(example.person for example in learnt):
        new_people = set()  # one without a name may be of anybody
    seen = not (new_sessions or new_people)
    metrics = counted(pairs, actions, TEST, 1, len(answers) - len(judged), seen=seen)
    suspects = (*suspects_of(tested, actions, judged), *found.suspects)
    needed = needed_examples(distinct(learnt, copy_groups(learnt)), metrics)
    copies = tuple(tested[index].name for index in sorted(known))
    remarks = (*found.remarks, copies_sentence(copies)) if copies else found.remarks
    checks, both = (metrics, *found.checks), (*found.copies, *copies)
    return replace(found, checks=checks, suspects=suspects, needed=needed, remarks=remarks, copies=both)


def copies_of(learnt: Sequence[Example], tested: Sequence[Example]) -> set[int]:
    """Indices of tested examples that show a moment of a training example, or of an earlier tested one."""
    pairs = near_copies([*learnt, *tested])
    return {second - len(learnt) for _, second in pairs if second >= len(learnt)}
