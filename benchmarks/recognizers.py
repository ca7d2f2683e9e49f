"""How fast recognizers are: ONNX Runtime, as they use it, against PyTorch eager of the very same network."""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import providers
from benchmarks.attention import as_table, measure_attention
from benchmarks.command import parser_of, run_command
from pose.arguments import output_file
from pose.errors import ActionLensError
from pose.number_arguments import count
from pose.onnx_session import cpu_session, runtime_version
from pose.whole_file import write_text
from recognizer.features import CHANNELS, LAYOUT
from recognizer.model_card import INPUT_NAME
from recognizer.training.batches import FRAMES
from recognizer.training.export import fast_graph
from recognizer.training.models.act import SIZES, Act, ActConfig
from recognizer.training.models.registry import LIVE, NetworkSpec, parse_changes
from recognizer.training.models.st_gcn import StGcn, StGcnConfig
from recognizer.training.models.st_tr import StTr, StTrConfig, StTrFusion
from recognizer.training.run_folder import load_run

DEFAULT_NETWORKS = ("act-micro", "act-small", "act-medium", "act-large", "st-gcn", "s-tr", "t-tr", "st-tr")
OUTPUTS = 20  # of networks with random weights; their number hardly counts
_PRODUCT = 512  # rows and columns of the product whose speed is the limit
_BUSY_PERCENT = 15
_WARM_UP = 5  # calls of each that are not timed
_BEGIN, _END = "<!-- measured -->", "<!-- end of measured -->"


class SpeedError(ActionLensError):
    """A file cannot be read or written, or a network has no such setting."""


@dataclass(frozen=True, slots=True)
class Case:
    """A network in eval mode and the shape of one clip of its input."""

    name: str
    network: nn.Module
    clip: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Medians in milliseconds of one call for `people` clips. gflop: of products and convolutions. error: largest
    difference of the two answers, as a share of the largest logit."""

    network: str
    threads: int
    people: int
    torch_ms: float
    onnx_ms: float
    gflop: float
    error: float

    @property
    def ratio(self) -> float:
        """How many times as fast ONNX Runtime is."""
        return self.torch_ms / self.onnx_ms


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is timed, and where figures go."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--network", nargs="+", choices=LIVE, metavar="NAME")
    which.add_argument("--run", type=Path, nargs="+", metavar="DIR", help="folders of runs, not random weights")
    what = "time these model folders instead, with attention and without"
    which.add_argument("--attention", nargs="+", metavar="NAME|DIR", help=what)
    provider = "one table of a provider (cpu, cuda, auto) against PyTorch eager and compiled, by batch"
    parser.add_argument("--provider", metavar="NAME", help=provider)
    without = "with --provider: leave torch.compile out, which takes minutes on a CPU"
    parser.add_argument("--no-compile", action="store_true", help=without)
    official = (
        "sizes of the papers: 300 frames, 25 joints, 2 people, 60 actions; AcT 30 frames, 52 features, 20 actions"
    )
    parser.add_argument("--official", action="store_true", help=official)
    setting = "change a field of the networks' configuration; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help=setting)
    people = "clips in one call (default 1 2 4 8, with --provider 1 to 64)"
    parser.add_argument("--people", type=count, nargs="+", help=people)
    threads = "threads of both"
    parser.add_argument("--on-threads", type=count, nargs="+", default=(1, 2), metavar="THREADS", help=threads)
    parser.add_argument("--rounds", type=count, default=31, help="calls of each, in turns (default 31)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures as JSON, too")
    page = "write the tables into this page, between its two comments `measured`"
    parser.add_argument("--page", type=Path, metavar="FILE", help=page)


def run(options: argparse.Namespace) -> None:
    """Time the networks, print the tables and write them where asked."""
    people = options.people or (providers.BATCHES if options.provider else (1, 2, 4, 8))
    if options.attention:
        sys.stdout.write(as_table(measure_attention(options.attention, people, options.rounds)))
        return
    changes = parse_changes(options.changes)
    if options.provider:
        timed = [live(name, changes) for name in options.network or providers.NETWORKS]
        found = providers.measure_providers(
            [(case.name, case.network, case.clip) for case in timed],
            options.provider,
            people,
            options.rounds,
            compiled=not options.no_compile,
        )
        sys.stdout.write(providers.as_text(found))
        return
    if options.page:  # report a mistake before minutes of work
        _split_page(options.page)
    if options.run:
        cases = [_of_run(folder) for folder in options.run]
    else:
        cases = [
            (official if options.official else live)(name, changes) for name in options.network or DEFAULT_NETWORKS
        ]
    report = measure(cases, options.on_threads, people, options.rounds)
    text = as_text(report)
    sys.stdout.write(text)
    if options.json:
        _write(options.json, json.dumps(report, indent=1) + "\n")
    if options.page:
        before, after = _split_page(options.page)
        _write(options.page, f"{before}{_BEGIN}\n{text}{_END}{after}")


def live(name: str, changes: dict[str, Any]) -> Case:
    """A network with random weights on the features of live recognition. Raises NetworkError."""
    return Case(name, NetworkSpec(name, OUTPUTS, changes).build().eval(), (FRAMES, len(LAYOUT) * len(CHANNELS)))


def official(name: str, changes: dict[str, Any]) -> Case:
    """A network with random weights at the size of its paper: AcT on MPOSE2021, the others on NTU RGB+D.

    Raises SpeedError for settings that the network does not have.
    """
    try:
        return _official(name, changes)
    except (TypeError, ValueError) as error:
        raise SpeedError(f"{name} cannot be built: {error}; fix --set") from error


def _official(name: str, changes: dict[str, Any]) -> Case:
    if name == "gl-transformer":
        raise SpeedError("gl-transformer is timed at the size of its paper by python -m research pretrain speed")
    size: dict[str, Any] = {"channels": 3, "outputs": 60, "joints": "ntu-25", "people": 2, **changes}
    clip = (3, 300, 25, 2)
    if name.startswith("act-"):
        config = ActConfig(**{"features": 52, "outputs": 20, **SIZES[name.removeprefix("act-")], **changes})
        return Case(name, Act(config).eval(), (config.frames, config.features))
    if name == "st-gcn":
        return Case(name, StGcn(StGcnConfig(**size)).eval(), clip)
    kinds = ("s-tr", "t-tr") if name == "st-tr" else (name,)
    streams = [StTr(StTrConfig(**{**size, "frames": clip[1], "kind": kind})) for kind in kinds]
    return Case(name, (StTrFusion(*streams) if len(streams) == 2 else streams[0]).eval(), clip)


def _of_run(folder: Path) -> Case:
    return Case(folder.name, load_run(folder).network, (FRAMES, len(LAYOUT) * len(CHANNELS)))


def measure(cases: Sequence[Case], threads: Sequence[int], people: Sequence[int], rounds: int) -> dict[str, Any]:
    """Times of every case on every number of threads and people, and of a plain product beside them."""
    busy, own, started_s = _busy_s(), time.process_time(), time.perf_counter()
    before, product = torch.get_num_threads(), _product()
    rows, products = [], []
    try:
        for case in (product, *cases):
            content = fast_graph(case.network, torch.randn(2, *case.clip), INPUT_NAME)
            for count in threads:
                if case is product:
                    products.append(_time_case(case, content, count, _PRODUCT, rounds, summarise=min))
                else:
                    rows += [_time_case(case, content, count, clips, rounds) for clips in people]
    finally:
        torch.set_num_threads(before)
    others = (_busy_s() - busy) - (time.process_time() - own)
    return {
        "rows": [asdict(row) | {"ratio": row.ratio} for row in rows],
        "gflop_per_s": [_rates(row) for row in products],
        "rounds": rounds,
        "others_percent": 100 * max(0.0, others) / (time.perf_counter() - started_s) / (os.cpu_count() or 1),
        "machine": {
            "cores": os.cpu_count(),
            "kind": platform.machine(),
            "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        },
        "versions": {"torch": torch.__version__, "onnxruntime": runtime_version()},
    }


def _busy_s() -> float:
    """Seconds that all processors have worked since the start of the machine."""
    times = psutil.cpu_times()
    # guests are in the user's time already
    idle = ("idle", "iowait", "guest", "guest_nice")
    return float(sum(times) - sum(getattr(times, name, 0.0) for name in idle))


def _product() -> Case:
    return Case("product", nn.Linear(_PRODUCT, _PRODUCT, bias=False).eval(), (_PRODUCT,))


def _rates(row: Row) -> dict[str, float]:
    seconds = {"torch": row.torch_ms / 1000, "onnxruntime": row.onnx_ms / 1000}
    return {"threads": row.threads} | {name: row.gflop / value for name, value in seconds.items()}


def _time_case(
    case: Case,
    content: bytes,
    threads: int,
    clips: int,
    rounds: int,
    summarise: Callable[[list[float]], float] = statistics.median,
) -> Row:
    """Compares both answers, then times the calls in turns."""
    torch.set_num_threads(threads)
    session = cpu_session(content, threads)
    inputs = torch.randn(clips, *case.clip)
    feed = {INPUT_NAME: inputs.numpy()}
    with torch.inference_mode():
        expected, found = case.network(inputs).numpy(), session.run(None, feed)[0]
        torch_ms, onnx_ms = [], []
        for _ in range(_WARM_UP + rounds):
            torch_ms.append(_milliseconds(lambda: case.network(inputs)))
            onnx_ms.append(_milliseconds(lambda: session.run(None, feed)))
        with FlopCounterMode(display=False) as flops:
            case.network(inputs)
    error = float(np.abs(found - expected).max() / np.abs(expected).max())
    times = summarise(torch_ms[_WARM_UP:]), summarise(onnx_ms[_WARM_UP:])
    return Row(case.name, threads, clips, *times, gflop=flops.get_total_flops() / 1e9, error=error)


def _milliseconds(call: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    call()
    return (time.perf_counter() - started_s) * 1000


def as_text(report: dict[str, Any]) -> str:
    """A report of `measure` as tables in Markdown."""
    rates = {rate["threads"]: rate["onnxruntime"] for rate in report["gflop_per_s"]}
    lines = [
        "| network | threads | people | PyTorch ms | ONNX Runtime ms | ratio | ms a person | limit ms | error |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in report["rows"]:
        limit = row["gflop"] / rates[row["threads"]] * 1000
        lines.append(
            f"| {row['network']} | {row['threads']} | {row['people']} | {row['torch_ms']:.3f} | {row['onnx_ms']:.3f} "
            f"| {row['ratio']:.2f} | {row['onnx_ms'] / row['people']:.3f} | {limit:.3f} | {row['error']:.0e} |"
        )
    lines += ["", f"A product of two {_PRODUCT} x {_PRODUCT} matrices, GFLOP/s at best:", ""]
    lines += ["| threads | PyTorch | ONNX Runtime |", "|--:|--:|--:|"]
    lines += [
        f"| {rate['threads']} | {rate['torch']:.0f} | {rate['onnxruntime']:.0f} |" for rate in report["gflop_per_s"]
    ]
    machine, versions = report["machine"], report["versions"]
    lines += [
        "",
        f"Medians of {report['rounds']} calls of each in turns. {machine['cores']} cores, {machine['kind']}, "
        f"{machine['vector_instructions']}; PyTorch {versions['torch']}, ONNX Runtime {versions['onnxruntime']}. Other "
        f"programs used {report['others_percent']:.0f}% of the processor meanwhile; above {_BUSY_PERCENT}% repeat it "
        "on a quiet machine, above all for several threads.",
    ]
    return "\n".join(lines) + "\n"


def _split_page(path: Path) -> tuple[str, str]:
    """What is before and after the measured part."""
    try:
        before, rest = path.read_text(encoding="utf-8").split(_BEGIN)
        after = rest.split(_END)[1]
    except (OSError, ValueError, IndexError) as error:
        raise SpeedError(
            f"{path} is not a page with one line {_BEGIN} and one {_END}; give one that has them"
        ) from error
    return before, after


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise SpeedError(f"{path} cannot be written ({error.strerror}); give a file in a folder of yours") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 2 an error, reported in one line, 130 interrupted."""
    parser = parser_of("benchmarks.recognizers", __doc__)
    add_arguments(parser)
    return run_command(run, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
