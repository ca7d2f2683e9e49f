"""The catalogue's SQLite file: opened, checked, brought to this version, and changed in transactions."""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from app.library.errors import LibraryError, NewerError
from app.library.labels import label_key
from app.library.schema import APPLICATION_ID, MIGRATIONS

FILE = "library.sqlite"
_BUSY_S = 5.0
_UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class DamagedError(Exception):
    """The file is not an intact catalogue; it can be rebuilt from the folders."""


class Database:
    """One connection for all threads of a process; `lock` is held while it is used."""

    def __init__(self, path: Path, *, read_only: bool = False, create: bool = False) -> None:
        """Open a catalogue, or create an empty one; without read_only it is migrated to this version.

        Raises DamagedError, and LibraryError where a newer version has made it or it cannot be opened.
        """
        self.lock = threading.RLock()
        self.read_only = read_only
        try:
            self._connection = _open_read_only(path) if read_only else _connect(_address(path))
        except (sqlite3.Error, OSError) as error:
            raise _refusal(path, error) from error
        try:
            self._prepare(path, create)
        except sqlite3.Error as error:
            self.close()
            raise _refusal(path, error) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. May be called repeatedly."""
        with self.lock:
            self._connection.close()

    def rows(self, sql: str, values: tuple[object, ...] | dict[str, object] = ()) -> list[sqlite3.Row]:
        """The rows of a query. Raises LibraryError if the file cannot be read."""
        with self.lock, one_line("read"):
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: tuple[object, ...] | dict[str, object] = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        found = self.rows(sql, values)
        return found[0] if found else None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for several queries that belong together."""
        with self.lock, one_line("read"):
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: everything is written or nothing. Raises LibraryError if the file cannot be written."""
        with self.lock, one_line("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("PRAGMA defer_foreign_keys = ON")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _prepare(self, path: Path, create: bool) -> None:
        version = self._pragma("user_version")
        kind = self._pragma("application_id")
        if version == 0 and not self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
            if not create:
                raise DamagedError("it is empty")
        elif kind != APPLICATION_ID:
            raise DamagedError("it is not a catalogue")
        if version > len(MIGRATIONS):
            raise NewerError(f"{path} was made by a newer version of ActionLens; update ActionLens to open it")
        if version < len(MIGRATIONS) and self.read_only:
            raise LibraryError(
                f"{path} is from an older version; close it elsewhere, or open it where it can be written"
            )
        self._check()
        if not self.read_only:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate(version, path)

    def _check(self) -> None:
        answers = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(1)")]
        if answers != ["ok"]:
            raise DamagedError(answers[0])
        if self._connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise DamagedError("its tables are inconsistent")

    def _migrate(self, version: int, path: Path) -> None:
        if 0 < version < len(MIGRATIONS):
            copy = path.with_name(f"{path.name}.v{version}")
            with closing(sqlite3.connect(copy)) as target:  # the older ActionLens can still use it
                self._connection.backup(target)
        for number in range(version, len(MIGRATIONS)):
            script = (
                f"BEGIN IMMEDIATE; {MIGRATIONS[number]};"
                f" PRAGMA user_version = {number + 1}; PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
            )
            try:
                self._connection.executescript(script)
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def one_line(doing: str) -> Iterator[None]:
    """SQLite's errors as a LibraryError of one line."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        fix = "start ActionLens again; it is repaired then" if is_damage(error) else "check the disk and try again"
        raise LibraryError(f"cannot {doing} the library ({error}); {fix}") from error


def is_damage(error: sqlite3.Error) -> bool:
    """True where the file itself is to blame, not the disk, another process or its permissions."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def _refusal(path: Path, error: sqlite3.Error | OSError) -> DamagedError | LibraryError:
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return DamagedError(str(error))
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return LibraryError(f"cannot open {path} ({reason}); check the folder and its permissions")


def _address(path: Path) -> str:
    return f"file:{quote(str(path.absolute()))}"


def _open_read_only(path: Path) -> sqlite3.Connection:
    """The catalogue as others write it; where SQLite would have to write beside it and cannot, as it stands now.

    Its `immutable` would leave out what a killed process has left beside the file, and trust that nobody writes to it.
    """
    with ExitStack() as on_failure:
        connection = _connect(f"{_address(path)}?mode=ro")
        on_failure.callback(connection.close)
        try:
            connection.execute("PRAGMA schema_version")  # the first that reads the file
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _UNWRITABLE:
                raise
            return _copy_in_memory(path)
        on_failure.pop_all()
    return connection


def _copy_in_memory(path: Path) -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix="actionlens-catalogue-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        connection = _connect(":memory:")
        with closing(sqlite3.connect(copy)) as source:
            source.backup(connection)
    return connection


def _connect(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("fold", 1, lambda text: label_key(text or ""), deterministic=True)
    return connection
