"""Export of segments and recordings: a table of formats, each with its own writer module."""

import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import OutputError
from app.library.errors import LibraryError
from app.library.rows import Filter, RecordingRow, SegmentRow

if TYPE_CHECKING:
    from app.library.catalogue import Library
    from app.library.import_report import Tell


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """What is to be written, and where: the segments, and the recordings that they are of. pictures: with the videos,
    where the format can have them."""

    library: "Library"
    target: Path
    segments: Sequence[SegmentRow]
    recordings: Sequence[RecordingRow]
    pictures: bool = False
    tell: "Tell | None" = None
    cancel: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """description: for people. writer: "module:function" of an Export to what was written, in words; it is
    loaded when it is used. It raises OutputError, and RecordingError where a recording cannot be read.
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
