"""Pictures of recordings with the skeletons on them: from the video, or on a dark ground where there is none."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from app.library.rows import SegmentRow
from app.outputs.overlay import Picture, draw
from app.recording.folder import Recording
from app.results import PersonResult, Result
from pose import video_file
from pose.errors import SourceError
from pose.types import Frame, Pose
from pose.video_file import VideoFile
from recognizer.decision import Decision

UNLABELLED = "unlabelled"
_GROUND = (34, 30, 28)  # BGR
_SAME_S = 0.004  # two clocks of one frame may differ by their rounding


def drawn(recording: Recording, place: int, bgr: Picture | None, segments: Sequence[SegmentRow]) -> Picture:
    """Frame `place` as a (H, W, 3) uint8 BGR picture with everyone in it; the actions of segments at their heads."""
    time_s = float(recording.times_s[place])
    picture = ground(recording.info.size) if bgr is None else bgr
    rows = np.flatnonzero(recording.frame == place)
    persons = tuple(_person(recording, int(row), time_s, segments) for row in rows)
    return draw(Result(Frame(picture, time_s, 0.0, place), persons, (), False, 0.0))


def ground(size: tuple[int, int]) -> Picture:
    """An empty picture of (width, height), for recordings without pixels."""
    width, height = (max(side, 16) for side in size)
    return np.full((height, width, 3), _GROUND, np.uint8)


def video_pictures(recording: Recording) -> Iterator[Picture | None]:
    """The picture of every frame in order; None where the video lacks it or there is none."""
    video = _opened(recording.video)
    if video is None:
        yield from (None for _ in recording.times_s)
        return
    try:
        frame = video.read()
        for time_s in recording.times_s.tolist():
            while frame is not None and frame.time_s < time_s - _SAME_S:
                frame = video.read()
            yield frame.bgr if frame is not None and frame.time_s <= time_s + _SAME_S else None
    finally:
        video.close()


def picture_at(recording: Recording, place: int) -> Picture | None:
    """The picture of one frame; None where there is none. Little of a long video is decoded for it."""
    if recording.video is None:
        return None
    try:
        return video_file.picture_at(recording.video, float(recording.times_s[place]) + _SAME_S)
    except SourceError:
        return None


def _opened(path: Path | None) -> VideoFile | None:
    if path is None:
        return None
    try:
        return VideoFile(path)
    except SourceError:
        return None


def _person(recording: Recording, row: int, time_s: float, segments: Sequence[SegmentRow]) -> PersonResult:
    who = int(recording.person[row])
    pose = Pose(recording.xy_px[row], recording.confidence[row], recording.layout, time_s, who)
    there = [segment for segment in segments if segment.person == who and segment.start_s <= time_s <= segment.end_s]
    action = there[0].action if there else None
    return PersonResult(pose, Decision(who, time_s, action or UNLABELLED, 0.0, time_s), fresh=False)
