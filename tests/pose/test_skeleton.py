"""Conversions between joint layouts."""

import numpy as np
import pytest

from pose.skeleton import MEDIAPIPE_33, MPOSE_13, convert


def skeletons(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    count = len(MEDIAPIPE_33)
    xy = rng.uniform(0, 640, (*shape, count, 2)).astype(np.float32)
    return xy, rng.uniform(0.1, 1, (*shape, count)).astype(np.float32)


def test_joints_of_equal_name_are_copied_with_their_confidence():
    xy, confidence = skeletons(4, 7)
    out_xy, out_confidence = convert(xy, confidence, MEDIAPIPE_33, MPOSE_13)
    assert out_xy.shape == (4, 7, 13, 2)
    assert out_confidence.shape == (4, 7, 13)
    assert out_xy.dtype == out_confidence.dtype == np.float32
    for joint in MPOSE_13.joints[1:]:
        a, b = MEDIAPIPE_33.index(joint), MPOSE_13.index(joint)
        np.testing.assert_array_equal(out_xy[..., b, :], xy[..., a, :])
        np.testing.assert_array_equal(out_confidence[..., b], confidence[..., a])


def test_head_is_the_middle_of_the_ears_that_were_seen():
    xy, confidence = skeletons(3)
    nose, left, right = (MEDIAPIPE_33.index(name) for name in ("nose", "left_ear", "right_ear"))
    confidence[1, left] = 0
    confidence[2, [left, right]] = 0
    out_xy, out_confidence = convert(xy, confidence, MEDIAPIPE_33, MPOSE_13)
    np.testing.assert_allclose(out_xy[0, 0], (xy[0, left] + xy[0, right]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(out_xy[1, 0], xy[1, right])
    np.testing.assert_array_equal(out_xy[2, 0], xy[2, nose])
    assert out_confidence[0, 0] == max(confidence[0, left], confidence[0, right])
    assert out_confidence[2, 0] == confidence[2, nose]


def test_nothing_seen_gives_zero_confidence():
    xy, confidence = skeletons(2)
    _, out_confidence = convert(xy, np.zeros_like(confidence), MEDIAPIPE_33, MPOSE_13)
    assert not out_confidence.any()


def test_same_layout_is_a_copy():
    xy, confidence = skeletons(2)
    out_xy, out_confidence = convert(xy, confidence, MEDIAPIPE_33, MEDIAPIPE_33)
    np.testing.assert_array_equal(out_xy, xy)
    np.testing.assert_array_equal(out_confidence, confidence)
    assert out_xy is not xy


def test_a_layout_without_the_joints_is_refused():
    xy, confidence = skeletons(1)
    small_xy, small_confidence = convert(xy, confidence, MEDIAPIPE_33, MPOSE_13)
    with pytest.raises(ValueError, match="nose"):
        convert(small_xy, small_confidence, MPOSE_13, MEDIAPIPE_33)
