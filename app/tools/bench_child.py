"""One measurement in a fresh process, started by app.tools.bench: start-up times, or memory over time.

Takes its task as a JSON argument and prints one JSON object.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from app.errors import UsageError
from pose.arguments import error_line
from pose.errors import ActionLensError

if TYPE_CHECKING:
    from app.tools.bench_runs import Show

STARTUP, MEMORY = "startup", "memory"
_WARM_UP_SHARE = 0.2  # of a memory run: until then caches fill
_SAMPLE_S = 0.5
_GIVE_UP_S = 45.0


def main(argument: str) -> int:
    """Do the task; 0, or 1 with one line on stderr."""
    task = json.loads(argument)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        found = startup(task) if task["task"] == STARTUP else memory(task)
    except ActionLensError as error:
        sys.stderr.write(f"{error_line(error)}\n")
        return 1
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def startup(task: dict[str, Any]) -> dict[str, float]:
    """Seconds from the start of this process to the first painted result and to the first with a decided action."""
    import psutil

    began_s = psutil.Process().create_time()
    engine = _engine(task)
    watch = threading.Thread(target=lambda: _stop_when(engine, lambda: engine.first_decided_s is not None, _GIVE_UP_S))
    _show(engine, task, watch)
    if engine.first_painted_s is None or engine.first_decided_s is None:
        failure = engine.failure
        raise UsageError(failure.message if failure else f"no prediction within {_GIVE_UP_S:.0f} s")
    from app import models
    from recognizer.model_card import ModelCard

    card = ModelCard.load(models.find(task["model"]))
    return {
        "first_picture_s": round(engine.first_painted_s - began_s, 3),
        "first_prediction_s": round(engine.first_decided_s - began_s, 3),
        "window_s": round(card.frames / card.fps, 3),
    }


def memory(task: dict[str, Any]) -> dict[str, Any]:
    """Resident memory of this process and those it started: its median after the warm-up, and its growth from there."""
    import psutil

    process = psutil.Process()
    engine = _engine(task)
    samples: list[tuple[float, float]] = []
    began_s = time.perf_counter()

    def sample() -> bool:
        resident = sum(each.memory_info().rss for each in (process, *process.children()))
        samples.append((time.perf_counter() - began_s, resident / 1e6))
        return False

    _show(engine, task, threading.Thread(target=lambda: _stop_when(engine, sample, task["seconds"])))
    failure = engine.failure
    if failure is not None and failure.fatal:
        raise UsageError(failure.message)
    settled = [rss for when, rss in samples if when >= _WARM_UP_SHARE * task["seconds"]]
    tenth = max(len(settled) // 10, 1)
    return {
        "seconds": task["seconds"],
        "rss_mb": round(median(settled), 1),
        "growth_mb": round(median(settled[-tenth:]) - median(settled[:tenth]), 1),
        "peak_mb": round(max(settled), 1),
        "frames": engine.stats().processed,
    }


def _engine(task: dict[str, Any]) -> Any:
    from app.settings import RunOptions
    from app.tools.bench_runs import MeasuredEngine

    options = RunOptions(
        model=task["model"], provider=task["provider"], source="demo", pose_model=Path(task["pose_model"])
    )
    return MeasuredEngine(options)


def _show(engine: Any, task: dict[str, Any], watch: threading.Thread) -> None:
    """Run the engine in the window, or drawn where there is none, until the watch stops it."""
    from app.tools.bench_runs import show_drawn

    show: Show = show_drawn
    if task["window"]:
        from app.ui.offscreen import show_offscreen

        show = show_offscreen
    watch.start()
    show(engine)
    watch.join()


def _stop_when(engine: Any, done: Any, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while not engine.wait(_SAMPLE_S / 10 if seconds == _GIVE_UP_S else _SAMPLE_S):
        if done() or time.perf_counter() > deadline:
            engine.stop()
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
