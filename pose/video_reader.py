"""The one decoder of recorded video: every frame of a file, or those from a time on, upright and with sound times.

PyAV is imported at the first use.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pose.decoder import Converter, fitted, rate
from pose.frame_times import FrameTimes

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

USUAL_FPS = 30.0
_MAX_ERRORS = 20  # in a row while reading packets; then the rest of the file counts as lost
_SHORT_S = 1.0  # a file that ends so long before its announced end is not complete
_SAME_S = 1e-4
_KEPT = 2  # key frames before a time from which decoding begins: pictures beside a key frame may need the one before
_MAX_HELD = 2000  # packets that wait until it is known whether they are needed
_BACK_S = (0.5, 5.0, 30.0)  # an index knows times of decoding, which are earlier than those of presentation
_INDEXED = {"mov"}  # containers that find a time at once, since their times never begin again
_LENGTH_GUESSED = {"mpegts", "mpeg"}  # FFmpeg takes it from the last packet there is
_TAGGED = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")

Opened = tuple["InputContainer", "VideoStream"]
Timed = tuple["VideoFrame", float]


class VideoReader:
    """A recorded video, read from its beginning or from a time on. Not for several threads at once.

    opening() opens it; it may be called again. What it raises comes out of the constructor and frames_from().
    fps: nominal frames a second, None where unknown. size: width and height of all pictures, which are those of the
    first; None before it. errors: what could not be read or decoded. announced_s: how long the file says that it is,
    or 0.
    """

    def __init__(self, opening: Callable[[], Opened], *, ends_at: type[Exception] | None = None) -> None:
        """ends_at: the error that reading does not go on after, and that comes out of frames()."""
        self._opening = opening
        self._ends_at = ends_at
        self.size: tuple[int, int] | None = None
        self.errors = 0
        self._open()

    def _open(self) -> None:
        self.container, self.stream = self._opening()
        self.stream.thread_type = "AUTO"
        self.fps = rate(self.stream)
        self.announced_s = _announced_s(self.container, self.stream)
        self._converter = Converter(self.stream)
        self._origin_s: float | None = None
        self._times = self._new_times()
        self._has_decoded = False

    def _new_times(self) -> FrameTimes:
        return FrameTimes(self.stream, self.fps or USUAL_FPS, self.announced_s, self._origin_s)

    def close(self) -> None:
        """Close the file. Any number of times."""
        self.container.close()

    def bgr(self, frame: "VideoFrame") -> NDArray[np.uint8]:
        """The picture of a frame, (H, W, 3) uint8, in memory of its own, upright, and of the size of the first."""
        picture = self._converter.bgr(frame)
        return picture if self.size is None else fitted(picture, self.size)

    def frames(self) -> Generator[Timed, None, None]:
        """Every frame that can be decoded, with its time in seconds from 0. Once, before anything else is read."""
        yield from self._decoded(self._packets())
        yield from self._decoded([None])

    @property
    def missing_s(self) -> float:
        """After the last frame: seconds that the file announces and does not have."""
        return self.announced_s - self._times.end_s if self.announced_s else 0.0

    def frames_from(self, time_s: float) -> Generator[Timed, None, None]:
        """The frame that is shown at a time, which is the first one for a time before it, and those that follow.

        Each has the time that frames() gives it. Once, before anything else is read.
        """
        time_s = max(time_s, 0.0)
        for passed in self._passes(time_s):
            shown = _shown_from(passed, time_s)
            first = next(shown, None)
            if first is not None:
                yield first
                yield from shown
                return
            self._reopen()

    def _passes(self, time_s: float) -> Iterator[Iterator[Timed]]:
        """Ways to seek to a time, fastest first; the next is used if one starts too late."""
        if set(self.container.format.name.split(",")) & _INDEXED and self.announced_s:
            yield self._by_index(time_s)
        yield self._by_skipping(time_s)
        yield self.frames()

    def _by_index(self, time_s: float) -> Iterator[Timed]:
        """Frames from a little before a time on, by way of the file's index."""
        from av.error import FFmpegError

        found = self.frames()
        first = next(found, None)
        self._origin_s = self._times.origin_s
        for back_s in _BACK_S:
            if first is None or time_s < back_s:
                break
            at_s = time_s - back_s + (self._origin_s or 0.0)
            try:
                self.container.seek(round(at_s / float(self.stream.time_base or 1)), stream=self.stream, backward=True)
            except FFmpegError:
                return
            self._times = self._new_times()
            found = self._decoded(self._packets())
            first = next(found, None)
            if first is not None and first[1] <= time_s + _SAME_S:
                break
        if first is not None:
            yield from chain([first], found)

    def _by_skipping(self, time_s: float) -> Iterator[Timed]:
        """Frames from the key frames before a time on; what comes earlier is read and not decoded."""
        packets = self._packets()
        for packet in packets:
            frames = list(self._decoded([packet]))
            yield from frames
            if frames:
                break
        held, has_skipped = self._held_before(packets, time_s)
        if has_skipped:
            self.stream.codec_context.flush_buffers()
            self._times.restart()
        yield from self._decoded(chain(held, packets))

    def _held_before(
        self, packets: "Iterator[Packet[VideoStream]]", time_s: float
    ) -> "tuple[list[Packet[VideoStream]], bool]":
        """The packets to decode first for a time, and whether any before them were left out."""
        held: list[Packet[VideoStream]] = []
        keys: list[int] = []
        has_skipped = False
        for packet in packets:
            due_s = self._times.packet_s(packet)
            if len(held) > _MAX_HELD or (due_s is not None and due_s > time_s):
                held.append(packet)
                break
            if packet.is_keyframe:
                keys.append(len(held))
            held.append(packet)
            if len(keys) > _KEPT:
                first = keys[1]
                del held[:first]
                keys = [place - first for place in keys[1:]]
                has_skipped = True
        return held, has_skipped

    def _reopen(self) -> None:
        self.container.close()
        self._open()

    def _packets(self) -> "Generator[Packet[VideoStream], None, None]":
        """Every packet that can be had, with sound times."""
        for packet, following in pairwise(chain(self._raw_packets(), [None])):
            if packet is not None:
                if packet.size:
                    self._times.stamp(packet, following if following is not None and following.size else None)
                yield packet

    def _raw_packets(self) -> "Generator[Packet[VideoStream], None, None]":
        """Reading goes on past damage as long as anything comes."""
        from av.error import FFmpegError

        in_a_row = 0
        while in_a_row < _MAX_ERRORS:
            try:
                for packet in self.container.demux(self.stream):
                    in_a_row = 0
                    if packet.size or packet.dts is None:  # an empty one would end decoding
                        yield packet
                return
            except FFmpegError as error:
                if self._ends_at is not None and isinstance(error, self._ends_at):
                    raise
                self.errors += 1
                in_a_row += 1

    def _decoded(self, packets: "Iterable[Packet[VideoStream] | None]") -> Generator[Timed, None, None]:
        """Frames of packets; of None those that the decoder still held back, where nothing else asked for them."""
        from av.error import FFmpegError

        for packet in packets:
            if packet is not None and packet.size:
                self._times.decoding(packet)
            try:
                frames = self.stream.codec_context.decode(packet)
            except EOFError:  # it has given everything already
                continue
            except FFmpegError:
                self.errors += self._has_decoded  # what comes before the first key frame cannot be decoded
                continue
            for frame in frames:
                self._has_decoded = True
                if self.size is None:
                    height, width, _ = self._converter.bgr(frame).shape
                    self.size = width, height
                time_s = self._times.time_s(frame)
                if time_s is not None:
                    yield frame, time_s


def _shown_from(frames: Iterable[Timed], time_s: float) -> Iterator[Timed]:
    """The last frame that is not after a time and those that follow; nothing where the first is after it already."""
    before: Timed | None = None
    has_begun = False
    for timed in frames:
        if not has_begun and timed[1] > time_s + _SAME_S:
            if before is None:
                return
            has_begun = True
            yield before
        if has_begun:
            yield timed
        before = timed
    if not has_begun and before is not None:
        yield before


def _announced_s(container: "InputContainer", stream: "VideoStream") -> float:
    """How long the file says that its video is; 0 where it does not."""
    if set(container.format.name.split(",")) & _LENGTH_GUESSED:
        return 0.0
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = _TAGGED.fullmatch(stream.metadata.get("DURATION", ""))  # Matroska's
    if tag is not None:
        return max(int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) - _begins_s(stream), 0.0)
    alone = len(container.streams) == 1  # else it may be the sound that is so long
    if not (container.duration and alone):
        return 0.0
    from_zero = "matroska" in container.format.name
    return max(container.duration / 1e6 - (_begins_s(stream) if from_zero else 0.0), 0.0)


def _begins_s(stream: "VideoStream") -> float:
    """Where the sound begins first, or a recording was cut. Matroska's lengths count from 0 all the same."""
    return float(max(stream.start_time, 0) * stream.time_base) if stream.start_time and stream.time_base else 0.0
