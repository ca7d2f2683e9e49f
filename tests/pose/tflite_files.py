"""TFLite models of one operator, written with flatbuffers alone."""

from typing import Any

import flatbuffers
import numpy as np

FLOAT32, FLOAT16, INT32 = 0, 1, 2
_TYPES = {np.dtype(np.float32): FLOAT32, np.dtype(np.float16): FLOAT16, np.dtype(np.int32): INT32}


def _ints(builder, values):
    return builder.CreateNumpyVector(np.array(values, np.int32))


def _tables(builder, tables):
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()


def _options(builder, options):
    """options: (number, kind, value) of each field; kind: "byte", "int" or "bool"."""
    builder.StartObject(12)
    for number, kind, value in options:
        if kind == "byte":
            builder.PrependInt8Slot(number, value, 0)
        elif kind == "int":
            builder.PrependInt32Slot(number, value, 0)
        else:
            builder.PrependBoolSlot(number, value, False)
    return builder.EndObject()


def one_operator(code: int, inputs: list[Any], output: tuple[int, ...], options: Any = (), kind: int = 0) -> bytes:
    """A model of one operator. inputs: a shape for the model's input, an array for a constant. kind: of the options."""
    builder = flatbuffers.Builder(1024)
    buffers: list[bytes] = [b""]
    tensors = []
    for each in [*inputs, output]:
        constant = isinstance(each, np.ndarray)
        if constant:
            buffers.append(each.tobytes())
        tensors.append((each.shape if constant else each, each.dtype if constant else np.dtype(np.float32), constant))
    made_buffers = []
    for content in buffers:
        data = builder.CreateByteVector(content) if content else 0
        builder.StartObject(3)
        if content:
            builder.PrependUOffsetTRelativeSlot(0, data, 0)
        made_buffers.append(builder.EndObject())
    buffer_list = _tables(builder, made_buffers)
    made_tensors, next_buffer = [], 1
    for number, (shape, dtype, constant) in enumerate(tensors):
        dimensions, name = _ints(builder, shape), builder.CreateString(f"t{number}")
        builder.StartObject(10)
        builder.PrependUOffsetTRelativeSlot(0, dimensions, 0)
        builder.PrependInt8Slot(1, _TYPES[dtype], 0)
        builder.PrependUint32Slot(2, next_buffer if constant else 0, 0)
        builder.PrependUOffsetTRelativeSlot(3, name, 0)
        made_tensors.append(builder.EndObject())
        next_buffer += constant
    tensor_list = _tables(builder, made_tensors)
    last = len(tensors) - 1
    op_inputs, op_outputs = _ints(builder, range(last)), _ints(builder, [last])
    settings = _options(builder, options)
    builder.StartObject(9)
    builder.PrependUint32Slot(0, 0, 0)
    builder.PrependUOffsetTRelativeSlot(1, op_inputs, 0)
    builder.PrependUOffsetTRelativeSlot(2, op_outputs, 0)
    builder.PrependUint8Slot(3, kind, 0)
    builder.PrependUOffsetTRelativeSlot(4, settings, 0)
    operators = _tables(builder, [builder.EndObject()])
    graph_inputs = _ints(builder, [n for n, (_, _, constant) in enumerate(tensors[:-1]) if not constant])
    graph_outputs = _ints(builder, [last])
    builder.StartObject(5)
    for number, value in enumerate((tensor_list, graph_inputs, graph_outputs, operators)):
        builder.PrependUOffsetTRelativeSlot(number, value, 0)
    graphs = _tables(builder, [builder.EndObject()])
    builder.StartObject(4)
    builder.PrependInt8Slot(0, min(code, 127), 0)
    builder.PrependInt32Slot(2, 1, 1)
    builder.PrependInt32Slot(3, code, 0)
    codes = _tables(builder, [builder.EndObject()])
    builder.StartObject(8)
    builder.PrependUint32Slot(0, 3, 0)
    builder.PrependUOffsetTRelativeSlot(1, codes, 0)
    builder.PrependUOffsetTRelativeSlot(2, graphs, 0)
    builder.PrependUOffsetTRelativeSlot(4, buffer_list, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    return bytes(builder.Output())
