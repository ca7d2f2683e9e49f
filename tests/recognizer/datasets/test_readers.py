"""Readers of the published layouts, on made-up files and, where they are, on the real ones."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from pose.skeleton import KINECT_20, PENN_13
from recognizer.datasets import jhmdb, kinect, msr_action3d, nw_ucla, penn_action, utd_mhad
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.sequences import ActionSequence
from recognizer.training.everyday import ACTIONS, merge, part_of, read_all

READERS = (penn_action, utd_mhad, nw_ucla, msr_action3d, jhmdb)


def whole(found):
    """What can be used."""
    return [one for one in found if not isinstance(one, DataError)]


def write_penn(folder, x, y, **fields):
    (folder / "labels").mkdir(exist_ok=True)
    content = {"x": x, "y": y, "train": 1, "action": "squat", **fields}
    savemat(folder / "labels" / "0001.mat", content)


def test_penn_sides_are_the_persons_own_and_bytes_do_not_wrap(tmp_path):
    x = np.tile(np.arange(10, 23, dtype=np.uint8) * 10, (5, 1))
    write_penn(tmp_path, x, x)
    (recording,) = penn_action.read(tmp_path)
    # The files' second joint is the viewer's left, the person's right.
    assert recording.joints[0, PENN_13.index("right_shoulder"), 0] == 110
    assert recording.joints[0, PENN_13.index("left_shoulder"), 0] == 120
    assert np.diff(recording.joints[0, :, 0]).min() < 0  # as bytes this would have wrapped


def test_a_penn_joint_never_annotated_gets_the_place_of_its_mirror(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(50, 100, (2, 6, 13))
    x[:, 5] = y[:, 5] = 1
    write_penn(tmp_path, x, y)
    (recording,) = penn_action.read(tmp_path)
    missing, mirror = PENN_13.index("right_wrist"), PENN_13.index("left_wrist")
    assert not recording.seen[:, missing].any()
    assert recording.seen[:, mirror].all()
    np.testing.assert_array_equal(recording.joints[:, missing], recording.joints[:, mirror])


def test_penn_joints_missing_on_both_sides_get_the_place_of_the_next(tmp_path):
    x = np.random.default_rng(0).uniform(50, 100, (2, 6, 13))
    x[:, :, [11, 12]] = 1
    write_penn(tmp_path, *x)
    (recording,) = penn_action.read(tmp_path)
    np.testing.assert_array_equal(
        recording.joints[:, PENN_13.index("left_ankle")], recording.joints[:, PENN_13.index("left_knee")]
    )


@pytest.mark.parametrize(("reader", "count"), [(utd_mhad, 16), (nw_ucla, 8), (msr_action3d, 6)])
def test_kinect_sets_come_in_one_order_and_in_the_pictures_axes(reader, count, tiny_data):
    recordings = whole(reader.read(tiny_data / reader.NAME))
    assert len(recordings) == count
    for recording in recordings:
        joint = {name: recording.joints[0, i] for i, name in enumerate(KINECT_20.joints)}
        assert joint["head"][1] < joint["shoulder_centre"][1] < joint["hip_centre"][1] < joint["left_knee"][1]
        # Facing the camera, the person's left is on the right of an unmirrored picture.
        for part in ("shoulder", "elbow", "wrist", "knee", "ankle"):
            assert joint[f"left_{part}"][0] > joint[f"right_{part}"][0]


def test_actions_have_the_numbers_of_the_sets_own_lists():
    utd = {3: "wave", 4: "clap", 5: "throw", 22: "jog", 23: "walk", 24: "sit_to_stand", 25: "stand_to_sit", 27: "squat"}
    assert {number: utd_mhad.ACTIONS[number - 1] for number in utd} == utd
    msr = {4: "hand_catch", 5: "forward_punch", 6: "high_throw", 13: "bend", 16: "jogging", 20: "pick_up_and_throw"}
    assert {number: msr_action3d.ACTIONS[number - 1] for number in msr} == msr
    assert nw_ucla.ACTIONS == {
        **{1: "pick_up_one_hand", 2: "pick_up_two_hands", 3: "drop_trash", 4: "walk", 5: "sit_down", 6: "stand_up"},
        **{8: "donning", 9: "doffing", 11: "throw", 12: "carry"},
    }


def test_kinect_sets_have_the_rates_that_were_measured():
    assert (utd_mhad.FPS, msr_action3d.FPS, nw_ucla.FPS) == (20.0, 15.0, 15.0)


def test_rows_of_msr_action3d_are_the_joints_of_its_own_order(tmp_path):
    rows = np.ones((2, 20, 4))
    rows[..., 0] = np.arange(20)  # where a joint is says which row it is
    np.savetxt(tmp_path / "a03_s01_e01_skeleton3D.txt", rows.reshape(-1, 4))
    (recording,) = msr_action3d.read(tmp_path)
    row = {joint: round(-float(recording.joints[0, index, 0])) for index, joint in enumerate(KINECT_20.joints)}
    assert row == {
        **{"left_shoulder": 0, "right_shoulder": 1, "shoulder_centre": 2, "spine": 3, "hip_centre": 6, "head": 19},
        **{"left_elbow": 7, "right_elbow": 8, "left_wrist": 9, "right_wrist": 10, "left_hand": 11, "right_hand": 12},
        **{"left_hip": 4, "right_hip": 5, "left_knee": 13, "right_knee": 14, "left_ankle": 15, "right_ankle": 16},
        **{"left_foot": 17, "right_foot": 18},
    }


def test_clips_of_jhmdb_are_cut_where_their_lengths_say(tmp_path):
    joints = np.repeat(np.arange(10, dtype=np.float32), 30).reshape(10, 15, 2)  # of frame 0 all 0, of frame 1 all 1
    for part, lengths in (("train", [2, 5, 3]), ("test", [10])):
        labels = np.array(["wave", "pour", "wave"][: len(lengths)])
        np.savez(tmp_path / f"split1_{part}.npz", joints=joints, lengths=np.array(lengths), labels=labels)
    found = [(recording.action, recording.joints[:, 0, 0].tolist()) for recording in jhmdb.read(tmp_path)]
    assert found == [("wave", [0, 1]), ("pour", [2, 3, 4, 5, 6]), ("wave", [7, 8, 9]), ("wave", list(range(10)))]


def sequence_named(dataset, name, subject, **marks):
    poses = np.ones((3, len(PENN_13), 2), np.float32), np.ones((3, len(PENN_13)), bool)
    return ActionSequence(dataset, name, "wave", *poses, PENN_13, 30.0, subject, False, **marks)


def test_where_a_reader_marks_what_validates_all_else_trains():
    clips = [sequence_named("jhmdb14", f"split1_train_{number:03d}", None) for number in range(60)]
    assert {part_of(clip) for clip in clips} == {"train"}
    assert part_of(sequence_named("jhmdb14", "split1_train_000", None, validation=True)) == "validation"


def test_all_clips_of_a_person_are_in_one_part():
    parts = [{part_of(sequence_named("ntu_rgbd", f"clip{n}", person)) for n in range(12)} for person in range(40)]
    assert all(len(of_person) == 1 for of_person in parts)
    assert {part for of_person in parts for part in of_person} == {"train", "validation"}


def test_splits_follow_the_protocols(tiny_data):
    assert {r.subject % 2 == 0 for r in whole(utd_mhad.read(tiny_data / "utd_mhad")) if r.test} == {True}
    assert {r.subject % 2 == 1 for r in whole(msr_action3d.read(tiny_data / "msr_action3d")) if not r.test} == {True}
    assert {r.name[-3:] for r in whole(nw_ucla.read(tiny_data / "nw_ucla")) if r.test} == {"v03"}
    assert sum(r.test for r in penn_action.read(tiny_data / "penn_action")) == 4
    assert sum(r.test for r in jhmdb.read(tiny_data / "jhmdb14")) == 4


def test_exchanged_names_of_nw_ucla_are_put_right_and_test_clips_that_are_copies_left_out(real_data):
    folder = real_data / "nw_ucla"
    right = {r.name: r for r in whole(nw_ucla.read(folder))}
    published = {r.name: r for r in whole(nw_ucla.read_published(folder))}
    assert len(published) == 1482
    left_out = published.keys() - right.keys()
    assert len(left_out) == 94, "of 95 copies one has a single frame and is left out anyway"
    for name in left_out:
        np.testing.assert_array_equal(published[name].joints, published[f"{name[:-3]}v02"].joints)
        assert published[name].test
    changed = [name for name, r in right.items() if r.action != published[name].action]
    assert len(changed) == 24
    assert not any(right[name].test for name in changed)
    assert {(published[name].action, right[name].action) for name in changed} == {
        *(("sit_down", "stand_up"), ("stand_up", "sit_down"), ("donning", "doffing"), ("doffing", "donning")),
    }
    for name in changed:
        if right[name].action in ("sit_down", "stand_up"):
            hips = right[name].joints[:, KINECT_20.index("hip_centre"), 1]  # y down
            sinks = hips.max() - hips[0] > hips[0] - hips.min()
            assert sinks == (right[name].action == "sit_down"), name


def test_a_test_file_of_nw_ucla_that_repeats_a_training_file_is_left_out(tmp_path):
    poses = np.random.default_rng(0).normal(size=(2, 3, 20, 3)).round(3).tolist()
    for name, pose in {"a02_s01_e00_v02": 0, "a02_s01_e00_v03": 0, "a02_s01_e01_v02": 0, "a02_s01_e01_v03": 1}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"file_name": name, "skeletons": poses[pose]}))
    names = {"a02_s01_e00_v02", "a02_s01_e01_v02", "a02_s01_e01_v03"}
    *found, line = nw_ucla.read(tmp_path)
    assert str(line) == f"{tmp_path}: 1 files of view 3 that repeat those of view 2, left out"
    assert isinstance(line, EmptyFileError)
    assert {r.name for r in found} == names
    assert {r.name for r in nw_ucla.read_published(tmp_path)} == {*names, "a02_s01_e00_v03"}


def test_action_sets_of_msr_action3d_are_eight_actions_each(real_data):
    folder = real_data / "msr_action3d"
    read = {name: whole(msr_action3d.read_subset(folder, name)) for name in msr_action3d.SUBSETS}
    assert {name: len({r.action for r in found}) for name, found in read.items()} == {"as1": 8, "as2": 8, "as3": 8}
    assert {r.action for r in read["as2"]} == {
        *("high_arm_wave", "hand_catch", "draw_x", "draw_tick", "draw_circle", "two_hand_wave"),
        *("forward_kick", "side_boxing"),
    }
    every = {r.name: r for r in whole(msr_action3d.read(folder))}
    assert {r.name for found in read.values() for r in found} == set(every), "no action is in none of them"
    assert all(r.test == every[r.name].test for found in read.values() for r in found)


def test_published_files_with_nobody_in_them_are_one_line_each(tiny_data):
    found = [one for reader in READERS for one in reader.read(tiny_data / reader.NAME)]
    assert [str(one) for one in found if isinstance(one, EmptyFileError)] == [
        f"{tiny_data / 'nw_ucla' / 'a04_s01_e01_v01.json'}: 1 frames, left out",
        f"{tiny_data / 'msr_action3d' / 'a13_s09_e02_skeleton3D.txt'}: somebody in 0 frames, left out",
    ]
    assert len(whole(found)) == len(found) - 2


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_without_the_set_is_one_clear_line(reader, tmp_path):
    with pytest.raises(DataError, match="folder that holds the data sets"):
        list(reader.read(tmp_path))


def test_no_test_person_and_no_test_clip_trains_or_validates(tiny_data):
    recordings = read_all(tiny_data)
    corpus = merge(recordings)
    assert [r.test for r in recordings] == list(corpus.part == "test")
    people = {(r.dataset, r.subject) for r, part in zip(recordings, corpus.part, strict=True) if part == "validation"}
    trainers = {(r.dataset, r.subject) for r, part in zip(recordings, corpus.part, strict=True) if part == "train"}
    assert ("utd_mhad", 7) in people
    assert not {p for p in people if p[1] is not None} & trainers


def test_merged_actions(tiny_data):
    corpus = merge(read_all(tiny_data))
    named = {corpus.kinds[k]: ACTIONS[a] for k, a in zip(corpus.kind, corpus.action, strict=True)}
    assert named["utd_mhad/jog"] == "run"
    assert named["utd_mhad/stand_to_sit"] == "sit_down"
    assert named["msr_action3d/jogging"] == "run"
    assert named["penn_action/bowl"] == named["jhmdb14/pour"] == named["utd_mhad/swipe_left"] == "other"


def test_a_tilted_camera_is_put_upright():
    angle = np.radians(13)
    up = np.array([0, -np.cos(angle), -np.sin(angle)])  # gravity's opposite, seen by a camera that looks down
    np.testing.assert_allclose(kinect.upright(up.astype(np.float32), 13.0), [0, -1, 0], atol=1e-6)


def test_kinect_hips_move_on_along_the_spine():
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(4, 20, 3)).astype(np.float32)
    out = kinect.to_mpose(joints, hip_drop=0.5, hip_width=1.0)
    shoulders, before = joints[:, [4, 8]].mean(axis=1), joints[:, [12, 16]].mean(axis=1)
    after = out[:, 7:9].mean(axis=1)
    np.testing.assert_allclose(after - shoulders, 1.5 * (before - shoulders), atol=1e-5)
    np.testing.assert_array_equal(out[:, 9:], joints[:, [13, 17, 14, 18]])  # knees and ankles stay


@pytest.mark.slow  # what is read of each format, and into which part: all tests above, on tiny sets of the same layout
def test_the_real_sets_have_their_published_counts(real_data):
    recordings = read_all(real_data)
    counts = {reader.NAME: sum(r.dataset == reader.NAME for r in recordings) for reader in READERS}
    assert counts == {"penn_action": 2326, "utd_mhad": 861, "nw_ucla": 1388, "msr_action3d": 566, "jhmdb14": 570}
    assert sum(r.test for r in recordings if r.dataset == "penn_action") == 1068
    waves = [
        r for r in recordings if r.dataset in ("utd_mhad", "msr_action3d") and r.action.endswith(("wave", "catch"))
    ]
    right, left = KINECT_20.index("right_wrist"), KINECT_20.index("left_wrist")
    moved = [np.ptp(r.joints[:, right], axis=0).max() > np.ptp(r.joints[:, left], axis=0).max() for r in waves]
    assert np.mean(moved) > 0.7  # both sets ask for the right arm
