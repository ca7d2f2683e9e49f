"""Opens what the options of a run name: the source, the pose model, the recognizer. Imports each only when needed."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import RunOptions
from pose.address import local_path

if TYPE_CHECKING:
    from app.live.inference import Recognizer
    from app.live.pose_stage import PoseWorker
    from pose.source import Source


def open_source(options: RunOptions) -> "Source":
    """The source of the options, at its own speed when asked to. Raises SourceError."""
    from pose import source as sources

    if options.paced and (file := _file(options.source)) is not None:
        from app.capture.playback import PlayedVideo

        return PlayedVideo(file)
    source = sources.open_source(options.source, camera=options.camera)
    return sources.PacedSource(source) if options.paced and not source.info.live else source


def _file(name: str) -> Path | None:
    try:
        path = local_path(name.strip())
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def find_source() -> str:
    """What "auto" stands for on this machine now: the first camera, or the demo where there is none."""
    from pose.source import find_source

    return find_source()


def open_pose_worker(options: RunOptions, progress: Callable[[str], None], cancel: threading.Event) -> "PoseWorker":
    """The estimator of the options with its model, which may be built at its first use. Raises PoseModelError."""
    from pose.estimators import find_model
    from pose.process import PoseProcess

    kind = options.estimator(Path()).kind  # says at once, before a download, where there is no such estimator
    model = find_model(kind, options.pose_model, progress=progress, cancel=cancel)
    return PoseProcess(options.estimator(model), cancel=cancel)


def open_recognizer(model: str, provider: str) -> "Recognizer":
    """The recognizer of a name or a folder (app.models), on a provider. Raises ActionLensError."""
    from app import models
    from recognizer.onnx_recognizer import OnnxRecognizer

    folder = models.find(model)
    recognizer = OnnxRecognizer(folder, provider)
    if name := models.taught_name(folder):  # its card has another one where it is older than these names
        recognizer.card = replace(recognizer.card, name=name)
    return recognizer
