"""What the guided page reads of a library and writes into it, on the threads of its jobs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from app.library.catalogue import Library
from app.library.examples import warnings_for
from app.library.labels import label_key, refusal_of_action
from app.library.rows import Filter, SegmentRow
from app.library.shared_library import shared
from app.names_in_text import action_in_text
from app.palette import action_text
from app.ui.library.frames import Stretch, read_stretch
from app.ui.teaching.library_summary import Files, files_of
from recognizer.teaching.lesson import NOTHING

SHOWN_TAKES = 5  # of an action
MAX_ACTIONS = 24  # that get a card by themselves; of a large library the newest


@dataclass(frozen=True, slots=True)
class ActionTakes:
    """The takes of an action. newest: the newest last, as many as a card shows."""

    name: str
    count: int
    newest: tuple[SegmentRow, ...]


@dataclass(frozen=True, slots=True)
class TakesByAction:
    """actions: in the order in which they were first named, MAX_ACTIONS at most. more: how many others there are.
    nothing_s: seconds of footage of nothing. seen: what the closed library's files looked like."""

    actions: tuple[ActionTakes, ...]
    more: int
    nothing: ActionTakes
    nothing_s: float
    seen: Files = ()

    def takes_of(self, name: str) -> ActionTakes:
        """Of an action of that name, whatever its case."""
        same = (each for each in self.actions if label_key(each.name) == label_key(name))
        return next(same, ActionTakes(name, 0, ()))


@dataclass(frozen=True, slots=True)
class Replay:
    """A take to be looked at: its segments, none where it shows nobody; stretch: the pictures and poses of them all.
    doubts: what looks wrong with it, a sentence each."""

    recording: str
    segments: tuple[SegmentRow, ...]
    stretch: Stretch | None
    doubts: tuple[str, ...] = ()


def read_takes(root: Path, wanted: tuple[str, ...] = ()) -> TakesByAction:
    """What there is now. wanted: actions that get a card in any case. Raises LibraryError."""
    with shared(root) as library:
        if not library.read_only:
            library.refresh()
        takes = _all_takes(library, wanted)
    return replace(takes, seen=files_of(root))  # now: an open database has further files


def read_take(root: Path, recording: str, segment: int | None = None) -> Replay:
    """A recording that has just been made, of which a segment that looks wrong is marked as suspect; or one segment of
    an older one. Raises LibraryError, RecordingError."""
    with shared(root) as library:
        if not library.read_only and library.recording(recording) is None:
            library.refresh()
        segments = tuple(library.segments(Filter(recording=recording), limit=-1))
        if segment is not None:
            segments = tuple(row for row in segments if row.id == segment)
        if not segments:
            return Replay(recording, (), None)
        first, last = min(row.start_s for row in segments), max(row.end_s for row in segments)
        doubts = {row.id: warnings_for(library, row) for row in segments}
        suspect = [row.id for row in segments if doubts[row.id] and not row.suspect and segment is None]
        if suspect and not library.read_only:
            library.mark_suspect(suspect, True)
        lines = tuple(dict.fromkeys(line for row in segments for line in doubts[row.id]))
        return Replay(recording, segments, read_stretch(library.open_recording(recording), first, last), lines)


def keep(root: Path, segments: tuple[SegmentRow, ...]) -> None:
    """Clear the suspect mark: the user has confirmed the segments. Raises LibraryError."""
    with shared(root) as library:
        suspect = [row.id for row in library.segments_of([row.id for row in segments]) if row.suspect]
        if suspect and not library.read_only:
            library.mark_suspect(suspect, False)


def throw_away(root: Path, recording: str, segments: tuple[SegmentRow, ...]) -> None:
    """Take segments out of the library; their recording goes into the bin where nothing else is of use in it.
    Raises LibraryError."""
    with shared(root) as library:
        ids = {row.id for row in segments}
        others = [row for row in library.segments(Filter(recording=recording), limit=-1) if row.id not in ids]
        if others:
            library.remove_segments(sorted(ids))
        elif library.recording(recording) is not None:
            library.delete_recordings([recording])


def rename(root: Path, name: str, new: str) -> None:
    """Give all takes of an action another name. Raises LibraryError."""
    with shared(root) as library:
        library.rename("action", name, new)


def _all_takes(library: Library, wanted: tuple[str, ...]) -> TakesByAction:
    named = [each for each in library.names("action") if each.segments and each.name != NOTHING]
    keys = {label_key(name) for name in wanted}
    shown = [each for each in named if label_key(each.name) in keys]
    rest = [each for each in named if label_key(each.name) not in keys]
    room = max(MAX_ACTIONS - len(shown), 0)
    chosen = {each.name for each in (*shown, *rest[len(rest) - min(room, len(rest)) :])}
    actions = tuple(_takes(library, each.name, each.segments) for each in named if each.name in chosen)
    footage = Filter(action=NOTHING)
    nothing = _takes(library, NOTHING, library.count_segments(footage))
    return TakesByAction(actions, len(named) - len(actions), nothing, library.segment_seconds(footage))


def _takes(library: Library, name: str, count: int) -> ActionTakes:
    return ActionTakes(name, count, tuple(reversed(library.segments(Filter(action=name), limit=SHOWN_TAKES))))


def refusal_of(name: str, others: Iterable[str]) -> str:
    """Why an action cannot have a name beside others; "" where it can."""
    if refusal := refusal_of_action(name):
        return refusal
    if label_key(name) == label_key(NOTHING):
        return "“nothing” has a card of its own, below"
    same = next((other for other in others if same_display_name(other, name)), None)
    return "" if same is None else f"there is already a card for {action_in_text(same)}"


def same_display_name(one: str, other: str) -> bool:
    """Whether two names are shown as the same, so that nobody could tell them apart."""
    return label_key(action_text(one)) == label_key(action_text(other))
