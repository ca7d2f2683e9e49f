"""Recordings, a recognizer and input for the tests of the library's window."""

from types import SimpleNamespace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.recording.writer import RecordingWriter
from app.ui.library.library_window import LibraryWindow
from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.clips import Prediction

HEBREW = "\u05e9\u05dc\u05d5\u05dd"
MARKED = f"\u2068{HEBREW}\u2069"


def record(root, action="", seconds=6.0, moving=(2.0, 4.0), pictures=False, axis=0):
    """Somebody who sways between two times. axis: 0 sideways, 1 up and down."""
    writer = RecordingWriter(
        root,
        source="cam",
        session="s",
        layout=MPOSE_13,
        size=(64, 48),
        action=action,
        skeleton_only=not pictures,
        lossless=True,
    )
    for number in range(round(seconds * 30)):
        time_s = number / 30
        xy = np.linspace((10, 10), (40, 40), 13).astype(np.float32)
        if moving[0] <= time_s < moving[1]:
            xy[:, axis] += 12 * np.sin(time_s * 20)
        bgr = np.full((48, 64, 3), number, np.uint8) if pictures else None
        writer.add(time_s, bgr, [Pose(xy, np.ones(13, np.float32), MPOSE_13, time_s)])
    return writer.finish()


def opened(root, theme, qtbot, **more):
    made = LibraryWindow(root, theme, **more)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.library is not None, timeout=60_000)
    qtbot.waitUntil(made.isActiveWindow)
    return made


class AlwaysWave:
    """Says "wave" of everything, and that it is fairly sure."""

    card = SimpleNamespace(frames=30, fps=20.0, decision=SimpleNamespace(other=("else",)))
    closed = False

    def predict(self, clips):
        return [Prediction(0, 0.0, ("clap", "wave"), np.array([0.2, 0.8], np.float32)) for _ in clips]

    def close(self):
        self.closed = True


def on_recordings(window, names=None):
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    table = window.browser.recording_table
    table.choose(range(window.browser.recordings.rowCount()))
    return [row.id for row in window.browser.chosen_recordings()]


def two_people(root):
    """A recording of two people who sway at other times, with no segment."""
    writer = RecordingWriter(root, source="two", session="s", layout=MPOSE_13, size=(64, 48), skeleton_only=True)
    for number in range(180):
        time_s = number / 30
        poses = []
        for person in range(2):
            xy = np.linspace((10, 10), (40, 40), 13).astype(np.float32) + 8 * person
            if 2 <= time_s < 4:
                xy[:, 0] += 12 * np.sin(time_s * 20 + person)
            poses.append(Pose(xy, np.ones(13, np.float32), MPOSE_13, time_s, person))
        writer.add(time_s, None, poses)
    return writer.finish()


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window, key, modifier)


def type_into(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
