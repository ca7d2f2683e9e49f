"""Outputs taken off a serialized model: what is left is a model that computes the rest as before, and nothing else."""

from typing import Any

import numpy as np
import pytest
from toy_recognizer import FRAMES, feature_count, make_graph

from pose.graph_outputs import output_names, with_outputs
from pose.onnx_session import cpu_session

onnx = pytest.importorskip("onnx")


def add_outputs(model: Any) -> None:
    """hidden: what is there anyway. side: of a branch of its own. fixed: a weight."""
    helper, graph = onnx.helper, model.graph
    graph.node.append(helper.make_node("MatMul", ["flat", "own"], ["wide"]))
    graph.node.append(helper.make_node("Tanh", ["wide"], ["side"]))
    rng = np.random.default_rng(5)
    own = rng.standard_normal((FRAMES * feature_count(), 3)).astype(np.float32)
    for name, values in (("own", own), ("fixed", np.eye(4, dtype=np.float32))):
        graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    for name, shape in (("hidden", ["N", 16]), ("side", ["N", 3]), ("fixed", [4, 4])):
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))


def answers(content: bytes) -> dict[str, np.ndarray]:
    session = cpu_session(content)
    features = np.random.default_rng(1).standard_normal((2, FRAMES, feature_count())).astype(np.float32)
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {"features": features}), strict=True))


def test_what_is_left_answers_as_before_and_has_nothing_else():
    content = make_graph(edit=add_outputs)
    assert output_names(content) == ["logits", "hidden", "side", "fixed"]
    lean = with_outputs(content, ["logits"])
    onnx.checker.check_model(onnx.load_from_string(lean))
    graph = onnx.load_from_string(lean).graph
    assert [node.op_type for node in graph.node] == ["Flatten", "MatMul", "Tanh", "MatMul"]
    assert {tensor.name for tensor in graph.initializer} == {"first", "second"}
    whole, found = answers(content), answers(lean)
    assert list(found) == ["logits"]
    np.testing.assert_array_equal(found["logits"], whole["logits"])
    some = answers(with_outputs(content, ["side", "fixed"]))
    np.testing.assert_array_equal(some["side"], whole["side"])
    np.testing.assert_array_equal(some["fixed"], np.eye(4))


def test_all_nodes_stay_where_one_has_a_graph_of_its_own():
    def choose(model: Any) -> None:
        add_outputs(model)
        helper, floats = onnx.helper, onnx.TensorProto.FLOAT
        branch = helper.make_graph(
            [helper.make_node("Identity", ["wide"], ["chosen"])],
            "branch",
            [],
            [helper.make_tensor_value_info("chosen", floats, ["N", 3])],
        )
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "always"))
        model.graph.node.append(helper.make_node("If", ["always"], ["either"], then_branch=branch, else_branch=branch))
        model.graph.output.append(helper.make_tensor_value_info("either", floats, ["N", 3]))

    content = make_graph(edit=choose)
    found = answers(with_outputs(content, ["either"]))
    np.testing.assert_array_equal(found["either"], answers(content)["either"])


@pytest.mark.parametrize(
    "content", [b"\xff", b"\x3a\xff\x01", b"\x0b", b"\x80" * 20], ids=["cut", "long", "kind", "endless"]
)
def test_what_is_no_model_is_refused(content):
    with pytest.raises(ValueError, match="damaged, or of another format"):
        with_outputs(content, ["logits"])
