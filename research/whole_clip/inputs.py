"""The joints of whole clips as network input, augmented by a recipe in training."""

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from research.errors import ResearchError
from research.whole_clip import transforms
from research.whole_clip.presets import Augment, Channel, Preset
from research.whole_clip.transforms import Array


def channel_count(channels: tuple[Channel, ...], dims: int) -> int:
    """Input channels of a joint that has 2 or 3 dimensions."""
    return sum(1 if channel == "score" else dims for channel in channels)


def frames_of(preset: Preset, frames: int) -> int:
    """Frames of a training clip where a test clip has `frames`. ResearchError where none are left."""
    chosen = round(frames * preset.augment.choose) if preset.augment.choose else frames
    if chosen < 1:
        raise ResearchError(f"preset {preset.name} leaves nothing of clips of {frames} frames; give more --frames")
    return chosen


def plain_input(x: Array, score: Array, layout: Layout, preset: Preset, frames: int, *, mirrored: bool) -> Array:
    """Features (N, frames, V * C) of clips x (N, F, V, D), or of their mirror images, without augmentation.

    score: (N, F, V), as in TaskClips.
    """
    if x.shape[1] != frames:
        x, score = transforms.resample(x, score, transforms.even_positions(len(x), x.shape[1], frames))
    if mirrored:
        x, score = _mirrored(x, score, layout, preset)
    return _flat(channels_of(x, score, layout, preset))


def training_input(
    x: Array, score: Array, layout: Layout, preset: Preset, frames: int, rng: np.random.Generator
) -> Array:
    """Augmented features (N, T, V * C) of clips x (N, F, V, D). score: (N, F, V), as in TaskClips."""
    how = preset.augment
    x, score = _augment_time(x, score, how, frames, rng)
    if how.flip:
        x, score = transforms.random_flip(x, score, layout, rng, swap=how.flip == "swap")
    if how.rotate_deg:
        x = transforms.rotate(x, rng, how.rotate_deg)
    if how.scale:
        x = transforms.scale(x, rng, how.scale)
    if how.zoom:
        x = transforms.zoom(x, rng, how.zoom)
    if how.move:
        x = transforms.random_move(x, rng)
    if how.noise:
        x = transforms.gaussian_noise(x, rng, how.noise)
    if how.joint_dropout:
        score = transforms.joint_dropout(score, rng, how.joint_dropout)
    channels = channels_of(x, score, layout, preset)
    if how.feature_noise:
        channels = transforms.gaussian_noise(channels, rng, how.feature_noise)
    return _flat(channels)


def _augment_time(x: Array, score: Array, how: Augment, frames: int, rng: np.random.Generator) -> tuple[Array, Array]:
    n, source = x.shape[:2]
    positions: NDArray[np.floating] = transforms.even_positions(n, source, frames)
    if how.stretch:
        positions = transforms.interpolation(n, source, frames, rng, *how.stretch)
    if how.warp:
        positions = transforms.warp(positions, rng, how.warp)
    if how.sample:
        positions = transforms.random_positions(n, source, frames, rng)
    if how.stretch or how.warp or how.sample or source != frames:
        x, score = transforms.resample(x, score, positions)
    if how.choose:
        x, score = transforms.random_choose(x, score, max(round(frames * how.choose), 1), rng)
    return x, score


def _mirrored(x: Array, score: Array, layout: Layout, preset: Preset) -> tuple[Array, Array]:
    if preset.augment.flip == "plain":
        return transforms.negate_x(x), score
    return transforms.mirror(x, score, layout)


def channels_of(x: Array, score: Array, layout: Layout, preset: Preset) -> Array:
    """(N, T, V, C) the preset's channels of joints x (N, T, V, D); 0 where the score (N, T, V) is 0.

    A velocity is also 0 where the joint was not seen in the frame before. velocity_from_zero: difference of the centred
    position to that of the frame before; in the first frame the position itself (MPOSE2021's package). direction: unit
    vector from the joint's parent to the joint.
    """
    seen = score > 0
    if preset.centre == "box":
        x = transforms.scale_to_box(x, seen)
    placed = _centred(x, seen, layout) if preset.centre == "frame" else x
    there = seen[..., None]
    parts: list[NDArray[np.floating]] = []
    for channel in preset.channels:
        if channel == "position":
            parts.append(np.where(there, placed, 0))
        elif channel == "velocity":
            both = there & np.concatenate([there[:, :1], there[:, :-1]], axis=1)
            parts.append(np.where(both, np.diff(x, axis=1, prepend=x[:, :1]), 0))
        elif channel == "velocity_from_zero":
            parts.append(np.diff(placed, axis=1, prepend=0))
        elif channel == "score":
            parts.append(score[..., None].astype(np.float32))
        else:
            bone = np.where(there & there[:, :, layout.parents], x - x[:, :, layout.parents], 0)
            length = np.linalg.norm(bone, axis=-1, keepdims=True)
            parts.append(bone / np.where(length > 1e-6, length, 1))
    return np.concatenate(parts, axis=-1).astype(np.float32)


def _centred(x: Array, seen: NDArray[np.bool_], layout: Layout) -> Array:
    """Joints relative to the mid-hip of their frame; where a hip is not seen, to the last known mid-hip."""
    sides = [layout.index("left_hip"), layout.index("right_hip")]
    hips = x[:, :, sides].mean(axis=2)
    found = seen[:, :, sides].all(axis=2)
    latest = np.maximum.accumulate(np.where(found, np.arange(x.shape[1]), 0), axis=1)
    centred: Array = x - np.take_along_axis(hips, latest[..., None], axis=1)[:, :, None]
    return centred


def _flat(channels: Array) -> Array:
    return np.ascontiguousarray(channels.reshape(*channels.shape[:2], -1))
