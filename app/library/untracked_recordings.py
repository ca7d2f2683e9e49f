"""Recordings that are on disk but not in the catalogue: found, read with their labels, and added."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from app.errors import RecordingError
from app.library import edit_operations
from app.library.edits import Edit, mark_unwritten
from app.library.errors import DamagedLabelsError, LibraryError
from app.library.label_files import (
    LABELS_FILE,
    WHOLE_FILE,
    Labels,
    Whole,
    read_labels,
    read_whole,
    set_aside,
)
from app.library.labels import ACTION_KEYS, clean_label
from app.library.rows import NewSegment
from app.recording.folder import RecordingInfo, read_info, read_recording
from app.recording.trim import trimmed

# Also by segments that are no longer there, while an edit could bring them back.
_TAKEN = """
SELECT 1 FROM clips WHERE id = ?1
UNION SELECT 1 FROM sqlite_sequence WHERE name = 'clips' AND seq >= ?1 AND EXISTS (SELECT 1 FROM edits)"""


def adopt(
    connection: sqlite3.Connection,
    folder: Path,
    notes: list[str],
    *,
    announced: bool = True,
    ids: dict[str, int] | None = None,
) -> bool:
    """Add a folder's recording with its labels. Each problem becomes a line in notes.

    announced: without labels, the action that it was recorded as becomes its segment. ids: gets the id of each segment
    by the name that the label file has for it; that of another library may give it the id of another one.
    """
    try:
        info = read_info(folder)
        if info.id != folder.name:
            raise LibraryError(f"{folder} holds the recording {info.id}; give the folder its name")
        labels, damaged = _labels(folder, notes)
        if labels is None and not damaged:
            labels = _first_labels(info, folder, notes, announced)
    except (RecordingError, LibraryError) as error:
        notes.append(str(error))
        return False
    except OSError as error:
        notes.append(f"{folder} cannot be read ({error.strerror}); check its permissions")
        return False
    entered = _enter(connection, info, labels or Labels(None, "", False, ()))
    if ids is not None:
        ids |= entered
    return True


def enter_whole(edit: Edit, root: Path, notes: list[str]) -> Whole:
    """Add what belongs to no recording, except splits, whose segments must come first. Raises LibraryError."""
    try:
        whole = read_whole(root)
    except DamagedLabelsError as error:
        notes.append(str(error))
        set_aside(root / WHOLE_FILE)
        return Whole()
    for name, key in whole.actions:
        action = _id(edit.named("actions", name, "action"))
        edit.update("actions", action, shortcut=key if key in ACTION_KEYS else "")  # older versions took any key
    for name in whole.people:
        edit.named("people", name, "person")
    for name, note in whole.sessions:
        edit.update("sessions", _id(edit.named("sessions", name, "session")), note=note)
    return whole


def enter_splits(edit: Edit, whole: Whole, ids: Mapping[str, int], notes: list[str]) -> None:
    """Add splits; missing segments are left out and reported. ids: of the segments by their names in the files."""
    lost = 0
    for name, members in whole.splits.items():
        split = _id(edit.named("splits", name, "split"))
        for segment_name, part in members:
            segment = ids.get(segment_name)
            lost += segment is None
            if segment is not None:
                edit.insert("split_clips", split=split, clip=segment, part=part)
    if lost:
        notes.append(f"{lost} segments of splits are gone with their recordings")


def _labels(folder: Path, notes: list[str]) -> tuple[Labels | None, bool]:
    """The labels beside a recording, and whether they were damaged (and are now set aside)."""
    try:
        return read_labels(folder), False
    except DamagedLabelsError as error:
        kept = set_aside(folder / LABELS_FILE)
        notes.append(f"{error}; they are kept as {kept.name}")
        return None, True


def _first_labels(info: RecordingInfo, folder: Path, notes: list[str], announced: bool) -> Labels:
    """For an unlabelled recording: a segment of the action that it was recorded as, trimmed to its movement."""
    segments: tuple[tuple[int, NewSegment], ...] = ()
    action, who = None, None
    if announced:
        action, who = (_label(info.action, "action", info, notes), _label(info.person, "person's name", info, notes))
    if (action or who) and info.begins_s < info.duration_s:
        recording = read_recording(folder)
        person = recording.subject()
        if person is not None:
            spans = trimmed(recording, person)
            segments = tuple((0, NewSegment(start_s, end_s, person, action, who)) for start_s, end_s in spans)
    return Labels(_label(info.session, "session", info, notes), "", False, segments)


def enter_models(edit: Edit, whole: Whole, ids: Mapping[str, int]) -> None:
    """Add models. ids: of the segments by their names in the files; of what is gone the names stay as they are."""
    for model in whole.models:
        names = {name: f"{name.rpartition('/')[0]}/{ids[name]}" for name, _ in model.segments if name in ids}
        segments = tuple((names.get(name, name), action) for name, action in model.segments)
        edit_operations.add_model(edit, replace(model, segments=segments))


def _enter(connection: sqlite3.Connection, info: RecordingInfo, labels: Labels) -> dict[str, int]:
    """Add a recording and its segments; their ids by the names that the labels have for them."""
    ids: dict[str, int] = {}
    edit = Edit(connection)
    session = edit.named("sessions", labels.session, "session")
    edit.insert(
        "recordings",
        **{"id": info.id, "created": info.created, "source": info.source},
        **{"duration_s": float(info.duration_s), "frames": info.frames, "layout": info.layout},
        **{"width": int(info.size[0]), "height": int(info.size[1]), "skeleton_only": int(info.skeleton_only)},
        **{"session": session, "note": labels.note, "deleted": int(labels.deleted)},
    )
    changed = not labels.segments
    for number, segment in labels.segments:
        free = number > 0 and not edit.keys(_TAKEN, number)
        changed = changed or not free
        ids[f"{info.id}/{number}"] = edit.insert(
            "clips",
            **({"id": number} if free else {}),
            **{"recording": info.id, "person": segment.person, "start_s": segment.start_s, "end_s": segment.end_s},
            action=edit.named("actions", segment.action, "action"),
            who=edit.named("people", segment.who, "person"),
            **{"note": segment.note, "suspect": int(segment.suspect)},
        )
    # Label files are written again only where they do not say all this already.
    mark_unwritten(connection, [c for c in edit.changes if changed or c[0] not in ("recordings", "clips")])
    return ids


def _label(text: str, what: str, info: RecordingInfo, notes: list[str]) -> str | None:
    """A name that came with the recording, None where none did, or where it is none, which a note says."""
    if not text.strip():
        return None
    try:
        return clean_label(text, what)
    except LibraryError as error:
        notes.append(f"recording {info.id} is left without it: {error}")
        return None


def _id(key: int | None) -> int:
    assert key is not None
    return key
