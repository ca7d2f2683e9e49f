"""Files in and out of the window: dropped videos, exported events."""

import csv

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from window_fakes import end, result, start

from app.outputs.event_table import cells_of


def drag(*urls):
    data = QMimeData()
    data.setUrls([QUrl(url) for url in urls])
    return data


def drop(window, data):
    """Whether the window takes it; Qt sends both events."""
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, buttons, keys)
    entering.setAccepted(False)
    QApplication.sendEvent(window, entering)
    if entering.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))
    return entering.isAccepted()


def test_a_dropped_file_is_played(running, engines, tmp_path):
    video = tmp_path / "my walk.mp4"
    video.write_bytes(b"video")
    assert drop(running, drag(QUrl.fromLocalFile(str(video)).toString()))
    assert running.live.options.source == str(video)


def test_nothing_else_can_be_dropped(running, engines, tmp_path):
    before = running.live.options.source
    assert not drop(running, drag("https://example.invalid/walk.mp4"))
    assert not drop(running, drag("file:///a.mp4", "file:///b.mp4"))
    assert not drop(running, QMimeData())
    assert running.live.options.source == before


def test_events_are_exported_as_a_table(running, engines, qtbot, tmp_path):
    engines.last.give(result(3.0, events=[start("walk", 1.0), end("walk", 3.0), start("wave", 3.0)]))
    qtbot.waitUntil(lambda: len(running.events.events.rows) == 2)
    running.actions_by_name["export_events"].trigger()
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible())
    file = tmp_path / "events.csv"
    dialog.fileSelected.emit(str(file))
    dialog.close()
    qtbot.waitUntil(file.exists)
    assert list(csv.DictReader(file.open())) == [
        {"start_s": "1.000", "end_s": "3.000", "person": "0", "action": "walk", "duration_s": "2.000", "count": ""}
    ]


def test_a_count_is_in_the_table():
    assert cells_of(1.0, 6.5, 2, "squat", 4) == ("1.000", "7.500", "2", "squat", "6.500", "4")


def test_without_events_there_is_nothing_to_export(running, engines, qtbot):
    running.actions_by_name["export_events"].trigger()
    assert not [w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible()]
