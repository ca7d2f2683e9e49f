"""Files that are written whole or not at all."""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place when the block ends without an error.

    After an error it is removed, and what stood at `path` stays. It ends as `path` does, for libraries that choose a
    format by that. OSError, which names `path`.

    A link stays, and what it leads to is replaced. A device or a pipe (/dev/null, /dev/stdout) is written to as it is.
    """
    if not path.name:  # "." and "/", beside which with_name() knows no name
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if _is_device(path):
        yield path
        return
    target = Path(os.path.realpath(path)) if os.path.islink(path) else path
    temporary = target.with_name(f".{os.getpid()}.{threading.get_ident()}.{target.name}")
    try:
        yield temporary
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (temporary, str(temporary)):
            error.filename = str(path)  # the name that the user gave
            del error.filename2
        raise


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8. OSError."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_private_text(path: Path, text: str) -> None:
    """A text file in UTF-8 that its user alone may read (mode 0600, where the system has modes). OSError."""
    with atomic_write(path) as temporary:
        if not _is_device(temporary):
            temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """A file of bytes. OSError."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _is_device(path: Path) -> bool:
    """True for what is there and is neither a file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a name with a zero, which writing meets, too
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
