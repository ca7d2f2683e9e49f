"""Export of clips and recordings in any of the formats, with progress and cancel."""

import threading
from collections.abc import Sequence
from pathlib import Path

from app.errors import OutputError
from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.export_coco import export_coco
from app.library.export_video import export_video
from app.library.importing import ImportProgress, Tell
from app.library.pyskl_files import export_pyskl
from app.library.table_files import export_tables
from app.library.types import ClipRow, RecordingRow
from app.plurals import counted


def export_any(
    library: Library,
    format: str,
    target: Path,
    clips: Sequence[ClipRow],
    recordings: Sequence[RecordingRow],
    *,
    pictures: bool = False,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> str:
    """Write clips ("pyskl") or recordings (all others); what was written, in words. pictures: in tables.

    Raises LibraryError where there is nothing to write, OutputError, and RecordingError.
    """
    if not recordings:
        raise LibraryError("nothing in the library is like that; look at the names of actions, people and sessions")
    if format == "pyskl":
        return counted(export_pyskl(library, clips, target), "clip")
    if format == "tables":
        written = export_tables(library, recordings, target, pictures=pictures)
        return f"{counted(written, 'clip')} of {counted(len(recordings), 'recording')}"
    if format == "coco":
        return counted(export_coco(library, recordings, target), "pose")
    return counted(_export_videos(library, recordings, target, tell, cancel), "video")


def _export_videos(
    library: Library,
    recordings: Sequence[RecordingRow],
    folder: Path,
    tell: Tell | None,
    cancel: threading.Event | None,
) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write into {folder} ({error.strerror}); choose another place") from error
    for done, row in enumerate(recordings):
        if cancel is not None and cancel.is_set():
            return done

        def part(progress: ImportProgress, done: int = done) -> None:
            if tell is not None:
                share = progress.done / max(progress.total, 1)
                tell(ImportProgress(done + share, len(recordings), progress.name))

        export_video(library, row, folder / f"{row.id}.mp4", tell=part, cancel=cancel)
    return len(recordings)
