"""Every window and page at every size: nothing overlaps, is cut off or out of reach, and Tab goes in reading order."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import test_attention
import window_fakes as fakes
from geometry import faults
from library_window_fakes import record
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QMainWindow, QScrollArea, QWidget

from app.recording.folder import library_root
from app.results import Failure, StatsSnapshot
from app.ui import screen
from app.ui.alerts.dialog import AlertsDialog
from app.ui.alerts.rule_form import RuleForm
from app.ui.library.keys_dialog import KeysDialog
from app.ui.library.library_window import LibraryWindow
from app.ui.shortcuts import ShortcutsDialog

# In logical pixels: a screen of 3840x2160 at a scale of 2 is one of 1920x1080, of 1600x900 one of 800x450, of which the
# title bar takes some. What is slow lies between the others.
SIZES = [
    (800, 410),
    *(pytest.param(size, marks=pytest.mark.slow) for size in ((900, 600), (1366, 768))),
    (1920, 1080),
]
TIMEOUT_MS = 60_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def sized(request, running, engines, qtbot, monkeypatch):
    """The main window at a size, with two people in view, and the library with something in it."""
    for module in ("control", "comparison"):
        monkeypatch.setattr(f"app.ui.attention.{module}.Explainer", test_attention.FakeExplainer)
    running.resize(*request.param)
    engines.last.snapshot = StatsSnapshot(120.0, 118.0, 1234.0, 2345.0, 99999, 9, 99999)
    show_two_people(running, engines)
    return running


def show_two_people(window, engines):
    seen = test_attention.result_with_clips(3.0, persons=((0, "jumping_jacks"), (1, "sit_down")))
    engines.last.give(replace(seen, events=(fakes.start("jumping_jacks", 1.0), fakes.end("sit_down", 2.0))))
    window.live.pull()
    window._refresh()
    window._show_stats()


def layout_faults(window, qtbot):
    """Wait until it is laid out, and say what is wrong with it."""
    for _ in range(20):
        qtbot.wait(20)
        found = faults(window)
        if not found:
            break
    return found


def test_the_main_window(sized, qtbot):
    assert layout_faults(sized, qtbot) == ""


@pytest.mark.parametrize("size", SIZES)
def test_the_strip_for_the_demo_and_a_failure(open_window, engines, qtbot, size):
    window = open_window(source="auto")
    window.resize(*size)
    engines.last.run("demo")
    engines.last.failure = Failure("source", "camera 0 has no picture: another program uses it", False, 4.0)
    window.live.update_state()
    show_two_people(window, engines)
    assert window.demo.isVisible()
    assert window.banner.isVisible()
    assert layout_faults(window, qtbot) == ""


def test_the_record_bar(sized, qtbot):
    sized.actions_by_name["record"].trigger()
    assert layout_faults(sized, qtbot) == ""


def test_the_attention_panel_with_another_recognizer_below(sized, engines, qtbot):
    sized.actions_by_name["attention"].trigger()
    show_two_people(sized, engines)
    test_attention.answer(sized)
    assert layout_faults(sized, qtbot) == ""
    comparison = sized.attention.panel.comparison
    other = next(choice.value for choice in comparison.model.choices if choice.value)
    comparison.model.activated.emit(comparison.model.findData(other))
    sized.attention.control.refresh()
    comparison._explainer.explanations.put(test_attention.explained(comparison._asked.clip))
    sized.attention.control.refresh()
    assert comparison.found is not None
    assert layout_faults(sized, qtbot) == ""
    sized.attention.panel.tabs.setCurrentIndex(1)
    sized.attention.control.refresh()
    assert layout_faults(sized, qtbot) == ""
    sized.actions_by_name["record"].trigger()
    assert layout_faults(sized, qtbot) == ""


def test_the_page_that_teaches(sized, qtbot):
    record(library_root(), "jumping_jacks")
    sized.actions_by_name["teach"].trigger()
    qtbot.waitUntil(lambda: sized.teaching.page._takes is not None, timeout=TIMEOUT_MS)
    assert layout_faults(sized, qtbot) == ""


@pytest.mark.parametrize(
    "name", ["alerts", "history", "recognizers", "generated", "shortcuts", "open_url", "about", "documentation"]
)
def test_a_window_beside(sized, qtbot, name):
    opened = beside(sized, sized.actions_by_name[name].trigger)
    opened.resize(sized.size())
    found = layout_faults(opened, qtbot)
    opened.close()
    assert found == ""
    assert opened.width() <= sized.width()
    assert opened.height() <= sized.height()


def test_the_library(sized, qtbot):
    record(library_root(), "jumping_jacks", pictures=True)
    record(library_root(), "sit_down", axis=1)
    sized.actions_by_name["library"].trigger()
    library = sized.findChild(LibraryWindow)
    library.resize(sized.size())
    qtbot.waitUntil(lambda: library.player.stretch is not None, timeout=TIMEOUT_MS)
    found = {"library": layout_faults(library, qtbot)}
    assert library.size() == sized.size()
    for name in ("open_import", "open_export", "open_names", "open_splits"):
        opened = beside(sized, getattr(library, name))
        opened.resize(sized.size())
        found[name] = layout_faults(opened, qtbot)
        opened.close()
    library.close()
    assert set(found.values()) == {""}, found


def shortcuts(window):
    return ShortcutsDialog(window)


def keys_of_the_library(window):
    return KeysDialog(window)


def rule(window):
    return RuleForm(None, ("jumping_jacks", "wave"), (), window)


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize("make", [shortcuts, keys_of_the_library, rule])
def test_no_page_of_a_dialog_is_wider_than_what_shows_it(theme, qtbot, make):
    """As it opens, and as narrow as it goes."""
    holder = QWidget()
    qtbot.addWidget(holder)
    dialog = make(holder)
    dialog.show()
    for _ in range(2):
        qtbot.wait(20)
        assert too_wide(dialog) == []
        dialog.resize(1, 1)
    dialog.close()


@pytest.mark.parametrize("page", [None, "record", "attention", "teach"])
def test_no_page_of_the_main_window_is_wider_than_what_shows_it(running, qtbot, own_library, page):
    if page is not None:
        running.actions_by_name[page].trigger()
    for size in (running.size(), running.minimumSize()):
        running.resize(size)
        qtbot.wait(20)
        assert too_wide(running) == []


def too_wide(window):
    areas = [area for area in window.findChildren(QScrollArea) if area.isVisible() and area.widget() is not None]
    assert areas
    wide = [(area.widget().width(), area.viewport().width()) for area in areas]
    return [(page, shown) for page, shown in wide if page > shown]


def test_a_rule_is_shown_whole_when_it_opens(theme, qtbot):
    """Without scrolling: the last thing that an alert can do is easily missed otherwise."""
    holder = QWidget()
    qtbot.addWidget(holder)
    form = rule(holder)
    form.show()
    qtbot.wait(20)
    (area,) = form.findChildren(QScrollArea)
    assert not area.verticalScrollBar().isVisible()
    form.close()


def test_the_dialog_that_teaches_and_a_rule(sized, qtbot):
    record(library_root(), "jumping_jacks")
    teaching = beside(sized, lambda: sized.beside.teach(sized.live.view))
    teaching.resize(sized.size())
    qtbot.waitUntil(lambda: teaching.list.topLevelItemCount() > 0, timeout=TIMEOUT_MS)
    assert layout_faults(teaching, qtbot) == ""
    teaching.close()
    sized.actions_by_name["alerts"].trigger()
    alerts = sized.findChild(AlertsDialog)
    form = beside(sized, alerts.add.click)
    form.resize(sized.size())
    assert layout_faults(form, qtbot) == ""
    assert form.height() <= sized.height()
    form.close()
    alerts.close()


def beside(window, opens):
    """The window that something opens."""
    before = set(QApplication.topLevelWidgets())
    opens()
    (opened,) = [w for w in QApplication.topLevelWidgets() if w not in before and w.isVisible()]
    return opened


def test_choosers_that_have_no_room_are_behind_one_button(running, qtbot):
    toolbar = running.toolbar
    running.resize(1920, 1080)
    qtbot.waitUntil(lambda: not toolbar.more.isVisible())
    running.resize(800, 500)
    qtbot.waitUntil(toolbar.more.isVisible)
    assert toolbar.is_folded(toolbar.provider)
    assert not toolbar.is_folded(toolbar.source)
    toolbar.more.click()
    assert toolbar.provider.isVisible()
    toolbar.provider.window().hide()
    toolbar.open(toolbar.people)
    assert toolbar.people.view().isVisible()
    toolbar.people.hidePopup()
    toolbar.people.window().hide()


@pytest.mark.parametrize("theme_name", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_a_new_window_fits_a_small_screen_at_the_start(tmp_path, theme_name):
    """In a process of its own, with a screen of 1366x768, and with one of 1600x900 at a scale of 2."""
    code = (
        "import sys; sys.path[:0] = ['tests/ui', '.']\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from window_fakes import Engines\nfrom geometry import faults\n"
        "from app.settings import RunOptions, UserSettings\n"
        "from app.ui.main_window import MainWindow\nfrom app.ui.theme import Theme\n"
        "a = QApplication([])\n"
        f"w = MainWindow(Engines(), RunOptions(), UserSettings(), Theme(a, '{theme_name}'), list)\n"
        "w.show(); a.processEvents(); a.processEvents()\n"
        "print(w.width(), w.height(), w.devicePixelRatio(), repr(faults(w)))\nw.close()\n"
    )
    found = [started(code, tmp_path, *screen) for screen in ((1366, 768, 1), (1600, 900, 2), (3840, 2160, 2))]
    assert found == ["1280 728 1.0 ''", "784 410 2.0 ''", "1280 800 2.0 ''"]


def started(code, folder, width, height, scale):
    said = {"name": "s", "x": 0, "y": 0, "width": width, "height": height}
    said |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    file = folder / f"{width}x{height}x{scale}.json"
    file.write_text(json.dumps({"screens": [said]}))
    own = {name: str(folder) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    environment = {
        **os.environ,
        **own,
        "QT_QPA_PLATFORM": f"offscreen:configfile={file}",
        "QT_SCALE_FACTOR": str(scale),
    }
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_place_that_was_kept_on_a_larger_screen_fits_this_one(qtbot, qapp):
    wide = QMainWindow()
    qtbot.addWidget(wide)
    wide.resize(3000, 2000)
    kept = screen.saved_window(wide)
    window = QMainWindow()
    qtbot.addWidget(window)
    screen.restore_window(window, kept)
    free = window.screen().availableGeometry().size()
    assert window.width() <= free.width()
    assert window.height() <= free.height()
    before = window.size()
    screen.restore_window(window, "no place at all")
    assert window.size() == before


def test_what_is_wrong_is_found(qtbot):
    """The check itself: overlap, text that is cut off, what is outside, no name, Tab that goes back."""
    from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(200, 100)
    last, first, nameless = QPushButton("Later", holder), QPushButton("Earlier", holder), QToolButton(holder)
    text = QLabel("A long text that has no room", holder)
    last.setGeometry(0, 60, 90, 30)
    first.setGeometry(0, 20, 90, 30)
    nameless.setFocusPolicy(last.focusPolicy())
    nameless.setGeometry(180, 70, 40, 30)
    text.setGeometry(0, 10, 60, 20)
    holder.show()
    found = faults(holder)
    for part in (
        "overlaps",
        "needs",
        "is outside of",
        "has no accessible name",
        "Tab goes back from QPushButton 'Later'",
    ):
        assert part in found, part
    assert holder.size() == QSize(200, 100)
