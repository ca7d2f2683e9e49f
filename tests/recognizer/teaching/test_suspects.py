"""Takes that look wrong are told so at once, and those that look right are not."""

from dataclasses import replace

import numpy as np
import pytest
from teaching_examples import made_example

from pose.skeleton import MPOSE_13
from recognizer.teaching.suspects import suspicions

SIDES = ("left", "right")


def takes(action="raise", count=3, **changes):
    return [made_example(action, number, **changes) for number in range(count)]


def hidden(example, *parts, part_of=1.0):
    """The example with joints out of the picture in a part of its time."""
    confidence = example.confidence.copy()
    places = [MPOSE_13.index(joint) for joint in MPOSE_13.joints if joint in parts or joint.partition("_")[2] in parts]
    confidence[np.ix_(np.arange(len(confidence)) < part_of * len(confidence), places)] = 0
    return replace(example, confidence=confidence)


@pytest.mark.parametrize("action", ["raise", "step", "bow"])
def test_a_take_like_the_others_is_right(action):
    first, *others = takes(action, 5)
    assert suspicions(first, others) == []
    assert suspicions(first) == []


def test_too_short_is_told_with_its_length():
    short = takes(seconds=0.32, count=1)[0]
    assert suspicions(short, takes()) == ["it is too short: 0.3 s"]


def test_much_longer_and_much_shorter_than_the_others():
    assert "much longer than the others: 9.0 s" in suspicions(made_example("raise", 7, seconds=9), takes())[0]
    assert "much shorter than the others: 0.6 s" in suspicions(made_example("raise", 7, seconds=0.6), takes())[0]


def test_nothing_moves():
    still = replace(made_example("nothing", 1), action="raise")
    assert suspicions(still, takes()) == ["nothing moves in it"]
    assert suspicions(still) == ["nothing moves in it: correct only if you are teaching a posture"]
    held = [replace(made_example("nothing", n), action="pose") for n in range(3)]
    assert suspicions(held[0], held[1:]) == [], "a posture that all of them hold is what is taught"


def test_parts_out_of_the_picture():
    example = made_example("raise", 7)
    assert suspicions(hidden(example, "left_wrist"), takes()) == ["the left hand is out of the picture in most of it"]
    gone = suspicions(hidden(example, "hip", "knee", "ankle"), takes())
    assert gone == ["the hips, the knees and the feet are out of the picture in most of it"]
    assert suspicions(hidden(example, "ankle"))[0] == "the feet are out of the picture in most of it"
    assert suspicions(hidden(example, "left_wrist", part_of=0.3), takes()) == []


def test_at_a_desk_the_legs_are_missing_in_all_takes():
    first, *others = [hidden(example, "hip", "knee", "ankle") for example in takes(count=4)]
    assert suspicions(first, others) == []
    assert suspicions(first) == []


def test_somebody_who_leaves_the_picture():
    example = made_example("raise", 7)
    there = (example.times_s < 0.8) | (example.times_s > 1.6)
    gone = replace(
        example, times_s=example.times_s[there], xy_px=example.xy_px[there], confidence=example.confidence[there]
    )
    assert suspicions(gone, takes())[0].startswith("you are out of the picture for 0.9 s")


@pytest.mark.parametrize("action", ["step", "bow"])
def test_another_action_is_unlike_the_others(action):
    wrong = replace(made_example(action, 7), action="raise")
    assert suspicions(wrong, takes()) == ["it looks unlike the other takes of raise"]
    assert suspicions(wrong, takes(count=1)) == [], "one other does not tell what is usual"


def test_the_other_hand_is_no_other_action():
    example = made_example("raise", 7)
    mirrored = replace(
        example,
        xy_px=(example.xy_px[:, MPOSE_13.mirrored] * (-1, 1)).astype(np.float32),
        confidence=example.confidence[:, MPOSE_13.mirrored],
    )
    assert suspicions(mirrored, takes()) == []
