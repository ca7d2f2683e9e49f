"""The right picture at the right time, in every container: what is sought is what reading from the beginning gives."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from pose.video_file import VideoFile, picture_at
from tests.pose.conftest import MILLISECOND, drain, picture, write_video

RATE = 25
FRAMES = 150
B_FRAMES = {"bf": "3", "g": "30"}


def numbered(number, size=(128, 96)):
    """A picture that says its number in eight squares, dark or bright, so that no two are alike."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for bit in range(8):
        left, top = (bit % 4) * size[0] // 4, (bit // 4) * size[1] // 2
        image[top : top + size[1] // 2, left : left + size[0] // 4] = 220 if number >> bit & 1 else 30
    return image


def number_in(bgr):
    height, width = bgr.shape[:2]
    middles = [(height // 4 + bit // 4 * height // 2, width // 8 + bit % 4 * width // 4) for bit in range(8)]
    return sum((int(bgr[y, x].mean()) > 125) << bit for bit, (y, x) in enumerate(middles))


def write(path, codec="libx264", *, times=None, options=None, frames=FRAMES, pix_fmt="yuv420p", size=(128, 96)):
    """A video whose frames carry their numbers. times: seconds of each frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options=B_FRAMES if options is None else options)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if codec.startswith("mpeg"):
            stream.codec_context.max_b_frames, stream.codec_context.gop_size = 2, 30
        if times is not None:
            stream.codec_context.time_base = MILLISECOND
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(number, size), format="bgr24").reformat(format=pix_fmt)
            if times is not None:
                frame.time_base, frame.pts = MILLISECOND, round(times[number] * 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def copy(source, target, *, shift_s=0.0, from_frame=0):
    """The packets of a video in another container; shift_s moves their times."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = read.streams.video[0]
        out = written.add_stream_from_template(stream)
        for index, packet in enumerate(read.demux(stream)):
            if packet.size and index >= from_frame:
                ticks = round(shift_s / stream.time_base)
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
                packet.stream = out
                written.mux(packet)
    return target


def read_all(path):
    source = VideoFile(path)
    try:
        return drain(source)
    finally:
        source.close()


def agrees(path, frames):
    """picture_at gives the frame that reading gives, at the time of the frame and between it and the next."""
    for place in np.linspace(0, len(frames) - 1, 9).astype(int):
        frame = frames[place]
        after = frames[place + 1].time_s if place + 1 < len(frames) else frame.time_s + 0.02
        for time_s in (frame.time_s, (frame.time_s + after) / 2):
            found = picture_at(path, time_s)
            assert found is not None
            assert number_in(found) == number_in(frame.bgr)
            assert np.array_equal(found, frame.bgr)


CONTAINERS = [
    ("a.mp4", "libx264"),
    ("a.mkv", "libx264"),
    ("a.ts", "libx264"),
    ("a.mts", "libx264"),
    ("a.m2ts", "libx264"),
    ("a.flv", "libx264"),
    ("a.avi", "libx264"),
    ("a.h264", "libx264"),
    ("b.avi", "mpeg4"),
    ("b.mp4", "mpeg4"),
    ("c.mpg", "mpeg2video"),
    ("c.ts", "mpeg2video"),
    ("c.m2v", "mpeg2video"),
    ("d.mpg", "mpeg1video"),
]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_a_picture_is_that_of_its_time(tmp_path, caplog, name, codec):
    path = write(tmp_path / name, codec)
    frames = read_all(path)
    assert [number_in(frame.bgr) for frame in frames] == list(range(FRAMES))
    assert [frame.time_s for frame in frames] == pytest.approx([n / RATE for n in range(FRAMES)], abs=0.002)
    agrees(path, frames)
    assert caplog.records == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.h264", "a.avi"])
@pytest.mark.parametrize("options", [{"x264opts": "open-gop=1:keyint=20:bframes=3"}, {"g": "9999", "bf": "3"}])
def test_open_and_endless_groups_of_pictures(tmp_path, name, options):
    path = write(tmp_path / name, options=options)
    frames = read_all(path)
    assert len(frames) == FRAMES
    agrees(path, frames)


def test_times_before_the_first_and_after_the_last(tmp_path):
    path = write(tmp_path / "a.mp4")
    assert number_in(picture_at(path, -3.0)) == 0
    assert number_in(picture_at(path, 99.0)) == FRAMES - 1


@pytest.mark.parametrize("count", [20, 100])
def test_two_recordings_in_one_file(tmp_path, caplog, count):
    one = write(tmp_path / "one.ts", frames=count)
    path = tmp_path / "two.ts"
    path.write_bytes(one.read_bytes() * 2)
    frames = read_all(path)
    assert [number_in(frame.bgr) for frame in frames] == [*range(count)] * 2
    assert [frame.time_s for frame in frames] == pytest.approx([n / RATE for n in range(2 * count)], abs=0.01)
    agrees(path, frames)
    assert caplog.records == []


def test_a_transport_stream_that_begins_in_the_middle_is_whole(tmp_path, caplog):
    content = write(tmp_path / "one.ts").read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(content[len(content) // 188 // 3 * 188 :])
    frames = read_all(path)
    assert number_in(frames[-1].bgr) == FRAMES - 1
    assert [frame.time_s for frame in frames] == pytest.approx([n / RATE for n in range(len(frames))], abs=0.002)
    agrees(path, frames)
    assert caplog.records == []


# Honest times.


@pytest.mark.parametrize("name", ["gap.mp4", "gap.mkv", "gap.ts"])
def test_a_gap_in_a_good_file_is_kept(tmp_path, caplog, name):
    times = [n / RATE + (20 if n > 40 else 0) for n in range(100)]
    path = write(tmp_path / name, times=times, frames=100)
    frames = read_all(path)
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.002)
    agrees(path, frames)
    assert caplog.records == []


@pytest.mark.parametrize("name", ["lapse.mp4", "lapse.mkv", "lapse.ts"])
def test_a_time_lapse_keeps_its_pace(tmp_path, caplog, name):
    times = [15.0 * n for n in range(20)]
    path = write(tmp_path / name, times=times, frames=20)
    frames = read_all(path)
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.1)
    agrees(path, frames)
    assert caplog.records == []


def test_the_rate_of_a_stream_without_a_container(tmp_path):
    with av.open(str(tmp_path / "a.h264"), "w") as container:
        stream = container.add_stream("libx264", rate=60, options=B_FRAMES)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(120):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")))
        container.mux(stream.encode(None))
    source = VideoFile(tmp_path / "a.h264")
    times = [frame.time_s for frame in drain(source)]
    source.close()
    assert source.info.fps == 60
    assert times == pytest.approx([n / 60 for n in range(120)], abs=0.001)


@pytest.mark.parametrize("name", ["trim.mp4", "trim.mov"])
def test_a_trim_without_encoding_is_whole(tmp_path, caplog, name):
    """What lies before the cut is in the file and is not shown: an edit list says so."""
    path = copy(write(tmp_path / "a.mp4"), tmp_path / name, shift_s=-1.37)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == FRAMES, "nothing was cut off"
    frames = read_all(path)
    first = number_in(frames[0].bgr)
    assert first == pytest.approx(1.37 * RATE, abs=1)
    assert [number_in(frame.bgr) for frame in frames] == list(range(first, FRAMES))
    assert [frame.time_s for frame in frames] == pytest.approx([n / RATE for n in range(len(frames))], abs=0.002)
    agrees(path, frames)
    assert caplog.records == []


def test_frames_left_out_of_an_avi_are_no_damage(tmp_path, caplog):
    """The container fills the gaps with empty chunks and counts them as frames."""
    times = [n / RATE for n in range(150) if n % 3]
    path = write(tmp_path / "a.avi", "mpeg4", times=times, frames=100)
    frames = read_all(path)
    assert [number_in(frame.bgr) for frame in frames] == list(range(100))
    assert frames[-1].time_s == pytest.approx(times[-1] - times[0], abs=0.1)
    assert caplog.records == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_file_that_is_cut_off_is_told(tmp_path, caplog, name):
    faststart = name == "a.mp4"
    path = write(tmp_path / "whole.mp4", frames=FRAMES) if faststart else write(tmp_path / name)
    if faststart:
        with av.open(str(path)) as read, av.open(str(tmp_path / name), "w", options={"movflags": "faststart"}) as out:
            stream = out.add_stream_from_template(read.streams.video[0])
            for packet in read.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
        path = tmp_path / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    assert 20 < len(read_all(path)) < FRAMES - RATE
    assert ["damaged or cut off" in record.getMessage() for record in caplog.records] == [True]


def test_the_last_picture_of_a_slide_show_is_shown_for_long(tmp_path, caplog):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")):
                packet.duration = 1 if number < 4 else 80
                container.mux(packet)
        container.mux(stream.encode(None))
    assert len(read_all(tmp_path / "a.mkv")) == 5
    assert caplog.records == []


@pytest.mark.parametrize("shift_s", [0.0, 5.0])
@pytest.mark.parametrize("tagged", [True, False])
def test_a_picture_that_begins_after_the_sound_is_whole(tmp_path, caplog, shift_s, tagged):
    """Matroska's lengths count from 0, also that of a stream which begins later."""
    made = copy(write(tmp_path / "a.mp4", frames=50), tmp_path / "late.mkv", shift_s=shift_s)
    if not tagged:
        content = made.read_bytes()
        made.write_bytes(content.replace(b"DURATION", b"duration"))  # as of other writers: no length of a stream
    assert len(read_all(made)) == 50
    assert caplog.records == []


# One size.


def test_a_size_that_changes_is_brought_to_that_of_the_first_picture(tmp_path):
    parts = [write(tmp_path / "1.ts", frames=50), write(tmp_path / "2.ts", frames=50, size=(64, 48))]
    parts.append(write(tmp_path / "3.ts", frames=50, size=(96, 128)))
    path = tmp_path / "sizes.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = read_all(path)
    assert {frame.size for frame in frames} == {(128, 96)}
    assert [number_in(frame.bgr) for frame in frames[50:100]] == list(range(50))
    upright = frames[-1].bgr[:, 28:100]  # 72 x 96 in the middle, between black bars
    assert number_in(cv2.resize(upright, (96, 128))) == 49
    assert frames[-1].bgr[:, :24].max() < 5 > frames[-1].bgr[:, 104:].max()
    agrees(path, frames)


def test_a_sought_picture_is_upright_and_square(tmp_path):
    phone = write_video(tmp_path / "phone.mp4", 60, rotation=90)
    assert np.array_equal(picture_at(phone, 2.0), read_all(phone)[50].bgr)
    assert picture_at(phone, 2.0).shape == (64, 48, 3)
    with av.open(str(tmp_path / "wide.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.sample_aspect_ratio = Fraction(3, 2)
        for number in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")))
        container.mux(stream.encode(None))
    assert picture_at(tmp_path / "wide.mkv", 1.0).shape == (48, 96, 3)
