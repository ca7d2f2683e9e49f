"""Takes that are recorded on the guided page: in a row, reviewed, done again, thrown away."""

from dataclasses import replace

import pytest
import window_fakes as fakes
from closing_program import found
from PySide6.QtTest import QTest
from teaching_page_fakes import (
    TIMEOUT_MS,
    click,
    march,
    name_it,
    out_of_the_picture,
    put,
    record_one,
    start_series,
    still,
    sway,
)

from app.library.catalogue import Library
from app.library.rows import Filter
from app.recording.folder import recording_folders
from app.recording.recorder import RecorderState
from app.results import EngineState

pytestmark = pytest.mark.timeout(300)


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


def test_the_dialog_has_a_take_recorded_again_in_the_page(library, running, engines, qtbot):
    for _ in range(3):
        put(library, "wave")
    running.beside.teach(running.live.view)
    dialog = found("TeachDialog")
    qtbot.waitUntil(lambda: dialog.list.topLevelItemCount() == 1, timeout=TIMEOUT_MS)
    for _ in range(3):
        engines.last.give(fakes.result(0.1))
        running.live.pull()
    with Library(library) as opened:
        worst = opened.segments()[0].name
    review = dialog.worst.review
    review.load_take(worst, lambda take: review.show_take(take, "A take of wave"))
    qtbot.waitUntil(review.isVisible, timeout=TIMEOUT_MS)
    click(review.again)
    page = running.teaching.page
    assert page.isVisible()
    assert (page.recorder.series.action, page.recorder.series.takes) == ("wave", 1)
    qtbot.waitUntil(lambda: [card.count for card in page.cards] == [2], timeout=TIMEOUT_MS)
    dialog.close()
