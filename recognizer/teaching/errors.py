"""Errors in teaching that a user can fix; each message is one line."""

from pose.errors import ActionLensError


class TeachingError(ActionLensError):
    """The examples cannot be trained on, or a teaching request is not usable."""
