"""Networks on one provider of ONNX Runtime against PyTorch on the same device: plain, bound, captured; eager, compiled.

The provider is the one that a session was seen to run on, and all answers are compared before anything is timed.
"""

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pose.onnx_session import check_provider_name, first_line, open_bound, open_session, runtime_version
from recognizer.model_card import INPUT_NAME
from recognizer.training.export import fast_graph

NETWORKS = ("act-micro", "st-gcn", "st-tr")
BATCHES = (1, 2, 4, 8, 16, 32, 64)
WAYS = ("eager", "compiled", "plain", "bound", "graph")
_WARM_UP = 3
_PARITY = 1e-4  # largest difference from PyTorch eager, as a share of the largest logit

Call = Callable[[], np.ndarray]


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """Medians in milliseconds of one call for `batch` clips that begin and end in the machine's memory, None for a way
    that does not work. error: the largest difference of any answer from PyTorch eager's, as a share of its largest."""

    network: str
    batch: int
    times_ms: dict[str, float | None]
    error: float


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """rows, and where they were measured. provider: verified. notes: why a way is missing, each once."""

    rows: list[ProviderRow]
    provider: str
    device: str
    notes: list[str]
    rounds: int


def measure_providers(
    cases: Sequence[tuple[str, nn.Module, tuple[int, ...]]],
    provider: str,
    batches: Sequence[int],
    rounds: int,
    *,
    compiled: bool = True,
) -> ProviderReport:
    """cases: name, network in eval mode and the shape of one clip. Raises ProviderError where the provider does not
    work. compiled: with torch.compile, which takes a minute a row on a CPU."""
    check_provider_name(provider)
    rows: list[ProviderRow] = []
    notes: dict[str, None] = {}  # a set in order
    used, device, before = provider, "cpu", torch.get_num_threads()
    torch.set_num_threads(1)  # as sessions have it
    try:
        for name, network, clip in cases:
            content = fast_graph(network, torch.randn(2, *clip), INPUT_NAME)
            session, used, note = open_session(content, provider, name)
            device, why = _torch_device(used)
            notes |= dict.fromkeys(line for line in (note, why) if line)
            network = network.to(device)
            for batch in batches:
                x = np.random.default_rng(batch).standard_normal((batch, *clip)).astype(np.float32)
                calls, new_notes = _onnx_calls(content, session, used, name, x)
                calls["eager"] = _torch_call(network, x, device)
                if compiled:
                    new_notes += _add_compiled(calls, network, x, device)
                notes |= dict.fromkeys(new_notes)
                rows.append(_time_calls(name, batch, calls, rounds, _clock_of(used)))
            network.to("cpu")
    finally:
        torch.set_num_threads(before)
    return ProviderReport(rows, used, _device_name(device), list(notes), rounds)


def _torch_device(provider: str) -> tuple[str, str]:
    """The device of PyTorch for a provider, and a note on it, or ""."""
    if provider not in ("cuda", "tensorrt"):
        return "cpu", ""
    if torch.cuda.is_available():
        return "cuda", ""
    return "cpu", "PyTorch is built without CUDA or finds no card: it ran on the CPU, and its columns compare nothing"


def _clock_of(provider: str) -> Callable[[], float]:
    """Processor time on the CPU, so that other programs do not count; wall time on a GPU."""
    return time.process_time if provider == "cpu" else time.perf_counter


def _onnx_calls(
    content: bytes, session: Any, provider: str, name: str, x: np.ndarray
) -> tuple[dict[str, Call], list[str]]:
    feed = {INPUT_NAME: x}
    bound, _, _ = open_bound(content, provider, name, x.shape)
    calls: dict[str, Call] = {
        "plain": lambda: np.asarray(session.run(None, feed)[0]),
        "bound": lambda: bound.run(x)[0],
    }
    graph, _, _ = open_bound(content, provider, name, x.shape, cuda_graph=True)
    if not graph.captured:
        return calls, [graph.note]
    calls["graph"] = lambda: graph.run(x)[0]
    return calls, []


def _torch_call(network: Callable[[Tensor], Tensor], x: np.ndarray, device: str) -> Call:
    def call() -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(x).to(device)).cpu().numpy()

    return call


def _add_compiled(calls: dict[str, Call], network: nn.Module, x: np.ndarray, device: str) -> list[str]:
    """Add torch.compile for this shape; returns a note where it does not work here."""
    torch.compiler.reset()
    call = _torch_call(torch.compile(network, dynamic=False), x, device)
    try:
        call()
    except (RuntimeError, OSError, ImportError) as error:  # no compiler or driver, or an operator that it lacks
        return [f"no torch.compile: {first_line(error)}"]
    calls["compiled"] = call
    return []


def _time_calls(
    name: str, batch: int, calls: dict[str, Call], rounds: int, clock_s: Callable[[], float]
) -> ProviderRow:
    """Compares all answers, then times the calls in turns."""
    expected = calls["eager"]()
    error = max(float(np.abs(call() - expected).max() / np.abs(expected).max()) for call in calls.values())
    times: dict[str, list[float]] = {way: [] for way in calls}
    for number in range(_WARM_UP + rounds):
        first = number % len(calls)  # what follows a call of the other library finds its caches cold
        for way, call in [*calls.items()][first:] + [*calls.items()][:first]:
            started_s = clock_s()
            call()
            times[way].append((clock_s() - started_s) * 1000)
    medians = {way: statistics.median(times[way][_WARM_UP:]) if way in times else None for way in WAYS}
    return ProviderRow(name, batch, medians, error)


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(0) if device == "cuda" else f"CPU ({platform.machine()})"


def as_text(report: ProviderReport) -> str:
    """In Markdown."""
    titles = ("PyTorch eager", "torch.compile", "ONNX Runtime", "bound", "CUDA graph")
    lines = [
        f"| network | batch | {' | '.join(f'{title} ms' for title in titles)} | best ratio | error |",
        "|---|" + "--:|" * (len(titles) + 3),
    ]
    for row in report.rows:
        cells = ["-" if row.times_ms[way] is None else f"{row.times_ms[way]:.3f}" for way in WAYS]
        torch_ms, onnx_ms = ([ms for way in ways if (ms := row.times_ms[way])] for ways in (WAYS[:2], WAYS[2:]))
        ratio = min(torch_ms) / min(onnx_ms)
        differs = "" if row.error <= _PARITY else " (differs)"
        lines.append(f"| {row.network} | {row.batch} | {' | '.join(cells)} | {ratio:.2f} | {row.error:.0e}{differs} |")
    clock = "processor time on one thread" if report.provider == "cpu" else "wall clock"
    versions = f"PyTorch {torch.__version__}, ONNX Runtime {runtime_version()}"
    lines += [
        "",
        f"Provider {report.provider}, verified on the session; {report.device}; {versions}. Medians of {report.rounds} "
        f"calls of each in turns, {clock}, input "
        f"and output in the machine's memory. Ratio: PyTorch's better way over ONNX "
        f"Runtime's best. Answers within {_PARITY:g} of PyTorch eager's: "
        f"{'all' if all(row.error <= _PARITY for row in report.rows) else 'not all'}.",
    ]
    lines += [f"- {note}" for note in report.notes]
    return "\n".join(lines) + "\n"
