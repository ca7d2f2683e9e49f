"""Projections of 3D recordings to camera views."""

from dataclasses import replace

import numpy as np
import pytest

from pose.skeleton import KINECT_20
from recognizer.datasets import nw_ucla
from recognizer.datasets.sequences import ActionSequence, Skeleton
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.views import body_centre, own_view, project, view

ORIGIN = np.zeros(3)


def points(*xyz):
    return np.array([[xyz]], dtype=np.float32).reshape(1, -1, 3)


def recording(joints, seen=None, others=()):
    joints = np.asarray(joints, dtype=np.float32)
    seen = np.ones(joints.shape[:2], dtype=bool) if seen is None else seen
    return ActionSequence("set", "a", "walk", joints, seen, KINECT_20, 15.0, 1, False, others)


def person(frames=5, seed=0):
    return np.random.default_rng(seed).normal([0.5, 0, 3], 0.3, (frames, 20, 3)).astype(np.float32)


def test_from_the_front_near_things_are_larger():
    flat = project(points((1, 0.5, 0), (1, 0.5, 1), (1, 0.5, -1)), ORIGIN, distance_m=2)
    np.testing.assert_allclose(flat[0], [[1, 0.5], [2 / 3, 1 / 3], [2, 1]], rtol=1e-6)


def test_a_quarter_turn_to_the_right_shows_the_side():
    # The camera goes to the person's side on the picture's right: what was near is now left, the right is near.
    flat = project(points((0, 0, -1), (1, 0, 0)), ORIGIN, yaw_deg=90, distance_m=1e6)
    np.testing.assert_allclose(flat[0], [[-1, 0], [0, 0]], atol=1e-5)
    near = project(points((1, -1, 0)), ORIGIN, yaw_deg=90, distance_m=2)
    np.testing.assert_allclose(near[0, 0], [0, -2], atol=1e-5)


def test_from_above_what_is_behind_stands_higher_in_the_picture():
    flat = project(points((0, 0, 1), (0, 0, -1), (0, -1, 0)), ORIGIN, pitch_deg=30, distance_m=1e6)
    np.testing.assert_allclose(flat[0, :, 1], [-0.5, 0.5, -np.cos(np.radians(30))], atol=1e-5)


def test_a_whole_turn_is_no_turn():
    joints = person()
    np.testing.assert_allclose(
        project(joints, joints.mean((0, 1)), yaw_deg=360), project(joints, joints.mean((0, 1))), atol=1e-5
    )


def test_the_pivot_stays_in_the_middle_from_every_side():
    pivot = np.array([0.4, -0.2, 3.0])
    for yaw in (0, 40, -75, 180):
        np.testing.assert_allclose(project(points(pivot), pivot, yaw, 20), 0, atol=1e-6)


def test_what_comes_too_near_stays_finite():
    flat = project(points((1, 1, -2), (1, 1, -5)), ORIGIN, distance_m=2)
    np.testing.assert_allclose(flat, 10, rtol=1e-6)


def test_a_view_keeps_everything_but_the_depth():
    before = recording(person())
    after = view(before, yaw_deg=30)
    assert after.joints.shape == (5, 20, 2)
    assert after.joints.dtype == np.float32
    for field in ("dataset", "name", "action", "layout", "fps", "subject", "test"):
        assert getattr(after, field) == getattr(before, field)
    hips = [KINECT_20.index(f"{side}_hip") for side in ("left", "right")]
    assert np.abs(after.joints[:, hips].mean(axis=(0, 1))).max() < 0.1


def test_a_view_is_of_the_first_person_and_the_absent_stay_absent():
    joints, seen = person(), np.ones((5, 20), dtype=bool)
    joints[3], seen[3] = 0, False
    before = recording(joints, seen, others=(Skeleton(person(seed=1), np.ones_like(seen)),))
    for after in (view(before), own_view(before)):
        assert not after.others
        assert not after.joints[3].any()
        assert after.joints[2].all()
        np.testing.assert_array_equal(after.seen, seen)


def test_the_own_view_divides_by_the_depth():
    joints = person()
    before = recording(joints)
    depth = body_centre(joints, before.seen, KINECT_20)[2]
    np.testing.assert_allclose(own_view(before).joints, depth * joints[..., :2] / joints[..., 2:], rtol=1e-5)


def test_nobody_seen_is_no_crash():
    nobody = recording(np.zeros((5, 20, 3)), np.zeros((5, 20), dtype=bool))
    assert not view(nobody, yaw_deg=50).joints.any()
    assert not own_view(nobody).joints.any()


def test_flat_recordings_are_refused():
    flat = replace(recording(person()), joints=person()[..., :2])
    for camera in (view, own_view):
        with pytest.raises(ValueError, match="set/a is flat already"):
            camera(flat)


def test_real_people_stand_upright_in_their_own_view(real_data):
    for number, before in enumerate(action_sequences(nw_ucla.read(real_data / nw_ucla.NAME))):
        if before.action != "walk":
            continue
        after = own_view(before)
        assert np.isfinite(after.joints).all()
        head, foot = (np.median(after.joints[:, KINECT_20.index(j), 1]) for j in ("head", "left_foot"))
        assert 0.8 < foot - head < 2.2  # metres
        if number > 600:
            break
