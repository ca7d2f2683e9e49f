"""The last seconds as the panel needs them: small pictures, and moments that can be held for inspection."""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.results import PersonResult, Result
from recognizer.clips import Clip, Prediction
from recognizer.window import MAX_POSE_GAP_S

KEPT_S = 3.0  # longer than any shipped recognizer's clip
_WIDTH = 320


@dataclass(frozen=True, slots=True, eq=False)
class SmallFrame:
    """A picture of at most _WIDTH pixels across: bgr (h, w, 3) uint8. scale: of the frame's pixels to its own."""

    time_s: float
    bgr: NDArray[np.uint8]
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One person's newest clip, what the recognizer said of it, and the pictures it was made of."""

    person: int
    clip: Clip
    prediction: Prediction
    frames: tuple[SmallFrame, ...]

    def frame_at(self, time_s: float) -> SmallFrame | None:
        """The picture nearest to a time, which may be far from it."""
        return min(self.frames, key=lambda frame: abs(frame.time_s - time_s), default=None)


class Moments:
    """Keeps small pictures of the last KEPT_S seconds while the panel is open."""

    def __init__(self) -> None:
        self._frames: deque[SmallFrame] = deque()
        self.begin_window()

    @property
    def seen_s(self) -> float:
        """For how long the followed person has been seen without a gap."""
        return self._last_s - self._since_s

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self.begin_window()

    def begin_window(self) -> None:
        """The recognizer's windows are empty."""
        self._person: int | None = None
        self._since_s = self._last_s = 0.0

    def add(self, result: Result, person: PersonResult | None) -> None:
        """Take in a result, and whom the panel follows in it."""
        self._add_frame(result)
        if person is None:
            return
        time_s = result.frame.time_s
        if person.pose.person != self._person or not 0 <= time_s - self._last_s <= MAX_POSE_GAP_S:
            self._person, self._since_s = person.pose.person, time_s
        self._last_s = time_s

    def _add_frame(self, result: Result) -> None:
        time_s = result.frame.time_s
        if self._frames and time_s <= self._frames[-1].time_s:
            if time_s == self._frames[-1].time_s:
                return
            self.clear()  # another source, or a file that begins again
        self._frames.append(_small(result))
        while self._frames[0].time_s < time_s - KEPT_S:
            self._frames.popleft()

    def moment(self, person: PersonResult | None) -> Moment | None:
        """What there is to see of a person; None before the first prediction."""
        if person is None or person.clip is None or person.prediction is None:
            return None
        return Moment(person.pose.person, person.clip, person.prediction, tuple(self._frames))


def _small(result: Result) -> SmallFrame:
    width, height = result.frame.size
    scale = min(_WIDTH / width, 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(result.frame.bgr, size, interpolation=cv2.INTER_AREA) if scale < 1 else result.frame.bgr.copy()
    return SmallFrame(result.frame.time_s, np.ascontiguousarray(small), scale)
