"""Where frames come from: the Source protocol and the one function that opens any of them."""

import re
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pose.address import check, is_address, local_path
from pose.errors import SourceError
from pose.types import Frame

if TYPE_CHECKING:
    from pose.camera_request import CameraRequest


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source says of itself once it is open.

    name: for people ("camera 0", "walk.mp4", "demo").
    live: True where frames come by themselves and are lost when not read (camera, URL stream, demo).
    size: (width, height) in pixels of the first frame; None where unknown. It may change while running.
    fps: nominal frames a second; None where unknown.
    frames: number of frames, None where unknown or endless.
    """

    name: str
    live: bool
    size: tuple[int, int] | None = None
    fps: float | None = None
    frames: int | None = None


class Source(Protocol):
    """Frames, one after another. Opened by its constructor, which raises SourceError with one clear line."""

    info: SourceInfo

    def read(self) -> Frame | None:
        """The next frame, blocking until there is one; None at the end of the stream.

        Called from one thread. Raises SourceLost when a live source stops working and SourceError when
        a file is damaged beyond reading on. Returns within 1 s of close(), with None.
        """
        ...

    def close(self) -> None:
        """Release the device or file. Any thread, any number of times; never blocks for more than 1 s."""
        ...


_CAMERA = re.compile(r"\d{1,2}")
_DEVICE = re.compile(r"/dev/video(\d{1,2})")


def open_source(name: str, camera: "CameraRequest | None" = None) -> Source:
    """Open what a name stands for; raises SourceError.

    "0".."99" or "/dev/videoN": a camera. "demo" or "demo:SEED": the rendered person. "auto": what find_source() says.
    "http://...", "rtsp://...", ...: a stream. Anything else: a video file, a folder of pictures, or a pattern for the
    names of pictures as in walk/%04d.png.
    camera: what to ask of a camera.
    """
    name = find_source() if name == "auto" else name.strip()
    if not name:
        raise SourceError("no source is named: give a camera number, a file, a URL or demo")
    if name == "demo" or name.startswith("demo:"):
        return _open_demo(name)
    index = _camera_index(name)
    if index is not None:
        from pose.camera import Camera

        return Camera(index, camera)
    if is_address(name):
        from pose.stream import Stream

        check(name)
        return Stream(name)
    return _open_file(name)


def find_source() -> str:
    """The name of the first camera, or "demo" where there is none.

    Ask once and keep the answer: a camera that is lost must not turn into the demo when it is opened again.
    """
    from pose.camera import list_cameras

    cameras = list_cameras()
    return str(cameras[0].index) if cameras else "demo"


def _open_demo(name: str) -> Source:
    from pose.demo.source import DemoSource

    seed = name.partition(":")[2]
    if seed and not seed.isdecimal():
        raise SourceError(f"{name!r} names no demo: write demo, or demo:SEED with a whole number")
    return DemoSource(seed=int(seed or 0))


def _camera_index(name: str) -> int | None:
    if _CAMERA.fullmatch(name):
        return int(name)
    if name.startswith("/dev/"):
        device = _DEVICE.fullmatch(str(Path(name).resolve()))  # /dev/v4l/by-id/... are links to it
        return int(device[1]) if device else None
    return None


def _open_file(name: str) -> Source:
    from pose.image_folder import ImageFolder, is_pattern
    from pose.video_file import VideoFile

    path = local_path(name)
    if re.fullmatch(r"-\d+", name) and not path.exists():
        raise SourceError(f"there is no camera {name}: cameras are numbered from 0 to 99")
    return ImageFolder(path) if path.is_dir() or is_pattern(path) else VideoFile(path)


_MAX_LATE_S = 0.25


class PacedSource:
    """A file played at its own speed: read() waits until a frame's time has come, as if it were captured just then.

    captured_s of a frame is the moment of its delivery. The source stays what it is (info.live is False): frames wait
    for their reader and none is lost here. A reader that comes late gets the next frame at once; one that is more than
    0.25 s late finds the clock set back to where it is, so frames never come in a long burst.
    """

    def __init__(self, source: Source) -> None:
        self.info = source.info
        self._source = source
        self._changed = threading.Condition()
        self._start_s: float | None = None  # time.perf_counter() of the source's time zero
        self._paused_s: float | None = None
        self._closed = False

    def read(self) -> Frame | None:
        """The next frame, when it is due; None at the end or once closed. Waits for as long as playback is paused."""
        frame = self._source.read()
        if frame is None:
            return None
        with self._changed:
            while not self._closed:
                wait_s = self._wait_s(frame.time_s)
                if wait_s is not None and wait_s <= 0:
                    return replace(frame, captured_s=time.perf_counter())
                self._changed.wait(wait_s)
        return None

    def pause(self) -> None:
        """Stand still from any thread; the clock stops too, so that nothing has to be caught up later."""
        with self._changed:
            if self._paused_s is None:
                self._paused_s = time.perf_counter()
                self._changed.notify_all()

    def resume(self) -> None:
        """Play on from any thread."""
        with self._changed:
            if self._paused_s is not None and self._start_s is not None:
                self._start_s += time.perf_counter() - self._paused_s
            self._paused_s = None
            self._changed.notify_all()

    def close(self) -> None:
        """End a waiting read() and close the source."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._source.close()

    def _wait_s(self, time_s: float) -> float | None:
        """Seconds until a frame is due, 0 or less where it is; None while paused."""
        if self._paused_s is not None:
            return None
        now = time.perf_counter()
        if self._start_s is None or now - (self._start_s + time_s) > _MAX_LATE_S:
            self._start_s = now - time_s
        return self._start_s + time_s - now
