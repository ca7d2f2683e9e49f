"""The pipeline with everything on beside the plain one: `python main.py --bench FILE --everything`.

Everything is the program's own: repetitions, a history in SQLite, rules that post to a server on this machine and run
a program, the event stream with a client that reads it, the table of events, and a virtual camera where there is one.
Server, client and program are paid for here, too, though elsewhere they would be others'.
"""

import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.alerts.rules import Alerts, Reaction, Rule
from app.alerts.runner import AlertRunner, Outcome
from app.live.engine import Engine
from app.outputs.history import History, HistoryLog
from app.outputs.run_outputs import Outputs
from app.outputs.virtual_camera import VirtualCamera
from app.results import Result
from app.settings import RunOptions
from app.tools import bench_runs
from app.tools.bench_runs import Run, Show
from recognizer.decision import UNKNOWN
from recognizer.repetition_counter import UNCOUNTED

GOAL_RATIO = 0.95
AGE_SLACK_MS = 10.0
_LASTS_S = 0.5  # of an action, until its rule does something
_LIMIT_S = 1.0
_CONNECT_S = 10.0
_CLIENT_S = 0.2  # between two looks whether the client is to end


@dataclass(slots=True)
class Done:
    """What everything did, over all runs. reactions: of rules, posts among them. camera: its name, or why there is
    none."""

    reactions: int = 0
    posts: int = 0
    failures: int = 0
    repetitions: int = 0
    stream_lines: int = 0
    table_lines: int = 0
    history_lines: int = 0
    camera: str = ""


def with_everything(
    options: RunOptions,
    seconds: float,
    *,
    pairs: int,
    frames: int,
    fps: float,
    show: Show,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Rounds of a bare loop, the pipeline, and the pipeline with everything on, each round in the opposite order of the
    one before; then a paced run of so many seconds without and with everything, in the window that `show` shows."""
    done = Done()
    model = options.pose_model or Path()
    on = partial(_run_with_everything, actions=_actions(options), done=done)
    kinds: list[tuple[str, Callable[[], Run]]] = [
        ("bare", lambda: bench_runs.bare_run(options, model, frames)),
        ("pipeline", lambda: bench_runs.pipeline_run(options, frames)),
        ("everything", lambda: on(lambda prepare: bench_runs.pipeline_run(options, frames, prepare))),
    ]
    found = bench_runs.run_alternating(kinds, pairs, say)

    def prepared(prepare: Callable[[Engine], None]) -> Run:
        def shown(engine: Engine) -> None:
            prepare(engine)
            show(engine)

        return bench_runs.paced_run(options, seconds, fps, shown)

    say(f"a camera of {fps:.0f} FPS, twice {seconds:.0f} s")
    paced = {"plain": bench_runs.paced_run(options, seconds, fps, show), "everything": on(prepared)}
    bare = [run.fps for run in found["bare"]]
    return {
        "model": options.model,
        "frames": frames,
        "goal_ratio": GOAL_RATIO,
        "runs_fps": {name: [round(run.fps, 1) for run in runs] for name, runs in found.items()},
        "ratio": {name: _ratio(bare, found[name]) for name in ("pipeline", "everything")},
        "paced": {name: _ages(run, fps) for name, run in paced.items()},
        "did": {name: getattr(done, name) for name in Done.__slots__},
    }


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{found['frames']} frames a run, {found['model']}"]
    lines += [f"{name:<11}{median(runs):6.1f} FPS" for name, runs in found["runs_fps"].items()]
    for name, ratio in found["ratio"].items():
        low, high = ratio["spread"]
        verdict = _verdict(ratio["median"] >= found["goal_ratio"])
        lines.append(f"{name} / bare  {ratio['median']} ({low} to {high})  >= {found['goal_ratio']}  {verdict}")
    for name, ages in found["paced"].items():
        verdict = _verdict(ages["age_ms"]["p95"] <= ages["age_goal_ms"])
        times = " / ".join(str(ages["age_ms"][q]) for q in ("p50", "p95", "p99"))
        lines.append(
            f"{name}: age when painted p50 / p95 / p99 {times} ms, p95 <= {ages['age_goal_ms']} ms  {verdict}, "
            f"{ages['dropped']} dropped"
        )
    did = found["did"]
    lines.append(
        f"everything did: {did['reactions']} reactions of rules ({did['posts']} posts), {did['failures']} failures, "
        f"{did['repetitions']} repetitions, {did['stream_lines']} lines read from the stream, "
        f"{did['table_lines']} of the table, {did['history_lines']} of the history"
    )
    lines.append(f"virtual camera: {did['camera']}")
    return "\n".join(lines) + "\n"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def _ratio(bare: list[float], runs: list[Run]) -> dict[str, Any]:
    ratios = [run.fps / beside for beside, run in zip(bare, runs, strict=True)]
    return {"median": round(median(ratios), 3), "spread": [round(min(ratios), 3), round(max(ratios), 3)]}


def _ages(run: Run, fps: float) -> dict[str, Any]:
    goal_ms = float(np.percentile(run.pose_ms, 95)) + 1000 / fps + AGE_SLACK_MS
    return {
        "age_ms": {f"p{q}": round(float(np.percentile(run.ages_ms, q)), 1) for q in (50, 95, 99)},
        "age_goal_ms": round(goal_ms, 1),
        "dropped": run.dropped,
    }


def _actions(options: RunOptions) -> tuple[str, ...]:
    from app.live import run_inputs

    recognizer = run_inputs.open_recognizer(options.model, options.provider)
    try:
        return recognizer.card.actions
    finally:
        recognizer.close()


def _run_with_everything(
    run: Callable[[Callable[[Engine], None]], Run], *, actions: tuple[str, ...], done: Done
) -> Run:
    """A run whose engine gets everything; what it did is added to `done`."""
    with tempfile.TemporaryDirectory(prefix="actionlens-bench-") as folder:
        everything = _Everything(Path(folder), actions, done)
        try:
            return run(everything.attach)
        finally:
            everything.close()


class _Everything:
    """All that can be on beside one run."""

    def __init__(self, folder: Path, actions: tuple[str, ...], done: Done) -> None:
        self._done = done
        self._table, self._history = folder / "actions.csv", History(folder / "history.sqlite")
        self._camera = VirtualCamera()
        with ExitStack() as opened:
            opened.callback(self._camera.close)
            server = _PostServer(done)
            opened.callback(server.close)
            self._log = HistoryLog(self._history)
            opened.callback(self._log.close)
            self._alerts = AlertRunner(Alerts(_rules(actions, server.url)), self._told)
            opened.callback(self._alerts.close)
            self._outputs = Outputs(RunOptions(events="ws://127.0.0.1:0", events_csv=self._table))
            opened.callback(self._outputs.close)
            client = _StreamClient(self._outputs.events_url, done)
            opened.callback(client.close)
            self._opened = opened.pop_all()

    def attach(self, engine: Engine) -> None:
        """Let everything have the results of a run that has not begun."""
        self._outputs.attach(engine)
        for tap in (self._alerts, self._log, self._camera, self._count):
            engine.add_tap(tap)

    def close(self) -> None:
        """End everything and note what it did."""
        self._done.camera = self._camera.failure or self._camera.device
        self._opened.close()
        self._done.table_lines += len(self._table.read_text(encoding="utf-8").splitlines()) - 1
        self._done.history_lines += sum(total.times for total in self._history.totals(0.0, 1e12))

    def _count(self, result: Result) -> None:
        self._done.repetitions += len(result.repetitions)

    def _told(self, outcome: Outcome) -> None:
        self._done.failures += bool(outcome.failure)
        self._done.reactions += not outcome.failure


def _rules(actions: tuple[str, ...], url: str) -> tuple[Rule, ...]:
    """For every action: one when it lasts, with a message and a program, and one when it is repeated."""
    reactions = Reaction("post", url), Reaction("command", (sys.executable, "-S", "-c", ""))
    lasting = [Rule(f"{action} lasts", action, reactions, _LASTS_S, limit_s=_LIMIT_S) for action in (*actions, UNKNOWN)]
    counted = [
        Rule(f"{action} counted", action, reactions[:1], times=1, limit_s=0.0)
        for action in actions
        if action not in UNCOUNTED
    ]
    return *lasting, *counted


class _PostServer:
    """Takes what rules post, on this machine."""

    def __init__(self, done: Done) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                done.posts += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="bench-server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _StreamClient:
    """Reads the event stream on a thread of its own."""

    def __init__(self, url: str, done: Done) -> None:
        self._done = done
        self._url = url
        self._ready, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._read, name="bench-client", daemon=True)
        self._thread.start()
        self._ready.wait(_CONNECT_S)

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _read(self) -> None:
        with connect(self._url) as connection, suppress(ConnectionClosed):
            self._ready.set()
            while not self._ending.is_set():
                with suppress(TimeoutError):
                    connection.recv(_CLIENT_S)
                    self._done.stream_lines += 1
