"""What lists show: pages of segments and recordings under a filter. Every query is bounded by its page."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

from app.library.database import Database
from app.library.labels import ACTION_KEYS, label_key
from app.library.rows import Filter, Model, Named, RecordingRow, SegmentRow

PAGE = 100
Kind = Literal["action", "person", "session"]
TABLES: dict[Kind, str] = {"action": "actions", "person": "people", "session": "sessions"}

_SEGMENT = (
    "SELECT c.id, c.recording, c.person, c.start_s, c.end_s, a.name AS action, p.name AS who, s.name AS session,"
    " c.note, c.suspect, r.created, r.source"
)
# CROSS JOIN keeps SQLite to this order, in which the indexes give the rows sorted and a page ends the search.
_SEGMENTS = (
    " FROM recordings r CROSS JOIN clips c ON c.recording = r.id LEFT JOIN actions a ON a.id = c.action"
    " LEFT JOIN people p ON p.id = c.who LEFT JOIN sessions s ON s.id = r.session WHERE "
)
_BY_ID = _SEGMENTS.replace(
    "recordings r CROSS JOIN clips c ON c.recording = r.id", "clips c JOIN recordings r ON r.id = c.recording"
)
_ORDER = " ORDER BY r.created DESC, r.id, c.start_s, c.id"
_RECORDING = (
    "SELECT r.*, s.name AS session_name, (SELECT count(*) FROM clips c WHERE c.recording = r.id) AS segments,"
    " (SELECT count(*) FROM clips c WHERE c.recording = r.id AND c.action IS NOT NULL) AS labelled"
)
_RECORDINGS = " FROM recordings r LEFT JOIN sessions s ON s.id = r.session WHERE "
_BARE = "NOT EXISTS (SELECT 1 FROM clips c WHERE c.recording = r.id)"
_UNLABELLED = "c.action IS NULL"


def segments(database: Database, chosen: Filter, offset: int, limit: int) -> list[SegmentRow]:
    """A page of segments, newest recording first, then by time."""
    where, values = _segment_conditions(chosen)
    page = _ORDER + " LIMIT :limit OFFSET :offset"
    rows = database.rows(_SEGMENT + _SEGMENTS + where + page, {**values, "limit": limit, "offset": offset})
    return [_segment(row) for row in rows]


def segment_ids(database: Database, chosen: Filter) -> list[int]:
    """The ids of all segments under a filter, in the order of segments()."""
    where, values = _segment_conditions(chosen)
    return [row[0] for row in database.rows("SELECT c.id" + _SEGMENTS + where + _ORDER, values)]


def segments_of(database: Database, keys: Sequence[int]) -> list[SegmentRow]:
    """Segments by their ids, in that order; those that are gone are left out."""
    where = "c.id IN (SELECT value FROM json_each(:keys))"
    rows = database.rows(_SEGMENT + _BY_ID + where, {"keys": json.dumps(list(keys))})
    found = {row["id"]: _segment(row) for row in rows}
    return [found[key] for key in keys if key in found]


def segment_seconds(database: Database, chosen: Filter) -> float:
    """How long all segments under a filter are together."""
    where, values = _segment_conditions(chosen)
    found = database.rows("SELECT coalesce(sum(c.end_s - c.start_s), 0)" + _SEGMENTS + where, values)
    return float(found[0][0])


def count_segments(database: Database, chosen: Filter) -> int:
    """How many segments there are under a filter."""
    where, values = _segment_conditions(chosen)
    return _count(database.row("SELECT count(*)" + _SEGMENTS + where, values))


def segment(database: Database, key: int) -> SegmentRow | None:
    """One segment, also of a deleted recording."""
    row = database.row(_SEGMENT + _BY_ID + "c.id = :key", {"key": key})
    return None if row is None else _segment(row)


def recordings(database: Database, chosen: Filter, offset: int, limit: int) -> list[RecordingRow]:
    """A page of recordings, newest first."""
    where, values = _recording_conditions(chosen)
    order = " ORDER BY r.created DESC, r.id LIMIT :limit OFFSET :offset"
    rows = database.rows(_RECORDING + _RECORDINGS + where + order, {**values, "limit": limit, "offset": offset})
    return [_recording(row) for row in rows]


def count_recordings(database: Database, chosen: Filter) -> int:
    """How many recordings there are under a filter."""
    where, values = _recording_conditions(chosen)
    return _count(database.row("SELECT count(*)" + _RECORDINGS + where, values))


def recording(database: Database, key: str) -> RecordingRow | None:
    """One recording, also a deleted one."""
    row = database.row(_RECORDING + _RECORDINGS + "r.id = :key", {"key": key})
    return None if row is None else _recording(row)


def named(database: Database, kind: Kind) -> list[Named]:
    """All actions, people or sessions with the number of their segments that are not deleted, in the order of
    adding."""
    column = {"action": "c.action", "person": "c.who", "session": "r.session"}[kind]
    rows = database.rows(
        f"SELECT n.*, (SELECT count(*) FROM clips c JOIN recordings r ON r.id = c.recording"
        f" WHERE {column} = n.id AND r.deleted = 0 AND r.missing = 0) AS segments FROM {TABLES[kind]} n ORDER BY n.id"
    )
    return [
        Named(
            row["name"],
            row["segments"],
            row["shortcut"] if kind == "action" and row["shortcut"] in ACTION_KEYS else "",
            row["note"] if kind == "session" else "",
            row["id"],
        )
        for row in rows
    ]


def splits(database: Database) -> dict[str, dict[int, str]]:
    """The part of each segment, by split."""
    found: dict[str, dict[int, str]] = {row["name"]: {} for row in database.rows("SELECT name FROM splits ORDER BY id")}
    for row in database.rows(
        "SELECT s.name, m.clip, m.part FROM split_clips m JOIN splits s ON s.id = m.split ORDER BY m.clip"
    ):
        found[row["name"]][row["clip"]] = row["part"]
    return found


def models(database: Database) -> list[Model]:
    """The taught recognizers, oldest first."""
    made_of: dict[int, list[tuple[str, str]]] = {}
    for row in database.rows("SELECT model, clip, action FROM model_clips ORDER BY id"):
        made_of.setdefault(row["model"], []).append((row["clip"], row["action"]))
    return [
        Model(
            *(row["name"], row["created"], row["kind"], row["folder"]),
            tuple(made_of.get(row["id"], ())),
            json.loads(row["details"]),
        )
        for row in database.rows("SELECT * FROM models ORDER BY id")
    ]


def _segment_conditions(chosen: Filter) -> tuple[str, dict[str, Any]]:
    conditions, values = _shared(chosen)
    if chosen.action is not None:
        conditions.append("a.key = :action")
        values["action"] = label_key(chosen.action)
    if chosen.who is not None:
        conditions.append("p.key = :who")
        values["who"] = label_key(chosen.who)
    if chosen.unlabelled:
        conditions.append(_UNLABELLED)
    if chosen.suspect:
        conditions.append("c.suspect = 1")
    if chosen.split is not None:
        conditions.append(_in_split(chosen, values))
    for number, word in enumerate(_words(chosen.text)):
        texts = ("c.note", "a.name", "p.name", "s.name", "r.source", "r.note", "r.id")
        conditions.append("(" + " OR ".join(f"instr(fold({text}), :word{number})" for text in texts) + ")")
        values[f"word{number}"] = word
    return " AND ".join(conditions), values


def _recording_conditions(chosen: Filter) -> tuple[str, dict[str, Any]]:
    conditions, values = _shared(chosen)
    inner = []
    if chosen.action is not None:
        inner.append("a.key = :action")
        values["action"] = label_key(chosen.action)
    if chosen.who is not None:
        inner.append("p.key = :who")
        values["who"] = label_key(chosen.who)
    if chosen.suspect:
        inner.append("c.suspect = 1")
    if chosen.split is not None:
        inner.append(_in_split(chosen, values))
    if chosen.unlabelled:
        inner.append(_UNLABELLED)
    if inner:
        some = _some_segment(" AND ".join(inner))
        conditions.append(f"({_BARE} OR {some})" if inner == [_UNLABELLED] else some)
    for number, word in enumerate(_words(chosen.text)):
        own = " OR ".join(f"instr(fold({text}), :word{number})" for text in ("s.name", "r.source", "r.note", "r.id"))
        of_segments = " OR ".join(f"instr(fold({text}), :word{number})" for text in ("c.note", "a.name", "p.name"))
        conditions.append(f"({own} OR {_some_segment(of_segments)})")
        values[f"word{number}"] = word
    return " AND ".join(conditions), values


def _shared(chosen: Filter) -> tuple[list[str], dict[str, Any]]:
    conditions = ["r.missing = 0"]
    values: dict[str, Any] = {}
    if chosen.deleted is not None:
        conditions.append(f"r.deleted = {int(chosen.deleted)}")
    if chosen.session is not None:
        conditions.append("s.key = :session")
        values["session"] = label_key(chosen.session)
    if chosen.recording is not None:
        conditions.append("r.id = :recording")
        values["recording"] = chosen.recording
    return conditions, values


def _in_split(chosen: Filter, values: dict[str, Any]) -> str:
    values["split"] = label_key(chosen.split or "")
    part = ""
    if chosen.part is not None:
        part, values["part"] = " AND m.part = :part", chosen.part
    return (
        "EXISTS (SELECT 1 FROM split_clips m JOIN splits l ON l.id = m.split"
        f" WHERE m.clip = c.id AND l.key = :split{part})"
    )


def _some_segment(condition: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM clips c LEFT JOIN actions a ON a.id = c.action LEFT JOIN people p ON p.id = c.who"
        f" WHERE c.recording = r.id AND ({condition}))"
    )


def _words(text: str) -> list[str]:
    return [label_key(word) for word in text.split()][:8]


def _count(row: sqlite3.Row | None) -> int:
    assert row is not None
    return int(row[0])


def _segment(row: sqlite3.Row) -> SegmentRow:
    return SegmentRow(**{name: row[name] for name in row.keys() if name != "suspect"}, suspect=bool(row["suspect"]))  # noqa: SIM118  a Row iterates over values


def _recording(row: sqlite3.Row) -> RecordingRow:
    return RecordingRow(
        *(row["id"], row["created"], row["source"], row["duration_s"], row["frames"]),
        *((row["width"], row["height"]), row["layout"], bool(row["skeleton_only"]), row["session_name"]),
        *(row["note"], row["segments"], row["labelled"]),
    )
