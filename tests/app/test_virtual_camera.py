"""The picture as a camera for other programs: pyvirtualcam itself, with a backend that only keeps what it gets."""

import sys
import time

import numpy as np
import pytest
from window_fakes import result

from app.outputs import virtual_camera
from app.outputs.overlay import draw
from app.outputs.virtual_camera import VirtualCamera

pyvirtualcam = pytest.importorskip("pyvirtualcam")


class Kept:
    """A backend, as pyvirtualcam wants it."""

    opened: list = []  # noqa: RUF012

    def __init__(self, *, width, height, fps, fourcc, device, **_):
        self.size, self.pictures, self.closed = (width, height), [], False
        self.fourcc = fourcc
        self.opened.append(self)

    def send(self, frame):
        self.pictures.append(np.array(frame).reshape(self.size[1], self.size[0], 3))

    def device(self):
        return "Kept Camera"

    def native_fourcc(self):
        return self.fourcc

    def close(self):
        self.closed = True


@pytest.fixture
def backends(monkeypatch):
    """The system's own taken away."""
    Kept.opened.clear()
    there = {}
    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", there)
    return there


def until(condition):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_every_picture_is_sent_annotated_and_in_the_first_one_s_size(backends):
    pyvirtualcam.register_backend("kept", Kept)
    camera = VirtualCamera()
    first = result(1.0)
    camera(first)
    until(lambda: Kept.opened and Kept.opened[0].pictures)
    assert camera.device == "Kept Camera"
    (kept,) = Kept.opened
    assert kept.size == (640, 480)
    np.testing.assert_array_equal(kept.pictures[0], draw(first))
    assert (kept.pictures[0] != first.frame.bgr).any()
    camera(result(2.0, size=(320, 160)))
    until(lambda: len(kept.pictures) == 2)
    assert kept.pictures[1][:70].max() == 0, "black above what is wider"
    camera.close()
    assert kept.closed
    assert camera.failure == ""


@pytest.mark.parametrize(
    ("system", "what"), [("linux", "v4l2loopback"), ("darwin", "OBS Studio"), ("win32", "OBS Studio")]
)
def test_where_the_system_has_none_one_line_says_what_to_install(backends, monkeypatch, system, what):
    monkeypatch.setattr(virtual_camera.sys, "platform", system)
    camera = VirtualCamera()
    camera(result(1.0))
    until(lambda: camera.failure)
    camera.close()
    assert what in camera.failure
    assert "\n" not in camera.failure


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    camera = VirtualCamera()
    camera(result(1.0))
    until(lambda: camera.failure)
    camera.close()
    assert camera.failure == 'the virtual camera needs a library: pip install "actionlens[alerts]"'
