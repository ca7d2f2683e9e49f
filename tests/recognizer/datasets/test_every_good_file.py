"""A damaged file, or a damaged clip of one, costs no other, whether it is the first, in the middle or the last."""

import json
import pickle

import numpy as np
import pytest
from scipy.io import savemat

from recognizer.datasets import pyskl
from recognizer.datasets.errors import DataError
from recognizer.datasets.registry import DATASETS

COUNT = 5


def random(seed, *shape):
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


def penn_action(folder, bad):
    (folder / "labels").mkdir()
    for number in range(COUNT):
        file = folder / "labels" / f"{number:04d}.mat"
        x, y = 100 * random(number, 2, 6, 13)
        savemat(file, {"x": x, "y": y, "train": 1, "action": "squat"})
        if number == bad:
            file.write_bytes(file.read_bytes()[:300])


def utd_mhad(folder, bad):
    for number in range(COUNT):
        file = folder / f"a1_s{number + 1}_t1_skeleton.mat"
        savemat(file, {"d_skel": random(number, 20, 3, 6)})
        if number == bad:
            savemat(file, {"d_skel": random(number, 15, 3, 6)})


def utd_openpose_csv(folder, bad):
    (folder / "csv").mkdir()
    for number in range(COUNT):
        file = folder / "csv" / f"a1_s{number + 1}_t1_color.avi.csv"
        np.savetxt(file, random(number, 6, 36), delimiter="," if number != bad else "!")


def nw_ucla(folder, bad):
    for number in range(COUNT):
        name = f"a01_s{number + 1:02d}_e00_v01.json"
        text = json.dumps({"skeletons": random(number, 6, 20, 3).tolist()})
        (folder / name).write_text(text if number != bad else text[:50])


def msr_action3d(folder, bad):
    for number in range(COUNT):
        name = f"a01_s{number + 1:02d}_e01_skeleton3D.txt"
        np.savetxt(folder / name, random(number, 6 * 20 - (number == bad), 4))


def jhmdb14(folder, bad):
    joints = random(0, COUNT, 6, 15, 2)
    joints[bad, 2, 3] = np.nan
    whole = {"lengths": np.full(COUNT, 6), "labels": np.array(["wave"] * COUNT)}
    np.savez(folder / "split1_train.npz", joints=joints.reshape(-1, 15, 2), **whole)
    np.savez(
        folder / "split1_test.npz", joints=np.empty((0, 15, 2)), lengths=np.empty(0, int), labels=np.empty(0, "U4")
    )


def webcam_poses(folder, bad):
    (folder / "sequences").mkdir()
    (folder / "index.tsv").write_text("name\tsegments\n" + "".join(f"s{number}\t\n" for number in range(COUNT)))
    for number in range(COUNT):
        np.savez(
            folder / "sequences" / f"s{number}.npz",
            times_s=np.arange(6.0) * (-1 if number == bad else 1),
            xy8=random(number, 6, 33, 2) * 800,
            conf=np.full((6, 33), 200),
            size=np.array([640, 480]),
            layout=np.array("mediapipe-33"),
        )


def ntu_rgbd(folder, bad):
    for number in range(COUNT):
        lines = ["3"]
        for frame in random(number, 3, 25, 3):
            lines += ["1", "7 0 1 1 1 1 0 0.02 -0.3 2", "25"]
            lines += [f"{x} {y} {z} 250 200 960 540 0.1 0.2 0.3 0.9 2" for x, y, z in frame]
        file = folder / f"S001C001P001R001A{number + 1:03d}.skeleton"
        file.write_text("\n".join(lines[:-1] if number == bad else lines) + "\n")


def kinetics_skeleton(folder, bad):
    labels = {}
    (folder / "kinetics_train").mkdir()
    (folder / "kinetics_val").mkdir()
    (folder / "kinetics_val_label.json").write_text("{}")
    for number in range(COUNT):
        person = {"pose": random(number, 36).tolist(), "score": random(number, 18).tolist()}
        frames = [{"frame_index": frame, "skeleton": [person]} for frame in range(3)]
        content = {"data": [] if number == bad else frames, "label": "zumba", "label_index": 3}
        (folder / "kinetics_train" / f"c{number}.json").write_text(json.dumps(content))
        labels[f"c{number}"] = {"has_skeleton": True, "label": "zumba", "label_index": 3}
    (folder / "kinetics_train_label.json").write_text(json.dumps(labels))


def mpose2021(folder, bad):
    place = folder / "openpose" / "1"
    place.mkdir(parents=True)
    x = 100 * random(0, COUNT, 30, 25, 3)
    x[bad, 4, 5] = np.nan
    for part, clips in (("train", x[:-1]), ("test", x[-1:])):
        np.save(place / f"X_{part}.npy", clips)
        np.save(place / f"y_{part}.npy", np.arange(len(clips)))


def florence_3d(folder, bad):
    lines = [
        f"{video + 1} {video % 10 + 1} 1 " + " ".join(f"{value:.4f}" for value in frame.reshape(-1))
        for video in range(COUNT)
        for frame in random(video, 4, 15, 3)
    ]
    lines[4 * bad + 2] = "x y z"
    (folder / "Florence_dataset_WorldCoordinates.txt").write_text("\n".join(lines) + "\n")


WRITERS = {
    writer.__name__: writer
    for writer in (
        *(penn_action, utd_mhad, utd_openpose_csv, nw_ucla, msr_action3d, jhmdb14, webcam_poses, ntu_rgbd),
        *(kinetics_skeleton, mpose2021, florence_3d),
    )
}


def test_every_registered_set_is_tried():
    assert set(WRITERS) == set(DATASETS)


@pytest.mark.parametrize("bad", [0, 2, 4], ids=["first", "middle", "last"])
@pytest.mark.parametrize("name", DATASETS)
def test_all_others_are_read_and_the_bad_one_is_a_line(name, bad, tmp_path):
    WRITERS[name](tmp_path, bad)
    found = list(DATASETS[name].read(tmp_path))
    assert [isinstance(one, DataError) for one in found] == [number == bad for number in range(COUNT)]
    assert str(tmp_path) in str(found[bad])
    assert "\n" not in str(found[bad])
    good = [one for one in found if not isinstance(one, DataError)]
    assert len({one.name for one in good}) == COUNT - 1
    assert {one.layout for one in good} == {DATASETS[name].layout}


@pytest.mark.parametrize("bad", [0, 2, 4], ids=["first", "middle", "last"])
def test_all_other_clips_of_a_pickle_are_read(bad, tmp_path):
    notes = [
        {"frame_dir": f"c{number}", "label": 0, "total_frames": 6, "keypoint": random(number, 1, 6, 17, 2) * 300}
        for number in range(COUNT)
    ]
    notes[bad]["total_frames"] = 7
    content = {"split": {"train": [note["frame_dir"] for note in notes], "test": []}, "annotations": notes}
    (tmp_path / "set.pkl").write_bytes(pickle.dumps(content))
    found = list(pyskl.read(tmp_path / "set.pkl"))
    assert [isinstance(one, DataError) for one in found] == [number == bad for number in range(COUNT)]
    assert str(found[bad]) == f"{tmp_path / 'set.pkl'}: c{bad}: 6 frames, total_frames says 7"


@pytest.mark.parametrize("bad", ["train", "test"])
def test_a_damaged_half_of_jhmdb_or_mpose_costs_the_other_nothing(bad, tmp_path):
    for name, file in (("jhmdb14", f"split1_{bad}.npz"), ("mpose2021", f"openpose/1/X_{bad}.npy")):
        folder = tmp_path / name
        folder.mkdir()
        WRITERS[name](folder, 1)
        whole = [one for one in DATASETS[name].read(folder) if not isinstance(one, DataError)]
        (folder / file).write_bytes((folder / file).read_bytes()[:60])
        found = list(DATASETS[name].read(folder))
        good = [one for one in found if not isinstance(one, DataError)]
        assert [one.name for one in good] == [one.name for one in whole if one.test == (bad == "train")]
        assert any(file.rpartition("/")[2] in str(one) for one in found if isinstance(one, DataError))
