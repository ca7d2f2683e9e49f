"""A recording as an MP4 with skeletons and the labelled actions drawn in."""

import threading
from pathlib import Path

from app.errors import OutputError
from app.library.catalogue import Library
from app.library.export_formats import Export
from app.library.import_report import ImportProgress, Tell
from app.library.pictures import drawn, video_pictures
from app.library.rows import RecordingRow
from app.outputs.video_writer import VideoWriter
from app.plurals import counted


def write(export: Export) -> str:
    """A video of each recording into a folder; see exporting.ExportFormat."""
    folder, count = export.target, len(export.recordings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write into {folder} ({error.strerror}); choose another place") from error
    for done, row in enumerate(export.recordings):
        if export.cancel is not None and export.cancel.is_set():
            return counted(done, "video")

        def part(progress: ImportProgress, done: int = done) -> None:
            if export.tell is not None:
                share = progress.done / max(progress.total, 1)
                export.tell(ImportProgress(done + share, count, progress.name))

        export_video(export.library, row, folder / f"{row.id}.mp4", tell=part, cancel=export.cancel)
    return counted(count, "video")


def export_video(
    library: Library,
    row: RecordingRow,
    file: Path,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Write one recording with its own times; how many frames. Without pixels the background is dark.

    Raises OutputError, and RecordingError where the recording cannot be read. cancel leaves what was written so far.
    """
    recording = library.open_recording(row.id)
    segments = library.segments_in(row.id)
    writer = VideoWriter(file, lossless=True)
    try:
        for index, bgr in enumerate(video_pictures(recording)):
            if cancel is not None and cancel.is_set():
                break
            writer.write(drawn(recording, index, bgr, segments), float(recording.times_s[index]))
            if tell is not None and index % 30 == 0:
                tell(ImportProgress(index, len(recording.times_s), row.source))
    finally:
        writer.close()
    return writer.written
