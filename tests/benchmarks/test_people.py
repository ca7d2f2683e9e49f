"""The measures of people in scenes, against examples worked out by hand."""

import importlib.util
import math
from itertools import pairwise

import cv2
import numpy as np
import pytest

if importlib.util.find_spec("motmetrics") is None:
    pytest.skip("needs the extra `research`", allow_module_level=True)

from benchmarks.people.empty import rooms
from benchmarks.people.measures import Matching, evaluate_scene, hota, oks, pck
from benchmarks.people.one_person import Comparison
from benchmarks.people.scenes import Scene
from benchmarks.people.steadiness import lag_frames, moved, shifts
from pose.estimators import BLAZEPOSE, MEDIAPIPE
from pose.one_euro import body_size_px
from pose.skeleton import MEDIAPIPE_33, MPOSE_13, convert
from pose.types import Pose


def frame(truth, found, similarity):
    return Matching(list(truth), list(found), np.array(similarity, float).reshape(len(truth), len(found)))


def test_hota_of_an_identity_that_changes_half_way():
    """Every hit has two of the person's four frames: A = 2 / 4, D = 1."""
    made = hota([frame([0], [7], [1]), frame([0], [7], [1]), frame([0], [8], [1]), frame([0], [8], [1])])
    assert (made.detection, made.association) == pytest.approx((1, 0.5))
    assert made.hota == pytest.approx(math.sqrt(0.5))


def test_hota_of_a_miss_and_a_false_person():
    """Three hits, one miss, one false: D = 3 / 5; each hit's identity has three of four frames: A = 3 / 4."""
    made = hota([*[frame([0], [7], [1])] * 3, frame([0], [9], [0])])
    assert (made.detection, made.association) == pytest.approx((0.6, 0.75))
    assert made.hota == pytest.approx(math.sqrt(0.6 * 0.75))


def test_hota_counts_the_thresholds_that_a_likeness_reaches():
    """.62 reaches .05, .10, ..., .60: twelve of nineteen."""
    assert hota([frame([0], [0], [0.62])] * 5).hota == pytest.approx(12 / 19)


def test_hota_prefers_the_identity_that_fits_the_whole_scene():
    """In the last frame two skeletons are equally near; the one followed so far is the hit, up to .90 of .95.

    There D = 4 / 5 and A = 1; at .95 three hits of four and five are left: D = 3 / 6, A = 3 / 5.
    """
    made = hota([*[frame([0], [7], [1])] * 3, frame([0], [8, 7], [0.9, 0.9])])
    assert made.detection == pytest.approx((18 * 0.8 + 0.5) / 19)
    assert made.association == pytest.approx((18 * 1 + 0.6) / 19)


def test_hota_without_anybody():
    assert hota([frame([], [], [])] * 3).hota == 1
    assert hota([frame([0], [], [])] * 3).hota == 0


def upright():
    joints = np.zeros((33, 2), np.float32)
    places = {"shoulder": (20, 60), "elbow": (25, 90), "wrist": (25, 120), "hip": (12, 120), "knee": (12, 170)}
    places["ankle"] = (12, 220)
    for index, joint in enumerate(MEDIAPIPE_33.joints):
        side, _, part = joint.partition("_")
        x, y = places.get(part, (0, 30))
        joints[index] = (100 + (x if side == "left" else -x), y)
    return joints


def mpose(joints):
    return convert(joints, np.ones(33, np.float32), MEDIAPIPE_33, MPOSE_13)[0]


def test_oks_and_pck_of_a_shift():
    true = mpose(upright())
    assert oks(true, true) == 1
    assert pck(true, true) == 1
    elbow = true.copy()
    elbow[MPOSE_13.index("left_elbow"), 0] += 20  # a third of the trunk's 60
    assert pck(true, elbow) == pytest.approx(12 / 13)
    area = 0.53 * np.prod(np.ptp(true, axis=0))
    assert oks(true, elbow) == pytest.approx((12 + math.exp(-400 / (2 * area * (2 * 0.072) ** 2))) / 13)


def test_a_scene_with_a_person_found_and_a_skeleton_that_is_nobodys():
    joints = upright()
    scene = Scene("s", [np.zeros((4, 4, 3), np.uint8)] * 2, [{0: mpose(joints)}, {0: mpose(joints)}])
    pose = Pose(joints, np.ones(33, np.float32), MEDIAPIPE_33, 0.0)
    far = Pose(joints + np.float32(500), np.ones(33, np.float32), MEDIAPIPE_33, 0.0, person=1)
    made = evaluate_scene(scene, [(pose,), (pose, far)])
    assert made.false_frames == 1
    assert made.oks == [1, 1]
    assert made.pck == [1, 1]
    assert hota(made.frames).detection == pytest.approx(2 / 3)


def test_lag_is_the_delay_with_which_a_moved_picture_is_followed():
    numbers = np.arange(30.0, 120.0)
    for delay in (0.0, 0.6, 3.0):
        assert lag_frames(200 + shifts(numbers - delay, 640), 30, 640) == pytest.approx(delay, abs=0.03)


def test_a_moved_picture_shows_its_points_where_the_shifts_say():
    picture = np.zeros((48, 320, 3), np.uint8)
    picture[:, 158:162] = 255
    for number, made in enumerate(moved(picture, 20)):
        seen = float((made[24, :, 0] * np.arange(320.0)).sum() / made[24, :, 0].sum())
        assert seen == pytest.approx(159.5 + shifts(np.array([float(number)]), 320)[0], abs=0.1)


def test_two_estimators_of_one_person_are_compared_where_both_have_a_pose():
    joints = upright()
    theirs = Pose(joints, np.full(33, 0.9, np.float32), MEDIAPIPE_33, 0.0)
    theirs.confidence[MEDIAPIPE_33.index("left_wrist")] = 0.2  # not seen, so not compared
    moved_joints = joints + np.array([3, 4], np.float32)
    moved_joints[MEDIAPIPE_33.index("left_wrist")] += 500
    ours = Pose(moved_joints, np.full(33, 0.8, np.float32), MEDIAPIPE_33, 0.0)
    made = Comparison()
    made.add({MEDIAPIPE: (theirs,), BLAZEPOSE: (ours,)})
    made.add({MEDIAPIPE: (theirs,), BLAZEPOSE: ()})
    size = body_size_px(theirs.xy_px, theirs.confidence)
    np.testing.assert_allclose(made.gaps, 5 / size, rtol=1e-4)
    assert len(made.gaps) == 12
    made.took_ms = {MEDIAPIPE: [30.0, 32.0], BLAZEPOSE: [20.0, 20.0]}
    distance = f"{5 / size:.3f}"
    confidence = f"{(12 * 0.1 + 0.6) / 13:.3f}"
    assert made.row("v") == f"| v | 2 | {distance} / {distance} | {confidence} | 0 / 1 | 31 / 20 |"


def test_empty_rooms_change():
    pictures = list(rooms("tune", 61, 0.4))
    assert all(picture.shape == (480, 640, 3) for picture in pictures)
    within = [float(np.abs(b.astype(float) - a).mean()) for a, b in pairwise(pictures[30:60])]
    assert max(within) > 0.5  # light, shadows or noise
    for first in (30, 60):
        smooth = [cv2.blur(picture, (9, 9)).astype(float) for picture in pictures[first - 1 : first + 1]]
        assert float(np.abs(smooth[0] - smooth[1]).mean()) > 5  # another room
