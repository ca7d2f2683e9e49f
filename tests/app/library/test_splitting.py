"""Splits: what belongs together stays together, by chance or by hand, with undo."""

import pytest
from library_fakes import add_recording

from app.library.copies import copy_pairs
from app.library.errors import LibraryError
from app.library.rows import NewSegment
from app.library.splits import BY, grouped, part_of, share_out

PEOPLE = ("Ada", "Bo", "Cy", "Di", "Ed", None)


@pytest.fixture
def people(library):
    """Six people with two recordings each, of which each has one segment of either action."""
    for number in range(12):
        who = PEOPLE[number % 6]
        segments = [NewSegment(0, 0.5, 0, "wave", who), NewSegment(0.5, 1, 0, "clap", who)]
        add_recording(library, number, segments, session=f"day {number // 4}")
    return library


@pytest.mark.parametrize(("by", "groups"), [("person", 6), ("session", 3), ("recording", 12), ("segment", 24)])
def test_groups_are_never_torn_apart(by, groups, people):
    segments = people.segments(limit=-1)
    found = grouped(segments, by)
    parts = share_out(segments, by)
    assert len(found) == groups
    assert sorted(parts) == sorted(segment.id for segment in segments)
    assert {part_of(members, parts) for members in found.values()} <= {"train", "validation", "test"}
    assert {"train", "test"} <= set(parts.values())


def test_shares_are_kept_for_every_action(people):
    segments = people.segments(limit=-1)
    parts = share_out(segments, "segment")
    for action in ("wave", "clap"):
        counts = [sum(parts[c.id] == part and c.action == action for c in segments) for part in ("train", "test")]
        assert counts[0] == pytest.approx(8.4, abs=1.1)
        assert counts[1] == pytest.approx(1.8, abs=1.1)


def test_the_same_seed_gives_the_same_split(people):
    segments = people.segments(limit=-1)
    assert share_out(segments, "person", seed=3) == share_out(segments, "person", seed=3)
    assert len({tuple(share_out(segments, "person", seed=seed).values()) for seed in range(5)}) > 1


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("seed", range(5))
def test_segments_of_one_moment_are_never_on_both_sides(by, seed, people):
    segments = people.segments(limit=-1)
    ids = [segment.id for segment in segments]
    copies = [(ids[0], ids[-1]), (ids[3], ids[8])]
    parts = share_out(segments, by, seed=seed, copies=copies)
    assert all(parts[a] == parts[b] for a, b in copies)


def test_copies_among_recordings_are_found_for_a_split(library):
    moving = {"people": (0,), "frames": 90}
    for seed in (1, 2, 1):
        add_recording(library, seed, [NewSegment(0, 2.5, 0, "wave")], **moving)
    segments = library.segments(limit=-1)
    same = [segment.id for segment in segments if segment.created.startswith("2026-01-01T01")]
    assert copy_pairs(library, segments) == [tuple(same)]


@pytest.mark.parametrize("by", BY)
def test_of_one_group_everything_is_learnt_from(by, library):
    add_recording(library, segments=[NewSegment(0, 0.5, 0, "wave", "Ada")], session="day")
    assert set(share_out(library.segments(), by).values()) == {"train"}


def test_nothing_is_shared_out_of_an_empty_library(library):
    assert share_out([], "person") == {}


def test_a_part_is_set_changed_and_taken_away_in_single_steps(people):
    first, second, *_ = (segment.id for segment in people.segments())
    people.set_part("mine", [first, second], "test")
    people.set_part("mine", [first], "train")
    people.set_part("mine", [second], None)
    assert people.splits() == {"mine": {first: "train"}}
    people.undo()
    assert people.splits() == {"mine": {first: "train", second: "test"}}
    people.undo()
    people.undo()
    assert people.splits() == {}
    people.set_part("empty", [], None)
    assert people.undo_text() == "add the split empty"


def test_a_part_that_there_is_not_and_a_segment_that_is_gone_change_nothing(people):
    segment = people.segments()[0].id
    with pytest.raises(LibraryError, match="no part exam; choose one of train"):
        people.set_part("mine", [segment], "exam")
    with pytest.raises(LibraryError, match="no segment 999"):
        people.set_part("mine", [segment, 999], "test")
    assert people.splits() == {}
