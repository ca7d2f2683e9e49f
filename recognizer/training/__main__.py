"""python -m recognizer.training COMMAND: train, evaluate and export recognizers of everyday actions."""

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from pose.errors import ActionLensError
from recognizer.features import CHANNELS, LAYOUT
from recognizer.training import report
from recognizer.training.batches import OutputSpace
from recognizer.training.calibrate import Calibration, calibrate
from recognizer.training.data.everyday import ACTIONS, Corpus, merge, read_all
from recognizer.training.evaluate import Windows, logits_of, windows_of
from recognizer.training.export import decision_rules, export
from recognizer.training.fit import FitSettings, fit, spec_of
from recognizer.training.models.deployed import Deployed
from recognizer.training.networks import NETWORKS, parse_changes
from recognizer.training.run_folder import RunError, TrainedRun, load_run, save_run

PARTS = {"train": ("train",), "all": ("train", "validation")}
NOTES = (
    "Figures are of skeletons from Kinect cameras and hand annotation and are optimistic for a webcam. Trained on "
    "research data; see the terms of each set before other use."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 2 a mistake of the user's, told in one line, 130 interrupted."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning|copyreg|torch")  # of libraries about each other
    torch.set_num_threads(options.threads)
    try:
        options.run_command(options)
    except ActionLensError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recognizer.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    defaults = FitSettings()

    def command(name: str, run: object, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(run_command=run)
        sub.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds the data sets")
        sub.add_argument("--threads", type=int, default=1, help="processor threads (default 1)")
        return sub

    train = command("train", _train, "train one network; a killed run goes on where it was")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    train.add_argument("--seed", type=int, default=defaults.seed)
    train.add_argument("--network", choices=tuple(NETWORKS), default=defaults.network)
    setting = "change a field of the network's configuration; may be repeated"
    train.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help=setting)
    train.add_argument("--steps", type=int, default=defaults.steps)
    train.add_argument("--batch", type=int, default=defaults.batch)
    people = "train: all but the validation people, for choosing; all: the final network"
    train.add_argument("--people", choices=tuple(PARTS), default="train", help=people)

    evaluate = command("evaluate", _evaluate, "accuracy and false alarms of trained networks")
    evaluate.add_argument("--run", type=Path, nargs="+", required=True, metavar="DIR", help="folders of runs")
    evaluate.add_argument("--split", choices=("validation", "test"), default="validation")
    _add_calibrate(evaluate, required=False)

    export_ = command("export", _export, "write model.onnx and card.json")
    export_.add_argument("--run", type=Path, nargs="+", required=True, metavar="DIR", help="networks to average")
    _add_calibrate(export_, required=True)
    export_.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder to write, as weights/act")
    return parser


def _add_calibrate(parser: argparse.ArgumentParser, *, required: bool) -> None:
    what = "runs of the same recipe without the validation people, on whom the thresholds are chosen"
    parser.add_argument("--calibrate", type=Path, nargs="+", required=required, metavar="DIR", help=what)


def _train(options: argparse.Namespace) -> None:
    corpus = merge(read_all(options.data))
    settings = FitSettings(
        seed=options.seed,
        network=options.network,
        changes=parse_changes(options.changes),
        steps=options.steps,
        batch=options.batch,
        parts=PARTS[options.people],
    )
    outputs = OutputSpace(corpus).names
    spec = spec_of(settings, len(outputs))
    spec.build()  # a mistake in it is told before anything is written
    options.out.mkdir(parents=True, exist_ok=True)
    network = fit(corpus, settings, options.out)
    path = save_run(options.out, network, spec, asdict(settings), outputs)
    sys.stdout.write(f"{path}\n")


def _evaluate(options: argparse.Namespace) -> None:
    corpus = merge(read_all(options.data))
    runs = [_load(folder, corpus) for folder in options.run]
    judges = options.calibrate or options.run
    rules = _calibrated(judges, corpus)
    windows = _windows(corpus, options.split)
    for folder, run in zip(options.run, runs, strict=True):
        logits = logits_of(_deployed([run]), windows.features)
        sys.stdout.write(report.as_text(str(folder), corpus, windows, logits, rules))
    if len(runs) > 1:
        together = logits_of(_deployed(runs), windows.features)
        sys.stdout.write(report.as_text("averaged", corpus, windows, together, rules))


def _calibrated(folders: Sequence[Path], corpus: Corpus) -> Calibration:
    """Thresholds of the mean of networks that have not seen the validation people."""
    judges = [_load(folder, corpus) for folder in folders]
    for folder, judge in zip(folders, judges, strict=True):
        if "validation" in judge.settings["parts"]:
            raise RunError(f"{folder} was trained on the validation people; --calibrate runs made with --people train")
    validation = _windows(corpus, "validation")
    return calibrate(corpus, validation, logits_of(_deployed(judges), validation.features))


def _export(options: argparse.Namespace) -> None:
    corpus = merge(read_all(options.data))
    runs = [_load(folder, corpus) for folder in options.run]
    rules = _calibrated(options.calibrate, corpus)
    judges = [_load(folder, corpus) for folder in options.calibrate]
    validation, test = _windows(corpus, "validation"), _windows(corpus, "test")
    judged = logits_of(_deployed(judges), validation.features)
    network = _deployed(runs)
    biased = _deployed(runs, rules.other_bias)
    metrics = {
        **report.metrics("validation", corpus, validation, judged, rules),
        **report.metrics("test", corpus, test, logits_of(network, test.features), rules),
        **report.metrics_of_seeds(
            corpus, test, [logits_of(_deployed([run]), test.features) for run in runs], rules, options.run
        ),
    }
    decision = decision_rules(rules.temperature, rules.by_action())
    features = len(CHANNELS) * len(LAYOUT)
    names = {run.spec.family for run in runs}
    if len(names) > 1:
        raise RunError(f"--run names networks of {' and '.join(sorted(names))}; give those of one recognizer")
    export(
        biased,
        features,
        options.weights,
        name=options.weights.resolve().name,
        family=names.pop(),
        decision=decision,
        metrics=metrics,
        notes=NOTES,
    )
    sys.stdout.write(f"{options.weights}\n")


def _load(folder: Path, corpus: Corpus) -> TrainedRun:
    run = load_run(folder)
    if run.outputs != OutputSpace(corpus).names:
        raise RunError(f"{folder} was trained on other data sets than those given; train again")
    return run


def _deployed(runs: Sequence[TrainedRun], other_bias: float = 0.0) -> Deployed:
    return Deployed([run.network for run in runs], listed=len(ACTIONS) - 1, other_bias=other_bias)


def _windows(corpus: Corpus, part: str) -> Windows:
    return windows_of(corpus, np.flatnonzero(corpus.part == part))


if __name__ == "__main__":
    sys.exit(main())
