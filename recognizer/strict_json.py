"""JSON that is taken apart key by key, with every complaint in one line: what was expected, what was found."""

import json
import math
from types import UnionType
from typing import Any

from recognizer.errors import CardError


def load(content: bytes) -> Any:
    """The JSON value of a UTF-8 text. Raises ValueError, in one line, for NaN, infinities and repeated keys too."""
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_repeats,
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error


class JsonObject:
    """A JSON object that is taken apart key by key; what is left over at the end is an error."""

    def __init__(self, values: Any, path: str) -> None:
        if not isinstance(values, dict):
            raise CardError(mismatch(path.rstrip(".") or "the card", "an object", values))
        self._left = dict(values)
        self._path = path

    def name(self, key: str) -> str:
        return f"{self._path}{key}"

    def has(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, kind: type | UnionType, expected: str) -> Any:
        if key not in self._left:
            raise CardError(f"{self.name(key)} is missing; expected {expected}")
        value = self._left.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise CardError(mismatch(self.name(key), expected, value))
        return value

    def text(self, key: str) -> str:
        value: str = self.take(key, str, "a text")
        if not value.strip():
            raise CardError(mismatch(self.name(key), "a text that is not empty", value))
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        expected = f"a whole number from {low} to {high}"
        value: int = self.take(key, int, expected)
        if not low <= value <= high:
            raise CardError(mismatch(self.name(key), expected, value))
        return value

    def number(self, key: str, low: float, high: float) -> float:
        expected = f"a number from {low:g} to {high:g}"
        return in_range(self.take(key, int | float, expected), low, high, self.name(key), expected)

    def items(self, key: str, expected: str) -> list[Any]:
        values: list[Any] = self.take(key, list, f"a list of {expected}")
        return values

    def inner(self, key: str) -> "JsonObject":
        return JsonObject(self.take(key, dict, "an object"), f"{self.name(key)}.")

    def rest(self) -> dict[str, Any]:
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        if self._left:
            raise CardError(f"unknown key {self.name(min(self._left))}; check its spelling or leave it out")


def unique_texts(values: list[Any], where: str) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise CardError(mismatch(f"{where}[{index}]", "a name", value))
        if value in values[:index]:
            raise CardError(f"{where}: expected names that differ, got {value!r} twice")
    return tuple(values)


def in_range(value: Any, low: float, high: float, where: str, expected: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise CardError(mismatch(where, expected, value))
    return float(value)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is too large for a number")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError(f"a key stands twice among {', '.join(repr(key) for key, _ in pairs)}")
    return values


def mismatch(where: str, expected: str, got: Any) -> str:
    return f"{where}: expected {expected}, got {shown(got)}"


def shown(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
