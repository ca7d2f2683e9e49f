"""Recognizers by name: one name for each on the command line, in the window, in cards and in JSON.

"act" is one that is shipped, weights/act. "mine@2" is the second version of a taught one, models/mine/2 in the library,
and "mine" its newest. A name means what is shipped before what was taught; any other text is the path of a folder.
"""

import contextlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.clock_text import local_clock
from app.recording.folder import library_root
from pose.address import redacted
from recognizer.errors import CardError
from recognizer.model_card import CARD_FILE, ModelCard, find_model, shipped_models
from recognizer.teaching.versions import taught_models, version_label, versions

SHIPPED, TAUGHT = "shipped", "taught"
_TAUGHT_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:[@/](\d{1,6}))?")  # "/": as it was shown once


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A recognizer that can be named. origin: SHIPPED or TAUGHT. actions: how many it knows. made: when and of what, ""
    where that is not noted. problem: one line where its folder holds no usable model."""

    name: str
    folder: Path
    origin: str
    actions: int = 0
    made: str = ""
    problem: str = ""


def models_folder(library: Path | None = None) -> Path:
    """Where a library, by default the user's own, has its taught recognizers."""
    return (library or library_root()) / "models"


def find(model: str, library: Path | None = None) -> Path:
    """The folder of a recognizer given by its name or by its path. Raises CardError."""
    folder = _taught_folder(model, models_folder(library))
    if folder is not None:
        return folder
    try:
        return find_model(model)
    except CardError as error:
        names = ", ".join(known.name for known in known_models(library)) or "none"
        raise CardError(
            f"no model {redacted(repr(model))}; the models here are: {names}; "
            "or give a folder with model.onnx and card.json"
        ) from error


def name_of(model: str, library: Path | None = None) -> str:
    """The one name of what was given by a name or a path: of a taught one with its version; a path that is none of
    the library stays as it is, and so does what is not there."""
    models = models_folder(library)
    path = Path(model)
    if path.is_absolute() and path.parent.parent == models and path.name.isdecimal():
        return version_label(path)
    folder = _taught_folder(model, models)
    return model if folder is None else version_label(folder)


def taught_name(folder: Path, library: Path | None = None) -> str:
    """The name of a version of a taught recognizer; "" for any other folder."""
    name = name_of(str(folder.absolute()), library)
    return name if name != str(folder.absolute()) else ""


def known_models(library: Path | None = None) -> list[KnownModel]:
    """All that have a name: the shipped ones, then the taught ones, the newest version of each first."""
    found = [_shipped(name, folder) for name, folder in shipped_models().items()]
    taught = taught_models(models_folder(library))
    for name in dict.fromkeys(model.folder.parent.name for model in taught):
        for model in reversed([each for each in taught if each.folder.parent.name == name]):
            how = " ".join(filter(None, (model.kind, f"on {model.base}" if model.base else "")))
            made = " ".join(filter(None, (local_clock(model.created), how)))
            count = 0 if model.problem else len(ModelCard.load_text(model.folder).actions)
            found.append(KnownModel(model.label, model.folder, TAUGHT, count, made, model.problem))
    return found


def table() -> str:
    """The list of --list-models: name, origin, actions, folder; a line for each."""
    rows = [("NAME", "FROM", "ACTIONS", "FOLDER")]
    newest: set[str] = set()
    for model in known_models():
        name = model.name.partition("@")[0]
        is_newest = model.origin == TAUGHT and name not in newest and name not in shipped_models()
        newest.add(name)
        origin = f"{model.origin}{', the newest: also ' + name if is_newest else ''}"
        count = "" if model.problem else str(model.actions)
        rows.append((model.name, origin, count, model.problem or str(model.folder)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=True)), row[3]]) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _shipped(name: str, folder: Path) -> KnownModel:
    try:
        file = (folder / CARD_FILE).stat()
        actions, day = _actions_and_day(folder, file.st_mtime_ns, file.st_size)
    except (CardError, OSError) as error:
        return KnownModel(name, folder, SHIPPED, problem=" ".join(str(error).split()))
    return KnownModel(name, folder, SHIPPED, actions, day)


@lru_cache(maxsize=32)
def _actions_and_day(folder: Path, _changed_ns: int, _size: int) -> tuple[int, str]:
    """How many actions the card of a folder has, and the day it was made. Kept, for every window asks for all cards,
    and to check one takes 6 ms. Raises CardError."""
    card = ModelCard.load_text(folder)
    return len(card.actions), card.created[:10]


def _taught_folder(model: str, models: Path) -> Path | None:
    match = _TAUGHT_NAME.fullmatch(model)
    if match is None:
        return None
    name, number = match.groups()
    if number is None:
        if name in shipped_models():
            return None
        number = next(map(str, reversed(versions(models, name))), None)
    folder = models / name / str(int(number)) if number is not None else None
    with contextlib.suppress(OSError):
        if folder is not None and (folder / CARD_FILE).is_file():
            return folder
    return None
