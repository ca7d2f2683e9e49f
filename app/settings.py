"""What the user asked for: the options of one run. (Settings remembered between runs are added here.)"""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What to ask of a camera; None leaves the driver's choice. mjpg asks for compressed frames."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    mjpg: bool = True


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run. Field names follow the command line.

    model: a name under weights/ or a folder with model.onnx and card.json. source: "0", "demo", a path or a URL.
    people: 1..4. provider: auto, cpu, cuda, ... paced: play a file at its own speed (the window) or as fast
    as it can be processed without dropping a frame (headless, measuring).
    mirror: show the picture mirrored; never changes the data. seconds: stop after so much source time.
    """

    model: str = "act"
    source: str = "0"
    people: int = 1
    provider: str = "auto"
    paced: bool = True
    mirror: bool = False
    seconds: float | None = None
    pose_model: Path | None = None
    save: Path | None = None
    json: str | None = None
    events: str | None = None
    camera: CameraRequest = field(default_factory=CameraRequest)
