"""Labelled segments of a library as examples to teach with."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from app.errors import RecordingError
from app.library.rows import Filter, SegmentRow
from app.recording.folder import Recording
from app.recording.trim import track_of_person
from recognizer.datasets.recorded import within
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.movement import rests
from recognizer.teaching.stillness import without_held
from recognizer.teaching.suspects import suspicions

_LONGEST_REST_S = 4.0  # of a stillness: more of it says nothing new
_COMPARED = 8  # segments of its name with which a new one is compared

log = logging.getLogger(__name__)


class Segments(Protocol):
    """The part of a Library that is used here."""

    def segments(self, chosen: Filter | None = None, offset: int = 0, limit: int = ...) -> list[SegmentRow]: ...

    def open_recording(self, recording: str) -> Recording: ...


def examples(library: Segments, actions: Sequence[str] | None) -> list[Example]:
    """See Library.examples. Every recording is read once. The stillness around each segment of an action comes with
    it, as far as no other segment of that person has it."""
    chosen = [Filter()] if actions is None else [Filter(action=action) for action in actions]
    rows = {row.id: row for one in chosen for row in library.segments(one, limit=-1) if row.action is not None}
    of_recording: dict[str, list[SegmentRow]] = {}
    for row in sorted(rows.values(), key=lambda row: (row.created, row.recording, row.start_s, row.id)):
        of_recording.setdefault(row.recording, []).append(row)
    found: list[Example] = []
    for name, segments in of_recording.items():
        try:
            recording = library.open_recording(name)
        except RecordingError as error:
            log.warning("%s", error)
            continue
        for row in segments:
            example = example_of(row, recording)
            if len(example.times_s) < 2:
                log.warning("segment %s: person %d is not in it, left out", row.name, row.person)
            else:
                found.append(example)
        found += _around(library, [row for row in segments if row.action != NOTHING], recording)
    return without_held(found)


def _around(library: Segments, segments: Sequence[SegmentRow], recording: Recording) -> list[Example]:
    """The stillness around the segments of a recording, which is what their people do when they do none of it."""
    if not segments:
        return []
    everything = library.segments(Filter(recording=recording.info.id), limit=-1)
    found = []
    for person in dict.fromkeys(row.person for row in segments):
        own = [row for row in segments if row.person == person]
        taken = [(row.start_s, row.end_s) for row in everything if row.person == person]
        track = track_of_person(recording, person)
        for number, (start_s, end_s) in enumerate(rests(track, [(r.start_s, r.end_s) for r in own], taken), 1):
            host = min(own, key=lambda row: max(row.start_s - end_s, start_s - row.end_s))
            stretch = replace(host, start_s=start_s, end_s=min(end_s, start_s + _LONGEST_REST_S), action=NOTHING)
            example = example_of(stretch, recording)
            if len(example.times_s) > 1:
                found.append(replace(example, name=f"{host.name} still {number}", around=host.name))
    return found


def warnings_for(library: Segments, row: SegmentRow) -> list[str]:
    """What looks wrong with a segment of an action beside the newest others of its name (recognizer.teaching.suspects).
    Raises RecordingError where it cannot be read; others that cannot are left out."""
    if row.action in (None, NOTHING):
        return []
    take = example_of(row, library.open_recording(row.recording))
    others = []
    for other in library.segments(Filter(action=row.action), limit=_COMPARED + 1):
        if other.id != row.id:
            with contextlib.suppress(RecordingError):
                others.append(example_of(other, library.open_recording(other.recording)))
    if len(take.times_s) < 2:
        return ["nobody is in it"]
    return suspicions(take, [other for other in others if len(other.times_s) > 1][:_COMPARED])


def example_of(row: SegmentRow, recording: Recording) -> Example:
    """The poses of a segment, labelled or not."""
    times_s = recording.times_s[recording.frame]
    chosen = (recording.person == row.person) & within(times_s, row.start_s, row.end_s)
    return Example(
        row.name,
        row.action or "",
        row.who,
        row.session,
        np.ascontiguousarray(times_s[chosen]),
        recording.xy_px[chosen],
        recording.confidence[chosen],
        recording.layout,
    )
