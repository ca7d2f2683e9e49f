"""Whether poses follow each other fast enough to fill a window, and the line that says so where they do not."""

from collections import deque
from statistics import median

from app.results import Result
from recognizer.window import MAX_POSE_GAP_S

_STEPS = 5  # from result to result that are looked at
_FEW = 1  # of them that may be otherwise: a single stall says nothing, and a slow machine has its moments
_MIN_HZ = 1 / MAX_POSE_GAP_S


class Pace:
    """Looks at the newest results in which somebody is in view. slow: most of them are too far apart."""

    def __init__(self) -> None:
        self._steps: deque[tuple[float, int]] = deque(maxlen=_STEPS)  # seconds and frames between two results
        self._last: Result | None = None
        self.slow = False

    def add(self, result: Result) -> None:
        """Results in order of time."""
        if not result.persons:
            self._last = None
            return
        last, self._last = self._last, result
        if last is None or result.frame.time_s <= last.frame.time_s:
            return
        frame = result.frame
        self._steps.append((frame.time_s - last.frame.time_s, frame.index - last.frame.index))
        long = sum(seconds > MAX_POSE_GAP_S for seconds, _ in self._steps)
        if len(self._steps) == _STEPS and (long >= _STEPS - _FEW or long <= _FEW):
            self.slow = long > _FEW

    def line(self, *, live: bool, people: int) -> str:
        """What is wrong and what helps. live: the source is a camera or a stream; people: how many are followed."""
        rate = f"{1 / median(seconds for seconds, _ in self._steps):.1f}"
        if median(frames for _, frames in self._steps) > 1:  # pictures come, and most are skipped
            fewer = "follow one person, " if people > 1 else ""
            return (
                f"this machine processes {rate} poses per second; recognition needs at least {_MIN_HZ:.0f}: {fewer}"
                "close other programs, or use a faster machine"
            )
        helps = "give it more light, ask it for a smaller picture, or choose another" if live else "choose another"
        return f"the source gives {rate} pictures per second; recognition needs at least {_MIN_HZ:.0f}: {helps}"
