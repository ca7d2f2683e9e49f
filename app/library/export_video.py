"""A recording as an MP4 with skeletons and the labelled actions drawn in."""

import threading
from pathlib import Path

from app.library.catalogue import Library
from app.library.importing import ImportProgress, Tell
from app.library.pictures import drawn, video_pictures
from app.library.types import Filter, RecordingRow
from app.video_writer import VideoWriter


def export_video(
    library: Library,
    row: RecordingRow,
    file: Path,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Write one recording with its own times; how many frames. Without pixels the ground is dark.

    Raises OutputError, and RecordingError where the recording cannot be read. cancel leaves what was written so far.
    """
    recording = library.open_recording(row.id)
    clips = library.clips(Filter(recording=row.id), limit=-1)
    writer = VideoWriter(file, lossless=True)
    try:
        for place, bgr in enumerate(video_pictures(recording)):
            if cancel is not None and cancel.is_set():
                break
            writer.write(drawn(recording, place, bgr, clips), float(recording.times_s[place]))
            if tell is not None and place % 30 == 0:
                tell(ImportProgress(place, len(recording.times_s), row.source))
    finally:
        writer.close()
    return writer.written
