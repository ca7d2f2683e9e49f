"""A library as tables: recordings.csv, clips.csv, names.csv, splits.csv, models.csv with model_clips.csv, joints/ID.npz
with each one's arrays, and videos/ID.mp4 where pictures are asked for.

Import of such a folder gives the same recordings, segments, names, splits and what is known of taught recognizers,
whose own files are not in it.
"""

import csv
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.errors import OutputError, RecordingError
from app.library.catalogue import Library
from app.library.copies import DuplicateFinder
from app.library.errors import LibraryError
from app.library.export_formats import Export, opened, refuse_nothing
from app.library.import_data import free_split
from app.library.import_report import ImportProgress, ImportReport, Tell
from app.library.labels import ACTION_KEYS, clean_label, clean_note, label_key
from app.library.pose_recordings import keep
from app.library.queries import TABLES, Kind
from app.library.rows import Model, NewSegment, RecordingRow, SegmentRow
from app.plurals import counted
from app.recording.folder import (
    INFO_FILE,
    JOINTS_FILE,
    RecordingInfo,
    info_to_json,
    is_id,
    read_recording,
    recordings_folder,
)
from recognizer.datasets.csv_tables import number_of, read_table
from recognizer.datasets.errors import DataError
from recognizer.datasets.library_exports import JOINTS, RECORDINGS, SEGMENTS, SPLITS
from recognizer.datasets.recorded import Poses

NAMES, MODELS, MODEL_SEGMENTS, VIDEOS = "names.csv", "models.csv", "model_clips.csv", "videos"
_RECORDING_FIELDS = (
    *("recording", "created", "source", "duration_s", "frames", "width", "height", "layout", "session", "note"),
)
_SEGMENT_FIELDS = ("clip", "recording", "person", "start_s", "end_s", "action", "who", "note", "suspect")
_NAME_FIELDS = ("kind", "name", "key", "note")
_SPLIT_FIELDS = ("split", "clip", "part")
_MODEL_FIELDS = ("model", "created", "kind", "folder", "details")
_MODEL_SEGMENT_FIELDS = ("model", "clip", "action")
_TAKE_FIELDS = ("begins_s", "announced_action", "announced_person")  # of recordings; tables of older versions lack them
_MAX_MODELS = 1000  # of one export


def write(export: Export) -> str:
    """See exporting.ExportFormat."""
    written = export_tables(
        export.library,
        export.recordings,
        export.target,
        export.segments,
        pictures=export.pictures,
        problems=export.problems,
    )
    recordings = len(export.recordings) - len(export.problems)
    return f"{counted(written, 'segment')} of {counted(recordings, 'recording')}"


def export_tables(
    library: Library,
    recordings: Sequence[RecordingRow],
    folder: Path,
    segments: Sequence[SegmentRow] | None = None,
    *,
    pictures: bool = False,
    problems: list[str] | None = None,
) -> int:
    """Write recordings with their segments into a folder, which must be empty or new; how many segments.

    segments: those to write, of the recordings; None for all that they have. pictures: with the videos of those that
    have one. problems: as export_formats.opened.

    Raises OutputError, and RecordingError.
    """
    if not folder.name:  # "." and "/"
        raise OutputError(f"{folder} has no name of its own; give the name of a new folder")
    temporary = folder.with_name(f".{folder.name}.new")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder} is not empty; give the name of a new folder")
        shutil.rmtree(temporary, ignore_errors=True)
        (temporary / JOINTS).mkdir(parents=True)
        copied = [(row, _copy(library, row.id, temporary, pictures, problems)) for row in recordings]
        kept = {row.id: (row, info) for row, info in copied if info is not None}
        refuse_nothing(len(kept), problems)
        if segments is None:
            segments = [segment for name in kept for segment in library.segments_in(name)]
        segments = [segment for segment in segments if segment.recording in kept]
        _write_tables(library, list(kept.values()), segments, temporary)
        if folder.exists():
            folder.rmdir()
        os.replace(temporary, folder)
    except OSError as error:
        raise OutputError(f"cannot write {folder} ({error.strerror}); choose another place") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return len(segments)


def import_tables(
    library: Library, folder: Path, *, tell: Tell | None = None, cancel: threading.Event | None = None
) -> ImportReport:
    """Everything that export_tables wrote. A recording that is damaged is a line of the report. Raises LibraryError."""
    recordings = _read(folder / RECORDINGS, _RECORDING_FIELDS, optional=_TAKE_FIELDS)
    segments = _read(folder / SEGMENTS, _SEGMENT_FIELDS)
    members = _read(folder / SPLITS, _SPLIT_FIELDS)
    _import_names(library, _read(folder / NAMES, _NAME_FIELDS))
    of_recording: dict[str, list[dict[str, str]]] = {}
    for segment in segments:
        of_recording.setdefault(segment["recording"], []).append(segment)
    report, staging, copies = ImportReport(), library.staging(), DuplicateFinder(library)
    new_ids: dict[str, int] = {}
    new_names: dict[str, str] = {}
    for row in recordings:
        if cancel is not None and cancel.is_set():
            report.cancelled = True
            break
        try:
            with tempfile.TemporaryDirectory(dir=staging, ignore_cleanup_errors=True) as place:
                info, poses = _read_recording(folder, row, Path(place))
                if (known := copies.recording_with(poses)) is not None:
                    report.copies.append(f"{row['recording']} is already in the library ({known})")
                    continue
                name = _keep(library, folder, row, info, poses, of_recording.get(row["recording"], []), new_ids)
            report.recordings.append(name)
            new_names[row["recording"]] = name
        except (RecordingError, LibraryError, ValueError, OSError) as error:
            report.problems.append(f"{folder}: recording {row['recording'][:40]!r}: {_why(error)}")
        finally:
            if tell is not None:
                done = len(report.recordings) + len(report.problems) + len(report.copies)
                tell(ImportProgress(done, len(recordings), row["source"]))
    with report.keeping():
        _import_splits(library, members, new_ids)
    with report.keeping():
        _import_models(library, folder, new_names, new_ids, report)
    return report


def _why(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "a value is not a number"
    return " ".join(str(getattr(error, "strerror", None) or error).split())


def _copy(
    library: Library, recording: str, folder: Path, pictures: bool, problems: list[str] | None
) -> RecordingInfo | None:
    if (found := opened(library, recording, problems)) is None:  # what is damaged is not handed on
        return None
    source = recordings_folder(library.root) / recording / JOINTS_FILE
    shutil.copyfile(source, folder / JOINTS / f"{recording}.npz")
    if pictures and found.video is not None:
        (folder / VIDEOS).mkdir(exist_ok=True)
        shutil.copyfile(found.video, folder / VIDEOS / f"{recording}.mp4")
    return found.info


def _write_tables(
    library: Library,
    recordings: Sequence[tuple[RecordingRow, RecordingInfo]],
    segments: Sequence[SegmentRow],
    folder: Path,
) -> None:
    rows: Iterable[Sequence[Any]] = (
        (
            *(r.id, r.created, r.source, repr(r.duration_s), r.frames, *r.size, r.layout, r.session or "", r.note),
            *(repr(info.begins_s), info.action, info.person),
        )
        for r, info in recordings
    )
    _write(folder / RECORDINGS, (*_RECORDING_FIELDS, *_TAKE_FIELDS), rows)
    rows = (
        (c.id, c.recording, c.person, repr(c.start_s), repr(c.end_s), c.action or "", c.who or "", c.note, +c.suspect)
        for c in segments
    )
    _write(folder / SEGMENTS, _SEGMENT_FIELDS, rows)
    rows = ((kind, n.name, n.key, n.note) for kind in TABLES for n in library.names(kind))
    _write(folder / NAMES, _NAME_FIELDS, rows)
    chosen = {segment.id for segment in segments}
    splits = library.splits().items()
    rows = ((name, segment, part) for name, parts in splits for segment, part in parts.items() if segment in chosen)
    _write(folder / SPLITS, _SPLIT_FIELDS, rows)
    models = library.models()
    rows = ((m.name, m.created, m.kind, m.folder, json.dumps(dict(m.details), ensure_ascii=False)) for m in models)
    _write(folder / MODELS, _MODEL_FIELDS, rows)
    rows = ((m.name, segment, action) for m in models for segment, action in m.segments)
    _write(folder / MODEL_SEGMENTS, _MODEL_SEGMENT_FIELDS, rows)


def _import_names(library: Library, names: list[dict[str, str]]) -> None:
    """Names that are not there yet, with their key and note; those that are there keep theirs."""
    for row in names:
        kind: Kind | None = next((kind for kind in TABLES if kind == row["kind"]), None)
        if kind is None:
            raise LibraryError(f"{row['kind'][:40]!r} is not a kind of name; export it again")
        known = {label_key(named.name): named for named in library.names(kind)}
        found = known.get(label_key(clean_label(row["name"])))
        if found is None:
            library.add_name(kind, row["name"])
        is_key = kind == "action" and row["key"] in ACTION_KEYS
        if is_key and (found is None or not found.key) and not any(named.key == row["key"] for named in known.values()):
            library.set_key(row["name"], row["key"])
        if kind == "session" and row["note"] and (found is None or not found.note):
            library.set_session_note(row["name"], row["note"])


def _read_recording(folder: Path, row: dict[str, str], place: Path) -> tuple[RecordingInfo, Poses]:
    """A recording of the tables, checked as any other is; place: an empty folder."""
    name = row["recording"]
    if not is_id(name):  # so that it leads to no other file
        raise LibraryError("that is not a recording id")
    info = RecordingInfo(
        *(name, row["created"], row["source"], number_of(row["duration_s"]), int(row["frames"])),
        *((int(row["width"]), int(row["height"])), row["layout"], True, row["session"]),
        *(row["announced_person"], row["announced_action"], number_of(row["begins_s"] or "0")),
    )
    try:
        (place / INFO_FILE).write_text(info_to_json(info), encoding="utf-8")
        shutil.copyfile(folder / JOINTS / f"{name}.npz", place / JOINTS_FILE)
    except OSError as error:
        raise RecordingError(f"its joints cannot be read ({error.strerror})") from error
    return info, read_recording(place).poses


def _keep(
    library: Library,
    folder: Path,
    row: dict[str, str],
    info: RecordingInfo,
    poses: Poses,
    segments: list[dict[str, str]],
    ids: dict[str, int],
) -> str:
    path = folder / VIDEOS / f"{info.id}.mp4"
    video = path if path.is_file() and not path.is_symlink() else None
    note, new = clean_note(row["note"]), [_segment(segment) for segment in segments]
    info = replace(info, skeleton_only=video is None)
    stored = keep(library, info, poses, new, video=video, announced=False)
    if note:
        library.set_recording_note(stored, note)
    rows = sorted(library.segments_in(stored), key=lambda segment: segment.id)
    ids.update((segment["clip"], made.id) for segment, made in zip(segments, rows, strict=True))
    return stored


def _import_splits(library: Library, members: list[dict[str, str]], ids: dict[str, int]) -> None:
    splits: dict[str, dict[int, str]] = {}
    for member in members:
        if member["clip"] in ids:
            splits.setdefault(member["split"], {})[ids[member["clip"]]] = member["part"]
    for name, parts in splits.items():
        library.set_split(free_split(library, clean_label(name, "split")), parts)


def _import_models(
    library: Library, folder: Path, names: dict[str, str], ids: dict[str, int], report: ImportReport
) -> None:
    """What is known of recognizers, each with the segments that made it under their new names."""
    if not (folder / MODELS).is_file():  # of an older version
        return
    made_of: dict[str, list[tuple[str, str]]] = {}
    for row in _read(folder / MODEL_SEGMENTS, _MODEL_SEGMENT_FIELDS):
        made_of.setdefault(row["model"], []).append((_renamed(row["clip"], names, ids), row["action"]))
    models: list[Model] = []
    taken = {label_key(model.name) for model in library.models()}
    for row in _read(folder / MODELS, _MODEL_FIELDS)[:_MAX_MODELS]:
        try:
            details = json.loads(row["details"])
            if not isinstance(details, dict):
                raise ValueError("no object")
            name = next(n for n in _numbered(clean_label(row["model"], "model")) if label_key(n) not in taken)
            segments = tuple(made_of.get(row["model"], ()))
            models.append(Model(name, row["created"], row["kind"], row["folder"], segments, details))
            taken.add(label_key(name))
        except (LibraryError, ValueError, RecursionError) as error:
            report.problems.append(f"{folder}: recognizer {row['model'][:40]!r}: {' '.join(str(error).split())[:120]}")
    try:
        library.add_models(models)
    except LibraryError as error:
        report.problems.append(f"{folder}: recognizers: {error}")


def _renamed(segment: str, names: dict[str, str], ids: dict[str, int]) -> str:
    recording, _, number = segment.rpartition("/")
    return f"{names[recording]}/{ids[number]}" if recording in names and number in ids else segment


def _numbered(name: str) -> Iterable[str]:
    yield name
    for number in range(2, 10_000):
        yield f"{name} {number}"


def _segment(values: dict[str, str]) -> NewSegment:
    return NewSegment(
        number_of(values["start_s"]),
        number_of(values["end_s"]),
        int(values["person"]),
        clean_label(values["action"], "action") if values["action"] else None,
        clean_label(values["who"], "person") if values["who"] else None,
        clean_note(values["note"]),
        values["suspect"] == "1",
    )


def _write(path: Path, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        writer.writerows(rows)


def _read(path: Path, fields: Sequence[str], *, optional: Sequence[str] = ()) -> list[dict[str, str]]:
    try:
        return read_table(path, fields, optional=optional)
    except DataError as error:
        raise LibraryError(str(error)) from error
