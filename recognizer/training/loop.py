"""The training loop: every network is trained by `fit`, on Lightning.

A Training defines the losses, Batches the data. Every batch and every random number is a function of the seed and the
step, so a killed training resumes from its last checkpoint and ends with the same weights.
"""

import copy
import pickle
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from recognizer.training.run_folder import RunError, checkpoint_error, one_line

Batch = tuple[Tensor, ...]  # the first dimension of each is that of the clips
LAST_CHECKPOINT = "last.ckpt"
_CHECKPOINT_ERROR_TEXTS = ("state_dict", "PytorchStreamReader", "zip archive")  # in the texts of PyTorch's RuntimeError


@dataclass(frozen=True, slots=True)
class Hardware:
    """Lightning's own settings: where it trains, on how many devices and machines, and what it shows.

    precision: Lightning's, or "auto". checkpoint_steps: between two checkpoints, about.
    """

    accelerator: str = "auto"
    devices: str = "1"
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "auto"
    progress: bool = False
    logs: bool = True
    checkpoint_steps: int = 100

    def fits(self, batch: int) -> str | None:
        """Why a batch of so many clips cannot be trained on; None where it can."""
        devices = self._device_count()
        if not devices:
            return f"--devices {self.devices} is neither a number of devices, auto nor a list of GPUs such as 0,1"
        processes = devices * self.num_nodes
        if batch % processes:
            return f"{batch} clips of a batch cannot be shared evenly by {processes} processes"
        return None

    def _device_count(self) -> int:
        """How many devices Lightning makes of the text, 0 where it takes no such text."""
        if self.devices in ("auto", "-1"):
            return 1 if self.accelerator == "cpu" else max(torch.cuda.device_count(), 1)
        listed = self.devices.removesuffix(",").split(",")
        if not all(each.strip().isdecimal() for each in listed):
            return 0
        return len(set(map(int, listed))) if "," in self.devices else int(self.devices)


def fast_precision() -> str:
    """Lightning's name of the precision that is fast here: bfloat16 where the processor or a GPU has it."""
    fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if fast else "32-true"


class Batches(Protocol):
    """What a network is trained on."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, at least one; checkpoints and validation come between epochs."""
        ...

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """The clips `mine` of the batch of a step, counted from 0; a function of the step alone."""
        ...


class Training(lightning.LightningModule):
    """A network in training. Subclasses define `losses` and `configure_optimizers`.

    average: weight of the past in the running mean of the weights (Polyak and Juditsky, 1992); 0 for no mean.
    """

    remedy = "lower the learning rate"

    def __init__(self, network: nn.Module, seed: int, average: float = 0.0) -> None:
        super().__init__()
        self.network, self.seed, self._average = network, seed, average
        self.averaged = copy.deepcopy(network).requires_grad_(False).eval() if average else None
        self._started, self._seconds_before = time.monotonic(), 0.0

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """`loss`, and further values to log. With manual optimization it makes the optimizer steps itself."""
        raise NotImplementedError

    @property
    def iteration(self) -> int:
        """Batches seen before this one."""
        return self.global_step

    @property
    def noise_key(self) -> tuple[int, ...]:
        """Seeds dropout and other noise of a step, which must survive a resume; processes draw different numbers."""
        return self.seed, self.iteration, self.global_rank

    @property
    def result(self) -> nn.Module:
        """The trained network: the one with averaged weights, where there is one."""
        return self.network if self.averaged is None else self.averaged

    @property
    def seconds(self) -> float:
        """Training time so far, including the time before a resume."""
        return self._seconds_before + time.monotonic() - self._started

    def training_step(self, batch: Any, batch_idx: int) -> Tensor | None:
        torch.manual_seed(hash(self.noise_key))
        losses = self.losses(batch)
        self.log_dict(losses, prog_bar=True, sync_dist=True)
        if not self.automatic_optimization:
            return None
        if not torch.isfinite(losses["loss"]):
            raise RunError(f"the loss is {losses['loss'].item()} at step {self.iteration}; {self.remedy}")
        return losses["loss"]

    def on_train_batch_end(self, *_: Any) -> None:
        if self.averaged is None:
            return
        keep = min(
            self._average, (1 + self.iteration) / (10 + self.iteration)
        )  # so that the first steps do not dominate
        now = self.network.state_dict()
        with torch.no_grad():
            for name, mean in self.averaged.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(now[name], 1 - keep)
                else:
                    mean.copy_(now[name])

    def on_train_start(self) -> None:
        self.network.train()  # a loaded one is in eval mode, in which Lightning would leave it: without its dropout
        self._started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["seconds"] = self.seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._seconds_before = float(checkpoint["seconds"])


class StepData(lightning.LightningDataModule):
    """Batches for Lightning: process r of w takes clips r, r + w, ... of every batch.

    validates: there is a val_dataloader, which is asked for after every epoch.
    """

    validates = False

    def __init__(self, batches: Batches, steps: int) -> None:
        super().__init__()
        self.batches, self.steps = batches, steps

    def train_dataloader(self) -> DataLoader[Batch]:
        epoch = self.trainer.current_epoch if self.trainer else 0  # checkpoints are written between epochs
        first, length = epoch * self.batches.steps_per_epoch, self.batches.steps_per_epoch
        return DataLoader(
            _StepBatches(self.batches, range(first, min(first + length, self.steps)), self.mine), batch_size=None
        )

    @property
    def mine(self) -> slice:
        """This process's share of every batch."""
        return slice(self.trainer.global_rank, None, self.trainer.world_size) if self.trainer else slice(None)


class _StepBatches(IterableDataset[Batch]):
    """The batches of some steps; a process's share of each."""

    def __init__(self, batches: Batches, steps: range, mine: slice) -> None:
        self.batches, self.steps, self.mine = batches, steps, mine

    def __iter__(self) -> Iterator[Batch]:
        for step in self.steps:
            yield self.batches.batch(step, self.mine)


def fit(
    training: Training,
    data: StepData,
    folder: Path | None,
    hardware: Hardware,
    *,
    precision: str | None = None,
    clip_norm: float | None = None,
    callbacks: Sequence[Callback] = (),
) -> lightning.Trainer:
    """Train to the last of data's steps, from the folder's last checkpoint on where there is one.

    folder: for logs and the checkpoint; None keeps neither. precision: where `hardware` leaves it open, fast_precision
    if None. clip_norm: of the gradient. RunError where the checkpoint is not one of this network or the loss is lost;
    KeyboardInterrupt where the user stops it.
    """
    trainer = _trainer(
        folder,
        hardware,
        data.batches.steps_per_epoch,
        precision=precision,
        callbacks=callbacks,
        max_epochs=-(-data.steps // data.batches.steps_per_epoch),
        gradient_clip_val=clip_norm,
        num_sanity_val_steps=0,
        limit_val_batches=1.0 if data.validates else 0,
    )
    _run(trainer, training, data, folder)
    return trainer


def _trainer(
    folder: Path | None,
    hardware: Hardware,
    steps_per_epoch: int,
    *,
    precision: str | None,
    callbacks: Sequence[Callback],
    **limits: Any,
) -> lightning.Trainer:
    used = [*callbacks]
    if hardware.progress:
        used.append(TQDMProgressBar(refresh_rate=10))
    if folder is not None:
        used.append(
            ModelCheckpoint(
                folder,
                LAST_CHECKPOINT.removesuffix(".ckpt"),
                every_n_epochs=max(1, round(hardware.checkpoint_steps / steps_per_epoch)),
                save_on_train_epoch_end=True,
                enable_version_counter=False,
            )
        )
    if hardware.precision != "auto":
        precision = hardware.precision
    loggers = []
    if hardware.logs and folder is not None:
        loggers = [CSVLogger(folder, "csv", ""), TensorBoardLogger(folder, "tensorboard", "")]
    trainer = partial(
        lightning.Trainer,
        accelerator=hardware.accelerator,
        devices=int(hardware.devices) if hardware.devices.lstrip("-").isdigit() else hardware.devices,
        num_nodes=hardware.num_nodes,
        strategy=hardware.strategy,
        precision=precision or fast_precision(),  # type: ignore[arg-type]
        callbacks=used,
        logger=loggers or False,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        log_every_n_steps=10,
        enable_checkpointing=folder is not None,
        enable_progress_bar=hardware.progress,
        enable_model_summary=False,
        **limits,
    )
    try:
        return trainer()
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise RunError(
            f"Lightning cannot train with accelerator {hardware.accelerator}, devices {hardware.devices} and precision "
            f"{hardware.precision} ({one_line(error)}); give others"
        ) from error


def _run(trainer: lightning.Trainer, training: Training, data: StepData, folder: Path | None) -> None:
    checkpoint = None if folder is None or not (folder / LAST_CHECKPOINT).is_file() else folder / LAST_CHECKPOINT
    try:
        trainer.fit(training, data, ckpt_path=checkpoint)
    except (pickle.UnpicklingError, EOFError, KeyError, RuntimeError) as error:
        if checkpoint is None or not _is_checkpoint_error(error):
            raise
        raise checkpoint_error(checkpoint, error) from error
    except SystemExit as stopped:  # Lightning's answer to Ctrl-C, which it has the process ignore from then on
        if not isinstance(stopped.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from stopped


def _is_checkpoint_error(error: Exception) -> bool:
    return not isinstance(error, RuntimeError) or any(sign in str(error) for sign in _CHECKPOINT_ERROR_TEXTS)


def is_first_process() -> bool:
    """False in the further processes of a training on several devices, which write and report nothing."""
    return not getattr(rank_zero_only, "rank", 0)
