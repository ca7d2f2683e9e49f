"""The command deletion: how faithful explanations are."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from pose import number_arguments
from recognizer import explain
from recognizer.clips import Clip
from recognizer.features import CHANNELS, clip_features
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.training.data_argument import add_data
from recognizer.training.everyday import ACTIONS
from recognizer.training.explain import figures
from recognizer.training.explain.clips import READERS
from recognizer.training.models.deployed import Deployed
from recognizer.training.run_folder import load_run
from research.explain import deletion
from research.explain.samples import Sample, sample
from research.page import write_measured

Array = NDArray[np.float32]
Curves = dict[tuple[str, str], deletion.Curves]  # by (unit, removal)

RANDOM, GRADIENT = "random", "gradient x input"
_SETS = ("penn_action", "utd_mhad")


def add_deletion(parser: argparse.ArgumentParser) -> None:
    """Arguments of deletion."""
    parser.add_argument("--model", default="act", metavar="NAME|DIR", help="weights/NAME or a model folder")
    add_sample(parser)
    parser.add_argument(
        "--run", type=Path, nargs="+", metavar="DIR", help="the model's run folders, for gradients, too"
    )
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the table into this page")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for a figure of the curves")


def add_sample(parser: argparse.ArgumentParser) -> None:
    """Which clips of which data sets."""
    add_data(parser)
    parser.add_argument("--sets", nargs="+", choices=tuple(READERS), default=_SETS, metavar="SET")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument(
        "--clips", type=number_arguments.count, default=300, help="how many, drawn at random (default 300)"
    )
    parser.add_argument("--seed", type=number_arguments.seed, default=0)


def run_deletion(options: argparse.Namespace) -> None:
    """The deletion curves of each method."""
    recognizer = OnnxRecognizer(find_model(options.model), "cpu")
    drawn = sample(options.data, tuple(options.sets), options.split, options.clips, options.seed)
    network = _deployed(options.run) if options.run else None
    rows = {
        method: _curves(recognizer, drawn, relevance, options.seed)
        for method, relevance in _relevances(recognizer, drawn, network, options.seed).items()
    }
    text = as_text(recognizer, drawn, rows)
    sys.stdout.write(text)
    if options.page:
        write_measured(options.page, text, recognizer.card.name)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        figures.save({f"deletion_{recognizer.card.name}": _deletion_figure(recognizer, rows)}, options.out)


def _relevances(
    recognizer: OnnxRecognizer, drawn: Sample, network: Deployed | None, seed: int
) -> dict[str, list[Array]]:
    """(T, V) of each clip by each method, for the clip's likeliest action."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Array]] = {}
    for method in explain.available_methods(recognizer.card):
        found[method] = [explain.explain(recognizer, clip, None, method).relevance for clip in drawn.clips]
    if network is not None:
        likeliest = [int(p.probabilities.argmax()) for p in explain.predict_in_batches(recognizer, drawn.clips)]
        pairs = zip(drawn.clips, likeliest, strict=True)
        found[GRADIENT] = [gradient_times_input(network, clip, action) for clip, action in pairs]
    found[RANDOM] = [rng.random(clip.confidence.shape, dtype=np.float32) for clip in drawn.clips]
    return found


def gradient_times_input(network: nn.Module, clip: Clip, action: int) -> Array:
    """How much each joint at each frame (T, V) speaks for an action of a Deployed network.

    The gradient of the action's log odds by each feature, times the feature, summed over a joint's channels (Shrikumar
    et al., Learning Important Features Through Propagating Activation Differences, ICML 2017, section 2).
    """
    features = torch.from_numpy(clip_features(clip.xy_px[None], clip.confidence[None], clip.fps)).requires_grad_()
    log_p = network(features).log_softmax(dim=1)[0]
    others = torch.cat([log_p[:action], log_p[action + 1 :]]).logsumexp(dim=0)
    (gradient,) = torch.autograd.grad(log_p[action] - others, features)
    product = (gradient * features.detach())[0].view(len(clip.xy_px), -1, len(CHANNELS))
    return product.sum(dim=2).numpy()


def _curves(recognizer: OnnxRecognizer, drawn: Sample, relevance: Sequence[Array], seed: int) -> Curves:
    return {
        (unit, removal): deletion.curves(recognizer, drawn.clips, relevance, unit, removal, seed)
        for removal in deletion.REMOVALS
        for unit in deletion.UNITS
    }


def as_text(recognizer: OnnxRecognizer, drawn: Sample, rows: Mapping[str, Curves]) -> str:
    """A table in Markdown, a row for each method."""
    keys = list(next(iter(rows.values())))
    predicted = [p.probabilities for p in explain.predict_in_batches(recognizer, drawn.clips)]
    right = np.mean(
        [recognizer.actions[p.argmax()] == ACTIONS[a] for p, a in zip(predicted, drawn.actions, strict=True)]
    )
    sure = float(np.mean([p.max() for p in predicted]))
    lines = [
        f"{recognizer.card.name}: {drawn.description}; accuracy {right:.1%}, "
        f"mean probability of the top action {sure:.3f}.",
        "",
        "| method | " + " | ".join(f"{unit} {removal}" for unit, removal in keys) + " |",
        "|---|" + "--:|" * len(keys),
    ]
    for method, curves in rows.items():
        cells = [
            f"{c.most_relevant_first.mean():.3f} / {c.least_relevant_first.mean():.3f} / **{c.area:.3f}**"
            for c in curves.values()
        ]
        lines.append(f"| {method.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _deletion_figure(recognizer: OnnxRecognizer, rows: Mapping[str, Curves]) -> Figure:
    shown: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for method, found in rows.items():
        curves = found["cells", "hidden"]
        for order, values in (("most", curves.most_relevant_first), ("least", curves.least_relevant_first)):
            if method != RANDOM or order == "most":
                name = method if method == RANDOM else f"{method}, {order} relevant first"
                shown[name.replace("_", " ")] = curves.shares, values.tolist()
    title = f"{recognizer.card.name}: joints and frames hidden"
    return line_figure(shown, title, "share of joints x frames hidden", "mean probability of the top action")


def _deployed(folders: Sequence[Path]) -> Deployed:
    networks = [load_run(folder).network for folder in folders]
    return Deployed(networks, listed=len(ACTIONS) - 1).eval()


def line_figure(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str, x: str, y: str) -> Figure:
    """Named curves over a common axis."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, (places, values) in curves.items():
        axes.plot(places, values, marker="o", markersize=3, label=name)
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
