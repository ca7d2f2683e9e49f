"""Values that travel from the window to the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recognizer's input before the features: T poses of one person at a fixed rate.

    xy_px: (T, V, 2) float32, pixels (any square-pixel unit will do), x right, y down; 0 where missing.
    confidence: (T, V) float32 in 0..1; 0 where the joint is missing.
    fps: rate of the T poses. layout: names the V joints.
    time_s: time of the last pose. person: identity.
    """

    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    fps: float
    layout: Layout
    time_s: float
    person: int


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A recognizer's output for one clip.

    actions: A names, in the card's order. probabilities: (A,) float32, sums to 1.
    attention: what the graph tells of itself, float32 by the names of the card's attention outputs, shaped as there
        without the axis of the clips; empty unless it was asked for.
    """

    person: int
    time_s: float
    actions: tuple[str, ...]
    probabilities: NDArray[np.float32]
    attention: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """How much each joint at each frame of a clip counts as evidence for one action.

    relevance: (T, V) float32, above 0 is evidence for the action, below 0 evidence against it; scaled so that the
        largest magnitude is 1 (all 0 where nothing matters), the same for every recognizer and method.
    method: its name in recognizer.explain.METHODS. probability: of the action on the whole clip.
    """

    clip: Clip
    action: str
    method: str
    probability: float
    relevance: NDArray[np.float32]
