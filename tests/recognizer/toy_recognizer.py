"""A small network with fixed random weights in a model folder, for tests that need a recognizer but no skill."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from recognizer.features import FEATURES_VERSION, clip_features
from recognizer.model_card import DecisionRules, ModelCard, Parity, TensorSpec, TrainingSource

FRAMES, FPS = 30, 15.0
ACTIONS = ("idle", "walk", "wave", "other")
OPSET = 17


def feature_count() -> int:
    xy = np.zeros((1, FRAMES, len(MPOSE_13), 2), np.float32)
    return clip_features(xy, xy[..., 0], FPS).shape[-1]


def make_card(**changes: Any) -> ModelCard:
    card = ModelCard(
        name="toy",
        model="act",
        actions=ACTIONS,
        layout=MPOSE_13.name,
        frames=FRAMES,
        fps=FPS,
        features=FEATURES_VERSION,
        logits=TensorSpec("logits", ("N", len(ACTIONS))),
        training_data=(TrainingSource("random", "numpy", "none"),),
        metrics={"test": {"split": "none", "accuracy": 0.25}},
        decision=DecisionRules(1.0, dict.fromkeys(ACTIONS, 0.5), ("other",)),
        sha256="0" * 64,
        opset=OPSET,
        created="2026-01-01T00:00:00+00:00",
    )
    return replace(card, **changes)


def make_graph(
    *,
    input_name: str = "features",
    features: int | None = None,
    actions: int = len(ACTIONS),
    batch: int | str = "N",
    scale: float = 1.0,
    edit: Callable[[Any], None] | None = None,
) -> bytes:
    """features -> flatten -> 16 hyperbolic tangents -> logits."""
    onnx = pytest.importorskip("onnx", reason="needs the extra `train`")
    helper, array = onnx.helper, onnx.numpy_helper.from_array
    features = features or feature_count()
    rng = np.random.default_rng(0)
    first = rng.standard_normal((FRAMES * features, 16)) * 3 / np.sqrt(FRAMES * features)
    second = rng.standard_normal((16, actions)) * scale
    nodes = [
        helper.make_node("Flatten", [input_name], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "first"], ["sums"]),
        helper.make_node("Tanh", ["sums"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "second"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(input_name, onnx.TensorProto.FLOAT, [batch, FRAMES, features])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [batch, actions])],
        [array(first.astype(np.float32), "first"), array(second.astype(np.float32), "second")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    if edit:
        edit(model)
    return model.SerializeToString()


def toy_logits(features: np.ndarray) -> np.ndarray:
    """What the graph computes, in numpy."""
    rng = np.random.default_rng(0)
    size = features[0].size
    first = rng.standard_normal((size, 16)) * 3 / np.sqrt(size)
    second = rng.standard_normal((16, len(ACTIONS)))
    return np.tanh(features.reshape(len(features), -1) @ first) @ second


def write_model(folder: Path, content: bytes | None = None, **changes: Any) -> Path:
    """A model folder whose card matches its model, but for the changes."""
    folder.mkdir(parents=True, exist_ok=True)
    content = make_graph() if content is None else content
    (folder / "model.onnx").write_bytes(content)
    make_card(**{"sha256": hashlib.sha256(content).hexdigest(), **changes}).save(folder)
    return folder


def reference_parity(seed: int = 3) -> Parity:
    features = np.random.default_rng(seed).standard_normal((1, FRAMES, feature_count())).astype(np.float32)
    return Parity(seed, tuple(float(value) for value in toy_logits(features)[0]))
