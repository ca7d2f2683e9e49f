"""The engine's life as the window drives it."""

import threading
import time
from itertools import pairwise

import pytest
from window_fakes import Engines, end, result, start

from app.errors import OutputError
from app.results import EngineState, Failure
from app.settings import RunOptions
from app.ui.jobs import Jobs
from app.ui.live_run import LiveRun


@pytest.fixture
def live(qtbot, engines):
    jobs = Jobs()
    live = LiveRun(engines, RunOptions(source="0"), jobs)
    yield live
    live.close()
    jobs.close(2.0)


def emitted_values(notifier):
    values = []
    notifier.connect(lambda *args: values.append(args[0] if args else None))
    return values


def test_the_newest_result_comes_once(live, engines):
    shown = emitted_values(live.result)
    live.start()
    first, second = result(1.0), result(1.1)
    engines.last.give(first, second)
    live.pull()
    live.pull()
    assert shown == [second]


def test_events_of_results_that_were_replaced_are_not_lost(live, engines):
    events = emitted_values(live.events)
    live.start()
    engines.last.give(result(1.0, events=[start("walk", 1.0)]), result(3.0, events=[end("walk", 3.0)]), result(3.1))
    live.pull()
    assert [(e.kind, e.action) for batch in events for e in batch] == [("start", "walk"), ("end", "walk")]


def test_events_that_the_stop_brings_are_not_lost(live, engines, qtbot):
    events = emitted_values(live.events)
    live.start()
    engine = engines.last
    stop = engine.stop
    engine.stop = lambda *args: (engine.give(result(2.0, events=[end("walk", 2.0)])), stop(*args))
    live.stop()
    qtbot.waitUntil(lambda: events != [])
    assert events[0][0].kind == "end"


def test_another_source_stops_the_old_engine_off_this_thread_before_the_new_one_starts(live, engines, qtbot):
    engines.stop_s = 0.1
    live.start()
    first = engines.last
    live.start(RunOptions(source="demo"))
    assert len(engines.made) == 1, "two engines at a time would fight over the camera"
    assert live.view.stopping
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert first.stopped_on == ["engine-stop"]
    assert engines.last.options.source == "demo"
    assert engines.last.started


def test_of_many_changes_in_a_row_only_the_last_one_runs(live, engines, qtbot):
    engines.stop_s = 0.1
    live.start()
    for source in ("1", "2", "demo"):
        live.start(RunOptions(source=source))
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    qtbot.wait(150)
    assert [engine.options.source for engine in engines.made] == ["0", "demo"]


def test_stop_while_a_change_is_on_its_way_starts_nothing(live, engines, qtbot):
    engines.stop_s = 0.1
    live.start()
    live.start(RunOptions(source="demo"))
    live.stop()
    qtbot.waitUntil(lambda: not live.view.stopping)
    assert len(engines.made) == 1
    assert live.view.state is EngineState.STOPPED


def test_the_window_goes_on_while_an_engine_takes_two_seconds_to_stop(live, engines, qtbot):
    from PySide6.QtCore import QTimer

    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(10)
    engines.stop_s = 0.6
    live.start()
    before = time.monotonic()
    live.start(RunOptions(source="demo"))
    assert time.monotonic() - before < 0.3, "changing the source blocked"
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    timer.stop()
    assert len(ticks) > 10
    assert max(b - a for a, b in pairwise(ticks)) < 0.4, "the event loop stood still"


def test_a_painted_result_is_reported_to_its_own_engine_only(live, engines, qtbot):
    live.start()
    old = result(1.0)
    engines.last.give(old)
    live.pull()
    live.mark_painted(old)
    live.start(RunOptions(source="demo"))
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    live.mark_painted(old)
    assert engines.made[0].painted == [old]
    assert engines.made[1].painted == []


def test_an_engine_that_cannot_be_made_is_a_failure_that_restart_mends(live, engines):
    engines.refuse = OutputError("the port is in use: choose another")
    live.start()
    assert live.view.state is EngineState.FAILED
    assert live.view.failure.message == "the port is in use: choose another"
    engines.refuse = None
    live.start()
    assert engines.last.started
    assert live.view.failure is None


def test_a_new_failure_of_the_same_text_is_told_anew(live, engines):
    values = emitted_values(live.changed)
    live.start()
    for _ in range(2):
        engines.last.fail(Failure("source", "gone", False, 8.0), EngineState.RETRYING)
        live.update_state()
        live.update_state()
    assert len([view for view in values if view.failure is not None]) == 2


def test_a_recognizer_is_changed_in_the_running_engine(live, engines):
    live.start()
    engines.last.run()
    live.use_recognizer("st-gcn", "cpu")
    assert engines.last.swaps == [("st-gcn", "cpu")]
    assert len(engines.made) == 1
    assert live.view.options.model == "st-gcn"


def test_after_a_change_of_recognizer_that_fails_the_options_say_what_still_runs(live, engines):
    live.start()
    engines.last.run()
    live.use_recognizer("broken", "auto")
    engines.last.failure = Failure("recognizer", "no model 'broken'", fatal=False)
    live.update_state()
    assert (live.view.options.model, live.view.options.provider) == ("act", "auto")
    live.use_recognizer("st-gcn", "auto")
    assert live.view.options.model == "st-gcn", "an old failure must not undo a new choice"


def test_another_recognizer_after_a_failure_starts_the_run(live, engines, qtbot):
    live.start()
    engines.last.fail(Failure("recognizer", "no model 'act'"))
    live.use_recognizer("st-gcn", "auto")
    qtbot.waitUntil(lambda: len(engines.made) == 2)
    assert engines.last.options.model == "st-gcn"


def test_another_recognizer_while_stopped_waits_for_the_start(live, engines, qtbot):
    live.start()
    live.stop()
    qtbot.waitUntil(lambda: not live.view.stopping)
    live.use_recognizer("st-gcn", "cpu")
    assert len(engines.made) == 1
    live.start()
    assert engines.last.options.model == "st-gcn"


def test_pause_and_on(live, engines):
    live.start()
    engines.last.run()
    live.toggle_pause()
    assert live.view.state is EngineState.PAUSED
    live.toggle_pause()
    assert live.view.state is EngineState.RUNNING


def test_a_stop_that_raises_does_not_hold_up_the_next_run(live, qtbot, engines):
    live.start()

    def broken(timeout_s=2.0):
        raise RuntimeError("the driver is broken")

    engines.last.stop = broken
    live.start(RunOptions(source="demo"))
    qtbot.waitUntil(lambda: len(engines.made) == 2)


def test_jobs_tell_one_line_of_what_raised(qtbot):
    jobs = Jobs()
    lines = []

    def fails():
        raise OutputError("make room")

    jobs.start("failing", fails, lines.append, lines.append)
    qtbot.waitUntil(lambda: lines == ["make room"])
    jobs.close(1.0)


def test_jobs_closed_deliver_nothing(qtbot):
    jobs = Jobs()
    delivered = []
    jobs.start("slow", lambda: time.sleep(0.05), delivered.append)
    assert jobs.close(2.0)
    qtbot.wait(60)
    assert delivered == []


def test_a_job_whose_outcome_cannot_be_told_does_not_cost_the_others(qtbot):
    jobs, delivered = Jobs(), []

    def refuses(_):
        raise RuntimeError("its dialog is gone")

    threads = threading.Barrier(3)  # all end within one tick
    for done in (refuses, delivered.append, refuses):
        jobs.start("job", threads.wait, done)
    with qtbot.capture_exceptions() as raised:
        qtbot.waitUntil(lambda: len(raised) == 2 and len(delivered) == 1)
    jobs.close(1.0)


def test_engines_fake_is_as_the_engine():
    """The fake must not offer what the real engine lacks."""
    from app.live.engine import Engine

    fake = Engines()(RunOptions())
    used = ("add_tap", "start", "stop", "pause", "resume", "swap_recognizer", "stats", "mark_painted")
    for name in used:
        assert callable(getattr(Engine, name)), name
        assert callable(getattr(fake, name)), name
    for name in ("state", "failure", "info", "progress"):
        assert isinstance(getattr(Engine, name), property)
        assert hasattr(fake, name)
