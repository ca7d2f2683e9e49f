"""Errors that a user can fix. Each message is one line: what is wrong, and how to fix it."""


class ActionLensError(Exception):
    """Base of every expected error; str(error) is the one line that the user reads."""


class SourceError(ActionLensError):
    """A frame source cannot be opened or read."""


class SourceLost(SourceError):
    """A live source that was working has stopped; opening it again may help."""


class PoseModelError(ActionLensError):
    """The pose model is missing, damaged or cannot be built."""


class PoseError(ActionLensError):
    """Poses cannot be found any more in this run."""


class ModelFileError(ActionLensError):
    """A file is no model that ONNX Runtime can load."""


class ProviderError(ActionLensError):
    """A model cannot run on the provider that was asked for."""
