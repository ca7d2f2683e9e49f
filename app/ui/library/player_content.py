"""What the player shows: a chosen segment with a margin, or a whole recording; read on a job's thread."""

from collections.abc import Callable

from app.library.catalogue import Library
from app.library.rows import RecordingRow, SegmentRow
from app.plurals import counted
from app.ui.jobs import Jobs
from app.ui.library.frames import Stretch, read_stretch
from app.ui.library.player import Player

_MARGIN_S = 1.0  # of pictures around a segment, for setting its bounds


class Showing:
    """segment: the one that is shown; recording: shown whole, without a segment. At most one of them is there."""

    def __init__(self, player: Player, jobs: Jobs, say: Callable[[str], None]) -> None:
        self._player, self._jobs, self._say = player, jobs, say
        self.segment: SegmentRow | None = None
        self.recording: str | None = None

    @property
    def shown(self) -> tuple[str, int, str | None] | None:
        """The recording in the player, the person in it, and who that is; None until it is there."""
        if self._player.loading:
            return None
        if self.segment is not None:
            return self.segment.recording, self.segment.person, self.segment.who
        if self.recording is None or self._player.stretch is None:
            return None
        return self.recording, self._player.person, None

    def nothing(self) -> None:
        """Nothing is chosen."""
        self.segment = self.recording = None
        self._player.show_stretch(None, 0, 0.0, 0.0)

    def show_segment(self, library: Library, segment: SegmentRow) -> None:
        """A segment; nothing is read where the player has it already."""
        before, self.segment, self.recording = self.segment, segment, None
        bounds = (segment.start_s, segment.end_s)
        same = before is not None and before.recording == segment.recording and before.person == segment.person
        there = self._player.stretch is not None and not self._player.loading and self._player.bounds == bounds
        if not (same and there):
            self._await(segment.recording)
            self._player.bounds = bounds
            self._jobs.start(
                "segment",
                lambda: _read(library, segment.recording, segment.start_s, segment.end_s),
                lambda found: self._have_segment(library, segment, found),
                self._cannot_show,
            )
        self.show_stripes(library)

    def show_recording(self, library: Library, recording: str) -> None:
        """A whole recording, for segments to be made of it."""
        if recording == self.recording and self._player.stretch is not None and not self._player.loading:
            self.show_stripes(library)
            return
        self.segment, self.recording = None, recording
        self._await(recording)
        self._jobs.start(
            "recording",
            lambda: _read(library, recording),
            lambda found: self._have_recording(library, recording, found),
            self._cannot_show,
        )

    def show_stripes(self, library: Library) -> None:
        """The segments of what is shown, on the player's bar."""
        recording = self.segment.recording if self.segment else self.recording
        if recording is not None:
            self._player.show_segments(library.segments_in(recording))

    def _await(self, recording: str) -> None:
        """What the player still shows may be of another recording."""
        stretch = self._player.stretch
        self._player.loading = stretch is not None and stretch.recording.info.id != recording

    def _cannot_show(self, line: str) -> None:
        self._player.show_stretch(None, 0, 0.0, 0.0)
        self._say(line)

    def _have_segment(self, library: Library, segment: SegmentRow, found: Stretch) -> None:
        now = self.segment
        if now is not None and _stretch_of(now) == _stretch_of(segment):  # it may have got a label meanwhile
            self._player.show_stretch(found, segment.person, segment.start_s, segment.end_s)
            self.show_stripes(library)

    def _have_recording(self, library: Library, recording: str, found: Stretch) -> None:
        if self.segment is None and self.recording == recording:
            self._player.show_stretch(found, found.recording.subject() or 0, 0.0, found.recording.info.duration_s)
            self.show_stripes(library)


def _stretch_of(segment: SegmentRow) -> tuple[str, int, float, float]:
    return segment.recording, segment.person, segment.start_s, segment.end_s


def _read(library: Library, recording: str, start_s: float = 0.0, end_s: float | None = None) -> Stretch:
    found = library.open_recording(recording)
    return read_stretch(found, start_s - _MARGIN_S, (found.info.duration_s if end_s is None else end_s) + _MARGIN_S)


def describe(row: RecordingRow) -> str:
    """What can be done with a recording that is shown whole."""
    made = (
        f"{row.labelled} of {counted(row.segments, 'segment')} labelled" if row.segments else "It has no segments yet"
    )
    return f"{made}: A makes one here, P proposes those in which something moves"
