"""The annotated picture as a camera that other programs can choose: OBS, video calls. No Qt."""

import logging
import sys
import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.latest import Latest
from app.errors import OutputError
from app.outputs.overlay import draw
from app.results import Result

if TYPE_CHECKING:
    from pyvirtualcam import Camera

log = logging.getLogger(__name__)

_FPS = 30.0
_WAIT_S = 0.2
_NO_LIBRARY = 'the virtual camera needs a library: pip install "actionlens[alerts]"'
_NO_DEVICE = {
    "linux": "there is no virtual camera: sudo apt install v4l2loopback-dkms, then "
    "sudo modprobe v4l2loopback exclusive_caps=1",
    "darwin": "there is no virtual camera: install OBS Studio, and start its virtual camera once",
    "win32": "there is no virtual camera: install OBS Studio, which includes one",
}


class VirtualCamera:
    """A tap: draws the newest result and sends it, on a thread of its own, so that nothing waits for it.

    Skeletons and labels are in it, and it is never mirrored: the others see what the camera sees. The first picture
    decides the size; one of another shape gets black edges. device: what it is called, once it is there. failure: why
    it has ended, in one line.
    """

    def __init__(self) -> None:
        self.device = ""
        self.failure = ""
        self._newest: Latest[Result] = Latest()
        self._closing = threading.Event()
        self._camera: Camera | None = None
        self._thread = threading.Thread(target=self._run, name="virtual-camera", daemon=True)
        self._thread.start()

    def __call__(self, result: Result) -> None:
        """The tap. Returns at once."""
        if not self.failure:
            self._newest.put(result)

    def close(self, timeout_s: float = 1.0) -> None:
        """End it. Any number of times."""
        self._closing.set()
        self._newest.close()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                result = self._newest.take(_WAIT_S)
                if result is not None:
                    self._send(draw(result))
        except OutputError as error:
            self.failure = str(error)
        except Exception as error:  # top of the thread: it must reach the user
            log.exception("the virtual camera failed")
            self.failure = f"the virtual camera has stopped: {error}".splitlines()[0]
        finally:
            if self._camera is not None:
                self._camera.close()

    def _send(self, bgr: NDArray[np.uint8]) -> None:
        if self._camera is None:
            height, width = bgr.shape[:2]
            self._camera = _open(width // 2 * 2, height // 2 * 2)  # video formats have half as much colour
            self.device = self._camera.device
        self._camera.send(_fitted(bgr, self._camera.width, self._camera.height))


def _open(width: int, height: int) -> "Camera":
    try:
        import pyvirtualcam
    except ImportError as error:
        raise OutputError(_NO_LIBRARY) from error
    try:
        return pyvirtualcam.Camera(width, height, _FPS, fmt=pyvirtualcam.PixelFormat.BGR)
    except RuntimeError as error:
        log.info("no virtual camera: %s", error)
        raise OutputError(_NO_DEVICE.get(sys.platform, "there is no virtual camera on this system")) from error


def _fitted(bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    if bgr.shape[:2] == (height, width):
        return np.ascontiguousarray(bgr)
    scale = min(width / bgr.shape[1], height / bgr.shape[0])
    size = max(round(bgr.shape[1] * scale), 1), max(round(bgr.shape[0] * scale), 1)
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    whole = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    whole[top : top + size[1], left : left + size[0]] = small
    return whole
