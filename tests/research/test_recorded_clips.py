"""Recorded clips from the library to every trainer: exported in each format, trained on for a moment, evaluated."""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from moving_figure import figure  # noqa: E402

from app.library.catalogue import Library  # noqa: E402
from app.library.export_coco import export_coco  # noqa: E402
from app.library.pose_recordings import describe, store  # noqa: E402
from app.library.pyskl_files import export_pyskl  # noqa: E402
from app.library.rows import NewSegment  # noqa: E402
from app.library.table_files import export_tables  # noqa: E402
from pose.skeleton import MPOSE_13  # noqa: E402
from recognizer.datasets.clip_files import ClipFile, read  # noqa: E402
from recognizer.datasets.recorded import Poses  # noqa: E402
from recognizer.training.command_line import main as train  # noqa: E402
from recognizer.training.everyday import (  # noqa: E402
    ACTIONS,
    OTHER,
    merge,
    placed_by_readers,
    read_all,
    read_clips,
    terms,
)
from recognizer.training.pretrain.recipes import SIZES  # noqa: E402
from recognizer.training.run_folder import load_run  # noqa: E402
from research.command_line import main as research  # noqa: E402
from research.whole_clip import presets  # noqa: E402

FRAMES, FPS = 60, 30.0
QUIET = ("--accelerator", "cpu")


def tracks(seed, action):
    """Two seconds of somebody whose hand goes up, or whose foot does."""
    rng = np.random.default_rng(seed)
    xy = np.repeat(figure()[None], FRAMES, axis=0) + rng.normal(0, 1, (FRAMES, 13, 2))
    joint = MPOSE_13.index("right_wrist" if action == "Wave" else "right_ankle")
    xy[:, joint, 1] -= 150 * np.sin(np.linspace(0, np.pi, FRAMES))
    confidence = np.full((FRAMES, 13), 0.9, np.float32)
    confidence[:, MPOSE_13.index("left_ankle")] = 0.05  # less than the live program goes by
    confidence[:20, MPOSE_13.index("left_knee")] = 0
    frame = np.arange(FRAMES)
    owner = np.zeros(FRAMES, np.int64)
    return Poses(frame / FPS, frame, owner, xy.astype(np.float32), confidence, MPOSE_13, (640, 480))


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Six recordings of each of three people, half of them "Wave" and half "hop": a pickle, tables and coco."""
    root = tmp_path_factory.mktemp("exports")
    with Library(root / "library") as library:
        parts = {}
        for number in range(18):
            action, who = ("Wave", "hop")[number % 2], ("Ada", "Bo", "Cy")[number // 6]
            made = tracks(number, action)
            info = replace(describe(made, "cam"), created=f"2026-01-{1 + number:02d}T00:00:00+00:00")
            folder = store(library.root, library.staging(), info, made)
            recording = library.add_recording(folder, [NewSegment(0, (FRAMES - 1) / FPS, 0, action, who)])
            (segment,) = [row for row in library.segments(limit=-1) if row.recording == recording]
            parts[segment.id] = {"Ada": "train", "Bo": "validation", "Cy": "test"}[who]
        library.set_split("people", parts)
        export_pyskl(library, library.segments(limit=-1), root / "mine.pkl")
        export_tables(library, library.recordings(limit=-1), root / "tables")
        export_coco(library, library.recordings(limit=-1), root / "coco.json")
    return root


@pytest.fixture(params=["mine.pkl", "tables", "coco.json"])
def path(request, exports):
    return exports / request.param


def test_every_export_reads_as_the_same_clips(exports):
    pickle, tables, coco = (read(ClipFile(exports / name)) for name in ("mine.pkl", "tables", "coco.json"))
    assert len(pickle) == len(tables) == len(coco) == 18
    one_by_one = ({sequence.name: sequence for sequence in found} for found in (pickle, tables))
    ours, theirs = one_by_one
    assert set(ours) == set(theirs)
    for name, one in ours.items():
        other = theirs[name]
        np.testing.assert_array_equal(one.joints, other.joints)
        np.testing.assert_array_equal(one.score, other.score)
        assert (one.action, one.test, one.validation) == (other.action, other.test, other.validation)
        assert (one.layout, one.fps, one.subject) == (other.layout, other.fps, other.subject)
    for recorded in coco:  # which rounds joints, and tells of no confidence and no split
        (same,) = [one for name, one in theirs.items() if name.split("/")[0] == recorded.name.split("/")[0]]
        np.testing.assert_allclose(recorded.joints[recorded.seen], same.joints[same.seen], atol=1e-3)
        np.testing.assert_array_equal(recorded.seen, same.seen)
        assert recorded.action == same.action
        assert recorded.test == (same.subject == 2)
    assert sum(sequence.test for sequence in tables) == sum(sequence.validation for sequence in tables) == 6


def test_listed_labels_count_as_their_actions_and_the_live_program_sees_what_it_would(tiny_data, exports):
    corpus = merge([*read_all(tiny_data), *read_clips([ClipFile(exports / "mine.pkl")])])
    own = np.flatnonzero(corpus.dataset == "actionlens")
    assert len(own) == 18
    kinds = {corpus.kinds[corpus.kind[row]]: ACTIONS[corpus.action[row]] for row in own}
    assert kinds == {"actionlens/Wave": "wave", "actionlens/hop": OTHER}
    assert [int((corpus.part[own] == part).sum()) for part in ("train", "validation", "test")] == [6, 6, 6]
    assert not placed_by_readers(corpus)[own].any()
    assert placed_by_readers(corpus)[: len(corpus) - 18].all()
    frames = slice(corpus.first[own[0]], corpus.first[own[0]] + FRAMES)
    ankle, knee = MPOSE_13.index("left_ankle"), MPOSE_13.index("left_knee")
    assert not corpus.seen[frames, ankle].any()
    assert (corpus.joints[frames, ankle, 1] > corpus.joints[frames, knee, 1]).all()  # below the knee, not at 0
    np.testing.assert_array_equal(corpus.joints[frames, knee][:20, 1], corpus.joints[frames, knee][20, 1])
    assert terms(corpus)[-1].name == "recorded clips"


@pytest.mark.timeout(600)
def test_train_learns_them_beside_the_sets_and_the_run_evaluates(tiny_data, exports, tmp_path, capsys):
    data = ["--data", str(tiny_data), "--clips", str(exports / "mine.pkl")]
    run = tmp_path / "run"
    assert train(["train", *data, "--out", str(run), "--network", "act-micro", "--steps", "2", "--batch", "16"]) == 0
    assert "actionlens/hop" in load_run(run).outputs
    assert "actionlens/Wave" not in load_run(run).outputs
    assert train(["evaluate", *data, "--run", str(run), "--split", "test"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert train(["evaluate", "--data", str(tiny_data), "--run", str(run)]) == 2
    assert "give the same --data and --clips" in capsys.readouterr().err


def test_train_tells_a_bad_file_before_it_writes_anything(tiny_data, tmp_path, capsys):
    wrong = ["--clips", str(tmp_path / "missing.pkl")]
    assert train(["train", "--data", str(tiny_data), *wrong, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no file" in error
    assert not (tmp_path / "run").exists()


def _copy_with_another_person(path, other):
    """The same export under the same name elsewhere, in which Ada is called Eve."""
    other.parent.mkdir()
    if path.is_dir():
        shutil.copytree(path, other)
        files = [file for file in other.rglob("*") if file.is_file() and b"Ada" in file.read_bytes()]
    else:
        files = [Path(shutil.copy(path, other))]
    for file in files:
        file.write_bytes(file.read_bytes().replace(b"Ada", b"Eve"))


@pytest.mark.timeout(600)
def test_train_clips_and_benchmark_take_each_export(path, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(presets.PRESETS, "short", presets.preset_of("short-clips").changed(epochs=1, batch=4))
    task = ["--task", str(path), "--preset", "short"]
    assert research(["train-clips", *task, "--out", str(tmp_path / "run"), *QUIET]) == 0
    said = capsys.readouterr().out
    assert "% of 6 clips right" in said
    assert research(["train-clips", *task, "--out", str(tmp_path / "run"), *QUIET]) == 0  # the run is there, and judged
    assert capsys.readouterr().out == said
    places = ["--results", str(tmp_path / "results"), "--runs", str(tmp_path / "runs"), *QUIET]
    command = ["benchmark", "run", "--tasks", str(path), "--preset", "short", "--seeds", "0", *places]
    assert research([*command, "--networks", "st-gcn-short+strategy=distance"]) == 0
    (file,) = (tmp_path / "results").iterdir()
    result = json.loads(file.read_text())
    assert (result["task"], result["of"]) == (path.name, 6)
    assert set(result["recall"]) == {"Wave", "hop"}
    assert str(tmp_path) not in file.read_text()
    other = tmp_path / "other" / path.name
    _copy_with_another_person(path, other)
    again = [str(other) if word == str(path) else word for word in command]
    assert research([*again, "--networks", "st-gcn-short+strategy=distance"]) == 2
    assert "of other clips of that name" in capsys.readouterr().err
    validation = ["--part", "validation", "--networks", "act-micro"]
    if path.name != "coco.json":
        assert research([*command, *validation]) == 0
        assert {json.loads(one.read_text())["learned"] for one in (tmp_path / "results").iterdir()} == {6, 12}


@pytest.mark.timeout(600)
def test_pretrain_takes_each_export_and_the_run_evaluates(path, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})
    call = partial(lambda *words: research(["pretrain", *map(str, words)]))
    few = ("--epochs", 1, "--batch", 8, *QUIET, "--precision", "32-true")
    run = tmp_path / "run"
    assert call("run", "--task", path, "--out", run, "--size", "tiny", "--frames", 8, *few) == 0
    assert "12 clips" in capsys.readouterr().out
    assert call("evaluate", "--task", path, "--runs", run, "--protocols", "linear", *few) == 0
    assert "linear: " in capsys.readouterr().out
    assert call("evaluate", "--task", "nw-ucla", "--runs", run, *few) == 2
    assert f"was pretrained on {path.name}; --task nw-ucla is not that" in capsys.readouterr().err


def test_everyday_pretraining_takes_them_too(tiny_data, exports, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})
    few = ["--size", "tiny", "--epochs", "1", "--batch", "8", *QUIET, "--precision", "32-true"]
    arguments = ["pretrain", "run", "--data", str(tiny_data), "--clips", str(exports / "tables"), *few]
    assert train([*arguments, "--out", str(tmp_path / "with")]) == 0
    assert train(["pretrain", "run", "--data", str(tiny_data), *few, "--out", str(tmp_path / "without")]) == 0
    jobs = [json.loads((tmp_path / name / "job.json").read_text()) for name in ("with", "without")]
    assert jobs[0]["recordings"] - jobs[1]["recordings"] == 6
