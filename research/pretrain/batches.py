"""Batches of clips at their own lengths: each a function of the seed and its number, shared out over processes."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.training.loop import Batch
from recognizer.training.passes import Passes
from recognizer.training.pretrain.recipes import Pace, Recipe
from recognizer.training.pretrain.targets import mpdp_targets, steps_of
from research.pretrain.motion import Array, MotionClips, Rows
from research.whole_clip.transforms import rotate, shear


def resample(x: Array, frames: int) -> Array:
    """(frames, J, C) of a clip (T, J, C), linear in time, first and last frame kept."""
    place = np.linspace(0, len(x) - 1, frames)
    before = np.minimum(place.astype(np.intp), max(len(x) - 2, 0))
    after = np.minimum(before + 1, len(x) - 1)
    late = (place - before).astype(np.float32)[:, None, None]
    mixed: Array = (1 - late) * x[before] + late * x[after]
    return mixed


def apply_pace(x: Array, longest: int, pace: Pace, stretch: float = 1.0) -> Array:
    """A clip (T, J, C) `stretch` times as long, of at most `longest` frames; see Recipe for the pace ("sampled"
    ignores stretch)."""
    if pace == "sampled":
        return resample(x, longest)
    frames = max(round(len(x) * stretch), 2)
    if pace == "squeezed":
        frames = min(frames, longest)
    return (x if frames == len(x) else resample(x, frames))[:longest]


def roll_axes(x: Array, axis: int) -> Array:
    """A 3D clip (T, J, 3) seen along another axis of the world: its coordinates rolled by `axis` places, which rotates
    the world without mirroring it; 0 changes nothing."""
    return np.roll(x, axis, axis=2)


def pad_batch(clips: Sequence[Array]) -> tuple[Array, NDArray[np.bool_]]:
    """Clips padded with 0 to the longest (B, T, J, C), and which frames are real (B, T)."""
    lengths = np.array([len(clip) for clip in clips])
    x = np.zeros((len(clips), int(lengths.max()), *clips[0].shape[1:]), dtype=np.float32)
    for row, clip in enumerate(clips):
        x[row, : len(clip)] = clip
    return x, np.arange(x.shape[1]) < lengths[:, None]


class MotionBatches:
    """Training batches of some rows of clips.

    supervised: they carry labels (B,), else the classes of displacements, (B, T, I, J) for direction and magnitude.
    """

    def __init__(
        self, clips: MotionClips, rows: Rows, recipe: Recipe, frames: int, seed: int, supervised: bool = False
    ) -> None:
        self.clips, self.recipe, self.frames = clips, recipe, frames
        self._passes = Passes(rows, recipe.batch, (seed, 1))
        self.steps_per_epoch = self._passes.steps_per_epoch
        self.seed, self.supervised = seed, supervised
        self.steps_m: tuple[float, ...] | None = None
        if recipe.steps == "set" and not supervised:
            natural = [apply_pace(clips.x[row], frames, recipe.pace) for row in rows]
            self.steps_m = steps_of(natural, recipe.intervals, recipe.reading)
        self.is_global = np.zeros(len(clips.joints) * clips.people, dtype=bool)
        self.is_global[clips.global_joint * clips.people :][: clips.people] = True

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """The clips `mine` of the batch of a step, with their targets."""
        chosen = self._passes.drawn(step)
        rng = np.random.default_rng([self.seed, step])
        clips = self._augmented(chosen, rng)[mine]
        x, real = pad_batch(clips)
        if self.supervised:
            return torch.from_numpy(x), torch.from_numpy(real), torch.from_numpy(self.clips.labels[chosen[mine]])
        classes = mpdp_targets(x, self.clips.people, self.recipe.intervals, self.recipe.reading, self.steps_m)
        return torch.from_numpy(x), torch.from_numpy(real), *(torch.from_numpy(each) for each in classes)

    def _augmented(self, chosen: Rows, rng: np.random.Generator) -> list[Array]:
        recipe = self.recipe
        stretch = rng.uniform(1 - recipe.stretch, 1 + recipe.stretch, len(chosen))
        clips = [
            apply_pace(self.clips.x[row], self.frames, recipe.pace, how)
            for row, how in zip(chosen, stretch, strict=True)
        ]
        if recipe.yaw_deg and self.clips.channels == 3:
            clips = [rotate(clip[None], rng, (recipe.yaw_deg, 0.0, 0.0))[0] for clip in clips]
        if recipe.axes > 1 and self.clips.channels == 3:
            clips = [
                roll_axes(clip, axis)
                for clip, axis in zip(clips, rng.integers(recipe.axes, size=len(clips)), strict=True)
            ]
        if not recipe.shear:
            return clips
        sheared = (shear(clip[None], rng, recipe.shear)[0] for clip in clips)
        return [np.where(self.is_global[:, None], clip, new) for clip, new in zip(clips, sheared, strict=True)]
