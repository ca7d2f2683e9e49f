"""A training that is started from the guided page: what is said before, while and after it."""

import shutil
import threading
from pathlib import Path

import pytest
import window_fakes as fakes
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from taught_stand_in import stand_in
from teaching_page_fakes import TIMEOUT_MS, FakeJob, click, finish_training, name_it, put, record_one

from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.names_in_text import isolated
from app.teaching_process import TeachingCancelled, TeachingDone
from app.ui.teaching import take_store
from app.ui.teaching.report import as_html, examples_html, plain_result, worst_takes
from app.ui.teaching.teaching_job import CANCELLED, STOP_TRAINING

pytestmark = pytest.mark.timeout(300)


def card_of(page, action):
    return next(card for card in page.cards if card.action == action)


def test_too_little_is_said_before_training(library, open_page, qtbot):
    for _ in range(3):
        put(library, "wave")
    page = open_page()
    qtbot.waitUntil(lambda: page.cards[0].count == 3, timeout=TIMEOUT_MS)
    assert not page.bar.train.isEnabled()
    assert "wave has to differ from something" in page.bar.state.text()


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


def test_takes_that_are_being_renamed_are_learned_under_their_last_name(trainable, qtbot, monkeypatch):
    page, card = trainable, card_of(trainable, "wave")
    rename, asked, go_on = take_store.rename, [], threading.Event()

    def rename_later(root, name, new):
        asked.append(new)
        assert new != "greet" or go_on.wait(60)
        rename(root, name, new)

    monkeypatch.setattr(take_store, "rename", rename_later)
    for name in ("greet", "hello"):
        name_it(card, name)
        QTest.keyClick(card.name, Qt.Key.Key_Return)
    click(page.bar.train)
    qtbot.wait(500)
    assert asked == ["greet"]
    assert FakeJob.made is None
    go_on.set()
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    assert {segment.action for segment in FakeJob.made.request.examples if segment.around is None} == {"hello", "clap"}


def test_nothing_is_trained_without_takes_that_could_not_be_renamed(trainable, qtbot, monkeypatch):
    def refuse(*names):
        raise LibraryError("the disk is full")

    page, card = trainable, card_of(trainable, "wave")
    monkeypatch.setattr(take_store, "rename", refuse)
    name_it(card, "greet")
    click(page.bar.train)
    qtbot.waitUntil(lambda: "no examples of greet any more" in page.bar.state.text(), timeout=TIMEOUT_MS)
    assert FakeJob.made is None
    assert page.bar.train.isEnabled()
    assert card.name.text() == "wave"


def test_a_take_that_is_being_thrown_away_is_not_learned(trainable, qtbot, monkeypatch):
    page = trainable
    throw_away, go_on = take_store.throw_away, threading.Event()
    monkeypatch.setattr(take_store, "throw_away", lambda *those: go_on.wait(60) and throw_away(*those))
    click(card_of(page, "wave").takes.buttons[0])
    qtbot.waitUntil(page.review.isVisible, timeout=TIMEOUT_MS)
    gone = page.review.replay.segments[0].name
    click(page.review.discard)
    click(page.bar.train)
    qtbot.wait(500)
    assert FakeJob.made is None
    go_on.set()
    qtbot.waitUntil(lambda: FakeJob.made is not None, timeout=TIMEOUT_MS)
    learned = [segment.name for segment in FakeJob.made.request.examples if segment.action == "wave"]
    assert len(learned) == 3
    assert gone not in learned


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
