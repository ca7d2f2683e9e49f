"""Composed exercises: limbs of a held pose that swing."""

import numpy as np

from pose.skeleton import MPOSE_13
from recognizer.training.exercise import exercise


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
