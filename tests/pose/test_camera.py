"""Cameras, on a fake device: requests, picture formats, times and every way in which a camera fails."""

import threading
import time

import cv2
import numpy as np
import pytest

import pose.camera
from pose.camera import Camera, CameraInfo, list_cameras, to_bgr
from pose.camera_request import CameraRequest
from pose.errors import SourceError, SourceLost
from tests.pose.conftest import FakeDevice, drain, number_of, picture, takes_less_than


@pytest.fixture
def camera():
    """Opens cameras on fake devices, and closes them."""
    opened, devices = [], []

    def open_camera(device, request=None, **settings):
        devices.append(device)
        opened.append(Camera(0, request, open_device=lambda index: device, **settings))
        return opened[-1]

    yield open_camera
    for device in devices:
        device.let_go.set()
    for source in opened:
        source.close()


def read(source, count):
    return [source.read() for _ in range(count)]


def test_asks_for_the_format_before_the_size(camera):
    device = FakeDevice()
    camera(device, CameraRequest(width=1280, height=720, fps=60.0, mjpg=True))
    assert device.order[0] == cv2.CAP_PROP_FOURCC
    assert device.settings[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert device.settings[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert device.settings[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    assert device.settings[cv2.CAP_PROP_FPS] == 60


def test_asks_for_nothing_that_was_not_requested(camera):
    device = FakeDevice()
    camera(device, CameraRequest(mjpg=False))
    assert device.settings == {}


def test_info_is_what_the_camera_really_gives(camera):
    source = camera(FakeDevice(fps=50), CameraRequest(width=1920, height=1080))
    assert source.info.name == "camera 0"
    assert source.info.live
    assert source.info.size == (64, 48)
    assert source.info.fps == 50


def test_times_are_those_of_capture(camera):
    source = camera(FakeDevice(fps=50))
    before_s = time.monotonic()
    frames = read(source, 20)
    spans = [frames[-1].time_s - frames[5].time_s, frames[-1].captured_s - frames[5].captured_s]
    assert spans[0] == pytest.approx(spans[1], abs=1e-6)
    assert spans[0] == pytest.approx(14 / 50, abs=0.15)
    assert before_s - 1 < frames[0].captured_s <= frames[-1].captured_s <= time.monotonic()


@pytest.mark.skipif(not hasattr(time, "CLOCK_MONOTONIC"), reason="the stamps are those of V4L2")
def test_the_drivers_own_stamp_counts_where_it_is_on_our_clock(camera, monkeypatch):
    monkeypatch.setattr(pose.camera.sys, "platform", "linux")
    stamped = camera(FakeDevice(stamp_s=lambda: time.monotonic() - 0.1)).read()
    assert time.monotonic() - stamped.captured_s >= 0.1
    other_clock = camera(FakeDevice(stamp_s=time.time)).read()
    assert abs(time.monotonic() - other_clock.captured_s) < 5


def test_a_stamp_that_stands_still_still_gives_increasing_times(camera, monkeypatch):
    monkeypatch.setattr(pose.camera.sys, "platform", "linux")
    stuck_s = time.monotonic()
    times = [frame.time_s for frame in read(camera(FakeDevice(stamp_s=lambda: stuck_s)), 10)]
    assert all(np.diff(times) >= 0.0009)


def test_a_reader_that_falls_behind_gets_the_newest(camera):
    device = FakeDevice(fps=200)
    source = camera(device)
    time.sleep(0.3)
    frame = read(source, 6)[-1]
    assert frame.index == 5
    assert time.monotonic() - frame.captured_s < 0.25
    assert frame.time_s > 0.2, "the oldest were kept"


def test_grey_and_bgra_pictures_become_bgr(camera):
    grey = np.full((48, 64), 77, np.uint8)
    bgra = np.dstack([picture(3), np.full((48, 64), 9, np.uint8)])
    source = camera(FakeDevice(at={1: grey, 2: grey[:, :, None], 3: bgra}))
    frames = read(source, 4)
    assert all(f.bgr.shape == (48, 64, 3) and f.bgr.flags.c_contiguous and f.bgr.dtype == np.uint8 for f in frames)
    assert (frames[1].bgr == 77).all()
    assert (frames[2].bgr == 77).all()
    assert (frames[3].bgr == picture(3)).all()


def test_deep_and_packed_pictures_become_bgr():
    deep = np.full((4, 6), 0x8000, np.uint16)
    assert (to_bgr(deep) == 128).all()
    yuyv = np.dstack([np.full((4, 6), 235, np.uint8), np.full((4, 6), 128, np.uint8)])
    assert (to_bgr(yuyv) >= 250).all()
    assert to_bgr(picture()[:, ::-1]).flags.c_contiguous


def test_the_size_may_change_while_running(camera):
    source = camera(FakeDevice(at={2: picture(size=(160, 120))}))
    sizes = [frame.size for frame in read(source, 4)]
    assert sizes == [(64, 48), (64, 48), (160, 120), (64, 48)]


def test_a_broken_picture_is_left_out(camera):
    source = camera(FakeDevice(at={1: "error", 3: np.empty((0, 0, 3), np.uint8)}))
    assert [number_of(frame.bgr) for frame in read(source, 4)] == [0, 2, 4, 5]


def test_a_missing_camera_names_those_that_there_are(camera, monkeypatch):
    monkeypatch.setattr(pose.camera.sys, "platform", "linux")
    monkeypatch.setattr(pose.camera, "list_cameras", lambda: [CameraInfo(1, "Desk"), CameraInfo(3)])
    device = FakeDevice(opened=False)
    with pytest.raises(SourceError, match=r"^camera 0 was not found: choose 1 \(Desk\) or 3$"):
        camera(device)
    assert device.released.wait(1)


def test_no_camera_at_all_names_other_sources(camera, monkeypatch):
    monkeypatch.setattr(pose.camera.sys, "platform", "linux")
    monkeypatch.setattr(pose.camera, "list_cameras", list)
    with pytest.raises(SourceError, match="demo"):
        camera(FakeDevice(opened=False))


def test_a_camera_in_use_says_so(camera, monkeypatch):
    monkeypatch.setattr(pose.camera.sys, "platform", "linux")
    monkeypatch.setattr(pose.camera, "list_cameras", lambda: [CameraInfo(0, "Desk")])
    monkeypatch.setattr(pose.camera.os, "access", lambda path, mode: True)
    with pytest.raises(SourceError, match="other programs"):
        camera(FakeDevice(opened=False))


def test_a_forbidden_camera_says_how_to_allow_it(camera, monkeypatch):
    monkeypatch.setattr(pose.camera.sys, "platform", "linux")
    monkeypatch.setattr(pose.camera, "list_cameras", lambda: [CameraInfo(0, "Desk")])
    monkeypatch.setattr(pose.camera.os, "access", lambda path, mode: False)
    with pytest.raises(SourceError, match="usermod -aG video"):
        camera(FakeDevice(opened=False))


def test_a_driver_that_hangs_while_opening():
    let_go, device = threading.Event(), FakeDevice()

    def hang(index):
        let_go.wait()
        return device

    with takes_less_than(3), pytest.raises(SourceError, match=r"camera 0 gave no picture within 0\.3 s"):
        Camera(0, open_device=hang, open_timeout_s=0.3)
    let_go.set()
    assert device.released.wait(1), "a device that opens too late is released"


def test_a_camera_without_pictures(camera, monkeypatch):
    monkeypatch.setattr(pose.camera, "_FIRST_PICTURE_S", 0.2)
    with pytest.raises(SourceError, match="gives no picture") as error:
        camera(FakeDevice(at={0: "fail"}))
    assert not isinstance(error.value, SourceLost)


def test_unplugged_while_running(camera):
    device = FakeDevice(at={5: "fail"})
    source = camera(device, lost_s=0.2)
    with takes_less_than(5), pytest.raises(SourceLost, match="cable"):
        drain(source)
    assert device.released.wait(1)
    with pytest.raises(SourceLost):
        source.read()


def test_a_few_failed_reads_are_no_loss(camera):
    device = FakeDevice(at={3: "fail"})
    source = camera(device, lost_s=30)
    read(source, 3)
    device._failing = False
    assert source.read() is not None


def test_stalled(camera):
    device = FakeDevice(at={3: "stall"})
    source = camera(device, silence_s=0.2)
    with pytest.raises(SourceLost, match=r"sent nothing for 0\.2 s"):
        drain(source)


def test_close_does_not_wait_for_a_stalled_device(camera):
    device = FakeDevice(at={3: "stall"})
    source = camera(device)
    ended = threading.Event()
    threading.Thread(target=lambda: (drain(source), ended.set())).start()
    time.sleep(0.2)
    with takes_less_than(1):
        source.close()
    assert ended.wait(1), "the blocked read has not returned"
    assert not device.released.is_set(), "a device must not be released while it is being read"
    device.let_go.set()
    assert device.released.wait(1)


def test_defects_are_not_hidden(camera):
    def broken(index):
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        Camera(0, open_device=broken)


def video_node(root, number, name):
    (root / f"video{number}").mkdir()
    (root / f"video{number}" / "name").write_text(f"{name}\n")


def test_linux_lists_what_can_capture(tmp_path):
    for number, name in ((10, "Second"), (0, "Webcam: HD"), (1, "Webcam: metadata")):
        video_node(tmp_path, number, name)
    found = pose.camera._linux_cameras(tmp_path, can_capture=lambda index: index != 1)
    assert found == [CameraInfo(0, "Webcam: HD"), CameraInfo(10, "Second")]
    assert str(found[0]) == "0 (Webcam: HD)"


def test_linux_without_cameras(tmp_path):
    assert pose.camera._linux_cameras(tmp_path / "none") == []


def test_a_node_that_is_gone_cannot_capture():
    assert not pose.camera._can_capture(9999)


def test_elsewhere_cameras_are_tried(monkeypatch):
    devices = [FakeDevice(opened=index in (0, 2)) for index in range(pose.camera._PROBED)]
    found = pose.camera._probed_cameras(lambda index: devices[index])
    assert [camera.index for camera in found] == [0, 2]
    assert all(device.released.is_set() for device in devices)


def test_listing_and_opening_are_quiet(capfd):
    cameras = list_cameras()
    free = next(index for index in range(99, 0, -1) if index not in {camera.index for camera in cameras})
    with pytest.raises(SourceError, match=f"camera {free}"):
        Camera(free)
    assert capfd.readouterr() == ("", "")
