"""What a recording looks like at a time: its poses from memory, its picture from the video, read on a job's thread."""

from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recording.folder import Recording
from pose.errors import SourceError
from pose.video_file import open_video

_WIDTH = 480
_MAX_PICTURES = 1800  # pictures kept of a stretch, some 25 KB each; of a longer one fewer a second
_RATE = 30.0
_QUALITY = 90
_SAME_S = 0.002  # two clocks of one frame may differ by their rounding


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A recording and small pictures of a part of it. times_s, jpegs: of each picture; none without a video."""

    recording: Recording
    times_s: tuple[float, ...]
    jpegs: tuple[NDArray[np.uint8], ...]

    def picture_at(self, time_s: float) -> NDArray[np.uint8] | None:
        """The picture that is shown at a time, (h, w, 3) BGR."""
        if not self.jpegs:
            return None
        return np.asarray(cv2.imdecode(self.jpegs[self._place(time_s)], cv2.IMREAD_COLOR), np.uint8)

    def frame_time_at(self, time_s: float) -> float:
        """The time of the picture that is shown at a time, so that skeletons can be those of the picture."""
        return self.times_s[self._place(time_s)] if self.jpegs else time_s

    def poses_at(self, time_s: float) -> list[tuple[int, NDArray[np.float32], NDArray[np.float32]]]:
        """Identity, joints (V, 2) and confidence (V,) of everybody in the frame at a time."""
        found = self.recording
        frame = max(int(np.searchsorted(found.times_s, time_s + _SAME_S, side="right")) - 1, 0)
        here = np.flatnonzero(found.frame == frame)
        return [(int(found.person[row]), found.xy_px[row], found.confidence[row]) for row in here]

    def _place(self, time_s: float) -> int:
        return max(bisect_right(self.times_s, time_s + _SAME_S) - 1, 0)


def read_stretch(recording: Recording, start_s: float, end_s: float) -> Stretch:
    """Pictures of a part of the recording, as many as are looked at. A video that cannot be read gives none."""
    if recording.video is None:
        return Stretch(recording, (), ())
    start_s, end_s = max(start_s, 0.0), min(end_s, recording.info.duration_s)
    step_s = max(1 / _RATE, (end_s - start_s) / _MAX_PICTURES)
    times: list[float] = []
    jpegs: list[NDArray[np.uint8]] = []
    try:
        reader = open_video(recording.video)
    except SourceError:
        return Stretch(recording, (), ())
    try:
        with closing(reader.frames_from(start_s)) as frames:
            for frame, time_s in frames:
                if time_s > end_s + step_s:
                    break
                if not times or time_s - times[-1] >= step_s * 0.9:
                    times.append(time_s)
                    jpegs.append(_jpeg(reader.bgr(frame)))
    finally:
        reader.close()
    return Stretch(recording, tuple(times), tuple(jpegs))


def _jpeg(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = bgr.shape[:2]
    if width > _WIDTH:
        size = (_WIDTH, max(round(height * _WIDTH / width), 1))
        bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1], np.uint8)
