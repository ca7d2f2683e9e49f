"""What cameras and streams have in common: a thread of their own, since a device or a connection may block for ever.

A stream that is a file behind an address is not live: its pictures have their own times, and none is lost.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from pose.errors import ActionLensError, SourceError, SourceLost
from pose.source import SourceInfo
from pose.types import Frame

log = logging.getLogger(__name__)

Picture = tuple[NDArray[np.uint8], float]  # bgr and time.perf_counter() of its capture; its own time where not live
Pictures = Generator[Picture, None, None]

_WAITING = 4  # pictures between thread and reader; enough for a reader that is held up for a moment
_MIN_STEP_S = 0.001  # MediaPipe counts whole milliseconds, and its times must increase
_CLOSE_S = 0.8


class LiveSource:
    """Pictures that a thread produces, as a Source.

    produce(closing) opens the device when it is first asked for a picture, yields pictures, and releases the device
    when it is closed; it should end soon after `closing` is set. It runs on a daemon thread: one that hangs in a driver
    is left behind by close() and releases the device whenever the driver lets it go. (Releasing a device from another
    thread while it is being read crashes some drivers.)

    A reader that falls behind loses the oldest pictures, never the newest; where the source is not live, its thread
    waits for the reader. Frames are numbered as they are read.
    open_timeout_s: for the first picture to come. silence_s: longest wait for any later one.
    """

    def __init__(
        self, name: str, produce: Callable[[threading.Event], Pictures], *, open_timeout_s: float, silence_s: float
    ) -> None:
        self.fps: float | None = None  # set by produce() before its first picture, where known
        self.live = True  # the same
        self._produce = produce
        self._silence_s = silence_s
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._pictures: deque[Picture] = deque(maxlen=_WAITING)
        self._error: Exception | None = None
        self._done = False
        self._first_s = 0.0
        self._last_s = -1.0
        self._index = 0
        self.info = SourceInfo(name, live=True)
        self._thread = threading.Thread(target=self._run, name=f"read {name}", daemon=True)
        self._thread.start()
        try:
            self.info = self._opened(open_timeout_s)
        except BaseException:
            self._shut()
            raise

    def read(self) -> Frame | None:
        """The next frame; None once closed or at the end. Raises SourceLost when the source stops or falls silent."""
        with self._changed:
            if not self._changed.wait_for(self._has_news, self._silence_s):
                raise SourceLost(f"{self.info.name} has sent nothing for {self._silence_s:g} s: check its connection")
            if self._closing.is_set():
                return None
            if not self._pictures:
                self._raise_error()
                return None
            bgr, captured_s = self._pictures.popleft()
            self._changed.notify_all()
        return self._frame(bgr, captured_s)

    def close(self) -> None:
        """Stop reading; any thread, any number of times. Waits at most 0.8 s for the device to be released."""
        self._shut()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_S)

    def _shut(self) -> None:
        self._closing.set()
        with self._changed:
            self._pictures.clear()
            self._changed.notify_all()

    def _opened(self, timeout_s: float) -> SourceInfo:
        name = self.info.name
        with self._changed:
            if not self._changed.wait_for(self._has_news, timeout_s):
                raise SourceError(f"{name} gave no picture within {timeout_s:g} s: check that it works, then try again")
            if not self._pictures:
                self._raise_error()
                raise SourceError(f"{name} ended before its first picture: check that it is running")
            bgr, self._first_s = self._pictures[0]
        return SourceInfo(name, live=self.live, size=(bgr.shape[1], bgr.shape[0]), fps=self.fps)

    def _has_news(self) -> bool:
        return bool(self._pictures) or self._done or self._closing.is_set()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _frame(self, bgr: NDArray[np.uint8], captured_s: float) -> Frame:
        time_s = max(captured_s - self._first_s, self._last_s + _MIN_STEP_S, 0.0)
        if not self.live:
            captured_s = time.perf_counter()
        frame = Frame(bgr, time_s, captured_s, self._index)
        self._last_s = time_s
        self._index += 1
        return frame

    def _run(self) -> None:
        try:
            with closing(self._produce(self._closing)) as pictures:
                for picture in pictures:
                    if self._closing.is_set():
                        return
                    self._hand_on(picture)
        except ActionLensError as error:
            self._error = error
        except Exception as error:  # top of the thread: read() raises it where somebody sees it
            log.debug("reading %s failed", self.info.name, exc_info=True)
            self._error = error
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _hand_on(self, picture: Picture) -> None:
        with self._changed:
            if not self.live:
                self._changed.wait_for(lambda: len(self._pictures) < _WAITING or self._closing.is_set())
            self._pictures.append(picture)
            self._changed.notify_all()
