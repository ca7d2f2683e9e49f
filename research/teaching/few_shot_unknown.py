"""Few-shot episodes in which half of the actions are never taught: how well a taught recognizer rejects unknown
actions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from recognizer.teaching.head import Head
from recognizer.teaching.quick import QuickSettings, fit, teach
from recognizer.training.augment import Array
from research.teaching.few_shot import (
    Episode,
    Pool,
    answers,
    draw,
    mean_and_interval,
    part_of_lesson,
)

ACCEPTED = 0.05  # part of the clips of actions never taught
UNCALIBRATED = 0.5  # threshold of every action before calibration


@dataclass(frozen=True, slots=True)
class OpenSet:
    """Each (mean over episodes, half of the 95% interval). auroc: known against never taught. accuracy: clips of taught
    actions that are accepted and right where ACCEPTED of the others are accepted. right, alarms: the same two parts at
    the thresholds themselves."""

    auroc: tuple[float, float]
    accuracy: tuple[float, float]
    right: tuple[float, float]
    alarms: tuple[float, float]


def measure_open_set(
    pool: Pool, actions: Sequence[str], shots: int, settings: QuickSettings, *, episodes: int, seed: int
) -> tuple[OpenSet, OpenSet]:
    """Before and after calibration: by the probability of the likeliest action, and by that over its threshold."""
    metrics: tuple[list[tuple[float, ...]], list[tuple[float, ...]]] = ([], [])
    for number in range(episodes):
        rng = np.random.default_rng([seed, shots, number, len(actions)])
        episode = draw(pool, actions, shots, rng, ways=len(actions) // 2)
        rest = [action for action in actions if action not in episode.actions]
        unknown = np.flatnonzero(pool.of_actions(rest) & pool.tests & ~np.isin(pool.person, pool.person[episode.train]))
        lesson = part_of_lesson(pool.lesson, episode.train, episode.actions)
        taught = teach(lesson, settings)
        raw = fit(lesson, np.ones(len(lesson.examples), bool), settings)
        flat = np.full(len(episode.actions), UNCALIBRATED, np.float32)
        for found, head, thresholds in zip(metrics, (raw, taught.head), (flat, taught.thresholds), strict=True):
            known, target = _answers(pool, episode.test, episode, head)
            others, _ = _answers(pool, unknown, episode, head)
            found.append(_metrics(known / thresholds, others / thresholds, target))
    before, after = (OpenSet(*(mean_and_interval(column) for column in zip(*each, strict=True))) for each in metrics)
    return before, after


def _answers(pool: Pool, clips: np.ndarray, episode: Episode, head: Head) -> tuple[Array, np.ndarray]:
    """(C, A) probabilities of the taught actions, and the clips' targets (-1 for actions never taught)."""
    order = [pool.lesson.actions.index(action) for action in episode.actions]
    target = np.array([order.index(int(each)) if each in order else -1 for each in pool.lesson.target[clips]])
    everything = part_of_lesson(pool.lesson, clips, pool.lesson.actions)
    return answers(head, everything.original, len(clips))[:, :-1], target


def _metrics(known: Array, others: Array, target: np.ndarray) -> tuple[float, ...]:
    score, unknown = known.max(axis=1), others.max(axis=1)
    correct = known.argmax(axis=1) == target
    auroc = roc_auc_score(np.repeat([1, 0], [len(score), len(unknown)]), np.concatenate([score, unknown]))
    limit = np.quantile(unknown, 1 - ACCEPTED)
    return (
        float(auroc),
        float((correct & (score > limit)).mean()),
        float((correct & (score >= 1)).mean()),
        float((unknown >= 1).mean()),
    )
