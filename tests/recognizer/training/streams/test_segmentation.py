"""The segmental F1 and the edit score, counted by hand."""

import pytest

from recognizer.training.streams.segmentation import Matches, Run, edit_score, match, runs


def labelled(text):
    """One character a frame; a dot is background, a space begins another stretch."""
    labels, stretches = [], []
    for stretch, part in enumerate(text.split(" ")):
        labels += [None if c == "." else c for c in part]
        stretches += [stretch] * len(part)
    return runs(labels, stretches)


def test_runs_leave_out_the_background_and_break_where_a_stretch_ends():
    assert labelled("aa.bba aa") == [Run("a", 0, 2), Run("b", 3, 5), Run("a", 5, 6), Run("a", 6, 8)]
    assert labelled("") == []


def test_a_found_segment_matches_the_true_one_of_its_name_that_it_overlaps_most():
    true, found = labelled("aaaa....bbbb"), labelled("..aaaa...bb.")
    # a: 2 of 6 frames; b: 2 of 4.
    assert match(true, found, 0.10) == Matches(2, 0, 0)
    assert match(true, found, 0.34) == Matches(1, 1, 1)
    assert match(true, found, 0.50) == Matches(1, 1, 1)
    assert match(true, found, 0.51) == Matches(0, 2, 2)


def test_a_true_segment_is_matched_once():
    true, found = labelled("aaaaaaaaaa"), labelled("aaa.aaa.aa")
    assert match(true, found, 0.10) == Matches(1, 2, 0)
    assert match(true, found, 0.10).f1 == pytest.approx(2 * (1 / 3) * 1 / (1 / 3 + 1))


def test_nothing_found_and_nothing_true():
    assert match([], labelled("aa"), 0.1) == Matches(0, 1, 0)
    assert match(labelled("aa"), [], 0.1) == Matches(0, 0, 1)
    assert match([], [], 0.1).f1 == 0.0


@pytest.mark.parametrize(
    ("true", "found", "score"),
    [
        ("aa.bb", "a..bb", 1.0),  # only the order counts
        ("aabb", "bbaa", 0.0),
        ("aabbcc", "aacc..", 2 / 3),
        ("aa", "abab", 1 / 4),
        ("..aa", "....", 0.0),
        ("....", "....", 1.0),
    ],
)
def test_edit_score(true, found, score):
    assert edit_score(labelled(true), labelled(found)) == pytest.approx(score)
