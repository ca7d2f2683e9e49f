"""The commands train, evaluate and export: recognizers of everyday actions."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from torch import nn

from pose.number_arguments import count, positive, seed
from recognizer.datasets.clip_files import KINDS, named_file
from recognizer.training import report
from recognizer.training.batches import OutputSpace
from recognizer.training.calibrate import Calibration, outcomes
from recognizer.training.choice import Choice, choose, research_windows
from recognizer.training.data_argument import add_data
from recognizer.training.evaluate import logits_of
from recognizer.training.everyday import ACTIONS, Corpus, terms
from recognizer.training.everyday_streams import EverydaySets, read_corpus, read_sets
from recognizer.training.export import export
from recognizer.training.fine_tune.start import load_networks, save_networks
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.ensemble import AVERAGES, Ensemble
from recognizer.training.models.registry import LIVE, NetworkSpec, network_of, parse_changes
from recognizer.training.run_folder import NETWORK_FILE, RunError, TrainedRun, load_run, save_run
from recognizer.training.streams.report import as_json, as_text
from recognizer.training.streams.sets import StreamSets, points_table, stream_logits, stream_sets
from recognizer.training.supervised import FitSettings, fit, spec_of

PARTS = {"train": ("train",), "all": ("train", "validation")}
NOTES = (
    "Figures are of skeletons from Kinect cameras and hand annotation and are optimistic for a webcam. Trained on "
    "research data; see the terms of each set before other use."
)
_GENERATED = " Some of the kicks, punches, waves, push-ups, squats and exercises that it learned from are generated."


def add_train(parser: argparse.ArgumentParser) -> None:
    """Arguments of train."""
    defaults = FitSettings()
    _add_data_and_clips(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--seed", type=seed, default=defaults.seed)
    parser.add_argument("--network", choices=LIVE, help=f"default {defaults.network}")
    setting = "change a field of the network's configuration; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help=setting)
    parser.add_argument("--steps", type=count, default=defaults.steps)
    parser.add_argument("--batch", type=count, default=defaults.batch)
    teachers = "runs of other networks whose answers it learns from as well as from the labels"
    parser.add_argument("--teacher", type=Path, nargs="+", default=[], metavar="DIR", help=teachers)
    start = (
        "the folder of a run, or one like weights/st-gcn: begin with its network; refused if it was trained on people "
        "on whom this one is evaluated"
    )
    parser.add_argument("--start", type=Path, metavar="DIR", help=start)
    parser.add_argument("--learning-rate", type=positive, default=defaults.learning_rate)
    people = "train: all but the validation people, for choosing; all: the final network"
    parser.add_argument("--people", choices=tuple(PARTS), default="train", help=people)
    kinds = "kinds of motion that it does not learn from, as webcam_poses/lunge, to measure what it makes of them"
    generated = "do not learn from generated recordings of kicks, punches, waves, push-ups, squats and exercises"
    parser.add_argument("--no-generated", action="store_false", dest="generated", help=generated)
    parser.add_argument("--leave-out", nargs="+", default=[], metavar="KIND", help=kinds)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Arguments of evaluate."""
    _add_data_and_clips(parser)
    parser.add_argument("--run", type=Path, nargs="+", required=True, metavar="DIR", help="folders of runs")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    _add_calibrate(parser, required=False)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Arguments of export."""
    _add_data_and_clips(parser)
    parser.add_argument("--run", type=Path, nargs="+", required=True, metavar="DIR", help="networks to average")
    beside = "networks of other recognizers that are averaged with them, as a DD-Net with AcT"
    parser.add_argument("--beside", type=Path, nargs="+", default=[], metavar="DIR", help=beside)
    _add_calibrate(parser, required=True)
    parser.add_argument("--weights", type=Path, required=True, metavar="DIR", help="folder to write, as weights/act")


def _add_data_and_clips(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_clips(parser)


def add_clips(parser: argparse.ArgumentParser) -> None:
    """--clips."""
    what = f"recorded clips to learn from too: {KINDS}; PATH@SPLIT where it has several splits"
    parser.add_argument("--clips", type=named_file, nargs="+", default=[], metavar="PATH", help=what)


def _add_calibrate(parser: argparse.ArgumentParser, *, required: bool) -> None:
    what = "runs of the same recipe without the validation people, on whom the thresholds are chosen"
    parser.add_argument("--calibrate", type=Path, nargs="+", required=required, metavar="DIR", help=what)


def train(options: argparse.Namespace) -> None:
    """Train one network; a killed run resumes."""
    if options.start is not None and (options.network is not None or options.changes):
        raise RunError("--start already sets the network; leave out --network and --set")
    _check_runs(options.teacher)
    start_spec, start = (
        (None, None) if options.start is None else _load_start(options.start, options.seed, PARTS[options.people])
    )
    settings = FitSettings(
        seed=options.seed,
        network=(options.network or FitSettings().network) if start_spec is None else start_spec.name,
        changes=parse_changes(options.changes) if start_spec is None else start_spec.changes,
        learning_rate=options.learning_rate,
        start="" if options.start is None else options.start.resolve().name,
        steps=options.steps,
        batch=options.batch,
        teachers=tuple(folder.resolve().name for folder in options.teacher),
        parts=PARTS[options.people],
        left_out=tuple(options.leave_out),
        generated=options.generated,
    )
    spec_of(settings, len(ACTIONS)).build()  # reports a wrong setting before the data is read
    corpus = read_corpus(options.data, options.clips)
    teachers = [_load_teacher(folder, corpus, PARTS[options.people]) for folder in options.teacher]
    outputs = OutputSpace(corpus).names
    spec = spec_of(settings, len(outputs))
    network = fit(corpus, settings, options.out, teachers, start)
    path = save_run(options.out, network, spec, asdict(settings), outputs)
    sys.stdout.write(f"{path}\n")


def _load_start(folder: Path, choice: int, parts: Sequence[str]) -> tuple[NetworkSpec, nn.Module]:
    """The spec and the network of a run; of an exported model, one of its networks."""
    if (folder / NETWORK_FILE).is_file():
        run = load_run(folder)
        _check_unseen(folder, run.settings["parts"], parts)
        return run.spec, run.network
    kept = load_networks(folder)
    if kept.parts is None and parts != PARTS["all"]:
        raise RunError(
            f"{folder} does not say whom it was trained on, so it may know the validation people, on whom "
            "this network is evaluated; export it again, or give --people all"
        )
    _check_unseen(folder, kept.parts or (), parts)
    return kept.spec, kept.networks[choice % len(kept.networks)]


def evaluate(options: argparse.Namespace) -> None:
    """Accuracy and false alarms of trained networks, each alone and averaged in both ways."""
    _check_runs([*options.run, *(options.calibrate or [])])
    sets = read_sets(options.data, options.clips)
    corpus = sets.corpus()
    runs = [_load(folder, corpus) for folder in options.run]
    chosen = _choose_on_validation(options.calibrate or options.run, sets, corpus)
    rules = chosen.rules
    sys.stdout.write(points_table(chosen.points))
    windows, streams = research_windows(corpus, options.split), stream_sets(sets, options.split)
    for folder, run in zip(options.run, runs, strict=True):
        logits = logits_of(_deployed([run]), windows.features)
        sys.stdout.write(report.as_text(str(folder), corpus, windows, logits, rules))
        _print_stream_reports(str(folder), _deployed([run]), streams, rules)
    for average in AVERAGES if len(runs) > 1 else ():
        together = logits_of(_deployed(runs, average=average), windows.features)
        sys.stdout.write(report.as_text(f"{average} averaged", corpus, windows, together, rules))
        _print_stream_reports(f"{average} averaged", _deployed(runs, average=average), streams, rules)


def export_weights(options: argparse.Namespace) -> None:
    """Write model.onnx and card.json."""
    _check_runs([*options.run, *options.beside, *options.calibrate])
    sets = read_sets(options.data, options.clips)
    corpus = sets.corpus()
    runs = [_load(folder, corpus) for folder in options.run]
    families = {run.spec.family for run in runs}
    if len(families) > 1:
        named = " and ".join(sorted(families))
        raise RunError(f"--run names networks of {named}; give those of one recognizer, others with --beside")
    beside = [_load(folder, corpus) for folder in options.beside]
    averaged = [*runs, *beside]
    chosen = _choose_on_validation(options.calibrate, sets, corpus)
    rules = chosen.rules
    test = research_windows(corpus, "test")
    alone = [logits_of(_deployed([run]), test.features) for run in runs]
    metrics = {
        **chosen.metrics(_deployed(averaged), sets, corpus),
        "test_by_seed": report.metrics_of_runs(corpus, test, alone, rules, [folder.name for folder in options.run]),
    }
    export(
        _deployed(averaged, rules.other_bias),
        options.weights,
        name=options.weights.resolve().name,
        family=families.pop(),
        decision=rules.decision_rules(),
        metrics=metrics,
        training_data=terms(corpus),
        notes=_notes(runs, beside),
    )
    # Full teaching fine-tunes one of them; of a fusion only networks like the first are stored.
    save_networks(options.weights, [run for run in runs if run.spec == runs[0].spec], averaged=len(averaged))
    sys.stdout.write(f"{options.weights}\n")


def _notes(runs: Sequence[TrainedRun], beside: Sequence[TrainedRun]) -> str:
    generated = any(run.settings.get("generated") for run in [*runs, *beside])
    counts = Counter(network_of(run.spec.name).note for run in beside)
    averaged = [f" Averaged with {count} {note}." for note, count in counts.items()]
    return "".join([NOTES, _GENERATED if generated else "", *averaged])


def _choose_on_validation(folders: Sequence[Path], sets: EverydaySets, corpus: Corpus) -> Choice:
    """Choose thresholds with the mean of networks that were not trained on the validation people."""
    runs = [_load(folder, corpus) for folder in folders]
    for folder, run in zip(folders, runs, strict=True):
        if "validation" in run.settings["parts"]:
            raise RunError(f"{folder} was trained on the validation people; --calibrate runs made with --people train")
    return choose(_deployed(runs), sets, corpus)


def _print_stream_reports(title: str, network: Deployed, streams: StreamSets, rules: Calibration) -> None:
    logits = stream_logits(network, streams)
    for name, of_set in streams.items():
        sys.stdout.write(as_text(as_json(outcomes(of_set, logits[name], rules), model=title, people=name)))


def _check_runs(folders: Iterable[Path]) -> None:
    """RunError where a folder holds no trained network: before the data is read, which takes longer."""
    for folder in folders:
        load_run(folder)


def _load(folder: Path, corpus: Corpus) -> TrainedRun:
    run = load_run(folder)
    if run.outputs != OutputSpace(corpus).names:
        raise RunError(
            f"{folder} was trained on other data than those given; give the same --data and --clips, or train again"
        )
    return run


def _load_teacher(folder: Path, corpus: Corpus, parts: Sequence[str]) -> nn.Module:
    run = _load(folder, corpus)
    _check_unseen(folder, run.settings["parts"], parts)
    return run.network


def _check_unseen(folder: Path, trained_on: Sequence[str], parts: Sequence[str]) -> None:
    unseen = set(trained_on) - set(parts)
    if unseen:
        known_too = " and ".join(sorted(unseen))
        raise RunError(
            f"{folder} was trained on the {known_too} people too, on whom this network is evaluated; give another"
        )


def _deployed(runs: Sequence[TrainedRun], other_bias: float = 0.0, average: str = "probabilities") -> Deployed:
    networks: list[nn.Module] = [run.network for run in runs]
    if average == "logits":
        networks = [Ensemble(networks, average)]
    return Deployed(networks, listed=len(ACTIONS) - 1, other_bias=other_bias)
