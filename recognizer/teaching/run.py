"""One Quick teaching, from the request to the finished model folder."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognizer.generator import OnnxGenerator
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.check import Check, check
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import MIN_EXAMPLES, NOTHING, Lesson, prepare
from recognizer.teaching.metrics import EXAMPLES, PEOPLE, SESSIONS, TEST, HeldOutCheck
from recognizer.teaching.package import Base, Package, card_names, place
from recognizer.teaching.quick import TaughtHead, teach
from recognizer.teaching.replay import footage_of, nearest_takes, same_as_taught, with_findings
from recognizer.teaching.request import FULL, QUICK, TeachingRequest
from recognizer.teaching.split_check import answers_to, with_test
from recognizer.teaching.variants import make_variants, try_variants
from recognizer.teaching.visible import visible_parts
from recognizer.teaching.windows import Shape, WindowAugmentation

PREPARING, FITTING, CHECKING, WRITING = "preparing", "fitting", "checking", "writing"
VARYING = "trying variants"
_PREPARED, _FITTED, _CHECKED = 0.75, 0.82, 0.95  # parts of the work, by time
_WITHOUT_VARIANTS = 0.5  # the part of it that is done before variants are tried

_TESTED = "the user's own examples, the test part of their split, which was not used for training"
_ONCE = {PEOPLE: "those of one person", SESSIONS: "those of one session", EXAMPLES: "every third of each action"}
_FOOTAGE = {
    QUICK: "the user's footage of nothing, judged by heads that had not seen it",
    FULL: "the user's footage of nothing, a part of it held out once; the thresholds were chosen on that part",
}

Tell = Callable[[str, float], None]  # stage, and the part of all the work that is done


@dataclass(frozen=True, slots=True)
class Outcome:
    """folder: of the new model, loadable as any. check: how well it works."""

    folder: Path
    check: Check


def run_quick(request: TeachingRequest, tell: Tell = lambda stage, part: None) -> Outcome:
    """Teach, check, write. Raises ActionLensError; leaves no part of a result behind where it fails."""
    started_s = time.perf_counter()
    check_counts(request.learnt)
    base = Base.load(request.base)
    shape = Shape(base.card.frames, base.card.fps, base.card.skeleton)
    request, hidden = visible_parts(request, shape)
    check_counts(request.learnt)
    recognizer = OnnxRecognizer(request.base, "cpu")
    try:
        taught, found, lesson = _teach(request, recognizer, shape, tell)
        found = hidden.added_to(found)
    finally:
        recognizer.close()
    tell(WRITING, _CHECKED)
    seconds = round(time.perf_counter() - started_s, 2)
    provenance = {"kind": QUICK, "seed": request.seed, "one_sided": list(request.one_sided)}
    package = Package(
        request.name,
        base,
        taught,
        request.learnt,
        request.keep_base,
        card_metrics(found, QUICK),
        {**provenance, "seconds_before_writing": seconds},
        found,
    )
    names = dict(zip(card_names(taught.actions), taught.actions, strict=True))
    footage = footage_of(request.learnt, same_as_taught(lesson))

    def examine(made: OnnxRecognizer, before: Check) -> Check:
        nonlocal found
        found = with_findings(before, made, names, footage, nearest_takes(lesson, footage))
        return found

    folder = place(package, request.models, request.part, examine)
    tell(WRITING, 1.0)
    return Outcome(folder, found)


Learnt = tuple[TaughtHead, Check, Lesson]


def _teach(request: TeachingRequest, recognizer: OnnxRecognizer, shape: Shape, tell: Tell) -> Learnt:
    taught, found, lesson = _learn(request, recognizer, shape, tell)
    if request.tested:
        answers = answers_to(request.tested, taught.head, recognizer, shape)
        found = with_test(found, taught.actions, taught.thresholds, request.learnt, request.tested, answers)
    return taught, found, lesson


def _learn(request: TeachingRequest, recognizer: OnnxRecognizer, shape: Shape, tell: Tell) -> Learnt:
    generator = None if request.generator is None else OnnxGenerator(request.generator)  # refused before the work
    part = 1.0 if generator is None else _WITHOUT_VARIANTS
    lesson = prepare(
        request.learnt,
        recognizer,
        shape,
        WindowAugmentation(),
        one_sided=request.one_sided,
        seed=request.seed,
        progress=lambda done: tell(PREPARING, part * _PREPARED * done),
    )
    tell(FITTING, part * _PREPARED)
    taught = teach(lesson)
    tell(CHECKING, part * _FITTED)
    found = check(lesson, taught, shape)
    if generator is None:
        return taught, found, lesson
    tell(VARYING, part)
    variants = make_variants(request.learnt, generator, shape.layout, seed=request.seed)
    generator.close()
    taught, found = try_variants(
        lesson,
        taught,
        found,
        variants,
        generator.card,
        recognizer,
        shape,
        one_sided=request.one_sided,
        seed=request.seed,
        progress=lambda done: tell(VARYING, part + (_FITTED - part) * done),
    )
    return taught, found, lesson


def check_counts(examples: Sequence[Example]) -> None:
    """Raises TeachingError if there are too few examples."""
    counts: dict[str, int] = {}
    for example in (example for example in examples if example.around is None):
        counts[example.action] = counts.get(example.action, 0) + 1
    negatives = counts.pop(NOTHING, 0)
    if not counts:
        raise TeachingError("there is no action to teach; label segments with the name of an action")
    few = min(counts, key=lambda action: (counts[action], action))
    if counts[few] < MIN_EXAMPLES:
        need = MIN_EXAMPLES - counts[few]
        raise TeachingError(
            f"{few!r} has {counts[few]} of at least {MIN_EXAMPLES} examples; record {need} more or leave it out"
        )
    if len(counts) == 1 and not negatives:
        (only,) = counts
        raise TeachingError(
            f"only {only!r} is taught; teach a second action, or label footage of yourself as {NOTHING!r}"
        )


def _split_of(each: HeldOutCheck, found: Check, kind: str) -> str:
    """What a check was made on, and how."""
    if each.held_out == TEST:
        return _TESTED
    if kind == QUICK:
        return f"the user's own examples, {each.held_out} held out in turn ({each.groups})"
    # Without footage of nothing Full chooses no thresholds.
    chosen = "" if found.alarms is None else "; the thresholds were chosen on them"
    return f"the user's own examples, {_ONCE[each.held_out]} held out once{chosen}"


def _rounded(accuracy: float | None) -> float | None:
    return None if accuracy is None else round(accuracy, 4)


def card_metrics(found: Check, kind: str) -> dict[str, dict[str, Any]]:
    """The check's metrics as a card has them. kind: of the teaching, QUICK or FULL."""
    metrics: dict[str, dict[str, Any]] = {}
    for each in found.checks:
        names = card_names(tuple(each.actions))
        by_action = zip(names, each.actions.values(), strict=True)
        metrics[f"check_{each.held_out}"] = {
            "split": _split_of(each, found, kind),
            "accuracy": None if each.verdict else round(each.accuracy, 4),
            "verdict": each.verdict,
            "right": each.right,
            "clips": each.examples,
            "right_of_action": {name: [each_action.right, each_action.examples] for name, each_action in by_action},
            "remarks": list(found.remarks),
        }
    if (tried := found.variants) is not None:
        metrics["variants"] = {
            "split": f"the user's own examples, {tried.held_out} held out in turn",
            "generator": tried.generator,
            "variants": tried.variants,
            "kept": tried.kept,
            "accuracy_without": _rounded(tried.accuracy_without),
            "accuracy_with": _rounded(tried.accuracy_with),
        }
    if found.alarms is not None:
        metrics["false_alarms"] = {
            "split": _FOOTAGE[kind],
            "an_hour": round(found.alarms.an_hour, 1),
            "count": found.alarms.count,
            "seconds": found.alarms.seconds,
        }
    return metrics
