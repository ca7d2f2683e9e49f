"""Joint layouts and conversions between them."""

from dataclasses import replace

import numpy as np
import pytest

from pose.skeleton import (
    COCO_17,
    JHMDB_15,
    KINECT_20,
    LAYOUTS,
    MEDIAPIPE_33,
    MPOSE_13,
    NTU_25,
    OPENPOSE_18,
    OPENPOSE_25,
    Layout,
    convert,
)


def skeletons(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    return skeletons_of(MEDIAPIPE_33, *shape)


def skeletons_of(layout: Layout, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    count = len(layout)
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
    out_xy, out_confidence = convert(xy, np.zeros_like(confidence), MEDIAPIPE_33, MPOSE_13)
    assert not out_confidence.any()
    assert not out_xy.any()


def test_same_layout_is_a_copy():
    xy, confidence = skeletons(2)
    out_xy, out_confidence = convert(xy, confidence, MEDIAPIPE_33, MEDIAPIPE_33)
    np.testing.assert_array_equal(out_xy, xy)
    np.testing.assert_array_equal(out_confidence, confidence)
    assert out_xy is not xy


def test_a_layout_without_the_joints_is_refused():
    xy, confidence = skeletons(1)
    small_xy, small_confidence = convert(xy, confidence, MEDIAPIPE_33, MPOSE_13)
    with pytest.raises(ValueError, match="left_eye_inner"):
        convert(small_xy, small_confidence, MPOSE_13, MEDIAPIPE_33)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_every_layout_is_whole(layout):
    assert len(set(layout.joints)) == len(layout)
    assert len({frozenset(edge) for edge in layout.edges}) == len(layout.edges)
    np.testing.assert_array_equal(layout.mirrored[layout.mirrored], np.arange(len(layout)))
    pairs = {frozenset(edge) for edge in layout.edge_indices}
    assert {frozenset(int(layout.mirrored[joint]) for joint in edge) for edge in pairs} == pairs  # bones mirror too


@pytest.mark.parametrize("layout", [COCO_17, OPENPOSE_18, OPENPOSE_25, NTU_25])
def test_layouts_of_graph_networks_are_trees_towards_the_centre(layout):
    assert len(layout.edges) == len(layout) - 1
    from_centre = replace(layout, bone_root="").parents
    hanging = {(joint, int(parent)) for joint, parent in enumerate(from_centre) if joint != parent}
    assert hanging == set(layout.edge_indices)
    assert from_centre[layout.index(layout.centre)] == layout.index(layout.centre)


def test_bones_of_openpose_begin_at_the_nose_as_in_the_official_code():
    assert OPENPOSE_18.parents.tolist() == [0, 0, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15]
    assert NTU_25.parents[NTU_25.index("shoulder_centre")] == NTU_25.index("shoulder_centre")


def test_joints_stand_where_the_published_layouts_put_them():
    assert [len(layout) for layout in (COCO_17, OPENPOSE_18, OPENPOSE_25, NTU_25)] == [17, 18, 25, 25]
    assert (COCO_17.index("left_wrist"), COCO_17.index("right_ankle")) == (9, 16)
    assert (OPENPOSE_18.index("neck"), OPENPOSE_18.index("left_shoulder"), OPENPOSE_18.index("left_ear")) == (1, 5, 17)
    assert (OPENPOSE_25.index("hip_centre"), OPENPOSE_25.index("left_ankle")) == (8, 14)
    assert (OPENPOSE_25.index("left_big_toe"), OPENPOSE_25.index("right_heel")) == (19, 24)
    assert (NTU_25.index("shoulder_centre"), NTU_25.index("head"), NTU_25.index("left_hip")) == (20, 3, 12)
    assert (NTU_25.index("left_hand_tip"), NTU_25.index("right_thumb")) == (21, 24)
    assert JHMDB_15.joints[:3] == ("neck", "belly", "head")
    for first, part in zip(range(3, 15, 2), ("shoulder", "hip", "elbow", "knee", "wrist", "ankle"), strict=True):
        assert JHMDB_15.joints[first : first + 2] == (f"right_{part}", f"left_{part}")
    parts = ("ear", "mouth", "shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel")
    for first, part in zip(range(7, 33, 2), (*parts, "foot"), strict=True):
        assert MEDIAPIPE_33.joints[first : first + 2] == (f"left_{part}", f"right_{part}")
    eyes = [f"{side}_{part}" for side in ("left", "right") for part in ("eye_inner", "eye", "eye_outer")]
    assert MEDIAPIPE_33.joints[:7] == ("nose", *eyes)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_every_layout_gives_mpose_joints(layout):
    xy, confidence = skeletons_of(layout, 5)
    out_xy, out_confidence = convert(xy, confidence, layout, MPOSE_13)
    assert (out_confidence > 0).all()
    np.testing.assert_array_equal(out_xy[:, MPOSE_13.index("left_knee")], xy[:, layout.index("left_knee")])


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS.values() if layout != MEDIAPIPE_33])
def test_live_poses_give_every_other_layout(layout):
    xy, confidence = skeletons(4)
    out_xy, out_confidence = convert(xy, confidence, MEDIAPIPE_33, layout)
    assert out_xy.shape == (4, len(layout), 2)
    assert (out_confidence > 0).all()


def test_neck_and_hip_centre_are_middles_and_need_both_sides():
    xy, confidence = skeletons(2)
    places = [MEDIAPIPE_33.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
    confidence[1, places[0]] = 0
    out_xy, out_confidence = convert(xy, confidence, MEDIAPIPE_33, OPENPOSE_25)
    neck, hips = OPENPOSE_25.index("neck"), OPENPOSE_25.index("hip_centre")
    np.testing.assert_allclose(out_xy[0, neck], xy[0, places[:2]].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(out_xy[:, hips], xy[:, places[2:]].mean(axis=1), rtol=1e-6)
    assert out_confidence[0, neck] == confidence[0, places[:2]].min()
    assert out_confidence[1, neck] == 0
    np.testing.assert_array_equal(out_xy[1, neck], [0, 0])
    assert out_confidence[1, hips] > 0


def test_spine_and_belly_are_the_middle_of_the_trunk():
    xy, confidence = skeletons(3)
    trunk = [MEDIAPIPE_33.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
    for layout, joint in ((KINECT_20, "spine"), (NTU_25, "spine"), (JHMDB_15, "belly")):
        out_xy, _ = convert(xy, confidence, MEDIAPIPE_33, layout)
        np.testing.assert_allclose(out_xy[:, layout.index(joint)], xy[:, trunk].mean(axis=1), rtol=1e-6)


def test_hands_come_from_the_fingers_else_from_the_wrist():
    xy, confidence = skeletons(3)
    index, pinky, wrist = (MEDIAPIPE_33.index(f"left_{part}") for part in ("index", "pinky", "wrist"))
    confidence[1, index] = 0
    confidence[2, [index, pinky]] = 0
    out_xy, _ = convert(xy, confidence, MEDIAPIPE_33, NTU_25)
    hand, tip = NTU_25.index("left_hand"), NTU_25.index("left_hand_tip")
    np.testing.assert_allclose(out_xy[0, hand], xy[0, [index, pinky]].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(out_xy[0, tip], xy[0, index])
    np.testing.assert_array_equal(out_xy[1, [hand, tip]], [xy[1, pinky], xy[1, wrist]])
    np.testing.assert_array_equal(out_xy[2, [hand, tip]], [xy[2, wrist], xy[2, wrist]])


def test_feet_come_from_the_toes_else_from_the_ankle():
    xy, confidence = skeletons_of(OPENPOSE_25, 2)
    toes = [OPENPOSE_25.index(f"left_{part}") for part in ("big_toe", "small_toe")]
    confidence[1, toes] = 0
    out_xy, _ = convert(xy, confidence, OPENPOSE_25, KINECT_20)
    foot = KINECT_20.index("left_foot")
    np.testing.assert_allclose(out_xy[0, foot], xy[0, toes].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(out_xy[1, foot], xy[1, OPENPOSE_25.index("left_ankle")])


def test_skeletons_in_space_are_converted_too():
    xyz = np.random.default_rng(0).normal(size=(6, 25, 3)).astype(np.float32)
    out, _ = convert(xyz, np.ones((6, 25), np.float32), NTU_25, COCO_17)
    assert out.shape == (6, 17, 3)
    np.testing.assert_array_equal(out[:, COCO_17.index("nose")], xyz[:, NTU_25.index("head")])
