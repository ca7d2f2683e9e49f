"""A taught head appended to its base's graph: an ordinary model folder, with the list of its training examples."""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from recognizer.model_card import (
    INPUT_NAME,
    MODEL_FILE,
    DecisionRules,
    ModelCard,
    Parity,
    TensorSpec,
    TrainingSource,
)
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.check import Check
from recognizer.teaching.description import MIN_VARIANCE, described
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.examples import Example
from recognizer.teaching.needs import Needs, needs_of
from recognizer.teaching.quick import TaughtHead
from recognizer.teaching.versions import CLIPS_FILE, place_version
from recognizer.teaching.windows import Array

OTHER = "other"

NO_CHECK = Check((), (), {}, None)

Examine = Callable[[OnnxRecognizer, Check], Check]

_PARITY_SEED = 0
_LARGEST_ERROR = 1e-3  # of a logit, between the graph in ONNX Runtime and numpy
_MIN_PROBABILITY = 1e-9  # probability whose logarithm is taken
_BY_ACTION = ("class_activation",)  # outputs of a base that are about its own actions


@dataclass(frozen=True, slots=True)
class Base:
    """The recognizer that a head is appended to."""

    card: ModelCard
    content: bytes

    @staticmethod
    def load(folder: Path) -> "Base":
        """Read a model folder. Raises CardError, or TeachingError if it has no embedding."""
        card, content = ModelCard.load_with_model(folder)
        if card.embedding is None:
            raise TeachingError(f"{folder} has no embedding, so nothing can be taught on it; choose another model")
        return Base(card, content)


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """What goes into a model folder.

    name: of the model. keep_base: the base's own actions stay beside the taught ones. provenance, check: go into
    clips.json beside the examples. metrics: of the card.
    """

    name: str
    base: Base
    taught: TaughtHead
    examples: Sequence[Example]
    keep_base: bool
    metrics: Mapping[str, Mapping[str, Any]]
    provenance: Mapping[str, Any]
    check: Check = NO_CHECK


def card_names(actions: Sequence[str]) -> tuple[str, ...]:
    """Names as a card takes them: composed, of printable characters, none empty, none twice, none of what the
    decision says itself."""
    found: list[str] = []
    for action in actions:
        plain = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", action))
        plain = name = " ".join(plain.split()) or "action"
        number = 1
        while name in found or name.casefold() in (OTHER, "unknown"):
            number += 1
            name = f"{plain} {number}"
        found.append(name)
    return tuple(found)


def write(package: Package, folder: Path, examine: Examine | None = None) -> None:
    """Write model.onnx, card.json and clips.json into an empty folder, and check that the graph says what the head
    says. Raises TeachingError where it does not.

    examine: what is found when the recognizer is tried, as the check that goes into clips.json in place of the
    package's own.
    """
    actions, content = with_head(package.base, package.taught, keep_base=package.keep_base)
    (folder / MODEL_FILE).write_bytes(content)
    _card(package, actions, content).save(folder)
    recognizer = OnnxRecognizer(folder, "cpu")
    try:
        error = recognizer.self_test().max_error
        if error is None or error > _LARGEST_ERROR:
            line = f"the taught model differs from its head by {error}; teach again or choose another model"
            raise TeachingError(line)
        found = package.check if examine is None else examine(recognizer, package.check)
    finally:
        recognizer.close()
    text = json.dumps(_provenance(package, found), indent=1, ensure_ascii=False)
    (folder / CLIPS_FILE).write_text(text + "\n", encoding="utf-8")


def place(package: Package, models: Path, part: str, examine: Examine | None = None) -> Path:
    """Write a package as the next version of its model. Raises as place_version."""
    return place_version(models, package.name, part, lambda folder: write(package, folder, examine))


def with_head(base: Base, taught: TaughtHead, *, keep_base: bool) -> tuple[tuple[str, ...], bytes]:
    """The actions, and the base's graph: its attention outputs stay, the head's logits replace its own.

    keep_base: the probability that the head gives to none of its actions is divided as the base predicts: log of the
    head's probabilities, the last of them split by the base's. An action that both have gets the sum of both
    probabilities.
    """
    model = onnx.load_from_string(base.content)
    embedding, logits = base.card.embedding, base.card.logits.name
    assert embedding is not None
    _rename(model, logits, "base_logits")
    names = card_names(taught.actions)
    graph = model.graph
    _describe(graph, base, embedding.name)
    _constant(graph, "head_weights", taught.head.weights)
    _constant(graph, "head_bias", taught.head.bias)
    scores = "head_logits" if keep_base else logits
    graph.node.append(helper.make_node("Gemm", ["description", "head_weights", "head_bias"], [scores]))
    actions = (*names, OTHER)
    if keep_base:
        actions, routes = _routes(names, base.card)
        _share_out(graph, base.card, len(names), routes, logits)
    kept = {embedding.name, *(spec.name for spec in _attention(base.card))}
    outputs = [value for value in graph.output if value.name in kept]
    del graph.output[:]
    graph.output.extend([helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["N", len(actions)]), *outputs])
    onnx.checker.check_model(model)
    return actions, model.SerializeToString()


def expected_logits(base: Base, taught: TaughtHead, features: Array, *, keep_base: bool) -> Array:
    """What the packaged graph must output for features (N, T, F): (N, actions), in numpy alone."""
    card = base.card
    assert card.embedding is not None
    run: Any = ReferenceEvaluator(base.content).run([card.embedding.name, card.logits.name], {INPUT_NAME: features})
    embedding, own = np.asarray(run[0]), np.asarray(run[1])
    description = described(embedding.astype(np.float32), features)
    if not keep_base:
        return taught.head.logits(description)
    head = taught.head.probabilities(description)
    rest = np.exp(own / card.decision.temperature)
    rest = head[:, -1:] * rest / rest.sum(axis=1, keepdims=True)
    routes = _routes(card_names(taught.actions), card)[1]
    found: Array = np.log(np.maximum(np.concatenate([head[:, :-1], rest], axis=1) @ routes, _MIN_PROBABILITY))
    return found


def _routes(names: Sequence[str], card: ModelCard) -> tuple[tuple[str, ...], Array]:
    """All actions, and (A + B, actions) where the probability of each taught and each base action goes."""
    own = [OTHER if action in card.decision.other else action for action in card.actions]
    actions = (*names, *(action for action in dict.fromkeys(own) if action not in (*names, OTHER)), OTHER)
    routes = np.zeros((len(names) + len(own), len(actions)), np.float32)
    for row, action in enumerate((*names, *own)):
        routes[row, actions.index(action)] = 1
    return actions, routes


def _describe(graph: Any, base: Base, embedding: str) -> None:
    """Nodes that make recognizer.teaching.description.described of the graph's input and its embedding."""
    frames, features = base.card.frames, _features(base.content)
    _constant(graph, "mean_of_frames", np.full((1, frames), 1 / frames, np.float32))
    _constant(graph, "one_row", np.array([-1, features], np.int64))
    _constant(graph, "least_variance", np.array(MIN_VARIANCE, np.float32))
    _append(
        graph,
        ("MatMul", ["mean_of_frames", INPUT_NAME], ["features_mean"], {}),  # (N, 1, F)
        ("Sub", [INPUT_NAME, "features_mean"], ["features_apart"], {}),
        ("Mul", ["features_apart", "features_apart"], ["apart_squared"], {}),
        ("MatMul", ["mean_of_frames", "apart_squared"], ["features_variance"], {}),
        ("Max", ["features_variance", "least_variance"], ["variance_bounded"], {}),
        ("Sqrt", ["variance_bounded"], ["features_spread"], {}),
        ("Reshape", ["features_spread", "one_row"], ["spread"], {}),
        ("Concat", [embedding, "spread"], ["description"], {"axis": 1}),
    )


def _share_out(graph: Any, card: ModelCard, taught: int, routes: Array, logits: str) -> None:
    """Nodes from head_logits and base_logits to the logits of all actions."""
    _constant(graph, "base_scale", np.array(1 / card.decision.temperature, np.float32))
    _constant(graph, "head_sizes", np.array([taught, 1], np.int64))
    _constant(graph, "routes", routes)
    _constant(graph, "least", np.array(_MIN_PROBABILITY, np.float32))
    _append(
        graph,
        ("Softmax", ["head_logits"], ["head_probabilities"], {"axis": 1}),
        ("Split", ["head_probabilities", "head_sizes"], ["taught_probabilities", "untaught"], {"axis": 1}),
        ("Mul", ["base_logits", "base_scale"], ["base_scores"], {}),
        ("Softmax", ["base_scores"], ["base_probabilities"], {"axis": 1}),
        ("Mul", ["base_probabilities", "untaught"], ["base_share"], {}),
        ("Concat", ["taught_probabilities", "base_share"], ["all_probabilities"], {"axis": 1}),
        ("MatMul", ["all_probabilities", "routes"], ["routed"], {}),
        ("Max", ["routed", "least"], ["bounded"], {}),
        ("Log", ["bounded"], [logits], {}),
    )


def _append(graph: Any, *steps: tuple[str, list[str], list[str], dict[str, Any]]) -> None:
    """Nodes of a kind, with what they read, what they make, and their attributes."""
    graph.node.extend(helper.make_node(kind, inputs, made, **settings) for kind, inputs, made, settings in steps)


def _constant(graph: Any, name: str, values: np.ndarray) -> None:
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))


def _rename(model: Any, name: str, to: str) -> None:
    """A tensor of a graph, wherever it is made and read."""
    for node in model.graph.node:
        for names in (node.input, node.output):
            renamed = [to if each == name else each for each in names]
            del names[:]
            names.extend(renamed)


def _attention(card: ModelCard) -> tuple[TensorSpec, ...]:
    return tuple(spec for spec in card.attention if spec.name not in _BY_ACTION)


def _card(package: Package, actions: tuple[str, ...], content: bytes) -> ModelCard:
    base, taught, keep_base = package.base, package.taught, package.keep_base
    pose = base.card.skeleton
    shape = (1, base.card.frames, _features(base.content))
    reference = np.random.default_rng(_PARITY_SEED).standard_normal(shape).astype(np.float32)
    logits = expected_logits(base, taught, reference, keep_base=keep_base)[0]
    names = card_names(taught.actions)
    thresholds = {
        action: 1.0 if action == OTHER else base.card.decision.thresholds.get(action, 1.0) for action in actions
    }
    thresholds |= {name: round(float(value), 4) for name, value in zip(names, taught.thresholds, strict=True)}
    source = TrainingSource(
        "the user's own examples",
        f"{len(listed(package.examples))} examples, listed in {CLIPS_FILE}",
        "they belong to the person who made them",
    )
    return replace(
        base.card,
        name=package.name,
        actions=actions,
        layout=pose.name,
        logits=TensorSpec(base.card.logits.name, ("N", len(actions))),
        training_data=(*base.card.training_data, source),
        metrics=package.metrics,
        # Without the base's upper_weight: taught thresholds are chosen and checked without it, and with it a taught
        # action would be shown at a desk with less than half the evidence.
        decision=DecisionRules(1.0, thresholds, (OTHER,), _needs(package, names, actions)),
        sha256=hashlib.sha256(content).hexdigest(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        attention=_attention(base.card),
        parity=Parity(_PARITY_SEED, tuple(float(value) for value in logits)),
        notes=f"Taught quickly: a head on the embedding of {base.card.name}.",
    )


def _needs(package: Package, names: Sequence[str], actions: Sequence[str]) -> Needs:
    """What must be in view for the taught actions, and for those of the base that stay."""
    kept = actions if package.keep_base else ()
    known = {action: parts for action, parts in package.base.card.decision.needs.items() if action in kept}
    return needs_of(names, package.taught.actions, package.examples, known)


def _features(content: bytes) -> int:
    (features,) = [value for value in onnx.load_from_string(content).graph.input if value.name == INPUT_NAME]
    return int(features.type.tensor_type.shape.dim[2].dim_value)


def _provenance(package: Package, found: Check) -> dict[str, Any]:
    base = {"name": package.base.card.name, "sha256": package.base.card.sha256}
    return {
        "base": base,
        "keep_base": package.keep_base,
        **package.provenance,
        "check": found.to_json(),
        "clips": listed(package.examples),
    }


def listed(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Examples as clips.json names them; the stillness around one is part of its recording and not listed."""
    return [
        {
            "name": example.name,
            "action": example.action,
            "person": example.person,
            "session": example.session,
            "start_s": round(float(example.times_s[0]), 3),
            "end_s": round(float(example.times_s[-1]), 3),
            "poses": len(example.times_s),
        }
        for example in examples
        if example.around is None
    ]
