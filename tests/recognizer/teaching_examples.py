"""Made-up people who do made-up actions, and a tiny recognizer with an embedding to teach them to."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from toy_recognizer import make_card, make_graph

from pose.skeleton import MPOSE_13
from recognizer.model_card import ModelCard, TensorSpec
from recognizer.teaching.examples import Example

HIDDEN = 16
PLACES = dict(
    zip(
        MPOSE_13.joints,
        [
            *((0, -1.7), (0.2, -1.4), (-0.2, -1.4), (0.3, -1.1), (-0.3, -1.1), (0.3, -0.8), (-0.3, -0.8)),
            *((0.12, -0.9), (-0.12, -0.9), (0.12, -0.45), (-0.12, -0.45), (0.12, 0), (-0.12, 0)),
        ],
        strict=True,
    )
)
RATE = 25.0


def made_example(action, number=0, *, person="Ada", session="Monday", seconds=2.5, name=None):
    """raise: the left hand up and down. step: the right foot aside. bow: the trunk down. nothing: stands."""
    rng = np.random.default_rng([number, len(action)])
    times_s = np.arange(0, seconds, 1 / RATE)
    phase = 0.5 - 0.5 * np.cos(2 * np.pi * times_s / rng.uniform(1.0, 1.3) + rng.uniform(0, 1))
    xy = np.repeat(np.array([PLACES[joint] for joint in MPOSE_13.joints])[None], len(times_s), axis=0)
    moves = {
        "raise": (("left_wrist", (0.2, -1.2)), ("left_elbow", (0.2, -0.5))),
        "step": (("right_ankle", (-0.7, -0.1)), ("right_knee", (-0.4, -0.1))),
        "bow": tuple((f"{s}_{j}", (0.0, 0.45)) for s in ("left", "right") for j in ("shoulder", "elbow", "wrist")),
    }
    # No two performances are alike: how far, how evenly, and which way.
    far, even, turn = rng.uniform(0.8, 1.25), rng.uniform(0.7, 1.5), rng.uniform(-0.25, 0.25)
    for joint, (x, y) in moves.get(action, ()):
        way = np.array([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])
        xy[:, MPOSE_13.index(joint)] += far * phase[:, None] ** even * way
    xy = 300 + 100 * (xy * rng.uniform(0.9, 1.1) + rng.normal(0, 0.01, xy.shape))
    confidence = np.ones(xy.shape[:2], np.float32)
    name = name or f"{session}-{person}/{action}-{number}"
    return Example(name, action, person, session, times_s, xy.astype(np.float32), confidence, MPOSE_13)


def made_examples(actions=("raise", "step", "bow"), examples=4, *, people=("Ada",), sessions=("Monday",)):
    found = []
    for action in actions:
        for number in range(examples):
            person, session = people[number % len(people)], sessions[number % len(sessions)]
            found.append(made_example(action, number, person=person, session=session))
    return found


def write_base(folder: Path, **changes) -> Path:
    """The toy recognizer with its hidden layer as the embedding."""

    def show_hidden(model):
        model.graph.output.append(helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["N", HIDDEN]))

    content = make_graph(edit=show_hidden)
    onnx.checker.check_model(onnx.load_from_string(content))
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    card: ModelCard = make_card(sha256=hashlib.sha256(content).hexdigest(), **changes)
    replace(card, embedding=TensorSpec("hidden", ("N", HIDDEN))).save(folder)
    return folder
