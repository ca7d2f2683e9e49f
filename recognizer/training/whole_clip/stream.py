"""Batches of whole clips: each a function of the seed and its number, shared out over the processes of a training."""

import math
from collections.abc import Iterator

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from recognizer.training.whole_clip import transforms
from recognizer.training.whole_clip.inputs import plain_input, training_input
from recognizer.training.whole_clip.presets import Preset
from recognizer.training.whole_clip.tasks import Rows, TaskClips
from recognizer.training.whole_clip.transforms import Array


class BatchMaker:
    """Training batches of a task's clips.

    Batches are cut from an endless row of passes over the clips, each in a new random order, so all are full.
    """

    def __init__(self, clips: TaskClips, rows: Rows, preset: Preset, frames: int, seed: int) -> None:
        self.clips, self.rows, self.preset, self.frames, self.seed = clips, rows, preset, frames, seed

    @property
    def steps_an_epoch(self) -> int:
        """Batches that a pass over the clips fills."""
        return math.ceil(len(self.rows) / self.preset.batch)

    def batch(self, step: int) -> tuple[Array, Array]:
        """Features (B, T, F) and targets (B, A) of a step."""
        rng = np.random.default_rng([self.seed, step])
        chosen = self._drawn(step)
        view = rng.integers(0, len(self.clips.x), len(chosen))
        x, seen = self.clips.x[view, chosen], self.clips.seen[view, chosen]
        features = training_input(x, seen, self.clips.layout, self.preset, self.frames, rng)
        target = np.eye(len(self.clips.actions), dtype=np.float32)[self.clips.labels[chosen]]
        if self.preset.augment.mixup:
            features, target = transforms.mixup(features, target, rng, self.preset.augment.mixup)
        return features, target

    def _drawn(self, step: int) -> Rows:
        places = np.arange(step * self.preset.batch, (step + 1) * self.preset.batch)
        passes = places // len(self.rows)
        drawn = np.empty(len(places), dtype=np.intp)
        for number in np.unique(passes):
            order = np.random.default_rng([self.seed, int(number), 1]).permutation(self.rows)
            here = passes == number
            drawn[here] = order[places[here] % len(self.rows)]
        return drawn


class ClipData(lightning.LightningDataModule):
    """A task's batches for Lightning: process r of w takes rows r, r + w, ... of every batch."""

    def __init__(self, maker: BatchMaker, steps: int, validation: Rows) -> None:
        super().__init__()
        self.maker, self.steps, self.validation = maker, steps, validation

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        done = self.trainer.global_step if self.trainer else 0
        return DataLoader(_Stream(self.maker, range(done, self.steps), *self._place()), batch_size=None)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]] | list[object]:
        if not len(self.validation):
            return []
        clips, preset = self.maker.clips, self.maker.preset
        rank, world = self._place()
        rows = self.validation[rank::world]
        x, seen = clips.x[0, rows], clips.seen[0, rows]
        features = plain_input(x, seen, clips.layout, preset, self.maker.frames, mirrored=False)
        both = torch.from_numpy(features), torch.from_numpy(clips.labels[rows])
        return DataLoader(list(zip(*both, strict=True)), batch_size=256)  # type: ignore[arg-type]

    def _place(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)


class _Stream(IterableDataset[tuple[Tensor, Tensor]]):
    """The batches of one epoch, from the first of `steps` on; a process's share of each."""

    def __init__(self, maker: BatchMaker, steps: range, rank: int, world: int) -> None:
        self.maker, self.rank, self.world = maker, rank, world
        self.steps = steps[: maker.steps_an_epoch]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for step in self.steps:
            features, target = self.maker.batch(step)
            mine = slice(self.rank, None, self.world)
            yield torch.from_numpy(features[mine]), torch.from_numpy(target[mine])
