"""The library's window: clips that page, labels by key, bounds, proposals, undo, reading only."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.library.catalogue import Library
from app.recording.writer import RecordingWriter
from app.ui.library.frames import motion_energy, propose, read_stretch
from app.ui.library.library_window import LibraryWindow
from pose.skeleton import MPOSE_13
from pose.types import Pose


def record(root, action="", seconds=6.0, moving=(2.0, 4.0), pictures=False):
    """Somebody who waves between two times."""
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
            xy[:, 0] += 12 * np.sin(time_s * 20)
        bgr = np.full((48, 64, 3), number, np.uint8) if pictures else None
        writer.add(time_s, bgr, [Pose(xy, np.ones(13, np.float32), MPOSE_13, time_s)])
    return writer.finish()


@pytest.fixture
def root(tmp_path):
    record(tmp_path, "wave")
    record(tmp_path, "clap")
    return tmp_path


@pytest.fixture
def window(root, theme, qtbot):
    made = LibraryWindow(root, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=20_000)
    yield made
    made.close()


def test_clips_are_listed_and_the_first_one_is_shown(window):
    assert window.model.rowCount() == 2
    assert window.count.text() == "2 clips"
    assert window.player.duration_s == pytest.approx(6.0, abs=0.1)


def test_labels_are_given_by_typing_and_by_one_key_and_taken_back(window):
    names = sorted(row.action for row in window.model.rows)
    window.label.setText("  high   five ")
    QTest.keyClick(window.label, Qt.Key.Key_Return)
    assert "high five" in [row.action for row in window.model.rows]
    window.undo.click()
    assert sorted(row.action for row in window.model.rows) == names
    first = next(named.name for named in window.library.names("action") if named.name != "nothing")
    QTest.keyClick(window, Qt.Key.Key_1)
    assert [row.action for row in window.model.rows if row.id == window._clip.id] == [first]


def test_nothing_and_suspect_have_keys(window):
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window._clip.action == "nothing"
    QTest.keyClick(window, Qt.Key.Key_S)
    assert window._clip.suspect
    window.suspect.setChecked(True)
    assert window.model.rowCount() == 1


def test_in_and_out_points_change_the_clip(window):
    window.player.go(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    window.player.go(4.0)
    QTest.keyClick(window, Qt.Key.Key_O)
    clip = window.library.clip(window._clip.id)
    assert (clip.start_s, clip.end_s) == pytest.approx((2.0, 4.0))


def test_motion_proposes_clips(window):
    QTest.keyClick(window, Qt.Key.Key_P)
    proposed = [row for row in window.model.rows if row.action is None]
    assert len(proposed) == 1
    assert (proposed[0].start_s, proposed[0].end_s) == pytest.approx((1.8, 4.2), abs=0.3)


def test_several_clips_of_one_recording(window):
    window.player.go(3.0)
    QTest.keyClick(window, Qt.Key.Key_A)
    assert window.model.rowCount() == 3


def test_a_removed_clip_comes_back(window):
    QTest.keyClick(window, Qt.Key.Key_Delete)
    assert window.model.rowCount() == 1
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.model.rowCount() == 2


def test_search_and_filter(window):
    window.only.setCurrentIndex(window.only.findData("clap"))
    window.only.activated.emit(window.only.currentIndex())
    assert [row.action for row in window.model.rows] == ["clap"]
    window.only.setCurrentIndex(0)
    window.search.setText("there is no such thing")
    assert window.model.rowCount() == 0


def test_playing_goes_round_within_the_clip(window):
    window.player.bounds = (1.0, 1.2)
    window.player.go(1.19)
    window.player.step(0.05, loop=True)
    assert window.player.time_s == pytest.approx(1.0)
    window.player.toggle()
    window.player.pause()


def test_a_second_window_reads_only_and_says_so(window, root, theme, qtbot):
    other = LibraryWindow(root, theme)
    other.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(other)
    qtbot.waitUntil(lambda: other.library is not None, timeout=20_000)
    assert other.library.read_only
    assert other.state.text()
    other._label("x")
    assert "x" not in [row.action for row in other.model.rows]
    other.close()


def test_many_clips_are_read_by_the_page(root, theme, qtbot, monkeypatch):
    from app.library.types import NewClip

    with Library(root) as library:
        recording = library.clips()[0].recording
        library.add_clips(recording, [NewClip(n / 1000, n / 1000 + 1, 0) for n in range(1000)])
    made = LibraryWindow(root, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.library is not None, timeout=20_000)
    assert made.model.total == 1002
    assert made.model.rowCount() == 200
    made.model.fetchMore()
    assert made.model.rowCount() == 400
    made.close()


def test_pictures_of_a_stretch_are_those_of_their_times(tmp_path):
    from app.recording.folder import read_recording

    recording = read_recording(record(tmp_path, pictures=True))
    stretch = read_stretch(recording, 2.0, 3.0)
    assert stretch.times_s[0] == pytest.approx(2.0, abs=0.1)
    assert stretch.times_s[-1] == pytest.approx(3.0, abs=0.15)
    assert float(stretch.picture_at(2.5).mean()) == pytest.approx(75, abs=6)


def test_energy_is_high_where_something_moves(tmp_path):
    from app.recording.folder import read_recording

    recording = read_recording(record(tmp_path))
    times_s, energy = motion_energy(recording, 0)
    assert energy[(times_s > 2.2) & (times_s < 3.8)].mean() > 5 * energy[times_s < 1.8].mean() + 0.1
    assert propose(times_s, np.zeros_like(energy)) == []


def test_a_recording_without_clips_is_offered_and_gets_them_by_proposal(tmp_path, theme, qtbot):
    folder = record(tmp_path)
    made = LibraryWindow(tmp_path, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.library is not None, timeout=20_000)
    assert made.model.rowCount() == 0
    place = made.waiting.findData(folder.name)
    made.waiting.activated.emit(place)
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=20_000)
    QTest.keyClick(made, Qt.Key.Key_P)
    assert [(row.recording, row.action) for row in made.model.rows] == [(folder.name, None)]
    QTest.keyClick(made, Qt.Key.Key_N)
    assert made.model.rows[0].action == "nothing"
    assert made.waiting.findData(folder.name) == -1
    made.close()


def test_a_key_that_was_kept_labels_with_its_action(window):
    first, second = window.model.rows
    window.table.selectRow(0)
    QTest.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    window.table.selectRow(1)
    QTest.keyClick(window, Qt.Key.Key_7)
    assert window.library.clip(second.id).action == first.action


def test_the_end_of_a_clip_is_dragged_and_kept_when_it_is_let_go(window):
    bar, clip = window.player.bar, window._clip.id
    end = QPoint(bar.width() - 2, 20)
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    QTest.mouseMove(bar, QPoint(bar.width() // 2, 20))
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(bar.width() // 2, 20))
    assert window.library.clip(clip).end_s == pytest.approx(3.0, abs=0.1)


def test_the_speed_has_keys_and_ends(window):
    for _ in range(5):
        QTest.keyClick(window, Qt.Key.Key_Minus)
    assert window.player.speed == 0.25
    window.player.change_speed(1)
    assert window.player.speed == 0.5
