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

# Where the rows of names are used. Recordings bring in names by themselves, and not as steps of undo.
USED_IN = {"actions": ("clips", "action"), "people": ("clips", "who"), "sessions": ("recordings", "session")}

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
        (made, text, json.dumps(changes, ensure_ascii=False, separators=(",", ":"))),
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
    """Put the rows of an edit back as they were before (undo) or after it; its changes. A name that recordings use
    which came since stays; one of the same name that came with them becomes the one that is put back."""
    stored = connection.execute("SELECT changes FROM edits WHERE id = ?", (edit,)).fetchone()[0]
    changes: list[Change] = [(table, key, before, after) for table, key, before, after in json.loads(stored)]
    rows = [(table, key, before if undo else after) for table, key, before, after in changes]
    for table, key, row in reversed(rows) if undo else rows:
        _put(connection, table, key, row)
    for table, key in ((table, key) for table, key, row in rows if row is None and table in USED_IN):
        _delete_unused(connection, table, key)  # now that the rest of this edit does not use it
    connection.execute("UPDATE edits SET undone = ? WHERE id = ?", (1 if undo else 0, edit))
    return changes


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


def _put(connection: sqlite3.Connection, table: str, key: str | int, row: Row | None) -> None:
    if row is None:
        if table not in USED_IN:
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (key,))
        return
    if table in USED_IN:
        _take_over(connection, table, key, row["key"])
    if connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (key,)).fetchone():
        connection.execute(*_update(table, key, row))
    else:
        connection.execute(*_insertion(table, row))


def _delete_unused(connection: sqlite3.Connection, table: str, key: str | int) -> None:
    user, column = USED_IN[table]
    used = f"SELECT 1 FROM {user} WHERE {column} = {table}.id"
    connection.execute(f"DELETE FROM {table} WHERE id = ? AND NOT EXISTS ({used})", (key,))


def _take_over(connection: sqlite3.Connection, table: str, key: str | int, name_key: str) -> None:
    """Give this row what is called the same by another one, which goes."""
    user, column = USED_IN[table]
    for other in connection.execute(f"SELECT id FROM {table} WHERE key = ? AND id <> ?", (name_key, key)).fetchall():
        connection.execute(f"UPDATE {user} SET {column} = ? WHERE {column} = ?", (key, other[0]))
        connection.execute(f"DELETE FROM {table} WHERE id = ?", (other[0],))


def _insertion(table: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    marks = ", ".join("?" * len(values))
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())


def _update(table: str, key: str | int, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    sets = ", ".join(f"{name} = ?" for name in values)
    return f"UPDATE {table} SET {sets} WHERE id = ?", [*values.values(), key]
