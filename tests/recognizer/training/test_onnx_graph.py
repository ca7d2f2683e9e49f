"""What is exported: the same answers as PyTorch's eval mode, and a graph without the work that was saved."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from pose.onnx_session import cpu_session
from recognizer.training.export import fast_graph, to_onnx
from recognizer.training.models.act import Act, ActConfig
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.ensemble import Ensemble
from recognizer.training.models.registry import NetworkSpec
from recognizer.training.models.st_tr import StTr
from recognizer.training.onnx_graph import expand_constants

FEATURES = 78


def stirred(network: nn.Module, seed: int = 0) -> nn.Module:
    """As after training: no bias, norm or running statistic is at its neutral value."""
    generator = torch.Generator().manual_seed(seed)

    def noise(values: torch.Tensor) -> torch.Tensor:
        return torch.randn(values.shape, generator=generator)

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean += 0.2 * noise(module.running_mean)
                module.running_var *= (0.3 * noise(module.running_var)).exp()
        for name, parameter in network.named_parameters():
            if "bias" in name or parameter.ndim == 1:
                parameter += 0.2 * noise(parameter)
            if "importance" in name:
                parameter *= 1 + 0.2 * noise(parameter)
    return network.eval()


def answers(content: bytes, inputs: torch.Tensor, name: str = "features") -> np.ndarray:
    return cpu_session(content).run(None, {name: inputs.numpy()})[0]


def assert_same(network: nn.Module, content: bytes, shape: tuple[int, ...], name: str = "features") -> None:
    for batch in (1, 3):
        inputs = torch.randn((batch, *shape), generator=torch.Generator().manual_seed(batch))
        with torch.inference_mode():
            expected = network(inputs).numpy()
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(answers(content, inputs, name) / scale, expected / scale, rtol=0, atol=1e-4)


ACT = {"layers": 1, "hidden": 32}
SHORT = {"widths": (16, 16, 32), "strides": (1, 1, 2)}
NARROW = {"width": 32}
ST_TR = ("st-tr", {**NARROW, "relative": True, "skeleton_bias": True})
# Of one layer and in short: test_act_of_other_features, test_networks_inside_others and test_training_command.
MORE_VARIANTS = [
    ("act-micro", {}),
    ("act-micro", {**ACT, "gelu": "tanh"}),
    ("act-small", ACT),
    ("act-large", {"layers": 3}),
    ST_TR,
    ("st-gcn", {**SHORT, "strategy": "distance", "padding": "replicate", "kernel": 5}),
    ("st-gcn", {**SHORT, "strategy": "uniform", "importance": False, "padding": "valid", "kernel": 3}),
    ("s-tr", NARROW),
    ("t-tr", NARROW),
    ("t-tr", {**NARROW, "adaptive": True}),
    ("st-tr-1s", {**NARROW, "augmented": True, "bones": True}),
]


class Same(nn.Module):
    """In the place of a unit."""

    def forward(self, x: torch.Tensor, maps: object = None) -> torch.Tensor:
        return x


FIRST_OF_EACH_WIDTH = (0, 3, 6)


def shortened(network: nn.Module, kept: tuple[int, ...] = FIRST_OF_EACH_WIDTH) -> nn.Module:
    """Of ST-TR's nine units only some, for the exporter takes as long for each of them."""
    for stream in [module for module in network.modules() if isinstance(module, StTr)]:
        for place in set(range(9)).difference(kept):
            stream.units[place] = Same()
        stream.head = nn.Linear(stream.config.units[kept[-1]][0], stream.config.outputs)
    return network


def assert_answers_are_those_of_eval_mode(
    name: str, changes: dict[str, object], kept: tuple[int, ...] = FIRST_OF_EACH_WIDTH
) -> None:
    torch.manual_seed(1)
    network = stirred(shortened(NetworkSpec(name, 7, changes).build(), kept))
    assert_same(network, to_onnx(network, FEATURES), (30, FEATURES))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "changes"), MORE_VARIANTS, ids=lambda value: str(value))
def test_answers_are_those_of_eval_mode(name, changes):
    assert_answers_are_those_of_eval_mode(name, changes)


@pytest.mark.parametrize("name", ["s-tr", pytest.param("st-tr", marks=pytest.mark.slow)])
def test_st_tr_answers_as_in_eval_mode(name):
    """One stream or both, with a stem without attention and a unit with it each."""
    assert_answers_are_those_of_eval_mode(name, ST_TR[1], kept=(3,))


@pytest.mark.slow  # of the usual features and frames: test_networks_inside_others
def test_act_of_other_features_and_fewer_frames():
    torch.manual_seed(2)
    network = stirred(Act(ActConfig(features=52, outputs=20, width=128, layers=1, gelu="tanh")))
    content = fast_graph(network, torch.randn(2, 11, 52), "clips")
    assert_same(network, content, (11, 52), "clips")


class OfTheLastFrame(nn.Module):
    """Logits (N, 9) of features (N, T, F), which is exported at once."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(FEATURES, 9)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.head(features[:, -1])


def test_networks_inside_others_answer_the_same():
    torch.manual_seed(3)
    member = stirred(NetworkSpec("act-micro", 9, ACT).build())
    whole = Deployed([member, Ensemble([OfTheLastFrame(), OfTheLastFrame()])], listed=5, other_bias=0.1).eval()
    assert_same(whole, to_onnx(whole, FEATURES), (30, FEATURES))


def test_st_gcn_answers_as_in_eval_mode_and_its_constants_of_joints_cover_the_clip():
    torch.manual_seed(1)
    network = stirred(NetworkSpec("st-gcn", 7, SHORT).build())
    content = to_onnx(network, FEATURES)
    assert_same(network, content, (30, FEATURES))
    graph = onnx.load_from_string(content).graph
    sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    added = [sizes[name] for node in graph.node if node.op_type == "Add" for name in node.input if name in sizes]
    assert added == [(1, 16, 30, 13), (1, 16, 30, 13), (1, 32, 30, 13)]


def test_no_constant_is_written_out_beyond_a_bound_or_over_an_axis_that_is_open():
    helper = onnx.helper
    small = onnx.numpy_helper.from_array(np.arange(4, dtype=np.float32), "small")

    def result_of(*shape: int | str) -> np.ndarray:
        value = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)
        x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
        graph = helper.make_graph([helper.make_node("Add", ["x", "small"], ["y"])], "g", [x], [value], [small])
        model = expand_constants(helper.make_model(graph))
        (only,) = model.graph.initializer
        assert only.name == model.graph.node[0].input[1]
        return onnx.numpy_helper.to_array(only)

    for shape in [("N", 1 << 16, 4), ("N", "T", 4), (2, 3, 4)]:
        assert result_of(*shape).shape == (4,)
    np.testing.assert_array_equal(result_of("N", 3, 4), np.broadcast_to(np.arange(4), (1, 3, 4)))
