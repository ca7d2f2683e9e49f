"""Recorded clips by the path of their file: which of its clips learn and test, and a line for every bad file."""

import json

import numpy as np
import pytest

from recognizer.datasets import restricted_pickle
from recognizer.datasets.clip_files import ClipFile, clip_file, read
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.library_exports import read_coco, read_tables
from recognizer.datasets.sequences import ActionSequence


def annotation(name, label, subject=None, frames=12):
    rng = np.random.default_rng(label)
    note = {
        **{"frame_dir": name, "label": label, "total_frames": frames, "img_shape": (480, 640)},
        "keypoint": rng.uniform(50, 400, (1, frames, 17, 2)).astype(np.float32),
        "keypoint_score": np.full((1, frames, 17), 0.8, np.float32),
    }
    return note if subject is None else {**note, "actionlens": {"subject": subject, "dataset": "actionlens"}}


NOTES = [annotation(f"c{number}", number % 2, number // 2) for number in range(12)]  # six people, two actions


def pickled(tmp_path, split, notes=NOTES, name="mine.pkl"):
    restricted_pickle.save({"split": split, "annotations": list(notes)}, tmp_path / name)
    return tmp_path / name


def parts(found):
    tags = {"train": [], "validation": [], "test": []}
    for one in found:
        assert isinstance(one, ActionSequence)
        tags["test" if one.test else "validation" if one.validation else "train"].append(one.name)
    return tags


def test_the_parts_are_those_of_the_files_split(tmp_path):
    split = {"a_train": ["c0", "c1"], "a_validation": ["c2", "c3"], "a_test": ["c4", "c5"]}
    assert parts(read(ClipFile(pickled(tmp_path, split)))) == {
        **{"train": ["c0", "c1"], "validation": ["c2", "c3"], "test": ["c4", "c5"]}
    }


def test_what_pyskl_calls_val_tests_where_nothing_else_does(tmp_path):
    split = {"train": ["c0", "c1"], "val": ["c2", "c3"]}
    assert parts(read(ClipFile(pickled(tmp_path, split)))) == {
        **{"train": ["c0", "c1"], "validation": [], "test": ["c2", "c3"]}
    }


def test_one_of_several_splits_is_named_behind_the_path(tmp_path):
    split = {"xsub_train": ["c0", "c1"], "xsub_val": ["c2"], "xview_train": ["c2", "c3"], "xview_val": ["c1"]}
    file = pickled(tmp_path, split)
    with pytest.raises(DataError, match=rf"has splits xsub, xview; name one behind the path, as in {file}@xsub"):
        read(ClipFile(file))
    named = clip_file(f"{file}@xview")
    assert named == ClipFile(file, "xview")
    assert named.name == "mine.pkl@xview"
    assert parts(read(named))["test"] == ["c1"]
    with pytest.raises(DataError, match="no split 'xset'; there are: xsub, xview"):
        read(ClipFile(file, "xset"))


def test_of_numbered_splits_the_first_is_used_unless_another_is_named(tmp_path, caplog):
    split = {"train2": ["c2", "c3"], "test2": ["c1"], "train1": ["c0", "c1"], "test1": ["c2"], "train10": ["c3"]}
    file = pickled(tmp_path, split)
    first = {"train": ["c0", "c1"], "validation": [], "test": ["c2"]}
    assert parts(read(ClipFile(file))) == first
    assert f"{file} has splits split2, split1, split10; split1 is used, name another behind the path" in caplog.text
    assert parts(read(ClipFile(file, "split1"))) == first
    assert parts(read(ClipFile(file, "split2"))) == {"train": ["c2", "c3"], "validation": [], "test": ["c1"]}
    with pytest.raises(DataError, match="no split 'split3'; there are: split2, split1, split10"):
        read(ClipFile(file, "split3"))


def test_without_a_split_every_third_person_tests(tmp_path, caplog):
    file = pickled(tmp_path, {"train": [f"c{number}" for number in range(12)], "test": []})
    assert parts(read(ClipFile(file)))["test"] == ["c4", "c5", "c10", "c11"]  # people 2 and 5
    assert "no split, so 2 of 6 people test" in caplog.text


def test_of_two_people_the_second_tests_and_clips_of_nobody_are_left_out(tmp_path, caplog):
    file = pickled(tmp_path, {}, [*NOTES[:4], annotation("nobody", 0)])
    assert parts(read(ClipFile(file))) == {"train": ["c0", "c1"], "validation": [], "test": ["c2", "c3"]}
    assert "1 clips of nobody" in caplog.text


def test_a_clip_that_cannot_be_used_costs_itself_alone(tmp_path):
    flat = {**annotation("flat", 0), "keypoint": np.zeros((17, 2), np.float32)}
    empty = {**annotation("empty", 0), "keypoint": np.zeros((0, 12, 17, 2), np.float32)}
    empty["keypoint_score"] = np.zeros((0, 12, 17), np.float32)
    file = pickled(tmp_path, {"train": ["c0", "c1", "flat"], "test": ["c2", "empty"]}, [*NOTES, flat, empty])
    found = read(ClipFile(file))
    problems = [one for one in found if isinstance(one, DataError)]
    assert [one.name for one in found if isinstance(one, ActionSequence)] == ["c0", "c1", "c2"]
    assert [str(file) in str(problem) for problem in problems] == [True, True]
    assert isinstance(problems[1], EmptyFileError)


@pytest.mark.parametrize(
    ("split", "notes", "line"),
    [
        ({"train": ["c0", "c1"], "test": ["c0"]}, NOTES, "c0 is in train and in test of one split"),
        ({"train": ["c0"], "test": ["c1"]}, NOTES, "'action_1' is in no training clip, but in others"),
        ({"train": [], "test": ["c1"]}, NOTES, "no clip to learn from; put some into train"),
        ({}, NOTES[:2], "no split, and not two people to make one by; split the clips in the library"),
        ({"train": [], "test": []}, [], "no labelled clip that can be used"),
        ({"train": ["c0"], "test": ["c1"]}, [NOTES[0], NOTES[0]], "two clips are called c0"),
        ([], NOTES, "not in PYSKL's format"),
    ],
)
def test_a_bad_pickle_is_one_line(split, notes, line, tmp_path):
    with pytest.raises(DataError, match=line) as raised:
        read(ClipFile(pickled(tmp_path, split, notes)))
    assert "\n" not in str(raised.value)
    assert "mine.pkl" in str(raised.value)


def test_files_of_another_kind_are_one_line(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "hello.pkl").write_text("hello")
    (tmp_path / "coco.json").write_text(json.dumps({"images": [], "annotations": []}))
    for name, line in (
        ("notes.txt", "is not a PYSKL pickle"),
        ("hello.pkl", "not a pickle of plain arrays"),
        ("coco.json", "has no list `clips` of labels"),
        ("missing.pkl", "no file .*missing.pkl; give a PYSKL pickle"),
        (".", "is not a PYSKL pickle"),
    ):
        with pytest.raises(DataError, match=line) as raised:
            read(clip_file(str(tmp_path / name)))
        assert "\n" not in str(raised.value)


def test_a_name_of_a_data_set_is_no_path():
    assert clip_file("penn") is None
    assert clip_file("clips.pkl") is not None


def tables(folder, recordings=("20260101-000000-aaaaaa", "20260102-000000-bbbbbb"), **joints):
    """Two people, each with a recording of 20 frames and two actions in it."""
    (folder / "joints").mkdir(parents=True)
    rows, clips = ["recording,width,height,layout"], ["clip,recording,person,start_s,end_s,action,who"]
    for number, name in enumerate(recordings):
        rows.append(f"{name},640,480,coco-17")
        for action in range(2):
            who = ("Ada", "Bo")[number]
            clips.append(f"{2 * number + action},{name},0,{action * 0.3},{action * 0.3 + 0.25},a{action},{who}")
        if "/" not in name:
            arrays = {
                **{"times_s": np.arange(20) / 30, "frame": np.arange(20), "person": np.zeros(20, np.int64)},
                "xy_px": np.random.default_rng(number).uniform(50, 400, (20, 17, 2)).astype(np.float32),
                "confidence": np.ones((20, 17), np.float32),
            }
            np.savez(folder / "joints" / f"{name}.npz", **{**arrays, **joints})
    for table, lines in (("recordings", rows), ("clips", clips), ("splits", ["split,clip,part"])):
        (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_tables_give_clips_and_their_people(tmp_path):
    found = read(ClipFile(tables(tmp_path / "out")))
    assert [(one.name[-2:], one.action, one.subject, one.test) for one in found] == [
        *(("/0", "a0", 0, False), ("/1", "a1", 0, False), ("/2", "a0", 1, True), ("/3", "a1", 1, True))
    ]
    assert all(len(one.joints) == 8 for one in found)
    assert found[0].fps == pytest.approx(30)


def test_the_splits_of_tables_count(tmp_path):
    folder = tables(tmp_path / "out")
    (folder / "splits.csv").write_text("split,clip,part\nmine,0,train\nmine,1,train\nmine,2,test\nmine,9,test\n")
    assert [one.name[-1] for one in read(ClipFile(folder))] == ["0", "1", "2"]
    assert [one.test for one in read(ClipFile(folder))] == [False, False, True]


@pytest.mark.parametrize("word", ["test", "Test", " TEST "])
def test_parts_of_tables_are_read_as_people_write_them(word, tmp_path):
    folder = tables(tmp_path / "out")
    lines = ("split,clip,part", "mine,0,Train", "mine,1,train", "mine,2,val", f"mine,3,{word}")
    (folder / "splits.csv").write_text("\n".join(lines) + "\n")
    assert [(one.validation, one.test) for one in read(ClipFile(folder))] == [
        *((False, False), (False, False), (True, False), (False, True))
    ]


def test_an_unknown_part_trains_nobody(tmp_path):
    folder = tables(tmp_path / "out")
    (folder / "splits.csv").write_text("split,clip,part\nmine,0,train\nmine,2,testing\n")
    with pytest.raises(DataError, match=r"no part 'testing', of clip 2; write one of train, validation, val, test"):
        read(ClipFile(folder))


def test_parts_of_pickles_are_read_as_people_write_them(tmp_path):
    split = {"a_Train": ["c0", "c1"], "a_TEST": ["c4", "c5"]}
    assert parts(read(ClipFile(pickled(tmp_path, split))))["test"] == ["c4", "c5"]


@pytest.mark.parametrize(
    ("joints", "line"),
    [
        ({"times_s": np.zeros(20)}, "its times do not grow"),
        ({"confidence": np.ones((20, 9), np.float32)}, "xy_px is float32 of"),
        ({"frame": np.arange(20) + 5}, "poses of frames that are not there"),
        ({"xy_px": np.full((20, 17, 2), np.nan, np.float32)}, "joints or times that are not numbers"),
        ({"person": np.array([{}] * 20)}, "Object arrays cannot be loaded"),
    ],
)
def test_a_recording_of_tables_that_is_damaged_is_one_line(joints, line, tmp_path, caplog):
    folder = tables(tmp_path / "out", **joints)
    with pytest.raises(DataError, match="no labelled clip that can be used") as raised:
        read(ClipFile(folder))
    assert "\n" not in str(raised.value)
    problems = [str(one) for one in read_tables(folder).found]
    assert len(problems) == 2
    assert line in problems[0]


def test_a_recording_of_tables_leads_to_no_other_folder(tmp_path):
    folder = tables(tmp_path / "out", ("20260101-000000-aaaaaa", "../../elsewhere"))
    (problem,) = [one for one in read_tables(folder).found if isinstance(one, DataError)]
    assert "that is not a recording's name" in str(problem)


def test_numbers_of_tables_that_are_none_cost_their_recording(tmp_path):
    folder = tables(tmp_path / "out")
    text = (folder / "clips.csv").read_text().replace(",0,0.0,", ",nobody,0.0,", 1)
    (folder / "clips.csv").write_text(text)
    (problem,) = [one for one in read_tables(folder).found if isinstance(one, DataError)]
    assert "invalid literal for int()" in str(problem)
    (folder / "clips.csv").unlink()
    with pytest.raises(DataError, match=r"clips.csv is missing; export it again"):
        read(ClipFile(folder))


@pytest.mark.parametrize(
    "change",
    [
        {"images": [{"id": 1}]},
        {"categories": [{"id": 1, "layout": "nobody-7"}]},
        {"categories": [], "annotations": []},
        {"annotations": [{"image_id": 7, "category_id": 1, "track_id": 0, "keypoints": [0] * 51}]},
        {"annotations": [{"image_id": 1, "category_id": 1, "track_id": 0, "keypoints": [0] * 50}]},
        {"clips": [{"recording": "other", "track_id": 0, "start_s": 0, "end_s": 1, "action": "a", "person": None}]},
        {"clips": [{"recording": "r", "track_id": 0, "start_s": 0, "end_s": 1, "action": ["a"], "person": None}]},
        {"clips": [{"recording": "r", "track_id": 0, "start_s": "x", "end_s": 1, "action": "a", "person": None}]},
        {"clips": ["a"]},
    ],
)
def test_a_damaged_coco_export_is_one_line(change, tmp_path):
    whole = {
        "categories": [{"id": 1, "layout": "coco-17"}],
        "images": [
            {"id": place, "recording": "r", "time_s": place / 30, "width": 640, "height": 480} for place in (1, 2)
        ],
        "annotations": [
            {"image_id": place, "category_id": 1, "track_id": 0, "keypoints": [5, 6, 2] * 17} for place in (1, 2)
        ],
        "clips": [{"recording": "r", "track_id": 0, "start_s": 0, "end_s": 1, "action": "a", "person": "Ada"}],
    }
    file = tmp_path / "coco.json"
    file.write_text(json.dumps(whole))
    assert [one.action for one in read_coco(file).found] == ["a"]
    file.write_text(json.dumps({**whole, **change}))
    with pytest.raises(DataError, match="not as the library writes it") as raised:
        read_coco(file)
    assert "\n" not in str(raised.value)
