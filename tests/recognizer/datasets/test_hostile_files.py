"""Files that are cut off, of another kind or made to do harm: one line that names the file, in its place."""

import contextlib
import faulthandler
import json
import logging
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from pose.skeleton import PENN_13
from recognizer.datasets import jhmdb, mat_files, msr_action3d, nw_ucla, penn_action, utd_mhad, utd_openpose
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.file_problems import load_npy, load_npz
from recognizer.datasets.mat_files import MatFiles
from recognizer.datasets.registry import DATASETS

FILE = {
    "penn_action": (penn_action, "labels/0001.mat"),
    "utd_mhad": (utd_mhad, "a1_s1_t1_skeleton.mat"),
    "nw_ucla": (nw_ucla, "a03_s01_e00_v01.json"),
    "msr_action3d": (msr_action3d, "a03_s01_e01_skeleton3D.txt"),
    "jhmdb14": (jhmdb, "split1_train.npz"),
    "utd_openpose_csv": (utd_openpose, "poseCSVs/a1_s2_t1_color.avi.csv"),
}


class Runs:
    """A pickle that leaves a trace when it is run."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), "w")


def place(folder, name):
    reader, path = FILE[name]
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return reader, file


def refused(reader, folder, *words, kind=DataError):
    """The folder's one file is a problem, of this kind, told in one line with these words."""
    problem, *more = reader.read(folder)
    assert type(problem) is kind, problem
    assert [str(one) for one in more] in ([], [str(one) for one in more if "no JHMDB file" in str(one)])
    assert "\n" not in str(problem)
    assert all(word in str(problem) for word in words), str(problem)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe" * 50, b"PK\x03\x04 not a zip", b"[[[[[[[[", b"MATLAB 5.0 MAT-file"]
)
@pytest.mark.parametrize("name", FILE)
def test_a_file_of_another_kind(name, content, tmp_path):
    reader, file = place(tmp_path, name)
    file.write_bytes(content)
    if not content and name in ("msr_action3d", "utd_openpose_csv"):  # an empty table: nobody was tracked
        refused(reader, tmp_path, file.name, "left out", kind=EmptyFileError)
    else:
        refused(reader, tmp_path, file.name, "get this file again")


@pytest.mark.parametrize("name", ["penn_action", "utd_mhad", "jhmdb14", "nw_ucla"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_is_cut_off(name, share, tiny_data, tmp_path):
    reader, file = place(tmp_path, name)
    whole = next((tiny_data / name).glob("**/*" + file.suffix)).read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    refused(reader, tmp_path, file.name)


def utd_skeletons():
    return np.random.default_rng(0).normal(size=(20, 3, 30))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"other": np.ones(3)}, "no field `d_skel`"),
        ({"d_skel": np.array([["a", "b"]], dtype=object)}, "not numbers"),
        ({"d_skel": np.full((20, 3, 30), 1j)}, "not numbers"),
    ],
)
def test_mat_fields_that_are_not_what_they_should_be(content, word, tmp_path):
    reader, file = place(tmp_path, "utd_mhad")
    savemat(file, content)
    refused(reader, tmp_path, word)


@pytest.mark.parametrize(
    ("skeletons", "kind"),
    [(np.ones((20, 3, 1)), EmptyFileError), (np.ones((15, 3, 30)), DataError), (np.ones((20, 3)), DataError)],
)
def test_mat_of_another_shape_is_a_problem_of_its_own(skeletons, kind, tmp_path):
    reader, file = place(tmp_path, "utd_mhad")
    savemat(file, {"d_skel": skeletons})
    refused(reader, tmp_path, file.name, kind=kind)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_joints_that_are_not_numbers_never_leave_a_kinect_reader(bad, tmp_path):
    reader, file = place(tmp_path, "utd_mhad")
    skeletons = utd_skeletons()
    skeletons[3, 1, 7] = bad
    savemat(file, {"d_skel": skeletons})
    nw, nw_file = place(tmp_path, "nw_ucla")
    nw_file.write_text(json.dumps({"skeletons": skeletons.transpose(2, 0, 1).tolist()}))
    msr, msr_file = place(tmp_path, "msr_action3d")
    rows = np.ones((30 * 20, 4))
    rows[41, 0] = bad
    np.savetxt(msr_file, rows)
    for one in (reader, nw, msr):
        refused(one, tmp_path, "joints that are not numbers")


def test_penn_joints_that_are_not_numbers_are_missing(tmp_path, caplog):
    reader, file = place(tmp_path, "penn_action")
    x, y = np.random.default_rng(0).uniform(50, 100, (2, 6, 13))
    x[2, 0] = np.nan
    savemat(file, {"x": x, "y": y, "train": 1, "action": "squat"})
    with caplog.at_level(logging.WARNING):
        (recording,) = reader.read(tmp_path)
    assert np.isfinite(recording.joints).all()
    assert not recording.seen[2, PENN_13.index("head")]
    assert recording.seen.sum() == 6 * 13 - 1
    assert "1 joints are not numbers" in caplog.text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"y": np.ones((5, 13))}, "y of shape"),
        ({"x": {"a": 1.0}, "y": np.ones((1, 1))}, "x and y are not numbers"),
        ({"action": np.array([])}, "`action` is not a name"),
        ({"action": 7}, "`action` is not a name"),
        ({"train": np.ones(3)}, "`train` not a number"),
        ({"train": "yes"}, "`train` not a number"),
    ],
)
def test_penn_fields_that_do_not_fit(change, word, tmp_path):
    reader, file = place(tmp_path, "penn_action")
    x = np.full((6, 13), 50.0)
    savemat(file, {"x": x, "y": x, "train": 1, "action": "squat", **change})
    refused(reader, tmp_path, word)


@pytest.mark.parametrize(
    "content",
    ["[]", "null", '"text"', "{}", '{"skeletons": {"a": 1}}', '{"skeletons": [[1, 2], [3]]}', '{"skeletons": "abc"}'],
)
def test_json_that_is_not_what_it_should_be(content, tmp_path):
    reader, file = place(tmp_path, "nw_ucla")
    file.write_text(content)
    refused(reader, tmp_path, file.name)


def test_json_of_a_number_beyond_all_floats(tmp_path):
    reader, file = place(tmp_path, "nw_ucla")
    file.write_text(json.dumps({"skeletons": [[[10**400] * 3] * 20] * 5}))
    refused(reader, tmp_path, file.name)


def test_json_nested_without_end(tmp_path):
    reader, file = place(tmp_path, "nw_ucla")
    file.write_text("[" * 200_000)
    refused(reader, tmp_path, file.name)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_penn_part_that_is_no_number(bad, tmp_path):
    (tmp_path / "labels").mkdir()
    joints = np.full((4, 13), 9.0)
    savemat(tmp_path / "labels" / "0001.mat", {"x": joints, "y": joints, "action": "squat", "train": bad})
    refused(penn_action, tmp_path, "`train` not a number")


def test_an_npy_whose_header_is_cut_is_one_line(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(DataError, match=r"not a whole \.npy file"):
        load_npy(tmp_path / "a.npy")


def test_an_npz_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "split1_train.npz"
    header = {"descr": "|u1", "fortran_order": False, "shape": (300 << 20,)}
    quickly = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    with zipfile.ZipFile(path, "w", **quickly) as packed, packed.open("joints.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(300):
            file.write(bytes(1 << 20))
    with pytest.raises(DataError, match=r"not a whole \.npz file"):
        load_npz(tmp_path / "split1_train.npz", "joints")


@pytest.mark.skipif(sys.platform != "linux", reason="no limit of memory")
def test_a_mat_that_unpacks_to_a_thousand_times_its_size_is_one_line(tmp_path):
    file = tmp_path / "a1_s1_t1_skeleton.mat"
    savemat(file, {"d_skel": np.zeros(200 << 20, np.uint8)}, do_compression=True)
    code = (
        "import sys; from pathlib import Path; from recognizer.datasets import mat_files as m; "
        "m._MAX_BYTES = 128 << 20; m._limit_memory(); print(m._read(Path(sys.argv[1]), ('d_skel',)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "not a whole MATLAB file (MemoryError)\n"


def test_npz_of_objects_is_not_run(tmp_path):
    reader, file = place(tmp_path, "jhmdb14")
    trace = tmp_path / "trace"
    joints = np.array([Runs(trace)], dtype=object)
    np.savez(file, joints=joints, lengths=np.array([1]), labels=np.array(["wave"]))
    refused(reader, tmp_path, file.name)
    file.write_bytes(pickle.dumps(Runs(trace)))
    refused(reader, tmp_path, file.name)
    assert not trace.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"lengths": np.array([10, 11])},
        {"lengths": np.array([-10, 30])},
        {"lengths": np.array([10.0, 10.0])},
        {"lengths": np.array([20])},
        {"labels": np.array(["wave"])},
        {"labels": np.array([1, 2])},
        {"joints": np.ones((20, 15, 3))},
        {"joints": np.full((20, 15, 2), "a")},
    ],
)
def test_npz_arrays_that_do_not_fit_each_other(change, tmp_path):
    reader, file = place(tmp_path, "jhmdb14")
    whole = {"joints": np.ones((20, 15, 2)), "lengths": np.array([10, 10]), "labels": np.array(["wave", "clap"])}
    np.savez(file, **{**whole, **change})
    refused(reader, tmp_path, file.name)


def test_jhmdb_clips_that_are_not_numbers_are_problems_of_their_own(tmp_path):
    joints = np.ones((20, 15, 2))
    joints[3, 3] = np.nan
    for part in ("train", "test"):
        np.savez(
            tmp_path / f"split2_{part}.npz",
            joints=joints,
            lengths=np.array([10, 10]),
            labels=np.array(["wave", "clap"]),
        )
    found = list(jhmdb.read(tmp_path, split=2))
    assert [(r.action, r.test) for r in found if not isinstance(r, DataError)] == [("clap", False), ("clap", True)]
    assert [str(r).partition(";")[0] for r in found if isinstance(r, DataError)] == [
        f"{tmp_path / f'split2_{part}.npz'}: clip 0: joints that are not numbers" for part in ("train", "test")
    ]
    with pytest.raises(DataError, match="no split 4; choose one of 1, 2, 3"):
        list(jhmdb.read(tmp_path, split=4))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("utd_mhad", "a99_s1_t1_skeleton.mat"),
        ("utd_mhad", "a0_s1_t1_skeleton.mat"),
        ("utd_mhad", "a1_s1_tx_skeleton.mat"),
        ("nw_ucla", "a07_s01_e00_v01.json"),
        ("nw_ucla", "a01_s01_e00_v01_copy.json"),
        ("msr_action3d", "a21_s01_e01_skeleton3D.txt"),
        ("msr_action3d", "a00_s01_e01_skeleton3D.txt"),
        ("utd_openpose_csv", "poseCSVs/a28_s2_t1_color.avi.csv"),
    ],
)
def test_a_name_that_the_set_does_not_have(name, path, tmp_path):
    reader, _ = place(tmp_path, name)
    (tmp_path / path).write_bytes(b"")
    refused(reader, tmp_path, path.rpartition("/")[2])


def test_tables_with_words_or_ragged_rows(tmp_path):
    for name, content in (
        ("msr_action3d", "1 2 3 x\n"),
        ("msr_action3d", "1 2 3 4\n1 2\n"),
        ("utd_openpose_csv", "1,a"),
    ):
        reader, file = place(tmp_path, name)
        file.write_text(content)
        refused(reader, tmp_path, file.name, "not a table of numbers")


@pytest.fixture
def mat_that_crashes_its_reader(tmp_path):
    """A file on which SciPy ends the process: the first of some damaged ones that does, tried in other processes."""
    whole = tmp_path / "whole.mat"
    x = np.full((30, 13), 5.0)
    savemat(whole, {"x": x, "y": x, "train": 1, "action": "squat"})
    damaged = _Damaged(whole.read_bytes(), tmp_path)
    first = 0
    while _crashes(damaged.load_all, first):
        seed = int(damaged.seed.read_text())
        if _crashes(_load, damaged.file):  # by itself, and not for what was loaded before it
            return damaged.file
        first = seed + 1
    pytest.skip("this SciPy reads all of these without a crash")


class _Damaged:
    """A file with two wrong bytes, in as many ways as there are seeds; the last that was tried is there."""

    def __init__(self, content, folder):
        self.content, self.file, self.seed = content, folder / "damaged.mat", folder / "seed"

    def load_all(self, first):
        for seed in range(first, 400):
            draw = random.Random(seed)
            changed = bytearray(self.content)
            for _ in range(2):
                changed[draw.randrange(128, 400)] = draw.randrange(256)
            self.file.write_bytes(changed)
            self.seed.write_text(str(seed))
            _load(self.file)


def _load(file):
    faulthandler.disable()  # pytest's
    with contextlib.suppress(Exception):
        loadmat(file)


def _crashes(work, argument):
    process = multiprocessing.get_context("fork").Process(target=work, args=(argument,))
    process.start()
    process.join()
    return process.exitcode is not None and process.exitcode < 0


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the file in forked processes")
def test_a_mat_that_crashes_scipy_is_one_clear_line(mat_that_crashes_its_reader, tmp_path):
    good = tmp_path / "good.mat"
    savemat(good, {"x": np.eye(3)})
    with MatFiles() as mat:
        with pytest.raises(DataError, match="not a whole MATLAB file"):
            mat.arrays(mat_that_crashes_its_reader, "x", "y", "action", "train")
        assert np.array_equal(mat.arrays(good, "x")[0], np.eye(3))


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
def test_ctrl_c_while_the_reader_of_mat_files_starts_is_left_to_the_one_that_asks(tmp_path):
    savemat(tmp_path / "a.mat", {"x": np.eye(3)})
    with MatFiles() as mat:
        connection = mat._start()
        os.kill(mat._process.pid, signal.SIGINT)
        mat._begun(connection)
        assert np.array_equal(mat.arrays(tmp_path / "a.mat", "x")[0], np.eye(3))


def test_a_script_that_cannot_start_the_reader_is_told_so_and_no_file_is_blamed(tmp_path):
    """A process that begins again runs the script again; without a guard it would start another, which is refused."""
    savemat(tmp_path / "a.mat", {"x": np.eye(3)})
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from recognizer.datasets.mat_files import MatFiles\n"
        f"with MatFiles() as mat: mat.arrays(Path({str(tmp_path / 'a.mat')!r}), 'x')\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, script], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "the process that reads MATLAB files does not start" in done.stderr.splitlines()[-1]
    assert "freeze_support" in done.stderr, "Python's own advice"
    assert "AttributeError" not in done.stderr


def test_a_plain_script_reads_utd_mhad(tmp_path):
    """Without a guard: nothing is started that would run the script again."""
    for subject in (1, 2):
        savemat(tmp_path / f"a1_s{subject}_t1_skeleton.mat", {"d_skel": utd_skeletons()})
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from recognizer.datasets.registry import DATASETS\n"
        f"print([one.name for one in DATASETS['utd_mhad'].read(Path({str(tmp_path)!r}))])\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, script], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['a1_s1_t1', 'a1_s2_t1']\n", "")


@pytest.mark.parametrize("name", ["penn_action", "utd_mhad"])
def test_foreign_mat_files_are_read_in_another_process(name, tiny_data, monkeypatch):
    """Which this one shows by its own reader being out of order."""

    def refuse(*_):
        raise AssertionError("read in this process")

    whole = [one.name for one in DATASETS[name].read(tiny_data / name)]
    monkeypatch.setattr(mat_files, "_read", refuse)
    with pytest.raises(AssertionError, match="read in this process"):
        list(DATASETS[name].read(tiny_data / name))
    assert [one.name for one in DATASETS[name].read_foreign(tiny_data / name)] == whole
