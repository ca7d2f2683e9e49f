"""The application's own errors that a user can fix. Each message is one line: what is wrong, and how to fix it."""

from pose.errors import ActionLensError


class UsageError(ActionLensError):
    """The command line or the settings ask for something that cannot be."""


class OutputError(ActionLensError):
    """A file, stream or port that results go to cannot be opened or written."""


class RecordingError(ActionLensError):
    """A recording cannot be written, or what is on disk is not one."""
