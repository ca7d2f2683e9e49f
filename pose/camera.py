"""Cameras through OpenCV: which there are, and frames of one of them.

OpenCV is imported at the first use, so that naming a camera's settings costs nothing.
"""

import os
import re
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pose.camera_request import CameraRequest
from pose.errors import SourceError, SourceLost
from pose.live_source import LiveSource, Pictures

OPEN_TIMEOUT_S = 10.0  # of streams, too; whoever opens them waits longer, so that they themselves say what is wrong

_FIRST_PICTURE_S = 4.0  # some cameras fail their first reads while they warm up
_LOST_S = 1.0  # reads that fail for so long mean that the camera is gone
_SILENCE_S = 5.0
_RETRY_S = 0.02
_NEWEST_STAMP_S = 0.5


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera of this machine; name is "" where the system does not tell it."""

    index: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.index} ({self.name})" if self.name else str(self.index)


class CaptureDevice(Protocol):
    """The part of cv2.VideoCapture that is used here."""

    def isOpened(self) -> bool: ...

    def set(self, propId: int, value: float) -> bool: ...

    def get(self, propId: int) -> float: ...

    def grab(self) -> bool: ...

    def retrieve(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


OpenDevice = Callable[[int], CaptureDevice]


class Camera(LiveSource):
    """A camera, live. Raises SourceError when it is missing, busy or silent, SourceLost when it is unplugged.

    open_device stands in for cv2.VideoCapture in tests; open_timeout_s bounds a driver that hangs while opening.
    """

    def __init__(
        self,
        index: int = 0,
        request: CameraRequest | None = None,
        *,
        open_device: OpenDevice | None = None,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        silence_s: float = _SILENCE_S,
        lost_s: float = _LOST_S,
    ) -> None:
        self._camera = index
        self._request = request or CameraRequest()
        self._open_device = open_device or _open_device
        self._lost_s = lost_s
        super().__init__(f"camera {index}", self._run_device, open_timeout_s=open_timeout_s, silence_s=silence_s)

    def _run_device(self, closing: threading.Event) -> Pictures:
        device = self._open_device(self._camera)
        try:
            if not device.isOpened():
                raise SourceError(_open_failure(self._camera))
            _configure(device, self._request)
            self.fps = _rate(device)
            yield from self._pictures_of(device, closing)
        finally:
            device.release()

    def _pictures_of(self, device: CaptureDevice, closing: threading.Event) -> Pictures:
        given = False
        good_s = time.perf_counter()
        while not closing.is_set():
            picture = _capture(device)
            if picture is not None:
                yield picture
                given, good_s = True, time.perf_counter()
            elif time.perf_counter() - good_s > (self._lost_s if given else _FIRST_PICTURE_S):
                raise self._silence_error(given)
            else:
                closing.wait(_RETRY_S)

    def _silence_error(self, given: bool) -> SourceError:
        if given:
            return SourceLost(f"camera {self._camera} has stopped: check its cable, or plug it in again")
        return SourceError(f"camera {self._camera} gives no picture: close other programs that use it, or replug it")


def list_cameras() -> list[CameraInfo]:
    """The cameras of this machine, in order. Quick on Linux; elsewhere it opens each for a moment."""
    return _linux_cameras() if sys.platform == "linux" else _probed_cameras()


# Asking the system. See the V4L2 specification: VIDIOC_QUERYCAP and struct v4l2_capability.

_QUERYCAP = 0x80685600
_CAPABILITY = struct.Struct("16s 32s 32s I I I 12x")
_CAPTURE = 0x00000001 | 0x00001000  # V4L2_CAP_VIDEO_CAPTURE, ..._MPLANE
_HAS_DEVICE_CAPS = 0x80000000


def _linux_cameras(
    names: Path = Path("/sys/class/video4linux"), can_capture: Callable[[int], bool] | None = None
) -> list[CameraInfo]:
    can_capture = can_capture or _can_capture
    found = []
    for folder in names.glob("video*"):
        number = re.fullmatch(r"video(\d+)", folder.name)
        if number is None or not can_capture(int(number[1])):
            continue
        try:
            name = (folder / "name").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            name = ""
        found.append(CameraInfo(int(number[1]), name))
    return sorted(found, key=lambda camera: camera.index)


def _can_capture(index: int) -> bool:
    """False for the metadata and output nodes that one camera also has. True where it cannot be asked."""
    import fcntl

    try:
        node = os.open(f"/dev/video{index}", os.O_RDWR | os.O_NONBLOCK)
    except (PermissionError, BlockingIOError):
        return True  # it is there; opening it as a source says what is wrong
    except OSError:
        return False
    try:
        answer = fcntl.ioctl(node, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return False
    finally:
        os.close(node)
    *_, every, own = _CAPABILITY.unpack(answer)
    return bool((own if every & _HAS_DEVICE_CAPS else every) & _CAPTURE)


_PROBED = 6


def _probed_cameras(open_device: OpenDevice | None = None) -> list[CameraInfo]:
    found = []
    for index in range(_PROBED):
        device = (open_device or _open_device)(index)
        if device.isOpened():
            found.append(CameraInfo(index))
        device.release()
    return found


def _open_failure(index: int) -> str:
    if sys.platform != "linux":  # looking would open them all
        return f"camera {index} cannot be opened: plug it in, close other programs that use it, and allow its use"
    cameras = list_cameras()
    if index in (camera.index for camera in cameras):
        if not os.access(f"/dev/video{index}", os.R_OK | os.W_OK):
            return f"camera {index} may not be used by this user: sudo usermod -aG video $USER, then log in again"
        return f"camera {index} cannot be opened: close other programs that use it, or replug it"
    if not cameras:
        return f"camera {index} was not found and there is no other: plug one in, or choose demo, a file or a URL"
    return f"camera {index} was not found: choose {' or '.join(str(camera) for camera in cameras)}"


# Talking to the device.


def _open_device(index: int) -> CaptureDevice:
    # A read that waits for a picture is the driver's; OpenCV's own limit of 10 s keeps a dead camera busy too long.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our own message says it in one line
    backends = {"linux": (cv2.CAP_V4L2,), "win32": (cv2.CAP_DSHOW, cv2.CAP_MSMF), "darwin": (cv2.CAP_AVFOUNDATION,)}
    device = cv2.VideoCapture()
    for backend in backends.get(sys.platform, (cv2.CAP_ANY,)):
        device = cv2.VideoCapture(index, backend)
        if device.isOpened():
            break
    return device


def _configure(device: CaptureDevice, request: CameraRequest) -> None:
    """Ask for the format first: it decides which sizes and rates the camera offers."""
    import cv2

    if request.mjpg:
        device.set(cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG")))
    wanted = (
        (cv2.CAP_PROP_FRAME_WIDTH, request.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, request.height),
        (cv2.CAP_PROP_FPS, request.fps),
    )
    for what, value in wanted:
        if value is not None:
            device.set(what, float(value))


def _rate(device: CaptureDevice) -> float | None:
    import cv2

    fps = device.get(cv2.CAP_PROP_FPS)
    return fps if 0 < fps <= 1000 else None


def _capture(device: CaptureDevice) -> tuple[NDArray[np.uint8], float] | None:
    """The next picture and when it was taken; None where the read failed."""
    import cv2

    try:
        if not device.grab():
            return None
        captured_s = _captured_s(device, time.perf_counter())
        ok, image = device.retrieve()  # decodes, so after the time is taken
        return (to_bgr(image), captured_s) if ok and image is not None and image.size else None
    except cv2.error:
        return None


def _captured_s(device: CaptureDevice, now_s: float) -> float:
    """The driver's own stamp where it is on our clock, as V4L2's is; else the moment of the grab."""
    import cv2

    if sys.platform != "linux":
        return now_s
    stamp_s = device.get(cv2.CAP_PROP_POS_MSEC) / 1000
    return stamp_s if now_s - _NEWEST_STAMP_S < stamp_s <= now_s else now_s


def to_bgr(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Whatever a camera gives as (H, W, 3) uint8 BGR, contiguous: grey, BGRA, YUYV (2 channels), 16 bits."""
    import cv2

    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    channels = 1 if image.ndim == 2 else image.shape[2]
    codes = {1: cv2.COLOR_GRAY2BGR, 2: cv2.COLOR_YUV2BGR_YUY2, 4: cv2.COLOR_BGRA2BGR}
    if channels in codes:
        image = cv2.cvtColor(image, codes[channels])
    return np.ascontiguousarray(image, dtype=np.uint8)
