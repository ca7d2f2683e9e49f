"""The folder of a training: the job that owns it, files written by PyTorch, and network.pt with the trained network."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import nn

from pose.errors import ActionLensError
from pose.whole_file import atomic_write, write_text
from recognizer.features import FEATURES_VERSION
from recognizer.training.models.registry import LIVE, NetworkError, NetworkSpec, network_of

NETWORK_FILE = "network.pt"
JOB_FILE = "job.json"


_DAMAGED = (UnpicklingError, OSError, RuntimeError, KeyError, TypeError, EOFError, ValueError, NetworkError)


class RunError(ActionLensError):
    """A folder of a training run is missing or cannot be used."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedRun:
    """network: in eval mode. spec: how it is built. settings: of the run, for the card. outputs: names of the network's
    fine outputs."""

    network: nn.Module
    spec: NetworkSpec
    settings: dict[str, Any]
    outputs: tuple[str, ...]


def save_run(
    folder: Path, network: nn.Module, spec: NetworkSpec, settings: dict[str, Any], outputs: tuple[str, ...]
) -> Path:
    """Write network.pt, whole or not at all."""
    content = {
        "features": FEATURES_VERSION,
        "network": spec.name,
        "changes": dict(spec.changes),
        "settings": settings,
        "outputs": outputs,
        "weights": network.state_dict(),
    }
    path = folder / NETWORK_FILE
    save_content(path, content)
    return path


def load_run(folder: Path) -> TrainedRun:
    """Read network.pt of a training run's folder. Raises RunError."""
    path = folder / NETWORK_FILE
    if not path.is_file():
        raise RunError(f"no {NETWORK_FILE} in {folder}; train first, or give the folder of a finished run")
    with open_content(path, "train again") as content:
        version, settings, outputs = content["features"], content["settings"], tuple(content["outputs"])
        spec = NetworkSpec(content["network"], len(outputs), content["changes"])
        network_of(spec.name, LIVE)
        network = spec.build()
        network.load_state_dict(content["weights"])
    if version != FEATURES_VERSION:
        raise RunError(f"{path} was trained on features {version}, this program makes {FEATURES_VERSION}; train again")
    return TrainedRun(network.eval(), spec, settings, outputs)


def save_content(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all."""
    with atomic_write(path) as temporary:
        torch.save(content, temporary)


@contextmanager
def open_content(path: Path, remedy: str) -> Iterator[dict[str, Any]]:
    """What save_content wrote. RunError with the remedy where it cannot be read, or is not what the block expects."""
    try:
        yield torch.load(path, weights_only=True, map_location="cpu")
    except _DAMAGED as error:
        raise RunError(f"{path} cannot be read ({one_line(error)}); {remedy}") from error


def claim_folder(folder: Path, described: dict[str, Any]) -> None:
    """Make the folder of a job; RunError where it is another job's."""
    check_same_job(folder, described)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / JOB_FILE, _job_text(described))


def check_same_job(folder: Path, described: dict[str, Any]) -> None:
    """RunError where the folder belongs to another job, or holds a training without a job file.

    A job that failed before its first step has left nothing but its own file: its folder is free.
    """
    file = folder / JOB_FILE
    try:
        if file.is_file() and [entry.name for entry in folder.iterdir()] == [JOB_FILE]:
            same = True
        elif file.is_file():
            same = file.read_text(encoding="utf-8") == _job_text(described)
        else:
            same = not [*folder.glob("*.ckpt"), *folder.glob(NETWORK_FILE)]
    except (ValueError, OSError):
        same = False
    if not same:
        raise RunError(
            f"{folder} holds another training, of another network, data or recipe; remove it or give another folder"
        )


def digest_of(named: Iterable[tuple[str, Any]]) -> str:
    """SHA-256 of named arrays, to recognize a training on other data or weights."""
    digest = hashlib.sha256()
    for name, values in named:
        array = np.ascontiguousarray(values)
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def digest_of_columns(table: Any) -> str:
    """digest_of a dataclass whose fields are arrays."""
    return digest_of((column.name, getattr(table, column.name)) for column in fields(table))


def _job_text(described: dict[str, Any]) -> str:
    return json.dumps(described, indent=1, sort_keys=True)


def checkpoint_error(path: Path, error: Exception) -> RunError:
    """The error for a file that PyTorch cannot load."""
    return RunError(f"{path} is not a checkpoint of this network ({one_line(error)}); remove {path.parent}")


def one_line(error: Exception) -> str:
    """The beginning of an error's text, on one line."""
    return " ".join(str(error).split())[:150] or type(error).__name__
