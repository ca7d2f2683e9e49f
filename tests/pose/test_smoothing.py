"""The One-Euro filter over joints."""

import numpy as np
import pytest

from pose.one_euro import OneEuroFilter, OneEuroSettings, PoseSmoother, body_size_px
from pose.skeleton import MPOSE_13
from pose.types import Pose

SIZE = 300.0


def smooth(joints: np.ndarray, fps: float, size: float = SIZE, settings: OneEuroSettings | None = None) -> np.ndarray:
    """joints: (T, V, 2)."""
    one_euro = OneEuroFilter(settings)
    return np.array([one_euro(xy, size, i / fps) for i, xy in enumerate(joints.astype(np.float32))])


def noise(frames: int, sigma: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, sigma, (frames, 5, 2)) + 200


def test_first_values_pass_and_a_still_joint_stays():
    still = np.full((30, 4, 2), 100.0)
    np.testing.assert_array_equal(smooth(still, 30), still)


def test_jitter_of_a_resting_person_falls():
    rough = noise(300, 0.7)
    calm = smooth(rough, 30)
    steps = [np.abs(np.diff(x[30:], axis=0)).mean() for x in (rough, calm)]
    assert steps[1] < 0.35 * steps[0]


def test_fast_motion_lags_less_than_a_frame():
    t = np.arange(60)[:, None, None] / 30
    line = np.broadcast_to(600.0 * t, (60, 3, 2))  # two body sizes a second
    behind = (line - smooth(line, 30))[30:] / (600 / 30)  # in frames
    assert behind.min() >= 0
    assert behind.max() < 1


def test_joints_are_smoothed_each_by_its_own_speed():
    joints = noise(120, 0.5)
    joints[:, 0] += 20 * np.arange(120)[:, None]
    alone = smooth(joints[:, 1:], 30)
    np.testing.assert_allclose(smooth(joints, 30)[:, 1:], alone, rtol=1e-6)


def test_near_and_far_people_are_smoothed_alike():
    joints = noise(90, 3.0)
    near = smooth(joints, 30, size=300.0)
    far = smooth(joints / 10, 30, size=30.0)
    np.testing.assert_allclose(near, 10 * far, rtol=1e-4)


@pytest.mark.parametrize("fps", [15, 60])
def test_time_and_not_the_frame_count_decides(fps):
    """The same motion at other camera rates is smoothed to nearly the same course."""

    def course(rate: float) -> np.ndarray:
        t = np.arange(0, 3, 1 / rate)
        swing = 100 + 60 * np.sin(2 * np.pi * 0.7 * t)
        return smooth(np.broadcast_to(swing[:, None, None], (len(t), 1, 2)), rate)[:, 0, 0]

    reference = course(30)
    other = np.interp(np.arange(0, 2.9, 1 / 30), np.arange(0, 3, 1 / fps), course(fps))
    assert np.abs(other - reference[: len(other)])[10:].max() < 4  # of a swing of 120 pixels


def test_a_long_gap_starts_anew():
    one_euro = OneEuroFilter()
    here, there = np.zeros((2, 2), np.float32), np.full((2, 2), 500, np.float32)
    one_euro(here, SIZE, 0.0)
    np.testing.assert_array_equal(one_euro(there, SIZE, 2.0), there)
    one_euro(here, SIZE, 3.0)
    assert (one_euro(there, SIZE, 3.03) < there).all()


def test_a_time_that_steps_back_starts_anew():
    one_euro = OneEuroFilter()
    here, there = np.zeros((2, 2), np.float32), np.full((2, 2), 500, np.float32)
    one_euro(here, SIZE, 5.0)
    np.testing.assert_array_equal(one_euro(there, SIZE, 0.1), there)


def test_the_result_is_no_view_of_the_input():
    one_euro, joints = OneEuroFilter(), np.zeros((2, 2), np.float32)
    out = one_euro(joints, SIZE, 0.0)
    joints += 1
    assert not out.any()


def test_body_size_counts_seen_joints_only():
    xy = np.array([[0, 0], [30, 100], [900, 900]], np.float32)
    assert body_size_px(xy, np.array([1, 0.8, 0.1], np.float32)) == 100
    assert body_size_px(xy, np.array([1, 0, 0], np.float32)) == 0


def pose(x: float, time_s: float, person: int) -> Pose:
    xy = np.stack([np.full(13, x), np.linspace(0, 300, 13)], axis=-1).astype(np.float32)
    return Pose(xy, np.ones(13, np.float32), MPOSE_13, time_s, person)


def test_people_are_smoothed_apart_in_any_order():
    smoother = PoseSmoother()
    for i in range(20):
        both = (pose(100, i / 30, 0), pose(500, i / 30, 3))
        out = smoother(both if i % 2 else both[::-1])
        assert {round(float(p.xy_px[0, 0])): p.person for p in out} == {100: 0, 500: 3}


def test_somebody_who_left_is_forgotten():
    smoother = PoseSmoother()
    smoother((pose(100, 0.0, 0),))
    smoother(())
    (back,) = smoother((pose(400, 0.1, 0),))
    assert back.xy_px[0, 0] == 400
