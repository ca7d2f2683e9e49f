"""Training goes on without what cannot be read, says so once in a line, and ends with 1."""

import shutil

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from pose.skeleton import JHMDB_15, OPENPOSE_18, PENN_13
from recognizer.datasets.registry import DATASETS
from recognizer.datasets.sequences import ActionSequence
from recognizer.training import everyday, everyday_streams
from recognizer.training.command_line import main
from recognizer.training.streams.stream_set_command import add_stream_set
from research.whole_clip.tasks import TASKS


@pytest.fixture
def data(tiny_data, tmp_path):
    return shutil.copytree(tiny_data, tmp_path / "data")


def damage(file):
    file.write_bytes(file.read_bytes()[:40])
    return file


def stream_set(data, out, caplog):
    caplog.clear()
    return main(["stream-set", str(out), "--data", str(data)]), caplog.messages


EMPTY = ["a04_s01_e01_v01.json: 1 frames, left out", "a13_s09_e02_skeleton3D.txt: somebody in 0 frames, left out"]


@pytest.mark.parametrize("place", [0, 6, -1], ids=["first", "middle", "last"])
def test_one_damaged_file_costs_no_other_and_ends_with_1(place, data, tmp_path, caplog):
    whole = len(everyday.read_all(data))
    file = damage(sorted((data / "utd_mhad").iterdir())[place])
    assert len(everyday.read_all(data)) == whole - 1
    status, lines = stream_set(data, tmp_path / "out", caplog)
    assert status == 1
    (line,) = [line for line in lines if str(file) in line]
    assert line.startswith(f"{file}: not a whole MATLAB file")
    assert (tmp_path / "out" / "index.tsv").is_file()


def test_files_that_are_published_empty_are_told_and_no_fault(data, tmp_path, caplog):
    status, lines = stream_set(data, tmp_path / "out", caplog)
    assert status == 0
    assert sorted(line.rpartition("/")[2] for line in lines) == EMPTY


def test_a_line_is_told_once_however_often_the_file_is_read(data, tmp_path, caplog, monkeypatch):
    damage(data / "nw_ucla" / "a03_s01_e00_v01.json")

    def read_twice(options):
        everyday.read_all(options.data)
        everyday_streams.read_corpus(options.data)

    read = ("read", add_stream_set, read_twice)
    monkeypatch.setattr("recognizer.training.command_line.COMMANDS", {"stream-set": read})
    assert main(["stream-set", str(tmp_path / "out"), "--data", str(data)]) == 1
    assert len(caplog.messages) == len(set(caplog.messages)) == 3


def florence(folder, frames=6):
    """Two videos of each of six people: waving, and bowing."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for video in range(12):
        joints = rng.normal(0, 0.2, (frames, 15, 3)) + np.array([0, 0, 2.5])
        joints[:, 3, 0], joints[:, 6, 0] = 0.3, -0.3
        ids = f"{video + 1} {video // 2 + 1} {(1, 9)[video % 2]} "
        rows += [ids + " ".join(f"{value:.4f}" for value in frame.reshape(-1)) for frame in joints]
    (folder / "Florence_dataset_WorldCoordinates.txt").write_text("\n".join(rows) + "\n")


def test_a_set_that_is_registered_is_trained_on_benchmarked_and_named_in_cards(data):
    before = everyday.merge(everyday.read_all(data))
    florence(data / "florence_3d")
    after = everyday.merge(everyday.read_all(data))
    here = after.dataset == "florence_3d"
    assert here.sum() == 6  # bows are left out
    assert not (before.dataset == "florence_3d").any()
    np.testing.assert_array_equal(after.joints[: len(before.joints)], before.joints)
    assert {everyday.ACTIONS[action] for action in after.action[here]} == {"wave"}
    assert after.part[here].tolist() == ["train"] * 4 + ["validation", "test"]
    assert after.depth[here].all()
    clips = TASKS["florence-3d"].load(data)
    assert (clips.dims, clips.actions, len(clips.train_rows), len(clips.eval_rows)) == (3, ("bow", "wave"), 10, 2)
    chosen = TASKS["florence-3d"].load(data, "validation")
    assert (len(chosen.train_rows), len(chosen.eval_rows)) == (8, 2)
    terms = everyday.terms(after)
    assert DATASETS["florence_3d"].terms in terms
    assert [source for source in terms if source not in everyday.terms(before)] == [DATASETS["florence_3d"].terms]


@pytest.mark.parametrize("layout", [JHMDB_15, PENN_13, OPENPOSE_18])
def test_joints_of_any_layout_reach_the_corpus(layout, monkeypatch):
    """By their names; those that a layout lacks are made of others."""
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(40, len(layout), 2)).astype(np.float32)
    sequence = ActionSequence(
        "jhmdb14", "a", "wave", joints, np.ones(joints.shape[:2], bool), layout, 30.0, None, False
    )
    corpus = everyday.merge([sequence])
    np.testing.assert_array_equal(corpus.joints[:, 5, :2], joints[:, layout.index("left_wrist")])
    head = joints[:, layout.index("head")] if "head" in layout.joints else joints[:, [16, 17]].mean(axis=1)
    np.testing.assert_allclose(corpus.joints[:, 0, :2], head, rtol=1e-6)
    assert corpus.seen.all()
