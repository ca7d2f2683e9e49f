"""`python main.py --bench FILE`: the whole pipeline against a bare pose loop, ages, losses, memory and start-up.

Every ratio comes from runs that alternate on the same frames of the same file, so that a machine that slows down or
is shared slows both sides. How each figure is made is told in docs/benchmarks.md.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from app import interrupt
from app.errors import UsageError
from app.live import run_inputs
from app.outputs.json_lines import check_json_target, write_json
from app.settings import RunOptions
from app.tools import bench_runs
from app.tools.bench_runs import Run, Show
from pose.address import local_path, public_source

PACED_FPS = 30.0
# The goals that docs/benchmarks.md is measured against.
GOALS = {"throughput_ratio": 0.95, "window_ratio": 0.90}
AGE_SLACK_MS = 10.0
GROWTH_MB = 20.0
PICTURE_S = 3.0
BUSY_PERCENT = 15.0  # of the processor, used by others before the start: from here on no figure is to be trusted
_LOOK_S = 1.0
_PACKAGES = (
    "mediapipe",
    "opencv-contrib-python",
    "onnxruntime-gpu",
    "onnxruntime",
    "av",
    "numpy",
    "PySide6-Essentials",
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long the benchmark measures. Tests make it short.

    pairs: alternating runs of each kind. frames: of each run. paced_s: length of the paced run. memory_s: length of
    the memory run. starts: fresh processes.
    """

    pairs: int = 5
    frames: int = 400
    paced_s: float = 20.0
    memory_s: float = 60.0
    starts: int = 3


def run_bench(source: str, options: RunOptions, effort: Effort | None = None) -> int:
    """Measure, print a table (with --json also, or with --json - only, as JSON); 0.

    source: a video file or "demo". --seconds sets the length of the memory run. Raises ActionLensError where the
    source, the pose model or the recognizer cannot be opened.
    """
    effort = effort or Effort()
    check_json_target(options.json)
    busy = psutil.cpu_percent(_LOOK_S)
    if busy > BUSY_PERCENT:
        _say(_busy_line(busy))
    if options.seconds is not None:
        effort = replace(effort, memory_s=options.seconds)
    report = measure(source, replace(options, seconds=None, paced=False), effort, _say) | {"busy_before_percent": busy}
    if options.json != "-":
        sys.stdout.write(table(report))
    if options.json is not None:
        write_json(options.json, report)
    return 0


def run_teaching_bench(source: str, options: RunOptions, kind: str, effort: Effort | None = None) -> int:
    """The live view with and without a teaching beside it; printed, and with --json also as JSON; 0. Raises as
    run_bench. --seconds sets the length of each run."""
    from app.tools.bench_teaching import beside_teaching, table

    show = _window_show(_say) or bench_runs.show_drawn
    return _live_bench(source, options, effort, table, lambda run, s: beside_teaching(run, kind, s, PACED_FPS, show))


def run_panel_bench(source: str, options: RunOptions, effort: Effort | None = None) -> int:
    """The live view with the attention panel closed and open; the rest as run_teaching_bench."""
    from app.tools.bench_panel import table, with_panel

    closed, opened = _window_show(_say), _window_show(_say, attention=True)
    if closed is None or opened is None:
        raise UsageError("the attention panel needs the window; see --doctor")
    return _live_bench(source, options, effort, table, lambda run, s: with_panel(run, s, PACED_FPS, closed, opened))


def run_everything_bench(source: str, options: RunOptions, effort: Effort | None = None) -> int:
    """The pipeline and the live view with everything on beside them; the rest as run_teaching_bench."""
    from app.tools.bench_everything import table, with_everything

    effort = effort or Effort()
    show = _window_show(_say) or bench_runs.show_drawn
    measured = partial(with_everything, pairs=effort.pairs, frames=effort.frames, fps=PACED_FPS, show=show, say=_say)
    return _live_bench(source, options, effort, table, measured)


def _live_bench(
    source: str,
    options: RunOptions,
    effort: Effort | None,
    table: Callable[[dict[str, Any]], str],
    measured: Callable[[RunOptions, float], dict[str, Any]],
) -> int:
    """measured: of the options and the seconds of a run."""
    from pose.estimators import find_model

    effort = effort or Effort()
    seconds = options.seconds or effort.paced_s
    check_json_target(options.json)
    busy = psutil.cpu_percent(_LOOK_S)
    if busy > BUSY_PERCENT:
        _say(_busy_line(busy))
    model = find_model(options.estimator(Path()).kind, options.pose_model, progress=_say)
    options = replace(options, seconds=None, paced=False, pose_model=model)
    with _as_file(source, effort.frames, _say) as path:
        report = measured(replace(options, source=str(path)), seconds)
    report |= {"hardware": hardware(), "busy_before_percent": busy}
    if options.json != "-":
        sys.stdout.write(table(report))
    if options.json is not None:
        write_json(options.json, report)
    return 0


def measure(source: str, options: RunOptions, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything that is measured, as it stands in the JSON."""
    from pose.model_asset import find_pose_model

    model = find_pose_model(options.pose_model, progress=say)
    options = replace(options, pose_model=model)
    run_inputs.open_recognizer(options.model, options.provider).close()  # says at once where it cannot
    show = _window_show(say)
    with _as_file(source, effort.frames, say) as path:
        options = replace(options, source=str(path))
        bare, whole, window = _alternate(options, model, effort, show, say)
        opencv = bench_runs.opencv_run(path, model, effort.frames)
        say(f"a camera of {PACED_FPS:.0f} FPS for {effort.paced_s:.0f} s")
        paced = bench_runs.paced_run(options, effort.paced_s, PACED_FPS, show or bench_runs.show_drawn)
    children = _children(replace(options, source="demo"), effort, say, window=show is not None)
    return {
        "source": source,
        "model": options.model,
        **_throughput(bare, whole, window, opencv),
        **_paced(paced),
        **children,
        "hardware": hardware(),
        "versions": versions(),
    }


def _alternate(
    options: RunOptions, model: Path, effort: Effort, show: Show | None, say: Callable[[str], None]
) -> tuple[list[Run], list[Run], list[Run]]:
    """Runs of the three kinds; none of the window without one."""
    kinds: list[tuple[str, Callable[[], Run]]] = [
        ("bare", lambda: bench_runs.bare_run(options, model, effort.frames)),
        ("pipeline", lambda: bench_runs.pipeline_run(options, effort.frames)),
    ]
    if show is not None:
        kinds.append(("window", lambda: bench_runs.window_run(options, effort.frames, show)))
    found = bench_runs.run_alternating(kinds, effort.pairs, say)
    return found["bare"], found["pipeline"], found.get("window", [])


def _throughput(bare: list[Run], whole: list[Run], window: list[Run], opencv: Run) -> dict[str, Any]:
    ratios = [b.fps / a.fps for a, b in zip(bare, whole, strict=True)]
    window_ratios = [b.fps / a.fps for a, b in zip(bare, window, strict=False)]
    stages = {name for run in whole for name in run.stage_ms}
    return {
        "throughput_ratio": _rounded(median(ratios)),
        "throughput_ratio_spread": [_rounded(min(ratios)), _rounded(max(ratios))],
        "window_ratio": _rounded(median(window_ratios)) if window_ratios else None,
        "window_ratio_spread": [_rounded(min(window_ratios)), _rounded(max(window_ratios))] if window_ratios else None,
        "pose_fps": _rounded(median(run.fps for run in bare), 1),
        "pipeline_fps": _rounded(median(run.fps for run in whole), 1),
        "window_fps": _rounded(median(run.fps for run in window), 1) if window else None,
        "opencv_decoder_pose_fps": _rounded(opencv.fps, 1),
        "runs_fps": {
            name: [_rounded(run.fps, 1) for run in runs]
            for name, runs in (("bare", bare), ("pipeline", whole), ("window", window))
        },
        "frames": whole[0].frames,
        "stage_ms": {
            name: _rounded(median(run.stage_ms[name] for run in whole if name in run.stage_ms), 2)
            for name in sorted(stages)
        },
    }


def _paced(run: Run) -> dict[str, Any]:
    pose_p95 = float(np.percentile(run.pose_ms, 95))
    return {
        "age_ms": {f"p{q}": _rounded(float(np.percentile(run.ages_ms, q)), 1) for q in (50, 95, 99)},
        "age_goal_ms": _rounded(pose_p95 + 1000 / PACED_FPS + AGE_SLACK_MS, 1),
        "paced": {
            "fps": PACED_FPS,
            "frames": run.frames,
            "painted": len(run.ages_ms),
            "pose_ms": {f"p{q}": _rounded(float(np.percentile(run.pose_ms, q)), 1) for q in (50, 95, 99)},
        },
        "dropped": run.dropped,
    }


def _children(options: RunOptions, effort: Effort, say: Callable[[str], None], *, window: bool) -> dict[str, Any]:
    """Start-up and memory, in fresh processes on the demo source."""
    from app.tools import bench_child

    starts = []
    for number in range(effort.starts):
        starts.append(_child({"task": bench_child.STARTUP, "window": window}, options, 60.0))
        say(f"start {number + 1} of {effort.starts}: first picture after {starts[-1]['first_picture_s']:.2f} s")
    say(f"memory of {effort.memory_s:.0f} s of the demo")
    task = {"task": bench_child.MEMORY, "window": window, "seconds": effort.memory_s}
    memory = _child(task, options, effort.memory_s + 60.0)
    return {
        "startup": {
            name: _rounded(median(start[name] for start in starts), 2)
            for name in ("first_picture_s", "first_prediction_s")
        }
        | {"window_s": starts[0]["window_s"]},
        "rss_mb": memory["rss_mb"],
        "memory": memory,
    }


def _child(task: dict[str, Any], options: RunOptions, timeout_s: float) -> dict[str, Any]:
    """What a fresh process measured. Raises UsageError with its last line where it fails."""
    task |= {"model": options.model, "provider": options.provider, "pose_model": str(options.pose_model)}
    root = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "app.tools.bench_child", json.dumps(task)],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"the {task['task']} run did not end within {timeout_s:.0f} s; see --doctor") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        raise UsageError(f"the {task['task']} run failed: {said[-1].strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _as_file(source: str, frames: int, say: Callable[[str], None]) -> Iterator[Path]:
    """The source as a video file: the demo is first recorded, so that drawing it is not what gets measured."""
    if source != "demo":
        path = local_path(source)
        if not path.is_file():
            raise UsageError(f"no video file {public_source(source)}: give a file, or demo")
        yield path
        return
    from app.outputs.video_writer import VideoWriter
    from pose.demo import DemoSource

    say(f"recording {frames} frames of the demo")
    with tempfile.TemporaryDirectory(prefix="actionlens-bench-") as folder:
        path = Path(folder) / "demo.mp4"
        demo = DemoSource(paced=False)
        writer = VideoWriter(path, lossless=True)
        try:
            for _ in range(frames):
                frame = demo.read()
                if frame is None:
                    break
                writer.write(frame.bgr, frame.time_s)
        finally:
            demo.close()
            writer.close()
        yield path


def _window_show(say: Callable[[str], None], *, attention: bool = False) -> Show | None:
    """Shows an engine in the real window, painted offscreen; None where Qt cannot be loaded. attention: with its
    panel open."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        with interrupt.deferred_interrupts():
            from app.ui.offscreen import show_offscreen
    except ImportError as error:
        say(f"without the window: Qt cannot be loaded ({error})")
        return None
    return partial(show_offscreen, attention=attention)


def hardware() -> dict[str, Any]:
    """What this machine is."""
    return {
        "cpu": _cpu_name(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_gb": _rounded(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [_rounded(load, 2) for load in psutil.getloadavg()],
    }


def versions() -> dict[str, str]:
    """Versions of the libraries that the figures depend on."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def table(report: dict[str, Any]) -> str:
    """The report for people: what was measured, the figure, the goal, and whether it was reached."""
    startup, memory, age = report["startup"], report["memory"], report["age_ms"]
    rows: list[tuple[str, str, str, bool | None]] = [
        ("bare pose loop", f"{report['pose_fps']} FPS", "", None),
        ("whole pipeline", f"{report['pipeline_fps']} FPS", "", None),
        *_ratio_rows(report),
        ("age when painted p50 / p95 / p99", f"{age['p50']} / {age['p95']} / {age['p99']} ms", "", None),
        ("  its p95", f"{age['p95']} ms", f"<= {report['age_goal_ms']} ms", age["p95"] <= report["age_goal_ms"]),
        (f"dropped at {PACED_FPS:.0f} FPS", str(report["dropped"]), "0", report["dropped"] == 0),
        _limit_row("first picture", startup["first_picture_s"], PICTURE_S, "s"),
        _limit_row("first prediction", startup["first_prediction_s"], PICTURE_S + startup["window_s"], "s"),
        ("memory", f"{report['rss_mb']} MB", "", None),
        _limit_row(f"growth in {memory['seconds']:.0f} s", memory["growth_mb"], GROWTH_MB, "MB"),
        *((f"  stage {name}", f"{ms} ms", "", None) for name, ms in report["stage_ms"].items()),
    ]
    width = max(len(name) for name, *_ in rows)
    lines = [f"{report['source']}, {report['frames']} frames a run, {report['model']}"]
    for name, figure, goal, reached in rows:
        verdict = "" if reached is None else "reached" if reached else "MISSED"
        lines.append(f"{name:<{width}}  {figure:>24}  {goal:<14}{verdict}".rstrip())
    here = report["hardware"]
    lines.append(f"{here['cpu']}, {here['threads']} threads, {here['memory_gb']} GB, load {here['load'][0]} at the end")
    if report.get("busy_before_percent", 0.0) > BUSY_PERCENT:
        lines.append(_busy_line(report["busy_before_percent"]))
    return "\n".join(lines) + "\n"


def _busy_line(busy: float) -> str:
    return f"other programs used {busy:.0f}% of the processor before this began: repeat it on a quiet machine"


def _ratio_rows(report: dict[str, Any]) -> Iterator[tuple[str, str, str, bool | None]]:
    for key, name in (("throughput_ratio", "pipeline / bare"), ("window_ratio", "with the window / bare")):
        ratio, goal = report[key], GOALS[key]
        if ratio is not None:
            low, high = report[f"{key}_spread"]
            yield name, f"{ratio} ({low} to {high})", f">= {goal}", ratio >= goal


def _limit_row(name: str, figure: float, limit: float, unit: str) -> tuple[str, str, str, bool]:
    return name, f"{figure} {unit}", f"< {limit:g} {unit}", figure < limit


def _rounded(value: float, digits: int = 3) -> float:
    return round(float(value), digits)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
