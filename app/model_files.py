"""What is done with the folders of taught recognizers: rename, remove, export to one file, import of it.

Each is done whole or not at all; the library's note of what made a recognizer goes with it. Errors are one line.
"""

import contextlib
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from app.errors import UsageError
from app.library.archives import BROKEN
from app.models import models_folder
from pose.errors import ActionLensError
from pose.whole_file import atomic_write, write_bytes
from recognizer.model_card import CARD_FILE, MAX_CARD_BYTES, MAX_MODEL_BYTES, MODEL_FILE, ModelCard, shipped_models
from recognizer.teaching.versions import CLIPS_FILE, new_part, place_version, plain_name, version_label, versions

ENDING = ".actionlens.zip"

_LIMITS = {CARD_FILE: MAX_CARD_BYTES, MODEL_FILE: MAX_MODEL_BYTES, CLIPS_FILE: 16 << 20}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")


def refusal_of(name: str) -> str:
    """Why a taught recognizer cannot have a name, one line; "" where it can."""
    if name in shipped_models():
        return f"{name} is the name of a shipped recognizer; choose another"
    if not _NAME.fullmatch(name):
        return "a recognizer's name has up to 48 of the letters a to z, digits, '.', '_' and '-', and begins with one"
    return ""


def rename(library: Path, name: str, new: str) -> None:
    """Give all versions of a taught recognizer another name. Raises UsageError."""
    models = models_folder(library)
    if (reason := refusal_of(new)) or new == name:
        raise UsageError(reason or f"it is already called {name}; type another name")
    taken = next((each.name for each in models.iterdir() if each.name.casefold() == new.casefold()), name)
    if taken != name:
        raise UsageError(f"there is already a recognizer {taken}; choose another name, or delete that one first")
    try:
        _move(models, name, new)
    except OSError as error:
        raise UsageError(f"{name} cannot be renamed ({error.strerror or error}); try again") from error
    for number in versions(models, new):
        _update_catalogue(library, f"models/{name}/{number}", f"{new}@{number}", f"models/{new}/{number}")


def _move(models: Path, name: str, new: str) -> None:
    """Rename the folder and its cards, or nothing. Raises OSError.

    What may fail comes first: the cards are written in a folder of their own, and take their places by renaming.
    """
    cards = new_part()
    made: dict[Path, bytes] = {}  # NUMBER/card.json, and what stood in it
    try:
        for number in versions(models, name):
            _write_card(models / name, cards, str(number), new, made)
        os.rename(models / name, models / new)
        try:
            for card in made:
                os.replace(models / new / cards / card, models / new / card)
        except OSError:
            os.rename(models / new, models / name)
            for card, before in made.items():
                with contextlib.suppress(OSError):
                    write_bytes(models / name / card, before)
            raise
    finally:
        for each in (name, new):
            shutil.rmtree(models / each / cards, ignore_errors=True)


def _write_card(home: Path, cards: str, number: str, name: str, made: dict[Path, bytes]) -> None:
    try:
        card = ModelCard.load_text(home / number)
    except ActionLensError:
        return  # a damaged one is moved as it is
    made[Path(number, CARD_FILE)] = (home / number / CARD_FILE).read_bytes()
    (home / cards / number).mkdir(parents=True)
    replace(card, name=f"{name}@{number}").save(home / cards / number)


def remove(library: Path, folder: Path) -> None:
    """Take a version away for good; its segments stay. Raises UsageError."""
    gone = folder.parent / new_part()  # as what is half written: it is swept away later if need be
    try:
        os.rename(folder, gone)
    except OSError as error:
        label = version_label(folder)
        raise UsageError(f"{label} cannot be deleted ({error.strerror or error}); close what uses it") from error
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # fails, as it should, where there are other versions
    _update_catalogue(library, f"models/{folder.parent.name}/{folder.name}", None, "")


def export(folder: Path, target: Path) -> Path:
    """Write a version into one file; the file, whose name gets our ending where it has none of an archive. A file that
    is there under the given name is replaced. Raises UsageError, CardError where the version is damaged."""
    ModelCard.load(folder)
    if target.suffix != ".zip":
        target = _with_ending(target)
    try:
        with atomic_write(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in _LIMITS:
                if (folder / name).is_file():
                    archive.write(folder / name, f"{version_label(folder)}/{name}")
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror or error}); choose another place") from error
    return target


def _with_ending(target: Path) -> Path:
    """A name that nobody has typed: no file of that name is replaced."""
    if not target.name:
        raise UsageError(f"{target} is a folder; give the name of a file in it")
    made = target.with_name(target.name + ENDING)
    try:
        taken = made.exists()
    except OSError:  # which writing meets, and tells
        taken = False
    if taken:
        raise UsageError(f"{made} is already there; choose another name, or give this one in full to replace it")
    return made


def import_model(library: Path, source: Path) -> Path:
    """Make an exported file, or a folder with model.onnx and card.json, the next version of its name; its folder.

    Raises UsageError where it is neither, CardError where it is damaged.
    """
    try:
        if source.is_dir():
            return _place(library, source)
        with tempfile.TemporaryDirectory(prefix="actionlens-import-", ignore_cleanup_errors=True) as folder:
            _unpack(source, Path(folder))
            return _place(library, Path(folder))
    except OSError as error:
        raise UsageError(
            f"{source} cannot be imported ({error.strerror or error}); make room or choose again"
        ) from error


def _place(library: Path, folder: Path) -> Path:
    card = ModelCard.load(folder)
    name = plain_name(card.name.partition("@")[0])
    name = f"{name[:43]}-mine" if name in shipped_models() else name

    def fill(target: Path) -> None:
        for each in _LIMITS:
            if (folder / each).is_file():
                shutil.copyfile(folder / each, target / each)

    return place_version(models_folder(library), name, new_part(), fill)


def _unpack(source: Path, folder: Path) -> None:
    """The files that we know, whatever the folder in the archive is called."""
    try:
        with zipfile.ZipFile(source) as archive:
            found = {Path(member.filename).name: member for member in archive.infolist() if not member.is_dir()}
            if not {CARD_FILE, MODEL_FILE} <= found.keys():
                raise UsageError(f"{source} holds no recognizer; choose a file that was exported here, or a folder")
            for name, limit in _LIMITS.items():
                if name in found:
                    if found[name].file_size > limit:
                        raise UsageError(f"{source}: {name} is too large; expected at most {limit} bytes")
                    with archive.open(found[name]) as packed, (folder / name).open("wb") as unpacked:
                        shutil.copyfileobj(packed, unpacked)
    except BROKEN as error:
        if isinstance(error, OSError):
            raise
        raise UsageError(f"{source} is not a readable archive; choose a file that was exported here") from error


def _update_catalogue(library: Path, folder: str, name: str | None, new_folder: str) -> None:
    """In the library's catalogue, where the version is noted there; a library that is open elsewhere is left alone."""
    from app.library.shared_library import shared  # it loads SQLite

    with contextlib.suppress(ActionLensError), shared(library) as catalogue:
        noted = [model for model in catalogue.models() if model.folder == folder]
        if catalogue.read_only:
            return
        for model in noted:
            catalogue.remove_model(model.name)
            if name is not None:
                catalogue.add_model(replace(model, name=name, folder=new_folder))
