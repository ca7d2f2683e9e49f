"""What a recording looks like at a time: its poses from memory, its picture from the video, read on a job's thread."""

from bisect import bisect_right
from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.recording.folder import Recording

_WIDTH = 480
_MOST = 240  # pictures kept of a stretch; of a longer one fewer a second
_RATE = 15.0
_FILE_ONLY = {"protocol_whitelist": "file"}  # a video that names others, or a host, is not followed


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A recording and small pictures of a part of it. times_s, pictures: (h, w, 3) uint8 BGR; none without a video."""

    recording: Recording
    times_s: tuple[float, ...]
    pictures: tuple[NDArray[np.uint8], ...]

    def picture_at(self, time_s: float) -> NDArray[np.uint8] | None:
        """The picture that is shown at a time."""
        place = bisect_right(self.times_s, time_s + 1e-6) - 1
        return self.pictures[max(place, 0)] if self.pictures else None

    def poses_at(self, time_s: float) -> list[tuple[int, NDArray[np.float32], NDArray[np.float32]]]:
        """Identity, joints (V, 2) and confidence (V,) of everybody in the frame at a time."""
        found = self.recording
        frame = max(int(np.searchsorted(found.times_s, time_s + 1e-6)) - 1, 0)
        here = np.flatnonzero(found.frame == frame)
        return [(int(found.person[row]), found.xy_px[row], found.confidence[row]) for row in here]


def read_stretch(recording: Recording, start_s: float, end_s: float) -> Stretch:
    """Pictures of a part of the recording, as many as are looked at. A video that cannot be read gives none."""
    if recording.video is None:
        return Stretch(recording, (), ())
    step_s = max(1 / _RATE, (end_s - start_s) / _MOST)
    times: list[float] = []
    pictures: list[NDArray[np.uint8]] = []
    try:
        with av.open(f"file:{recording.video}", options=_FILE_ONLY) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            container.seek(max(round(start_s * 1e6), 0), backward=True)
            for frame in container.decode(stream):
                time_s = float(frame.time or 0.0)
                if time_s > end_s + step_s:
                    break
                if time_s >= start_s - step_s and (not times or time_s - times[-1] >= step_s * 0.9):
                    times.append(time_s)
                    pictures.append(_small(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)))
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return Stretch(recording, (), ())
    return Stretch(recording, tuple(times), tuple(pictures))


def _small(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = bgr.shape[:2]
    if width <= _WIDTH:
        return np.ascontiguousarray(bgr)
    size = (_WIDTH, max(round(height * _WIDTH / width), 1))
    return np.ascontiguousarray(np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8))
