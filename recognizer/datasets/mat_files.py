"""MATLAB files: read here, or in a process of their own where they are untrusted.

SciPy's reader ends the process on some damaged files: of 1500 copies of a Penn Action label file with one to four
changed bytes, 17 did it (SciPy 1.17).
"""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from pose.ctrl_c import start_process
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import DAMAGED, damaged

_MAX_BYTES = 768 << 20  # of memory for one file; those of the data sets need a thousandth
_TIMEOUT_S = 60.0  # for the start of the process, and for one file


Arrays = Callable[..., list[NDArray[Any]]]  # of a file: its arrays of these names


@contextmanager
def mat_reader(*, isolated: bool = False) -> Iterator[Arrays]:
    """`arrays`, or the same in a process of its own that ends with the block. That process begins the program's main
    module again, which has to guard what it does with `if __name__ == "__main__"`."""
    if not isolated:
        yield arrays
        return
    with MatFiles() as mat:
        yield mat.arrays


def arrays(file: Path, *fields: str) -> list[NDArray[Any]]:
    """The named arrays of a file; DataError when it cannot be read or lacks one."""
    answer = _read(file, fields)
    if isinstance(answer, str):
        raise damaged(file, answer)
    return answer


class MatFiles:
    """Reads MATLAB files in a process of its own, while it is entered."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> "MatFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def arrays(self, file: Path, *fields: str) -> list[NDArray[Any]]:
        """The named arrays of a file; DataError when it cannot be read or lacks one, or the process does not start."""
        connection = self._connection or self._begun(self._start())
        try:
            connection.send((file, fields))
            answer = connection.recv() if connection.poll(_TIMEOUT_S) else f"not read in {_TIMEOUT_S:.0f} s"
        except (EOFError, ConnectionError):
            answer = "not a whole MATLAB file (its reader crashed)"
        if isinstance(answer, str):
            self._end()
            raise damaged(file, answer)
        return list(answer)

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")  # a fork would copy the locks of torch's threads
        ours, theirs = context.Pipe()
        process = context.Process(target=_read_until_closed, args=(theirs,), daemon=True, name="MATLAB files")
        start_process(process)  # Ctrl-C is this process's to answer
        theirs.close()
        self._connection, self._process = ours, process
        return ours

    def _begun(self, connection: Connection) -> Connection:
        """The connection, once the process is ready to read."""
        try:
            begun = connection.poll(_TIMEOUT_S) and connection.recv()
        except (EOFError, ConnectionError):
            begun = False
        if not begun:
            self._end()
            raise DataError("the process that reads MATLAB files does not start; see what it says above, and try again")
        return connection

    def _end(self) -> None:
        if self._process is None or self._connection is None:
            return
        self._connection.close()
        self._process.terminate()
        self._process.join()
        self._process = self._connection = None


def _limit_memory() -> None:
    """What a file packs is seen only when it is unpacked: where the system can, this process gets no more than that."""
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limits, macOS none that hold
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + _MAX_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _read_until_closed(connection: Connection) -> None:
    _limit_memory()
    with suppress(EOFError, ConnectionError):  # the asking process is gone
        connection.send(True)
        while True:
            file, fields = connection.recv()
            connection.send(_read(file, fields))


def _read(file: Path, fields: tuple[str, ...]) -> list[NDArray[Any]] | str:
    """The arrays, or why there are none."""
    try:
        content = loadmat(file, variable_names=fields)
    except DAMAGED as error:
        return f"not a whole MATLAB file ({type(error).__name__})"
    for field in fields:
        if field not in content:
            return f"has no field `{field}`"
        if not isinstance(content[field], np.ndarray):
            return f"its field `{field}` is not an array"
    return [content[field] for field in fields]
