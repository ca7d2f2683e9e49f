"""What files and streams have in common: which stream is the video, and decoded pictures made upright and BGR.

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
MAX_PIXELS = 8192 * 4352  # of a video: a decoder may keep 16 pictures
_MATRIX = struct.Struct("=9i")
_SLOWEST_FPS = 1 / 86400  # of a time-lapse
_FAST_FPS = 240
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
        self._rotation: int | None = None  # not asked yet: a picture that stands on its head has none
        self._matrix: bytes | None = None
        fits = stream.width * stream.height * _PLAUSIBLE[1] <= MAX_PIXELS
        self._aspect = _stretch(stream.sample_aspect_ratio) if fits else 1.0

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
    """The best video stream: what the file marks as its default, else the largest picture.

    Cover pictures of music and drawings of text are none. Pictures larger than 8K are not decoded.
    """
    from av.stream import Disposition

    if set(container.format.name.split(",")) & _NOT_VIDEO:
        return None
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        return None
    marked = [s for s in moving if s.disposition & Disposition.default]
    stream = max(marked if len(marked) == 1 else moving, key=_area)
    if stream.codec_context is None:
        return None
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def _area(stream: "VideoStream") -> int:
    return stream.width * stream.height if stream.codec_context is not None else -1


def rate(stream: "VideoStream") -> float | None:
    """Nominal frames a second, None where nothing sensible is known.

    The average is a mere default for streams without a container, and low for a file with gaps.
    """
    average, guessed = stream.average_rate, stream.guessed_rate
    if guessed is not None and average is not None and guessed > _FAST_FPS >= average:
        guessed = None  # the ticks of its clock
    for value in (guessed, average, stream.base_rate):
        if value is not None and _SLOWEST_FPS <= value <= 1000:
            return float(value)
    return None


def raw_time_s(frame: "VideoFrame") -> float | None:
    """Presentation time as the file has it, None where it is missing. AVI knows only the time of decoding."""
    ticks = frame.pts if frame.pts is not None else frame.dts
    return None if ticks is None or frame.time_base is None else float(ticks * frame.time_base)


def fitted(bgr: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture in another size (width, height), whole and undistorted, with black bars where the shapes differ."""
    height, width = bgr.shape[:2]
    if (width, height) == size:
        return bgr
    import cv2

    scale = min(size[0] / width, size[1] / height)
    inner = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    out = np.zeros((size[1], size[0], 3), np.uint8)
    resized = cv2.resize(bgr, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    out[top : top + inner[1], left : left + inner[0]] = resized
    return out


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
