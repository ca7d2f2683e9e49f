"""In how many of a source's frames poses are found: all, or an even share of them where there is no time for more."""

import math
import threading
from collections import deque
from fractions import Fraction
from statistics import median

from recognizer.window import MAX_POSE_GAP_S

_KEPT = 256  # bounds the memory whatever the camera's rate
_SPAN_S = 2.0  # that is looked at, and how long another rate must have been the right one before it is taken
_MIN_FRAMES = 8  # frames of it
_TOO_MUCH = 1.1  # work for the time that there is; what is a little more costs a single frame now and then
_ROOM = 0.9  # of the time is all that may be needed at a higher rate, so that it holds
_FEW_LOST = 0.08  # for each frame that was worked on: two in a second at 25
_STALL = 3.0  # times the usual: longer is no work but something else that held the computer up
_RETRY_WAIT_S = (4.0, 60.0)  # before a higher rate is tried, and the most after trials that failed
_HELD_S = 15.0  # a higher rate that held so long has not failed
# Parts of the frames that are taken: k of n with small n, so that the pattern repeats soon, and one of many.
_FINE, _COARSE = 6, 60
_SHARES = sorted(
    {Fraction(k, n) for n in range(1, _FINE + 1) for k in range(1, n + 1)}
    | {Fraction(1, n) for n in range(1, _COARSE + 1)},
    reverse=True,
)


class PoseRate:
    """Takes k of n frames, spread evenly: the highest share that the computer keeps up with.

    Without it the newest frame is taken whenever there is time, and most frames wait for the one before. wants() is
    called on the capture thread, took() on the inference thread.

    With three of four frames the steps are 1, 1 and 2 frames; none is longer than ceil(n / k). That is no harm: filters
    and followers count in seconds, and the window draws a curve through the poses at the times at which they were
    captured and reads it at even times (recognizer.window). So a clip is at least as true as with one of ceil(n / k)
    frames, where all steps are as long as the longest ones here.
    """

    def __init__(self, people: int = 1) -> None:
        """people: how many are followed, for the line."""
        self.line = ""  # what the user is told; "" where every frame is taken
        self._people = people
        self._share = Fraction(1)  # of the frames that are taken
        self._due = 0  # of the share's denominator; a frame is taken each time that it is full
        self._captured_s: deque[float] = deque(maxlen=_KEPT)
        self._work: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # when, on the capture clock, and how long
        self._wanted = 0  # frames since the last one that was worked on
        self._lost: deque[int] = deque(maxlen=_KEPT)  # for each of _work, wanted frames that nobody had time for
        self._changed_s = math.inf
        self._right_s = math.inf  # the last time at which the share was the right one
        self._raised_s = -math.inf
        self._retry_wait_s = _RETRY_WAIT_S[0]
        self._lock = threading.Lock()

    def wants(self, captured_s: float) -> bool:
        """Whether to find poses in the next frame, captured at that time in seconds."""
        with self._lock:
            if self._captured_s and captured_s - self._captured_s[-1] > MAX_POSE_GAP_S:
                self._captured_s.clear()  # a pause, or a camera that was lost
            self._captured_s.append(captured_s)
            while len(self._captured_s) > _MIN_FRAMES and captured_s - self._captured_s[0] > _SPAN_S:
                self._captured_s.popleft()
            # As Bresenham draws a line: the steps differ by one frame at most.
            self._due += self._share.numerator
            is_full = self._due >= self._share.denominator
            self._due %= self._share.denominator
            self._wanted += is_full
            return is_full

    def took(self, work_s: float) -> None:
        """A frame was worked on for so many seconds, in which no other could be begun."""
        with self._lock:
            # One that waits already is counted before its turn, and not after it (-1); a stall is one frame.
            lost, self._wanted = max(min(self._wanted - 1, 1), -1), 0
            step_s = self._step_s()
            if step_s is None:
                return
            now_s = self._captured_s[-1]
            self._work.append((now_s, work_s))
            self._lost.append(lost)
            if len(self._work) < _MIN_FRAMES:
                return
            # Frames' time for one: of the work alone, and of all that comes between, as the frames that are lost tell.
            needed = max(self._usual_s(now_s) / step_s, self._loss(now_s) / float(self._share))
            right = self._right_share(needed, step_s)
            self._changed_s = min(self._changed_s, now_s)
            self._right_s = now_s if right == self._share else min(self._right_s, now_s)
            waits = right > self._share and now_s - self._changed_s < self._retry_wait_s
            if now_s - self._right_s >= _SPAN_S and not waits:
                self._change(right, step_s, now_s)

    def _right_share(self, needed: float, step_s: float) -> Fraction:
        """The one that is taken, unless it is too much, or there is room for a higher one."""
        if needed * self._share > _TOO_MUCH:
            return _highest_share(1 / needed, step_s)
        return max(self._share, _highest_share(_ROOM / needed, step_s))

    def _step_s(self) -> float | None:
        """Seconds between frames of the source; None before enough have come."""
        times_s = self._captured_s
        if len(times_s) < _MIN_FRAMES or times_s[-1] <= times_s[0]:
            return None
        return (times_s[-1] - times_s[0]) / (len(times_s) - 1)

    def _usual_s(self, now_s: float) -> float:
        """Mean work on a frame of late, in which a stall counts for little."""
        recent = sum(now_s - when_s <= _SPAN_S for when_s, _ in self._work)
        newest = [work_s for _, work_s in self._work][-max(recent, _MIN_FRAMES) :]
        most_s = _STALL * median(newest)
        return sum(min(work_s, most_s) for work_s in newest) / len(newest)

    def _loss(self, now_s: float) -> float:
        """Of late: frames that were wanted, for each one that was worked on; 0 where next to none was lost."""
        recent = max(sum(now_s - when_s <= _SPAN_S for when_s, _ in self._work), _MIN_FRAMES)
        done = min(recent, len(self._lost))
        lost = sum(list(self._lost)[-done:])
        return 1 + lost / done if lost > _FEW_LOST * done else 0.0

    def _change(self, share: Fraction, step_s: float, now_s: float) -> None:
        if share > self._share:
            self._raised_s = now_s
        else:
            failed = now_s - self._raised_s < _HELD_S
            self._retry_wait_s = min(2 * self._retry_wait_s, _RETRY_WAIT_S[1]) if failed else _RETRY_WAIT_S[0]
        self._share, self._due, self._changed_s, self._right_s = share, 0, now_s, math.inf
        self._work.clear()
        self._lost.clear()
        self.line = self._status_line(step_s) if share < 1 else ""

    def _status_line(self, step_s: float) -> str:
        who = f"{self._people} people" if self._people > 1 else "1 person"
        some = f"{self._share / step_s:.1f}".removesuffix(".0")
        return f"{who}: poses in {some} of {1 / step_s:.0f} frames a second, this computer's limit"


def _highest_share(most: float, step_s: float) -> Fraction:
    """That is not above `most`; but never so low that no window could be filled by this alone."""
    lowest = Fraction(1, max(math.floor(MAX_POSE_GAP_S / step_s), 1))
    return max(next((share for share in _SHARES if share <= most), lowest), lowest)
