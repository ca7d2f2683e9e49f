"""Videos and data sets on their way in, and the command."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from joblib import register_parallel_backend
from joblib._parallel_backends import ThreadingBackend
from library_fakes import add_recording, make_poses

from app.library import commands as command
from app.library import import_videos as module
from app.library import video_poses
from app.library.catalogue import Library
from app.library.database import FILE
from app.library.errors import LibraryError
from app.library.import_any import import_any
from app.library.import_data import import_data_set, import_sequences
from app.library.import_report import ImportOptions
from app.library.import_videos import find_videos, import_videos
from app.library.pose_recordings import describe, keep
from app.library.rows import Filter, NewSegment
from app.library.video_poses import CANCEL, PosedVideo, pose_videos, poses_of
from app.outputs.video_writer import VideoWriter
from app.recording.folder import recordings_folder
from pose.errors import PoseModelError
from pose.estimators import MEDIAPIPE, EstimatorSpec
from pose.model_asset import find_pose_model
from pose.skeleton import KINECT_20, MEDIAPIPE_33, PENN_13
from pose.types import Pose
from pose.video_file import VideoFile
from recognizer.datasets.recorded import Poses
from recognizer.datasets.registry import DATASETS, dataset_in
from recognizer.datasets.sequences import ActionSequence, LabelledSequence, Segment, Skeleton

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"
VIDEOS = SHARED / "videos"


def write_video(path, frames=10, size=(160, 120)):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = VideoWriter(path, lossless=True)
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), number * 5, np.uint8), number / 30)
    writer.close()
    return path


@pytest.fixture
def posed(monkeypatch):
    """Poses without an estimator: each video is given the poses or the line that the test puts here, by its name."""
    answers = {}

    def fake(videos, spec, marks, **options):
        for path in videos:
            if (marks / CANCEL).exists():
                return
            answer = answers.get(path.name, make_poses(sum(os.fsencode(path.name)), people=(0,)))
            answer = answer() if callable(answer) else answer
            yield PosedVideo(path, answer) if isinstance(answer, Poses) else PosedVideo(path, None, answer)

    monkeypatch.setattr(module, "pose_videos", fake)
    monkeypatch.setattr(module, "find_model", lambda kind, path, cancel: Path("none.task"))
    return answers


SPEC = EstimatorSpec(MEDIAPIPE, Path("m"))


def nobody():
    return poses_of([(0.0, ()), (0.1, ())], (160, 120), MEDIAPIPE_33)


def test_one_bad_video_is_one_line_and_the_rest_goes_on(posed, library, tmp_path):
    for name in ("a.mp4", "b.MOV", "c.avi", "sub/d.mkv", ".hidden.mp4", "notes.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    posed |= {"a.mp4": "a.mp4 is damaged: choose another", "c.avi": nobody()}
    told = []
    report = import_videos(library, [tmp_path / "in"], ImportOptions(session="Monday"), tell=told.append)
    assert report.problems == [
        "a.mp4 is damaged: choose another",
        f"{tmp_path / 'in' / 'c.avi'} shows nobody: not imported",
    ]
    assert sorted(row.source for row in library.recordings()) == ["b.MOV", "d.mkv"]
    for row in library.recordings():
        assert (row.session, row.skeleton_only, row.segments) == ("Monday", False, 0)
        assert library.open_recording(row.id).video.read_bytes().decode().endswith(row.source)
    assert (told[-1].done, told[-1].total) == (4, 4)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert list(library.staging().iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_video_whose_name_is_in_an_old_encoding(posed, library, tmp_path):
    path = tmp_path / os.fsdecode("привет.mp4".encode("cp1251"))
    path.write_bytes(b"x")
    report = import_videos(library, [path], ImportOptions(action="wave"))
    assert report.problems == []
    (row,) = library.recordings()
    assert row.source == "??????.mp4"
    assert library.open_recording(row.id).video.read_bytes() == b"x"


def test_labels_come_from_options_or_folders(posed, library, tmp_path):
    made = [make_poses(seed, people=(4,)) for seed in (1, 2)]
    posed["x.mp4"] = iter(made).__next__
    for action in ("wave", "../拍手"):
        folder = tmp_path / action.replace("../", "")
        folder.mkdir()
        (folder / "x.mp4").write_bytes(b"")
    import_videos(library, [tmp_path / "wave"], ImportOptions(action_from_folder=True, who="Ada", skeleton_only=True))
    import_videos(library, [tmp_path / "拍手" / "x.mp4"], ImportOptions(action_from_folder=True))
    segments = {segment.action: segment for segment in library.segments()}
    assert {(segment.action, segment.who, segment.person) for segment in segments.values()} == {
        ("wave", "Ada", 4),
        ("拍手", None, 4),
    }
    assert library.open_recording(segments["wave"].recording).video is None
    assert {len(example.times_s) for example in library.examples()} == {len(made[0].frame)}


def test_cancel_keeps_what_is_finished(posed, library, tmp_path):
    cancel = threading.Event()

    def stop():
        cancel.set()
        deadline = threading.Event()
        while not any(library.staging().glob(f"*/{CANCEL}")):
            assert not deadline.wait(0.01)
        return make_poses()

    posed["b.mp4"] = stop
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    report = import_videos(library, [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")], cancel=cancel)
    assert report.cancelled
    assert sorted(row.source for row in library.recordings()) == ["a.mp4", "b.mp4"]


def test_a_folder_imported_twice_is_told_and_left_out(posed, library, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    first = import_videos(library, [tmp_path / "in"], ImportOptions(action="wave"))
    assert (len(first.recordings), first.copies) == (2, [])
    (tmp_path / "in" / "b.mp4").rename(tmp_path / "in" / "renamed.mp4")
    (tmp_path / "in" / "new.mp4").write_bytes(b"new")
    (tmp_path / "in" / "new again.mp4").write_bytes(b"new")
    second = import_videos(library, [tmp_path / "in"], ImportOptions(action="clap"))
    assert (len(second.recordings), second.problems) == (1, [])
    assert len(second.copies) == 3
    assert second.copies[0].startswith(f"{tmp_path / 'in' / 'a.mp4'} is already in the library (20")
    assert library.count_recordings() == 3
    assert {segment.action for segment in library.segments()} == {"wave", "clap"}


def test_an_import_that_fails_half_way_tells_what_came_in(posed, library, tmp_path, monkeypatch):
    from app.library import import_any as module

    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    rng = np.random.default_rng(0)
    samples = [sample(rng.uniform(0, 400, (9, 13, 2)), PENN_13, name=f"a{n}") for n in range(2)]

    def cut_off():
        yield from samples
        raise LibraryError("cannot write the library (disk full); check the disk and try again")

    def half(library, kind, path, options, *, tell, cancel):
        return import_sequences(library, cut_off(), "penn_action")

    monkeypatch.setattr(module, "import_data_set", half)
    monkeypatch.setattr(module, "_kind", lambda path: "videos" if path.suffix else "penn_action")
    report = import_any(library, [tmp_path / "none.mp4", tmp_path / "penn", tmp_path / ("x" * 300 + ".zip")])
    assert len(report.recordings) == 2
    assert len(library.splits()["penn_action as published"]) == 2
    disk, name, video = report.problems
    assert "disk full" in disk
    assert "File name too long" in name
    assert "none.mp4 does not exist" in video


def test_videos_that_end_early_keep_what_is_finished(posed, library, tmp_path):
    def full():
        raise OSError(28, "No space left on device")

    posed["b.mp4"] = full
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    report = import_videos(library, [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")])
    assert len(report.recordings) == 1
    assert report.problems == ["the import has ended early (No space left on device); import the rest again"]


def test_a_folder_that_cannot_be_looked_into_is_a_line(posed, library, tmp_path, monkeypatch):
    for name in ("a.mp4", "closed/b.mp4"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    real = os.scandir

    def scandir(path="."):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = import_videos(library, [tmp_path / "in"])
    assert len(report.recordings) == 1
    (line,) = report.problems
    assert line.startswith(f"{tmp_path / 'in' / 'closed'} cannot be imported (Permission denied)")
    with pytest.raises(LibraryError, match="Permission denied"):
        import_videos(library, [tmp_path / "in" / "closed"])


def test_a_video_whose_folder_can_be_no_action_leaves_nothing_behind(posed, library, tmp_path):
    path = tmp_path / ("a" * 90) / "x.mp4"
    path.parent.mkdir()
    path.write_bytes(b"video")
    report = import_videos(library, [path], ImportOptions(action_from_folder=True))
    assert (report.recordings, len(report.problems), library.count_recordings()) == ([], 1, 0)
    assert report.problems[0].endswith("the action has 90 characters; at most 80 are allowed, so shorten it")
    assert list(recordings_folder(library.root).iterdir()) == []
    path = path.rename(tmp_path / "x.mp4")
    report = import_videos(library, [path], ImportOptions(action="clap"))
    assert (len(report.recordings), report.copies, report.problems) == (1, [], [])
    assert [segment.action for segment in library.segments()] == ["clap"]


def test_what_cannot_be_entered_is_not_kept_either(library, monkeypatch):
    """Also where the import is interrupted, which is no error."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    poses = make_poses(1)
    with monkeypatch.context() as patched:
        patched.setattr(library, "add_recording", interrupted)
        with pytest.raises(KeyboardInterrupt):
            keep(library, describe(poses, "cam"), poses, [NewSegment(0, 1, 0, "wave")])
    assert list(recordings_folder(library.root).iterdir()) == []
    name = keep(library, describe(poses, "cam"), poses, [NewSegment(0, 1, 0, "wave")])
    assert [segment.recording for segment in library.segments()] == [name]


def test_the_same_poses_are_a_copy_without_pixels_and_in_another_file(posed, library, tmp_path):
    same = make_poses(7)
    for name in ("a.mp4", "b.mp4"):
        posed[name] = same
        (tmp_path / name).write_bytes(name.encode())
    skeleton_only = ImportOptions(skeleton_only=True)
    report = import_videos(library, [tmp_path / "a.mp4", tmp_path / "b.mp4"], skeleton_only)
    assert (len(report.recordings), len(report.copies)) == (1, 1)
    library.delete_recordings(report.recordings)
    again = import_videos(library, [tmp_path / "b.mp4"], skeleton_only)
    assert (len(again.recordings), again.copies) == (1, []), "what is in the bin may come in again"


def test_a_data_set_imported_twice_is_told_and_left_out(library):
    rng = np.random.default_rng(0)
    samples = [sample(rng.uniform(0, 400, (9, 13, 2)), PENN_13, name=f"a{n}") for n in range(3)]
    assert len(import_sequences(library, iter(samples), "set").recordings) == 3
    report = import_sequences(library, iter(samples), "set")
    assert (report.recordings, len(report.copies), report.problems) == ([], 3, [])
    assert library.count_recordings() == 3


def test_find_videos_says_what_is_missing(tmp_path):
    with pytest.raises(LibraryError, match="does not exist"):
        find_videos([tmp_path / "no.mp4"])
    with pytest.raises(LibraryError, match="no video"):
        find_videos([tmp_path])


def test_videos_of_a_folder_in_natural_order_without_leftovers(tmp_path):
    videos = ["take 1.mp4", "take 2.MTS", "take 3.m2ts", "take 10.gif", "take 100.mov"]
    leftovers = ["._take 1.mp4", "Thumbs.db", ".DS_Store", "__MACOSX/._take 1.mp4", "__MACOSX/take 1.mp4", "notes.txt"]
    (tmp_path / "__MACOSX").mkdir()
    for name in (*reversed(videos), *leftovers):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in find_videos([tmp_path])] == videos


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links")
def test_links_to_folders_are_not_followed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(b"")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    assert find_videos([tmp_path / "in"]) == [tmp_path / "in" / "a.mp4"]


@pytest.mark.parametrize(
    "options", [{"jobs": 0}, {"people": 9}, {"action": "\x00"}, {"who": " \u200b"}, {"backend": "slurm"}]
)
def test_options_that_cannot_be(options, library, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_model", lambda kind, path, cancel: Path("none.task"))
    write_video(tmp_path / "a.mp4", 2)
    with pytest.raises(LibraryError):
        import_videos(library, [tmp_path / "a.mp4"], ImportOptions(**options))


def killer(number, path, *more):
    if path.name == "bad.mp4":
        os.kill(os.getpid(), 9)
    return number, PosedVideo(path, None, f"seen {path.name}")


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_a_video_that_kills_its_process_costs_no_other(tmp_path, monkeypatch):
    import cloudpickle

    monkeypatch.setattr(video_poses, "pose_video", killer)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        videos = [tmp_path / name for name in ("a.mp4", "bad.mp4", "b.mp4")]
        found = {posed.path.name: posed.line for posed in pose_videos(videos, SPEC, tmp_path, jobs=2)}
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    assert found["a.mp4"] == "seen a.mp4"
    assert found["b.mp4"] == "seen b.mp4"
    assert "ends the process" in found["bad.mp4"]


def deaf(number, path, *more):
    return number, PosedVideo(path, None, str(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])))


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_workers_that_another_thread_starts_never_hear_of_ctrl_c(tmp_path, monkeypatch):
    """As the window's import does; it is up to that process."""
    import cloudpickle

    monkeypatch.setattr(video_poses, "pose_video", deaf)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    found = []
    try:
        videos = [tmp_path / name for name in ("a.mp4", "b.mp4")]
        thread = threading.Thread(target=lambda: found.extend(pose_videos(videos, SPEC, tmp_path, jobs=2)))
        thread.start()
        thread.join()
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    assert [posed.line for posed in found] == ["True", "True"]


_ENDS_AT_ONCE = """
import os, sys
from pathlib import Path
from app.library.video_poses import pose_videos
from pose.estimators import MEDIAPIPE, EstimatorSpec

folder = Path(sys.argv[1])
spec = EstimatorSpec(MEDIAPIPE, folder / "model.task")
print(len(list(pose_videos([folder / "a.mp4", folder / "b.mp4"], spec, folder))), flush=True)
os._exit(0)
"""


def test_a_program_that_ends_at_once_after_an_import_leaves_nothing_to_complain_of(tmp_path):
    command = [sys.executable, "-c", _ENDS_AT_ONCE, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.stdout.strip(), done.stderr) == ("2", "")


@pytest.fixture
def videos(tmp_path):
    return [tmp_path / f"{number}.mp4" for number in range(9)]


def seen(number, path, *more):
    return number, PosedVideo(path, None, f"seen {path.name}")


def test_a_cluster_is_asked_in_batches_and_cancel_ends_it(videos, tmp_path, monkeypatch):
    """Ray itself stays out: its registration is replaced by one of threads, under the name that joblib then uses."""
    registered = []

    def register_ray():
        registered.append(register_parallel_backend("ray", ThreadingBackend))

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ray.util", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ray.util.joblib", SimpleNamespace(register_ray=register_ray))
    monkeypatch.setattr(video_poses, "pose_video", seen)
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    found = list(pose_videos(videos, SPEC, tmp_path, jobs=1, backend="ray"))
    assert registered
    assert [posed.line for posed in found] == [f"seen {path.name}" for path in videos]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    posing = pose_videos(videos, SPEC, tmp_path, jobs=1, backend="ray")
    next(posing)
    (tmp_path / video_poses.CANCEL).touch()
    assert len(list(posing)) == video_poses._RAY_BATCH - 1  # of the batch that was under way


def test_a_cluster_without_ray_is_one_line(library, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.util.joblib", None)  # as where it is not installed
    monkeypatch.setattr(module, "find_model", lambda kind, path, cancel: Path("none.task"))
    write_video(tmp_path / "a.mp4", 2)
    with pytest.raises(LibraryError, match=r'Ray is not installed; `pip install -e "\.\[cluster\]"` installs it'):
        import_videos(library, [tmp_path / "a.mp4"], ImportOptions(backend="ray"))
    assert library.recordings() == []


_ASKING = """
import subprocess, sys, time
code = "import time, app.library.video_poses as m\\nm._end_with_parent(); print(1, flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_a_worker_ends_with_the_program_that_was_killed():
    asking = subprocess.Popen([sys.executable, "-c", _ASKING], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    worker = psutil.Process(int(asking.stdout.readline()))
    os.kill(asking.pid, signal.SIGKILL)
    asking.wait()
    asking.stdout.close()
    worker.wait(60)
    assert not worker.is_running()


def test_poses_become_arrays_by_frame():
    xy = np.arange(66, dtype=np.float32).reshape(33, 2)
    broken = xy.copy()
    broken[3] = np.nan
    pose = Pose(xy, np.full(33, 0.5, np.float32), MEDIAPIPE_33, 0.0, 2)
    poses = poses_of(
        [(5.0, (pose,)), (5.1, ()), (5.3, (pose, Pose(broken, pose.confidence, MEDIAPIPE_33, 0, 1)))],
        (9, 8),
        MEDIAPIPE_33,
    )
    np.testing.assert_allclose(poses.times_s, [0, 0.1, 0.3])
    assert poses.frame.tolist() == [0, 2, 2]
    assert poses.person.tolist() == [2, 2, 1]
    np.testing.assert_array_equal(poses.xy_px[1], xy)
    assert (poses.confidence[2] == 0).nonzero()[0].tolist() == [3]
    assert np.isfinite(poses.xy_px).all()


@pytest.fixture
def real_video():
    """Of somebody who claps, where it and the pose model are there."""
    video = VIDEOS / "a7_s6_t1_color.avi"
    if not video.is_file():
        pytest.skip("no shared videos")
    try:
        find_pose_model()
    except PoseModelError as error:
        pytest.skip(str(error))
    return video


def test_a_real_video_a_wrong_one_and_one_without_anybody(real_video, library, tmp_path):
    empty = write_video(tmp_path / "empty.mp4", 4)
    (tmp_path / "wrong.mp4").write_bytes(b"no video" * 50)
    report = import_videos(library, [real_video, tmp_path / "wrong.mp4", empty], ImportOptions(action="clap", jobs=2))
    assert len(report.recordings) == 1
    assert len(report.problems) == 2
    assert any("empty.mp4 shows nobody" in problem for problem in report.problems)
    assert any("wrong.mp4 is not a video" in problem for problem in report.problems)
    for example in library.examples(["clap"]):
        assert example.layout == MEDIAPIPE_33
        assert len(example.times_s) >= 40
        assert np.median(example.confidence) > 0.8
        assert 0 < np.median(example.xy_px[..., 0]) < 640
        np.testing.assert_allclose(np.diff(example.times_s), 1 / 15, atol=0.01)


@pytest.mark.slow  # pose/blazepose finds several people in make test; here they come into a library
def test_a_video_of_two_people(real_video, library, tmp_path):
    beside = VideoWriter(tmp_path / "two.mp4", lossless=True)
    frames = VideoFile(str(real_video))
    for frame in iter(frames.read, None):
        half = frame.bgr[:, frame.bgr.shape[1] // 4 : -frame.bgr.shape[1] // 4]
        beside.write(np.hstack([half, half[:, ::-1]]), frame.time_s)
    frames.close()
    beside.close()
    report = import_videos(library, [tmp_path / "two.mp4"], ImportOptions(action="clap", people=2))
    (name,) = report.recordings
    recording = library.open_recording(name)
    counts = [int((recording.person == person).sum()) for person in recording.persons()[:2]]
    assert len(counts) == 2
    assert min(counts) > 0.6 * len(recording.times_s)


# Data sets.


def sample(joints, layout, seen=None, **more):
    joints = joints.astype(np.float32)
    seen = np.ones(joints.shape[:2], bool) if seen is None else seen
    return ActionSequence(
        **{
            "dataset": "set",
            "name": "a1",
            "action": "wave",
            "fps": 20.0,
            "subject": 3,
            "test": True,
            "joints": joints,
            "layout": layout,
            "seen": seen,
        }
        | more
    )


def only(library, made):
    (name,) = import_sequences(library, iter([made]), "set").recordings
    return library.open_recording(name)


def test_metres_are_seen_through_a_camera(library):
    joints = np.random.default_rng(0).uniform(-0.5, 0.5, (8, 20, 3)) + np.array([0, 0, 3])
    came = only(library, sample(joints, KINECT_20))
    assert came.info.size == (640, 480)
    expected = joints[..., :2] / joints[..., 2:] * 525 + (320, 240)
    np.testing.assert_allclose(came.xy_px, expected, rtol=1e-4)
    np.testing.assert_allclose(came.times_s, np.arange(8) / 20)
    (segment,) = library.segments()
    assert (segment.action, segment.who, segment.source) == ("wave", "set 3", "set/a1")
    assert library.splits() == {"set as published": {segment.id: "test"}}


def test_joints_about_the_body_are_put_into_a_picture_in_proportion(library):
    joints = np.random.default_rng(0).uniform(-1.5, 0.5, (8, 13, 2))
    came = only(library, sample(joints, PENN_13))
    width, height = came.info.size
    assert came.xy_px.min() > 0
    assert came.xy_px[..., 0].max() < width
    assert came.xy_px[..., 1].max() < height
    moved = came.xy_px - came.xy_px[0, 0]
    wanted = joints - joints[0, 0]
    np.testing.assert_allclose(moved / np.abs(moved).max(), wanted / np.abs(wanted).max(), atol=1e-4)


def test_what_is_not_seen_is_not_there_and_others_come_too(library):
    joints = np.random.default_rng(0).uniform(60, 400, (6, 13, 2))
    seen = np.ones((6, 13), bool)
    seen[2], seen[3, 5] = False, False
    other = Skeleton(joints.astype(np.float32) + 5, seen[::-1].copy(), np.full((6, 13), 0.25, np.float32))
    came = only(library, sample(joints, PENN_13, seen, others=(other,), size_px=(640, 360)))
    assert came.info.size == (640, 360)
    first = came.person == 0
    assert came.frame[first].tolist() == [0, 1, 3, 4, 5]
    assert came.confidence[first][2].tolist() == [1.0] * 5 + [0.0] + [1.0] * 7
    assert came.frame[~first].tolist() == [0, 1, 2, 4, 5]
    assert came.confidence[~first].max() == 0.25
    np.testing.assert_array_equal(came.xy_px[first][0], joints[0].astype(np.float32))


def test_a_joint_at_no_place_is_one_line(library, recwarn):
    joints = np.random.default_rng(0).uniform(60, 400, (6, 13, 2))
    far = joints.copy()
    far[2, 3] = -3e38, 3e38
    made = [sample(joints, PENN_13), sample(far, PENN_13, name="a2")]
    report = import_sequences(library, iter(made), "set")
    assert len(report.recordings) == 1
    assert report.problems == ["a2: a joint at 3e+38, which is not a position; get the file again"]
    assert [str(warning.message) for warning in recwarn.list] == []


def test_a_sequence_of_which_a_segment_is_refused_leaves_nothing_behind(library):
    times_s = np.arange(60) / 30
    xy = np.random.default_rng(0).uniform(50, 400, (60, 33, 2)).astype(np.float32)
    segments = (Segment(0, 1, "walk"), Segment(2.5, 3.0, "wave"))  # behind the end
    seen = np.ones((60, 33), np.float32)
    made = LabelledSequence("s1", "o/r", "p1", times_s, xy, seen, MEDIAPIPE_33, (640, 480), segments)
    for _ in range(2):
        report = import_sequences(library, iter([made]), "set")
        assert (report.recordings, report.copies) == ([], [])
        assert report.problems == ["set/s1: the segment ends before it begins (2.50 to 1.97 s); set both again"]
    assert list(recordings_folder(library.root).iterdir()) == []
    only(library, replace(made, segments=segments[:1]))
    assert [segment.action for segment in library.segments()] == ["walk"]


def test_a_sequence_without_anybody_is_told(library):
    report = import_sequences(library, iter([sample(np.zeros((5, 13, 2)), PENN_13, np.zeros((5, 13), bool))]), "set")
    assert report.problems == ["set/a1 shows nobody: not imported"]


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_registered_data_set(name, library):
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"no {name}")
    from itertools import islice

    found = list(islice(DATASETS[name].read_foreign(folder), 3))
    report = import_sequences(library, iter(found), name)
    assert (len(report.recordings), report.problems) == (3, [])
    for made, recording in zip(found, report.recordings, strict=True):
        came = library.open_recording(recording)
        assert came.info.source == f"{name}/{made.name}"
        assert came.layout == made.layout
        assert len(came.times_s) == len(made.times_s if isinstance(made, LabelledSequence) else made.joints)
        width, height = came.info.size
        middle = np.median(came.xy_px[came.confidence > 0], axis=0)
        assert 0 < middle[0] < width
        assert 0 < middle[1] < height


def test_each_segment_of_a_long_sequence_is_kept(library):
    times_s = np.array([2.0, 2.1, 2.25, 2.3, 2.4, 2.5])
    xy = np.random.default_rng(0).uniform(50, 400, (6, 33, 2)).astype(np.float32)
    xy[1] = 0  # a frame without a pose
    confidence = np.where(xy.any(axis=-1), np.float32(0.75), np.float32(0))
    segments = (Segment(2.0, 2.25, "walk"), Segment(2.3, 2.5, "other:twirl"))
    made = LabelledSequence("s1", "o/r", "p008", times_s, xy, confidence, MEDIAPIPE_33, (640, 480), segments)
    came = only(library, made)
    np.testing.assert_allclose(came.times_s, times_s - 2)
    assert came.frame.tolist() == [0, 2, 3, 4, 5]
    np.testing.assert_array_equal(came.xy_px, xy[[0, 2, 3, 4, 5]])
    rows = sorted(library.segments(), key=lambda row: row.start_s)
    assert [(row.action, row.who) for row in rows] == [("walk", "p008"), ("other:twirl", "p008")]
    assert [(row.start_s, row.end_s) for row in rows] == [pytest.approx((0, 0.25)), pytest.approx((0.3, 0.5))]
    assert set(library.splits()["set as published"].values()) == {"test"}  # whose p008 is


NTU_FILES = [f"S001C001P001R001A{action:03d}.skeleton" for action in range(1, 8)]


def write_ntu(file, seed):
    joints = np.random.default_rng(seed).normal(size=(4, 25, 3)) + np.array([0, 0, 3])
    lines = ["4"]
    for frame in joints:
        lines += ["1", f"{seed} 0 1 1 1 1 0 0.02 -0.3 2", "25"]
        lines += [f"{x} {y} {z} 250 200 960 540 0.1 0.2 0.3 0.9 2" for x, y, z in frame]
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("bad", [(0, 1), (2, 4), (5, 6)], ids=["first", "middle", "last"])
def test_every_good_file_of_a_folder_comes_in_and_each_bad_one_is_a_line(bad, tmp_path, capsys):
    """A cut-off file and a browser's second copy among seven, wherever they are."""
    folder = tmp_path / "ntu"
    folder.mkdir()
    for seed, name in enumerate(NTU_FILES):
        write_ntu(folder / name, seed)
    cut, copy = (folder / NTU_FILES[place] for place in bad)
    cut.write_text(cut.read_text()[:200])
    copy = copy.rename(copy.with_name(f"{copy.stem} (1).skeleton"))
    status, out, err = run(capsys, "--root", tmp_path / "library", "import", folder)
    assert status == 1
    assert out.startswith("5 recordings imported")
    lines = err.splitlines()
    assert len(lines) == 2
    assert any(line.startswith(f"{cut}: not a whole skeleton file") for line in lines)
    assert any(line.startswith(f"{copy}: not a name of this data set") for line in lines)
    with Library(tmp_path / "library") as library:
        good = {name.removesuffix(".skeleton") for name in NTU_FILES} - {cut.stem, copy.stem.removesuffix(" (1)")}
        assert {row.source for row in library.recordings()} == {f"ntu_rgbd/{name}" for name in good}


def test_mpose_in_its_published_arrays(library, tmp_path):
    place = tmp_path / "openpose" / "1"
    place.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, labels in (("train", [0, 19]), ("test", [7])):
        poses = random.uniform(10, 200, (len(labels), 30, 25, 3))
        poses[..., 2] = random.uniform(0.2, 1, poses.shape[:-1])
        np.save(place / f"X_{part}.npy", poses)
        np.save(place / f"y_{part}.npy", np.array(labels))
    report = import_data_set(library, "mpose2021", tmp_path)
    assert (len(report.recordings), report.problems) == (3, [])
    assert {segment.action for segment in library.segments()} == {"standing", "run", "walk"}
    assert sorted(library.splits()["mpose2021 as published"].values()) == ["test", "train", "train"]
    assert {(len(example.times_s), example.layout.name) for example in library.examples()} == {(30, "mpose-13")}


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_data_set_is_known_by_its_files(name):
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"no {name}")
    assert dataset_in(folder) is DATASETS[name]


def test_a_folder_with_none_of_a_data_set_is_taken_for_videos(library, tmp_path):
    (tmp_path / "notes.txt").touch()
    assert dataset_in(tmp_path) is None
    with pytest.raises(LibraryError, match=r"videos.* or name the data set"):
        import_any(library, [tmp_path])


def test_what_lies_beside_videos_and_is_left_out_is_told(posed, library, tmp_path):
    for name in ("v.mp4", "good.pkl", "notes.txt", "deep/Labels.PICKLE", "deep/more.zip", "deep/z.pkl", "._x.pkl"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    report = import_any(library, [tmp_path / "in"])
    assert len(report.recordings) == 1
    left_out = "deep/Labels.PICKLE, deep/more.zip, deep/z.pkl and 1 more left out beside the videos"
    assert report.problems == [f"{tmp_path / 'in'}: {left_out}; import each of them by itself"]
    assert import_any(library, [tmp_path / "in"], format="videos").problems == []


def test_a_pickle_beside_videos_of_any_kind_is_told(posed, library, tmp_path):
    for name in ("v.avi", "good.pkl"):
        (tmp_path / name).write_bytes(name.encode())
    report = import_any(library, [tmp_path])
    assert len(report.recordings) == 1
    assert [line.partition(": ")[2] for line in report.problems] == [
        "good.pkl left out beside the videos; import each of them by itself"
    ]


def test_a_folder_of_several_pickles_says_that_one_is_wanted(library, tmp_path):
    for name in ("a.pkl", "b.PKL"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(LibraryError, match=r"2 pickles .* give one file"):
        import_any(library, [tmp_path])


def test_a_data_set_that_is_none_is_one_line(library, tmp_path):
    with pytest.raises(LibraryError, match="choose one of"):
        import_data_set(library, "imagenet", tmp_path)


# The command.


def run(capsys, *arguments):
    status = command.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture
def root(library):
    add_recording(library, segments=[NewSegment(0, 1, 0, "wave")])
    library.close()
    return library.root


def test_the_command_checks_exports_and_rebuilds(root, tmp_path, capsys):
    assert run(capsys, "--root", root, "check") == (0, "1 recording, 1 segment, 2 actions: no problems\n", "")
    assert run(capsys, "--root", root, "export", "pyskl", tmp_path / "a.pkl")[0] == 0
    assert run(capsys, "--root", root, "export", "tables", tmp_path / "a")[0] == 0
    assert run(capsys, "--root", root, "export", "coco", tmp_path / "a.json")[0] == 0
    assert run(capsys, "--root", root, "export", "video", tmp_path / "v")[0] == 0
    assert len(list((tmp_path / "v").glob("*.mp4"))) == 1
    other = tmp_path / "other"
    (tmp_path / "a.pkl").rename(tmp_path / "в 1.pkl")
    status, out, err = run(capsys, "--root", other, "import", (tmp_path / "в 1.pkl").as_uri(), tmp_path / "a")
    assert (status, out, err) == (0, f"2 recordings imported into {other}\n", "")
    status, out, err = run(capsys, "--root", other, "rebuild")
    assert (status, err) == (0, "")
    assert out == f"rebuilt from the folders: 2 recordings, 2 segments; the old one is {FILE}.old-1\n"


def test_the_command_names_what_an_export_leaves_out(library, tmp_path, capsys):
    _, damaged = (add_recording(library, seed, [NewSegment(0, 1, 0, "wave")]) for seed in range(2))
    (recordings_folder(library.root) / damaged / "joints.npz").write_bytes(b"x")
    library.close()
    status, out, err = run(capsys, "--root", library.root, "export", "pyskl", tmp_path / "a.pkl")
    assert (status, out) == (1, f"1 segment written to {tmp_path / 'a.pkl'}\n")
    assert err.startswith(f"{damaged} is left out: ")
    assert err.count("\n") == 1


def test_a_library_that_is_open_elsewhere_is_checked_and_that_is_no_problem(root, capsys):
    with Library(root):
        status, out, err = run(capsys, "--root", root, "check")
    assert (status, out) == (0, "1 recording, 1 segment, 2 actions: no problems\n")
    assert err == f"the library is open in process {os.getpid()}: it is read-only here\n"


def test_the_command_tells_mistakes_in_one_line(root, tmp_path, capsys):
    (tmp_path / "x.pkl").write_bytes(b"rubbish")
    (tmp_path / "no library").mkdir()
    for arguments in (
        ("--root", root, "import", tmp_path / "no such file"),
        ("--root", root, "import", tmp_path / "x.pkl"),
        ("--root", root, "import", "--format", "imagenet", tmp_path),
        ("--root", root, "import", "--format", "penn_action", tmp_path),
        ("--root", root, "export", "pyskl", tmp_path / "no" / "folder.pkl"),
        ("--root", root, "export", "pyskl", tmp_path / "a.pkl", "--part", "test"),
        ("--root", tmp_path / "new", "import", tmp_path / "no such file"),
        ("--root", root, "export", "coco", tmp_path / "a.json", "--action", "dance"),
        ("--root", tmp_path / "nowhere", "check"),
        ("--root", tmp_path / "nowhere", "rebuild"),
        ("--root", tmp_path / "nowhere", "export", "tables", tmp_path / "out"),
        ("--root", tmp_path / "no library", "export", "tables", tmp_path / "out"),
        ("--root", tmp_path / "no library", "check"),
        ("--root", root, "export", "tables", "."),
        ("--root", root, "export", "coco", "."),
        ("--root", root, "export", "pyskl", "."),
        ("--root", root, "import", tmp_path / ("x" * 300)),
        ("--root", root, "import", "--format", "videos", tmp_path / ("x" * 300)),
        ("--root", tmp_path / ("x" * 300), "check"),
        ("--root", tmp_path / "x.pkl", "import", tmp_path),
    ):
        status, out, err = run(capsys, *arguments)
        assert (status, out) == (2, ""), arguments
        assert err.count("\n") == 1, err
    assert not (tmp_path / "nowhere").exists()
    assert list((tmp_path / "no library").iterdir()) == []
    with pytest.raises(SystemExit) as left:
        command.main(["--root", str(root), "dance"])
    assert left.value.code == 2


def test_a_library_that_can_take_in_no_folder_is_one_line(root, tmp_path, capsys, monkeypatch):
    (tmp_path / "in").mkdir()
    shutil.rmtree(root / "importing")
    (root / "importing").write_text("")
    status, out, err = run(capsys, "--root", root, "import", tmp_path / "in")
    assert (status, out) == (2, "")
    assert err == f"{root / 'importing'} cannot be made (File exists); rename the file of that name\n"
    (root / "importing").unlink()

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.library.import_any.tempfile.TemporaryDirectory", refuse)
    status, out, err = run(capsys, "--root", root, "import", tmp_path / "in")
    assert (status, out) == (2, "")
    line = "cannot be written (No space left on device); make room, or check its permissions"
    assert err == f"{root / 'importing'} {line}\n"


def test_the_command_ends_with_1_where_something_is_wrong(root, capsys, tmp_path):
    (recording,) = (root / "recordings").iterdir()
    (recording / "joints.npz").write_bytes(b"damaged")
    status, out, err = run(capsys, "--root", root, "check")
    assert (status, err.count("\n")) == (1, 1)
    assert out.endswith(": 1 problem\n")


def test_the_command_writes_to_no_library_that_is_open(root, capsys, tmp_path):
    with Library(root):
        assert run(capsys, "--root", root, "rebuild")[0] == 2
        status, _, err = run(capsys, "--root", root, "import", tmp_path)
    assert status == 2
    assert "read-only" in err


def handles_sigterm(pid):
    caught = Path(f"/proc/{pid}/status").read_text().split("SigCgt:")[1].split()[0]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("delay_s", [0, 0.15, 0.3])
def test_ctrl_c_while_the_command_is_loaded(root, tmp_path, delay_s):
    command = [sys.executable, "-m", "app.library", "--root", str(root), "import", str(tmp_path / "none.mp4")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not handles_sigterm(process.pid):  # which Python itself never does
            time.sleep(0.002)
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    assert "Traceback" not in rest
    if "none.mp4" in rest:  # too late: it has said that there is no such file, and ends with 2
        assert process.returncode in (130, 2, -signal.SIGINT)  # which Python itself hears again while it ends
    else:
        assert process.returncode == 130


def test_ctrl_c_ends_an_import_with_130(root, capsys, tmp_path, posed):
    def interrupted():
        os.kill(os.getpid(), signal.SIGINT)
        return make_poses(23)

    posed["a.mp4"] = interrupted
    (tmp_path / "a.mp4").write_bytes(b"")
    assert run(capsys, "--root", root, "import", tmp_path / "a.mp4")[0] == 130
    with Library(root) as library:
        assert library.count_recordings(Filter(text="a.mp4")) == 1
