"""Training of a generator with Lightning; a killed training goes on to the same weights."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from recognizer.training.errors import TrainingError
from recognizer.training.generate.frame_vae import FrameVae
from recognizer.training.generate.generated_clips import shares_of
from recognizer.training.generate.losses import BEST_FILE, GanTraining, GeneratorTraining, VaeTraining
from recognizer.training.generate.recipes import Recipe, build, config_of
from recognizer.training.generate.sets import Motions
from recognizer.training.generate.trained import GENERATOR_FILE, Trained, load_trained, save_trained
from recognizer.training.loop import LAST_CHECKPOINT, Batch, Hardware, StepData, fit
from recognizer.training.passes import Passes
from recognizer.training.run_folder import RunError, claim_folder, digest_of, open_content


@dataclass(frozen=True, slots=True)
class GeneratorJob:
    """One training. data: name of the set."""

    data: str
    network: str
    recipe: Recipe
    frames: int = 50
    seed: int = 0


class GeneratorBatches:
    """Clips (B, T, V D) and labels (B, A) of the iterations; an epoch is a round."""

    def __init__(self, motions: Motions, recipe: Recipe, seed: int) -> None:
        self.clips = motions.standardised[motions.train]
        self.shares = shares_of(motions.labels[motions.train], len(motions.actions))
        self.steps_per_epoch = recipe.evaluate
        self._passes = Passes(np.arange(len(self.clips)), recipe.batch, (seed,))

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """See Batches."""
        rows = self._passes.drawn(step)[mine]
        return torch.from_numpy(self.clips[rows]), torch.from_numpy(self.shares[rows])


def train(motions: Motions, job: GeneratorJob, folder: Path, hardware: Hardware) -> Trained:
    """The trained generator: the weights with the least MMD_seq to the validation clips.

    `folder` keeps logs and checkpoints, from which a killed training of the same job goes on, and in the end
    generator.pt, with which there is nothing left to train. TrainingError; RunError where the folder holds another
    training, or where it diverged.
    """
    if reason := hardware.fits(job.recipe.batch):
        raise TrainingError(reason)
    config = config_of(job.network, motions.layout, len(motions.actions), job.frames)
    described = {"generator": asdict(job), "actions": list(motions.actions), "layout": motions.layout.name}
    described["data"] = digest_of((name, getattr(motions, name)) for name in ("x", "labels", "train", "validation"))
    described = json.loads(json.dumps(described))
    claim_folder(folder, described)
    if (folder / GENERATOR_FILE).is_file():
        return load_trained(folder)
    network = build(job.network, config, job.seed)
    training: GeneratorTraining
    if isinstance(network, FrameVae):
        training = VaeTraining(network, job.recipe, motions, job.seed, folder)
    else:
        training = GanTraining(network, job.recipe, motions, job.seed, folder)
    trainer = _fit(training, GeneratorBatches(motions, job.recipe, job.seed), folder, hardware)
    trained = _save_finished(training, job, config, described, motions, folder)
    trainer.strategy.barrier("the generator is written")
    return trained


def _save_finished(
    training: GeneratorTraining,
    job: GeneratorJob,
    config: dict[str, Any],
    described: dict[str, Any],
    motions: Motions,
    folder: Path,
) -> Trained:
    if not (folder / BEST_FILE).is_file():
        raise RunError(f"the discrepancy in {folder} was never a number; there are too few validation clips")
    network = build(job.network, config)
    with open_content(folder / BEST_FILE, f"remove {folder} and train again") as best:
        network.load_state_dict(best["weights"])
        iteration = int(best["iteration"])
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
        iteration=iteration,
    )
    if training.global_rank == 0:
        save_trained(folder, trained)
        for name in (BEST_FILE, LAST_CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
    return trained


def _fit(training: GeneratorTraining, batches: GeneratorBatches, folder: Path, hardware: Hardware) -> lightning.Trainer:
    data = StepData(batches, training.recipe.rounds * training.recipe.evaluate)
    try:
        # Adversarial losses are small differences: bfloat16 only where it is asked for.
        return fit(training, data, folder, hardware, precision="32-true")
    except RunError as error:
        kept = f"; the best weights so far are in {folder / BEST_FILE}" if (folder / BEST_FILE).is_file() else ""
        raise RunError(f"{error}{kept}") from error
