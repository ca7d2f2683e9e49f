"""The last minute of actions, and the list of events."""

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QHelpEvent, QPainter
from PySide6.QtWidgets import QToolTip
from window_fakes import decision, end, pose, result, start

from app.results import PersonResult
from app.ui.event_list import MAX_ROWS, EventList
from app.ui.timeline import History, Timeline
from pose.estimators import MAX_PEOPLE


def stretches(history, person=0):
    return [(s.action, round(s.start_s, 2), round(s.end_s, 2)) for s in history.rows.get(person, [])]


def add(history, time_s, action, since_s=0.0, person=0):
    shown = result(time_s, persons=())
    found = PersonResult(pose(person, time_s), decision(person, time_s, action, since_s=since_s), True)
    object.__setattr__(shown, "persons", (found,))
    history.add(shown)


def test_an_action_grows_until_the_next():
    history = History()
    for tenth in range(10, 31):
        add(history, tenth / 10, "walk", since_s=1.0)
    add(history, 3.1, "wave", since_s=3.1)
    assert stretches(history) == [("walk", 1.0, 3.1), ("wave", 3.1, 3.1)]


def test_a_change_is_dated_back_to_when_it_was():
    history = History()
    add(history, 1.0, "walk", since_s=0.5)
    add(history, 1.9, "walk", since_s=0.5)
    add(history, 2.5, "wave", since_s=1.7)
    assert stretches(history) == [("walk", 0.5, 1.7), ("wave", 1.7, 2.5)]


def test_a_person_who_was_away_leaves_a_hole():
    history = History()
    add(history, 1.0, "walk")
    add(history, 1.5, "walk")
    add(history, 9.0, "walk", since_s=8.5)
    assert stretches(history) == [("walk", 0.0, 1.5), ("walk", 8.5, 9.0)]


def both(history, time_s, *persons):
    history.add(result(time_s, persons=persons))


def test_a_person_who_gets_another_number_keeps_the_row():
    history = History()
    both(history, 1.0, (0, "walk"), (1, "wave"))
    both(history, 2.0, (0, "walk"), (1, "wave"))
    both(history, 2.5, (1, "wave"), (5, "walk"))  # 0 was lost and found again as 5
    assert list(history.rows) == [5, 1]
    assert [s.action for s in history.rows[5]] == ["walk"]
    assert history.rows[5][0].start_s == 0.0
    both(history, 2.6, (1, "wave"), (5, "walk"), (6, "clap"))  # nobody has left: somebody came
    assert list(history.rows) == [5, 1, 6]


def test_somebody_who_comes_long_after_another_has_a_row_of_their_own():
    history = History()
    both(history, 1.0, (0, "walk"))
    both(history, 9.0, (1, "wave"))
    assert list(history.rows) == [0, 1]


def test_what_is_older_than_a_minute_goes():
    history = History()
    add(history, 1.0, "walk")
    add(history, 2.0, "wave", since_s=2.0)
    add(history, 62.5, "clap", since_s=62.4)
    assert [s[0] for s in stretches(history)] == ["clap"]


def test_it_stays_bounded_whatever_comes():
    history = History()
    for number in range(5000):
        time_s = number / 100
        add(history, time_s, f"action {number % 7}", since_s=time_s, person=number % 19)
    assert len(history.rows) <= MAX_PEOPLE
    assert all(len(row) <= 401 for row in history.rows.values())


def test_the_widget_has_a_row_for_each_person(qtbot, theme):
    timeline = Timeline(theme.colours)
    qtbot.addWidget(timeline)
    one = timeline.height()
    timeline.history.add(result(5.0, persons=((0, "walk"), (1, "wave"), (3, "clap"))))
    timeline.refresh()
    assert timeline.height() > one
    timeline.begin_run()
    assert timeline.height() == one
    assert timeline.history.rows == {}


def test_a_tooltip_tells_action_and_duration(qtbot, theme):
    timeline = Timeline(theme.colours)
    qtbot.addWidget(timeline)
    timeline.resize(600, timeline.height())
    add(timeline.history, 1.0, "sit_down", since_s=1.0)
    for second in (1.9, 2.8, 3.7, 4.5):
        add(timeline.history, second, "sit_down", since_s=1.0)
    timeline.grab()
    spot = QPoint(600 - 12 - 10, 20)
    timeline.event(QHelpEvent(QEvent.Type.ToolTip, spot, timeline.mapToGlobal(spot)))
    assert QToolTip.text() == "sit down, 3.5 s"
    QToolTip.hideText()


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize("width", [300, 392, 900])
def test_the_times_under_the_timeline_do_not_touch(qtbot, theme, monkeypatch, width):
    drawn = []

    class Painter(QPainter):
        def drawText(self, box, *args):
            drawn.append((box.left(), box.right(), args[-1]))

    monkeypatch.setattr("app.ui.timeline.QPainter", Painter)
    timeline = Timeline(theme.colours)
    qtbot.addWidget(timeline)
    timeline.resize(width, timeline.height())
    timeline.grab()
    times = sorted(box for box in drawn if box[2] == "now" or box[2].endswith(" s"))
    assert times[-1][2] == "now"
    assert all(left[1] < right[0] for left, right in pairwise(times))
    assert len(times) == 7 or width < 900


@pytest.fixture
def events(qtbot):
    shown = EventList()
    qtbot.addWidget(shown)
    return shown


def cells(events, row):
    return [events.events.index(row, column).data() for column in range(events.events.columnCount())]


def test_an_end_completes_the_row_of_its_start(events):
    events.events.add([start("sit_down", 61.25, person=1)])
    assert cells(events, 0) == ["1:01.2", "2", "sit down", "", "…"]
    events.events.add([end("sit_down", 64.0, person=1, duration_s=2.75)])
    assert events.events.rowCount() == 1
    assert cells(events, 0) == ["1:01.2", "2", "sit down", "", "2.8 s"]


def test_the_newest_is_at_the_top_and_ends_find_their_own_start(events):
    events.events.add([start("walk", 1.0, 0), start("walk", 2.0, 1), end("walk", 5.0, 0, 4.0)])
    assert cells(events, 0)[:2] == ["0:02.0", "2"]
    assert cells(events, 0)[4] == "…"
    assert cells(events, 1)[4] == "4.0 s"


def test_an_end_without_its_start_is_shown_all_the_same(events):
    events.events.add([end("walk", 5.0, 0, 4.0)])
    assert cells(events, 0) == ["0:01.0", "1", "walk", "", "4.0 s"]


def test_the_list_stays_bounded_and_keeps_the_newest(events):
    for second in range(MAX_ROWS + 50):
        events.events.add([start("walk", float(second)), end("walk", second + 0.5, duration_s=0.5)])
    assert events.events.rowCount() == MAX_ROWS
    assert cells(events, 0)[0] == f"{(MAX_ROWS + 49) // 60}:{(MAX_ROWS + 49) % 60:04.1f}"


def test_copy_takes_the_selected_rows_or_all(events, qtbot):
    events.show()
    events.events.add([start("walk", 1.0), end("walk", 2.0, duration_s=1.0), start("wave", 3.0)])
    events.setFocus()
    qtbot.keyClick(events, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    everything = QGuiApplication.clipboard().text().splitlines()
    assert everything == ["Time\tPerson\tAction\tCount\tLasted", "0:03.0\t1\twave\t\t…", "0:01.0\t1\twalk\t\t1.0 s"]
    events.selectRow(1)
    events.copy()
    assert QGuiApplication.clipboard().text().splitlines()[1:] == ["0:01.0\t1\twalk\t\t1.0 s"]
    events.close()


def test_long_names_are_whole_in_the_tooltip(events):
    name = "Überschlag_rückwärts_mit_anderthalb_Schrauben"
    events.events.add([start(name, 1.0)])
    assert events.events.index(0, 2).data(Qt.ItemDataRole.ToolTipRole) == name.replace("_", " ")


def events_of(people=1):
    return [jacks(3671.0), end("walk", 1300.0, people - 1, 1200.7)]


def jacks(time_s):
    return replace(end("jumping_jacks", time_s, 0, 12.3), count=12)


def room_of(events, column):
    """What a column has for its texts, and what the widest of them needs."""
    rows = range(events.events.rowCount())
    texts = [events.events.headerData(column, Qt.Orientation.Horizontal)]
    texts += [events.events.index(row, column).data() for row in rows]
    return events.columnWidth(column) - 6, max(map(events.fontMetrics().horizontalAdvance, texts))


@pytest.mark.usefixtures("letters", "theme")
@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("width", [200, 308, 560])
def test_figures_are_never_cut_off_and_can_always_be_reached(qtbot, people, width):
    """In a panel of any width, with letters of any size: a name gives way, and then the list scrolls."""
    events = EventList()
    qtbot.addWidget(events)
    events.resize(width, 200)
    events.show()
    events.events.add(events_of(people))
    shown = [column for column in range(5) if not events.isColumnHidden(column)]
    assert {0, 2, 3, 4} <= set(shown)
    assert 1 in shown or people == 1
    for column in {0, 3, 4, 1} & set(shown):
        room, needs = room_of(events, column)
        assert room >= needs, column
    beyond = sum(events.columnWidth(column) for column in shown) - events.viewport().width()
    qtbot.waitUntil(lambda: events.horizontalScrollBar().maximum() >= beyond)
    events.close()


def test_the_name_of_an_action_is_whole_in_the_panel(qtbot, theme):
    """As wide as the panel is at first, with one person, whose number says nothing."""
    events = EventList()
    qtbot.addWidget(events)
    events.resize(308, 200)
    events.show()
    events.events.add([jacks(71.0)])
    room, needs = room_of(events, 2)
    assert room >= needs + 20  # with its colour before it
    assert not events.horizontalScrollBar().isVisible()
    events.events.add([start("walk", 72.0, 1)])
    assert not events.isColumnHidden(1)
    events.close()
