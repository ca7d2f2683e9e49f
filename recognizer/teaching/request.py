"""A teaching request between processes: request.json and clips.npz in a folder. Everything read is validated."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import LAYOUTS, Layout
from recognizer import strict_json
from recognizer.errors import CardError
from recognizer.plain_arrays import UNREADABLE, refuse_traps
from recognizer.strict_json import JsonObject, mismatch, unique_texts
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.versions import new_part

REQUEST_FILE, CLIPS_FILE = "request.json", "clips.npz"
QUICK, FULL = "quick", "full"
VERSION = 1
MAX_EXAMPLES = 20_000
MAX_POSES = 5_000_000

_MAX_JSON_BYTES = 16 << 20
_MAX_ARRAY_BYTES = 2 << 30
_MAX_TEXT = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")
_PART = re.compile(r"\.part-[A-Za-z0-9]{1,32}")
_PIXEL_LIMIT = 1e7


@dataclass(frozen=True, slots=True, eq=False)
class TeachingRequest:
    """One teaching.

    kind: QUICK or FULL. name: of the model, ASCII letters, digits, ".", "_" and "-" (package.plain_name makes one).
    base: folder of the recognizer to build on. models: folder of the taught models; the result is models/name/NUMBER.
    part: ".part-..." beside it, while the result is written. keep_base: whether the base's own actions stay beside the
    taught ones. one_sided: actions whose mirror image means something else. seed: of the augmentation.
    generator: folder of one that makes variants of the examples (recognizer.teaching.variants), for QUICK; None for
    none. test: names of examples that are not learnt from but answered by what was taught: the test part of a split.
    """

    kind: str
    name: str
    base: Path
    models: Path
    examples: Sequence[Example]
    part: str = field(default_factory=new_part)
    keep_base: bool = False
    one_sided: tuple[str, ...] = ()
    seed: int = 0
    generator: Path | None = None
    test: tuple[str, ...] = ()

    @property
    def learnt(self) -> list[Example]:
        """The training examples."""
        test = set(self.test)
        return [example for example in self.examples if example.name not in test and example.around not in test]

    @property
    def tested(self) -> list[Example]:
        """The examples held out for the check."""
        test = set(self.test)
        return [example for example in self.examples if example.name in test]


def write_request(request: TeachingRequest, folder: Path) -> None:
    """Write the two files into a folder."""
    examples = [
        {
            "name": example.name,
            "action": example.action,
            "person": example.person,
            "session": example.session,
            "layout": example.layout.name,
            "poses": len(example.times_s),
            **({} if example.around is None else {"around": example.around}),
        }
        for example in request.examples
    ]
    values = {
        "version": VERSION,
        "kind": request.kind,
        "name": request.name,
        "base": str(request.base),
        "models": str(request.models),
        "part": request.part,
        "keep_base": request.keep_base,
        "one_sided": list(request.one_sided),
        "seed": request.seed,
        "generator": None if request.generator is None else str(request.generator),
        "test": list(request.test),
        "clips": examples,
    }
    none = [np.zeros(0)]
    np.savez(
        folder / CLIPS_FILE,
        times_s=np.concatenate([example.times_s for example in request.examples] or none).astype(np.float64),
        xy_px=np.concatenate([example.xy_px.ravel() for example in request.examples] or none).astype(np.float32),
        confidence=np.concatenate([example.confidence.ravel() for example in request.examples] or none).astype(
            np.float32
        ),
    )
    (folder / REQUEST_FILE).write_text(json.dumps(values), encoding="utf-8")


def read_request(folder: Path) -> TeachingRequest:
    """Read and check the two files. Raises TeachingError."""
    path = folder / REQUEST_FILE
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise TeachingError(f"{path} is too large; expected at most {_MAX_JSON_BYTES} bytes")
        values = JsonObject(strict_json.load(path.read_bytes()), "")
        request = _request(values, folder / CLIPS_FILE)
        values.done()
    except OSError as error:
        raise TeachingError(f"{path} cannot be read ({error.strerror or error}); start the teaching again") from error
    except (CardError, ValueError) as error:
        raise TeachingError(f"{path}: {error}; start the teaching again") from error
    return request


def _request(values: JsonObject, arrays: Path) -> TeachingRequest:
    if (version := values.integer("version", 0, 10**6)) != VERSION:
        raise CardError(mismatch("version", str(VERSION), version))
    generator = _text_or_none(values, "generator") if values.has("generator") else None
    kind = _one_of(values, "kind", (QUICK, FULL))
    if generator is not None and kind != QUICK:
        raise CardError(f"generator: variants are made for {QUICK} teaching alone")
    return TeachingRequest(
        kind=kind,
        name=_matching(values, "name", _NAME, "up to 48 letters, digits, '.', '_' or '-'"),
        base=Path(values.text("base")),
        models=Path(values.text("models")),
        part=_matching(values, "part", _PART, "'.part-' and letters or digits"),
        keep_base=bool(values.take("keep_base", bool, "true or false")),
        one_sided=tuple(map(_normalised, unique_texts(values.items("one_sided", "action names"), "one_sided"))),
        seed=values.integer("seed", 0, 2**32 - 1),
        generator=None if generator is None else Path(generator),
        examples=_examples(values.items("clips", "examples"), arrays),
        test=tuple(unique_texts(values.items("test", "names of examples"), "test")) if values.has("test") else (),
    )


def _one_of(values: JsonObject, key: str, choices: Sequence[str]) -> str:
    value = values.text(key)
    if value not in choices:
        raise CardError(mismatch(key, " or ".join(choices), value))
    return value


def _matching(values: JsonObject, key: str, pattern: re.Pattern[str], expected: str) -> str:
    value = values.text(key)
    if not pattern.fullmatch(value):
        raise CardError(mismatch(key, expected, value))
    return value


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    action: str
    person: str | None
    session: str | None
    layout: Layout
    poses: int
    around: str | None


def _examples(items: list[Any], path: Path) -> list[Example]:
    if len(items) > MAX_EXAMPLES:
        raise CardError(f"clips: expected at most {MAX_EXAMPLES}, got {len(items)}")
    entries = [_entry(JsonObject(item, f"clips[{index}].")) for index, item in enumerate(items)]
    poses = sum(entry.poses for entry in entries)
    if poses > MAX_POSES:
        raise CardError(f"clips: expected at most {MAX_POSES} poses in all, got {poses}")
    joints = sum(entry.poses * len(entry.layout) for entry in entries)
    times_s, xy_px, confidence = _arrays(path, {"times_s": poses, "xy_px": 2 * joints, "confidence": joints})
    found, pose, joint = [], 0, 0
    for entry in entries:
        n, size = entry.poses, entry.poses * len(entry.layout)
        example = Example(
            name=entry.name,
            action=entry.action,
            person=entry.person,
            session=entry.session,
            times_s=times_s[pose : pose + n].astype(np.float64),
            xy_px=xy_px[2 * joint : 2 * (joint + size)].reshape(n, -1, 2).astype(np.float32),
            confidence=confidence[joint : joint + size].reshape(n, -1).astype(np.float32),
            layout=entry.layout,
            around=entry.around,
        )
        if not (np.diff(example.times_s) > 0).all():
            raise CardError(f"the times of example {entry.name!r} do not increase")
        found.append(example)
        pose, joint = pose + n, joint + size
    return found


def _entry(values: JsonObject) -> _Entry:
    layout = _one_of(values, "layout", tuple(LAYOUTS))
    entry = _Entry(
        name=_text(values, "name"),
        action=_normalised(_text(values, "action")),
        person=_text_or_none(values, "person"),
        session=_text_or_none(values, "session"),
        layout=LAYOUTS[layout],
        poses=values.integer("poses", 2, MAX_POSES),
        around=_text(values, "around") if values.has("around") else None,
    )
    if entry.around is not None and entry.action != NOTHING:
        raise CardError(mismatch(values.name("action"), f"{NOTHING!r}, around an example", entry.action))
    values.done()
    return entry


def _text(values: JsonObject, key: str) -> str:
    text = values.text(key)
    if len(text) > _MAX_TEXT:
        raise CardError(mismatch(values.name(key), f"at most {_MAX_TEXT} characters", text))
    return text


def _normalised(action: str) -> str:
    """Normalised so that names that look the same are equal: NFC, surrounding spaces removed, runs of spaces as one."""
    return " ".join(unicodedata.normalize("NFC", action).split())


def _text_or_none(values: JsonObject, key: str) -> str | None:
    found: str | None = values.take(key, str | type(None), "a text or null")
    return found


def _arrays(path: Path, sizes: dict[str, int]) -> list[NDArray[Any]]:
    """Flat arrays of numbers of those sizes; sizes are looked at before anything is unpacked."""
    try:
        refuse_traps(path, _MAX_ARRAY_BYTES)
        with np.load(path, allow_pickle=False) as arrays:
            found = [np.asarray(arrays[name]) for name in sizes]
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise CardError(f"{path.name} cannot be read ({reason})") from error
    for (name, size), values in zip(sizes.items(), found, strict=True):
        if values.shape != (size,) or values.dtype.kind != "f":
            raise CardError(f"{path.name}: {name}: expected {size} numbers, got {values.dtype} {values.shape}")
        if name != "xy_px" and not np.isfinite(values).all():
            raise CardError(f"{path.name}: {name} has values that are not numbers")
    found[1] = np.where(np.abs(found[1]) < _PIXEL_LIMIT, found[1], np.nan)  # such a joint counts as not seen
    return found
