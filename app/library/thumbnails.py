"""Small pictures of segments: a strip of a few frames with the skeleton, made when first asked for."""

import logging
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import RecordingError
from app.library.rows import SegmentRow
from app.library.thumbnail_files import thumbnail_file
from app.outputs.overlay import HIDDEN_BELOW, Picture
from app.palette import confidence_rgb
from app.recording.folder import Recording, read_recording, recordings_folder
from pose.whole_file import write_bytes

log = logging.getLogger(__name__)

FRAMES, HEIGHT = 3, 120
_QUALITY = 82
_NARROWEST, _WIDEST = 0.9, 1.5  # width of a frame in heights
_AROUND = 0.12  # of the people's extent, to be seen around them
_MIN_HEIGHT_SHARE = 0.4  # of the picture's height: nobody is made larger than that


def segment_picture(root: Path, row: SegmentRow) -> Path | None:
    """The JPEG of a segment, made now where there is none yet; None where the recording cannot be read. Any thread."""
    path = thumbnail_file(root, row.recording, row.start_s, row.end_s, row.person)
    if path.exists():
        return path
    try:
        recording = read_recording(recordings_folder(root) / row.recording)
        strip = _strip(recording, row.start_s, row.end_s, row.person)
        jpeg = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        path.parent.mkdir(exist_ok=True)
        write_bytes(path, jpeg[1].tobytes())
    except (RecordingError, OSError, cv2.error) as error:
        log.warning("no thumbnail of %s: %s", row.recording, error)
        return None
    return path


def _strip(recording: Recording, start_s: float, end_s: float, person: int) -> Picture:
    """(HEIGHT, W, 3) BGR: frames in the middle of equal parts of the time, beside each other."""
    times = start_s + (np.arange(FRAMES) + 0.5) / FRAMES * (end_s - start_s)
    places = [int(np.abs(recording.times_s - time_s).argmin()) for time_s in times]
    here = (recording.times_s[recording.frame] >= start_s) & (recording.times_s[recording.frame] <= end_s)
    rows = np.flatnonzero(here & (recording.person == person))
    box = _box(recording, rows)
    return np.hstack([_frame(recording, place, person, box) for place in places])


def _box(recording: Recording, rows: NDArray[np.intp]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, in pixels, of where the person of these rows is in all that time."""
    width, height = recording.info.size
    points = recording.xy_px[rows][recording.confidence[rows] >= HIDDEN_BELOW]
    points = points[((points >= 0) & (points <= (width, height))).all(axis=1)]
    if not len(points):
        return 0, 0, width, height
    low, high = points.min(axis=0), points.max(axis=0)
    middle, around = (low + high) / 2, float((high - low).max()) * _AROUND
    half = np.maximum((high - low) / 2 + around, _MIN_HEIGHT_SHARE * height / 2)
    half[0] = max(half[0], _NARROWEST * half[1])
    left, top = np.maximum(middle - half, 0).astype(int)
    right, bottom = np.ceil(np.minimum(middle + half, (width, height))).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _frame(recording: Recording, place: int, person: int, box: tuple[int, int, int, int]) -> Picture:
    from app.library.pictures import ground, picture_at  # PyAV only where there is something to decode

    width, height = recording.info.size
    picture = picture_at(recording, place)
    if picture is None:
        picture = ground((width, height))
    left, top, right, bottom = box
    part = _part(picture, box, (width, height))
    shape = max(round((right - left) * HEIGHT / max(bottom - top, 1)), 1), HEIGHT
    small = np.asarray(cv2.resize(part, shape, interpolation=cv2.INTER_AREA), np.uint8)
    stretch = np.array([shape[0] / max(right - left, 1), HEIGHT / max(bottom - top, 1)])
    for row in np.flatnonzero(recording.frame == place):
        if recording.person[row] == person:
            _draw(small, recording, int(row), (recording.xy_px[row] - (left, top)) * stretch)
    return _cut(small)


def _part(picture: Picture, box: tuple[int, int, int, int], size: tuple[int, int]) -> Picture:
    """Of a picture whose own size may be another than the recording's."""
    across, down = picture.shape[1] / max(size[0], 1), picture.shape[0] / max(size[1], 1)
    left, right = int(box[0] * across), max(round(box[2] * across), int(box[0] * across) + 1)
    top, bottom = int(box[1] * down), max(round(box[3] * down), int(box[1] * down) + 1)
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _draw(picture: Picture, recording: Recording, row: int, xy: NDArray[np.float64]) -> None:
    confidence = recording.confidence[row]
    points = np.clip(xy, -4 * HEIGHT, 8 * HEIGHT).round().astype(int).tolist()
    for a, b in recording.layout.edge_indices:
        least = float(min(confidence[a], confidence[b]))
        if least >= HIDDEN_BELOW:
            red, green, blue = confidence_rgb(least, int(recording.person[row]))
            cv2.line(picture, points[a], points[b], (blue, green, red), 2, cv2.LINE_AA)


def _cut(picture: Picture) -> Picture:
    """Bars beside narrow pictures, the middle of wide ones, so that strips have similar lengths."""
    narrow, wide = round(_NARROWEST * HEIGHT), round(_WIDEST * HEIGHT)
    width = picture.shape[1]
    if width > wide:
        left = (width - wide) // 2
        return np.ascontiguousarray(picture[:, left : left + wide])
    if width < narrow:
        left = (narrow - width) // 2
        return np.pad(picture, [(0, 0), (left, narrow - width - left), (0, 0)])
    return picture
