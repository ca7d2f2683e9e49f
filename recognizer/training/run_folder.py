"""A trained network on disk: network.pt with its weights, its size, its outputs and how it was trained."""

import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from pose.errors import ActionLensError
from recognizer.features import FEATURES_VERSION
from recognizer.training.networks import NETWORKS, NetworkError, NetworkSpec

NETWORK_FILE = "network.pt"


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
    path, temporary = folder / NETWORK_FILE, folder / f".{NETWORK_FILE}.part"
    torch.save(content, temporary)
    os.replace(temporary, path)
    return path


def load_run(folder: Path) -> TrainedRun:
    """Read network.pt of a training run's folder. Raises RunError."""
    path = folder / NETWORK_FILE
    if not path.is_file():
        raise RunError(f"no {NETWORK_FILE} in {folder}; train first, or give the folder of a finished run")
    try:
        content = torch.load(path, weights_only=True)
        version, settings, outputs = content["features"], content["settings"], tuple(content["outputs"])
        spec = NetworkSpec(content["network"], len(outputs), content["changes"])
        if spec.name not in NETWORKS:
            raise NetworkError(f"no network is called {spec.name!r}")
        network = spec.build()
        network.load_state_dict(content["weights"])
    except (NetworkError, UnpicklingError, OSError, RuntimeError, KeyError, TypeError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{path} cannot be read ({reason}); train again") from error
    if version != FEATURES_VERSION:
        raise RunError(f"{path} was trained on features {version}, this program makes {FEATURES_VERSION}; train again")
    return TrainedRun(network.eval(), spec, settings, outputs)
