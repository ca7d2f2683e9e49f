"""From training examples to the windows that a recognizer reads, original and augmented.

N windows, T frames, V joints, all in the recognizer's own layout.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout, convert
from recognizer.clips import Clip
from recognizer.teaching.examples import Example
from recognizer.window import resample

Array = NDArray[np.float32]
Positions = NDArray[np.float64]  # (N, T) seconds since the first pose of an example

_STEPS_PER_TICK = 2  # poses of a steady example in a tick of the recognizer's rate


@dataclass(frozen=True, slots=True)
class Shape:
    """What a recognizer reads: `frames` poses at `fps` of a layout."""

    frames: int
    fps: float
    layout: Layout

    @property
    def span_s(self) -> float:
        """From the first pose to the last."""
        return (self.frames - 1) / self.fps


@dataclass(frozen=True, slots=True)
class WindowAugmentation:
    """How strongly the windows that a head is fitted to are augmented.

    windows: changed windows of an example of the recognizer's own length; longer examples have more. speed: spread of
    the duration, the logarithm's bound. shift: of the start, in spans, beyond the example's ends too, which are held.
    noise: most of each window's standard deviation, in torsos. squeeze, tilt_deg: bounds of a change of width, and of a
    turn of the picture. mirror: each window also as in a mirror.
    """

    windows: int = 8
    speed: float = 0.2
    shift: float = 0.1
    noise: float = 0.012
    squeeze: float = 0.08
    tilt_deg: float = 5.0
    mirror: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ResampledExample:
    """An example at even times, in the recognizer's layout, from which windows are cut by interpolation.

    xy: (n, V, 2) pixels; confidence: (n, V); step_s: between two poses.
    """

    xy: Array
    confidence: Array
    step_s: float

    @property
    def duration_s(self) -> float:
        """From the first pose to the last."""
        return (len(self.xy) - 1) * self.step_s


def resampled(example: Example, shape: Shape) -> ResampledExample:
    """The example's poses as live recognition would resample them, twice as many."""
    xy, confidence = example.xy_px, example.confidence
    if example.layout != shape.layout:
        xy, confidence = convert(xy, confidence, example.layout, shape.layout)
    confidence = np.where(np.isfinite(xy).all(axis=-1), confidence, 0)
    tick_s = 1 / shape.fps
    count = max(int((example.times_s[-1] - example.times_s[0]) / tick_s + 1e-6) + 1, 2)
    parts = []
    for offset in range(_STEPS_PER_TICK):
        at_s = example.times_s[0] + (np.arange(count) + offset / _STEPS_PER_TICK) * tick_s
        parts.append(resample(example.times_s, xy.astype(np.float64), confidence.astype(np.float64), at_s, tick_s))
    # Every other pose of the interleaved parts; what lies beyond the last of the example is left out.
    kept = (count - 1) * _STEPS_PER_TICK + 1
    joined = [np.stack(values, axis=1).reshape(-1, *values[0].shape[1:])[:kept] for values in zip(*parts, strict=True)]
    return ResampledExample(joined[0], joined[1], tick_s / _STEPS_PER_TICK)


def sliding(example: ResampledExample, shape: Shape, hop_s: float) -> Positions:
    """Windows at the example's own speed, one every hop and one at the end; a short example is stretched to one
    window."""
    span_s = min(shape.span_s, example.duration_s)
    rest_s = example.duration_s - span_s
    starts = np.arange(0, rest_s + 1e-6, hop_s)
    if rest_s - starts[-1] > hop_s / 4:
        starts = np.append(starts, rest_s)
    return _spread(starts, np.full(len(starts), span_s), shape.frames)


def augmented_positions(
    example: ResampledExample, shape: Shape, changes: WindowAugmentation, rng: np.random.Generator, windows: int
) -> Positions:
    """Windows with other starts and speeds: `windows` of an example of the recognizer's own length, more of longer
    ones."""
    count = round(windows * max(1.0, example.duration_s / shape.span_s))
    span_s = shape.span_s * np.exp(rng.uniform(-changes.speed, changes.speed, count))
    short = span_s > example.duration_s  # stretched, with its ends held for a moment, as the networks were trained
    span_s = np.where(short, example.duration_s * rng.uniform(0.85, 1.15, count), span_s)
    margin_s = changes.shift * span_s
    first, last = (
        np.minimum(-margin_s, example.duration_s - span_s),
        np.maximum(example.duration_s - span_s + margin_s, 0),
    )
    return _spread(rng.uniform(first, last), span_s, shape.frames)


def cut(example: ResampledExample, positions: Positions) -> tuple[Array, Array]:
    """Windows (N, T, V, 2) and their confidence (N, T, V) at positions; beyond the ends the last pose stays."""
    place = np.clip(positions / example.step_s, 0, len(example.xy) - 1)
    before = place.astype(np.intp)
    after = np.minimum(before + 1, len(example.xy) - 1)
    part = (place - before).astype(np.float32)[..., None]
    seen = (example.confidence[before] > 0) & (example.confidence[after] > 0)
    confidence = example.confidence[before] * (1 - part) + example.confidence[after] * part
    xy = example.xy[before] * (1 - part[..., None]) + example.xy[after] * part[..., None]
    return np.where(seen[..., None], xy, 0).astype(np.float32), np.where(seen, confidence, 0).astype(np.float32)


def mirrored(xy: Array, confidence: Array, layout: Layout) -> tuple[Array, Array]:
    """Mirrored windows: x negated, left and right joints exchanged."""
    return xy[:, :, layout.mirrored] * np.array([-1, 1], np.float32), confidence[:, :, layout.mirrored]


def jittered(
    xy: Array, confidence: Array, layout: Layout, changes: WindowAugmentation, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Windows a little narrower or wider, tilted, and with a detector's noise."""
    count = len(xy)
    tilt = np.radians(rng.uniform(-changes.tilt_deg, changes.tilt_deg, count))
    width = 1 + rng.uniform(-changes.squeeze, changes.squeeze, count)
    cos, sin = np.cos(tilt), np.sin(tilt)
    turn = np.stack([np.stack([cos * width, -sin], -1), np.stack([sin * width, cos], -1)], -2)  # (N, 2, 2)
    torso = torso_px(xy, confidence, layout)
    strength = rng.uniform(0, changes.noise, count) * torso
    bias = rng.standard_normal((count, 1, xy.shape[2], 2)) * (changes.noise * torso)[:, None, None, None]
    noise = rng.standard_normal(xy.shape) * strength[:, None, None, None] + bias
    turned = np.einsum("nij,ntvj->ntvi", turn, xy) + noise
    return np.where(confidence[..., None] > 0, turned, 0).astype(np.float32), confidence


def torso_px(xy: Array, confidence: Array, layout: Layout) -> Array:
    """(N,) length of the torso, the median over the frames where it is seen; 0 where it never is."""
    places = [[layout.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip")]
    shoulders, hips = (xy[:, :, pair].mean(axis=2) for pair in places)
    seen = np.asarray(confidence[:, :, places[0] + places[1]] > 0).all(axis=2)
    lengths = np.where(seen, np.linalg.norm(shoulders - hips, axis=-1), np.nan)
    found = np.zeros(len(xy), np.float32)
    some = np.any(seen, axis=1)
    found[some] = np.nanmedian(lengths[some], axis=1)
    return found


def as_clips(xy: Array, confidence: Array, shape: Shape) -> list[Clip]:
    """Windows as a recognizer takes them."""
    pairs = zip(xy, confidence, strict=True)
    return [Clip(each, seen, shape.fps, shape.layout, 0.0, 0) for each, seen in pairs]


def joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Concatenate batches of windows."""
    return np.concatenate([xy for xy, _ in parts]), np.concatenate([confidence for _, confidence in parts])


def _spread(starts_s: NDArray[np.float64], span_s: NDArray[np.float64], frames: int) -> Positions:
    positions: Positions = starts_s[:, None] + span_s[:, None] * np.linspace(0, 1, frames)
    return positions
