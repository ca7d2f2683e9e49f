"""The names given to takes, for completion: can be read while another process has the library open."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from app.errors import RecordingError
from app.library import queries
from app.library.database import FILE, DamagedError, Database
from app.library.errors import LibraryError
from app.library.labels import label_key
from app.library.rows import Named
from app.recording.folder import INFO_FILE, RecordingInfo, parse_info, recording_folders


def take_names(root: Path) -> tuple[list[Named], list[Named]]:
    """Actions and people with the number of their segments; recordings that are not entered yet count as one each."""
    actions: list[Named] = []
    people: list[Named] = []
    entered: set[str] = set()
    if (root / FILE).is_file():
        try:
            with closing(Database(root / FILE, read_only=True)) as database:
                actions, people = queries.named(database, "action"), queries.named(database, "person")
                entered = {row["id"] for row in database.rows("SELECT id FROM recordings")}
        except (DamagedError, LibraryError):
            entered = set()  # it is mended when it is opened
    new = [info for folder in recording_folders(root) if folder.name not in entered if (info := _info(folder))]
    return _add_counts(actions, [info.action for info in new]), _add_counts(people, [info.person for info in new])


def _info(folder: Path) -> RecordingInfo | None:
    path = folder / INFO_FILE
    try:
        return parse_info(path.read_bytes(), path)
    except (OSError, RecordingError):
        return None


def _add_counts(known: Sequence[Named], more: Sequence[str]) -> list[Named]:
    counts = Counter(label_key(name) for name in more)
    found = [replace(named, segments=named.segments + counts.pop(label_key(named.name), 0)) for named in known]
    new = {label_key(name): name for name in more if name and label_key(name) in counts}
    return found + [Named(name, counts[key]) for key, name in new.items()]
