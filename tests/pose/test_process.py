"""MediaPipe in a process of its own: the same poses as here, and its failures as one line."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from pose import process, processors
from pose.demo import DemoSource
from pose.errors import PoseError, PoseModelError
from pose.estimator import MediaPipeEstimator
from pose.estimators import BLAZEPOSE, MEDIAPIPE, EstimatorSpec
from pose.model_asset import find_pose_model
from pose.process import IN_WORK, PoseProcess
from pose.skeleton import MEDIAPIPE_33
from pose.types import Frame

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model():
    return find_pose_model(None)


@pytest.fixture
def poses(model):
    made = PoseProcess(EstimatorSpec(MEDIAPIPE, model))
    made.ready()
    yield made
    made.close()


def demo_frames(n, size=(320, 240)):
    source = DemoSource(fps=10, paced=False, size=size)
    return [source.read() for _ in range(n)]


def shared_memories():
    """Of all programs: other tests that run beside this one have theirs."""
    folder = Path("/dev/shm")
    return {path.name for path in folder.glob("psm_*")} if folder.is_dir() else set()


def memories_of(worker):
    return {memory.name.lstrip("/") for memory in worker._slots if memory is not None}


def test_poses_are_those_of_the_estimator(poses, model):
    frames = demo_frames(12)
    here = MediaPipeEstimator(model)
    expected = [here.estimate(frame) for frame in frames]
    here.close()
    found = []
    for frame in frames:
        poses.submit(frame)
        people, took_ms = poses.result()
        assert took_ms > 0
        found.append(people)
    assert any(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert [p.person for p in ours] == [p.person for p in theirs]
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.xy_px, b.xy_px)
            np.testing.assert_array_equal(a.confidence, b.confidence)
            assert (a.time_s, a.layout) == (b.time_s, b.layout)


def test_a_frame_waits_there_while_another_is_worked_on(poses):
    frames = demo_frames(6)
    for frame in frames[:IN_WORK]:
        poses.submit(frame)
    times = []
    for frame in [*frames[IN_WORK:], None, None]:
        people, _ = poses.result()
        times += [pose.time_s for pose in people]
        if frame is not None:
            poses.submit(frame)
    assert times == [frame.time_s for frame in frames]


def test_frames_may_change_size(poses):
    for i, (width, height) in enumerate([(64, 48), (640, 480), (17, 33), (1, 1), (1280, 720)]):
        poses.submit(Frame(np.zeros((height, width, 3), np.uint8), i / 30, 0.0, i))
        assert poses.result()[0] == ()


def test_a_model_that_is_none_is_one_line(tmp_path):
    bundle = tmp_path / "pose.task"
    bundle.write_bytes(b"nothing of the kind")
    made = PoseProcess(EstimatorSpec(MEDIAPIPE, bundle))
    with pytest.raises(PoseModelError, match=r"pose\.task"):
        made.ready()
    made.close()


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_its_death_is_one_line(poses):
    poses._process.kill()
    poses._process.join()

    def ask():  # the first call that notices
        for frame in demo_frames(3):
            poses.submit(frame)
            poses.result()

    with pytest.raises(PoseError, match=r"ended \(exit status -9\)"):
        ask()


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_ctrl_c_is_left_to_the_one_that_asks(poses):
    os.kill(poses._process.pid, signal.SIGINT)
    poses.submit(demo_frames(1)[0])
    poses.result()


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_cancelled_while_it_loads_it_ends_at_once(model):
    cancel = threading.Event()
    made = PoseProcess(EstimatorSpec(MEDIAPIPE, model), cancel=cancel)
    cancel.set()
    with pytest.raises(PoseError, match="cancelled"):
        made.ready()
    made.close()
    assert made._process.exitcode == -signal.SIGKILL


def test_it_says_nothing_when_the_asking_one_goes_while_it_loads(model):
    program = (
        "import os, sys; from pathlib import Path\n"
        "from pose.process import PoseProcess; from pose.estimators import EstimatorSpec\n"
        "PoseProcess(EstimatorSpec('mediapipe', Path(sys.argv[1]))); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )  # to the end of both processes, which write to the same stderr
    assert (done.returncode, done.stderr) == (0, "")


def test_a_picture_without_room_is_one_line(poses, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(process, "SharedMemory", full)
    with pytest.raises(PoseError, match="no shared memory for a picture"):
        poses.submit(demo_frames(1)[0])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads where Linux lets threads run")
def test_two_processors_are_shared_out_and_given_back(model, monkeypatch):
    def of(pid):
        return {frozenset(os.sched_getaffinity(int(task.name))) for task in Path(f"/proc/{pid}/task").iterdir()}

    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("needs two processors")
    two = set(sorted(before)[:2])
    monkeypatch.setattr(processors, "_ALLOWED", two)
    made = PoseProcess(EstimatorSpec(MEDIAPIPE, model))
    try:
        made.ready()
        assert of(os.getpid()) == {frozenset(before)}
        made.take_processor()
        assert of(made._process.pid) == {frozenset({min(two)})}
        assert of(os.getpid()) == {frozenset({max(two)})}
        made.close()
        assert of(os.getpid()) == {frozenset(two)}
    finally:
        made.close()
        processors._bind(os.getpid(), before)


def test_more_processors_are_left_to_the_system(monkeypatch):
    bound = []
    monkeypatch.setattr(processors, "_ALLOWED", {0, 1, 2, 3})
    monkeypatch.setattr(processors, "_bind", lambda *given: bound.append(given))
    processors.divide(1)
    processors.unite()
    assert bound == []


def test_nothing_is_left_behind(model):
    threads = set(threading.enumerate())
    made = PoseProcess(EstimatorSpec(MEDIAPIPE, model))
    made.ready()
    made.submit(demo_frames(1)[0])
    memories = memories_of(made)
    assert len(memories) == 1
    made.close()
    made.close()
    assert not made._process.is_alive()
    assert set(threading.enumerate()) <= threads
    assert not memories & shared_memories()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")
def test_it_ends_with_the_one_that_asks(model):
    """Killed without a chance to clean up: no process and no memory stay."""
    program = (
        "import os, sys; from pathlib import Path\n"
        "from pose.demo import DemoSource; from pose.process import PoseProcess\n"
        "from pose.estimators import EstimatorSpec\n"
        "poses = PoseProcess(EstimatorSpec('mediapipe', Path(sys.argv[1]))); poses.ready()\n"
        "poses.submit(DemoSource(fps=10, paced=False).read()); poses.result()\n"
        "print(poses._process.pid, *(m.name.lstrip('/') for m in poses._slots if m), flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    pid, *memories = done.stdout.split()
    for _ in range(1200):
        if not Path(f"/proc/{pid}").exists():
            break
        threading.Event().wait(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert len(memories) == 1
    assert not set(memories) & shared_memories()
    assert done.stderr == ""


def test_our_own_estimator_works_there_too(model):
    worker = PoseProcess(EstimatorSpec(BLAZEPOSE, model, people=2))
    try:
        worker.ready()
        worker.submit(DemoSource(paced=False).read())
        (pose,), took_ms = worker.result()
        assert pose.person == 0
        assert pose.layout is MEDIAPIPE_33
        assert took_ms > 0
    finally:
        worker.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /dev/shm")
def test_a_full_shared_memory_is_one_line_and_leaves_nothing(poses, monkeypatch):
    """A file there can be made longer than the room that is left; writing to it would end the process."""
    made = set()

    def full(*_):
        made.update(memories_of(poses))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(process.os, "posix_fallocate", full)
    with pytest.raises(PoseError, match=r"No space left on device.*make /dev/shm larger"):
        poses.submit(demo_frames(1)[0])
    assert memories_of(poses) == set()
    assert len(made) == 1
    assert not made & shared_memories()
    monkeypatch.undo()
    poses.submit(demo_frames(1)[0])
    assert poses.result()
