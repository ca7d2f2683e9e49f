"""Batches of whole clips: each a function of the seed and its number, shared out over the processes of a training."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from recognizer.training.loop import Batch, StepData
from recognizer.training.passes import Passes
from research.whole_clip.inputs import plain_input, training_input
from research.whole_clip.presets import Preset
from research.whole_clip.tasks import Rows, TaskClips


class WholeClipBatches:
    """Training batches of a task's clips."""

    def __init__(self, clips: TaskClips, rows: Rows, preset: Preset, frames: int, seed: int) -> None:
        self.clips, self.preset, self.frames, self.seed = clips, preset, frames, seed
        self._passes = Passes(rows, preset.batch, (seed, 1))
        self.steps_per_epoch = self._passes.steps_per_epoch

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """Features (B, T, F) and targets (B, A) of a step."""
        rng = np.random.default_rng([self.seed, step])
        chosen = self._passes.drawn(step)
        view = rng.integers(0, len(self.clips.x), len(chosen))
        x, score = self.clips.x[view, chosen], self.clips.score[view, chosen]
        features = training_input(x, score, self.clips.layout, self.preset, self.frames, rng)
        target = np.eye(len(self.clips.actions), dtype=np.float32)[self.clips.labels[chosen]]
        return torch.from_numpy(features[mine]), torch.from_numpy(target[mine])


class WholeClipData(StepData):
    """A task's batches, and clips to validate on."""

    def __init__(self, batches: WholeClipBatches, steps: int, validation: Rows) -> None:
        super().__init__(batches, steps)
        self.clips, self.validation, self.validates = batches, validation, len(validation) > 0

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        clips, preset = self.clips.clips, self.clips.preset
        rows = self.validation[self.mine]
        x, score = clips.x[0, rows], clips.score[0, rows]
        features = plain_input(x, score, clips.layout, preset, self.clips.frames, mirrored=False)
        both = torch.from_numpy(features), torch.from_numpy(clips.labels[rows])
        return DataLoader(list(zip(*both, strict=True)), batch_size=256)  # type: ignore[arg-type]
