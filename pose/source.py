"""Where frames come from: the Source protocol and the one function that opens any of them."""

from dataclasses import dataclass
from typing import Protocol

from pose.types import Frame


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source says of itself once it is open.

    name: for people ("camera 0", "walk.mp4", "demo").
    live: True where frames come by themselves and are lost when not read (camera, URL stream, demo).
    size: (width, height) in pixels of the first frame; None where unknown. It may change while running.
    fps: nominal frames a second; None where unknown.
    frames: number of frames, None where unknown or endless.
    """

    name: str
    live: bool
    size: tuple[int, int] | None = None
    fps: float | None = None
    frames: int | None = None


class Source(Protocol):
    """Frames, one after another. Opened by its constructor, which raises SourceError with one clear line."""

    info: SourceInfo

    def read(self) -> Frame | None:
        """The next frame, blocking until there is one; None at the end of the stream.

        Called from one thread. Raises SourceLost when a live source stops working and SourceError when
        a file is damaged beyond reading on. Returns within 1 s of close(), with None.
        """
        ...

    def close(self) -> None:
        """Release the device or file. Any thread, any number of times; never blocks for more than 1 s."""
        ...
