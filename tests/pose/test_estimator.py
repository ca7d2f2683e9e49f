"""MediaPipe behind PoseEstimator: its bookkeeping on a fake landmarker, then the real one on real people."""

import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pose import estimator
from pose.demo import DemoSource
from pose.errors import PoseModelError
from pose.estimator import MediaPipeEstimator
from pose.model_asset import DETECTOR, LANDMARKS, find_pose_model
from pose.native_log import quiet_stderr
from pose.skeleton import MEDIAPIPE_33, MPOSE_13, convert
from pose.types import Frame, Pose

VIDEOS = Path(__file__).resolve().parents[2].parent / "shared" / "videos"


def frame(time_s: float, *, size: tuple[int, int] = (64, 48), index: int = 0) -> Frame:
    return Frame(np.zeros((size[1], size[0], 3), np.uint8), time_s, 0.0, index)


def landmarks(x: float = 0.5, y: float = 0.5, visibility: float = 1.0, presence: float = 1.0) -> list[SimpleNamespace]:
    """33 landmarks in a column from y - 0.3 to y + 0.3 of the picture."""
    spread = np.linspace(-0.3, 0.3, 33)
    return [SimpleNamespace(x=x, y=y + dy, visibility=visibility, presence=presence) for dy in spread]


class FakeLandmarker:
    """Answers with what the test set, and refuses timestamps as MediaPipe does."""

    def __init__(self) -> None:
        self.timestamps: list[int] = []
        self.people: list[list[SimpleNamespace]] = [landmarks()]
        self.failure: Exception | None = None
        self.closed = False

    def detect_for_video(self, image: object, timestamp_ms: int) -> SimpleNamespace:
        assert not self.closed
        assert isinstance(timestamp_ms, int)
        assert not self.timestamps or timestamp_ms > self.timestamps[-1]
        if self.failure:
            raise self.failure
        self.timestamps.append(timestamp_ms)
        return SimpleNamespace(pose_landmarks=self.people)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def landmarkers(monkeypatch):
    """Every landmarker that an estimator makes."""
    made: list[FakeLandmarker] = []

    def create(self: MediaPipeEstimator) -> FakeLandmarker:
        made.append(FakeLandmarker())
        return made[-1]

    monkeypatch.setattr(MediaPipeEstimator, "_create", create)
    monkeypatch.setattr(estimator, "check_bundle", lambda path: None)
    return made


class TestOnAFake:
    def test_timestamps_increase_strictly_when_frames_are_closer_than_a_millisecond(self, landmarkers):
        poses = MediaPipeEstimator(Path("model"))
        for time_s in (0.0, 0.0002, 0.0004, 0.0333, 0.0667):
            poses.estimate(frame(time_s))
        assert landmarkers[0].timestamps == [0, 1, 2, 33, 67]

    def test_pixels_and_confidence(self, landmarkers):
        poses = MediaPipeEstimator(Path("model"))
        landmarkers[0].people = [landmarks(x=0.25, visibility=0.8, presence=0.5)]
        (pose,) = poses.estimate(frame(1.5, size=(640, 480)))
        assert pose.layout is MEDIAPIPE_33
        assert (pose.time_s, pose.person) == (1.5, 0)
        assert pose.xy_px.shape == (33, 2)
        assert pose.xy_px.dtype == pose.confidence.dtype == np.float32
        np.testing.assert_allclose(pose.xy_px[0], [160, 96], rtol=1e-5)
        np.testing.assert_allclose(pose.confidence, 0.4, rtol=1e-5)

    def test_joints_outside_the_picture_are_not_believed(self, landmarkers):
        poses = MediaPipeEstimator(Path("model"))
        landmarkers[0].people = [landmarks(y=0.8)]  # from 0.5 to 1.1 of the height
        (pose,) = poses.estimate(frame(0, size=(640, 480)))
        beyond = (pose.xy_px[:, 1] - 479) / (0.05 * 640)
        assert (pose.confidence[beyond <= 0] == 1).all()
        assert (pose.confidence[beyond >= 1] == 0).all()
        between = (beyond > 0) & (beyond < 1)
        assert between.any()
        assert ((pose.confidence[between] > 0) & (pose.confidence[between] < 1)).all()

    def test_nobody(self, landmarkers):
        poses = MediaPipeEstimator(Path("model"))
        landmarkers[0].people = []
        assert poses.estimate(frame(0)) == ()

    @pytest.mark.parametrize("people", [1, 2])
    def test_a_source_that_begins_again_gets_a_new_landmarker(self, landmarkers, people):
        poses = MediaPipeEstimator(Path("model"), people=people)
        poses.estimate(frame(5.0))
        (pose,) = poses.estimate(frame(0.0))
        assert [made.timestamps for made in landmarkers] == [[5000], [0]]
        assert landmarkers[0].closed
        assert pose.person == (0 if people == 1 else 1)  # identities are not used again

    @pytest.mark.parametrize("people", [1, 2])
    def test_another_picture_size_gets_a_new_landmarker(self, landmarkers, people):
        poses = MediaPipeEstimator(Path("model"), people=people)
        poses.estimate(frame(0.0, size=(64, 48)))
        (pose,) = poses.estimate(frame(0.1, size=(48, 64)))
        assert len(landmarkers) == 2
        assert pose.xy_px[:, 0] == pytest.approx(24)
        assert pose.person == people - 1

    @pytest.mark.parametrize("error", [RuntimeError("graph\nfailed"), ValueError("bad"), TimeoutError("late")])
    def test_a_failed_frame_says_so_and_the_next_one_works(self, landmarkers, error):
        poses = MediaPipeEstimator(Path("model"))
        landmarkers[0].failure = error
        with pytest.raises(RuntimeError, match="MediaPipe failed on frame 7") as raised:
            poses.estimate(frame(0.0, index=7))
        assert "\n" not in str(raised.value)
        assert len(poses.estimate(frame(0.1))) == 1
        assert len(landmarkers) == 2

    def test_identities_are_kept_when_the_order_changes(self, landmarkers):
        poses = MediaPipeEstimator(Path("model"), people=2)
        left, right = landmarks(x=0.2), landmarks(x=0.8)
        for i in range(20):
            landmarkers[0].people = [left, right] if i % 2 else [right, left]
            found = poses.estimate(frame(i / 30, size=(640, 480)))
        assert [(pose.person, round(float(pose.xy_px[0, 0]))) for pose in found] == [(0, 128), (1, 512)]

    def test_number_of_people_is_checked(self, landmarkers):
        for people in (0, 5):
            with pytest.raises(ValueError, match="1 to 4"):
                MediaPipeEstimator(Path("model"), people=people)

    def test_close_any_number_of_times(self, landmarkers):
        poses = MediaPipeEstimator(Path("model"))
        poses.close()
        poses.close()
        assert landmarkers[0].closed


class TestQuietStderr:
    def test_holds_back_native_chatter_only(self, capfd):
        with quiet_stderr():
            os.write(2, b"before\nINFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
            os.write(2, b"W0000 00:00:1795227252.140662   18257 inference_feedback_manager.cc:114] Feedback\n")
            os.write(2, b"Warning: the disk is full\n")
        os.write(2, b"after\n")
        assert capfd.readouterr().err == "before\nWarning: the disk is full\nafter\n"

    def test_two_threads_do_not_lose_stderr(self, capfd):
        first, second = quiet_stderr(), quiet_stderr()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        os.write(2, b"still there\n")
        assert capfd.readouterr().err == "still there\n"

    def test_is_undone_by_an_exception(self, capfd):
        def fail() -> None:
            with quiet_stderr():
                os.write(2, b"kept\n")
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        os.write(2, b"after\n")
        assert capfd.readouterr().err == "kept\nafter\n"


@pytest.fixture(scope="session")
def model() -> Path:
    try:
        return find_pose_model()
    except PoseModelError as error:
        pytest.skip(f"no pose model here: {error}")


def frames_of(name: str) -> list[Frame]:
    path = VIDEOS / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(Frame(read[1], len(frames) / 30, 0.0, len(frames)))
    video.release()
    assert frames
    return frames


def joint(pose: Pose, name: str) -> np.ndarray:
    return pose.xy_px[MEDIAPIPE_33.index(name)]


class TestOnRealPeople:
    def test_one_person_who_waves(self, model):
        poses = MediaPipeEstimator(model)
        found = [poses.estimate(frame) for frame in frames_of("a7_s5_t2_color.avi")]
        poses.close()
        assert sum(len(people) == 1 for people in found) >= 0.95 * len(found)
        last = found[-1][0]
        for side in ("left", "right"):
            heights = [joint(last, f"{side}_{part}")[1] for part in ("shoulder", "hip", "knee", "ankle")]
            assert heights == sorted(heights)
        assert joint(last, "left_shoulder")[0] > joint(last, "right_shoulder")[0]  # he faces the camera
        assert last.confidence.min() > 0.5
        still = np.array([people[0].xy_px for people in found[-10:]])
        assert np.abs(np.diff(still, axis=0)).mean() < 1.0

    def test_no_legs_are_invented_for_a_face(self, model):
        poses = MediaPipeEstimator(model)
        found = [pose for frame in frames_of("no_full_body_makeup.avi")[:60] for pose in poses.estimate(frame)]
        poses.close()
        legs = [MEDIAPIPE_33.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "knee", "ankle")]
        assert found
        assert np.median([pose.confidence[legs].max() for pose in found]) < 0.2

    def test_two_people_who_hug_are_told_apart(self, model):
        poses = MediaPipeEstimator(model, people=2)
        found = [poses.estimate(frame) for frame in frames_of("hug_2people.mp4")[:60]]
        poses.close()
        assert sum(len(people) == 2 for people in found) >= 0.8 * len(found)
        assert {pose.person for people in found for pose in people} == {0, 1}
        sides = [joint(a, "left_hip")[0] < joint(b, "left_hip")[0] for a, b in (p for p in found if len(p) == 2)]
        assert len(set(sides)) == 1  # nobody changes places in this video

    def test_picture_sizes_may_change_and_be_odd(self, model):
        poses = MediaPipeEstimator(model)
        for i, size in enumerate([(64, 48), (1, 1), (17, 33), (641, 481)]):
            assert poses.estimate(frame(i / 30, size=size)) == ()
        poses.close()

    def test_no_thread_is_left(self, model):
        before = set(threading.enumerate())
        poses = MediaPipeEstimator(model)
        poses.estimate(frame(0.0))
        poses.close()
        assert set(threading.enumerate()) <= before

    def test_nothing_is_written_to_the_terminal(self, model):
        """In a process of its own, where MediaPipe has not yet written what it writes once."""
        path = VIDEOS / "a7_s5_t2_color.avi"
        if not path.exists():
            pytest.skip("no video here")
        program = (
            "import sys, cv2; from pathlib import Path; from pose.types import Frame\n"
            "from pose.estimator import MediaPipeEstimator\n"
            "poses = MediaPipeEstimator(Path(sys.argv[1])); video = cv2.VideoCapture(sys.argv[2])\n"
            "found = [len(poses.estimate(Frame(video.read()[1], i / 30, 0.0, i))) for i in range(5)]\n"
            "poses.close(); sys.stdout.write(str(sum(found)))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(model), str(path)],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert int(done.stdout) >= 3


def joint_errors(pose: Pose, truth: np.ndarray) -> np.ndarray:
    """(13,) distance from the true joints, as part of the true height from head to ankles."""
    xy, _ = convert(pose.xy_px, pose.confidence, pose.layout, MPOSE_13)
    return np.linalg.norm(xy - truth, axis=-1) / np.ptp(truth[:, 1])


class TestOnTheRenderedPerson:
    def test_joints_are_where_they_are(self, model):
        demo, poses = DemoSource(fps=10, paced=False), MediaPipeEstimator(model)
        errors, lost, frames = [], 0, 120
        for _ in range(frames):
            picture = demo.read()
            found = poses.estimate(picture)
            lost += len(found) != 1
            errors += [joint_errors(pose, demo.truth(picture.time_s).joints_px) for pose in found]
        poses.close()
        assert lost <= 0.02 * frames
        assert np.mean(errors) < 0.03
        assert np.mean(errors, axis=0).max() < 0.05  # no joint is off for long, so left is left

    def test_two_people_side_by_side_keep_their_names(self, model):
        demos = [DemoSource(seed=seed, fps=15, paced=False) for seed in (1, 2)]
        poses = MediaPipeEstimator(model, people=2)
        cut = 140  # cut from both sides of each: in a wider picture the people are too small for the detector
        width = 640 - 2 * cut
        owner, errors, both = {}, [], 0
        for _ in range(60):
            pictures = [demo.read() for demo in demos]
            near = [picture.bgr[:, cut : 640 - cut] for picture in pictures]
            wide = np.ascontiguousarray(np.hstack(near))
            found = poses.estimate(Frame(wide, pictures[0].time_s, 0.0, pictures[0].index))
            both += len(found) == 2
            joints = [demo.truth(pictures[0].time_s).joints_px for demo in demos]
            truths = [joints[0] - [cut, 0], joints[1] - [cut, 0] + [width, 0]]
            for pose in found:
                side = int(pose.xy_px[:, 0].mean() > width)
                assert owner.setdefault(pose.person, side) == side
                errors.append(joint_errors(pose, truths[side]))
        poses.close()
        assert both >= 0.8 * 60
        assert sorted(owner) == [0, 1]
        assert np.mean(errors) < 0.04


@pytest.mark.parametrize("broken", ["junk", "truncated", "without metadata"])
def test_a_bundle_that_mediapipe_refuses(model, tmp_path, broken):
    with zipfile.ZipFile(model) as bundle:
        members = {name: bundle.read(name) for name in (DETECTOR, LANDMARKS)}
    members[LANDMARKS] = {
        "junk": b"\x1c\0\0\0TFL3" + b"\xff" * 1000,
        "truncated": members[LANDMARKS][: len(members[LANDMARKS]) // 2],
        "without metadata": members[LANDMARKS].replace(b"TFLITE_METADATA", b"TFLITE_NOTHING_"),
    }[broken]
    path = tmp_path / "broken.task"
    with zipfile.ZipFile(path, "w") as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    with pytest.raises(PoseModelError) as error:
        MediaPipeEstimator(path)
    text = str(error.value)
    assert "broken.task" in text
    assert "\n" not in text


def test_a_bundle_with_the_wrong_networks_fails_without_a_crash(model, tmp_path):
    """The detector in the landmark network's place loads, and fails on the first frame with somebody in it."""
    with zipfile.ZipFile(model) as bundle:
        detector = bundle.read(DETECTOR)
    path = tmp_path / "mixed.task"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr(DETECTOR, detector)
        bundle.writestr(LANDMARKS, detector)
    poses = MediaPipeEstimator(path)
    for picture in frames_of("a7_s5_t2_color.avi")[:2]:
        with pytest.raises(RuntimeError, match="MediaPipe failed on frame"):
            poses.estimate(picture)
    poses.close()
