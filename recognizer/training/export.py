"""Export of trained networks to weights/NAME: model.onnx and its card."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from pose.whole_file import write_bytes
from recognizer.features import CHANNELS, FEATURES_VERSION, LAYOUT, RATE_FPS
from recognizer.model_card import INPUT_NAME, MODEL_FILE, DecisionRules, ModelCard, Parity, TensorSpec, TrainingSource
from recognizer.training.batches import FRAMES
from recognizer.training.everyday import ACTIONS
from recognizer.training.models.deployed import Deployed
from recognizer.training.onnx_graph import expand_constants, strip_metadata

OPSET = 20  # the first with Gelu as one operator
_MAX_CLIPS = 4096  # at once
OUTPUT_NAME = "logits"
_PARITY_SEED = 0


def export(
    network: nn.Module,
    folder: Path,
    *,
    name: str,
    family: str,
    decision: DecisionRules,
    metrics: Mapping[str, Mapping[str, Any]],
    training_data: tuple[TrainingSource, ...],
    notes: str,
    actions: tuple[str, ...] = ACTIONS,
) -> ModelCard:
    """Write model.onnx and card.json into `folder`, each whole or not at all; the card, which names the model, last.

    training_data: the terms of what the network was trained on. actions: of its outputs.
    """
    network, features = network.eval().float(), len(CHANNELS) * len(LAYOUT)
    content, embedding, attention = with_inside(network, features)
    folder.mkdir(parents=True, exist_ok=True)
    reference = np.random.default_rng(_PARITY_SEED).standard_normal((1, FRAMES, features)).astype(np.float32)
    with torch.inference_mode():
        logits = network(torch.from_numpy(reference))[0].tolist()
    card = ModelCard(
        name=name,
        model=family,
        actions=actions,
        layout=LAYOUT.name,
        frames=FRAMES,
        fps=RATE_FPS,
        features=FEATURES_VERSION,
        logits=TensorSpec(OUTPUT_NAME, ("N", len(actions))),
        training_data=training_data,
        metrics=metrics,
        decision=decision,
        sha256=hashlib.sha256(content).hexdigest(),
        opset=OPSET,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        embedding=embedding,
        attention=attention,
        parity=Parity(_PARITY_SEED, tuple(logits)),
        notes=notes,
    )
    write_bytes(folder / MODEL_FILE, content)
    card.save(folder)
    return card


def to_onnx(network: nn.Module, features: int) -> bytes:
    """The network as ONNX: "features" (N, T, F) to "logits" (N, A), N open."""
    return fast_graph(network, torch.randn(2, FRAMES, features), INPUT_NAME)


def with_inside(network: nn.Module, features: int) -> tuple[bytes, TensorSpec | None, tuple[TensorSpec, ...]]:
    """As to_onnx with all further outputs that a Deployed has, and their specs: embedding, and attention."""
    if not isinstance(network, Deployed) or not network.has_inside:
        return to_onnx(network, features), None, ()
    example = torch.randn(2, FRAMES, features)
    with torch.inference_mode():
        constants = network.fixed()
        shapes = {name: tuple(values.shape[1:]) for name, values in network.inside(example).items()}
    specs = [
        TensorSpec(name, tuple(constants[name].shape) if name in constants else ("N", *shape))
        for name, shape in shapes.items()
    ]
    content = fast_graph(_Inside(network), example, INPUT_NAME, tuple(shapes))
    by_name = {spec.name: spec for spec in specs}
    embedding = by_name.pop("embedding")
    del by_name[OUTPUT_NAME]
    return content, embedding, tuple(by_name.values())


class _Inside(nn.Module):
    """Features to all outputs of Deployed.inside."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network.inside(features).values())  # type: ignore[operator]


def fast_graph(network: nn.Module, example: Tensor, name: str, outputs: Sequence[str] = (OUTPUT_NAME,)) -> bytes:
    """The network as ONNX: `name`, shaped like `example` but with its first axis open, to the outputs."""
    model = traced(network, (example,), [name], outputs, batched=True)
    content: bytes = strip_metadata(expand_constants(model)).SerializeToString()
    return content


def traced(
    network: nn.Module, example: tuple[Any, ...], inputs: Sequence[str], outputs: Sequence[str], *, batched: bool
) -> onnx.ModelProto:
    """The network as torch's exporter writes it, with inputs shaped like `example`. batched: their first axis is
    open."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # warns of optional libraries
    clips = torch.export.Dim("N", min=1, max=_MAX_CLIPS)
    program = torch.onnx.export(
        network.eval(),
        example,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=tuple({0: clips} for _ in example) if batched else None,
        opset_version=OPSET,
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    assert program is not None
    return program.model_proto
