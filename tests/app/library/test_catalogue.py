"""The catalogue: edits, undo, filters and pages."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from library_fakes import DELETED, add_recording, contents, make_poses, of, some_segment

from app.library.catalogue import Library
from app.library.database import FILE
from app.library.errors import LibraryError
from app.library.pose_recordings import describe, store
from app.library.rows import Filter, Model, NewSegment
from app.recording.folder import recordings_folder

REPOSITORY = Path(__file__).resolve().parents[3]


def state(library):
    """All rows that edits change, as they lie in the tables."""
    tables = ("recordings", "clips", "actions", "people", "sessions", "splits", "split_clips", "models", "model_clips")
    with library._database.reading() as connection:
        return {
            table: [tuple(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")] for table in tables
        }


EDITS = {
    "add segments": lambda lib, rec: lib.add_segments(
        rec, [NewSegment(0.1, 0.4, 1, "jump", "Bob"), NewSegment(0.4, 0.9)]
    ),
    "add and label": lambda lib, rec: lib.add_segments_to(
        {rec: [NewSegment(0.1, 0.4, 1)]}, [some_segment(lib)], "jump"
    ),
    "add segments to several": lambda lib, rec: lib.add_segments_to(
        {row.id: [NewSegment(0.1, 0.4, 0, "jump")] for row in lib.recordings()}, [some_segment(lib)], "spin"
    ),
    "change a segment": lambda lib, rec: lib.change_segment(
        some_segment(lib), NewSegment(0.2, 0.7, 2, "hop", "Eve", "!", True)
    ),
    "remove segments": lambda lib, rec: lib.remove_segments([segment.id for segment in lib.segments(limit=-1)]),
    "label": lambda lib, rec: lib.label([segment.id for segment in lib.segments(limit=-1)], "spin"),
    "label each": lambda lib, rec: lib.label_each(
        {segment.id: f"as {segment.id}" for segment in lib.segments(limit=-1)}
    ),
    "unlabel": lambda lib, rec: lib.label([segment.id for segment in lib.segments(limit=-1)], None),
    "who": lambda lib, rec: lib.set_who([some_segment(lib)], "Someone new"),
    "suspect": lambda lib, rec: lib.mark_suspect([segment.id for segment in lib.segments(limit=-1)], True),
    "session": lambda lib, rec: lib.set_session([rec], "Friday"),
    "no session": lambda lib, rec: lib.set_session([rec], None),
    "recording note": lambda lib, rec: lib.set_recording_note(rec, "new"),
    "session note": lambda lib, rec: lib.set_session_note("Monday", "new"),
    "delete": lambda lib, rec: lib.delete_recordings([rec]),
    "restore": lambda lib, rec: lib.restore_recordings([row.id for row in lib.recordings(DELETED)]),
    "add action": lambda lib, rec: lib.add_name("action", "crawl"),
    "add person": lambda lib, rec: lib.add_name("person", "Kim"),
    "add session": lambda lib, rec: lib.add_name("session", "Sunday"),
    "rename action": lambda lib, rec: lib.rename("action", "wave", "winken"),
    "rename person": lambda lib, rec: lib.rename("person", "Ada", "ADA"),
    "rename session": lambda lib, rec: lib.rename("session", "Monday", "Montag"),
    "merge actions": lambda lib, rec: lib.merge("action", "wave", "拍手"),
    "merge into nothing": lambda lib, rec: lib.merge("action", "wave", "nothing"),
    "merge people": lambda lib, rec: lib.merge("person", "Ada", "Zoë"),
    "merge sessions": lambda lib, rec: lib.merge("session", "Monday", "Tuesday"),
    "remove action": lambda lib, rec: lib.remove_name("action", "wave"),
    "remove person": lambda lib, rec: lib.remove_name("person", "Ada"),
    "remove session": lambda lib, rec: lib.remove_name("session", "Monday"),
    "key": lambda lib, rec: lib.set_key("拍手", "3"),  # taken from wave
    "split": lambda lib, rec: lib.set_split("mine", {segment.id: "validation" for segment in lib.segments(limit=-1)}),
    "part": lambda lib, rec: lib.set_part("mine", [some_segment(lib)], "validation"),
    "no part": lambda lib, rec: lib.set_part("mine", [segment.id for segment in lib.segments(limit=-1)], None),
    "new split": lambda lib, rec: lib.set_part("second", [some_segment(lib)], "test"),
    "remove split": lambda lib, rec: lib.remove_split("mine"),
    "add models": lambda lib, rec: lib.add_models([Model(n, "now", "full", "m", (), {}) for n in ("third", "fourth")]),
    "add model": lambda lib, rec: lib.add_model(
        Model("second", "now", "full", "m", (("a/1", "wave"),), {"recall": 0.5})
    ),
    "remove model": lambda lib, rec: lib.remove_model("first try"),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_is_undone_and_done_again_also_after_a_restart(name, full):
    recording = full.recordings()[-1].id
    before = state(full)
    EDITS[name](full, recording)
    after = state(full)
    assert after != before
    text = full.undo_text()
    assert full.undo() == text
    assert state(full) == before
    full.close()
    with Library(full.root) as again:
        assert again.redo_text() == text
        assert again.redo() == text
        assert state(again) == after
        assert again.redo() is None
        again.undo()
        assert state(again) == before
        rebuilt = contents(again)
    (full.root / FILE).unlink()
    with Library(full.root) as again:  # the label files have followed
        assert contents(again) == rebuilt


def test_all_edits_are_covered():
    asking = {
        "segments",
        "count_segments",
        "segment",
        "recordings",
        "count_recordings",
        "recording",
        "open_recording",
        "names",
    }
    asking |= {
        "splits",
        "models",
        "examples",
        "undo_text",
        "redo_text",
        "last_step",
        "segment_ids",
        "segments_of",
        "segments_in",
        "segment_seconds",
    }
    not_undone = {"undo", "redo", "refresh", "add_recording", "empty_bin", "staging", "close"}
    methods = {name for name in vars(Library) if not name.startswith("_")}
    assert methods - asking - not_undone <= {name for edit in EDITS.values() for name in edit.__code__.co_names}


def test_a_long_history_is_undone_step_by_step(full):
    recording = full.recordings()[-1].id
    states = [state(full)]
    order = [
        name
        for name in EDITS
        if name not in ("remove segments", "merge into nothing", "remove action", "merge actions")
    ]
    for name in order[:12]:
        EDITS[name](full, recording)
        if state(full) != states[-1]:
            states.append(state(full))
    for expected in reversed(states[:-1]):
        full.undo()
        assert state(full) == expected
    for expected in states[1:]:
        full.redo()
        assert state(full) == expected


def test_a_new_edit_ends_what_could_be_done_again(full):
    full.add_name("action", "a")
    full.undo()
    full.add_name("action", "b")
    assert full.redo() is None
    assert [name.name for name in full.names("action")][-1] == "b"


def test_an_edit_that_changes_nothing_is_no_step(full):
    text = full.undo_text()
    full.label([some_segment(full)], full.segments()[0].action)
    assert full.undo_text() == text


STEPS = {
    "label": lambda lib: lib.label([some_segment(lib)], "wave"),
    "rename": lambda lib: lib.rename("action", "clap", "applause"),
    "remove": lambda lib: lib.remove_name("action", "clap"),
    "person": lambda lib: lib.rename("person", "Ada", "Zoë"),
    "session": lambda lib: lib.rename("session", "Monday", "Friday"),
}


@pytest.mark.parametrize("name", STEPS)
def test_undo_goes_on_where_a_recording_has_taken_a_name_since(name, library):
    first = add_recording(library, 1, [NewSegment(0, 1, 0, "clap", "Ada")], session="Monday")
    library.set_recording_note(first, "older")
    before = state(library)
    STEPS[name](library)
    labels = {"label": "wave"}.get(name, "clap")
    later = add_recording(library, 2, [NewSegment(0, 1, 0, labels, "Ada")], session="Monday")
    after = state(library)
    for _ in range(2):
        library.undo()
        assert of(library, first)[0].action == "clap"
        assert (of(library, first)[0].who, of(library, first)[0].session) == ("Ada", "Monday")
        assert (of(library, later)[0].action, of(library, later)[0].who) == (labels, "Ada")
        assert state(library)["people"] == before["people"]
        assert len(library.names("action")) == len({"nothing", "clap", labels})
        assert library.undo() == "note on a recording"
        assert library.undo_text() is None
        library.redo()
        library.redo()
        assert state(library) == after


@pytest.mark.parametrize("step", ["add", "rename"])
def test_redo_goes_on_where_a_recording_has_taken_a_name_since(step, library):
    add_recording(library, 1, [NewSegment(0, 1, 0, "clap")])
    edit = {
        "add": lambda: library.add_name("action", "wave"),
        "rename": lambda: library.rename("action", "clap", "wave"),
    }
    edit[step]()
    library.set_key("wave", "4")
    library.undo()
    library.undo()
    later = add_recording(library, 2, [NewSegment(0, 1, 0, "Wave")])
    before = contents(library)
    library.redo()
    library.redo()
    assert [(named.name, named.key) for named in library.names("action") if named.key] == [("wave", "4")]
    assert of(library, later)[0].action == "wave"
    library.undo()
    library.undo()
    assert contents(library) == before


def test_a_recording_of_another_library_takes_no_segment_from_undo(library, tmp_path):
    first = add_recording(library, 1, [NewSegment(0, 1, 0, "clap")])
    with Library(tmp_path / "other") as other:
        second = add_recording(other, 2, [NewSegment(0, 0.5, 0, "jump")])
    library.remove_segments([some_segment(library)])
    folder = recordings_folder(tmp_path / "other") / second
    folder.rename(recordings_folder(library.root) / second)
    library.refresh()
    library.undo()
    assert [segment.action for segment in of(library, first)] == ["clap"]
    assert [segment.action for segment in of(library, second)] == ["jump"]


def test_undo_leaves_files_that_are_missing_hidden(full):
    row = full.recordings()[-1]
    full.set_recording_note(row.id, "new")
    (recordings_folder(full.root) / row.id).rename(full.root / "away")
    full.refresh()
    full.undo()
    assert row.id not in [shown.id for shown in full.recordings()]


@pytest.mark.parametrize(("undo", "text"), [(True, "undo again"), (False, "redo again")])
def test_a_step_that_cannot_be_replayed_is_left_out(undo, text, library):
    recording = add_recording(library, 1)
    for note in ("first", "second", "third"):
        library.set_recording_note(recording, note)
    if not undo:
        for _ in range(3):
            library.undo()
    with library._database.transaction() as connection:
        row = {"id": 99, "name": "x", "key": "x", "shortcut": ""}
        connection.execute(
            "UPDATE edits SET changes = ? WHERE id = ?",
            (json.dumps([["actions", 99, row, row | {"shortcut": "1"}]]), 2),
        )
    replay = library.undo if undo else library.redo
    assert replay() == "note on a recording"
    before = state(library)
    with pytest.raises(LibraryError, match=text):
        replay()
    assert state(library) == before
    assert replay() == "note on a recording"
    assert library.recording(recording).note == ("" if undo else "third")


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("", "empty"),
        ("  \t\n ", "empty"),
        ("\u200b\u2060", "empty"),
        ("a\x00b", "control"),
        ("x" * 81, "81 characters"),
        ("\ud800", "half a character"),
    ],
)
@pytest.mark.parametrize("kind", ["action", "person", "session"])
def test_bad_names_are_refused(kind, bad, complaint, library):
    with pytest.raises(LibraryError, match=complaint) as raised:
        library.add_name(kind, bad)
    assert "\n" not in str(raised.value)
    assert library.undo_text() is None


@pytest.mark.parametrize(
    ("first", "second"),
    [("Wave", "wAVE"), ("straße", "STRASSE"), ("caf\u00e9", "cafe\u0301"), ("ΣΑΣ", "σας"), ("a  b", " a b ")],
)
def test_names_that_differ_in_case_or_composition_are_one(first, second, library):
    library.add_name("action", first)
    with pytest.raises(LibraryError, match="already"):
        library.add_name("action", second)
    recording = add_recording(library)
    (segment,) = library.add_segments(recording, [NewSegment(0, 1, 0, second)])
    assert library.segment(segment).action == library.names("action")[-1].name


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x", "con", "🤸🏽‍♀️", "تصفيق", "'; DROP TABLE segments; --", "%", "a/b"]
)
def test_any_name_is_kept_and_names_no_file(name, library):
    recording = add_recording(library, segments=[NewSegment(0, 1, 0, name, name)], session=name)
    before = sorted(path.name for path in library.root.rglob("*"))
    library.rename("action", name, f"{name}2")
    assert sorted(path.name for path in library.root.rglob("*")) == before
    segment = of(library, recording)[0]
    assert (segment.action, segment.who, segment.session) == (f"{name}2", name, name)
    assert library.segments(Filter(action=f"{name}2", text=name)) == [segment]


def test_nothing_is_reserved(library):
    for change in (
        lambda: library.rename("action", "Nothing", "idle"),
        lambda: library.remove_name("action", "nothing"),
        lambda: library.merge("action", "NOTHING", "x"),
    ):
        with pytest.raises(LibraryError, match="stands for stretches without an action"):
            change()


def test_segments_that_cannot_be(library):
    recording = add_recording(library)
    length = library.recording(recording).duration_s
    for start_s, end_s in ((1, 1), (1, 0.5), (length + 1, length + 2), (float("nan"), 1), (0, float("inf") * 0)):
        with pytest.raises(LibraryError):
            library.add_segments(recording, [NewSegment(0, 1), NewSegment(start_s, end_s)])
    assert library.count_segments() == 0
    (segment,) = library.add_segments(recording, [NewSegment(-1, length + 5)])
    assert (library.segment(segment).start_s, library.segment(segment).end_s) == (0, length)
    with pytest.raises(LibraryError, match="no recording"):
        library.add_segments("20260101-000000-abcdef", [NewSegment(0, 1)])


def test_filters(full):
    def found(**chosen):
        return sorted((segment.action or "-") for segment in full.segments(Filter(**chosen)))

    assert found() == ["-", "wave", "拍手"]
    assert found(action="WAVE") == ["wave"]
    assert found(who="zoë") == ["拍手"]
    assert found(session="monday") == ["-", "wave"]
    assert found(unlabelled=True) == ["-"]
    assert found(suspect=True) == ["拍手"]
    assert found(text="LEFT wav") == ["wave"]
    assert found(text="left tuesday") == []
    assert found(text="100%") == []
    assert found(text="lamp") == ["-", "wave"]
    assert found(deleted=True) == ["nothing"]
    assert found(split="Mine") == ["wave", "拍手"]
    assert found(split="mine", part="test") == ["拍手"]
    assert found(split="mine", part="validation") == found(split="theirs") == []
    assert full.count_recordings(Filter(split="mine", part="test")) == 1
    assert found(deleted=None) == ["-", "nothing", "wave", "拍手"]
    assert full.count_segments(Filter(session="Monday")) == 2
    assert [row.segments for row in full.recordings(Filter(action="wave"))] == [2]
    assert full.count_recordings() == 2
    assert [row.note for row in full.recordings(Filter(unlabelled=True))] == ["the lamp was off"]  # of two, one is
    assert full.count_recordings(Filter(unlabelled=True, who="Ada")) == 0  # whose segment is labelled
    full.label([segment.id for segment in full.segments()], None)
    assert full.count_recordings(Filter(unlabelled=True)) == 2
    assert full.count_recordings(Filter(text="zoë")) == 1


def test_recordings_without_any_segment_are_unlabelled(library):
    bare = add_recording(library, 1)
    add_recording(library, 2, [NewSegment(0, 1, 0, "wave")])
    assert [row.id for row in library.recordings(Filter(unlabelled=True))] == [bare]
    assert library.recordings(Filter(unlabelled=True, suspect=True)) == []


@pytest.mark.parametrize("key", ["0", "x", "N", " ", "12", "\u0661"])
def test_only_the_digits_from_1_to_9_are_keys_of_actions(full, key):
    with pytest.raises(LibraryError, match="choose a digit from 1 to 9"):
        full.set_key("wave", key)
    full.set_key("wave", "")
    assert [named.key for named in full.names("action") if named.key] == []


def test_the_segments_of_a_recording_are_found_in_the_bin_too(full):
    (deleted,) = full.recordings(DELETED)
    assert [segment.action for segment in full.segments_in(deleted.id)] == ["nothing"]
    first = full.recordings()[-1].id
    assert full.segments_in(first) == of(full, first) != []


def test_what_is_gone_says_what_a_user_can_do(full):
    gone = max(segment.id for segment in full.segments(limit=-1)) + 100
    for edit in (
        lambda: full.change_segment(gone, NewSegment(0, 1)),
        lambda: full.label([gone], "wave"),
        lambda: full.set_part("mine", [gone], "test"),
        lambda: full.rename("action", "dance", "walk"),
        lambda: full.set_session_note("Sunday", "hot"),
        lambda: full.remove_split("theirs"),
    ):
        with pytest.raises(LibraryError, match="any more; close the window and open it again"):
            edit()


@pytest.fixture(scope="module")
def two_sizes(tmp_path_factory):
    """Libraries of 1,000 and of 10,000 segments."""
    made = []
    for recordings in (10, 100):
        root = tmp_path_factory.mktemp("many") / str(recordings)
        with Library(root) as library:
            for seed in range(recordings):
                segments = [NewSegment(n * 0.01, n * 0.01 + 0.5, 0, f"action {n % 7}") for n in range(100)]
                add_recording(library, seed, segments, source=f"take {seed}")
        made.append(root)
    return made


def steps(library, ask):
    """SQLite's own steps for what is asked, in hundreds, and the answer."""
    count = 0

    def tick():
        nonlocal count
        count += 1

    with library._database.reading() as connection:
        connection.set_progress_handler(tick, 100)
        answer = ask()
        connection.set_progress_handler(None, 100)
    return count, answer


def test_a_page_costs_the_same_among_ten_times_the_segments(two_sizes):
    costs = []
    for root in two_sizes:
        with Library(root) as library:
            assert library.count_segments() == library.count_recordings() * 100
            cost, page = steps(library, library.segments)
            assert len(page) == 100
            more, rows = steps(library, lambda library=library: library.recordings(limit=5))
            assert len(rows) == 5
            costs.append(cost + more)
    assert costs[1] <= costs[0] * 1.2 + 2


def test_pages_are_the_whole_in_order(two_sizes):
    with Library(two_sizes[1]) as library:
        whole = library.segments(limit=-1)
        assert len(whole) == 10_000
        assert [library.segments(offset=start, limit=170) for start in range(0, 10_000, 170)] == [
            whole[start : start + 170] for start in range(0, 10_000, 170)
        ]
        assert library.segments(offset=10_000) == []
        chosen = Filter(action="action 3")
        assert library.count_segments(chosen) == sum(segment.action == "action 3" for segment in whole)


def test_opening_reads_no_segment(two_sizes, monkeypatch):
    from app.library import database

    statements = []
    connect = database._connect

    def traced(*arguments):
        connection = connect(*arguments)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(database, "_connect", traced)
    Library(two_sizes[1]).close()
    assert statements
    assert not [text for text in statements if "clips" in text and "SELECT" in text]


def test_examples_are_the_rows_of_their_person_and_time(library):
    recording = add_recording(
        library,
        4,
        [NewSegment(0.5, 1, 1, "wave", "Ada"), NewSegment(1, 1.5, 0), NewSegment(0, 1, 9, "gone")],
        people=(0, 1),
    )
    add_recording(library, 5, [NewSegment(0, 0.5, 0, "nothing")], session="s")
    wave, nothing = sorted(library.examples(), key=lambda segment: segment.action, reverse=True)
    assert (wave.name, wave.person, wave.session) == (f"{recording}/1", "Ada", None)
    assert (nothing.action, nothing.person, nothing.session) == ("nothing", None, "s")
    source = library.open_recording(recording)
    expected = [
        row
        for row in range(len(source.frame))
        if source.person[row] == 1 and 0.5 <= source.times_s[source.frame[row]] <= 1
    ]
    assert len(expected) > 5
    np.testing.assert_array_equal(wave.xy_px, source.xy_px[expected])
    np.testing.assert_array_equal(wave.times_s, source.times_s[source.frame[expected]])
    assert wave.confidence.shape == (len(expected), 33)
    assert [segment.name for segment in library.examples(["WAVE", "gone"])] == [wave.name]


def test_a_take_that_tells_its_action_is_a_segment(library):
    poses = make_poses(people=(3,))
    info = replace(describe(poses, "cam", session="s"), action="wave", person="Ada")
    folder = store(library.root, library.staging(), info, poses)
    assert library.refresh() == 1
    (segment,) = of(library, folder.name)
    assert (segment.action, segment.who, segment.session, segment.person) == ("wave", "Ada", "s", 3)
    assert (segment.start_s, segment.end_s) == (0, pytest.approx(info.duration_s, abs=0.1))  # it moves all the time
    library.remove_segments([segment.id])
    library.close()
    (library.root / FILE).unlink()
    with Library(library.root) as again:
        assert of(again, folder.name) == []  # removed stays removed


@pytest.mark.parametrize(("chosen", "labelled"), [(7, 7), (None, 3), (9, 3)])
def test_a_take_of_a_chosen_person_is_labelled_for_that_one(chosen, labelled, library):
    poses = make_poses(people=(3, 7))
    folder = store(
        library.root, library.staging(), replace(describe(poses, "cam"), action="wave", track_id=chosen), poses
    )
    assert library.refresh() == 1
    assert {segment.person for segment in of(library, folder.name)} == {labelled}


@pytest.mark.parametrize("begins_s", [0.4, 1e6])
def test_movement_that_goes_on_over_the_key_belongs_to_the_take(begins_s, library):
    poses = make_poses()
    info = replace(describe(poses, "cam"), action="wave", begins_s=begins_s)
    folder = store(library.root, library.staging(), info, poses)
    library.refresh()
    bounds = [(segment.start_s, segment.end_s) for segment in of(library, folder.name)]
    assert bounds == ([(0, pytest.approx(info.duration_s, abs=0.1))] if begins_s == 0.4 else [])


def test_a_recorded_name_that_is_too_long_is_told_and_not_cut_off(library):
    poses = make_poses()
    info = replace(describe(poses, "cam", session="Monday"), action="wave", person="y" * 95)
    folder = store(library.root, library.staging(), info, poses)
    library.refresh()
    (segment,) = of(library, folder.name)
    assert (segment.action, segment.who, segment.session) == ("wave", None, "Monday")
    (note,) = library.notes
    assert "the person's name has 95 characters; at most 80" in note


def test_names_count_the_segments_that_can_be_seen(full):
    def counts(kind):
        return {named.name: named.segments for named in full.names(kind)}

    assert counts("action") == {"wave": 1, "拍手": 1, "nothing": 0, "never used": 0}  # "nothing" is in the bin
    assert counts("person") == {"Ada": 1, "Zoë": 1, "Nobody yet": 0}
    assert counts("session") == {"Monday": 2, "Tuesday": 1}
    (row,) = full.segments(Filter(action="拍手"))
    folder = recordings_folder(full.root) / row.recording
    folder.rename(full.root / "away")
    full.refresh()
    assert counts("action") == {"wave": 1, "拍手": 0, "nothing": 0, "never used": 0}
    (full.root / "away").rename(folder)
    full.refresh()
    assert counts("action")["拍手"] == 1


def test_a_file_in_the_place_of_the_staging_folder_is_one_line_and_the_bin_stays_full(full):
    (row,) = full.recordings(DELETED)
    before = contents(full)
    (full.root / "importing").rmdir()
    (full.root / "importing").write_text("")
    with pytest.raises(LibraryError, match=r"importing cannot be made \(File exists\); rename the file of that name"):
        full.empty_bin()
    assert contents(full) == before
    assert (full.root / "recordings" / row.id).exists()


def test_the_bin_is_emptied_for_good(full):
    (row,) = full.recordings(DELETED)
    assert full.empty_bin() == 1
    assert not (full.root / "recordings" / row.id).exists()
    assert full.undo() is None
    before = contents(full)
    full.close()
    (full.root / FILE).unlink()
    with Library(full.root) as again:
        assert contents(again) == before


def test_a_clock_that_was_set_back_disturbs_nothing(full, monkeypatch):
    from app.library import edit_operations

    monkeypatch.setattr(edit_operations, "now", lambda: "1999-01-01T00:00:00+00:00")
    full.add_name("action", "late")
    assert full.undo() == "add the action late"
