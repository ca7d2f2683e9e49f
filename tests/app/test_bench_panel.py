"""The live view with the attention panel open, as the benchmark runs it."""

import pytest

from app.cli import parse
from app.errors import UsageError
from app.settings import RunOptions, UserSettings
from app.tools import bench_live
from app.tools.bench_live import live_run
from app.tools.bench_panel import table, with_panel
from app.tools.bench_runs import Run

RUN = {"pipeline_fps": 30.0, "worst_fps": 30, "dropped": 0, "age_p95_ms": 40.0}


@pytest.fixture
def runs(monkeypatch):
    """Paced runs whose engine gives 30 results a second, without waiting; the windows they were shown in."""
    shown = []

    class Clock:
        now_s = 0.0

        def perf_counter(self):
            return self.now_s

    class Taps:
        def add_tap(self, tap):
            self.tap = tap

    clock = Clock()

    def paced(options, seconds, fps, show):
        engine = Taps()
        show(engine)
        for _ in range(round(seconds * fps)):
            engine.tap(None)
            clock.now_s += 1 / fps
        return Run(30.0, 300, ages_ms=[20.0, 40.0])

    monkeypatch.setattr(bench_live, "time", clock)
    monkeypatch.setattr(bench_live, "paced_run", paced)
    return shown


def test_one_run_is_without_the_panel_and_one_with_it(runs):
    found = with_panel(RunOptions(), 10, 30.0, lambda _: runs.append("closed"), lambda _: runs.append("open"))
    assert runs == ["closed", "open"]
    assert found["closed"]["worst_fps"] in (29, 30)
    assert found["open"]["age_p95_ms"] == pytest.approx(39, abs=0.1)


def test_a_run_that_is_shorter_than_its_warm_up_is_refused(runs):
    with pytest.raises(UsageError, match="too short"):
        live_run(RunOptions(), 2, 30.0, lambda _: None)


def test_the_table_says_whether_the_goal_was_reached():
    assert "panel open: reached" in table({"closed": RUN, "open": RUN | {"worst_fps": 29}})
    assert "panel open: MISSED" in table({"closed": RUN, "open": RUN | {"worst_fps": 28}})


def test_the_flag_with_the_benchmark():
    command = parse(["--bench", "demo", "--explain"], UserSettings())
    assert command.panel
    assert not command.options.explain  # which draws into a video
    assert not parse(["--bench", "demo"], UserSettings()).panel
    with pytest.raises(UsageError, match="give one of them"):
        parse(["--bench", "demo", "--explain", "--teaching"], UserSettings())
    with pytest.raises(UsageError, match="give --save"):
        parse(["--explain"], UserSettings())
