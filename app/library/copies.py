"""Finds what a library has already, by content instead of name, before it is imported a second time."""

import filecmp
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.examples import example_of
from app.library.import_report import ImportReport
from app.library.rows import SegmentRow
from app.recording.folder import VIDEO_FILE, Recording, recordings_folder
from recognizer.datasets.recorded import Poses
from recognizer.teaching.copies import near_copies

_JITTER_PX = 0.05  # the same pixels on another processor


class DuplicateFinder:
    """Compares imports with the recordings of a library that are not in its bin."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._alike: dict[tuple[int, int], list[str]] = {}
        self._videos: dict[int, list[Path]] = {}
        for row in library.recordings(limit=-1):
            self._alike.setdefault(_size(row.frames, row.duration_s), []).append(row.id)
            video = recordings_folder(library.root) / row.id / VIDEO_FILE
            if not row.skeleton_only and video.is_file():
                self._videos.setdefault(video.stat().st_size, []).append(video)

    def remember(self, recording: str, poses: Poses) -> None:
        """Also compare with a recording that has just been imported."""
        self._alike.setdefault(_size(len(poses.times_s), float(poses.times_s[-1])), []).append(recording)

    def new_videos(self, videos: Sequence[Path], report: ImportReport) -> list[Path]:
        """The videos whose bytes are neither in the library nor in an earlier one; the others go into the report."""
        kept: list[Path] = []
        by_size = {size: list(paths) for size, paths in self._videos.items()}
        for path in videos:
            size = path.stat().st_size if path.is_file() else 0
            alike = by_size.setdefault(size, []) if size else []  # an empty file is not a video
            known = next((one for one in alike if _same_bytes(one, path)), None)
            if known is None:
                kept.append(path)
                alike.append(path)
            else:
                here = known.name == VIDEO_FILE
                same = f"already in the library ({known.parent.name})" if here else f"the same as {known}"
                report.copies.append(f"{path} is {same}")
        return kept

    def recording_with(self, poses: Poses) -> str | None:
        """The recording that has the same poses at the same times; None where there is none."""
        if not len(poses.times_s):
            return None
        for name in self._alike.get(_size(len(poses.times_s), float(poses.times_s[-1])), []):
            try:
                known = self._library.open_recording(name)
            except RecordingError:
                continue
            if _same(known, poses):
                return name
        return None


def copy_pairs(library: Library, segments: Sequence[SegmentRow]) -> list[tuple[int, int]]:
    """Ids of segments that show the same moment, whatever their names: for splits. A segment whose recording cannot be
    read counts as no copy."""
    found, ids = [], []
    recording: Recording | None = None
    for row in sorted(segments, key=lambda row: row.recording):
        if recording is None or recording.info.id != row.recording:
            try:
                recording = library.open_recording(row.recording)
            except RecordingError:
                recording = None
                continue
        example = example_of(row, recording)
        if len(example.times_s) > 1:
            found.append(example)
            ids.append(row.id)
    return [(ids[a], ids[b]) for a, b in near_copies(found)]


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:  # an unreadable file is reported when its poses are estimated
        return False


def _size(frames: int, duration_s: float) -> tuple[int, int]:
    return frames, round(duration_s * 1000)


def _same(known: Recording, poses: Poses) -> bool:
    if known.layout != poses.layout or not np.array_equal(known.frame, poses.frame):
        return False
    apart = np.abs(known.xy_px - poses.xy_px)[(known.confidence > 0) & (poses.confidence > 0)]
    return (
        np.array_equal(known.person, poses.person)
        and np.allclose(known.times_s, poses.times_s, atol=1e-4)
        and np.array_equal(known.confidence > 0, poses.confidence > 0)
        and (not apart.size or float(apart.max()) <= _JITTER_PX)
    )
