"""OpenPose tables of UTD-MHAD's videos."""

import numpy as np
import pytest

from pose.skeleton import OPENPOSE_18
from recognizer.datasets import utd_openpose
from recognizer.datasets.errors import DataError


def write(folder, name, joints):
    folder.mkdir(exist_ok=True)
    np.savetxt(folder / f"{name}_color.avi.csv", joints.reshape(len(joints), -1), delimiter=",")


def test_both_folders_are_read_and_joints_on_the_neck_are_missing(tmp_path):
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(40, 18, 2))
    neck, wrist = OPENPOSE_18.index("neck"), OPENPOSE_18.index("right_wrist")
    joints[:, neck] = 0
    joints[5, wrist] = 0
    write(tmp_path / "posesSubject1", "a24_s1_t1", joints)
    write(tmp_path / "poseCSVs", "a1_s2_t3", joints)
    second, first = utd_openpose.read(tmp_path)
    assert (first.name, first.action, first.subject, first.test) == ("a24_s1_t1", "sit_to_stand", 1, False)
    assert (second.name, second.action, second.subject, second.test) == ("a1_s2_t3", "swipe_left", 2, True)
    np.testing.assert_allclose(first.joints, joints, rtol=1e-6)
    assert first.seen[:, neck].all()
    assert np.argwhere(~first.seen).tolist() == [[5, wrist]]


def test_tables_of_another_width_or_with_nan_are_problems(tmp_path):
    write(tmp_path / "poseCSVs", "a1_s2_t1", np.ones((40, 17, 2)))
    bad = np.ones((40, 18, 2))
    bad[3, 3] = np.nan
    write(tmp_path / "poseCSVs", "a1_s2_t2", bad)
    narrow, not_numbers = utd_openpose.read(tmp_path)
    assert "a1_s2_t1_color.avi.csv: rows of 34 numbers, not 36" in str(narrow)
    assert "a1_s2_t2_color.avi.csv: joints that are not numbers" in str(not_numbers)


def test_no_table_is_one_line(tmp_path):
    with pytest.raises(DataError, match="folder that holds the data sets"):
        list(utd_openpose.read(tmp_path))


def test_the_real_tables(real_data):
    recordings = list(utd_openpose.read(real_data / utd_openpose.NAME))
    assert len(recordings) == 195
    assert sum(r.test for r in recordings) == 96
    ankle, nose = OPENPOSE_18.index("left_ankle"), OPENPOSE_18.index("nose")
    upright = [np.median(r.joints[:, ankle, 1]) > np.median(r.joints[:, nose, 1]) for r in recordings]
    assert np.mean(upright) > 0.95


def test_tables_with_semicolons_and_decimal_commas(tmp_path):
    joints = np.random.default_rng(0).normal(size=(40, 18, 2)).round(4)
    write(tmp_path / "poseCSVs", "a1_s2_t3", joints)
    path = tmp_path / "poseCSVs" / "a1_s2_t3_color.avi.csv"
    path.write_text(path.read_text().replace(",", ";").replace(".", ","), encoding="utf-8-sig")
    (tmp_path / "poseCSVs" / "._a1_s2_t3_color.avi.csv").write_bytes(b"\0\5\x16\7")  # macOS's
    (recording,) = utd_openpose.read(tmp_path)
    np.testing.assert_allclose(recording.joints, joints, rtol=1e-5)
