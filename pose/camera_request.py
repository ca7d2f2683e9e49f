"""What to ask of a camera. Without numpy and OpenCV, so that the command line can name it at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What to ask of a camera; None leaves the driver's choice. mjpg asks for compressed frames.

    width and height in pixels, fps in frames a second. A camera may answer with something else.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    mjpg: bool = True
