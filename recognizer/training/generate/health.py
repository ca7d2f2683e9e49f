"""Health of an adversarial training: checks that stop it, and problems that its history shows afterwards."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from recognizer.training.run_folder import RunError

_FARTHEST = 100.0  # deviations: joints of real clips stay within about ten
_CONVINCED = 0.02  # probability that generated clips are real, with discriminators that cannot be deceived any more
_UNIFORM = 0.1  # of the spread of real clips
_WORSE = 1.5  # times the best discrepancy


def check_divergence(losses: Mapping[str, float], farthest: float, iteration: int) -> None:
    """RunError where a loss is not finite or joints are far off. farthest: the largest coordinate, in deviations."""
    for name, loss in losses.items():
        if not math.isfinite(loss):
            raise RunError(f"diverged: the loss {name} is {loss} at iteration {iteration}; lower --learning-rate")
    if not farthest < _FARTHEST:
        raise RunError(
            f"diverged: joints lie {farthest:.0f} deviations from the mean at iteration {iteration}; "
            "lower --learning-rate"
        )


def spread(clips: NDArray[np.floating], labels: NDArray[np.intp]) -> float:
    """Mean deviation of the coordinates of clips (N, T, F) from clip to clip of one action."""
    each = [clips[labels == action].std(axis=0).mean() for action in np.unique(labels)]
    return float(np.mean(each))


def distances(clips: NDArray[np.floating], labels: NDArray[np.intp], actions: int) -> NDArray[np.float32]:
    """(A,) mean distance of two clips of an action, root mean square over the coordinates of clips (N, T, F); the mean
    of the actions where an action has but one."""
    flat = clips.reshape(len(clips), -1)
    pairs = [pdist(flat[labels == action]) for action in range(actions)]
    mean = np.array([one.mean() if len(one) else np.nan for one in pairs])
    usual = np.nanmean(mean) if np.isfinite(mean).any() else 1.0
    return np.where(np.isnan(mean), usual, mean).astype(np.float32) / np.float32(np.sqrt(flat.shape[1]))


def training_problems(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """What went wrong in a finished training, one line for each problem.

    history: rows of iteration, mmd_seq, fake (probability that generated clips are real; None for a VAE) and spread
    (of generated clips, by that of real ones).
    """
    found: list[str] = []
    last = history[-1]
    lowest = min(history, key=lambda row: row["mmd_seq"] if math.isfinite(row["mmd_seq"]) else math.inf)
    if last["spread"] < _UNIFORM:
        found.append(f"collapsed: clips of an action differ by {100 * last['spread']:.0f}% of what real ones do")
    if last["fake"] is not None and last["fake"] < _CONVINCED:
        found.append(f"the discriminators have won: they believe generated clips with {last['fake']:.3f}")
    if math.isfinite(last["mmd_seq"]) and last["mmd_seq"] > _WORSE * lowest["mmd_seq"]:
        found.append(
            f"got worse: discrepancy {last['mmd_seq']:.3f} at the end, {lowest['mmd_seq']:.3f} "
            f"at iteration {lowest['iteration']}"
        )
    return found
