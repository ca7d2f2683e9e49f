"""Kinetics-Skeleton: a folder written as the set has it."""

import json

import numpy as np
import pytest

from pose.skeleton import OPENPOSE_18
from recognizer.datasets import kinetics_skeleton
from recognizer.datasets.errors import DataError


def skeleton(rng, level):
    return {"pose": rng.uniform(0.1, 0.9, 36).round(3).tolist(), "score": rng.uniform(level, level + 0.1, 18).tolist()}


def write_clip(folder, part, name, frames, label="eating cake", index=3, has_skeleton=True):
    (folder / part).mkdir(exist_ok=True)
    (folder / part / f"{name}.json").write_text(json.dumps({"data": frames, "label": label, "label_index": index}))
    file = folder / f"{part}_label.json"
    labels = json.loads(file.read_text()) if file.is_file() else {}
    labels[name] = {"has_skeleton": has_skeleton, "label": label, "label_index": index}
    file.write_text(json.dumps(labels))


def frames_of(rng, people=3, count=6):
    """Frames 1 to `count`; the people's scores rise with their place in the list."""
    return [
        {"frame_index": frame + 1, "skeleton": [skeleton(rng, 0.2 + 0.2 * person) for person in range(people)]}
        for frame in range(count)
    ]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    write_clip(tmp_path, "kinetics_train", "abc", frames_of(rng))
    write_clip(tmp_path, "kinetics_val", "xyz", frames_of(rng, people=1), "zumba", 399)
    write_clip(tmp_path, "kinetics_train", "none", [], has_skeleton=False)
    return tmp_path


def test_the_two_surest_people_of_each_frame_are_kept(folder):
    train, val = kinetics_skeleton.read(folder)
    assert (train.name, train.action, train.test) == ("abc", "eating_cake", False)
    assert (val.name, val.action, val.test) == ("xyz", "zumba", True)
    frames = json.loads((folder / "kinetics_train" / "abc.json").read_text())["data"]
    assert len(train.joints) == 7  # rows are the files' frame numbers, which begin with 1
    assert not train.seen[0].any()
    for frame in frames:
        row = frame["frame_index"]
        for person, place in ((train.people[0], 2), (train.people[1], 1)):
            expected = np.array(frame["skeleton"][place]["pose"]).reshape(18, 2) * [340, 256]
            np.testing.assert_allclose(person.joints[row], expected, rtol=1e-5)
            np.testing.assert_allclose(person.score[row], frame["skeleton"][place]["score"], rtol=1e-6)
    assert val.others == ()
    assert val.size_px == (340, 256)
    assert val.layout == OPENPOSE_18


def test_joints_of_score_0_are_missing_and_only_five_people_are_read(tmp_path):
    rng = np.random.default_rng(0)
    frames = frames_of(rng, people=7, count=3)  # the surest are sixth and seventh
    frames[1]["skeleton"][4]["score"][9] = 0
    write_clip(tmp_path, "kinetics_train", "abc", frames)
    write_clip(tmp_path, "kinetics_val", "xyz", frames)
    recording = next(kinetics_skeleton.read(tmp_path))
    np.testing.assert_allclose(recording.score[1], frames[0]["skeleton"][4]["score"], rtol=1e-6)
    assert np.argwhere(~recording.seen[1:]).tolist() == [[1, 9]]
    assert not recording.joints[2, 9].any()


@pytest.mark.parametrize(
    "frames",
    [
        "text",
        [3],
        [{"frame_index": "1", "skeleton": []}],
        [{"frame_index": -1, "skeleton": []}],
        [{"frame_index": 10**12, "skeleton": []}],
        [{"frame_index": True, "skeleton": []}],
        [{"frame_index": 1, "skeleton": [{"pose": [1, 2]}]}],
        [{"frame_index": 1, "skeleton": [{"pose": [1, 2], "score": [1]}]}],
        [{"frame_index": 1, "skeleton": [{"pose": ["a"] * 36, "score": [1] * 18}]}],
        [{"frame_index": 1, "skeleton": [{"pose": [[1], [1, 2]], "score": [1] * 18}]}],
        [{"frame_index": 1, "skeleton": {}}],
        [],
    ],
)
def test_damaged_clips_are_one_line(frames, folder):
    write_clip(folder, "kinetics_train", "abc", frames)
    problem, good = kinetics_skeleton.read(folder)
    assert isinstance(problem, DataError)
    assert "abc.json" in str(problem)
    assert "\n" not in str(problem)
    assert good.name == "xyz"


def test_joints_that_are_not_numbers_are_missing(folder, caplog):
    frames = frames_of(np.random.default_rng(0), people=1)
    frames[2]["skeleton"][0]["pose"][0] = float("nan")
    write_clip(folder, "kinetics_train", "abc", frames)
    recording = next(kinetics_skeleton.read(folder))
    assert np.isfinite(recording.joints).all()
    assert np.argwhere(~recording.seen[1:]).tolist() == [[2, 0]]
    assert "taken as missing" in caplog.text


def test_labels_that_do_not_fit(folder):
    labels = folder / "kinetics_train_label.json"
    kept = labels.read_text()
    labels.write_text(kept.replace('"label_index": 3', '"label_index": 4', 1))
    for content, words in ((None, ["label_index"]), ("{}", ["has no label"] * 2), ("[", ["not a whole JSON file"])):
        if content is not None:
            labels.write_text(content)
        *problems, good = kinetics_skeleton.read(folder)
        assert good.name == "xyz"
        assert len(problems) == len(words)
        assert all(word in str(problem) for word, problem in zip(words, problems, strict=True))


def test_a_folder_without_the_set_is_one_line(tmp_path):
    with pytest.raises(DataError, match="give the folder of Kinetics-Skeleton"):
        list(kinetics_skeleton.read(tmp_path))
