"""What a recognizer of real clips makes of clips of mixed labels (the paper's Fig. 8), without a display."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recognizer.training.generate.sets import Motions
from recognizer.training.models.sa_gcn import ClipDiscriminator
from research.generate import recognition
from research.generate.source import Source

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Clips whose label is `share` of the second action and the rest of the first.

    first, second, other: shares of the clips classified as these. The rest: mean probabilities of the two.
    """

    share: float
    first: float
    second: float
    other: float
    first_probability: float
    second_probability: float


def mixtures(
    source: Source,
    motions: Motions,
    recognizer: ClipDiscriminator,
    pair: tuple[str, str],
    clips: int,
    seed: int,
    steps: int = 11,
) -> list[Mixture]:
    """From the first action of the pair to the second, `clips` of each mix, all mixes of the same noise.

    recognizer: of the motions' standardised clips, see recognition.train_recognizer.
    """
    ends = [source.place(action) for action in pair]
    mean, spread = motions.scale
    found = []
    for share in np.linspace(0, 1, steps):
        label = np.zeros((clips, len(source.actions)), dtype=np.float32)
        label[:, ends[0]] += 1 - share
        label[:, ends[1]] += share
        made = ((source.joints(label, seed) - mean) / spread).reshape(clips, source.frames, -1)
        chances = recognition.probabilities(recognizer, made.astype(np.float32))
        named = chances.argmax(axis=1)
        first, second = (float((named == end).mean()) for end in ends)
        likely = [float(chances[:, end].mean()) for end in ends]
        found.append(Mixture(float(share), first, second, 1 - first - second, *likely))
    return found


def as_csv(found: list[Mixture], pair: tuple[str, str], clips: int) -> str:
    """A line for each mix."""
    head = f"share of {pair[1]},clips,{pair[0]},{pair[1]},other,p({pair[0]}),p({pair[1]})"
    rows = [
        f"{m.share:.2f},{clips},{m.first:.3f},{m.second:.3f},{m.other:.3f},"
        f"{m.first_probability:.3f},{m.second_probability:.3f}"
        for m in found
    ]
    return "\n".join([head, *rows]) + "\n"


def histogram(found: list[Mixture], pair: tuple[str, str], clips: int) -> Figure:
    """A bar for each mix, divided by what its clips are named, and the mean probability of the second action."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    shares, width = np.array([m.share for m in found]), 0.8 / max(len(found) - 1, 1)
    below = np.zeros(len(found))
    parts = ((pair[0], "first", "tab:blue"), ("another action", "other", "lightgrey"), (pair[1], "second", "tab:red"))
    for name, part, colour in parts:
        height = np.array([getattr(m, part) for m in found])
        axes.bar(shares, height, width, below, color=colour, label=f"named {name.replace('_', ' ')}")
        below += height
    axes.plot(shares, [m.second_probability for m in found], "k.-", label=f"mean p({pair[1].replace('_', ' ')})")
    axes.set(xlabel=f"share of {pair[1].replace('_', ' ')} in the label", ylabel=f"of {clips} clips", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
