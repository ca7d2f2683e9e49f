"""network.npz: the trained networks behind a shipped model.onnx, which Full teaching fine-tunes.

The exporter folds weights together, so the networks cannot be recovered from the graph and are stored beside it (of a
fusion, those of the first kind): plain arrays, each named "NETWORK/PARAMETER", and "about", a JSON text. Nothing is
unpickled.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pose.whole_file import atomic_write
from recognizer import strict_json
from recognizer.errors import CardError
from recognizer.features import FEATURES_VERSION
from recognizer.model_card import ModelCard
from recognizer.plain_arrays import UNREADABLE, refuse_traps
from recognizer.strict_json import JsonObject, unique_texts
from recognizer.teaching.full_start import NETWORKS_FILE
from recognizer.training.models.registry import LIVE, NetworkError, NetworkSpec, network_of
from recognizer.training.run_folder import RunError, TrainedRun

_MAX_BYTES = 64 << 20
_MAX_NETWORKS = 32
_MAX_OUTPUTS = 10_000
_HEAD = "head"  # in the names of the parameters that are replaced for other actions


@dataclass(frozen=True, slots=True, eq=False)
class KeptNetworks:
    """networks: in eval mode. spec: how they are built. parts: of the corpus, that they were trained on; None where
    the file does not say."""

    spec: NetworkSpec
    networks: list[nn.Module]
    parts: tuple[str, ...] | None


def save_networks(folder: Path, runs: Sequence[TrainedRun], averaged: int) -> Path:
    """Write the networks, all of one kind, beside the model that was exported of them, whole or not at all.

    averaged: how many networks the model is the mean of, those of other kinds included.
    """
    spec = runs[0].spec
    if any(run.spec != spec for run in runs):
        raise RunError("only networks of one kind and size can be kept together")
    header = {
        "features": FEATURES_VERSION,
        "model_sha256": ModelCard.load(folder).sha256,
        "network": spec.name,
        "changes": dict(spec.changes),
        "outputs": spec.outputs,
        "networks": len(runs),
        "averaged": averaged,
    }
    if all("parts" in run.settings for run in runs):
        header["parts"] = sorted({part for run in runs for part in run.settings["parts"]})
    arrays: dict[str, Any] = {"about": np.array(json.dumps(header))}
    for place, run in enumerate(runs):
        arrays |= {f"{place}/{name}": values.numpy() for name, values in run.network.state_dict().items()}
    with atomic_write(folder / NETWORKS_FILE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return folder / NETWORKS_FILE


def load_networks(folder: Path) -> KeptNetworks:
    """The networks of a model's folder, and the parts of the corpus that they were trained on. Raises RunError."""
    path = folder / NETWORKS_FILE
    if not path.is_file():
        raise RunError(f"{folder} has no {NETWORKS_FILE}, so nothing can be trained on from it; choose another model")
    try:
        arrays = _load_arrays(path)
        header = _parse_header(str(arrays.pop("about")))
        networks = []
        for place in range(header.networks):
            network = header.spec.build()
            values = {name: torch.from_numpy(arrays[f"{place}/{name}"]) for name in network.state_dict()}
            network.load_state_dict(values)
            networks.append(network.eval())
    except (CardError, NetworkError, OSError, ValueError, KeyError, TypeError, RuntimeError, zlib.error) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise RunError(f"{path} cannot be used ({reason}); export the model again") from error
    if header.sha256 != ModelCard.load(folder).sha256:
        raise RunError(f"{path} belongs to another model than the one beside it; export the model again")
    return KeptNetworks(header.spec, networks, header.parts)


@dataclass(frozen=True, slots=True)
class _Header:
    """networks: how many."""

    spec: NetworkSpec
    networks: int
    sha256: str
    parts: tuple[str, ...] | None


def _load_arrays(path: Path) -> dict[str, Any]:
    """The file's arrays; sizes are checked before anything is unpacked. Raises ValueError, OSError."""
    try:
        refuse_traps(path, _MAX_BYTES)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except UNREADABLE as error:
        raise ValueError(f"it is damaged, {type(error).__name__}") from error


def _parse_header(text: str) -> _Header:
    values = JsonObject(strict_json.load(text.encode()), "")
    if (version := values.text("features")) != FEATURES_VERSION:
        raise ValueError(f"it is of features {version}, this program makes {FEATURES_VERSION}")
    name = values.text("network")
    network_of(name, LIVE)
    changes: Mapping[str, Any] = values.take("changes", dict, "settings of the network")
    spec = NetworkSpec(name, values.integer("outputs", 1, _MAX_OUTPUTS), changes)
    if values.has("averaged"):  # older files do not have it
        values.integer("averaged", 1, _MAX_NETWORKS)
    parts = unique_texts(values.items("parts", "names"), "parts") if values.has("parts") else None  # as before
    count, sha256 = values.integer("networks", 1, _MAX_NETWORKS), values.text("model_sha256")
    values.done()
    return _Header(spec, count, sha256, parts)


def copy_body(start: nn.Module, network: nn.Module) -> None:
    """Copy all weights of `start` but those of the head into `network`. Raises ValueError where the two differ in kind
    or size."""
    body = {name: values for name, values in start.state_dict().items() if _HEAD not in name.split(".")}
    wanted = {name: values for name, values in network.state_dict().items() if _HEAD not in name.split(".")}
    if {name: values.shape for name, values in body.items()} != {name: v.shape for name, v in wanted.items()}:
        raise ValueError("fine-tuning goes on from a network of the same kind and size")
    network.load_state_dict(body, strict=False)
