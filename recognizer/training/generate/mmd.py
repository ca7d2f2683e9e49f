"""Maximum mean discrepancy between generated and real clips, as SA-GCN's code computes it (util/evaluation.py).

Kernel exp(-d^2 / s) of the squared distance d^2, for 14 bandwidths s from 10^-4 to 10^9. With m samples in each set
MMD^2 = sum over i != j of (k(x_i, x_j) + k(y_i, y_j) - 2 k(x_i, y_j)) / (m (m - 1)), and its root is the measure: not
a number where the estimate is below 0. The bandwidth that separates the sets best counts; classes are averaged.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]
Mode = Literal["seq", "avg"]

BANDWIDTHS = tuple(10.0**power for power in range(-4, 10))


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """avg: of single frames, averaged over the frames. seq: of whole clips. Lower is closer to the real ones."""

    avg: float
    seq: float


def discrepancy(made: Values, real: Values, made_labels: NDArray[np.intp], labels: NDArray[np.intp]) -> Discrepancy:
    """Of clips (N, T, F) and (R, T, F) with labels (N,) and (R,): mean over the actions.

    Of an action as many clips count as both sets have, the first ones; actions with fewer than two are left out.
    ValueError where none is left.
    """
    found: dict[Mode, list[float]] = {"avg": [], "seq": []}
    for action in np.unique(labels):
        ours, theirs = made[made_labels == action], real[labels == action]
        m = min(len(ours), len(theirs))
        if m < 2:
            continue
        for mode, values in found.items():
            values.append(best(by_bandwidth(ours[:m], theirs[:m], mode)))
    if not found["seq"]:
        raise ValueError("no action has two generated and two real clips to compare")
    return Discrepancy(mean(found["avg"]), mean(found["seq"]))


def by_bandwidth(made: Values, real: Values, mode: Mode) -> NDArray[np.float64]:
    """(14,) MMD of two sets (m, T, F) of one action for each bandwidth. "seq": of whole clips; "avg": of the frames of
    each time, averaged over the times; NaN where one of them is NaN."""
    if mode == "seq":
        return _mmd(made.reshape(len(made), -1), real.reshape(len(real), -1))
    times = [_mmd(made[:, t], real[:, t]) for t in range(made.shape[1])]
    averaged: NDArray[np.float64] = np.mean(times, axis=0)
    return averaged


def best(values: NDArray[np.float64]) -> float:
    """The largest value over the bandwidths, ignoring NaN; NaN where all are."""
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")


def mean(values: list[float]) -> float:
    """The mean over the actions, ignoring NaN; NaN where all are."""
    numbers = [value for value in values if np.isfinite(value)]
    return float(np.mean(numbers)) if numbers else float("nan")


def _mmd(made: Values, real: Values) -> NDArray[np.float64]:
    made, real = np.asarray(made, np.float64), np.asarray(real, np.float64)
    m = len(made)
    distances = _squared_distances(made, made), _squared_distances(real, real), _squared_distances(made, real)
    roots = []
    for bandwidth in BANDWIDTHS:
        within, among, across = (np.exp(-squared / bandwidth) for squared in distances)
        terms = within + among - 2 * across
        np.fill_diagonal(terms, 0)
        with np.errstate(invalid="ignore"):
            roots.append(np.sqrt(terms.sum() / (m * (m - 1))))
    return np.array(roots)


def _squared_distances(a: Values, b: Values) -> NDArray[np.float64]:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    clipped: NDArray[np.float64] = np.maximum(squared, 0)
    return clipped
