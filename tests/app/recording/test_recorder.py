"""Takes of a live run: countdown, pre-roll, automatic end, several in a row, interruptions, failures."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from recording_fakes import pose, result

from app.recording.folder import read_recording, recording_folders
from app.recording.recorder import Recorder, RecorderState, RecorderView, TakeSettings
from app.recording.writer import recover
from pose.skeleton import COCO_17, MEDIAPIPE_33


@pytest.fixture
def saved():
    return []


@pytest.fixture
def recorder(tmp_path, saved):
    made = Recorder(tmp_path, "demo", MEDIAPIPE_33, saved=saved.append, lossless=True)
    yield made
    made.close()


def feed(recorder, results):
    for given in results:
        recorder(given)
    settle(recorder)


def settle(recorder):
    done = threading.Event()
    recorder._post(done.set)
    assert done.wait(60)


def brightness_of(recording):
    import av

    with av.open(recording.video) as container:
        return [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]


def test_the_seconds_before_the_key_are_kept(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=3.0, longest_s=2.0, when_still=False))
    feed(recorder, results(0.0, 10.0))
    recorder.start()
    feed(recorder, results(10.0, 3.0))
    (folder,) = saved
    recording = read_recording(folder)
    assert recording.times_s[-1] == pytest.approx(5.0, abs=0.1)
    assert recording.info.frames == pytest.approx(150, abs=3)
    assert recorder.view.state is RecorderState.READY
    assert recorder.view.takes == 1


def test_a_countdown_of_the_sources_own_time(recorder, results):
    recorder.arm(TakeSettings("s", countdown_s=3.0, longest_s=5.0))
    recorder.start()
    feed(recorder, results(100.0, 1.0))
    assert recorder.view.state is RecorderState.COUNTDOWN
    assert recorder.view.left_s == pytest.approx(2.0, abs=0.1)
    assert recorder.view.seconds_left == 3
    feed(recorder, results(101.0, 2.5))
    assert recorder.view.state is RecorderState.RECORDING


@pytest.mark.parametrize(
    ("left_s", "shown"), [(3.0, 3), (3.0 + 1e-12, 3), (2.9, 3), (2.0, 2), (1.1, 2), (1.0, 1), (0.2, 1), (0.0, 1)]
)
def test_a_countdown_of_three_seconds_is_counted_three_two_one(left_s, shown):
    assert RecorderView(left_s=left_s).seconds_left == shown


def test_a_take_ends_when_the_person_stands_still_again(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=60.0))
    recorder.start()
    feed(recorder, results(0.0, 2.0))
    assert recorder.view.state is RecorderState.RECORDING, "nobody has moved yet"
    feed(recorder, results(2.0, 3.0, moving=True))
    assert recorder.view.state is RecorderState.RECORDING
    feed(recorder, results(5.0, 3.0))
    (folder,) = saved
    assert read_recording(folder).info.duration_s == pytest.approx(6.4, abs=0.4)


@pytest.mark.parametrize(("moves", "seconds"), [(1, 6.4), (0, 9.0)])
def test_a_take_ends_when_the_one_who_was_chosen_stands_still(tmp_path, saved, moves, seconds):
    recorder = Recorder(tmp_path, "demo", MEDIAPIPE_33, saved=saved.append, followed=lambda: 1, lossless=True)
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=9.0))
    recorder.start()
    for n in range(30 * 10):
        wrists = [80 * np.sin(n * 0.3) if 60 < n < 150 and person == moves else 0.0 for person in (0, 1)]
        recorder(of_two(n / 30, wrists))
    recorder.close()
    recording = read_recording(saved[0])
    assert recording.info.duration_s == pytest.approx(seconds, abs=0.4)
    assert recording.persons() == (0, 1), "everybody is recorded"
    assert recording.subject() == 1


def test_a_take_is_of_who_is_in_it_longest_where_the_chosen_one_is_not(tmp_path, saved):
    recorder = Recorder(tmp_path, "demo", MEDIAPIPE_33, saved=saved.append, followed=lambda: 7, lossless=True)
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=1.0))
    recorder.start()
    for n in range(45):
        recorder(of_two(n / 30, (0.0, 0.0)) if n > 20 else result(n / 30))
    recorder.close()
    assert read_recording(saved[0]).subject() == 0


def of_two(time_s, wrists):
    """A result with two people, whose left wrists are there."""
    found = result(time_s, people=2)
    persons = [replace(each, pose=pose(time_s, wrists[n], n)) for n, each in enumerate(found.persons)]
    return replace(found, persons=tuple(persons))


def test_several_takes_in_a_row_without_a_key(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=1.0, pre_roll_s=0.5, longest_s=1.0, when_still=False, takes=3))
    recorder.start()
    feed(recorder, results(0.0, 9.0))
    assert len(saved) == 3
    assert (recorder.view.takes, recorder.view.of) == (3, 3)
    assert recorder.view.state is RecorderState.READY


def test_stop_keeps_the_take_and_makes_no_more(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=0, longest_s=30.0, takes=5))
    recorder.start()
    feed(recorder, results(0.0, 1.0))
    recorder.stop()
    feed(recorder, results(1.0, 1.0))
    assert len(saved) == 1
    assert recorder.view.state is RecorderState.READY


def test_cancel_throws_the_take_away(recorder, saved, results, tmp_path):
    recorder.arm(TakeSettings("s", countdown_s=0))
    recorder.start()
    feed(recorder, results(0.0, 1.0))
    recorder.cancel()
    settle(recorder)
    assert saved == []
    assert not list((tmp_path / "recordings").iterdir())


@pytest.mark.parametrize("next_s", [20.0, 0.5], ids=["a gap", "it begins again"])
def test_a_source_that_is_lost_ends_the_take_and_keeps_it(recorder, saved, results, next_s):
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=60.0))
    recorder.start()
    feed(recorder, results(0.0, 2.0))
    feed(recorder, results(next_s, 1.0))
    (folder,) = saved
    assert read_recording(folder).info.duration_s == pytest.approx(2.0, abs=0.1)
    assert "interrupted" in recorder.view.message


def test_closing_keeps_what_is_being_recorded(tmp_path, results):
    recorder = Recorder(tmp_path, "demo", MEDIAPIPE_33, lossless=True)
    recorder.arm(TakeSettings("s", countdown_s=0))
    recorder.start()
    feed(recorder, results(0.0, 1.0))
    recorder.close()
    assert len(recording_folders(tmp_path)) == 1


def test_without_pixels_none_is_kept_in_memory_either(recorder, results):
    recorder.arm(TakeSettings("s", skeleton_only=True))
    feed(recorder, results(0.0, 2.0))
    assert recorder._pre_roll
    assert all(kept.jpeg is None for kept in recorder._pre_roll._kept)


def test_memory_before_a_take_is_bounded(recorder, results):
    recorder.arm(TakeSettings("s", pre_roll_s=3.0))
    feed(recorder, results(0.0, 20.0))
    assert len(recorder._pre_roll) <= 3 * 30 + 2


def test_a_live_run_never_waits(tmp_path, results, monkeypatch):
    recorder = Recorder(tmp_path, "camera", MEDIAPIPE_33)
    stuck = threading.Event()
    recorder._post(lambda: stuck.wait(20))  # the disk does not answer
    recorder._armed = True
    for number in range(300):
        recorder(result(number / 30, size=(1280, 720)))  # returns at once, or the test runs into its time limit
    assert recorder._room.dropped >= 200
    stuck.set()
    recorder.close()


def test_a_full_disk_is_one_line_and_the_take_can_be_completed(tmp_path, results, monkeypatch):
    lines = []
    recorder = Recorder(tmp_path, "demo", MEDIAPIPE_33, failed=lines.append, lossless=True)
    recorder.arm(TakeSettings("s", countdown_s=0, skeleton_only=True))
    recorder.start()
    feed(recorder, results(0.0, 1.0))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("app.recording.writer._write_all", full)
        feed(recorder, results(1.0, 0.2))
    assert len(lines) == 1
    assert "No space left" in lines[0]
    assert recorder.view.state is RecorderState.READY
    (found,) = recover(tmp_path)
    assert read_recording(found.folder).info.frames == 30
    recorder.close()


def test_nothing_is_kept_before_it_is_armed_and_after(recorder, results):
    feed(recorder, results(0.0, 1.0))
    assert not recorder._pre_roll
    recorder.arm(TakeSettings("s"))
    feed(recorder, results(1.0, 1.0))
    recorder.disarm()
    settle(recorder)
    feed(recorder, results(2.0, 1.0))
    assert not recorder._pre_roll
    assert recorder.view.state is RecorderState.OFF


def test_pictures_of_the_pre_roll_are_those_of_their_time(recorder, saved):
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=2.0, longest_s=0.5, when_still=False))
    feed(recorder, [result(n / 30) for n in range(150)])
    recorder.start()
    feed(recorder, [result(n / 30) for n in range(150, 180)])
    recording = read_recording(saved[0])
    brightness = brightness_of(recording)
    start_s = 150 / 30 - 2.0
    expected = [round((start_s + t) * 20) % 256 for t in recording.times_s]
    np.testing.assert_allclose(brightness, expected, atol=12)


def test_with_a_countdown_the_seconds_before_the_key_are_kept_too(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=2.0, pre_roll_s=3.0, longest_s=1.0, when_still=False))
    feed(recorder, results(0.0, 10.0))
    recorder.start()
    feed(recorder, results(10.0, 4.0))
    recording = read_recording(saved[0])
    assert recording.info.begins_s == pytest.approx(5.0, abs=0.1)
    assert recording.times_s[-1] == pytest.approx(6.0, abs=0.1)


def test_a_picture_that_changes_its_size_ends_the_take(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=60.0))
    recorder.start()
    feed(recorder, results(0.0, 1.0))
    feed(recorder, [result(1.0 + n / 30, size=(128, 96)) for n in range(10)])
    assert read_recording(saved[0]).info.size == (64, 48)
    assert "size" in recorder.view.message


def test_joints_that_are_hardly_seen_do_not_keep_a_take_going(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=60.0))
    recorder.start()
    feed(recorder, results(0.0, 2.0, moving=True))
    rng = np.random.default_rng(0)
    jittering = results(2.0, 3.0)
    for given in jittering:
        ankle = given.persons[0].pose.layout.index("left_ankle")
        given.persons[0].pose.xy_px[ankle] += rng.normal(0, 60, 2).astype(np.float32)
        given.persons[0].pose.confidence[ankle] = 0.1
    feed(recorder, jittering)
    assert len(saved) == 1


def test_the_seconds_before_the_key_are_held_while_the_user_is_asked(recorder, saved, results):
    recorder.arm(TakeSettings("s", pre_roll_s=3.0))
    feed(recorder, results(0.0, 5.0))
    recorder.hold_last()
    feed(recorder, results(5.0, 6.0))
    recorder.save_last("juggle")
    settle(recorder)
    (folder,) = saved
    found = read_recording(folder)
    assert (found.info.action, found.info.duration_s) == ("juggle", pytest.approx(3.0, abs=0.1))
    assert brightness_of(found)[-1] == pytest.approx(100, abs=6)  # of the fifth second, not of the eleventh
    assert recorder.view.message == "saved 3.0 s as juggle"


def test_what_was_held_is_kept_while_a_take_runs_which_goes_on(recorder, saved, results):
    recorder.arm(TakeSettings("s", action="wave", countdown_s=0, longest_s=2.0, when_still=False))
    feed(recorder, results(0.0, 4.0))
    recorder.hold_last()
    recorder.start()
    feed(recorder, results(4.0, 1.0))
    recorder.save_last("juggle")
    settle(recorder)
    assert recorder.view.state is RecorderState.RECORDING
    feed(recorder, results(5.0, 2.0))
    assert sorted(read_recording(folder).info.action for folder in saved) == ["juggle", "wave"]


def test_seconds_with_nobody_in_them_are_not_kept_and_a_take_says_so(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=0, longest_s=1.0))
    feed(recorder, [result(n / 30, people=0) for n in range(60)])
    recorder.save_last("juggle")
    settle(recorder)
    assert saved == []
    assert "nobody was in the picture" in recorder.view.message
    recorder.start()
    feed(recorder, [result(2 + n / 30, people=0) for n in range(60)])
    assert len(saved) == 1
    assert recorder.view.message.endswith("; nobody was in the picture")


@pytest.mark.parametrize("begins_s", [0.0, 1000.0])
def test_a_countdown_begins_again_with_another_source(recorder, saved, results, begins_s):
    recorder.arm(TakeSettings("s", countdown_s=3.0, pre_roll_s=1.0, longest_s=1.0, when_still=False))
    feed(recorder, results(98.0, 2.0))
    recorder.start()
    feed(recorder, results(100.0, 1.0))
    recorder.source_changed("another", MEDIAPIPE_33)
    settle(recorder)
    assert recorder.view.left_s == 3.0
    feed(recorder, results(begins_s, 1.0))
    assert recorder.view.state is RecorderState.COUNTDOWN
    assert recorder.view.left_s == pytest.approx(2.0, abs=0.1)
    feed(recorder, results(begins_s + 1.0, 4.0))
    info = read_recording(saved[0]).info
    assert info.source == "another"
    assert info.begins_s == pytest.approx(3.0, abs=0.1), "the pre-roll is of the new run's clock"


@contextmanager
def full_disk(monkeypatch):
    """No recording can be finished."""

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("app.recording.writer._finish", full)
        yield


def test_a_take_that_cannot_be_kept_leaves_the_next_source_as_it_is(recorder, saved, results, monkeypatch):
    recorder.arm(TakeSettings("s", countdown_s=0, longest_s=1.0, when_still=False, skeleton_only=True))
    recorder.start()
    feed(recorder, results(0.0, 0.5))
    with full_disk(monkeypatch):
        recorder.source_changed("another", COCO_17)
        settle(recorder)
    assert saved == []
    assert "No space left" in recorder.view.message
    recorder.start()
    feed(recorder, [result(n / 30, people=0) for n in range(60)])
    info = read_recording(saved[0]).info
    assert (info.source, info.layout) == ("another", COCO_17.name)


def test_switched_off_it_is_off_also_where_its_take_cannot_be_kept(recorder, results, monkeypatch):
    recorder.arm(TakeSettings("s", countdown_s=0, skeleton_only=True))
    recorder.start()
    feed(recorder, results(0.0, 0.5))
    with full_disk(monkeypatch):
        recorder.disarm()
        settle(recorder)
    assert recorder.view.state is RecorderState.OFF
    assert "No space left" in recorder.view.message
    assert not recorder._pre_roll


def test_the_last_seconds_can_be_held_in_a_take_and_just_after_it(recorder, saved, results):
    recorder.arm(TakeSettings("s", action="wave", countdown_s=0, pre_roll_s=3.0, longest_s=60.0, when_still=False))
    feed(recorder, results(0.0, 2.0))
    recorder.start()
    feed(recorder, results(2.0, 4.0))
    recorder.hold_last()
    recorder.save_last("in it")
    settle(recorder)
    assert recorder.view.state is RecorderState.RECORDING
    recorder.stop()
    feed(recorder, results(6.0, 0.5))
    recorder.hold_last()
    recorder.save_last("after it")
    recorder.start()
    feed(recorder, results(6.5, 1.0))
    recorder.stop()
    settle(recorder)
    seconds = [(info.action, info.duration_s) for info in (read_recording(folder).info for folder in saved)]
    assert seconds == [
        ("in it", pytest.approx(3.0, abs=0.1)),
        ("wave", pytest.approx(6.0, abs=0.1)),
        ("after it", pytest.approx(3.0, abs=0.1)),
        ("wave", pytest.approx(1.5, abs=0.1)),  # no frame is in two takes
    ]


def test_in_a_countdown_the_last_seconds_alone_are_held(recorder, saved, results):
    recorder.arm(TakeSettings("s", countdown_s=20.0, pre_roll_s=3.0))
    feed(recorder, results(0.0, 3.0))
    recorder.start()
    feed(recorder, results(3.0, 5.0))
    for hold in (recorder.hold_last, lambda: None):  # held first, or saved at once
        hold()
        recorder.save_last("juggle")
    settle(recorder)
    first, second = map(read_recording, saved)
    for found in (first, second):
        assert found.info.duration_s == pytest.approx(3.0, abs=0.1)
        assert brightness_of(found)[0] == pytest.approx(100, abs=6)  # of the fifth second


def test_seconds_that_are_held_are_of_whom_the_window_follows_then(tmp_path, saved):
    followed = [0]
    recorder = Recorder(tmp_path, "demo", MEDIAPIPE_33, saved=saved.append, followed=lambda: followed[0], lossless=True)
    recorder.arm(TakeSettings("s", pre_roll_s=3.0))
    feed(recorder, [result(n / 30, people=2) for n in range(90)])
    recorder.hold_last()
    settle(recorder)
    followed[0] = 1  # while the user is asked
    recorder.save_last("juggle")
    recorder.save_last("clap")
    recorder.close()
    assert [read_recording(folder).info.track_id for folder in saved] == [0, 1]


def test_seconds_that_are_no_longer_there_are_said_to_be_so(recorder, saved, results):
    recorder.arm(TakeSettings("s"))
    recorder.hold_last()  # before the first picture
    feed(recorder, results(0.0, 2.0))
    recorder.save_last("juggle")
    settle(recorder)
    assert "not in memory" in recorder.view.message
    recorder.hold_last()
    recorder.source_changed("another", MEDIAPIPE_33)  # while the user is asked
    feed(recorder, results(0.0, 2.0))
    recorder.save_last("juggle")
    settle(recorder)
    assert "not in memory" in recorder.view.message
    assert saved == []


def test_what_was_skipped_is_counted_for_its_take_alone(tmp_path):
    recorder = Recorder(tmp_path, "camera", MEDIAPIPE_33)
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=60.0, when_still=False, skeleton_only=True))
    times = iter(n / 30 for n in range(1000))

    def too_fast():
        stuck = threading.Event()
        recorder._post(lambda: stuck.wait(60))
        skipped = recorder._room.dropped
        while recorder._room.dropped < skipped + 5:
            recorder(result(next(times), size=(1280, 720)))
        stuck.set()
        settle(recorder)

    too_fast()
    recorder.start()
    feed(recorder, [result(next(times), size=(1280, 720)) for _ in range(5)])
    assert (recorder.view.state, recorder.view.dropped) == (RecorderState.RECORDING, 0)
    too_fast()
    recorder.stop()
    settle(recorder)
    assert recorder.view.dropped == 5
    too_fast()
    assert recorder.view.dropped == 5
    recorder.close()
