"""One open library for all windows of a process, which would otherwise lock each other out from writing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.library.catalogue import Library

_guard = threading.Lock()
_open: dict[Path, tuple[Library, int]] = {}


def borrow(root: Path) -> Library:
    """The library in a folder, opened by the first who asks. give_back() it. Raises LibraryError."""
    place = root.absolute()
    with _guard:
        library, users = _open[place] if place in _open else (Library(root), 0)
        _open[place] = library, users + 1
    return library


def give_back(library: Library) -> None:
    """Close it if nobody else uses it."""
    place = library.root.absolute()
    with _guard:
        there = _open.get(place)
        if there is None or there[0] is not library:
            return
        if there[1] > 1:
            _open[place] = library, there[1] - 1
        else:
            del _open[place]
            library.close()


def recover(root: Path) -> list[str]:
    """Complete what a killed process has left unfinished in a library; a line for each. Raises LibraryError."""
    with shared(root) as library:
        return [] if library.read_only else list(library.notes)


@contextmanager
def shared(root: Path) -> Iterator[Library]:
    """borrow() and give_back()."""
    library = borrow(root)
    try:
        yield library
    finally:
        give_back(library)
