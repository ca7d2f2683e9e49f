import json
import time
from pathlib import Path

import numpy as np
import pytest
from engine_fakes import FakeEstimator, FakeRecognizer, FakeSource, InPlace

from app.errors import OutputError, UsageError
from app.live.engine import Engine
from app.settings import RunOptions
from app.tools import bench, bench_child, bench_everything, bench_runs
from app.tools.bench_runs import WARM_UP_FRAMES, FirstFrames, RetimedFile, Run
from pose.source import SourceInfo
from pose.types import Frame


class Counting:
    """A file of a few frames that says which one it gave."""

    def __init__(self, frames: int = 3) -> None:
        self.info = SourceInfo("three.mp4", live=False, size=(4, 4), fps=10.0, frames=frames)
        self.closed = False
        self._left = list(range(frames))

    def read(self) -> Frame | None:
        if not self._left:
            return None
        n = self._left.pop(0)
        return Frame(np.full((4, 4, 3), n, np.uint8), n / 10, time.perf_counter(), n)

    def close(self) -> None:
        self.closed = True


def read_all(source) -> list[Frame]:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def run_of(fps: float, **more) -> Run:
    given = {"frames": 100, "pose_ms": [10.0] * 100, "ages_ms": [15.0] * 100, "stage_ms": {"pose": 10.0}} | more
    return Run(fps, **given)


def report(**changes) -> dict:
    found = {
        "source": "walk.mp4",
        "model": "act",
        **bench._throughput(
            [run_of(100), run_of(80), run_of(90)], [run_of(98), run_of(80), run_of(81)], [run_of(95)], run_of(99)
        ),
        **bench._paced(run_of(30)),
        "startup": {"first_picture_s": 1.5, "first_prediction_s": 3.0, "window_s": 1.5},
        "rss_mb": 300.0,
        "memory": {"seconds": 60.0, "rss_mb": 300.0, "growth_mb": 1.0, "peak_mb": 310.0, "frames": 1800},
        "hardware": bench.hardware(),
        "versions": bench.versions(),
    }
    return found | changes


def test_ratios_come_from_runs_side_by_side():
    found = report()
    assert found["throughput_ratio"] == 0.98  # of 0.98, 1.0 and 0.9, whatever the machine did between the rounds
    assert found["throughput_ratio_spread"] == [0.9, 1.0]
    assert found["window_ratio"] == 0.95
    assert (found["pose_fps"], found["pipeline_fps"]) == (90.0, 81.0)
    assert found["stage_ms"] == {"pose": 10.0}


def test_without_a_window_there_is_no_window_ratio():
    found = report(**bench._throughput([run_of(100)], [run_of(98)], [], run_of(99)))
    assert found["window_ratio"] is None
    assert "window" not in bench.table(found)


def test_ages_are_held_against_the_slow_poses():
    run = run_of(30, pose_ms=[10.0] * 90 + [20.0] * 10, ages_ms=[float(n) for n in range(101)], dropped=2)
    found = bench._paced(run)
    assert found["age_ms"] == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert found["age_goal_ms"] == pytest.approx(20.0 + 33.3 + 10.0, abs=0.1)
    assert found["dropped"] == 2


def test_the_report_has_the_promised_keys_and_is_json():
    found = json.loads(json.dumps(report(), allow_nan=False))
    promised = {"throughput_ratio", "pose_fps", "pipeline_fps", "age_ms", "stage_ms", "dropped", "rss_mb", "hardware"}
    assert promised <= set(found)
    assert set(found["age_ms"]) == {"p50", "p95", "p99"}
    assert found["hardware"]["threads"] >= 1
    assert "mediapipe" in found["versions"]


def test_the_table_says_what_was_missed():
    text = bench.table(report())
    assert "MISSED" not in text
    assert text.count("reached") == 7
    slow = report(throughput_ratio=0.8, dropped=3)
    slow["memory"]["growth_mb"] = 25.0
    slow["startup"]["first_picture_s"] = 3.5
    assert bench.table(slow).count("MISSED") == 4


def test_a_busy_machine_is_told():
    assert "quiet machine" not in bench.table(report(busy_before_percent=3.0))
    assert "used 40% of the processor" in bench.table(report(busy_before_percent=40.0))


def test_json_goes_to_a_file_or_to_stdout(monkeypatch, capsys, tmp_path: Path):
    given = {}

    def measure(source, options, effort, say):
        given.update(source=source, options=options, effort=effort)
        return report()

    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(bench, "_LOOK_S", 0.05)
    target = tmp_path / "bench.json"
    assert bench.run_bench("walk.mp4", RunOptions(json=str(target), seconds=600.0)) == 0
    assert "pipeline / bare" in capsys.readouterr().out
    assert json.loads(target.read_text(encoding="utf-8"))["throughput_ratio"] == 0.98
    assert given["effort"].memory_s == 600.0
    assert given["options"].seconds is None
    assert given["options"].paced is False
    assert bench.run_bench("walk.mp4", RunOptions(json="-")) == 0
    assert json.loads(capsys.readouterr().out)["pose_fps"] == 90.0


@pytest.mark.parametrize(("target", "said"), [("none/bench.json", "there is no folder"), (".", "it is a folder")])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(monkeypatch, tmp_path, target, said):
    monkeypatch.setattr(bench, "measure", lambda *_: pytest.fail("it was measured"))
    with pytest.raises(OutputError, match=said):
        bench.run_bench("walk.mp4", RunOptions(json=str(tmp_path / target)))


def test_rounds_alternate_and_every_second_is_turned_around(monkeypatch):
    order: list[str] = []

    def noting(kind: str):
        def run(*given) -> Run:
            order.append(kind)
            return run_of(100)

        return run

    for kind in ("bare", "pipeline", "window"):
        monkeypatch.setattr(bench_runs, f"{kind}_run", noting(kind))
    effort = bench.Effort(pairs=3)
    bare, whole, window = bench._alternate(RunOptions(), Path("m"), effort, lambda engine: None, lambda line: None)
    assert order == ["bare", "pipeline", "window", "window", "pipeline", "bare", "bare", "pipeline", "window"]
    assert [len(runs) for runs in (bare, whole, window)] == [3, 3, 3]
    order.clear()
    assert bench._alternate(RunOptions(), Path("m"), effort, None, lambda line: None)[2] == []


def test_a_source_that_is_no_file():
    with (
        pytest.raises(UsageError, match=r"no video file nowhere\.mp4"),
        bench._as_file("nowhere.mp4", 10, lambda line: None),
    ):
        pass


def test_the_demo_is_recorded_first():
    with bench._as_file("demo", 20, lambda line: None) as path:
        import av

        with av.open(path) as video:
            assert video.streams.video[0].frames == 20
    assert not path.exists()


def test_first_frames_end_there():
    source = Counting(5)
    first = FirstFrames(source, 3)
    assert [frame.index for frame in read_all(first)] == [0, 1, 2]
    assert first.read() is None
    first.close()
    assert source.closed


def test_a_file_is_retimed_and_repeated():
    files: list[Counting] = []

    def open_file() -> Counting:
        files.append(Counting(3))
        return files[-1]

    source = RetimedFile(open_file, fps=50.0, frames=8)
    assert source.info.live
    began_s = time.perf_counter()
    frames = read_all(source)
    assert time.perf_counter() - began_s >= 7 / 50
    assert [frame.bgr[0, 0, 0] for frame in frames] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert [frame.index for frame in frames] == list(range(8))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 50 for n in range(8)])
    for frame in frames:  # never early, so that ages are not flattered
        assert frame.captured_s - began_s >= frame.time_s
    source.close()
    assert all(file.closed for file in files)


def test_a_closed_file_ends():
    source = RetimedFile(Counting, fps=50.0, frames=100)
    assert source.read() is not None
    source.close()
    assert source.read() is None


def test_the_warm_up_and_a_repeated_frame_are_not_timed():
    clock = bench_runs._Clock()
    frames = read_all(Counting(WARM_UP_FRAMES + 1))
    for frame in frames[:-1]:
        clock.tick(frame)
    with pytest.raises(UsageError, match="frames"):
        clock.fps()
    time.sleep(0.05)
    clock.tick(frames[-1])
    fps = clock.fps()
    assert fps <= 20
    clock.tick(frames[-1])
    assert (clock.frames, clock.fps()) == (WARM_UP_FRAMES + 1, fps)


def test_a_child_that_fails_is_one_line(monkeypatch, capfd):
    options = RunOptions(model="no-such-model", pose_model=Path("none.task"))
    with pytest.raises(UsageError, match="no model 'no-such-model'") as raised:
        bench._child({"task": bench_child.MEMORY, "window": False, "seconds": 60.0}, options, 300.0)  # it ends at once
    assert "\n" not in str(raised.value)


@pytest.mark.slow  # its runs on made-up figures: the tests above; the pipeline on real frames: test_end_to_end
def test_real_runs_on_the_same_frames():
    from pose.model_asset import cached_path
    from recognizer.model_card import weights_folders

    model = cached_path()
    if not model.exists() or not any((folder / "act").is_dir() for folder in weights_folders()):
        pytest.skip("needs the pose model and weights/act")
    with bench._as_file("demo", 45, lambda line: None) as path:
        options = RunOptions(source=str(path), paced=False, pose_model=model, provider="cpu")
        bare = bench_runs.bare_run(options, model, 20)
        opencv = bench_runs.opencv_run(path, model, 20)
        whole = bench_runs.pipeline_run(options, 20)
        paced = bench_runs.paced_run(options, 4.0, 10.0, bench_runs.show_drawn)  # slow: other work may be going on
    assert [run.frames for run in (bare, opencv, whole)] == [20, 20, 20]
    assert len(whole.pose_ms) == 20 - WARM_UP_FRAMES
    assert {"pose", "window", "recognize", "draw"} <= set(whole.stage_ms)
    assert paced.frames + paced.dropped <= 40
    assert len(paced.ages_ms) > 0
    assert min(paced.ages_ms) > min(paced.pose_ms)
    found = bench._throughput([bare], [whole], [], opencv) | bench._paced(paced)
    json.dumps(found, allow_nan=False)


def test_everything_is_on_and_says_what_it_did():
    """A run of an engine with made-up poses: each output takes what it is for."""
    done = bench_everything.Done()

    def run(prepare):
        engine = Engine(
            RunOptions(source="fake", paced=False),
            open_source=lambda options: FakeSource(live=False, fps=30.0, frames=150),
            open_pose_worker=lambda *given: InPlace(FakeEstimator()),
            open_recognizer=lambda model, provider: FakeRecognizer(),
        )
        prepare(engine)
        bench_runs.show_nothing(engine)
        deadline = time.monotonic() + 60
        while done.reactions < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        return run_of(30.0)

    found = bench_everything._run_with_everything(run, actions=("idle", "wave"), done=done)
    assert found.fps == 30.0
    assert done.posts >= 1
    assert done.reactions >= done.posts
    assert done.failures == 0
    assert done.stream_lines > 10
    assert (done.table_lines, done.history_lines) == (1, 1), "one wave, which lasts to the end"
    assert done.camera, "its name, or why there is none"


def everything_report(ratio=0.97, p95=50.0):
    ages = {"age_ms": {"p50": 30.0, "p95": p95, "p99": 60.0}, "age_goal_ms": 55.0, "dropped": 0}
    return {
        "model": "act",
        "frames": 400,
        "goal_ratio": 0.95,
        "runs_fps": {"bare": [80.0, 82.0], "pipeline": [81.0, 80.0], "everything": [79.0, 78.0]},
        "ratio": {name: {"median": ratio, "spread": [0.9, 1.0]} for name in ("pipeline", "everything")},
        "paced": {"plain": ages, "everything": ages},
        "did": {name: 3 for name in bench_everything.Done.__slots__} | {"camera": "there is none"},
    }


def test_the_table_of_everything_says_what_was_missed_and_that_there_is_no_camera():
    text = bench_everything.table(everything_report())
    assert text.count("reached") == 4
    assert "MISSED" not in text
    assert "virtual camera: there is none" in text
    assert bench_everything.table(everything_report(ratio=0.9, p95=56.0)).count("MISSED") == 4


def test_each_ratio_is_of_runs_of_one_round():
    assert bench_everything._ratio([100.0, 50.0], [run_of(95.0), run_of(50.0)]) == {
        "median": 0.975,
        "spread": [0.95, 1.0],
    }


def test_the_user_s_own_rules_do_not_fire_in_a_benchmark(monkeypatch):
    from app.ui import offscreen

    asked = []

    class Stop(Exception):
        pass

    def no_window(make_engine, options, *rest):
        asked.append(options.alerts.read_text(encoding="utf-8"))
        raise Stop

    monkeypatch.setattr(offscreen, "MainWindow", no_window)
    with pytest.raises(Stop):
        offscreen.show_offscreen(Engine(RunOptions(source="fake")))
    assert asked == [""], "a file of its own, without a rule"
