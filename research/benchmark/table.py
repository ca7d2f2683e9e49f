"""The page of figures: tables of result files beside published figures."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognizer.datasets import msr_action3d
from recognizer.training.models.registry import FUSION_NOTES, FUSIONS, NETWORKS
from research.benchmark import results
from research.benchmark.results import Result, mean_and_deviation
from research.page import write_measured
from research.whole_clip.clip_training import FRAMES
from research.whole_clip.tasks import TASKS

PART = "result files"  # of the page


@dataclass(frozen=True, slots=True)
class Published:
    """A published accuracy. differs: how its setting differs from ours."""

    method: str
    percent: str
    source: str
    differs: str


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One table: the mean over its tasks, seed by seed."""

    title: str
    tasks: tuple[str, ...]
    goal: float | None
    published: tuple[Published, ...]


_CTR_GCN_TABLE = "as listed in CTR-GCN (Chen et al., ICCV 2021)"
_NW_PUBLISHED = (
    Published("Lie group", "74.2", _CTR_GCN_TABLE, "3D"),
    Published("HBRNN-L", "78.5", f"Du et al., CVPR 2015, {_CTR_GCN_TABLE}", "3D"),
    Published("Ensemble TS-LSTM", "89.2", f"Lee et al., ICCV 2017, {_CTR_GCN_TABLE}", "3D, several networks"),
    Published("AGC-LSTM", "93.3", f"Si et al., CVPR 2019, {_CTR_GCN_TABLE}", "3D, two streams"),
    Published("Shift-GCN", "94.6", f"Cheng et al., CVPR 2020, {_CTR_GCN_TABLE}", "3D, four streams"),
    Published(
        "CTR-GCN",
        "96.5",
        "Chen et al., ICCV 2021",
        "3D, four streams, 52 frames; its code reports the epoch that is best on the test clips",
    ),
)
BENCHMARKS = (
    Benchmark(
        "Penn Action, official split (1258 / 1068 clips, 15 actions, annotated 2D joints)",
        ("penn",),
        96.0,
        (
            Published("UNIK", "94.0", "Yang et al., BMVC 2021", "poses of a detector; trained from scratch"),
            Published("UNIK", "97.9", "Yang et al., BMVC 2021", "poses of a detector; pretrained on Posetics"),
        ),
    ),
    Benchmark(
        "JHMDB-14, mean of the 3 official splits (609 clips, 14 actions, annotated 2D joints)",
        ("jhmdb14-1", "jhmdb14-2", "jhmdb14-3"),
        85.0,
        (Published("DD-Net", "77.2", "Yang et al., ACM MM Asia 2019", "all 21 actions, which is harder; 32 frames"),),
    ),
    Benchmark(
        "NW-UCLA cross-view, 3D (views 1 and 2 / view 3: 1019 / 463 clips, 10 actions)",
        ("nw-ucla-3d",),
        96.5,
        _NW_PUBLISHED,
    ),
    Benchmark(
        "NW-UCLA cross-view, 3D, corrected: no wrong labels in training, no copies in the test (1019 / 369 clips)",
        ("nw-ucla-3d-corrected",),
        None,
        (),
    ),
    Benchmark(
        "NW-UCLA cross-view, 2D (joints as the test camera sees them; trained on projections of the 3D skeletons)",
        ("nw-ucla-2d",),
        None,
        (),
    ),
    Benchmark(
        "UTD-MHAD cross-subject, 3D (odd / even subjects: 431 / 430 clips, 27 actions)",
        ("utd-mhad",),
        95.0,
        (
            Published(
                "Kinect and inertial sensors",
                "79.1",
                "Chen et al., ICIP 2015 (the set's own paper)",
                "depth and inertial data",
            ),
        ),
    ),
    Benchmark(
        "MSR Action3D cross-subject, 3D (odd / even subjects: 291 / 275 clips, all 20 actions together)",
        ("msr-action3d",),
        85.0,
        (
            Published(
                "Actionlet ensemble", "88.2", "Wang et al., CVPR 2012", "skeleton and depth; 20 actions together"
            ),
            Published("Lie group", "89.5", "Vemulapalli et al., CVPR 2014", "20 actions together"),
        ),
    ),
    Benchmark(
        "MSR Action3D cross-subject, 3D, mean of the action sets AS1, AS2 and AS3 (8 actions each, a network for each)",
        ("msr-action3d-as1", "msr-action3d-as2", "msr-action3d-as3"),
        None,
        (Published("HBRNN", "94.5", "Du et al., CVPR 2015", "recurrent networks; skeletons alone, as here"),),
    ),
    *(
        Benchmark(f"MSR Action3D cross-subject, 3D, action set {subset.upper()}", (f"msr-action3d-{subset}",), None, ())
        for subset in msr_action3d.SUBSETS
    ),
)


def write_page(folder: Path, page: Path) -> Path:
    """Put the tables of all result files into their part of the page. Raises ResearchError where it has none."""
    write_measured(page, tables(results.read_all(folder)), PART)
    return page


def tables(found: list[Result]) -> str:
    """All tables as Markdown."""
    tested = [r for r in found if r.part == "test"]
    parts = [_benchmark(benchmark, tested) for benchmark in (*BENCHMARKS, *_other_benchmarks(tested))]
    parts += _mpose([r for r in tested if r.task.startswith("mpose2021-")])
    return "\n".join(parts)


def _other_benchmarks(found: list[Result]) -> list[Benchmark]:
    """Tables, without published figures, of splits that have results but are not in BENCHMARKS."""
    known = {task for benchmark in BENCHMARKS for task in benchmark.tasks}
    measured = {_evaluated_task(result) for result in found} - known
    return [Benchmark(task.title, (name,), None, ()) for name, task in TASKS.items() if name in measured]


def _benchmark(benchmark: Benchmark, found: list[Result]) -> str:
    rows = [
        _row(key, of_key, len(benchmark.tasks))
        for key, of_key in _by_network_and_recipe(r for r in found if _evaluated_task(r) in benchmark.tasks).items()
    ]
    lines = [f"### {benchmark.title}", ""]
    if benchmark.goal is not None:
        lines += [f"Goal: {benchmark.goal:g}%.", ""]
    lines += [
        "| recognizer | recipe | accuracy % | balanced % | seeds | correct clips | parameters | minutes |",
        "|" + "---|" * 8,
    ]
    lines += sorted(row for row in rows if row) or ["| not run yet | | | | | | | |"]
    if benchmark.published:
        lines += ["", "| published | accuracy % | source | differences |", "|---|---|---|---|"]
        lines += [f"| {p.method} | {p.percent} | {p.source} | {p.differs} |" for p in benchmark.published]
    return "\n".join(lines) + "\n"


def _evaluated_task(result: Result) -> str:
    """The task whose clips are evaluated; extra tasks, which are only trained on, follow a "+"."""
    return result.task.split("+")[0]


def _by_network_and_recipe(found: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    """Results by network and recipe; the recipe names the extra tasks."""
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in found:
        beside = result.task.split("+")[1:]
        recipe = result.preset if result.frames == FRAMES else f"{result.preset}, {result.frames} frames"
        recipe += f", with {', '.join(beside)}" if beside else ""
        groups[result.network, recipe].append(result)
    return groups


def _row(key: tuple[str, str], found: list[Result], splits: int) -> str:
    """A line over the seeds that have a result for every split; "" where there are none."""
    by_seed: dict[int, list[Result]] = defaultdict(list)
    for result in found:
        by_seed[result.seed].append(result)
    whole = [by_seed[seed] for seed in sorted(by_seed) if len(by_seed[seed]) == splits]
    if not whole:
        return ""
    network, preset = key
    accuracy = [100 * float(np.mean([r.accuracy for r in seed])) for seed in whole]
    balanced = [100 * float(np.mean([r.balanced_accuracy for r in seed])) for seed in whole]
    right = ", ".join(f"{sum(r.right for r in seed)}/{sum(r.of for r in seed)}" for seed in whole)
    minutes = float(np.mean([r.seconds for seed in whole for r in seed])) / 60
    return (
        f"| {_title(network)} | {preset} | {mean_and_deviation(accuracy)} | {mean_and_deviation(balanced)} "
        f"| {len(whole)} | {right} | {whole[0][0].parameters:,} | {minutes:.1f} |"
    )


def _title(network: str) -> str:
    if "," in network:
        parts = (part.rpartition("@") for part in network.split(","))
        return " + ".join(f"{weight} ({_title(name)})" for name, _, weight in parts)
    if members := re.fullmatch(r"(.+)-x(\d+)", network):
        return f"mean of {members[2]}: {_title(members[1])}"
    base, *settings = network.split("+")
    if base in FUSION_NOTES:
        note = FUSION_NOTES[base]
    elif base in FUSIONS:
        note = "ST-TR: " + " + ".join(NETWORKS[part].note for part in FUSIONS[base])
    else:
        note = NETWORKS[base].note if base in NETWORKS else base
    return "; ".join([note, *settings])


def _mpose(found: list[Result]) -> list[str]:
    lines = ["### MPOSE2021 (3 splits, 10 folds of 10% validation each, mean ± standard deviation over the folds)", ""]
    lines += [
        "| poses and split | recognizer | recipe | accuracy % | balanced % | folds |",
        "|---|---|---|---|---|---|",
    ]
    by_task: dict[str, list[Result]] = defaultdict(list)
    for result in found:
        by_task[result.task].append(result)
    for task in sorted(by_task):
        for (network, preset), folds in sorted(_by_network_and_recipe(by_task[task]).items()):
            accuracy, balanced = ([100 * getattr(r, what) for r in folds] for what in ("accuracy", "balanced_accuracy"))
            poses = task.removeprefix("mpose2021-").replace("-", ", split ")
            row = [
                poses,
                _title(network),
                preset,
                mean_and_deviation(accuracy),
                mean_and_deviation(balanced),
                str(len(folds)),
            ]
            lines.append(f"| {' | '.join(row)} |")
    if not found:
        lines.append("| not run: the archive was not available | | | | | |")
    return ["\n".join(lines) + "\n"]
