"""What the library shows of a recording: the player's pictures and the thumbnails' are those of the skeletons."""

import shutil

import av
import numpy as np
import pytest

from app.library.pictures import picture_at, video_pictures
from app.recording.folder import Recording, RecordingInfo
from app.ui.library.frames import read_stretch
from pose.skeleton import MEDIAPIPE_33
from pose.video_file import VideoFile
from tests.pose.conftest import drain, write_video
from tests.pose.test_video_times import number_in, write


def recording_of(video, folder):
    """A recording of an imported video, with a joint whose x is the number of the frame."""
    folder.mkdir(exist_ok=True)
    copy = folder / "video.mp4"  # whatever its container
    shutil.copyfile(video, copy)
    source = VideoFile(copy)
    frames = drain(source)
    source.close()
    times_s = np.array([frame.time_s for frame in frames])
    count, size = len(frames), frames[0].size
    info = RecordingInfo("x", "", "", float(times_s[-1]), count, size, MEDIAPIPE_33.name, False, "")
    xy = np.repeat(np.arange(count, dtype=np.float32)[:, None, None], 33, axis=1).repeat(2, axis=2)
    arrays = (times_s, np.arange(count), np.zeros(count, np.int64), xy, np.ones((count, 33), np.float32))
    return Recording(info, *arrays, MEDIAPIPE_33, copy), frames


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.ts", "libx264"),
        ("a.mts", "libx264"),
        ("a.avi", "libx264"),
        ("a.h264", "libx264"),
        ("a.mpg", "mpeg2video"),
    ],
)
def test_picture_and_skeleton_are_of_one_moment(tmp_path, name, codec):
    recording, frames = recording_of(write(tmp_path / name, codec), tmp_path / "recording")
    assert [number_in(picture) for picture in video_pictures(recording)] == list(range(len(frames)))
    stretch = read_stretch(recording, -1.0, 99.0)
    part = read_stretch(recording, 3.0, 4.0)
    for place in np.linspace(0, len(frames) - 1, 7).astype(int):
        time_s = frames[place].time_s
        assert number_in(picture_at(recording, place)) == place
        assert number_in(stretch.picture_at(time_s)) == place
        (_, xy, _), *_ = stretch.poses_at(stretch.frame_time_at(time_s))
        assert xy[0, 0] == place
    for time_s in np.linspace(3.0, 4.0, 7):
        shown = number_in(part.picture_at(time_s))
        assert part.poses_at(part.frame_time_at(time_s))[0][1][0, 0] == shown
        assert abs(shown - time_s * 25) <= 1.01


def test_a_long_stretch_shows_fewer_pictures_with_their_own_skeletons(tmp_path, monkeypatch):
    monkeypatch.setattr("app.ui.library.frames._MAX_PICTURES", 20)
    recording, _ = recording_of(write(tmp_path / "a.mp4"), tmp_path / "recording")
    stretch = read_stretch(recording, 0.0, 6.0)
    assert 15 <= len(stretch.jpegs) <= 25
    for time_s in np.linspace(0, 5.9, 40):
        shown = number_in(stretch.picture_at(time_s))
        assert stretch.poses_at(stretch.frame_time_at(time_s))[0][1][0, 0] == shown


def test_a_phones_recording_is_upright(tmp_path):
    recording, frames = recording_of(write_video(tmp_path / "phone.mp4", 60, rotation=90), tmp_path / "recording")
    assert recording.info.size == (48, 64)
    assert picture_at(recording, 30).shape == (64, 48, 3)
    shown = read_stretch(recording, 0.0, 2.0).picture_at(1.2)
    assert shown.shape == (64, 48, 3)
    assert np.abs(shown.astype(int) - frames[30].bgr).mean() < 4


def test_the_best_stream_is_shown(tmp_path):
    """A small preview comes first in the file."""
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = []
        for size, grey in (((32, 24), 40), ((128, 96), 200)):
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            streams.append((stream, np.full((size[1], size[0], 3), grey, np.uint8)))
        for _ in range(25):
            for stream, image in streams:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        for stream, _ in streams:
            container.mux(stream.encode(None))
    recording, _ = recording_of(path, tmp_path / "recording")
    for shown in (read_stretch(recording, 0.0, 1.0).picture_at(0.5), picture_at(recording, 12)):
        assert shown.shape == (96, 128, 3)
        assert float(shown.mean()) == pytest.approx(200, abs=4)
