"""PYSKL pickles: read, written, and hostile ones refused."""

import collections
import io
import os
import pickle
import pickletools
import re
import struct
from dataclasses import replace

import numpy as np
import pytest

from pose.skeleton import COCO_17, JHMDB_15, NTU_25, OPENPOSE_18, OPENPOSE_25
from recognizer.datasets import penn_action, pyskl, restricted_pickle
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.sequences import ActionSequence, Skeleton

RNG = np.random.default_rng(0)


def annotation(name, label, people=2, frames=12, joints=17, dims=2, **fields):
    """As PYSKL's own files have it: half precision in 2D, no scores and no image size in 3D."""
    content = {"frame_dir": name, "label": label, "total_frames": frames}
    keypoint = RNG.uniform(1, 300, (people, frames, joints, dims))
    if dims == 2:
        content |= {"img_shape": (1080, 1920), "original_shape": (1080, 1920)}
        content["keypoint"] = keypoint.astype(np.float16)
        content["keypoint_score"] = RNG.uniform(0.1, 1, (people, frames, joints)).astype(np.float16)
    else:
        content["keypoint"] = keypoint.astype(np.float32)
    return content | fields


def published():
    return {
        "split": {"xsub_train": ["a", "b"], "xsub_val": ["c"], "xview_train": ["c"], "xview_val": ["a"]},
        "annotations": [annotation("a", 0), annotation("b", 5), annotation("c", 5, people=1), annotation("d", 1)],
    }


def dump(folder, content, protocol=4):
    file = folder / "set.pkl"
    file.write_bytes(pickle.dumps(content, protocol=protocol))
    return file


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_published_files_are_read(protocol, tmp_path):
    content = published()
    content["annotations"][0]["label"] = np.int64(0)
    file = dump(tmp_path, content, protocol)
    recordings = list(pyskl.read(file, train="xsub_train", test="xsub_val"))
    assert [(r.name, r.action, r.test) for r in recordings] == [
        ("a", "action_0", False),
        ("b", "action_5", False),
        ("c", "action_5", True),
    ]
    first = recordings[0]
    assert first.layout == COCO_17
    assert first.size_px == (1920, 1080)
    for person, place in ((first.people[0], 0), (first.people[1], 1)):
        np.testing.assert_array_equal(person.joints, content["annotations"][0]["keypoint"][place].astype(np.float32))
        np.testing.assert_array_equal(
            person.score, content["annotations"][0]["keypoint_score"][place].astype(np.float32)
        )
    assert [(r.name, r.test) for r in pyskl.read(file, train="xview_train", test="xview_val")] == [
        ("a", True),
        ("c", False),
    ]


def test_which_split_must_be_said_where_there_are_several(tmp_path):
    file = dump(tmp_path, published())
    with pytest.raises(DataError, match=r"set\.pkl: say which splits .* xsub_train, xsub_val, xview_train, xview_val"):
        list(pyskl.read(file))
    with pytest.raises(DataError, match="say which"):
        list(pyskl.read(file, train="xsub_train", test="nothing"))
    with pytest.raises(DataError, match="are in xsub_train and in xview_val"):
        list(pyskl.read(file, train="xsub_train", test="xview_val"))


def numbered():
    """As PYSKL's UCF101 and HMDB51 name their splits."""
    clips = ("a", "b", "c")
    split = {f"{part}{number}": [] for part in ("train", "test") for number in (1, 2, 3)}
    for number in (1, 2, 3):
        split[f"test{number}"] = [clips[number - 1]]
        split[f"train{number}"] = [clip for clip in clips if clip != clips[number - 1]]
    return {"split": split, "annotations": [annotation(clip, index) for index, clip in enumerate(clips)]}


@pytest.mark.parametrize(
    ("chosen", "tests"),
    [
        ({}, "a"),
        ({"train": "train2"}, "b"),
        ({"test": "test3"}, "c"),
        ({"train": "train1", "test": "test1"}, "a"),
    ],
)
def test_of_numbered_splits_the_first_is_read_or_that_of_the_number_chosen(chosen, tests):
    found = pyskl.pyskl_to_sequences(numbered(), **chosen)
    assert [(one.name, one.test) for one in found] == [(clip, clip == tests) for clip in ("a", "b", "c")]


def test_splits_of_two_numbers_or_of_two_numberings_are_no_choice():
    content = numbered()
    with pytest.raises(DataError, match="clips are in train2 and in test1"):
        pyskl.pyskl_to_sequences(content, "train2", "test1")
    content["split"] |= {"other_train1": ["a"], "other_test1": ["b"]}
    with pytest.raises(DataError, match="say which splits"):
        pyskl.pyskl_to_sequences(content)
    assert len(pyskl.pyskl_to_sequences(content, "other_train1", "other_test1")) == 2


def test_the_part_of_each_clip_by_split():
    splits = numbered()["split"] | {"x_y_train": ["a"], "x_y_val": ["b"], "Own_Test7": ["c"], "train": ["c"]}
    assert pyskl.parts_of({**splits, "frames": ["a"], "train_2019": ["a"], "val": "b"}) == {
        "split1": {"b": "train", "c": "train", "a": "test"},
        "split2": {"a": "train", "c": "train", "b": "test"},
        "split3": {"a": "train", "b": "train", "c": "test"},
        "x_y": {"a": "train", "b": "validation"},
        "Own_split7": {"c": "test"},
        "": {"c": "train"},
    }


def test_measured_skeletons_come_in_the_pictures_axes():
    content = {"split": {"train": ["a"], "val": []}, "annotations": [annotation("a", 59, joints=25, dims=3)]}
    content["annotations"][0]["keypoint"][1, 4:] = 0  # the second person leaves
    (recording,) = pyskl.pyskl_to_sequences(content, actions=[f"A{n}" for n in range(1, 61)])
    assert (recording.layout, recording.action, recording.score) == (NTU_25, "A60", None)
    np.testing.assert_array_equal(recording.joints, content["annotations"][0]["keypoint"][0] * [-1, -1, 1])
    assert recording.others[0].seen[:4].all()
    assert not recording.others[0].seen[4:].any()


@pytest.mark.parametrize(("joints", "layout"), [(17, COCO_17), (18, OPENPOSE_18), (25, OPENPOSE_25)])
def test_the_number_of_joints_tells_the_layout(joints, layout):
    content = {"split": {"train": ["a"], "test": []}, "annotations": [annotation("a", 0, joints=joints)]}
    assert pyskl.pyskl_to_sequences(content)[0].layout == layout


def recording(name, action, test, layout=COCO_17, dims=2, people=1, scored=True, frames=9, **fields):
    def values(*shape):
        return RNG.normal(size=(frames, len(layout), *shape)).astype(np.float32)

    skeletons = []
    for _ in range(people):
        score = np.abs(values()) if scored else None
        skeletons.append(Skeleton(values(dims), RNG.random((frames, len(layout))) < 0.8, score))
    return ActionSequence(
        dataset="set",
        name=name,
        action=action,
        joints=skeletons[0].joints,
        seen=skeletons[0].seen,
        layout=layout,
        fps=12.5,
        subject=4,
        test=test,
        others=tuple(skeletons[1:]),
        score=skeletons[0].score,
        **fields,
    )


def assert_same(a, b):
    for field in ("dataset", "name", "action", "layout", "fps", "subject", "test", "size_px"):
        assert getattr(a, field) == getattr(b, field), field
    assert len(a.people) == len(b.people)
    for one, other in zip(a.people, b.people, strict=True):
        np.testing.assert_array_equal(one.joints, other.joints)
        np.testing.assert_array_equal(one.seen, other.seen)
        assert (one.score is None) == (other.score is None)
        if one.score is not None:
            np.testing.assert_array_equal(one.score, other.score)


def test_our_own_recordings_come_back_as_they_were(tmp_path):
    recordings = [
        recording("a", "walk", False, people=2, size_px=(640, 480)),
        recording("b", "run", True, scored=False),
        recording("c", "sit", False, layout=NTU_25, dims=3, people=2, scored=False),
        recording("d", "sit", True, layout=JHMDB_15),
        recording("e", "sit", False, layout=NTU_25, dims=3),
        replace(recording("f", "run", False, people=2), subject=None, score=None),
    ]
    file = tmp_path / "ours.pkl"
    restricted_pickle.save(pyskl.sequences_to_pyskl(recordings), file)
    assert list(tmp_path.iterdir()) == [file]
    for before, after in zip(recordings, pyskl.read(file), strict=True):
        assert_same(before, after)


def test_what_we_write_is_what_the_format_asks_for(tmp_path):
    recordings = [recording("a", "walk", False, people=2), recording("b", "run", True, NTU_25, 3, scored=False)]
    file = tmp_path / "ours.pkl"
    content = pyskl.sequences_to_pyskl(recordings, {"xsub_train": ["a"], "xsub_val": ["b"]})
    restricted_pickle.save(content, file)
    content = pickle.loads(file.read_bytes())
    assert content["split"] == {"xsub_train": ["a"], "xsub_val": ["b"]}
    flat, deep = content["annotations"]
    assert (flat["frame_dir"], flat["label"], flat["total_frames"]) == ("a", 1, 9)
    assert flat["keypoint"].shape == (2, 9, 17, 2)
    assert flat["keypoint_score"].shape == (2, 9, 17)
    assert len(flat["img_shape"]) == len(flat["original_shape"]) == 2
    np.testing.assert_array_equal(flat["keypoint"][0], recordings[0].joints)
    flat["keypoint"][0] = 0  # PYSKL normalises in place
    assert "keypoint_score" not in deep
    np.testing.assert_array_equal(deep["keypoint"][0], recordings[1].joints * [-1, -1, 1])  # the camera's axes
    names = {arg for op, arg, _ in pickletools.genops(file.read_bytes()) if op.name in ("GLOBAL", "SHORT_BINUNICODE")}
    assert not {name for name in names if isinstance(name, str) and name.startswith("numpy.")}  # any NumPy reads it


def test_a_published_file_survives_reading_and_writing(tmp_path):
    content = published()
    parts = {"train": "xsub_train", "test": "xsub_val"}
    first = pyskl.pyskl_to_sequences(content, **parts)
    again = pyskl.sequences_to_pyskl(first, {"xsub_train": ["a", "b"], "xsub_val": ["c"]})
    for before, after in zip(content["annotations"], again["annotations"], strict=False):
        for field in ("frame_dir", "total_frames", "img_shape", "original_shape"):
            assert before[field] == after[field]
        for field in ("keypoint", "keypoint_score"):
            np.testing.assert_array_equal(before[field].astype(np.float32), after[field])
    for before, after in zip(first, pyskl.pyskl_to_sequences(again, **parts), strict=True):
        assert_same(before, after)


def test_names_must_be_one_for_one():
    with pytest.raises(DataError, match="two sequences have one name"):
        pyskl.sequences_to_pyskl([recording("a", "walk", False), recording("a", "run", True)])
    with pytest.raises(DataError, match="split train names clips that are not"):
        pyskl.sequences_to_pyskl([recording("a", "walk", False)], {"train": ["b"]})


def one(**fields):
    return {"split": {"train": ["a"], "val": []}, "annotations": [annotation(**{"name": "a", "label": 0, **fields})]}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ([], "not in PYSKL's format"),
        ({"split": {}}, "not in PYSKL's format"),
        ({"split": [], "annotations": []}, "no dict `split`"),
        ({"split": {"train": "a"}, "annotations": []}, "no dict `split`"),
        ({"split": {"train": ["a"], "val": []}, "annotations": [3]}, "annotation 0 has no name"),
        (one(keypoint=None), "table of contents"),
        (one(keypoint=np.ones((1, 12, 17))), "of shape"),
        (one(keypoint=np.ones((1, 12, 17, 4))), "of shape"),
        (one(keypoint=np.full((2, 12, 17, 2), "a")), "of shape"),
        (one(keypoint=np.ones((1, 12, 19, 2)), keypoint_score=None), "name the layout"),
        (one(keypoint_score=np.ones((2, 12, 16))), "does not fit"),
        (one(total_frames=13), "total_frames says 13"),
        (one(total_frames=np.array([12, 12])), "`total_frames` is not a number"),
        (one(keypoint=np.ones((12, 2, 17, 2)), total_frames=np.array([12, 12])), "`total_frames` is not a number"),
        (one(total_frames=None), "`total_frames` is not a number"),
        (one(total_frames=np.int64(12)), None),
        (one(label="walk"), "its label is not a number"),
        (one(label=-1), "its label is not a number"),
        (one(label=None), "its label is not a number"),
        (one(actionlens={"seen": 3, "fps": "x", "layout": []}), None),
    ],
)
def test_content_that_is_not_pyskls_is_one_line(content, word, tmp_path):
    file = dump(tmp_path, content)
    if word is None:
        assert len(list(pyskl.read(file))) == 1
        return
    line = problem_in(file)
    assert word in line
    assert str(file) in line
    assert "\n" not in line


def problem_in(file):
    """The line for a file's one clip, or for the file."""
    try:
        (problem,) = pyskl.read(file)
    except DataError as error:
        return str(error)
    assert isinstance(problem, DataError)
    return str(problem)


def test_labels_beyond_the_named_actions_and_missing_files(tmp_path):
    good, *others = pyskl.pyskl_to_sequences(published(), "xsub_train", "xsub_val", actions=["walk"])
    assert good.action == "walk"
    assert [str(other) for other in others] == [
        f"{name}: label 5, but there are 1 names of actions" for name in ("b", "c")
    ]
    with pytest.raises(DataError, match="no file"):
        list(pyskl.read(tmp_path / "gone.pkl"))


def test_a_folder_with_one_pickle_is_enough(tmp_path):
    with pytest.raises(DataError, match="0 PYSKL pickles"):
        list(pyskl.read(tmp_path))
    dump(tmp_path, published())
    assert len(list(pyskl.read(tmp_path, "xsub_train", "xsub_val"))) == 3
    (tmp_path / "second.pkl").write_bytes(b"")
    with pytest.raises(DataError, match="2 PYSKL pickles"):
        list(pyskl.read(tmp_path))


def test_joints_that_are_not_numbers_are_missing_and_empty_clips_left_out(caplog):
    content = one(people=1)
    content["annotations"][0]["keypoint"][0, 3, 5] = np.nan
    content["annotations"].append(annotation("b", 0, people=0))
    content["split"]["val"] = ["b"]
    found, empty = pyskl.pyskl_to_sequences(content)
    assert (type(empty), str(empty)) == (EmptyFileError, "b: nobody in it, left out")
    assert np.isfinite(found.joints).all()
    assert np.argwhere(~found.seen).tolist() == [[3, 5]]
    assert "1 joints are not numbers" in caplog.text


# Hostile pickles -----------------------------------------------------------------------------------------------------


class Calls:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def assert_refused(file, *words):
    with pytest.raises(DataError) as caught:
        restricted_pickle.load(file)
    line = str(caught.value)
    assert "\n" not in line
    assert str(file) in line
    assert all(word in line for word in words), line


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("function", [os.system, eval, exec, open, getattr, __import__, io.open_code, np.load, np.save])
def test_pickles_that_call_something_are_refused_before_they_do(function, protocol, tmp_path):
    trace = tmp_path / "trace"
    file = dump(tmp_path, {"split": Calls(function, str(trace), "w")}, protocol)
    assert_refused(file, "it asks for")
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        collections.OrderedDict(a=1),
        np.array([1, None], dtype=object),
        np.zeros(3, dtype=[("a", "i4"), ("b", "O")]),
        np.zeros(3, dtype=[("a", "i4")]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.ma.masked_array([1, 2]),
        np.zeros((2, 2)).view(np.matrix),
        range(3),
        1j,
        int,
        len,
        np.float32,
        slice(1, 2),
    ],
    ids=lambda content: type(content).__name__,
)
def test_what_is_no_plain_data_is_refused(content, tmp_path):
    assert_refused(dump(tmp_path, [content]))


def reconstructed(state, dtype=b"f8"):
    """A protocol-0 pickle of an array with a state of one's own."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n"
        + state.replace(b"DTYPE", b"cnumpy\ndtype\n(S'" + dtype + b"'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb")
        + b"tb."
    )


@pytest.mark.parametrize(
    "content",
    [
        reconstructed(b"(I9\ntDTYPEI00\nS'12345678'\n"),  # more than the bytes hold
        reconstructed(b"(I-1\ntDTYPEI00\nS'12345678'\n"),
        reconstructed(b"(I1\ntNI00\nS'12345678'\n"),
        reconstructed(b"(I1\ntDTYPEI00\n(lI1\na"),  # a list instead of bytes
        reconstructed(b"(I1\ntDTYPEI00\nS'12345678'\n", b"O8"),
        reconstructed(b"(I1\ntDTYPEI00\nS'12345678'\n", b"f8,O"),
        reconstructed(b"(I1\ntDTYPEI00\nS'12345678'\n", b"V8"),
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.",  # never filled
        b"cnumpy.core.multiarray\nscalar\n(I1\nS'a'\ntR.",
        b"cnumpy\nndarray\n(I3\nS'f8'\nS'short'\ntR.",
        b"cnumpy\nndarray\n(I1000000000\nS'S0'\nc_codecs\nencode\n(V\nVlatin1\ntRtR.",  # a gigabyte out of no byte
        b"cnumpy\nndarray\n(I3\nS'<U0'\nc_codecs\nencode\n(V\nVlatin1\ntRtR.",
        b"cnumpy\nndarray\n.",
        b"c_codecs\nencode\n(Vx\nVrot13\ntR.",
        b"c_codecs\nencode\n(Vx\nVlatin1\ntR(dVa\nI1\nsb.",  # sets attributes of what it made
        b"cnumpy\ndtype\n(dV__call__\nI1\nsb.",  # sets attributes of a stand-in
        b"cbuiltins\nbytearray\n(I99999999999\ntR.",
        b"P1\n.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x01x\x85R.",
        b"\x82\x01.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
        b"(" * 50 + b".",
        b"",
        b".",
        b"\x80\xff.",
        b"hello",
    ],
)
def test_pickles_written_by_hand_are_refused(content, tmp_path):
    file = tmp_path / "hostile.pkl"
    file.write_bytes(content)
    assert_refused(file)


def test_pickles_nested_or_tied_into_a_knot(tmp_path):
    file = tmp_path / "hostile.pkl"
    file.write_bytes(b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".")
    assert_refused(file)
    knot = []
    knot.append(knot)
    assert restricted_pickle.load(dump(tmp_path, knot)) == [None]
    laughs = ["ha"]
    for _ in range(60):
        laughs = [laughs, laughs]  # 2 ** 60 leaves, 60 lists
    assert len(restricted_pickle.load(dump(tmp_path, laughs))) == 2


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    whole = dump(tmp_path, published()).read_bytes()
    for share in (0.1, 0.5, 0.99):
        file = tmp_path / "cut.pkl"
        file.write_bytes(whole[: int(share * len(whole))])
        assert_refused(file)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 4), np.float32),
        np.array(["a", "bcd"]),
        np.array([True, False]),
        np.array(3.5),
    ],
)
def test_every_plain_array_is_read(array, protocol, tmp_path):
    found = restricted_pickle.load(dump(tmp_path, {"x": array, "again": array}, protocol))
    np.testing.assert_array_equal(found["x"], array)
    assert found["x"].dtype == array.dtype
    assert found["x"].shape == array.shape


def test_writing_what_cannot_be_read_leaves_nothing(tmp_path):
    with pytest.raises(TypeError, match="neither numbers nor text"):
        restricted_pickle.save([np.array([None])], tmp_path / "x.pkl")
    assert list(tmp_path.iterdir()) == []


def test_two_processes_that_write_one_pickle_do_not_share_a_temporary_name(tmp_path, monkeypatch):
    names = []
    replace_file = os.replace
    monkeypatch.setattr("pose.whole_file.os.replace", lambda one, two: (names.append(one.name), replace_file(one, two)))
    restricted_pickle.save([1], tmp_path / "x.pkl")
    assert str(os.getpid()) in names[0]
    assert [path.name for path in tmp_path.iterdir()] == ["x.pkl"]


def test_real_recordings_survive(real_data, tmp_path):
    recordings = [r for r, _ in zip(penn_action.read(real_data / penn_action.NAME), range(40), strict=False)]
    restricted_pickle.save(pyskl.sequences_to_pyskl(recordings), tmp_path / "penn.pkl")
    for before, after in zip(recordings, pyskl.read(tmp_path / "penn.pkl"), strict=True):
        assert_same(before, after)


# Arrays in another layout than the format's.


def pixels(*shape):
    """Places in a picture of 1920 x 1080, as people are in it."""
    return (RNG.uniform(0.1, 0.9, (*shape, 2)) * (1920, 1080)).astype(np.float32)


SCORES = RNG.uniform(0, 1, (2, 12, 17, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"keypoint": np.concatenate([pixels(2, 12, 17), SCORES], axis=-1)}, "likely a score and no depth"),
        ({"keypoint": np.concatenate([pixels(2, 12, 17) / 1920, SCORES], axis=-1)}, "likely a score and no depth"),
        (
            {"keypoint": np.concatenate([pixels(2, 12, 17), 1.4 * SCORES], axis=-1)},
            r"in 0\.\.1\.4, so it is likely a score",
        ),
        ({"keypoint": np.concatenate([pixels(2, 12, 13), SCORES[:, :, :13]], axis=-1)}, "likely a score and no depth"),
        ({"keypoint": np.concatenate([pixels(2, 12, 17), 0 * SCORES], axis=-1)}, "leave it out"),
        ({"keypoint": pixels(2, 12, 17) / (1920, 1080)}, "likely shares of its sides"),
        ({"keypoint": pixels(2, 12, 17), "img_shape": (1920, 1080)}, r"likely `img_shape` is \(width, height\)"),
        ({"keypoint": pixels(2, 12, 17)[..., ::-1]}, r"joints are \(y, x\)"),
        ({"keypoint": pixels(2, 12, 17) * 1000}, "far outside the picture of 1920x1080"),
        ({"keypoint": pixels(2, 12, 17) - 5000}, "far outside the picture of 1920x1080"),
        ({"keypoint": pixels(12, 2, 17)}, "swap the first two axes"),
        ({"keypoint": pixels(80, 2, 17), "total_frames": None}, "swap the first two axes"),
        ({"keypoint": pixels(12, 17)}, "add the axis of people"),
        ({"keypoint": pixels(2, 12, 17).transpose(0, 1, 3, 2)}, "swap the last two axes"),
        ({"keypoint": pixels(2, 12, 17).transpose(0, 3, 1, 2)}, "put the values last"),
        ({"keypoint": RNG.normal(size=(2, 12, 17, 4))}, "not \\(people, frames, joints, 2 or 3\\)"),
    ],
)
def test_another_layout_is_named_in_one_line(fields, says, tmp_path):
    fields = {"keypoint_score": None} | fields
    content = one(**fields)
    if fields.get("total_frames", 0) is None:
        del content["annotations"][0]["total_frames"]
    line = problem_in(dump(tmp_path, content))
    assert re.search(says, line)
    assert "\n" not in line
    assert "set.pkl: a: " in line


def test_what_is_plausible_is_read(tmp_path):
    kinect = RNG.normal(size=(1, 12, 25, 3)).astype(np.float32) + np.float32(3)
    centred = RNG.normal(size=(1, 12, 17, 3)).astype(np.float32)  # metres about the hips
    edge = pixels(2, 12, 17) * 1.05 - (50, 20)  # a little outside
    few = pixels(2, 12, 17)
    few[:, :, :3] = -4000  # three of seventeen joints
    for keypoint in (kinect, centred, edge, few):
        shape = {"img_shape": (1080, 1920), "keypoint_score": None}
        (recording,) = pyskl.read(dump(tmp_path, one(people=len(keypoint), keypoint=keypoint, **shape)))
        assert recording.seen.all()
