"""Errors of teaching that a user can mend; each message is one line."""

from pose.errors import ActionLensError


class TeachingError(ActionLensError):
    """The clips cannot teach anything, or a request of teaching is not usable."""
