"""Where something moves in a recording, and the stretches that segments can be made of."""

import numpy as np
from numpy.typing import NDArray

from app.recording.folder import Recording

_SEEN = 0.1
_AROUND_S = 0.07
_TOP = 0.98  # quantile of the speed that counts as full energy
_STILL = 0.25  # body heights a second: less is a detector's jitter, not motion, even where nothing is faster
_ACTIVE = 0.2  # of the energy's range
_REST_S, _SHORTEST_S, _MARGIN_S = 0.5, 0.3, 0.2

Times = NDArray[np.float64]
Energy = NDArray[np.float32]


def motion_energy(recording: Recording, person: int) -> tuple[Times, Energy]:
    """Times (n,) and how fast a person's joints move there, 0..1: the mean over joints, in body heights a second.

    A joint's way is from a moment before to a moment after, over which a detector's jitter is nearly nothing.
    """
    rows = np.flatnonzero(recording.person == person)
    if len(rows) < 2:
        return np.zeros(0), np.zeros(0, np.float32)
    times_s = recording.times_s[recording.frame[rows]]
    xy, seen = recording.xy_px[rows].astype(np.float64), recording.confidence[rows] > _SEEN
    before = np.searchsorted(times_s, times_s - _AROUND_S)
    after = np.searchsorted(times_s, times_s + _AROUND_S, side="right") - 1
    here = np.arange(len(rows))  # of few frames a second the next ones are further away than a moment
    before = np.where(before < here, before, np.maximum(here - 1, 0))
    after = np.where(after > here, after, np.minimum(here + 1, len(rows) - 1))
    both = seen[before] & seen[after]
    way = np.linalg.norm(xy[after] - xy[before], axis=2) * both
    speed = way.sum(axis=1) / np.maximum(both.sum(axis=1), 1) / np.maximum(times_s[after] - times_s[before], _AROUND_S)
    speed /= _height(xy, seen)
    top = max(float(np.quantile(speed, _TOP)), _STILL)
    return times_s, np.clip(speed / top, 0, 1).astype(np.float32)


def propose(times_s: Times, energy: Energy) -> list[tuple[float, float]]:
    """Stretches in which something moves: over a fifth of the energy range, half a second of rest apart."""
    found: list[list[float]] = []
    for time_s in times_s[energy > _ACTIVE].tolist():
        if found and time_s - found[-1][1] < _REST_S:
            found[-1][1] = time_s
        else:
            found.append([time_s, time_s])
    end_s = float(times_s[-1]) if len(times_s) else 0.0
    long = [(start, end) for start, end in found if end - start >= _SHORTEST_S]
    return [(max(start - _MARGIN_S, 0.0), min(end + _MARGIN_S, end_s)) for start, end in long]


def free_parts(
    parts: list[tuple[float, float]], taken: list[tuple[float, float]], shortest_s: float = _SHORTEST_S
) -> list[tuple[float, float]]:
    """What is left of stretches outside of others, where it is long enough."""
    for start, end in taken:
        cut = [(max(a, low), min(b, high)) for a, b in parts for low, high in ((-np.inf, start), (end, np.inf))]
        parts = [(a, b) for a, b in cut if b - a >= shortest_s]
    return parts


def _height(xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> float:
    """The median extent of the seen joints, upright or lying, 1 where there is none."""
    some = seen.any(axis=1)
    if not some.any():
        return 1.0
    there = np.where(seen[some][..., None], xy[some], np.nan)
    extent = (np.nanmax(there, axis=1) - np.nanmin(there, axis=1)).max(axis=1)
    return float(np.median(extent)) or 1.0
