"""Figures of generated clips beside real ones, and of blends of two actions (the paper's Fig. 7 and 8), without a
display."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.training.generate.generated_clips import shares_of
from recognizer.training.generate.sets import Motions
from recognizer.training.generate.trained import Trained
from research.generate import blends

Array = NDArray[np.float32]

_SHOWN = 10  # frames of a clip
_WIDTH_IN = 9.0  # as wide as a strip of that height is
_SIDES = {"left": "tab:blue", "right": "tab:red"}
_APART = 3.4  # torsos between two skeletons of a strip


def actions(trained: Trained, motions: Motions, seed: int) -> Figure:
    """A row for each action: a training clip, and a generated one below it."""
    made = trained.joints(shares_of(range(len(trained.actions)), len(trained.actions)), seed)
    figure = Figure(figsize=(_WIDTH_IN, 2.6 * len(made)), layout="constrained")
    grid = figure.subplots(2 * len(made), 1)
    for place, action in enumerate(trained.actions):
        row = motions.train[motions.labels[motions.train] == place][0]
        for axes, clip, what in ((grid[2 * place], motions.x[row], "real"), (grid[2 * place + 1], made[place], "made")):
            strip(axes, clip, trained.layout)
            axes.set_ylabel(f"{action.replace('_', ' ')}\n{what}", fontsize=8)
    return figure


def blend(trained: Trained, first: str, second: str, seed: int) -> Figure:
    """Clips from one action to the other, of the same noise; the last row changes within the clip."""
    mixes = blends.mixes(trained, first, second, 6, seed)
    figure = Figure(figsize=(_WIDTH_IN, 1.4 * (len(mixes) + 1)), layout="constrained")
    grid = figure.subplots(len(mixes) + 1, 1)
    for place, clip in enumerate(mixes):
        strip(grid[place], clip, trained.layout)
        share = place / (len(mixes) - 1)
        grid[place].set_ylabel(f"{100 * (1 - share):.0f}:{100 * share:.0f}", fontsize=8)
    strip(grid[-1], blends.transition(trained, first, second, seed), trained.layout)
    grid[-1].set_ylabel("changes", fontsize=8)
    figure.suptitle(f"{first.replace('_', ' ')} to {second.replace('_', ' ')}")
    return figure


def strip(axes: Axes, clip: Array, layout: Layout) -> None:
    """Skeletons of a clip (T, V, 2) side by side; the person's left is blue, the right red."""
    frames = np.linspace(0, len(clip) - 1, min(_SHOWN, len(clip))).round().astype(int)
    for place, frame in enumerate(frames):
        joints = clip[frame] + [place * _APART, 0]
        for a, b in layout.edge_indices:
            sides = {layout.joints[joint].partition("_")[0] for joint in (a, b)}
            colour = _SIDES[sides.pop()] if len(sides) == 1 and sides <= set(_SIDES) else "black"
            axes.plot(joints[[a, b], 0], joints[[a, b], 1], color=colour, linewidth=1.2)
    axes.set_aspect("equal")
    axes.set_xlim(-_APART, len(frames) * _APART)
    axes.set_ylim(3, -3)
    axes.set_xticks([])
    axes.set_yticks([])
