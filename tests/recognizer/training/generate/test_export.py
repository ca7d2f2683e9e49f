"""The generator in ONNX Runtime makes the clips that PyTorch makes of the same noise."""

import hashlib
import json

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession

from recognizer.datasets import penn_action
from recognizer.generator import OnnxGenerator
from recognizer.training.generate import export
from recognizer.training.generate.recipes import build, config_of
from recognizer.training.generate.trained import Trained
from recognizer.training.models.registry import parameter_count

METRICS = {"test": {"split": "made-up", "mmd_seq": 0.25}}


def generator(motions, network, frames):
    config = config_of(network, motions.layout, 2, frames)
    mean, spread = motions.scale
    built = build(network, config, seed=0).eval()
    for name, weight in built.named_parameters():
        if name.endswith("gain"):  # 0 at first, which would hide the attention
            torch.nn.init.constant_(weight, 0.7)
    job = {"generator": {"data": "penn"}}
    return Trained(
        built, network, config, job, motions.actions, motions.layout, mean, spread, motions.seconds, ({},), 1
    )


@pytest.mark.parametrize(("network", "frames"), [("sa-gcn", 30), ("sa-gcn-official", 6)])
def test_clips_of_fixed_noise_are_equal(motions, tmp_path, network, frames):
    trained = generator(motions, network, frames)
    card = json.loads(export.export(trained, tmp_path, "made-up", METRICS).read_text())
    session = InferenceSession(tmp_path / export.MODEL_FILE, providers=["CPUExecutionProvider"])
    wrapped = export.JointGenerator(trained).eval()
    for clips in (1, 3):
        noise, label = export.example(trained, clips)
        label = label * torch.linspace(0, 1, frames)[:, None] + 0.5 * (1 - torch.linspace(0, 1, frames))[:, None]
        with torch.inference_mode():
            expected = wrapped(noise, label).numpy()
        (found,) = session.run(None, {"noise": noise.numpy(), "label": label.numpy()})
        assert found.shape == (clips, frames, 13, 2)
        assert np.abs(found - expected).max() < 1e-4
    assert np.ptp(expected) > 0.1
    assert card["parameters"] == parameter_count(trained.network)


def test_the_card_belongs_to_the_graph(motions, tmp_path):
    trained = generator(motions, "sa-gcn", 6)
    card = json.loads(export.export(trained, tmp_path, "made-up", METRICS).read_text())
    content = (tmp_path / export.MODEL_FILE).read_bytes()
    model = onnx.load_from_string(content)
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["opset"] == next(opset.version for opset in model.opset_import if opset.domain == "")
    assert (card["actions"], card["layout"], card["frames"]) == (["raise", "spread"], "penn-13", 6)
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    assert {value.name: value.shape for value in session.get_inputs()} == card["inputs"]
    noise, label = export.example(trained, 1)
    (joints,) = session.run(None, {"noise": noise.numpy(), "label": label.numpy()})
    np.testing.assert_allclose(joints[0, -1].ravel(), card["parity"]["last_frame"], atol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["generator.json", "generator.onnx"]
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    assert not any(node.metadata_props or node.doc_string for node in nodes)  # nor lines of code and their paths


@pytest.mark.parametrize("network", ["sa-gcn", "frame-vae"])
def test_the_application_makes_the_clips_of_the_trained_network(motions, tmp_path, network):
    trained = generator(motions, network, 8)
    export.export(trained, tmp_path, "made-up", METRICS)
    made = OnnxGenerator(tmp_path)
    noise = made.noise(3, range(4))
    label = np.random.default_rng(0).dirichlet((1, 1), (4, 8)).astype(np.float32)
    with torch.inference_mode():
        expected = export.JointGenerator(trained).eval()(torch.from_numpy(noise), torch.from_numpy(label)).numpy()
    assert np.abs(made.joints(noise, label) - expected).max() < 1e-4
    assert np.ptp(expected) > 0.1
    assert made.card.actions == trained.actions
    assert made.card.layout == trained.layout
    assert made.card.metrics == METRICS
    assert made.card.training_data == (penn_action.DATASET.terms,)
