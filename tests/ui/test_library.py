"""The library's window: segments that page, labels by key, bounds, proposals, undo, reading only."""

import json
import sqlite3
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox

from app.clock_text import local_clock
from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.database import FILE
from app.library.import_report import ImportProgress, ImportReport
from app.library.motion import motion_energy, propose
from app.library.rows import Filter, NewSegment
from app.recording.writer import RecordingWriter
from app.ui.library import bench, player_content
from app.ui.library.browser import BIN, RECORDINGS, column_widths
from app.ui.library.commands import key_rows
from app.ui.library.export_dialog import ExportDialog
from app.ui.library.frames import read_stretch
from app.ui.library.import_dialog import ImportDialog
from app.ui.library.keys_dialog import KeysDialog
from app.ui.library.library_window import LibraryWindow
from app.ui.library.names_dialog import NamesDialog
from app.ui.library.segment_model import ACTION, COLUMNS
from app.ui.library.splits_dialog import SplitsDialog
from app.ui.sentences import sentence
from pose.skeleton import MPOSE_13
from pose.types import Pose
from recognizer.clips import Prediction


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


@pytest.fixture
def root(tmp_path):
    record(tmp_path, "wave")
    record(tmp_path, "clap", axis=1)  # another motion: the same one would be taken for a copy
    return tmp_path


@pytest.fixture
def window(root, theme, qtbot):
    made = LibraryWindow(root, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=60_000)
    qtbot.waitUntil(made.isActiveWindow)  # before it is, its keys do nothing
    yield made
    made.close()


def test_segments_are_listed_and_the_first_one_is_shown(window):
    assert window.browser.segments.rowCount() == 2
    assert window.browser.count.text() == "2 segments · 2 recordings · 0 in the bin"
    assert window.player.duration_s == pytest.approx(6.0, abs=0.1)


def test_labels_are_given_by_typing_and_by_one_key_and_taken_back(window):
    names = sorted(row.action for row in window.browser.segments.rows)
    window.fields.action.setText("  high   five ")
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert "high five" in [row.action for row in window.browser.segments.rows]
    window.fields.undo.click()
    assert sorted(row.action for row in window.browser.segments.rows) == names
    first = next(named.name for named in window.library.names("action") if named.name != "nothing")
    QTest.keyClick(window, Qt.Key.Key_1)
    assert [row.action for row in window.browser.segments.rows if row.id == window.content.segment.id] == [first]


def test_nothing_and_suspect_have_keys(window):
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.content.segment.action == "nothing"
    QTest.keyClick(window, Qt.Key.Key_S)
    assert window.content.segment.suspect
    window.browser.filters.suspect.setChecked(True)
    assert window.browser.segments.rowCount() == 1


def test_the_colour_of_an_action_leaves_room_for_its_name(window):
    index = window.browser.segments.index(0, ACTION)
    mark = window.browser.segments.data(index, Qt.ItemDataRole.DecorationRole)
    assert mark.width() < 12
    assert window.browser.segments.data(index) in ("clap", "wave")


def test_columns_that_do_not_fit_are_hidden_whole_and_the_others_fill_the_list(window, qtbot):
    table = window.browser.segment_table
    for width in (900, 1500):
        window.resize(width, 600)
        qtbot.wait(20)
        shown = [section for section in range(len(COLUMNS)) if not table.isColumnHidden(section)]
        assert shown == list(range(len(shown)))
        assert sum(table.columnWidth(section) for section in shown) == table.viewport().width()
    assert shown == list(range(len(COLUMNS)))
    assert column_widths((10, 20, 30), {1: 1}, 40) == [10, 30, 0]
    assert column_widths((10, 20, 30), {1: 1}, 5) == [10, 20, 0]


FIGURES = {"segment_table": ["Action", "Length"], "recording_table": ["Recorded", "Length", "Segments"]}


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize("width", [720, 1240])
def test_figures_of_the_lists_are_whole_with_letters_of_any_size(root, theme, qtbot, width):
    made = opened(root, theme, qtbot)
    made.resize(width, 600)
    ids = [segment.id for segment in made.library.segments()]
    made.library.label(ids, "jumping_jacks")
    made.library.mark_suspect(ids, True)
    made.refresh()
    qtbot.wait(20)
    for name, figures in FIGURES.items():
        table = getattr(made.browser, name)
        model, metrics = table.model(), table.fontMetrics()
        made.browser.tabs.setCurrentWidget(table)
        qtbot.wait(20)
        titles = [model.headerData(section, Qt.Orientation.Horizontal) for section in range(model.columnCount())]
        for section in (section for section in range(len(titles)) if not table.isColumnHidden(section)):
            assert table.columnWidth(section) >= metrics.horizontalAdvance(titles[section]) + 8, titles[section]
        for title in figures:
            section = titles.index(title)
            if table.isColumnHidden(section):
                assert width == 720
                continue
            mark = 14 if title == "Action" else 0
            needs = metrics.horizontalAdvance(model.index(0, section).data()) + mark
            assert table.columnWidth(section) >= needs + 6, title
    made.close()


def test_in_and_out_points_change_the_segment(window):
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    window.player.seek(4.0)
    QTest.keyClick(window, Qt.Key.Key_O)
    segment = window.library.segment(window.content.segment.id)
    assert (segment.start_s, segment.end_s) == pytest.approx((2.0, 4.0))


def test_motion_proposes_segments(window, waver, qtbot):
    for segment in window.browser.segments.rows:
        window.library.change_segment(segment.id, NewSegment(0.0, 0.5, 0, segment.action))
    window.refresh()
    qtbot.waitUntil(lambda: not window.player.loading)
    QTest.keyClick(window, Qt.Key.Key_P)
    proposed = [row for row in window.browser.segments.rows if row.action is None]
    assert len(proposed) == 1
    assert (proposed[0].start_s, proposed[0].end_s) == pytest.approx((1.8, 4.2), abs=0.3)


def test_several_segments_of_one_recording(window):
    window.player.seek(3.0)
    QTest.keyClick(window, Qt.Key.Key_A)
    assert window.browser.segments.rowCount() == 3


def test_what_is_still_being_read_is_not_cut_by_what_was_shown_before(window, qtbot, monkeypatch):
    """The player shows the segment before until the next one is there: its times are not the new one's."""
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    window.player.seek(3.0)
    second = window.browser.segments.row(1)
    window.browser.segment_table.choose([1])
    for key in (Qt.Key.Key_I, Qt.Key.Key_O, Qt.Key.Key_A, Qt.Key.Key_P):
        QTest.keyClick(window, key)
    assert window.library.segment(second.id) == second
    assert window.browser.segments.rowCount() == 2
    assert "wait until it is shown" in window.state.text()
    go_on.set()
    qtbot.waitUntil(lambda: not window.player.loading, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_A)
    assert window.browser.segments.rowCount() == 3


def test_another_segment_of_the_same_recording_is_waited_for_too(window, qtbot, monkeypatch):
    """The time and the bounds of the segment before are not those of the one that is being read."""
    first = window.browser.segments.row(0)
    window.library.change_segment(first.id, NewSegment(0.0, 2.0, 0, first.action))
    (second,) = window.library.add_segments(first.recording, [NewSegment(4.0, 5.0, 0, first.action)])
    window.refresh()
    qtbot.waitUntil(lambda: window.player.bounds == (0.0, 2.0) and not window.player.loading)
    before = window.library.segments()
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    window.browser.choose_segment(second)
    assert window.player.status.text() == window.player.picture.placeholder == "Loading …"
    for key in (Qt.Key.Key_I, Qt.Key.Key_O, Qt.Key.Key_A, Qt.Key.Key_P, Qt.Key.Key_W, Qt.Key.Key_Right):
        window.show_status("")
        QTest.keyClick(window, key)
        assert "wait until it is shown" in window.state.text(), key
    QTest.mousePress(window.player.bar, Qt.MouseButton.LeftButton, pos=QPoint(0, 20))  # on the old beginning
    QTest.mouseMove(window.player.bar, QPoint(60, 20))
    QTest.mouseRelease(window.player.bar, Qt.MouseButton.LeftButton, pos=QPoint(60, 20))
    assert window.library.segments() == before
    go_on.set()
    qtbot.waitUntil(lambda: not window.player.loading)
    assert (window.player.time_s, window.player.bounds) == (4.0, (4.0, 5.0))
    assert "segment 4.00 to 5.00" in window.player.status.text()
    assert window.library.segments() == before


def test_a_failure_of_what_was_left_does_not_blank_what_is_shown(window, qtbot, monkeypatch):
    """Two are read at once: the one that was chosen last is shown, whatever becomes of the other."""
    first, second = window.browser.segments.rows
    read, go_on = player_content._read, threading.Event()

    def reading(library, recording, *bounds):
        if recording == second.recording:
            go_on.wait(60)
            raise RecordingError("it is damaged")
        return read(library, recording, *bounds)

    monkeypatch.setattr(player_content, "_read", reading)
    window.browser.segment_table.choose([1])
    window.browser.segment_table.choose([0])
    qtbot.waitUntil(lambda: not window.player.loading)
    go_on.set()
    qtbot.waitUntil(lambda: not window._jobs._jobs)
    assert window.player.stretch.recording.info.id == first.recording
    assert "damaged" not in window.state.text()


def test_while_the_first_one_is_read_the_player_says_so(root, theme, qtbot, monkeypatch):
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    made = opened(root, theme, qtbot)
    qtbot.waitUntil(lambda: made.content.segment is not None)
    assert made.player.picture.placeholder == "Loading …"
    go_on.set()
    qtbot.waitUntil(lambda: made.player.stretch is not None)
    made.close()


def test_a_segment_that_is_labelled_while_it_is_read_is_shown(window, qtbot, monkeypatch):
    read, go_on = player_content._read, threading.Event()
    monkeypatch.setattr(player_content, "_read", lambda *asked: go_on.wait(60) and read(*asked))
    second = window.browser.segments.row(1)
    window.browser.segment_table.choose([1])
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.library.segment(second.id).action == "nothing"
    go_on.set()
    qtbot.waitUntil(lambda: not window.player.loading, timeout=60_000)
    assert window.player.stretch.recording.info.id == second.recording


def test_a_recording_that_cannot_be_read_is_not_mistaken_for_another(window, root, qtbot):
    second = window.browser.segments.row(1)
    (root / "recordings" / second.recording / "joints.npz").write_bytes(b"damaged")
    window.browser.segment_table.choose([1])
    qtbot.waitUntil(lambda: "is damaged" in window.state.text(), timeout=60_000)
    assert window.player.stretch is None
    QTest.keyClick(window, Qt.Key.Key_I)
    assert window.library.segment(second.id) == second


def test_a_removed_segment_comes_back(window):
    QTest.keyClick(window, Qt.Key.Key_Delete)
    assert window.browser.segments.rowCount() == 1
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.browser.segments.rowCount() == 2


def test_search_and_filter(window):
    window.browser.filters.action.setCurrentIndex(window.browser.filters.action.findData("clap"))
    window.browser.filters.action.activated.emit(window.browser.filters.action.currentIndex())
    assert [row.action for row in window.browser.segments.rows] == ["clap"]
    window.browser.filters.action.setCurrentIndex(0)
    window.browser.filters.search.setText("there is no such thing")
    assert window.browser.segments.rowCount() == 0


def test_playing_goes_round_within_the_segment(window):
    window.player.bounds = (1.0, 1.2)
    window.player.seek(1.19)
    window.player.step(0.05, loop=True)
    assert window.player.time_s == pytest.approx(1.0)
    window.player.toggle()
    window.player.pause()


def opened(root, theme, qtbot, **more):
    made = LibraryWindow(root, theme, **more)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.library is not None, timeout=60_000)
    qtbot.waitUntil(made.isActiveWindow)
    return made


@pytest.fixture
def _in_tokyo(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the clock of the process cannot be set")
@pytest.mark.usefixtures("_in_tokyo")
def test_times_are_those_of_the_clock_on_the_wall(window):
    assert local_clock("2026-03-01T18:05:59+00:00") == "2026-03-02 03:05"
    assert local_clock("2026-03-01T18:05:59") == "2026-03-02 03:05"
    assert local_clock("2026-03-02T03:05:00+09:00") == "2026-03-02 03:05"
    assert local_clock("some day") == "some day"
    assert local_clock("0001-01-01T00:00:00+14:00") == "0001-01-01 00:00"
    window.refresh()
    row = window.browser.segments.row(0)
    shown = local_clock(row.created)
    assert shown != row.created[:16].replace("T", " ")
    assert window.browser.segments.data(window.browser.segments.index(0, COLUMNS.index("Recorded"))) == shown
    recording = window.browser.recordings.position_of(row.recording)
    assert window.browser.recordings.data(window.browser.recordings.index(recording, 0)) == shown
    window.commands["splits"].trigger()
    (dialog,) = window.findChildren(SplitsDialog)
    dialog.by.setCurrentIndex(dialog.by.findData("recording"))
    assert any(dialog.list.topLevelItem(place).text(0).endswith(shown) for place in range(2))
    dialog.close()


@pytest.mark.parametrize("wanted", [False, True])
def test_every_repair_is_told_when_the_library_is_opened(root, theme, qtbot, wanted):
    with Library(root) as library:
        names = [row.id for row in library.recordings()]
    (root / FILE).write_bytes(b"rubbish")
    for name in names:
        (root / "recordings" / name / "labels.json").write_text("{")
    (root / "recordings" / "20260101-000000-abcdef").mkdir()
    made = LibraryWindow(root, theme)
    qtbot.addWidget(made)
    if wanted:
        made.show_recording(names[0])
    qtbot.waitUntil(lambda: made.library is not None and (made.player.stretch is not None) == wanted, timeout=60_000)
    notes = made.library.notes
    assert notes[0].startswith("the catalogue was damaged")
    assert sum("is damaged" in note for note in notes) == 2
    assert len(notes) > 3
    assert made.state.text() == sentence("; ".join(notes[:3])) + " … (all: point here)"
    assert made.state.toolTip().splitlines() == notes
    made.show_status("something else")
    assert made.state.toolTip() == ""
    made.close()


def test_two_windows_of_one_process_write_to_one_library(window, root, theme, qtbot):
    other = opened(root, theme, qtbot)
    assert other.library is window.library
    other.close()
    window.edits.nothing()
    assert window.content.segment.action == "nothing"


def test_a_library_that_is_open_elsewhere_is_read_only_with_a_reason_everywhere(root, theme, qtbot):
    with Library(root) as owner:
        before = [segment.action for segment in owner.segments()]
        other = opened(root, theme, qtbot)
        qtbot.waitUntil(lambda: other.content.segment is not None)
        assert "open in process" in other.refusal.text()
        assert other.refusal.isVisible()
        for name in ("nothing", "remove", "import", "undo", "propose", "digit 1", "empty_bin"):
            assert not other.commands[name].isEnabled(), name
            assert "open in process" in other.commands[name].toolTip()
        assert not other.fields.action.isEnabled()
        assert "open in process" in other.fields.action.toolTip()
        for name in ("play", "export", "keys", "search"):
            assert other.commands[name].isEnabled(), name
        QTest.keyClick(other, Qt.Key.Key_N)
        other.edits.label("x")
        assert "reading" in other.state.text() or "open elsewhere" in other.state.text()
        assert [segment.action for segment in owner.segments()] == before
        other.close()


def test_a_library_of_a_newer_version_is_refused_with_a_line_and_left_alone(root, theme, qtbot):
    with Library(root):
        pass
    with sqlite3.connect(root / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    content = (root / FILE).read_bytes()
    made = LibraryWindow(root, theme)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.refusal.isVisible(), timeout=60_000)
    qtbot.waitUntil(made.isActiveWindow)
    assert "newer version" in made.refusal.text()
    assert "newer version" in made.commands["nothing"].toolTip()
    QTest.keyClick(made, Qt.Key.Key_N)
    for command in ("import", "export", "names", "propose", "empty_bin"):
        made.commands[command].trigger()
    made.close()
    assert (root / FILE).read_bytes() == content


def test_ten_thousand_segments_cost_what_is_looked_at(root, theme, qtbot, monkeypatch):
    """Work is counted, not timed: pages read and pictures asked for while the list is scrolled from end to end."""
    with Library(root) as library:
        recording = library.segments()[0].recording
        library.add_segments(recording, [NewSegment(n / 2500, n / 2500 + 1, 0) for n in range(10_000)])
    pictures, pages = [], []
    monkeypatch.setattr("app.ui.library.strips.segment_picture", lambda root, row: pictures.append(row.id))
    segments_of = Library.segments_of
    monkeypatch.setattr(Library, "segments_of", lambda self, ids: pages.append(len(ids)) or segments_of(self, ids))
    made = opened(root, theme, qtbot)
    assert made.browser.segments.rowCount() == 10_002
    assert sum(pages) <= 300
    table = made.browser.segment_table
    bar, screen = table.verticalScrollBar(), table.viewport().height() // table.rowHeight(0) + 2
    pages.clear()
    for part in range(1, 6):
        bar.setValue(bar.maximum() * part // 5)
        table.viewport().repaint()
    assert 0 < sum(pages) <= 5 * 200
    qtbot.waitUntil(lambda: not made.browser.strips._requests, timeout=60_000)
    assert 0 < len(set(pictures)) <= 6 * screen + 48
    assert len(made.browser.segments._read) <= 2000
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


class AlwaysWave:
    """Says "wave" of everything, and that it is fairly sure."""

    card = SimpleNamespace(frames=30, fps=20.0, decision=SimpleNamespace(other=("else",)))
    closed = False

    def predict(self, clips):
        return [Prediction(0, 0.0, ("clap", "wave"), np.array([0.2, 0.8], np.float32)) for _ in clips]

    def close(self):
        self.closed = True


@pytest.fixture
def waver(monkeypatch):
    asked = []
    made = AlwaysWave()
    monkeypatch.setattr("app.ui.library.labeller.open_recognizer", lambda *names: asked.append(names) or made)
    yield asked
    assert made.closed or not asked


def test_a_recording_without_segments_gets_them_with_labels_by_keys_alone(tmp_path, theme, qtbot, waver):
    record(tmp_path)
    made = opened(tmp_path, theme, qtbot, model=lambda: "mine")
    assert made.browser.segments.rowCount() == 0
    assert "Alt+2" in made.browser.segment_table.hint
    QTest.keyClick(made, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: made.player.stretch is not None, timeout=60_000)
    assert "no segments yet" in made.state.text()
    QTest.keyClick(made, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: bool(made.labeller.proposals), timeout=60_000)
    assert waver == [("mine", "cpu")]
    (row,) = made.browser.segments.rows
    assert row.action is None
    shown = made.browser.segments.index(0, ACTION).data()
    assert shown == "wave? 80%"
    QTest.keyClick(made, Qt.Key.Key_Y)
    assert [segment.action for segment in made.browser.segments.rows] == ["wave"]
    QTest.keyClick(made, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [segment.action for segment in made.browser.segments.rows] == [None]
    made.close()


def test_proposals_are_accepted_for_the_chosen_recordings_too(window, waver, qtbot):
    window.library.label([segment.id for segment in window.library.segments()], None)
    on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_R)
    told = "2 labels are proposed, 2 with 50% or more: Y accepts"
    qtbot.waitUntil(lambda: window.state.text() == told, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert [segment.action for segment in window.library.segments()] == ["wave"] * 2


def test_where_proposals_are_for_other_segments_than_the_selected_the_way_to_them_is_told(window, waver, qtbot):
    """A recording that was imported is one segment without a label, which stays selected while P divides it."""
    window.browser.segment_table.choose([0])
    (chosen,) = window.browser.chosen_segments()
    whole_s = window.library.recording(chosen.recording).duration_s
    window.library.change_segment(chosen.id, NewSegment(0.0, whole_s, chosen.person, None))
    window.refresh()
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_P)
    told = "1 label is proposed, 1 with 50% or more: Ctrl+A, then Y accepts"
    qtbot.waitUntil(lambda: window.state.text() == told, timeout=60_000)
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert window.state.text().endswith("R asks the recognizer, Ctrl+A selects all")
    QTest.keyClick(window.browser.segment_table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_Y)
    labels = {segment.action for segment in window.library.segments() if segment.recording == chosen.recording}
    assert labels == {None, "wave"}


def test_motion_that_has_a_segment_is_not_proposed_again(window, qtbot, waver):
    for row in list(window.browser.segments.rows):
        whole_s = window.library.recording(row.recording).duration_s
        window.library.change_segment(row.id, NewSegment(0.0, whole_s, row.person, row.action))
    QTest.keyClick(window, Qt.Key.Key_P)
    assert window.browser.segments.rowCount() == 2
    assert "outside the segments" in window.state.text()


def test_labels_that_there_are_are_not_asked_for(window, waver):
    QTest.keyClick(window, Qt.Key.Key_R)
    assert "labelled" in window.state.text()
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert waver == []


def test_recordings_go_into_the_bin_and_come_back_by_undo_and_from_there(window, qtbot):
    root, gone = window.root, window.content.segment.recording
    QTest.keyClick(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert window.browser.segments.rowCount() == 1
    assert (root / "recordings" / gone / "joints.npz").exists()
    window.commands["undo"].trigger()
    assert window.browser.segments.rowCount() == 2
    window.commands["recordings"].trigger()
    window.browser.recording_table.choose([window.browser.recordings.position_of(gone)])
    window.commands["remove"].trigger()
    assert [row.id for row in window.browser.deleted.rows] == [gone]
    window.commands["bin"].trigger()
    window.commands["restore"].trigger()
    assert window.browser.deleted.rows == []
    assert window.browser.segments.rowCount() == 2


def test_the_bin_is_emptied_after_a_question(window, root):
    gone = window.content.segment.recording
    window.commands["delete_recordings"].trigger()
    window.commands["empty_bin"].trigger()
    (question,) = window.findChildren(QMessageBox)
    assert (root / "recordings" / gone).exists()
    next(button for button in question.buttons() if button.text() == "Remove").click()
    assert not (root / "recordings" / gone).exists()


def test_person_session_and_note_are_given_by_keys(window):
    for command, field, text in (
        ("who", window.fields.who, "Zoë"),
        ("session", window.fields.session, "Monday  evening"),
        ("note", window.fields.note, "left hand"),
    ):
        window.commands[command].trigger()
        field.setText(text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    segment = window.library.segment(window.content.segment.id)
    assert (segment.who, segment.session, segment.note) == ("Zoë", "Monday evening", "left hand")
    window.browser.filters.who.setCurrentIndex(window.browser.filters.who.findData("Zoë"))
    window.browser.filters.changed.emit()
    assert [row.id for row in window.browser.segments.rows] == [segment.id]


def test_names_that_cannot_be_are_told_in_one_line(window):
    action = window.content.segment.action
    for bad in ("\u200b", "x" * 90):
        window.fields.action.setText(bad)
        QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
        assert window.state.text()
        assert "\n" not in window.state.text()
        assert window.library.segment(window.content.segment.id).action == action
    window.fields.action.setText("拍手 🙌")
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert window.library.segment(window.content.segment.id).action == "拍手 🙌"


def test_names_are_renamed_merged_and_refused_when_double(window):
    window.open_names()
    (dialog,) = window.findChildren(NamesDialog)
    names = [named.name for named in dialog._named]
    dialog.list.setCurrentRow(names.index("wave"))
    dialog.name.setText("CLAP")
    dialog.rename.click()
    assert "already" in dialog.state.text()
    dialog.name.setText("winken")
    dialog.rename.click()
    assert {segment.action for segment in window.library.segments()} == {"winken", "clap"}
    dialog.into.setCurrentText("clap")
    dialog.merge.click()
    assert {segment.action for segment in window.library.segments()} == {"clap"}
    window.commands["undo"].trigger()
    window.commands["undo"].trigger()
    assert {segment.action for segment in window.library.segments()} == {"wave", "clap"}
    dialog.close()


def test_the_names_follow_what_is_done_elsewhere(window):
    window.open_names()
    (dialog,) = window.findChildren(NamesDialog)
    dialog.list.setCurrentRow([named.name for named in dialog._named].index("wave"))
    dialog.name.setText("half typed")
    dialog.into.setCurrentIndex(dialog.into.findData("clap"))
    window.edits.do(lambda library: library.add_name("action", "crawl"))
    assert "crawl" in [named.name for named in dialog._named]
    assert dialog.list.count() == len(dialog._named)
    assert (dialog._chosen().name, dialog.name.text(), dialog.into.currentData()) == ("wave", "half typed", "clap")
    window.commands["undo"].trigger()
    assert "crawl" not in [named.name for named in dialog._named]
    assert (dialog._chosen().name, dialog.name.text()) == ("wave", "half typed")
    window.edits.do(lambda library: library.rename("action", "wave", "greet"))
    assert (dialog._chosen().name, dialog.name.text()) == ("greet", "half typed")
    window.edits.do(lambda library: library.remove_name("action", "greet"))
    assert dialog.name.text() == dialog._chosen().name != "greet", "what was typed was for another name"
    dialog.name.setText("crawl")
    dialog.add.click()
    assert dialog.name.text() == dialog._chosen().name
    dialog.kind.setCurrentIndex(dialog.kind.findData("session"))
    assert (dialog.list.count(), dialog.name.text()) == (1, "s")
    dialog.close()
    window.edits.do(lambda library: library.add_name("action", "jump"))


def test_recordings_are_put_into_the_parts_of_a_split_and_taken_out_by_undo(window, qtbot):
    window.commands["splits"].trigger()
    (dialog,) = window.findChildren(SplitsDialog)
    assert not dialog.parts["test"].isEnabled()
    QTest.keyClicks(dialog.name, "mine")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    dialog.by.setCurrentIndex(dialog.by.findData("recording"))
    dialog.parts["test"].click()
    assert "Select some" in dialog.state.text()
    dialog.list.topLevelItem(0).setSelected(True)
    dialog.parts["test"].click()
    first, _ = window.browser.segments.rows
    assert window.library.splits() == {"mine": {first.id: "test"}}
    assert dialog.state.text() == "train 0 · validation 0 · test 1 · in no part 1, of 2 segments"
    dialog.share.click()
    qtbot.waitUntil(lambda: len(window.library.splits()["mine"]) == 2, timeout=60_000)
    assert sorted(window.library.splits()["mine"].values()) == ["test", "train"]
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: dialog.list.topLevelItem(1).text(2) == "", timeout=60_000)
    dialog.undo.click()
    dialog.undo.click()
    assert window.library.splits() == {}
    assert dialog.split.count() == 0
    dialog.close()


def test_an_export_is_brought_in_again_by_the_dialogs(window, root, tmp_path, qtbot):
    window.open_export()
    (export,) = window.findChildren(ExportDialog)
    export.format.setCurrentIndex(export.format.findData("tables"))
    export.target.setText(str(tmp_path / "out"))
    export.begin.click()
    qtbot.waitUntil(lambda: "written" in export.state.text(), timeout=60_000)
    export.close()
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path / "out")])
    dialog.begin.click()
    told = "0 recordings imported; 2 recordings skipped: already in the library"
    qtbot.waitUntil(lambda: told in dialog.state.text(), timeout=60_000)
    assert dialog.problems.toPlainText().count(" is already in the library (20") == 2
    window.library.delete_recordings([row.id for row in window.library.recordings()])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "2 recordings imported" in dialog.state.text(), timeout=60_000)
    assert window.browser.segments.rowCount() == 2
    assert not dialog.problems.isVisible()
    dialog.close()


def exporting(window, format, target):
    window.open_export()
    (dialog,) = window.findChildren(ExportDialog)
    dialog.format.setCurrentIndex(dialog.format.findData(format))
    dialog.target.setText(str(target))
    return dialog


@pytest.mark.parametrize("format", ["coco", "tables"])
def test_what_is_in_the_bin_is_exported_with_its_labels(window, tmp_path, qtbot, format):
    window.commands["delete_recordings"].trigger()
    window.commands["bin"].trigger()
    for what in range(2):  # the selection, and everything in the list
        window.browser.bin_table.choose([0])
        dialog = exporting(window, format, tmp_path / f"{what} out")
        dialog.what.setCurrentIndex(what)
        dialog.begin.click()
        qtbot.waitUntil(lambda dialog=dialog: "written" in dialog.state.text(), timeout=60_000)
        dialog.close()
        QCoreApplication.sendPostedEvents(dialog, QEvent.Type.DeferredDelete.value)
        if format == "coco":
            assert len(json.loads((tmp_path / f"{what} out.json").read_text())["clips"]) == 1
        else:
            assert len((tmp_path / f"{what} out" / "clips.csv").read_text().splitlines()) == 2


def test_a_recording_in_the_bin_shows_its_segments_and_gets_no_labels(window, waver, qtbot):
    window.commands["delete_recordings"].trigger()
    window.commands["bin"].trigger()
    window.browser.bin_table.choose([0])
    qtbot.waitUntil(lambda: window.player.stretch is not None and not window.player.loading, timeout=60_000)
    qtbot.waitUntil(lambda: len(window.player.bar.segments) == 1, timeout=60_000)
    window.labeller.recognise()
    assert window.state.text() == "A recording in the bin gets no labels: Ctrl+Shift+R restores it"
    assert waver == []


@pytest.mark.parametrize("format", ["pyskl", "coco", "tables", "video"])
@pytest.mark.parametrize("target", [".", "/", "..", "~no-such-user/out"])
def test_an_odd_target_is_told_and_another_can_be_tried(window, tmp_path, qtbot, monkeypatch, format, target):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    written = []
    monkeypatch.setattr("app.library.export_video.write", lambda export: written.append(export.target) or "videos")
    dialog = exporting(window, format, target)
    dialog.begin.click()
    qtbot.waitUntil(lambda: dialog.state.text() not in ("", "Writing …"), timeout=60_000)
    if format != "video" or target.startswith("~"):  # which fills any folder
        assert any(told in dialog.state.text() for told in ("is a folder", "no such user", "new folder"))
    dialog.target.setText(str(tmp_path / "out"))
    dialog.begin.click()
    qtbot.waitUntil(lambda: "written" in dialog.state.text(), timeout=60_000)
    assert list((tmp_path / "here").iterdir()) == []
    dialog.close()


def test_a_file_that_is_there_is_replaced_after_a_question(window, tmp_path, qtbot):
    (tmp_path / "out.json").write_text("precious")
    dialog = exporting(window, "coco", tmp_path / "out")
    dialog.begin.click()
    (question,) = dialog.findChildren(QMessageBox)
    assert str(tmp_path / "out.json") in question.text()
    next(button for button in question.buttons() if button.text() == "Cancel").click()
    assert (tmp_path / "out.json").read_text() == "precious"
    assert dialog.begin.isEnabled()
    QCoreApplication.sendPostedEvents(question, QEvent.Type.DeferredDelete.value)
    dialog.begin.click()
    (question,) = dialog.findChildren(QMessageBox)
    next(button for button in question.buttons() if button.text() == "&Replace").click()
    qtbot.waitUntil(lambda: "written" in dialog.state.text(), timeout=60_000)
    assert json.loads((tmp_path / "out.json").read_text())["clips"]
    dialog.close()


def test_videos_of_recordings_that_are_there_are_replaced_after_a_question(window, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "of mine.mp4").write_text("")
    video = tmp_path / "out" / f"{window.library.recordings()[0].id}.mp4"
    video.write_text("precious")
    dialog = exporting(window, "video", tmp_path / "out")
    dialog.begin.click()
    (question,) = dialog.findChildren(QMessageBox)
    assert "videos of the same recordings" in question.text()
    next(button for button in question.buttons() if button.text() == "Cancel").click()
    assert video.read_text() == "precious"
    dialog.close()


def test_an_import_that_fails_says_why_and_can_be_tried_again(window, tmp_path, qtbot):
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path / "not there.mp4")])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "does not exist" in dialog.state.text(), timeout=60_000)
    assert dialog.begin.isEnabled()
    dialog.close()


def test_closing_the_window_cancels_an_import(window, monkeypatch, qtbot, tmp_path):
    cancelled = threading.Event()

    def slow(library, paths, options, *, format, tell, cancel):
        tell(ImportProgress(0.5, 2, "a.mp4"))
        assert cancel.wait(60)
        assert library.count_segments() == 2  # it is still open
        cancelled.set()
        return ImportReport(cancelled=True)

    monkeypatch.setattr("app.ui.library.import_dialog.import_any", slow)
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "of 2" in dialog.state.text(), timeout=60_000)
    window.close()
    assert window.isVisible(), "it asks first"
    (question,) = window.findChildren(QMessageBox)
    next(button for button in question.buttons() if button.text() == "&Stop").click()
    assert not window.isVisible()
    assert cancelled.wait(60)


def test_keys_are_listed_and_none_is_used_twice(window):
    used = [action.shortcut().toString() for action in window.actions() if not action.shortcut().isEmpty()]
    assert len(used) == len(set(used))
    window.commands["keys"].trigger()
    (page,) = window.findChildren(KeysDialog)
    texts = {label.text() for label in page.findChildren(QLabel)}
    assert {"Space", "Y", "Ctrl+Z", "1 to 9"} <= texts
    page.close()


def test_a_box_that_has_the_focus_keeps_the_space_bar(window):
    played = []
    window.commands["play"].triggered.connect(lambda _: played.append(True))
    window.activateWindow()
    box = window.browser.filters.unlabelled
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert box.isChecked()
    assert not played
    window.browser.table.setFocus()
    QTest.keyClick(window.browser.table, Qt.Key.Key_Space)
    assert played


def test_a_new_recording_is_listed(window, root, qtbot):
    record(root, "jump")
    window.recordings_changed()
    qtbot.waitUntil(lambda: window.browser.segments.rowCount() == 3, timeout=60_000)


def test_pictures_of_segments_come_to_the_list(window, qtbot):
    index = window.browser.segments.index(0, 0)
    qtbot.waitUntil(lambda: index.data(Qt.ItemDataRole.DecorationRole) is not None, timeout=60_000)
    picture = index.data(Qt.ItemDataRole.DecorationRole).deviceIndependentSize()
    table = window.browser.segment_table
    assert 20 < picture.height() <= table.rowHeight(0)  # whole, not a part of it
    assert 20 < picture.width() <= table.columnWidth(0)


def test_a_key_that_was_kept_labels_with_its_action(window):
    first, second = window.browser.segments.rows
    window.browser.segment_table.selectRow(0)
    QTest.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.ControlModifier)
    window.browser.segment_table.selectRow(1)
    QTest.keyClick(window, Qt.Key.Key_7)
    assert window.library.segment(second.id).action == first.action


def test_the_end_of_a_segment_is_dragged_and_kept_when_it_is_let_go(window):
    bar, segment = window.player.bar, window.content.segment.id
    recording_s = window.library.recording(window.library.segment(segment).recording).duration_s
    end_s = window.library.segment(segment).end_s  # of the movement, before the recording's own end
    end, later = (QPoint(round(bar.width() * part), 20) for part in (end_s / recording_s, 0.75))
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    QTest.mouseMove(bar, later)
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, later)
    assert window.library.segment(segment).end_s == pytest.approx(0.75 * recording_s, abs=0.1)


def test_the_speed_has_keys_and_ends(window):
    for _ in range(5):
        QTest.keyClick(window, Qt.Key.Key_Minus)
    assert window.player.speed == 0.25
    window.player.change_speed(1)
    assert window.player.speed == 0.5


def test_the_benchmark_makes_no_library_where_there_is_none(tmp_path, capsys):
    assert bench.main(["--root", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"there is no library in {tmp_path / 'none'}; check --root\n"
    assert not (tmp_path / "none").exists()


def test_the_benchmark_fills_a_library_opens_and_scrolls_it(qapp, capsys, monkeypatch):
    monkeypatch.setattr(bench, "_STEPS", 10)
    assert bench.main(["--clips", "45"]) == 0
    figures = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert figures["clips"] == "45"
    assert float(figures["opened ms"]) > 0
    assert float(figures["scroll p100 ms"]) >= float(figures["scroll p50 ms"])


def on_recordings(window, names=None):
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    table = window.browser.recording_table
    table.choose(range(window.browser.recordings.rowCount()))
    return [row.id for row in window.browser.chosen_recordings()]


def test_p_works_on_all_the_chosen_recordings_in_one_step(window, root, waver, qtbot):
    record(root)
    record(root, moving=(9.0, 9.0))  # where nothing moves
    window.recordings_changed()
    qtbot.waitUntil(lambda: window.browser.recordings.rowCount() == 4, timeout=60_000)
    for segment in window.library.segments():
        window.library.remove_segments([segment.id])
    window.refresh()
    assert len(on_recordings(window)) == 4
    QTest.keyClick(window, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: window.library.count_segments() == 3, timeout=60_000)
    found = window.library.segments()
    assert len({segment.recording for segment in found}) == 3
    for segment in found:
        assert (segment.start_s, segment.end_s) == pytest.approx((1.8, 4.2), abs=0.3)
    qtbot.waitUntil(lambda: "3 labels are proposed" in window.state.text(), timeout=60_000)
    window.fields.undo.click()
    assert window.library.count_segments() == 0


def test_new_segments_have_the_name_that_the_person_has_in_the_recording(window, waver, qtbot):
    for segment in window.library.segments():
        window.library.change_segment(segment.id, NewSegment(0.0, 0.5, 0, segment.action, "Anna"))
    window.refresh()
    on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: window.library.count_segments() == 4, timeout=60_000)
    assert {segment.who for segment in window.library.segments()} == {"Anna"}
    window.fields.undo.click()
    window.browser.recording_table.choose([0])
    for key, count in ((Qt.Key.Key_P, 3), (Qt.Key.Key_A, 4)):
        qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
        QTest.keyClick(window, key)
        assert window.library.count_segments() == count
    assert {segment.who for segment in window.library.segments()} == {"Anna"}


def test_p_on_segments_of_several_recordings_where_nothing_moves_besides(window, waver, qtbot):
    for segment in window.library.segments():
        window.library.change_segment(segment.id, NewSegment(1.5, 4.5, 0, segment.action))
    window.refresh()
    window.browser.segment_table.selectAll()
    QTest.keyClick(window, Qt.Key.Key_P)
    said = "Nothing moves in these 2 recordings where no segment is yet"
    qtbot.waitUntil(lambda: window.state.text() == said, timeout=60_000)


def test_n_on_chosen_recordings_labels_what_has_no_label_in_them(window, root, qtbot):
    bare = record(root).name
    window.recordings_changed()
    qtbot.waitUntil(lambda: window.browser.recordings.rowCount() == 3, timeout=60_000)
    window.library.remove_segments([segment.id for segment in window.library.segments() if segment.recording == bare])
    window.library.label([segment.id for segment in window.library.segments() if segment.action == "clap"], None)
    window.refresh()
    on_recordings(window)
    QTest.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: window.library.count_segments() == 3, timeout=60_000)
    actions = {segment.recording: segment.action for segment in window.library.segments()}
    assert sorted(actions.values()) == ["nothing", "nothing", "wave"]
    (whole,) = [segment for segment in window.library.segments() if segment.recording == bare]
    assert (whole.start_s, whole.end_s) == pytest.approx((0.0, 6.0), abs=0.1)
    assert window.state.text() == "Added a segment and labelled a segment: nothing"
    QTest.keyClick(window, Qt.Key.Key_N)
    assert window.state.text().startswith("All its segments are labelled: Alt+1 lists them")
    window.fields.undo.click()
    assert sorted(str(segment.action) for segment in window.library.segments()) == ["None", "wave"]


def test_a_segment_that_another_list_hides_is_not_labelled(window):
    before = [segment.action for segment in window.library.segments()]
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)  # the bin
    QTest.keyClick(window, Qt.Key.Key_N)
    assert [segment.action for segment in window.library.segments()] == before
    assert window.state.text() == "This works on segments: Alt+1 lists them"


def test_a_filter_hides_what_is_chosen_and_gives_it_back(window, root, qtbot):
    for action in ("wave", ""):
        record(root, action)
    window.recordings_changed()
    qtbot.waitUntil(lambda: window.browser.recordings.rowCount() == 4, timeout=60_000)
    window.library.label([window.library.segments()[0].id], None)
    window.refresh()
    window.browser.segment_table.selectAll()
    chosen = [segment.id for segment in window.browser.chosen_segments()]
    filters = window.browser.filters
    filters.suspect.setChecked(True)
    assert window.browser.chosen_segments() == []
    filters.suspect.setChecked(False)
    assert [segment.id for segment in window.browser.chosen_segments()] == chosen
    filters.unlabelled.setChecked(True)
    assert {segment.action for segment in window.browser.chosen_segments()} == {None}
    filters.search.setText("nobody is called that")
    filters.search.clear()
    filters.unlabelled.setChecked(False)
    assert [segment.id for segment in window.browser.chosen_segments()] == chosen


def test_a_filter_follows_the_name_that_it_asks_for(window):
    picker = window.browser.filters.action
    picker.setCurrentIndex(picker.findData("wave"))
    picker.activated.emit(picker.currentIndex())
    chosen = [segment.id for segment in window.library.segments(Filter(action="wave"))]
    window.edits.do(lambda library: library.rename("action", "wave", "greet"))
    assert picker.currentData() == "greet"
    assert [segment.id for segment in window.browser.segments.rows] == chosen
    window.commands["undo"].trigger()
    assert picker.currentData() == "wave"
    window.edits.do(lambda library: library.merge("action", "wave", "clap"))
    assert picker.currentData() is None
    assert window.browser.segments.rowCount() == window.library.count_segments()


def test_what_is_chosen_under_a_filter_stays_chosen_without_it(window):
    window.browser.segment_table.choose([1])
    filters = window.browser.filters
    filters.search.setText("clap")
    assert window.browser.segments.rowCount() == 1
    window.browser.segment_table.clearSelection()
    window.browser.segment_table.choose([0])
    (chosen,) = window.browser.chosen_segments()
    filters.search.clear()
    assert [segment.id for segment in window.browser.chosen_segments()] == [chosen.id]


# What the library's window says to keys while nothing is in it.
KEYS_THAT_SAY_WHY = [
    (Qt.Key.Key_N, "", "Nothing is selected: select something in the list first"),
    (Qt.Key.Key_0, "", "Nothing is selected"),
    (Qt.Key.Key_S, "", "Nothing is selected"),
    (Qt.Key.Key_R, "", "Nothing is selected"),
    (Qt.Key.Key_Y, "", "Nothing is selected"),
    (Qt.Key.Key_P, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_A, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_W, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_I, "", "Nothing is shown: select a segment or a recording"),
    (Qt.Key.Key_O, "", "Nothing is shown"),
    (Qt.Key.Key_Space, "", "Nothing is shown"),
    (Qt.Key.Key_Left, "", "Nothing is shown"),
    (Qt.Key.Key_Right, "", "Nothing is shown"),
    (Qt.Key.Key_Delete, "", "Nothing is selected"),
    (Qt.Key.Key_Delete, "Shift", "Nothing is selected"),
    (Qt.Key.Key_Delete, "Control Shift", "The bin is empty"),
    (Qt.Key.Key_R, "Control Shift", "Select recordings in the bin first (Alt+3)"),
    (Qt.Key.Key_4, "Control", "Label a segment first: then Ctrl+4 assigns that key to its action"),
    (Qt.Key.Key_9, "", "No action has the key 9 yet"),
    (Qt.Key.Key_Z, "Control", "There is nothing to undo"),
    (Qt.Key.Key_Y, "Control", "There is nothing to redo"),
]


def test_a_key_that_does_nothing_says_why(tmp_path, theme, qtbot):
    made = opened(tmp_path, theme, qtbot)
    for key, modifiers, says in KEYS_THAT_SAY_WHY:
        made.show_status("")
        held = Qt.KeyboardModifier.NoModifier
        for name in modifiers.split():
            held |= getattr(Qt.KeyboardModifier, f"{name}Modifier")
        QTest.keyClick(made, key, held)
        assert made.state.text().startswith(says), (key, modifiers)
    for field in (made.fields.action, made.fields.who, made.fields.session, made.fields.note):
        made.show_status("")
        field.setText("something")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert made.state.text().startswith("Nothing is selected")
    made.close()


def test_bounds_without_a_segment_say_what_makes_one(window, qtbot):
    on_recordings(window)
    window.browser.recording_table.choose([0])
    qtbot.waitUntil(lambda: window.content.segment is None and window.content.shown is not None, timeout=60_000)
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    assert window.state.text() == "Only a segment has a start and an end: A makes one here, or select one (Alt+1)"


DONE = [
    (
        lambda library, ids, _: library.label(ids, "sit_down"),
        "Labelled 2 segments: sit down",
        "label 2 segments as sit down",
    ),
    (
        lambda library, ids, _: library.label(ids[:1], None),
        "Labelled a segment as unlabelled",
        "label a segment as unlabelled",
    ),
    (
        lambda library, ids, _: library.label_each({ids[0]: "kick"}),
        "Labelled a segment as proposed",
        "label a segment as proposed",
    ),
    (lambda library, ids, _: library.remove_segments(ids[:1]), "Removed a segment", "remove a segment"),
    (
        lambda library, ids, _: library.set_who(ids, "Ada"),
        "Named the person of 2 segments",
        "name the person of 2 segments",
    ),
    (lambda library, ids, _: library.mark_suspect(ids[:1], True), "Doubted a label", "doubt a label"),
    (lambda library, _, names: library.set_recording_note(names[0], "x"), "Note on a recording", "note on a recording"),
    (
        lambda library, _, names: library.set_session(names, "today"),
        "Set the session of 2 recordings",
        "set the session of 2 recordings",
    ),
    (
        lambda library, _, names: library.delete_recordings(names[:1]),
        "Moved a recording to the bin",
        "delete a recording",
    ),
    (
        lambda library, ids, _: library.add_name("action", "and label"),
        "Added the action and label",
        "add the action and label",
    ),
    (
        lambda library, ids, _: library.set_part("mine", ids[:1], "test"),
        "Put a segment into test of the split mine",
        "put a segment into test of the split mine",
    ),
]


@pytest.mark.parametrize(("edit", "done", "step"), DONE, ids=[done for _, done, _ in DONE])
def test_what_was_done_and_what_undo_does_are_told_as_such(window, edit, done, step):
    ids, names = window.library.segment_ids(), [row.id for row in window.library.recordings()]
    window.edits.do(lambda library: edit(library, ids, names))
    assert window.state.text() == done
    assert window.fields.undo.toolTip() == f"Undo: {step} (Ctrl+Z)"
    window.fields.undo.click()
    assert window.state.text() == f"Undone: {step}"
    assert window.fields.redo.toolTip() == f"Redo: {step} (Ctrl+Y)"
    window.fields.redo.click()
    assert window.state.text() == f"Done again: {step}"


HEBREW = "\u05e9\u05dc\u05d5\u05dd"
MARKED = f"\u2068{HEBREW}\u2069"


def test_names_from_right_to_left_leave_sentences_in_their_order(window):
    """In marks on the screen, and without them wherever they are kept."""
    library, ids = window.library, window.library.segment_ids()
    window.edits.do(lambda library: library.label(ids, HEBREW))
    assert window.state.text() == f"Labelled 2 segments: {MARKED}"
    assert f"as {MARKED}" in window.fields.undo.toolTip()
    assert f" {MARKED} " in window.legend.text()
    assert any(says == f"Label “{MARKED}”" for _, says in key_rows(library.names("action")))
    assert f"{MARKED} (2)" in [window.browser.filters.action.itemText(n) for n in range(5)]
    window.edits.do(lambda library: library.set_who(ids, HEBREW))
    window.edits.do(lambda library: library.mark_suspect(ids, True))
    table = window.browser.segments
    assert table.index(0, ACTION).data() == f"{MARKED} ?"
    assert f"{MARKED} ? · {MARKED} · s" in table.index(0, ACTION).data(Qt.ItemDataRole.ToolTipRole)
    names = NamesDialog(window.edits, window.changed, window)
    assert f"{MARKED}   (2 segments)" in [names.list.item(row).text() for row in range(names.list.count())]
    names.close()
    assert window.fields.action.text() == HEBREW
    kept = [path.read_bytes() for path in library.root.rglob("*") if path.is_file()]
    assert any(HEBREW.encode() in content for content in kept)
    assert not any("\u2068".encode() in content for content in kept)


def test_what_is_imported_is_listed_with_each_name_in_its_place_and_can_be_left_out(
    window, qtbot, monkeypatch, tmp_path
):
    asked = []
    monkeypatch.setattr(
        "app.ui.library.import_dialog.import_any", lambda _, paths, *a, **b: asked.extend(paths) or ImportReport()
    )
    dialog = ImportDialog(window.root, window._jobs, window)
    dialog.add([f"/videos/{HEBREW}/12.mp4", "/videos/other.mp4"])
    assert [dialog.paths.item(row).text() for row in range(2)] == [f"/videos/{MARKED}/12.mp4", "/videos/other.mp4"]
    assert dialog.drop.text().replace("&", "") == "Remove from the list"
    assert not dialog.drop.isEnabled()
    dialog.paths.setCurrentRow(1)
    dialog.drop.click()
    dialog.add([f"/videos/{HEBREW}/12.mp4"])  # it is there already
    assert dialog.paths.count() == 1
    assert dialog.format.itemText(0) == "Detect automatically"
    dialog.begin.click()
    qtbot.waitUntil(lambda: bool(asked))
    assert [path.as_posix() for path in asked] == [f"/videos/{HEBREW}/12.mp4"]
    qtbot.waitUntil(lambda: dialog._cancel is None)
    dialog.close()


def test_what_could_not_be_imported_is_counted_in_words(window):
    dialog = ImportDialog(window.root, window._jobs, window)
    dialog._done(ImportReport(problems=["one: bad"]))
    assert dialog.state.text() == "0 recordings imported; 1 item could not be imported"
    dialog._done(ImportReport(problems=["one: bad", "the archive is empty"]))
    assert dialog.state.text().endswith("; 2 items could not be imported")
    assert dialog.problems.toPlainText() == "one: bad\nThe archive is empty"
    dialog.close()


def test_filters_that_let_everything_through_say_so(window):
    filters = window.browser.filters
    said = [picker.itemText(0) for picker in (filters.action, filters.who, filters.session)]
    assert said == ["All actions", "All people", "All sessions"]


def test_the_keys_of_actions_are_shown_and_listed(window):
    first, second = (named.name for named in window.library.names("action") if named.name != "nothing")
    assert window.legend.text() == f"Keys · 1 {first} · 2 {second} · Ctrl+1 to 9 assigns a key"
    window.library.set_key("clap", "7")
    window.refresh()
    assert window.legend.text() == "Keys · 1 wave · 7 clap · Ctrl+1 to 9 assigns a key"
    window.commands["keys"].trigger()
    (page,) = window.findChildren(KeysDialog)
    texts = [label.text() for label in page.findChildren(QLabel)]
    assert texts[texts.index("7") + 1] == "Label “clap”"
    page.close()


def test_without_actions_the_legend_says_how_there_will_be_some(tmp_path, theme, qtbot):
    made = opened(tmp_path, theme, qtbot)
    assert (
        made.legend.text()
        == "Keys 1 to 9 label with your first nine actions. There is none yet: label a segment with L."
    )
    made.close()


def test_one_of_anything_is_told_as_one(window, waver, qtbot):
    segment = window.library.segments()[0]
    window.library.label([segment.id], None)
    window.refresh()
    window.browser.choose_segment(segment.id)
    QTest.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "proposed" in window.state.text(), timeout=60_000)
    assert window.state.text() == "1 label is proposed, 1 with 50% or more: Y accepts"


def test_of_several_people_the_player_counts_the_shown_one(window):
    recording = window.player.stretch.recording
    for number, identity in enumerate((2, 5, 9)):  # identities as a tracker gives them
        recording.person[number::3] = identity
    window.player.choose_person(5)
    assert "person 2 of 3" in window.player.status.text()


def test_an_import_counts_whole_things(window, monkeypatch, qtbot, tmp_path):
    def slow(library, paths, options, *, format, tell, cancel):
        tell(ImportProgress(2.4, 6, "a.mp4"))
        assert cancel.wait(60)
        return ImportReport(cancelled=True)

    monkeypatch.setattr("app.ui.library.import_dialog.import_any", slow)
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.begin.click()
    qtbot.waitUntil(lambda: "of 6" in dialog.state.text(), timeout=60_000)
    assert dialog.state.text() == "2 of 6 done a.mp4"
    dialog.close_now()


@pytest.mark.parametrize(
    ("typed", "says"),
    [("http://a.b/c", "That is an address"), ("w" * 200, "The action has 200 characters; at most 80 are allowed")],
)
def test_what_is_no_action_s_name_is_refused_wherever_it_is_typed(window, qtbot, typed, says, tmp_path):
    before = [segment.action for segment in window.library.segments()]
    window.fields.action.setText(typed)
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert window.state.text().startswith(says)
    names = NamesDialog(window.edits, window.changed, window)
    names.show()
    for button in (names.add, names.rename):
        names.name.setText(typed)
        button.click()
        assert names.state.text().startswith(says)
    names.close()
    window.open_import()
    (dialog,) = window.findChildren(ImportDialog)
    dialog.add([str(tmp_path)])
    dialog.action.setText(typed)
    dialog.begin.click()
    assert dialog.state.text().startswith(says)
    dialog.close()
    assert [segment.action for segment in window.library.segments()] == before


@pytest.mark.parametrize("name", ["走る", "махать рукой", "clap / wave", "..", "w" * 80])
def test_actions_are_named_in_any_script(window, name):
    window.fields.action.setText(name)
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert name in [segment.action for segment in window.library.segments()]


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


def test_the_question_before_the_bin_is_emptied_counts_what_the_filters_hide(window, qtbot):
    window.library.delete_recordings([row.id for row in window.browser.recordings.rows])
    window.refresh()
    window.browser.show_list(BIN)
    window.browser.filters.search.setText("nothing has this name")
    qtbot.waitUntil(lambda: window.browser.deleted.total == 0)
    window.edits.ask_empty_bin(window)
    (question,) = window.findChildren(QMessageBox)
    assert question.text() == "Remove 2 recordings from the disk?"
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert len(window.library.recordings(Filter(deleted=True))) == 2


def test_segments_that_are_removed_while_another_list_is_shown_leave_the_list(window):
    window.browser.show_list(RECORDINGS)
    window.refresh()
    window.library.remove_segments([window.library.segments()[-1].id])
    window.refresh()
    assert window.browser.segments.rowCount() == 1
    window.library.remove_segments([segment.id for segment in window.library.segments()])
    assert window.browser.segments.index(0, ACTION).data() is None  # painted before the list is read again
    window.refresh()
    assert window.browser.segments.rowCount() == 0


def test_what_is_being_typed_stays_when_the_lists_are_read_again(window):
    type_into(window.fields.note, "a remark")
    window.recordings_changed()
    window.refresh()
    assert window.fields.note.text() == "a remark"
    QTest.keyClick(window.fields.note, Qt.Key.Key_Return)
    assert window.content.segment.note == "a remark"


def test_what_is_left_without_enter_shows_what_is_stored_and_says_so(window):
    stored = window.fields.action.text()
    type_into(window.fields.action, "juggle")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.fields.action.text() == stored
    assert window.state.text() == "Not stored: Enter stores what is typed"
    type_into(window.fields.action, stored)
    window.show_status("")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.state.text() == ""


def test_what_is_refused_stays_in_its_field_to_be_corrected(window):
    stored = window.fields.action.text()
    type_into(window.fields.action, "http://there")
    QTest.keyClick(window.fields.action, Qt.Key.Key_Return)
    assert "is an address" in window.state.text()
    assert window.fields.action.text() == "http://there"
    assert window.fields.action.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.fields.action.text() == stored


def test_a_note_that_is_left_as_it_is_keeps_its_line_breaks(window):
    segment = window.content.segment
    window.edits.set_note("first\nsecond")
    window.fields.note.setFocus()
    QTest.keyClick(window.fields.note, Qt.Key.Key_Return)
    assert window.library.segment(segment.id).note == "first\nsecond"


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_click_near_the_end_of_a_segment_does_not_move_it(window, button):
    bar, before = window.player.bar, window.content.segment
    QTest.mouseClick(bar, button, pos=QPoint(round(bar._x(window.player.bounds[1])) - 4, 30))
    after = window.library.segment(before.id)
    assert (after.start_s, after.end_s) == (before.start_s, before.end_s)
    assert window.player.bounds == (before.start_s, before.end_s)


def test_a_whole_recording_keeps_its_bounds(window, qtbot):
    on_recordings(window)
    window.browser.recording_table.choose([0])
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    window.player.seek(2.0)
    QTest.keyClick(window, Qt.Key.Key_I)
    assert "Only a segment has a start and an end" in window.state.text()
    assert window.player.bounds == (0.0, window.player.duration_s)


def test_in_at_the_very_end_and_out_at_the_beginning_leave_a_tenth_of_a_second(window):
    window.player.seek(window.player.duration_s)
    QTest.keyClick(window, Qt.Key.Key_I)
    segment = window.library.segment(window.content.segment.id)
    assert segment.end_s - segment.start_s == pytest.approx(0.1)
    window.player.seek(0.0)
    QTest.keyClick(window, Qt.Key.Key_O)
    segment = window.library.segment(window.content.segment.id)
    assert (segment.start_s, segment.end_s) == pytest.approx((0.0, 0.1))


def test_labels_go_to_the_person_that_was_chosen_in_the_recording(root, theme, qtbot):
    name = two_people(root).name
    made = opened(root, theme, qtbot)
    made.show_recording(name)
    qtbot.waitUntil(lambda: made.content.shown is not None and made.content.shown[0] == name, timeout=60_000)
    first = made.content.shown[1]
    press(made, Qt.Key.Key_W)
    press(made, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: bool(made.library.segments_in(name)), timeout=60_000)
    (segment,) = made.library.segments_in(name)
    assert segment.person == 1 - first
    made.close()


def test_another_person_has_the_name_that_they_have_in_the_recording(root, theme, qtbot):
    name = two_people(root).name
    made = opened(root, theme, qtbot)
    made.library.refresh()
    made.library.add_segments(name, [NewSegment(1.0, 2.0, 0, None, "Anna"), NewSegment(3.0, 4.0, 1, None, "Ben")])
    made.refresh()
    first = next(row for row in made.library.segments_in(name) if row.person == 0)
    made.browser.choose_segment(first.id)
    qtbot.waitUntil(lambda: made.content.shown is not None and made.content.shown[0] == name, timeout=60_000)
    press(made, Qt.Key.Key_W)
    changed = made.library.segment(first.id)
    assert (changed.person, changed.who) == (1, "Ben")
    made.close()


def test_a_proposal_for_other_bounds_is_not_accepted(window, waver, qtbot):
    window.edits.label("")
    press(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "proposed" in window.state.text(), timeout=60_000)
    row = window.browser.segment_table.chosen_rows()[0]
    assert window.browser.segments.index(row, ACTION).data() == "wave? 80%"
    window.player.seek(1.0)
    press(window, Qt.Key.Key_I)
    assert window.browser.segments.index(row, ACTION).data() == "unlabelled"
    press(window, Qt.Key.Key_Y)
    assert window.content.segment.action is None


def test_segments_that_the_filters_hide_are_told(window, waver, qtbot):
    picker = window.browser.filters.action
    picker.setCurrentIndex(picker.findData("clap"))
    picker.activated.emit(picker.currentIndex())
    assert window.browser.segments.rowCount() == 1
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    press(window, Qt.Key.Key_A)
    assert window.state.text() == "Added what the filters hide: clear them to see it"
    window.library.change_segment(window.content.segment.id, NewSegment(0.0, 0.5, 0, window.content.segment.action))
    window.refresh()
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    press(window, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: "proposed" in window.state.text(), timeout=60_000)
    assert window.state.text().endswith("clear the filters to see them all")


def test_r_on_recordings_without_segments_names_the_key_that_makes_some(root, theme, qtbot, waver):
    record(root)
    made = opened(root, theme, qtbot)
    on_recordings(made)
    for row, told in ((0, "There are no segments yet: P proposes them"), (1, "All segments are labelled")):
        names = sorted(made.browser.recordings.rows, key=lambda one: one.segments)
        made.browser.recording_table.choose([made.browser.recordings.position_of(names[row].id)])
        press(made, Qt.Key.Key_R)
        assert made.state.text().startswith(told)
    made.close()


def test_advice_about_a_recording_goes_with_it(window):
    on_recordings(window)
    window.browser.recording_table.choose([0])
    assert "A makes one here" in window.state.text()
    press(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert window.state.text() == ""


def test_the_bin_gets_no_segments_and_no_labels(window, qtbot):
    window.library.delete_recordings([window.library.segments()[0].recording])
    window.refresh()
    window.browser.show_list(BIN)
    qtbot.waitUntil(lambda: window.content.shown is not None, timeout=60_000)
    count = window.library.count_segments()
    for key, told in ((Qt.Key.Key_A, "gets no segments"), (Qt.Key.Key_Y, "gets no labels"), (Qt.Key.Key_I, "restores")):
        press(window, key)
        assert told in window.state.text()
    assert window.library.count_segments() == count


def test_keys_on_a_damaged_recording_say_what_is_wrong_with_it(root, theme, qtbot):
    folder = record(root)
    made = opened(root, theme, qtbot)
    made.library.refresh()
    for file in folder.iterdir():
        if file.suffix == ".npz":
            file.write_bytes(b"broken")
    made.show_recording(folder.name)
    qtbot.waitUntil(lambda: bool(made.content.problem), timeout=60_000)
    for key in (Qt.Key.Key_P, Qt.Key.Key_A, Qt.Key.Key_W, Qt.Key.Key_I):
        made.show_status("")
        press(made, key)
        assert made.state.text() == made.content.problem
    assert made.player.picture.placeholder == made.content.problem
    made.show_status("")
    press(made, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: folder.name in made.state.text(), timeout=60_000)
    made.close()


def test_segments_that_come_back_are_selected(window):
    window.browser.segment_table.selectAll()
    press(window, Qt.Key.Key_Delete)
    assert window.browser.segments.rowCount() == 0
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.browser.chosen_segments()) == 1


def test_an_edit_that_changes_nothing_says_so(window):
    press(window, Qt.Key.Key_N)
    assert window.state.text().startswith("Labelled")
    session = window.fields.session
    session.setFocus()
    QTest.keyClick(session, Qt.Key.Key_Return)
    assert window.state.text() == "Nothing to change: it is so already"
