"""Changes to exported ONNX graphs that neither torch's exporter nor ONNX Runtime's optimiser makes."""

import numpy as np
import onnx
from onnx import numpy_helper

_MAX_ELEMENTS = 1 << 17  # in a constant that is written out
_BROADCASTING = ("Add", "Sub", "Mul")


def expand_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give constants that are added or multiplied the whole shape of the result, but for the batch axis.

    ONNX Runtime repeats short rows slowly: 13 joints at a time for norms and biases of each joint. Changes `model`.
    """
    graph = model.graph
    shapes = {value.name: _sizes(value) for value in (*graph.value_info, *graph.output)}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        batch, *sizes = shapes.get(node.output[0]) or (1,)
        if node.op_type not in _BROADCASTING or batch or not all(sizes) or np.prod(sizes) > _MAX_ELEMENTS:
            continue
        for place, name in enumerate(node.input):
            small = numpy_helper.to_array(constants[name]) if name in constants else np.zeros(1)
            if 1 < small.size < np.prod(sizes):
                whole = np.ascontiguousarray(np.broadcast_to(small, (1, *sizes)))
                node.input[place] = f"{node.output[0]}_{name}"
                graph.initializer.append(numpy_helper.from_array(whole, node.input[place]))
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return model


def _sizes(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """Of each axis, 0 where it is open."""
    return tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)


def strip_metadata(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the lines of code, with this machine's paths, that torch's exporter notes beside each node."""
    graphs = [model.graph, *model.functions]
    for holder in [model, *graphs, *(node for graph in graphs for node in graph.node), *model.graph.input]:
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    for value in [*model.graph.output, *model.graph.value_info, *model.graph.initializer]:
        value.ClearField("metadata_props")
        value.ClearField("doc_string")
    return model
