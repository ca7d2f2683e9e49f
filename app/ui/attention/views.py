"""The recognizer outputs that can be shown as a matrix, with the pickers that select one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.palette import action_text
from recognizer import attention as outputs
from recognizer.clips import Clip

Matrix = NDArray[np.float32]
SPATIAL_TITLE = "Attention between joints"
LINKS_TITLE = "Edge importance"


@dataclass(frozen=True, slots=True)
class Picker:
    """A choice: what it is called, and its choices in words that need no heading."""

    name: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A family of matrices. matrix: of the picked places, one for each picker. rows, columns: names of their places.

    signed: values below 0 mean something.
    """

    title: str
    pickers: tuple[Picker, ...]
    matrix: Callable[[Sequence[int]], Matrix]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_axis: str
    column_axis: str
    signed: bool = False


def views_of(attention: Mapping[str, Matrix], clip: Clip, actions: Sequence[str], likeliest: int = 0) -> list[View]:
    """Everything that these outputs show, in a fixed order; names that are not known are left out.

    likeliest: place of the action that is predicted.
    """
    found = []
    if outputs.ATTENTION in attention:
        found.append(_between_tokens(attention[outputs.ATTENTION], clip))
    for prefix, makers in ((outputs.SPATIAL, (_spatial, _over_time)), (outputs.TEMPORAL, (_temporal,))):
        layers = [attention[name] for name in outputs.layers(attention, prefix)]
        found += [make(layers, clip) for make in makers if layers]
    if outputs.CLASS_ACTIVATION in attention:
        found.append(_activation(attention[outputs.CLASS_ACTIVATION], clip, actions, likeliest))
    if outputs.EDGE_IMPORTANCE in attention:
        found.append(_edges(attention[outputs.EDGE_IMPORTANCE], clip))
    if outputs.POSITION_SIMILARITY in attention:
        found.append(_positions(attention[outputs.POSITION_SIMILARITY], clip))
    return found


def _between_tokens(values: Matrix, clip: Clip) -> View:
    """(L, H, T + 1, T + 1): AcT's paper, Fig. 6; the class token comes first."""
    tokens = ("class token", *times(clip, values.shape[-1] - 1))
    pickers = _numbered("Layer", values.shape[0]), _numbered("Head", values.shape[1])
    return View("Attention", pickers, lambda at: values[at[0], at[1]], tokens, tokens, "query", "key")


def _positions(values: Matrix, clip: Clip) -> View:
    """(networks, T + 1, T + 1): AcT's paper, Fig. 9; the class token comes first."""
    tokens = ("class token", *times(clip, values.shape[-1] - 1))
    picker = _numbered("Network", values.shape[0])
    axes = "position", "position"
    return View("Similarity of positions", (picker,), lambda at: values[at[0]], tokens, tokens, *axes, signed=True)


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
    return View(SPATIAL_TITLE, pickers, matrix, joints, joints, "query joint", "key joint")


def _over_time(layers: list[Matrix], clip: Clip) -> View:
    """Column sums of the same: how much each joint is asked at each frame, 1 on average."""
    most = max(layer.shape[1] for layer in layers)

    def matrix(at: Sequence[int]) -> Matrix:
        sums = layers[at[0]][at[1]].sum(axis=1).T  # (V, T')
        return np.asarray(sums[:, np.arange(most) * sums.shape[1] // most])

    pickers = _numbered("Layer", len(layers)), _numbered("Head", layers[0].shape[0])
    return View("Attended joints over time", pickers, matrix, joint_names(clip), times(clip, most), "joint", "time")


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
    return View("Attention between frames", pickers, matrix, moments, moments, "query frame", "key frame")


def _activation(values: Matrix, clip: Clip, actions: Sequence[str], likeliest: int) -> View:
    """(A, T', V), class activation: joints by time, of the predicted action or of any other."""
    picker = Picker("Action", ("Top action", *(action_text(action) for action in actions)))
    moments = times(clip, values.shape[1])
    joints = joint_names(clip)

    def matrix(at: Sequence[int]) -> Matrix:
        return np.asarray(values[at[0] - 1 if at[0] else likeliest].T)

    return View("Class activation", (picker,), matrix, joints, moments, "joint", "time", signed=True)


def _edges(values: Matrix, clip: Clip) -> View:
    """(blocks, K, V, V), learned edge importance, 0 where there is no link."""
    joints = joint_names(clip)

    def matrix(at: Sequence[int]) -> Matrix:
        blocks = values if at[0] == 0 else values[at[0] - 1 : at[0]]
        parts = blocks if at[1] == 0 else blocks[:, at[1] - 1 : at[1]]
        return np.asarray(parts.mean(axis=0).sum(axis=0))

    numbered = _numbered("Block", values.shape[0]), _numbered("Part", values.shape[1])
    pickers = tuple(Picker(each.name, (f"All {each.name.lower()}s", *each.choices)) for each in numbered)
    return View(LINKS_TITLE, pickers, matrix, joints, joints, "from", "to", signed=True)


def joint_names(clip: Clip) -> tuple[str, ...]:
    """The joints for people: "left wrist"."""
    return tuple(joint.replace("_", " ") for joint in clip.layout.joints)


def times(clip: Clip, count: int) -> tuple[str, ...]:
    """Times of `count` even places of the clip, before its end."""
    span_s = (len(clip.xy_px) - 1) / clip.fps
    return tuple(f"{span_s * (1 - place / max(count - 1, 1)):.2f} s ago" for place in range(count))


def _numbered(name: str, count: int) -> Picker:
    return Picker(name, tuple(f"{name} {number + 1}" for number in range(count)))
