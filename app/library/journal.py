"""Changes of a library: each is written whole or not at all, can be undone, and reaches the files of labels."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from app.library.database import Database
from app.library.edit_operations import now
from app.library.edits import Edit, forget, mark_unwritten, next_edit, remember, replay
from app.library.errors import GoneError, LibraryError, ReadOnlyError
from app.library.label_files import write_unwritten
from app.library.thumbnail_files import remove_outdated

log = logging.getLogger(__name__)

T = TypeVar("T")


class Journal:
    """Edits of one library's catalogue. Thread-safe. Every method but next_step raises LibraryError, and changes
    nothing then; ReadOnlyError where the library is open read-only."""

    def __init__(self, root: Path, database: Database) -> None:
        self._root, self._database = root, database

    def do(self, text: str, change: Callable[[Edit], T]) -> T:
        """Make a change as one step of undo, called `text` in menus; what `change` returns."""
        with self.writing() as edit:
            result = change(edit)
            if edit.changes:
                remember(edit.connection, text, edit.changes, now())
        return result

    @contextmanager
    def writing(self) -> Iterator[Edit]:
        """A change that is no step of undo."""
        self.check_writable()
        with self._database.transaction() as connection:
            edit = Edit(connection)
            yield edit
            mark_unwritten(connection, edit.changes)
        self._write_labels()
        remove_outdated(self._root, edit.changes)

    def replay(self, *, undo: bool) -> str | None:
        """Undo the last edit, or redo the last that was undone; its text, None if there is none.

        One for which that is impossible is taken out of the history, so that it is in the way of no other.
        """
        self.check_writable()
        with self._database.lock:
            with self._database.reading() as connection:
                edit = next_edit(connection, undo=undo)
            if edit is None:
                return None
            try:
                with self._database.transaction() as connection:
                    changes = replay(connection, edit[0], undo=undo)
                    mark_unwritten(connection, changes)
            except (sqlite3.IntegrityError, GoneError) as error:
                with self._database.transaction() as connection:
                    forget(connection, edit[0])
                doing = "undone: undo again for the step before it" if undo else "redone: redo again for the next step"
                raise LibraryError(f'"{edit[1]}" does not fit what is there now and cannot be {doing}') from error
            self._write_labels()
        remove_outdated(self._root, changes)
        return edit[1]

    def next_step(self, *, undo: bool) -> tuple[int, str] | None:
        """The number and the text of the edit that replay() would take; None if there is none."""
        with self._database.reading() as connection:
            return next_edit(connection, undo=undo)

    def check_writable(self) -> None:
        """Raises ReadOnlyError where the library is open read-only."""
        if self._database.read_only:
            raise ReadOnlyError("the library is read-only here: close it elsewhere, or make its folder writable")

    def _write_labels(self) -> None:
        """Update the label files from the catalogue; what cannot be written now is written after the next edit."""
        try:
            with self._database.transaction() as connection:
                write_unwritten(connection, self._root)
        except LibraryError as error:  # the edit itself is in the catalogue: it has not failed
            log.warning("labels are not yet written beside the recordings: %s", error)
