"""Pretraining and fine-tuning with Lightning; a killed training goes on to the same weights."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from recognizer.training.errors import TrainingError
from recognizer.training.loop import LAST_CHECKPOINT, Batch, Batches, Hardware, StepData, Training
from recognizer.training.loop import fit as fit_network
from recognizer.training.models.gl_transformer import GlConfig, GlPretraining, GlTransformer
from recognizer.training.pretrain.recipes import Recipe
from recognizer.training.pretrain.targets import Reading
from recognizer.training.run_folder import RunError, check_same_job, claim_folder, open_content, save_content

WEIGHTS_FILE = "pretrained.pt"
_GLOBAL_WEIGHT = 0.05  # of the published code; the paper has none


@dataclass(frozen=True, slots=True)
class PretrainingJob:
    """A pretraining job. frames: the longest clip. part: of the data that is used for training."""

    task: str
    size: str
    recipe: Recipe
    frames: int
    seed: int = 0
    part: str = "test"


class RecipeBatches(Batches, Protocol):
    """clips (B, T, J, C), real (B, T), then targets or labels (B,), as a recipe says."""

    recipe: Recipe


class RecipeTraining(Training):
    """The recipe's optimizer and learning rate; subclasses define the losses."""

    remedy = "lower --learning-rate"

    def __init__(self, network: nn.Module, recipe: Recipe, steps_per_epoch: int, seed: int) -> None:
        super().__init__(network, seed)
        self.recipe, self.steps_per_epoch = recipe, steps_per_epoch

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.recipe.learning_rate, weight_decay=self.recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def rate(self, step: int) -> float:
        """Factor on the recipe's rate: a linear warm-up, and a decay after each epoch."""
        warm = min(1.0, (step + 1) / max(self.recipe.warmup, 1))
        return float(warm * self.recipe.decay ** (step // self.steps_per_epoch))


def mpdp_loss(
    logits: tuple[Tensor, Tensor | None],
    targets: tuple[Tensor, Tensor],
    global_tokens: Sequence[int],
    reading: Reading = "code",
    global_translation: bool = True,
) -> dict[str, Tensor]:
    """`loss` and its parts. logits: (R, I, J, K) for direction and magnitude, of real frames; targets: (R, I, J).

    "code": the published loss, in which the global part is that of the first interval, weighs 0.05, and the global
    tokens of the other intervals count among the joints. "paper": the global part is that of all intervals and weighs
    as much as the joints. Without global_translation its tokens count nowhere.
    """
    weight = _GLOBAL_WEIGHT if reading == "code" else 1.0
    parts: dict[str, Tensor] = {}
    for name, found, target in zip(("direction", "magnitude"), logits, targets, strict=True):
        if found is None:
            continue
        is_global = target.new_zeros(target.shape[1:]).bool()  # (I, J)
        is_global[:, list(global_tokens)] = True
        counted = ~is_global
        if global_translation:
            if reading == "code":
                is_global[1:] = False
            counted = ~is_global
            parts[f"{name}_global"] = cross_entropy(
                found[:, is_global].flatten(0, 1).float(), target[:, is_global].flatten()
            )
        parts[f"{name}_joints"] = cross_entropy(found[:, counted].flatten(0, 1).float(), target[:, counted].flatten())
    total = sum((weight if name.endswith("global") else 1.0) * part for name, part in parts.items())
    return {"loss": total, **parts}  # type: ignore[dict-item]


class MpdpTraining(RecipeTraining):
    """Training to predict how every token moved (MPDP)."""

    network: GlPretraining

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The loss of MPDP and its parts."""
        clips, real, direction, magnitude = batch
        found = self.network(clips, real)
        tokens = self.network.backbone.config.global_tokens
        targets = direction[real], magnitude[real]
        return mpdp_loss(found, targets, tokens, self.recipe.reading, self.recipe.global_translation)


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """network: in eval mode. job: how it was pretrained, as written. seconds: what that took."""

    network: GlPretraining
    job: dict[str, Any]
    seconds: float


def pretrain_on(
    batches: RecipeBatches,
    config: Callable[[Recipe], GlConfig],
    described: dict[str, Any],
    folder: Path,
    hardware: Hardware,
    callbacks: Sequence[Callback] = (),
) -> Pretrained:
    """The network after the last epoch; `folder` keeps checkpoints, from which a killed training of the same job goes
    on, logs and in the end pretrained.pt, with which there is nothing left to do. described: has "job", a Pretraining.

    TrainingError; RunError where the folder holds another training or the loss is lost.
    """
    recipe, seed = batches.recipe, int(described["job"]["seed"])
    if reason := hardware.fits(recipe.batch):
        raise TrainingError(reason)
    check_same_job(folder, described)
    if (folder / WEIGHTS_FILE).is_file():
        return load_pretrained(folder)
    torch.manual_seed(seed)
    try:
        backbone = GlTransformer(config(recipe))
    except ValueError as error:
        raise TrainingError(f"the recipe makes no network: {error}") from error
    network = GlPretraining(backbone, len(recipe.intervals), magnitude=recipe.magnitude)
    training = MpdpTraining(network, recipe, batches.steps_per_epoch, seed)
    claim_folder(folder, described)
    trainer = fit(training, batches, folder, hardware, callbacks)
    network = network.float().cpu().eval()
    _save(folder, network, described, training.seconds)
    trainer.strategy.barrier("weights are written")
    return Pretrained(network, described, training.seconds)


def load_pretrained(folder: Path) -> Pretrained:
    """pretrained.pt of a finished pretraining. Raises RunError."""
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise RunError(f"no {WEIGHTS_FILE} in {folder}; pretrain first, or give the folder of a finished pretraining")
    with open_content(path, f"remove {folder} and pretrain again") as content:
        recipe = content["described"]["job"]["recipe"]
        backbone = GlTransformer(GlConfig(**content["config"]))
        network = GlPretraining(backbone, len(recipe["intervals"]), magnitude=recipe["magnitude"])
        network.load_state_dict(content["weights"])
        return Pretrained(network.eval(), content["described"], float(content["seconds"]))


def fit(
    training: RecipeTraining, batches: Batches, folder: Path, hardware: Hardware, callbacks: Sequence[Callback] = ()
) -> lightning.Trainer:
    """Train to the end of the recipe, from the folder's checkpoint on where there is one. Raises RunError."""
    recipe = training.recipe
    data = StepData(batches, batches.steps_per_epoch * recipe.epochs)
    return fit_network(training, data, folder, hardware, clip_norm=recipe.clip_norm, callbacks=callbacks)


@rank_zero_only
def _save(folder: Path, network: GlPretraining, described: dict[str, Any], seconds: float) -> None:
    """Write pretrained.pt, whole or not at all, in place of the checkpoint."""
    content = {
        "config": asdict(network.backbone.config),
        "described": described,
        "weights": network.state_dict(),
        "seconds": seconds,
    }
    save_content(folder / WEIGHTS_FILE, content)
    (folder / LAST_CHECKPOINT).unlink(missing_ok=True)
