"""Trained networks to weights/NAME: model.onnx and its card."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.features import FEATURES_VERSION, LAYOUT, RATE_FPS
from recognizer.model_card import INPUT_NAME, MODEL_FILE, DecisionRules, ModelCard, Parity, TensorSpec, TrainingSource
from recognizer.training.batches import FRAMES
from recognizer.training.data.everyday import ACTIONS, OTHER
from recognizer.training.onnx_graph import anonymous, folded, written_out

OPSET = 20  # the first with Gelu as one operator
OUTPUT_NAME = "logits"
_PARITY_SEED = 0

TRAINING_DATA = (
    TrainingSource(
        "Penn Action",
        "Zhang, Zhu, Derpanis: From Actemes to Action, ICCV 2013; http://dreamdragon.github.io/PennAction/",
        "research data; the videos belong to their makers",
    ),
    TrainingSource(
        "UTD-MHAD",
        "Chen, Jafari, Kehtarnavaz: UTD-MHAD, ICIP 2015; https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
        "research data, free to use with citation",
    ),
    TrainingSource(
        "Northwestern-UCLA Multiview Action 3D",
        "Wang, Nie, Xia, Wu, Zhu: Cross-view Action Modeling, CVPR 2014",
        "research data, no licence stated",
    ),
    TrainingSource(
        "MSR Action3D",
        "Li, Zhang, Liu: Action Recognition Based on a Bag of 3D Points, CVPR Workshops 2010",
        "research data, non-commercial research use",
    ),
    TrainingSource(
        "JHMDB (14 of its 21 actions)",
        "Jhuang, Gall, Zuffi, Schmid, Black: Towards Understanding Action Recognition, ICCV 2013; http://jhmdb.is.tue.mpg.de/",
        "research data; the clips come from films and web videos",
    ),
)


def export(
    network: nn.Module,
    features: int,
    folder: Path,
    *,
    name: str,
    family: str,
    decision: DecisionRules,
    metrics: Mapping[str, Mapping[str, Any]],
    notes: str,
) -> ModelCard:
    """Write model.onnx and card.json into `folder`, each whole or not at all; the card, which names the model, last."""
    network = network.eval().float()
    content = to_onnx(network, features)
    folder.mkdir(parents=True, exist_ok=True)
    reference = np.random.default_rng(_PARITY_SEED).standard_normal((1, FRAMES, features)).astype(np.float32)
    with torch.inference_mode():
        logits = network(torch.from_numpy(reference))[0].tolist()
    card = ModelCard(
        name=name,
        model=family,
        actions=ACTIONS,
        layout=LAYOUT.name,
        frames=FRAMES,
        fps=RATE_FPS,
        features=FEATURES_VERSION,
        logits=TensorSpec(OUTPUT_NAME, ("N", len(ACTIONS))),
        training_data=TRAINING_DATA,
        metrics=metrics,
        decision=decision,
        sha256=hashlib.sha256(content).hexdigest(),
        opset=OPSET,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        parity=Parity(_PARITY_SEED, tuple(logits)),
        notes=notes,
    )
    _replace(folder / MODEL_FILE, content)
    card.save(folder)
    return card


def to_onnx(network: nn.Module, features: int) -> bytes:
    """The network as ONNX: "features" (N, T, F) to "logits" (N, A), N open."""
    return fast_graph(network, torch.randn(2, FRAMES, features), INPUT_NAME)


def fast_graph(network: nn.Module, example: Tensor, name: str) -> bytes:
    """The network as ONNX: `name`, shaped like `example` but with its first axis open, to "logits"."""
    program = torch.onnx.export(
        folded(network),
        (example,),
        input_names=[name],
        output_names=[OUTPUT_NAME],
        dynamic_shapes=({0: torch.export.Dim("N", min=1, max=4096)},),
        opset_version=OPSET,
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    assert program is not None
    content: bytes = anonymous(written_out(program.model_proto)).SerializeToString()
    return content


def decision_rules(temperature: float, thresholds: Mapping[str, float]) -> DecisionRules:
    """Rules for the card; `other` needs no threshold, for it is never shown."""
    rounded = {action: round(float(thresholds.get(action, 1.0)), 4) for action in ACTIONS}
    return DecisionRules(round(float(temperature), 4), rounded, (OTHER,))


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
