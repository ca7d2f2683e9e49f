"""What the window does with several recordings at once: read on a job's thread, then one step of undo."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.motion import free_parts, motion_energy, propose
from app.library.rows import Filter, NewSegment, RecordingRow, SegmentRow
from app.plurals import counted
from app.recording.folder import Recording
from app.ui.jobs import Jobs

T = TypeVar("T")

New = dict[str, list[NewSegment]]
Spans = list[tuple[float, float]]  # (start_s, end_s)
Motion = dict[str, tuple[int, Spans]]  # of each recording the person who is there longest, and where they move


class RecordingEdits:
    """do(edit): as SegmentEdits.do. show_status(line)."""

    def __init__(
        self, jobs: Jobs, do: Callable[[Callable[[Library], object]], bool], show_status: Callable[[str], None]
    ) -> None:
        self._jobs, self._do, self._show_status = jobs, do, show_status

    def propose(self, library: Library, recordings: Sequence[str], made: Callable[[list[int]], None]) -> None:
        """Segments wherever the person who is there longest moves and none is yet; made(their ids)."""

        def add(found: Motion) -> None:
            ids: list[int] = []
            new = _free_segments(library, found)
            if not new:
                self._show_status(f"Nothing moves in these {len(recordings)} recordings where no segment is yet")
            elif self._do(lambda library: ids.extend(library.add_segments_to(new))):
                self._show_status(f"{counted(len(ids), 'segment')} in {len(new)} of {len(recordings)} recordings")
                made(ids)

        self._show_status(f"Looking for motion in {counted(len(recordings), 'recording')} …")
        self._jobs.start("motion", lambda: _motion(library, recordings), add, self._show_status)

    def label(self, library: Library, recordings: Sequence[str], action: str, persons: Mapping[str, int]) -> None:
        """Their segments without a label, and the whole of those that have no segment. persons: who was chosen in a
        recording; in others it is the person who is there longest."""
        waiting, bare = _unlabelled(library, recordings)

        def add(found: New) -> None:
            # what has been labelled, or put into the bin, while the recordings were read stays as it is
            unlabelled, still_bare = _unlabelled(library, recordings)
            label = sorted(set(waiting).intersection(unlabelled))
            new = {name: found[name] for name in still_bare if name in found}
            if label or new:
                self._do(lambda library: library.add_segments_to(new, label, action))
            elif waiting or found:
                self._show_status("Changed meanwhile: nothing more was labelled (Alt+1 lists the segments)")
            else:
                self._show_status("It shows nobody to label: nothing was changed")

        if not waiting and not bare:
            self._show_status("All its segments are labelled: Alt+1 lists them, to relabel them one by one")
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


def _spans_recording(segment: SegmentRow, duration_s: float) -> bool:
    return segment.action is None and segment.end_s - segment.start_s > 0.9 * duration_s


def _listed(library: Library, recording: str) -> RecordingRow | None:
    """A recording; None where it is in the bin or gone."""
    return next(iter(library.recordings(Filter(recording=recording))), None)


def _unlabelled(library: Library, recordings: Sequence[str]) -> tuple[list[int], list[str]]:
    """The segments without a label in the recordings, and those of the recordings that have no segment."""
    listed = [row for name in recordings if (row := _listed(library, name)) is not None]
    segments = [segment for row in listed if row.segments for segment in library.segments_in(row.id)]
    return [one.id for one in segments if one.action is None], [row.id for row in listed if not row.segments]


def _in_each(library: Library, recordings: Sequence[str], read: Callable[[str, Recording], T | None]) -> dict[str, T]:
    """On a job's thread: what each recording gives, None for nothing. What cannot be read is left out; where nothing
    else is left, RecordingError."""
    found: dict[str, T] = {}
    problems: list[RecordingError] = []
    for name in recordings:
        try:
            given = read(name, library.open_recording(name))
        except RecordingError as error:
            problems.append(error)
            continue
        if given is not None:
            found[name] = given
    if len(problems) == len(recordings):
        raise problems[0]
    return found


def _motion(library: Library, recordings: Sequence[str]) -> Motion:
    def motion_of(_: str, recording: Recording) -> tuple[int, Spans] | None:
        person = recording.subject()
        return None if person is None else (person, propose(*motion_energy(recording, person)))

    return _in_each(library, recordings, motion_of)


def _free_segments(library: Library, found: Motion) -> New:
    """The motion outside the segments that there are now, which may be others than before the recordings were read."""
    new: New = {}
    for name, (person, spans) in found.items():
        segments, row = library.segments_in(name), _listed(library, name)
        if row is not None and (parts := free_parts(spans, occupied_spans(segments, person, row.duration_s))):
            who = name_of(segments, person)
            new[name] = [NewSegment(start_s, end_s, person, None, who) for start_s, end_s in parts]
    return new


def _whole_segments(library: Library, recordings: Sequence[str], action: str, persons: Mapping[str, int]) -> New:
    def segments_of(name: str, recording: Recording) -> list[NewSegment] | None:
        person = persons.get(name, recording.subject())
        return None if person is None else [NewSegment(0.0, recording.info.duration_s, person, action)]

    return _in_each(library, recordings, segments_of)
