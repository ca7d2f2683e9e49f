"""One writer for each library and each take: a lock that the system releases when its process dies, with its owner's
name."""

import contextlib
import json
import os
import sys
from pathlib import Path

import psutil

_FILE = "library.lock"
_FAR = 1 << 30  # on Windows the locked byte cannot be read by others, so it lies behind the text


class WriterLock:
    """Held from a successful take() until release() or the end of the process.

    The file tells pid and start time of its owner. The system's own lock decides, so a file left by a killed process,
    or one whose number now belongs to another process, blocks nobody.
    """

    def __init__(self, folder: Path, name: str = _FILE) -> None:
        """name: of the file, which the folder gets when the lock is taken."""
        self._path = folder / name
        self._file: int | None = None

    def take(self) -> bool:
        """False while another process (or another lock of this one) has it. Raises OSError."""
        owner = json.dumps({"pid": os.getpid(), "started": psutil.Process().create_time()}).encode()
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        taken = False
        try:
            taken = _try_lock(file)
        finally:
            if not taken:
                os.close(file)
        if taken:
            self._file = file
            with contextlib.suppress(OSError):  # it holds without a name, too: a full disk is no reason not to write
                os.ftruncate(file, 0)
                os.lseek(file, 0, os.SEEK_SET)
                os.write(file, owner)
        return taken

    def owner(self) -> str:
        """The owner as "process 1234", or "another process" if it is not known."""
        try:
            values = json.loads(self._path.read_bytes())
            process = psutil.Process(int(values["pid"]))
            if abs(process.create_time() - float(values["started"])) < 1.0:
                return f"process {process.pid}"
        except (OSError, ValueError, RecursionError, KeyError, TypeError, psutil.Error):
            pass
        return "another process"

    def release(self) -> None:
        """Let go. The file stays: removing it could take it from under the next owner."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)

    def remove(self) -> None:
        """Let go, and remove the file: only where nobody else will want the lock any more."""
        self.release()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _try_lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _FAR, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
