"""Benchmarks of the recognizers: `benchmark run` trains and measures, `benchmark weigh` chooses the weights of a
fusion, `benchmark table` writes the page of figures, `benchmark mpose` is the protocol of MPOSE2021."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pose import number_arguments
from recognizer.datasets.clip_files import KINDS
from recognizer.datasets.errors import DataError
from recognizer.training.data_argument import add_data
from recognizer.training.hardware import add_hardware, hardware_of
from recognizer.training.models.registry import FUSIONS, SETTINGS, WHOLE_CLIP
from research.benchmark import results
from research.benchmark.combined import check_known
from research.benchmark.mpose import add_mpose_arguments, run_mpose
from research.benchmark.run import BenchmarkRunner
from research.benchmark.table import write_page
from research.benchmark.weigh import choose_weights
from research.whole_clip.clip_training import FRAMES
from research.whole_clip.presets import PRESETS, preset_of
from research.whole_clip.presets import SETTINGS as PRESET_SETTINGS
from research.whole_clip.tasks import EXTRA_TASKS_HELP, PARTS, TASKS, Task, task_of

PAGE = Path("docs/benchmarks-recognizers-tables.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command `benchmark`."""
    kinds = parser.add_subparsers(required=True, dest="benchmark", metavar="run|weigh|table|mpose")
    run = kinds.add_parser("run", help="train and measure; what has a result file is left out, a killed run goes on")
    add_data(run, required=False)
    tasks = f"{', '.join(TASKS)} (default: those whose data set is there), or paths of {KINDS}; {EXTRA_TASKS_HELP}"
    run.add_argument("--tasks", nargs="+", metavar="TASK", help=tasks)
    names = (*WHOLE_CLIP, *FUSIONS)
    how = f"{', '.join(names)}; {SETTINGS}; NAME-x5 is the mean of 5 trainings, NAME@W,NAME@W a weighted mean"
    run.add_argument("--networks", nargs="+", default=["act-micro"], metavar="NETWORK", help=how)
    _add_recipe(run)
    run.add_argument(
        "--part", choices=PARTS, default="test", help="validation: part of the training split, for choosing"
    )
    _add_folders(run)
    add_hardware(run)
    weigh = kinds.add_parser("weigh", help="choose the weights of two networks' probabilities on the validation part")
    add_data(weigh, required=False)
    weigh.add_argument("--tasks", nargs="+", required=True, metavar="TASK", help=tasks)
    weigh.add_argument("--networks", nargs=2, default=["act-micro", "st-gcn-short"], metavar="NETWORK")
    _add_recipe(weigh)
    _add_folders(weigh)
    add_hardware(weigh)
    table = kinds.add_parser("table", help="write the figures of all result files into the page")
    table.add_argument("--results", type=Path, default=results.FOLDER, metavar="DIR")
    table.add_argument("--page", type=Path, default=PAGE, metavar="FILE")
    mpose = kinds.add_parser("mpose", help="the protocol of MPOSE2021: 3 splits, 10 folds")
    add_mpose_arguments(mpose)
    _add_folders(mpose)
    add_hardware(mpose)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="short-clips", help=f"{', '.join(PRESETS)}; {PRESET_SETTINGS}")
    parser.add_argument("--seeds", type=number_arguments.seed, nargs="+", default=[0, 1, 2])
    parser.add_argument("--frames", type=number_arguments.count, default=FRAMES, help=f"of a clip (default {FRAMES})")


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=results.FOLDER, metavar="DIR", help="result files")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmark"), metavar="DIR", help="weights and logs")


def run(options: argparse.Namespace) -> None:
    """Train and measure recognizers on the benchmarks, or write the page of their figures."""
    if options.benchmark == "table":
        sys.stdout.write(f"{write_page(options.results, options.page)}\n")
    elif options.benchmark == "mpose":
        run_mpose(options)
    else:
        _run(options)


def _run(options: argparse.Namespace) -> None:
    preset = preset_of(options.preset)
    tasks = tasks_of(options.tasks, options.data)
    for name in options.networks:
        check_known(name)
    weigh = options.benchmark == "weigh"
    part = "validation" if weigh else options.part
    bench = BenchmarkRunner(
        options.data, preset, options.frames, part, options.runs, options.results, hardware_of(options)
    )
    if weigh:
        for task in tasks:
            sys.stdout.write(choose_weights(bench, task, tuple(options.networks), options.seeds))
        return
    for seed in options.seeds:
        for network in options.networks:
            for task in tasks:
                bench.measure(task, network, seed)


def tasks_of(names: Sequence[str] | None, data: Path | None) -> list[Task]:
    """The tasks of these names, or of None every one whose data set lies below `data`. ResearchError, DataError."""
    if names is not None:
        return [task_of(name) for name in names]
    if data is None:
        raise DataError("neither --tasks nor --data; give the folder that holds the data sets, or the path of a file")
    there = [task for task in TASKS.values() if task.is_in(data)]
    if not there:
        raise DataError(f"no data set with a benchmark in {data}; give the folder that holds the data sets")
    return there
