"""The features: what they measure, what they ignore, and what missing joints do to them."""

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from recognizer.features import CHANNELS, clip_features

V, C = len(MPOSE_13), len(CHANNELS)


def standing_person() -> np.ndarray:
    """A person of 4 heads, in pixels: torso 100, shoulders 60 wide, legs 80 + 80."""
    place = {
        "head": (0, -140),
        **{f"{side}_shoulder": (30 * s, -100) for side, s in (("left", 1), ("right", -1))},
        **{f"{side}_elbow": (35 * s, -50) for side, s in (("left", 1), ("right", -1))},
        **{f"{side}_wrist": (40 * s, 0) for side, s in (("left", 1), ("right", -1))},
        **{f"{side}_hip": (18 * s, 0) for side, s in (("left", 1), ("right", -1))},
        **{f"{side}_knee": (18 * s, 80) for side, s in (("left", 1), ("right", -1))},
        **{f"{side}_ankle": (18 * s, 160) for side, s in (("left", 1), ("right", -1))},
    }
    return np.array([place[joint] for joint in MPOSE_13.joints], dtype=np.float32)


def clip(frames: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    xy = 300 + standing_person() + np.cumsum(rng.normal(0, 3, (frames, V, 2)), axis=0).astype(np.float32)
    return xy.astype(np.float32), np.ones((frames, V), np.float32)


def channels(features: np.ndarray) -> np.ndarray:
    return features.reshape(*features.shape[:-1], V, C)


def test_a_standing_person_is_measured_in_torsos_from_the_hips():
    xy = np.repeat(standing_person()[None] + np.float32([200, 150]), 30, axis=0)
    found = channels(clip_features(xy, np.ones((30, V), np.float32), 15.0))
    ankle, head = found[0, MPOSE_13.index("left_ankle")], found[0, MPOSE_13.index("head")]
    assert ankle == pytest.approx([0.18, 1.6, 0, 0, 0, 1], abs=1e-5)
    assert head == pytest.approx([0, -1.4, 0, 0, 0, -1], abs=1e-5)


def still(xy: np.ndarray, hidden: range = range(0)) -> np.ndarray:
    """(V, 6) features of somebody who does not move. hidden: joints."""
    confidence = np.ones((30, V), np.float32)
    confidence[:, hidden] = 0
    moved = np.repeat(xy[None] + np.float32([200, 150]), 30, axis=0)
    return channels(clip_features(moved, confidence, 20.0))[5]


def test_who_bends_towards_the_camera_is_measured_by_the_shoulders():
    xy = standing_person()
    xy[1:, 1] *= 0.2  # torso and legs are foreshortened, the shoulders 60 wide: 75 in torsos
    assert still(xy)[MPOSE_13.index("left_shoulder"), 0] == pytest.approx(30 / 75)


def test_at_a_desk_the_hips_are_taken_to_be_one_torso_below_the_shoulders():
    found = still(standing_person(), range(7, V))
    assert found[MPOSE_13.index("left_shoulder"), 1] == pytest.approx(-1)
    assert found[MPOSE_13.index("left_wrist"), 1] == pytest.approx((100 - 75) / 75)  # 100 below the shoulders


def test_a_hips_bone_comes_from_the_other_hip():
    left, right = MPOSE_13.index("left_hip"), MPOSE_13.index("right_hip")
    xy = standing_person()
    xy[left] += np.float32([0, 27])  # 36 aside and 27 below the right one, 45 in all
    np.testing.assert_allclose(still(xy)[[left, right], 4:], [[0.8, 0.6], [-0.8, -0.6]], atol=1e-5)


def test_the_size_of_a_window_is_the_lower_of_two_middle_ones():
    growing = np.repeat([1, 2], 15)[:, None, None].astype(np.float32) * standing_person()
    found = channels(clip_features(growing, np.ones((30, V), np.float32), 20.0))
    assert found[0, MPOSE_13.index("left_ankle"), 1] == pytest.approx(1.6)
    assert found[-1, MPOSE_13.index("left_ankle"), 1] == pytest.approx(3.2)


def test_place_and_size_in_the_picture_do_not_matter():
    xy, confidence = clip()
    moved = xy * np.float32(0.37) + np.float32([50, -20])
    np.testing.assert_allclose(clip_features(moved, confidence, 15), clip_features(xy, confidence, 15), atol=2e-4)


def test_velocity_is_of_the_body_in_the_picture_per_twentieth_of_a_second():
    steps = np.arange(30, dtype=np.float32)[:, None, None] * np.float32([10, 0])
    xy = standing_person() + steps
    slow = channels(clip_features(xy, np.ones((30, V), np.float32), 20))
    fast = channels(clip_features(xy, np.ones((30, V), np.float32), 40))
    np.testing.assert_allclose(slow[0, :, 2:4], 0)
    np.testing.assert_allclose(slow[1:, :, 2], 0.1, atol=1e-5)
    np.testing.assert_allclose(fast[1:, :, 2], 0.2, atol=1e-5)


def test_bone_directions_do_not_depend_on_proportions():
    xy, confidence = clip()
    longer = xy.copy()
    wrist, elbow = MPOSE_13.index("left_wrist"), MPOSE_13.index("left_elbow")
    longer[:, wrist] += 0.5 * (xy[:, wrist] - xy[:, elbow])
    a, b = channels(clip_features(xy, confidence, 15)), channels(clip_features(longer, confidence, 15))
    np.testing.assert_allclose(a[..., 4:], b[..., 4:], atol=1e-4)
    assert np.abs(a[:, wrist, :2] - b[:, wrist, :2]).max() > 0.05


def test_many_clips_at_once_are_the_same_as_one_by_one():
    xy, confidence = clip()
    both = np.stack([xy, xy[::-1] * 2])
    together = clip_features(both, np.stack([confidence, confidence]), 15)
    assert together.shape == (2, 30, V * C)
    assert together.dtype == np.float32
    for one, row in zip(both, together, strict=True):
        np.testing.assert_array_equal(clip_features(one, confidence, 15), row)


def test_what_stands_at_a_missing_joint_does_not_matter():
    xy, confidence = clip()
    confidence[5:9, 4] = 0
    confidence[:, 11] = 0
    garbage = xy.copy()
    garbage[confidence == 0] = 1e6
    features = clip_features(garbage, confidence, 15)
    np.testing.assert_array_equal(features, clip_features(xy, confidence, 15))
    assert not channels(features)[5:9, 4].any()
    assert not channels(features)[9, 4, 2:4].any()  # no velocity where it was missing a frame before


def test_missing_hips_are_put_where_they_were():
    xy, confidence = clip()
    hidden = confidence.copy()
    hidden[10:12, [7, 8]] = 0
    whole, guessed = (channels(clip_features(xy, c, 15)) for c in (confidence, hidden))
    np.testing.assert_allclose(guessed[10:12, 0, :2], whole[10:12, 0, :2], atol=0.15)


def test_without_hips_at_all_the_upper_body_still_counts():
    xy, confidence = clip()
    confidence[:, 7:] = 0
    found = channels(clip_features(xy, confidence, 15))
    assert np.abs(found[:, 5, :2]).max() > 0.1
    assert np.abs(found).max() < 3


def test_nobody_gives_zeros():
    xy, confidence = clip()
    assert not clip_features(xy, confidence * 0, 15).any()


def test_a_joint_far_off_is_held_within_bounds():
    xy, confidence = clip()
    xy[7, 5] = 1e7
    assert np.abs(clip_features(xy, confidence, 15)).max() <= 6
