"""Files that are written whole or not at all."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place when the block ends without an error.

    After an error it is removed, and what stood at `path` stays. It ends as `path` does, for libraries that choose a
    format by that. OSError, which names `path`.
    """
    if not path.name:  # "." and "/", beside which with_name() knows no name
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = path.with_name(f".{os.getpid()}.{threading.get_ident()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
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
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """A file of bytes. OSError."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
