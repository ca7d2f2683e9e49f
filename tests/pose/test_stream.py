"""Streams from servers on this machine: what they give, and every way in which they fail."""

import threading
import time

import cv2
import pytest

from pose.errors import SourceError, SourceLost
from pose.source import PacedSource
from pose.stream import Stream
from tests.pose.conftest import NUMBERS, drain, number_of, picture, takes_less_than, write_video


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


def test_a_wrong_password_is_called_wrong(server):
    with pytest.raises(SourceError) as error:
        Stream(server.url("/secret").replace("://", "://ada:lovelace@"))
    assert "refuses this user name and password" in one_line(error)
    assert "lovelace" not in one_line(error)


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
    reader.join(60)
    assert not reader.is_alive()


def test_can_be_opened_again_after_a_loss(server):
    for _ in range(2):
        stream = Stream(server.url("/ends"))
        assert stream.read().index == 0
        stream.close()


# What ends by itself.


def read_whole(server, name):
    """Frames of what lies on the server; it must end by itself."""
    stream = Stream(server.url(f"/files/{name}"))
    try:
        assert not stream.info.live
        return drain(stream)
    finally:
        stream.close()


def write_hls(folder, **options):
    """Sixty pictures as a finished HLS playlist of short segments."""
    folder.mkdir()
    options = {"hls_time": "1", "hls_playlist_type": "vod", **options}
    write_video(folder / "list.m3u8", 60, format="hls", options=options)
    return folder / "list.m3u8"


@pytest.mark.parametrize("name", ["clip.mp4", "clip.ts", "clip.mkv"])
def test_a_video_on_a_server_is_read_like_a_file(server, tmp_path, name):
    write_video(tmp_path / name, 40, options={"movflags": "faststart"} if name.endswith("mp4") else {})
    server.folder = tmp_path
    frames = read_whole(server, name)
    assert [number_of(frame.bgr) for frame in frames] == [n % NUMBERS for n in range(40)]
    assert [frame.time_s for frame in frames] == pytest.approx([n / 25 for n in range(40)], abs=0.002)


@pytest.mark.parametrize("user", ["", "anna:pa%2F55"])
def test_a_video_with_its_index_at_the_end_on_a_server_that_gives_no_parts(server, tmp_path, user):
    clip = write_video(tmp_path / "clip.mp4", 60, codec="mjpeg", pix_fmt="yuvj420p", size=(640, 480))
    server.file = clip.read_bytes()
    assert server.file.index(b"moov") > server.file.index(b"mdat") + 100_000
    server.asks_password = bool(user)
    stream = Stream(server.url("/file.mp4", user=user))
    frames = drain(stream)
    stream.close()
    assert [number_of(frame.bgr) for frame in frames] == [n % NUMBERS for n in range(60)]


def test_a_video_on_a_server_is_played_at_its_own_speed(server, tmp_path):
    server.file = write_video(tmp_path / "clip.mp4", 15, options={"movflags": "faststart"}).read_bytes()
    paced = PacedSource(Stream(server.url("/file.mp4")))
    frames = drain(paced)
    paced.close()
    assert len(frames) == 15
    assert frames[-1].captured_s - frames[0].captured_s == pytest.approx(14 / 25, abs=0.3)


def test_none_of_its_pictures_is_lost_on_a_slow_reader(server, tmp_path):
    server.file = write_video(tmp_path / "clip.mp4", 40, options={"movflags": "faststart"}).read_bytes()
    stream = Stream(server.url("/file.mp4"))
    numbers = []
    while (frame := stream.read()) is not None:
        numbers.append(number_of(frame.bgr))
        time.sleep(0.01)
    stream.close()
    assert numbers == [n % NUMBERS for n in range(40)]


def test_a_video_that_breaks_off_is_told(server, tmp_path):
    server.file = write_video(tmp_path / "clip.mp4", 200, options={"movflags": "faststart"}).read_bytes()
    stream = Stream(server.url("/cut.mp4"))
    with pytest.raises(SourceLost, match=r"broke off after \d\.\d s"):
        drain(stream)
    stream.close()
    assert not stream.info.live, "so that it is not played again from its beginning"


@pytest.mark.parametrize("name", ["snap.jpg", "snap.jpg?token=x", "snap.png"])
def test_a_snapshot_is_one_picture(server, tmp_path, name):
    server.folder = tmp_path
    for suffix in (".jpg", ".png"):
        (tmp_path / f"snap{suffix}").write_bytes(cv2.imencode(suffix, picture(7))[1].tobytes())
    assert [number_of(frame.bgr) for frame in read_whole(server, name)] == [7]


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ({}, ".ts"),
        ({"hls_segment_type": "fmp4"}, ".m4s"),
        ({}, ""),
        ({}, ".php?id=7"),
        ({}, ".ts?token=a.b&x=.mp4"),
    ],
)
def test_hls_with_an_end(server, tmp_path, options, ending):
    server.folder = tmp_path
    playlist = write_hls(tmp_path / "hls", **options)
    if ending not in (".ts", ".m4s"):
        playlist.write_text(playlist.read_text().replace(".ts", ending))
        for segment in (tmp_path / "hls").glob("*.ts"):
            segment.rename(segment.with_name(segment.stem + ending.partition("?")[0]))
    frames = read_whole(server, "hls/list.m3u8")
    assert [number_of(frame.bgr) for frame in frames] == [n % NUMBERS for n in range(60)]
    assert frames[-1].time_s == pytest.approx(59 / 25, abs=0.01)


def test_a_playlist_by_another_name(server, tmp_path):
    server.folder = tmp_path
    write_hls(tmp_path / "hls").rename(tmp_path / "hls" / "play")
    assert len(read_whole(server, "hls/play")) == 60


def test_hls_that_goes_on_is_live_and_lost_when_it_ends(server, tmp_path):
    server.folder = tmp_path
    playlist = write_hls(tmp_path / "hls")
    playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", ""))
    stream = Stream(server.url("/files/hls/list.m3u8"))
    assert stream.info.live
    assert stream.read() is not None
    stream.close()


@pytest.mark.parametrize("kind", ["image/jpg", "image/pjpeg", "application/octet-stream"])
def test_parts_of_an_unusual_type(server, kind):
    server.part_type = kind
    stream = Stream(server.url("/mjpeg"))
    try:
        numbers = [number_of(stream.read().bgr) for _ in range(20)]
    finally:
        stream.close()
    assert stream.info.live
    assert numbers == [(numbers[0] + n) % NUMBERS for n in range(20)]


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
