"""Where the thumbnails of segments lie: ROOT/thumbnails, found by bounds and person, so that a changed segment gets
another picture by itself. Those that no segment has any more are removed."""

import contextlib
import zlib
from collections.abc import Iterable
from pathlib import Path

from app.library.edits import Change, Row

THUMBNAILS = "thumbnails"  # ROOT/thumbnails/ID-xxxxxxxx.jpg
_VERSION = 3  # of how they are made


def thumbnail_file(root: Path, recording: str, start_s: float, end_s: float, person: int) -> Path:
    """The JPEG of a segment, whether it is there or not."""
    what = f"{_VERSION} {start_s!r} {end_s!r} {person}".encode()
    return root / THUMBNAILS / f"{recording}-{zlib.crc32(what):08x}.jpg"


def remove_outdated(root: Path, changes: Iterable[Change]) -> None:
    """Remove the pictures of segments that these changes have moved or removed. One that another segment needs is made
    again when it is asked for."""
    for table, _, before, after in changes:
        if table == "clips" and before is not None and (after is None or _place(before) != _place(after)):
            with contextlib.suppress(OSError):  # it is of no use, and in nobody's way
                thumbnail_file(root, *_place(before)).unlink(missing_ok=True)


def remove_all(root: Path, recording: str) -> None:
    """Remove all pictures of a recording. Raises OSError."""
    for picture in (root / THUMBNAILS).glob(f"{recording}-*"):
        picture.unlink()


def _place(row: Row) -> tuple[str, float, float, int]:
    return row["recording"], row["start_s"], row["end_s"], row["person"]
