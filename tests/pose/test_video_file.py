"""Video files and image folders: what they give, and files with every kind of defect."""

import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from pose.errors import SourceError
from pose.image_folder import ImageFolder
from pose.source import open_source
from pose.video_file import VideoFile
from tests.pose.conftest import NUMBERS, SIZE, drain, number_of, picture, write_video

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "videos"


def frames_of(path):
    source = VideoFile(path)
    try:
        return drain(source)
    finally:
        source.close()


def corner(bgr):
    """Where the white block is: row and column of the nearest corner."""
    lit = {(y, x): bgr[y, x].mean() for y in (4, -4) for x in (4, -4)}
    return max(lit, key=lit.get)


# Sound files.


def test_every_frame_in_order_with_its_time(video):
    source = VideoFile(video)
    frames = drain(source)
    assert (source.info.name, source.info.live, source.info.size) == ("walk.mp4", False, SIZE)
    assert (source.info.fps, source.info.frames) == (25.0, 10)
    assert [number_of(frame.bgr) for frame in frames] == list(range(10))
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 25 for n in range(10)])
    assert frames[0].bgr[4, 4].min() > 230
    source.close()


def test_frames_are_kept_apart(video):
    frames = frames_of(video)
    assert not np.shares_memory(frames[0].bgr, frames[1].bgr)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.avi", "mjpeg", "yuvj420p"),
        ("b.avi", "mpeg4", "yuv420p"),
        ("c.mkv", "libx264", "yuv420p"),
        ("grey.mkv", "ffv1", "gray"),
        ("deep.mkv", "ffv1", "yuv420p10le"),
        ("deep_grey.mkv", "ffv1", "gray16le"),
        ("rgba.mov", "png", "rgba"),
        ("v.ts", "mpeg2video", "yuv420p"),
    ],
)
def test_containers_codecs_and_pixel_formats(tmp_path, name, codec, pix_fmt):
    frames = frames_of(write_video(tmp_path / name, codec=codec, pix_fmt=pix_fmt))
    assert [number_of(frame.bgr) for frame in frames] == list(range(10))
    assert all(f.bgr.dtype == np.uint8 and f.bgr.shape == (48, 64, 3) and f.bgr.flags.c_contiguous for f in frames)
    assert frames[0].bgr[4, 4].min() > 225


def test_colours_are_in_the_order_blue_green_red(tmp_path):
    with av.open(str(tmp_path / "red.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        red = np.zeros((48, 64, 3), np.uint8)
        red[:, :, 2] = 200
        container.mux(stream.encode(av.VideoFrame.from_ndarray(red, format="bgr24")))
        container.mux(stream.encode(None))
    assert frames_of(tmp_path / "red.mkv")[0].bgr[24, 32] == pytest.approx((0, 0, 200), abs=6)


@pytest.mark.parametrize("size", [(63, 47), (65, 33), (17, 90)])
def test_odd_sizes(tmp_path, size):
    frames = frames_of(write_video(tmp_path / "odd.mkv", codec="ffv1", pix_fmt="yuv420p", size=size))
    assert {frame.size for frame in frames} == {size}
    assert [number_of(frame.bgr) for frame in frames] == list(range(10))


@pytest.mark.parametrize(
    ("rotation", "size", "where"),
    [(0, (64, 48), (4, 4)), (90, (48, 64), (-4, 4)), (180, (64, 48), (-4, -4)), (270, (48, 64), (4, -4))],
)
def test_a_phones_rotation_is_applied(tmp_path, rotation, size, where):
    """rotation: counter-clockwise, as FFmpeg's display matrix has it; the corners are those that its players show."""
    source = VideoFile(write_video(tmp_path / "phone.mp4", rotation=rotation))
    frame = source.read()
    source.close()
    assert source.info.size == frame.size == size
    assert corner(frame.bgr) == where
    assert frame.bgr.flags.c_contiguous


def test_a_picture_that_stands_on_its_head_is_turned(tmp_path):
    """Mirrored from top to bottom: a matrix whose rotation is 0."""
    path = write_video(tmp_path / "phone.mp4", rotation=180)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44
    content[place : place + 36] = struct.pack(">9i", 65536, 0, 0, 0, -65536, 0, 0, 48 << 16, 1 << 30)
    path.write_bytes(content)
    frames = frames_of(path)
    assert {corner(frame.bgr) for frame in frames} == {(-4, 4)}


def test_a_picture_of_a_billion_pixels_is_refused(tmp_path):
    """In a process of its own: the limit is read when OpenCV loads."""
    rows = zlib.compressobj(9)
    data = b"".join([*(rows.compress(bytes(20_001)) for _ in range(20_000)), rows.flush()])
    parts = (b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    code = "import sys; from pathlib import Path; from pose.image_folder import ImageFolder as F; F(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "has no picture that can be decoded" in done.stderr.splitlines()[-1]


def test_a_video_larger_than_8k_is_refused(tmp_path):
    path = write_video(tmp_path / "huge.mkv", 1, codec="mpeg4", size=(8190, 4400))
    with pytest.raises(SourceError, match="has no frame that can be decoded"):
        VideoFile(path)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(Fraction(3, 2), (96, 48)), (Fraction(2, 3), (64, 72)), (Fraction(1, 2), (64, 96)), (Fraction(1), (64, 48))],
)
def test_pixels_become_square(aspect, size, tmp_path):
    with av.open(str(tmp_path / "wide.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.sample_aspect_ratio = aspect
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(), format="bgr24")))
        container.mux(stream.encode(None))
    assert frames_of(tmp_path / "wide.mkv")[0].size == size


@pytest.mark.parametrize(
    ("marked", "size"),
    [((False, True), (64, 48)), ((True, False), (128, 96)), ((False, False), (128, 96)), ((True, True), (128, 96))],
)
def test_of_several_streams_the_one_that_is_marked_is_shown_else_the_largest(marked, size, tmp_path):
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = []
        for (width, height), default in zip(((128, 96), (64, 48)), marked, strict=True):
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = Disposition.default if default else Disposition(0)
            streams.append(stream)
        for stream in streams:
            black = np.zeros((stream.height, stream.width, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(black, format="bgr24")))
            container.mux(stream.encode(None))
    assert frames_of(tmp_path / "two.mkv")[0].size == size


def test_a_variable_rate_keeps_its_times(tmp_path):
    times = [0.0, 0.04, 0.2, 0.24, 0.64, 1.6]
    frames = frames_of(write_video(tmp_path / "vfr.mkv", 6, times=times))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.002)


def test_names_that_look_like_protocols_and_are_not_ascii(tmp_path):
    path = write_video(tmp_path / "gehen.mp4").rename(tmp_path / "concat:übung 100%d.mp4")
    assert len(frames_of(path)) == 10


def test_titles_in_old_encodings(tmp_path):
    with av.open(str(tmp_path / "old.avi"), "w") as container:
        container.metadata["title"] = "gr!n"
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(), format="bgr24")))
        container.mux(stream.encode(None))
    content = (tmp_path / "old.avi").read_bytes()
    assert b"gr!n" in content
    (tmp_path / "old.avi").write_bytes(content.replace(b"gr!n", "grün".encode("latin-1")))
    assert len(frames_of(tmp_path / "old.avi")) == 1


# Defects.


def says(path):
    with pytest.raises(SourceError) as error:
        VideoFile(path)
    text = str(error.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_missing(tmp_path):
    assert "does not exist" in says(tmp_path / "none.mp4")


def test_a_folder(tmp_path):
    assert "is a folder" in says(tmp_path)


def test_empty(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert "is empty" in says(tmp_path / "empty.mp4")


@pytest.mark.parametrize(
    "content", [b"Dear diary,\n" * 400, bytes(range(256)) * 64, b"#!/bin/sh\nexit\n", b"\0" * 9000]
)
@pytest.mark.parametrize("suffix", [".mp4", ".txt", ".avi"])
def test_not_a_video(tmp_path, content, suffix):
    path = tmp_path / f"other{suffix}"
    path.write_bytes(content)
    assert "choose another file" in says(path) or "no frame" in says(path)


def test_a_playlist_contacts_nobody(tmp_path, server):
    path = tmp_path / "list.m3u8"
    segment = server.url("/file.mp4")
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{segment}\n#EXT-X-ENDLIST\n")
    says(path)
    assert server.asked == []


def test_sound_alone(tmp_path):
    with av.open(str(tmp_path / "song.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    assert "has no video" in says(tmp_path / "song.wav")


def test_no_frames(tmp_path):
    assert "no frame" in says(write_video(tmp_path / "none.avi", 0, codec="mjpeg", pix_fmt="yuvj420p"))


def test_a_pipe_does_not_block(tmp_path):
    if sys.platform == "win32":
        pytest.skip("Windows has no named pipes in folders")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in says(tmp_path / "pipe.mp4")


def cut(path, part):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    return path


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.ts"])
def test_a_truncated_file_plays_as_far_as_it_goes(tmp_path, caplog, name):
    codec = {"a.avi": ("mjpeg", "yuvj420p"), "a.ts": ("mpeg2video", "yuv420p")}.get(name, ("libx264", "yuv420p"))
    path = cut(write_video(tmp_path / name, 200, codec=codec[0], pix_fmt=codec[1]), 0.5)
    frames = frames_of(path)
    assert 60 < len(frames) < 150
    assert [number_of(f.bgr) for f in frames[:50]] == [n % NUMBERS for n in range(50)]
    assert (np.diff([frame.time_s for frame in frames]) > 0).all()
    if name != "a.ts":  # a transport stream may end anywhere: nothing says how long it should be
        warnings = [record.getMessage() for record in caplog.records]
        assert len(warnings) == 1
        assert "damaged or cut off" in warnings[0]


def test_a_truncated_mp4_whose_index_comes_first(tmp_path, caplog):
    path = write_video(tmp_path / "a.mp4", 200, options={"movflags": "faststart"})
    frames = frames_of(cut(path, 0.6))
    assert 20 < len(frames) < 190
    assert len(caplog.records) == 1


def test_a_truncated_mp4_whose_index_is_lost(tmp_path, video):
    assert "damaged" in says(cut(video, 0.8))


def test_damage_in_the_middle_is_played_over(tmp_path, caplog):
    path = write_video(tmp_path / "a.avi", 100, codec="mjpeg", pix_fmt="yuvj420p")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 20] = bytes(len(content) // 20)
    path.write_bytes(content)
    frames = frames_of(path)
    assert number_of(frames[-1].bgr) == 99 % NUMBERS, "what comes after the damage is lost"
    assert len(frames) > 85
    assert (np.diff([frame.time_s for frame in frames]) > 0).all()


def test_a_sound_file_warns_of_nothing(video, caplog):
    frames_of(video)
    assert caplog.records == []


def test_nothing_is_written_to_the_terminal(tmp_path, capfd):
    says(tmp_path / "none.mp4")
    frames_of(cut(write_video(tmp_path / "a.avi", 60, codec="mjpeg", pix_fmt="yuvj420p"), 0.5))
    assert capfd.readouterr() == ("", "")


def test_close_while_another_thread_reads(tmp_path):
    source = VideoFile(write_video(tmp_path / "long.mp4", 400, size=(320, 240)))
    frames = []
    reader = threading.Thread(target=lambda: frames.extend(drain(source)))
    reader.start()
    time.sleep(0.02)
    source.close()
    reader.join(60)
    assert not reader.is_alive()
    assert source.read() is None


def test_memory_does_not_grow(tmp_path):
    """Frames that nobody keeps are given back: 300 frames of 0.9 MB would need 270 MB."""
    psutil = pytest.importorskip("psutil")
    path = write_video(tmp_path / "long.avi", 300, codec="mjpeg", pix_fmt="yuvj420p", size=(640, 480))
    source = VideoFile(path)
    for _ in range(50):
        source.read()
    before = psutil.Process().memory_info().rss
    while source.read() is not None:
        pass
    grown = psutil.Process().memory_info().rss - before
    source.close()
    assert grown < 30e6


# Real recordings.


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared videos are not here")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.*")), ids=lambda path: path.name)
def test_real_videos_play_whole_and_evenly(path, caplog):
    capture = cv2.VideoCapture(str(path))
    expected = 0
    while capture.grab():
        expected += 1
    capture.release()
    source = VideoFile(path)
    times = [frame.time_s for frame in drain(source)]
    source.close()
    assert len(times) == expected
    assert caplog.records == []
    steps = np.diff(times)
    assert steps.min() > 0.9 / 60
    assert np.median(steps) == pytest.approx(1 / source.info.fps, rel=0.1)


# Folders.


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "dance"
    folder.mkdir()
    for number, suffix in enumerate((".jpg", ".png", ".JPG", ".jpeg")):
        (folder / f"{number:03d}{suffix}").write_bytes(cv2.imencode(suffix, picture(number))[1].tobytes())
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_of_pictures_is_a_video(folder):
    source = ImageFolder(folder)
    frames = drain(source)
    assert (source.info.name, source.info.live, source.info.size) == ("dance", False, SIZE)
    assert (source.info.fps, source.info.frames) == (30.0, 4)
    assert [number_of(frame.bgr) for frame in frames] == [0, 1, 2, 3]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])


def numbered_folder(folder, names, suffix=".png"):
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / name).write_bytes(cv2.imencode(suffix, picture(number))[1].tobytes())
    return folder


def numbers_of(source):
    return [number_of(frame.bgr) for frame in drain(source)]


def test_pictures_come_in_natural_order(tmp_path):
    names = ["1.png", "2.png", "3.png", "10.png", "20.png", "100.png"]
    assert numbers_of(ImageFolder(numbered_folder(tmp_path / "a", names))) == list(range(6))
    names = ["walk_9.png", "walk_10.png", "Walk_11.png", "walk_11b.png"]
    assert numbers_of(ImageFolder(numbered_folder(tmp_path / "b", names))) == list(range(4))


def test_a_pattern_names_pictures(tmp_path):
    numbered_folder(tmp_path / "a", ["in_1.png", "in_2.png", "in_10.png", "in_x.png", "out_1.png", "in_3.txt"])
    source = open_source(str(tmp_path / "a" / "in_%d.png"))
    assert source.info.frames == 3
    assert numbers_of(source) == [0, 1, 2]
    numbered_folder(tmp_path / "b", ["0001.png", "0002.png", "3.png", "10000.png"])
    assert numbers_of(open_source(str(tmp_path / "b" / "%04d.png"))) == [0, 1, 3]
    with pytest.raises(SourceError, match="has no pictures"):
        open_source(str(tmp_path / "a" / "none_%d.png"))


def test_what_systems_leave_behind_is_no_picture(tmp_path):
    folder = numbered_folder(tmp_path / "a", ["1.png", "2.png"])
    for name in ("._1.png", "._2.jpg", ".hidden.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    source = ImageFolder(folder)
    assert source.info.frames == 2
    assert numbers_of(source) == [0, 1]


def test_pictures_of_several_sizes_are_brought_to_that_of_the_first(tmp_path):
    folder = numbered_folder(tmp_path / "a", ["1.png"])
    (folder / "2.png").write_bytes(cv2.imencode(".png", picture(1, (128, 96)))[1].tobytes())
    frames = drain(ImageFolder(folder))
    assert [frame.size for frame in frames] == [SIZE, SIZE]
    assert number_of(frames[1].bgr) == 1


@pytest.mark.parametrize("form", ["file://{}", "file://localhost{}", "file:{}", "FILE://{}"])
def test_a_file_by_its_url(tmp_path, form):
    path = write_video(tmp_path / "в отпуске 100%.mp4", 3)
    source = open_source(form.format(quote(path.as_posix())))
    assert len(drain(source)) == 3
    source.close()
    source = open_source(f"file://{path}")  # as people write it
    assert len(drain(source)) == 3
    source.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_in_an_old_encoding(tmp_path):
    path = write_video(tmp_path / "a.mp4", 3).rename(tmp_path / os.fsdecode("привет.mp4".encode("cp1251")))
    for name in (str(path), f"file://{quote(bytes(path))}"):
        source = open_source(name)
        assert len(drain(source)) == 3
        source.close()


def test_the_home_of_somebody_unknown_is_one_line():
    with pytest.raises(SourceError, match="does not exist"):
        open_source("~no-such-user-here/walk.mp4")


def test_a_damaged_picture_is_left_out(folder, caplog):
    (folder / "001.png").write_bytes(b"no picture")
    (folder / "002.JPG").write_bytes(b"")
    frames = drain(ImageFolder(folder))
    assert [(frame.index, number_of(frame.bgr)) for frame in frames] == [(0, 0), (1, 3)]
    assert frames[1].time_s == pytest.approx(3 / 30)
    assert len(caplog.records) == 1


def test_grey_and_deep_pictures(folder):
    cv2.imwrite(str(folder / "000.png"), np.full((48, 64), 0x8000, np.uint16))
    cv2.imwrite(str(folder / "0005.png"), np.full((48, 64, 4), 90, np.uint8))
    frames = drain(ImageFolder(folder))
    assert all(frame.bgr.shape == (48, 64, 3) and frame.bgr.dtype == np.uint8 for frame in frames)


@pytest.mark.parametrize(("name", "content"), [("notes.txt", b"x"), ("bad.jpg", b"x")])
def test_a_folder_without_pictures(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=tmp_path.name):
        ImageFolder(tmp_path)


def test_decoders_are_loaded_only_when_needed():
    code = "import sys, pose.source, pose.camera, pose.video_file, pose.stream; print({'cv2', 'av'} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
