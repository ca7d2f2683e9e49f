"""The command `generator`: measure, draw and time generators of clips, and teach with them."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pose.number_arguments import count, seed
from pose.whole_file import write_text
from recognizer.training.data_argument import add_data
from recognizer.training.explain.figures import save_png
from recognizer.training.generate import recipes
from recognizer.training.generate.generate_command import MEASURES_FILE, add_run
from recognizer.training.generate.sets import Motions, set_of
from recognizer.training.generate.trained import Trained, load_trained
from recognizer.training.models.sa_gcn import Form, SaGcnConfig
from research import page
from research.errors import ResearchError
from research.generate import cost, few_shot, measures, recognition
from research.generate.measures import GeneratorBenchmark, Metrics
from research.generate.source import source_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `generator`."""
    kinds = parser.add_subparsers(
        required=True, dest="what", metavar="measure|figures|mixtures|trajectories|cost|few-shot"
    )
    measure = kinds.add_parser("measure", help="compare generated clips with held-out real ones")
    add_data(measure)
    measure.add_argument("--runs", type=Path, nargs="+", required=True, metavar="DIR", help="of one set and length")
    measure.add_argument("--part", choices=("validation", "test"), default="validation")
    measure.add_argument("--steps", type=count, default=600, help="of a recognizer's training (default 600)")
    measure.add_argument("--seed", type=seed, default=0)
    measure.add_argument("--page", type=Path, metavar="FILE", help="write the table into this page")
    figures = kinds.add_parser("figures", help="draw generated clips beside real ones, and a blend")
    add_data(figures)
    add_run(figures)
    figures.add_argument("--out", type=Path, required=True, metavar="DIR")
    figures.add_argument("--blend", nargs=2, metavar="ACTION", help="two actions (default: the first two)")
    figures.add_argument("--seed", type=seed, default=0)
    mixes = kinds.add_parser("mixtures", help="what a recognizer of real clips makes of mixed labels")
    add_data(mixes)
    _add_source(mixes)
    mixes.add_argument("--pair", nargs=2, metavar="ACTION", help="two actions (default: the first two)")
    mixes.add_argument("--clips", type=count, default=100, help="of each mix (default 100)")
    mixes.add_argument("--steps", type=count, default=600, help="of the recognizer's training (default 600)")
    ways = kinds.add_parser("trajectories", help="t-SNE of the frames of generated clips")
    _add_source(ways)
    ways.add_argument("--actions", nargs="+", metavar="ACTION", help="(default: all)")
    ways.add_argument("--clips", type=count, default=3, help="of each action (default 3)")
    few_shot.add_few_shot(kinds.add_parser("few-shot", help="Quick teaching with and without variants of the clips"))
    costs = kinds.add_parser("cost", help="time and memory, sparse and dense, by the length of clips")
    costs.add_argument("--frames", type=count, nargs="+", default=[25, 50, 100, 200])
    costs.add_argument("--clips", type=count, default=2)
    costs.add_argument("--repeats", type=count, default=3)
    costs.add_argument("--network", default="sa-gcn-no-mix", help="a form of SA-GCN")
    costs.add_argument("--device", default="cpu", help="cpu or cuda")


def _add_source(parser: argparse.ArgumentParser) -> None:
    of = parser.add_mutually_exclusive_group()
    of.add_argument("--run", type=Path, metavar="DIR", help="of a finished training")
    of.add_argument("--generator", type=Path, metavar="DIR", help="an exported one (default: the shipped one)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for a PNG and a CSV file")
    parser.add_argument("--seed", type=seed, default=0)


def run(options: argparse.Namespace) -> None:
    """Measure, draw, teach or time."""
    kinds: dict[str, Callable[[argparse.Namespace], None]] = {
        "measure": _measure,
        "figures": _figures,
        "mixtures": _mixtures,
        "trajectories": _trajectories,
        "few-shot": few_shot.run_few_shot,
        "cost": _cost,
    }
    kinds[options.what](options)


def _motions_of(trained: Trained, data: Path) -> Motions:
    job = trained.job["generator"]
    return set_of(job["data"]).load(data, trained.frames, trained.actions, trained.layout.name)


def _measure(options: argparse.Namespace) -> None:
    runs = [load_trained(folder) for folder in options.runs]
    motions = _motions_of(runs[0], options.data)
    bench = GeneratorBenchmark.of(motions, options.part, options.steps, options.seed)
    sys.stdout.write(_line("", *(field.name.replace("_", " ") for field in fields(Metrics))))
    real = bench.measure_real()
    sys.stdout.write(_metrics_line("real clips", real))
    found = []
    for folder, trained in zip(options.runs, runs, strict=True):
        metrics = bench.measure_generator(trained)
        row = {name: None if value is None or not math.isfinite(value) else value for name, value in _row(metrics)}
        described = {"part": options.part, "iteration": trained.iteration, "seed": options.seed, "steps": options.steps}
        described["metrics"] = row
        write_text(folder / MEASURES_FILE.format(part=options.part), json.dumps(described, indent=1))
        sys.stdout.write(_metrics_line(folder.name, metrics))
        found.append(metrics)
    if options.page is not None:
        data, part = runs[0].job["generator"]["data"], options.part
        rows = [("real training clips", [real]), *_group_seeds(runs, found)]
        page.write_measured(
            options.page, measures.table(rows, motions, data, part, options.seed, options.steps), f"{data}, {part}"
        )


def _group_seeds(runs: Sequence[Trained], found: Sequence[Metrics]) -> list[tuple[str, list[Metrics]]]:
    """The metrics of the trainings by settings; those that differ only in their seed are in one group."""
    groups: dict[str, list[int]] = {}
    for place, trained in enumerate(runs):
        job = {name: value for name, value in trained.job["generator"].items() if name != "seed"}
        groups.setdefault(json.dumps(job, sort_keys=True), []).append(place)
    rows = []
    for places in groups.values():
        job = runs[places[0]].job["generator"]
        seeds = ", ".join(str(runs[place].job["generator"]["seed"]) for place in places)
        kept = ", ".join(str(runs[place].iteration) for place in places)
        ending = "s" if len(places) > 1 else ""
        name = f"{job['network']}, seed{ending} {seeds}, iteration{ending} {kept} of {job['recipe']['iterations']}"
        rows.append((name, [found[place] for place in places]))
    return rows


def _row(found: Metrics) -> list[tuple[str, Any]]:
    return list(asdict(found).items())


def _metrics_line(name: str, found: Metrics) -> str:
    values = [
        "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}" for _, value in _row(found)
    ]
    return _line(name, *values)


def _line(name: str, *values: str) -> str:
    return f"{name:24}" + "".join(f"{value:>13}" for value in values) + "\n"


def _figures(options: argparse.Namespace) -> None:
    from research.generate import figures

    trained = load_trained(options.run)
    first, second = options.blend or trained.actions[:2]
    motions = _motions_of(trained, options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = {
        "actions.png": figures.actions(trained, motions, options.seed),
        f"blend-{first}-{second}.png": figures.blend(trained, first, second, options.seed),
    }
    for name, figure in drawn.items():
        sys.stdout.write(f"{save_png(figure, options.out / name, dpi=100)}\n")


def _mixtures(options: argparse.Namespace) -> None:
    from research.generate import mixtures

    source = source_of(options.run, options.generator)
    first, second = options.pair or source.actions[:2]
    source.place(first), source.place(second)
    motions = set_of(source.data).load(options.data, source.frames, source.actions, source.layout.name)
    training = motions.standardised[motions.train], motions.labels[motions.train]
    recognizer = recognition.train_recognizer(*training, len(motions.actions), options.steps, options.seed)
    found = mixtures.mixtures(source, motions, recognizer, (first, second), options.clips, options.seed)
    text = mixtures.as_csv(found, (first, second), options.clips)
    figure = mixtures.histogram(found, (first, second), options.clips)
    _write(options.out, f"mixtures-{first}-{second}", figure, text)
    sys.stdout.write(text)


def _trajectories(options: argparse.Namespace) -> None:
    from research.generate import trajectories

    source = source_of(options.run, options.generator)
    actions = tuple(options.actions or source.actions)
    plane = trajectories.trajectories(source, actions, options.clips, options.seed)
    _write(options.out, "trajectories", trajectories.figure_of(plane, actions), trajectories.as_csv(plane, actions))


def _write(folder: Path, name: str, figure: Any, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{name}.csv", text)
    sys.stdout.write(f"{save_png(figure, folder / f'{name}.png', dpi=100)}\n{folder / f'{name}.csv'}\n")


def _cost(options: argparse.Namespace) -> None:
    if options.network not in recipes.NETWORKS:
        raise ResearchError(f"no form {options.network!r} of SA-GCN; choose one of {', '.join(recipes.NETWORKS)}")
    config = SaGcnConfig(**recipes.NETWORKS[options.network])
    sys.stdout.write(_line("frames", "form", "ms", "kept MB"))
    forms: tuple[Form, ...] = ("sparse", "dense")
    for frames in options.frames:
        for form in forms:
            found = cost.measure(config, frames, form, options.clips, options.repeats, options.device)
            sys.stdout.write(_line(str(frames), form, f"{1000 * found.seconds:.1f}", f"{found.kept_bytes / 1e6:.1f}"))
