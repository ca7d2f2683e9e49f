"""The losses of generators, as Lightning modules: two discriminators (SA-GCN) or a variational bound.

A round is `Recipe.evaluate` iterations; at its end clips are compared with the validation clips.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn
from torch.nn import functional

from recognizer.training.generate import health
from recognizer.training.generate.frame_vae import FrameVae
from recognizer.training.generate.generated_clips import make, shares_of
from recognizer.training.generate.mmd import discrepancy
from recognizer.training.generate.recipes import AnyGenerator, Recipe
from recognizer.training.generate.sets import Motions
from recognizer.training.loop import Training
from recognizer.training.models.sa_gcn import ClipDiscriminator, FrameDiscriminator, Generator
from recognizer.training.run_folder import save_content

BEST_FILE = "best.pt"
_DRAWS = 3  # of generated clips: few validation clips make a noisy measure
_LOOK_SEED = 12345
_PENALTY_EVERY = 4  # iterations, with that many times the weight (lazy regularization of StyleGAN2)


class GeneratorTraining(Training):
    """A generator and the history of its training; subclasses define one iteration."""

    network: AnyGenerator
    averaged: AnyGenerator | None
    result: AnyGenerator

    def __init__(self, network: AnyGenerator, recipe: Recipe, motions: Motions, seed: int, folder: Path) -> None:
        super().__init__(network, seed, recipe.average)
        self.automatic_optimization = False
        self.recipe, self.folder = recipe, folder
        clips = motions.standardised
        self._actions = len(motions.actions)
        self._real, self._labels = clips[motions.validation], motions.labels[motions.validation]
        self._real_spread = health.spread(clips[motions.train], motions.labels[motions.train])
        self.history: list[dict[str, Any]] = []
        self._in_round = 0
        self._fake_scores: list[float] = []

    def iterate(self, clips: Tensor, label: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """One iteration: the losses, and the generated clips."""
        raise NotImplementedError

    @property
    def iteration(self) -> int:
        """Batches seen before this one; Lightning's step counts those of every optimizer."""
        return self.current_epoch * self.recipe.evaluate + self._in_round

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        self._in_round = batch_idx

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Run one iteration, optimizer steps included, and return its losses. RunError where it diverged."""
        losses, made = self.iterate(*batch)
        health.check_divergence(
            {name: float(loss.detach()) for name, loss in losses.items()}, float(made.abs().max()), self.iteration + 1
        )
        return losses

    def step(self, optimizer: Any, loss: Tensor) -> None:
        """One step of an optimizer."""
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    def adam(self, part: nn.Module) -> torch.optim.Optimizer:
        """Adam with the recipe's settings for the parameters of a module."""
        return torch.optim.Adam(part.parameters(), lr=self.recipe.learning_rate, betas=self.recipe.betas)

    def on_train_epoch_end(self) -> None:
        shares = shares_of(self._labels, self._actions)
        draws = [make(self.result, shares, _LOOK_SEED + draw) for draw in range(_DRAWS)]
        found = [discrepancy(clips, self._real, self._labels, self._labels) for clips in draws]
        fake_score = float(np.mean(self._fake_scores)) if self._fake_scores else None
        row: dict[str, Any] = {
            "iteration": (self.current_epoch + 1) * self.recipe.evaluate,
            "mmd_avg": float(np.mean([one.avg for one in found])),
            "mmd_seq": float(np.mean([one.seq for one in found])),
            "fake": fake_score,
            "spread": health.spread(np.concatenate(draws), np.tile(self._labels, _DRAWS)) / self._real_spread,
            "seconds": self.seconds,
        }
        self._fake_scores = []
        best = min((old["mmd_seq"] for old in self.history if math.isfinite(old["mmd_seq"])), default=math.inf)
        self.history.append(row)
        if row["mmd_seq"] < best:
            self._save_best(int(row["iteration"]))

    @rank_zero_only
    def _save_best(self, iteration: int) -> None:
        weights = {name: value.cpu() for name, value in self.result.state_dict().items()}
        save_content(self.folder / BEST_FILE, {"iteration": iteration, "weights": weights})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["rows"] = list(self.history)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.history = list(checkpoint["rows"])


class GanTraining(GeneratorTraining):
    """The generator against both discriminators (the paper's section 3.4, with the code's targets)."""

    network: Generator
    real_distances: Tensor

    def __init__(self, network: Generator, recipe: Recipe, motions: Motions, seed: int, folder: Path) -> None:
        super().__init__(network, recipe, motions, seed, folder)
        config = network.config
        self.clip_discriminator = ClipDiscriminator(config.width, config.actions, config.frames)
        self.frame_discriminator = FrameDiscriminator(config.width, config.actions, recipe.sampled)
        distances = health.distances(motions.standardised[motions.train], motions.labels[motions.train], config.actions)
        self.register_buffer("real_distances", torch.from_numpy(distances), persistent=False)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [self.adam(part) for part in (self.clip_discriminator, self.frame_discriminator, self.network)]

    def iterate(self, clips: Tensor, label: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        optimizers: Any = self.optimizers()
        clip_optimizer, frame_optimizer, generator_optimizer = optimizers
        noise = [part.to(self.device) for part in self.network.noise(len(clips))]
        places = torch.randint(clips.shape[1], (self.recipe.sampled,), device=self.device)
        wanted = label
        if self.recipe.variety:  # two clips of each action that is asked for
            wanted = label[: (len(label) + 1) // 2].repeat(2, 1)[: len(label)]
        made = self.network(*noise, wanted)
        fake = made.detach()
        real, seen = self._perturbed(clips), self._perturbed(fake)
        clip_loss = self._discriminator_loss(self.clip_discriminator, real, seen, label, wanted)
        self.step(clip_optimizer, clip_loss)
        frame_loss = self._discriminator_loss(self.frame_discriminator, real[:, places], seen[:, places], label, wanted)
        self.step(frame_optimizer, frame_loss)
        discriminators = (self.clip_discriminator, self.frame_discriminator)
        for discriminator in discriminators:
            discriminator.requires_grad_(False)
        seen = self._perturbed(made)
        scores = self.clip_discriminator(seen, wanted), self.frame_discriminator(seen[:, places], wanted)
        loss = sum((self._cross_entropy(logits, self.recipe.real_target) for logits in scores), torch.zeros(()))
        if self.recipe.variety:
            loss = loss + self.recipe.variety * self._similarity_penalty(made, wanted)
        self.step(generator_optimizer, loss)
        for discriminator in discriminators:
            discriminator.requires_grad_(True)
        self._fake_scores.append(float(torch.stack([logits.detach().sigmoid().mean() for logits in scores]).mean()))
        return {"clips": clip_loss, "frames": frame_loss, "generator": loss}, fake

    def _perturbed(self, clips: Tensor) -> Tensor:
        return perturbed(clips, self.recipe.disturb) if self.recipe.disturb else clips

    def _similarity_penalty(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Penalty for two generated clips of an action that are closer to each other than real ones: squared share."""
        half = len(made) // 2
        first, second = made[:half], made[len(made) - half :]
        distances = (first - second).square().mean(dim=(1, 2)).sqrt()
        return (1 - distances / (wanted[:half] @ self.real_distances)).clamp(min=0).square().mean()

    def _discriminator_loss(
        self, discriminator: nn.Module, real: Tensor, fake: Tensor, label: Tensor, wanted: Tensor
    ) -> Tensor:
        recipe = self.recipe
        penalised = recipe.penalty > 0 and self.iteration % _PENALTY_EVERY == 0
        real = real.detach().requires_grad_(penalised)
        logits = discriminator(real, label)
        loss = self._cross_entropy(discriminator(fake, wanted), 0.0)
        if recipe.mismatch and label.shape[1] > 1:
            other = label.roll(int(torch.randint(1, label.shape[1], ())), dims=1)
            loss = (1 - recipe.mismatch) * loss + recipe.mismatch * self._cross_entropy(
                discriminator(real.detach(), other), 0.0
            )
        loss = loss + self._cross_entropy(logits, recipe.real_target)
        if not penalised:
            return loss
        (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        return loss + _PENALTY_EVERY * recipe.penalty / 2 * slope.square().sum(dim=(1, 2)).mean()

    @staticmethod
    def _cross_entropy(logits: Tensor, target: float) -> Tensor:
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def perturbed(clips: Tensor, strength: float) -> Tensor:
    """Randomly scaled (10%), offset (0.2), jittered (0.1) and time-shifted (one frame in 15) clips (N, T, F).

    Coordinates are in standard deviations; all amounts are multiplied by `strength`."""
    count, frames, width = clips.shape
    size = 1 + 0.1 * strength * torch.randn(count, 1, 1, device=clips.device)
    moved = 0.2 * strength * torch.randn(count, 1, width, device=clips.device)
    shaken = 0.1 * strength * torch.randn_like(clips)
    most = round(strength * frames / 15)
    shift = torch.randint(-most, most + 1, (count, 1), device=clips.device)
    times = (torch.arange(frames, device=clips.device) + shift).clamp(0, frames - 1)
    return clips.gather(1, times[..., None].expand(-1, -1, width)) * size + moved + shaken


class VaeTraining(GeneratorTraining):
    """The frame-wise VAE: its reconstruction and how far its noise is from normal."""

    network: FrameVae

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.adam(self.network)

    def iterate(self, clips: Tensor, label: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        error, divergence = self.network.losses(clips, label)
        loss = error + self.recipe.divergence_weight * divergence
        self.step(self.optimizers(), loss)
        with torch.no_grad():
            made = self.network(*(part.to(self.device) for part in self.network.noise(len(clips))), label)
        return {"loss": loss, "error": error, "divergence": divergence}, made
