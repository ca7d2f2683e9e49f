"""Generated clips as paths in a plane, a point for each frame (the paper's Fig. 9), without a display."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from recognizer.training.generate.generated_clips import shares_of
from research.errors import ResearchError
from research.generate.source import Source

Array = NDArray[np.float32]
_PERPLEXITY = 30.0  # scikit-learn's and the usual one


def trajectories(source: Source, actions: Sequence[str], clips: int, seed: int) -> Array:
    """(A, N, T, 2) of N clips of each action: t-SNE (van der Maaten and Hinton, JMLR 2008) of the joints of every
    frame. ResearchError where there are too few frames."""
    places = [source.place(action) for action in actions for _ in range(clips)]
    made = source.joints(shares_of(places, len(source.actions)), seed)
    frames = made.reshape(len(places) * source.frames, -1)
    if len(frames) <= 3 * _PERPLEXITY:
        raise ResearchError(f"{len(frames)} frames are too few for t-SNE; give more --clips or actions")
    tsne = TSNE(perplexity=_PERPLEXITY, init="pca", random_state=seed)
    plane: Array = tsne.fit_transform(frames).astype(np.float32)
    return plane.reshape(len(actions), clips, source.frames, 2)


def as_csv(plane: Array, actions: Sequence[str]) -> str:
    """A line for each frame."""
    rows = [
        f"{action},{clip},{frame},{x:.3f},{y:.3f}"
        for action, ways in zip(actions, plane, strict=True)
        for clip, way in enumerate(ways)
        for frame, (x, y) in enumerate(way)
    ]
    return "\n".join(["action,clip,frame,x,y", *rows]) + "\n"


def figure_of(plane: Array, actions: Sequence[str]) -> Figure:
    """A line for each clip, in the colour of its action; a dot where it begins."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    colours = matplotlib.colormaps["tab10" if len(actions) <= 10 else "tab20"]
    for place, (action, ways) in enumerate(zip(actions, plane, strict=True)):
        for number, way in enumerate(ways):
            label = action.replace("_", " ") if number == 0 else None
            axes.plot(way[:, 0], way[:, 1], color=colours(place % colours.N), linewidth=1, label=label)
            axes.plot(*way[0], "o", color=colours(place % colours.N), markersize=4)
    axes.set(xticks=[], yticks=[], title="t-SNE of the frames of generated clips; dots: first frames")
    figure.legend(loc="outside right upper", fontsize=8)
    return figure
