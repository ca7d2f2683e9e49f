"""Composed exercises and gestures: limbs of a held pose that swing, hands that wander."""

import numpy as np

from pose.skeleton import MPOSE_13
from recognizer.training.synthetic.composed import exercise, gesture


def held_poses(n=200, channels=3):
    pose = np.random.default_rng(3).normal(0, 1, (n, 1, 13, channels)).astype(np.float32)
    return np.repeat(pose, 30, axis=1)


def test_bones_keep_their_length_and_something_moves():
    joints = held_poses()
    out = exercise(joints, np.random.default_rng(0))
    for part, parent in (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee")):
        for side in ("left", "right"):
            a, b = MPOSE_13.index(f"{side}_{part}"), MPOSE_13.index(f"{side}_{parent}")
            before, after = joints[:, :, a] - joints[:, :, b], out[:, :, a] - out[:, :, b]
            np.testing.assert_allclose(
                np.linalg.norm(after, axis=-1), np.linalg.norm(before, axis=-1), rtol=1e-3, atol=1e-4
            )
    assert (np.ptp(out, axis=1).max(axis=(1, 2)) > 0.05).all()
    np.testing.assert_array_equal(out[..., 2], joints[..., 2])  # in the plane of the picture


def test_hips_stay_and_each_clip_moves_only_a_part_of_the_body():
    out = exercise(held_poses(), np.random.default_rng(0))
    still = np.ptp(out, axis=1).max(axis=-1) < 1e-4  # (N, 13)
    assert still[:, [7, 8]].all()
    legs_alone, arms_alone = still[:, :7].all(axis=1), still[:, 9:].all(axis=1)
    assert 30 < legs_alone.sum() < 110
    assert 60 < arms_alone.sum() < 150
    assert not (legs_alone & arms_alone).any()


def test_the_same_generator_gives_the_same_clips():
    a, b = (exercise(held_poses(20, 2), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def standing(n=200):
    """Upright people of unit size, arms down."""
    pose = np.zeros((13, 3), np.float32)
    pose[:, :2] = [
        (0, -1.4), (0.25, -1), (-0.25, -1), (0.3, -0.5), (-0.3, -0.5), (0.3, 0), (-0.3, 0),
        (0.15, 0), (-0.15, 0), (0.15, 0.8), (-0.15, 0.8), (0.15, 1.6), (-0.15, 1.6),
    ]  # fmt: skip
    return np.repeat(np.repeat(pose[None, None], 30, axis=1), n, axis=0)


def test_a_gesture_moves_one_arm_or_both_and_nothing_else():
    joints = standing()
    out = gesture(joints, np.random.default_rng(0))
    arms = [3, 4, 5, 6]
    others = [place for place in range(13) if place not in arms]
    np.testing.assert_array_equal(out[:, :, others], joints[:, :, others])
    moved = np.stack([np.ptp(out[:, :, side::2][:, :, 1:3], axis=1).max(axis=(1, 2)) > 1e-3 for side in (1, 2)], axis=1)
    assert moved.any(axis=1).all()
    assert 40 < (moved.sum(axis=1) == 1).sum() < 100  # _ALONE of 200
    elbows_low = out[:, :, 3:5, 1] > out[:, :, 1:3, 1] - 0.3
    assert elbows_low.mean() > 0.9


def test_a_hand_reaches_no_farther_than_its_arm():
    out = gesture(standing(), np.random.default_rng(1))
    for shoulder, elbow, wrist in ((1, 3, 5), (2, 4, 6)):
        upper = np.linalg.norm(out[:, :, elbow] - out[:, :, shoulder], axis=-1)
        assert upper.max() < 0.53
        assert np.linalg.norm(out[:, :, wrist] - out[:, :, shoulder], axis=-1).max() < 1.02
    speed = np.abs(np.diff(out, axis=1)).max()
    assert speed < 1.0  # torsos in a twentieth of a second, some 10 m/s: hands do not jump
