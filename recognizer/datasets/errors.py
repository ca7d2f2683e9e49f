"""What is wrong with a data set or one of its files; each message is one line that says how to fix it."""

from pose.errors import ActionLensError


class DataError(ActionLensError):
    """A data set is missing, or it or one of its files cannot be read."""


class EmptyFileError(DataError):
    """A whole file, or a clip in one, that shows nobody or less than two frames: some sets are published with such."""
