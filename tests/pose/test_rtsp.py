"""An RTSP camera, from its description to its pictures, and its end."""

import pytest

from pose.errors import SourceLost
from pose.source import open_source
from pose.stream import Stream
from tests.pose.conftest import NUMBERS, number_of, picture, takes_less_than
from tests.pose.rtsp_server import RtspServer

PICTURES = [picture(number) for number in range(NUMBERS)]


@pytest.fixture
def serve():
    """serve(...) starts a camera, which ends with the test."""
    servers = []

    def start(**how):
        servers.append(RtspServer(PICTURES, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_pictures_come_in_order_and_at_their_rate(serve):
    camera = serve(fps=20)
    source = open_source(camera.url)
    try:
        assert source.info.live
        assert source.info.size == (64, 48)
        frames = [source.read() for _ in range(40)]
    finally:
        source.close()
    numbers = [number_of(frame.bgr) for frame in frames]
    assert numbers == [(numbers[0] + n) % NUMBERS for n in range(40)], "frames are lost or out of order"
    assert frames[-1].captured_s - frames[10].captured_s == pytest.approx(29 / 20, abs=0.3)
    assert camera.conversations[0][-4:] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]


def test_a_camera_that_ends_is_lost_and_can_be_opened_again(serve):
    camera = serve(fps=50, times=1)
    for _ in range(2):
        source = Stream(camera.url, read_timeout_s=2)
        frames = []
        with takes_less_than(6), pytest.raises(SourceLost, match=r"ended or broken off|has ended|sent nothing"):
            frames.extend(iter(source.read, None))
        source.close()
        assert frames
    assert len(camera.conversations) == 2
