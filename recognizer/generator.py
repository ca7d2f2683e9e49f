"""Synthetic clips of actions, from a generator exported to ONNX: no torch.

A generator's folder has generator.onnx and its card, generator.json, which is checked like a recognizer's. All output
is marked as synthetic, with its provenance.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.errors import ActionLensError, ModelFileError
from pose.onnx_session import cpu_session
from pose.skeleton import LAYOUTS, Layout
from recognizer import card_digest, strict_json
from recognizer.errors import CardError
from recognizer.model_card import (
    MAX_ACTIONS,
    MAX_CARD_BYTES,
    MAX_MODEL_BYTES,
    TrainingSource,
    metrics_of,
    training_sources,
    weights_folders,
)
from recognizer.strict_json import JsonObject, in_range, mismatch, shown, unique_texts

MODEL_FILE, CARD_FILE = "generator.onnx", "generator.json"
SHIPPED = "sa-gcn"  # in weights/
UNITS = "torsos from the middle of the hips, x right, y down"
LONGEST_S = 60.0

_DECISIVE = ("actions", "layout", "frames", "noise", "seconds", "units", "inputs", "outputs", "sha256")  # of output
_NOISE, _LABEL, _JOINTS = "noise", "label", "joints"
_MAX_CLIPS = 1000  # in one request
_AT_ONCE = 32
_LARGEST_ERROR = 1e-3  # torsos, between the graph here and the trained network

Array = NDArray[np.float32]


class GeneratorError(ActionLensError):
    """There is no such generator, or it cannot generate what is asked for."""


@dataclass(frozen=True, slots=True)
class GeneratorCard:
    """The content of generator.json.

    name: for people. model: kind of network. actions: A names. layout: of the V joints. frames: T of a clip. noise: Z
    numbers of each frame. seconds: (A,) that a clip of an action lasts. trained: on what and how. iteration: of the
    weights. training_data: sources with their terms. metrics: by name, each an object with the "split" it was measured
    on. parity_seed, parity: of an example's noise, and the trained network's last frame (V * 2) for the first action.
    sha256: of generator.onnx.
    """

    name: str
    model: str
    actions: tuple[str, ...]
    layout: Layout
    frames: int
    noise: int
    seconds: tuple[float, ...]
    trained: Mapping[str, Any]
    iteration: int
    training_data: tuple[TrainingSource, ...]
    metrics: Mapping[str, Mapping[str, Any]]
    parity_seed: int
    parity: tuple[float, ...]
    opset: int
    sha256: str
    created: str

    @staticmethod
    def load(folder: Path) -> "GeneratorCard":
        """Read and check generator.json. Raises CardError."""
        path = folder / CARD_FILE
        try:
            values = strict_json.load(_read(path, MAX_CARD_BYTES))
            expected = card_digest.take(values)
            card = _card(JsonObject(values, ""))
            card_digest.check(expected, values, _DECISIVE)
            return card
        except CardError as error:
            raise error if str(path) in str(error) else CardError(f"{path}: {error}") from error
        except ValueError as error:
            raise CardError(f"{path} is not valid JSON ({error}); export the generator again") from error

    @property
    def shapes(self) -> dict[str, list[int | str]]:
        """The shapes of the graph's inputs and output."""
        return {
            _NOISE: ["N", self.frames, self.noise],
            _LABEL: ["N", self.frames, len(self.actions)],
            _JOINTS: ["N", self.frames, len(self.layout), 2],
        }


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedClip:
    """One synthetic clip. joints: (T, V, 2) float32, torsos from the middle of the hips, x right, y down.

    shares: those above 0 of the actions that it blends. generator, sha256: of the generator. seed, number: of its
    noise.
    """

    joints: Array
    layout: Layout
    duration_s: float
    shares: Mapping[str, float]
    generator: str
    sha256: str
    seed: int
    number: int

    @property
    def fps(self) -> float:
        """Poses a second."""
        return (len(self.joints) - 1) / self.duration_s

    @property
    def provenance(self) -> dict[str, Any]:
        """The mark as synthetic, and what is needed to generate the clip again."""
        return {
            "synthetic": True,
            "generator": self.generator,
            "sha256": self.sha256,
            "actions": dict(self.shares),
            "seed": self.seed,
            "number": self.number,
        }


class OnnxGenerator:
    """A generator's folder, loaded and checked against its card. Calls must come from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises CardError, or GeneratorError if its output differs from the trained network's."""
        self.folder, self.card = folder, GeneratorCard.load(folder)
        path = folder / MODEL_FILE
        content = _read(path, MAX_MODEL_BYTES)
        if (found := hashlib.sha256(content).hexdigest()) != self.card.sha256:
            raise CardError(
                f"{path} is not the generator of its card: SHA-256 expected {self.card.sha256}, got {found}; put back "
                "the two files that belong together"
            )
        try:
            self._session: Any = cpu_session(content)
        except ModelFileError as error:
            raise CardError(f"{path} is damaged ({error}); export the generator again") from error
        self._check_graph(path)
        self._check_parity(path)

    def joints(self, noise: Array, label: Array) -> Array:
        """Clips (N, T, V, 2), N > 0, of noise (N, T, Z) and labels (N, T, A): shares of the actions in each frame."""
        for value, name in ((noise, _NOISE), (label, _LABEL)):
            expected = (len(noise), *self.card.shapes[name][1:])
            if value.shape != expected:
                raise ValueError(f"{name}: expected shape {expected}, got {value.shape}")
        found = [
            self._session.run([_JOINTS], {_NOISE: noise[n : n + _AT_ONCE], _LABEL: label[n : n + _AT_ONCE]})[0]
            for n in range(0, len(noise), _AT_ONCE)
        ]
        joints: Array = np.concatenate(found)
        return joints

    def noise(self, seed: int, numbers: Sequence[int]) -> Array:
        """(N, T, Z) normal noise: a clip's depends on the seed and its own number alone."""
        shape = (self.card.frames, self.card.noise)
        rows = [np.random.default_rng([seed, number]).standard_normal(shape) for number in numbers]
        return np.array(rows, dtype=np.float32).reshape(len(rows), *shape)

    def clips(self, action: str, count: int = 1, seed: int = 0) -> tuple[GeneratedClip, ...]:
        """Clips 0, 1, ... of an action. Raises GeneratorError."""
        return self.mixed({action: 1.0}, range(count), seed)

    def blend(self, first: str, second: str, share: float, seed: int = 0, number: int = 0) -> GeneratedClip:
        """A clip between two actions, of the same noise for every share: 0 is the first, 1 the second.

        Their labels are mixed, as in the paper's Fig. 7. Raises GeneratorError.
        """
        if not 0 <= share <= 1:
            raise GeneratorError(f"a share of {share} is not valid; give a number from 0 to 1")
        shares = {first: 1.0} if first == second else {first: 1 - share, second: share}
        return self.mixed(shares, (number,), seed)[0]

    def mixed(self, shares: Mapping[str, float], numbers: Sequence[int], seed: int = 0) -> tuple[GeneratedClip, ...]:
        """Clips of those numbers, of shares that add up to 1. Raises GeneratorError."""
        card = self.card
        if not 1 <= len(numbers) <= _MAX_CLIPS:
            raise GeneratorError(f"{len(numbers)} clips cannot be made at once; request 1 to {_MAX_CLIPS}")
        label = np.zeros((len(numbers), card.frames, len(card.actions)), np.float32)
        for action, share in shares.items():
            label[..., self.place(action)] = share
        seconds = sum(card.seconds[self.place(action)] * share for action, share in shares.items())
        kept = {action: round(float(share), 4) for action, share in shares.items() if share > 0}
        made = self.joints(self.noise(seed, numbers), label)
        return tuple(
            GeneratedClip(clip, card.layout, seconds, kept, card.name, card.sha256, seed, number)
            for clip, number in zip(made, numbers, strict=True)
        )

    def place(self, action: str) -> int:
        """The index of an action in the card. Raises GeneratorError with the known ones."""
        if action not in self.card.actions:
            known = ", ".join(self.card.actions)
            raise GeneratorError(f"the generator does not know {action!r}; choose one of {known}")
        return self.card.actions.index(action)

    def close(self) -> None:
        """Free the session; nothing can be generated afterwards."""
        self._session = None

    def _check_graph(self, path: Path) -> None:
        values = {value.name: value for value in (*self._session.get_inputs(), *self._session.get_outputs())}
        if set(values) != set(self.card.shapes):
            raise CardError(f"{path}: expected the tensors {sorted(self.card.shapes)}, got {sorted(values)}")
        for name, shape in self.card.shapes.items():
            value = values[name]
            found = [size if isinstance(size, int) else "N" for size in value.shape]
            if value.type != "tensor(float)" or found != shape:
                raise CardError(f"{path}: {name}: expected float32 {shape}, got {value.type} {found}")

    def _check_parity(self, path: Path) -> None:
        card = self.card
        rng = np.random.default_rng(card.parity_seed)
        noise = rng.standard_normal((1, card.frames, card.noise)).astype(np.float32)
        label = np.zeros((1, card.frames, len(card.actions)), np.float32)
        label[..., 0] = 1
        error = float(np.abs(self.joints(noise, label)[0, -1].ravel() - np.array(card.parity)).max())
        if not error <= _LARGEST_ERROR:
            raise GeneratorError(
                f"{path} differs from the trained network by {error:.3g} torsos; export the generator again"
            )


def with_digest(card: dict[str, Any]) -> dict[str, Any]:
    """A generator's card as it is written: with the digest of every field that decides its output."""
    return {**card, card_digest.KEY: card_digest.digest(card, _DECISIVE)}


def generator_folders(own: Path | None = None) -> list[Path]:
    """Folders with a generator, by name: weights/NAME, then NAME in the user's own folder of generators."""
    homes = [*weights_folders(), *([own] if own is not None else [])]
    found = [card.parent for home in homes if home.is_dir() for card in sorted(home.glob(f"*/{CARD_FILE}"))]
    return list(dict.fromkeys(found))


def shipped_generator() -> Path:
    """The folder weights/sa-gcn. Raises GeneratorError where it is missing."""
    for folder in weights_folders():
        if (folder / SHIPPED / CARD_FILE).is_file():
            return folder / SHIPPED
    raise GeneratorError(f"there is no weights/{SHIPPED}; get the whole project again, or give another generator")


def _card(values: JsonObject) -> GeneratorCard:
    if values.take("synthetic", bool, "true") is not True:
        raise CardError("synthetic: expected true, got false; generated clips are always marked as synthetic")
    actions = unique_texts(values.items("actions", "action names"), values.name("actions"))
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise CardError(f"actions: expected 1 to {MAX_ACTIONS} names, got {len(actions)}")
    if (units := values.text("units")) != UNITS:
        raise CardError(mismatch("units", UNITS, units))
    layout = values.text("layout")
    if layout not in LAYOUTS:
        raise CardError(mismatch("layout", f"one of {', '.join(LAYOUTS)}", layout))
    parity = values.inner("parity")
    card = GeneratorCard(
        name=values.text("name"),
        model=values.text("model"),
        actions=actions,
        layout=LAYOUTS[layout],
        frames=values.integer("frames", 2, 1000),
        noise=values.integer("noise", 1, 10_000),
        seconds=_numbers(values, "seconds", len(actions), 0.1, LONGEST_S),
        trained=values.take("trained", dict, "an object"),
        iteration=values.integer("iteration", 0, 10**9),
        training_data=training_sources(values),
        metrics=metrics_of(values),
        parity_seed=parity.integer("input_seed", 0, 2**32 - 1),
        parity=_numbers(parity, "last_frame", 2 * len(LAYOUTS[layout]), -1e6, 1e6),
        opset=values.integer("opset", 1, 1000),
        sha256=values.text("sha256"),
        created=values.text("created"),
    )
    parity.done()
    values.integer("parameters", 1, 10**12)
    inputs, outputs = values.take("inputs", dict, "shapes"), values.take("outputs", dict, "shapes")
    if {**inputs, **outputs} != card.shapes:
        raise CardError(f"inputs, outputs: expected {shown(card.shapes)}, got {shown({**inputs, **outputs})}")
    values.done()
    return card


def _numbers(values: JsonObject, key: str, count: int, low: float, high: float) -> tuple[float, ...]:
    found = values.items(key, "numbers")
    if len(found) != count:
        raise CardError(f"{values.name(key)}: expected {count} numbers, got {len(found)}")
    return tuple(in_range(value, low, high, values.name(key), f"numbers from {low:g} to {high:g}") for value in found)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        reason = error.strerror or error
        raise CardError(
            f"{path} cannot be read ({reason}); a generator's folder has {MODEL_FILE} and {CARD_FILE}"
        ) from error
    if len(content) > limit:
        raise CardError(f"{path} is too large: expected at most {limit} bytes")
    return content
