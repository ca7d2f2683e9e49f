"""Pictures of recordings with the skeletons on them: from the video, or on a dark ground where there is none."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from app.library.types import ClipRow
from app.overlay import Picture, draw
from app.recording.folder import Recording
from app.types import PersonResult, Result
from pose.decoding import Converter, best_video
from pose.errors import SourceError
from pose.types import Frame, Pose
from pose.video_file import VideoFile
from recognizer.decision import Decision

UNLABELLED = "unlabelled"
_GROUND = (34, 30, 28)  # BGR
_SAME_S = 0.004  # two clocks of one frame may differ by their rounding
_MOST_SKIPPED = 600  # frames decoded from a key frame to the one that is wanted


def drawn(recording: Recording, place: int, bgr: Picture | None, clips: Sequence[ClipRow]) -> Picture:
    """Frame `place` as a (H, W, 3) uint8 BGR picture with everyone in it; the actions of clips at their heads."""
    time_s = float(recording.times_s[place])
    picture = ground(recording.info.size) if bgr is None else bgr
    rows = np.flatnonzero(recording.frame == place)
    persons = tuple(_person(recording, int(row), time_s, clips) for row in rows)
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
        first_s = frame.time_s if frame is not None else 0.0
        for time_s in recording.times_s.tolist():
            while frame is not None and frame.time_s - first_s < time_s - _SAME_S:
                frame = video.read()
            yield frame.bgr if frame is not None and frame.time_s - first_s <= time_s + _SAME_S else None
    finally:
        video.close()


def picture_at(recording: Recording, place: int) -> Picture | None:
    """The picture of one frame, found by way of the key frame before it; None where there is none.

    The video is only decoded from there on, so that this is quick in long recordings.
    """
    if recording.video is None:
        return None
    address, options = f"file:{recording.video}", {"protocol_whitelist": "file"}
    with suppress(FFmpegError, OSError), av.open(address, options=options) as container:
        stream = best_video(container)
        if stream is None or stream.time_base is None:
            return None
        start = stream.start_time or 0
        wanted = start + round(float(recording.times_s[place]) / float(stream.time_base))
        container.seek(max(wanted, start), stream=stream, backward=True)
        converter, found = Converter(stream), None
        for count, frame in enumerate(container.decode(stream)):
            found = frame
            if count >= _MOST_SKIPPED or frame.pts is None:
                break
            if frame.pts + _SAME_S / float(stream.time_base) >= wanted:
                break
        return None if found is None else converter.bgr(found)
    return None


def _opened(path: Path | None) -> VideoFile | None:
    if path is None:
        return None
    try:
        return VideoFile(path)
    except SourceError:
        return None


def _person(recording: Recording, row: int, time_s: float, clips: Sequence[ClipRow]) -> PersonResult:
    who = int(recording.person[row])
    pose = Pose(recording.xy_px[row], recording.confidence[row], recording.layout, time_s, who)
    there = [clip for clip in clips if clip.person == who and clip.start_s <= time_s <= clip.end_s]
    action = there[0].action if there else None
    return PersonResult(pose, Decision(who, time_s, action or UNLABELLED, 0.0, time_s), fresh=False)
