"""Takes, results of an engine, clicks and a training for the tests of the guided page."""

import threading
from dataclasses import replace

import numpy as np
import window_fakes as fakes
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest

from app.recording.folder import recording_folders
from app.recording.writer import RecordingWriter
from app.teaching_process import Progress, TeachingDone
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Pose

TIMEOUT_MS = 60_000


def put(root, action, seconds=2.0, session="one", moves=None):
    """A take on the disk, in which somebody waves an arm all the time; moves: as Film.change, instead of that."""
    layout = MPOSE_13 if moves is None else MEDIAPIPE_33
    writer = RecordingWriter(
        root, source="demo", session=session, layout=layout, size=(64, 48), action=action, skeleton_only=True
    )
    for number in range(round(seconds * 10) if moves is not None else 0):
        seen = fakes.pose(0, number / 10, x=32)
        moves(number / 10, seen.xy_px, seen.confidence)
        writer.add(number / 10, None, [seen])
    if moves is not None:
        return writer.finish()
    standing = np.linspace((20, 10), (40, 40), 13).astype(np.float32)
    for number in range(round(seconds * 30)):
        xy = standing.copy()
        xy[5] += 8 * np.sin(number / 3)
        writer.add(number / 30, None, [Pose(xy, np.ones(13, np.float32), MPOSE_13, number / 30)])
    return writer.finish()


class Film:
    """Results of a fake engine, one after the other, until the recorder has worked through them."""

    def __init__(self, window, engine):
        """change: makes of a pose's joints and confidences, which it may alter, what is seen at a time."""
        self.window, self.engine, self.time_s = window, engine, 0.0
        self.change = lambda time_s, xy, seen: None

    def play(self, seconds, step_s=1 / 10):
        recorder = self.window.teaching.page.recorder
        bgr = np.full((48, 64, 3), 90, np.uint8)
        for _ in range(round(seconds / step_s)):
            self.engine.give(self._seen(fakes.result(self.time_s, bgr=bgr, size=(64, 48))))
            self.time_s += step_s
        done = threading.Event()
        recorder._recorder._post(done.set)
        assert done.wait(60)
        recorder.poll()

    def _seen(self, result):
        (person,) = result.persons
        pose = replace(person.pose, xy_px=person.pose.xy_px.copy(), confidence=person.pose.confidence.copy())
        self.change(self.time_s, pose.xy_px, pose.confidence)
        return replace(result, persons=(replace(person, pose=pose),))


def click(button):
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def name_it(card, text):
    card.name.setFocus()
    card.name.clear()
    QTest.keyClicks(card.name, text)


def record_one(page, card, film, qtbot):
    """One take, which its greatest length ends, for the person never moves."""
    before = len(recording_folders(page._root))
    film.play(9.5)
    film.play(0.4)
    assert len(recording_folders(page._root)) == before + 1


LEGS = [place for place, name in enumerate(MEDIAPIPE_33.joints) if name.partition("_")[2] in ("knee", "ankle", "heel")]
HANDS = [place for place, name in enumerate(MEDIAPIPE_33.joints) if name.startswith(("left_wr", "right_wr"))]
ARM = [MEDIAPIPE_33.index(f"left_{part}") for part in ("elbow", "wrist", "pinky", "index", "thumb")]


def sway(time_s, xy, seen):
    """As in the takes on the disk."""
    xy[ARM, 1] -= 90 * (1 - np.cos(time_s * 6))


def march(time_s, xy, seen):
    xy[LEGS, 0] += 60 * np.sin(time_s * 6)


def out_of_the_picture(time_s, xy, seen):
    sway(time_s, xy, seen)
    seen[HANDS] = 0


def still(time_s, xy, seen):
    """Stands."""


def click_check(box):
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def start_series(page, name="greet"):
    (card, *_) = page.cards
    name_it(card, name)
    click(card.button)
    return card


def whole(part, viewport):
    """Whether all of a part is in sight."""
    return viewport.rect().contains(QRect(part.mapTo(viewport, QPoint(0, 0)), part.size()))


class FakeJob:
    """A teaching that the test ends."""

    made = None

    def __init__(self, request):
        self.request, self.outcome, self.cancelled = request, None, False
        self.progress = Progress("checking", 0.5, 3.0)
        FakeJob.made = self

    def cancel(self):
        self.cancelled = True


def finish_training(page, folder, qtbot):
    """Train, and what came of it is in a folder."""
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    FakeJob.made.outcome = TeachingDone(folder, {"checks": []})
    page.bar.training.poll()
