"""Batches of clips at their own lengths: each a function of the seed and its number, shared out over processes."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from recognizer.training.pretrain.motion import Array, MotionClips, Rows
from recognizer.training.pretrain.recipes import Pace, Recipe
from recognizer.training.pretrain.targets import mpdp_targets
from recognizer.training.whole_clip.transforms import shear

Batch = tuple[Tensor, ...]  # clips (B, T, J, C), real (B, T), then targets or labels (B,)


def resampled(x: Array, frames: int) -> Array:
    """(frames, J, C) of a clip (T, J, C), linear in time, first and last frame kept."""
    place = np.linspace(0, len(x) - 1, frames)
    before = np.minimum(place.astype(np.intp), max(len(x) - 2, 0))
    after = np.minimum(before + 1, len(x) - 1)
    late = (place - before).astype(np.float32)[:, None, None]
    mixed: Array = (1 - late) * x[before] + late * x[after]
    return mixed


def paced(x: Array, longest: int, pace: Pace, stretch: float = 1.0) -> Array:
    """A clip (T, J, C) `stretch` times as long, of at most `longest` frames; see Recipe for the pace ("sampled" knows
    no stretch)."""
    if pace == "sampled":
        return resampled(x, longest)
    frames = max(round(len(x) * stretch), 2)
    if pace == "squeezed":
        frames = min(frames, longest)
    return (x if frames == len(x) else resampled(x, frames))[:longest]


def together(clips: Sequence[Array], frames: int | None = None) -> tuple[Array, NDArray[np.bool_]]:
    """Clips side by side (B, T, J, C), 0 after their ends, and which frames are real (B, T).

    T is that of the longest, or `frames`.
    """
    lengths = np.array([len(clip) for clip in clips])
    x = np.zeros((len(clips), frames or int(lengths.max()), *clips[0].shape[1:]), dtype=np.float32)
    for row, clip in enumerate(clips):
        x[row, : len(clip)] = clip
    return x, np.arange(x.shape[1]) < lengths[:, None]


class Batches(Protocol):
    """What training draws from."""

    recipe: Recipe

    @property
    def steps_an_epoch(self) -> int:
        """Batches of a pass over the data."""
        ...

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """The clips `mine` of the batch of a step; a function of the step alone."""
        ...


class BatchMaker:
    """Training batches of some rows of clips.

    Batches are cut from an endless row of passes over the rows, each in a new random order, so all are full.
    supervised: they carry labels (B,), else the classes of displacements, (B, T, I, J) for direction and magnitude.
    """

    def __init__(
        self, clips: MotionClips, rows: Rows, recipe: Recipe, frames: int, seed: int, supervised: bool = False
    ) -> None:
        self.clips, self.rows, self.recipe, self.frames = clips, rows, recipe, frames
        self.seed, self.supervised = seed, supervised
        self.is_global = np.zeros(len(clips.joints) * clips.people, dtype=bool)
        self.is_global[clips.global_joint * clips.people :][: clips.people] = True

    @property
    def steps_an_epoch(self) -> int:
        """Batches that a pass over the rows fills."""
        return math.ceil(len(self.rows) / self.recipe.batch)

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """The clips `mine` of the batch of a step, with what is to be learnt of them."""
        chosen = self._drawn(step)
        rng = np.random.default_rng([self.seed, step])
        clips = self._augmented(chosen, rng)[mine]
        x, real = together(clips)
        if self.supervised:
            return torch.from_numpy(x), torch.from_numpy(real), torch.from_numpy(self.clips.labels[chosen[mine]])
        classes = mpdp_targets(x, self.clips.people, self.recipe.intervals, self.recipe.reading)
        return torch.from_numpy(x), torch.from_numpy(real), *(torch.from_numpy(each) for each in classes)

    def _augmented(self, chosen: Rows, rng: np.random.Generator) -> list[Array]:
        recipe = self.recipe
        stretch = rng.uniform(1 - recipe.stretch, 1 + recipe.stretch, len(chosen))
        clips = [
            paced(self.clips.x[row], self.frames, recipe.pace, how) for row, how in zip(chosen, stretch, strict=True)
        ]
        if not recipe.shear:
            return clips
        sheared = (shear(clip[None], rng, recipe.shear)[0] for clip in clips)
        return [np.where(self.is_global[:, None], clip, new) for clip, new in zip(clips, sheared, strict=True)]

    def _drawn(self, step: int) -> Rows:
        places = np.arange(step * self.recipe.batch, (step + 1) * self.recipe.batch)
        passes = places // len(self.rows)
        drawn = np.empty(len(places), dtype=np.intp)
        for number in np.unique(passes):
            order = np.random.default_rng([self.seed, int(number), 1]).permutation(self.rows)
            here = passes == number
            drawn[here] = order[places[here] % len(self.rows)]
        return drawn


class MotionData(lightning.LightningDataModule):
    """Batches for Lightning: process r of w takes clips r, r + w, ... of every batch."""

    def __init__(self, maker: Batches, steps: int) -> None:
        super().__init__()
        self.maker, self.steps = maker, steps

    def train_dataloader(self) -> DataLoader[Batch]:
        trainer = self.trainer
        done, rank, world = (trainer.global_step, trainer.global_rank, trainer.world_size) if trainer else (0, 0, 1)
        return DataLoader(_Stream(self.maker, range(done, self.steps), slice(rank, None, world)), batch_size=None)


class _Stream(IterableDataset[Batch]):
    """The batches of one epoch, from the first of `steps` on; a process's share of each."""

    def __init__(self, maker: Batches, steps: range, mine: slice) -> None:
        self.maker, self.mine = maker, mine
        self.steps = steps[: maker.steps_an_epoch]

    def __iter__(self) -> Iterator[Batch]:
        for step in self.steps:
            yield self.maker.batch(step, self.mine)
