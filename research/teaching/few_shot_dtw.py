"""The nearest clip by dynamic time warping of the normalised joints: the baseline of few-shot episodes.

Sakoe and Chiba, IEEE Transactions on Acoustics, Speech and Signal Processing 26 (1978): the symmetric steps without a
limit of the slope, the sum divided by the length of both sequences.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.teaching.examples import Example
from recognizer.training.augment import Array, unit_size

RATE_HZ = 15.0
_BATCH = 256


def joints_of(clip: Example) -> Array:
    """(n, V * 2): joints from each frame's mid-hip in units of the clip's torso, RATE_HZ poses a second."""
    count = max(round(float(clip.times_s[-1] - clip.times_s[0]) * RATE_HZ) + 1, 2)
    at_s = np.linspace(clip.times_s[0], clip.times_s[-1], count)
    flat = clip.xy_px.reshape(len(clip.xy_px), -1)
    even = np.stack([np.interp(at_s, clip.times_s, column) for column in flat.T], axis=1)
    joints = unit_size(even.reshape(1, count, -1, 2).astype(np.float32))[0]
    hips = joints[:, 7:9].mean(axis=1, keepdims=True)
    found: Array = (joints - hips).reshape(count, -1)
    return found


def distances(a: Sequence[Array], b: Sequence[Array]) -> NDArray[np.float64]:
    """(A, B) of every sequence of a to every one of b; sequences (n, F)."""
    found = np.empty((len(a), len(b)))
    pairs = [(i, j) for i in range(len(a)) for j in range(len(b))]
    pairs.sort(key=lambda pair: (len(a[pair[0]]), len(b[pair[1]])))
    for first in range(0, len(pairs), _BATCH):
        here = pairs[first : first + _BATCH]
        lengths = np.array([(len(a[i]), len(b[j])) for i, j in here])
        cost = np.full((len(here), *lengths.max(axis=0)), np.inf, np.float32)
        for place, (i, j) in enumerate(here):
            cost[place, : len(a[i]), : len(b[j])] = _euclidean(a[i], b[j])
        rows, columns = zip(*here, strict=True)
        found[rows, columns] = _warped_costs(cost, lengths) / lengths.sum(axis=1)
    return found


def _euclidean(a: Array, b: Array) -> Array:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: Array = np.sqrt(np.maximum(squared, 0))
    return found


def _warped_costs(cost: Array, lengths: NDArray[np.intp]) -> NDArray[np.float64]:
    """(P,) costs of the cheapest paths through (P, n, m) to each pair's end; diagonal steps count twice."""
    pairs, n, m = cost.shape
    total = np.full((pairs, n + 1, m + 1), np.inf)
    total[:, 0, 0] = 0
    for diagonal in range(2, n + m + 1):
        i = np.arange(max(1, diagonal - m), min(n, diagonal - 1) + 1)
        j = diagonal - i
        here = cost[:, i - 1, j - 1]
        straight = np.minimum(total[:, i - 1, j], total[:, i, j - 1]) + here
        total[:, i, j] = np.minimum(straight, total[:, i - 1, j - 1] + 2 * here)
    ends: NDArray[np.float64] = total[np.arange(pairs), lengths[:, 0], lengths[:, 1]]
    return ends
