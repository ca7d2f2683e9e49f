"""Training with Lightning: every step is a function of the seed and its number, so a killed run resumes exactly."""

import copy
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from recognizer.training.batches import BatchMaker, BatchPlan, OutputSpace
from recognizer.training.everyday import ACTIONS, Corpus
from recognizer.training.fine_tune_start import copy_body
from recognizer.training.lightning_run import Hardware, fit_on, trainer_of
from recognizer.training.networks import NetworkSpec

log = logging.getLogger(__name__)

STEPS_AN_EPOCH = 100


@dataclass(frozen=True, slots=True)
class FitSettings:
    """One training run.

    network, changes: as in networks.NetworkSpec. parts: of the corpus that it learns from. average: weight of the past
    in averaged weights. distillation: weight of the loss against a teacher, where there is one; temperature: of both
    softened distributions in it. teachers: their names, for the record. start: of the model whose body it began with.
    """

    seed: int = 0
    network: str = "act-micro"
    changes: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 7000
    batch: int = 128
    learning_rate: float = 2e-3
    warmup: float = 0.1
    weight_decay: float = 0.05
    dropout: float = 0.1
    label_smoothing: float = 0.05
    average: float = 0.998
    merged_loss: float = 0.5  # weight of the loss on the actions as shown; the rest is on the finer outputs
    distillation: float = 0.7
    temperature: float = 2.0
    teachers: tuple[str, ...] = ()
    start: str = ""
    parts: tuple[str, ...] = ("train",)
    plan: BatchPlan = field(default_factory=BatchPlan)


def merge_outputs(logits: Tensor) -> Tensor:
    """Logits (N, outputs) to (N, actions): those after the listed actions add up to `other`."""
    listed = len(ACTIONS) - 1
    return torch.cat([logits[:, :listed], logits[:, listed:].logsumexp(dim=1, keepdim=True)], dim=1)


def loss_of(logits: Tensor, target: Tensor, smoothing: float, merged_weight: float) -> Tensor:
    """Cross entropy with label smoothing on the fine outputs and on the merged actions."""
    listed = len(ACTIONS) - 1
    merged_target = torch.cat([target[:, :listed], target[:, listed:].sum(dim=1, keepdim=True)], dim=1)
    fine = nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)
    merged = nn.functional.cross_entropy(merge_outputs(logits), merged_target, label_smoothing=smoothing)
    return (1 - merged_weight) * fine + merged_weight * merged


def distillation_loss(logits: Tensor, teachers: Sequence[Tensor], temperature: float) -> Tensor:
    """Divergence of the softened probabilities from the teachers' mean, times the temperature squared so that its
    gradient keeps its size (Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2)."""
    taught = torch.stack([(each / temperature).softmax(dim=1) for each in teachers]).mean(dim=0)
    learned = (logits / temperature).log_softmax(dim=1)
    return temperature**2 * nn.functional.kl_div(learned, taught, reduction="batchmean")


class Training(lightning.LightningModule):
    """The network, its running average, the optimizer and the schedule."""

    def __init__(
        self,
        settings: FitSettings,
        outputs: int,
        teachers: Sequence[nn.Module] = (),
        start: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self._teachers = tuple(teachers)  # in a tuple they are no part of the checkpoint
        torch.manual_seed(settings.seed)
        # With channels last a convolution over few joints takes a fifth less time on a processor.
        network = spec_of(settings, outputs).build()
        if start is not None:
            copy_body(start, network)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged: nn.Module = copy.deepcopy(self.network).requires_grad_(False).eval()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        torch.manual_seed(hash((self.settings.seed, self.global_step)))  # dropout too must survive a resume
        features, target = batch
        logits = self.network(features).float()
        loss = loss_of(logits, target, self.settings.label_smoothing, self.settings.merged_loss)
        if self._teachers:
            with torch.no_grad():
                taught = [teacher.to(self.device)(features).float() for teacher in self._teachers]
            share = self.settings.distillation
            loss = (1 - share) * loss + share * distillation_loss(logits, taught, self.settings.temperature)
        self.log("loss", loss, prog_bar=True)
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        keep = min(self.settings.average, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for mean, now in zip(_state(self.averaged), _state(self.network), strict=True):
                mean.lerp_(now, 1 - keep)

    def configure_optimizers(self) -> Any:
        decay = [p for p in self.network.parameters() if p.ndim == 2]
        plain = [p for p in self.network.parameters() if p.ndim != 2]
        groups = [{"params": decay, "weight_decay": self.settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=self.settings.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to 1% of the peak."""
        warmup = self.settings.warmup * self.settings.steps
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / max(self.settings.steps - warmup, 1)
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1)))


class _Stream(IterableDataset[tuple[Tensor, Tensor]]):
    """The batches of one epoch, from the step `first` on."""

    def __init__(self, maker: BatchMaker, settings: FitSettings, first: int) -> None:
        self.maker, self.settings, self.first = maker, settings, first

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for step in range(self.first, min(self.first + STEPS_AN_EPOCH, self.settings.steps)):
            rng = np.random.default_rng([self.settings.seed, step])
            features, target = self.maker.batch(rng, self.settings.batch)
            yield torch.from_numpy(features), torch.from_numpy(target)


class _Data(lightning.LightningDataModule):
    def __init__(self, maker: BatchMaker, settings: FitSettings) -> None:
        super().__init__()
        self.maker, self.settings = maker, settings

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        done = self.trainer.global_step if self.trainer else 0  # checkpoints are written between epochs
        return DataLoader(_Stream(self.maker, self.settings, done), batch_size=None)


def spec_of(settings: FitSettings, outputs: int) -> NetworkSpec:
    """The network of a run."""
    return NetworkSpec(settings.network, outputs, {"dropout": settings.dropout, **settings.changes})


def _state(network: nn.Module) -> list[Tensor]:
    """Parameters, and what batch norms have seen."""
    return [value for value in network.state_dict().values() if value.is_floating_point()]


def fit(
    corpus: Corpus,
    settings: FitSettings,
    folder: Path,
    teachers: Sequence[nn.Module] = (),
    start: nn.Module | None = None,
) -> nn.Module:
    """Train and return the averaged network. `folder` keeps a checkpoint after each epoch, from which a killed run
    with the same settings goes on to the same result. teachers: trained networks in eval mode with the same outputs,
    from whose answers to every batch it learns too. start: a trained network of the same kind and size; this one begins
    with all of it but the head."""
    outputs = OutputSpace(corpus)
    maker = BatchMaker(corpus, outputs, settings.plan, np.isin(corpus.part, settings.parts))
    training = Training(settings, len(outputs), teachers, start)
    hardware = Hardware(logs=False, checkpoint_steps=STEPS_AN_EPOCH)
    trainer = trainer_of(
        folder, hardware, STEPS_AN_EPOCH, max_steps=settings.steps, max_epochs=-1, gradient_clip_val=1.0
    )
    fit_on(trainer, training, _Data(maker, settings), folder)
    return training.averaged.float().eval()
