"""Whole clips as arrays."""

from dataclasses import replace

import numpy as np
import pytest

from pose.skeleton import COCO_17, KINECT_20, MEDIAPIPE_33, MPOSE_13, NTU_25
from recognizer.datasets import jhmdb
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence, Skeleton
from recognizer.training.everyday import part_of
from recognizer.training.whole_clips import ClipOptions, whole_clips

PLAIN = ClipOptions(normalise="none")


def recording(name="a", action="walk", frames=20, layout=MPOSE_13, dims=2, test=False, others=(), seed=0, **fields):
    rng = np.random.default_rng(seed)
    joints = np.cumsum(rng.normal(size=(frames, len(layout), dims)), axis=0).astype(np.float32) + 50
    return ActionSequence(
        dataset="set",
        name=name,
        action=action,
        joints=joints,
        seen=np.ones(joints.shape[:2], dtype=bool),
        layout=layout,
        fps=30.0,
        subject=3,
        test=test,
        others=others,
        **fields,
    )


def second():
    other = recording(seed=9)
    return Skeleton(other.joints, other.seen)


def test_shapes_labels_and_splits():
    clips = whole_clips(
        [recording("a", "walk"), recording("b", "run", 7, test=True), replace(recording("c"), subject=None)], 12
    )
    assert clips.x.shape == (3, 12, 13, 2)
    assert clips.x.dtype == np.float32
    assert clips.actions == ("run", "walk")
    assert clips.labels.tolist() == [1, 0, 1]
    assert clips.train.tolist() == [True, False, True]
    assert clips.test.tolist() == [False, True, False]
    assert clips.subjects.tolist() == [3, 3, -1]
    assert len(clips) == 3
    assert clips.layout == MPOSE_13


def test_time_is_resampled_linearly_and_the_ends_are_kept():
    one = recording(frames=20)
    x = whole_clips([one], 7, PLAIN).x[0]
    np.testing.assert_array_equal(x[[0, -1]], one.joints[[0, -1]])
    place = np.linspace(0, 19, 7)
    for joint in range(13):
        for axis in range(2):
            expected = np.interp(place, np.arange(20), one.joints[:, joint, axis])
            np.testing.assert_allclose(x[:, joint, axis], expected, rtol=1e-5)
    np.testing.assert_array_equal(whole_clips([one], 20, PLAIN).x[0], one.joints)
    np.testing.assert_array_equal(whole_clips([one], 1, PLAIN).x[0], one.joints[:1])


def test_a_joint_that_is_away_for_a_while_is_never_dragged_to_the_origin():
    one = recording(frames=10)
    one.joints[4:6, 3], one.seen[4:6, 3] = 0, False
    x = whole_clips([one], 37, PLAIN).x[0]
    gone = ~x[:, 3].any(axis=-1)
    assert gone[17] and gone[19]  # noqa: PT018
    assert not gone[[0, 10, 26, 36]].any()
    low, high = one.joints[:, 3][one.seen[:, 3]].min(axis=0), one.joints[:, 3][one.seen[:, 3]].max(axis=0)
    assert (x[~gone, 3] >= low - 1e-3).all()
    assert (x[~gone, 3] <= high + 1e-3).all()


def test_places_that_a_reader_filled_in_are_used():
    one = recording()
    one.seen[:, 5] = False
    np.testing.assert_array_equal(whole_clips([one], 20, PLAIN).x[0], one.joints)


def hips_and_torso(one):
    hips = one.joints[:, [7, 8]].mean(axis=1)
    return hips, np.median(np.linalg.norm(one.joints[:, [1, 2]].mean(axis=1) - hips, axis=-1))


def test_normalised_by_frame_or_by_the_first_frame():
    one = recording(frames=15)
    hips, torso = hips_and_torso(one)
    by_frame = whole_clips([one], 15, ClipOptions(normalise="frame")).x[0]
    by_first = whole_clips([one], 15, ClipOptions(normalise="first")).x[0]
    extent = np.ptp(one.joints, axis=(0, 1)).max()
    scale = max(torso, 0.2 * extent)
    np.testing.assert_allclose(by_frame, (one.joints - hips[:, None]) / scale, atol=1e-4)
    np.testing.assert_allclose(by_first, (one.joints - hips[0]) / scale, atol=1e-4)


def test_size_and_place_of_the_person_do_not_matter():
    one = recording()
    moved = replace(one, joints=one.joints * 7 - 300)
    clips = whole_clips([one, moved], 30)
    np.testing.assert_allclose(clips.x[0], clips.x[1], atol=2e-4)


def test_the_origin_of_a_frame_without_hips_is_the_one_before():
    one = recording(frames=6)
    for frame in (0, 3):
        one.joints[frame, [7, 8]], one.seen[frame, [7, 8]] = 0, False
    hips, _ = hips_and_torso(one)
    x = whole_clips([one], 6).x[0]
    head = x[:, 0] * np.ptp(one.joints[1, [0, 1]], axis=0)[0] / np.ptp(x[1, [0, 1]], axis=0)[0]
    expected = one.joints[:, 0] - hips[[1, 1, 2, 2, 4, 5]]
    np.testing.assert_allclose(head, expected, rtol=1e-3, atol=1e-3)


def test_a_person_of_no_size_is_no_crash():
    one = recording()
    for joints, seen in ((np.zeros_like(one.joints), np.zeros_like(one.seen)), (np.ones_like(one.joints), one.seen)):
        clips = whole_clips([replace(one, joints=joints, seen=seen)], 10)
        assert np.isfinite(clips.x).all()
        assert not clips.x.any()


def test_channels_come_in_order():
    one = recording(frames=10, layout=COCO_17, score=np.full((10, 17), 0.25, np.float32))
    x = whole_clips([one], 10, ClipOptions(normalise="none", score=True, seen=True)).x[0]
    assert x.shape == (10, 17, 4)
    np.testing.assert_array_equal(x[..., :2], one.joints)
    np.testing.assert_array_equal(x[..., 2], 0.25)
    np.testing.assert_array_equal(x[..., 3], 1)


def test_channels_of_a_missing_joint_are_zero():
    one = recording(frames=10)
    one.joints[5, 3], one.seen[5, 3] = 0, False
    x = whole_clips([one], 10, ClipOptions(score=True, seen=True)).x[0]
    assert not x[5, 3].any()
    assert x[6, 3].any()


def test_clips_are_of_the_first_person():
    pair, alone = whole_clips([recording(others=(second(),)), recording("b")], 20).x
    np.testing.assert_array_equal(pair, alone)


def test_another_layout():
    live = recording(layout=MEDIAPIPE_33)
    clips = whole_clips([live], 20, ClipOptions(layout=MPOSE_13, normalise="none"))
    assert clips.layout == MPOSE_13
    assert clips.x.shape == (1, 20, 13, 2)
    np.testing.assert_array_equal(
        clips.x[0, :, MPOSE_13.index("left_knee")], live.joints[:, MEDIAPIPE_33.index("left_knee")]
    )
    deep = whole_clips([recording(layout=NTU_25, dims=3)], 5, ClipOptions(layout=COCO_17, score=True))
    assert deep.x.shape == (1, 5, 17, 4)
    np.testing.assert_array_equal(deep.x[..., 3], 1)


def test_recordings_that_do_not_fit_are_one_line():
    flat, deep = recording(), recording("b", dims=3)
    for others, word in (([deep], "2D"), ([recording("c", layout=KINECT_20)], "kinect-20")):
        with pytest.raises(DataError, match=word):
            whole_clips([flat, *others])
    with pytest.raises(DataError, match="no recordings"):
        whole_clips([])
    with pytest.raises(DataError, match="set/a shows walk, which is not listed"):
        whole_clips([flat], actions=["run"])
    assert whole_clips([flat], actions=["run", "walk"]).labels.tolist() == [1]
    with pytest.raises(ValueError, match="unknown normalise 'torso'"):
        whole_clips([flat], options=ClipOptions(normalise="torso"))


def test_all_three_real_splits_of_jhmdb(real_data):
    everything, tests = [], []
    for split in jhmdb.SPLITS:
        recordings = list(jhmdb.read(real_data / jhmdb.NAME, split))
        clips = whole_clips(recordings, 30)
        assert len(clips) == 609
        assert len(clips.actions) == 14
        assert clips.train.sum() > 2 * clips.test.sum()
        assert np.isfinite(clips.x).all()
        content = [recording.joints.tobytes() for recording in recordings]
        everything.append(sorted(content))
        tests.append({joints for joints, recording in zip(content, recordings, strict=True) if recording.test})
        assert not tests[-1] & {
            joints for joints, recording in zip(content, recordings, strict=True) if not recording.test
        }
    assert everything[0] == everything[1] == everything[2]
    assert len({frozenset(clips) for clips in tests}) == 3


def test_jhmdb_is_validated_on_what_the_next_split_tests(real_data):
    """The official splits keep the clips of a source video together."""
    first, second = (list(jhmdb.read(real_data / jhmdb.NAME, split)) for split in (1, 2))
    tested = {recording.joints.tobytes() for recording in second if recording.test}
    for recording in first:
        part = "test" if recording.test else "validation" if recording.joints.tobytes() in tested else "train"
        assert part_of(recording) == part
    assert sum(part_of(recording) == "validation" for recording in first) == 112
