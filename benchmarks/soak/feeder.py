"""A camera on this machine, in a process of its own: MJPEG over HTTP whose connections can be cut."""

import multiprocessing
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import cv2
import numpy as np

_SIZE = (160, 120)
_FPS = 50.0
_FRAMES_BEFORE_CUT = 6


class Feeder:
    """url: of the stream. cutting: whether each connection ends after a few frames."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._cutting = context.Value("b", 0)
        self._connections = context.Value("q", 0)
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._cutting, self._connections), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}/live"
        ours.close()
        theirs.close()

    @property
    def pid(self) -> int:
        """Of the process, which is no part of what is measured."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def connections(self) -> int:
        """How many clients have asked for the stream."""
        return int(self._connections.value)

    def cut(self, cutting: bool) -> None:
        """Set whether each connection ends after a few frames."""
        self._cutting.value = int(cutting)

    def __enter__(self) -> "Feeder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(connection: Connection, cutting: Any, connections: Any) -> None:
    parts = [_part(number) for number in range(25)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with connections.get_lock():
                connections.value += 1
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            number = 0
            try:
                while not (cutting.value and number >= _FRAMES_BEFORE_CUT):
                    self.wfile.write(parts[number % len(parts)])
                    number += 1
                    time.sleep(1 / _FPS)
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    connection.send(server.server_address[1])
    connection.close()
    server.serve_forever()


def _part(number: int) -> bytes:
    picture = np.full((_SIZE[1], _SIZE[0], 3), 40, np.uint8)
    cv2.circle(picture, (20 + number * 4, 60), 15, (80, 160, 240), -1)
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(data), data)
