"""An estimator of 17 joints through the whole program: live, takes, import of videos, teaching, export, and more."""

import json
from pathlib import Path

import coco_estimator
import numpy as np
import pytest
from coco_estimator import KIND
from demo_poses import play, record, segment, watch

from app.library.catalogue import Library
from app.library.export_formats import FORMATS, Export
from app.library.import_videos import ImportOptions, import_videos
from app.live.engine import Engine
from app.outputs.video_writer import VideoWriter
from app.recording.folder import read_recording
from app.recording.recorder import Recorder, TakeSettings
from app.results import EngineState
from app.settings import RunOptions
from app.tools import doctor
from app.tools.doctor_system import Status
from pose.demo.source import DemoSource
from pose.estimators import ESTIMATORS
from pose.skeleton import COCO_17, MEDIAPIPE_33, convert
from pose.types import Pose
from recognizer.datasets import pyskl
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.run import run_quick

BASE = Path(__file__).parents[2] / "weights" / "act"
SIZE = (160, 120)
SECONDS = 14.0  # of the demo
TAUGHT = {"boot": "kick", "greet": "wave"}
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def _a_row():
    """In this process alone: what finds poses elsewhere gets the row along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ESTIMATORS, KIND.name, KIND)
        yield


@pytest.fixture(autouse=True)
def _no_model(monkeypatch):
    """An estimator that needs no model asks for none."""
    monkeypatch.setattr("pose.model_asset.find_pose_model", None)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A live run on the demo with a take that begins before anybody is seen: results, and the recording."""
    results, saved, failed = [], [], []
    options = RunOptions(source="demo", model="act", pose=KIND.name, provider="cpu", paced=False, seconds=SECONDS)
    engine = Engine(options, open_source=lambda _: DemoSource(size=SIZE, fps=15.0, paced=False))
    root = tmp_path_factory.mktemp("takes")
    recorder = Recorder(root, "demo", options.layout, saved=saved.append, failed=failed.append, lossless=True)
    recorder.arm(TakeSettings("today", action="anything", countdown_s=0, pre_roll_s=0, longest_s=60.0))
    recorder.start()
    engine.add_tap(results.append)
    engine.add_tap(recorder)
    engine.start()
    try:
        assert engine.wait(300)
    finally:
        engine.stop()
        recorder.close()
    assert (engine.state, engine.failure, failed) == (EngineState.STOPPED, None, [])
    return results, saved


def test_live_recognises_in_its_layout(run):
    results, _ = run
    assert {person.pose.layout for result in results for person in result.persons} == {COCO_17}
    started = {event.action for result in results for event in result.events if event.kind == "start"}
    script = {s.action for s in DemoSource(paced=False).script if coco_estimator.NOBODY_S < s.end_s < SECONDS - 2}
    assert started >= script - {"idle"}
    assert len(started - script) <= 1


def test_a_take_begins_with_nobody_and_ends_when_the_person_stands_still(run):
    _, (folder, *_) = run
    kept = read_recording(folder)
    assert kept.info.layout == COCO_17.name
    assert kept.info.duration_s < SECONDS - 2
    assert kept.times_s[kept.frame[0]] == pytest.approx(coco_estimator.NOBODY_S, abs=0.1)
    assert kept.xy_px.shape[1:] == (17, 2)


def in_coco(poses):
    """The same poses as 17 joints."""
    found = []
    for pose in poses:
        xy, confidence = convert(pose.xy_px, pose.confidence, MEDIAPIPE_33, COCO_17)
        found.append(Pose(xy, confidence, COCO_17, pose.time_s, pose.person))
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A library with three takes of each action, and an imported video."""
    root = tmp_path_factory.mktemp("library")
    for name, action in TAUGHT.items():
        does = segment(action)
        for number, lead_s in enumerate((0.6, 1.0, 1.4)):
            start_s = max(does.start_s - 4, 0.0)
            poses = in_coco(play(start_s, does.end_s + 2.2, seed=number, first_s=start_s))
            assert len(record(root, poses, does.start_s - lead_s, name, layout=COCO_17)) == 1
    video = root / "video.mp4"
    demo, writer = DemoSource(size=SIZE, paced=False), VideoWriter(video)
    for _ in range(120):
        frame = demo.read()
        writer.write(frame.bgr, frame.time_s)
    writer.close()
    with Library(root) as library, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pose.model_asset.find_pose_model", None)
        report = import_videos(library, [video], ImportOptions(pose=KIND.name, action="standing", jobs=1))
    assert report.problems == []
    return root


def test_a_video_is_imported_in_its_layout(root):
    with Library(root) as library:
        (row,) = (row for row in library.recordings() if row.source == "video.mp4")
        recording = library.open_recording(row.id)
    assert recording.layout == COCO_17
    assert len(recording.xy_px) == 90  # of 120 frames; in the first second nobody is there
    demo = DemoSource(size=SIZE, paced=False)
    wrist = recording.xy_px[-1, COCO_17.index("left_wrist")]
    np.testing.assert_allclose(wrist, demo.truth(119 / 30).joints_px[5], atol=0.5)


@pytest.mark.slow  # in 33 joints: test_default_takes; segments of other layouts: recognizer/teaching/test_quick
def test_what_it_saw_teaches(root):
    with Library(root) as library:
        examples = library.examples([*TAUGHT])
    assert {example.layout for example in examples} == {COCO_17}
    taught = run_quick(TeachingRequest(QUICK, "mine", BASE, root / "models", examples, keep_base=True))
    for name, action in TAUGHT.items():
        does = segment(action)
        start_s = does.start_s - 4
        _, starts = watch(taught.folder, in_coco(play(start_s, does.end_s + 2, look=5, seed=9, first_s=start_s)))
        (found_s,) = [at_s for shown, at_s in starts if shown in TAUGHT]
        assert does.start_s - 1 < found_s < does.end_s
        assert [shown for shown, _ in starts if shown in TAUGHT] == [name]


def test_what_it_saw_is_exported(root, tmp_path):
    with Library(root) as library:
        rows, segments = library.recordings(), library.segments(limit=-1)
        for name, format_ in FORMATS.items():
            target = tmp_path / f"{name}{format_.ending}"
            format_.write(Export(library, target, segments, rows))
    sequences = list(pyskl.read(tmp_path / "pyskl.pkl"))
    assert {one.layout for one in sequences} == {COCO_17}
    assert {one.action for one in sequences} == {*TAUGHT, "standing"}
    content = json.loads((tmp_path / "coco.json").read_text())
    assert [category["keypoints"] for category in content["categories"]] == [list(COCO_17.joints)]
    assert {len(one["keypoints"]) for one in content["annotations"]} == {3 * 17}
    assert list((tmp_path / "video").glob("*.mp4"))


def test_the_doctor_times_it_and_looks_for_no_model(monkeypatch):
    monkeypatch.setattr(coco_estimator, "NOBODY_S", 0.0)
    model, poses = doctor.check_pose_model(RunOptions(pose=KIND.name))
    assert (model.status, model.detail) == (Status.OK, "COCO needs none")
    assert "person found in 20/20" in poses.detail
    monkeypatch.setattr(coco_estimator, "NOBODY_S", 60.0)
    _, poses = doctor.check_pose_model(RunOptions(pose=KIND.name))
    assert (poses.status, poses.fix) == (Status.FAIL, "")  # there is no model that could be made again


@pytest.mark.slow  # of 33 joints: training/test_explain_command; live: test_explaining
def test_what_it_saw_is_explained(root, tmp_path, capsys):
    pytest.importorskip("torch", reason="needs the extra `train`")
    pytest.importorskip("matplotlib", reason="needs the extra `train`")
    from recognizer.training.command_line import main

    arguments = ["explain", str(root / "video.mp4"), "--pose", KIND.name, "--out", str(tmp_path), "--action", "idle"]
    assert main(arguments) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("act: idle ")
    with np.load(tmp_path / "numbers.npz", allow_pickle=False) as numbers:
        assert numbers["relevance_occlusion"].shape == (30, 13)
