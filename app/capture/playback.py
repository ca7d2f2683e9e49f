"""A video file that is played: paused, stepped, looped, faster or slower, and from any place on. No Qt."""

import math
import threading
import time
from bisect import bisect_right
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pose.errors import SourceError
from pose.source import SourceInfo
from pose.types import Frame
from pose.video_file import open_video

if TYPE_CHECKING:
    from av import VideoFrame

    from pose.video_reader import VideoReader

SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0)
# The run's clock goes on by so much at a jump: longer than a person may be out of sight (recognizer.live.GONE_S), so
# that what was done before the jump ends there and nothing is taken for one motion across it.
JUMP_S = 1.5
_MAX_LATE_S = 0.25
_MAX_JUMPS = 64  # that are remembered: minutes of a run that loops, and events are told within seconds


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the file it is. at_s: of the newest picture. length_s: of the file; 0 while unknown."""

    at_s: float
    length_s: float


class PlayedVideo:
    """A video file as a Source at its own speed, which can be moved in from any thread.

    Frames carry the run's clock, which never goes back: file_s() says which place of the file a time of it was. Raises
    SourceError where there is nothing to see.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._reading = threading.Lock()  # PyAV must not close what is being read
        self._speed, self._loop, self._paused, self._closed = 1.0, False, False, False
        self._wanted_s: float | None = None  # to go to
        self._steps = 0  # pictures to show though it is paused
        self._at_s = 0.0
        self._index = 0
        self._newest_s = 0.0  # on the run's clock
        self._anchor: tuple[float, float] | None = None  # perf_counter() and the file's time then
        self._jumps: list[tuple[float, float]] = [(-math.inf, 0.0)]  # (from this time of the run on, its lead)
        self._reader: VideoReader = open_video(path)
        self._frames: Generator[tuple[VideoFrame, float]] = self._reader.frames_from(0.0)
        self._pending = next(self._frames, None)
        if self._pending is None:
            self._reader.close()
            raise SourceError(f"{path} has no frame that can be decoded: it is damaged or was not recorded fully")
        fps, frames = self._reader.fps, self._reader.stream.frames or None
        self._length_s = self._reader.announced_s or (frames / fps if frames and fps else 0.0)
        picture = self._reader.bgr(self._pending[0])
        self.info = SourceInfo(path.name, False, (picture.shape[1], picture.shape[0]), fps, frames)

    # Any thread.

    @property
    def position(self) -> Position:
        """The current position."""
        return Position(self._at_s, max(self._length_s, self._at_s))

    @property
    def speed(self) -> float:
        """The playback speed; 1 is the file's own."""
        return self._speed

    @property
    def loops(self) -> bool:
        """Whether it begins again at its end."""
        return self._loop

    def seek(self, time_s: float) -> None:
        """Go to a place of the file, also while paused."""
        with self._changed:
            self._wanted_s = max(0.0, time_s)
            self._steps = 1
            self._changed.notify_all()

    def step(self, pictures: int) -> None:
        """While paused: so many pictures on, or back."""
        with self._changed:
            if pictures < 0:
                self._wanted_s = max(0.0, self._at_s + (pictures + 0.5) / (self.info.fps or 25.0))
                pictures = 1
            self._steps += pictures
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Set the speed from now on."""
        with self._changed:
            self._speed, self._anchor = speed, None
            self._changed.notify_all()

    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or not."""
        self._loop = loop

    def pause(self) -> None:
        """Pause playback."""
        with self._changed:
            self._paused, self._steps = True, 0
            self._changed.notify_all()

    def resume(self) -> None:
        """Resume playback."""
        with self._changed:
            self._paused, self._anchor = False, None
            self._changed.notify_all()

    def file_s(self, run_s: float) -> float:
        """The place in the file of a time of the run."""
        jumps = self._jumps
        place = bisect_right(jumps, (run_s + 1e-6, math.inf)) - 1
        return max(0.0, run_s - jumps[max(place, 0)][1])

    def close(self) -> None:
        """Close the file. Any number of times."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._reading.acquire(timeout=0.9):
            try:
                self._release()
            finally:
                self._reading.release()

    # The reading thread.

    def read(self) -> Frame | None:
        """The next frame when it is due; None at the end or once closed."""
        while not self._closed:
            with self._changed:
                if self._paused and not self._steps:
                    self._changed.wait()
                    continue
                wanted_s, self._wanted_s = self._wanted_s, None
            with self._reading:
                if self._closed:
                    self._release()
                    return None
                if wanted_s is not None:
                    self._go_to(wanted_s)
                found = self._pending or next(self._frames, None)
                self._pending = None
                if found is None and (not self._loop or wanted_s == 0.0):  # nothing even at the beginning
                    return None
                if found is not None:
                    bgr, at_s = self._reader.bgr(found[0]), found[1]
            if found is None:
                self._begin_again()
            elif self._wait_until_due(at_s):
                return self._frame(bgr, at_s)
        return None

    def _begin_again(self) -> None:
        """Once the last picture has been shown for as long as the others."""
        if self._wait_until_due(self._at_s + 1 / (self.info.fps or 25.0), takes_step=False):
            with self._changed:
                if self._loop and self._wanted_s is None:
                    self._wanted_s = 0.0

    def _frame(self, bgr: NDArray[np.uint8], at_s: float) -> Frame:
        self._at_s = at_s
        lead_s = self._jumps[-1][1]
        self._newest_s = at_s + lead_s
        self._index += 1
        return Frame(bgr, self._newest_s, time.perf_counter(), self._index - 1)

    def _go_to(self, time_s: float) -> None:
        last_s = self._length_s - 0.5 / (self.info.fps or 25.0) if self._length_s else math.inf
        self._frames.close()
        self._reader.close()
        self._reader = open_video(self._path)
        self._frames = self._reader.frames_from(min(time_s, max(last_s, 0.0)))
        self._pending = next(self._frames, None)
        self._anchor = None
        if self._pending is not None:
            run_s = self._newest_s + JUMP_S
            self._jumps = [*self._jumps[1 - _MAX_JUMPS :], (run_s, run_s - self._pending[1])]

    def _wait_until_due(self, at_s: float, *, takes_step: bool = True) -> bool:
        """False where something else is wanted before. takes_step: a picture is shown then, which is a step."""
        with self._changed:
            while not self._closed:
                if self._wanted_s is not None:
                    return False
                if self._paused:
                    if self._steps:
                        self._steps -= takes_step
                        return True
                    self._changed.wait()
                    continue
                now_s = time.perf_counter()
                if self._anchor is None or now_s - self._due_s(at_s) > _MAX_LATE_S:
                    self._anchor = now_s, at_s
                    return True
                wait_s = self._due_s(at_s) - now_s
                if wait_s <= 0:
                    return True
                self._changed.wait(wait_s)
        return False

    def _due_s(self, at_s: float) -> float:
        started_s, from_s = self._anchor or (0.0, 0.0)
        return started_s + (at_s - from_s) / self._speed

    def _release(self) -> None:
        self._frames.close()
        self._reader.close()
