"""Recordings on disk: written whole, read back, recovered after a kill, refused where damaged."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from recording_fakes import pose

from app.errors import OutputError, RecordingError
from app.outputs.video_writer import VideoWriter
from app.recording.folder import INFO_FILE, JOINTS_FILE, is_id, new_id, read_recording, recording_folders
from app.recording.writer import RecordingWriter, recover
from pose.skeleton import MEDIAPIPE_33

ROOT = Path(__file__).resolve().parents[3]


def writer(root, **more):
    settings = {"source": "camera 0", "session": "today", "layout": MEDIAPIPE_33, "size": (64, 48), "lossless": True}
    return RecordingWriter(root, **{**settings, **more})


def write(root, results, **more):
    made = writer(root, **more)
    for result in results:
        made.add(result.frame.time_s, result.frame.bgr, [p.pose for p in result.persons])
    return made.finish()


def video_times(path):
    with av.open(path) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def test_a_recording_comes_back_as_it_was(tmp_path, results):
    given = results(5.0, 2.0, moving=True)
    folder = write(tmp_path, given, person="Ada", action="wave")
    assert is_id(folder.name)
    assert recording_folders(tmp_path) == [folder]
    found = read_recording(folder)
    assert (found.info.person, found.info.action, found.info.frames) == ("Ada", "wave", 60)
    np.testing.assert_allclose(found.times_s, np.arange(60) / 30, atol=1e-9)
    np.testing.assert_array_equal(found.frame, np.arange(60))
    np.testing.assert_array_equal(found.xy_px, np.stack([r.persons[0].pose.xy_px for r in given]))
    np.testing.assert_allclose(video_times(found.video), found.times_s, atol=1e-3)
    assert {p.name for p in folder.iterdir()} == {INFO_FILE, JOINTS_FILE, "video.mp4"}


def test_frames_without_anybody_and_with_two(tmp_path, results):
    made = writer(tmp_path)
    first, second, third = results(0.0, 0.1)
    made.add(0.0, first.frame.bgr, [])
    made.add(1 / 30, second.frame.bgr, [pose(1 / 30), pose(1 / 30, person=1)])
    made.add(2 / 30, third.frame.bgr, [])
    found = read_recording(made.finish())
    assert found.info.frames == 3
    np.testing.assert_array_equal(found.frame, [1, 1])


def test_a_time_that_does_not_grow_is_left_out(tmp_path, results):
    given = results(0.0, 0.2)
    folder = write(tmp_path, [*given, given[0], given[3]])
    assert read_recording(folder).info.frames == len(given)


def test_skeletons_alone_leave_no_pixel_on_the_disk(tmp_path, results):
    made = writer(tmp_path, skeleton_only=True)
    for result in results(0.0, 1.0):
        made.add(result.frame.time_s, result.frame.bgr, [p.pose for p in result.persons])
        names = {p.name for p in made.folder.iterdir()}
        assert not any("video" in name or name.endswith((".mp4", ".jpg", ".png")) for name in names)
    folder = made.finish()
    assert read_recording(folder).video is None
    assert {p.name for p in folder.iterdir()} == {INFO_FILE, JOINTS_FILE}


def test_a_recording_that_is_thrown_away_is_gone(tmp_path, results):
    made = writer(tmp_path)
    made.add(0.0, results(0.0, 0.1)[0].frame.bgr, [])
    made.discard()
    assert not list((tmp_path / "recordings").iterdir())


def test_what_another_process_writes_is_left_alone(tmp_path, results):
    made = writer(tmp_path)
    made.add(0.0, results(0.0, 0.1)[0].frame.bgr, [])
    assert recover(tmp_path) == []
    made.discard()


def name_another_process(made):
    """As the owner looks from another computer or another container: a process that is not there."""
    (made.folder / "owner.json").write_text('{"pid": 1, "started": 0.5}')


def test_what_a_process_writes_that_cannot_be_seen_is_left_alone(tmp_path, results):
    made = writer(tmp_path, skeleton_only=True)
    first, second = results(0.0, 0.05)
    made.add(first.frame.time_s, None, [])
    name_another_process(made)
    assert recover(tmp_path) == []
    made.add(second.frame.time_s, None, [])
    folder = made.finish()
    assert read_recording(folder).info.frames == 2
    assert list((tmp_path / "recordings").iterdir()) == [folder]


@pytest.mark.parametrize("end", ["keep_for_recovery", "discard"])
def test_a_take_that_has_ended_leaves_no_lock(tmp_path, end):
    made = writer(tmp_path, skeleton_only=True)
    made.add(0.0, None, [])
    getattr(made, end)()
    assert len(recover(tmp_path)) == (end == "keep_for_recovery")
    assert not list((tmp_path / "recordings").glob(".*"))


def test_without_locks_the_process_tells_whose_it_is(tmp_path, monkeypatch):
    def refuse(file):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("app.writer_lock._try_lock", refuse)
    made = writer(tmp_path, skeleton_only=True)
    made.add(0.0, None, [])
    assert recover(tmp_path) == []
    name_another_process(made)
    (found,) = recover(tmp_path)
    assert read_recording(found.folder).info.frames == 1


def test_a_lock_that_a_kill_left_after_finishing_is_removed_later(tmp_path):
    made = writer(tmp_path, skeleton_only=True)
    made.add(0.0, None, [])
    folder = made.finish()
    lock = folder.with_name(f".{folder.name}.lock")
    lock.write_text("")
    recover(tmp_path)
    assert lock.exists()
    os.utime(lock, (0, 0))
    recover(tmp_path)
    assert not lock.exists()


_RECORD = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from recording_fakes import result
from app.recording.writer import RecordingWriter
from pose.skeleton import MEDIAPIPE_33
w = RecordingWriter(Path(sys.argv[1]), source="x", session="s", layout=MEDIAPIPE_33, size=(64, 48), lossless=True)
n = 0
while True:
    r = result(n / 30, people=2)
    w.add(r.frame.time_s, r.frame.bgr, [p.pose for p in r.persons])
    n += 1
    if n % 30 == 0:
        print(n, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("seconds", [2, 5, 9])
def test_a_killed_process_leaves_a_recording(tmp_path, results, seconds):
    finished = write(tmp_path, results(0.0, 0.5))
    before = {p: p.read_bytes() for p in finished.iterdir()}
    code = _RECORD.format(root=str(ROOT), tests=str(Path(__file__).parent))
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    for _ in range(seconds):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    (found,) = recover(tmp_path)
    assert found.folder is not None, found.message
    recording = read_recording(found.folder)
    assert recording.info.frames >= 30 * seconds
    assert len(recording.frame) == 2 * recording.info.frames
    times = video_times(recording.video)
    assert times
    assert times[-1] <= recording.times_s[-1] + 1e-3
    assert before == {p: p.read_bytes() for p in finished.iterdir()}
    assert recover(tmp_path) == []


def test_a_journal_that_was_cut_gives_its_whole_frames(tmp_path, results):
    made = writer(tmp_path, skeleton_only=True)
    for result in results(0.0, 1.0):
        made.add(result.frame.time_s, None, [p.pose for p in result.persons])
    made.keep_for_recovery()
    journal = made.folder / "joints.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) // 2 + 7])
    (found,) = recover(tmp_path)
    assert read_recording(found.folder).info.frames == 15


def test_an_unfinished_recording_without_a_frame_is_removed_and_said(tmp_path):
    made = writer(tmp_path, skeleton_only=True)
    made.keep_for_recovery()
    (found,) = recover(tmp_path)
    assert found.folder is None
    assert "no frame" in found.message
    assert not made.folder.exists()


def test_finishing_can_be_done_again_after_a_full_disk(tmp_path, results, monkeypatch):
    made = writer(tmp_path, skeleton_only=True)
    for result in results(0.0, 0.5):
        made.add(result.frame.time_s, None, [p.pose for p in result.persons])

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("app.recording.writer.save_joints", full)
        with pytest.raises(RecordingError, match="No space left"):
            made.finish()
    made.keep_for_recovery()
    (found,) = recover(tmp_path)
    assert read_recording(found.folder).info.frames == 15


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RecordingError, match="make room, or check its permissions") as caught:
        writer(file)
    assert "\n" not in str(caught.value)


def test_a_disk_that_is_full_from_the_start_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.recording.writer.info_to_json", full)
    with pytest.raises(RecordingError, match="No space left on device; make room"):
        writer(tmp_path)
    assert list((tmp_path / "recordings").iterdir()) == []


def test_why_the_video_cannot_go_on_is_said_once(tmp_path, results, monkeypatch):
    made = writer(tmp_path)
    (result,) = results(0.0, 0.03)
    made.add(result.frame.time_s, result.frame.bgr, [])

    def full(*_):
        raise OutputError("cannot go on saving; make room and start again") from OSError(28, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    with pytest.raises(RecordingError) as caught:
        made.add(1.0, result.frame.bgr, [])
    said = "cannot continue recording: No space left on device; make room; it is completed at the next start"
    assert str(caught.value) == said
    made.discard()


def test_a_folder_that_a_kill_left_before_it_had_an_owner_is_removed_later(tmp_path):
    made = writer(tmp_path)
    made.discard()
    new = made.folder.with_suffix(".new")
    new.mkdir()
    recover(tmp_path)
    assert new.exists()
    os.utime(new, (0, 0))
    recover(tmp_path)
    assert not new.exists()


def test_names_differ_and_are_safe():
    names = {new_id() for _ in range(50)}
    assert len(names) == 50
    assert all(is_id(name) for name in names)
    assert not is_id("../../etc")


@pytest.fixture
def recorded(tmp_path, results):
    return write(tmp_path, results(0.0, 0.3), skeleton_only=True)


def info_with(folder, **changes):
    values = json.loads((folder / INFO_FILE).read_text())
    (folder / INFO_FILE).write_text(json.dumps({**values, **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 99}, "newer version"),
        ({"layout": "no such"}, "layout"),
        ({"frames": 10**9}, "range|kind"),
        ({"frames": 4}, "do not fit"),
        ({"id": "../../x"}, "id"),
        ({"person": None}, "text"),
        ({"source": "x" * 1000}, "too long"),
        ({"size": "big"}, "number"),
        ({"surplus": 1}, "keys"),
        ({"version": "1"}, "version"),
        ({"track_id": True}, "track_id"),
        ({"track_id": "1"}, "track_id"),
        ({"duration_s": "1"}, "number"),
        ({"skeleton_only": 1}, "kind"),
    ],
)
def test_a_recording_whose_description_is_wrong_is_refused(recorded, changes, said):
    info_with(recorded, **changes)
    with pytest.raises(RecordingError, match=said) as caught:
        read_recording(recorded)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04K\x01.", b"not a zip" * 50])
def test_joints_that_are_no_archive_are_refused(recorded, content):
    (recorded / JOINTS_FILE).write_bytes(content)
    with pytest.raises(RecordingError, match="damaged"):
        read_recording(recorded)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("times_s", np.full(9, np.nan), "not numbers"),
        ("times_s", np.zeros(9), "do not increase"),
        ("times_s", np.arange(9) - 500.0, "begin at 0"),
        ("frame", np.int64(0), "do not fit"),
        ("frame", np.full(9, 50), "not there"),
        ("frame", np.arange(8), "do not fit"),
        ("xy_px", np.zeros((9, 13, 2), np.float32), "do not fit"),
        ("xy_px", np.array([object()] * 9), "damaged"),
        ("person", np.zeros(9, np.float32), "float32"),
    ],
)
def test_joints_that_do_not_fit_are_refused(recorded, name, values, said):
    with np.load(recorded / JOINTS_FILE) as file:
        arrays = dict(file)
    np.savez(recorded / JOINTS_FILE, **{**arrays, name: values})
    with pytest.raises(RecordingError, match=said) as caught:
        read_recording(recorded)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("person", [-1, 1 << 62])
def test_a_person_whose_number_no_label_can_hold_is_refused(recorded, person):
    with np.load(recorded / JOINTS_FILE) as file:
        arrays = dict(file)
    np.savez(recorded / JOINTS_FILE, **{**arrays, "person": np.full(len(arrays["person"]), person, np.int64)})
    with pytest.raises(RecordingError, match="a person's number is out of range"):
        read_recording(recorded)


def test_a_missing_file_is_said(recorded):
    (recorded / JOINTS_FILE).unlink()
    with pytest.raises(RecordingError, match="missing"):
        read_recording(recorded)


def test_somebody_cannot_be_in_a_frame_twice(recorded):
    with np.load(recorded / JOINTS_FILE) as file:
        arrays = dict(file)
    np.savez(recorded / JOINTS_FILE, **{**arrays, "frame": np.zeros(9, np.int64)})
    with pytest.raises(RecordingError, match="twice"):
        read_recording(recorded)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own start time is used")
def test_a_clock_that_is_set_does_not_make_a_living_writer_look_dead(tmp_path, results, monkeypatch):
    import psutil

    made = writer(tmp_path, skeleton_only=True)
    made.add(0.0, None, [])
    monkeypatch.setattr(psutil, "boot_time", lambda: 5.0)
    assert recover(tmp_path) == []
    made.discard()


def test_one_broken_folder_does_not_keep_others_from_being_completed(tmp_path, results):
    broken, good = (writer(tmp_path, skeleton_only=True) for _ in range(2))
    for made in (broken, good):
        made.add(0.0, None, [])
        made.keep_for_recovery()
    (broken.folder / INFO_FILE).write_text("{}")
    found = recover(tmp_path)
    assert sorted(one.folder is None for one in found) == [False, True]


def test_pictures_that_begin_later_than_the_joints_keep_their_times(tmp_path, results):
    made = writer(tmp_path)
    given = results(0.0, 1.0)
    for number, one in enumerate(given):
        made.add(one.frame.time_s, one.frame.bgr if number >= 15 else None, [])
    times = video_times(made.finish() / "video.mp4")
    np.testing.assert_allclose(times, [0.0, *(n / 30 for n in range(15, 30))], atol=1e-3)


def test_a_video_that_was_killed_before_its_first_fragment_is_left_out(tmp_path, results):
    made = writer(tmp_path, skeleton_only=False)
    made.add(0.0, results(0.0, 0.1)[0].frame.bgr, [])
    made.keep_for_recovery()
    (made.folder / "video.mp4").unlink(missing_ok=True)
    (made.folder / "video.partial.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(20))
    (found,) = recover(tmp_path)
    assert read_recording(found.folder).video is None


def test_texts_that_no_file_can_hold_do_not_stop_anything(tmp_path, results):
    folder = write(tmp_path, results(0.0, 0.2), source="bad \udcff name", skeleton_only=True)
    assert read_recording(folder).info.source == "bad ? name"


def test_nothing_follows_a_row_that_was_written_in_part(tmp_path, results, monkeypatch):
    made = writer(tmp_path, skeleton_only=True)
    with monkeypatch.context() as patched:
        patched.setattr("app.recording.writer._write_all", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(RecordingError, match="full"):
            made.add(0.0, None, [])
    with pytest.raises(RecordingError, match="failed before"):
        made.add(0.1, None, [])
    made.discard()
