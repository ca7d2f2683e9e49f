"""run_window: the program with a window, from its start to its exit status."""

import os
import signal
import sys
import time

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from window_fakes import Engines, FakeEngine, result

from app.errors import OutputError
from app.results import EngineState
from app.settings import RunOptions, UserSettings
from app.ui.attention.panel import AttentionPanel
from app.ui.main_window import MainWindow
from app.ui.offscreen import show_offscreen
from app.ui.run import run_window


def the_window():
    (window,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()]
    return window


@pytest.fixture
def later(qapp):
    """Does something once the window is there."""

    def do(what, after_ms=150):
        QTimer.singleShot(after_ms, what)

    return do


def test_closing_the_window_is_done(later):
    engines = Engines()
    later(lambda: the_window().close())
    assert run_window(RunOptions(source="demo"), UserSettings(), engines) == 0
    assert engines.last.stopped_on == ["MainThread"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no os.kill for Ctrl-C")
@pytest.mark.parametrize("dialog", ["", "shortcuts", "open_url", "open_file"])
def test_ctrl_c_ends_it_with_130_within_two_seconds(later, dialog):
    engines = Engines()
    asked = []

    def interrupt():
        if dialog:
            the_window().actions_by_name[dialog].trigger()
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    later(interrupt)
    assert run_window(RunOptions(source="demo"), UserSettings(), engines) == 130
    assert time.monotonic() - asked[0] < 2.0
    assert engines.last.stopped_on


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no os.kill for Ctrl-C")
def test_ctrl_c_before_the_window_is_there_ends_it_before_it_is_shown(qapp, monkeypatch):
    engines = Engines()

    def make(options):
        os.kill(os.getpid(), signal.SIGINT)
        return engines(options)

    monkeypatch.setattr(MainWindow, "show", lambda window: pytest.fail("it is shown"))
    assert run_window(RunOptions(source="demo"), UserSettings(), make) == 130
    assert engines.last.stopped_on == ["MainThread"]


def test_outputs_get_the_results_of_every_run(later, tmp_path):
    engines = Engines()
    lines = tmp_path / "out.jsonl"

    def restart():
        engines.last.give(result(1.0))
        the_window().run_choices.restart()
        later(finish)

    def finish():
        assert len(engines.made) == 2
        engines.last.give(result(1.0))
        the_window().close()

    later(restart)
    assert run_window(RunOptions(source="demo", json=str(lines)), UserSettings(), engines) == 0
    assert lines.read_text().count('"prediction"') == 2


def test_an_output_that_cannot_be_opened_opens_no_window(tmp_path):
    engines = Engines()
    with pytest.raises(OutputError):
        run_window(RunOptions(json=str(tmp_path / "missing" / "out.jsonl")), UserSettings(), engines)
    assert engines.made == []


def test_the_benchmark_s_window_shows_results_until_the_engine_ends(later):
    engine = FakeEngine(RunOptions(source="demo"))
    given = result(1.0)

    deadline_s = time.monotonic() + 60

    def finish():  # a busy machine paints late
        if engine.painted or time.monotonic() > deadline_s:
            engine.state = EngineState.STOPPED
        else:
            later(finish, 50)

    later(lambda: engine.give(given), 50)
    later(finish, 250)
    show_offscreen(engine)
    assert engine.started
    assert engine.painted  # more than once where a slow machine paints it again
    assert all(each is given for each in engine.painted)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no os.kill for Ctrl-C")
def test_ctrl_c_ends_the_benchmark_s_window(later):
    engine = FakeEngine(RunOptions(source="demo"))
    later(lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        show_offscreen(engine)
    assert engine.stopped_on


@pytest.mark.parametrize("attention", [False, True])
def test_the_benchmark_s_window_has_the_attention_panel_open_where_it_is_asked_for(later, attention):
    engine = FakeEngine(RunOptions(source="demo"))
    seen = []

    def finish():
        seen.append(the_window().findChild(AttentionPanel))
        engine.state = EngineState.STOPPED

    later(finish)
    show_offscreen(engine, attention=attention)
    assert (seen[0] is not None) == attention
