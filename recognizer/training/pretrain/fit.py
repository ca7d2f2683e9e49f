"""Pretraining and fine-tuning with Lightning; a killed training goes on to the same weights."""

import os
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from recognizer.training.lightning_run import (
    LAST_CHECKPOINT,
    Hardware,
    claim,
    demand_same,
    fit_on,
    in_short,
    trainer_of,
)
from recognizer.training.models.gl_transformer import GlConfig, GlPretraining, GlTransformer
from recognizer.training.pretrain.losses import mpdp_loss
from recognizer.training.pretrain.motion import MotionClips, Rows
from recognizer.training.pretrain.recipes import Recipe, RecipeError, network_config
from recognizer.training.pretrain.stream import Batches, BatchMaker, MotionData
from recognizer.training.run_folder import RunError

WEIGHTS_FILE = "pretrained.pt"


@dataclass(frozen=True, slots=True)
class Job:
    """One pretraining. frames: the longest clip. part: of the task, see Task.split."""

    task: str
    size: str
    recipe: Recipe
    frames: int
    seed: int = 0
    part: str = "test"


class Training(lightning.LightningModule):
    """A network, the recipe's optimizer and rate; what is learnt, subclasses say."""

    def __init__(self, network: nn.Module, recipe: Recipe, steps_an_epoch: int, seed: int) -> None:
        super().__init__()
        self.network, self.recipe, self.steps_an_epoch, self.seed = network, recipe, steps_an_epoch, seed
        self._started, self._seconds_before = time.monotonic(), 0.0

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """`loss` and what else is worth logging."""
        raise NotImplementedError

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        # Dropout too must survive a resume; processes drop different numbers.
        torch.manual_seed(hash((self.seed, self.global_step, self.global_rank)))
        losses = self.losses(batch)
        if not torch.isfinite(losses["loss"]):
            raise RunError(f"the loss is {losses['loss'].item()} at step {self.global_step}; lower --learning-rate")
        self.log_dict(losses, prog_bar=True, sync_dist=True)
        return losses["loss"]

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.recipe.learning_rate, weight_decay=self.recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def rate(self, step: int) -> float:
        """Factor on the recipe's rate: a linear warm-up, and a decay after each epoch."""
        warm = min(1.0, (step + 1) / max(self.recipe.warmup, 1))
        return float(warm * self.recipe.decay ** (step // self.steps_an_epoch))

    @property
    def seconds(self) -> float:
        """Of training so far, those before a kill included."""
        return self._seconds_before + time.monotonic() - self._started

    def on_train_start(self) -> None:
        self._started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["seconds"] = self.seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._seconds_before = float(checkpoint["seconds"])


class MpdpTraining(Training):
    """Learns to say how every token moved."""

    network: GlPretraining

    def losses(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The loss of MPDP and its parts."""
        clips, real, direction, magnitude = batch
        found = self.network(clips, real)
        tokens = self.network.backbone.config.global_tokens
        targets = direction[real], magnitude[real]
        return mpdp_loss(found, targets, tokens, self.recipe.reading, self.recipe.global_translation)


class ActionTraining(Training):
    """Learns the actions of labelled clips."""

    def losses(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Cross entropy."""
        clips, real, labels = batch
        logits = self.network(clips, real).float()
        return {"loss": nn.functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)}


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """network: in eval mode. job: how it was pretrained, as written. seconds: what that took."""

    network: GlPretraining
    job: dict[str, Any]
    seconds: float


def pretrain(
    clips: MotionClips, rows: Rows, job: Job, folder: Path, hardware: Hardware, callbacks: Sequence[Callback] = ()
) -> Pretrained:
    """Pretrain on rows of clips, as pretrain_on does."""
    described = {"job": asdict(job), "actions": list(clips.actions), "joints": list(clips.joints)}
    maker = BatchMaker(clips, rows, job.recipe, job.frames, job.seed)
    return pretrain_on(
        maker, partial(network_config, clips, job.frames, job.size), described, folder, hardware, callbacks
    )


def pretrain_on(
    maker: Batches,
    config: Callable[[Recipe], GlConfig],
    described: dict[str, Any],
    folder: Path,
    hardware: Hardware,
    callbacks: Sequence[Callback] = (),
) -> Pretrained:
    """The network after the last epoch; `folder` keeps checkpoints, from which a killed training of the same job goes
    on, logs and in the end pretrained.pt, with which there is nothing left to do. described: the job, as a Job.

    RecipeError; RunError where the folder holds another training or the loss is lost.
    """
    recipe, seed = maker.recipe, int(described["job"]["seed"])
    if reason := hardware.fits(recipe.batch):
        raise RecipeError(reason)
    demand_same(folder, described)
    if (folder / WEIGHTS_FILE).is_file():
        return load_pretrained(folder)
    torch.manual_seed(seed)
    try:
        backbone = GlTransformer(config(recipe))
    except ValueError as error:
        raise RecipeError(f"the recipe makes no network: {error}") from error
    network = GlPretraining(backbone, len(recipe.intervals), magnitude=recipe.magnitude)
    training = MpdpTraining(network, recipe, maker.steps_an_epoch, seed)
    claim(folder, described)
    trainer = fit(training, maker, folder, hardware, callbacks)
    network = network.float().cpu().eval()
    _save(folder, network, described, training.seconds)
    trainer.strategy.barrier("weights are written")
    return Pretrained(network, described, training.seconds)


def load_pretrained(folder: Path) -> Pretrained:
    """pretrained.pt of a finished pretraining. Raises RunError."""
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise RunError(f"no {WEIGHTS_FILE} in {folder}; pretrain first, or give the folder of a finished pretraining")
    try:
        content = torch.load(path, weights_only=True)
        recipe = content["described"]["job"]["recipe"]
        backbone = GlTransformer(GlConfig(**content["config"]))
        network = GlPretraining(backbone, len(recipe["intervals"]), magnitude=recipe["magnitude"])
        network.load_state_dict(content["weights"])
        return Pretrained(network.eval(), content["described"], float(content["seconds"]))
    except (pickle.UnpicklingError, OSError, RuntimeError, KeyError, TypeError, EOFError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({in_short(error)}); remove {folder} and pretrain again") from error


def fit(
    training: Training, maker: Batches, folder: Path, hardware: Hardware, callbacks: Sequence[Callback] = ()
) -> lightning.Trainer:
    """Train to the end of the recipe, from the folder's checkpoint on where there is one. Raises RunError."""
    steps = maker.steps_an_epoch * maker.recipe.epochs
    trainer = trainer_of(
        folder,
        hardware,
        maker.steps_an_epoch,
        callbacks=callbacks,
        max_steps=steps,
        max_epochs=-1,
        gradient_clip_val=maker.recipe.clip_norm,
    )
    fit_on(trainer, training, MotionData(maker, steps), folder)
    return trainer


@rank_zero_only
def _save(folder: Path, network: GlPretraining, described: dict[str, Any], seconds: float) -> None:
    """Write pretrained.pt, whole or not at all, in place of the checkpoint."""
    content = {
        "config": asdict(network.backbone.config),
        "described": described,
        "weights": network.state_dict(),
        "seconds": seconds,
    }
    temporary = folder / f".{WEIGHTS_FILE}.{os.getpid()}"
    torch.save(content, temporary)
    os.replace(temporary, folder / WEIGHTS_FILE)
    (folder / LAST_CHECKPOINT).unlink(missing_ok=True)
