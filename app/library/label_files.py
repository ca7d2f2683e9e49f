"""Labels beside the recordings, as JSON: the catalogue can be rebuilt from them.

ROOT/recordings/ID/labels.json holds what belongs to a recording, ROOT/library.json what belongs to none. Both are
written whole under a temporary name and renamed.
"""

import json
import logging
import math
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.library.edits import WHOLE
from app.library.errors import DamagedLabelsError, LibraryError
from app.library.labels import NOTHING, clean_label, clean_note
from app.library.rows import Model, NewSegment
from app.plurals import counted
from app.recording.folder import MAX_NUMBER, recordings_folder
from pose.whole_file import write_text

log = logging.getLogger(__name__)

LABELS_FILE, WHOLE_FILE = "labels.json", "library.json"
VERSION = 1
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Labels:
    """What labels.json says of a recording. segments: id and segment."""

    session: str | None
    note: str
    deleted: bool
    segments: tuple[tuple[int, NewSegment], ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """What library.json says. actions: name and key; sessions: name and note; splits: (segment name, part) by name."""

    actions: tuple[tuple[str, str], ...] = ()
    people: tuple[str, ...] = ()
    sessions: tuple[tuple[str, str], ...] = ()
    splits: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    models: tuple[Model, ...] = ()


def write_unwritten(connection: sqlite3.Connection, root: Path) -> None:
    """Write the files of all places in the table `unwritten`, where those stay that cannot be written now.

    Those of recordings whose folders are away are written when the folders are back."""
    failed: list[tuple[Path, OSError]] = []
    for (place,) in connection.execute("SELECT place FROM unwritten").fetchall():
        path = root / WHOLE_FILE if place == WHOLE else recordings_folder(root) / place / LABELS_FILE
        try:
            if place == WHOLE:
                _write(path, _whole(connection))
            elif labels := _labels(connection, place):
                if not path.parent.is_dir():
                    continue
                _write(path, labels)
        except OSError as error:  # one damaged folder must not keep the others from being written
            failed.append((path, error))
            continue
        connection.execute("DELETE FROM unwritten WHERE place = ?", (place,))
    if failed:
        path, reason = failed[0]
        more = f" and {counted(len(failed) - 1, 'more file')}" if len(failed) > 1 else ""
        log.warning(
            "%s%s cannot be written (%s); make room, or check permissions: the next edit tries again",
            *(path, more, reason.strerror or reason),
        )


def read_labels(folder: Path) -> Labels | None:
    """The labels beside a recording, None where there are none. Raises LibraryError."""
    path = folder / LABELS_FILE
    values = _read(path)
    if values is None:
        return None
    try:
        segments = tuple((_whole_number(segment["id"]), _segment(segment)) for segment in values["clips"])
        session = values["session"]
        return Labels(
            None if session is None else clean_label(session, "session"),
            clean_note(values["note"]),
            bool(values["deleted"]),
            segments,
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, LibraryError) as error:
        raise _damaged(path, error) from error


def read_whole(root: Path) -> Whole:
    """What belongs to no recording. Raises LibraryError."""
    path = root / WHOLE_FILE
    values = _read(path)
    if values is None:
        return Whole()
    try:
        return Whole(
            tuple((clean_label(a["name"]), _text(a["key"])) for a in values["actions"]),
            tuple(clean_label(name) for name in values["people"]),
            tuple((clean_label(s["name"]), clean_note(s["note"])) for s in values["sessions"]),
            {clean_label(s["name"]): _pairs(s["clips"]) for s in values["splits"]},
            tuple(_model(model) for model in values["models"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, LibraryError) as error:
        raise _damaged(path, error) from error


def set_aside(path: Path, why: str = "damaged") -> Path:
    """Give a file a name under which nothing overwrites it. Raises OSError."""
    for number in range(1, 10_000):
        target = path.with_name(f"{path.name}.{why}-{number}")
        if not target.exists():
            os.replace(path, target)
            return target
    raise OSError(f"remove the many {path.name}.{why} files")


def _labels(connection: sqlite3.Connection, recording: str) -> dict[str, Any] | None:
    row = connection.execute(
        "SELECT r.note, r.deleted, s.name AS session FROM recordings r LEFT JOIN sessions s ON s.id = r.session"
        " WHERE r.id = ?",
        (recording,),
    ).fetchone()
    if row is None:  # removed for good
        return None
    segments = connection.execute(
        "SELECT c.id, c.person, c.start_s, c.end_s, a.name AS action, p.name AS who, c.note, c.suspect FROM clips c"
        " LEFT JOIN actions a ON a.id = c.action LEFT JOIN people p ON p.id = c.who"
        " WHERE c.recording = ? ORDER BY c.id",
        (recording,),
    )
    return {
        "version": VERSION,
        "recording": recording,
        "session": row["session"],
        "note": row["note"],
        "deleted": bool(row["deleted"]),
        "clips": [dict(segment) | {"suspect": bool(segment["suspect"])} for segment in segments],
    }


def _whole(connection: sqlite3.Connection) -> dict[str, Any]:
    def rows(sql: str, *values: object) -> list[sqlite3.Row]:
        return connection.execute(sql, values).fetchall()

    return {
        "version": VERSION,
        "actions": [
            {"name": row["name"], "key": row["shortcut"]}
            for row in rows("SELECT name, shortcut FROM actions ORDER BY id")
            if row["name"] != NOTHING or row["shortcut"]
        ],
        "people": [row["name"] for row in rows("SELECT name FROM people ORDER BY id")],
        "sessions": [dict(row) for row in rows("SELECT name, note FROM sessions ORDER BY id")],
        "splits": [
            {
                "name": split["name"],
                "clips": [
                    [f"{row['recording']}/{row['id']}", row["part"]]
                    for row in rows(
                        "SELECT c.recording, c.id, m.part FROM split_clips m JOIN clips c ON c.id = m.clip"
                        " WHERE m.split = ? ORDER BY c.id",
                        split["id"],
                    )
                ],
            }
            for split in rows("SELECT id, name FROM splits ORDER BY id")
        ],
        "models": [
            {
                **{name: model[name] for name in ("name", "created", "kind", "folder")},
                "details": json.loads(model["details"]),
                "clips": [
                    [row["clip"], row["action"]]
                    for row in rows("SELECT clip, action FROM model_clips WHERE model = ? ORDER BY id", model["id"])
                ],
            }
            for model in rows("SELECT * FROM models ORDER BY id")
        ],
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _damaged(path, "it is too large")
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "incomplete JSON") from error
    except OSError as error:
        raise LibraryError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    if not isinstance(values, dict):
        raise _damaged(path, "no object")
    if isinstance(values.get("version"), int) and values["version"] > VERSION:
        raise LibraryError(f"{path} was made by a newer version of ActionLens; update ActionLens to read it")
    return values


def _segment(values: dict[str, Any]) -> NewSegment:
    start_s, end_s = float(values["start_s"]), float(values["end_s"])
    if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
        raise ValueError(f"a segment from {start_s} to {end_s} s")
    action, who = values["action"], values["who"]
    return NewSegment(
        start_s,
        end_s,
        _whole_number(values["person"]),
        None if action is None else clean_label(action, "action"),
        None if who is None else clean_label(who, "person"),
        clean_note(values["note"]),
        bool(values["suspect"]),
    )


def _model(values: dict[str, Any]) -> Model:
    texts = (_text(values[name]) for name in ("created", "kind", "folder"))
    details = values["details"]
    if not isinstance(details, dict):
        raise ValueError("details of a model are not an object")
    created, kind, folder = texts
    return Model(clean_label(values["name"]), created, kind, folder, _pairs(values["clips"]), details)


def _pairs(values: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(first), _text(second)) for first, second in values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:40]!r} is not text")
    return value


def _whole_number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise ValueError(f"{str(value)[:40]!r} is not a whole number of 0 or more")
    return value


def _damaged(path: Path, why: object) -> DamagedLabelsError:
    return DamagedLabelsError(f"{path} is damaged ({' '.join(str(why).split())[:120]}); its labels are left out")
