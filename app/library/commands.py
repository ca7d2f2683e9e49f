"""python -m app.library COMMAND: import, export, check or rebuild a library without the window.

Exit status: 0 done, 1 done but for what stderr names line by line, 2 a mistake that one line explains, 130 Ctrl-C.
"""

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import RecordingError
from app.interrupt import STATUS, Interrupt
from app.library.catalogue import Library
from app.library.catalogue_file import put_aside
from app.library.database import FILE
from app.library.edit_operations import PARTS
from app.library.errors import LibraryError
from app.library.export_formats import FORMATS, Export
from app.library.import_report import ImportOptions, ImportProgress
from app.library.rows import Filter
from app.library.video_poses import BACKENDS
from app.plurals import counted
from app.recording.folder import library_root, recordings_folder
from app.writer_lock import WriterLock
from pose.address import public_source
from pose.arguments import Parser, error_line
from pose.errors import ActionLensError
from pose.estimators import AUTO, ESTIMATORS, MAX_PEOPLE

DONE, INCOMPLETE, USER_ERROR = 0, 1, 2
Command = Callable[[argparse.Namespace, threading.Event], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    command: Command = options.command
    try:
        with Interrupt() as interrupt:
            status = command(options, interrupt.requested)
            return STATUS if interrupt.requested.is_set() else status
    except ActionLensError as error:
        sys.stderr.write(f"{error_line(error)}\n")
        return USER_ERROR
    except KeyboardInterrupt:
        return STATUS


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m app.library", description=__doc__)
    parser.add_argument("--root", type=Path, default=library_root(), help="the library's folder (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_import(commands.add_parser("import", help="videos, folders of them, data sets, pickles, tables, archives"))
    _add_export(commands.add_parser("export", help="segments and recordings in formats of other programs"))
    check = commands.add_parser("check", help="read everything and report problems")
    check.set_defaults(command=_check)
    rebuild = commands.add_parser("rebuild", help="rebuild the catalogue from the recordings' folders")
    rebuild.set_defaults(command=_rebuild)
    return parser


def _add_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="+", type=Path, metavar="PATH")
    add("--format", metavar="NAME", help="what it is: videos, pyskl, tables, or a data set as the training names it")
    label = parser.add_mutually_exclusive_group()
    label.add_argument("--action", default="", help="the action that everything shows")
    label.add_argument("--action-from-folder", action="store_true", help="take a video's action from its folder's name")
    add("--person", default="", help="the person whom everything shows")
    add("--session", default="", help="the session in which everything was recorded")
    add("--skeleton-only", action="store_true", help="keep no pixels")
    add("--people", type=int, default=1, metavar="N", help=f"people to track in a video, 1 to {MAX_PEOPLE}")
    add("--pose", choices=(AUTO, *ESTIMATORS), default=AUTO, help="the pose estimator (default: %(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="videos at a time (default: %(default)s)")
    add("--backend", choices=BACKENDS, default="local", help="where poses are found; ray: on the cluster of `ray`")
    add("--pose-model", type=Path, metavar="FILE", help="a Pose Landmarker bundle (.task) instead of the built-in one")
    parser.set_defaults(command=_import)


def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("format", choices=FORMATS, help="; ".join(f"{each.name}: {each.description}" for each in FORMATS.values()))
    folders = " and ".join(each.name for each in FORMATS.values() if not each.ending)
    add("target", type=Path, help=f"a file, or a folder for {folders}")
    for name, what in (("action", "action"), ("person", "person"), ("session", "session"), ("recording", "recording")):
        add(f"--{name}", help=f"only this {what}")
    add("--split", help="only segments of this split")
    add("--part", choices=PARTS, help="only segments of this part of the split")
    add("--pictures", action="store_true", help="tables: with the videos")
    parser.set_defaults(command=_export)


def _import(options: argparse.Namespace, cancel: threading.Event) -> int:
    from app.library.import_any import import_any

    chosen = ImportOptions(
        action=options.action,
        action_from_folder=options.action_from_folder,
        who=options.person,
        session=options.session,
        skeleton_only=options.skeleton_only,
        people=options.people,
        pose=options.pose,
        jobs=options.jobs,
        backend=options.backend,
    )
    if not any(map(os.path.exists, options.paths)):  # before a library is made for nothing
        raise LibraryError(f"{public_source(str(options.paths[0]))} does not exist; check the name")
    with _opened(options.root) as library:
        line = _ProgressLine()
        report = import_any(
            library,
            options.paths,
            chosen,
            format=options.format,
            pose_model=options.pose_model,
            tell=line,
            cancel=cancel,
        )
        line.end()
    for problem in (*report.problems, *report.copies):
        sys.stderr.write(f"{problem}\n")
    copies = f", {len(report.copies)} skipped: already in the library" if report.copies else ""
    sys.stdout.write(f"{counted(len(report.recordings), 'recording')} imported into {options.root}{copies}\n")
    return INCOMPLETE if report.problems else DONE


def _export(options: argparse.Namespace, cancel: threading.Event) -> int:
    if options.part is not None and options.split is None:
        raise LibraryError("--part is of a split; name it with --split, too")
    names = (options.action, options.person, options.session, options.recording)
    chosen = Filter(*names, split=options.split, part=options.part)
    with _existing(options.root) as library:
        line = _ProgressLine()
        segments, recordings = library.segments(chosen, limit=-1), library.recordings(chosen, limit=-1)
        export = Export(library, options.target, segments, recordings, options.pictures, line, cancel)
        done = FORMATS[options.format].write(export)
        line.end()
    for problem in export.problems:
        sys.stderr.write(f"{problem}\n")
    sys.stdout.write(f"{done} written to {options.target}\n")
    return INCOMPLETE if export.problems else DONE


def _check(options: argparse.Namespace, cancel: threading.Event) -> int:
    with _existing(options.root) as library:
        problems = len(library.notes) - int(library.read_only)  # one note says that it is read-only
        rows = library.recordings(limit=-1)
        for row in rows:
            if cancel.is_set():
                break
            try:
                library.open_recording(row.id)
            except RecordingError as error:
                problems += 1
                sys.stderr.write(f"{error}\n")
        counts = _counts(len(rows), library.count_segments()) + f", {counted(len(library.names('action')), 'action')}"
    sys.stdout.write(f"{counts}: {counted(problems, 'problem') if problems else 'no problems'}\n")
    return INCOMPLETE if problems else DONE


def _rebuild(options: argparse.Namespace, cancel: threading.Event) -> int:
    _refuse_nowhere(options.root)
    lock = WriterLock(options.root)
    try:
        if not lock.take():
            raise LibraryError(f"the library is open in {lock.owner()}; close it there first")
        kept = put_aside(options.root)
    except OSError as error:
        raise LibraryError(f"{options.root} cannot be written ({error.strerror}); check its permissions") from error
    finally:
        lock.release()
    with _opened(options.root) as library:
        counts = _counts(library.count_recordings(), library.count_segments())
        told = bool(library.notes)
    sys.stdout.write(f"rebuilt from the folders: {counts}{f'; the old one is {kept.name}' if kept else ''}\n")
    return INCOMPLETE if told else DONE


def _existing(root: Path) -> Library:
    """A library that is there: none is made where there is only a mistake in its name."""
    _refuse_nowhere(root)
    return _opened(root)


def _refuse_nowhere(root: Path) -> None:
    try:
        there = (root / FILE).is_file() or recordings_folder(root).is_dir()
    except OSError as error:
        raise LibraryError(f"{root} cannot be read ({error.strerror}); check --root") from error
    if not there:
        raise LibraryError(f"there is no library in {root}; check --root")


def _opened(root: Path) -> Library:
    library = Library(root)
    for note in library.notes:
        sys.stderr.write(f"{note}\n")
    return library


class _ProgressLine:
    """One line on a terminal that is written over; nothing where stderr is none."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, progress: ImportProgress) -> None:
        if self._shown:
            of_all = f" of {progress.total}" if progress.total else ""
            sys.stderr.write(f"\r\x1b[K{progress.done:.1f}{of_all} {progress.name[:60]}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")


def _counts(recordings: int, segments: int) -> str:
    return f"{counted(recordings, 'recording')}, {counted(segments, 'segment')}"
