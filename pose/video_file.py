"""Video files of any format that FFmpeg's libraries decode. PyAV is imported at the first use."""

import logging
import threading
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pose.decoder import best_video
from pose.errors import SourceError
from pose.source import SourceInfo
from pose.types import Frame
from pose.video_reader import VideoReader

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

_CLOSE_S = 0.9
_SHORT_S = 1.0  # a file that ends so long before its announced end is not complete

TimedPicture = tuple[NDArray[np.uint8], float]


class VideoFile:
    """A video file as a Source that is not live: read() decodes the next frame.

    Frames are upright (a phone's rotation is applied), their pixels square, and all of the size of the first. A file
    that is cut off or damaged in the middle gives all that can be decoded, then ends with one warning in the log.
    Raises SourceError at opening when there is nothing to see.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        self._reader = open_video(path)
        self._name = path.name
        self._lock = threading.Lock()  # PyAV must not close a container that is being read
        self._closed = False
        self._index = 0
        self._pictures = self._decode()
        self._pending: TimedPicture | None = None
        try:
            self._pending = next(self._pictures, None)
            if self._pending is None:
                raise SourceError(f"{path} has no frame that can be decoded: it is damaged or was not recorded fully")
        except BaseException:
            self._reader.close()
            raise
        fps, frames = self._reader.fps, self._reader.stream.frames or None
        self.info = SourceInfo(self._name, False, self._reader.size, fps, frames)

    def read(self) -> Frame | None:
        """The next frame; None at the end or once closed."""
        with self._lock:
            picture = None if self._closed else self._pending or next(self._pictures, None)
            self._pending = None
            if self._closed:
                self._release()
                return None
        if picture is None:
            return None
        bgr, time_s = picture
        self._index += 1
        return Frame(bgr, time_s, time.perf_counter(), self._index - 1)

    def close(self) -> None:
        """Close the file; any thread, any number of times. Waits at most 0.9 s for a frame that is being decoded."""
        self._closed = True
        if self._lock.acquire(timeout=_CLOSE_S):
            try:
                self._release()
            finally:
                self._lock.release()

    def _release(self) -> None:
        self._pictures.close()
        self._reader.close()

    def _decode(self) -> Generator[TimedPicture, None, None]:
        reader, count, time_s = self._reader, 0, 0.0
        for frame, time_s in reader.frames():
            count += 1
            yield reader.bgr(frame), time_s
        if count and (reader.errors or reader.missing_s > _SHORT_S):
            log.warning("%s is damaged or cut off: %d frames, %.1f s, could be played", self._name, count, time_s)


def open_video(path: Path | str) -> VideoReader:
    """Open a video file for reading from any time on. Raises SourceError where it holds no video."""
    path = Path(path)
    return VideoReader(lambda: _open_video(path))


def picture_at(path: Path | str, time_s: float) -> NDArray[np.uint8] | None:
    """The picture, (H, W, 3) uint8 BGR, that VideoFile shows at a time; None where there is none.

    Raises SourceError where the file holds no video.
    """
    reader = open_video(path)
    try:
        with closing(reader.frames_from(time_s)) as frames:
            found = next(frames, None)
            return None if found is None else reader.bgr(found[0])
    finally:
        reader.close()


def _open_video(path: Path) -> "tuple[InputContainer, VideoStream]":
    import av
    from av.error import FFmpegError

    _check_readable(path)
    container = None
    try:
        # "file:" keeps FFmpeg from taking a name for a protocol, the whitelist keeps a file from naming others, and
        # presentation times that FFmpeg makes up are wrong for AVI with B-frames.
        options = {"protocol_whitelist": "file", "fflags": "-genpts"}
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
        stream = best_video(container)
    except FFmpegError:
        raise SourceError(f"{path} is not a video that can be read, or it is damaged: choose another file") from None
    if stream is None:
        container.close()
        raise SourceError(f"{path} has no video in it: choose another file")
    return container, stream


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise SourceError(f"{path} is a folder: give a video file, or a folder of jpg or png pictures")
        if not path.exists():
            raise SourceError(f"{path} does not exist: check the name of the video file")
        if not path.is_file():
            raise SourceError(f"{path} is not a regular file: give a video file")
        if path.stat().st_size == 0:
            raise SourceError(f"{path} is empty: choose another video file")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"{path} cannot be opened ({why}): check its name and permissions") from None
