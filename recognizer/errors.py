"""Errors of recognizers that a user can fix; each message is one line."""

from pose.errors import ActionLensError


class CardError(ActionLensError):
    """A model folder, its card.json or the pair of card and model.onnx is not usable."""


class RecognizerError(ActionLensError):
    """A recognizer cannot be loaded or run, or not on the provider that was asked for."""
