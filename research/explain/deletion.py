"""How faithful explanations are: what hiding the joints and frames that they name does to the action.

After the region perturbation of Samek et al., Evaluating the Visualization of What a Deep Neural Network Has Learned,
IEEE TNNLS 2017: hide the most relevant first, against the least relevant first and against chance. N clips, S steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognizer.clips import Clip
from recognizer.explain import Recognizer, predict_in_batches

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)  # of everything, hidden
UNITS = ("cells", "joints", "frames")


def hide(clip: Clip, mask: Mask) -> Clip:
    """Mark joints as not seen: confidence 0. mask: (T, V)."""
    return replace(clip, confidence=np.where(mask, np.float32(0), clip.confidence))


def freeze(clip: Clip, mask: Mask) -> Clip:
    """Hold joints still: at their mean offset from the centre of the frame's joints. mask: (T, V)."""
    seen = (clip.confidence > 0)[..., None]
    body = (clip.xy_px * seen).sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    beside = ((clip.xy_px - body) * seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)  # (V, 2)
    return replace(clip, xy_px=np.where(mask[..., None] & seen, body + beside, clip.xy_px).astype(np.float32))


REMOVALS: Mapping[str, Callable[[Clip, Mask], Clip]] = {"hidden": hide, "at rest": freeze}


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Mean probability (S,) of the originally predicted action after removal, by order of removal. shares: (S,)
    removed.

    area: mean of least_relevant_first minus most_relevant_first: how far the order beats its reverse; 0 by chance.
    """

    shares: tuple[float, ...]
    most_relevant_first: Array
    least_relevant_first: Array

    @property
    def area(self) -> float:
        """Area between the curves."""
        return float((self.least_relevant_first - self.most_relevant_first).mean())


def curves(
    recognizer: Recognizer, clips: Sequence[Clip], relevance: Sequence[Array], unit: str, removal: str, seed: int = 0
) -> Curves:
    """Deletion by `relevance`, (T, V) of each clip. Ties are broken at random."""
    first = [int(p.probabilities.argmax()) for p in predict_in_batches(recognizer, clips)]
    lines = []
    for sign in (1, -1):
        rng = np.random.default_rng(seed)
        changed = [
            REMOVALS[removal](clip, mask)
            for clip, values in zip(clips, relevance, strict=True)
            for mask in masks(sign * values, unit, rng)
        ]
        after = np.array([p.probabilities for p in predict_in_batches(recognizer, changed)])
        after = after.reshape(len(clips), len(SHARES), -1)
        lines.append(after[np.arange(len(clips)), :, first].mean(axis=0))
    return Curves(SHARES, *lines)


def masks(relevance: Array, unit: str, rng: np.random.Generator) -> list[Mask]:
    """The most relevant cells, whole joints or whole frames for each of SHARES, True where removed: (T, V) each."""
    axis = {"cells": None, "joints": 0, "frames": 1}[unit]
    values = relevance.ravel() if axis is None else relevance.mean(axis=axis)
    order = np.lexsort((rng.random(len(values)), -values))
    found = []
    for share in SHARES:
        gone = np.zeros(len(values), dtype=np.bool_)
        gone[order[: max(1, round(share * len(values)))]] = True
        whole = gone if axis is None else np.expand_dims(gone, axis)
        found.append(np.broadcast_to(whole.reshape(relevance.shape) if axis is None else whole, relevance.shape))
    return found
