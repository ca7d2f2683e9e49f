"""The classification head that Quick teaching trains on the features of windows.

N windows, D numbers of a description, A taught actions; the last output stands for everything else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.teaching.logistic import fit_logistic

Array = NDArray[np.float32]
Indices = NDArray[np.intp]

LOGISTIC, MEANS, DISCRIMINANT = "logistic", "means", "discriminant"
KINDS = (LOGISTIC, MEANS, DISCRIMINANT)

_MIN_SPREAD = 1e-3  # of a feature, in units of the median spread: one that never varies says nothing


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """kind: one of KINDS. strength: C of the logistic regression, 1 / temperature of nearest means, or the shrinkage
    of the discriminant's covariance. other_share: weight of all negatives, in actions."""

    kind: str = LOGISTIC
    strength: float = 0.001
    other_share: float = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Logits (N, A + 1) = description @ weights + bias. weights: (D, A + 1); bias: (A + 1,); float32."""

    weights: Array
    bias: Array

    def logits(self, description: Array) -> Array:
        """(N, A + 1) float32."""
        found: Array = description @ self.weights + self.bias
        return found

    def probabilities(self, description: Array) -> Array:
        """(N, A + 1) float32, rows sum to 1."""
        return softmax(self.logits(description))


def softmax(logits: Array) -> Array:
    """(N, A) to the same, rows sum to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Array = powers / powers.sum(axis=1, keepdims=True)
    return found


def fit_head(description: Array, target: Indices, actions: int, settings: HeadSettings, weight: Array) -> Head:
    """Fit to windows (N, D) with targets (N,) of 0..actions, where `actions` itself means none of them.

    weight: (N,) of each window; brought to the same sum for each action, and to other_share for the negatives.
    Every action has a window. Without negatives the output for everything else is never the likeliest.
    """
    totals = np.bincount(target, weight, minlength=actions + 1)
    wanted = np.append(np.ones(actions), settings.other_share)
    weight = weight * (wanted / np.maximum(totals, 1e-9))[target] * (len(target) / wanted.sum())
    centre = np.average(description, axis=0, weights=weight)
    spread = np.sqrt(np.average((description - centre) ** 2, axis=0, weights=weight))
    spread = np.maximum(spread, _MIN_SPREAD * max(float(np.median(spread)), 1e-6))
    scaled = (description - centre) / spread
    fit = {LOGISTIC: _logistic, MEANS: _means, DISCRIMINANT: _discriminant}[settings.kind]
    classes, weights, bias = fit(scaled, target, settings.strength, weight)
    whole = np.zeros((description.shape[1], actions + 1))
    constant = np.full(actions + 1, -20.0)
    whole[:, classes] = weights / spread[:, None]
    constant[classes] = bias - (centre / spread) @ weights
    return Head(whole.astype(np.float32), constant.astype(np.float32))


_Fitted = tuple[Indices, NDArray[np.float64], NDArray[np.float64]]  # classes (K,), weights (D, K), bias (K,)


def _logistic(x: NDArray[np.float64], target: Indices, strength: float, weight: Array) -> _Fitted:
    classes, place = np.unique(target, return_inverse=True)
    penalty = 1 / (strength * float(weight.sum()))
    if len(classes) == 2:  # of one column for two classes, as scikit-learn has it; here it is halved between them
        penalty *= 2
    weights, bias = fit_logistic(x.astype(np.float32), place, weight.astype(np.float64), penalty)
    return classes, weights, bias


def _means(x: NDArray[np.float64], target: Indices, strength: float, weight: Array) -> _Fitted:
    classes = np.unique(target)
    means = np.stack([np.average(x[target == c], axis=0, weights=weight[target == c]) for c in classes])
    scale = strength / x.shape[1]
    return classes, 2 * scale * means.T, -scale * (means**2).sum(axis=1)


def _discriminant(x: NDArray[np.float64], target: Indices, strength: float, weight: Array) -> _Fitted:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # slow import, only for comparison

    classes = np.unique(target)
    priors = np.full(len(classes), 1 / len(classes))
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=strength, priors=priors).fit(x, target)
    weights, bias = model.coef_.T, model.intercept_
    if len(classes) == 2:
        weights, bias = np.concatenate([-weights, weights], axis=1) / 2, np.array([-bias[0], bias[0]]) / 2
    return classes, weights, bias
