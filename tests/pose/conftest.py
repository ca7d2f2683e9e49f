"""Sources to test with: a fake camera, small videos made on the spot, and servers on this machine."""

import socket
import threading
import time
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np
import pytest

from pose.errors import PoseModelError
from pose.model_asset import find_pose_model

SIZE = (64, 48)
NUMBERS = 24  # pictures that can be told apart
MILLISECOND = Fraction(1, 1000)
_BUSY = 8  # times slower than a machine that does nothing else


def picture(number=0, size=SIZE):
    """A dark picture with a white block top left and a grey level that tells its number."""
    width, height = size
    image = np.full((height, width, 3), 24 + 8 * (number % NUMBERS), np.uint8)
    image[: height // 3, : width // 3] = 255
    return image


def number_of(bgr):
    """What picture() was given, 0..NUMBERS - 1; a codec takes off or adds a level or two."""
    return round((float(bgr[-8:, -8:].mean()) - 23) / 8)


def write_video(
    path, frames=10, *, codec="libx264", pix_fmt="yuv420p", size=SIZE, rate=25, rotation=0, times=None, **av_options
):
    """A small video. rotation: degrees, as phones write it. times: seconds of each frame, for a variable rate."""
    with av.open(str(path), "w", **av_options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if times is not None:
            stream.codec_context.time_base = MILLISECOND
        if rotation:
            stream.set_display_rotation(rotation)
        container.start_encoding()
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="bgr24").reformat(format=pix_fmt)
            if times is not None:
                frame.time_base, frame.pts = MILLISECOND, round(times[number] * 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "walk.mp4")


def drain(source):
    """Every frame that is left."""
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


class FakeDevice:
    """cv2.VideoCapture as the tests want it.

    at: picture number -> an image to give instead, "fail" (from then on every read fails), "stall" (block until
    let_go is set) or "error" (OpenCV raises).
    """

    def __init__(self, *, fps=100.0, opened=True, at=None, stamp_s=None):
        self.settings = {}
        self.order = []
        self.released = threading.Event()
        self.let_go = threading.Event()
        self.number = -1
        self._opened = opened
        self._fps = fps
        self._at = at or {}
        self._stamp_s = stamp_s
        self._failing = False

    def isOpened(self):
        return self._opened

    def set(self, what, value):
        self.settings[what] = value
        self.order.append(what)
        return True

    def get(self, what):
        if what == cv2.CAP_PROP_FPS:
            return self._fps
        if what == cv2.CAP_PROP_POS_MSEC and self._stamp_s is not None:
            return self._stamp_s() * 1000
        return 0.0

    def grab(self):
        assert not self.released.is_set(), "read after release"
        self.number += 1
        what = self._at.get(self.number)
        if isinstance(what, str) and what == "stall":
            self.let_go.wait()
            return False
        if isinstance(what, str) and what == "fail":
            self._failing = True
        if not self._failing:
            time.sleep(1 / self._fps)
        return not self._failing

    def retrieve(self):
        what = self._at.get(self.number)
        if isinstance(what, str) and what == "error":
            raise cv2.error("a broken picture")
        return True, picture(self.number) if what is None else what

    def release(self):
        self.released.set()


class VideoServer(ThreadingHTTPServer):
    """What cameras on a network do, well and badly: GET /mjpeg, /ends, /stalls, /hangs, /page, /secret, /file.mp4.

    folder: files that are served below /files/. part_type: what each picture of /mjpeg is said to be.
    asks_password: whether files are given to anna with the password pa/55 alone.
    """

    daemon_threads = True
    fps = 50.0

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        self.file = b""
        self.folder = None
        self.part_type = "image/jpeg"
        self.asks_password = False
        self.asked = []

    def url(self, path, user=""):
        return f"http://{user and user + '@'}127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, request, client_address):
        """A client that goes away is no error here."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        answers = {
            "/mjpeg": lambda: self._mjpeg(None),
            "/ends": lambda: self._mjpeg(20),
            "/stalls": lambda: self._mjpeg(20, stall=True),
            "/hangs": self._hang,
            "/page": self._page,
            "/secret": lambda: self.send_error(401),
            "/file.mp4": lambda: self._file(self.server.file),
            "/cut.mp4": lambda: self._file(self.server.file, cut=len(self.server.file) // 2),
        }
        if self.path.startswith("/files/"):
            path = self.server.folder / self.path.removeprefix("/files/").partition("?")[0]
            self._file(path.read_bytes(), "application/octet-stream")
            return
        answers.get(self.path.partition("?")[0], lambda: self.send_error(404))()

    def log_message(self, *args):
        pass

    def _mjpeg(self, count, stall=False):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = 0
        while number != count and not self.server.over.wait(1 / self.server.fps):
            jpeg = cv2.imencode(".jpg", picture(number))[1].tobytes()
            kind = self.server.part_type
            head = f"--frame\r\nContent-Type: {kind}\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
            self.wfile.write(head + jpeg + b"\r\n")
            number += 1
        if stall:
            self.server.over.wait()

    def _hang(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        self.server.over.wait()

    def _page(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body>Welcome</body></html>\n" * 100)

    def _file(self, content, kind="video/mp4", cut=None):
        if self.server.asks_password and self.headers.get("Authorization") != "Basic YW5uYTpwYS81NQ==":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="files"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])


@pytest.fixture
def server():
    server = VideoServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="test server")
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def closed_port():
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def takes_less_than(seconds):
    """A promise that something returns at all, in about so long on a machine that does nothing else.

    What hangs takes a minute. It is no measurement: other tests run beside this one.
    """
    start = time.monotonic()
    yield
    assert time.monotonic() - start < _BUSY * seconds


@pytest.fixture(scope="session")
def bundle():
    """The pose model; a test that asks for it is skipped where there is none."""
    try:
        return find_pose_model(None)
    except PoseModelError as error:
        pytest.skip(f"no pose model: {error}")
