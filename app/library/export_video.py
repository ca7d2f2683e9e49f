"""A recording as an MP4 with skeletons and the labelled actions drawn in."""

import os
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from app.errors import OutputError, RecordingError
from app.library.catalogue import Library
from app.library.export_formats import Export, left_out, refuse_nothing
from app.library.import_report import ImportProgress, Tell
from app.library.pictures import drawn, video_pictures
from app.library.rows import RecordingRow
from app.outputs.video_writer import VideoWriter
from app.plurals import counted


def write(export: Export) -> str:
    """A video of each recording into a folder; see exporting.ExportFormat."""
    folder, count, written = export.target, len(export.recordings), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write into {folder} ({error.strerror}); choose another place") from error
    for done, row in enumerate(export.recordings):
        if export.cancel is not None and export.cancel.is_set():
            break

        def part(progress: ImportProgress, done: int = done) -> None:
            if export.tell is not None:
                share = progress.done / max(progress.total, 1)
                export.tell(ImportProgress(done + share, count, progress.name))

        try:
            frames = export_video(export.library, row, folder / f"{row.id}.mp4", tell=part, cancel=export.cancel)
            written += frames is not None
        except RecordingError as error:
            export.problems.append(left_out(row.id, error))
    refuse_nothing(len(export.recordings) - len(export.problems), export.problems)
    return counted(written, "video")


def export_video(
    library: Library,
    row: RecordingRow,
    file: Path,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> int | None:
    """Write one recording with its own times; how many frames. Without pixels the background is dark.

    None where it was cancelled: like after an error, there is no part of a video then, and a file that was there stays.
    Raises OutputError, and RecordingError where the recording cannot be read.
    """
    recording = library.open_recording(row.id)
    segments = library.segments_in(row.id)
    try:
        with TemporaryDirectory(dir=file.parent, prefix=".", ignore_cleanup_errors=True) as place:
            whole = Path(place, file.name)
            with closing(VideoWriter(whole, lossless=True)) as writer:
                for index, bgr in enumerate(video_pictures(recording)):
                    if cancel is not None and cancel.is_set():
                        return None
                    writer.write(drawn(recording, index, bgr, segments), float(recording.times_s[index]))
                    if tell is not None and index % 30 == 0:
                        tell(ImportProgress(index, len(recording.times_s), row.source))
            os.replace(whole, file)
    except (OSError, OutputError) as error:
        # The writer's own message names the part of a video that it has kept, which is gone now.
        cause = error.__cause__ or error.__context__ or error
        why = getattr(cause, "strerror", None) or cause
        raise OutputError(f"cannot write {file} ({why}); make room or choose another place") from error
    return writer.written
