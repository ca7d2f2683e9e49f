"""What a process holds, measured after each round, and whether it grows."""

import gc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil

MB = 1 << 20
# How much each may grow in all rounds after the first, by its trend, before it is called a leak.
ALLOWED = {"memory_mb": 20.0, "threads": 2.0, "handles": 4.0, "sockets": 2.0, "files": 2.0, "processes": 0.5}
_WARM_UP = 0.3  # of the rounds: until then caches fill, and libraries start threads that they keep


def measure(folders: Sequence[Path], without: Sequence[int] = ()) -> dict[str, float]:
    """What this process and its children hold. folders: whose files count. without: processes that are not counted."""
    gc.collect()
    own = psutil.Process()
    processes = [own, *(child for child in own.children(recursive=True) if child.pid not in without)]
    sums = dict.fromkeys(ALLOWED, 0.0)
    for process in processes:
        try:
            with process.oneshot():
                sums["memory_mb"] += process.memory_info().rss / MB
                sums["threads"] += process.num_threads()
                sums["handles"] += process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
                sums["sockets"] += len(process.net_connections())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    sums["processes"] = len(processes)
    sums["files"] = sum(len(files) for folder in folders for _, _, files in os.walk(folder))
    return {name: round(value, 2) for name, value in sums.items()}


def growth(values: Sequence[float]) -> float:
    """By how much a measure grows from the end of the warm-up to the last round: the median slope between any two
    rounds times their number, which a single round that is off does not move."""
    kept = np.asarray(values[int(len(values) * _WARM_UP) :], float)
    if len(kept) < 2:
        return 0.0
    first, second = np.triu_indices(len(kept), 1)
    slopes = (kept[second] - kept[first]) / (second - first)
    return float(np.median(slopes)) * (len(kept) - 1)


def leaks(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What grows by more than it may, and by how much."""
    found = {name: round(growth([each[name] for each in rounds]), 2) for name in ALLOWED}
    return {name: value for name, value in found.items() if value > ALLOWED[name]}
