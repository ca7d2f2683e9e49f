"""`generator few-shot`: Quick teaching from few clips with and without variants that a generator makes of them.

The episodes are those of research.teaching.few_shot. Two groups of actions: those that the generator was
never shown, which are lent differences, and its own, of which it makes clips.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose import number_arguments
from recognizer.datasets import utd_mhad
from recognizer.generator import OnnxGenerator
from recognizer.model_card import ModelCard
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.check import check
from recognizer.teaching.lesson import Windows, with_extra
from recognizer.teaching.quick import QuickSettings, TaughtHead, teach
from recognizer.teaching.variants import VariantSettings, make_variants
from recognizer.teaching.windows import Shape, WindowAugmentation
from recognizer.training.data_argument import add_data
from recognizer.training.run_folder import RunError
from research.metrics_file import read_metrics, write_metrics
from research.page import write_measured
from research.teaching.few_shot import (
    NEW_ACTIONS,
    SHOTS,
    WAYS,
    Episode,
    Pool,
    answers,
    draw,
    mean_and_interval,
    part_of_lesson,
    quick_accuracy,
)
from research.teaching.few_shot_command import pool_of
from research.teaching.few_shot_embedding import base_folder

NEW, KNOWN = "new to the generator", "its own"
PAGE_MARK = "few clips with and without variants"
_DATASET = utd_mhad.NAME
_FIGURES = tuple(
    f"{name}, {of}" for name in ("likeliest", "shown", "alarms") for of in ("without", "gain", "checked gain")
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was taught, on clips of other people. likeliest: part of the tested clips whose likeliest action is right.
    shown: part that is right and over its threshold. alarms: part of the clips of actions that were not taught that are
    shown as one that was. check: accuracy by the application's own check, of the taught clips."""

    likeliest: float
    shown: float
    alarms: float
    check: float


@dataclass(frozen=True, slots=True)
class VariantComparison:
    """One episode, without variants and with them."""

    without: Answers
    with_variants: Answers

    @property
    def kept(self) -> bool:
        """Whether the application keeps the variants: its own check must improve."""
        return self.with_variants.check > self.without.check

    @property
    def checked(self) -> Answers:
        """The answers with variants where the application keeps them, else without."""
        return self.with_variants if self.kept else self.without


def add_few_shot(parser: argparse.ArgumentParser) -> None:
    """Arguments of `generator few-shot`."""
    add_data(parser)
    parser.add_argument("--generator", type=Path, required=True, metavar="DIR", help="an exported one")
    base = base_folder(Path("runs/few_shot"), _DATASET) / "model"
    parser.add_argument("--base", type=Path, default=base, metavar="DIR", help="the embedding (of `few-shot`)")
    parser.add_argument("--episodes", type=number_arguments.count, default=30)
    parser.add_argument(
        "--shots", type=number_arguments.count, nargs="+", default=list(SHOTS), metavar="N", help="clips of an action"
    )
    parser.add_argument("--seed", type=number_arguments.seed, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="metrics; a row that is there is kept")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the table into this page")


def run_few_shot(options: argparse.Namespace) -> None:
    """Measure the rows that are not there yet; each is written as soon as it is known."""
    if options.episodes < 2:
        raise RunError("--episodes must be 2 or more: gains have an interval")
    generator = OnnxGenerator(options.generator)
    card, settings = generator.card, VariantSettings()
    head = {
        "generator": card.name,
        "sha256": card.sha256,
        "iteration": card.iteration,
        "base": ModelCard.load(options.base).sha256,
        "episodes": options.episodes,
        "seed": options.seed,
        "variants": asdict(settings),
    }
    metrics = read_metrics(options.out, {**head, "rows": {}})
    if {**metrics, "rows": None} != {**head, "rows": None}:
        raise RunError(f"{options.out} is of another generator or other settings; give another --out")
    new = [action for action in NEW_ACTIONS[_DATASET] if action not in card.actions]
    known = [action for action in card.actions if action in utd_mhad.ACTIONS]
    for group, actions in ((NEW, new), (KNOWN, known)):
        missing = [shots for shots in options.shots if f"{group}, {shots}" not in metrics["rows"]]
        if not missing or len(actions) < WAYS:
            continue
        pool = pool_of(_DATASET, options.data, options.base, actions)
        shape, augmented = with_variants(pool, generator, options.base, settings)
        for shots in missing:
            episodes = [
                draw(pool, actions, shots, np.random.default_rng([options.seed, shots, number]))
                for number in range(options.episodes)
            ]
            found = [evaluate_episode(pool, augmented, episode, shape) for episode in episodes]
            metrics["rows"][f"{group}, {shots}"] = row_of(group, actions, shots, found)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            write_metrics(options.out, metrics)
            sys.stderr.write(f"{group}, {shots} clips: {metrics['rows'][f'{group}, {shots}']}\n")
    text = table(metrics)
    sys.stdout.write(text)
    if options.page is not None:
        write_measured(options.page, text, PAGE_MARK)


def with_variants(
    pool: Pool, generator: OnnxGenerator, base: Path, settings: VariantSettings, seed: int = 0
) -> tuple[Shape, Pool]:
    """The pool with variants added to its teaching clips; test clips get none."""
    recognizer = OnnxRecognizer(base, "cpu")
    shape = Shape(recognizer.frames, recognizer.fps, recognizer.card.skeleton)
    places = np.flatnonzero(pool.trains)
    variants = make_variants([pool.lesson.examples[place] for place in places], generator, shape.layout, settings, seed)
    extra = [(int(places[variant.of]), variant.example) for variant in variants]
    lesson = with_extra(pool.lesson, extra, recognizer, shape, WindowAugmentation(windows=settings.windows))
    recognizer.close()
    return shape, replace(pool, lesson=lesson)


def evaluate_episode(pool: Pool, augmented: Pool, episode: Episode, shape: Shape) -> VariantComparison:
    """One episode without variants and with them."""
    found = []
    untaught = pool.tests & ~pool.of_actions(episode.actions)
    for each in (pool, augmented):
        lesson = part_of_lesson(each.lesson, episode.train, episode.actions)
        test = part_of_lesson(each.lesson, episode.test, episode.actions)
        taught = teach(lesson)
        best, over = _best_and_shown(taught, test.original, len(test.examples))
        others = _windows_of(each.lesson.original, np.flatnonzero(untaught))
        found.append(
            Answers(
                likeliest=quick_accuracy(each, episode, QuickSettings()),
                shown=float((over & (best == test.target)).mean()),
                alarms=float(_best_and_shown(taught, others, int(untaught.sum()))[1].mean())
                if untaught.any()
                else math.nan,
                check=check(lesson, taught, shape).checks[0].accuracy,
            )
        )
    return VariantComparison(*found)


def _windows_of(windows: Windows, clips: NDArray[np.intp]) -> Windows:
    """Of some clips, renumbered from 0."""
    here = np.isin(windows.owner, clips)
    return Windows(windows.description[here], np.searchsorted(clips, windows.owner[here]))


def _best_and_shown(taught: TaughtHead, windows: Windows, clips: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """(C,) the likeliest action of each clip, and whether it would be shown."""
    found = answers(taught.head, windows, clips)
    best = found[:, :-1].argmax(axis=1)
    score = found[np.arange(clips), best]
    return best, (score >= taught.thresholds[best]) & (score > found[:, -1])


def row_of(group: str, actions: Sequence[str], shots: int, found: Sequence[VariantComparison]) -> dict[str, Any]:
    """Means over episodes with half of their 95% intervals; gains are of the same episodes."""
    values: dict[str, list[float]] = {}
    for name in ("likeliest", "shown", "alarms"):
        without, always, checked = (
            [getattr(getattr(each, of), name) for each in found] for of in ("without", "with_variants", "checked")
        )
        values |= {f"{name}, without": without, f"{name}, always": always, f"{name}, checked": checked}
        values[f"{name}, gain"] = [b - a for a, b in zip(without, always, strict=True)]
        values[f"{name}, checked gain"] = [b - a for a, b in zip(without, checked, strict=True)]
    means = {name: mean_and_interval(each) for name, each in values.items()}
    kept = float(np.mean([each.kept for each in found]))
    return {"group": group, "actions": list(actions), "shots": shots, **means, "kept": kept}


def table(metrics: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"Generator {metrics['generator']}, iteration {metrics['iteration']}; {metrics['episodes']} episodes, "
        f"seed {metrics['seed']}.",
        "",
        "| actions | clips per action | correct | change, always | change, checked "
        "| shown | change, always | change, checked | false positives | change, always | change, checked | kept |",
        "|---|--:|" + "--:|" * (len(_FIGURES) + 1),
    ]
    for row in metrics["rows"].values():
        cells = [_cell(*row[name], signed="gain" in name) for name in _FIGURES]
        lines.append(f"| {row['group']} | {row['shots']} | {' | '.join(cells)} | {row['kept']:.0%} |")
    return "\n".join(lines) + "\n"


def _cell(mean: float, half: float, *, signed: bool) -> str:
    return f"{100 * mean:{'+' if signed else ''}.1f} ± {100 * half:.1f}"
