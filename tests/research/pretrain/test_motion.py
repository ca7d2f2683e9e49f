"""Recordings as global translation and local motion."""

from dataclasses import replace

import numpy as np
import pytest

from pose.skeleton import KINECT_20, MPOSE_13, convert
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import Skeleton
from research.pretrain.motion import GLOBAL, motion_clips, tokens_of

ROOT = KINECT_20.index("shoulder_centre")


@pytest.fixture
def one(recordings):
    return recordings[0]


def test_joints_are_about_the_root_whose_place_has_its_way(one):
    clip = motion_clips([one], facing="none").x[0]
    root = one.joints[:, ROOT]
    np.testing.assert_allclose(clip[:, ROOT], root - root[0], atol=1e-6)
    others = np.delete(np.arange(20), ROOT)
    np.testing.assert_allclose(clip[:, others], one.joints[:, others] - root[:, None], atol=1e-6)


def test_where_a_person_stands_is_not_in_it(one):
    there = replace(one, joints=one.joints + np.float32([2, -1, 3]))
    np.testing.assert_allclose(motion_clips([there]).x[0], motion_clips([one]).x[0], atol=1e-5)


@pytest.mark.parametrize("facing", ["frame", "clip"])
def test_from_where_a_person_is_seen_is_not_in_it(one, facing):
    """Seen from a camera that is turned about the vertical."""
    angle = 2.0
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    turned = replace(one, joints=(one.joints @ turn.T).astype(np.float32))
    np.testing.assert_allclose(
        motion_clips([turned], facing=facing).x[0], motion_clips([one], facing=facing).x[0], atol=1e-5
    )


def test_shoulders_lie_across_in_every_frame(one):
    clip = motion_clips([one]).x[0]
    across = clip[:, KINECT_20.index("left_shoulder")] - clip[:, KINECT_20.index("right_shoulder")]
    np.testing.assert_allclose(across[:, 2], 0, atol=1e-6)
    assert (across[:, 0] > 0.3).all()


def test_shoulders_one_above_the_other_turn_nothing(one):
    joints = one.joints.copy()
    joints[:, KINECT_20.index("left_shoulder")] = joints[:, KINECT_20.index("right_shoulder")] + np.float32([0, 1, 0])
    odd = replace(one, joints=joints)
    np.testing.assert_allclose(motion_clips([odd]).x[0], motion_clips([odd], facing="none").x[0], atol=1e-6)


def test_further_people_and_those_who_are_missing(one):
    second = Skeleton(one.joints + np.float32([1, 0, 0]), one.seen)
    unseen = Skeleton(np.zeros_like(one.joints), np.zeros_like(one.seen))
    alone, both, gone = (
        motion_clips([replace(one, others=others)], people=2).x[0] for others in ((), (second,), (unseen,))
    )
    assert both.shape == (len(one.joints), 40, 3)
    np.testing.assert_allclose(both[:, 1::2], both[:, 0::2], atol=1e-5)  # token = joint * people + person
    assert not alone[:, 1::2].any()
    np.testing.assert_array_equal(alone, gone)


def test_flat_clips_have_a_token_more_and_are_half_torsos(one):
    joints, seen = convert(one.joints[..., :2] * 300, one.seen.astype(np.float32), one.layout, MPOSE_13)
    clips = motion_clips([replace(one, joints=joints, seen=seen > 0, layout=MPOSE_13)])
    assert clips.joints == (*MPOSE_13.joints, GLOBAL)
    assert clips.global_joint == 13
    assert clips.channels == 2
    clip = clips.x[0]
    shoulders, hips = (
        clip[:, [MPOSE_13.index(f"{side}_{part}") for side in ("left", "right")]].mean(axis=1)
        for part in ("shoulder", "hip")
    )
    assert np.median(np.linalg.norm(shoulders - hips, axis=1)) == pytest.approx(0.5, rel=1e-4)
    np.testing.assert_allclose(hips, 0, atol=1e-6)
    assert tokens_of(KINECT_20) == (KINECT_20.joints, ROOT)


def test_a_joint_that_was_lost_goes_straight(one):
    wrist = KINECT_20.index("right_wrist")
    joints, seen = one.joints.copy(), one.seen.copy()
    joints[1:4, wrist], seen[1:4, wrist] = 0, False
    joints[:, 0], seen[:, 0] = 0, False
    clip = motion_clips([replace(one, joints=joints, seen=seen)], facing="none").x[0]
    place = clip[:, wrist] + one.joints[:, ROOT]
    np.testing.assert_allclose(place[2], (one.joints[0, wrist] + one.joints[4, wrist]) / 2, atol=1e-5)
    assert not clip[:, 0].any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: [], "two frames or more"),
        (lambda r: [replace(r, joints=r.joints[:1])], "two frames or more"),
        (lambda r: [r, replace(r, joints=r.joints[..., :2])], "does not fit"),
        (lambda r: [replace(r, joints=r.joints * np.float32(np.nan))], "not numbers"),
    ],
)
def test_what_makes_no_clips_is_said(one, change, words):
    with pytest.raises(DataError, match=words):
        motion_clips(change(one))


def test_labels_are_places_in_the_actions(recordings):
    clips = motion_clips(recordings)
    assert clips.actions == ("a", "b")
    assert clips.labels[:3].tolist() == [0, 1, 0]
