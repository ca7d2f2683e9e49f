"""card.json beside model.onnx: what a recognizer is, on what it was trained and how well it does.

The card is checked field by field before anything is run; each complaint is one line with what was expected and
what was found. A card whose SHA-256 is not that of its model.onnx is refused, and so is one whose answer_sha256 is not
that of all else that decides an answer (recognizer.card_digest).
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pose.address import redacted
from pose.skeleton import LAYOUTS, Layout
from pose.whole_file import write_bytes
from recognizer import card_digest, strict_json
from recognizer.errors import CardError
from recognizer.features import FEATURES_VERSION
from recognizer.features import LAYOUT as FEATURES_LAYOUT
from recognizer.strict_json import JsonObject, in_range, mismatch, shown, unique_texts
from recognizer.view import PARTS

CARD_FILE = "card.json"
MODEL_FILE = "model.onnx"
INPUT_NAME = "features"
MAX_CARD_BYTES = 1 << 20
MAX_MODEL_BYTES = 512 << 20
MAX_ACTIONS = 1000

_DECISIVE = ("actions", "layout", "frames", "fps", "features", "outputs", "decision", "sha256")  # for an answer
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSIONED = re.compile(_NAME.pattern + r"(@\d{1,6})?")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An output of the ONNX graph. shape: sizes, with "N" for the number of clips; without it, the same for all."""

    name: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """A data set that the model was trained on. terms: what its authors allow."""

    name: str
    source: str
    terms: str


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """How probabilities become a shown action.

    temperature: the logits are divided by it before the softmax. thresholds: for every action the smoothed
    probability from which it is shown; a single number in the file holds for all. other: actions that stand for
    everything unlisted; they are shown as unknown. needs: parts of the body (recognizer.view.PARTS) that must be in
    view for an action to be shown; an action that is not named needs all of them. upper_weight: that of the probability
    of what is unlisted, or needs what is out of view, while the upper body alone is in view; above 0, at most 1.
    """

    temperature: float
    thresholds: Mapping[str, float]
    other: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    upper_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Parity:
    """The trained network's own answer, which ONNX Runtime must repeat.

    The input is numpy.random.default_rng(input_seed).standard_normal((1, T, F)) as float32; logits: (A,).
    """

    input_seed: int
    logits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The content of card.json.

    name: for people; of a taught one with its version, "mine@2". model: the family, "act". actions: A names in the
    order of the logits. layout: a name in pose.skeleton.LAYOUTS. frames, fps: the clip. features: version of
    recognizer.features.
    training_data: sources with their terms. metrics: by name, each an object with the "split" it was measured on.
    sha256: of model.onnx, lower-case hexadecimal. opset: ONNX operator set. created: ISO 8601 date and time.
    attention: further outputs in which the graph tells of itself. embedding: the output ("N", D) that the head reads.
    """

    name: str
    model: str
    actions: tuple[str, ...]
    layout: str
    frames: int
    fps: float
    features: str
    logits: TensorSpec
    training_data: tuple[TrainingSource, ...]
    metrics: Mapping[str, Mapping[str, Any]]
    decision: DecisionRules
    sha256: str
    opset: int
    created: str
    attention: tuple[TensorSpec, ...] = ()
    embedding: TensorSpec | None = None
    parity: Parity | None = None
    notes: str = field(default="")

    @property
    def skeleton(self) -> Layout:
        """The joints that the model was trained on."""
        return LAYOUTS[self.layout]

    @staticmethod
    def load(folder: Path) -> "ModelCard":
        """Read and check the card and its model.onnx. Raises CardError."""
        return ModelCard.load_with_model(folder)[0]

    @staticmethod
    def load_with_model(folder: Path) -> "tuple[ModelCard, bytes]":
        """The card and the content of model.onnx whose SHA-256 was checked. Raises CardError."""
        card = ModelCard.load_text(folder)
        content = _read(folder / MODEL_FILE, MAX_MODEL_BYTES)
        found = hashlib.sha256(content).hexdigest()
        if found != card.sha256:
            raise CardError(
                f"{folder / MODEL_FILE} is not the model of its card: SHA-256 expected {card.sha256}, got {found}; "
                "put back the two files that belong together"
            )
        return card, content

    @staticmethod
    def load_text(folder: Path) -> "ModelCard":
        """Read and check the card alone: for a list, where model.onnx is not read. Raises CardError."""
        return ModelCard.parse(_read(folder / CARD_FILE, MAX_CARD_BYTES), where=str(folder / CARD_FILE))

    @staticmethod
    def parse(content: bytes, *, where: str) -> "ModelCard":
        """Check the text of a card. where: names the file in errors. Raises CardError."""
        try:
            values = strict_json.load(content)
        except ValueError as error:
            raise CardError(f"{where} is not valid JSON ({error}); export the model again") from error
        try:
            expected = card_digest.take(values)
            card = _card(JsonObject(values, ""))
            card_digest.check(expected, values, _DECISIVE)
            return card
        except CardError as error:
            raise CardError(f"{where}: {error}") from error

    def save(self, folder: Path) -> None:
        """Write card.json into the folder, through a temporary file. Raises CardError where load would refuse it."""
        content = (json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n").encode()
        ModelCard.parse(content, where=str(folder / CARD_FILE))
        write_bytes(folder / CARD_FILE, content)

    def to_json(self) -> dict[str, Any]:
        """The card as it stands in the file."""
        values = asdict(self)
        values["outputs"] = {"logits": values.pop("logits"), "attention": values.pop("attention")}
        embedding = values.pop("embedding")
        if self.embedding is not None:
            values["outputs"]["embedding"] = embedding
        values["decision"]["thresholds"] = dict(self.decision.thresholds)
        values["decision"]["needs"] = {action: list(parts) for action, parts in self.decision.needs.items()}
        if not self.decision.needs:
            del values["decision"]["needs"]
        if self.decision.upper_weight == 1:
            del values["decision"]["upper_weight"]
        values["metrics"] = {name: dict(metric) for name, metric in self.metrics.items()}
        if self.parity is None:
            del values["parity"]
        if not self.notes:
            del values["notes"]
        values[card_digest.KEY] = card_digest.digest(values, _DECISIVE)
        return values


def weights_folders() -> tuple[Path, ...]:
    """Where models are looked up by name: weights/ of the checkout, or inside this package where that is installed."""
    package = Path(__file__).resolve().parent
    return package.parent / "weights", package / "weights"


def shipped_models() -> dict[str, Path]:
    """The folders under weights/ by name; those of the project go before those of an installed package."""
    found: dict[str, Path] = {}
    for folder in weights_folders():
        for card in folder.glob(f"*/{CARD_FILE}"):
            found.setdefault(card.parent.name, card.parent)
    return dict(sorted(found.items()))


def find_model(name_or_folder: str) -> Path:
    """The folder of a model given by its name under weights/ or by its path. Raises CardError."""
    shipped = shipped_models()
    if name_or_folder in shipped:
        return shipped[name_or_folder]
    path = Path(name_or_folder).expanduser()
    with contextlib.suppress(OSError, ValueError):  # a name no path can have (too long, a null byte)
        if name_or_folder and path.is_dir():
            return path
    known = f"the models here are: {', '.join(shipped)}" if shipped else "there is no model under weights/"
    raise CardError(
        f"no model {redacted(repr(name_or_folder))}; {known}; or give a folder with {MODEL_FILE} and {CARD_FILE}"
    )


def _card(values: JsonObject) -> ModelCard:
    actions = unique_texts(values.items("actions", "action names"), values.name("actions"))
    if not 2 <= len(actions) <= MAX_ACTIONS:
        raise CardError(f"actions: expected 2 to {MAX_ACTIONS} names, got {len(actions)}")
    features = _features_version(values)  # first, since it says most clearly that a model is for something else
    outputs = values.inner("outputs")
    card = ModelCard(
        name=_plain_name(values, "name", _VERSIONED),
        model=_plain_name(values, "model"),
        actions=actions,
        layout=_layout(values),
        frames=values.integer("frames", 2, 1000),
        fps=values.number("fps", 1, 240),
        features=features,
        logits=_logits(outputs, len(actions)),
        attention=tuple(
            _tensor(JsonObject(item, f"outputs.attention[{index}]."))
            for index, item in enumerate(outputs.items("attention", "outputs"))
        ),
        embedding=_embedding(outputs) if outputs.has("embedding") else None,
        training_data=training_sources(values),
        metrics=metrics_of(values),
        decision=_decision(values.inner("decision"), actions),
        sha256=_sha256(values),
        opset=values.integer("opset", 1, 1000),
        created=values.text("created"),
        parity=_parity(values.inner("parity"), len(actions)) if values.has("parity") else None,
        notes=values.text("notes") if values.has("notes") else "",
    )
    outputs.done()
    values.done()
    return card


def _logits(outputs: JsonObject, actions: int) -> TensorSpec:
    logits = _tensor(outputs.inner("logits"))
    if logits.shape != ("N", actions):
        raise CardError(
            f"outputs.logits.shape: expected ['N', {actions}] for {actions} actions, got {shown(logits.shape)}"
        )
    return logits


def _embedding(outputs: JsonObject) -> TensorSpec:
    embedding = _tensor(outputs.inner("embedding"))
    if len(embedding.shape) != 2 or embedding.shape[0] != "N" or embedding.shape[1] == "N":
        raise CardError(mismatch("outputs.embedding.shape", "['N', D]", embedding.shape))
    return embedding


def _tensor(values: JsonObject) -> TensorSpec:
    name = values.text("name")
    shape = values.items("shape", 'sizes, "N" for the clips')
    if not shape or any(size != "N" and (type(size) is not int or size < 1) for size in shape):
        raise CardError(mismatch(values.name("shape"), 'sizes above 0, "N" for the clips', shape))
    values.done()
    return TensorSpec(name, tuple(shape))


def training_sources(values: JsonObject) -> tuple[TrainingSource, ...]:
    """The card's "training_data". Raises CardError."""
    return tuple(
        _training_source(JsonObject(item, f"training_data[{index}]."))
        for index, item in enumerate(values.items("training_data", "data sets"))
    )


def _training_source(values: JsonObject) -> TrainingSource:
    source = TrainingSource(values.text("name"), values.text("source"), values.text("terms"))
    values.done()
    return source


def metrics_of(values: JsonObject) -> dict[str, dict[str, Any]]:
    """The card's "metrics", each an object with its "split". Raises CardError."""
    metrics = {}
    for name, content in values.inner("metrics").rest().items():
        metric = JsonObject(content, f"metrics.{name}.")
        metrics[name] = {"split": metric.text("split"), **metric.rest()}
    return metrics


def _decision(values: JsonObject, actions: tuple[str, ...]) -> DecisionRules:
    other = unique_texts(values.items("other", "action names"), values.name("other"))
    for action in other:
        if action not in actions:
            raise CardError(f"decision.other: {action!r} is not one of the actions")
    if len(other) == len(actions):
        raise CardError("decision.other: expected at least one action outside it, got all actions")
    temperature = values.number("temperature", 1e-3, 1e3)
    thresholds = _thresholds(values, actions)
    needs = _needs(values.inner("needs"), actions) if values.has("needs") else {}
    upper_weight = values.number("upper_weight", 1e-3, 1.0) if values.has("upper_weight") else 1.0
    values.done()
    return DecisionRules(temperature, thresholds, other, needs, upper_weight)


def _needs(values: JsonObject, actions: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    expected = f"some of {', '.join(PARTS)}"
    needs = {}
    for action, parts in values.rest().items():
        name = values.name(action)
        if action not in actions:
            raise CardError(f"decision.needs: {action!r} is not one of the actions")
        if not isinstance(parts, list) or not parts or any(part not in PARTS for part in parts):
            raise CardError(mismatch(name, expected, parts))
        needs[action] = unique_texts(parts, name)
    return needs


def _thresholds(values: JsonObject, actions: tuple[str, ...]) -> dict[str, float]:
    expected = "a number from 0 to 1, or one for each action"
    given = values.take("thresholds", dict | int | float, expected)
    if not isinstance(given, dict):
        return dict.fromkeys(actions, in_range(given, 0, 1, "decision.thresholds", expected))
    unknown, missing = sorted(set(given) - set(actions)), sorted(set(actions) - set(given))
    if unknown or missing:
        wrong = f"{unknown[0]!r} is not one of them" if unknown else f"{missing[0]!r} is missing"
        raise CardError(f"decision.thresholds: expected {expected}, but {wrong}")
    return {
        name: in_range(given[name], 0, 1, f"decision.thresholds.{name}", "a number from 0 to 1") for name in actions
    }


def _parity(values: JsonObject, actions: int) -> Parity:
    seed = values.integer("input_seed", 0, 2**32 - 1)
    logits = values.items("logits", "numbers")
    if len(logits) != actions:
        raise CardError(f"parity.logits: expected {actions} numbers, got {len(logits)}")
    values.done()
    return Parity(seed, tuple(in_range(value, -1e9, 1e9, "parity.logits", "numbers") for value in logits))


def _features_version(values: JsonObject) -> str:
    version = values.text("features")
    if version != FEATURES_VERSION:
        raise CardError(
            f"features: expected version {FEATURES_VERSION!r}, which this program makes, got {version!r}: live "
            "recognition cannot feed this model; train or export one with this version"
        )
    return version


def _sha256(values: JsonObject) -> str:
    digest = values.text("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise CardError(mismatch("sha256", "64 lower-case hexadecimal digits", digest))
    return digest


def _plain_name(values: JsonObject, key: str, pattern: re.Pattern[str] = _NAME) -> str:
    name = values.text(key)
    if not pattern.fullmatch(name):
        raise CardError(mismatch(values.name(key), "up to 64 letters, digits, '.', '_' or '-'", name))
    return name


def _layout(values: JsonObject) -> str:
    layout = values.text("layout")
    if layout not in LAYOUTS:
        raise CardError(mismatch("layout", f"one of {', '.join(LAYOUTS)}", layout))
    if layout != FEATURES_LAYOUT.name:
        raise CardError(mismatch("layout", f"{FEATURES_LAYOUT.name}, of which the features are made", layout))
    return layout


def _read(path: Path, limit: int) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CardError(f"{path} is not a file; a model folder has {CARD_FILE} and {MODEL_FILE}")
        if size > limit:
            raise CardError(f"{path} is too large: expected at most {limit} bytes, got {size}")
        with path.open("rb") as file:
            return file.read(limit)
    except FileNotFoundError as error:
        raise CardError(f"{path} is missing; a model folder has {CARD_FILE} and {MODEL_FILE}") from error
    except OSError as error:
        raise CardError(f"{path} cannot be read ({error.strerror or error}); check its permissions") from error
