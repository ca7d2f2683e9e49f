"""Training of any network on whole clips of a task, with Lightning; a killed training goes on to the same weights."""

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn

from recognizer.training.loop import LAST_CHECKPOINT, Batch, Hardware, Training, fit
from recognizer.training.models.registry import WHOLE_CLIP, ClipShape, Network, network_of
from recognizer.training.run_folder import (
    check_same_job,
    checkpoint_error,
    claim_folder,
    digest_of,
    open_content,
    save_content,
)
from recognizer.training.whole_clips import stratified
from research.errors import ResearchError
from research.whole_clip.batches import WholeClipBatches, WholeClipData
from research.whole_clip.inputs import channel_count, frames_of, plain_input
from research.whole_clip.optimizer import optimizer_of, rate_of
from research.whole_clip.presets import Preset, preset_of
from research.whole_clip.tasks import Rows, TaskClips
from research.whole_clip.transforms import Array

WEIGHTS_FILE = "weights.pt"
FRAMES = 30  # of a clip, where nothing else is asked for: AcT's and the live window's
_BEST = "best.ckpt"
_BEST_SHARE = 0.1  # of the training clips, held out where a preset keeps its best epoch


@dataclass(frozen=True, slots=True)
class WholeClipJob:
    """One training. part: of the task, see Task.load."""

    task: str
    network: str
    preset: str = "short-clips"
    seed: int = 0
    frames: int = FRAMES
    part: str = "test"

    @property
    def name(self) -> str:
        """Name of files and folders; the default number of frames and the test part are left out."""
        frames = "" if self.frames == FRAMES else f".frames{self.frames}"
        part = "" if self.part == "test" else f".{self.part}"
        return f"{self.task}.{self.network}.{self.preset}{frames}.seed{self.seed}{part}"


class WholeClipTraining(Training):
    """The recipe's loss, optimizer and rate."""

    remedy = "lower the preset's learning rate"

    def __init__(self, network: nn.Module, preset: Preset, steps: int, seed: int, width: int = 64) -> None:
        super().__init__(network, seed, preset.average)
        self.preset, self.steps, self.width = preset, steps, width

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy with label smoothing."""
        features, target = batch
        logits = self.network(features).float()
        return {"loss": nn.functional.cross_entropy(logits, target, label_smoothing=self.preset.label_smoothing)}

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        features, labels = batch
        right = (self.result(features).argmax(dim=1) == labels).float().mean()
        self.log("validation_accuracy", right, prog_bar=True, sync_dist=True, batch_size=len(labels))

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_of(self.network, self.preset)
        rate = rate_of(self.preset.schedule, self.steps, self.width)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def build_network(clips: TaskClips, kind: Network, preset: Preset, frames: int, seed: int) -> nn.Module:
    """The network with initial weights drawn by `seed`. ResearchError where it does not support the preset's clips."""
    trained = frames_of(preset, frames)
    if trained != frames and not kind.any_frames:
        raise ResearchError(f"preset {preset.name} trains on {trained} of {frames} frames, which {kind.name} cannot")
    channels = channel_count(preset.channels, clips.dims)
    torch.manual_seed(seed)
    changes = {} if preset.dropout is None else {"dropout": preset.dropout}
    shape = ClipShape(channels, clips.layout, len(clips.actions), frames, clips.centre_distances)
    return kind.build(shape, changes)


def train(
    clips: TaskClips, job: WholeClipJob, folder: Path, hardware: Hardware, preset: Preset | None = None
) -> tuple[nn.Module, float]:
    """The trained network in eval mode, and the seconds of its training.

    `folder` holds logs, checkpoints, from which a killed training of the same job resumes, and in the end the weights;
    where they exist, nothing is trained. Nothing is written before the whole job is known to be valid. ResearchError,
    NetworkError, DataError; RunError where the folder holds another training or the loss is not finite.
    """
    preset, kind = preset or preset_of(job.preset), network_of(job.network, WHOLE_CLIP)
    if reason := hardware.fits(preset.batch):
        raise ResearchError(reason)
    network = build_network(clips, kind, preset, job.frames, job.seed)
    description = _describe(job, preset, clips)
    done = _load_weights(folder, network, description)
    if done is not None:
        return network.eval(), done
    train_rows, best_epoch_rows = clips.train_rows, np.empty(0, dtype=np.intp)
    # Counted before the validation clips are split off, as in AcT's code.
    planned = -(-len(train_rows) // preset.batch) * preset.epochs
    if preset.keep == "best":
        train_rows, best_epoch_rows = stratified(
            clips.train_rows, clips.labels[clips.train_rows], _BEST_SHARE, job.seed
        )
    batches = WholeClipBatches(clips, train_rows, preset, job.frames, job.seed)
    batches.batch(0)
    training = WholeClipTraining(network, preset, planned, job.seed, kind.width)
    claim_folder(folder, description)
    trainer = _fit(
        training, WholeClipData(batches, batches.steps_per_epoch * preset.epochs, best_epoch_rows), folder, hardware
    )
    network, seconds = training.result.float().cpu().eval(), training.seconds
    _save_weights(folder, network, seconds)
    trainer.strategy.barrier("weights are written")
    return network, seconds


def _fit(training: WholeClipTraining, data: WholeClipData, folder: Path, hardware: Hardware) -> lightning.Trainer:
    preset, best = training.preset, []
    if preset.keep == "best":
        best.append(
            ModelCheckpoint(
                folder,
                _BEST.removesuffix(".ckpt"),
                monitor="validation_accuracy",
                mode="max",
                save_weights_only=True,
                enable_version_counter=False,
            )
        )
    trainer = fit(training, data, folder, hardware, clip_norm=preset.clip_norm, callbacks=best)
    if best:
        try:
            state = torch.load(folder / _BEST, weights_only=True, map_location="cpu")["state_dict"]
            training.load_state_dict(state)
        except (pickle.UnpicklingError, EOFError, KeyError, RuntimeError) as error:
            raise checkpoint_error(folder / _BEST, error) from error
    return trainer


def _describe(job: WholeClipJob, preset: Preset, clips: TaskClips) -> dict[str, Any]:
    rows = clips.train_rows
    learned = {
        "x": clips.x[:, rows],
        "score": clips.score[:, rows],
        "labels": clips.labels[rows],
        "actions": clips.actions,
    }
    return {"job": asdict(job), "preset": asdict(preset), "data": digest_of(learned.items())}


def probabilities(network: nn.Module, clips: TaskClips, rows: Rows, preset: Preset, frames: int) -> Array:
    """(R, A) of clips in the view of their own camera; with mirror_test the mean of a clip and its mirror image.
    Actions of extra tasks are left out."""
    x, score = clips.x[0, rows], clips.score[0, rows]
    asked = len(clips.actions) - clips.extra_actions
    results = []
    for mirrored in (False, True) if preset.mirror_test else (False,):
        features = torch.from_numpy(plain_input(x, score, clips.layout, preset, frames, mirrored=mirrored))
        with torch.inference_mode():
            parts = [network(part)[:, :asked].softmax(dim=1) for part in torch.split(features, 256)]
        results.append(torch.cat(parts).numpy())
    mean: Array = np.mean(results, axis=0)
    return mean


@rank_zero_only
def _save_weights(folder: Path, network: nn.Module, seconds: float) -> None:
    """Write weights.pt, whole or not at all, in place of the checkpoints."""
    save_content(folder / WEIGHTS_FILE, {"weights": network.state_dict(), "seconds": seconds})
    for checkpoint in (LAST_CHECKPOINT, _BEST):
        (folder / checkpoint).unlink(missing_ok=True)


def _load_weights(folder: Path, network: nn.Module, description: dict[str, Any]) -> float | None:
    """Give the network the weights of a finished training of this job: the seconds it took, None where there is none.

    RunError where the folder is another job's or the file is damaged.
    """
    path = folder / WEIGHTS_FILE
    check_same_job(folder, description)
    if not path.is_file():
        return None
    with open_content(path, f"remove {folder} to train again") as content:
        network.load_state_dict(content["weights"])
        return float(content["seconds"])
