"""TFLite models as ONNX, for the operators that MediaPipe's pose networks have.

TFLite keeps pictures as (N, H, W, C), ONNX convolutions want (N, C, H, W): every tensor of four dimensions is held in
the latter order, and turned only where a RESHAPE depends on the order, and at outputs. Shapes are known in the file,
so SAME padding becomes numbers. The batch, 1 in the file, is open in the result.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pose.errors import PoseModelError
from pose.tflite_file import Operator, Sparsity, TfliteModel, read_tflite

OPSET = 17
INPUT = "image"
Array = NDArray[Any]
_Pair = tuple[int, int]  # of the vertical and the horizontal axis

_SAME = 0
_RELU, _RELU6 = 1, 3
_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def convert(content: bytes, outputs: dict[int, str]) -> bytes:
    """A TFLite model as a serialized ONNX model with the one input `image`, (N, 3, H, W) float32.

    outputs: number of an output in the file -> its name in the result, in the shape of the file; nothing is kept that
    only other outputs need. Raises PoseModelError.
    """
    return _Converter(read_tflite(content)).convert(outputs)


def dense(values: Array, sparsity: Sparsity, shape: Sequence[int]) -> Array:
    """A sparse constant as an ordinary array."""
    places = np.zeros(1, np.int64)
    coordinates: list[Array] = []
    for level in sparsity.levels:
        if level.segments is None or level.indices is None:
            parents = np.repeat(np.arange(len(places)), level.size)
            along = np.tile(np.arange(level.size), len(places))
            places = places[parents] * level.size + along
        else:
            counts = level.segments[places + 1] - level.segments[places]
            parents = np.repeat(np.arange(len(places)), counts)
            within = np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)
            places = level.segments[places][parents] + within
            along = level.indices[places]
        coordinates = [found[parents] for found in coordinates] + [along]
    by_dimension = dict(zip(sparsity.order, coordinates, strict=True))
    sizes = {dimension: level.size for dimension, level in zip(sparsity.order, sparsity.levels, strict=True)}
    whole = [by_dimension[dimension] for dimension in range(len(shape))]
    for block, dimension in enumerate(sparsity.blocks, start=len(shape)):
        whole[dimension] = whole[dimension] * sizes[block] + by_dimension[block]
    result = np.zeros(shape, values.dtype)
    result[tuple(whole)] = values[places]
    return result


class _Converter:
    def __init__(self, model: TfliteModel) -> None:
        self._model = model
        self._constants = {n: t.value for n, t in enumerate(model.tensors) if t.value is not None}
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._names: dict[int, str] = {}

    def convert(self, outputs: dict[int, str]) -> bytes:
        model = self._model
        (image,) = model.inputs
        _, height, width, channels = self._shape(image)
        self._names[image] = INPUT
        wanted = {model.outputs[place]: name for place, name in outputs.items()}
        for operator in self._needed(set(wanted)):
            _CONVERSIONS[operator.name](self, operator)
        results = [self._output(tensor, name) for tensor, name in wanted.items()]
        graph = helper.make_graph(
            self._nodes,
            "pose",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", channels, height, width])],
            results,
            self._initializers,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(made)
        return bytes(made.SerializeToString())

    def _needed(self, tensors: set[int]) -> list[Operator]:
        kept = []
        for operator in reversed(self._model.operators):
            if tensors & set(operator.outputs):
                kept.append(operator)
                tensors |= set(operator.inputs)
        return kept[::-1]

    def _output(self, tensor: int, name: str) -> Any:
        shape = self._shape(tensor)
        source = self._in_order_of_file(tensor)
        self._nodes.append(helper.make_node("Identity", [source], [name]))
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape[1:]])

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return self._model.tensors[tensor].shape

    def _constant(self, name: str, value: Array) -> str:
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _value(self, tensor: int) -> Array:
        if tensor not in self._constants:
            raise PoseModelError(f"the pose model computes {self._model.tensors[tensor].name}; expected a constant")
        return self._constants[tensor]

    def _operand(self, tensor: int) -> str:
        """The name of a tensor's value; constants become initializers, those of four axes with channels first."""
        if tensor not in self._names:
            value = self._value(tensor).astype(np.float32)
            value = value.transpose(_TO_CHANNELS_FIRST) if value.ndim == 4 else value
            self._names[tensor] = self._constant(f"constant{tensor}", value)
        return self._names[tensor]

    def _in_order_of_file(self, tensor: int) -> str:
        name = self._operand(tensor)
        if len(self._shape(tensor)) != 4:
            return name
        turned = f"{name}_last"
        self._nodes.append(helper.make_node("Transpose", [name], [turned], perm=_TO_CHANNELS_LAST))
        return turned

    def _add(self, kind: str, inputs: list[str], operator: Operator, activation: int = 0, **attributes: Any) -> None:
        """A node for the operator's only output, and one for the activation that is fused with it."""
        (output,) = operator.outputs
        name = f"value{output}"
        self._names[output] = name
        if not activation:
            self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
            return
        raw = f"{name}_raw"
        self._nodes.append(helper.make_node(kind, inputs, [raw], **attributes))
        if activation == _RELU:
            self._nodes.append(helper.make_node("Relu", [raw], [name]))
        elif activation == _RELU6:
            bounds = [self._constant(f"{name}_{n}", np.array(n, np.float32)) for n in (0, 6)]
            self._nodes.append(helper.make_node("Clip", [raw, *bounds], [name]))
        else:
            raise PoseModelError(f"the pose model has an activation of number {activation}; give another bundle")

    def _pads(
        self, operator: Operator, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
    ) -> list[int]:
        """Before and after each axis, as ONNX orders them."""
        if operator.options.byte(0) != _SAME:
            return [0, 0, 0, 0]
        before, after = [], []
        for axis in range(2):
            size, made = self._shape(operator.inputs[0])[1 + axis], self._shape(operator.outputs[0])[1 + axis]
            reach = (kernel[axis] - 1) * dilation[axis] + 1
            total = max((made - 1) * stride[axis] + reach - size, 0)
            before.append(total // 2)
            after.append(total - total // 2)
        return [*before, *after]

    def _convolution(self, operator: Operator, weights: Array, groups: int, activation: int, dilation_at: int) -> None:
        """weights: (O, I / groups, H, W)."""
        options = operator.options
        stride = (options.integer(2), options.integer(1))
        dilation = (options.integer(dilation_at + 1, 1), options.integer(dilation_at, 1))
        kernel = (weights.shape[2], weights.shape[3])
        output = operator.outputs[0]
        inputs = [self._operand(operator.inputs[0]), self._constant(f"weights{output}", weights.astype(np.float32))]
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            inputs.append(self._constant(f"bias{output}", self._value(operator.inputs[2]).astype(np.float32)))
        self._add(
            "Conv",
            inputs,
            operator,
            activation,
            kernel_shape=kernel,
            strides=stride,
            dilations=dilation,
            pads=self._pads(operator, kernel, stride, dilation),
            group=groups,
        )

    def conv_2d(self, operator: Operator) -> None:
        weights = self._value(operator.inputs[1]).transpose(0, 3, 1, 2)
        groups = self._shape(operator.inputs[0])[3] // weights.shape[1]
        self._convolution(operator, weights, groups, operator.options.byte(3), 4)

    def depthwise_conv_2d(self, operator: Operator) -> None:
        weights = self._value(operator.inputs[1]).transpose(3, 0, 1, 2)
        self._convolution(operator, weights, self._shape(operator.inputs[0])[3], operator.options.byte(4), 5)

    def add(self, operator: Operator) -> None:
        names = [self._operand(tensor) for tensor in operator.inputs]
        for index, tensor in enumerate(operator.inputs):
            # One number a channel stands on the last axis in the file.
            if len(self._shape(tensor)) == 1 and len(self._shape(operator.outputs[0])) == 4:
                value = self._value(tensor).astype(np.float32).reshape(1, -1, 1, 1)
                names[index] = self._constant(f"channel{tensor}_{operator.outputs[0]}", value)
        self._add("Add", names, operator, operator.options.byte(0))

    def max_pool_2d(self, operator: Operator) -> None:
        options = operator.options
        stride, kernel = (options.integer(2), options.integer(1)), (options.integer(4), options.integer(3))
        pads = self._pads(operator, kernel, stride, (1, 1))
        inputs = [self._operand(operator.inputs[0])]
        self._add("MaxPool", inputs, operator, options.byte(5), kernel_shape=kernel, strides=stride, pads=pads)

    def pad(self, operator: Operator) -> None:
        widths = self._value(operator.inputs[1]).astype(np.int64)
        if len(widths) == 4:
            widths = widths[list(_TO_CHANNELS_FIRST)]
        pads = self._constant(f"pads{operator.outputs[0]}", widths.T.reshape(-1))
        self._add("Pad", [self._operand(operator.inputs[0]), pads], operator)

    def resize_bilinear(self, operator: Operator) -> None:
        options = operator.options
        mode = "align_corners" if options.flag(2) else "half_pixel" if options.flag(3) else "asymmetric"
        source, made = self._shape(operator.inputs[0]), self._shape(operator.outputs[0])
        factors = np.array([1, 1, made[1] / source[1], made[2] / source[2]], np.float32)
        scales = self._constant(f"scales{operator.outputs[0]}", factors)
        inputs = [self._operand(operator.inputs[0]), "", scales]
        self._add("Resize", inputs, operator, mode="linear", coordinate_transformation_mode=mode)

    def depth_to_space(self, operator: Operator) -> None:
        inputs = [self._operand(operator.inputs[0])]
        self._add("DepthToSpace", inputs, operator, blocksize=operator.options.integer(0), mode="DCR")

    def reshape(self, operator: Operator) -> None:
        """The first axis, the batch, stays what it is; a result of four axes is turned to channels first again."""
        output = operator.outputs[0]
        shape = self._constant(f"shape{output}", np.array([0, *self._shape(output)[1:]], np.int64))
        self._add("Reshape", [self._in_order_of_file(operator.inputs[0]), shape], operator)
        if len(self._shape(output)) == 4:
            first = f"value{output}_first"
            self._nodes.append(helper.make_node("Transpose", [self._names[output]], [first], perm=_TO_CHANNELS_FIRST))
            self._names[output] = first

    def concatenation(self, operator: Operator) -> None:
        axes = len(self._shape(operator.outputs[0]))
        axis = operator.options.integer(0) % axes
        axis = _TO_CHANNELS_FIRST.index(axis) if axes == 4 else axis
        inputs = [self._operand(tensor) for tensor in operator.inputs]
        self._add("Concat", inputs, operator, operator.options.byte(1), axis=axis)

    def logistic(self, operator: Operator) -> None:
        self._add("Sigmoid", [self._operand(operator.inputs[0])], operator)

    def dequantize(self, operator: Operator) -> None:
        value = self._value(operator.inputs[0])
        if value.dtype != np.float16:
            raise PoseModelError(f"the pose model has weights of {value.dtype}; expected float16: give another bundle")
        self._constants[operator.outputs[0]] = value.astype(np.float32)

    def densify(self, operator: Operator) -> None:
        (tensor,) = operator.inputs
        sparsity = self._model.tensors[tensor].sparsity
        assert sparsity is not None
        self._constants[operator.outputs[0]] = dense(self._value(tensor), sparsity, self._shape(tensor))


_CONVERSIONS: dict[str, Callable[[_Converter, Operator], None]] = {
    "ADD": _Converter.add,
    "CONCATENATION": _Converter.concatenation,
    "CONV_2D": _Converter.conv_2d,
    "DEPTHWISE_CONV_2D": _Converter.depthwise_conv_2d,
    "DEPTH_TO_SPACE": _Converter.depth_to_space,
    "DEQUANTIZE": _Converter.dequantize,
    "DENSIFY": _Converter.densify,
    "LOGISTIC": _Converter.logistic,
    "MAX_POOL_2D": _Converter.max_pool_2d,
    "PAD": _Converter.pad,
    "RESHAPE": _Converter.reshape,
    "RESIZE_BILINEAR": _Converter.resize_bilinear,
}
