"""Errors of a library that a user can fix. Each message is one line."""

from pose.errors import ActionLensError


class LibraryError(ActionLensError):
    """The library cannot do what was asked."""


class DamagedLabelsError(LibraryError):
    """A file of labels cannot be read; it is put aside, never overwritten."""


class NewerError(LibraryError):
    """A newer version has made the library."""


class ReadOnlyError(LibraryError):
    """The library is open for reading only."""
