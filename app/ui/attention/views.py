"""What of a recognizer's own outputs can be looked at as a matrix, with the pickers that choose one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.palette import action_text
from recognizer.types import Clip

Matrix = NDArray[np.float32]
_LAYER = re.compile(r"(spatial|temporal)_attention_(\d+)")


@dataclass(frozen=True, slots=True)
class Picker:
    """A choice: what it is called, and the names of its choices."""

    name: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A family of matrices. matrix: of the picked places, one for each picker. rows, columns: names of their places."""

    title: str
    pickers: tuple[Picker, ...]
    matrix: Callable[[Sequence[int]], Matrix]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_axis: str
    column_axis: str


def views_of(attention: Mapping[str, Matrix], clip: Clip, actions: Sequence[str]) -> list[View]:
    """Everything that these outputs show, in a fixed order; names that are not known are left out."""
    found = []
    if "attention" in attention:
        found.append(_tokens("Attention", attention["attention"], clip, ("Layer", "Head")))
    for kind, make in (("spatial", _spatial), ("temporal", _temporal)):
        layers = _layers(attention, kind)
        if layers:
            found.append(make(layers, clip))
    if "class_activation" in attention:
        found.append(_activation(attention["class_activation"], clip, actions))
    if "edge_importance" in attention:
        found.append(_edges(attention["edge_importance"], clip))
    if "position_similarity" in attention:
        found.append(
            _tokens("Similarity of positions", attention["position_similarity"][:, None], clip, ("Network", ""))
        )
    return found


def _layers(attention: Mapping[str, Matrix], kind: str) -> list[Matrix]:
    numbers = [(int(m[2]), name) for name in attention if (m := _LAYER.fullmatch(name)) and m[1] == kind]
    return [attention[name] for _, name in sorted(numbers)]


def _tokens(title: str, values: Matrix, clip: Clip, names: tuple[str, str]) -> View:
    """(A, B, T + 1, T + 1): AcT's paper, Fig. 6 and 9; the class token comes first."""
    tokens = ("class token", *times(clip, values.shape[-1] - 1))
    pickers = tuple(_numbered(name, count) for name, count in zip(names, values.shape[:2], strict=True) if name)
    return View(
        title,
        pickers,
        lambda at: values[(*at, *[0] * (2 - len(at)))],
        *(tokens, tokens, "asks", "is asked") if title == "Attention" else (tokens, tokens, "position", "position"),
    )


def _spatial(layers: list[Matrix], clip: Clip) -> View:
    """Each (H, T', V, V): ST-TR's paper, Fig. 8."""
    most = max(layer.shape[1] for layer in layers)
    joints = joint_names(clip)

    def matrix(at: Sequence[int]) -> Matrix:
        layer = layers[at[0]]
        return np.asarray(layer[at[1], at[2] * layer.shape[1] // most])

    pickers = (
        _numbered("Layer", len(layers)),
        _numbered("Head", layers[0].shape[0]),
        Picker("Frame", times(clip, most)),
    )
    return View("Attention between joints", pickers, matrix, joints, joints, "joint asks", "joint is asked")


def _temporal(layers: list[Matrix], clip: Clip) -> View:
    """Each (H, V, T', T'); shorter ones, after a stride, are spread over the longest one's frames."""
    most = max(layer.shape[2] for layer in layers)
    moments = times(clip, most)

    def matrix(at: Sequence[int]) -> Matrix:
        layer = layers[at[0]][at[1], at[2]]
        places = np.arange(most) * len(layer) // most
        return np.asarray(layer[np.ix_(places, places)])

    pickers = (
        _numbered("Layer", len(layers)),
        _numbered("Head", layers[0].shape[0]),
        Picker("Joint", joint_names(clip)),
    )
    return View("Attention between frames", pickers, matrix, moments, moments, "frame asks", "frame is asked")


def _activation(values: Matrix, clip: Clip, actions: Sequence[str]) -> View:
    """(A, T', V), class activation: joints by time."""
    picker = Picker("Action", tuple(action_text(action) for action in actions))
    moments = times(clip, values.shape[1])
    return View("Class activation", (picker,), lambda at: values[at[0]].T, joint_names(clip), moments, "joint", "time")


def _edges(values: Matrix, clip: Clip) -> View:
    """(blocks, K, V, V), learned edge importance."""
    joints = joint_names(clip)
    pickers = (_numbered("Block", values.shape[0]), _numbered("Part", values.shape[1]))
    return View("Importance of links", pickers, lambda at: values[at[0], at[1]], joints, joints, "from", "to")


def joint_names(clip: Clip) -> tuple[str, ...]:
    """The joints for people: "left wrist"."""
    return tuple(joint.replace("_", " ") for joint in clip.layout.joints)


def times(clip: Clip, count: int) -> tuple[str, ...]:
    """Times of `count` even places of the clip, before its end."""
    span_s = (len(clip.xy_px) - 1) / clip.fps
    return tuple(f"{span_s * (1 - place / max(count - 1, 1)):.2f} s ago" for place in range(count))


def _numbered(name: str, count: int) -> Picker:
    return Picker(name, tuple(str(number + 1) for number in range(count)))
