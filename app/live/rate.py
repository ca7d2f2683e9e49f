"""In how many of a source's frames poses are found: all, or one of two, three, ... where there is no time for more."""

import math
import threading
from collections import deque
from statistics import median

from recognizer.window import MAX_POSE_GAP_S

_KEPT = 256  # bounds the memory whatever the camera's rate
_SPAN_S = 2.0  # that is looked at before the rate is changed
_LEAST = 8  # frames of it
_TOO_MUCH = 1.1  # work for the time that there is; what is a little more costs a single frame now and then
_FULL = 1.05  # times the time that there is may be needed at a new rate
_ROOM = 0.9  # of the time is all that may be needed at a higher rate
_STALL = 3.0  # times the usual: longer is no work but something else that held the computer up
_PATIENCE_S = (4.0, 60.0)  # before a higher rate is tried, and the most after trials that failed
_HELD_S = 15.0  # a higher rate that held so long has not failed


class PoseRate:
    """Leaves out frames evenly, so that the steps from pose to pose are equal where not all can be had.

    Without it the newest frame is taken whenever there is time: at 1.4 frames' work for each, steps of one and of two
    frames take turns. wants() is called on the capture thread, took() on the inference thread.
    """

    def __init__(self, people: int = 1) -> None:
        """people: how many are followed, for the line."""
        self.line = ""  # what the user is told; "" where every frame is taken
        self._people = people
        self._stride = 1  # one of so many frames is taken
        self._left_out = 0
        self._captured_s: deque[float] = deque(maxlen=_KEPT)
        self._work: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # when, on the capture clock, and how long
        self._changed_s = -math.inf
        self._raised_s = -math.inf
        self._patience_s = _PATIENCE_S[0]
        self._lock = threading.Lock()

    def wants(self, captured_s: float) -> bool:
        """Whether to find poses in the next frame, captured at that time in seconds."""
        with self._lock:
            if self._captured_s and captured_s - self._captured_s[-1] > MAX_POSE_GAP_S:
                self._captured_s.clear()  # a pause, or a camera that was lost
            self._captured_s.append(captured_s)
            while len(self._captured_s) > _LEAST and captured_s - self._captured_s[0] > _SPAN_S:
                self._captured_s.popleft()
            self._left_out = (self._left_out + 1) % self._stride
            return self._left_out == 0

    def took(self, work_s: float) -> None:
        """A frame was worked on for so many seconds, in which no other could be begun."""
        with self._lock:
            step_s = self._step_s()
            if step_s is None:
                return
            now_s = self._captured_s[-1]
            if self._changed_s == -math.inf:
                self._changed_s = now_s
            self._work.append((now_s, work_s))
            since_s = now_s - self._changed_s
            if since_s < _SPAN_S or len(self._work) < _LEAST:
                return
            needed = self._usual_s(now_s) / step_s  # frames' time for the work on one
            if needed > _TOO_MUCH * self._stride:
                self._change(math.ceil(needed / _FULL), step_s, now_s)
            elif needed < _ROOM * (self._stride - 1) and since_s > self._patience_s:
                self._change(math.ceil(needed / _ROOM), step_s, now_s)

    def _step_s(self) -> float | None:
        """From frame to frame of the source; None where too few have come."""
        times_s = self._captured_s
        if len(times_s) < _LEAST or times_s[-1] <= times_s[0]:
            return None
        return (times_s[-1] - times_s[0]) / (len(times_s) - 1)

    def _usual_s(self, now_s: float) -> float:
        """Mean work on a frame of late, in which a stall counts for little."""
        recent = sum(now_s - when_s <= _SPAN_S for when_s, _ in self._work)
        newest = [work_s for _, work_s in self._work][-max(recent, _LEAST) :]
        most_s = _STALL * median(newest)
        return sum(min(work_s, most_s) for work_s in newest) / len(newest)

    def _change(self, stride: int, step_s: float, now_s: float) -> None:
        """Take one of so many frames; never so few that no window could be filled by this alone."""
        stride = max(1, min(stride, math.floor(MAX_POSE_GAP_S / step_s)))
        if stride == self._stride:
            return
        if stride < self._stride:
            self._raised_s = now_s
        else:
            failed = now_s - self._raised_s < _HELD_S
            self._patience_s = min(2 * self._patience_s, _PATIENCE_S[1]) if failed else _PATIENCE_S[0]
        self._stride, self._left_out, self._changed_s = stride, 0, now_s
        self._work.clear()
        who = f"{self._people} people" if self._people > 1 else "1 person"
        rate = f"{1 / (stride * step_s):.1f}".removesuffix(".0")
        self.line = f"{who}: poses at {rate} a second, this computer's limit" if stride > 1 else ""
