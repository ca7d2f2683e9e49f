"""The commands `generator` (train, measure, draw, export and time generators, teach with them) and `generate`."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pose.whole_file import write_text
from recognizer.generator import SHIPPED, OnnxGenerator, shipped_generator
from recognizer.training import page
from recognizer.training.generate import cost, export, few_shot, health, measures, recipes, synthetic
from recognizer.training.generate.fit import Job, train
from recognizer.training.generate.measures import Bench, Figures
from recognizer.training.generate.recipes import NETWORK_NAMES, Recipe, RecipeError
from recognizer.training.generate.sets import SETS, Motions, set_of
from recognizer.training.generate.trained import Trained, load_trained
from recognizer.training.loop import is_first_process
from recognizer.training.models.sa_gcn import Form, SaGcnConfig
from recognizer.training.run_folder import RunError
from recognizer.training.whole_clip.command import add_hardware, hardware_of

_CHANGES = {
    "iterations": int,
    "batch": int,
    "evaluate": int,
    "learning_rate": float,
    "average": float,
    "penalty": float,
    "disturb": float,
    "mismatch": float,
    "variety": float,
}
MEASURES_FILE = "measures-{part}.json"
_SPLITS = {"validation": "a part of the training split, not learnt from", "test": "the official test split"}


def add_generate(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `generate`."""
    of = parser.add_mutually_exclusive_group()
    of.add_argument("--generator", type=Path, metavar="DIR", help=f"an exported one (default: weights/{SHIPPED})")
    of.add_argument("--run", type=Path, metavar="DIR", help="of a finished training, instead")
    parser.add_argument("--action", required=True, help="what the person does")
    parser.add_argument("--count", type=int, default=10, help="of clips (default 10)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="pickle to write (PYSKL's format)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other clips")


def generate(options: argparse.Namespace) -> None:
    """Write clips of an action, marked as made up."""
    wanted = (options.action, options.count, options.seed)
    if options.run is not None:
        trained = load_trained(options.run)
        recordings, source = synthetic.recordings_of(trained, *wanted), synthetic.provenance(trained, options.seed)
    else:
        generator = OnnxGenerator(options.generator or shipped_generator())
        recordings = synthetic.recordings_of_exported(generator, *wanted)
        source = synthetic.provenance_of_exported(generator, options.seed)
    synthetic.write(recordings, source, options.out)
    frames = len(recordings[0].joints)
    sys.stdout.write(f"{options.out}: {len(recordings)} made-up clips of {options.action}, {frames} frames\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `generator`."""
    kinds = parser.add_subparsers(required=True, dest="what", metavar="train|measure|figures|export|cost|few-shot")
    fit = kinds.add_parser("train", help="train; a killed training goes on, a finished one is left as it is")
    _add_data(fit)
    fit.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    fit.add_argument("--set", default="penn", help=", ".join(SETS))
    fit.add_argument("--actions", nargs="+", metavar="ACTION", help="of the set, instead of its ten")
    fit.add_argument("--layout", help="joints to convert to, instead of the set's own")
    fit.add_argument("--network", default="sa-gcn", help=", ".join(NETWORK_NAMES))
    fit.add_argument("--frames", type=int, default=50, help="of a clip (default 50)")
    fit.add_argument("--seed", type=int, default=0)
    for name, kind in _CHANGES.items():
        default = getattr(Recipe(), name)
        fit.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=f"default {default}")
    add_hardware(fit)
    measure = kinds.add_parser("measure", help="compare generated clips with held-out real ones")
    _add_data(measure)
    measure.add_argument("--runs", type=Path, nargs="+", required=True, metavar="DIR", help="of one set and length")
    measure.add_argument("--part", choices=("validation", "test"), default="validation")
    measure.add_argument("--steps", type=int, default=600, help="of a recognizer's training (default 600)")
    measure.add_argument("--seed", type=int, default=0)
    measure.add_argument("--page", type=Path, metavar="FILE", help="write the table into this page")
    figures = kinds.add_parser("figures", help="draw generated clips beside real ones, and a blend")
    _add_data(figures)
    _add_run(figures)
    figures.add_argument("--out", type=Path, required=True, metavar="DIR")
    figures.add_argument("--blend", nargs=2, metavar="ACTION", help="two actions (default: the first two)")
    figures.add_argument("--seed", type=int, default=0)
    exporting = kinds.add_parser("export", help="write generator.onnx and its card")
    _add_run(exporting)
    exporting.add_argument("--out", type=Path, required=True, metavar="DIR")
    exporting.add_argument("--name", default="sa-gcn", help="for people")
    few_shot.add_few_shot(kinds.add_parser("few-shot", help="Quick teaching with and without variants of the clips"))
    costs = kinds.add_parser("cost", help="time and memory, sparse and dense, by the length of clips")
    costs.add_argument("--frames", type=int, nargs="+", default=[25, 50, 100, 200])
    costs.add_argument("--clips", type=int, default=2)
    costs.add_argument("--repeats", type=int, default=3)
    costs.add_argument("--network", default="sa-gcn-no-mix", help="a form of SA-GCN")
    costs.add_argument("--device", default="cpu", help="cpu or cuda")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds the data sets")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="of a finished training")


def run(options: argparse.Namespace) -> None:
    """Train, measure, draw, export, teach or time."""
    kinds: dict[str, Callable[[argparse.Namespace], None]] = {
        "train": _train,
        "measure": _measure,
        "figures": _figures,
        "export": _export,
        "few-shot": few_shot.run_few_shot,
        "cost": _cost,
    }
    kinds[options.what](options)


def _train(options: argparse.Namespace) -> None:
    recipe = Recipe(**{name: getattr(options, name) for name in _CHANGES})
    if options.network not in NETWORK_NAMES:
        raise RecipeError(f"no network {options.network!r}; choose one of {', '.join(NETWORK_NAMES)}")
    if options.frames < 2:
        raise RecipeError(f"--frames {options.frames} is too few; give at least 2")
    motions = set_of(options.set).load(
        options.data, options.frames, tuple(options.actions) if options.actions else None, options.layout
    )
    job = Job(options.set, options.network, recipe, options.frames, options.seed)
    trained = train(motions, job, options.out, hardware_of(options))
    if not is_first_process():
        return
    last = trained.history[-1]
    kept = next(row for row in trained.history if row["iteration"] == trained.iteration)
    lines = [
        f"{options.out}: {recipes.parameters(trained.network):,} parameters, {last['iteration']} iterations in "
        f"{last['seconds']:.0f} s; kept iteration {trained.iteration}, MMD_seq {kept['mmd_seq']:.3f}, "
        f"MMD_avg {kept['mmd_avg']:.3f} on {len(motions.validation)} validation clips",
        *health.troubles(trained.history),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _motions_of(trained: Trained, data: Path) -> Motions:
    job = trained.job["generator"]
    return set_of(job["data"]).load(data, trained.frames, trained.actions, trained.layout.name)


def _measure(options: argparse.Namespace) -> None:
    runs = [load_trained(folder) for folder in options.runs]
    motions = _motions_of(runs[0], options.data)
    bench = Bench.of(motions, options.part, options.steps, options.seed)
    sys.stdout.write(_line("", *(field.name.replace("_", " ") for field in fields(Figures))))
    real = bench.of_real()
    sys.stdout.write(_figures_line("real clips", real))
    found = []
    for folder, trained in zip(options.runs, runs, strict=True):
        figures = bench.of_generator(trained)
        row = {name: None if value is None or not math.isfinite(value) else value for name, value in _row(figures)}
        described = {"part": options.part, "iteration": trained.iteration, "seed": options.seed, "steps": options.steps}
        described["figures"] = row
        write_text(folder / MEASURES_FILE.format(part=options.part), json.dumps(described, indent=1))
        sys.stdout.write(_figures_line(folder.name, figures))
        found.append(figures)
    if options.page is not None:
        data, part = runs[0].job["generator"]["data"], options.part
        rows = [("real training clips", [real]), *_by_seeds(runs, found)]
        page.write_measured(
            options.page, measures.table(rows, motions, data, part, options.seed, options.steps), f"{data}, {part}"
        )


def _metrics(folder: Path, trained: Trained) -> dict[str, dict[str, Any]]:
    """What `measure` has written into the folder of a run, for its card."""
    metrics = {}
    for part, split in _SPLITS.items():
        path = folder / MEASURES_FILE.format(part=part)
        if not path.is_file():
            continue
        try:
            measured = json.loads(path.read_text(encoding="utf-8"))
            if measured["iteration"] == trained.iteration:
                how = {"recognizer_steps": measured["steps"], "seed": measured["seed"]}
                metrics[part] = {"split": f"{trained.job['generator']['data']}: {split}", **how, **measured["figures"]}
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read ({error}); remove it, or measure again") from error
    return metrics


def _by_seeds(runs: Sequence[Trained], found: Sequence[Figures]) -> list[tuple[str, list[Figures]]]:
    """The figures of each training, those that differ by their seed alone together, by what tells them apart."""
    together: dict[str, list[int]] = {}
    for place, trained in enumerate(runs):
        job = {name: value for name, value in trained.job["generator"].items() if name != "seed"}
        together.setdefault(json.dumps(job, sort_keys=True), []).append(place)
    rows = []
    for places in together.values():
        job = runs[places[0]].job["generator"]
        seeds = ", ".join(str(runs[place].job["generator"]["seed"]) for place in places)
        kept = ", ".join(str(runs[place].iteration) for place in places)
        ending = "s" if len(places) > 1 else ""
        name = f"{job['network']}, seed{ending} {seeds}, iteration{ending} {kept} of {job['recipe']['iterations']}"
        rows.append((name, [found[place] for place in places]))
    return rows


def _row(found: Figures) -> list[tuple[str, Any]]:
    return list(asdict(found).items())


def _figures_line(name: str, found: Figures) -> str:
    values = [
        "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}" for _, value in _row(found)
    ]
    return _line(name, *values)


def _line(name: str, *values: str) -> str:
    return f"{name:24}" + "".join(f"{value:>13}" for value in values) + "\n"


def _figures(options: argparse.Namespace) -> None:
    from recognizer.training.generate import figures  # Matplotlib takes a second to load

    trained = load_trained(options.run)
    first, second = options.blend or trained.actions[:2]
    motions = _motions_of(trained, options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = {
        "actions.png": figures.actions(trained, motions, options.seed),
        f"blend-{first}-{second}.png": figures.blend(trained, first, second, options.seed),
    }
    for name, figure in drawn.items():
        sys.stdout.write(f"{figures.save(figure, options.out / name)}\n")


def _export(options: argparse.Namespace) -> None:
    trained = load_trained(options.run)
    card = export.export(trained, options.out, options.name, _metrics(options.run, trained))
    sys.stdout.write(f"{card}: opset {export.OPSET}\n")


def _cost(options: argparse.Namespace) -> None:
    if min(*options.frames, options.clips, options.repeats, 1) < 1:
        raise RecipeError("--frames, --clips and --repeats must be 1 or more")
    if options.network not in recipes.NETWORKS:
        raise RecipeError(f"no form {options.network!r} of SA-GCN; choose one of {', '.join(recipes.NETWORKS)}")
    config = SaGcnConfig(**recipes.NETWORKS[options.network])
    sys.stdout.write(_line("frames", "form", "ms", "kept MB"))
    forms: tuple[Form, ...] = ("sparse", "dense")
    for frames in options.frames:
        for form in forms:
            found = cost.measure(config, frames, form, options.clips, options.repeats, options.device)
            sys.stdout.write(_line(str(frames), form, f"{1000 * found.seconds:.1f}", f"{found.kept_bytes / 1e6:.1f}"))
