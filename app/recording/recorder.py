"""Records takes from a live run: countdown, the seconds before the key, automatic stop, several takes in a row.

A tap of the engine hands results over and returns; a thread of its own decides and writes. All times are the source's
(Frame.time_s): a clock of the computer that changes does not matter.
"""

import logging
import math
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from app.errors import RecordingError
from app.names_in_text import action_in_text
from app.recording.pre_roll import HeldSeconds, PreRoll
from app.recording.room import Room
from app.recording.stillness import Stillness
from app.recording.writer import RecordingWriter
from app.results import Result
from pose.skeleton import Layout
from pose.types import Pose

log = logging.getLogger(__name__)

_QUEUE_BYTES = 96 << 20  # of pictures between the tap and the thread: three seconds of 640 x 480
_SILENCE_S = 5.0  # of this computer's time: a source that gives nothing for so long has been lost
_ROUNDING_S = 1e-3  # of a difference of two times
_BREAK_S = 1.0  # a source that jumps further, or back, has been lost or begun again


class RecorderState(Enum):
    """The state of recording."""

    OFF = "off"
    READY = "ready"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    SAVING = "saving"


@dataclass(frozen=True, slots=True)
class TakeSettings:
    """How takes are made. Seconds are of the source.

    countdown_s: before each take. pre_roll_s: kept from before the take. longest_s: a take ends by itself; when_still:
    also when the person has moved and stands still again. takes: in a row, each after a countdown. skeleton_only: no
    pixel reaches the disk. session, person, action: go into each recording.
    """

    session: str
    person: str = ""
    action: str = ""
    countdown_s: float = 3.0
    pre_roll_s: float = 3.0
    longest_s: float = 10.0
    when_still: bool = True
    takes: int = 1
    skeleton_only: bool = False


@dataclass(frozen=True, slots=True)
class RecorderView:
    """What a window shows. left_s: of the countdown. recorded_s: of this take. takes: done of those asked for.

    dropped: results of this take, or of the last one, that came while the disk was too slow. message: the last thing to
    tell, one line.
    """

    state: RecorderState = RecorderState.OFF
    left_s: float = 0.0
    recorded_s: float = 0.0
    takes: int = 0
    of: int = 0
    dropped: int = 0
    message: str = ""

    @property
    def seconds_left(self) -> int:
        """Of the countdown, as everything that shows it counts: 3, 2, 1."""
        return max(1, math.ceil(self.left_s - _ROUNDING_S))


class Recorder:
    """A tap for Engine.add_tap, with controls for any thread. layout: of the estimator's poses.

    followed(): identity of whom a take that begins now, or the last seconds, are of; None for whoever is in it longest.
    Called on the recorder's thread. Everybody in view is recorded; the take ends when the one whom it is of stands
    still.
    saved(folder) is called on the recorder's thread after each take; failed(line) when one could not be made.
    lossless: the tap waits for the disk, for files that are worked through; otherwise it never waits.
    """

    def __init__(
        self,
        root: Path,
        source: str,
        layout: Layout,
        *,
        saved: Callable[[Path], None] | None = None,
        failed: Callable[[str], None] | None = None,
        followed: Callable[[], int | None] = lambda: None,
        lossless: bool = False,
    ) -> None:
        self._root, self._source, self._lossless = root, source, lossless
        self._followed = followed
        self._subject: int | None = None  # whom the take that runs is of
        self._saved, self._failed = saved, failed
        self._queue: queue.SimpleQueue[Result | Callable[[], None] | None] = queue.SimpleQueue()
        self._room = Room(_QUEUE_BYTES)  # for results; what the user asks for never waits
        self._armed = False
        self._settings = TakeSettings("")
        self._view = RecorderView()
        self._pre_roll = PreRoll()  # filled in takes too: what has just been seen can always be held
        self._taken_s = -math.inf  # up to here the frames are in a take
        self._held: HeldSeconds | None = None
        self._writer: RecordingWriter | None = None
        self._last_s: float | None = None
        self._begins_s: float | None = None  # of the source, when the countdown is over
        self._key_s: float | None = None  # when it began
        self._started_s = 0.0
        self._layout = layout
        self._still = Stillness()
        self._seen = False  # somebody, in this take
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def view(self) -> RecorderView:
        """The current state, for display."""
        return self._view

    def __call__(self, result: Result) -> None:
        """The tap."""
        if self._armed and self._room.take(result.frame.bgr.nbytes, self._waits_for_room):
            self._queue.put(result)

    def _waits_for_room(self) -> bool:
        return self._lossless and self._thread.is_alive()

    def arm(self, settings: TakeSettings) -> None:
        """Keep what is needed before a take."""

        def do() -> None:
            self._settings = settings
            if self._view.state is RecorderState.OFF:
                self._view = RecorderView(RecorderState.READY)

        self._armed = True
        self._post(do)

    def start(self) -> None:
        """Begin the countdown of the first take."""

        def do() -> None:
            if self._view.state is RecorderState.READY:
                self._view = replace(self._view, takes=0, of=self._settings.takes, message="")
                self._count_down()

        self._post(do)

    def stop(self) -> None:
        """End this take and keep it; the takes that were still to come are not made."""

        def do() -> None:
            self._view = replace(self._view, of=self._view.takes)
            if self._view.state is RecorderState.RECORDING:
                self._finish()
            elif self._view.state is RecorderState.COUNTDOWN:
                self._ready()

        self._post(do)

    def cancel(self) -> None:
        """Throw this take away."""

        def do() -> None:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.discard()
            self._ready("the take was thrown away" if writer is not None else "")

        self._post(do)

    def hold_last(self) -> None:
        """Set the last seconds aside for save_last(), with whom they are of; a running take goes on."""

        def do() -> None:
            self._held = self._last_seconds()

        self._post(do)

    def _last_seconds(self) -> HeldSeconds:
        return HeldSeconds(self._pre_roll.last(self._settings.pre_roll_s), self._followed())

    def save_last(self, action: str) -> None:
        """Save the seconds that were set aside, or else the last ones, as a recording of an action."""

        def do() -> None:
            held, self._held = self._held or self._last_seconds(), None
            if not held.frames:
                self._view = replace(self._view, message="those seconds are not in memory: nothing was kept")
                return
            if not held.frames.has_person:
                self._view = replace(self._view, message="nobody was in the picture in those seconds: nothing was kept")
                return
            writer = self._open_writer(held.frames.size, 0.0, action, held.followed)
            try:
                held.frames.write(writer)
                folder = writer.finish()
            except RecordingError:
                writer.keep_for_recovery()
                raise
            self._view = replace(self._view, message=f"saved {writer.duration_s:.1f} s as {action_in_text(action)}")
            if self._saved is not None:
                self._saved(folder)

        self._post(do)

    def disarm(self) -> None:
        """Finish and keep a running take, then stop recording."""

        def do() -> None:
            self._held = None
            self._break_off()
            self._view = RecorderView(message=self._view.message)

        self._armed = False
        self._post(do)

    def source_changed(self, source: str, layout: Layout) -> None:
        """The source or estimator changes: a running take ends and is kept."""

        def do() -> None:
            self._source, self._layout = source, layout  # first: a take that cannot be finished must not keep the old
            if self._held is not None:
                self._held = HeldSeconds(PreRoll(), None)  # the user who is being asked means no seconds of the new run
            self._break_off()

        self._post(do)

    def close(self, timeout_s: float = 10.0) -> None:
        """Finish and keep a running take, and end the thread."""
        self.disarm()
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _post(self, do: Callable[[], None]) -> None:
        if self._thread.is_alive():
            self._queue.put(do)

    # The recorder's thread.

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                if isinstance(item, Result):
                    self._room.give_back(item.frame.bgr.nbytes)
                    self._take_in(item)
                else:
                    item()
            except RecordingError as error:
                self._fail(str(error))
            except Exception as error:  # top of the thread: recording must not end silently
                log.exception("recording failed")
                self._fail(f"{type(error).__name__}: {error}")

    def _next(self) -> Result | Callable[[], None] | None:
        """What comes next; a take whose source gives nothing any more is ended and kept."""
        while True:
            try:
                return self._queue.get(timeout=_SILENCE_S if self._writer is not None else None)
            except queue.Empty:
                return self._interrupted

    def _take_in(self, result: Result) -> None:
        time_s = result.frame.time_s
        if self._view.state is RecorderState.OFF:
            return
        if self._last_s is not None and not 0 <= time_s - self._last_s <= _BREAK_S:
            self._interrupted()
        if self._last_s is not None and time_s <= self._last_s:
            return
        self._last_s = time_s
        poses = tuple(person.pose for person in result.persons)
        if self._view.state is RecorderState.COUNTDOWN:
            self._count(result)
        if self._view.state is RecorderState.RECORDING:
            self._record(result, poses)
        self._keep(result, poses)

    def _count(self, result: Result) -> None:
        if self._begins_s is None:
            self._key_s = result.frame.time_s
            self._begins_s = self._key_s + self._settings.countdown_s
        left_s = self._begins_s - result.frame.time_s
        self._view = replace(self._view, left_s=max(left_s, 0.0))
        if left_s <= 0:
            self._begin(result)

    def _begin(self, result: Result) -> None:
        size = result.frame.size
        self._room.count_again()
        self._subject = self._followed()
        before = self._pre_roll.after(self._taken_s)
        self._writer = self._open_writer(
            size, before.length_s(size, result.frame.time_s), self._settings.action, self._subject
        )
        before.write(self._writer)
        self._started_s, self._key_s = result.frame.time_s, None
        self._still, self._seen = Stillness(), False
        self._view = replace(self._view, state=RecorderState.RECORDING, left_s=0.0, recorded_s=0.0, dropped=0)

    def _open_writer(
        self, size: tuple[int, int], begins_s: float, action: str, followed: int | None
    ) -> RecordingWriter:
        settings = self._settings
        return RecordingWriter(
            self._root,
            source=self._source,
            session=settings.session,
            layout=self._layout,
            size=size,
            person=settings.person,
            action=action,
            begins_s=begins_s,
            track_id=followed,
            skeleton_only=settings.skeleton_only,
            lossless=True,  # this thread may wait; the live run is guarded by the queue
        )

    def _record(self, result: Result, poses: tuple[Pose, ...]) -> None:
        writer = self._writer
        assert writer is not None
        time_s = result.frame.time_s
        if result.frame.size != writer.info.size:
            self._finish(more=False)
            self._view = replace(self._view, message="the picture changed its size; the take up to there is kept")
            return
        writer.add(time_s, None if self._settings.skeleton_only else result.frame.bgr, poses)
        self._taken_s = time_s
        self._seen |= bool(poses)
        recorded_s = time_s - self._started_s
        self._view = replace(self._view, recorded_s=recorded_s)
        still = self._settings.when_still and self._still.is_over(time_s, self._of_the_take(poses))
        if recorded_s >= self._settings.longest_s or still:
            self._finish()

    def _of_the_take(self, poses: tuple[Pose, ...]) -> Pose | None:
        if self._subject is None:
            return poses[0] if poses else None
        return next((pose for pose in poses if pose.person == self._subject), None)

    def _keep(self, result: Result, poses: tuple[Pose, ...]) -> None:
        # In a countdown the seconds before the key are kept, not those before the take.
        key_s = result.frame.time_s if self._key_s is None else self._key_s
        settings = self._settings
        with_picture = not settings.skeleton_only and settings.pre_roll_s > 0
        self._pre_roll.add(result.frame, poses, since_s=key_s - settings.pre_roll_s, with_picture=with_picture)

    def _interrupted(self) -> None:
        """The source was lost or has begun again: what there is of a take is kept."""
        if self._break_off():
            self._view = replace(self._view, message="the source was interrupted; the take up to there is kept")

    def _break_off(self) -> bool:
        """What comes next has another clock: a countdown begins again, a take that runs is kept; whether one ran."""
        self._pre_roll.clear()
        self._last_s, self._taken_s = None, -math.inf
        if self._view.state is RecorderState.COUNTDOWN:
            self._count_down()
        runs = self._writer is not None
        if runs:
            self._finish(more=False)
        return runs

    def _finish(self, *, more: bool = True) -> None:
        writer, self._writer = self._writer, None
        assert writer is not None
        self._view = replace(self._view, state=RecorderState.SAVING, dropped=self._room.dropped)
        try:
            folder = writer.finish()
        except RecordingError:
            writer.keep_for_recovery()
            raise
        takes = self._view.takes + 1
        nobody = "" if self._seen else "; nobody was in the picture"
        self._view = replace(self._view, takes=takes, message=f"saved {self._view.recorded_s:.1f} s{nobody}")
        if self._saved is not None:
            self._saved(folder)
        if more and takes < self._view.of:
            self._count_down()
        else:
            self._ready(self._view.message)

    def _count_down(self) -> None:
        self._begins_s = self._key_s = None
        self._view = replace(
            self._view, state=RecorderState.COUNTDOWN, left_s=self._settings.countdown_s, recorded_s=0.0
        )

    def _ready(self, message: str = "") -> None:
        self._begins_s = self._key_s = None
        # A take may end, or fail to be kept, just because recording is switched off.
        state = RecorderState.READY if self._armed else RecorderState.OFF
        self._view = replace(self._view, state=state, left_s=0.0, recorded_s=0.0, message=message)

    def _fail(self, line: str) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.keep_for_recovery()
        self._ready(line)
        if self._failed is not None:
            self._failed(line)
