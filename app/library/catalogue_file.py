"""Opening a catalogue: created if there is none, rebuilt if it is damaged, and tidied after a kill."""

import contextlib
import os
import shutil
from pathlib import Path

from app.library import untracked_recordings
from app.library.database import FILE, DamagedError, Database
from app.library.edits import WHOLE_TABLES, Edit, mark_unwritten
from app.library.errors import LibraryError, NewerError
from app.library.label_files import set_aside
from app.recording.folder import recording_folders, recordings_folder

STAGING = "importing"  # ROOT/importing: recordings on their way in
_SIDES = ("", "-wal", "-shm")


def open_catalogue(root: Path, notes: list[str], *, read_only: bool) -> Database:
    """The catalogue of a library; what had to be done for it becomes lines in notes. Raises LibraryError."""
    path = root / FILE
    if read_only:
        try:
            return Database(path, read_only=True)
        except DamagedError as error:
            raise LibraryError(f"{path} is damaged ({error}); close the library elsewhere, then open it here") from None
    try:
        if path.exists():
            return Database(path)
    except DamagedError as error:
        kept = _set_aside(path)
        notes.append(f"the catalogue was damaged ({error}) and is being rebuilt; the old one is {kept.name}")
    return rebuild(root, notes)


def rebuild(root: Path, notes: list[str]) -> Database:
    """A catalogue made of the folders, which gets its name only when it is whole. Raises LibraryError."""
    path = root / FILE
    temporary = path.with_name(f"{path.name}.new")
    _remove(temporary)
    database = Database(temporary, create=True)
    try:
        with database.transaction() as connection:
            edit = Edit(connection)
            whole = untracked_recordings.enter_whole(edit, root, notes)
            ids: dict[str, int] = {}
            for folder in recording_folders(root):
                untracked_recordings.adopt(connection, folder, notes, ids=ids)
            untracked_recordings.enter_splits(edit, whole, ids, notes)
            untracked_recordings.enter_models(edit, whole, ids)
            mark_unwritten(connection, [change for change in edit.changes if change[0] in WHOLE_TABLES])
    finally:
        database.close()  # which moves everything into the one file
    _remove(path)
    os.replace(temporary, path)
    return Database(path)


def refusal(root: Path) -> str:
    """Why nothing may be recorded into a library, in one line; "" where it may.

    One that is open elsewhere takes recordings: they are folders of their own, which are entered when it is opened.
    """
    there = next(path for path in (root, *root.parents) if path.exists())
    if not os.access(there, os.W_OK):
        return f"{root} cannot be written: nothing can be recorded there; check its permissions"
    if (root / FILE).is_file():
        try:
            Database(root / FILE, read_only=True).close()
        except NewerError as error:
            return str(error)
        except (DamagedError, LibraryError):
            return ""  # it is repaired, or told, when it is opened
    return ""


def put_aside(root: Path) -> Path | None:
    """Take the catalogue away, so that the next opening makes it again; where it is kept. Raises OSError."""
    path = root / FILE
    return _set_aside(path, "old") if path.exists() else None


def make_staging(root: Path) -> Path:
    """The folder for imports, which may be there already. Raises LibraryError."""
    folder = root / STAGING
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        taken = isinstance(error, FileExistsError)
        fix = "rename the file of that name" if taken else "make room, or check its permissions"
        raise LibraryError(f"{folder} cannot be made ({error.strerror}); {fix}") from error
    return folder


def tidy(root: Path, notes: list[str]) -> None:
    """Remove what an import left that was killed, and complete recordings that were."""
    shutil.rmtree(root / STAGING, ignore_errors=True)
    if any(recordings_folder(root).glob(".*.part")):
        from app.recording.writer import recover  # it loads the video libraries

        notes += [found.message for found in recover(root)]


def _set_aside(path: Path, why: str = "damaged") -> Path:
    """The file and what SQLite keeps beside it, under names that nothing overwrites."""
    kept = set_aside(path, why)
    for side in _SIDES[1:]:
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{side}", f"{kept}{side}")
    return kept


def _remove(path: Path) -> None:
    for side in _SIDES:
        Path(f"{path}{side}").unlink(missing_ok=True)
