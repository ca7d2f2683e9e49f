"""Saves pictures as an H.264 MP4 with their true times, on a thread of its own."""

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.errors import OutputError
from app.plurals import counted

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]

SUFFIXES = (".mp4", ".m4v", ".mov")
_TIME_BASE = Fraction(1, 90_000)
_KEY_FRAME_EVERY_S = 1.0  # how far apart a player can start
_FRAGMENT_US = 500_000  # a killed process loses at most this and the frames in the queue
# While it is written the file is a chain of fragments, playable at any moment; closing it turns the chain into an
# ordinary MP4 with one index, in place (FFmpeg's hybrid_fragmented), so closing takes no time.
_CONTAINER = {"movflags": "hybrid_fragmented", "frag_duration": str(_FRAGMENT_US), "flush_packets": "1"}
_CODEC = {"preset": "veryfast", "tune": "zerolatency", "crf": "23"}  # zerolatency: no frame waits in the encoder
_QUEUE_BYTES = 32 << 20
_QUEUE_FRAMES = (2, 30)
_CLOSE_S = 10.0


class VideoWriter:
    """Writes PATH.partial.mp4 beside PATH and renames it when closed: an existing file is replaced only then.

    lossless: write() waits for room in the queue, for files that are worked through; otherwise a frame that finds
    the queue full is dropped and counted, so that a live run never waits for the disk or the encoder. It may be set
    between two calls of write(). Raises OutputError where the file cannot be made.
    """

    def __init__(
        self, path: Path, *, lossless: bool = False, open_file: Callable[[Path], BinaryIO] | None = None
    ) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise OutputError(f"cannot save to {path}: the video is an MP4, so give a name that ends in .mp4")
        if _is_folder(path):
            raise OutputError(f"cannot save to {path}: it is a folder; give the name of a file in it")
        self.path = path
        self.partial, file = _open_partial(path, open_file or _open_new)
        self._sink = _Sink(file)
        self._encoder = _Encoder(self._sink)
        self.lossless = lossless
        self._queue: deque[tuple[Picture, float]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._error: Exception | None = None
        self._reported = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that are not in the file: the queue was full, or writing has failed."""
        return self._dropped

    @property
    def note(self) -> str:
        """What a finished video lacks, in one line; "" where it lacks nothing, or a failure was reported already."""
        if self._error is not None or not self._dropped:
            return ""
        missing = counted(self._dropped, "frame")
        return f"{self.path} lacks {missing}: the computer was too slow to save every one"

    @property
    def written(self) -> int:
        """Frames encoded so far."""
        return self._encoder.frames

    def write(self, bgr: Picture, time_s: float) -> None:
        """Queue a (H, W, 3) picture that nobody changes any more; time_s only grows.

        After writing has failed (full disk) the next call raises OutputError, once; later ones only count the frame.
        """
        with self._changed:
            if self._error is None and self.lossless and not self._closing:
                self._changed.wait_for(lambda: self._has_room(bgr) or self._error is not None or self._closing)
            if self._error is None and not self._closing and self._has_room(bgr):
                self._queue.append((bgr, time_s))
                self._changed.notify_all()
                return
            self._dropped += 1
            failed = self._error if not self._reported else None
            self._reported = self._reported or failed is not None
        if failed is not None:
            raise self._failure(failed) from failed

    def close(self) -> None:
        """Write what is queued, finish the file and give it its name. Any number of times.

        Raises OutputError when that fails, or when an earlier failure has not been told yet.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)
        with self._changed:
            failed = self._error if not self._reported else None
            self._reported = True
        if self._thread.is_alive():
            raise OutputError(f"the disk does not answer: the video so far is in {self.partial}")
        if failed is not None:
            raise self._failure(failed) from failed

    def _has_room(self, bgr: Picture) -> bool:
        least, most = _QUEUE_FRAMES
        return len(self._queue) < min(max(_QUEUE_BYTES // max(bgr.nbytes, 1), least), most)

    def _failure(self, error: Exception) -> OutputError:
        kept = self.partial if self.partial.exists() else self.path
        saved_s = self._encoder.length_s
        what = f"the video so far (about {saved_s:.1f} s) is in {kept}" if kept.exists() else "nothing is saved"
        return OutputError(f"cannot continue saving the video: {_reason(error)}; {what}; make room and start again")

    # The writing thread.

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._encoder.encode(*item)
            self._encoder.finish()
            self._sink.close()
            if self._encoder.frames:
                os.replace(self.partial, self.path)
            else:
                self.partial.unlink(missing_ok=True)
        except Exception as error:  # top of the thread: a waiting write() must learn of it
            if not isinstance(error, OSError):
                log.exception("saving the video failed")
            self._abandon(error)

    def _next(self) -> tuple[Picture, float] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            item = self._queue.popleft() if self._queue else None
            self._changed.notify_all()
            return item

    def _abandon(self, error: Exception) -> None:
        """Keep the fragments that are whole; a file of the same name that was there before stays as it was."""
        self._sink.fail()
        try:
            self._encoder.discard()
            with contextlib.suppress(OSError):  # the file then stays as it is; the first error is the one to tell
                self._sink.close(cut=True)
                if self._encoder.frames and not self.path.exists():
                    os.replace(self.partial, self.path)
        finally:
            with self._changed:
                self._error = error
                self._dropped += len(self._queue)
                self._queue.clear()
                self._changed.notify_all()


class _Encoder:
    """Pictures to H.264 packets; the first picture sets the size of the video."""

    def __init__(self, sink: "_Sink") -> None:
        self._container: OutputContainer = av.open(sink, "w", format="mp4", options=_CONTAINER)
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._start_s = 0.0
        self._last_pts = -1
        self._next_key_pts = 0
        self.frames = 0

    @property
    def length_s(self) -> float:
        return max(self._last_pts, 0) * float(_TIME_BASE)

    def encode(self, bgr: Picture, time_s: float) -> None:
        if self._stream is None:
            self._stream = self._open_stream(bgr)
            self._start_s = time_s
        frame = av.VideoFrame.from_ndarray(_fitted(bgr, self._size), format="bgr24")
        frame.pts = max(round((time_s - self._start_s) / _TIME_BASE), self._last_pts + 1)
        frame.time_base = _TIME_BASE
        if frame.pts >= self._next_key_pts:
            frame.pict_type = av.video.frame.PictureType.I
            self._next_key_pts = frame.pts + round(_KEY_FRAME_EVERY_S / _TIME_BASE)
        self._last_pts = frame.pts
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def finish(self) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def discard(self) -> None:
        """Free the encoder; the sink takes nothing any more."""
        with contextlib.suppress(OSError, av.FFmpegError):
            self._container.close()

    def _open_stream(self, bgr: Picture) -> VideoStream:
        height, width = bgr.shape[:2]
        self._size = (width + width % 2, height + height % 2)  # 4:2:0 colour needs even sides
        stream = self._container.add_stream("libx264", rate=30, options=_CODEC)
        stream.width, stream.height, stream.pix_fmt = *self._size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.gop_size = 600  # key frames are set by time
        # Said outright, because players guess another matrix for large pictures than swscale uses.
        stream.codec_context.colorspace = av.video.reformatter.Colorspace.ITU601.value
        stream.codec_context.color_range = av.video.reformatter.ColorRange.MPEG.value
        return stream


class _Sink:
    """The file as FFmpeg writes to it: every byte goes to the system at once, or the sink fails for good.

    After a failure nothing is written any more: FFmpeg would otherwise patch the head of a file without its index.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._failed = False

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            if self._failed:
                raise OSError("writing has failed before")
            try:
                view = view[self._file.write(view) :]
            except OSError:
                self._failed = True
                raise
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fail(self) -> None:
        self._failed = True

    def close(self, *, cut: bool = False) -> None:
        """cut removes what follows the last whole fragment. Any number of times."""
        if self._file.closed:
            return
        if cut and self._file.seekable():
            self._file.truncate(_whole_fragments(self._file))
        self._file.close()


def cut_to_whole_fragments(path: Path) -> None:
    """Take off what a killed process has left of a fragment. Raises OSError."""
    with path.open("rb+") as file:
        file.truncate(_whole_fragments(file))


def _whole_fragments(file: BinaryIO) -> int:
    """Length of the file up to the end of its last complete `mdat`: boxes are a 4-byte length and a 4-byte name."""
    end = file.seek(0, os.SEEK_END)
    position = whole = 0
    while position + 8 <= end:
        file.seek(position)
        head = file.read(8)
        size = int.from_bytes(head[:4], "big")
        if size < 8:  # no box of this writer is that short, and none is 64-bit before the end
            break
        position += size
        if position <= end and head[4:] in (b"mdat", b"moov"):
            whole = position
    return whole


def _fitted(bgr: Picture, size: tuple[int, int]) -> Picture:
    """The picture in the video's size: an odd side doubles its last line, another size is letterboxed."""
    height, width = bgr.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(bgr)
    if (width + width % 2, height + height % 2) == size:
        return _bordered(bgr, (0, size[1] - height, 0, size[0] - width), cv2.BORDER_REPLICATE)
    scale = min(size[0] / width, size[1] / height)
    inner = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    resized = cv2.resize(bgr, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return _bordered(resized, (top, size[1] - inner[1] - top, left, size[0] - inner[0] - left), cv2.BORDER_CONSTANT)


def _bordered(bgr: cv2.typing.MatLike, sides: tuple[int, int, int, int], kind: int) -> Picture:
    return cv2.copyMakeBorder(bgr, *sides, kind).astype(np.uint8, copy=False)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise OutputError(f"cannot save to {path}: {_reason(error)}; choose another place") from None


def _open_new(path: Path) -> BinaryIO:
    return open(path, "xb+", buffering=0)  # unbuffered: nothing is lost with a killed process


def _open_partial(path: Path, open_file: Callable[[Path], BinaryIO]) -> tuple[Path, BinaryIO]:
    """A new file beside path; what an earlier, killed run left there is kept."""
    for number in range(1, 1000):
        partial = path.with_name(f"{path.stem}.partial{'' if number == 1 else f'-{number}'}{path.suffix}")
        try:
            return partial, open_file(partial)
        except FileExistsError:
            continue
        except FileNotFoundError:
            raise OutputError(f"cannot save to {path}: there is no folder {path.parent}; make it first") from None
        except OSError as error:
            raise OutputError(f"cannot save to {path}: {_reason(error)}; choose another place") from None
    raise OutputError(f"cannot save to {path}: remove the many {path.stem}.partial files beside it")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
