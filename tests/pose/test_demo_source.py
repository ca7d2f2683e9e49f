"""The demo as a source: its pictures show its truth, and its clock runs like a camera's."""

import threading
import time

import cv2
import numpy as np
import pytest

from pose.demo import DemoSource
from pose.skeleton import MPOSE_13

SEEDS = range(12)


def picture(seed, time_s, size=(640, 480)):
    source = DemoSource(seed=seed, size=size, fps=1 / time_s, paced=False)
    assert source.read().time_s == 0
    frame = source.read()
    assert frame.time_s == pytest.approx(time_s)
    return frame.bgr


def times_of(source, step_s=0.25):
    return np.arange(0, source.script[-1].end_s, step_s)


def segment(source, action):
    return next(s for s in source.script if s.action == action)


@pytest.mark.parametrize("seed", SEEDS)
def test_whole_person_is_in_view_and_large_enough(seed):
    source = DemoSource(seed=seed, paced=False)
    for time_s in times_of(source):
        joints = source.truth(time_s).joints_px
        assert joints.shape == (13, 2)
        assert joints.dtype == np.float32
        assert joints.min() > 30
        assert joints[:, 0].max() < 640 - 30
        assert joints[:, 1].max() < 480 - 25
    standing = source.truth(1.0).joints_px
    assert np.ptp(standing[:, 1]) > 200


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (480, 640)])
def test_person_is_in_view_in_other_sizes(size):
    source = DemoSource(size=size, paced=False)
    assert source.info.size == size
    assert source.read().bgr.shape == (size[1], size[0], 3)
    joints = np.stack([source.truth(time_s).joints_px for time_s in times_of(source, 0.5)])
    assert joints.min() > 10
    assert (joints < np.array(size) - 10).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_picture_shows_the_person_where_the_truth_says(seed):
    source = DemoSource(seed=seed, paced=False)
    # While the person sits on the chair at the right, the place of the other actions is empty.
    elsewhere = picture(seed, segment(source, "stand_up").start_s - 1.0)
    for action in ("wave", "clap", "squat", "jumping_jacks", "punch", "kick", "pick_up", "throw", "run"):
        time_s = segment(source, action).start_s + 0.9
        difference = cv2.absdiff(picture(seed, time_s), elsewhere).max(axis=2)
        person = cv2.dilate((difference > 10).astype(np.uint8), np.ones((5, 5), np.uint8))
        for name, (x, y) in zip(MPOSE_13.joints, source.truth(time_s).joints_px, strict=True):
            assert person[round(float(y)), round(float(x))], (action, name)


def test_picture_is_the_same_for_the_same_seed_and_time_and_differs_otherwise():
    one = picture(3, 4.0)
    np.testing.assert_array_equal(one, picture(3, 4.0))
    assert (picture(3, 4.3) != one).any()
    assert (picture(4, 4.0) != one).mean() > 0.2


def test_pictures_are_not_shared():
    source = DemoSource(paced=False, fps=0.1)
    first = source.read()
    kept = first.bgr.copy()
    source.read()
    np.testing.assert_array_equal(first.bgr, kept)
    assert first.bgr.flags.c_contiguous
    assert first.bgr.dtype == np.uint8


def test_truth_names_the_action_and_its_onset_in_every_loop():
    source = DemoSource(paced=False)
    loop_s = source.script[-1].end_s
    wave = segment(source, "wave")
    truth = source.truth(wave.start_s + 0.1)
    assert (truth.action, truth.since_s) == ("wave", wave.start_s)
    later = source.truth(2 * loop_s + wave.start_s + 0.1)
    assert later.action == "wave"
    assert later.since_s == pytest.approx(2 * loop_s + wave.start_s)
    np.testing.assert_allclose(later.joints_px, truth.joints_px, atol=1e-3)


def test_left_is_the_persons_own_left():
    joints = DemoSource(paced=False).truth(1.0).joints_px
    left, right = MPOSE_13.index("left_shoulder"), MPOSE_13.index("right_shoulder")
    assert joints[left, 0] > joints[right, 0] + 20  # facing the camera, not mirrored


def test_unpaced_gives_every_frame_and_ends_after_its_loops():
    source = DemoSource(paced=False, fps=0.5, loops=2, size=(64, 64))
    frames = list(iter(source.read, None))
    loop_s = source.script[-1].end_s
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert [frame.time_s for frame in frames] == [index / 0.5 for index in range(len(frames))]
    assert frames[-1].time_s < 2 * loop_s <= frames[-1].time_s + 2
    assert source.info.frames == len(frames)
    assert not source.info.live
    assert source.read() is None


def test_paced_runs_on_the_clock_and_loses_frames_when_the_reader_is_late():
    source = DemoSource(fps=40, size=(64, 64))
    assert source.info.live
    assert source.info.frames is None
    began_s = time.monotonic()
    frames = [source.read() for _ in range(4)]
    time.sleep(0.3)
    frames.append(source.read())
    elapsed_s = time.monotonic() - began_s
    assert frames[0].index == 0
    assert frames[4].index - frames[3].index >= 11  # 0.3 s are 12 frames, of which the last may be waited for
    for frame in frames:
        assert frame.time_s == frame.index / 40
        assert began_s + frame.time_s <= frame.captured_s
    assert frames[4].time_s <= elapsed_s


def test_paced_ends_after_its_loops_even_when_late():
    source = DemoSource(fps=40, size=(64, 64), loops=1)
    source._started_s = time.monotonic() - source.script[-1].end_s - 1
    assert source.read() is None


def test_close_wakes_a_waiting_read():
    source = DemoSource(fps=0.01, size=(64, 64))
    assert source.read().index == 0
    got = []
    reader = threading.Thread(target=lambda: got.append(source.read()))
    reader.start()
    time.sleep(0.05)
    source.close()
    source.close()
    reader.join(timeout=60)
    assert not reader.is_alive()
    assert got == [None]
    assert source.read() is None


@pytest.mark.parametrize("wrong", [{"fps": 0.0}, {"size": (0, 480)}, {"loops": 0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        DemoSource(**wrong)
