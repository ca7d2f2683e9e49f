import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from app.errors import OutputError
from app.outputs.video_writer import VideoWriter

ROOT = Path(__file__).resolve().parents[2]


def picture(brightness: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), brightness, np.uint8)


def noise(n: int, width: int = 320, height: int = 240) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (height, width, 3), dtype=np.uint8)


def frames_of(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(path) as container:
        return [(float(frame.time), frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def boxes_of(path: Path) -> list[str]:
    """Names of the outermost boxes of an MP4."""
    data, found, at = path.read_bytes(), [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode("ascii"))
        at += int.from_bytes(data[at : at + 4], "big")
    return found


def wait_for(condition, timeout_s: float = 60.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


@pytest.fixture(autouse=True)
def _no_thread_left():
    yield
    assert wait_for(lambda: "video-writer" not in {thread.name for thread in threading.enumerate()}, 2.0)


def test_times_pictures_and_their_order_come_back(tmp_path: Path):
    times = [10.0, 10.033, 10.1, 10.5, 12.25, 12.251, 15.0]
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    for n, time_s in enumerate(times):
        writer.write(picture(20 + 30 * n), time_s)
    writer.close()
    found = frames_of(tmp_path / "out.mp4")
    assert [t for t, _ in found] == pytest.approx([t - 10.0 for t in times], abs=0.0005)
    assert [p.mean() for _, p in found] == pytest.approx([20 + 30 * n for n in range(7)], abs=8)
    assert os.listdir(tmp_path) == ["out.mp4"]
    assert (writer.written, writer.dropped) == (7, 0)


def test_colours_come_back(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[:] = (200, 60, 30)
    writer.write(bgr, 0.0)
    writer.close()
    [(_, found)] = frames_of(tmp_path / "out.mp4")
    assert found[24, 32] == pytest.approx([200, 60, 30], abs=8)


def test_the_finished_file_has_one_index_and_seeks(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    for n in range(100):
        writer.write(picture(n), n / 20)
    writer.close()
    assert sorted(boxes_of(tmp_path / "out.mp4")) == ["free", "ftyp", "mdat", "moov"]
    with av.open(tmp_path / "out.mp4") as container:
        stream = container.streams.video[0]
        assert stream.frames == 100
        assert stream.codec_context.pix_fmt == "yuv420p"
        container.seek(round(3.5 / stream.time_base), stream=stream)
        frame = next(container.decode(video=0))
        assert 2.4 <= frame.time <= 3.5


@pytest.mark.parametrize(("size", "saved"), [((63, 47), (64, 48)), ((65, 48), (66, 48)), ((1, 1), (2, 2))])
def test_odd_sizes_become_even(tmp_path: Path, size: tuple[int, int], saved: tuple[int, int]):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    writer.write(picture(200, *size), 0.0)
    writer.close()
    [(_, found)] = frames_of(tmp_path / "out.mp4")
    assert found.shape[1::-1] == saved
    assert found.min() > 180  # the added line repeats the picture's edge


def test_another_size_is_letterboxed(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    writer.write(picture(200, 160, 120), 0.0)
    writer.write(picture(200, 160, 60), 0.1)
    writer.write(picture(200, 30, 60), 0.2)
    writer.close()
    _, wide, tall = (p for _, p in frames_of(tmp_path / "out.mp4"))
    assert wide.shape == (120, 160, 3)
    assert wide[60].min() > 180
    assert wide[10].max() < 30
    assert wide[110].max() < 30
    assert tall[:, 80].min() > 180
    assert tall[:, 20].max() < 30


def test_a_time_that_does_not_grow_is_mended(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    for time_s in (1.0, 1.1, 1.1, 0.5, 1.2):
        writer.write(picture(99), time_s)
    writer.close()
    times = [t for t, _ in frames_of(tmp_path / "out.mp4")]
    assert len(times) == 5
    assert times == sorted(set(times))


def test_no_picture_no_file(tmp_path: Path):
    VideoWriter(tmp_path / "out.mp4").close()
    assert os.listdir(tmp_path) == []


def test_an_existing_file_is_replaced_only_at_the_end(tmp_path: Path):
    (tmp_path / "out.mp4").write_bytes(b"old")
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    writer.write(picture(1), 0.0)
    assert wait_for(lambda: writer.written == 1)
    assert (tmp_path / "out.mp4").read_bytes() == b"old"
    writer.close()
    writer.close()
    assert len(frames_of(tmp_path / "out.mp4")) == 1


def test_what_a_killed_run_left_is_kept(tmp_path: Path):
    (tmp_path / "out.partial.mp4").write_bytes(b"left by a killed run")
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    writer.write(picture(1), 0.0)
    writer.close()
    assert sorted(os.listdir(tmp_path)) == ["out.mp4", "out.partial.mp4"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing/out.mp4", "no folder"),
        ("out.avi", ".mp4"),
        ("folder.mp4", "folder"),
        ("file/out.mp4", "cannot save"),
        ("x" * 300 + ".mp4", "too long"),
        ("x" * 245 + ".mp4", "too long"),
    ],
)
def test_what_cannot_be_made_is_said_at_once(tmp_path: Path, name: str, says: str):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=says) as raised:
        VideoWriter(tmp_path / name)
    assert "\n" not in str(raised.value)


def full_disk(path: Path):
    return open("/dev/full", "wb", buffering=0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("lossless", [True, False])
def test_a_full_disk_is_told_once_and_stops_nobody(tmp_path: Path, lossless: bool):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=lossless, open_file=full_disk)
    told = []
    for n in range(200):
        try:
            writer.write(noise(n), n / 30)
        except OutputError as error:
            told.append(str(error))
        if not lossless:
            time.sleep(0.002)
    writer.close()
    assert len(told) == 1
    assert os.strerror(errno.ENOSPC) in told[0]
    assert "\n" not in told[0]
    assert writer.dropped > 100


def test_a_full_disk_only_seen_at_the_end_is_told_by_close(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("needs the device that is always full")
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True, open_file=full_disk)
    writer.write(picture(1), 0.0)
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)):
        writer.close()
    writer.close()


SAVE = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
from pathlib import Path
from app.errors import OutputError
from app.outputs.video_writer import VideoWriter
{before}
rng = np.random.default_rng(0)
writer = VideoWriter(Path({path!r}), lossless=True)
for n in range({frames}):
    try:
        writer.write(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8), n / 30)
    except OutputError as error:
        print(error, flush=True)
    if n == 60:
        print("two seconds", flush=True)
{after}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files with setrlimit")
@pytest.mark.parametrize("existing", [False, True])
def test_a_disk_that_fills_up_leaves_a_playable_file(tmp_path: Path, existing: bool):
    """The system itself refuses to let the file grow, in the middle of a fragment, as on a full disk."""
    target = tmp_path / "out.mp4"
    if existing:
        target.write_bytes(b"an earlier video")
    before = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    before += "resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))"
    code = SAVE.format(root=str(ROOT), path=str(target), frames=120, before=before, after="writer.close()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line != "two seconds"]
    assert len(lines) == 1
    assert os.strerror(errno.EFBIG) in lines[0]
    kept = tmp_path / "out.partial.mp4" if existing else target
    assert str(kept) in lines[0]
    assert len(os.listdir(tmp_path)) == (2 if existing else 1)
    if existing:
        assert target.read_bytes() == b"an earlier video"
    times = [t for t, _ in frames_of(kept)]
    assert len(times) >= 10
    assert times == pytest.approx([n / 30 for n in range(len(times))], abs=0.001)


@pytest.mark.skipif(sys.platform == "win32", reason="kills with SIGKILL")
def test_a_killed_process_loses_the_last_second_at_most(tmp_path: Path):
    code = SAVE.format(
        root=str(ROOT), path=str(tmp_path / "out.mp4"), frames=91, before="import time", after="time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    partial = tmp_path / "out.partial.mp4"
    try:
        assert process.stdout.readline() == "two seconds\n"
        sizes = [0]
        # All 91 frames (3 s) have been given; wait until the file stops growing.
        while not (sizes[-1] and len(sizes) > 20 and len(set(sizes[-20:])) == 1):
            sizes.append(partial.stat().st_size)
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    finally:
        process.kill()
        process.stdout.close()
    assert os.listdir(tmp_path) == ["out.partial.mp4"]
    assert frames_of(partial)[-1][0] > 2.0


def test_a_live_run_drops_and_counts_instead_of_waiting(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4")
    pictures = [noise(n, 1280, 720) for n in range(4)]
    began = time.monotonic()
    for n in range(200):
        writer.write(pictures[n % 4], n / 30)
    took_s = time.monotonic() - began
    writer.close()
    assert writer.dropped > 0
    assert writer.written + writer.dropped == 200
    assert len(frames_of(tmp_path / "out.mp4")) == writer.written
    assert took_s < 5.0  # encoding them all takes far longer than this loop


def test_a_lossless_run_waits_and_keeps_every_frame(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    for n in range(150):
        writer.write(picture(n, 320, 240), n / 30)
    writer.close()
    assert writer.dropped == 0
    assert len(frames_of(tmp_path / "out.mp4")) == 150


def test_writing_after_close_only_counts(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    writer.close()
    writer.write(picture(1), 0.0)
    assert writer.dropped == 1


def test_a_picture_that_cannot_be_encoded_does_not_hang_the_run(tmp_path: Path):
    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    told = []
    for n in range(60):
        try:
            writer.write(np.zeros((48, 64), np.uint8), n / 30)  # not (H, W, 3)
        except OutputError as error:
            told.append(str(error))
    writer.close()
    assert len(told) == 1


def test_a_video_that_cannot_get_its_name_is_told_and_stays_under_the_other(tmp_path: Path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    writer = VideoWriter(tmp_path / "out.mp4", lossless=True)
    for n in range(31):
        writer.write(picture(n), n / 30)
    monkeypatch.setattr("app.outputs.video_writer.os.replace", refuse)
    with pytest.raises(
        OutputError, match=r"Permission denied; the video so far \(about 1.0 s\) is in .*out.partial.mp4"
    ):
        writer.close()
    assert len(frames_of(tmp_path / "out.partial.mp4")) == 31
