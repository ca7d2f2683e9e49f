"""What counts in a folder that a user gives: the order of files, and what systems leave behind beside them."""

import re
from pathlib import PurePath

_LEFT_BEHIND = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"}


def natural_key(path: PurePath) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A key to sort by: numbers in names by their value, so that 2 comes before 10."""
    pieces = re.split(r"(\d+)", str(path).casefold())
    return tuple((1, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in pieces), str(path)


def is_leftover(path: PurePath) -> bool:
    """Whether a file, named from the folder that was given on, is macOS's or Windows's own and no content."""
    return path.name.startswith("._") or any(part.lower() in _LEFT_BEHIND for part in path.parts)
