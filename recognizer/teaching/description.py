"""The features of a window that a head is trained on: the recognizer's embedding, and the spread of its input features.

The embedding was trained to separate the base's own actions; for new actions the spread of the input features adds what
it leaves out (docs/benchmarks-teaching.md). Both are in the graph of a taught recognizer.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.clips import Clip
from recognizer.features import clip_features

Array = NDArray[np.float32]

MIN_VARIANCE = np.float32(1e-6)  # below it a feature stands still


class Embedder(Protocol):
    """The part of a recognizer that is used here."""

    def embed(self, clips: Sequence[Clip]) -> Array:
        """(N, E) of N clips."""
        ...


def describe(clips: Sequence[Clip], embedder: Embedder) -> Array:
    """(N, D) float32, D = E + F: the embedding, then the spread of each of the F features."""
    xy_px, confidence = np.stack([clip.xy_px for clip in clips]), np.stack([clip.confidence for clip in clips])
    features = clip_features(xy_px, confidence, clips[0].fps)
    return described(embedder.embed(clips), features)


def described(embedding: Array, features: Array) -> Array:
    """(N, E) and features (N, T, F) to (N, E + F)."""
    variance = np.maximum(((features - features.mean(axis=1, keepdims=True)) ** 2).mean(axis=1), MIN_VARIANCE)
    return np.concatenate([embedding, np.sqrt(variance)], axis=1)
