"""Folders of taught recognizers, models/NAME/NUMBER: named, filled, and read again. Without onnx, for the window."""

import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from recognizer import strict_json
from recognizer.errors import CardError
from recognizer.model_card import CARD_FILE, ModelCard

CLIPS_FILE = "clips.json"

_MAX_BYTES = 16 << 20
_VERSION = re.compile(r"\d{1,6}")


def plain_name(text: str) -> str:
    """A model's name made of what a person typed: letters of ASCII, digits, ".", "_", "-"."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_only).strip("-._")
    return name[:48] or "taught"


def new_part() -> str:
    """A name, like no other, for a folder beside the versions of a model in which one is written or thrown away."""
    return f".part-{uuid4().hex[:16]}"


def place_version(models: Path, name: str, part: str, fill: Callable[[Path], object]) -> Path:
    """The next version of a model, models/NAME/1, 2, ..., whole or not at all; the versions before it stay.

    part: name of the folder beside it in which `fill` writes it; what a killed process has left there goes. Raises
    OSError, and what `fill` raises.
    """
    home = models / name
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / part
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        fill(temporary)
        while True:
            target = home / str(max(versions(models, name), default=0) + 1)
            name_card(temporary, version_label(target))
            try:
                os.rename(temporary, target)
            except OSError:
                if not target.exists():
                    raise
                continue  # somebody else has just taken that number
            return target
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def try_folder(models: Path, name: str, part: str) -> None:
    """Make the folder that place_version fills, and take it away again. Raises OSError where it cannot be made."""
    folder = models / name / part
    shutil.rmtree(folder, ignore_errors=True)
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True)
    with suppress(OSError):  # somebody else has just put something there
        for each in made:
            each.rmdir()


def version_label(folder: Path) -> str:
    """The name of a version, "NAME@NUMBER", by its folder NAME/NUMBER."""
    return f"{folder.parent.name}@{folder.name}"


def name_card(folder: Path, label: str) -> None:
    """Write the name of a version into its card, where there is one. Raises CardError, OSError."""
    if (folder / CARD_FILE).is_file():
        replace(ModelCard.load_text(folder), name=label).save(folder)


def versions(models: Path, name: str) -> list[int]:
    """Numbers of a model's versions, the newest last; each is a model folder models/NAME/NUMBER."""
    home = models / name
    if not home.is_dir():
        return []
    return sorted(int(entry.name) for entry in home.iterdir() if _VERSION.fullmatch(entry.name))


@dataclass(frozen=True, slots=True)
class TaughtModel:
    """A version of a taught recognizer.

    label: "NAME@NUMBER". kind, base: "quick" or "full", and the name of the recognizer that it was built on; "" where
    that is not noted. actions: the names of the examples that made it, by action. check: as recognizer.teaching.check
    has it in JSON, {} where there is none. problem: one line where the folder holds no usable model.
    """

    label: str
    folder: Path
    created: str = ""
    kind: str = ""
    base: str = ""
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def taught_models(models: Path) -> list[TaughtModel]:
    """All versions in a folder of taught models, by name, the newest version of each last."""
    names = sorted(path.name for path in models.iterdir() if path.is_dir()) if models.is_dir() else []
    return [taught_model(models / name / str(number)) for name in names for number in versions(models, name)]


def taught_model(folder: Path) -> TaughtModel:
    """One version. What its clips.json has not, or has in another form than ours, is left out."""
    label = version_label(folder)
    try:
        created = ModelCard.load(folder).created
    except CardError as error:
        return TaughtModel(label, folder, problem=" ".join(str(error).split()))
    values = _clips_json(folder / CLIPS_FILE)
    base, check, kind = values.get("base"), values.get("check"), values.get("kind")
    actions: dict[str, tuple[str, ...]] = {}
    listed = values.get("clips")
    for example in listed if isinstance(listed, list) else []:
        if (
            isinstance(example, dict)
            and isinstance(example.get("action"), str)
            and isinstance(example.get("name"), str)
        ):
            actions[example["action"]] = (*actions.get(example["action"], ()), example["name"])
    return TaughtModel(
        label,
        folder,
        created,
        kind if isinstance(kind, str) else "",
        str(base.get("name", "")) if isinstance(base, dict) else "",
        actions,
        check if isinstance(check, dict) else {},
    )


def _clips_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return {}
        values = strict_json.load(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
