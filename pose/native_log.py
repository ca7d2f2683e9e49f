"""Keeps the chatter of native libraries off the terminal."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# Lines of absl and TFLite that say nothing to a user, or what an exception says too. No environment variable turns
# them off in MediaPipe 0.10.33.
_CHATTER = re.compile(
    rb"WARNING: All log messages before absl|[IW]\d{4} \d\d:\d\d:|INFO: Created TensorFlow Lite"
    rb"|ERROR: The model is not a valid"
)

_in_use = threading.Lock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to the stderr descriptor meanwhile, then write all of it that is no chatter.

    Native libraries write to the descriptor itself, past sys.stderr. One thread at a time: another one that comes
    meanwhile goes unfiltered, since two who put the descriptor back in the wrong order would lose stderr for good.
    """
    if not _in_use.acquire(blocking=False):
        yield
        return
    try:
        with _held_back():
            yield
    finally:
        _in_use.release()


@contextmanager
def _held_back() -> Iterator[None]:
    with ExitStack() as stack:
        try:
            held = stack.enter_context(tempfile.TemporaryFile())
            real = os.dup(2)
        except OSError:  # a full disk, or no stderr as under pythonw
            yield
            return
        _flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            for line in held.readlines():
                if not _CHATTER.match(line):
                    os.write(2, line)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
