"""The same moment is found again however it was cut, mirrored or encoded; another performance is another."""

from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import made_example, made_examples

from pose.skeleton import MPOSE_13
from recognizer.teaching.copies import copy_groups, joined_groups, near_copies


def again(example, *, start_s=0.0, end_s=None, jitter=0.0, mirror=False, scale=1.0, fps=None, name="again/1"):
    """The moment of an example once more."""
    inside = (example.times_s >= start_s) & (example.times_s <= (end_s or example.times_s[-1]))
    times_s, xy, confidence = (
        example.times_s[inside],
        example.xy_px[inside].astype(np.float64),
        example.confidence[inside],
    )
    if fps is not None:
        at_s = np.arange(times_s[0] + 0.013, times_s[-1], 1 / fps)
        flat = xy.reshape(len(xy), -1)
        xy = np.stack([np.interp(at_s, times_s, column) for column in flat.T], axis=1).reshape(len(at_s), -1, 2)
        times_s, confidence = at_s, np.ones((len(at_s), xy.shape[1]), np.float32)
    if mirror:
        xy, confidence = xy[:, MPOSE_13.mirrored] * (-1, 1) + (640, 0), confidence[:, MPOSE_13.mirrored]
    xy = scale * xy + np.random.default_rng(5).normal(0, jitter * 60 * scale, xy.shape)
    return replace(example, name=name, times_s=times_s - times_s[0], xy_px=xy.astype(np.float32), confidence=confidence)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"start_s": 0.6, "end_s": 2.0},
        {"mirror": True},
        {"jitter": 0.015, "scale": 0.5},
        {"fps": 15.0, "start_s": 0.3, "mirror": True, "jitter": 0.01},
    ],
    ids=["the same", "trimmed", "mirrored", "encoded again", "all of it"],
)
@pytest.mark.parametrize("action", ["raise", "step", "bow"])
def test_a_copy_is_found_among_other_examples(action, how):
    examples = made_examples()
    index = next(index for index, example in enumerate(examples) if example.action == action)
    assert near_copies([*examples, again(examples[index], **how)]) == [(index, len(examples))]


def test_performances_of_one_person_are_no_copies():
    assert near_copies(made_examples(examples=8)) == []


def test_two_takes_of_standing_still_are_no_copies():
    assert near_copies([made_example("nothing", number) for number in range(4)]) == []


@pytest.mark.parametrize(("action", "seconds"), [("nothing", 2.5), ("raise", 0.4), ("nothing", 0.3)])
def test_equal_poses_are_copies_however_short_or_still(action, seconds):
    takes = [made_example(action, number, seconds=seconds) for number in (0, 1, 0, 0)]
    takes[2] = replace(takes[2], name="x/1", times_s=takes[2].times_s + 7)
    takes[3] = replace(takes[3], name="x/2", action="another")
    assert near_copies(takes) == [(0, 2), (0, 3), (2, 3)]
    assert copy_groups(takes).tolist() == [0, 1, 0, 0]
    assert near_copies([takes[0], again(takes[0], jitter=0.05)]) == []


def test_copies_of_copies_are_one_group():
    examples = made_examples(("raise", "bow"), 2)
    more = [again(examples[1], name="x/1"), again(examples[1], mirror=True, name="x/2")]
    assert copy_groups([*examples, *more]).tolist() == [0, 1, 2, 3, 1, 1]


def test_groups_are_joined_by_pairs_in_any_order():
    assert joined_groups(6, [(4, 5), (1, 4), (0, 2)]).tolist() == [0, 1, 0, 3, 1, 1]
    assert joined_groups(0, []).tolist() == []


def test_nothing_to_compare():
    assert near_copies([]) == []
    unseen = made_example("raise", 1)
    unseen = replace(unseen, confidence=np.zeros_like(unseen.confidence))
    assert near_copies([unseen, unseen]) == []
