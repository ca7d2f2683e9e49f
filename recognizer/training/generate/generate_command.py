"""The commands `generator` (train and export generators) and `generate`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pose.number_arguments import count, positive, seed
from recognizer.generator import SHIPPED, OnnxGenerator, shipped_generator
from recognizer.training.data_argument import add_data
from recognizer.training.errors import TrainingError
from recognizer.training.export import OPSET
from recognizer.training.generate import export, health, synthetic
from recognizer.training.generate.generator_training import GeneratorJob, train
from recognizer.training.generate.recipes import NETWORK_NAMES, Recipe
from recognizer.training.generate.sets import SETS, set_of
from recognizer.training.generate.trained import Trained, load_trained
from recognizer.training.hardware import add_hardware, hardware_of
from recognizer.training.loop import is_first_process
from recognizer.training.models.registry import parameter_count
from recognizer.training.run_folder import RunError

_CHANGES: dict[str, Callable[[str], Any]] = {
    "iterations": count,
    "batch": count,
    "evaluate": count,
    "learning_rate": positive,
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
    parser.add_argument("--count", type=count, default=10, help="of clips (default 10)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="pickle to write (PYSKL's format)")
    parser.add_argument("--seed", type=seed, default=0, help="another seed gives other clips")


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
    sys.stdout.write(f"{options.out}: {len(recordings)} synthetic clips of {options.action}, {frames} frames\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `generator`."""
    kinds = parser.add_subparsers(required=True, dest="what", metavar="train|export")
    fit = kinds.add_parser("train", help="train; a killed training goes on, a finished one is left as it is")
    add_data(fit)
    fit.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: weights, logs")
    fit.add_argument("--set", default="penn", help=", ".join(SETS))
    fit.add_argument("--actions", nargs="+", metavar="ACTION", help="of the set, instead of its ten")
    fit.add_argument("--layout", help="joints to convert to, instead of the set's own")
    fit.add_argument("--network", default="sa-gcn", help=", ".join(NETWORK_NAMES))
    fit.add_argument("--frames", type=count, default=50, help="of a clip (default 50)")
    fit.add_argument("--seed", type=seed, default=0)
    for name, kind in _CHANGES.items():
        default = getattr(Recipe(), name)
        fit.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=f"default {default}")
    add_hardware(fit)
    exporting = kinds.add_parser("export", help="write generator.onnx and its card")
    add_run(exporting)
    exporting.add_argument("--out", type=Path, required=True, metavar="DIR")
    exporting.add_argument("--name", default="sa-gcn", help="for people")


def add_run(parser: argparse.ArgumentParser) -> None:
    """--run."""
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="of a finished training")


def run(options: argparse.Namespace) -> None:
    """Train or export."""
    kinds: dict[str, Callable[[argparse.Namespace], None]] = {
        "train": _train,
        "export": _export,
    }
    kinds[options.what](options)


def _train(options: argparse.Namespace) -> None:
    recipe = Recipe(**{name: getattr(options, name) for name in _CHANGES})
    if options.network not in NETWORK_NAMES:
        raise TrainingError(f"no network {options.network!r}; choose one of {', '.join(NETWORK_NAMES)}")
    if options.frames < 2:
        raise TrainingError(f"--frames {options.frames} is too few; give at least 2")
    motions = set_of(options.set).load(
        options.data, options.frames, tuple(options.actions) if options.actions else None, options.layout
    )
    job = GeneratorJob(options.set, options.network, recipe, options.frames, options.seed)
    trained = train(motions, job, options.out, hardware_of(options))
    if not is_first_process():
        return
    last = trained.history[-1]
    kept = next(row for row in trained.history if row["iteration"] == trained.iteration)
    lines = [
        f"{options.out}: {parameter_count(trained.network):,} parameters, {last['iteration']} iterations in "
        f"{last['seconds']:.0f} s; kept iteration {trained.iteration}, MMD_seq {kept['mmd_seq']:.3f}, "
        f"MMD_avg {kept['mmd_avg']:.3f} on {len(motions.validation)} validation clips",
        *health.training_problems(trained.history),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _metrics(folder: Path, trained: Trained) -> dict[str, dict[str, Any]]:
    """What `python -m research generator measure` has written into the folder of a run, for its card."""
    metrics = {}
    for part, split in _SPLITS.items():
        path = folder / MEASURES_FILE.format(part=part)
        if not path.is_file():
            continue
        try:
            measured = json.loads(path.read_text(encoding="utf-8"))
            if measured["iteration"] == trained.iteration:
                how = {"recognizer_steps": measured["steps"], "seed": measured["seed"]}
                metrics[part] = {"split": f"{trained.job['generator']['data']}: {split}", **how, **measured["metrics"]}
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read ({error}); remove it, or measure again") from error
    return metrics


def _export(options: argparse.Namespace) -> None:
    trained = load_trained(options.run)
    card = export.export(trained, options.out, options.name, _metrics(options.run, trained))
    sys.stdout.write(f"{card}: opset {OPSET}\n")
