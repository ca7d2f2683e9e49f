"""One run of the live view from a paced source, for the benchmarks of what goes on beside it."""

import time
from collections import Counter
from typing import Any

import numpy as np

from app.errors import UsageError
from app.live.engine import Engine
from app.settings import RunOptions
from app.tools.bench_runs import Show, paced_run

_WARM_UP_S = 3.0  # of a run: until then the first pictures and predictions come


def live_run(options: RunOptions, seconds: float, fps: float, show: Show) -> dict[str, Any]:
    """Frames a second, in the worst whole second too, frames lost, and how old a result is when it is painted."""
    came_s: list[float] = []

    def watched(engine: Engine) -> None:
        engine.add_tap(lambda _: came_s.append(time.perf_counter()))
        show(engine)

    run = paced_run(options, seconds, fps, watched)
    return {
        "pipeline_fps": round(run.fps, 1),
        "worst_fps": worst_second(came_s),
        "dropped": run.dropped,
        "age_p95_ms": round(float(np.percentile(run.ages_ms, 95)), 1),
    }


def run_line(name: str, run: dict[str, Any]) -> str:
    """A run for people."""
    return (
        f"{name:<9} {run['pipeline_fps']} FPS, worst second {run['worst_fps']}, {run['dropped']} dropped, "
        f"age p95 {run['age_p95_ms']} ms"
    )


def worst_second(came_s: list[float]) -> int:
    """Fewest results in a whole second after the warm-up. Raises UsageError where there is none."""
    seconds = [int(each - came_s[0] - _WARM_UP_S) for each in came_s if each - came_s[0] >= _WARM_UP_S]
    if not seconds or not seconds[-1]:
        raise UsageError(f"the run was too short; let it take more than {_WARM_UP_S + 2:g} s")
    counts = Counter(seconds)
    return min(counts[second] for second in range(seconds[-1]))
