"""Errors of a library that a user can fix. Each message is one line."""

from pose.errors import ActionLensError


class LibraryError(ActionLensError):
    """The library cannot do what was asked."""


class GoneError(LibraryError):
    """What a window still shows is not in the library any more; what: "segment 7"."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what} any more; close the window and open it again")


class DamagedLabelsError(LibraryError):
    """A file of labels cannot be read; it is put aside, never overwritten."""


class NewerError(LibraryError):
    """A newer version has made the library."""


class ReadOnlyError(LibraryError):
    """The library is open for reading only."""
