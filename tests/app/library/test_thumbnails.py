"""Thumbnails: made once, and again when a segment changes."""

from dataclasses import replace

import cv2
import numpy as np
from library_fakes import add_recording, make_poses

from app.library.pictures import picture_at, video_pictures
from app.library.pose_recordings import describe, store
from app.library.rows import NewSegment
from app.library.thumbnails import HEIGHT, segment_picture
from app.outputs.video_writer import VideoWriter
from app.recording.folder import JOINTS_FILE, recordings_folder


def with_video(library, tmp_path, frames=40):
    """A recording whose frames are as bright as their number."""
    poses = make_poses(frames=frames, size=(160, 120))
    writer = VideoWriter(tmp_path / "video.mp4", lossless=True)
    for number, time_s in enumerate(poses.times_s.tolist()):
        writer.write(np.full((120, 160, 3), 20 + number * 5, np.uint8), time_s)
    writer.close()
    info = describe(poses, "cam", skeleton_only=False)
    folder = store(library.root, library.staging(), info, poses, tmp_path / "video.mp4")
    return library.add_recording(folder, [NewSegment(0, 0.5, 0, "wave")])


def test_a_segment_of_skeletons_alone_gets_a_strip(library):
    add_recording(library, segments=[NewSegment(0, 1)])
    path = segment_picture(library.root, library.segments()[0])
    picture = cv2.imread(str(path))
    assert path.parent == library.root / "thumbnails"
    assert picture.shape[0] == HEIGHT
    assert picture.shape[1] % 3 == 0
    assert (picture.max(axis=2) > 120).any()  # something is drawn on the dark ground
    assert not list(path.parent.glob(".*"))


def test_somebody_far_away_is_shown_as_large_as_somebody_near(library):
    heights = []
    for scale in (0.5, 0.25):
        poses = make_poses(size=(1280, 960))
        xy = 400 + (poses.xy_px - poses.xy_px.mean()) * 2 * scale
        there = replace(poses, xy_px=xy.astype(np.float32))
        folder = store(library.root, library.staging(), describe(there, "cam"), there)
        library.add_recording(folder, [NewSegment(0, 1)])
        picture = cv2.imread(str(segment_picture(library.root, library.segments()[0])))
        rows = np.flatnonzero((picture.max(axis=2) > 120).any(axis=1))
        heights.append(rows[-1] - rows[0])
    assert heights[1] > 0.7 * heights[0]
    assert heights[0] > 0.3 * HEIGHT


def test_they_are_made_once(library, monkeypatch):
    from app.library import thumbnails as module

    made = []
    strip = module._strip
    monkeypatch.setattr(module, "_strip", lambda *arguments: made.append(arguments) or strip(*arguments))
    add_recording(library, segments=[NewSegment(0, 1)])
    (row,) = library.segments()
    assert segment_picture(library.root, row) == segment_picture(library.root, row)
    assert len(made) == 1


def test_a_changed_segment_gets_another(library):
    add_recording(library, segments=[NewSegment(0, 1)])
    (row,) = library.segments()
    first = segment_picture(library.root, row)
    library.change_segment(row.id, NewSegment(0.5, 1))
    assert segment_picture(library.root, library.segment(row.id)) != first


def test_the_old_one_of_a_changed_or_removed_segment_goes(library):
    add_recording(library, segments=[NewSegment(0, 1)])
    (row,) = library.segments()
    first = segment_picture(library.root, row)
    library.label([row.id], "wave")
    assert first.exists(), "it shows the same"
    library.change_segment(row.id, NewSegment(0.5, 1))
    assert not first.exists()
    second = segment_picture(library.root, library.segment(row.id))
    library.undo()
    assert not second.exists()
    first = segment_picture(library.root, library.segment(row.id))
    library.redo()
    assert not first.exists()
    second = segment_picture(library.root, library.segment(row.id))
    library.remove_segments([row.id])
    assert list(second.parent.iterdir()) == []


def test_a_damaged_recording_has_none(library, caplog):
    recording = add_recording(library, segments=[NewSegment(0, 1)])
    (recordings_folder(library.root) / recording / JOINTS_FILE).write_bytes(b"damaged")
    assert segment_picture(library.root, library.segments()[0]) is None
    assert "no thumbnail" in caplog.text


def test_a_damaged_video_leaves_the_skeleton(library, tmp_path):
    recording = with_video(library, tmp_path)
    (recordings_folder(library.root) / recording / "video.mp4").write_bytes(b"damaged")
    assert segment_picture(library.root, library.segments_in(recording)[0]) is not None
    assert list(video_pictures(library.open_recording(recording))) == [None] * 40


def test_they_go_with_their_recording(library):
    recording = add_recording(library, segments=[NewSegment(0, 1)])
    path = segment_picture(library.root, library.segments()[0])
    library.delete_recordings([recording])
    assert path.exists()
    library.empty_bin()
    assert not path.exists()


def test_pictures_are_those_of_their_frames(library, tmp_path):
    recording = library.open_recording(with_video(library, tmp_path))
    brightness = [float(picture.mean()) for picture in video_pictures(recording)]
    assert len(brightness) == 40
    np.testing.assert_allclose(brightness, 20 + np.arange(40) * 5, atol=4)
    for place in (0, 1, 17, 33, 39):
        assert abs(float(picture_at(recording, place).mean()) - (20 + place * 5)) < 4
