"""Live streams over the network (HTTP, RTSP, RTMP, UDP) through PyAV, which is imported at the first use."""

import contextlib
import re
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from pose.address import check, public_name
from pose.camera import OPEN_TIMEOUT_S
from pose.decoder import Converter, best_video, rate, raw_time_s
from pose.download import fetch
from pose.errors import SourceError, SourceLost
from pose.live_source import LiveSource, Picture, Pictures
from pose.video_reader import VideoReader

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.error import FFmpegError
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

READ_TIMEOUT_S = 5.0

_PROTOCOLS = (
    "http,https,httpproxy,tcp,tls,udp,rtp,rtsp,rtsps,rtmp,rtmps,crypto,data"  # a playlist may name no file here
)
_ZONE = re.compile(r"(\[[0-9A-Fa-f:.]+)%25")
_MAX_UNDECODED = 250  # packets in a row without a picture
_WAITED_S = 0.005  # a packet that took so long was not there yet when it was asked for
_MAX_BACKLOG_S = 3.0
_MAX_LATE_S = 0.1
_MAX_AHEAD_S = 3.0
_MAX_MISSING_S = 1.0
# What FFmpeg does not recognise by itself: playlists without their ending, JPEGs in parts of an unusual type.
_UNRECOGNISED = ("hls", "mjpeg")
_IN_SEGMENTS = {"hls", "dash"}
_WITHOUT_END = {"mpjpeg", "mjpeg", "rtsp", "rtp", "sdp"}  # what they say of a length in bytes means nothing


class Stream(LiveSource):
    """A URL. No retries here; whoever reads opens it again.

    A live one gives each frame the time of its arrival. One that is known to end (a video or a picture on a server, HLS
    with an end) is no live source: it is read like a file, with its own times, as fast as it is asked for, and ends.
    Raises SourceError when it cannot be opened and SourceLost when it breaks, falls silent, or ends though it was live.
    A user name, password or query of the URL appears in no message and no name. What a live server gives faster than it
    is to be seen (the segments of HLS) is delivered at its own speed.
    """

    def __init__(
        self, url: str, *, open_timeout_s: float = OPEN_TIMEOUT_S, read_timeout_s: float = READ_TIMEOUT_S
    ) -> None:
        check(url)
        scheme, _, rest = url.strip().partition("://")
        rest = _ZONE.sub(r"\1%", rest, count=1)  # FFmpeg takes the name of a network card as it is
        self._url = f"{scheme.lower()}://{rest}"
        self._name = public_name(url)
        self._open_timeout_s = open_timeout_s
        self._read_timeout_s = read_timeout_s
        # A little patience on top, so that it is FFmpeg's own limit that ends a connection, and its thread with it.
        super().__init__(self._name, self._run_stream, open_timeout_s=open_timeout_s + 1, silence_s=read_timeout_s + 1)

    def _run_stream(self, is_closing: threading.Event) -> Pictures:
        from av.error import FFmpegError, InvalidDataError

        first_error: FFmpegError | None = None
        for kind in (None, *(_UNRECOGNISED if self._url.startswith("http") else ())):
            given = False
            try:
                for picture in self._pictures_of(kind, is_closing):
                    yield picture
                    given = True
            except FFmpegError as error:  # its text names the whole URL, so it is not passed on
                if given:
                    raise self._broken(error) from None
                first_error = first_error or error
                if not isinstance(error, InvalidDataError):
                    break
                continue
            if given:
                if self.live:
                    raise SourceLost(f"{self._name} has ended: check that its sender is running")
                return
        if first_error is not None:
            raise self._refused(first_error)
        raise SourceError(f"{self._name} sends no picture that can be decoded: check the address and the video format")

    def _pictures_of(self, kind: str | None, is_closing: threading.Event) -> Iterator[Picture]:
        with _open(self._url, kind, self._open_timeout_s, self._read_timeout_s) as container:
            stream = best_video(container)
            if stream is None:
                raise SourceError(f"{self._name} has no video in it: check the address")
            self.fps = rate(stream)
            self.live = not _is_finite(container)
            if self.live:
                yield from self._live(container, stream, is_closing)
                return
            given = yield from self._whole(container, stream)
            index_at_end = not given and container.format.name.startswith("mov") and self._url.startswith("http")
        if index_at_end:  # and a server that gives no part of a file when it is asked for one
            yield from self._fetched(is_closing)

    def _live(
        self, container: "InputContainer", stream: "VideoStream", is_closing: threading.Event
    ) -> Iterator[Picture]:
        stream.thread_type = "SLICE"  # threads that work on several frames would deliver each frame later
        bgr = Converter(stream).bgr
        pace = _Pace(is_closing) if _formats(container) & _IN_SEGMENTS else None
        for frame, arrived_s in _frames(container, stream, skip_backlog=pace is None):
            captured_s = arrived_s if pace is None else pace.wait(raw_time_s(frame))
            yield bgr(frame), captured_s

    def _whole(self, container: "InputContainer", stream: "VideoStream") -> Generator[Picture, None, bool]:
        """Every picture; whether there was any. Raises SourceLost where some are missing at the end."""
        from av.error import ExitError

        reader = VideoReader(lambda: (container, stream), ends_at=ExitError)
        last_s = 0.0
        for frame, last_s in reader.frames():
            yield reader.bgr(frame), last_s
        given = reader.size is not None
        if given and reader.missing_s > _MAX_MISSING_S and not _formats(container) & _IN_SEGMENTS:
            raise SourceLost(f"{self._name} broke off after {last_s:.1f} s: check the network and its server")
        return given

    def _fetched(self, is_closing: threading.Event) -> Iterator[Picture]:
        import av

        with tempfile.TemporaryFile() as file:
            try:
                fetch(self._url, file, self._read_timeout_s, is_closing)
            except OSError:  # its text may name the whole URL
                raise SourceLost(f"{self._name} broke off: check the network and its server") from None
            file.seek(0)
            with av.open(file, "r", metadata_errors="replace") as container:
                stream = best_video(container)
                if stream is not None:
                    yield from self._whole(container, stream)

    def _broken(self, error: "FFmpegError") -> SourceLost:
        from av.error import ExitError

        if isinstance(error, ExitError):  # FFmpeg's word for having been interrupted by our limit
            return SourceLost(f"{self._name} has sent nothing for {self._read_timeout_s:g} s: check its connection")
        return SourceLost(f"{self._name} has ended or broken off: check the network and its sender")

    def _refused(self, error: "FFmpegError") -> SourceError:
        from av import error as av_error

        has_password = "@" in self._url.split("/")[2]
        remedies: tuple[tuple[type[Exception], str], ...] = (
            (
                av_error.ExitError,
                f"did not answer within {self._open_timeout_s:g} s: check the address and that it sends video",
            ),
            (ConnectionRefusedError, "refused the connection: check the port, and that the sender is running"),
            (
                av_error.HTTPUnauthorizedError,
                "refuses this user name and password: check them, and percent-encode them"
                if has_password
                else "asks for a password: write it into the URL, as in http://NAME:PASSWORD@...",
            ),
            (av_error.HTTPForbiddenError, "denies access: check the user name and password"),
            (av_error.HTTPNotFoundError, "has nothing at this address: check the path"),
            (av_error.InvalidDataError, "does not send video that can be read: check the address"),
            (OSError, "cannot be reached or sends no video: check the address and the network"),
        )
        fits = (remedy for kind, remedy in remedies if isinstance(error, kind))
        return SourceError(f"{self._name} {next(fits, f'cannot be opened ({error.strerror}): check the address')}")


class _Pace:
    """Keeps pictures that come in bulk to their presentation times. A late one, or a jump in time, starts it again."""

    def __init__(self, is_closing: threading.Event) -> None:
        self._is_closing = is_closing
        self._start_s: float | None = None

    def wait(self, raw_s: float | None) -> float:
        """Wait for a picture's time to come; what time.perf_counter() then is."""
        now = time.perf_counter()
        if raw_s is not None:
            ahead_s = self._start_s + raw_s - now if self._start_s is not None else 0.0
            if self._start_s is None or not -_MAX_LATE_S < ahead_s < _MAX_AHEAD_S:
                self._start_s = now - raw_s
            elif ahead_s > 0:
                self._is_closing.wait(ahead_s)
        return time.perf_counter()


def _open(url: str, kind: str | None, open_timeout_s: float, read_timeout_s: float) -> "InputContainer":
    import av

    options = {
        "analyzeduration": "1000000",  # microseconds of stream that are looked at before the first picture
        "rtsp_transport": "tcp",  # UDP loses parts of large pictures on wireless networks
        "protocol_whitelist": _PROTOCOLS,
        "reconnect": "1",  # for a video on a server whose connection broke; what is live is not asked for again
        "reconnect_delay_max": "2",
        "allowed_extensions": "ALL",  # segments of HLS have any name; which protocols they may use is said above
        "allowed_segment_extensions": "ALL",
        "extension_picky": "0",
    }
    timeout = (open_timeout_s, read_timeout_s)
    return av.open(url, format=kind, options=options, timeout=timeout, metadata_errors="replace")


def _formats(container: "InputContainer") -> set[str]:
    return set(container.format.name.split(","))


def _is_finite(container: "InputContainer") -> bool:
    """True for what is known to end: a length in time or bytes is known, or it is a single picture."""
    formats = _formats(container)
    if container.duration is not None and container.duration > 0:
        return True
    if formats & (_IN_SEGMENTS | _WITHOUT_END):
        return False
    return container.size > 0 or any(name.endswith("_pipe") or name == "image2" for name in formats)


def _frames(
    container: "InputContainer", stream: "VideoStream", *, skip_backlog: bool
) -> "Iterator[tuple[VideoFrame, float]]":
    """Decoded frames and when they came. Packets that cannot be decoded are skipped, but not for ever.

    skip_backlog: leave out what had been waiting when the stream was opened, which is old and would come in a burst.
    """
    from av.error import InvalidDataError

    asked_s = time.perf_counter()
    behind_until_s = asked_s + _MAX_BACKLOG_S if skip_backlog else asked_s
    skipped: tuple[VideoFrame, float] | None = None
    undecoded = 0
    for packet in container.demux(stream):
        arrived_s = time.perf_counter()
        if arrived_s - asked_s > _WAITED_S or arrived_s > behind_until_s:
            behind_until_s, skipped = 0.0, None
        frames: list[VideoFrame] = []
        with contextlib.suppress(InvalidDataError):
            frames = packet.decode()
        undecoded = 0 if frames else undecoded + 1
        if undecoded > _MAX_UNDECODED:
            return
        for frame in frames:
            if behind_until_s:
                skipped = frame, arrived_s
            else:
                yield frame, arrived_s
        asked_s = time.perf_counter()
    if skipped is not None:
        yield skipped
