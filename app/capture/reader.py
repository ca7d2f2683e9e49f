"""The source's side of a run: opens it, reads it, watches it, and opens it again when a live one is lost."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.capture.latest import Latest
from app.live.stats import Stats
from app.results import Failure
from pose.address import redacted
from pose.arguments import error_line
from pose.camera import OPEN_TIMEOUT_S
from pose.errors import ActionLensError, SourceError, SourceLost
from pose.source import Source, SourceInfo
from pose.types import Frame

log = logging.getLogger(__name__)

_MAX_STUCK = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a run is. Tests make it short.

    open_s: for a source to open and, when it is live, to give its first frame; cameras and streams give up before, and
    say why. stall_s: longest silence of a live source. retry_s: waits before each attempt to open a lost source again;
    the last one repeats.
    """

    open_s: float = OPEN_TIMEOUT_S + 2.0
    stall_s: float = 2.0
    retry_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)


class Reader:
    """One opening of a source, read on a thread of its own, so that a stuck driver can be left behind.

    The thread is a daemon: a read that never returns must not keep the process alive.
    """

    def __init__(self, open_source: Callable[[], Source], capture: "Capture") -> None:
        self.source: Source | None = None
        self.error: Exception | None = None
        self.delivered = 0
        self.done = False
        self.abandoned = False
        self.last_frame_s = 0.0  # time.perf_counter(); 0 before the first
        self._open_source = open_source
        self._capture = capture
        self.thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def _run(self) -> None:
        try:
            self.source = self._open_source()
            self._read(self.source)
        except ActionLensError as error:
            self.error = error
        except Exception as error:
            log.exception("capture failed")
            self.error = error
        finally:
            if self.source is not None:
                self.source.close()
            self.done = True
            self._capture.changed.set()

    def _read(self, source: Source) -> None:
        if self.abandoned or not self._capture.prepare(source):
            return
        while not self.abandoned:
            frame = source.read()
            if frame is None or self.abandoned:
                return
            self.last_frame_s = time.perf_counter()
            if not self._capture.deliver(frame, first=self.delivered == 0):
                return
            self.delivered += 1

    def close(self) -> None:
        """Release the source and let the thread end; any thread, any number of times."""
        self.abandoned = True
        if self.source is not None:
            self.source.close()


class Capture:
    """Gives the frames of a source to `frames`, with one increasing clock however often the source is opened.

    lossless: a source that is not live waits for each frame to be taken; a live one never waits.
    on_failure: told of each loss (retry_in_s set) and of what ends the run. on_recovered: frames come again.
    wants: asked for each frame of a source that does not wait whether it is to be given.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        stats: Stats,
        *,
        lossless: bool,
        on_failure: Callable[[Failure], None],
        on_recovered: Callable[[], None],
        wants: Callable[[Frame], bool] = lambda frame: True,
        timing: Timing | None = None,
    ) -> None:
        self.frames: Latest[Frame] | None = None  # made when the source is open and known to be live or not
        self.source: SourceInfo | None = None
        self.lost = False
        self._open_source = open_source
        self._stats = stats
        self._lossless = lossless
        self._on_failure = on_failure
        self._on_recovered = on_recovered
        self._wants = wants
        self._skipped = 0
        self._timing = timing or Timing()
        self._consumer_ready = threading.Event()
        self._stop = threading.Event()
        self.changed = threading.Event()
        self._opened = threading.Event()
        self._pausing = threading.Condition()
        self._paused = False
        self._steps = False
        self._readers: list[Reader] = []
        self._time_offset_s = 0.0
        self._index_offset = 0
        self._last: Frame | None = None
        self.thread = threading.Thread(target=self._run, name="capture-watch", daemon=True)

    @property
    def dropped(self) -> int:
        """Frames that nobody got: overwritten by newer ones, or not wanted."""
        return self._skipped + (self.frames.dropped if self.frames is not None else 0)

    @property
    def has_delivered(self) -> bool:
        """True once a frame has come."""
        return self._last is not None

    def ready(self) -> None:
        """The consumer can take frames. Until then a live source's frames are thrown away and a file waits."""
        self._consumer_ready.set()

    def opened(self, timeout_s: float | None = None) -> bool:
        """Wait until the first opening has succeeded, failed or been stopped; `frames` is None unless it succeeded."""
        return self._opened.wait(timeout_s)

    @property
    def opened_source(self) -> Source | None:
        """What is read now; None before it is open."""
        return self._readers[-1].source if self._readers else None

    def pause(self, paused: bool) -> None:
        """Pause or resume: a file stops; a live source is still read, and its frames are dropped."""
        with self._pausing:
            self._paused = paused
            self._pausing.notify_all()
        self._pause_source(paused)

    def stop(self) -> None:
        """Ask everything to end and release the source, from any thread; join() waits for it."""
        self._stop.set()
        self._consumer_ready.set()
        with self._pausing:
            self._pausing.notify_all()
        self.changed.set()
        if self.frames is not None:
            self.frames.close()
        for reader in self._readers:
            reader.close()

    def join(self, timeout_s: float) -> bool:
        """True when every thread has ended in time; one that is stuck in a driver is left behind as a daemon."""
        deadline = time.perf_counter() + timeout_s
        threads = [self.thread, *(reader.thread for reader in self._readers)]
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.perf_counter()))
        return not any(thread.is_alive() for thread in threads)

    # The watching thread.

    def _run(self) -> None:
        try:
            self._supervise()
        except Exception as error:
            log.exception("watching the source failed")
            self._on_failure(Failure("internal", redacted(f"{type(error).__name__}: {error}")))
        finally:
            self._opened.set()
            if self.frames is not None:
                self.frames.close()

    def _supervise(self) -> None:
        attempt = 0
        while not self._stop.is_set():
            reader = Reader(self._open_source, self)
            self._readers = [r for r in self._readers if r.thread.is_alive()] + [reader]
            reader.thread.start()
            error = self._watch(reader)
            if self._stop.is_set() or (error is None and self._last is not None):
                return
            if error is None:
                error = SourceError(f"{self._name()} ended before its first frame: choose another source")
            if not self._can_retry(error):
                self._on_failure(_failure(error))
                return
            attempt = 0 if reader.delivered else attempt + 1
            delay_s = self._timing.retry_s[min(attempt, len(self._timing.retry_s) - 1)]
            self.lost = True
            self._on_failure(_failure(error, retry_in_s=delay_s))
            self._stop.wait(delay_s)
            self._wait_for_stuck_readers()

    def _wait_for_stuck_readers(self) -> None:
        """Bounds how many threads a driver can swallow."""
        while sum(r.thread.is_alive() for r in self._readers) >= _MAX_STUCK and not self._stop.wait(0.25):
            pass

    def _can_retry(self, error: Exception) -> bool:
        return (
            isinstance(error, ActionLensError)
            and self.source is not None
            and self.source.live
            and self._last is not None
        )

    def _name(self) -> str:
        return self.source.name if self.source else "the source"

    def _watch(self, reader: Reader) -> Exception | None:
        """Wait for the end of a reader; what went wrong, or None at the end of the stream or of the run."""
        began_s = time.perf_counter()
        while not self._stop.is_set():
            self.changed.clear()
            if reader.done:
                return reader.error
            silent = self._silence(reader, began_s)
            if silent is not None:
                reader.close()
                if self.has_delivered:
                    reader.thread.join(1.0)  # close() lets a healthy source return; a stuck one is left behind
                return silent
            self.changed.wait(min(0.25, self._timing.stall_s / 4))
        reader.close()
        return None

    def _silence(self, reader: Reader, began_s: float) -> SourceError | None:
        now = time.perf_counter()
        waited_s = now - (reader.last_frame_s or began_s)
        if reader.source is None:
            if waited_s > self._timing.open_s:
                return SourceLost(f"the source did not open within {self._timing.open_s:.0f} s: check that it is there")
            return None
        limit_s = self._timing.stall_s if reader.last_frame_s else self._timing.open_s
        if reader.source.info.live and waited_s > limit_s:
            return SourceLost(f"{self._name()} has sent no frame for {waited_s:.0f} s: check its cable or connection")
        return None

    # The reading thread.

    def prepare(self, source: Source) -> bool:
        """A source is open and about to be read. False where it should not be."""
        if self.frames is None:
            self.source = source.info
            self.frames = Latest(block=self._lossless and not source.info.live)
            self._opened.set()
        if self._stop.is_set():  # stop() may have looked for `frames` just before there were any
            self.frames.close()
            return False
        step = getattr(source, "step", None)
        self._steps = step is not None
        if self._paused:  # since before it was open
            self._pause_source(True)
            if step is not None:
                step(1)  # its first picture is shown
        if not source.info.live:
            self._consumer_ready.wait()
        return not self._stop.is_set()

    def deliver(self, frame: Frame, first: bool) -> bool:
        """Pass a frame on; first after an opening. False where the reader should end."""
        if self.frames is None or self.source is None or self._stop.is_set():
            return False
        self._stats.captured()
        frame = self._retimed(frame, first)
        if self.lost:
            self.lost = False
            self._on_recovered()
        if self.source.live:
            thrown_away = self._paused or not self._consumer_ready.is_set()
            return thrown_away or self._hand_over(frame, self.frames)
        if not self._steps:  # else it stands still by itself, and lets a frame through where one is asked for
            with self._pausing:
                self._pausing.wait_for(lambda: not self._paused or self._stop.is_set())
        return self._hand_over(frame, self.frames)

    def _hand_over(self, frame: Frame, frames: Latest[Frame]) -> bool:
        waits = self._lossless and self.source is not None and not self.source.live
        if waits or self._paused or self._wants(frame):
            return frames.put(frame)
        self._skipped += 1
        return not frames.closed

    def _retimed(self, frame: Frame, first: bool) -> Frame:
        """The frame on the run's clock: a source that was opened again starts its own clock at zero."""
        last = self._last
        if first and last is not None:
            gap_s = max(frame.captured_s - last.captured_s, 0.001)
            self._time_offset_s = last.time_s + gap_s - frame.time_s
            self._index_offset = last.index + 1 - frame.index
        if self._index_offset or self._time_offset_s:
            frame = Frame(
                frame.bgr, frame.time_s + self._time_offset_s, frame.captured_s, frame.index + self._index_offset
            )
        self._last = frame
        return frame

    def _pause_source(self, paused: bool) -> None:
        """A paced file keeps its own clock, which has to stand still too."""
        for reader in self._readers:
            act = getattr(reader.source, "pause" if paused else "resume", None)
            if act is not None:
                act()


def _failure(error: Exception, retry_in_s: float | None = None) -> Failure:
    known = isinstance(error, ActionLensError)
    message = error_line(error) if isinstance(error, ActionLensError) else redacted(f"{type(error).__name__}: {error}")
    return Failure("source" if known else "internal", message, fatal=retry_in_s is None, retry_in_s=retry_in_s)
