"""Pictures in a folder as a video. OpenCV is imported at the first use."""

import logging
import re
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.decoder import fitted
from pose.errors import SourceError
from pose.folders import is_leftover, natural_key
from pose.source import SourceInfo
from pose.types import Frame

log = logging.getLogger(__name__)

_USUAL_FPS = 30.0
_IMAGES = {".jpg", ".jpeg", ".png"}
_NUMBER = re.compile(r"%(0?\d{0,2})d")

TimedPicture = tuple[NDArray[np.uint8], float]


class ImageFolder:
    """The jpg and png pictures of a folder as a video of 30 frames a second, all of the size of the first.

    They come in natural order: 1, 2, 10. path: a folder, or a pattern for the names in it, as in walk/%04d.png. A
    picture that cannot be decoded leaves a gap in time; the first one is logged.
    """

    def __init__(self, path: Path | str, fps: float = _USUAL_FPS) -> None:
        path = Path(path)
        folder, fits = (path.parent, _matcher(path.name)) if is_pattern(path) else (path, re.compile(".*"))
        try:
            found = [p for p in folder.iterdir() if p.suffix.lower() in _IMAGES and fits.fullmatch(p.name)]
            self._paths = sorted((p for p in found if _is_picture(p)), key=lambda p: natural_key(Path(p.name)))
        except OSError as error:
            raise SourceError(f"{path} cannot be opened ({error.strerror}): check its name and permissions") from None
        if not self._paths:
            raise SourceError(f"{path} has no pictures: give a video file, or a folder of jpg or png pictures")
        self._fps = fps
        self._next = 0
        self._index = 0
        self._warned = False
        self._closed = False
        self._size: tuple[int, int] | None = None
        self._pending = self._decode()
        if self._pending is None:
            raise SourceError(f"{path} has no picture that can be decoded: choose another folder")
        name = path.name or str(path)
        self.info = SourceInfo(name, False, self._size, fps, len(self._paths))

    def read(self) -> Frame | None:
        """The next picture; None at the end or once closed."""
        picture, self._pending = self._pending or self._decode(), None
        if picture is None or self._closed:
            return None
        self._index += 1
        return Frame(picture[0], picture[1], time.perf_counter(), self._index - 1)

    def close(self) -> None:
        """Let nothing more be read."""
        self._closed = True

    def _decode(self) -> TimedPicture | None:
        import cv2

        while self._next < len(self._paths) and not self._closed:
            path = self._paths[self._next]
            self._next += 1
            try:
                bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            except (OSError, cv2.error):
                bgr = None
            if bgr is not None:
                picture = np.ascontiguousarray(bgr, dtype=np.uint8)
                self._size = self._size or (picture.shape[1], picture.shape[0])
                return fitted(picture, self._size), (self._next - 1) / self._fps
            if not self._warned:
                log.warning("%s cannot be decoded and is left out, like any other such picture", path.name)
                self._warned = True
        return None


def is_pattern(path: Path) -> bool:
    """Whether a path stands for numbered pictures, as walk/%04d.png does."""
    return _NUMBER.search(path.name) is not None and path.suffix.lower() in _IMAGES and not path.exists()


def _matcher(pattern: str) -> re.Pattern[str]:
    """What FFmpeg's pattern means: %d any number, %04d one of at least four digits."""
    fixed = [re.escape(piece) for piece in _NUMBER.split(pattern)[::2]]
    digits = [f"\\d{{{int(width or 1)},}}" for width in _NUMBER.findall(pattern)]
    return re.compile("".join(piece for pair in zip(fixed, [*digits, ""], strict=True) for piece in pair))


def _is_picture(path: Path) -> bool:
    return not is_leftover(Path(path.name)) and not path.name.startswith(".") and path.is_file()
