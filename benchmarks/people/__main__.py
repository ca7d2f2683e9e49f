"""Estimators of several people on composed crossings and groups whose poses are known.

It needs the extra `research` (motmetrics), and for cut-outs of real people a folder of videos.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

try:
    import motmetrics
except ModuleNotFoundError:
    sys.stderr.write('benchmarks.people needs the extra `research`; run: pip install -e ".[research]"\n')
    sys.exit(2)

from benchmarks.command import BenchmarkError, parser_of, run_command
from benchmarks.people.measures import SceneMetrics, evaluate_scene, hota
from benchmarks.people.scenes import DEMO, FPS, Scene, scenes
from pose.estimators import BLAZEPOSE, ESTIMATORS, MEDIAPIPE, EstimatorSpec, open_estimator
from pose.model_asset import find_pose_model
from pose.number_arguments import count
from pose.types import Frame, Pose


def run(scene: Scene, make: Callable[[], Any]) -> tuple[list[tuple[Pose, ...]], float]:
    """The poses of every frame, and the milliseconds of processor time that one took."""
    estimator = make()
    found, began_s = [], process_time()
    for number, bgr in enumerate(scene.frames):
        found.append(estimator.estimate(Frame(bgr, number / FPS, 0.0, number)))
    took_ms = (process_time() - began_s) * 1000 / len(found)
    estimator.close()
    return found, took_ms


def report(name: str, rows: list[tuple[str, SceneMetrics, float]]) -> str:
    """A table of one estimator: a row for each scene (its name, metrics, ms of processor) and one for all."""
    handler = motmetrics.metrics.create()
    table = handler.compute_many(
        [metrics.identities for _, metrics, _ in rows],
        metrics=["recall", "precision", "mota", "idf1", "num_switches", "num_frames"],
        names=[scene for scene, _, _ in rows],
        generate_overall=True,
    )
    scores = [hota(metrics.frames) for _, metrics, _ in rows]
    table["hota"] = [*(score.hota for score in scores), float(np.mean([score.hota for score in scores]))]
    for measure in ("oks", "pck"):
        scenes_values = [getattr(metrics, measure) for _, metrics, _ in rows]
        every = [value for values in scenes_values for value in values]
        table[measure] = [float(np.mean(values)) if values else np.nan for values in (*scenes_values, every)]
    frames = sum(len(metrics.frames) for _, metrics, _ in rows)
    false_part = 100 * sum(metrics.false_frames for _, metrics, _ in rows) / frames
    took_ms = float(np.median([took for _, _, took in rows]))
    head = f"{name}: frames with a false skeleton {false_part:.1f}%, {took_ms:.1f} ms of processor"
    return f"{head}\n{table.to_string(float_format=lambda value: f'{value:.3f}')}\n\n"


def main() -> int:
    """Print a table with a row for each estimator and scene, and one for all."""
    parser = parser_of("benchmarks.people", __doc__)
    parser.add_argument("--part", choices=tuple(DEMO), default="test")
    parser.add_argument("--videos", type=Path, help="the folder with the videos named in scenes.py")
    parser.add_argument("--frames", type=count, default=150)
    parser.add_argument("--pose", nargs="+", choices=tuple(ESTIMATORS), default=[MEDIAPIPE, BLAZEPOSE])
    return run_command(_evaluate, parser.parse_args())


def _evaluate(options: argparse.Namespace) -> None:
    if options.videos is not None and not options.videos.is_dir():
        raise BenchmarkError(f"there is no folder {options.videos}; give the one with the videos named in scenes.py")
    model = find_pose_model(None)
    rows_by_estimator: dict[str, list[tuple[str, SceneMetrics, float]]] = {name: [] for name in options.pose}
    for scene in scenes(options.part, options.videos, model, options.frames):
        people = max(len(frame) for frame in scene.truth)
        for name in options.pose:
            found, took_ms = run(scene, partial(open_estimator, EstimatorSpec(name, model, people)))
            rows_by_estimator[name].append((scene.name, evaluate_scene(scene, found), took_ms))
            sys.stderr.write(f"{name} {scene.name} done\n")
    for name, rows in rows_by_estimator.items():
        sys.stdout.write(report(name, rows))


if __name__ == "__main__":
    sys.exit(main())
