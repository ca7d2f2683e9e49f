"""The guided page: cards, names, who it is, and its place in the window."""

import threading
from pathlib import Path

import pytest
from closing_program import found
from geometry import faults
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QToolButton
from taught_stand_in import stand_in
from teaching_page_fakes import TIMEOUT_MS, click, click_check, name_it, put, record_one, start_series, sway, whole

from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.recording.folder import read_recording, recording_folders
from app.teaching_process import TeachingDone
from app.ui.library.strips import Strips
from app.ui.teaching import take_store
from app.ui.teaching.action_card import ActionCard
from app.ui.teaching.guidance import left_out, next_step

pytestmark = pytest.mark.timeout(300)


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


def test_what_is_read_while_takes_are_renamed_makes_no_card_of_the_old_name(library, open_page, qtbot, monkeypatch):
    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    rename, go_on = take_store.rename, threading.Event()
    monkeypatch.setattr(take_store, "rename", lambda *names: go_on.wait(60) and rename(*names))
    page._watch.read()  # begun before, and done after
    name_it(card, "greet")
    QTest.keyClick(card.name, Qt.Key.Key_Return)
    page._watch.read()
    qtbot.wait(500)
    go_on.set()
    qtbot.waitUntil(lambda: page._takes.takes_of("greet").count == 1, timeout=TIMEOUT_MS)
    assert [each.action for each in page.cards] == ["greet"]


def test_takes_that_cannot_be_renamed_keep_their_name(library, open_page, qtbot, monkeypatch):
    def refuse(*names):
        raise LibraryError("the disk is full")

    put(library, "wave")
    page = open_page()
    (card,) = page.cards
    qtbot.waitUntil(lambda: card.count == 1, timeout=TIMEOUT_MS)
    monkeypatch.setattr(take_store, "rename", refuse)
    name_it(card, "greet")
    QTest.keyClick(card.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: card.action == "wave" and not page._watch._reading, timeout=TIMEOUT_MS)
    assert (card.name.text(), card.count, len(page.cards)) == ("wave", 1, 1)


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
