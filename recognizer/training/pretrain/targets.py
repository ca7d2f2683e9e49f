"""Targets of MPDP, multi-interval pose displacement prediction (GL-Transformer, section 3.4 of the paper).

Equal to those of the published code; "paper" is the paper's text where the two differ. N clips, T frames, J tokens, C
coordinates, I intervals.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Reading = Literal["code", "paper"]
Classes = NDArray[np.int64]

INTERVALS = (1, 5, 10)
STEP_M = 0.01  # of magnitude classes
FARTHEST = 14  # class of 13 steps and more
FARTHEST_SHARE = 0.05  # of the moves that steps_of leaves to it
ABSENT = 15  # class of everything about a person who is not there
MAGNITUDES = 16


def displacement(x: NDArray[np.floating], interval: int, reading: Reading = "code") -> NDArray[np.floating]:
    """(N, T, J, C) the way between frame t - n and frame t of clips x (N, T, J, C).

    "code": x_{t-n} - x_t, with the first frame for those before it. "paper": x_t - x_{t-n}, 0 where t < n.
    """
    before = x[:, np.maximum(np.arange(x.shape[1]) - interval, 0)]
    way: NDArray[np.floating] = before - x if reading == "code" else x - before
    if reading == "code":
        return way
    way[:, :interval] = 0
    return way


def directions(way: NDArray[np.floating]) -> Classes:
    """(...) classes of displacements (..., C): the sum of 3^c times 0, 1, 2 for a coordinate below, at, above 0."""
    classes: Classes = ((np.sign(way) + 1) @ 3.0 ** np.arange(way.shape[-1])).astype(np.int64)
    return classes


def magnitudes(way: NDArray[np.floating], step_m: float = STEP_M) -> Classes:
    """(...) classes of displacements (..., C), metres: 0 for none, then one for each step, up to FARTHEST."""
    length = np.linalg.norm(way, axis=-1)
    return np.where(length == 0, 0, np.minimum(np.floor(length / step_m) + 1, FARTHEST)).astype(np.int64)


def steps_of(
    clips: Sequence[NDArray[np.floating]], intervals: Sequence[int] = INTERVALS, reading: Reading = "code"
) -> tuple[float, ...]:
    """The step of the magnitude classes of each interval in the scale of clips (T, J, C): FARTHEST_SHARE of the moves
    that are not 0 are in the class FARTHEST."""
    steps = []
    for interval in intervals:
        lengths = [np.linalg.norm(displacement(clip[None], interval, reading), axis=-1).ravel() for clip in clips]
        moves = np.concatenate(lengths)
        moves = moves[moves > 0]
        limit = float(np.quantile(moves, 1 - FARTHEST_SHARE)) if len(moves) else 0.0
        steps.append(limit / (FARTHEST - 1) or STEP_M)
    return tuple(steps)


def mpdp_targets(
    x: NDArray[np.floating],
    people: int,
    intervals: Sequence[int] = INTERVALS,
    reading: Reading = "code",
    steps_m: Sequence[float] | None = None,
) -> tuple[Classes, Classes]:
    """Classes of direction and magnitude, both (N, T, I, J), of clips (N, T, J, C).

    steps_m: of the magnitude classes of each interval; STEP_M by default. A person after the first is absent where all
    is 0 in the first frame.
    """
    ways = [displacement(x, interval, reading) for interval in intervals]
    direction = np.stack([directions(way) for way in ways], axis=2)
    steps = steps_m or [STEP_M] * len(ways)
    magnitude = np.stack([magnitudes(way, step) for way, step in zip(ways, steps, strict=True)], axis=2)
    for person in range(1, people):
        absent = ~x[:, 0, person::people].any(axis=(1, 2))
        magnitude[absent, :, :, person::people] = ABSENT
    return direction, magnitude
