"""Clips between two actions: of mixed labels, and of one that changes within the clip (the paper's equation 8)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.training.generate.trained import Trained

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Smoothness:
    """How evenly clips go from one action to the other.

    largest_step: the largest step between neighbouring mixes, divided by the mean step; 1 is perfectly even.
    jerk: the largest move of a joint between frames of the transition clip, divided by that of the two pure clips.
    """

    largest_step: float
    jerk: float


def mixes(trained: Trained, first: str, second: str, steps: int, seed: int) -> Array:
    """Clips (S, T, V, 2) from one action to the other, of the same noise, S = steps."""
    if steps < 2:
        raise ValueError("a blend needs both of its ends")
    places = trained.place(first), trained.place(second)
    ends = np.eye(len(trained.actions), dtype=np.float32)[list(places)]
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    # One noise for all: a clip at a time, from the same seed.
    clips: Array = np.concatenate([trained.joints(one[None], seed) for one in (1 - share) * ends[0] + share * ends[1]])
    return clips


def transition(trained: Trained, first: str, second: str, seed: int, over: float = 0.5) -> Array:
    """A clip (T, V, 2) that begins as one action and ends as the other; the label changes evenly over the middle part
    of its time."""
    if not 0 < over <= 1:
        raise ValueError(f"the label cannot change over {over} of a clip")
    places = trained.place(first), trained.place(second)
    ends = np.eye(len(trained.actions), dtype=np.float32)[list(places)]
    time = np.linspace(0, 1, trained.frames, dtype=np.float32)
    share = np.clip((time - (1 - over) / 2) / over, 0, 1)[:, None]
    clip: Array = trained.joints(((1 - share) * ends[0] + share * ends[1])[None], seed)[0]
    return clip


def smoothness(trained: Trained, first: str, second: str, seed: int, steps: int = 11) -> Smoothness:
    """Smoothness of the mixes and of the transition of two actions."""
    clips = mixes(trained, first, second, steps, seed)
    way = np.sqrt(((clips[1:] - clips[:-1]) ** 2).mean(axis=(1, 2, 3)))
    pure = max(_largest_move(clips[0]), _largest_move(clips[-1]))
    jerk = _largest_move(transition(trained, first, second, seed)) / max(pure, 1e-9)
    return Smoothness(float(way.max() / max(way.mean(), 1e-9)), jerk)


def _largest_move(clip: Array) -> float:
    return float(np.linalg.norm(np.diff(clip, axis=0), axis=-1).max())
