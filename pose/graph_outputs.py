"""The outputs of an ONNX model, fewer outputs, and whether all of the model is in one file.

ONNX Runtime computes everything that is in a graph, also what nobody fetches: its run option
`only_execute_path_to_fetches` does nothing in builds for inference, and it removes no nodes whose results are not used.
A session of the graph without them computes nothing of them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message


def output_names(content: bytes) -> list[str]:
    """Names of the graph's outputs. Raises ValueError where the content is no model."""
    return [output.name for output in _model(content).graph.output]


def with_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """The model with only those of its outputs, and without the nodes and weights that only the others need.

    All nodes stay where one has a graph of its own, as If and Loop have, for that may read anything. Raises ValueError
    where the content is no model.
    """
    model = _model(content)
    graph = model.graph
    _keep(graph.output, [output for output in graph.output if output.name in names])
    if not any(attribute.HasField("g") or attribute.graphs for node in graph.node for attribute in node.attribute):
        needed, nodes = set(names), []
        for node in reversed(graph.node):  # they stand in the order of their execution
            if needed.intersection(node.output):
                nodes.append(node)
                needed.update(node.input)
        _keep(graph.node, nodes[::-1])
        _keep(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in needed])
    reduced: bytes = model.SerializeToString()
    return reduced


def has_external_data(content: bytes) -> bool:
    """Whether a tensor of the model lies in another file. Raises ValueError where the content is no model."""
    return any(
        tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL
        for tensor in _messages(_model(content))
        if isinstance(tensor, onnx.TensorProto)
    )


def _model(content: bytes) -> Any:
    try:
        return onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise ValueError("its content is damaged, or of another format") from error


def _keep(field: Any, kept: list[Any]) -> None:
    """Leave only some of a repeated field's messages."""
    del field[:]
    field.extend(kept)


def _messages(message: Message) -> Iterator[Message]:
    """A message and all within it, at any depth: tensors stand in graphs, attributes, functions and sparse tensors."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                yield from _messages(inner)
