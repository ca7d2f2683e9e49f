"""Figures of explanations, without a display. T frames, T' of them left in the network, V joints, H heads, L layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pose.skeleton import Layout
from pose.whole_file import atomic_write
from recognizer import attention
from recognizer.action_names import action_text
from recognizer.clips import Clip, Explanation

Array = NDArray[np.float32]

_SCORES: Colormap = colormaps["viridis"]  # violet to yellow, as in the ST-TR paper
_SIGNED = "RdBu_r"
_SHOWN_FRAMES = 10


def relevance(explanation: Explanation) -> Figure:
    """Joint x time as a heat map, and below it skeletons in the same colours."""
    clip = explanation.clip
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    heat, strip = figure.subplots(2, 1, height_ratios=(3, 1.3))
    image = heat.imshow(explanation.relevance.T, cmap=_SIGNED, vmin=-1, vmax=1, aspect="auto")
    _label_joints(heat, clip.layout)
    _label_times(heat, clip)
    heat.set_title(
        f"{action_text(explanation.action)} ({explanation.probability:.0%}) by {_plain(explanation.method)}: "
        "above 0 is evidence for it, below 0 against it"
    )
    figure.colorbar(image, ax=heat)
    colours = colormaps[_SIGNED]((explanation.relevance + 1) / 2)  # (T, V, 4)
    _strip(strip, clip, joint_colours=colours)
    return figure


def compared(explained: Mapping[str, Explanation]) -> Figure:
    """Several recognizers' joint x time of one action on one clip, one under the other in the same colours."""
    figure = Figure(figsize=(11, 2.9 * len(explained) + 1.4), layout="constrained")
    *heats, strip = figure.subplots(len(explained) + 1, 1, height_ratios=(*(3 for _ in explained), 1.6))
    for axes, (name, one) in zip(heats, explained.items(), strict=True):
        image = axes.imshow(one.relevance.T, cmap=_SIGNED, vmin=-1, vmax=1, aspect="auto")
        _label_joints(axes, one.clip.layout)
        _label_times(axes, one.clip)
        axes.set_title(f"{name}: {action_text(one.action)} ({one.probability:.0%}) by {_plain(one.method)}", fontsize=9)
    figure.colorbar(image, ax=heats)
    _strip(strip, one.clip)
    return figure


def frame_strip(clip: Clip, scores: Array) -> Figure:
    """The clip's skeletons, their opacity the score of the frame (T,). AcT paper, Fig. 7."""
    figure = Figure(figsize=(13, 3.2), layout="constrained")
    bars, strip = figure.subplots(2, 1, height_ratios=(1, 2))
    bars.bar(range(len(scores)), scores, color="tab:purple", width=0.9)
    bars.set_xlim(-0.6, len(scores) - 0.4)
    _label_times(bars, clip)
    bars.set_title("attention of the class token in the last layer, heads summed, the largest 1")
    _strip(strip, clip, count=len(scores), opacity=scores)
    return figure


def matrices(maps: Array, title: str) -> Figure:
    """A grid of the matrices of layers and heads (L, H, S, S), each in its own colours from 0 to its largest value."""
    height, width = maps.shape[:2]
    figure = Figure(figsize=(2.3 * width + 1, 2.3 * height + 0.6), layout="constrained")
    grid = figure.subplots(height, width, squeeze=False)
    for row in range(height):
        for column in range(width):
            axes = grid[row, column]
            _matrix(axes, maps[row, column], f"layer {row + 1}, head {column + 1}")
            axes.tick_params(labelsize=6)
    figure.suptitle(title)
    return figure


def position_similarity(similarity: Array) -> Figure:
    """Cosines of position embeddings (networks, T + 1, T + 1), the class token first. AcT paper, Fig. 9."""
    figure = Figure(figsize=(4 * len(similarity) + 1, 4), layout="constrained")
    for place, axes in enumerate(figure.subplots(1, len(similarity), squeeze=False)[0]):
        image = axes.imshow(similarity[place], cmap="viridis", vmin=-1, vmax=1)
        axes.set_title(f"network {place + 1}: cosine of positions")
        axes.set_xlabel("0 is the class token, then frames")
    figure.colorbar(image, ax=figure.axes)
    return figure


def joint_circles(clip: Clip, spatial: Mapping[str, Array]) -> Figure:
    """Each layer's joints, their circles sized by the sum of the matrix's column. ST-TR paper, Fig. 8."""
    names = attention.layers(spatial, attention.SPATIAL)
    figure = Figure(figsize=(13, 2.1 * len(names)), layout="constrained")
    rows = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for axes, name in zip(rows, names, strict=True):
        values = attention.at_frames(attention.joint_relevance_over_time(spatial[name]), len(clip.xy_px))
        least, most = float(values.min()), float(values.max())
        colours = _SCORES((values - least) / max(most - least, 1e-9))
        _strip(axes, clip, joint_colours=colours, sizes=10 + 90 * values / most)
        axes.set_title(f"{_plain(name)}, heads averaged, sums {least:.2f} to {most:.2f} (1 on average)", fontsize=9)
    return figure


def joint_matrices(spatial: Mapping[str, Array], layout: Layout) -> Figure:
    """The attention among the joints in each layer, in the middle of the clip."""
    names = attention.layers(spatial, attention.SPATIAL)
    figure, grid = _grid(len(names), 4.2, 4.4)
    for axes, name in zip(grid, names, strict=False):
        maps = spatial[name].mean(axis=0)  # (T', V, V)
        _matrix(axes, maps[round((len(maps) - 1) / 2)], f"{_plain(name)}, heads averaged")
        axes.set_xticks(range(len(layout)), [_plain(joint) for joint in layout.joints], rotation=90, fontsize=7)
        _label_joints(axes, layout, size=7)
    figure.suptitle("joints ask (rows) and are asked (columns)")
    return figure


def frames_of_joint(temporal: Mapping[str, Array], clip: Clip, joint: int) -> Figure:
    """The attention among the frames of one joint, in each layer."""
    names = attention.layers(temporal, attention.TEMPORAL)
    figure, grid = _grid(len(names), 3.6, 3.6)
    begin_s, end_s = clip.time_s - (len(clip.xy_px) - 1) / clip.fps, clip.time_s
    for axes, name in zip(grid, names, strict=False):
        maps = attention.temporal_map(temporal[name], joint)
        _matrix(axes, maps, f"{_plain(name)}, heads averaged")
        places = np.linspace(0, len(maps) - 1, 4)
        moments = [f"{time_s:.2f} s" for time_s in np.linspace(begin_s, end_s, 4)]
        axes.set_xticks(places, moments, fontsize=7)
        axes.set_yticks(places, moments, fontsize=7)
    figure.suptitle(f"{_plain(clip.layout.joints[joint])}: frames ask (rows) and are asked (columns)")
    return figure


def edge_importance(clip: Clip, importance: Array) -> Figure:
    """Bones as thick as the learned importance of their links (blocks, K, V, V), the mean of both directions."""
    blocks = len(importance)
    columns = min(blocks, 5)
    figure = Figure(figsize=(2.6 * columns, 3.2 * -(-blocks // columns)), layout="constrained")
    grid = figure.subplots(-(-blocks // columns), columns, squeeze=False).ravel()
    links = importance.sum(axis=1)  # each link is in one subset alone
    links = np.abs(links + links.transpose(0, 2, 1)) / 2
    joints = clip.xy_px[len(clip.xy_px) // 2]
    most = max(float(links[:, a, b].max()) for a, b in clip.layout.edge_indices)
    for block, axes in enumerate(grid):
        axes.axis("off")
        if block >= blocks:
            continue
        for a, b in clip.layout.edge_indices:
            share = float(links[block, a, b]) / most
            axes.plot(*joints[[a, b]].T, color=_SCORES(share), linewidth=0.5 + 6 * share, solid_capstyle="round")
        axes.set_aspect("equal")
        axes.invert_yaxis()
        axes.set_title(f"block {block + 1}", fontsize=9)
    scale = ScalarMappable(Normalize(0, most), _SCORES)
    figure.colorbar(scale, ax=list(grid), shrink=0.6, label="weight, the mean of both directions")
    figure.suptitle("learned importance of links")
    return figure


def save(figures: Mapping[str, Figure], folder: Path) -> None:
    """NAME.png of each, whole or not at all."""
    for name, figure in figures.items():
        save_png(figure, folder / f"{name}.png")


def save_png(figure: Figure, file: Path, dpi: int = 110) -> Path:
    """Write a picture, whole or not at all."""
    with atomic_write(file) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata={"Software": None})
    return file


def _grid(count: int, width: float, height: float) -> tuple[Figure, Sequence[Axes]]:
    """Places of so many inches for `count` pictures, three in a row; those that are left over are empty."""
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.4), layout="constrained")
    places = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in places[count:]:
        axes.axis("off")
    return figure, places


def _matrix(axes: Axes, values: Array, name: str) -> None:
    """Draw a matrix in its own colour scale, which the title states."""
    axes.imshow(values, cmap="viridis", vmin=0)
    axes.set_title(f"{name}\n0 to {float(values.max()):.2f}", fontsize=8)


def _strip(
    axes: Axes,
    clip: Clip,
    *,
    count: int = _SHOWN_FRAMES,
    opacity: Array | None = None,
    joint_colours: NDArray[np.floating] | None = None,
    sizes: NDArray[np.floating] | None = None,
) -> None:
    """Skeletons of some frames side by side. opacity: (T,). joint_colours: (T, V, 4). sizes: (T, V), points squared."""
    places = np.linspace(0, len(clip.xy_px) - 1, count).round().astype(int)
    seen = clip.confidence > 0
    xy = clip.xy_px - clip.xy_px[seen].mean(axis=0)
    span = float(np.ptp(clip.xy_px[seen][:, 0])) * 1.05
    for column, frame in enumerate(places):
        joints = xy[frame] + (column * span, 0)
        alpha = 1.0 if opacity is None else max(float(opacity[frame]), 0.04)
        for a, b in clip.layout.edge_indices:
            if seen[frame, a] and seen[frame, b]:
                axes.plot(*joints[[a, b]].T, color="0.35", linewidth=1.2, alpha=alpha)
        if joint_colours is not None:
            size = 22.0 if sizes is None else sizes[frame, seen[frame]]
            colours = joint_colours[frame, seen[frame]]
            x, y = joints[seen[frame]].T
            axes.scatter(x, y, s=size, c=colours, edgecolors="0.3", linewidths=0.4, zorder=3)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.axis("off")


def _label_joints(axes: Axes, layout: Layout, size: int = 8) -> None:
    axes.set_yticks(range(len(layout)), [_plain(joint) for joint in layout.joints], fontsize=size)


def _label_times(axes: Axes, clip: Clip) -> None:
    last = len(clip.xy_px) - 1
    places = np.linspace(0, last, 7).round().astype(int)
    axes.set_xticks(places, [f"{(place - last) / clip.fps + clip.time_s:.2f} s" for place in places])


def _plain(name: str) -> str:
    return name.replace("_", " ")
