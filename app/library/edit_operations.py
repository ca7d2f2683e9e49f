"""Each edit of a library, written in terms of rows (app.library.edits)."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from app.library.edits import Edit
from app.library.errors import GoneError, LibraryError
from app.library.labels import ACTION_KEYS, NOTHING, clean_label, clean_note, label_key
from app.library.queries import TABLES, Kind
from app.library.rows import Model, NewSegment
from app.recording.folder import MAX_NUMBER

PARTS = ("train", "validation", "test")


def add_segments(edit: Edit, recording: str, segments: Sequence[NewSegment]) -> list[int]:
    """The ids of new segments."""
    return [
        edit.insert("clips", recording=recording, **_segment_values(edit, recording, segment)) for segment in segments
    ]


def change_segment(edit: Edit, segment: int, new: NewSegment) -> None:
    """Change a segment's bounds, labels or notes."""
    recording = edit.keys("SELECT recording FROM clips WHERE id = ?", segment)
    if not recording:
        raise GoneError(f"segment {segment}")
    edit.update("clips", segment, **_segment_values(edit, recording[0], new))


def remove_segments(edit: Edit, segments: Sequence[int]) -> None:
    """Remove segments; the recording stays."""
    for segment in segments:
        for member in edit.keys("SELECT id FROM split_clips WHERE clip = ?", segment):
            edit.delete("split_clips", member)
        edit.delete("clips", segment)


def set_session(edit: Edit, recordings: Sequence[str], name: str | None) -> None:
    """Set in which session recordings were made."""
    session = edit.named("sessions", name, "session")
    for recording in recordings:
        edit.update("recordings", recording, session=session)


def add_name(edit: Edit, kind: Kind, name: str) -> None:
    """A new action, person or session."""
    table, label = TABLES[kind], clean_label(name, kind)
    _refuse_double(edit, kind, label)
    edit.insert(table, name=label, key=label_key(label))


def rename(edit: Edit, kind: Kind, name: str, new: str) -> None:
    """Rename; the new name may differ in case only."""
    table, key = TABLES[kind], _existing(edit, kind, name)
    label = clean_label(new, kind)
    if edit.find(table, label) != key:
        _refuse_double(edit, kind, label)
    edit.update(table, key, name=label, key=label_key(label))


def merge(edit: Edit, kind: Kind, name: str, into: str) -> None:
    """Merge one name into another."""
    key, target = _existing(edit, kind, name), _existing(edit, kind, into, changing=False)
    if key == target:
        raise LibraryError(f"{name} cannot be merged with itself; choose another {kind}")
    edit.hand_over(TABLES[kind], key, target)
    edit.delete(TABLES[kind], key)


def remove_name(edit: Edit, kind: Kind, name: str) -> None:
    """Remove a name; what had it is left without one."""
    key = _existing(edit, kind, name)
    edit.hand_over(TABLES[kind], key, None)
    edit.delete(TABLES[kind], key)


def set_key(edit: Edit, action: str, key: str) -> None:
    """Set the key that labels with an action, "1" to "9", taking it from the action that had it. "" for none."""
    if key and key not in ACTION_KEYS:
        raise LibraryError(f"{key[:20]!r} cannot be the key of an action; choose a digit from 1 to 9, or none")
    place = _existing(edit, "action", action, changing=False)
    if key:
        for other in edit.keys("SELECT id FROM actions WHERE shortcut = ? AND id <> ?", key, place):
            edit.update("actions", other, shortcut="")
    edit.update("actions", place, shortcut=key)


def set_split(edit: Edit, name: str, parts: Mapping[int, str]) -> None:
    """Add a split of segments into train, validation and test, replacing one of the same name."""
    wrong = sorted(set(parts.values()) - set(PARTS))
    if wrong:
        raise LibraryError(f"a split has no part {wrong[0]}; choose one of {', '.join(PARTS)}")
    split = edit.named("splits", name, "split")
    for member in edit.keys("SELECT id FROM split_clips WHERE split = ?", split):
        edit.delete("split_clips", member)
    for segment, part in sorted(parts.items()):
        if not edit.keys("SELECT 1 FROM clips WHERE id = ?", segment):
            raise GoneError(f"segment {segment}")
        edit.insert("split_clips", split=split, clip=segment, part=part)


def set_part(edit: Edit, name: str, segments: Sequence[int], part: str | None) -> None:
    """Put segments into a part of a split, creating the split if needed; None takes them out."""
    if part is not None and part not in PARTS:
        raise LibraryError(f"a split has no part {part}; choose one of {', '.join(PARTS)}")
    split = edit.named("splits", name, "split")
    for segment in segments:
        there = edit.keys("SELECT id FROM split_clips WHERE split = ? AND clip = ?", split, segment)
        if part is None:
            for member in there:
                edit.delete("split_clips", member)
        elif there:
            edit.update("split_clips", there[0], part=part)
        elif edit.keys("SELECT 1 FROM clips WHERE id = ?", segment):
            edit.insert("split_clips", split=split, clip=segment, part=part)
        else:
            raise GoneError(f"segment {segment}")


def remove_split(edit: Edit, name: str) -> None:
    """Remove a split; its segments stay."""
    split = edit.find("splits", name)
    if split is None:
        raise GoneError(f"split {name}")
    for member in edit.keys("SELECT id FROM split_clips WHERE split = ?", split):
        edit.delete("split_clips", member)
    edit.delete("splits", split)


def add_model(edit: Edit, model: Model) -> None:
    """Add a taught recognizer and its training segments."""
    label = clean_label(model.name, "model")
    if edit.find("models", label) is not None:
        raise LibraryError(f"there is already a model {label}; choose another name")
    values = {"created": model.created, "kind": model.kind, "folder": model.folder}
    details = json.dumps(dict(model.details), ensure_ascii=False)
    key = edit.insert("models", name=label, key=label_key(label), **values, details=details)
    for segment, action in model.segments:
        edit.insert("model_clips", model=key, clip=segment, action=action)


def remove_model(edit: Edit, name: str) -> None:
    """Remove a taught recognizer; its folder stays."""
    model = edit.find("models", name)
    if model is None:
        raise GoneError(f"model {name}")
    for member in edit.keys("SELECT id FROM model_clips WHERE model = ?", model):
        edit.delete("model_clips", member)
    edit.delete("models", model)


def now() -> str:
    """The time of an edit, for people to read; nothing is ordered by it, so a clock may be set back."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _segment_values(edit: Edit, recording: str, segment: NewSegment) -> dict[str, object]:
    length = edit.keys("SELECT duration_s FROM recordings WHERE id = ?", recording)
    if not length:
        raise GoneError(f"recording {recording}")
    if not (math.isfinite(segment.start_s) and math.isfinite(segment.end_s)):
        raise LibraryError("the segment's start or end is not a time; set them again")
    start_s, end_s = max(segment.start_s, 0.0), min(segment.end_s, max(length[0], 0.0))
    if not start_s < end_s:
        raise LibraryError(f"the segment ends before it begins ({start_s:.2f} to {end_s:.2f} s); set both again")
    if not 0 <= segment.person <= MAX_NUMBER:
        raise LibraryError(f"a recording has no person {str(segment.person)[:20]}; choose a person in the picture")
    return {
        "person": segment.person,
        "start_s": float(start_s),
        "end_s": float(end_s),
        "action": edit.named("actions", segment.action, "action"),
        "who": edit.named("people", segment.who, "person"),
        "note": clean_note(segment.note),
        "suspect": int(segment.suspect),
    }


def _existing(edit: Edit, kind: Kind, name: str, *, changing: bool = True) -> int:
    if changing and kind == "action" and label_key(name) == NOTHING:
        raise LibraryError(f'"{NOTHING}" stands for stretches without an action and stays as it is; use another action')
    key = edit.find(TABLES[kind], name)
    if key is None:
        raise GoneError(f"{kind} {name}")
    return key


def _refuse_double(edit: Edit, kind: Kind, label: str) -> None:
    if edit.find(TABLES[kind], label) is not None:
        raise LibraryError(f"there is already the {kind} {label}; choose another name, or merge the two")
