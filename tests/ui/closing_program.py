"""The real program on a fake source, driven on its own event loop: closing_program.py KIND,... [working|stuck].

It opens each kind of window and closes it with Esc, with its close button and with its X: a line of JSON for each that
has gone. Then it opens all of them and presses Ctrl+Q in the last; {"quit": [windows]} is the last line. A line with
"stuck" says what it waited for in vain. working: there is something at work in them; stuck: which does not end.
"""

import json
import os
import sys
import time

import numpy as np
from engine_fakes import FakeEstimator, FakeRecognizer, FakeSource, InPlace
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialogButtonBox

from app.cli import run
from app.library.catalogue import Library
from app.library.import_report import ImportReport
from app.live import run_inputs
from app.recording.folder import library_root
from app.recording.writer import RecordingWriter
from pose.skeleton import MPOSE_13
from pose.types import Pose

TIMEOUT_S = 120.0
_TICK_MS = 20
_REPORT_FD = os.dup(1)

# What opens each window, from the window before it: "window" or "library".
OPENERS = {
    "ShortcutsDialog": ("window", lambda w: w.actions_by_name["shortcuts"].trigger()),
    "SourceDialog": ("window", lambda w: w.actions_by_name["open_url"].trigger()),
    "QFileDialog": ("window", lambda w: w.actions_by_name["open_file"].trigger()),
    "RightActionDialog": ("window", lambda w: w.actions_by_name["wrong"].trigger()),
    "AlertsDialog": ("window", lambda w: w.actions_by_name["alerts"].trigger()),
    "RuleForm": ("window", lambda w: (w.actions_by_name["alerts"].trigger(), found("AlertsDialog").add.click())),
    "HistoryPage": ("window", lambda w: w.actions_by_name["history"].trigger()),
    "LibraryWindow": ("window", lambda w: w.actions_by_name["library"].trigger()),
    "TeachDialog": ("window", lambda w: w.beside.teach(w.live.view)),
    "RecognizersDialog": ("window", lambda w: w.actions_by_name["recognizers"].trigger()),
    "GeneratedWindow": ("window", lambda w: w.actions_by_name["generated"].trigger()),
    "AboutDialog": ("window", lambda w: w.actions_by_name["about"].trigger()),
    "Documentation": ("window", lambda w: w.actions_by_name["documentation"].trigger()),
    "DoctorDialog": ("window", lambda w: w.actions_by_name["doctor"].trigger()),
    "ImportDialog": ("library", lambda w: w.commands["import"].trigger()),
    "ExportDialog": ("library", lambda w: w.commands["export"].trigger()),
    "NamesDialog": ("library", lambda w: w.commands["names"].trigger()),
    "SplitsDialog": ("library", lambda w: w.commands["splits"].trigger()),
    "KeysDialog": ("library", lambda w: w.commands["keys"].trigger()),
    "QMessageBox": ("library", lambda w: w.commands["empty_bin"].trigger()),
}
WAYS = ("Esc", "button", "X")
_CLOSE_WORDS = ("Close", "Cancel")


def fill_library():
    """Six takes of two actions, and one recording in the bin."""
    root = library_root()
    for number in range(7):
        writer = RecordingWriter(
            root, source="demo", session=f"session {number % 2}", layout=MPOSE_13, size=(64, 48),
            action=("wave", "hop")[number % 2], skeleton_only=True, lossless=True,
        )  # fmt: skip
        for frame in range(60):
            xy = np.linspace((10, 10), (40, 40), 13).astype(np.float32)
            xy[:, number % 2] += 8 * np.sin(frame / 3 + number)
            writer.add(frame / 30, None, [Pose(xy, np.ones(13, np.float32), MPOSE_13, frame / 30)])
        writer.finish()
    with Library(root) as library:
        library.delete_recordings([library.recordings()[0].id])


def slowly(ends_s):
    """An import or an export that takes so long to end once it is told to."""

    def work(*_, cancel, **__):
        cancel.wait(TIMEOUT_S)
        time.sleep(ends_s)
        return ImportReport(cancelled=True)

    return work


def start_work(dialog):
    """Let a dialog do what takes long."""
    kind = type(dialog).__name__
    if kind == "ImportDialog":
        dialog.add(["/some/videos"])
        dialog.start()
    elif kind == "ExportDialog":
        dialog.target.setText("/some/file")
        dialog.start()
    elif kind == "TeachDialog":
        dialog.toggle()


def is_working(dialog):
    if type(dialog).__name__ == "TeachDialog":
        return dialog.training.job is not None
    return dialog._cancel is not None


def close_button(dialog):
    """The button that closes it; None where there is none."""
    for box in dialog.findChildren(QDialogButtonBox):
        for kind in (QDialogButtonBox.StandardButton.Close, QDialogButtonBox.StandardButton.Cancel):
            if box.button(kind) is not None:
                return box.button(kind)
    for button in dialog.findChildren(QAbstractButton):
        if button.text().replace("&", "") in _CLOSE_WORDS and button.isVisible():
            return button
    return None


class Driver:
    """Steps of a generator, which yields what it waits for: (what, condition)."""

    def __init__(self, kinds, working):
        self.kinds, self.working = kinds, working
        self._steps = self._script()
        self._waits = next(self._steps)
        self._deadline_s = time.monotonic() + TIMEOUT_S
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(_TICK_MS)

    def _tick(self):
        what, condition = self._waits
        if not condition():
            if time.monotonic() > self._deadline_s:
                self._timer.stop()
                report(stuck=what)
            return
        self._deadline_s = time.monotonic() + TIMEOUT_S
        try:
            self._waits = next(self._steps)
        except StopIteration:
            self._timer.stop()

    def _script(self):
        yield "the window", lambda: found("MainWindow") is not None
        main = found("MainWindow")
        yield "the first result", lambda: main.video.result is not None
        main.actions_by_name["record"].trigger()
        for kind in self.kinds:
            for way in WAYS:
                yield from self._open(kind)
                yield from self._close(kind, way)
        for kind in self.kinds:
            yield from self._open(kind)
        dialog = found(self.kinds[-1])
        dialog.activateWindow()
        yield "being active", lambda: QApplication.activeWindow() is dialog
        report(quit=[type(w).__name__ for w in QApplication.topLevelWidgets() if w.isVisible()])
        QTest.keyClick(dialog, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
        if self.working:
            yield "the question", lambda: found("QMessageBox") is not None
            next(b for b in found("QMessageBox").buttons() if b.text() == "&Stop").click()

    def _open(self, kind):
        owner, opener = OPENERS[kind]
        if owner == "library" and found("LibraryWindow") is None:
            found("MainWindow").actions_by_name["library"].trigger()
        yield "the library", lambda: owner != "library" or found("LibraryWindow").library is not None
        opener(found({"window": "MainWindow", "library": "LibraryWindow"}[owner]))
        yield f"opening {kind}", lambda: found(kind) is not None
        dialog = found(kind)
        if self.working:
            ready = getattr(dialog, "list", None)
            yield "something to do", lambda: ready is None or ready.topLevelItemCount() > 0
            start_work(dialog)
            yield "work", lambda: is_working(dialog)

    def _close(self, kind, way):
        dialog = found(kind)
        dialog.activateWindow()
        yield f"{kind} being active", lambda: QApplication.activeWindow() is dialog
        if way == "Esc" and kind != "LibraryWindow":  # where it leads back to the list
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
        elif way == "button" and (button := close_button(dialog)) is not None:
            if self.working and button.text() == "Cancel":
                button.click()
                yield f"{kind} being told", lambda: button.text() == "Close"
            button.click()
        else:
            dialog.close()
        if self.working and (question := found("QMessageBox")) is not None:
            yield "going on meanwhile", lambda: is_working(dialog)
            next(b for b in question.buttons() if b.text() == "&Stop").click()
        yield f"{way} closing {kind}", lambda: found(kind) is None
        report(kind=kind, way=way)


def found(kind):
    """The visible window of a class."""
    for widget in QApplication.topLevelWidgets():
        if type(widget).__name__ == kind and widget.isVisible():
            return widget
    return None


def report(**values):
    """Write to a separate descriptor: stdout is silenced while the recognizer's runtime loads."""
    os.write(_REPORT_FD, f"{json.dumps(values)}\n".encode())


def main():
    kinds, working = sys.argv[1].split(","), sys.argv[2:] != []
    work_s = TIMEOUT_S if sys.argv[2:] == ["stuck"] else 0.2
    sys.argv = [sys.argv[0], "--camera", "demo"]
    fill_library()
    run_inputs.open_source = lambda options: FakeSource(fps=15.0)
    run_inputs.open_recognizer = lambda model, provider: FakeRecognizer()
    run_inputs.open_pose_worker = lambda options, progress, cancel: InPlace(FakeEstimator())
    import app.library.export_formats as exporting
    import app.teaching_process as teaching  # only now: the engine keeps what `opening` has when it is imported
    import app.ui.library.import_dialog as importing
    import app.ui.run as program

    importing.import_any = slowly(work_s)
    exporting.ExportFormat.write = lambda _, export: slowly(work_s)(cancel=export.cancel)
    teaching.command_of = lambda kind: [sys.executable, "-c", "import time; time.sleep(60)"]
    show = program.show_until_closed
    driven = []

    def show_and_drive(*args):
        driven.append(Driver(kinds, working))
        show(*args)

    program.show_until_closed = show_and_drive
    run()


if __name__ == "__main__":
    main()
