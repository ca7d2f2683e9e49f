"""Export of segments and recordings: a table of formats, each with its own writer module."""

import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import OutputError, RecordingError
from app.library.errors import LibraryError
from app.library.rows import Filter, RecordingRow, SegmentRow
from app.recording.folder import Recording

if TYPE_CHECKING:
    from app.library.catalogue import Library
    from app.library.import_report import Tell


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """What is to be written, and where: the segments, and the recordings that they are of. pictures: with the videos,
    where the format can have them. problems: gets a line for each recording that cannot be read and is left out."""

    library: "Library"
    target: Path
    segments: Sequence[SegmentRow]
    recordings: Sequence[RecordingRow]
    pictures: bool = False
    tell: "Tell | None" = None
    cancel: threading.Event | None = None
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """description: for people. writer: "module:function" of an Export to what was written, in words; it is
    loaded when it is used. It raises OutputError, and RecordingError where none of the recordings can be read.
    ending: of its file; "" where the target is a folder."""

    name: str
    description: str
    writer: str
    ending: str = ""

    def write(self, export: Export) -> str:
        """What was written, in words. Raises LibraryError if there is nothing to write, and what the writer raises."""
        if not export.recordings:
            raise LibraryError(_why_nothing(export.library))
        if self.ending and _is_folder(export.target):
            raise OutputError(f"{export.target} is a folder; give the name of a file in it")
        if not self.ending and _is_file(export.target):
            raise OutputError(f"{export.target} is a file; give the name of a new folder")
        module, _, function = self.writer.partition(":")
        written: str = getattr(importlib.import_module(module), function)(export)
        return written


def opened(library: "Library", recording: str, problems: list[str] | None) -> Recording | None:
    """A recording; None where it cannot be read, with a line among the problems. Without a list for them,
    RecordingError."""
    try:
        return library.open_recording(recording)
    except RecordingError as error:
        if problems is None:
            raise
        if (line := left_out(recording, error)) not in problems:
            problems.append(line)
        return None


def left_out(recording: str, error: RecordingError) -> str:
    """The line for a recording that cannot be read."""
    return f"{recording} is left out: {error}"


def refuse_nothing(readable: int, problems: Sequence[str] | None) -> None:
    """Raise RecordingError where none of the recordings could be read."""
    if not readable and problems:
        raise RecordingError(problems[0])


def _why_nothing(library: "Library") -> str:
    """Why there is nothing to write, and what can be done."""
    if not library.count_recordings(Filter(deleted=None)):
        return "the library is empty; record or import something first"
    if not library.count_recordings():
        return "all recordings are in the bin; restore some, or select them there"
    return "nothing in the library matches; check the names of actions, people and sessions"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # which writing meets, and tells
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # which writing meets, and tells
        return False


FORMATS = {
    each.name: each
    for each in (
        ExportFormat(
            "pyskl", "labelled segments as a pickle that PYSKL reads", "app.library.pyskl_files:write", ".pkl"
        ),
        ExportFormat("tables", "recordings and labels as CSV, joints as NPZ", "app.library.table_files:write"),
        ExportFormat("coco", "every pose as JSON in COCO's style", "app.library.export_coco:write", ".json"),
        ExportFormat("video", "each recording as an MP4 with skeletons and labels", "app.library.export_video:write"),
    )
}
