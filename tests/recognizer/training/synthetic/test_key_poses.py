"""Bodies that go from key pose to key pose: where joints come to be."""

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from recognizer.training.synthetic.key_poses import LEFT, RIGHT, SHOULDER, KeyPose, joints_of, motion_through, reach

HANGING = (0.0, 0.0, 0.0, 0.0)
ARM, LEG = 1.13, 1.70
UPRIGHT = KeyPose(0.0, (0.0, 0.0), 0.0, (HANGING, HANGING), (HANGING, HANGING))


def pose(key):
    """(13, 3) joints of one key, held."""
    return joints_of(np.append(key.row(), 0.0)[None])[0]


def at(joints, name):
    return joints[..., MPOSE_13.index(name), :]


def test_upright_with_its_arms_down_it_faces_the_camera_on_the_floor():
    joints = pose(UPRIGHT)
    np.testing.assert_allclose(at(joints, "left_shoulder"), [SHOULDER, -LEG - 1, 0], atol=1e-6)
    np.testing.assert_allclose(at(joints, "left_wrist"), [SHOULDER, -LEG - 1 + ARM, 0], atol=1e-6)
    np.testing.assert_allclose(at(joints, "right_ankle"), [at(joints, "right_hip")[0], 0, 0], atol=1e-6)
    assert at(joints, "head")[2] < 0  # the face is towards the camera
    assert at(joints, "left_hip")[0] > at(joints, "right_hip")[0]  # as others see it


@pytest.mark.parametrize(
    ("change", "joint", "where"),
    [
        ({"arm": ((90.0, 0.0, 0.0, 0.0), HANGING)}, "left_wrist", [SHOULDER, -LEG - 1, -ARM]),
        ({"arm": ((90.0, 90.0, 0.0, 0.0), HANGING)}, "left_wrist", [SHOULDER + ARM, -LEG - 1, 0]),
        ({"arm": (HANGING, (90.0, 90.0, 0.0, 0.0))}, "right_wrist", [-SHOULDER - ARM, -LEG - 1, 0]),
        ({"arm": ((0.0, 0.0, 90.0, 0.0), HANGING)}, "left_wrist", [SHOULDER, -LEG - 0.4, -0.53]),
        ({"leg": ((90.0, 0.0, 90.0, 0.0), HANGING)}, "left_ankle", [0.21, -LEG + 0.84, -0.86]),
        ({"turn": 90.0}, "left_shoulder", [0, -LEG - 1, SHOULDER]),
        ({"turn": 90.0, "arm": ((90.0, 0.0, 0.0, 0.0), HANGING)}, "left_wrist", [ARM, -LEG - 1, SHOULDER]),
        ({"lean": (90.0, 0.0)}, "left_shoulder", [SHOULDER, -LEG, -1]),
        ({"lean": (0.0, 30.0)}, "left_shoulder", [-0.5 + SHOULDER * 0.8660, -LEG - 0.8660 - SHOULDER / 2, 0]),
        ({"pitch": 90.0}, "left_shoulder", [SHOULDER, -0.12, -1]),  # on the forehead, which is ahead of the trunk
        ({"pitch": 90.0}, "left_ankle", [0.21, -0.12, LEG]),
        ({"pitch": -90.0}, "left_shoulder", [SHOULDER, 0, 1]),
        ({"pitch": -90.0, "leg": ((90.0, 0.0, 0.0, 0.0),) * 2}, "left_ankle", [0.21, -LEG, 0]),
        (
            {"pitch": 60.0, "arm": ((60.0, 0.0, 0.0, 0.0), HANGING)},
            "left_wrist",
            [SHOULDER, -LEG / 2 - 0.5 + ARM, -0.8660],
        ),
        ({"twist": 90.0}, "left_shoulder", [0, -LEG - 1, SHOULDER]),
    ],
)
def test_angles_put_joints_where_they_say(change, joint, where):
    key = KeyPose(**{"turn": 0.0, "lean": (0.0, 0.0), "twist": 0.0, "arm": UPRIGHT.arm, "leg": UPRIGHT.leg} | change)
    np.testing.assert_allclose(at(pose(key), joint), where, atol=1e-3)


@pytest.mark.parametrize("swivel", [-40.0, 0.0, 40.0])
@pytest.mark.parametrize(
    "place", [(0.5, 0.2, 0.4), (0.3, -0.3, -0.2), (0.05, 0.1, 1.0), (-0.4, 0.3, 0.2), (0.6, 0.0, -0.6)]
)
@pytest.mark.parametrize(("side", "sign", "name"), [(LEFT, 1, "left"), (RIGHT, -1, "right")])
def test_a_hand_comes_to_be_where_it_reaches(place, swivel, side, sign, name):
    joints = pose(UPRIGHT.with_arm(side, reach(*place, swivel)))
    ahead, outwards, up = place
    wanted = at(joints, f"{name}_shoulder") + np.array([sign * outwards, -up, -ahead])
    np.testing.assert_allclose(at(joints, f"{name}_wrist"), wanted, atol=1e-4)


def test_a_place_too_far_is_reached_towards():
    joints = pose(UPRIGHT.with_arm(LEFT, reach(0.0, 3.0, 0.0)))
    np.testing.assert_allclose(at(joints, "left_wrist")[0], SHOULDER + 0.99 * ARM, atol=1e-4)


def test_the_foot_that_carries_the_body_stays_where_it_is():
    forwards = UPRIGHT.with_leg(LEFT, (40.0, 0.0, 0.0, 0.0)).with_leg(RIGHT, (15.0, 180.0, 0.0, 0.0))
    motion = motion_through([(0.0, UPRIGHT), (0.5, UPRIGHT), (1.0, forwards)], np.random.default_rng(0))
    motion[:, 21] = 0
    joints = joints_of(motion)
    lower = np.where(at(joints, "left_ankle")[:, 1] > at(joints, "right_ankle")[:, 1] + 0.1, 0, 1)
    assert lower[-1] == 1
    moved = np.abs(np.diff(at(joints, "right_ankle")[-5:, [0, 2]], axis=0))
    assert moved.max() < 0.02
    np.testing.assert_allclose(joints[:, 11:, 1].max(axis=1), 0, atol=1e-6)


def test_poses_come_at_twenty_a_second_and_bones_keep_their_length():
    rng = np.random.default_rng(1)
    raised = UPRIGHT.with_arm(LEFT, reach(0.2, 0.1, 0.9))
    joints = joints_of(motion_through([(0.0, UPRIGHT), (1.0, raised), (0.5, UPRIGHT)], rng))
    assert joints.shape == (30, 13, 3)
    upper = np.linalg.norm(at(joints, "left_elbow") - at(joints, "left_shoulder"), axis=-1)
    np.testing.assert_allclose(upper, 0.60, atol=1e-5)
