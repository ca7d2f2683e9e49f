"""What every source owes to whoever reads it, whatever kind it is; and opening by name, and paced playback."""

import threading
import time

import cv2
import numpy as np
import pytest

from pose.camera import Camera, CameraInfo
from pose.camera_request import CameraRequest
from pose.errors import SourceError
from pose.image_folder import ImageFolder
from pose.source import PacedSource, SourceInfo, find_source, open_source
from pose.stream import Stream
from pose.types import Frame
from pose.video_file import VideoFile
from tests.pose.conftest import FakeDevice, drain, picture, takes_less_than, write_video

COUNT = 12


def demo_source(**settings):
    return pytest.importorskip("pose.demo.source").DemoSource(size=(160, 120), **settings)


def image_folder(path):
    path.mkdir(exist_ok=True)
    for number in range(COUNT):
        cv2.imwrite(str(path / f"{number:03d}.png"), picture(number))
    return ImageFolder(path)


@pytest.fixture
def make(tmp_path, request):
    """Opens a source of a kind; all are closed at the end."""
    opened = []
    kinds = {
        "camera": lambda: Camera(0, open_device=lambda index: FakeDevice()),
        "file": lambda: VideoFile(write_video(tmp_path / "walk.mp4", COUNT)),
        "folder": lambda: image_folder(tmp_path / "dance"),
        "stream": lambda: Stream(request.getfixturevalue("server").url("/mjpeg"), read_timeout_s=2),
        "demo": demo_source,
        "paced": lambda: PacedSource(VideoFile(write_video(tmp_path / "walk.mp4", COUNT))),
        # Each waits in its first or second read, for ever.
        "stalled camera": lambda: Camera(0, open_device=lambda index: stalled_device(request)),
        "silent stream": lambda: Stream(request.getfixturevalue("server").url("/stalls"), read_timeout_s=2),
        "paused file": lambda: paused(VideoFile(write_video(tmp_path / "walk.mp4", COUNT))),
    }

    def make(kind):
        opened.append(kinds[kind]())
        return opened[-1]

    yield make
    for source in opened:
        source.close()


def stalled_device(request):
    device = FakeDevice(at={1: "stall"})
    request.addfinalizer(device.let_go.set)
    return device


def paused(source):
    source = PacedSource(source)
    source.pause()
    return source


KINDS = ["camera", "file", "folder", "stream", "demo", "paced"]
ENDING = ["file", "folder", "paced"]
BLOCKING = ["stalled camera", "silent stream", "paused file"]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_contiguous_bgr_with_increasing_times(make, kind):
    source = make(kind)
    frames = [source.read() for _ in range(COUNT)]
    for frame in frames:
        assert frame.bgr.dtype == np.uint8
        assert frame.bgr.ndim == 3
        assert frame.bgr.shape[2] == 3
        assert frame.bgr.flags.c_contiguous
    numbers = [frame.index for frame in frames]
    if kind == "demo":  # it plays on while nobody reads, which a busy machine may bring about
        assert numbers[0] == 0
        assert (np.diff(numbers) > 0).all()
    else:
        assert numbers == list(range(COUNT))
    assert 0 <= frames[0].time_s < 1
    assert (np.diff([frame.time_s for frame in frames]) > 0).all()
    captured = [frame.captured_s for frame in frames]
    assert (np.diff(captured) >= 0).all()
    assert captured[-1] <= time.monotonic() < captured[0] + 30


@pytest.mark.parametrize("kind", KINDS)
def test_info_fits_the_frames(make, kind):
    source = make(kind)
    info = source.info
    assert info.name
    assert info.live == (kind in ("camera", "stream", "demo"))
    assert info.size == source.read().size
    assert info.fps is None or 1 < info.fps <= 1000
    assert info.frames == (COUNT if kind in ENDING else None)


@pytest.mark.parametrize("kind", ENDING)
def test_the_end_is_none_again_and_again(make, kind):
    source = make(kind)
    assert len(drain(source)) == COUNT
    assert source.read() is None
    assert source.read() is None


@pytest.mark.parametrize("kind", KINDS)
def test_closed_twice_and_read_after_that(make, kind):
    source = make(kind)
    source.read()
    with takes_less_than(2):
        source.close()
        source.close()
    assert source.read() is None


@pytest.mark.parametrize("kind", KINDS)
def test_closed_before_any_read(make, kind):
    source = make(kind)
    source.close()
    assert source.read() is None


@pytest.mark.parametrize("kind", KINDS + BLOCKING)
def test_close_from_another_thread_ends_reading(make, kind):
    source = make(kind)
    errors = []

    def read():
        try:
            drain(source)
        except SourceError as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.8 if kind == "silent stream" else 0.1)
    with takes_less_than(1.2):  # 1 s is the promise; the rest is for a busy machine
        source.close()
        reader.join(60)
    assert not reader.is_alive()
    assert not errors, "closing is no loss"


@pytest.mark.parametrize("kind", KINDS)
def test_closed_by_many_threads_at_once(make, kind):
    source = make(kind)
    threads = [threading.Thread(target=source.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert source.read() is None


@pytest.mark.parametrize("kind", ["file", "folder", "demo"])
def test_the_same_source_gives_the_same_frames_again(make, kind):
    def first_frames():
        source = demo_source(paced=False) if kind == "demo" else make(kind)
        frames = [source.read() for _ in range(5)]
        source.close()
        return frames

    for one, other in zip(first_frames(), first_frames(), strict=True):
        assert one.time_s == other.time_s
        assert (one.bgr == other.bgr).all()


# Opening by name.


class Opened(Exception):
    """Carries what a constructor was called with."""


@pytest.fixture
def opens(monkeypatch):
    """What a name opens: the class and its arguments, without opening it."""

    def spy(module, name):
        def instead(*args, **settings):
            raise Opened(name, *args, *settings.values())

        monkeypatch.setattr(f"{module}.{name}", instead)

    for module, name in (("camera", "Camera"), ("stream", "Stream"), ("video_file", "VideoFile")):
        spy(f"pose.{module}", name)

    def opens(name, *args):
        with pytest.raises(Opened) as opened:
            open_source(name, *args)
        return opened.value.args

    return opens


def test_names_of_cameras(opens):
    request = CameraRequest(width=640)
    assert opens("0", request) == ("Camera", 0, request)
    assert opens("12")[:2] == ("Camera", 12)
    assert opens("/dev/video3")[:2] == ("Camera", 3)


def test_links_to_cameras(opens, tmp_path, monkeypatch):
    import pose.source

    monkeypatch.setattr(pose.source.Path, "resolve", lambda self: "/dev/video5")
    assert opens("/dev/v4l/by-id/usb-Maker_Camera-video-index0")[:2] == ("Camera", 5)


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "rtmp", "udp", "RTSP"])
def test_names_of_streams(opens, scheme):
    assert opens(f"{scheme}://127.0.0.1:9/a b") == ("Stream", f"{scheme}://127.0.0.1:9/a b")


@pytest.mark.parametrize("name", ["walk.mp4", "100", "./0", r"C:\videos\walk.mp4", "a:b.mp4", "demonstration.mp4"])
def test_anything_else_is_a_file(opens, name):
    kind, path = opens(name)
    assert (kind, str(path)) == ("VideoFile", name.removeprefix("./"))


def test_files_by_url_and_in_the_home_folder(opens, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert opens(f"file://{tmp_path}/walk.mp4") == ("VideoFile", tmp_path / "walk.mp4")
    assert opens("~/walk.mp4") == ("VideoFile", tmp_path / "walk.mp4")


def test_a_folder_opens_as_pictures(tmp_path):
    image_folder(tmp_path)
    source = open_source(str(tmp_path))
    assert source.info.frames == COUNT
    source.close()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "no source"),
        ("ftp://host/walk.mp4", "ftp://"),
        ("demo:x", "SEED"),
        ("none.mp4", "does not exist"),
        ("-1", "no camera -1"),
    ],
)
def test_names_that_stand_for_nothing(name, says):
    with pytest.raises(SourceError, match=says) as error:
        open_source(name)
    assert "\n" not in str(error.value)


def test_the_demo_by_name():
    pytest.importorskip("pose.demo.source")
    for name in ("demo", "demo:7"):
        source = open_source(name)
        assert source.read().size == (640, 480)
        source.close()


def test_auto_is_the_first_camera_or_the_demo(monkeypatch, opens):
    monkeypatch.setattr("pose.camera.list_cameras", lambda: [CameraInfo(2, "Desk"), CameraInfo(4)])
    assert find_source() == "2"
    assert opens("auto")[:2] == ("Camera", 2)
    monkeypatch.setattr("pose.camera.list_cameras", list)
    assert find_source() == "demo"


# Playing at a source's own speed.


class Instant:
    """Frames at once, one every step_s of their own time."""

    def __init__(self, count=20, step_s=0.04, start_s=0.0):
        self.info = SourceInfo("instant", False, (4, 4), 1 / step_s, count)
        self.closed = False
        self._left = iter(range(count))
        self._step_s = step_s
        self._start_s = start_s

    def read(self):
        number = next(self._left, None)
        if number is None or self.closed:
            return None
        return Frame(np.zeros((4, 4, 3), np.uint8), self._start_s + number * self._step_s, 0.0, number)

    def close(self):
        self.closed = True


def test_paced_frames_come_when_they_are_due():
    source = PacedSource(Instant(start_s=5.0))
    frames = drain(source)
    assert not source.info.live
    assert len(frames) == 20, "nothing is lost"
    assert frames[3].time_s == 5.0 + 3 * 0.04
    waited = [frame.captured_s - frames[0].captured_s - frame.index * 0.04 for frame in frames]
    assert min(waited) > -0.001, "a frame came before its time"
    assert frames[-1].captured_s - frames[0].captured_s < 2


def test_pausing_stops_the_clock():
    source = PacedSource(Instant(step_s=0.02))
    captured = []
    reader = threading.Thread(target=lambda: captured.extend(frame.captured_s for frame in drain(source)))
    began_s = time.perf_counter()
    source.read()
    source.pause()
    played_s = time.perf_counter() - began_s
    reader.start()
    time.sleep(0.3)
    resumed_s = time.perf_counter()
    source.resume()
    source.resume()
    reader.join(60)
    assert len(captured) == 19, "nothing comes while paused, and nothing is lost"
    assert captured[0] >= resumed_s
    waited = [at_s - resumed_s - 0.02 * number for number, at_s in enumerate(captured, 1)]
    assert min(waited) > -played_s - 0.001, "what was missed came in a burst"


def test_a_late_reader_is_not_flooded():
    source = PacedSource(Instant(count=40))
    source.read()
    time.sleep(1.0)
    captured = [source.read().captured_s for _ in range(12)]
    source.close()
    assert captured[-1] - captured[0] > 0.8 * 11 * 0.04


def test_a_slightly_late_reader_catches_up():
    source = PacedSource(Instant(count=40))
    first = source.read()
    time.sleep(0.15)
    last = [source.read() for _ in range(20)][-1]
    source.close()
    assert last.captured_s - first.captured_s == pytest.approx(last.time_s - first.time_s, abs=0.1)


def test_closing_ends_a_wait_for_a_distant_frame():
    inner = Instant(step_s=1000)
    source = PacedSource(inner)
    source.read()
    got = []
    reader = threading.Thread(target=lambda: got.append(source.read()))
    reader.start()
    time.sleep(0.1)
    source.close()
    reader.join(60)
    assert got == [None]
    assert inner.closed
