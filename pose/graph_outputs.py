"""The outputs of an ONNX graph, read from and taken off the serialized model without the package onnx, and whether all
of the model is in it.

ONNX Runtime computes everything that is in a graph, also what nobody fetches: its run option
`only_execute_path_to_fetches` does nothing in builds for inference, and it removes no nodes whose results are not used.
A session of the graph without them computes nothing of them. Field numbers are those of onnx.proto.
"""

from collections.abc import Iterator, Sequence

_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12  # of GraphProto
_VALUE_NAME, _TENSOR_NAME = 1, 8  # of ValueInfoProto and TensorProto
_INPUTS, _OUTPUTS, _ATTRIBUTE = 1, 2, 5  # of NodeProto
_SUBGRAPHS = (6, 11)  # of AttributeProto
# Where tensors are, by kind of message: field number -> the kind of message in it.
_TENSORS_IN = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL = 13  # of TensorProto
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def output_names(content: bytes) -> list[str]:
    """Names of the graph's outputs. Raises ValueError where the content is no model."""
    graph = b"".join(_all(content, _GRAPH))
    return [_text(value, _VALUE_NAME) for value in _all(graph, _OUTPUT)]


def with_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """The model with only those of its outputs, and without the nodes and weights that only the others need.

    All nodes stay where one has a graph of its own, as If and Loop have, for that may read anything. Raises ValueError
    where the content is no model.
    """
    parts = []
    for number, value, whole in _fields(content):
        if number == _GRAPH:
            kept = _reduced(value, names)
            whole = bytes([_GRAPH << 3 | _BYTES]) + _varint(len(kept)) + kept
        parts.append(whole)
    return b"".join(parts)


def has_external_data(content: bytes) -> bool:
    """Whether a tensor of the model lies in another file. Raises ValueError where the content is no model."""
    waiting = [("model", content)]
    while waiting:
        kind, message = waiting.pop()
        inside = _TENSORS_IN.get(kind, {})
        for number, value, _ in _fields(message):
            if kind == "tensor" and number == _EXTERNAL:
                return True
            if number in inside:
                waiting.append((inside[number], value))
    return False


def _reduced(graph: bytes, names: Sequence[str]) -> bytes:
    fields = list(_fields(graph))
    if any(number == _NODE and _has_subgraph(value) for number, value, _ in fields):
        return b"".join(whole for number, value, whole in fields if number != _OUTPUT or _is_one_of(value, names))
    needed = set(names)
    kept = []
    for number, value, whole in reversed(fields):  # nodes stand in the order of their execution
        if number == _NODE:
            made, read = ({text.decode() for text in _all(value, field)} for field in (_OUTPUTS, _INPUTS))
            if not made & needed:
                continue
            needed |= read
        elif number == _OUTPUT and not _is_one_of(value, names):
            continue
        kept.append((number, value, whole))
    return b"".join(
        whole
        for number, value, whole in reversed(kept)
        if number != _INITIALIZER or _text(value, _TENSOR_NAME) in needed
    )


def _is_one_of(output: bytes, names: Sequence[str]) -> bool:
    return _text(output, _VALUE_NAME) in names


def _has_subgraph(node: bytes) -> bool:
    return any(number in _SUBGRAPHS for attribute in _all(node, _ATTRIBUTE) for number, _, _ in _fields(attribute))


def _all(message: bytes, number: int) -> list[bytes]:
    return [value for found, value, _ in _fields(message) if found == number]


def _text(message: bytes, number: int) -> str:
    return b"".join(_all(message, number)[:1]).decode()


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, content (of those with a length, else empty) and all the bytes of each field."""
    place = 0
    while place < len(message):
        start = place
        key, place = _read_varint(message, place)
        value, kind = b"", key & 7
        if kind == _VARINT:
            _, place = _read_varint(message, place)
        elif kind == _BYTES:
            length, place = _read_varint(message, place)
            value, place = message[place : place + length], place + length
        elif kind in (_FIXED32, _FIXED64):
            place += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        if place > len(message):
            raise ValueError("it ends within a field")
        yield key >> 3, value, message[start:place]


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the lowest first, and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise ValueError("a number does not end")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
