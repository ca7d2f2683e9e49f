"""The guided page: cards, takes in a row, the last take again, what is refused and why, a training that is watched."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import window_fakes as fakes
from closing_program import found
from geometry import faults
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton, QToolButton
from taught_stand_in import stand_in

from app.library import queries
from app.library.catalogue import Library
from app.library.rows import Filter, NewSegment
from app.names_in_text import isolated
from app.recording.folder import read_recording, recording_folders
from app.recording.recorder import RecorderState
from app.recording.writer import RecordingWriter
from app.results import EngineState
from app.teaching_process import Progress, TeachingCancelled, TeachingDone
from app.ui.library.strips import Strips
from app.ui.teaching import take_store
from app.ui.teaching.action_card import ActionCard
from app.ui.teaching.guidance import left_out, next_step
from app.ui.teaching.library_summary import files_of
from app.ui.teaching.report import as_html, examples_html, plain_result, worst_takes
from app.ui.teaching.teaching_job import CANCELLED, STOP_TRAINING
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Pose

TIMEOUT_MS = 60_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def library(monkeypatch, tmp_path):
    monkeypatch.setattr("app.ui.recording.control.library_root", lambda: tmp_path / "library")
    return tmp_path / "library"


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


@pytest.fixture
def open_page(library, running, qtbot):
    def open_it():
        running.actions_by_name["teach"].trigger()
        page = running.teaching.page
        page.recorder.countdown_s = 0.5
        qtbot.waitUntil(lambda: page._takes is not None, timeout=TIMEOUT_MS)
        return page

    return open_it


@pytest.fixture
def page(open_page):
    return open_page()


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


@pytest.fixture
def film(running, engines):
    return Film(running, engines.last)


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


def test_it_opens_in_the_window_with_a_card_to_name_and_one_for_nothing(page, running):
    (card,) = page.cards
    assert page.window() is running
    assert page.window().focusWidget() is card.name
    assert page.nothing.title.text() == "nothing"
    assert not page.bar.train.isEnabled()
    assert "3 takes" in page.bar.state.text()
    assert "Name an action" in page.instruction.text()
    assert not running.panel.isVisible()


@pytest.mark.parametrize("way", ["key", "Esc", "button"])
def test_it_closes_and_the_side_panel_is_back(page, running, way, qtbot, ui_threads):
    if way == "button":
        click(page.close_button)
    elif way == "Esc":
        QTest.keyClick(page.cards[0].name, Qt.Key.Key_Escape)
    else:
        page.add.setFocus()  # in a field of text Ctrl+K deletes
        QTest.keyClick(running, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert not page.isVisible()
    assert running.panel.isVisible()
    assert not running.actions_by_name["teach"].isChecked()
    qtbot.waitUntil(lambda: "recorder" not in ui_threads(), timeout=TIMEOUT_MS)


def test_the_record_bar_and_the_page_make_room_for_each_other(page, running):
    running.actions_by_name["record"].trigger()
    assert running.recording.bar.isVisible()
    assert not page.isVisible()
    running.actions_by_name["teach"].trigger()
    assert page.isVisible()
    assert not running.recording.bar.isVisible()


def test_takes_follow_each_other_until_there_are_five(page, film, library, qtbot):
    (card,) = page.cards
    name_it(card, "greet")
    click(card.button)
    assert card.button.text() == "Stop"
    assert not page.nothing.button.isEnabled()
    for number in range(5):
        assert page.recorder.busy
        record_one(page, card, film, qtbot)
        qtbot.waitUntil(lambda number=number: card.count == number + 1, timeout=TIMEOUT_MS)
    film.play(0.2)
    assert not page.recorder.busy
    assert card.number.text() == "5 of 5"
    assert card.button.text() == "Record"
    assert [button.isVisible() for button in card.takes.buttons] == [True] * 5
    with Library(library) as opened:
        assert {row.action for row in opened.segments()} == {"greet"}
        assert len(opened.recordings()) == 5


def test_the_last_take_is_played_and_thrown_away(page, film, library, qtbot):
    card = start_series(page)
    record_one(page, card, film, qtbot)
    click(card.button)  # no more takes
    film.play(0.2)
    qtbot.waitUntil(lambda: page.review.isVisible() and card.count == 1, timeout=TIMEOUT_MS)
    assert card.isAncestorOf(page.review)
    assert page.review.player._timer.isActive()
    stretch = page.review.player.bounds
    assert page.review.player.speed == pytest.approx((stretch[1] - stretch[0]) / 2)
    click(page.review.discard)
    assert not page.review.isVisible()
    qtbot.waitUntil(lambda: card.count == 0, timeout=TIMEOUT_MS)
    with Library(library) as opened:
        assert opened.recordings() == []


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


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (still, "nothing moves in it"),
        (out_of_the_picture, "the left hand and the right hand are out of the picture in most of it"),
        (march, "it looks unlike the other takes of sway"),
        (sway, ""),
    ],
    ids=["still", "cut off", "unlike", "right"],
)
def test_a_take_that_looks_wrong_is_marked_as_soon_as_it_is_recorded(library, open_page, film, does, says, qtbot):
    for number in range(3):
        put(library, "sway", moves=sway, seconds=9.0 + number / 5)
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 3, timeout=TIMEOUT_MS)
    film.change = does
    click(card.button)
    record_one(page, card, film, qtbot)
    qtbot.waitUntil(lambda: page.review.isVisible() and card.count == 4, timeout=TIMEOUT_MS)
    told = f"The last take of sway. Check it: {says}." if says else "The last take of sway"
    assert page.review.caption.text() == told
    mark = "Check" if says else ""
    # Recordings of the same second stand in any order.
    qtbot.waitUntil(
        lambda: sorted(button.text() for button in card.takes.buttons[:4]) == ["", "", "", mark], timeout=TIMEOUT_MS
    )
    with Library(library) as opened:
        rows = opened.segments()
        assert [row.id for row in rows if row.suspect] == [max(row.id for row in rows)] * bool(says)


def test_who_keeps_a_take_that_looked_wrong_says_that_it_is_right(page, film, library, qtbot):
    card = start_series(page)
    record_one(page, card, film, qtbot)  # of somebody who stands still
    click(card.button)
    film.play(0.2)
    qtbot.waitUntil(lambda: card.takes.buttons[0].text() == "Check", timeout=TIMEOUT_MS)
    assert "something may be wrong with it" in card.takes.buttons[0].toolTip()
    click(card.takes.buttons[0])
    qtbot.waitUntil(lambda: "nothing moves in it" in page.review.caption.text(), timeout=TIMEOUT_MS)
    click(page.review.keep)
    qtbot.waitUntil(lambda: card.takes.buttons[0].text() == "", timeout=TIMEOUT_MS)
    with Library(library) as opened:
        assert [row.suspect for row in opened.segments()] == [False]
    click(card.takes.buttons[0])  # looking again marks nothing again
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    with Library(library) as opened:
        assert [row.suspect for row in opened.segments()] == [False]


def click_check(box):
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def start_series(page, name="greet"):
    (card, *_) = page.cards
    name_it(card, name)
    click(card.button)
    return card


def test_a_take_that_is_done_again_replaces_the_last_one(page, film, library, qtbot):
    card = start_series(page)
    record_one(page, card, film, qtbot)
    qtbot.waitUntil(lambda: page.review.isVisible() and card.count == 1, timeout=TIMEOUT_MS)
    (first,) = recording_folders(library)
    click(page.review.again)
    qtbot.waitUntil(lambda: card.count == 0, timeout=TIMEOUT_MS)
    assert page.recorder.busy
    for number in range(5):
        record_one(page, card, film, qtbot)
        qtbot.waitUntil(lambda number=number: card.count == number + 1, timeout=TIMEOUT_MS)
    film.play(0.2)
    assert not page.recorder.busy
    with Library(library) as opened:
        assert first.name not in [row.recording for row in opened.segments()]


def test_keep_hides_the_replay_and_keeps_the_take(page, film, library, qtbot):
    card = start_series(page)
    record_one(page, card, film, qtbot)
    click(card.button)
    film.play(0.2)
    qtbot.waitUntil(lambda: page.review.isVisible() and card.takes.buttons[0].isVisible(), timeout=TIMEOUT_MS)
    click(page.review.keep)
    assert not page.review.isVisible()
    assert not page.review.player._timer.isActive()
    assert len(recording_folders(library)) == 1
    click(card.takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "name first"), ("rtsp://10.0.0.1/a", "address"), ("Nothing", "card of its own"), ("x" * 200, "200 char")],
)
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_recorded(page, typed, says, film):
    (card,) = page.cards
    name_it(card, typed)
    click(card.button)
    assert says in card.state.text()
    assert not page.recorder.busy
    assert page.window().focusWidget() is card.name


@pytest.mark.parametrize("name", ["Grüße 👋", "挥手", "kick/left", "x" * 80])
def test_names_of_any_script_are_recorded(page, film, name, library, qtbot):
    (card,) = page.cards
    name_it(card, "")
    card.name.setText(name)
    click(card.button)
    record_one(page, card, film, qtbot)
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    assert card.name.text() == name


def test_two_cards_of_one_name_are_refused(library, open_page):
    put(library, "wave")
    page = open_page()
    click(page.add)
    name_it(page.cards[-1], "Wave")
    click(page.cards[-1].button)
    assert "already a card for wave" in page.cards[-1].state.text()


def test_another_name_renames_the_takes(library, open_page, qtbot):
    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    name_it(card, "greet")
    QTest.keyClick(card.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page._takes.takes_of("greet").count == 1, timeout=TIMEOUT_MS)
    assert card.name.text() == "greet"
    assert len(page.cards) == 1


def test_esc_restores_a_half_typed_name_and_only_then_closes_the_page(library, open_page, running, qtbot):
    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    name_it(card, "nothing")
    page.add.setFocus()
    assert "card of its own" in card.state.text()
    card.name.setFocus()
    QTest.keyClick(card.name, Qt.Key.Key_Escape)
    assert page.isVisible()
    assert (card.name.text(), card.state.text()) == ("wave", "")
    name_it(card, "xy")
    QTest.keyClick(card.name, Qt.Key.Key_Escape)
    QTest.keyClick(card.name, Qt.Key.Key_Escape)
    assert not page.isVisible()
    assert running.jobs.close(60)
    with Library(library) as opened:
        assert [row.action for row in opened.segments()] == ["wave"]


def test_a_refusal_is_seen_and_the_focus_stays_in_the_name(library, running, open_page, qtbot):
    running.resize(900, 600)
    for action in ("wave", "clap", "bow"):
        put(library, action)
    page = open_page()
    qtbot.waitUntil(lambda: len(page.cards) == 3, timeout=TIMEOUT_MS)
    click(page.add)
    card = page.cards[-1]
    qtbot.waitUntil(lambda: whole(card, page.area.viewport()), timeout=TIMEOUT_MS)
    name_it(card, "Wave")

    def refuse_out_of_sight():
        page.area.verticalScrollBar().setValue(0)
        QTest.keyClick(card.name, Qt.Key.Key_Return)
        assert "already a card for wave" in card.state.text()
        qtbot.wait(50)
        return whole(card.state, page.area.viewport())

    qtbot.waitUntil(refuse_out_of_sight, timeout=TIMEOUT_MS)  # the other cards grow until they have their pictures
    assert running.focusWidget() is card.name
    name_it(card, "greet")
    QTest.keyClick(card.name, Qt.Key.Key_Return)
    assert running.focusWidget() is card.button


def whole(part, viewport):
    """Whether all of a part is in sight."""
    return viewport.rect().contains(QRect(part.mapTo(viewport, QPoint(0, 0)), part.size()))


def test_a_take_is_not_done_again_while_those_of_another_action_are_recorded(library, open_page, running, film, qtbot):
    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    click(page.add)
    name_it(page.cards[-1], "bow")
    click(page.cards[-1].button)
    click(card.takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    click(page.bar.options)
    dialog = found("TeachDialog")
    dialog.worst.review.show_take(page.review.replay, "A take of wave")
    for review in (page.review, dialog.worst.review):
        assert not review.again.isEnabled()
        assert review.again.toolTip() == "Takes of another action are being recorded: stop them first"
        assert review.discard.isEnabled()
    click(page.cards[-1].button)
    film.play(0.2)
    assert not page.recorder.busy
    assert page.review.again.isEnabled()
    assert dialog.worst.review.again.isEnabled()
    dialog.close()


def test_a_take_is_not_done_again_while_there_is_no_picture(library, open_page, running, engines, qtbot):
    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    click(card.takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    assert page.review.again.isEnabled()
    click(page.bar.options)
    dialog = found("TeachDialog")
    dialog.worst.review.show_take(page.review.replay, "A take of wave")
    engines.last.state = EngineState.STOPPED
    running.live.update_state()
    for review in (page.review, dialog.worst.review):
        assert not review.again.isEnabled()
        assert review.again.toolTip() == "It has stopped: F5 starts"
        assert review.discard.isEnabled()
    dialog.close()
    engines.last.state = EngineState.RUNNING
    running.live.update_state()
    assert page.review.again.isEnabled()


def test_a_take_that_cannot_be_done_again_is_not_thrown_away(library, open_page, running, film, qtbot):
    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    click(card.takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    QTest.keyClicks(page.choices.who, "y" * 95)
    click(page.review.again)
    assert not page.recorder.busy
    assert page.review.isVisible()
    assert card.state.text().startswith("The person's name has 95 characters")
    page.choices.who.clear()
    click(page.review.again)
    assert page.recorder.busy
    assert not page.review.isVisible()
    assert running.focusWidget() is card.button
    qtbot.waitUntil(lambda: card.count == 0, timeout=TIMEOUT_MS)
    with Library(library) as opened:
        assert opened.count_segments() == 0
        assert opened.count_recordings(Filter(deleted=True)) == 1


def test_at_the_end_of_a_file_it_says_what_plays_it_again(page, running, engines, film, library):
    film.play(0.3)
    running.live.options = replace(running.live.options, source="/videos/a.mp4")
    engines.last.state = EngineState.STOPPED
    start_series(page)
    assert not page.recorder.busy
    assert "F5 plays it again" in running.toast.text()
    assert running.video._countdown == ""


def test_a_file_that_ends_in_a_take_keeps_it_and_ends_the_series(page, running, engines, film, library, qtbot):
    running.live.options = replace(running.live.options, source="/videos/a.mp4")
    card = start_series(page)
    film.play(3.0)
    assert page.recorder.view.state is RecorderState.RECORDING
    engines.last.state = EngineState.STOPPED
    running.live.update_state()
    page.recorder.poll()
    film.play(0.0)
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    assert not page.recorder.busy
    assert card.button.text() == "Record"


def test_nothing_is_recorded_for_a_minute_and_not_trimmed(page, film, library, qtbot):
    click(page.nothing.button)
    film.play(64.0, step_s=1 / 5)
    film.play(0.2)
    qtbot.waitUntil(lambda: page.nothing.count == 1, timeout=TIMEOUT_MS)
    assert page.nothing.number.text() == "1:00 of 1:00"
    assert not page.review.isVisible()


def test_f8_records_the_next_action_and_ends_it(page, running, film):
    name_it(page.cards[0], "greet")
    running.actions_by_name["take"].trigger()
    assert page.recorder.busy
    assert page.isVisible()
    running.actions_by_name["take"].trigger()
    film.play(0.2)
    assert not page.recorder.busy


def test_closing_the_window_keeps_the_take(page, running, film, library):
    start_series(page)
    film.play(3.0)
    running.close()
    assert len(recording_folders(library)) == 1


def test_skeleton_only_of_the_record_bar_is_kept_here_too(library, running, engines, open_page, film, qtbot):
    running.recording.bar.skeleton_only.setChecked(True)
    page = open_page()
    card = start_series(page)
    record_one(page, card, film, qtbot)
    (folder,) = recording_folders(library)
    assert not (folder / "video.mp4").exists()


def test_every_part_is_reached_by_tab_and_has_a_name(library, open_page, qtbot):
    for action in ("wave", "clap"):
        for _ in range(2):
            put(library, action)
    page = open_page()
    qtbot.waitUntil(lambda: [card.count for card in page.cards] == [2, 2], timeout=TIMEOUT_MS)
    click(page.cards[0].takes.buttons[1])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    wanted = [
        part
        for kind in (QPushButton, QToolButton, QLineEdit)
        for part in page.findChildren(kind)
        if part.isVisible() and part.isEnabled()
    ]
    reached, part = [], page.close_button
    for _ in range(200):
        if part in wanted:
            reached.append(part)
        part = part.nextInFocusChain()
        if part is page.close_button:
            break
    assert set(reached) == set(wanted)
    order = [page.cards[0].name, page.review.keep, page.cards[1].name, page.add, page.nothing.button, page.bar.options]
    places = [reached.index(part) for part in order]
    assert places == sorted(places)
    assert all(part.accessibleName() or (hasattr(part, "text") and part.text()) for part in wanted)


def test_the_first_line_is_about_what_is_recorded(library, open_page, film, qtbot):
    put(library, "wave")
    page = open_page()
    click(page.add)
    name_it(page.cards[-1], "bow")
    click(page.cards[-1].button)
    assert page.instruction.text().startswith("Do bow once in each take")
    click(page.cards[-1].button)
    film.play(0.2)
    assert page.instruction.text().startswith("Press Record for wave: 4 more takes")
    click(page.nothing.button)
    assert "kept as “nothing”" in page.instruction.text()


def test_what_is_left_out_is_said_of_each_action():
    assert left_out({"wave": 3, "": 0}) == ""
    assert left_out({"wave": 5, "sit_down": 2}) == "sit down has 2 takes and is left out: it needs 1 more."
    many = left_out({f"a{number}": 1 for number in range(5)})
    assert many.count("is left out") == 3
    assert many.endswith("2 other actions have too few takes, too.")


@pytest.mark.parametrize("width", [720, 800, 880])
def test_nothing_of_the_page_is_cut_off_in_a_narrow_window(width, library, running, open_page, qtbot):
    running.resize(width, 600)
    for _ in range(5):
        put(library, "wave", moves=sway)
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 5, timeout=TIMEOUT_MS)
    click(card.takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: faults(running) == "", timeout=TIMEOUT_MS)
    assert running.width() == width
    assert page.area.horizontalScrollBar().maximum() == 0
    assert page.width() <= page.parentWidget().width()


def test_a_name_of_one_long_word_makes_nothing_wider(library, running, open_page, qtbot):
    running.resize(720, 600)
    for _ in range(2):
        put(library, "x" * 80, moves=sway)
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 2, timeout=TIMEOUT_MS)
    click(card.takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    check = {"checks": [], "findings": [{"text": "x" * 80 + " is wrong", "action": "x" * 80, "takes": ["a/1"]}]}
    page.bar.left_out = left_out({"x" * 80: 2})
    page._training_done(TeachingDone(Path("/library/models/mine/1"), check))
    qtbot.wait(50)
    assert page.area.horizontalScrollBar().maximum() == 0
    assert page.minimumSizeHint().width() < 344, "what the side has in this window"


def test_who_it_is_is_seen_kept_and_the_same_in_the_record_bar(library, running, engines, open_page, film, qtbot):
    running.recording.bar.person.setText("Bob")
    page = open_page()
    assert page.choices.who.text() == "Bob"
    page.choices.who.clear()
    QTest.keyClicks(page.choices.who, "Ada")
    click_check(page.choices.skeleton_only)
    card = start_series(page)
    assert not page.choices.who.isEnabled()
    record_one(page, card, film, qtbot)
    (folder,) = recording_folders(library)
    assert read_recording(folder).info.person == "Ada"
    assert not (folder / "video.mp4").exists()
    bar = running.recording.bar
    assert (bar.person.text(), bar.skeleton_only.isChecked()) == ("Ada", True)


def test_a_person_whose_name_is_too_long_is_refused_with_its_length(page, film):
    QTest.keyClicks(page.choices.who, "y" * 95)
    card = start_series(page)
    assert "person's name has 95 characters" in card.state.text()
    assert not page.recorder.busy
    assert page.window().focusWidget() is page.choices.who


def test_too_little_is_said_before_training(library, open_page, qtbot):
    for _ in range(3):
        put(library, "wave")
    page = open_page()
    qtbot.waitUntil(lambda: page.cards[0].count == 3, timeout=TIMEOUT_MS)
    assert not page.bar.train.isEnabled()
    assert "wave has to differ from something" in page.bar.state.text()


class FakeJob:
    """A teaching that the test ends."""

    made = None

    def __init__(self, request):
        self.request, self.outcome, self.cancelled = request, None, False
        self.progress = Progress("checking", 0.5, 3.0)
        FakeJob.made = self

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def trainable(library, open_page, qtbot, monkeypatch):
    monkeypatch.setattr("app.ui.teaching.teaching_job.TeachingJob", FakeJob)
    FakeJob.made = None
    for action in ("wave", "clap"):
        for take in range(4):
            put(library, action, session=f"session {take % 2}")
    put(library, "few")
    page = open_page()
    qtbot.waitUntil(lambda: page.bar.train.isEnabled(), timeout=TIMEOUT_MS)
    return page


def test_what_has_takes_enough_is_trained_and_tried_and_gone_back_from(trainable, running, library, engines, qtbot):
    page = trainable
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    assert {segment.action for segment in FakeJob.made.request.examples if segment.around is None} == {"wave", "clap"}
    assert FakeJob.made.request.kind == "quick"
    page.bar.training.poll()
    assert page.bar.progress.value() == 500
    assert page.bar.left_out_label.text() == "few has 1 take and is left out: it needs 2 more."
    check = {"checks": [{"confusions": [["wave", "clap", 2]], "clips": 8, "actions": {"wave": {"clips": 4}}}]}
    folder = stand_in("mine", 1, library)
    FakeJob.made.outcome = TeachingDone(folder, check)
    page.bar.training.poll()
    assert "wave is mistaken for clap in 2 of 4 takes" in page.result.report.text()
    assert "few has 1 take and is left out: it needs 2 more." in page.result.report.text()
    assert running.focusWidget() is page.bar.try_it
    click(page.bar.try_it)
    assert engines.last.swaps == [(str(folder), "auto")]
    assert page.bar.try_it.text() == "Back to act"
    engines.last.give(fakes.result(9.0))
    running.live.pull()
    assert "walk (92%)" in page.bar.live_label.text()
    click(page.bar.try_it)
    assert engines.last.swaps[-1] == ("act", "auto")


def finish_training(page, folder, qtbot):
    """Train, and what came of it is in a folder."""
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    FakeJob.made.outcome = TeachingDone(folder, {"checks": []})
    page.bar.training.poll()


def test_the_end_of_a_training_leaves_the_focus_to_who_is_typing(trainable, running, library, engines, qtbot):
    page = trainable
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    click(page.add)
    QTest.keyClicks(running.focusWidget(), "jump")
    FakeJob.made.outcome = TeachingDone(stand_in("mine", 1, library), {"checks": []})
    page.bar.training.poll()
    QTest.keyClicks(running.focusWidget(), " rope")
    assert page.cards[-1].name.text() == "jump rope"
    assert engines.last.swaps == []


def test_while_it_trains_it_says_that_recording_goes_on(trainable, library, film, qtbot):
    page = trainable
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    assert page.instruction.text() == "Training: you can go on recording."
    card = next(card for card in page.cards if card.action == "few")
    click(card.button)
    record_one(page, card, film, qtbot)
    qtbot.waitUntil(lambda: card.count == 2, timeout=TIMEOUT_MS)
    click(card.button)
    film.play(0.2)
    assert not page.recorder.busy
    FakeJob.made.outcome = TeachingCancelled()
    page.bar.training.poll()
    assert "Training" not in page.instruction.text()
    assert page.bar.state.text() == CANCELLED


def test_try_it_follows_a_recognizer_that_is_chosen_elsewhere(trainable, running, library, qtbot):
    page = trainable
    folder = stand_in("mine", 1, library)
    finish_training(page, folder, qtbot)
    click(page.bar.try_it)
    assert page.bar.tried
    assert page.instruction.text().startswith("Do your actions")
    running.run_choices.choose_model("st-gcn")
    assert not page.bar.tried
    assert page.bar.try_it.text() == "Tr&y it"
    assert page.instruction.text().startswith("Try it")
    assert not page.bar.live_label.isVisible()
    running.run_choices.choose_model(str(folder))
    assert page.bar.try_it.text() == "Back to st-gcn"


def test_try_it_needs_something_that_runs(trainable, running, library, engines, qtbot):
    page = trainable
    finish_training(page, stand_in("mine", 1, library), qtbot)
    click(page.bar.try_it)
    running.live.stop()
    assert not page.bar.try_it.isEnabled()
    assert page.bar.try_it.toolTip() == "Nothing is running: F5 starts"
    assert page.instruction.text().startswith("Try it")
    running.live.start()
    qtbot.waitUntil(lambda: page.bar.tried and page.bar.try_it.isEnabled(), timeout=TIMEOUT_MS)
    click(page.bar.try_it)
    assert running.live.options.model == "act"


def test_a_recognizer_that_is_gone_is_not_tried(trainable, library, engines, qtbot):
    page = trainable
    folder = stand_in("mine", 1, library)
    finish_training(page, folder, qtbot)
    assert page.result.isVisible()
    folder.parent.rename(folder.parent.with_name("gym"))
    click(page.bar.try_it)  # before it was looked whether it is there
    assert engines.last.swaps == []
    assert page.bar.try_it.toolTip() == "Train first"
    assert page.bar.state.text().startswith("mine@1 has been renamed or deleted")
    assert not page.result.isVisible()


def test_a_recognizer_that_is_gone_is_noticed_within_a_second(trainable, library, qtbot):
    page = trainable
    folder = stand_in("mine", 1, library)
    finish_training(page, folder, qtbot)
    shutil.rmtree(folder)
    qtbot.waitUntil(lambda: not page.bar.try_it.isEnabled(), timeout=TIMEOUT_MS)
    assert page.instruction.text().startswith("Press Record for")


@pytest.mark.parametrize(
    ("counts", "nothing", "says"),
    [
        ({"wave": 5}, 0, "Add a second action, or record “nothing”, then train."),
        ({"wave": 5}, 1, "Press Train."),
        ({"wave": 5, "clap": 5}, 0, "Record “nothing” for a minute, then train."),
    ],
)
def test_the_next_step_is_none_that_is_done(counts, nothing, says):
    assert next_step(counts, nothing, ready=False, tried=False, trains=False) == says


def test_the_worst_takes_are_played_and_done_again_from_the_report(trainable, library, film, qtbot):
    page = trainable
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    first, second = [segment.name for segment in FakeJob.made.request.examples if segment.action == "wave"][:2]
    finding = {"text": "wave is also triggered by standing still", "action": "wave", "takes": [first, second]}
    FakeJob.made.outcome = TeachingDone(Path("/library/models/mine/1"), {"checks": [], "findings": [finding]})
    page.bar.training.poll()
    assert "Wave is also triggered by standing still." in page.result.report.text()
    worst = page.result.takes.buttons
    assert len(worst) == 2
    click(worst[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    assert page.review.replay.segments[0].name == first
    (card,) = [card for card in page.cards if card.action == "wave"]
    assert card.isAncestorOf(page.review)
    click(page.review.discard)
    qtbot.waitUntil(lambda: card.count == 3, timeout=TIMEOUT_MS)
    click(worst[1])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    click(page.review.again)
    assert page.recorder.series.action == "wave"
    record_one(page, card, film, qtbot)
    qtbot.waitUntil(lambda: card.count == 3 and not page.recorder.busy, timeout=TIMEOUT_MS)
    with Library(library) as opened:
        assert not {first, second} & {row.name for row in opened.segments(limit=-1)}


def test_the_dialog_has_a_take_recorded_again_in_the_page(library, running, engines, qtbot):
    for _ in range(3):
        put(library, "wave")
    running.beside.teach(running.live.view)
    dialog = found("TeachDialog")
    qtbot.waitUntil(lambda: dialog.list.topLevelItemCount() == 1, timeout=TIMEOUT_MS)
    for _ in range(3):
        engines.last.give(fakes.result(0.1))
        running.live.pull()
    dialog.again.emit("wave")
    page = running.teaching.page
    assert page.isVisible()
    assert (page.recorder.series.action, page.recorder.series.takes) == ("wave", 1)
    qtbot.waitUntil(lambda: [card.count for card in page.cards] == [3], timeout=TIMEOUT_MS)
    dialog.close()


def test_quitting_in_a_training_asks_once_and_stays_where_it_goes_on(trainable, running, qtbot):
    click(trainable.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    for _ in range(2):
        running.close()
        (question,) = running.findChildren(QMessageBox)
        assert running.isVisible()
        assert question.text() == STOP_TRAINING
    next(button for button in question.buttons() if button.text() == "&Continue").click()
    qtbot.waitUntil(lambda: not running.findChildren(QMessageBox), timeout=TIMEOUT_MS)
    assert not FakeJob.made.cancelled
    running.close()
    (question,) = running.findChildren(QMessageBox)
    next(button for button in question.buttons() if button.text() == "&Stop").click()
    assert not running.isVisible()
    assert FakeJob.made.cancelled


def test_the_question_goes_away_with_the_training(trainable, running, qtbot):
    click(trainable.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    running.close()
    FakeJob.made.outcome = TeachingDone(Path("/library/models/mine/1"), {})
    trainable.bar.training.poll()
    qtbot.waitUntil(lambda: not running.findChildren(QMessageBox), timeout=TIMEOUT_MS)
    assert running.isVisible()
    running.close()
    assert not running.isVisible()


def test_training_is_cancelled_and_refused_in_one_line(trainable, qtbot):
    page = trainable
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    assert page.bar.train.text() == "Cancel"
    click(page.bar.train)
    assert FakeJob.made.cancelled


def test_a_training_goes_on_while_the_page_is_closed(trainable, running, qtbot):
    page = trainable
    click(page.bar.train)
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    running.actions_by_name["teach"].trigger()
    assert not FakeJob.made.cancelled
    FakeJob.made.outcome = TeachingDone(Path("/library/models/mine/1"), {})
    page.bar.training.poll()
    assert "mine@1 is ready" in running.toast.text()


def test_more_options_open_the_dialog_with_every_choice(page, running, qtbot):
    click(page.bar.options)
    dialog = found("TeachDialog")
    assert dialog is not None
    dialog.close()


def test_more_options_follow_the_recognizer_that_is_chosen_in_the_toolbar(page, running, library, qtbot):
    folder = stand_in("mine", 1, library)
    click(page.bar.options)
    dialog = found("TeachDialog")
    qtbot.waitUntil(lambda: dialog.taught.labels() == ["mine@1"], timeout=TIMEOUT_MS)
    running.run_choices.choose_model(str(folder))
    assert dialog.switch.toolTip() == "It is already in use"
    running.run_choices.choose_model("act")
    assert "in use" not in dialog.taught.topLevelItem(0).text(0)
    click(dialog.switch)
    assert running.live.options.model == str(folder)
    dialog.close()


def test_a_large_library_gets_few_cards_and_few_takes_each(tmp_path):
    root = tmp_path / "library"
    with Library(root) as library:
        for number in range(6):
            folder = put(root, "", seconds=1.0)
            library.refresh()
            segments = [NewSegment(0.0, 1.0, 0, f"action {(number * 50 + n) % 40}") for n in range(50)]
            library.add_segments(folder.name, segments)
    small = take_store.read_takes(root, ("action 3",))
    assert len(small.actions) == take_store.MAX_ACTIONS
    assert small.more == 40 - take_store.MAX_ACTIONS
    assert small.takes_of("ACTION 3").count == 8
    assert max(len(each.newest) for each in small.actions) == take_store.SHOWN_TAKES


def test_of_ten_thousand_segments_only_those_are_read_that_are_shown(tmp_path, monkeypatch):
    root, read = tmp_path / "library", []
    with Library(root) as library:
        for _ in range(20):
            folder = put(root, "", seconds=1.0)
            library.refresh()
            segments = [NewSegment(0.0, 0.9, 0, "nothing" if n % 2 else f"action {n % 300}") for n in range(500)]
            library.add_segments(folder.name, segments)
        assert library.count_segments() == 10_000
    one = queries._segment
    monkeypatch.setattr(queries, "_segment", lambda row: read.append(row) or one(row))
    found = take_store.read_takes(root)
    assert len(read) == (len(found.actions) + 1) * take_store.SHOWN_TAKES
    assert len(found.actions) == take_store.MAX_ACTIONS
    assert (found.nothing.count, found.nothing_s) == (5000, pytest.approx(4500.0))


def test_what_is_read_is_not_read_again_before_a_file_changes(tmp_path):
    root = tmp_path / "library"
    folder = put(root, "wave")
    found = take_store.read_takes(root)
    assert found.seen == files_of(root)
    with Library(root) as library:
        library.add_segments(folder.name, [NewSegment(0.0, 0.5, 0, "clap")])
    assert found.seen != files_of(root)


def test_one_segment_of_many_is_thrown_away_without_its_recording(tmp_path):
    root = tmp_path / "library"
    folder = put(root, "")
    with Library(root) as library:
        ids = library.add_segments(folder.name, [NewSegment(0.0, 1.0, 0, "wave"), NewSegment(1.0, 1.9, 0, "wave")])
    take = take_store.read_take(root, folder.name, ids[0])
    take_store.throw_away(root, folder.name, take.segments)
    with Library(root) as library:
        assert [row.id for row in library.segments()] == [ids[1]]
        assert len(library.recordings()) == 1


def test_a_take_whose_files_are_gone_is_one_line(library, open_page, qtbot):
    folder = put(library, "wave")
    page = open_page()
    qtbot.waitUntil(lambda: page.cards[0].count == 1, timeout=TIMEOUT_MS)
    shutil.rmtree(folder)
    click(page.cards[0].takes.buttons[0])
    qtbot.waitUntil(lambda: "no longer in the library" in page.bar.state.text(), timeout=TIMEOUT_MS)
    assert not page.review.isVisible()


def test_plain_words_of_a_check():
    check = {
        "checks": [
            {"confusions": [("a<b", "unknown", 1)], "clips": 5, "actions": {"a<b": {"clips": 5, "recall": 0.8}}}
        ],
        "alarms": {"seconds": 60.0, "an_hour": 120.0, "shown": {"a<b": 2}},
        "needed": {"a<b": 1, "c": 0},
        "suspects": [{"clip": "r/1", "action": "a", "looks_like": "b", "probability": 0.9}] * 3,
        "remarks": ["All examples are of one person."],
    }
    text = plain_result(check)
    for said in ("a&lt;b is not recognised in 1 of 5 takes", "a&lt;b 2 times", "1 more take", "one person"):
        assert said in text
    assert worst_takes(check) == [("r/1", "A take of a looks like b.")]
    assert "cannot be read" in plain_result({"checks": [3]})
    few = {"verdict": "not checked: record in a second session", "confusions": [], "clips": 5, "actions": {}}
    assert plain_result({"checks": [few]}) == '<p dir="ltr">Not checked: record in a second session.</p>'
    assert worst_takes({"suspects": [{}]}) == []


def test_names_from_right_to_left_leave_a_sentence_in_its_order():
    one, other = "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627"
    actions = {name: {"clips": 3, "right": 2, "recall": None, "precision": None} for name in (one, other)}
    strict = {"held_out": "people", "confusions": [(one, other, 2)], "clips": 6, "actions": actions, "verdict": "few"}
    check = {
        "checks": [strict],
        "findings": [{"text": f"{one} and {other} are confused in 2 of 5", "action": one, "takes": ["r/1"]}],
        "needed": {other: 2},
    }
    first, second = f"\u2068{one}\u2069", f"\u2068{other}\u2069"
    text = plain_result(check)
    assert f"{first} and {second} are confused in 2 of 5." in text
    assert f"{second} needs 2 more takes." in text
    for said in (f"{first} and {second} are confused", f"{first} mistaken for {second} (2)", f"2 more of {second}"):
        assert said in as_html(check)
    assert worst_takes(check) == [("r/1", f"Worst take of {first}: it may be why.")]
    for html in (text, as_html(check), examples_html({one: ["r/1"]})):
        document = QTextDocument()
        document.setHtml(html)
        blocks = [document.findBlockByNumber(number) for number in range(document.blockCount())]
        turned = [block.text() for block in blocks if block.textDirection() is Qt.LayoutDirection.RightToLeft]
        assert set(turned) <= {first, second}, "only names in the table"
    assert isolated("wave") == "wave"


def test_what_cannot_be_used_says_why(library, open_page, film, qtbot):
    put(library, "clap")
    page = open_page()
    click(page.add)
    qtbot.waitUntil(page.cards[-1].isVisible, timeout=TIMEOUT_MS)
    name_it(page.cards[-1], "greet")
    click(page.cards[-1].button)
    off = [
        part
        for kind in (QPushButton, QToolButton, QLineEdit)
        for part in page.findChildren(kind)
        if part.isVisible() and not part.isEnabled()
    ]
    assert {page.cards[0].button, page.cards[-1].name, page.nothing.button, page.bar.train, page.bar.try_it} <= set(off)
    assert all(part.toolTip() for part in off)


def test_a_card_shows_its_action_in_words_and_keeps_the_name_of_the_library(qtbot):
    card = ActionCard(Strips((30, 30)))
    qtbot.addWidget(card)
    card.set_action("sit_down")
    assert card.name.text() == "sit down"
    assert (card.action, card.typed) == ("sit_down", "sit_down"), "nothing was typed, so nothing is renamed"
    assert card.button.accessibleName() == "Record sit down"
    card.name.setText("sit  up")
    assert card.typed == "sit up"
