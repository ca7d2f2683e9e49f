"""The virtual camera in the window: off at the start, one line where there is none."""

import sys

import pytest
from window_fakes import result


def test_it_is_off_at_the_start(running, ui_threads):
    assert not running.actions_by_name["virtual_camera"].isChecked()
    assert "virtual-camera" not in ui_threads()


def test_a_system_without_one_says_what_to_install_and_it_is_off_again(running, engines, qtbot, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    action = running.actions_by_name["virtual_camera"]
    action.trigger()
    engines.last.give(result(1.0))
    qtbot.waitUntil(lambda: not action.isChecked(), timeout=20_000)
    assert running.toast.text() == 'The virtual camera needs a library: pip install "actionlens[alerts]"'
    engines.last.give(result(2.0))  # nobody is told any more


def test_others_see_the_picture_while_it_is_on(running, engines, qtbot, monkeypatch, ui_threads):
    pyvirtualcam = pytest.importorskip("pyvirtualcam")
    sent = []

    class Backend:
        def __init__(self, *, width, height, fps, fourcc, device, **_):
            self.fourcc = fourcc

        def send(self, frame):
            sent.append(frame)

        def device(self):
            return "Test Camera"

        def native_fourcc(self):
            return self.fourcc

        def close(self):
            sent.append(None)

    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", {})
    pyvirtualcam.register_backend("test", Backend)
    running.actions_by_name["virtual_camera"].trigger()
    engines.last.give(result(1.0))
    qtbot.waitUntil(lambda: "Test Camera" in running.toast.text(), timeout=20_000)
    assert len(sent) == 1
    running.actions_by_name["virtual_camera"].trigger()
    assert sent[-1] is None
    assert "virtual-camera" not in ui_threads()
