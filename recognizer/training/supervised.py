"""Supervised training on everyday actions: the loss, the schedule and what the batches are drawn from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.training.batches import BatchMaker, BatchPlan, OutputSpace
from recognizer.training.everyday import ACTIONS, Corpus, without_kinds
from recognizer.training.fine_tune.start import copy_body
from recognizer.training.loop import Batch, Hardware, StepData, Training
from recognizer.training.loop import fit as fit_network
from recognizer.training.models.registry import NetworkSpec
from recognizer.training.run_folder import claim_folder, digest_of, digest_of_columns
from recognizer.training.synthetic.actions import with_generated

STEPS_AN_EPOCH = 100


@dataclass(frozen=True, slots=True)
class FitSettings:
    """One training run.

    network, changes: as in registry.NetworkSpec. parts: of the corpus that it learns from. left_out: kinds that it does
    not learn from. generated: whether it learns from generated recordings too. average: weight of the past in averaged
    weights. distillation: weight of the loss against a teacher, where there is one; temperature: of both softened
    distributions in it. teachers: their names, for the record. start: of the model whose body it began with.
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
    left_out: tuple[str, ...] = ()
    generated: bool = True
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


class SupervisedTraining(Training):
    """The loss above, AdamW, and a warm-up before half a cosine."""

    def __init__(
        self,
        settings: FitSettings,
        outputs: int,
        teachers: Sequence[nn.Module] = (),
        start: nn.Module | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        network = spec_of(settings, outputs).build()
        if start is not None:
            copy_body(start, network)
        # With channels last a convolution over few joints takes a fifth less time on a processor.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(network, settings.seed, settings.average)
        self.settings = settings
        self._teachers = tuple(teachers)  # in a tuple, so that they are not in the checkpoint

    @property
    def noise_key(self) -> tuple[int, ...]:
        """Without the rank: the shipped networks were trained so, in one process."""
        return self.seed, self.iteration

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy, and where there are teachers the divergence from them."""
        features, target = batch
        logits = self.network(features).float()
        loss = loss_of(logits, target, self.settings.label_smoothing, self.settings.merged_loss)
        if self._teachers:
            with torch.no_grad():
                taught = [teacher.to(self.device)(features).float() for teacher in self._teachers]
            share = self.settings.distillation
            loss = (1 - share) * loss + share * distillation_loss(logits, taught, self.settings.temperature)
        return {"loss": loss}

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


class LabelledBatches:
    """Batches of labelled windows: features (B, 30, F) and targets (B, outputs)."""

    steps_per_epoch = STEPS_AN_EPOCH  # windows are drawn at random: an epoch is only a measure

    def __init__(self, maker: BatchMaker, batch: int, seed: int) -> None:
        self.maker, self.size, self.seed = maker, batch, seed

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """See Batches."""
        features, target = self.maker.batch(np.random.default_rng([self.seed, step]), self.size)
        return torch.from_numpy(features[mine]), torch.from_numpy(target[mine])


def spec_of(settings: FitSettings, outputs: int) -> NetworkSpec:
    """The network of a run."""
    return NetworkSpec(settings.network, outputs, {"dropout": settings.dropout, **settings.changes})


def fit(
    corpus: Corpus,
    settings: FitSettings,
    folder: Path,
    teachers: Sequence[nn.Module] = (),
    start: nn.Module | None = None,
) -> nn.Module:
    """Train and return the averaged network. `folder` keeps a checkpoint after each epoch, from which a killed run
    with the same settings, data and networks goes on to the same result; RunError where it is another's. teachers:
    trained networks in eval mode with the same outputs, from whose answers to every batch it learns too. start: a
    trained network of the same kind and size; this one begins with all of it but the head."""
    used = without_kinds(corpus, settings.left_out)
    if settings.generated:
        used = with_generated(used)
    outputs = OutputSpace(used)
    maker = BatchMaker(used, outputs, settings.plan, np.isin(used.part, settings.parts))
    training = SupervisedTraining(settings, len(outputs), teachers, start)
    data = StepData(LabelledBatches(maker, settings.batch, settings.seed), settings.steps)
    hardware = Hardware(logs=False, checkpoint_steps=STEPS_AN_EPOCH)
    described = {
        # Of other networks the weights count, not the names: a folder may be renamed, or be trained again.
        "settings": asdict(replace(settings, teachers=(), start="")),
        "outputs": outputs.names,
        "data": digest_of_columns(corpus),
        "teachers": [digest_of(_weights(teacher)) for teacher in teachers],
        "start": None if start is None else digest_of(_weights(start)),
    }
    claim_folder(folder, described)
    fit_network(training, data, folder, hardware, clip_norm=1.0)
    return training.result.float().eval()


def _weights(network: nn.Module) -> Iterable[tuple[str, Any]]:
    return ((name, values.cpu().numpy()) for name, values in network.state_dict().items())
