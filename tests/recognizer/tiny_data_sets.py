"""Tiny data sets of made-up skeletons in the published layouts."""

import json
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The data sets themselves, where the machine has them."""
    folder = SHARED / "datasets"
    if not folder.is_dir():
        pytest.skip("the data sets are not there")
    return folder


def kinect_person() -> np.ndarray:
    """(20, 3) metres in Kinect's axes (x to the picture's left, y up), in the order of KINECT_20."""
    place = [(0, 0, 3), (0, 0.15, 3), (0, 0.4, 3), (0, 0.65, 3)]
    for side in (-1, 1):
        place += [(0.2 * side, 0.4, 3), (0.25 * side, 0.1, 3), (0.25 * side, -0.15, 3), (0.25 * side, -0.2, 3)]
    for side in (-1, 1):
        place += [(0.1 * side, -0.05, 3), (0.1 * side, -0.5, 3), (0.1 * side, -0.9, 3), (0.1 * side, -0.95, 2.9)]
    return np.array(place)


def moving(person: np.ndarray, frames: int, rng: np.random.Generator) -> np.ndarray:
    way = np.cumsum(rng.normal(0, 0.01, (frames, *person.shape)), axis=0)
    return person + way


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """A few recordings of each of the five sets: both splits, listed and unlisted actions."""
    from scipy.io import savemat

    root = tmp_path_factory.mktemp("datasets")
    rng = np.random.default_rng(0)
    kinect = kinect_person()
    penn, utd, nw, msr, jhmdb = (
        root / name for name in ("penn_action", "utd_mhad", "nw_ucla", "msr_action3d", "jhmdb14")
    )
    for folder in (penn / "labels", utd, nw, msr, jhmdb):
        folder.mkdir(parents=True)
    flat = 200 - 100 * np.delete(kinect, [0, 1, 2, 7, 11, 15, 19], axis=0)[:, :2]
    order = [0, 1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]
    for number in range(12):
        xy = moving(flat[order], 40, rng)
        savemat(
            penn / "labels" / f"{number:04d}.mat",
            {
                "x": xy[..., 0],
                "y": xy[..., 1],
                "visibility": np.ones((40, 13)),
                "train": -1 if number % 3 == 0 else 1,
                "action": "squat" if number % 2 else "bowl",
            },
        )
    for action in (1, 3, 22, 25):
        for subject in (1, 2, 3, 7):
            head_first = moving(kinect, 45, rng)[:, [3, 2, 1, 0, *range(4, 20)]]
            savemat(utd / f"a{action}_s{subject}_t1_skeleton.mat", {"d_skel": head_first.transpose(1, 2, 0)})
    for action in (3, 4):
        for subject in (1, 5):
            for view in (1, 3):
                skeletons = moving(kinect, 35, rng).tolist()
                name = f"a{action:02d}_s{subject:02d}_e00_v{view:02d}.json"
                (nw / name).write_text(json.dumps({"file_name": name, "skeletons": skeletons, "label": action}))
    (nw / "a04_s01_e01_v01.json").write_text(json.dumps({"skeletons": [kinect.tolist()], "label": 4}))
    msr_order = [6, 3, 2, 19, 0, 7, 9, 11, 1, 8, 10, 12, 4, 13, 15, 17, 5, 14, 16, 18]
    for action in (3, 16):
        for subject in (1, 2, 9):
            skeletons = np.ones((30, 20, 4))
            skeletons[:, msr_order, :3] = moving(kinect, 30, rng)
            np.savetxt(msr / f"a{action:02d}_s{subject:02d}_e01_skeleton3D.txt", skeletons.reshape(-1, 4))
    np.savetxt(msr / "a13_s09_e02_skeleton3D.txt", np.zeros((60, 4)))
    for part, clips in (("train", 8), ("test", 4)):
        lengths = np.array([17, 19, 21, 23] * (clips // 4), np.int32)
        np.savez(
            jhmdb / f"split1_{part}.npz",
            joints=rng.normal(0, 0.3, (lengths.sum(), 15, 2)).astype(np.float32),
            lengths=lengths,
            labels=np.array(["wave", "pour"] * (clips // 2)),
        )
    tiny_webcam_poses(root / "webcam_poses", rng)
    return root


def tiny_webcam_poses(folder: Path, rng: np.random.Generator) -> None:
    """Six sequences of 6 s by people of all three parts: idle, an action, and unlisted motion; one at a desk."""
    (folder / "sequences").mkdir(parents=True)
    lines = ["name\tsource\tperson\tsegments"]
    standing = 200 + 90 * rng.normal(0, 1, (33, 2))
    for number, person in enumerate(("p002", "p004", "p003", "p013", "d01", "p001")):
        times_s = np.arange(180) / 30
        xy = moving(np.pad(standing / 90, [(0, 0), (0, 1)]), 180, rng)[..., :2] * 90
        confidence = np.full((180, 33), 250, np.uint8)
        confidence[:, 25:] = 0 if person == "d01" else 250
        np.savez(
            folder / "sequences" / f"s{number}.npz",
            times_s=times_s.astype(np.float32),
            xy8=(xy * 8).astype(np.int16),
            conf=confidence,
            size=np.array([640, 480], np.int32),
            layout=np.array("mediapipe-33"),
        )
        segments = [[0, 2, "idle"], [2, 4, ("walk", "wave")[number % 2]], [4, 5.9, "other:twirl"]]
        lines.append(f"s{number}\to/r\t{person}\t{json.dumps(segments)}")
    (folder / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
