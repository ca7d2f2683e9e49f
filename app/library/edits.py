"""Edits as row changes, so that each can be undone and redone, also after a restart."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from app.library.errors import GoneError
from app.library.labels import clean_label, label_key

WHOLE = ""  # the place of what belongs to no recording, in the table `unwritten`
_KEPT = 500  # edits that can be undone
_ROW = {"clips": "segment", "people": "person"}  # what a row is called where the table says it otherwise
WHOLE_TABLES = {"actions", "people", "sessions", "splits", "split_clips", "models", "model_clips"}
# Where the name of a row stands in the label files of recordings, too.
_NAMED_IN = {
    "actions": "SELECT DISTINCT recording FROM clips WHERE action = ?",
    "people": "SELECT DISTINCT recording FROM clips WHERE who = ?",
    "sessions": "SELECT id FROM recordings WHERE session = ?",
}
_USED_IN = {"actions": ("clips", "action"), "people": ("clips", "who"), "sessions": ("recordings", "session")}

Row = dict[str, Any]
Change = tuple[str, str | int, Row | None, Row | None]  # table, id, row before and after; None where there was none


class Edit:
    """Changes rows inside a transaction and remembers how they were."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.changes: list[Change] = []

    def insert(self, table: str, /, **values: Any) -> int:
        """A new row; its id."""
        key = self.connection.execute(*_insertion(table, values)).lastrowid
        assert key is not None
        self.changes.append((table, values.get("id", key), None, self._row(table, values.get("id", key))))
        return key

    def update(self, table: str, key: str | int, /, **values: Any) -> None:
        """Change a row; one that would stay as it is makes no change. Raises GoneError where there is none."""
        before = self._row(table, key)
        if before is None:
            raise GoneError(f"{_ROW.get(table, table[:-1])} {key}")
        after = before | values
        if after != before:
            self.connection.execute(*_update(table, key, values))
            self.changes.append((table, key, before, after))

    def delete(self, table: str, key: str | int) -> None:
        """Remove a row."""
        before = self._row(table, key)
        if before is not None:
            self.connection.execute(f"DELETE FROM {table} WHERE id = ?", (key,))
            self.changes.append((table, key, before, None))

    def named(self, table: str, name: str | None, what: str) -> int | None:
        """The id of a name, which is added where it is new; None for None. Raises LibraryError for a bad name."""
        if name is None:
            return None
        label = clean_label(name, what)
        found = self.find(table, label)
        return self.insert(table, name=label, key=label_key(label)) if found is None else found

    def find(self, table: str, name: str) -> int | None:
        """The id of a name, None where there is none."""
        row = self.connection.execute(f"SELECT id FROM {table} WHERE key = ?", (label_key(name.strip()),)).fetchone()
        return None if row is None else int(row[0])

    def users(self, table: str, key: int | str) -> list[Any]:
        """The ids of the segments or recordings that have an action, a person or a session."""
        used_in, column = _USED_IN[table]
        return self.keys(f"SELECT id FROM {used_in} WHERE {column} = ?", key)

    def hand_over(self, table: str, key: int | str, target: int | str | None) -> None:
        """Give what has an action, a person or a session another one; None for none."""
        used_in, column = _USED_IN[table]
        for row in self.users(table, key):
            self.update(used_in, row, **{column: target})

    def keys(self, sql: str, *values: Any) -> list[Any]:
        """The first column of what a query finds."""
        return [row[0] for row in self.connection.execute(sql, values)]

    def _row(self, table: str, key: str | int) -> Row | None:
        row = self.connection.execute(f"SELECT * FROM {table} WHERE id = ?", (key,)).fetchone()
        return None if row is None else dict(row)


def remember(connection: sqlite3.Connection, text: str, changes: list[Change], made: str) -> None:
    """Append an edit to the history; undone edits can then no longer be redone."""
    connection.execute("DELETE FROM edits WHERE undone = 1")
    connection.execute(
        "INSERT INTO edits (made, text, changes) VALUES (?, ?, ?)",
        (made, text, _to_json(changes)),
    )
    connection.execute(
        "DELETE FROM edits WHERE id <= (SELECT id FROM edits ORDER BY id DESC LIMIT 1 OFFSET ?)", (_KEPT,)
    )


def next_edit(connection: sqlite3.Connection, *, undo: bool) -> tuple[int, str] | None:
    """Id and text of the edit that undo, or redo, would touch."""
    order = "DESC" if undo else "ASC"
    row = connection.execute(
        f"SELECT id, text FROM edits WHERE undone = ? ORDER BY id {order} LIMIT 1", (0 if undo else 1,)
    ).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def replay(connection: sqlite3.Connection, edit: int, *, undo: bool) -> list[Change]:
    """Put the rows of an edit back as they were before (undo) or after it; what that has changed.

    Recordings come in between edits, with names of their own. A name that one of them uses stays, and one that has
    the name of a row that is put back becomes that row. The edit then holds what was changed, so that the opposite
    brings all of it back. Raises IntegrityError, and GoneError, where that is not possible.
    """
    stored = connection.execute("SELECT changes FROM edits WHERE id = ?", (edit,)).fetchone()[0]
    changes: list[Change] = [(table, key, before, after) for table, key, before, after in json.loads(stored)]
    replayed, unneeded = Edit(connection), []
    for table, key, before, after in _opposite(changes) if undo else changes:
        if after is None and table in _USED_IN:
            unneeded.append((table, key))
        else:
            _put(replayed, table, key, before, after)
    for table, key in unneeded:
        if not replayed.users(table, key):
            replayed.delete(table, key)
    done = _opposite(replayed.changes) if undo else replayed.changes
    connection.execute("UPDATE edits SET undone = ?, changes = ? WHERE id = ?", (int(undo), _to_json(done), edit))
    return replayed.changes


def forget(connection: sqlite3.Connection, edit: int) -> None:
    """Take an edit out of the history; what it changed stays."""
    connection.execute("DELETE FROM edits WHERE id = ?", (edit,))


def mark_unwritten(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Note whose label files the changes have made old; inside the same transaction, so that no kill loses it."""
    places: set[str] = set()
    for table, key, before, after in changes:
        row = after or before or {}
        if table in WHOLE_TABLES:
            places.add(WHOLE)
        if table == "recordings":
            places.add(str(key))
        if table == "clips":
            places.add(str(row["recording"]))
        if table in _NAMED_IN:
            places.update(found[0] for found in connection.execute(_NAMED_IN[table], (key,)))
    connection.executemany("INSERT OR IGNORE INTO unwritten VALUES (?)", [(place,) for place in sorted(places)])


def _opposite(changes: list[Change]) -> list[Change]:
    return [(table, key, after, before) for table, key, before, after in reversed(changes)]


def _to_json(changes: list[Change]) -> str:
    return json.dumps(changes, ensure_ascii=False, separators=(",", ":"))


def _put(edit: Edit, table: str, key: str | int, before: Row | None, after: Row | None) -> None:
    """Make a change once more. Columns that it leaves alone stay as they are now, such as whether files are missing."""
    if after is None:
        edit.delete(table, key)
        return
    values = {name: value for name, value in after.items() if before is None or before[name] != value}
    if table in _USED_IN and "key" in values:
        for other in edit.keys(f"SELECT id FROM {table} WHERE key = ? AND id <> ?", values["key"], key):
            edit.hand_over(table, other, key)
            edit.delete(table, other)
    if before is None:
        edit.insert(table, **values)
    else:
        edit.update(table, key, **values)


def _insertion(table: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    marks = ", ".join("?" * len(values))
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())


def _update(table: str, key: str | int, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    sets = ", ".join(f"{name} = ?" for name in values)
    return f"UPDATE {table} SET {sets} WHERE id = ?", [*values.values(), key]
