"""Explanations: how much each joint at each frame of a clip counts as evidence for an action.

T frames, V joints, A actions. Every method gives an `Explanation` on the same scale.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer import attention
from recognizer.clips import Clip, Explanation, Prediction
from recognizer.errors import RecognizerError
from recognizer.model_card import ModelCard

Array = NDArray[np.float32]

OCCLUSION, ATTENTION, CLASS_ACTIVATION = "occlusion", "attention", "class_activation"
METHODS: Mapping[str, str] = {
    OCCLUSION: "how much hiding joints for a moment changes the action's probability",
    ATTENTION: "where the network looks, whatever the action",
    CLASS_ACTIVATION: "the evidence for the action in the network's last layer",
}
_BATCH = 8  # clips in one call: bounds memory for large networks, and the delay until a cancelled explanation stops
_MIN_RELEVANCE = 1e-4  # a smaller relevance is rounding error
_PROBABILITY = 1e-4  # probabilities are clipped to this distance from 0 and 1


class Recognizer(Protocol):
    """The part of a loaded recognizer that is used here."""

    card: ModelCard

    def predict(self, clips: Sequence[Clip], *, attention: bool = False) -> Sequence[Prediction]:
        """A prediction for each clip."""
        ...


def available_methods(card: ModelCard) -> tuple[str, ...]:
    """The methods that a recognizer offers, the most faithful first (docs/benchmarks-explanations.md)."""
    names = {spec.name for spec in card.attention}
    looks = attention.ATTENTION in names or any(name.startswith(attention.SPATIAL) for name in names)
    own = [(CLASS_ACTIVATION, attention.CLASS_ACTIVATION in names), (ATTENTION, looks)]
    return (OCCLUSION, *(method for method, there in own if there))


def explain(recognizer: Recognizer, clip: Clip, action: str | None, method: str = OCCLUSION) -> Explanation:
    """Explain one action, or the top one where None. Raises RecognizerError for an unknown action or method."""
    if action is not None and action not in recognizer.card.actions:
        raise RecognizerError(f"{recognizer.card.name} has no action {action!r}; choose one of its own")
    found = explain_actions(recognizer, clip, method)
    return found[action] if action else max(found.values(), key=lambda one: one.probability)


def explain_actions(recognizer: Recognizer, clip: Clip, method: str = OCCLUSION) -> dict[str, Explanation]:
    """Explain every action at once, which costs no more than one. Raises RecognizerError."""
    card = recognizer.card
    offered = available_methods(card)
    if method not in offered:
        raise RecognizerError(f"{card.name} has no explanation {method!r}; choose one of {', '.join(offered)}")
    if method == OCCLUSION:
        prediction, relevance = _by_occlusion(recognizer, clip)
    else:
        (prediction,) = recognizer.predict([clip], attention=True)
        relevance = _METHODS[method](prediction, clip)
    seen = clip.confidence > 0
    return {
        name: Explanation(clip, name, method, float(probability), scaled(np.where(seen, of_action, 0)))
        for name, probability, of_action in zip(card.actions, prediction.probabilities, relevance, strict=True)
    }


def scaled(relevance: NDArray[np.floating]) -> Array:
    """Scaled to a largest magnitude of 1; all 0 where there is nothing but rounding error."""
    largest = float(np.abs(relevance).max(initial=0.0))
    return np.asarray(relevance / largest if largest > _MIN_RELEVANCE else np.zeros_like(relevance), dtype=np.float32)


def relevance_of_joints(explanation: Explanation) -> Array:
    """The evidence for the action, summed over the clip: (V,), the largest 1, or all 0 where there is none."""
    sums = np.maximum(explanation.relevance, 0).sum(axis=0)
    return scaled(sums)


# Occlusion.


@dataclass(frozen=True, slots=True)
class Occlusion:
    """What is hidden, at several scales: each of "joints", "limbs" or "body" for each span of that many frames, 0 for
    the whole clip. The effect of a mask is divided among the joints and frames that it hides."""

    scales: tuple[tuple[str, int], ...] = (("joints", 0), ("joints", 15), ("body", 10), ("body", 3))


# Of 14 combinations the one with the largest area between its deletion curves, on 100 validation clips with AcT
# (docs/benchmarks-explanations.md).
DEFAULT_OCCLUSION = Occlusion()


def _by_occlusion(recognizer: Recognizer, clip: Clip) -> tuple[Prediction, Array]:
    return by_occlusion(recognizer, clip, DEFAULT_OCCLUSION)


def by_occlusion(recognizer: Recognizer, clip: Clip, occlusion: Occlusion) -> tuple[Prediction, Array]:
    """The prediction of the clip, and how much hiding lowers the log odds of each action (A, T, V).

    After Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2; joints
    are hidden as a camera hides them, with confidence 0.
    """
    masks = [
        mask for mask in masks_of(clip.layout, len(clip.confidence), occlusion) if (clip.confidence[mask] > 0).any()
    ]
    hidden = [replace(clip, confidence=np.where(mask, np.float32(0), clip.confidence)) for mask in masks]
    predictions = predict_in_batches(recognizer, [clip, *hidden])
    odds = _log_odds(np.stack([prediction.probabilities for prediction in predictions]))  # (1 + masks, A)
    total = np.zeros((odds.shape[1], *clip.confidence.shape))
    for mask, after in zip(masks, odds[1:], strict=True):
        total[:, mask] += ((odds[0] - after) / mask.sum())[:, None]
    return predictions[0], total.astype(np.float32)


def masks_of(layout: Layout, frames: int, occlusion: Occlusion) -> list[NDArray[np.bool_]]:
    """Masks (T, V), True where hidden."""
    masks = []
    for parts, length in occlusion.scales:
        for group in _groups(layout, parts):
            for start, end in _spans(frames, length):
                mask = np.zeros((frames, len(layout)), dtype=np.bool_)
                mask[start:end, group] = True
                masks.append(mask)
    return masks


def _spans(frames: int, length: int) -> list[tuple[int, int]]:
    if not 0 < length < frames:
        return [(0, frames)]
    count = math.ceil(frames / length)
    starts = np.linspace(0, frames - length, count).round().astype(int)
    return [(int(start), int(start) + length) for start in starts]


def _groups(layout: Layout, parts: str) -> list[list[int]]:
    if parts == "joints":
        return [[joint] for joint in range(len(layout))]
    if parts == "body":
        return [list(range(len(layout)))]
    limbs = [("elbow", "wrist"), ("knee", "ankle")]
    names = [{f"{side}_{joint}" for joint in limb} for limb in limbs for side in ("left", "right")]
    groups = [[layout.index(joint) for joint in layout.joints if joint in limb] for limb in names]
    return [group for group in groups if group]


def predict_in_batches(recognizer: Recognizer, clips: Sequence[Clip]) -> list[Prediction]:
    """Predictions of many clips, a few at a time."""
    starts = range(0, len(clips), _BATCH)
    return [prediction for start in starts for prediction in recognizer.predict(clips[start : start + _BATCH])]


def _log_odds(probabilities: Array) -> NDArray[np.float64]:
    p = np.clip(probabilities.astype(np.float64), _PROBABILITY, 1 - _PROBABILITY)
    return np.asarray(np.log(p / (1 - p)))


# The network's own explanations.


def _by_attention(prediction: Prediction, clip: Clip) -> Array:
    """(A, T, V), the same for all actions: AcT's class token over frames, ST-TR's columns over joints and frames."""
    maps, frames = prediction.attention, len(clip.confidence)
    relevance = np.ones(clip.confidence.shape, np.float32)
    if attention.ATTENTION in maps:
        relevance = relevance * attention.frame_scores(maps[attention.ATTENTION])[:, None]
    readings = (
        (attention.SPATIAL, attention.joint_relevance_over_time),
        (attention.TEMPORAL, attention.frame_relevance_of_joints),
    )
    for prefix, read in readings:
        found = [attention.at_frames(read(maps[name]), frames) for name in attention.layers(maps, prefix)]
        if found:
            relevance = relevance * np.mean(found, axis=0)
    return np.broadcast_to(relevance, (len(prediction.actions), *relevance.shape))


def _by_class_activation(prediction: Prediction, clip: Clip) -> Array:
    """(A, T, V)."""
    maps = prediction.attention[attention.CLASS_ACTIVATION]
    return np.stack([attention.at_frames(of_action, len(clip.confidence)) for of_action in maps])


_METHODS: Mapping[str, Callable[[Prediction, Clip], Array]] = {
    ATTENTION: _by_attention,
    CLASS_ACTIVATION: _by_class_activation,
}
