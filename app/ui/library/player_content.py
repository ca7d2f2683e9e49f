"""What the player shows: a chosen segment with a margin, or a whole recording; read on a job's thread."""

from collections.abc import Callable

from app.library.catalogue import Library
from app.library.rows import RecordingRow, SegmentRow
from app.plurals import counted
from app.ui.jobs import Jobs
from app.ui.library.frames import Stretch, read_stretch
from app.ui.library.player import Player

_MARGIN_S = 1.0  # of pictures around a segment, for setting its bounds
_Request = tuple[str] | tuple[str, int, float, float]  # a recording, or a person between two times in it


class PlayerContent:
    """segment: the shown segment. recording: the recording shown as a whole. At most one of them is set."""

    def __init__(self, player: Player, jobs: Jobs, show_status: Callable[[str], None]) -> None:
        self._player, self._jobs, self._show_status = player, jobs, show_status
        self.segment: SegmentRow | None = None
        self.recording: str | None = None
        self._loading: _Request | None = None  # what is being read for the player

    @property
    def shown(self) -> tuple[str, int, str | None] | None:
        """The recording in the player, the person in it, and who that is; None until it is there."""
        if not self._is_loaded():
            return None
        if self.segment is not None:
            return self.segment.recording, self.segment.person, self.segment.who
        return None if self.recording is None else (self.recording, self._player.person, None)

    @property
    def problem(self) -> str:
        """Why what was chosen cannot be shown; "" where it can, or nothing was."""
        return self._player.problem

    def clear(self) -> None:
        """Nothing is chosen."""
        self.segment = self.recording = self._loading = None
        self._player.show_stretch(None, 0, 0.0, 0.0)

    def show_segment(self, library: Library, segment: SegmentRow) -> None:
        """A segment; nothing is read where the player has it already."""
        before, self.segment, self.recording = self.segment, segment, None
        wanted, bounds = _stretch_of(segment), (segment.start_s, segment.end_s)
        same = before is not None and before.recording == segment.recording and before.person == segment.person
        if same and self._is_loaded() and self._player.bounds == bounds:
            self.show_stripes(library)
        elif self._loading != wanted:  # it may get a label while it is read
            self._load(
                wanted,
                lambda: _read(library, segment.recording, *bounds),
                lambda found: self._show_loaded(library, found, segment.person, *bounds),
            )

    def show_recording(self, library: Library, recording: str) -> None:
        """A whole recording, for segments to be made of it."""
        if recording == self.recording and self._is_loaded():
            self.show_stripes(library)
            return
        self.segment, self.recording = None, recording
        if self._loading != (recording,):
            self._load(
                (recording,),
                lambda: _read(library, recording),
                lambda found: self._show_loaded(
                    library, found, found.recording.subject() or 0, 0.0, found.recording.info.duration_s
                ),
            )

    def show_stripes(self, library: Library) -> None:
        """The segments of what is shown, on the player's bar."""
        recording = self.segment.recording if self.segment else self.recording
        if recording is not None:
            self._player.show_segments(library.segments_in(recording))

    def _is_loaded(self) -> bool:
        return self._player.stretch is not None and not self._player.loading

    def _load(self, wanted: _Request, read: Callable[[], Stretch], show: Callable[[Stretch], None]) -> None:
        """Read on a job. The player keeps the old content meanwhile; results of an older request are dropped."""
        self._loading = wanted
        self._player.begin_loading()
        self._jobs.start(
            "stretch",
            read,
            lambda found: show(found) if self._loading == wanted else None,
            lambda line: self._cannot_show(line) if self._loading == wanted else None,
        )

    def _show_loaded(self, library: Library, found: Stretch, person: int, start_s: float, end_s: float) -> None:
        self._loading = None
        self._player.show_stretch(found, person, start_s, end_s)
        self.show_stripes(library)

    def _cannot_show(self, line: str) -> None:
        self._loading = None
        self._player.show_stretch(None, 0, 0.0, 0.0)
        self._player.problem = line
        self._show_status(line)


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
