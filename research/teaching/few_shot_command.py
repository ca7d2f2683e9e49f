"""`few-shot`: Quick teaching against the nearest clip by DTW and an AcT trained from scratch, on actions that
the embedding never saw; and how well unknown actions are distinguished from taught ones."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pose import number_arguments
from recognizer.datasets import penn_action, utd_mhad
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.lesson import prepare, trunk_seen
from recognizer.teaching.quick import QuickSettings
from recognizer.teaching.windows import Shape, WindowAugmentation
from recognizer.training.data_argument import add_data
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.everyday import merge, read_all
from recognizer.training.fine_tune.training import FineTuneSettings, fit_network, whole_example_probabilities
from research.metrics_file import read_metrics, write_metrics
from research.teaching.few_shot import (
    ARM_ACTIONS,
    NEW_ACTIONS,
    SHOTS,
    WAYS,
    Episode,
    Pool,
    hide_lower_body,
    measure,
    quick_accuracy,
    recordings,
)
from research.teaching.few_shot_dtw import distances, joints_of
from research.teaching.few_shot_embedding import STEPS, base_folder, demand_steps, people_without, train_base
from research.teaching.few_shot_unknown import measure_open_set

OPEN_SET_SHOTS = 4
_SETS = {dataset.name: dataset for dataset in (utd_mhad.DATASET, penn_action.DATASET)}


def add_few_shot_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `few-shot`."""
    add_data(parser)
    parser.add_argument("--sets", nargs="+", choices=tuple(_SETS), default=list(_SETS), metavar="SET")
    parser.add_argument("--episodes", type=number_arguments.count, default=100)
    parser.add_argument("--scratch-episodes", type=int, default=5, help="of the AcT from scratch, which takes long")
    parser.add_argument("--no-dtw", action="store_true", help="leave out DTW, whose metrics depend on no embedding")
    parser.add_argument("--seed", type=number_arguments.seed, default=1)
    parser.add_argument("--steps", type=number_arguments.count, default=STEPS, help="of the training of the embeddings")
    parser.add_argument(
        "--shots", type=number_arguments.count, nargs="+", default=list(SHOTS), help="clips of an action"
    )
    what = "an embedding that is there, instead of one trained without the set: what it saw of the set is your question"
    parser.add_argument("--model", type=Path, metavar="DIR", help=what)
    parser.add_argument("--actions", choices=("new", "all"), default="new", help="all: those that others show as well")
    parser.add_argument("--desk", action="store_true", help="hide hips and legs of every clip; arm actions alone")
    parser.add_argument("--runs", type=Path, default=Path("runs/few_shot"), metavar="DIR", help="the embeddings' runs")
    parser.add_argument("--out", type=Path, default=Path("runs/few_shot/metrics.json"), metavar="FILE")


def run_few_shot(options: argparse.Namespace) -> None:
    """Train the embeddings that are not there yet, measure, and add to the metrics in the file as they come."""
    metrics = read_metrics(options.out, {})
    for dataset in options.sets:
        model = options.model or _base(dataset, options)
        actions = _actions(dataset, options)
        clips = " ".join([dataset, options.actions, *(["desk"] if options.desk else [])])
        title = f"{clips}, {model}, {options.episodes} episodes, seed {options.seed}"
        pool = pool_of(dataset, options.data, model, actions, desk=options.desk)
        found = metrics.setdefault(title, {})
        for row, values in _measured(pool, actions, options):
            found[row] = found.get(row, {}) | values  # of other methods, they stay
            write_metrics(options.out, metrics)
        sys.stdout.write(json.dumps({title: found}, indent=1) + "\n")


def _base(dataset: str, options: argparse.Namespace) -> Path:
    """The model that never saw the set, trained where it is not there yet."""
    folder = base_folder(options.runs, dataset)
    if (folder / "model").is_dir():
        demand_steps(folder, options.steps)
    else:
        people = people_without(options.data, dataset)
        train_base(read_all(options.data), dataset, folder, people=people, steps=options.steps)
    return folder / "model"


def _actions(dataset: str, options: argparse.Namespace) -> list[str]:
    """What episodes are drawn of. Raises TeachingError where that is too little."""
    actions = list(NEW_ACTIONS[dataset])
    if options.actions == "all":
        actions = sorted({each.action for each in action_sequences(_SETS[dataset].read(options.data / dataset))})
    if options.desk:
        actions = [action for action in actions if dataset == utd_mhad.NAME and action in ARM_ACTIONS]
    if len(actions) < WAYS:
        raise TeachingError(
            f"{dataset} has {len(actions)} such actions, and an episode takes {WAYS}; leave the set out"
        )
    return actions


def pool_of(dataset: str, data: Path, model: Path, actions: Sequence[str] | None = None, *, desk: bool = False) -> Pool:
    """The clips of a set's new actions, or of others: its training split teaches, its test split tests. desk: hips and
    legs are out of the picture.

    Penn Action does not tell people apart: each of its clips counts as a person of its own, who cannot have enough
    clips, so that every clip taught is of another person.
    """
    wanted = actions or NEW_ACTIONS[dataset]
    found = [each for each in action_sequences(_SETS[dataset].read(data / dataset)) if each.action in wanted]
    corpus = merge(found)
    clips = recordings(corpus, np.arange(len(corpus)))
    clips = [hide_lower_body(clip) for clip in clips] if desk else clips
    shown = [trunk_seen(clip.confidence, clip.layout) for clip in clips]
    clips = [clip for clip, seen in zip(clips, shown, strict=True) if seen]
    recognizer = OnnxRecognizer(model, "cpu")
    shape = Shape(recognizer.frames, recognizer.fps, recognizer.card.skeleton)
    lesson = prepare(clips, recognizer, shape, WindowAugmentation())
    recognizer.close()
    test = np.array([each.test for each, seen in zip(found, shown, strict=True) if seen])
    return Pool(lesson, np.array([clip.person or clip.name for clip in clips]), ~test, test)


def _measured(pool: Pool, actions: Sequence[str], options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of the metrics, with the values of each method."""
    quick, seed, episodes = QuickSettings(), options.seed, options.episodes
    # The warped distance is of whole bodies, from the mid-hip in torsos.
    warping = None if options.desk or options.no_dtw else Warping(pool)
    yield "actions", {"names": list(actions)}
    for shots in options.shots:
        method = partial(quick_accuracy, settings=quick)
        row = {"quick": measure(pool, actions, shots, method, episodes=episodes, seed=seed)}
        if warping is not None:
            row["dtw"] = measure(pool, actions, shots, warping, episodes=episodes, seed=seed)
        if options.scratch_episodes > 1:
            few = options.scratch_episodes
            row["scratch"] = measure(pool, actions, shots, _scratch, episodes=few, seed=seed)
        sys.stderr.write(f"{shots} clips: {row}\n")
        yield f"{shots} clips", row
    started_s = time.perf_counter()
    before, after = measure_open_set(pool, actions, OPEN_SET_SHOTS, quick, episodes=episodes, seed=seed)
    open_set = {"before": asdict(before), "after": asdict(after), "clips": OPEN_SET_SHOTS}
    sys.stderr.write(f"open set: {open_set}, {time.perf_counter() - started_s:.0f} s\n")
    yield "open set", open_set


class Warping:
    """Accuracy of the nearest taught clip by DTW; distances are computed once and kept."""

    def __init__(self, pool: Pool) -> None:
        self._joints = [joints_of(clip) for clip in pool.lesson.examples]
        self._known = np.full((len(self._joints), len(self._joints)), np.nan)

    def __call__(self, pool: Pool, episode: Episode) -> float:
        """Share of the test clips whose nearest taught clip shows the same action."""
        train, test = episode.train, episode.test
        rows = test[np.isnan(self._known[np.ix_(test, train)]).any(axis=1)]
        columns = train[np.isnan(self._known[np.ix_(test, train)]).any(axis=0)]
        if len(rows):
            found = distances([self._joints[row] for row in rows], [self._joints[column] for column in columns])
            self._known[np.ix_(rows, columns)] = found
        nearest = self._known[np.ix_(test, train)].argmin(axis=1)
        return float((pool.lesson.target[train[nearest]] == pool.lesson.target[test]).mean())


def _scratch(pool: Pool, episode: Episode) -> float:
    """Share of the test clips that an AcT trained only on the episode's clips classifies correctly."""
    clips = pool.lesson.examples
    network = fit_network([clips[each] for each in episode.train], FineTuneSettings())
    target = [episode.actions.index(clips[each].action) for each in episode.test]
    found = whole_example_probabilities(network, [clips[each] for each in episode.test])[:, :-1].argmax(axis=1)
    return float((found == target).mean())
