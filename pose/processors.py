"""On two processors, one for the poses and the other for everything else.

Linux often places a thread that another one wakes on the waker's processor, where it takes the place of what runs: on
two processors decoding and drawing then interrupt the poses although the other processor is free. Measured: the
pipeline is 0.82 to 0.95 of a bare pose loop without this, 1.02 to 1.06 with it (docs/benchmarks.md). With more
processors there is room anyway.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path


def divide(pid: int) -> None:
    """Give the process `pid` one processor and this process the other, where Linux gives this process two."""
    if sys.platform == "linux" and len(_ALLOWED) == 2:
        for process, processor in ((pid, min(_ALLOWED)), (os.getpid(), max(_ALLOWED))):
            _bind(process, {processor})


def unite() -> None:
    """Give this process all of its processors back."""
    if sys.platform == "linux" and len(_ALLOWED) == 2:
        _bind(os.getpid(), _ALLOWED)


def _bind(pid: int, processors: set[int]) -> None:
    if sys.platform == "linux":
        with suppress(OSError):  # the process has ended, or the system does not allow it: slower, but as right
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), processors)


_ALLOWED = os.sched_getaffinity(0) if sys.platform == "linux" else set()
