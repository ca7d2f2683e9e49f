"""What the Teach dialog reads of a library and writes into it, on the threads of its jobs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.labels import label_key
from app.library.rows import Model
from app.library.shared_library import shared
from app.models import find
from app.names_in_text import action_in_text
from pose.errors import ActionLensError
from recognizer.errors import CardError
from recognizer.model_card import find_model, shipped_models
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.metrics import TEST
from recognizer.teaching.versions import TaughtModel, taught_model, taught_models, version_label, versions

Files = tuple[tuple[str, int, int], ...]

TAKES = "takes"  # the queue of jobs that change takes, and of those that read what is taught with them


@dataclass(frozen=True, slots=True)
class LibrarySummary:
    """What the library has to teach with. counts: of labelled segments by action, "nothing" among them. seen: what its
    files looked like when it was read. tests: names of the segments in the test part of each split that has one."""

    counts: dict[str, int]
    models: tuple[TaughtModel, ...]
    seen: Files
    tests: dict[str, tuple[str, ...]]


def base_model(root: Path, model: str) -> Path:
    """The base recognizer to teach on: the running one if it is shipped, else the base of the running one, else AcT."""
    shipped = shipped_models()
    name = model if model in shipped else taught_model(folder_of(root, model)).base
    return shipped[name] if name in shipped else find_model("act")


def folder_of(root: Path, model: str) -> Path:
    """The folder of a recognizer that runs, given as on the command line; one that is gone has still its path."""
    try:
        return find(model, root)
    except CardError:
        return Path(model)


def running_model(root: Path, model: str) -> str:
    """The running recognizer as a folder, to compare with those of taught ones; a shipped one keeps its name."""
    return model if model in shipped_models() else str(folder_of(root, model))


def previous_model(root: Path, model: str) -> str | None:
    """What to go back to from a taught recognizer: its previous version, else its base; None for any other."""
    folder = folder_of(root, model)
    if folder.parent.parent != root / "models":
        return None
    numbers = versions(root / "models", folder.parent.name)
    older = [number for number in numbers if folder.name.isdecimal() and number < int(folder.name)]
    return str(folder.parent / str(older[-1])) if older else str(base_model(root, model))


def short_name(root: Path, model: str) -> str:
    """A recognizer's name on a button."""
    folder = folder_of(root, model)
    return version_label(folder) if folder.parent.parent == root / "models" else folder.name


def files_of(root: Path) -> Files:
    """Of the catalogue, its journal and the folder of recordings: name, time and size; what changes with segments."""
    found = []
    for path in (*sorted(root.glob("library.sqlite*")), root):
        try:
            status = path.stat()
        except OSError:
            continue
        if not path.name.endswith("-shm"):
            found.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(found)


@contextmanager
def _opened(root: Path) -> Iterator[Library]:
    """The library, shared with the other windows, with what was recorded since it was opened."""
    with shared(root) as library:
        if not library.read_only:
            library.refresh()
        yield library


def read(root: Path) -> LibrarySummary:
    """What there is now. Raises LibraryError."""
    with _opened(root) as library:
        counts, tests = _counts(library), _tests(library)
    return LibrarySummary(counts, tuple(taught_models(root / "models")), files_of(root), tests)


def _counts(library: Library) -> dict[str, int]:
    return {named.name: named.segments for named in library.names("action") if named.segments}


def _tests(library: Library) -> dict[str, tuple[str, ...]]:
    tests = {}
    for name, parts in library.splits().items():
        segments = library.segments_of([segment for segment, part in parts.items() if part == TEST])
        if segments:
            tests[name] = tuple(segment.name for segment in segments)
    return tests


def examples_of(root: Path, actions: Sequence[str]) -> list[Example]:
    """The examples of actions, and the footage of nothing. Raises LibraryError, also where an action is gone."""
    with _opened(root) as library:
        there = {label_key(named.name) for named in library.names("action") if named.segments}
        if gone := next((action for action in actions if label_key(action) not in there), None):
            raise LibraryError(f"there are no examples of {action_in_text(gone)} any more: train again without it")
        return library.examples([*actions, NOTHING])


def register_model(root: Path, model: Model) -> LibrarySummary:
    """Store which examples the model was trained on. A read-only library stays unchanged: the model also has its
    clips.json."""
    with _opened(root) as library:
        if not library.read_only:
            try:
                library.add_model(model)
            except ActionLensError as error:
                library.notes.append(str(error))
    return read(root)
