"""The command explain."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pose.estimators import AUTO, ESTIMATORS
from pose.whole_file import atomic_write
from recognizer import attention, explain
from recognizer.clips import Clip, Explanation, Prediction
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.training.data_argument import add_data
from recognizer.training.explain import figures
from recognizer.training.explain.clips import clip_of

Array = NDArray[np.float32]


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Arguments of explain."""
    where = "a video file, or DATASET/RECORDING of a data set under --data"
    parser.add_argument("clip", metavar="CLIP", help=where)
    several = "weights/NAME or a model folder; given several times, they are compared on the same clip in one figure"
    parser.add_argument("--model", action="append", metavar="NAME|DIR", help=f"{several} (default: act)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the figures (PNG) and NPZ")
    add_data(parser, required=False)
    parser.add_argument("--pose", choices=(AUTO, *ESTIMATORS), default=AUTO, help="what finds people in a video")
    parser.add_argument("--action", help="explain this action (default: the most likely one)")
    which = "explain the 1.5 s that end at this time (default: the surest of any action)"
    parser.add_argument("--at", type=float, metavar="SECONDS", help=which)


def run_explain(options: argparse.Namespace) -> None:
    """Figures of one clip and their numbers; of several recognizers each in its folder, and one of all."""
    recognizers = [OnnxRecognizer(find_model(model), "cpu") for model in options.model or ["act"]]
    names = _names(recognizers)
    options.out.mkdir(parents=True, exist_ok=True)
    clip, action = clip_of(recognizers[0], options.clip, options.data, options.at, options.pose), options.action
    compared: dict[str, Explanation] = {}
    for name, recognizer in zip(names, recognizers, strict=True):
        folder = options.out / name if len(names) > 1 else options.out
        folder.mkdir(parents=True, exist_ok=True)
        compared[name] = _explain_into(folder, recognizer, clip, action)
        action = compared[name].action  # all explain the same action, the likeliest of the first recognizer
        sys.stdout.write(f"{name}: {action} {compared[name].probability:.3f} at {clip.time_s:.2f} s: see {folder}\n")
    if len(names) > 1:
        figures.save({"compared": figures.compared(compared)}, options.out)


def _names(recognizers: Sequence[OnnxRecognizer]) -> list[str]:
    """Of the cards, and a number where several have the same."""
    names = [recognizer.card.name for recognizer in recognizers]
    return [name if names.count(name) == 1 else f"{name}-{place}" for place, name in enumerate(names, 1)]


def _explain_into(folder: Path, recognizer: OnnxRecognizer, clip: Clip, action: str | None) -> Explanation:
    """Write figures and numbers; the explanation by the first method, which all recognizers have."""
    explained = [
        explain.explain(recognizer, clip, action, method) for method in explain.available_methods(recognizer.card)
    ]
    (prediction,) = recognizer.predict([clip], attention=True)
    figures.save(figures_of(clip, prediction, explained), folder)
    numbers = {f"relevance_{one.method}": one.relevance for one in explained} | dict(prediction.attention)
    _save_numbers(folder / "numbers.npz", clip, prediction, numbers)
    return explained[0]


def figures_of(clip: Clip, prediction: Prediction, explained: Sequence[Explanation]) -> dict[str, Figure]:
    """By the names of their files."""
    maps = prediction.attention
    made = {f"relevance_{one.method}": figures.relevance(one) for one in explained}
    if attention.ATTENTION in maps:
        own = maps[attention.ATTENTION]
        made["frames"] = figures.frame_strip(clip, attention.frame_scores(own))
        made["attention"] = figures.matrices(own, "attention: rows ask, columns are looked at, the class token first")
    if attention.POSITION_SIMILARITY in maps:
        made["positions"] = figures.position_similarity(maps[attention.POSITION_SIMILARITY])
    if attention.layers(maps, attention.SPATIAL):
        made["joints"] = figures.joint_circles(clip, maps)
        made["spatial_attention"] = figures.joint_matrices(maps, clip.layout)
    if attention.layers(maps, attention.TEMPORAL):
        joint = int(explained[0].relevance.mean(axis=0).argmax())
        made["temporal_attention"] = figures.frames_of_joint(maps, clip, joint)
    if attention.EDGE_IMPORTANCE in maps:
        made["edge_importance"] = figures.edge_importance(clip, maps[attention.EDGE_IMPORTANCE])
    return made


def _save_numbers(path: Path, clip: Clip, prediction: Prediction, numbers: dict[str, Array]) -> None:
    with atomic_write(path) as temporary:
        np.savez_compressed(
            temporary,
            xy_px=clip.xy_px,
            confidence=clip.confidence,
            time_s=clip.time_s,
            fps=clip.fps,
            joints=np.array(clip.layout.joints),
            actions=np.array(prediction.actions),
            probabilities=prediction.probabilities,
            allow_pickle=False,
            **numbers,
        )
