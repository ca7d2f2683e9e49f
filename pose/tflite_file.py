"""Reads a TFLite model: its tensors, its constants and its operators. No TensorFlow.

Field numbers follow tensorflow/lite/schema/schema.fbs. Constants that are stored as 16-bit floats or sparse stay as
they are; the operators DEQUANTIZE and DENSIFY, which the model itself holds, make them ordinary.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from flatbuffers.number_types import (  # type: ignore[import-untyped]
    BoolFlags,
    Int8Flags,
    Int32Flags,
    Uint8Flags,
    Uint32Flags,
)
from flatbuffers.table import Table  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pose.errors import PoseModelError

Array = NDArray[Any]

_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 9: np.int8}
OPERATORS = {
    0: "ADD",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    5: "DEPTH_TO_SPACE",
    6: "DEQUANTIZE",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    34: "PAD",
    124: "DENSIFY",
}
_PLACEHOLDER = 127  # the old one-byte code of operators that came later
_INDEX_DTYPES = {1: "<i4", 2: "<u2", 3: "u1"}  # of SparseIndexVector


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One dimension of a sparse constant in the order in which it is stored.

    segments, indices: of a compressed dimension; None where all `size` entries are there.
    """

    size: int
    segments: Array | None
    indices: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class Sparsity:
    """order: of the levels, by number of the dimension, those of blocks last. blocks: the dimension of each block."""

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """value: of a constant, in its shape; flat where it is sparse; None for what is computed."""

    name: str
    shape: tuple[int, ...]
    value: Array | None
    sparsity: Sparsity | None


class Options:
    """The settings of an operator, by the number of their field."""

    def __init__(self, table: Table | None) -> None:
        self._table = table

    def byte(self, number: int) -> int:
        """A small number or the number of a choice; 0 where it is left out."""
        return int(_scalar(self._table, number, Int8Flags, 0))

    def integer(self, number: int, default: int = 0) -> int:
        """A whole number."""
        return int(_scalar(self._table, number, Int32Flags, default))

    def flag(self, number: int) -> bool:
        """A yes or no; no where it is left out."""
        return bool(_scalar(self._table, number, BoolFlags, False))


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """inputs, outputs: numbers of tensors; -1 for an input that is left out."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options


@dataclass(frozen=True, slots=True, eq=False)
class TfliteModel:
    """The first subgraph of a model; operators stand in the order of their execution."""

    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]


def read_tflite(content: bytes) -> TfliteModel:
    """The model of a file's content. Raises PoseModelError where it is none, or has an operator that is not known."""
    if content[4:8] != b"TFL3":
        raise PoseModelError("the pose model is not a TFLite model; give another bundle")
    try:
        return _model(content)
    except (struct.error, IndexError, KeyError, ValueError, TypeError) as error:
        raise PoseModelError(f"the pose model is damaged ({error}); give another bundle") from error


def _model(content: bytes) -> TfliteModel:
    root = Table(bytearray(content), int.from_bytes(content[:4], "little"))
    codes = [_code(table) for table in _tables(root, 1)]
    buffers = _tables(root, 4)
    graph = _tables(root, 2)[0]
    return TfliteModel(
        tuple(_tensor(table, buffers) for table in _tables(graph, 0)),
        _integers(graph, 1),
        _integers(graph, 2),
        tuple(_operator(table, codes) for table in _tables(graph, 3)),
    )


def _code(table: Table) -> int:
    old = int(_scalar(table, 0, Int8Flags, 0))
    return old if old < _PLACEHOLDER and old else int(_scalar(table, 3, Int32Flags, old))


def _operator(table: Table, codes: list[int]) -> Operator:
    code = codes[int(_scalar(table, 0, Uint32Flags, 0))]
    if code not in OPERATORS:
        raise PoseModelError(f"the pose model has operator {code}, which is not supported; give another bundle")
    return Operator(OPERATORS[code], _integers(table, 1), _integers(table, 2), Options(_table(table, 4)))


def _tensor(table: Table, buffers: list[Table]) -> Tensor:
    shape = _integers(table, 0)
    dtype = _DTYPES[int(_scalar(table, 1, Int8Flags, 0))]
    data = _bytes(buffers[int(_scalar(table, 2, Uint32Flags, 0))], 0)
    sparse = _table(table, 6)
    value = None
    if data:
        value = np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))
        value = value if sparse is not None else value.reshape(shape)
    offset = table.Offset(4 + 2 * 3)
    name = table.String(table.Pos + offset).decode() if offset else ""
    return Tensor(name, shape, value, None if sparse is None else _sparsity(sparse))


def _sparsity(table: Table) -> Sparsity:
    levels = []
    for level in _tables(table, 2):
        compressed = _scalar(level, 0, Int8Flags, 0) == 1
        size = int(_scalar(level, 1, Int32Flags, 0))
        levels.append(Level(size, _indices(level, 2), _indices(level, 4)) if compressed else Level(size, None, None))
    return Sparsity(_integers(table, 0), _integers(table, 1), tuple(levels))


def _indices(level: Table, number: int) -> Array:
    """A vector: one field gives the number type, the next one the table."""
    kind = _INDEX_DTYPES[int(_scalar(level, number, Uint8Flags, 0))]
    table = _table(level, number + 1)
    assert table is not None
    offset = table.Offset(4)
    start, count = table.Vector(offset), table.VectorLen(offset)
    return np.frombuffer(bytes(table.Bytes), kind, count, start).astype(np.int64)


def _scalar(table: Table | None, number: int, kind: Any, default: Any) -> Any:
    offset = table.Offset(4 + 2 * number) if table is not None else 0
    return table.Get(kind, table.Pos + offset) if table is not None and offset else default


def _table(table: Table, number: int) -> Table | None:
    offset = table.Offset(4 + 2 * number)
    return Table(table.Bytes, table.Indirect(table.Pos + offset)) if offset else None


def _tables(table: Table, number: int) -> list[Table]:
    offset = table.Offset(4 + 2 * number)
    if not offset:
        return []
    first = table.Vector(offset)
    return [Table(table.Bytes, table.Indirect(first + 4 * index)) for index in range(table.VectorLen(offset))]


def _integers(table: Table, number: int) -> tuple[int, ...]:
    offset = table.Offset(4 + 2 * number)
    if not offset:
        return ()
    first, count = table.Vector(offset), table.VectorLen(offset)
    return struct.unpack_from(f"<{count}i", table.Bytes, first)


def _bytes(table: Table, number: int) -> bytes:
    offset = table.Offset(4 + 2 * number)
    if not offset:
        return b""
    first = table.Vector(offset)
    return bytes(table.Bytes[first : first + table.VectorLen(offset)])
