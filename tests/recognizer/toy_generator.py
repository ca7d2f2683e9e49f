"""A generator of two actions by arithmetic, in a folder as the exporter writes it, for tests that need no torch."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pose.skeleton import MPOSE_13
from recognizer.generator import CARD_FILE, MODEL_FILE, UNITS

FRAMES, NOISE = 12, 4
ACTIONS = ("raise", "step")
PLACES = np.array(
    [
        *((0, -1.5), (0.4, -1), (-0.4, -1), (0.5, -0.5), (-0.5, -0.5), (0.5, 0), (-0.5, 0)),
        *((0.2, 0), (-0.2, 0), (0.2, 0.8), (-0.2, 0.8), (0.2, 1.6), (-0.2, 1.6)),
    ],
    np.float32,
)


def weights(wobble: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of actions (A, V * 2), how much of them is done in a frame (T, 1), of noise (Z, V * 2)."""
    moves = np.zeros((2, 13, 2), np.float32)
    moves[0, MPOSE_13.index("left_wrist")] = (0, -1.5)
    moves[1, MPOSE_13.index("right_ankle")] = (-1, -0.1)
    done = np.sin(np.linspace(0, np.pi, FRAMES))[:, None].astype(np.float32)
    noise = np.random.default_rng(0).normal(0, wobble, (NOISE, 13, 2)).astype(np.float32)
    noise[:, [MPOSE_13.index(f"{side}_hip") for side in ("left", "right")]] = 0
    return moves.reshape(2, -1), done, noise.reshape(NOISE, -1)


def joints_of(noise: np.ndarray, label: np.ndarray, wobble: float = 0.1) -> np.ndarray:
    """What the graph says, by numpy: (N, T, V, 2)."""
    moves, done, of_noise = weights(wobble)
    flat = PLACES.ravel() + done * (label @ moves) + noise.mean(axis=1, keepdims=True) @ of_noise
    return flat.reshape(*noise.shape[:2], 13, 2)


def graph(wobble: float = 0.1) -> bytes:
    """noise (N, T, Z), label (N, T, A) to joints (N, T, V, 2)."""
    values = dict(zip(("moves", "done", "of_noise"), weights(wobble), strict=True))
    values |= {"places": PLACES.ravel(), "shape": np.array([0, FRAMES, 13, 2], np.int64)}
    values["mean"] = np.full((FRAMES, FRAMES), 1 / FRAMES, np.float32)
    nodes = [
        helper.make_node("MatMul", ["label", "moves"], ["moved"]),
        helper.make_node("Mul", ["moved", "done"], ["doing"]),
        helper.make_node("MatMul", ["mean", "noise"], ["style"]),
        helper.make_node("MatMul", ["style", "of_noise"], ["apart"]),
        helper.make_node("Add", ["doing", "apart"], ["both"]),
        helper.make_node("Add", ["both", "places"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["joints"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", FRAMES, size])
        for name, size in (("noise", NOISE), ("label", len(ACTIONS)))
    ]
    output = helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["N", FRAMES, 13, 2])
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in values.items()]
    made = helper.make_graph(nodes, "toy", inputs, [output], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def card_of(content: bytes, wobble: float = 0.1) -> dict:
    noise = np.random.default_rng(5).standard_normal((1, FRAMES, NOISE)).astype(np.float32)
    label = np.repeat(np.array([[[1, 0]]], np.float32), FRAMES, axis=1)
    return {
        "name": "toy",
        "model": "sa-gcn",
        "synthetic": True,
        "actions": list(ACTIONS),
        "layout": "mpose-13",
        "frames": FRAMES,
        "noise": NOISE,
        "seconds": [2.0, 1.0],
        "inputs": {"noise": ["N", FRAMES, NOISE], "label": ["N", FRAMES, 2]},
        "outputs": {"joints": ["N", FRAMES, 13, 2]},
        "units": UNITS,
        "parameters": 10,
        "trained": {"generator": {"data": "made-up"}},
        "iteration": 1,
        "training_data": [{"name": "made-up", "source": "numpy", "terms": "none"}],
        "metrics": {"validation": {"split": "none", "mmd_seq": 0.5}},
        "parity": {"input_seed": 5, "last_frame": joints_of(noise, label, wobble)[0, -1].ravel().tolist()},
        "opset": 20,
        "sha256": hashlib.sha256(content).hexdigest(),
        "created": "2026-01-01T00:00:00+00:00",
    }


def write_generator(folder: Path, wobble: float = 0.1, **changes) -> Path:
    """The folder; changes: of the card."""
    content = graph(wobble)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(content)
    (folder / CARD_FILE).write_text(json.dumps({**card_of(content, wobble), **changes}))
    return folder
