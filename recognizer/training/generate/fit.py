"""Training of a generator with Lightning; a killed training goes on to the same weights."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from recognizer.training.generate.frame_vae import FrameVae
from recognizer.training.generate.losses import BEST_FILE, GanTraining, MakerTraining, VaeTraining
from recognizer.training.generate.making import shares_of
from recognizer.training.generate.recipes import Recipe, RecipeError, build, config_of
from recognizer.training.generate.sets import Motions
from recognizer.training.generate.trained import GENERATOR_FILE, Trained, load_trained, save_trained
from recognizer.training.lightning_run import LAST_CHECKPOINT, Hardware, claim, fit_on, trainer_of
from recognizer.training.run_folder import RunError


@dataclass(frozen=True, slots=True)
class Job:
    """One training. data: name of the set."""

    data: str
    network: str
    recipe: Recipe
    frames: int = 50
    seed: int = 0


class _Batches(IterableDataset[tuple[Tensor, Tensor]]):
    """Clips (B, T, V D) and labels (B, A) of the iterations: each a function of the seed and its number.

    Batches are cut from an endless row of passes over the clips, each in a new random order. Process r of w takes rows
    r, r + w, ... of every batch.
    """

    def __init__(self, motions: Motions, recipe: Recipe, seed: int) -> None:
        self.clips = motions.standardised[motions.train]
        self.shares = shares_of(motions.labels[motions.train], len(motions.actions))
        self.recipe, self.seed = recipe, seed
        self.iterations, self.rank, self.world = range(0), 0, 1

    def drawn(self, iteration: int) -> np.ndarray[Any, np.dtype[np.intp]]:
        """(B,) rows of an iteration."""
        places = np.arange(iteration * self.recipe.batch, (iteration + 1) * self.recipe.batch)
        rows = np.empty(len(places), dtype=np.intp)
        for number in np.unique(places // len(self.clips)):
            order = np.random.default_rng([self.seed, int(number)]).permutation(len(self.clips))
            here = places // len(self.clips) == number
            rows[here] = order[places[here] % len(self.clips)]
        return rows

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for iteration in self.iterations:
            mine = self.drawn(iteration)[self.rank :: self.world]
            yield torch.from_numpy(self.clips[mine]), torch.from_numpy(self.shares[mine])


class _RoundData(lightning.LightningDataModule):
    """The batches of one round after the other."""

    def __init__(self, batches: _Batches) -> None:
        super().__init__()
        self.batches = batches

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        assert self.trainer is not None
        batches, length = self.batches, self.batches.recipe.evaluate
        first = self.trainer.current_epoch * length
        batches.iterations = range(first, first + length)
        batches.rank, batches.world = self.trainer.global_rank, self.trainer.world_size
        return DataLoader(batches, batch_size=None)


def train(motions: Motions, job: Job, folder: Path, hardware: Hardware) -> Trained:
    """The trained generator: the weights with the least MMD_seq to the validation clips.

    `folder` keeps logs and checkpoints, from which a killed training of the same job goes on, and in the end
    generator.pt, with which there is nothing left to train. RecipeError; RunError where the folder holds another
    training, or where it diverged.
    """
    if reason := hardware.fits(job.recipe.batch):
        raise RecipeError(reason)
    config = config_of(job.network, motions.layout, len(motions.actions), job.frames)
    described = {"generator": asdict(job), "actions": list(motions.actions), "layout": motions.layout.name}
    described = json.loads(json.dumps(described))
    claim(folder, described)
    if (folder / GENERATOR_FILE).is_file():
        return load_trained(folder)
    network = build(job.network, config, job.seed)
    training: MakerTraining
    if isinstance(network, FrameVae):
        training = VaeTraining(network, job.recipe, motions, job.seed, folder)
    else:
        training = GanTraining(network, job.recipe, motions, job.seed, folder)
    trainer = _fit(training, _RoundData(_Batches(motions, job.recipe, job.seed)), folder, hardware)
    trained = _finished(training, job, config, described, motions, folder)
    trainer.strategy.barrier("the generator is written")
    return trained


def _finished(
    training: MakerTraining,
    job: Job,
    config: dict[str, Any],
    described: dict[str, Any],
    motions: Motions,
    folder: Path,
) -> Trained:
    if not (folder / BEST_FILE).is_file():
        raise RunError(f"the discrepancy in {folder} was never a number; there are too few validation clips")
    best = torch.load(folder / BEST_FILE, weights_only=True, map_location="cpu")
    network = build(job.network, config)
    network.load_state_dict(best["weights"])
    mean, spread = motions.scale
    trained = Trained(
        network=network.eval(),
        name=job.network,
        config=config,
        job=described,
        actions=motions.actions,
        layout=motions.layout,
        mean=mean,
        spread=spread,
        seconds=motions.seconds,
        history=tuple(training.history),
        iteration=int(best["iteration"]),
    )
    if training.global_rank == 0:
        save_trained(folder, trained)
        for name in (BEST_FILE, LAST_CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
    return trained


def _fit(training: MakerTraining, data: _RoundData, folder: Path, hardware: Hardware) -> lightning.Trainer:
    trainer = trainer_of(
        folder,
        hardware,
        training.recipe.evaluate,
        precision="32-true",  # adversarial losses are small differences: bfloat16 only where it is asked for
        max_epochs=training.recipe.rounds,
    )
    try:
        fit_on(trainer, training, data, folder)
    except RunError as error:
        kept = f"; the best weights so far are in {folder / BEST_FILE}" if (folder / BEST_FILE).is_file() else ""
        raise RunError(f"{error}{kept}") from error
    return trainer
