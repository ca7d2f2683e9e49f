"""import-official: a checkpoint of the official codes becomes weights/NAME, a model.onnx and its card.

Official models were trained on what their own data pipelines make (joints of Kinetics or NTU in picture or camera
coordinates, two people, 300 frames), not on the features of recognizer.features, so live recognition refuses them. What
they are for: a reference to compare with, in ONNX Runtime, on clips prepared as the official code prepares them.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pose.number_arguments import count
from pose.onnx_session import cpu_session
from recognizer import strict_json
from recognizer.model_card import CARD_FILE, MODEL_FILE, DecisionRules, ModelCard, Parity, TensorSpec, TrainingSource
from recognizer.plain_arrays import UNREADABLE, refuse_traps
from recognizer.training.export import OPSET, OUTPUT_NAME, fast_graph
from recognizer.training.models.act import Act
from recognizer.training.models.st_gcn import StGcn, StGcnTwoStream
from recognizer.training.models.st_tr import StTr
from recognizer.training.run_folder import one_line
from research.official.load import load_official
from research.official.names import OfficialError

SYSTEMS = ("st-gcn", "s-tr", "t-tr", "act")
DEFAULT_FRAMES = 300  # of the official graph networks
_PARITY_SEED = 0
_TOLERANCE = 1e-4  # relative, of ONNX Runtime to the torch network
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "weights")
# The 20 actions of MPOSE2021 in the order of its labels (mpose package), of which official AcT models are.
MPOSE_ACTIONS = (
    *("standing", "check-watch", "cross-arms", "scratch-head", "sit-down", "get-up", "turn", "walk", "wave1", "box"),
    *("kick", "point", "pick-up", "bend", "hands-clap", "wave2", "jog", "jump", "pjump", "run"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("checkpoint", type=Path, help="official weights: .pt or .pth of torch, or .npz")
    parser.add_argument("--system", choices=SYSTEMS, required=True, help="whose weights they are")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the official model arguments")
    parser.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder to write, as weights/NAME")
    parser.add_argument("--frames", type=count, help="frames of a clip (default: the config's T, else 300; AcT's own)")
    parser.add_argument("--actions", type=Path, metavar="FILE", help="names of the actions, one a line, in label order")


def run(options: argparse.Namespace) -> None:
    """Write the folder, whole or not at all. Raises OfficialError."""
    _check_target(options.weights)
    state = read_checkpoint(options.checkpoint)
    config = read_config(options.config)
    try:
        network = load_official(options.system, state, config)
    except OfficialError as error:
        raise OfficialError(f"{options.checkpoint}: {error}") from error
    spec = _input_spec(network, config, options.frames)
    names = _actions(options.actions, options.system, spec.outputs)
    content, reference = to_onnx(network, spec)
    card = _card(options, spec, names, content, reference)
    _write(options.weights, content, card)
    sys.stdout.write(f"{options.weights}\n")


def _check_target(folder: Path) -> None:
    """OfficialError where the folder exists or cannot be created; checked before anything slow."""
    if folder.exists():
        raise OfficialError(f"{folder} is there already; remove it or choose another name")
    parent = next(place for place in folder.absolute().parents if place.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise OfficialError(f"{folder} cannot be written: {parent} is not a folder to write to; choose another")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Names to tensors or arrays. Nothing in the file is executed. Raises OfficialError."""
    try:
        if path.suffix == ".npz":
            refuse_traps(path)
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise OfficialError(f"{path} is missing; give the official checkpoint") from error
    except (*UNREADABLE, UnpicklingError) as error:
        raise OfficialError(f"{path} is not a checkpoint of plain weights ({one_line(error)})") from error
    for key in _WRAPPERS:  # a training checkpoint may hold more than the weights
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise OfficialError(f"{path} has no dictionary of weights; save model.state_dict() with torch.save")
    return {str(name): value for name, value in content.items()}


def read_config(path: Path) -> dict[str, Any]:
    """The official model arguments: the object itself, or under "model_args" or "config". Raises OfficialError."""
    try:
        config = strict_json.load(path.read_bytes())
    except OSError as error:
        raise OfficialError(f"{path} cannot be read ({error.strerror}); give the JSON file of the config") from error
    except ValueError as error:
        raise OfficialError(f"{path} is not valid JSON ({error})") from error
    for key in ("model_args", "config"):
        if isinstance(config, dict) and isinstance(config.get(key), dict):
            config = config[key]
    if not isinstance(config, dict):
        raise OfficialError(f"{path} must hold a JSON object of settings")
    return config


@dataclass(frozen=True, slots=True)
class _InputSpec:
    """name, shape (N = 1) and description (in words) of the input; layout of its joints; number of actions."""

    name: str
    shape: tuple[int, ...]
    description: str
    layout: str
    outputs: int


def _input_spec(network: nn.Module, config: Mapping[str, Any], frames: int | None) -> _InputSpec:
    """The network's input. OfficialError for a single block, or for more frames than it takes."""
    if isinstance(network, Act):
        act = network.config
        clip_frames = frames or act.frames
        if clip_frames > act.frames:
            raise OfficialError(
                f"this AcT was trained on {act.frames} frames and takes no more, --frames is {clip_frames}"
            )
        description = f"(N, {clip_frames}, {act.features}): x, y, vx, vy of each joint as mpose prepares them"
        return _InputSpec("features", (1, clip_frames, act.features), description, "mpose-13", act.outputs)
    if not isinstance(network, StGcn | StGcnTwoStream | StTr):
        raise OfficialError("the config is that of a block; a recognizer needs a whole network")
    graph, layout = network.config, network.config.layout
    clip_frames = frames or config.get("T") or config.get("window_size") or DEFAULT_FRAMES
    shape = (1, graph.channels, clip_frames, len(layout), graph.people)
    description = (
        f"(N, {', '.join(str(size) for size in shape[1:])}): channels, frames, joints of {layout.name}, people"
    )
    return _InputSpec("clips", shape, description, layout.name, graph.outputs)


def _actions(path: Path | None, system: str, outputs: int) -> tuple[str, ...]:
    """Names of the file, else those of MPOSE2021 for an AcT of 20, else numbers. Raises OfficialError."""
    if path is None:
        mpose = system == "act" and outputs == len(MPOSE_ACTIONS)
        return MPOSE_ACTIONS if mpose else tuple(f"action-{place}" for place in range(outputs))
    try:
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise OfficialError(f"{path} cannot be read ({one_line(error)}); give a text file of action names") from error
    if len(names) != outputs or len(set(names)) != outputs:
        raise OfficialError(
            f"{path}: expected {outputs} different names, got {len(names)} ({len(set(names))} different)"
        )
    return names


def to_onnx(network: nn.Module, spec: _InputSpec) -> tuple[bytes, list[float]]:
    """The network as ONNX, N open, checked in ONNX Runtime; and its logits of the card's reference input.

    Raises OfficialError where ONNX Runtime gives other logits.
    """
    reference = np.random.default_rng(_PARITY_SEED).standard_normal(spec.shape).astype(np.float32)
    try:
        with torch.inference_mode():
            expected = network(torch.from_numpy(reference))[0].numpy()
    except (RuntimeError, ValueError, IndexError) as error:
        raise OfficialError(f"the network does not take {spec.description} ({one_line(error)})") from error
    content = fast_graph(network, torch.randn(2, *spec.shape[1:]), spec.name)
    _verify(content, spec.name, reference, expected)
    return content, expected.tolist()


def _verify(content: bytes, name: str, reference: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """OfficialError where ONNX Runtime gives other logits than torch did."""
    found = cpu_session(content).run(None, {name: reference})[0][0]
    difference = float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-6))
    if not difference < _TOLERANCE:
        raise OfficialError(
            f"ONNX Runtime gives other logits than torch (relative {difference:.1e}); nothing is written"
        )


def _card(
    options: argparse.Namespace, spec: _InputSpec, actions: tuple[str, ...], content: bytes, reference: list[float]
) -> ModelCard:
    name = options.weights.name
    checkpoint = hashlib.sha256(options.checkpoint.read_bytes()).hexdigest()
    return ModelCard(
        name=name,
        model=options.system,
        actions=actions,
        layout=spec.layout,
        frames=spec.shape[1] if options.system == "act" else spec.shape[2],
        fps=30.0,
        features=f"official-{options.system}",
        logits=TensorSpec(OUTPUT_NAME, ("N", spec.outputs)),
        training_data=(
            TrainingSource(
                f"official checkpoint {options.checkpoint.name}",
                f"SHA-256 {checkpoint}",
                "those of its authors and of the data that it was trained on",
            ),
        ),
        metrics={},
        decision=DecisionRules(1.0, dict.fromkeys(actions, 0.5)),
        sha256=hashlib.sha256(content).hexdigest(),
        opset=OPSET,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        parity=Parity(_PARITY_SEED, tuple(reference)),
        notes=f"Imported weights of the official code, not for live recognition. Input {spec.name!r} "
        f"{spec.description}, prepared as the official code does; the reference input has this shape with N = 1.",
    )


def _write(folder: Path, content: bytes, card: ModelCard) -> None:
    """The two files in a new folder, which appears with both or not at all. Raises OfficialError."""
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        (temporary / MODEL_FILE).write_bytes(content)
        # Not card.save: it refuses what live recognition would.
        text = json.dumps(card.to_json(), indent=1, ensure_ascii=False) + "\n"
        (temporary / CARD_FILE).write_text(text, encoding="utf-8")
        temporary.chmod(0o755)
        os.rename(temporary, folder)
    except OSError as error:
        raise OfficialError(f"{folder} cannot be written ({error.strerror}); choose another folder") from error
    finally:
        if temporary is not None and temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
