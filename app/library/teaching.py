"""Labelled clips of a library as what teaching learns from."""

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import RecordingError
from app.library.types import ClipRow, Filter
from app.recording.folder import Recording
from recognizer.teaching.clips import TeachingClip

_ROUNDING_S = 1e-6  # the length of a recording, which is the end of many a clip, is rounded to this

log = logging.getLogger(__name__)


class Clips(Protocol):
    """The part of a Library that is used here."""

    def clips(self, chosen: Filter | None = None, offset: int = 0, limit: int = ...) -> list[ClipRow]: ...

    def open_recording(self, recording: str) -> Recording: ...


def teaching_clips(library: Clips, actions: Sequence[str] | None) -> list[TeachingClip]:
    """See Library.teaching_clips. Every recording is read once."""
    chosen = [Filter()] if actions is None else [Filter(action=action) for action in actions]
    rows = {row.id: row for one in chosen for row in library.clips(one, limit=-1) if row.action is not None}
    of_recording: dict[str, list[ClipRow]] = {}
    for row in sorted(rows.values(), key=lambda row: (row.created, row.recording, row.start_s, row.id)):
        of_recording.setdefault(row.recording, []).append(row)
    found: list[TeachingClip] = []
    for name, clips in of_recording.items():
        try:
            recording = library.open_recording(name)
        except RecordingError as error:
            log.warning("%s", error)
            continue
        for row in clips:
            clip = _teaching_clip(row, recording)
            if len(clip.times_s) < 2:
                log.warning("clip %s: person %d is not in it, left out", row.name, row.person)
            else:
                found.append(clip)
    return found


def within(times_s: NDArray[np.float64], row: ClipRow) -> NDArray[np.bool_]:
    """Which times lie in a clip, both ends included."""
    inside: NDArray[np.bool_] = (times_s >= row.start_s - _ROUNDING_S) & (times_s <= row.end_s + _ROUNDING_S)
    return inside


def _teaching_clip(row: ClipRow, recording: Recording) -> TeachingClip:
    times_s = recording.times_s[recording.frame]
    chosen = (recording.person == row.person) & within(times_s, row)
    assert row.action is not None
    return TeachingClip(
        row.name,
        row.action,
        row.who,
        row.session,
        np.ascontiguousarray(times_s[chosen]),
        recording.xy_px[chosen],
        recording.confidence[chosen],
        recording.layout,
    )
