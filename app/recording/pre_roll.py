"""What is kept in memory from before a take: the last seconds, their pictures as JPEG."""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recording.writer import RecordingWriter
from pose.types import Frame, Pose

_QUALITY = 92  # a second of 1080p is then about 15 MB


@dataclass(frozen=True, slots=True, eq=False)
class _StoredFrame:
    """jpeg: None where only skeletons are kept."""

    time_s: float
    size: tuple[int, int]
    jpeg: NDArray[np.uint8] | None
    poses: tuple[Pose, ...]


class PreRoll:
    """Frames with their poses, of one thread."""

    def __init__(self) -> None:
        self._kept: deque[_StoredFrame] = deque()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the last frame."""
        return self._kept[-1].size

    def add(self, frame: Frame, poses: tuple[Pose, ...], *, since_s: float, with_picture: bool) -> None:
        """Keep a frame; what is older than a time is forgotten."""
        jpeg = None
        if with_picture:
            _, packed = cv2.imencode(".jpg", frame.bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            jpeg = np.asarray(packed, np.uint8)
        self._kept.append(_StoredFrame(frame.time_s, frame.size, jpeg, poses))
        while self._kept and self._kept[0].time_s < since_s:
            self._kept.popleft()

    def length_s(self, size: tuple[int, int], until_s: float) -> float:
        """From the first frame of a size to a time; 0 where there is none."""
        return next((until_s - one.time_s for one in self._kept if one.size == size), 0.0)

    def write(self, writer: RecordingWriter) -> None:
        """Write the frames of the writer's size. Raises RecordingError."""
        for one in self._kept:
            if one.size == writer.info.size:
                picture = None if one.jpeg is None else np.asarray(cv2.imdecode(one.jpeg, cv2.IMREAD_COLOR), np.uint8)
                writer.add(one.time_s, picture, one.poses)

    @property
    def has_person(self) -> bool:
        """Whether anybody is in any of the frames."""
        return any(one.poses for one in self._kept)

    def after(self, time_s: float) -> "PreRoll":
        """The frames after a time, which later ones do not push out."""
        later = PreRoll()
        later._kept.extend(one for one in self._kept if one.time_s > time_s)
        return later

    def last(self, seconds: float) -> "PreRoll":
        """The frames of the last seconds, however many are kept; later ones do not push them out."""
        return self.after(self._kept[-1].time_s - seconds) if self._kept else PreRoll()

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


@dataclass(frozen=True, slots=True, eq=False)
class HeldSeconds:
    """The last seconds that were set aside. followed: whom they are of, None for whoever is in them longest."""

    frames: PreRoll
    followed: int | None
