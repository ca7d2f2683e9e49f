"""What the player shows: a chosen clip with a margin, or a whole recording; read on a job's thread."""

from collections.abc import Callable

from app.library.catalogue import Library
from app.library.rows import ClipRow, Filter, RecordingRow
from app.plurals import counted
from app.ui.jobs import Jobs
from app.ui.library.frames import Stretch, read_stretch
from app.ui.library.player import Player

_MARGIN_S = 1.0  # of pictures around a clip, for setting its bounds


class Showing:
    """clip: the one that is shown; recording: shown whole, without a clip. At most one of them is there."""

    def __init__(self, player: Player, jobs: Jobs, say: Callable[[str], None]) -> None:
        self._player, self._jobs, self._say = player, jobs, say
        self.clip: ClipRow | None = None
        self.recording: str | None = None

    @property
    def shown(self) -> tuple[str, int, str | None] | None:
        """The recording in the player, the person in it, and who that is; None until it is there."""
        if self._player.loading:
            return None
        if self.clip is not None:
            return self.clip.recording, self.clip.person, self.clip.who
        if self.recording is None or self._player.stretch is None:
            return None
        return self.recording, self._player.person, None

    def nothing(self) -> None:
        """Nothing is chosen."""
        self.clip = self.recording = None
        self._player.show_stretch(None, 0, 0.0, 0.0)

    def show_clip(self, library: Library, clip: ClipRow) -> None:
        """A clip; nothing is read where the player has it already."""
        before, self.clip, self.recording = self.clip, clip, None
        bounds = (clip.start_s, clip.end_s)
        same = before is not None and before.recording == clip.recording and before.person == clip.person
        there = self._player.stretch is not None and not self._player.loading and self._player.bounds == bounds
        if not (same and there):
            self._await(clip.recording)
            self._player.bounds = bounds
            self._jobs.start(
                "clip",
                lambda: _read(library, clip.recording, clip.start_s, clip.end_s),
                lambda found: self._have_clip(library, clip, found),
                self._cannot_show,
            )
        self.show_stripes(library)

    def show_recording(self, library: Library, recording: str) -> None:
        """A whole recording, for clips to be made of it."""
        if recording == self.recording and self._player.stretch is not None and not self._player.loading:
            self.show_stripes(library)
            return
        self.clip, self.recording = None, recording
        self._await(recording)
        self._jobs.start(
            "recording",
            lambda: _read(library, recording),
            lambda found: self._have_recording(library, recording, found),
            self._cannot_show,
        )

    def show_stripes(self, library: Library) -> None:
        """The clips of what is shown, on the player's bar."""
        recording = self.clip.recording if self.clip else self.recording
        if recording is not None:
            self._player.show_clips(library.clips(Filter(recording=recording), limit=-1))

    def _await(self, recording: str) -> None:
        """What the player still shows may be of another recording."""
        stretch = self._player.stretch
        self._player.loading = stretch is not None and stretch.recording.info.id != recording

    def _cannot_show(self, line: str) -> None:
        self._player.show_stretch(None, 0, 0.0, 0.0)
        self._say(line)

    def _have_clip(self, library: Library, clip: ClipRow, found: Stretch) -> None:
        now = self.clip
        if now is not None and _stretch_of(now) == _stretch_of(clip):  # it may have got a label meanwhile
            self._player.show_stretch(found, clip.person, clip.start_s, clip.end_s)
            self.show_stripes(library)

    def _have_recording(self, library: Library, recording: str, found: Stretch) -> None:
        if self.clip is None and self.recording == recording:
            persons = found.recording.persons()
            self._player.show_stretch(found, persons[0] if persons else 0, 0.0, found.recording.info.duration_s)
            self.show_stripes(library)


def _stretch_of(clip: ClipRow) -> tuple[str, int, float, float]:
    return clip.recording, clip.person, clip.start_s, clip.end_s


def _read(library: Library, recording: str, start_s: float = 0.0, end_s: float | None = None) -> Stretch:
    found = library.open_recording(recording)
    return read_stretch(found, start_s - _MARGIN_S, (found.info.duration_s if end_s is None else end_s) + _MARGIN_S)


def describe(row: RecordingRow) -> str:
    """What can be done with a recording that is shown whole."""
    made = f"{row.labelled} of {counted(row.clips, 'clip')} labelled" if row.clips else "It has no clips yet"
    return f"{made}: A makes one here, P proposes those in which something moves"
