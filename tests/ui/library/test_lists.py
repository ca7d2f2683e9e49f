"""The lists of the library's window: columns, filters, pages, pictures."""

import time

import pytest
from library_window_fakes import HEBREW, MARKED, opened, press, record
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.clock_text import local_clock
from app.library.catalogue import Library
from app.library.rows import Filter, NewSegment
from app.ui.library.browser import RECORDINGS, column_widths
from app.ui.library.commands import key_rows
from app.ui.library.names_dialog import NamesDialog
from app.ui.library.segment_model import ACTION, COLUMNS
from app.ui.library.splits_dialog import SplitsDialog


def test_segments_are_listed_and_the_first_one_is_shown(window):
    assert window.browser.segments.rowCount() == 2
    assert window.browser.count.text() == "2 segments · 2 recordings · 0 in the bin"
    assert window.player.duration_s == pytest.approx(6.0, abs=0.1)


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


def test_search_and_filter(window):
    window.browser.filters.action.setCurrentIndex(window.browser.filters.action.findData("clap"))
    window.browser.filters.action.activated.emit(window.browser.filters.action.currentIndex())
    assert [row.action for row in window.browser.segments.rows] == ["clap"]
    window.browser.filters.action.setCurrentIndex(0)
    window.browser.filters.search.setText("there is no such thing")
    assert window.browser.segments.rowCount() == 0


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


def test_all_recordings_are_selected_also_those_that_are_not_read_yet(root, theme, qtbot, monkeypatch):
    monkeypatch.setattr("app.ui.library.recording_model._PAGE", 15)  # more than the list has room for
    for _ in range(18):
        record(root, seconds=0.2)
    made = opened(root, theme, qtbot)
    made.resize(720, 400)
    made.browser.tabs.setCurrentIndex(RECORDINGS)
    assert made.browser.recordings.rowCount() == 15
    press(made.browser.recording_table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(made.browser.chosen_recordings()) == 20
    made.browser.filters.search.setText("nobody is called that")
    assert made.browser.chosen_recordings() == []
    made.browser.filters.search.clear()
    made.edits.set_session("Monday")
    assert made.library.count_recordings(Filter(session="Monday")) == 20
    made.close()


def test_pictures_of_segments_come_to_the_list(window, qtbot):
    index = window.browser.segments.index(0, 0)
    qtbot.waitUntil(lambda: index.data(Qt.ItemDataRole.DecorationRole) is not None, timeout=60_000)
    picture = index.data(Qt.ItemDataRole.DecorationRole).deviceIndependentSize()
    table = window.browser.segment_table
    assert 20 < picture.height() <= table.rowHeight(0)  # whole, not a part of it
    assert 20 < picture.width() <= table.columnWidth(0)


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


def test_filters_that_let_everything_through_say_so(window):
    filters = window.browser.filters
    said = [picker.itemText(0) for picker in (filters.action, filters.who, filters.session)]
    assert said == ["All actions", "All people", "All sessions"]


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


def test_segments_that_come_back_are_selected(window):
    window.browser.segment_table.selectAll()
    press(window, Qt.Key.Key_Delete)
    assert window.browser.segments.rowCount() == 0
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.browser.chosen_segments()) == 1
