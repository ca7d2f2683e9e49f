"""Quick teaching: a head on the embedding of a recognizer that is there already, and its thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognizer.teaching.head import Head, HeadSettings, fit_head
from recognizer.teaching.lesson import Lesson
from recognizer.teaching.windows import Array

Mask = NDArray[np.bool_]

FOLDS = 5


@dataclass(frozen=True, slots=True)
class QuickSettings:
    """head: how it is fitted. background: whether everyday motions are negatives. alarms: part of the windows of
    nothing and of the background that may be shown as any action. kept: part of an action's right windows that its
    threshold keeps, whatever the alarms."""

    head: HeadSettings = field(default_factory=HeadSettings)
    background: bool = True
    alarms: float = 0.02
    kept: float = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """head: (D) to (A + 1). thresholds: (A,) probability from which each action is shown."""

    actions: tuple[str, ...]
    head: Head
    thresholds: Array


_LOWEST, _HIGHEST = 0.3, 0.95  # of a threshold


def teach(lesson: Lesson, settings: QuickSettings | None = None) -> Taught:
    """The head of all clips, and thresholds from heads that had not seen what they were judged on."""
    settings = settings or QuickSettings()
    everything = np.ones(len(lesson.clips), bool)
    head = fit(lesson, everything, settings)
    return Taught(lesson.actions, head, thresholds_of(lesson, settings))


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


def folds(lesson: Lesson) -> Iterator[tuple[Mask, Mask]]:
    """Clips (C,) and stretches of background (B,) that are held out together, every one of them once."""
    count = min(FOLDS, max(np.bincount(lesson.target, minlength=len(lesson.actions))[: len(lesson.actions)]))
    place = np.zeros(len(lesson.clips), np.intp)
    for target in np.unique(lesson.target):
        here = lesson.target == target
        place[here] = np.arange(here.sum()) % max(count, 2)
    stretch = np.arange(len(lesson.background_actions)) % max(count, 2)
    for fold in range(max(count, 2)):
        yield place == fold, stretch == fold


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Probabilities (W, A + 1) of windows by heads that had not seen their clips; target: (W,); clip: (W,) its place,
    -1 for the background."""

    probabilities: Array
    target: NDArray[np.intp]
    clip: NDArray[np.intp]


def judge_held_out(lesson: Lesson, settings: QuickSettings) -> HeldOut:
    """Every window, judged by a head without its clip (and without those held out with it)."""
    parts: list[tuple[Array, NDArray[np.intp], NDArray[np.intp]]] = []
    for held, stretches in folds(lesson):
        left = np.bincount(lesson.target[~held], minlength=len(lesson.actions))[: len(lesson.actions)]
        if not left.all():
            continue  # an action of a single clip cannot be judged
        head = fit(lesson, ~held, settings, ~stretches)
        here = held[lesson.plain.owner]
        owner = lesson.plain.owner[here]
        parts.append((head.probabilities(lesson.plain.description[here]), lesson.target[owner], owner))
        around = (stretches & usable_background(lesson, ~held))[lesson.background.owner]
        found = head.probabilities(lesson.background.description[around])
        parts.append((found, np.full(len(found), len(lesson.actions)), np.full(len(found), -1)))
    if not parts:
        empty = np.zeros(0, np.intp)
        return HeldOut(np.zeros((0, len(lesson.actions) + 1), np.float32), empty, empty)
    probabilities, target, clip = (np.concatenate(values) for values in zip(*parts, strict=True))
    return HeldOut(probabilities, target, clip)


def thresholds_of(lesson: Lesson, settings: QuickSettings) -> Array:
    """(A,) thresholds: as low as the allowed alarms let them be, but never so high that an action is rarely shown."""
    judged = judge_held_out(lesson, settings)
    actions = len(lesson.actions)
    found, score = judged.probabilities.argmax(axis=1), judged.probabilities.max(axis=1)
    negative = judged.target == actions
    thresholds = np.full(actions, 0.5, np.float32)
    for action in range(actions):
        right = score[(found == action) & (judged.target == action)]
        alarms = np.sort(score[negative & (found == action)])[::-1]
        allowed = int(settings.alarms / actions * negative.sum())
        threshold = float(alarms[allowed]) + 1e-3 if len(alarms) > allowed else _LOWEST
        if len(right):
            threshold = min(threshold, float(np.quantile(right, 1 - settings.kept)))
        thresholds[action] = np.clip(threshold, _LOWEST, _HIGHEST)
    return thresholds
