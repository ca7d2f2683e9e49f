"""The live view with the attention panel closed and open: `python main.py --bench FILE --explain`."""

from typing import Any

from app.settings import RunOptions
from app.tools.bench_live import live_run, run_line
from app.tools.bench_runs import Show

GOAL_FPS = 29.0  # in the worst second of a source of 30: one frame may fall into the next second


def with_panel(options: RunOptions, seconds: float, fps: float, closed: Show, opened: Show) -> dict[str, Any]:
    """A paced run with the panel closed, then one with it open; `closed`, `opened`: show an engine in such a window."""
    return {
        "goal_fps": GOAL_FPS,
        "closed": live_run(options, seconds, fps, closed),
        "open": live_run(options, seconds, fps, opened),
    }


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [run_line(name, found[name]) for name in ("closed", "open")]
    reached = "reached" if found["open"]["worst_fps"] >= GOAL_FPS else "MISSED"
    lines.append(f"goal: never below {GOAL_FPS:g} FPS with the panel open: {reached}")
    return "\n".join(lines) + "\n"
