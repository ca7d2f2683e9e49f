"""Augmentations: what each changes, and what it leaves."""

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from research.whole_clip import transforms

N, T = 64, 20


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def flat(rng):
    return rng.normal(size=(N, T, 13, 2)).astype(np.float32)


@pytest.fixture
def deep(rng):
    return rng.normal(size=(N, T, 20, 3)).astype(np.float32)


@pytest.fixture
def seen(rng):
    return rng.random((N, T, 13)) < 0.8


def lengths(x):
    """Distances between all joints of a pose."""
    return np.linalg.norm(x[:, :, :, None] - x[:, :, None], axis=-1)


def test_the_mirror_exchanges_sides_and_is_its_own_inverse(flat, seen):
    x, s = transforms.mirror(flat, seen, MPOSE_13)
    left, right = MPOSE_13.index("left_wrist"), MPOSE_13.index("right_wrist")
    np.testing.assert_array_equal(x[:, :, left, 0], -flat[:, :, right, 0])
    np.testing.assert_array_equal(x[:, :, left, 1], flat[:, :, right, 1])
    np.testing.assert_array_equal(s[:, :, left], seen[:, :, right])
    again, seen_again = transforms.mirror(x, s, MPOSE_13)
    np.testing.assert_array_equal(again, flat)
    np.testing.assert_array_equal(seen_again, seen)


@pytest.mark.parametrize("swap", [True, False])
def test_half_of_the_clips_are_flipped_whole(flat, seen, rng, swap):
    x, s = transforms.random_flip(flat, seen, MPOSE_13, rng, swap=swap)
    other = transforms.mirror(flat, seen, MPOSE_13) if swap else (transforms.negate_x(flat), seen)
    same = (x == flat).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(x[~same], other[0][~same])
    np.testing.assert_array_equal(s[~same], other[1][~same])
    assert N // 4 < same.sum() < 3 * N // 4


def test_noise_has_the_deviation_asked_for(flat, rng):
    difference = transforms.gaussian_noise(flat, rng, 0.03) - flat
    assert difference.std() == pytest.approx(0.03, rel=0.05)
    assert difference.mean() == pytest.approx(0, abs=0.002)


def test_random_move_is_a_similarity_that_moves_evenly(flat, rng):
    moved = transforms.random_move(flat, rng)
    ratio = lengths(moved)[:, :, 0, 1] / lengths(flat)[:, :, 0, 1]  # of one bone: the scale of each frame
    assert ratio.min() >= 0.9 - 1e-4
    assert ratio.max() <= 1.1 + 1e-4
    np.testing.assert_allclose(np.diff(ratio, n=2, axis=1), 0, atol=1e-4)
    assert ratio[:, 0].std() > 0.03
    still = transforms.random_move(flat, rng, angles_deg=(0,), scales=(1.0,), shifts=(-0.2, 0.2))
    way = (still - flat)[:, :, 0]
    np.testing.assert_allclose(np.diff(way, n=2, axis=1), 0, atol=1e-5)
    assert {round(float(value), 3) for value in way[:, 0].flat} == {-0.2, 0.2}


def test_random_move_turns_by_the_angle_asked_for(rng):
    x = np.tile(np.array([1.0, 0.0], np.float32), (4, 5, 2, 1))
    turned = transforms.random_move(x, rng, angles_deg=(10,), scales=(1.0,), shifts=(0,))
    np.testing.assert_allclose(
        turned, np.tile([np.cos(np.radians(10)), np.sin(np.radians(10))], (4, 5, 2, 1)), atol=1e-6
    )


def test_random_choose_takes_consecutive_frames(seen, rng):
    x = np.broadcast_to(np.arange(T, dtype=np.float32)[:, None, None], (N, T, 13, 2))
    chosen, seen_chosen = transforms.random_choose(x, seen, 8, rng)
    assert chosen.shape == (N, 8, 13, 2)
    np.testing.assert_array_equal(np.diff(chosen, axis=1), 1)
    starts = chosen[:, 0, 0, 0].astype(int)
    assert set(starts) == set(range(T - 8 + 1))
    np.testing.assert_array_equal(seen_chosen[5], seen[5, starts[5] : starts[5] + 8])
    with pytest.raises(ValueError, match="30 frames of 20"):
        transforms.random_choose(x, seen, 30, rng)


def test_random_places_are_in_order_and_from_all_over_the_clip(rng):
    positions = transforms.random_positions(500, 64, 30, rng)
    assert positions.shape == (500, 30)
    assert np.diff(positions, axis=1).min() >= 0
    assert positions.min() >= 0
    assert positions.max() <= 63
    np.testing.assert_allclose([positions.mean(), positions.std()], [31.5, 63 / 12**0.5], atol=0.5)  # uniform


def test_zoom_takes_one_factor_for_a_clip(deep, rng):
    factor = transforms.zoom(deep, rng, 0.5) / deep
    np.testing.assert_allclose(np.ptp(factor.reshape(len(deep), -1), axis=1), 0, atol=1e-4)
    assert 0.5 <= factor.min() < 0.7
    assert 1.3 < factor.max() <= 1.5


@pytest.mark.parametrize("shape", ["flat", "deep"])
def test_shear_is_linear_with_a_bounded_map_of_ones_on_the_diagonal(shape, request, rng):
    x = request.getfixturevalue(shape)
    out = transforms.shear(x, rng, 0.3)
    for clip in (0, 1):
        points, sheared = x[clip].reshape(-1, x.shape[-1]), out[clip].reshape(-1, x.shape[-1])
        found = np.linalg.lstsq(points, sheared, rcond=None)[0].T
        np.testing.assert_allclose(points @ found.T, sheared, atol=1e-4)
        np.testing.assert_allclose(np.diag(found), 1, atol=1e-4)
        assert np.abs(found - np.diag(np.diag(found))).max() <= 0.3
    assert np.abs(out - x).max() > 0.1


def test_resampling_is_linear_and_holds_the_ends(seen):
    x = np.broadcast_to(np.arange(T, dtype=np.float32)[:, None, None], (N, T, 13, 2))
    positions = np.tile([-3.0, 0.0, 4.25, 18.75, 40.0], (N, 1))
    out, there = transforms.resample(x, seen, positions)
    np.testing.assert_allclose(out[0, :, 0, 0], [0, 0, 4.25, 18.75, T - 1])
    np.testing.assert_array_equal(there[:, 2], seen[:, 4])
    np.testing.assert_array_equal(there[:, 3], seen[:, 19])
    one, _ = transforms.resample(x[:, :1], seen[:, :1], positions)
    np.testing.assert_array_equal(one, 0)


def test_a_joint_stays_where_it_was_seen_while_it_comes_and_goes():
    x = np.array([0, 4, 6, 0], np.float32)[None, :, None, None]  # not seen in the first and the last frame
    seen = np.array([0, 1, 1, 0], np.float32)[None, :, None]
    out, there = transforms.resample(x, seen, np.array([[0.0, 0.75, 1.5, 2.25, 3.0]]))
    np.testing.assert_allclose(out[0, 1:4, 0, 0], [4, 5, 6])
    assert there[0, :, 0].tolist() == [0, 1, 1, 1, 0]


def test_whole_places_meet_both_ends():
    np.testing.assert_allclose(transforms.even_positions(3, 64, 30)[2, [0, -1]], [0, 63])


def test_interpolation_stays_in_the_clip_and_has_the_lengths_asked_for(rng):
    positions = transforms.interpolation(500, 64, 30, rng, 0.5, 1.0)
    span = (positions[:, -1] - positions[:, 0]) / 63
    assert positions.min() >= 0
    assert positions.max() <= 63 + 1e-9
    assert span.min() == pytest.approx(0.5, abs=0.02)
    assert span.max() == pytest.approx(1.0, abs=0.02)
    longer = transforms.interpolation(500, 64, 30, rng, 1.1, 1.1)
    assert longer[:, 0].min() == pytest.approx(-6.3, abs=0.2)
    assert longer[:, -1].max() == pytest.approx(69.3, abs=0.2)


def test_a_warped_clip_goes_forward_between_the_same_ends(rng):
    even = transforms.even_positions(50, 64, 30)
    positions = transforms.warp(even, rng, 0.5)
    assert (np.diff(positions, axis=1) > 0).all()
    np.testing.assert_allclose(positions[:, [0, -1]], even[:, [0, -1]], atol=1e-9)
    assert np.abs(positions - even).max() > 1


def test_joint_dropout_hides_whole_joints(rng):
    seen = np.ones((N, T, 13), dtype=bool)
    kept = transforms.joint_dropout(seen, rng, 0.2)
    assert (kept.all(axis=1) | ~kept.any(axis=1)).all()
    assert kept[:, 0].mean() == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("shape", ["flat", "deep"])
def test_rotation_keeps_distances_and_differs_from_clip_to_clip(shape, request, rng):
    x = request.getfixturevalue(shape)
    out = transforms.rotate(x, rng, (60, 20, 10))
    np.testing.assert_allclose(lengths(out), lengths(x), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(out, axis=-1), np.linalg.norm(x, axis=-1), atol=1e-4)
    assert np.abs(out - x).max(axis=(1, 2, 3)).std() > 0.05


def test_yaw_turns_about_the_vertical_within_its_limit(rng):
    x = np.zeros((500, 1, 1, 3), np.float32)
    x[..., 0] = 1
    out = transforms.rotate(x, rng, (40, 0, 0))[:, 0, 0]
    np.testing.assert_allclose(out[:, 1], 0, atol=1e-6)
    angle = np.degrees(np.arctan2(out[:, 2], out[:, 0]))
    assert np.abs(angle).max() <= 40
    assert np.abs(angle).max() > 35


def test_scale_treats_axes_apart(deep, rng):
    ratio = transforms.scale(deep, rng, 0.2) / deep
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1, :1], ratio.shape), rtol=1e-3)
    assert 0.8 - 1e-3 <= ratio.min() < 0.85
    assert 1.15 < ratio.max() <= 1.2 + 1e-3


def test_an_axis_along_which_nothing_differs_is_boxed_to_zero():
    still = np.full((2, 5, 13, 3), 7, np.float32)
    still[..., 0] += np.arange(13)
    boxed = transforms.scale_to_box(still, np.ones((2, 5, 13)))
    assert (boxed[..., 1:] == 0).all()
    assert boxed[0, 0, :, 0] == pytest.approx(np.linspace(-1, 1, 13))
    assert (transforms.scale_to_box(still, np.zeros((2, 5, 13))) == 0).all()
