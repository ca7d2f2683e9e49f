"""The error of the research commands."""

from pose.errors import ActionLensError


class ResearchError(ActionLensError):
    """A research command cannot do what it was asked to: names, settings, data or files do not fit."""
