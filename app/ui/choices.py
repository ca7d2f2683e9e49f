"""What can be chosen on this machine: sources, models, people, providers."""

from collections.abc import Sequence

from app.models import known_models
from app.ui.chooser import Choice
from pose.address import public_source
from pose.estimators import AUTO as ANY_ESTIMATOR
from pose.estimators import ESTIMATORS, MAX_PEOPLE

AUTO, DEMO = "auto", "demo"
_PROVIDER_NAMES = {
    "cpu": "CPU",
    "cuda": "CUDA",
    "tensorrt": "TensorRT",
    "directml": "DirectML",
    "coreml": "Core ML",
    "openvino": "OpenVINO",
}
# What the shipped recognizers are for; their cards and docs/streams.md have the figures.
_PURPOSES = {
    "act": "Standard: fast",
    "st-gcn": "To compare: joint graph",
    "st-tr": "To compare: attention of joints",
    "gl-transformer": "To compare: pretrained",
}
OPEN_FILE, OPEN_URL, OPEN_MODEL = "command:file", "command:url", "command:model"


def source_choices(cameras: Sequence[tuple[int, str]] | None) -> list[Choice]:
    """Cameras as (index, name); None while they are looked for."""
    choices = [Choice("Automatic", AUTO)]
    for index, name in cameras or ():
        choices.append(Choice(f"{name} ({index})" if name else f"Camera {index}", str(index)))
    choices.append(Choice("Demo", DEMO))
    choices.append(Choice("Open file…", OPEN_FILE, command=True))
    choices.append(Choice("Open URL…", OPEN_URL, command=True))
    return choices


def find_cameras() -> list[tuple[int, str]]:
    """The cameras of this machine as (index, name); may take seconds."""
    from pose.camera import list_cameras

    return [(camera.index, camera.name) for camera in list_cameras()]


def source_text(source: str) -> str:
    """A source as it stands in a list: a camera by number, a file or an address by its last part."""
    if source.isdecimal():
        return f"Camera {source}"
    return last_part(public_source(source))


def last_part(path: str) -> str:
    """The last part of a path or address."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def model_text(model: str) -> str:
    """What a recognizer is for, with its name beside; of one that was taught its name."""
    return f"{_PURPOSES[model]} ({model})" if model in _PURPOSES else model_name(model)


def model_name(model: str) -> str:
    """A recognizer's name: of one in a folder the last part, with that before it where it is called by a number."""
    parts = model.replace("\\", "/").rstrip("/").split("/")
    return "@".join(parts[-2:]) if parts[-1].isdecimal() else last_part(model)


def model_choices() -> list[Choice]:
    """What is shipped, by what it is for, and what was taught, by name."""
    names = [model.name for model in known_models() if not model.problem]
    return [*(Choice(model_text(name), name) for name in names), Choice("Open folder…", OPEN_MODEL, command=True)]


def people_choices() -> list[Choice]:
    """How many people are followed."""
    return [Choice(str(n), str(n)) for n in range(1, MAX_PEOPLE + 1)]


def pose_choices() -> list[Choice]:
    """What finds people."""
    return [Choice("Auto", ANY_ESTIMATOR), *(Choice(kind.text, kind.name) for kind in ESTIMATORS.values())]


def provider_choices(usable: Sequence[str] = ("cpu",)) -> list[Choice]:
    """What a recognizer can run on here. usable: as find_providers() says."""
    return [Choice("Auto", "auto"), *(Choice(_PROVIDER_NAMES.get(name, name), name) for name in usable)]


def find_providers() -> tuple[str, ...]:
    """What can run recognizers on this machine; loads ONNX Runtime."""
    from pose.onnx_session import usable_providers

    return usable_providers()
