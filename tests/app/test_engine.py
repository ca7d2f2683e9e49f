import json
import threading
import time
from dataclasses import replace

import pytest
from engine_fakes import FakeEstimator, FakeRecognizer, FakeSource, InPlace, StuckSource, until

from app.capture.reader import Timing
from app.errors import OutputError
from app.live.inference import TICKS_PER_DECISION
from app.outputs.json_lines import result_lines
from app.results import EngineState, Failure
from pose.camera import Camera
from pose.errors import PoseModelError, SourceError, SourceLost
from pose.live_source import LiveSource
from pose.process import IN_WORK
from pose.stream import Stream
from recognizer.decision import HALF_BODY, UNKNOWN, WAITING
from recognizer.errors import CardError, RecognizerError
from recognizer.model_card import DecisionRules

RUNNING, STOPPED, FAILED = EngineState.RUNNING, EngineState.STOPPED, EngineState.FAILED


# From frames to results.


def test_a_result_carries_its_frame_poses_and_decision(run):
    started = run(FakeSource(live=False, frames=40, fps=20), paced=False)
    assert started.engine.wait(60)
    last = started.results[-2]  # the very last one repeats a frame to tell the ends
    assert last.persons[0].pose.time_s == last.frame.time_s
    assert last.persons[0].decision.action == "wave"
    assert last.decided_s >= last.frame.captured_s
    assert started.engine.state is STOPPED
    assert started.engine.failure is None


def test_a_lossless_run_processes_every_frame_in_order(run):
    estimator = FakeEstimator(work_s=0.002)
    started = run(FakeSource(live=False, frames=200, fps=0), estimator=estimator, paced=False)
    assert started.engine.wait(60)
    assert [frame.index for frame in estimator.seen] == list(range(200))
    assert started.engine.stats().dropped == 0
    assert started.engine.stats().processed >= 200


def test_a_slow_estimator_always_gets_the_newest_frame(run):
    started = run(FakeSource(fps=200), estimator=FakeEstimator(work_s=0.05))
    until(lambda: len(started.results) >= 12)
    stats = started.engine.stats()
    assert stats.dropped > 50
    assert stats.captured > 3 * stats.processed
    # Work, at most one frame of waiting, and room for a busy machine: without the mailbox it would grow beyond.
    assert started.results[-1].age_ms < 500


@pytest.mark.parametrize(("live", "most"), [(True, 1), (False, IN_WORK)])
def test_a_live_frame_does_not_wait_behind_another_and_a_files_does(run, monkeypatch, live, most):
    """A frame handed over ahead is older by the work on the one before."""
    submit, result, waiting, seen = InPlace.submit, InPlace.result, [], []

    def counted(worker, frame):
        waiting.append(frame)
        seen.append(len(waiting))
        submit(worker, frame)

    def taken(worker):
        found = result(worker)
        waiting.pop()
        return found

    monkeypatch.setattr(InPlace, "submit", counted)
    monkeypatch.setattr(InPlace, "result", taken)
    source = FakeSource(live=live, fps=200 if live else 0, frames=100_000 if live else 40)  # live drops some
    started = run(source, estimator=FakeEstimator(work_s=0.01), paced=live)
    until(lambda: len(started.results) >= 10)
    assert max(seen) == most


def test_several_people_are_recognized_in_one_call(run):
    recognizer = FakeRecognizer()
    started = run(
        FakeSource(live=False, frames=40, fps=20),
        estimator=FakeEstimator(people=lambda frame: (0, 1, 2)),
        recognizer=recognizer,
        paced=False,
    )
    assert started.engine.wait(60)
    assert set(recognizer.batches) == {3}
    assert {person.decision.person for person in started.results[-1].persons} == {0, 1, 2}


def test_people_come_and_go(run):
    def people(frame):
        return (0, 1) if 20 <= frame.index < 60 else (0,)

    started = run(FakeSource(live=False, frames=140, fps=20), estimator=FakeEstimator(people=people), paced=False)
    assert started.engine.wait(60)
    starts = {event.person: event for event in started.events if event.kind == "start"}
    ends = {event.person: event for event in started.events if event.kind == "end"}
    assert starts.keys() == ends.keys() == {0, 1}
    assert starts[1].time_s >= 1.0
    assert ends[1].time_s == pytest.approx(59 / 20, abs=0.06)
    told = next(result for result in started.results if ends[1] in result.events)
    assert 59 / 20 + 1.0 < told.frame.time_s <= 59 / 20 + 1.2  # a second after they were last seen
    assert ends[0].time_s == pytest.approx(139 / 20, abs=0.06)


def test_nobody_is_told_at_the_rate_of_predictions(run):
    started = run(
        FakeSource(live=False, frames=300, fps=60), estimator=FakeEstimator(people=lambda frame: ()), paced=False
    )
    assert started.engine.wait(60)
    assert sum(result.nobody for result in started.results) == pytest.approx(5 * 20 / TICKS_PER_DECISION, abs=2)


def test_the_end_of_a_file_ends_the_running_actions(run):
    started = run(FakeSource(live=False, frames=60, fps=20), paced=False)
    assert started.engine.wait(60)
    assert [event.kind for event in started.events] == ["start", "end"]
    assert started.events[-1].duration_s > 1
    assert started.results[-1].frame is started.results[-2].frame
    assert started.engine.results.closed


def test_a_stop_ends_the_running_actions_too(run):
    started = run()
    until(lambda: any(event.kind == "start" for event in started.events))
    started.engine.stop()
    assert started.events[-1].kind == "end"
    assert started.engine.state is STOPPED


def test_seconds_are_the_sources_own(run):
    started = run(FakeSource(live=False, frames=1000, fps=20), paced=False, seconds=2.0)
    assert started.engine.wait(60)
    assert max(result.frame.time_s for result in started.results) == pytest.approx(1.95)


def test_seconds_end_a_live_run_whose_source_went_silent(run):
    patient = Timing(open_s=60, stall_s=60)
    started = run(FakeSource(at={20: "stall"}), timing=patient, seconds=0.5)
    assert started.engine.wait(60)
    assert started.engine.state is STOPPED


def test_a_change_of_size_is_no_failure(run):
    started = run(FakeSource(live=False, frames=40, fps=20, sizes={20: (32, 64)}), paced=False)
    assert started.engine.wait(60)
    assert started.engine.failure is None
    assert {result.frame.size for result in started.results} == {(64, 48), (32, 64)}


def test_what_runs_is_told(run):
    started = run(recognizer=FakeRecognizer(name="mine"))
    until(lambda: started.engine.state is RUNNING)
    info = started.engine.info
    assert (info.source.name, info.recognizer, info.actions, info.provider) == ("fake", "mine", ("idle", "wave"), "cpu")


def test_auto_is_asked_once_so_that_a_lost_camera_does_not_turn_into_the_demo(run, monkeypatch):
    answers = iter(["3", "demo"])
    monkeypatch.setattr("app.live.run_inputs.find_source", lambda: next(answers))
    started = run(sources=[FakeSource(at={20: SourceLost("the cable is out")}), FakeSource()], name="auto")
    until(lambda: len(started.asked) == 2)
    assert started.asked == ["3", "3"]


class Sitting(FakeEstimator):
    """A person without knees, from a frame on."""

    def __init__(self, since=0):
        super().__init__()
        self._since = since

    def estimate(self, frame):
        (found,) = super().estimate(frame)
        if frame.index >= self._since:
            found.confidence[[found.layout.index("left_knee"), found.layout.index("right_knee")]] = 0
        return (found,)


def desk_card():
    """A recognizer whose wave needs the arms alone."""
    recognizer = FakeRecognizer()
    rules = DecisionRules(1.0, dict.fromkeys(recognizer.card.actions, 0.5), (), {"wave": ("arms",)})
    recognizer.card = replace(recognizer.card, decision=rules)
    return recognizer


def test_half_a_body_is_judged_by_what_it_shows_where_the_card_says_what_actions_need(run):
    recognizer = desk_card()
    started = run(
        FakeSource(live=False, frames=60, fps=20), estimator=Sitting(since=30), recognizer=recognizer, paced=False
    )
    assert started.engine.wait(60)
    lines = [json.loads(line) for result in started.results for line in result_lines(result)]
    views = [line["view"] for line in lines if line["type"] == "prediction"]
    assert views == sorted(views, reverse=True)  # whole, then upper
    assert {"whole", "upper"} == set(views)
    assert lines[-2]["action"] == "wave"
    assert [line["type"] for line in lines if line["type"] != "prediction"] == ["start", "end"]
    assert lines[-1]["time_s"] == pytest.approx(2.95, abs=0.06)


def test_half_a_body_is_not_judged(run):
    recognizer = FakeRecognizer()
    source = FakeSource(live=False, frames=41, fps=20)  # the last one is due for a decision
    started = run(source, estimator=Sitting(), recognizer=recognizer, paced=False)
    assert started.engine.wait(60)
    last = started.results[-1].persons[0]
    assert (last.decision.action, last.decision.reason, last.decision.view) == (UNKNOWN, HALF_BODY, "upper")
    assert last.fresh, "a line is due all the same"
    assert recognizer.batches == []


def test_a_decision_comes_with_its_clip_and_prediction(run):
    started = run(FakeSource(live=False, frames=40, fps=20), paced=False)
    assert started.engine.wait(60)
    for result in started.results:
        for person in result.persons:
            assert (person.clip is None) == (person.decision is None)
            if person.clip is not None:
                assert person.clip.time_s == person.prediction.time_s == person.decision.time_s
                assert person.clip.xy_px.shape == (4, 13, 2)
                assert person.prediction.attention == {}
    assert started.results[-1].persons[0].clip is not None


def test_what_is_not_judged_has_no_clip(run):
    half = FakeEstimator(people=lambda frame: (0,))
    whole_estimate = half.estimate

    def estimate(frame):
        poses = whole_estimate(frame)
        if frame.index >= 20:
            for found in poses:
                found.confidence[:] = 0.0
        return poses

    half.estimate = estimate
    started = run(FakeSource(live=False, frames=60, fps=20), estimator=half, paced=False)
    assert started.engine.wait(60)
    last = started.results[-1].persons[0]
    assert last.decision.reason == HALF_BODY
    assert last.clip is None
    assert last.prediction is None


def test_attention_comes_only_while_it_is_watched(run):
    started = run(FakeSource(fps=100))
    until(lambda: any(p.prediction for r in started.results for p in r.persons))
    assert not any(p.prediction and p.prediction.attention for r in started.results for p in r.persons)
    started.engine.watch_attention(True)
    until(lambda: started.results[-1].persons[0].prediction.attention)
    started.engine.watch_attention(False)
    until(lambda: not started.results[-1].persons[0].prediction.attention)


def test_after_a_gap_the_window_waits_and_the_action_has_ended(run):
    def people(frame):
        return () if 40 <= frame.index < 56 else (0,)  # 0.8 s: the same person, another window

    source = FakeSource(live=False, frames=58, fps=20)
    started = run(source, estimator=FakeEstimator(people=people), paced=False)
    assert started.engine.wait(60)
    decision = started.results[-1].persons[0].decision
    assert (decision.action, decision.reason) == (UNKNOWN, WAITING)
    assert [event.kind for event in started.events] == ["start", "end"]


# Failures at the start.


def test_a_source_that_cannot_be_opened(run):
    started = run(SourceError("no camera 7; plug one in"))
    assert started.engine.wait(60)
    assert started.engine.state is FAILED
    assert started.engine.failure == Failure("source", "no camera 7; plug one in")


def test_a_source_that_hangs_while_opening(run):
    hold = threading.Event()

    def hang():
        hold.wait()
        return FakeSource()

    started = run(sources=[hang], timing=Timing(open_s=0.2))
    try:
        assert started.engine.wait(60)
        assert started.engine.state is FAILED
        assert "did not open" in started.engine.failure.message
    finally:
        hold.set()


def test_a_camera_or_a_stream_that_does_not_open_has_the_time_to_say_so_itself(monkeypatch):
    waits = []
    monkeypatch.setattr(LiveSource, "__init__", lambda *_, open_timeout_s, **__: waits.append(open_timeout_s))
    Camera(0)
    Stream("rtsp://10.0.0.1/door")
    assert len(waits) == 2
    assert max(waits) < Timing().open_s


def test_a_live_source_that_never_gives_a_frame(run):
    started = run(FakeSource(at={0: "stall"}), timing=Timing(open_s=0.2, stall_s=0.1))
    assert started.engine.wait(60)
    assert started.engine.state is FAILED
    assert "no frame" in started.engine.failure.message


def test_a_file_without_frames(run):
    started = run(FakeSource(live=False, frames=0), paced=False)
    assert started.engine.wait(60)
    assert started.engine.state is FAILED
    assert "before its first frame" in started.engine.failure.message


def test_a_failing_source_does_not_wait_for_the_models(run):
    building, cancelled = threading.Event(), threading.Event()

    def build(progress, cancel):
        building.set()
        if cancel.wait(20):
            cancelled.set()
        raise PoseModelError("cancelled")

    def missing():
        building.wait(60)
        return SourceError("no camera")

    started = run(missing, estimator=build)
    assert started.engine.wait(60)
    until(cancelled.is_set)
    started.engine.stop()
    assert started.engine.failure.message == "no camera"


@pytest.mark.parametrize(
    ("what", "stage"),
    [
        ({"recognizer": CardError("no card; export it again")}, "recognizer"),
        ({"estimator": lambda progress, cancel: _raise(PoseModelError("no network; connect once"))}, "pose"),
    ],
)
def test_a_model_that_cannot_be_opened(run, what, stage):
    started = run(**what)
    assert started.engine.wait(60)
    assert started.engine.state is FAILED
    assert started.engine.failure.stage == stage
    assert ";" in started.engine.failure.message


def _raise(error):
    raise error


def test_progress_is_told_while_starting_and_not_later(run):
    go_on = threading.Event()

    def build(progress, cancel):
        progress("building the pose model: half")
        go_on.wait(60)
        return FakeEstimator()

    started = run(estimator=build)
    until(lambda: started.engine.progress == "building the pose model: half")
    assert started.engine.state is EngineState.STARTING
    go_on.set()
    until(lambda: started.engine.state is RUNNING)
    assert started.engine.progress == ""


# Failures while running.


def test_a_failing_estimator_ends_the_run_and_is_told(run, caplog):
    estimator = FakeEstimator(fail_at=10)
    started = run(estimator=estimator)
    assert started.engine.wait(60)
    assert started.engine.state is FAILED
    assert started.engine.failure == Failure("internal", "RuntimeError: the graph is broken")
    assert estimator.closed
    assert any(record.exc_info for record in caplog.records), "the traceback belongs into the log"


def test_a_failing_recognizer_says_how_to_mend_it(run):
    recognizer = FakeRecognizer()
    recognizer.predict = lambda clips, attention: _raise(RecognizerError("it failed; try --provider cpu"))
    started = run(recognizer=recognizer)
    assert started.engine.wait(60)
    assert started.engine.failure == Failure("recognizer", "it failed; try --provider cpu")


def test_a_file_that_fails_in_the_middle_gives_what_it_had(run):
    source = FakeSource(live=False, fps=20, at={60: SourceError("damaged at 3.0 s; copy it again")})
    started = run(source, paced=False)
    assert started.engine.wait(60)
    assert started.results[-1].frame.index == 59
    assert [event.kind for event in started.events] == ["start", "end"]
    assert started.engine.state is FAILED
    assert started.engine.failure.message == "damaged at 3.0 s; copy it again"


def test_a_lost_source_is_opened_again_with_growing_waits(run, monkeypatch):
    told = []
    lost = SourceLost("the cable is out")
    sources = [FakeSource(at={20: lost}), lost, lost, lost, lost, FakeSource()]
    started = run(sources=sources, begin=False)
    monkeypatch.setattr(started.engine._capture, "_on_failure", lambda f: (told.append(f), started.engine.report(f)))
    started.engine.start()
    until(lambda: len(started.results) > 30)
    assert [failure.retry_in_s for failure in told] == [0.02, 0.04, 0.08, 0.08, 0.08]
    assert not any(failure.fatal for failure in told)
    assert started.engine.state is RUNNING
    assert started.engine.failure is None
    times = [result.frame.time_s for result in started.results]
    assert times == sorted(set(times)), "time goes on across the loss"
    indices = [result.frame.index for result in started.results]
    assert indices == sorted(set(indices))


def test_while_it_is_lost_the_run_says_so(run):
    patient = Timing(stall_s=0.2, retry_s=(30.0,))
    started = run(FakeSource(at={20: SourceLost("the cable is out")}), timing=patient)
    until(lambda: started.engine.state is EngineState.RETRYING)
    assert started.engine.failure == Failure("source", "the cable is out", fatal=False, retry_in_s=30.0)
    begin = time.monotonic()
    started.engine.stop()
    assert time.monotonic() - begin < 10
    assert started.engine.state is STOPPED


def test_a_stalled_source_is_opened_again(run):
    first = FakeSource(at={20: "stall"})
    started = run(sources=[first, FakeSource()])
    until(lambda: len(started.results) > 20 and started.results[-1].frame.index > 25)
    assert first.closed.is_set()
    assert started.engine.failure is None


def test_a_driver_that_hangs_is_left_behind(run):
    started = run(sources=[StuckSource(stuck_at=20), FakeSource()])
    until(lambda: len(started.results) > 20 and started.results[-1].frame.index > 25)
    assert started.engine.state is RUNNING


def test_drivers_that_hang_again_and_again_take_few_threads(run):
    def stuck():
        return StuckSource(stuck_at=1)

    started = run(sources=[stuck] * 50, timing=Timing(open_s=0.1, stall_s=0.05, retry_s=(0.01,)))
    until(lambda: sum(thread.name == "capture" for thread in threading.enumerate()) >= 3)
    time.sleep(0.5)
    assert sum(thread.name == "capture" for thread in threading.enumerate()) <= 3
    started.engine.stop(0.2)


def test_an_unexpected_error_of_a_source_is_a_failure_of_ours(run):
    started = run(FakeSource(at={20: ZeroDivisionError("oops")}))
    assert started.engine.wait(60)
    assert started.engine.failure == Failure("internal", "ZeroDivisionError: oops")


def test_an_output_that_fails_is_told_and_left_out(run):
    calls = []

    def full(result):
        calls.append(result)
        raise OutputError("the disk is full; make room")

    started = run(begin=False)
    started.engine.add_tap(full)
    started.engine.start()
    until(lambda: len(started.results) > 10)
    assert len(calls) == 1
    assert started.engine.failure == Failure("output", "the disk is full; make room", fatal=False)
    assert started.engine.state is RUNNING


def test_a_removed_tap_gets_nothing_more(run):
    started = run()
    until(lambda: len(started.results) > 3)
    started.engine.remove_tap(started.results.append)
    time.sleep(0.05)
    count = len(started.results)
    time.sleep(0.1)
    assert len(started.results) == count


# Stop, pause, swap.


def test_stop_from_a_tap_does_not_wait_for_itself(run):
    started = run(begin=False)
    started.engine.add_tap(lambda result: started.engine.stop())
    started.engine.start()
    assert started.engine.wait(60)
    assert started.engine.state is STOPPED


def test_stop_before_start_and_stop_twice(run):
    started = run(begin=False)
    started.engine.stop()
    started.engine.stop()
    assert started.engine.state is STOPPED
    assert started.engine.wait(0)


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.005, 0.02, 0.1])
@pytest.mark.parametrize("live", [True, False])
def test_stop_at_any_moment(run, delay_s, live):
    started = run(FakeSource(live=live, fps=200 if live else 0), paced=live)
    time.sleep(delay_s)
    begin = time.monotonic()
    started.engine.stop()
    assert time.monotonic() - begin < 10
    assert started.engine.state is STOPPED
    assert not any(thread.name in ("capture", "capture-watch", "inference") for thread in threading.enumerate())


def test_stop_while_opening_hangs(run):
    hold = threading.Event()

    def hang():
        hold.wait()
        return FakeSource()

    started = run(sources=[hang], timing=Timing(open_s=60))
    time.sleep(0.05)
    begin = time.monotonic()
    started.engine.stop(0.5)
    assert time.monotonic() - begin < 10
    assert started.engine.state is STOPPED
    hold.set()


def test_a_source_that_opens_after_the_stop_is_closed(run):
    hold = threading.Event()
    late = FakeSource()

    def hang():
        hold.wait()
        return late

    started = run(sources=[hang])
    started.engine.stop(0.2)
    hold.set()
    until(late.closed.is_set)


def test_stop_while_a_read_hangs(run):
    source = StuckSource(stuck_at=20)
    started = run(source, timing=Timing(stall_s=60))
    until(lambda: source.read_count == 20)
    begin = time.monotonic()
    started.engine.stop(0.5)
    assert time.monotonic() - begin < 10


def settled(started):
    """How many results there are once what was under way has come."""
    count = -1
    while len(started.results) != count:
        count = len(started.results)
        time.sleep(0.3)
    return count


def test_a_paused_live_run_shows_nothing_and_lags_nothing_afterwards(run):
    started = run()
    until(lambda: len(started.results) > 10)
    started.engine.pause()
    count = settled(started)
    assert started.engine.state is EngineState.PAUSED
    captured = started.engine.stats().captured
    time.sleep(0.3)
    assert len(started.results) == count
    assert started.engine.stats().captured > captured + 5, "the camera is read on"
    started.engine.resume()
    until(lambda: len(started.results) > count)
    assert started.results[count].age_ms < 200
    assert started.results[count].persons[0].decision is None, "the windows are empty after a pause"
    assert started.engine.state is RUNNING


def test_after_a_pause_that_is_no_gap_the_windows_are_empty_too(run):
    started = run()
    until(lambda: started.results and started.results[-1].persons[0].decision is not None)
    started.engine.pause()
    time.sleep(0.05)
    count = len(started.results)
    started.engine.resume()
    until(lambda: any(result.persons[0].decision is None for result in started.results[count:]))


def test_a_paused_file_goes_on_where_it_was(run):
    estimator = FakeEstimator(work_s=0.002)
    started = run(FakeSource(live=False, frames=400, fps=0), estimator=estimator, paced=False)
    until(lambda: len(started.results) > 10)
    started.engine.pause()
    count = settled(started)
    time.sleep(0.2)
    assert len(started.results) == count < 400
    started.engine.resume()
    assert started.engine.wait(60)
    assert [frame.index for frame in estimator.seen] == list(range(400))


def test_stop_while_paused(run):
    started = run(FakeSource(live=False, frames=100, fps=0), paced=False)
    started.engine.pause()
    time.sleep(0.05)
    started.engine.stop()
    assert started.engine.state is STOPPED


def test_swap_under_load(run):
    old, new = FakeRecognizer(name="old"), FakeRecognizer(name="new", action="idle", fps=25.0, frames=3)
    hold = threading.Event()

    def slow():
        hold.wait(60)
        return new

    started = run(recognizer={"act": old, "other": slow})
    until(lambda: len(old.batches) > 3)
    started.engine.swap_recognizer("other", "cpu")
    served = len(old.batches)
    until(lambda: len(old.batches) > served + 3)  # the old one serves while the new one loads
    assert started.engine.info.recognizer == "old"
    hold.set()
    until(lambda: len(new.batches) > 3)
    assert old.closed
    assert started.engine.info.recognizer == "new"
    started.engine.stop()
    assert new.closed
    assert started.engine.failure is None


def test_a_swap_that_fails_leaves_the_old_one_serving(run):
    old = FakeRecognizer()
    started = run(recognizer={"act": old, "bad": CardError("no such model; choose another"), "good": FakeRecognizer()})
    until(lambda: len(old.batches) > 3)
    started.engine.swap_recognizer("bad", "cpu")
    until(lambda: started.engine.failure is not None)
    assert started.engine.failure == Failure("recognizer", "no such model; choose another", fatal=False)
    served = len(old.batches)
    until(lambda: len(old.batches) > served + 3)
    started.engine.swap_recognizer("good", "cpu")
    until(lambda: started.engine.failure is None)


def test_of_two_swaps_the_later_wins(run):
    hold = threading.Event()
    first, second = FakeRecognizer(name="first"), FakeRecognizer(name="second")

    def slow():
        hold.wait(60)
        return first

    started = run(recognizer={"act": FakeRecognizer(), "first": slow, "second": second})
    until(lambda: started.engine.state is RUNNING)
    started.engine.swap_recognizer("first", "cpu")
    started.engine.swap_recognizer("second", "cpu")
    until(lambda: started.engine.info.recognizer == "second")
    hold.set()
    until(lambda: first.closed)
    assert started.engine.info.recognizer == "second"


@pytest.mark.parametrize("error", [CardError("no such model; choose another"), RuntimeError("oops")])
def test_a_swap_that_fails_when_another_is_wanted_says_nothing(run, error):
    hold = threading.Event()

    def slow():
        hold.wait(60)
        raise error

    started = run(recognizer={"act": FakeRecognizer(), "bad": slow, "good": FakeRecognizer(name="good")})
    until(lambda: started.engine.state is RUNNING)
    started.engine.swap_recognizer("bad", "cpu")
    loading = started.engine._loader
    started.engine.swap_recognizer("good", "cpu")
    until(lambda: started.engine.info.recognizer == "good")
    hold.set()
    loading.join(60)
    assert started.engine.failure is None


def test_a_run_that_ends_just_before_another_recognizer_takes_over_closes_both(run):
    old, new = FakeRecognizer(name="old"), FakeRecognizer(name="new")
    started = run(recognizer={"act": old, "other": new}, begin=False)
    engine = started.engine

    class LockForTheOneWhoStops:
        """Whoever ends the run takes it before the thread that is about to put the other recognizer in."""

        def __init__(self):
            self.ended, self._lock = False, threading.Lock()

        def __enter__(self):
            waiting = threading.current_thread() is engine._inference and engine._next_recognizer is not None
            if waiting and not self.ended:
                self.ended = True
                engine._end(STOPPED)
            self._lock.acquire()

        def __exit__(self, *_):
            self._lock.release()

    lock = engine._lock = LockForTheOneWhoStops()
    engine.start()
    until(lambda: len(old.batches) > 3)
    engine.swap_recognizer("other", "cpu")
    until(lambda: lock.ended)
    engine.stop(60)
    assert engine.failure is None
    assert (old.closed, new.closed) == (True, True)
    assert engine.info.recognizer == "old"


def test_everything_is_closed_at_the_end(run):
    source, estimator, recognizer = FakeSource(), FakeEstimator(), FakeRecognizer()
    started = run(source, estimator=estimator, recognizer=recognizer)
    until(lambda: len(started.results) > 3)
    started.engine.stop()
    assert source.closed.is_set()
    assert estimator.closed
    assert recognizer.closed
