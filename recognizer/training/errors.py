"""The error of the training commands."""

from pose.errors import ActionLensError


class TrainingError(ActionLensError):
    """A training command cannot do what it was asked to: names, settings, data or files do not fit."""
