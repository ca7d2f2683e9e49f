"""Every window of the program closes by every way to close it, and the program ends with windows open or at work."""

import inspect
import json
import os
import pkgutil
import subprocess
import sys
import time
from pathlib import Path

import closing_program
import pytest
import window_fakes as fakes
from closing_program import OPENERS, WAYS
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMainWindow,
    QSlider,
    QTabBar,
)

import app.ui
from app.library.catalogue import Library
from app.library.shared_library import borrow

END_S = 60.0  # on an idle machine it takes less than 2 s; what is stuck would hold it up for twice as long as this
_ROOT = Path(__file__).resolve().parents[2]
_BESIDE = (
    "ShortcutsDialog",
    "TeachDialog",
    "RecognizersDialog",
    "GeneratedWindow",
    "AlertsDialog",
    "HistoryPage",
    "LibraryWindow",
    "AboutDialog",
    "Documentation",
    "DoctorDialog",
)
_OF_LIBRARY = ("NamesDialog", "SplitsDialog", "KeysDialog", "ExportDialog", "ImportDialog")
_QUESTIONS = ("SourceDialog", "QFileDialog", "RightActionDialog", "QMessageBox", "RuleForm")
_WORKERS = ("TeachDialog", "ExportDialog", "ImportDialog")


def drive(*arguments):
    """The lines of closing_program.py, its exit status, and the seconds from Ctrl+Q to the end of the process."""
    folders = [_ROOT, _ROOT / "tests" / "app", _ROOT / "tests" / "ui"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, closing_program.__file__, *arguments]
    lines, quit_s = [], None
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            for line in process.stdout:
                lines.append(json.loads(line))
                assert "stuck" not in lines[-1], lines
                if "quit" in lines[-1]:
                    quit_s = time.monotonic()
                    status = process.wait(closing_program.TIMEOUT_S)
                    return lines, status, time.monotonic() - quit_s
        finally:
            process.kill()
    pytest.fail(f"it ended before its time: {lines}")


@pytest.fixture
def opened_window(running, engines, tmp_path, monkeypatch, qtbot):
    """Opens a window of the program by its kind."""

    def make(kind):
        monkeypatch.setattr("app.recording.folder.user_data_path", lambda *_, **__: tmp_path)
        running.recording.root = tmp_path / "library"
        closing_program.fill_library()
        engines.last.give(fakes.result(1.0))
        running.actions_by_name["record"].trigger()
        owner, opener = OPENERS[kind]
        window = running
        if owner == "library":
            running.actions_by_name["library"].trigger()
            window = closing_program.found("LibraryWindow")
            qtbot.waitUntil(lambda: window.library is not None, timeout=60_000)
        opener(window)
        qtbot.waitUntil(lambda: closing_program.found(kind) is not None)
        return closing_program.found(kind)

    yield make
    running.close()


# What is slow is a process for one window each; Ctrl+Q in each of them: test_a_window_says_why_..._ends_everything.
_SLOW = ("QFileDialog", "RightActionDialog", "RuleForm", "QMessageBox")


@pytest.mark.parametrize(
    "kinds",
    [
        _BESIDE,
        _OF_LIBRARY,
        *(pytest.param((each,), marks=[pytest.mark.slow] * (each in _SLOW)) for each in _QUESTIONS),
    ],
)
def test_windows_close_and_the_program_ends_with_them_open(kinds):
    lines, status, seconds = drive(",".join(kinds))
    assert lines[:-1] == [{"kind": kind, "way": way} for kind in kinds for way in WAYS]
    assert set(kinds) <= set(lines[-1]["quit"])
    assert status == 0
    assert seconds < END_S


@pytest.mark.parametrize("work", ["working", "stuck"])
def test_windows_at_work_ask_and_the_program_ends_all_the_same(work):
    kinds = _WORKERS if work == "working" else ("ImportDialog",)
    lines, status, seconds = drive(",".join(kinds), work)
    assert lines[:-1] == [{"kind": kind, "way": way} for kind in kinds for way in WAYS]
    assert set(kinds) <= set(lines[-1]["quit"])
    assert status == 0
    assert seconds < END_S


def test_no_window_of_the_program_is_left_out():
    """A new dialog has to be entered in closing_program.OPENERS."""
    kinds = set()
    for module in pkgutil.walk_packages(app.ui.__path__, "app.ui."):
        if module.name.endswith(".bench"):
            continue
        members = vars(__import__(module.name, fromlist=["_"])).values()
        kinds |= {
            member.__name__
            for member in members
            if inspect.isclass(member)
            and issubclass(member, QDialog | QMainWindow)
            and member.__module__ == module.name
        }
    bases = {"MainWindow", "ClosingDialog", "TransferDialog"}
    assert kinds - bases == set(OPENERS) - {"QFileDialog", "QMessageBox"}
    assert set(_BESIDE + _OF_LIBRARY + _QUESTIONS) == set(OPENERS)


def is_free(root):
    """Whether a library can be opened to be changed."""
    with Library(root) as library:
        return not library.read_only


@pytest.mark.parametrize("kind", OPENERS)
def test_a_window_says_why_a_control_cannot_be_used_and_ctrl_q_in_it_ends_everything(
    kind, opened_window, engines, tmp_path, qtbot
):
    dialog = opened_window(kind)
    qtbot.wait(300)  # lists are read on jobs
    if kind != "QFileDialog":  # Qt's own
        assert mute_controls(dialog) == []
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    QTest.keyClick(dialog, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert [type(w).__name__ for w in QApplication.topLevelWidgets() if w.isVisible()] == []
    assert engines.last.stopped_on
    # A job that was reading it may take a moment more to let the library go.
    qtbot.waitUntil(lambda: is_free(tmp_path / "library"), timeout=60_000)


def test_a_library_that_is_opened_too_late_for_its_window_is_let_go(running, tmp_path, monkeypatch, qtbot):
    """Whether the job that opens it ends before or after the window has waited for it."""
    from app.ui.library import library_window

    running.recording.root = tmp_path / "library"
    for opens_s in (0.1, 1.0):

        def late(root, opens_s=opens_s):
            time.sleep(opens_s)
            return borrow(root)

        monkeypatch.setattr(library_window, "borrow", late)
        running.actions_by_name["library"].trigger()
        closing_program.found("LibraryWindow").close()
        qtbot.wait(1500)
        assert is_free(tmp_path / "library")


def test_an_import_after_a_refused_close_comes_to_its_end(running, tmp_path, monkeypatch, qtbot):
    """A question that is answered with "Go on" leaves the dialog as it was."""
    monkeypatch.setattr("app.ui.library.import_dialog.import_any", closing_program.slowly(0.0))
    running.recording.root = tmp_path / "library"
    running.actions_by_name["library"].trigger()
    window = closing_program.found("LibraryWindow")
    qtbot.waitUntil(lambda: window.library is not None, timeout=60_000)
    window.open_import()
    dialog = closing_program.found("ImportDialog")
    closing_program.start_work(dialog)
    window.close()
    question = closing_program.found("QMessageBox")
    assert question.text() == "Import is running. Stop it? What is finished is kept."
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert dialog.isVisible()
    dialog.stop.click()
    qtbot.waitUntil(lambda: "cancelled" in dialog.state.text(), timeout=60_000)
    window.close()


def mute_controls(window):
    """Those that cannot be used and do not say why."""
    controls = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QSlider)
    return [
        f"{type(part).__name__} {part.accessibleName() or getattr(part, 'text', str)()!r}"
        for control in controls
        for part in window.findChildren(control)
        if part.isVisible() and not part.isEnabled() and not part.toolTip() and not inside(part)
    ]


def inside(part):
    """Whether it is a part of a control, as the line of a spin box."""
    return isinstance(part.parentWidget(), QAbstractSpinBox | QComboBox | QLineEdit | QTabBar)


def test_no_key_means_one_thing_here_and_another_there(opened_window, running):
    library = opened_window("LibraryWindow")
    both = {}
    for window in (running, library):
        for action in window.actions():
            if not action.shortcut().isEmpty():
                both.setdefault(action.shortcut().toString(), set()).add(action.text().replace("&", ""))
    twice = {key: texts for key, texts in both.items() if len(texts) > 1}
    # F1 lists the keys of the window that it is pressed in; Ctrl and a figure is a choice in both.
    assert set(twice) == {"F1", "Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+4", "Ctrl+5"}
