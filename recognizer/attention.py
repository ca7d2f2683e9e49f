"""What attention outputs say of frames and joints. T frames, T' of them left inside the network, V joints, H heads."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

ATTENTION = "attention"  # (L, H, T + 1, T + 1): AcT, the class token first
POSITION_SIMILARITY = "position_similarity"  # (networks, T + 1, T + 1)
CLASS_ACTIVATION = "class_activation"  # (A, T', V)
EDGE_IMPORTANCE = "edge_importance"  # (blocks, subsets, V, V)
SPATIAL = "spatial_attention_"  # and the layer from 1: (H, T', V, V), queries first
TEMPORAL = "temporal_attention_"  # and the layer from 1: (H, V, T', T'), queries first


def frame_scores(attention: Array) -> Array:
    """How much AcT's class token looks at each frame in the last layer, heads summed, the largest 1: (T,).

    attention: (L, H, T + 1, T + 1). AcT paper, Fig. 7.
    """
    scores = attention[-1, :, 0, 1:].sum(axis=0)
    return np.asarray(scores / max(float(scores.max()), 1e-12), dtype=np.float32)


def joint_relevance_over_time(spatial: Array) -> Array:
    """How much all joints look at each joint in every frame, 1 on average: (T', V). ST-TR paper, Fig. 8.

    spatial: (H, T', V, V); the sum over each column, the mean over heads.
    """
    return np.asarray(spatial.mean(axis=0).sum(axis=1), dtype=np.float32)


def temporal_map(temporal: Array, joint: int, head: int | None = None) -> Array:
    """How the frames of one joint look at each other, rows sum to 1: (T', T'). temporal: (H, V, T', T')."""
    return np.asarray(_one(temporal[:, joint], 0, head), dtype=np.float32)


def frame_relevance_of_joints(temporal: Array) -> Array:
    """How much the frames of each joint look at each frame, 1 on average: (T', V). temporal: (H, V, T', T')."""
    return np.asarray(temporal.mean(axis=0).sum(axis=1).T, dtype=np.float32)


def at_frames(values: Array, frames: int) -> Array:
    """Values (T', ...) inside the network at the T frames of the clip: (T, ...), straight lines between them.

    The T' places are spread evenly over the clip, a whole stride apart.
    """
    count = len(values)
    if count == frames:
        return values
    stride = -(-frames // count)
    places = (frames - 1 - stride * (count - 1)) / 2 + stride * np.arange(count)
    if places[0] < 0:
        places = np.linspace(0, frames - 1, count)
    flat = values.reshape(count, -1)
    columns = [np.interp(np.arange(frames), places, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(frames, *values.shape[1:]).astype(np.float32)


def layers(names: Iterable[str], prefix: str) -> tuple[str, ...]:
    """The outputs of the layers of SPATIAL or TEMPORAL, in order."""
    return tuple(sorted((name for name in names if name.startswith(prefix)), key=lambda name: int(name[len(prefix) :])))


def _one(maps: Array, axis: int, place: int | None) -> Array:
    return np.asarray(maps.mean(axis=axis) if place is None else maps.take(place, axis=axis))
