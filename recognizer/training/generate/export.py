"""A generator as generator.onnx and generator.json, so that clips can be made without torch.

The graph takes `noise` (N, T, Z) from a normal distribution and `label` (N, T, A), shares of the actions of each frame
that add up to 1, and gives `joints` (N, T, V, 2) in torsos from the middle of the hips, x right, y down.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pose.whole_file import write_bytes
from recognizer.generator import CARD_FILE, MODEL_FILE, UNITS, with_digest
from recognizer.training.export import OPSET, traced
from recognizer.training.generate.sets import set_of
from recognizer.training.generate.trained import Trained
from recognizer.training.models.registry import parameter_count
from recognizer.training.models.sa_gcn import Generator
from recognizer.training.onnx_graph import strip_metadata

_PARITY_SEED = 0


class JointGenerator(nn.Module):
    """Noise and labels to joints in torsos. start: of the sum of latent poses, fixed where the network has one."""

    mean: Tensor
    spread: Tensor

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.network = trained.network
        self.register_buffer("mean", torch.from_numpy(trained.mean))
        self.register_buffer("spread", torch.from_numpy(trained.spread))
        further = trained.network.noise(1, torch.Generator().manual_seed(_PARITY_SEED))[1:]
        self.start = nn.Parameter(further[0]) if further else None

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """noise (N, T, Z), label (N, T, A) to joints (N, T, V, 2)."""
        further = () if self.start is None else (self.start.expand(noise.shape[0], -1),)
        clips = self.network(noise, *further, label)
        return clips.view(*noise.shape[:2], *self.mean.shape) * self.spread + self.mean  # type: ignore[no-any-return]


class OnnxGru(nn.Module):
    """A GRU of one layer as ONNX's own operator: torch's exporter writes out its frames, for one N alone.

    ONNX orders the gates update, reset, new; torch reset, update, new.
    """

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.hidden = gru.hidden_size
        of_input, of_state, *biases = (self._reordered(weight.detach()) for weight in gru.parameters())
        self.of_input, self.of_state = nn.Parameter(of_input[None]), nn.Parameter(of_state[None])
        self.bias = nn.Parameter(torch.cat(biases)[None])

    def _reordered(self, weight: Tensor) -> Tensor:
        reset, update, new = weight.chunk(3)
        return torch.cat([update, reset, new])

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """x (N, T, F) to (N, T, H); for the exporter alone."""
        n, frames, _ = x.shape
        out = torch.onnx.ops.symbolic(
            "GRU",
            (x.transpose(0, 1), self.of_input, self.of_state, self.bias),
            attrs={"hidden_size": self.hidden, "linear_before_reset": 1},
            dtype=x.dtype,
            shape=(frames, 1, n, self.hidden),
            version=OPSET,
        )
        return out[:, 0].transpose(0, 1), None


def export(trained: Trained, folder: Path, name: str, metrics: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write the graph and then its card into `folder`, each whole or not at all; the card's path.

    metrics: by name, each with the "split" that it was measured on. Raises TrainingError where the data set is unknown.
    """
    network = JointGenerator(trained).eval()
    content = to_onnx(network, trained)
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / MODEL_FILE, content)
    text = json.dumps(_card(trained, network, content, name, metrics), indent=1, ensure_ascii=False)
    write_bytes(folder / CARD_FILE, (text + "\n").encode())
    return folder / CARD_FILE


def to_onnx(network: JointGenerator, trained: Trained) -> bytes:
    """The graph, N open."""
    network = copy.deepcopy(network)
    if isinstance(network.network, Generator):
        network.network.recurrent = OnnxGru(network.network.recurrent)  # type: ignore[assignment]
    model = traced(network, example(trained, 2), ["noise", "label"], ["joints"], batched=True)
    content: bytes = strip_metadata(model).SerializeToString()
    return content


def example(trained: Trained, clips: int) -> tuple[Tensor, Tensor]:
    """Noise and labels: of the seed that the card names, clip n of action n mod A."""
    rng = np.random.default_rng(_PARITY_SEED)
    noise = rng.standard_normal((clips, trained.frames, trained.config["noise"])).astype(np.float32)
    labels = np.eye(len(trained.actions), dtype=np.float32)[np.arange(clips) % len(trained.actions)]
    return torch.from_numpy(noise), torch.from_numpy(labels)[:, None].repeat(1, trained.frames, 1)


def _card(
    trained: Trained, network: JointGenerator, content: bytes, name: str, metrics: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    with torch.inference_mode():
        answer = network(*example(trained, 1))[0, -1].flatten().tolist()
    card = {
        "name": name,
        "model": trained.name,
        "synthetic": True,
        "actions": list(trained.actions),
        "layout": trained.layout.name,
        "frames": trained.frames,
        "noise": trained.config["noise"],
        "seconds": list(trained.seconds),
        "inputs": {
            "noise": ["N", trained.frames, trained.config["noise"]],
            "label": ["N", trained.frames, len(trained.actions)],
        },
        "outputs": {"joints": ["N", trained.frames, len(trained.layout), 2]},
        "units": UNITS,
        "parameters": parameter_count(trained.network),
        "trained": trained.job,
        "iteration": trained.iteration,
        "training_data": [asdict(set_of(trained.job["generator"]["data"]).dataset.terms)],
        "metrics": metrics,
        "parity": {"input_seed": _PARITY_SEED, "last_frame": answer},
        "opset": OPSET,
        "sha256": hashlib.sha256(content).hexdigest(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return with_digest(card)
