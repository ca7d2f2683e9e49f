"""When each frame of a file is to be seen: the file's own times, and sound ones where those are missing or broken.

Packets are looked at in the order of the file, frames in the order in which they are shown. A pass over a part of the
file gives its frames the same times as a pass over all of it.
"""

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_BACK_S, _BACK_STEPS = 1.0, 8  # packets may lie so far apart from the order of their times, whichever is less
_AHEAD_S = 10.0  # a longer gap is looked at closely
_MAX_GAP_S = 3600.0  # a longer one counts only where the file is said to be that long
_NO_PRESENTATION = {"avi"}  # containers that know only the order of decoding
_NO_TIMES = 0x80  # AVFMT_NOTIMESTAMPS: a stream without a container; what FFmpeg makes up is incomplete


class PacketTimes:
    """Times of packets in ticks, in the order of decoding, with the parts of a file joined on to each other.

    step: ticks of a frame. second: of a second. longest_s: how long the file says that it is, 0 where it does not.
    A gap within the file is kept. Times that begin again, as where two recordings were joined, go on without a gap. A
    single wrong time among right ones is left out.
    """

    def __init__(self, step: int, second: int, longest_s: float = 0.0) -> None:
        self._step, self._second = step, second
        self._most_back = min(_BACK_S * second, _BACK_STEPS * step)
        self._most_gap = max(longest_s, _MAX_GAP_S) * second
        self._last: int | None = None  # as the file has it
        self._end = 0
        self._offset = 0

    def at(self, pts: int | None, dts: int | None, following: int | None = None) -> tuple[int | None, int | None]:
        """Time of presentation and of decoding of the next packet; following: the latter of the packet after it.

        Only times of decoding tell gaps, since those of presentation go back and forth.
        """
        shown = dts if pts is None else pts
        if dts is not None and shown is not None:
            if self._last is not None and self._is_jump(dts - self._last):
                if following is not None and not self._is_jump(following - self._last):
                    return None, None
                if not 0 < dts - self._last <= self._most_gap:
                    self._offset = self._end + self._step - shown
            self._last = dts
        if shown is not None:
            self._end = max(self._end, shown + self._offset)
        return self._moved(pts), self._moved(dts)

    def _moved(self, ticks: int | None) -> int | None:
        return None if ticks is None else ticks + self._offset

    def _is_jump(self, ticks: int) -> bool:
        return not -self._most_back <= ticks <= _AHEAD_S * self._second


class FrameClock:
    """Times that start at 0 and strictly increase. origin_s: what the file calls the time of its first frame."""

    def __init__(self, step_s: float, origin_s: float | None = None) -> None:
        self._step_s = step_s
        self.origin_s = origin_s
        self._stamp_s: float | None = None
        self._last_s: float | None = None if origin_s is not None else -step_s  # unknown in the middle of a file

    def at(self, stamp_s: float | None) -> float | None:
        """The time of the next frame shown; one without a stamp of its own comes a step after the one before.

        None where there is no stamp and nothing came before, in the middle of a file.
        """
        last_s = self._last_s
        if stamp_s is None or stamp_s == self._stamp_s:
            if last_s is None:
                return None
            time_s = last_s + self._step_s
        else:
            self._stamp_s = stamp_s
            if self.origin_s is None:
                self.origin_s = stamp_s - (0.0 if last_s is None else last_s + self._step_s)
            time_s = stamp_s - self.origin_s
        if last_s is not None and time_s <= last_s:
            time_s = last_s + 0.1 * self._step_s
        self._last_s = time_s
        return time_s


class FrameTimes:
    """Times of one pass over a stream, or a part of it.

    stamp() every packet in the order of the file, decoding() those that are decoded, time_s() every frame that comes
    out. origin_s: of an earlier pass, for one that begins in the middle.
    """

    def __init__(
        self, stream: "VideoStream", fps: float, longest_s: float = 0.0, origin_s: float | None = None
    ) -> None:
        self._tick_s = float(stream.time_base or 1 / 90000)
        self._step = max(round(1 / fps / self._tick_s), 1)
        self._packets = PacketTimes(self._step, max(round(1 / self._tick_s), 1), longest_s)
        self._step_s = 1 / fps
        self._clock = FrameClock(self._step_s, origin_s)
        kind = stream.container.format
        self._presented = not (set(kind.name.split(",")) & _NO_PRESENTATION or kind.flags & _NO_TIMES)
        self._reorders = bool(stream.codec_context.has_b_frames)
        self._slots: list[int] = []  # times at which a frame is shown, without presentation times
        self._keys: list[int] = []
        self._count = 0
        self._end = 0

    @property
    def origin_s(self) -> float | None:
        """What the file calls the time of its first frame; None before the first."""
        return self._clock.origin_s

    def restart(self) -> None:
        """Packets were left out, and the decoder has forgotten those before."""
        self._clock = FrameClock(self._step_s, self._clock.origin_s)
        self._slots.clear()
        self._keys.clear()

    def stamp(self, packet: "Packet[VideoStream]", following: "Packet[VideoStream] | None") -> None:
        """Put sound times into a packet; following: the one after it in the file."""
        if not self._presented:
            packet.pts = None
            if packet.dts is None:
                packet.dts = self._count * self._step
        after = None if following is None else following.dts
        packet.pts, packet.dts = self._packets.at(packet.pts, packet.dts, after)
        self._count += 1
        shown = packet.dts if packet.pts is None else packet.pts
        if shown is not None:
            self._end = max(self._end, shown + (packet.duration or self._step))
        if not self._presented:
            packet.pts = packet.dts  # so that a frame tells which packet it comes from

    def decoding(self, packet: "Packet[VideoStream]") -> None:
        """A packet goes to the decoder."""
        if not self._presented and self._reorders and packet.dts is not None:
            insort(self._slots, packet.dts)
            if packet.is_keyframe:
                self._keys.append(packet.dts)

    def time_s(self, frame: "VideoFrame") -> float | None:
        """When a frame is shown; None where that cannot be known, in the middle of a file."""
        stamp = frame.pts if self._presented or not self._reorders else self._slot(frame.pts)
        return self._clock.at(None if stamp is None else stamp * self._tick_s)

    def packet_s(self, packet: "Packet[VideoStream]") -> float | None:
        """When a packet is to be decoded, on the clock of the frames."""
        return None if packet.dts is None else packet.dts * self._tick_s - (self.origin_s or 0.0)

    @property
    def end_s(self) -> float:
        """When the last of the packets ends that were stamped."""
        return self._end * self._tick_s - (self.origin_s or 0.0)

    def _slot(self, own: int | None) -> int | None:
        """The n-th frame shown takes the n-th of the times of decoding. A key frame sets right what was lost before
        it: everything decoded before a key frame is shown before what is decoded from it on."""
        if own is not None:
            last = bisect_right(self._keys, own) - 1
            if last >= 0:
                del self._slots[: bisect_left(self._slots, self._keys[last])]
                del self._keys[:last]
        return self._slots.pop(0) if self._slots else None
