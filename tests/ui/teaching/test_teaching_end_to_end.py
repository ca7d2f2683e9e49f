"""The real window from a person nobody knows to two actions recognised: record, label, teach, use, on other footage.

The person is the demo's rendered one, whose true joints stand for what MediaPipe would find: that takes most of the
time and is tested elsewhere. Everything else is what runs live: engine, recorder, library, the process that teaches.
"""

import threading
import time

import numpy as np
import pytest
from actor import PLACES
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QTableView

from app.library.catalogue import Library
from app.recording.recorder import RecorderState
from app.ui.library.library_window import LibraryWindow
from app.ui.teaching.teach_dialog import TeachDialog
from pose.demo.source import DemoSource
from pose.skeleton import MEDIAPIPE_33
from pose.source import SourceInfo
from pose.types import Frame, Pose

TIMEOUT_MS = 300_000  # about forty seconds in all on a quiet machine
pytestmark = pytest.mark.timeout(1200)

SIZE, FPS, SPEEDUP = (160, 120), 15.0, 4.0  # frames come four times as fast as their times say
TAUGHT = {"hail a taxi": "wave", "deep bob": "squat"}  # names that no shipped recognizer has


class Stage:
    """A source, and the estimator that goes with it: the person does one action, to and fro, until told another."""

    def __init__(self):
        self.info = SourceInfo("stage", False, SIZE, FPS, None)
        self._poses, self._number, self._closed = {}, 0, threading.Event()
        self.speedup = SPEEDUP
        self.play("idle", look=0)

    def play(self, action, look, speed=1.0):
        source = DemoSource(seed=look, size=SIZE, paced=False)
        segment = next(each for each in source.script if each.action == action)
        self._act = source, segment.start_s, segment.end_s - segment.start_s, speed

    def read(self):
        if self._closed.wait(1 / FPS / self.speedup):
            return None
        time_s, number = self._number / FPS, self._number
        source, start_s, length_s, speed = self._act
        passed_s = time_s * speed % (2 * length_s)
        joints = source.truth(start_s + min(passed_s, 2 * length_s - passed_s)).joints_px
        self._poses[number] = Pose(joints[PLACES], np.ones(33, np.float32), MEDIAPIPE_33, time_s, 0)
        self._number += 1
        return Frame(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), time_s, time.perf_counter(), number)

    def estimate(self, frame):
        return (self._poses.pop(frame.index),)

    def close(self):
        self._closed.set()


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def window(stage, open_live_window):
    return open_live_window(stage)


def record(window, qtbot, name):
    """Three takes of three seconds, by the bar and its button."""
    bar, saved = window.recording.bar, []
    window.recording.saved.connect(saved.append)
    for box, value in ((bar.takes, 3), (bar.countdown, 1), (bar.longest, 3)):
        box.setValue(value)
    bar.when_still.setChecked(False)
    bar.person.setText("Ada")
    bar.action.setText(name)
    qtbot.waitUntil(lambda: not window.recording._no_picture(), timeout=TIMEOUT_MS)  # before, it records nothing
    bar.button.click()
    qtbot.waitUntil(lambda: len(saved) == 3 and window.recording.view.state is RecorderState.READY, timeout=TIMEOUT_MS)
    window.recording.saved.disconnect(saved.append)


def label_all(window, qtbot, name):
    """In the library's window: every segment is chosen, the name is typed."""
    window.actions_by_name["library"].trigger()
    library = window.findChild(LibraryWindow)
    table = next(each for each in library.findChildren(QTableView) if each.accessibleName() == "Segments")
    field = next(each for each in library.findChildren(QLineEdit) if each.accessibleName() == "Action")
    qtbot.waitUntil(lambda: table.model().rowCount() == 3, timeout=TIMEOUT_MS)
    table.selectAll()
    field.setText(name)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    library.close()


def segments_in(root):
    with Library(root) as library:
        return {named.name: named.segments for named in library.names("action") if named.segments}


def see(name, motion, stage, shown, qtbot):
    """The action is shown, and no other that was taught, where another look does it at another speed."""
    stage.play("idle", look=5)
    qtbot.waitUntil(lambda: not set(TAUGHT) & set(shown[-10:]), timeout=TIMEOUT_MS)
    shown.clear()
    stage.play(motion, look=5, speed=1.15)
    qtbot.waitUntil(lambda: name in shown, timeout=TIMEOUT_MS)
    assert set(TAUGHT) & set(shown) == {name}


def test_recorded_labelled_taught_and_recognised_on_other_footage(window, stage, own_library, qtbot):
    shown = []
    window.live.result.connect(lambda result: shown.extend(p.decision.action for p in result.persons if p.decision))
    qtbot.waitUntil(lambda: bool(shown), timeout=TIMEOUT_MS)
    window.actions_by_name["record"].trigger()
    (first, motion), (second, other_motion) = TAUGHT.items()
    stage.play(motion, look=0)
    record(window, qtbot, "untold")
    label_all(window, qtbot, first)
    stage.play(other_motion, look=0)
    record(window, qtbot, second)
    qtbot.waitUntil(lambda: segments_in(own_library) == {first: 3, second: 3}, timeout=TIMEOUT_MS)
    assert not {first, second} & set(shown)

    window.beside.teach(window.live.view)
    dialog = window.findChild(TeachDialog)
    qtbot.waitUntil(lambda: dialog.list.chosen() == sorted(TAUGHT), timeout=TIMEOUT_MS)
    stage.speedup = 0.25  # teaching takes only what the live view leaves
    dialog.train.click()
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=TIMEOUT_MS)
    stage.speedup = SPEEDUP
    assert "Not checked: no session was held out" in dialog.report.toPlainText()
    dialog.switch.click()
    qtbot.waitUntil(lambda: first in window.live.view.info.actions, timeout=TIMEOUT_MS)

    for name, motion in TAUGHT.items():
        see(name, motion, stage, shown, qtbot)
    dialog.back.click()
    qtbot.waitUntil(lambda: first not in window.live.view.info.actions, timeout=TIMEOUT_MS)
    dialog.close()
