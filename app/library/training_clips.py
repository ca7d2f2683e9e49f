"""Labelled clips of a library as training clips."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from app.errors import RecordingError
from app.library.rows import ClipRow, Filter
from app.recording.folder import Recording
from app.recording.trim import track_of_person
from recognizer.datasets.recorded import within
from recognizer.teaching.clips import NOTHING, TeachingClip
from recognizer.teaching.movement import rests
from recognizer.teaching.stillness import without_held
from recognizer.teaching.suspects import suspicions

_LONGEST_REST_S = 4.0  # of a stillness: more of it says nothing new
_COMPARED = 8  # clips of its name with which a new one is compared

log = logging.getLogger(__name__)


class Clips(Protocol):
    """The part of a Library that is used here."""

    def clips(self, chosen: Filter | None = None, offset: int = 0, limit: int = ...) -> list[ClipRow]: ...

    def open_recording(self, recording: str) -> Recording: ...


def teaching_clips(library: Clips, actions: Sequence[str] | None) -> list[TeachingClip]:
    """See Library.teaching_clips. Every recording is read once. The stillness around each clip of an action comes with
    it, as far as no other clip of that person has it."""
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
            clip = teaching_clip(row, recording)
            if len(clip.times_s) < 2:
                log.warning("clip %s: person %d is not in it, left out", row.name, row.person)
            else:
                found.append(clip)
        found += _around(library, [row for row in clips if row.action != NOTHING], recording)
    return without_held(found)


def _around(library: Clips, clips: Sequence[ClipRow], recording: Recording) -> list[TeachingClip]:
    """The stillness around the clips of a recording, which is what their people do when they do none of it."""
    if not clips:
        return []
    everything = library.clips(Filter(recording=recording.info.id), limit=-1)
    found = []
    for person in dict.fromkeys(row.person for row in clips):
        own = [row for row in clips if row.person == person]
        taken = [(row.start_s, row.end_s) for row in everything if row.person == person]
        track = track_of_person(recording, person)
        for number, (start_s, end_s) in enumerate(rests(track, [(r.start_s, r.end_s) for r in own], taken), 1):
            host = min(own, key=lambda row: max(row.start_s - end_s, start_s - row.end_s))
            stretch = replace(host, start_s=start_s, end_s=min(end_s, start_s + _LONGEST_REST_S), action=NOTHING)
            clip = teaching_clip(stretch, recording)
            if len(clip.times_s) > 1:
                found.append(replace(clip, name=f"{host.name} still {number}", around=host.name))
    return found


def suspicions_of(library: Clips, row: ClipRow) -> list[str]:
    """What looks wrong with a clip of an action beside the newest others of its name (recognizer.teaching.suspects).
    Raises RecordingError where it cannot be read; others that cannot are left out."""
    if row.action in (None, NOTHING):
        return []
    take = teaching_clip(row, library.open_recording(row.recording))
    others = []
    for other in library.clips(Filter(action=row.action), limit=_COMPARED + 1):
        if other.id != row.id:
            with contextlib.suppress(RecordingError):
                others.append(teaching_clip(other, library.open_recording(other.recording)))
    if len(take.times_s) < 2:
        return ["nobody is in it"]
    return suspicions(take, [other for other in others if len(other.times_s) > 1][:_COMPARED])


def teaching_clip(row: ClipRow, recording: Recording) -> TeachingClip:
    """The poses of a clip, labelled or not."""
    times_s = recording.times_s[recording.frame]
    chosen = (recording.person == row.person) & within(times_s, row.start_s, row.end_s)
    return TeachingClip(
        row.name,
        row.action or "",
        row.who,
        row.session,
        np.ascontiguousarray(times_s[chosen]),
        recording.xy_px[chosen],
        recording.confidence[chosen],
        recording.layout,
    )
