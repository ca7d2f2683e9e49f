"""What trainings share: where they run, Lightning's trainer, a folder that is one job's, and going on after a kill."""

import json
import os
import pickle
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from recognizer.training.run_folder import RunError

JOB_FILE = "job.json"
LAST_CHECKPOINT = "last.ckpt"
_OF_A_CHECKPOINT = ("state_dict", "PytorchStreamReader", "zip archive")  # in the texts of PyTorch's RuntimeError


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
        processes = max(int(self.devices) if self.devices.isdigit() else 1, 1) * self.num_nodes
        if batch % processes:
            return f"{batch} clips of a batch cannot be shared evenly by {processes} processes"
        return None


def fast_precision() -> str:
    """Lightning's name of the precision that is fast here: bfloat16 where the processor or a GPU has it."""
    fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if fast else "32-true"


def trainer_of(
    folder: Path,
    hardware: Hardware,
    steps_an_epoch: int,
    *,
    precision: str | None = None,
    callbacks: Sequence[Callback] = (),
    **limits: Any,
) -> lightning.Trainer:
    """A trainer that writes logs and its last checkpoint into `folder`.

    precision: where `hardware` leaves it open, fast_precision if None. limits: more of Lightning's settings.
    """
    last = ModelCheckpoint(
        folder,
        LAST_CHECKPOINT.removesuffix(".ckpt"),
        every_n_epochs=max(1, round(hardware.checkpoint_steps / steps_an_epoch)),
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    bar = [TQDMProgressBar(refresh_rate=10)] if hardware.progress else []
    if hardware.precision != "auto":
        precision = hardware.precision
    return lightning.Trainer(
        accelerator=hardware.accelerator,
        devices=int(hardware.devices) if hardware.devices.lstrip("-").isdigit() else hardware.devices,
        num_nodes=hardware.num_nodes,
        strategy=hardware.strategy,
        precision=precision or fast_precision(),  # type: ignore[arg-type]
        callbacks=[*callbacks, *bar, last],
        logger=[CSVLogger(folder, "csv", ""), TensorBoardLogger(folder, "tensorboard", "")] if hardware.logs else False,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        log_every_n_steps=10,
        enable_progress_bar=hardware.progress,
        enable_model_summary=False,
        **limits,
    )


def fit_on(
    trainer: lightning.Trainer, training: lightning.LightningModule, data: lightning.LightningDataModule, folder: Path
) -> None:
    """Train to the end, from the folder's last checkpoint on where there is one.

    RunError where that is not one of this network; KeyboardInterrupt where the user stops it.
    """
    checkpoint = folder / LAST_CHECKPOINT
    try:
        trainer.fit(training, data, ckpt_path=checkpoint if checkpoint.is_file() else None)
    except (pickle.UnpicklingError, EOFError, KeyError, RuntimeError) as error:
        if not checkpoint.is_file() or not _is_of_a_checkpoint(error):
            raise
        raise not_a_checkpoint(checkpoint, error) from error
    except SystemExit as stopped:  # Lightning's answer to Ctrl-C, which it has the process ignore from then on
        if not isinstance(stopped.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from stopped


def not_a_checkpoint(path: Path, error: Exception) -> RunError:
    """What to say of a file that PyTorch cannot take."""
    return RunError(f"{path} is not a checkpoint of this network ({in_short(error)}); remove {path.parent}")


def in_short(error: Exception) -> str:
    """The beginning of an error's text, on one line."""
    return " ".join(str(error).split())[:150]


def _is_of_a_checkpoint(error: Exception) -> bool:
    return not isinstance(error, RuntimeError) or any(sign in str(error) for sign in _OF_A_CHECKPOINT)


def claim(folder: Path, described: dict[str, Any]) -> None:
    """Make the folder of a job; RunError where it is another job's."""
    demand_same(folder, described)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{JOB_FILE}.{os.getpid()}"
    temporary.write_text(_text(described), encoding="utf-8")
    os.replace(temporary, folder / JOB_FILE)


def demand_same(folder: Path, described: dict[str, Any]) -> None:
    """RunError where the folder is another job's."""
    file = folder / JOB_FILE
    try:
        same = not file.is_file() or file.read_text(encoding="utf-8") == _text(described)
    except (ValueError, OSError):
        same = False
    if not same:
        raise RunError(
            f"{folder} holds another training, of another network, data or recipe; remove it or give another folder"
        )


def _text(described: dict[str, Any]) -> str:
    return json.dumps(described, indent=1, sort_keys=True)


def is_first_process() -> bool:
    """False in the further processes of a training on several devices, which write and report nothing."""
    return not getattr(rank_zero_only, "rank", 0)
