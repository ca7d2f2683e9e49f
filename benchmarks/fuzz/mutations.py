"""Small changes to a file, most of them where an unwary reader breaks: types, sizes, names, signs, truncation."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzz.content import Content, Member, to_bytes

_TREES = ("json", "npz", "pickle", "npy", "mat")
_NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2, 7, 255, 65536, 2**31, -(2**31) - 1, 2**32, 2**53 + 1, 2**63, 2**64, 10**30, -(10**30)),
    *(0.5, -0.0, 1e-320, 1e30, 1e308, float("nan"), float("inf"), float("-inf"), True, False),
)
_TEXTS: tuple[str, ...] = (
    *("", " ", "\x00", "\n", "a\nb", "NaN", "1e999", "-", "..", "../../escape", "/tmp/escape", "C:\\escape", "CON"),
    *("\ud800", "\u202e", "e\u0301" * 40, "🔑", "x" * 300, "x" * 100_000, "'; DROP TABLE clips; --", "%s%n", "<b>"),
)
_OTHERS: tuple[Any, ...] = (None, [], {}, [[]], {"": None}, b"", b"\x00" * 9)
_NAMES = (
    *("../escape", "/tmp/escape", "a/../../escape", "C:/escape", "..\\escape", "a\x00b", "", ".", "a/", "x" * 300),
    *("a/b/c/d/e/f", "__MACOSX/._a", "Thumbs.db", "nul", "a:b", "é\u0301", "\u202egnp.exe", "a\nb"),
)
_TOKEN = re.compile(r"[^\s,;]+")


def mutated(files: dict[str, Content], rng: Random) -> dict[str, bytes]:
    """One to three changes to one of the files, rarely to several; never a change to none."""
    out = {name: to_bytes(content) for name, content in files.items()}
    for _ in range(1 if rng.random() < 0.8 else 2):
        name = rng.choice(sorted(files))
        content = files[name]
        if rng.random() < 0.75:
            for _ in range(rng.randint(1, 3)):
                content = _structural(content, rng)
        try:
            changed = to_bytes(content)
        except Exception:  # noqa: BLE001  no such file can be written: its bytes are changed instead
            changed = out[name]
        if changed == out[name] or rng.random() < 0.15:
            changed = mutated_bytes(changed, rng)
        out[name] = changed
    if rng.random() < 0.03:
        del out[rng.choice(sorted(out))]
    return out


def _structural(content: Content, rng: Random) -> Content:
    if content.kind in _TREES:
        return replace(content, value=mutated_tree(content.value, rng))
    if content.kind in ("zip", "tar"):
        return replace(content, value=_mutated_members(list(content.value), rng))
    if content.kind == "text":
        return replace(content, value=mutated_text(content.value, rng))
    return replace(content, value=mutated_bytes(content.value, rng))


def mutated_tree(value: Any, rng: Random) -> Any:
    """A copy with one node changed: another value, or a key or item taken out, given another name or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.75:
            return {**value, key: mutated_tree(value[key], rng)}
        out = dict(value)
        moved = out.pop(key)
        if rng.random() < 0.5:
            out[rng.choice((*_TEXTS[:12], *map(str, value)))] = moved
        return out
    if isinstance(value, list | tuple) and len(value) and rng.random() < 0.85:
        items = list(value)
        place = rng.randrange(len(items))
        if rng.random() < 0.75:
            items[place] = mutated_tree(items[place], rng)
        elif rng.random() < 0.5:
            del items[place]
        else:
            items.insert(place, items[rng.randrange(len(items))])
        return items if isinstance(value, list) else tuple(items)
    return _replacement(value, rng)


def _replacement(value: Any, rng: Random) -> Any:
    if isinstance(value, np.ndarray) and rng.random() < 0.85:
        return _replacement_array(value, rng)
    if isinstance(value, str) and rng.random() < 0.6:
        return rng.choice((*_TEXTS, value * 2, value[:-1], value.upper(), mutated_text(value, rng)))
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.6:
        return rng.choice((*_NUMBERS, -value, value * 1000, str(value)))
    if rng.random() < 0.05:
        deep: Any = value
        for _ in range(rng.choice((50, 300, 900))):
            deep = [deep]
        return deep
    return rng.choice((*_NUMBERS, *_TEXTS, *_OTHERS))


def _replacement_array(array: NDArray[Any], rng: Random) -> Any:
    changes: tuple[Callable[[], Any], ...] = (
        lambda: array[:0],
        lambda: array[:1],
        lambda: array[::-1],
        lambda: array.ravel(),
        lambda: array.T,
        lambda: array[None],
        lambda: array[..., :1],
        lambda: np.concatenate([array, array], axis=-1),
        lambda: np.repeat(array, rng.choice((2, 50, 1000)), axis=0),
        lambda: np.zeros(rng.choice(((), (0,), (0, 0), (3, 0, 2), (1,) * 30))),
        lambda: np.zeros((rng.choice((30, 3000)), *array.shape[1:]), array.dtype),
        lambda: array.astype(rng.choice(("i1", "u8", "f2", "f8", "c8", "U5", "S3", "?", "O", "M8[s]"))),
        lambda: _with_value(array, rng.choice(_NUMBERS)),
        lambda: np.full_like(array, rng.choice((0, 1, -1))),
        lambda: array * 1e30,
        lambda: array - 1e6,
        lambda: array.tolist(),
        lambda: np.zeros(array.shape, [("a", "f4"), ("b", "i4")]),
    )
    try:
        with np.errstate(all="ignore"):
            return rng.choice(changes)()
    except (ValueError, TypeError, OverflowError, IndexError):
        return np.zeros(0)


def _with_value(array: NDArray[Any], value: Any) -> NDArray[Any]:
    out = array.copy()
    if out.size:
        out.flat[out.size // 2] = value
    return out


def mutated_text(text: str, rng: Random) -> str:
    """A copy of a table or a list with a token, a line or the separators changed."""
    choice = rng.randrange(6)
    if choice == 0 or len(text) > 1_000_000:
        return text.replace(*rng.choice(((",", ";"), (".", ","), ("\n", "\r\n"), (" ", "\t"), ("\n", " "), ("0", "٣"))))
    if choice in (1, 2):
        lines = text.splitlines(keepends=True) or [""]
        place = rng.randrange(len(lines))
        lines[place : place + 1] = [] if choice == 1 else [lines[place]] * rng.choice((2, 3, 500))
        return "".join(lines)
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return text + rng.choice(_TEXTS)
    token = rng.choice(tokens)
    new = str(rng.choice((*_NUMBERS, *_TEXTS, -1, "1,5", '"', "nan"))) if choice < 5 else ""
    return text[: token.start()] + new + text[token.end() :]


def mutated_bytes(data: bytes, rng: Random) -> bytes:
    """A copy with some bytes changed, removed, doubled or inserted, or cut short."""
    for _ in range(rng.choice((1, 1, 2, 8))):
        place, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 8, 64, 1024))
        new = rng.choice(
            (
                bytes([rng.randrange(256)]),
                b"\x00" * length,
                b"\xff" * length,
                rng.randrange(1 << 32).to_bytes(4, rng.choice(("little", "big"))),
                b"\x7f\xff\xff\xff",
                data[place : place + length],
                b"[" * rng.choice((2, 100_000)),
                b"",
            )
        )
        kind = rng.randrange(4)
        if kind == 0:
            data = data[:place] + new + data[place + len(new) :]
        elif kind == 1:
            data = data[:place] + new + data[place:]
        elif kind == 2:
            data = data[:place] + data[place + length :]
        else:
            data = data[:place] if rng.random() < 0.5 else data[:place] + data[place:] + data[:length]
    return data


def _mutated_members(members: list[Member], rng: Random) -> list[Member]:
    place = rng.randrange(len(members)) if members else 0
    one = members[place] if members else Member("a", b"")
    changed = rng.choice(
        (
            [replace(one, name=rng.choice(_NAMES))],
            [one, replace(one, name=rng.choice(_NAMES))],
            [replace(one, link=rng.choice(("/etc/passwd", "../..", one.name, "")))],
            [replace(one, data=mutated_bytes(one.data, rng))],
            [replace(one, data=b"\x00" * rng.choice((0, 1 << 20, 64 << 20)))],
            [one, one],
            [replace(one, name=f"{one.name}/below"), one],
            [],
        )
    )
    return [*members[:place], *changed, *members[place + 1 :]]
