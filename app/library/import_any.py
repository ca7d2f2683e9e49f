"""Import of anything a user points at, by detected format."""

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.library.archives import is_archive, unpack
from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.import_data import import_data_set
from app.library.import_report import ImportOptions, ImportReport, Tell, refused
from app.library.import_videos import import_videos, videos_in
from app.library.pyskl_files import import_pyskl
from app.library.table_files import import_tables
from pose.errors import ActionLensError
from pose.folders import is_leftover
from recognizer.datasets.library_exports import is_tables
from recognizer.datasets.registry import DATASETS, dataset_in

FORMATS = ("videos", "pyskl", "tables", *sorted(DATASETS))
_PICKLES = (".pkl", ".pickle")
_NAMED = 3  # of the files that are left out


def import_any(
    library: Library,
    paths: Sequence[Path],
    options: ImportOptions | None = None,
    *,
    format: str | None = None,
    pose_model: Path | None = None,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Videos, folders of them, data sets, PYSKL pickles, exported tables, or archives of any of these.

    format: one of FORMATS; by default pickles, tables and most data sets are recognised and all else is taken for
    videos. What cannot be imported is a line of the report. Raises LibraryError, DataError or PoseModelError where that
    is all that there is to tell.
    """
    if format is not None and format not in FORMATS:
        raise LibraryError(f"there is no format called {format}; choose one of {', '.join(FORMATS)}")
    report = ImportReport()
    videos: list[Path] = []
    failed: list[ActionLensError] = []
    with _workplace(library.staging()) as folder:
        for number, path in enumerate(paths):
            with _noting(failed, path):
                place = _unpacked(path, Path(folder) / str(number))
                kind = format or _kind(place)
                if kind == "videos":
                    videos.append(place)
                    report.problems += [] if format else _left_out(path, place)
                elif kind == "pyskl":
                    _add(report, import_pyskl(library, _pickle(place), options, tell=tell, cancel=cancel))
                elif kind == "tables":
                    _add(report, import_tables(library, place, tell=tell, cancel=cancel))
                else:
                    _add(report, import_data_set(library, kind, place, options, tell=tell, cancel=cancel))
        if videos and not report.cancelled:
            with _noting(failed, videos[0]):
                _add(report, import_videos(library, videos, options, pose_model=pose_model, tell=tell, cancel=cancel))
    if len(failed) == 1 and report == ImportReport():
        raise failed[0]
    report.problems += [str(error) for error in failed]
    return report


def _workplace(staging: Path) -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(dir=staging, ignore_cleanup_errors=True)
    except OSError as error:
        fix = "make room, or check its permissions"
        raise LibraryError(f"{staging} cannot be written ({error.strerror}); {fix}") from error


@contextmanager
def _noting(failed: list[ActionLensError], path: Path) -> Iterator[None]:
    """One part of an import: if it fails, the others go on, and what they brought in is reported."""
    try:
        yield
    except ActionLensError as error:
        failed.append(error)
    except OSError as error:
        failed.append(refused(path, error))


def _unpacked(path: Path, folder: Path) -> Path:
    """What is to be imported: the path itself, or the content of the archive that it is. folder: a new one."""
    if not is_archive(path):
        return path
    inside = folder / path.name.partition(".")[0]
    inside.mkdir(parents=True)
    unpack(path, inside)
    return _only_folder(inside)


def _kind(path: Path) -> str:
    if not path.is_dir():
        return "pyskl" if path.suffix.lower() in _PICKLES else "videos"
    if is_tables(path):
        return "tables"
    pickles = [] if videos_in(path, []) else _pickles(path)
    if len(pickles) == 1:
        return "pyskl"
    dataset = dataset_in(path)
    if dataset is not None:
        return dataset.name
    return "pyskl" if pickles else "videos"


def _left_out(given: Path, place: Path) -> list[str]:
    """A line for pickles and archives among the videos of a folder; given: what the user calls it."""
    if not (place.is_dir() and videos_in(place, [])):
        return []
    names = [path.relative_to(place).as_posix() for path in sorted(place.rglob("*")) if _is_other_kind(path, place)]
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{given}: {', '.join(names[:_NAMED])}{more} left out beside the videos; import each of them by itself"]


def _is_other_kind(path: Path, top: Path) -> bool:
    is_kind = path.suffix.lower() in _PICKLES or is_archive(path)
    return is_kind and path.is_file() and not is_leftover(path.relative_to(top))


def _pickle(path: Path) -> Path:
    """The pickle itself, or the only one in a folder."""
    found = _pickles(path) if path.is_dir() else [path]
    if len(found) != 1:
        raise LibraryError(f"{len(found)} pickles (*.pkl) in {path}; give one file")
    return found[0]


def _pickles(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if file.suffix.lower() in _PICKLES and not is_leftover(Path(file.name))
    )


def _only_folder(folder: Path) -> Path:
    """Down to where the content of an archive begins."""
    while len(inside := list(folder.iterdir())) == 1 and inside[0].is_dir():
        folder = inside[0]
    return folder


def _add(report: ImportReport, more: ImportReport) -> None:
    report.recordings += more.recordings
    report.problems += more.problems
    report.copies += more.copies
    report.cancelled = report.cancelled or more.cancelled
