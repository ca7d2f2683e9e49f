"""Quick teaching: a head on the embedding of an existing recognizer, and its thresholds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recognizer.teaching.head import Head, HeadSettings, fit_head, softmax
from recognizer.teaching.lesson import Lesson
from recognizer.teaching.windows import Array

Mask = NDArray[np.bool_]

FOLDS = 5


@dataclass(frozen=True, slots=True)
class QuickSettings:
    """head: how it is fitted. background: whether everyday motions are negatives. alarms: allowed false-positive rate
    on windows of untaught motion. kept: share of the right windows that thresholds keep, whatever the alarms.
    still_alarms: as alarms, for the stillness around examples."""

    head: HeadSettings = field(default_factory=HeadSettings)
    background: bool = True
    alarms: float = 0.05
    kept: float = 0.85
    still_alarms: float = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class TaughtHead:
    """head: (D) to (A + 1). other_bias: what its last bias was lowered by. thresholds: (A,) probability from which each
    action is shown."""

    actions: tuple[str, ...]
    head: Head
    thresholds: Array
    other_bias: float


_LOWEST, _HIGHEST = 0.3, 0.95  # of a threshold
_BIASES = tuple(0.25 * each for each in range(-4, 17))
_NEVER = np.float32(-1e4)  # logit of an action that a head does not know
DEFAULT_THRESHOLD = 0.5  # threshold if no example can be held out
_BLOCK = 2000  # windows whose distances are computed at once


def teach(lesson: Lesson, settings: QuickSettings | None = None) -> TaughtHead:
    """The head fitted to all examples; its calibration and thresholds come from held-out predictions."""
    settings = settings or QuickSettings()
    held_out = _concatenated([predict_held_out(lesson, settings), *_leave_one_action_out(lesson, settings)])
    other_bias = best_bias(held_out, len(lesson.actions))
    head = with_bias(fit(lesson, np.ones(len(lesson.examples), bool), settings), other_bias)
    thresholds = thresholds_of(
        softmax(_lowered(held_out.logits, other_bias)), held_out.target, settings, held_out.still
    )
    return TaughtHead(lesson.actions, head, thresholds, other_bias)


def with_bias(head: Head, other_bias: float) -> Head:
    """The head with other_bias subtracted from the logit of everything else."""
    return Head(head.weights, _lowered(head.bias[None], other_bias)[0])


def _lowered(logits: Array, other_bias: float) -> Array:
    logits = logits.copy()
    logits[:, -1] -= np.float32(other_bias)
    return logits


def fit(lesson: Lesson, examples: Mask, settings: QuickSettings, background: Mask | None = None) -> Head:
    """A head fitted to some of the examples (C,) and to background stretches, by default all that do not look like an
    action."""
    chosen = examples[lesson.augmented.owner]
    description, owner = lesson.augmented.description[chosen], lesson.augmented.owner[chosen]
    target = lesson.target[owner]
    weight = 1 / np.bincount(owner)[owner]  # every example has the same weight
    if settings.background:
        used = usable_background(lesson, examples)
        used &= True if background is None else background
        around = used[lesson.background.owner]
        description = np.concatenate([description, lesson.background.description[around]])
        target = np.concatenate([target, np.full(around.sum(), len(lesson.actions))])
        stretch = lesson.background.owner[around]
        weight = np.concatenate([weight, 1 / np.bincount(lesson.background.owner)[stretch]])
    return fit_head(description, target, len(lesson.actions), settings.head, weight.astype(np.float32))


def usable_background(lesson: Lesson, examples: Mask) -> Mask:
    """(B,) background stretches that are not the taught action itself under another name.

    A stretch is the taught action if most of its windows are closer to that action's examples than half the distance
    between actions.
    """
    chosen = examples[lesson.original.owner] & (lesson.target[lesson.original.owner] < len(lesson.actions))
    own = lesson.original.description[chosen]
    target = lesson.target[lesson.original.owner[chosen]]
    used = np.ones(len(lesson.background_actions), bool)
    if not len(own):
        return used
    around = lesson.background.description
    close = _nearest(around, own) < 0.5 * _usual_distance(around, own, target)
    for stretch in range(len(used)):
        used[stretch] = close[lesson.background.owner == stretch].mean() <= 0.5
    return used


def _usual_distance(background: Array, own: Array, target: NDArray[np.intp]) -> float:
    """The median distance between windows (W, D) of two actions, or with one action to those of the background. Of
    many windows a sample is compared: all pairs of them would need gigabytes."""
    if len(own) > _BLOCK:
        some = _sample(target)
        own, target = own[some], target[some]
    apart = _distances(own, own)[target[:, None] != target]
    return float(np.median(apart if len(apart) else _distances(background, own)))


def _sample(target: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places of _BLOCK windows, the same ones each time; of every action (W,) the same share."""
    order = np.random.default_rng(0).permutation(len(target))
    by_action = order[np.argsort(target[order], kind="stable")]
    spread = np.linspace(0, len(target) - 1, _BLOCK).round().astype(np.intp)
    return np.sort(by_action[spread])


def _nearest(a: Array, b: Array) -> Array:
    """(A,) the distance from each of a (A, D) to the nearest of b (B, D)."""
    blocks = [_distances(a, b[begin : begin + _BLOCK]).min(axis=1) for begin in range(0, len(b), _BLOCK)]
    found: Array = np.min(blocks, axis=0)
    return found


def _distances(a: Array, b: Array) -> Array:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: Array = np.sqrt(np.maximum(squared, 0))
    return found


def folds(lesson: Lesson, together: NDArray[np.intp] | None = None) -> Iterator[tuple[Mask, Mask]]:
    """Folds of examples (C,) and background stretches (B,), each in exactly one fold.

    together: (C,) group numbers: a group stays in one fold. By default the lesson's.
    """
    together = lesson.together if together is None else together
    first = np.unique(together)
    actions = len(lesson.actions)
    count = min(FOLDS, max(np.bincount(lesson.target[first], minlength=actions)[:actions]))
    of_first = np.zeros(len(lesson.examples), np.intp)
    for target in np.unique(lesson.target[first]):
        here = first[lesson.target[first] == target]
        of_first[here] = np.arange(len(here)) % max(count, 2)
    place = of_first[together]
    stretch = np.arange(len(lesson.background_actions)) % max(count, 2)
    for fold in range(max(count, 2)):
        yield place == fold, stretch == fold


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Held-out logits (W, A + 1) of windows; target: (W,); example: (W,) its index, -1 for the background; still: (W,)
    whether it is of the stillness around an example."""

    logits: Array
    target: NDArray[np.intp]
    example: NDArray[np.intp]
    still: Mask


def predict_held_out(lesson: Lesson, settings: QuickSettings) -> HeldOut:
    """Every window, predicted by a head fitted without its example (and those held out with it)."""
    actions, parts = len(lesson.actions), [_no_predictions(len(lesson.actions))]
    for held, stretches in folds(lesson, _separable(lesson)):
        left = np.bincount(lesson.target[~held], minlength=actions)[:actions]
        if not left.all():
            continue  # an action with a single example cannot be held out
        head = fit(lesson, ~held, settings, ~stretches)
        here = held[lesson.original.owner]
        owner = lesson.original.owner[here]
        logits = head.logits(lesson.original.description[here])
        parts.append(HeldOut(logits, lesson.target[owner], owner, lesson.still[owner]))
        around = (stretches & usable_background(lesson, ~held))[lesson.background.owner]
        logits = head.logits(lesson.background.description[around])
        rest = np.full(len(logits), actions)
        parts.append(HeldOut(logits, rest, np.full(len(logits), -1), np.zeros(len(logits), bool)))
    return _concatenated(parts)


def _separable(lesson: Lesson) -> NDArray[np.intp]:
    """(C,) what is held out together for calibration: of an action whose examples all show one moment, each example."""
    together = lesson.together.copy()
    for action in range(len(lesson.actions)):
        own = lesson.target == action
        if len(np.unique(together[own])) < 2:
            together[own] = np.flatnonzero(own)
    together[lesson.still] = together[lesson.host[lesson.still]]
    return together


def _no_predictions(actions: int) -> HeldOut:
    none = np.zeros(0, np.intp)
    return HeldOut(np.zeros((0, actions + 1), np.float32), none, none, np.zeros(0, bool))


def _concatenated(parts: Sequence[HeldOut]) -> HeldOut:
    return HeldOut(
        np.concatenate([each.logits for each in parts]),
        np.concatenate([each.target for each in parts]),
        np.concatenate([each.example for each in parts]),
        np.concatenate([each.still for each in parts]),
    )


def best_bias(held_out: HeldOut, actions: int) -> float:
    """What to subtract from the logit of everything else: maximises the share of right windows minus the false-positive
    rate on untaught motion (Youden's index), or on the stillness, if that is higher."""
    negative, still = (held_out.target == actions) & ~held_out.still, held_out.still
    if (negative | still).all():
        return 0.0

    def index(bias: float) -> float:
        found = _lowered(held_out.logits, bias).argmax(axis=1)
        wrong = max((found[some] < actions).mean() if some.any() else 0.0 for some in (negative, still))
        return float((found == held_out.target)[~(negative | still)].mean() - wrong)

    return max(_BIASES, key=index)


def thresholds_of(
    probabilities: Array, target: NDArray[np.intp], settings: QuickSettings, still: Mask | None = None
) -> Array:
    """(A,) thresholds: as low as the allowed alarms permit, but never so high that an action is rarely shown.

    still: (W,) windows of stillness, which is so common that almost none of it may pass.

    Untaught motion is represented by the footage of nothing, the background, and each action in turn with heads fitted
    without it. The result is half way between each action's own threshold and a common one, because its own rests on
    few windows.
    """
    actions = probabilities.shape[1] - 1
    if not len(target):
        return np.full(actions, DEFAULT_THRESHOLD, np.float32)
    if still is not None and still.any():
        right = target < actions
        strict = replace(settings, alarms=settings.still_alarms)
        return np.maximum(
            thresholds_of(probabilities[~still], target[~still], settings),
            thresholds_of(probabilities[right | still], target[right | still], strict),
        )
    found, score = probabilities.argmax(axis=1), probabilities.max(axis=1)
    shown = found < actions
    negatives = int((target == actions).sum())
    right, alarm = shown & (found == target), shown & (target == actions)
    single = _threshold(score[right], score[alarm], settings.alarms * negatives, settings.kept)
    own = [
        _threshold(
            score[right & (found == action)],
            score[alarm & (found == action)],
            settings.alarms * negatives / actions,
            settings.kept,
        )
        for action in range(actions)
    ]
    return ((np.array(own) + single) / 2).astype(np.float32)


def _threshold(right: Array, alarms: Array, allowed: float, kept: float) -> float:
    """The lowest that lets at most `allowed` alarms pass, at most the one that keeps `kept` of the right scores."""
    ordered = np.sort(alarms)[::-1]
    threshold = float(ordered[int(allowed)]) + 1e-3 if len(ordered) > int(allowed) else _LOWEST
    if len(right):
        threshold = min(threshold, float(np.quantile(right, 1 - kept)))
    return float(np.clip(threshold, _LOWEST, _HIGHEST))


def _leave_one_action_out(lesson: Lesson, settings: QuickSettings) -> list[HeldOut]:
    """Windows of each action in turn, predicted by a head that was never taught it: every action it predicts is
    wrong."""
    actions, held_out = len(lesson.actions), []
    for action in range(actions if actions > 2 else 0):
        examples = lesson.target != action
        taught = [name for index, name in enumerate(lesson.actions) if index != action]
        rest = replace(lesson, actions=tuple(taught), target=lesson.target - (lesson.target > action))
        head = fit(rest, examples, settings)
        here = ~examples[lesson.original.owner]
        logits = np.insert(head.logits(lesson.original.description[here]), action, _NEVER, axis=1)
        owner = lesson.original.owner[here]
        held_out.append(HeldOut(logits, np.full(len(owner), actions), owner, np.zeros(len(owner), bool)))
    return held_out
