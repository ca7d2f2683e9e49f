"""What files and streams have in common: decoded pictures made upright and BGR, and presentation times made sound.

PyAV is imported at the first use.
"""

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_NOT_VIDEO = {"tty", "lavfi", "concat", "sdp"}  # text that FFmpeg draws, and lists of other sources
_MATRIX = struct.Struct("=9i")
_SQUARE = (0.99, 1.01)
_PLAUSIBLE = (0.2, 5.0)


class Converter:
    """Decoded pictures of one stream as contiguous (H, W, 3) uint8 BGR, upright and with square pixels.

    The display matrix of a phone's recording turns or mirrors the picture; the sample aspect ratio stretches it, so
    that a person has the same proportions in every file.
    """

    def __init__(self, stream: "VideoStream") -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()  # keeps its tables between frames
        self._rotation = 0
        self._matrix: bytes | None = None
        self._aspect = _stretch(stream.sample_aspect_ratio)

    def bgr(self, frame: "VideoFrame") -> NDArray[np.uint8]:
        """The picture of a frame, in memory of its own."""
        width, height = frame.width, frame.height
        if self._aspect > 1:
            width = 2 * round(width * self._aspect / 2)  # FFmpeg is slow with odd sizes
        elif self._aspect < 1:
            height = 2 * round(height / self._aspect / 2)
        # One thread: starting more costs more than they save, and the pose model needs the cores.
        converted = self._reformatter.reformat(frame, width=width, height=height, format="bgr24", threads=1)
        picture = np.ascontiguousarray(converted.to_ndarray(), dtype=np.uint8)
        if frame.rotation != self._rotation:
            self._rotation = frame.rotation
            self._matrix = _display_matrix(frame)
        return picture if self._matrix is None else _upright(picture, self._matrix)


def best_video(container: "InputContainer") -> "VideoStream | None":
    """The best video stream; cover pictures of music and drawings of text are none."""
    from av.stream import Disposition

    if set(container.format.name.split(",")) & _NOT_VIDEO:
        return None
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    stream = next((s for s in moving if best is not None and s.index == best.index), moving[0] if moving else None)
    return stream if stream is not None and stream.codec_context is not None else None


def rate(stream: "VideoStream") -> float | None:
    """Nominal frames a second, None where nothing sensible is known."""
    for value in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if value is not None and 0.1 <= value <= 1000:
            return float(value)
    return None


def raw_time_s(frame: "VideoFrame") -> float | None:
    """Presentation time as the file has it, None where it is missing. AVI knows only the time of decoding."""
    ticks = frame.pts if frame.pts is not None else frame.dts
    return None if ticks is None or frame.time_base is None else float(ticks * frame.time_base)


class PresentationClock:
    """Presentation times that start at 0 and strictly increase, repaired from the rate where a file's are broken.

    A time that is missing or repeated is guessed from the one before. One that goes back a little (frames in the wrong
    order) is set just after the one before. A jump back, or far ahead, is joined on without a gap.
    """

    _BACK_S = 1.0
    _AHEAD_S = 10.0

    def __init__(self, fps: float) -> None:
        self._step_s = 1.0 / fps
        self._offset_s: float | None = None
        self._raw_s: float | None = None
        self._last_s = -self._step_s

    def at(self, raw_s: float | None) -> float:
        """The time of the next frame, from what the file says of it."""
        guess_s = self._last_s + self._step_s
        self._last_s = guess_s if raw_s is None or raw_s == self._raw_s else self._placed(raw_s, guess_s)
        return self._last_s

    def _placed(self, raw_s: float, guess_s: float) -> float:
        self._raw_s = raw_s
        if self._offset_s is None:
            self._offset_s = guess_s - raw_s
        time_s = raw_s + self._offset_s
        if not self._last_s - self._BACK_S <= time_s <= self._last_s + self._AHEAD_S:
            self._offset_s = guess_s - raw_s
            return guess_s
        return time_s if time_s > self._last_s else self._last_s + 0.1 * self._step_s


def _display_matrix(frame: "VideoFrame") -> bytes | None:
    """Asked seldom: PyAV's side data and their frame refer to each other, so that frame waits for the collector."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if matrix is None else bytes(matrix)


def _stretch(ratio: Fraction | None) -> float:
    """Width of a pixel over its height; 1 where it is square, unknown or absurd."""
    value = float(ratio or 1)
    return 1.0 if _SQUARE[0] < value < _SQUARE[1] or not _PLAUSIBLE[0] < value < _PLAUSIBLE[1] else value


def _upright(picture: NDArray[np.uint8], matrix: bytes) -> NDArray[np.uint8]:
    """Apply a display matrix (ISO/IEC 14496-12, 8.3.2): x' = a x + c y, y' = b x + d y, to the nearest right angle."""
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix)
    if abs(b) > abs(a):
        picture, a, d = picture.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])
