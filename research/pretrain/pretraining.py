"""Pretraining on the clips of a task, and training with labels."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from recognizer.training.loop import Batch, Hardware
from recognizer.training.models.gl_transformer import GlConfig
from recognizer.training.pretrain.pretraining import Pretrained, PretrainingJob, RecipeTraining, pretrain_on
from recognizer.training.pretrain.recipes import Recipe, config_of
from recognizer.training.run_folder import digest_of
from research.pretrain.batches import MotionBatches
from research.pretrain.motion import MotionClips, Rows


class ActionTraining(RecipeTraining):
    """Training on the actions of labelled clips."""

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy."""
        clips, real, labels = batch
        logits = self.network(clips, real).float()
        return {"loss": nn.functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)}


def network_config(clips: MotionClips, frames: int, size: str, recipe: Recipe) -> GlConfig:
    """The network for these clips, cut or resampled to at most `frames`."""
    shape = {
        "joints": len(clips.joints),
        "global_joint": clips.global_joint,
        "channels": clips.channels,
        "people": clips.people,
        "frames": frames,
    }
    return config_of(shape, size, recipe)


def pretrain(
    clips: MotionClips,
    rows: Rows,
    job: PretrainingJob,
    folder: Path,
    hardware: Hardware,
    callbacks: Sequence[Callback] = (),
) -> Pretrained:
    """Pretrain on rows of clips, of a task, as pretrain_on does."""
    described = {
        "job": asdict(job),
        "actions": list(clips.actions),
        "joints": list(clips.joints),
        "data": digest_of(clips.arrays(rows)),
    }
    batches = MotionBatches(clips, rows, job.recipe, job.frames, job.seed)
    return pretrain_on(
        batches, partial(network_config, clips, job.frames, job.size), described, folder, hardware, callbacks
    )
