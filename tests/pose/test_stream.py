"""Streams from servers on this machine: what they give, and every way in which they fail."""

import threading
import time

import pytest

from pose.errors import SourceError, SourceLost
from pose.stream import Stream
from tests.pose.conftest import NUMBERS, drain, number_of, takes_less_than, write_video


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def test_frames_carry_their_arrival_times(server):
    stream = Stream(server.url("/mjpeg"))
    try:
        frames = [stream.read() for _ in range(30)]
    finally:
        stream.close()
    assert stream.info.live
    assert stream.info.size == (64, 48)
    numbers = [number_of(frame.bgr) for frame in frames]
    assert numbers == [(numbers[0] + n) % NUMBERS for n in range(30)], "frames are lost or out of order"
    took_s = frames[-1].captured_s - frames[4].captured_s
    assert took_s == pytest.approx(25 / server.fps, abs=0.3)
    assert frames[-1].time_s - frames[4].time_s == pytest.approx(took_s, abs=0.01)


def test_refused(closed_port):
    with takes_less_than(5), pytest.raises(SourceError) as error:
        Stream(f"http://127.0.0.1:{closed_port}/video")
    assert "refused the connection" in one_line(error)
    assert not isinstance(error.value, SourceLost)


def test_hangs_after_the_headers(server):
    with takes_less_than(4), pytest.raises(SourceError) as error:
        Stream(server.url("/hangs"), open_timeout_s=0.5)
    assert "did not answer within 0.5 s" in one_line(error)


@pytest.mark.parametrize(("path", "says"), [("/none", "nothing at this address"), ("/secret", "asks for a password")])
def test_the_server_says_no(server, path, says):
    with pytest.raises(SourceError) as error:
        Stream(server.url(path))
    assert says in one_line(error)


def test_a_web_page_is_no_video(server):
    with pytest.raises(SourceError) as error:
        Stream(server.url("/page"))
    assert "no video" in one_line(error)


def test_ends_in_the_middle(server):
    stream = Stream(server.url("/ends"))
    try:
        with pytest.raises(SourceLost) as error:
            drain(stream)
    finally:
        stream.close()
    assert "ended" in one_line(error)
    assert stream.read() is None, "closed, so no error any more"


def test_falls_silent(server):
    stream = Stream(server.url("/stalls"), read_timeout_s=0.4)
    try:
        with takes_less_than(5), pytest.raises(SourceLost) as error:
            drain(stream)
    finally:
        stream.close()
    assert "sent nothing for 0.4 s" in one_line(error)


def test_close_ends_a_read_that_waits_for_a_silent_server(server):
    stream = Stream(server.url("/stalls"), read_timeout_s=2)
    got = []

    def read():
        while (frame := stream.read()) is not None:
            got.append(frame)

    reader = threading.Thread(target=read)
    reader.start()
    while len(got) < 10:
        time.sleep(0.01)
    time.sleep(0.5)  # now the server is silent
    with takes_less_than(1):
        stream.close()
    reader.join(0.5)
    assert not reader.is_alive()


def test_can_be_opened_again_after_a_loss(server):
    for _ in range(2):
        stream = Stream(server.url("/ends"))
        assert stream.read().index == 0
        stream.close()


def test_a_file_behind_a_url_plays_at_its_own_speed(server, tmp_path):
    video = write_video(tmp_path / "clip.mp4", 15, rate=25, options={"movflags": "faststart"})
    server.file = video.read_bytes()
    stream = Stream(server.url("/file.mp4"))
    try:
        times = [stream.read().time_s for _ in range(15)]
        with pytest.raises(SourceLost, match="has ended"):
            stream.read()
    finally:
        stream.close()
    assert times[-1] == pytest.approx(14 / 25, abs=0.2)


SECRETS = ("anna", "pa55", "t0ken")


def test_secrets_of_a_url_show_nowhere(server, closed_port, caplog):
    caplog.set_level("DEBUG")
    stream = Stream(server.url("/ends?key=t0ken", user="anna:pa55"))
    said = [stream.info.name, *(thread.name for thread in threading.enumerate())]
    with pytest.raises(SourceLost) as lost:
        drain(stream)
    stream.close()
    said.append(str(lost.value))
    for path in ("/none", "/hangs", "/page", "/secret"):
        with pytest.raises(SourceError) as error:
            Stream(server.url(f"{path}?key=t0ken", user="anna:pa55"), open_timeout_s=0.3)
        said.append(str(error.getrepr(chain=True)))
    with pytest.raises(SourceError) as error:
        Stream(f"http://anna:pa55@127.0.0.1:{closed_port}/?key=t0ken")
    said.append(str(error.value))
    said.append(caplog.text)
    shown = "\n".join(line for text in said for line in text.splitlines() if "Stream(" not in line)
    assert not [secret for secret in SECRETS if secret in shown]
    assert "/ends?key=t0ken" in server.asked, "the server does need them"


def test_a_url_that_is_none():
    with pytest.raises(SourceError, match="not a valid URL"):
        Stream("http://[::1/video")
