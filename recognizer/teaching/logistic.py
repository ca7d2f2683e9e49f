"""Logistic regression of several classes in single precision: the same head as scikit-learn's, without its import.

N windows, D numbers of a description, K classes.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Array = NDArray[np.float32]

_STEPS = 300
_FLAT = 1e-4  # the largest slope at which it ends: a tenth of scikit-learn's own limit
_REMEMBERED = 10  # steps that tell how the slope bends
_ENOUGH = 1e-4  # of the fall that the slope promises
_SHORTEST = 1e-6  # part of a step; less is rounding


def fit_logistic(x: Array, target: NDArray[np.intp], weight: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Weights (D, K) and bias (K,) with the least mean loss of x (N, D), whose classes are target (N,), plus penalty
    / 2 times the squared weights. weight: (N,) of each window. By L-BFGS (Liu and Nocedal, 1989), from zero."""
    loss = _Loss(x, target, weight, penalty)
    at = np.zeros((x.shape[1] + 1, int(target.max()) + 1))
    value, slope = loss(at)
    steps: deque[tuple[Floats, Floats]] = deque(maxlen=_REMEMBERED)
    for _ in range(_STEPS):
        if np.abs(slope).max() <= _FLAT:
            break
        way = -_bent(slope, steps)
        length = 1.0 if steps else min(1.0, 1 / float(np.abs(slope).sum()))
        promised = float((slope * way).sum())
        new_value, new_slope = loss(at + length * way)
        while new_value > value + _ENOUGH * length * promised and length > _SHORTEST:
            length /= 2
            new_value, new_slope = loss(at + length * way)
        if new_value >= value:
            break
        step, change = length * way, new_slope - slope
        if (step * change).sum() > 0:  # else rounding
            steps.append((step, change))
        at, value, slope = at + step, new_value, new_slope
    return at[:-1], at[-1]


class _Loss:
    """Loss and slope (D + 1, K) of weights and, in the last row, bias."""

    def __init__(self, x: Array, target: NDArray[np.intp], weight: Floats, penalty: float) -> None:
        self._x, self._penalty = x, penalty
        self._own = np.arange(len(x)), target
        self._share = weight / weight.sum()

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        weights = at[:-1]
        scores = (self._x @ weights.astype(np.float32)).astype(np.float64) + at[-1]
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        sums = powers.sum(axis=1)
        value = float(self._share @ (np.log(sums) - scores[self._own])) + self._penalty / 2 * float((weights**2).sum())
        wrong = powers / sums[:, None]
        wrong[self._own] -= 1
        wrong *= self._share[:, None]
        slope = np.empty_like(at)
        slope[:-1] = self._x.T @ wrong.astype(np.float32)
        slope[:-1] += self._penalty * weights
        slope[-1] = wrong.sum(axis=0)
        return value, slope


def _bent(slope: Floats, steps: "deque[tuple[Floats, Floats]]") -> Floats:
    """The slope divided by how it bends, as far as the last steps tell."""
    found, parts = slope.copy(), []
    for step, change in reversed(steps):
        curvature = float((step * change).sum())
        part = float((step * found).sum()) / curvature
        found -= part * change
        parts.append((part, curvature))
    if steps:
        step, change = steps[-1]
        found *= float((step * change).sum()) / float((change**2).sum())
    for (step, change), (part, curvature) in zip(steps, reversed(parts), strict=True):
        found += (part - float((change * found).sum()) / curvature) * step
    return found
