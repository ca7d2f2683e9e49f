"""MPOSE2021's arrays, against the package's steps written out number by number."""

import numpy as np
import pytest

from pose.skeleton import MPOSE_13
from recognizer.datasets import mpose2021
from recognizer.datasets.errors import DataError

JOINTS = {"openpose": 25, "posenet": 17, "movenet": 17}


def poses(extractor, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(10, 200, (count, 30, JOINTS[extractor], 3))
    x[..., 2] = rng.uniform(0.1, 1, x.shape[:-1])
    x[rng.random(x.shape[:-1]) < 0.2] = 0  # joints that were not found
    return x


def write(folder, extractor, split=1, **arrays):
    place = folder / extractor / str(split)
    place.mkdir(parents=True, exist_ok=True)
    content = {
        **{"X_train": poses(extractor, 5), "y_train": np.array([0, 19, 3, 3, 7])},
        **{"X_test": poses(extractor, 2, seed=1), "y_test": np.array([1, 2])},
        **arrays,
    }
    for name, array in content.items():
        np.save(place / f"{name}.npy", array)
    return content


def mean_of_found(values):
    return [sum(v for v in column if v != 0) / max(sum(v != 0 for v in column), 1) for column in np.asarray(values).T]


def expected_pose(pose, extractor):
    """Joints by name, scaled and centred as the package does it."""
    groups = {
        "posenet": {"head": range(5), **{j: [n] for n, j in enumerate(MPOSE_13.joints[1:], start=5)}},
        "openpose": {
            **{"head": [0, 15, 16, 17, 18], "neck": [1], "middle": [8]},
            **{"right_shoulder": [2], "right_elbow": [3], "right_wrist": [4]},
            **{"left_shoulder": [5], "left_elbow": [6], "left_wrist": [7]},
            **{"right_hip": [9], "right_knee": [10], "right_ankle": [11, 22, 23, 24]},
            **{"left_hip": [12], "left_knee": [13], "left_ankle": [14, 19, 20, 21]},
        },
    }["openpose" if extractor == "openpose" else "posenet"]
    joint = {name: np.array(mean_of_found(pose[list(places)])) for name, places in groups.items()}
    if extractor == "openpose":
        zero, module = joint["neck"], joint["middle"]
    else:
        zero = (joint["left_shoulder"] + joint["right_shoulder"]) / 2
        module = (joint["left_hip"] + joint["right_hip"]) / 2
    scale = max(np.hypot(*(zero - module)[:2]), 1)
    return np.array([[*(joint[name][:2] - zero[:2]) / scale, joint[name][2]] for name in MPOSE_13.joints])


@pytest.mark.parametrize("extractor", JOINTS)
def test_steps_are_those_of_the_package(extractor, tmp_path):
    content = write(tmp_path, extractor)
    split = mpose2021.read(tmp_path, extractor)
    assert split.x_train.shape == (5, 30, 13, 4)
    assert split.x_test.shape == (2, 30, 13, 4)
    assert split.x_train.dtype == np.float32
    np.testing.assert_array_equal(split.y_train, content["y_train"])
    np.testing.assert_array_equal(split.y_test, content["y_test"])
    for x, raw in ((split.x_train, content["X_train"]), (split.x_test, content["X_test"])):
        expected = np.array([[expected_pose(pose, extractor) for pose in clip] for clip in raw])
        np.testing.assert_allclose(x[..., :2], expected[..., :2], rtol=1e-5, atol=1e-5)
        confidence = mpose2021.prepare(raw, extractor, False, True)[..., 2]
        np.testing.assert_allclose(confidence, expected[..., 2], rtol=1e-5)
        moved = np.concatenate([expected[:, :1, :, :2], np.diff(expected[..., :2], axis=1)], axis=1)
        np.testing.assert_allclose(x[..., 2:4], moved, rtol=1e-4, atol=1e-4)


def test_a_torso_below_a_pixel_does_not_blow_up(tmp_path):
    x = np.full((1, 30, 25, 3), 100.0)
    write(tmp_path, "openpose", X_train=x, y_train=np.array([0]))
    assert not mpose2021.read(tmp_path, "openpose").x_train[:, 1:].any()


def test_features_are_those_of_act(tmp_path):
    write(tmp_path, "openpose", split=3)
    split = mpose2021.read(tmp_path, "openpose", split=3)
    features = split.x_train.reshape(len(split.x_train), 30, -1)
    assert features.shape[-1] == 52
    np.testing.assert_array_equal(features[..., 4:8], split.x_train[:, :, 1])  # all channels of a joint together
    assert mpose2021.read(tmp_path, "openpose", split=3, velocities=False).x_train.shape[-1] == 2


def test_actions_and_folds():
    assert len(mpose2021.ACTIONS) == 20
    assert len(set(mpose2021.FOLD_SEEDS)) == 10


def test_clips_as_sequences(tmp_path):
    content = write(tmp_path, "openpose")
    x_train, x_test = (mpose2021.prepare(content[name], "openpose", False, True) for name in ("X_train", "X_test"))
    found = list(mpose2021.DATASET.read(tmp_path))
    assert [(s.name, s.action, s.test) for s in found[4:]] == [
        ("train_00004", "walk", False),
        ("test_00000", "check_watch", True),
        ("test_00001", "cross_arms", True),
    ]
    for sequence, clip in zip(found, [*x_train, *x_test], strict=True):
        np.testing.assert_array_equal(sequence.joints, clip[..., :2])
        np.testing.assert_array_equal(sequence.score, clip[..., 2])


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"X_train": np.ones((5, 30, 17, 3))}, "X_train.npy"),
        ({"X_train": np.ones((5, 20, 25, 3))}, "X_train.npy"),
        ({"X_train": np.full((5, 30, 25, 3), "a")}, "X_train.npy"),
        ({"X_train": np.full((5, 30, 25, 3), np.nan)}, "not numbers"),
        ({"X_train": np.ones((0, 30, 25, 3)), "y_train": np.ones(0, int)}, "X_train.npy"),
        ({"y_train": np.array([0, 1])}, "y_train.npy"),
        ({"y_train": np.array([0.0, 1, 2, 3, 4])}, "y_train.npy"),
        ({"y_train": np.array([0, 1, 2, 3, 20])}, "beyond the 20 actions"),
        ({"y_test": np.array([0, -1])}, "beyond the 20 actions"),
        ({"X_test": np.array([None, "a"], dtype=object)}, "not a whole .npy file"),
    ],
)
def test_arrays_that_do_not_fit(arrays, word, tmp_path):
    write(tmp_path, "openpose", **arrays)
    with pytest.raises(DataError, match=word) as caught:
        mpose2021.read(tmp_path, "openpose")
    assert "\n" not in str(caught.value)


def test_wrong_folders_and_choices(tmp_path):
    with pytest.raises(DataError, match=r"unpack openpose\.zip"):
        mpose2021.read(tmp_path)
    with pytest.raises(DataError, match="choose one of openpose, posenet, movenet"):
        mpose2021.read(tmp_path, "alphapose")
    with pytest.raises(DataError, match="choose one of 1, 2, 3"):
        mpose2021.read(tmp_path, split=4)
    write(tmp_path, "posenet")
    file = tmp_path / "posenet" / "1" / "y_test.npy"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"y_test\.npy"):
        mpose2021.read(tmp_path, "posenet")
    file.unlink()
    with pytest.raises(DataError, match=r"y_test\.npy"):
        mpose2021.read(tmp_path, "posenet")
