"""Recordings as JSON in the style of COCO's keypoint annotations (Lin et al., ECCV 2014).

An image for every frame, an annotation for every pose with its identity as track_id, and, beyond COCO, a list `clips`
of labelled segments. Visibility: 0 not seen, 1 guessed (confidence under a half), 2 seen.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from app.errors import OutputError
from app.library.catalogue import Library
from app.library.export_formats import Export, opened, refuse_nothing
from app.library.rows import RecordingRow, SegmentRow
from app.plurals import counted
from app.recording.folder import Recording
from pose.skeleton import LAYOUTS, Layout
from pose.whole_file import atomic_write

_SEEN = 0.5


def write(export: Export) -> str:
    """See exporting.ExportFormat."""
    poses = export_coco(export.library, export.recordings, export.target, export.segments, export.problems)
    return counted(poses, "pose")


def export_coco(
    library: Library,
    recordings: Sequence[RecordingRow],
    file: Path,
    segments: Sequence[SegmentRow] | None = None,
    problems: list[str] | None = None,
) -> int:
    """Write recordings, one after the other; how many poses. segments: those in `clips`; None for all that the
    recordings have. problems: as export_formats.opened. Raises OutputError, and RecordingError."""
    recordings = [row for row in recordings if opened(library, row.id, problems) is not None]
    refuse_nothing(len(recordings), problems)
    layouts = sorted({row.layout for row in recordings})
    first_image = np.cumsum([1, *(row.frames for row in recordings)]).tolist()
    poses = 0

    def annotations() -> Iterator[dict[str, Any]]:
        nonlocal poses
        for row, first in zip(recordings, first_image, strict=False):
            recording = library.open_recording(row.id)
            category = layouts.index(row.layout) + 1
            for index in range(len(recording.frame)):
                poses += 1
                yield _annotation(recording, index, poses, first, category)

    try:
        with atomic_write(file) as temporary, temporary.open("w", encoding="utf-8") as out:
            out.write('{"info": {"description": "ActionLens"},\n"categories": ')
            _list(out, (_category(LAYOUTS[name], number) for number, name in enumerate(layouts, 1)))
            out.write(',\n"images": ')
            _list(out, _images(library, recordings, first_image))
            out.write(',\n"annotations": ')
            _list(out, annotations())
            out.write(',\n"clips": ')
            _list(out, map(_clip, _segments(library, recordings, segments)))
            out.write("}\n")
    except OSError as error:
        raise OutputError(f"cannot write {file} ({error.strerror}); choose another place") from error
    return poses


def _category(layout: Layout, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": "person",
        "supercategory": "person",
        "layout": layout.name,
        "keypoints": list(layout.joints),
        "skeleton": [[a + 1, b + 1] for a, b in layout.edge_indices],
    }


def _images(library: Library, recordings: Sequence[RecordingRow], first: Sequence[int]) -> Iterator[dict[str, Any]]:
    for row, number in zip(recordings, first, strict=False):
        width, height = row.size
        for index, time_s in enumerate(library.open_recording(row.id).times_s.tolist()):
            yield {
                "id": number + index,
                "file_name": f"{row.id}/{index:06d}.jpg",
                "width": width,
                "height": height,
                "recording": row.id,
                "time_s": time_s,
            }


def _annotation(recording: Recording, place: int, number: int, first: int, category: int) -> dict[str, Any]:
    xy, confidence = recording.xy_px[place], recording.confidence[place]
    seen = confidence > 0
    visibility = np.where(seen, np.where(confidence >= _SEEN, 2, 1), 0)
    keypoints = [
        value
        for (x, y), flag in zip(xy.tolist(), visibility.tolist(), strict=True)
        for value in ((round(x, 3), round(y, 3), flag) if flag else (0, 0, 0))
    ]
    low, high = (xy[seen].min(axis=0), xy[seen].max(axis=0)) if seen.any() else (np.zeros(2), np.zeros(2))
    width, height = (high - low).tolist()
    return {
        "id": number,
        "image_id": first + int(recording.frame[place]),
        "category_id": category,
        "keypoints": keypoints,
        "num_keypoints": int(seen.sum()),
        "bbox": [round(float(value), 3) for value in (*low, width, height)],
        "area": round(width * height, 3),
        "iscrowd": 0,
        "score": round(float(confidence[seen].mean()), 4) if seen.any() else 0.0,
        "track_id": int(recording.person[place]),
    }


def _segments(
    library: Library, recordings: Sequence[RecordingRow], chosen: Sequence[SegmentRow] | None
) -> Iterator[SegmentRow]:
    """The chosen ones of recordings, or all."""
    if chosen is None:
        for recording in recordings:
            yield from library.segments_in(recording.id)
    else:
        written = {recording.id for recording in recordings}
        yield from (segment for segment in chosen if segment.recording in written)


def _clip(row: SegmentRow) -> dict[str, Any]:
    return {
        **{"recording": row.recording, "track_id": row.person, "start_s": row.start_s, "end_s": row.end_s},
        **{"action": row.action, "person": row.who, "session": row.session, "note": row.note},
    }


def _list(out: TextIO, values: Iterable[dict[str, Any]]) -> None:
    """A JSON list, written value by value: a library is larger than memory."""
    mark = "["
    for value in values:
        out.write(f"{mark}\n{json.dumps(value, ensure_ascii=False)}")
        mark = ","
    out.write("[]" if mark == "[" else "\n]")
