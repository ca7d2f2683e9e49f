"""Pickles of plain containers and arrays of numbers or text, and of nothing else.

A pickle is a program. Here it finds no function of Python's or NumPy's: the few names that stand for arrays lead to
the stand-ins below, which check every size and type before they make an array.
"""

import math
import pickle
import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pose.whole_file import atomic_write
from recognizer.datasets.file_problems import damaged

_PLAIN = (type(None), bool, int, float, str, bytes, bytearray, np.ndarray)
_DTYPE = re.compile(r"[<>|=]?([biufSU]\d{1,4}|[?bhilqfdBHILQe]|bool|u?int\d+|float\d+)")
_ANY = (
    *(pickle.UnpicklingError, OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(OverflowError, MemoryError, RecursionError, ImportError),
)


def load(file: Path) -> Any:
    """The content of a pickle: dict, list, tuple, set, text, numbers and arrays of numbers or text.

    DataError when it is damaged or asks for anything else.
    """
    try:
        with file.open("rb") as stream:
            return _resolved(_Unpickler(stream).load(), {})
    except _ANY as error:
        raise damaged(file, f"not a pickle of plain arrays: {str(error) or type(error).__name__}") from error


def save(content: Any, file: Path) -> None:
    """Writes a pickle that any NumPy reads, whole or not at all: arrays as calls of `numpy.ndarray`, no name of its
    inner modules."""
    with atomic_write(file) as temporary, temporary.open("wb") as stream:
        _Pickler(stream, protocol=4).dump(content)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return NotImplemented
        if value.dtype.kind not in "biufSU":
            raise TypeError(f"an array of {value.dtype} is neither numbers nor text")
        # A bytearray, so that the reader's array can be written to.
        return np.ndarray, (value.shape, value.dtype.str, bytearray(np.ascontiguousarray(value).tobytes()))


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _STAND_INS.get((module.replace("numpy.core.", "numpy._core."), name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return found


class _StandIn:
    """What a pickle may call. Its opcode for attributes (BUILD) changes nothing here."""

    __slots__ = ()

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError("it sets attributes of a function")


class _Dtype:
    """numpy.dtype: a type of numbers or text, by name, with a byte order set afterwards."""

    __slots__ = ("name",)

    def __init__(self, name: object) -> None:
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            raise pickle.UnpicklingError(f"it holds an array of {str(name)[:40]}")
        self.name = name

    def __setstate__(self, state: Any) -> None:
        order, *parts = state[1:5]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in parts):
            raise pickle.UnpicklingError("it holds an array of structures")
        self.name = order + self.name.lstrip("<>|=")

    def array(self, shape: Any, raw: Any, fortran: bool = False) -> NDArray[Any]:
        """The array that the bytes hold; they must be just as many as it needs."""
        dtype = np.dtype(self.name)
        if not dtype.itemsize:  # S0 and U0, which NumPy makes arrays of S1 and U1 of: no bytes would give any size
            raise pickle.UnpicklingError("it holds an array of text without a length")
        sizes = (shape,) if type(shape) is int else shape
        if not isinstance(sizes, tuple) or any(type(size) is not int or size < 0 for size in sizes):
            raise pickle.UnpicklingError("it holds an array of no shape")
        if not isinstance(raw, bytes | bytearray) or len(raw) != math.prod(sizes) * dtype.itemsize:
            raise pickle.UnpicklingError("it holds an array of more or less bytes than its shape")
        if not raw:
            return np.zeros(sizes, dtype=dtype)
        return np.frombuffer(bytearray(raw), dtype=dtype).reshape(sizes, order="F" if fortran else "C")


class _NewDtype(_StandIn):
    def __call__(self, name: object, align: object = False, copy: object = False) -> _Dtype:
        return _Dtype(name)


class _Array:
    """An array that `_reconstruct` announces and that gets its content afterwards."""

    __slots__ = ("value",)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Dtype):
            raise pickle.UnpicklingError("it holds an array of no type")
        self.value = dtype.array(shape, raw, bool(fortran))


class _Reconstruct(_StandIn):
    def __call__(self, kind: object, shape: object, code: object) -> _Array:
        return _Array()


class _NewArray(_StandIn):
    """numpy.ndarray(shape, dtype, buffer)."""

    def __call__(self, shape: object, dtype: object, buffer: object) -> NDArray[Any]:
        return (dtype if isinstance(dtype, _Dtype) else _Dtype(dtype)).array(shape, buffer)


class _FromBuffer(_StandIn):
    """What NumPy writes from protocol 5 on."""

    def __call__(self, buffer: object, dtype: object, shape: object, order: object = "C") -> NDArray[Any]:
        return (dtype if isinstance(dtype, _Dtype) else _Dtype(dtype)).array(shape, buffer, order == "F")


class _Scalar(_StandIn):
    def __call__(self, dtype: object, raw: object) -> Any:
        if not isinstance(dtype, _Dtype):
            raise pickle.UnpicklingError("it holds a number of no type")
        return dtype.array((1,), raw)[0].item()


class _Encode(_StandIn):
    """Bytes as protocols 0 to 2 write them."""

    def __call__(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise pickle.UnpicklingError("it encodes text")
        return text.encode("latin1")


class _NoBytes(_StandIn):
    """Empty bytes as protocols 0 to 2 write them."""

    def __call__(self) -> bytes:
        return b""


class _Bytearray(_StandIn):
    def __call__(self, content: object = b"") -> bytearray:
        if not isinstance(content, bytes):
            raise pickle.UnpicklingError("it makes bytes of something else")
        return bytearray(content)


_STAND_INS: dict[tuple[str, str], _StandIn] = {
    ("numpy", "dtype"): _NewDtype(),
    ("numpy", "ndarray"): _NewArray(),
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy._core.multiarray", "scalar"): _Scalar(),
    ("numpy._core.numeric", "_frombuffer"): _FromBuffer(),
    ("_codecs", "encode"): _Encode(),
    ("builtins", "bytearray"): _Bytearray(),
    ("__builtin__", "bytearray"): _Bytearray(),
    ("__builtin__", "bytes"): _NoBytes(),
}


def _resolved(value: Any, known: dict[int, Any]) -> Any:
    """The value with every announced array in its place; `known` holds what containers became, by identity."""
    if isinstance(value, _Array):
        if not hasattr(value, "value"):
            raise pickle.UnpicklingError("it holds an array without content")
        return value.value
    if isinstance(value, _PLAIN):
        return value
    if not isinstance(value, dict | list | tuple | set | frozenset):
        raise pickle.UnpicklingError("it holds something that is not data")
    if id(value) not in known:
        known[id(value)] = None  # a container that holds itself finds None there
        if isinstance(value, dict):
            known[id(value)] = {key: _resolved(part, known) for key, part in value.items()}
        else:
            known[id(value)] = type(value)(_resolved(part, known) for part in value)
    return known[id(value)]
