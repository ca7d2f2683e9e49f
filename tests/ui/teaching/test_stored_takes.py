"""Takes as they are read from the library for the guided page."""

import shutil
import threading

import pytest
from teaching_page_fakes import TIMEOUT_MS, click, put

from app.library import queries
from app.library.catalogue import Library
from app.library.rows import NewSegment
from app.ui.teaching import take_store
from app.ui.teaching.library_summary import files_of

pytestmark = pytest.mark.timeout(300)


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


def test_of_two_takes_that_are_asked_for_the_last_one_is_shown(library, open_page, qtbot, monkeypatch):
    first, last = put(library, "wave").name, put(library, "wave").name
    page = open_page()
    qtbot.waitUntil(lambda: page.cards[0].count == 2, timeout=TIMEOUT_MS)
    read, go_on, over = take_store.read_take, threading.Event(), []

    def slowly(root, recording, segment):
        take = read(root, recording, segment)
        assert recording == last or go_on.wait(60)
        over.append(recording)
        return take

    monkeypatch.setattr(take_store, "read_take", slowly)
    buttons = {
        row.recording: button
        for row, button in zip(page.cards[0].takes._rows, page.cards[0].takes.buttons, strict=False)
    }
    click(buttons[first])
    click(buttons[last])
    qtbot.waitUntil(lambda: page.review.replay is not None, timeout=TIMEOUT_MS)
    go_on.set()
    qtbot.waitUntil(lambda: over == [last, first] and not page._jobs._jobs, timeout=TIMEOUT_MS)
    assert page.review.replay.recording == last
