"""Splits: what belongs together stays together, by chance or by hand, with undo."""

import pytest
from library_fakes import add_recording

from app.library.copies import copy_pairs
from app.library.errors import LibraryError
from app.library.rows import NewClip
from app.library.splits import BY, grouped, part_of, share_out

PEOPLE = ("Ada", "Bo", "Cy", "Di", "Ed", None)


@pytest.fixture
def people(library):
    """Six people with two recordings each, of which each has one clip of either action."""
    for number in range(12):
        who = PEOPLE[number % 6]
        clips = [NewClip(0, 0.5, 0, "wave", who), NewClip(0.5, 1, 0, "clap", who)]
        add_recording(library, number, clips, session=f"day {number // 4}")
    return library


@pytest.mark.parametrize(("by", "groups"), [("person", 6), ("session", 3), ("recording", 12), ("clip", 24)])
def test_groups_are_never_torn_apart(by, groups, people):
    clips = people.clips(limit=-1)
    found = grouped(clips, by)
    parts = share_out(clips, by)
    assert len(found) == groups
    assert sorted(parts) == sorted(clip.id for clip in clips)
    assert {part_of(members, parts) for members in found.values()} <= {"train", "validation", "test"}
    assert {"train", "test"} <= set(parts.values())


def test_shares_are_kept_for_every_action(people):
    clips = people.clips(limit=-1)
    parts = share_out(clips, "clip")
    for action in ("wave", "clap"):
        counts = [sum(parts[c.id] == part and c.action == action for c in clips) for part in ("train", "test")]
        assert counts[0] == pytest.approx(8.4, abs=1.1)
        assert counts[1] == pytest.approx(1.8, abs=1.1)


def test_the_same_seed_gives_the_same_split(people):
    clips = people.clips(limit=-1)
    assert share_out(clips, "person", seed=3) == share_out(clips, "person", seed=3)
    assert len({tuple(share_out(clips, "person", seed=seed).values()) for seed in range(5)}) > 1


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("seed", range(5))
def test_clips_of_one_moment_are_never_on_both_sides(by, seed, people):
    clips = people.clips(limit=-1)
    ids = [clip.id for clip in clips]
    copies = [(ids[0], ids[-1]), (ids[3], ids[8])]
    parts = share_out(clips, by, seed=seed, copies=copies)
    assert all(parts[a] == parts[b] for a, b in copies)


def test_copies_among_recordings_are_found_for_a_split(library):
    moving = {"people": (0,), "frames": 90}
    for seed in (1, 2, 1):
        add_recording(library, seed, [NewClip(0, 2.5, 0, "wave")], **moving)
    clips = library.clips(limit=-1)
    same = [clip.id for clip in clips if clip.created.startswith("2026-01-01T01")]
    assert copy_pairs(library, clips) == [tuple(same)]


@pytest.mark.parametrize("by", BY)
def test_of_one_group_everything_is_learnt_from(by, library):
    add_recording(library, clips=[NewClip(0, 0.5, 0, "wave", "Ada")], session="day")
    assert set(share_out(library.clips(), by).values()) == {"train"}


def test_nothing_is_shared_out_of_an_empty_library(library):
    assert share_out([], "person") == {}


def test_a_part_is_set_changed_and_taken_away_in_single_steps(people):
    first, second, *_ = (clip.id for clip in people.clips())
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


def test_a_part_that_there_is_not_and_a_clip_that_is_gone_change_nothing(people):
    clip = people.clips()[0].id
    with pytest.raises(LibraryError, match="no part exam; choose one of train"):
        people.set_part("mine", [clip], "exam")
    with pytest.raises(LibraryError, match="no clip 999"):
        people.set_part("mine", [clip, 999], "test")
    assert people.splits() == {}
