"""Quick teaching: a head on the embedding of a recognizer that is there already, and its thresholds."""

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
    """head: how it is fitted. background: whether everyday motions are negatives. alarms: part of the windows of what
    was never taught that may be shown as an action. kept: part of the right windows that thresholds keep, whatever
    the alarms. still_alarms: as alarms, of the stillness around clips."""

    head: HeadSettings = field(default_factory=HeadSettings)
    background: bool = True
    alarms: float = 0.05
    kept: float = 0.85
    still_alarms: float = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """head: (D) to (A + 1). other_bias: what its last bias was lowered by. thresholds: (A,) probability from which each
    action is shown."""

    actions: tuple[str, ...]
    head: Head
    thresholds: Array
    other_bias: float


_LOWEST, _HIGHEST = 0.3, 0.95  # of a threshold
_BIASES = tuple(0.25 * each for each in range(-4, 17))
_NEVER = np.float32(-1e4)  # logit of an action that a head does not know
UNJUDGED = 0.5  # threshold where no clip can be spared to judge by


def teach(lesson: Lesson, settings: QuickSettings | None = None) -> Taught:
    """The head of all clips; its calibration and thresholds by heads that had not seen what they were judged on."""
    settings = settings or QuickSettings()
    judged = _together([judge_held_out(lesson, settings), *_left_out(lesson, settings)])
    other_bias = best_bias(judged, len(lesson.actions))
    head = with_bias(fit(lesson, np.ones(len(lesson.clips), bool), settings), other_bias)
    thresholds = thresholds_of(softmax(_lowered(judged.logits, other_bias)), judged.target, settings, judged.still)
    return Taught(lesson.actions, head, thresholds, other_bias)


def with_bias(head: Head, other_bias: float) -> Head:
    """The head with that taken from the logit of everything else."""
    return Head(head.weights, _lowered(head.bias[None], other_bias)[0])


def _lowered(logits: Array, other_bias: float) -> Array:
    logits = logits.copy()
    logits[:, -1] -= np.float32(other_bias)
    return logits


def fit(lesson: Lesson, clips: Mask, settings: QuickSettings, background: Mask | None = None) -> Head:
    """A head of some of the clips (C,) and of some stretches of the background, all that do not look like an action."""
    chosen = clips[lesson.shaken.owner]
    description, owner = lesson.shaken.description[chosen], lesson.shaken.owner[chosen]
    target = lesson.target[owner]
    weight = 1 / np.bincount(owner)[owner]  # every clip counts alike
    if settings.background:
        used = usable_background(lesson, clips)
        used &= True if background is None else background
        around = used[lesson.background.owner]
        description = np.concatenate([description, lesson.background.description[around]])
        target = np.concatenate([target, np.full(around.sum(), len(lesson.actions))])
        stretch = lesson.background.owner[around]
        weight = np.concatenate([weight, 1 / np.bincount(lesson.background.owner)[stretch]])
    return fit_head(description, target, len(lesson.actions), settings.head, weight.astype(np.float32))


def usable_background(lesson: Lesson, clips: Mask) -> Mask:
    """(B,) stretches of the background that are not the taught action itself, under whatever name.

    One is where most of its windows lie closer to the clips of an action than half of the way between actions.
    """
    chosen = clips[lesson.plain.owner] & (lesson.target[lesson.plain.owner] < len(lesson.actions))
    own = lesson.plain.description[chosen]
    target = lesson.target[lesson.plain.owner[chosen]]
    used = np.ones(len(lesson.background_actions), bool)
    if not len(own):
        return used
    between = _distances(own, own)
    apart = between[target[:, None] != target]
    limit = (
        0.5 * float(np.median(apart))
        if len(apart)
        else 0.5 * float(np.median(_distances(lesson.background.description, own)))
    )
    close = _distances(lesson.background.description, own).min(axis=1) < limit
    for stretch in range(len(used)):
        used[stretch] = close[lesson.background.owner == stretch].mean() <= 0.5
    return used


def _distances(a: Array, b: Array) -> Array:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: Array = np.sqrt(np.maximum(squared, 0))
    return found


def folds(lesson: Lesson, together: NDArray[np.intp] | None = None) -> Iterator[tuple[Mask, Mask]]:
    """Clips (C,) and stretches of background (B,) that are held out at once, every one of them in one fold.

    together: (C,) what may not be in two folds, by the place of the first of it; the lesson's unless told.
    """
    together = lesson.together if together is None else together
    first = np.unique(together)
    actions = len(lesson.actions)
    count = min(FOLDS, max(np.bincount(lesson.target[first], minlength=actions)[:actions]))
    of_first = np.zeros(len(lesson.clips), np.intp)
    for target in np.unique(lesson.target[first]):
        here = first[lesson.target[first] == target]
        of_first[here] = np.arange(len(here)) % max(count, 2)
    place = of_first[together]
    stretch = np.arange(len(lesson.background_actions)) % max(count, 2)
    for fold in range(max(count, 2)):
        yield place == fold, stretch == fold


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Logits (W, A + 1) of windows by heads that had not seen their clips; target: (W,); clip: (W,) its place, -1 for
    the background; still: (W,) whether it is of the stillness around a clip."""

    logits: Array
    target: NDArray[np.intp]
    clip: NDArray[np.intp]
    still: Mask


def judge_held_out(lesson: Lesson, settings: QuickSettings) -> HeldOut:
    """Every window, judged by a head without its clip (and without those held out with it)."""
    actions, parts = len(lesson.actions), [_nothing_judged(len(lesson.actions))]
    for held, stretches in folds(lesson, _separable(lesson)):
        left = np.bincount(lesson.target[~held], minlength=actions)[:actions]
        if not left.all():
            continue  # an action of a single clip cannot be judged
        head = fit(lesson, ~held, settings, ~stretches)
        here = held[lesson.plain.owner]
        owner = lesson.plain.owner[here]
        logits = head.logits(lesson.plain.description[here])
        parts.append(HeldOut(logits, lesson.target[owner], owner, lesson.still[owner]))
        around = (stretches & usable_background(lesson, ~held))[lesson.background.owner]
        logits = head.logits(lesson.background.description[around])
        rest = np.full(len(logits), actions)
        parts.append(HeldOut(logits, rest, np.full(len(logits), -1), np.zeros(len(logits), bool)))
    return _together(parts)


def _separable(lesson: Lesson) -> NDArray[np.intp]:
    """(C,) what is held out together for calibration: of an action whose clips all show one moment, each clip."""
    together = lesson.together.copy()
    for action in range(len(lesson.actions)):
        own = lesson.target == action
        if len(np.unique(together[own])) < 2:
            together[own] = np.flatnonzero(own)
    together[lesson.still] = together[lesson.host[lesson.still]]
    return together


def _nothing_judged(actions: int) -> HeldOut:
    none = np.zeros(0, np.intp)
    return HeldOut(np.zeros((0, actions + 1), np.float32), none, none, np.zeros(0, bool))


def _together(parts: Sequence[HeldOut]) -> HeldOut:
    return HeldOut(
        np.concatenate([each.logits for each in parts]),
        np.concatenate([each.target for each in parts]),
        np.concatenate([each.clip for each in parts]),
        np.concatenate([each.still for each in parts]),
    )


def best_bias(judged: HeldOut, actions: int) -> float:
    """What to take from the logit of everything else: where the part of right windows is furthest above the part of
    what was never taught that is taken for an action (Youden's index), or of the stillness, where that is more."""
    negative, still = (judged.target == actions) & ~judged.still, judged.still
    if (negative | still).all():
        return 0.0

    def index(bias: float) -> float:
        found = _lowered(judged.logits, bias).argmax(axis=1)
        wrong = max((found[some] < actions).mean() if some.any() else 0.0 for some in (negative, still))
        return float((found == judged.target)[~(negative | still)].mean() - wrong)

    return max(_BIASES, key=index)


def thresholds_of(
    probabilities: Array, target: NDArray[np.intp], settings: QuickSettings, still: Mask | None = None
) -> Array:
    """(A,) thresholds: as low as the allowed alarms let them be, but never so high that an action is rarely shown.

    still: (W,) windows of stillness, which is seen so much more than anything else that nearly none of it may pass.

    What was never taught is stood for by the footage of nothing, the background, and each action in turn by heads
    without it. Half way between each action's own threshold and one for all, for few windows stand behind its own.
    """
    actions = probabilities.shape[1] - 1
    if not len(target):
        return np.full(actions, UNJUDGED, np.float32)
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


def _left_out(lesson: Lesson, settings: QuickSettings) -> list[HeldOut]:
    """Windows of each action in turn, judged by a head that was never taught it: nothing it says is right."""
    actions, judged = len(lesson.actions), []
    for action in range(actions if actions > 2 else 0):
        clips = lesson.target != action
        taught = [name for place, name in enumerate(lesson.actions) if place != action]
        rest = replace(lesson, actions=tuple(taught), target=lesson.target - (lesson.target > action))
        head = fit(rest, clips, settings)
        here = ~clips[lesson.plain.owner]
        logits = np.insert(head.logits(lesson.plain.description[here]), action, _NEVER, axis=1)
        owner = lesson.plain.owner[here]
        judged.append(HeldOut(logits, np.full(len(owner), actions), owner, np.zeros(len(owner), bool)))
    return judged
