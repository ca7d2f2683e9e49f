"""What the window does with several recordings at once: read on a job's thread, then one step of undo."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.motion import free_parts, motion_energy, propose
from app.library.rows import NewSegment, SegmentRow
from app.plurals import counted
from app.recording.folder import Recording
from app.ui.jobs import Jobs

New = dict[str, list[NewSegment]]

_ALL_LABELLED = "All its segments are labelled: Alt+1 lists them, to relabel them one by one"


class RecordingEdits:
    """do(edit): as SegmentEdits.do. show_status(line)."""

    def __init__(
        self, jobs: Jobs, do: Callable[[Callable[[Library], object]], bool], show_status: Callable[[str], None]
    ) -> None:
        self._jobs, self._do, self._show_status = jobs, do, show_status

    def propose(self, library: Library, recordings: Sequence[str], made: Callable[[list[int]], None]) -> None:
        """Segments wherever the person who is there longest moves and none is yet; made(their ids)."""

        def add(found: New) -> None:
            ids: list[int] = []
            found = _still_free(library, found)
            if not found:
                self._show_status(f"Nothing moves in these {len(recordings)} recordings where no segment is yet")
            elif self._do(lambda library: ids.extend(library.add_segments_to(found))):
                self._show_status(f"{counted(len(ids), 'segment')} in {len(found)} of {len(recordings)} recordings")
                made(ids)

        self._show_status(f"Looking for motion in {counted(len(recordings), 'recording')} …")
        self._jobs.start("motion", lambda: _moving_segments(library, recordings), add, self._show_status)

    def label(self, library: Library, recordings: Sequence[str], action: str, persons: Mapping[str, int]) -> None:
        """Their segments without a label, and the whole of those that have no segment. persons: who was chosen in a
        recording; in others it is the person who is there longest."""
        waiting, bare = _to_label(library, recordings)

        def add(found: New) -> None:
            unlabelled, still_bare = _to_label(library, recordings)  # again: there may be labels since
            label = [segment for segment in waiting if segment in unlabelled]
            new = {name: segments for name, segments in found.items() if name in still_bare}
            if label or new:
                self._do(lambda library: library.add_segments_to(new, label, action))
            else:
                self._show_status("It shows nobody to label: nothing was changed" if still_bare else _ALL_LABELLED)

        if not waiting and not bare:
            self._show_status(_ALL_LABELLED)
        elif bare:
            self._jobs.start("whole", lambda: _whole_segments(library, bare, action, persons), add, self._show_status)
        else:
            add({})


def occupied_spans(segments: Sequence[SegmentRow], person: int, duration_s: float) -> list[tuple[float, float]]:
    """(start_s, end_s) of a person's segments. An unlabelled one over the whole recording does not count: it is to
    be split."""
    return [
        (segment.start_s, segment.end_s)
        for segment in segments
        if segment.person == person and not _spans_recording(segment, duration_s)
    ]


def name_of(segments: Sequence[SegmentRow], person: int) -> str | None:
    """The name that a person has in the segments of a recording; None where none of them says."""
    return next((segment.who for segment in segments if segment.person == person and segment.who), None)


def _to_label(library: Library, recordings: Sequence[str]) -> tuple[list[int], list[str]]:
    """The segments of recordings that have no label, and the recordings that have no segment."""
    segments = [segment for name in recordings for segment in library.segments_in(name)]
    bare = set(recordings) - {segment.recording for segment in segments}
    return [segment.id for segment in segments if segment.action is None], [name for name in recordings if name in bare]


def _still_free(library: Library, found: New) -> New:
    """What of new segments no segment has that came while they were looked for."""
    free: New = {}
    for name, new in found.items():
        recording = library.recording(name)
        if recording is None:
            continue
        taken = occupied_spans(library.segments_in(name), new[0].person, recording.duration_s)
        parts = free_parts([(segment.start_s, segment.end_s) for segment in new], taken)
        free[name] = [replace(new[0], start_s=start_s, end_s=end_s) for start_s, end_s in parts]
    return {name: new for name, new in free.items() if new}


def _spans_recording(segment: SegmentRow, duration_s: float) -> bool:
    return segment.action is None and segment.end_s - segment.start_s > 0.9 * duration_s


def _in_each(
    library: Library, recordings: Sequence[str], segments: Callable[[str, Recording], list[NewSegment]]
) -> New:
    """On a job's thread: the new segments of each recording that gets some. What cannot be read is left out; where
    nothing else is left, RecordingError."""
    found: New = {}
    problems: list[RecordingError] = []
    for name in recordings:
        try:
            found[name] = segments(name, library.open_recording(name))
        except RecordingError as error:
            problems.append(error)
    if len(problems) == len(recordings):
        raise problems[0]
    return {name: new for name, new in found.items() if new}


def _moving_segments(library: Library, recordings: Sequence[str]) -> New:
    def segments_of(name: str, recording: Recording) -> list[NewSegment]:
        if (person := recording.subject()) is None:
            return []
        segments = library.segments_in(name)
        taken, who = occupied_spans(segments, person, recording.info.duration_s), name_of(segments, person)
        parts = free_parts(propose(*motion_energy(recording, person)), taken)
        return [NewSegment(start_s, end_s, person, None, who) for start_s, end_s in parts]

    return _in_each(library, recordings, segments_of)


def _whole_segments(library: Library, recordings: Sequence[str], action: str, persons: Mapping[str, int]) -> New:
    def segments_of(name: str, recording: Recording) -> list[NewSegment]:
        person = persons.get(name, recording.subject())
        return [] if person is None else [NewSegment(0.0, recording.info.duration_s, person, action)]

    return _in_each(library, recordings, segments_of)
