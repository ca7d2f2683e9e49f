"""What the window changes in the library. Each is one step of undo; what cannot be done is one line."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QWidget

from app.library.catalogue import Library
from app.library.labels import refusal_of_action
from app.library.motion import free_parts, motion_energy, propose
from app.library.rows import Filter, NewSegment, SegmentRow
from app.plurals import counted
from app.ui.child_windows import ask
from app.ui.jobs import Jobs
from app.ui.library.browser import BIN, RECORDINGS, SEGMENTS, Browser
from app.ui.library.commands import NOTHING, actions_by_key
from app.ui.library.edit_text import done_text, step_text
from app.ui.library.player import Player
from app.ui.library.player_content import PlayerContent
from app.ui.library.recording_edits import RecordingEdits, name_of, occupied_spans
from app.ui.sentences import sentence
from app.ui.typed_action import existing_action
from pose.errors import ActionLensError

NONE_CHOSEN = "Nothing is selected: select something in the list first"
NONE_SHOWN = "Nothing is shown: select a segment or a recording"
WAIT = "Still loading: wait until it is shown"
UNCHANGED = "Nothing to change: it is so already"
NONE_IN_BIN = "A recording in the bin gets no segments: Ctrl+Shift+R restores it"


class SegmentEdits:
    """library: set while there is one. show_status(line); changed(): the lists are to be read again."""

    def __init__(
        self,
        browser: Browser,
        player: Player,
        content: PlayerContent,
        show_status: Callable[[str], None],
        changed: Callable[[], None],
        jobs: Jobs,
    ) -> None:
        self.library: Library | None = None
        self._browser, self._player, self._content = browser, player, content
        self._show_status, self._changed = show_status, changed
        self.recordings = RecordingEdits(jobs, self.do, show_status)

    @property
    def why_not_shown(self) -> str:
        """Why the player shows nothing to work on."""
        return WAIT if self._player.loading else self._content.problem or NONE_SHOWN

    def do(self, edit: Callable[[Library], object]) -> bool:
        """Apply an edit. Returns False, and shows why, if it failed."""
        return not self.attempt(edit)

    def attempt(self, edit: Callable[[Library], object]) -> str:
        """Apply an edit. Returns why it failed, which is also shown; "" on success."""
        library = self.library
        if library is None:
            return "The library is not open"
        before = library.last_step()
        try:
            edit(library)
        except ActionLensError as error:
            self._show_status(str(error))
            return sentence(str(error))
        self._changed()
        same = library.last_step() == before
        self._show_status(UNCHANGED if same else done_text(library, library.undo_text() or ""))
        return ""

    def undo(self) -> None:
        """Take the last step back."""
        self._replay(lambda library: library.undo(), "Undone", "There is nothing to undo")

    def redo(self) -> None:
        """Redo what was undone."""
        self._replay(lambda library: library.redo(), "Done again", "There is nothing to redo")

    def _replay(self, replay: Callable[[Library], str | None], said: str, nothing: str) -> None:
        done: list[str | None] = []
        if self.do(lambda library: done.append(replay(library))) and self.library is not None:
            self._show_status(f"{said}: {step_text(self.library, done[0])}" if done[0] is not None else nothing)

    # Labels.

    def label(self, text: str) -> bool:
        """The action of the chosen segments, as it is typed; "" for none. False where it was refused."""
        return self._label_as(self._existing_name(" ".join(text.split())))

    def _label_as(self, name: str) -> bool:
        """Of chosen recordings it is the action of what has no label in them."""
        if name and (refusal := refusal_of_action(name)):
            self._show_status(refusal)
            return False
        chosen = [row.id for row in self._browser.chosen_recordings()]
        if name and chosen and self._browser.tabs.currentIndex() == RECORDINGS and self.library is not None:
            shown = self._content.shown
            self.recordings.label(self.library, chosen, name, {shown[0]: shown[1]} if shown is not None else {})
            return True
        return self._with_segments(lambda library, ids: library.label(ids, name or None))

    def label_by_key(self, key: str) -> None:
        """With the action of "1" to "9"."""
        name = actions_by_key(self.library.names("action")).get(key) if self.library else None
        if name is None:
            self._show_status(
                f"No action has the key {key} yet: label a segment, then Ctrl+{key} assigns it to that action"
            )
        else:
            self._label_as(name)

    def assign_key(self, key: str) -> None:
        """Assign a key to the action of the shown segment."""
        action = self._content.segment.action if self._content.segment else None
        if action is not None:
            self.do(lambda library: library.set_key(action, key))
        else:
            self._show_status(f"Label a segment first: then Ctrl+{key} assigns that key to its action")

    def nothing(self) -> None:
        """The chosen segments show none of the actions."""
        self.label(NOTHING)

    def set_who(self, name: str) -> bool:
        """Who the chosen segments show; "" for not known. False where it was refused, as below."""
        return self._with_segments(lambda library, ids: library.set_who(ids, name or None))

    def set_session(self, name: str) -> bool:
        """In which session the recordings of what is chosen were made; "" for not known."""
        recordings = list(dict.fromkeys([segment.recording for segment in self._browser.chosen_segments()]))
        if self._browser.tabs.currentIndex() != SEGMENTS:
            recordings = [row.id for row in self._browser.chosen_recordings()]
        if recordings:
            return self.do(lambda library: library.set_session(recordings, name or None))
        self._show_status(NONE_CHOSEN)
        return False

    def set_note(self, text: str) -> bool:
        """On the segment that is shown, or on the chosen recording. One that reads the same keeps its line breaks."""
        segment, recordings = self._content.segment, self._browser.chosen_recordings()
        if segment is not None:
            return text == " ".join(segment.note.split()) or self._change(segment, note=text)
        if recordings:
            first = recordings[0]
            same = text == " ".join(first.note.split())
            return same or self.do(lambda library: library.set_recording_note(first.id, text))
        self._show_status(NONE_CHOSEN)
        return False

    def toggle_suspect(self) -> None:
        """Doubt the labels of the chosen segments, or confirm them."""
        rows = self._browser.chosen_segments()
        self._with_segments(lambda library, ids: library.mark_suspect(ids, not rows[0].suspect))

    # Bounds and segments.

    def set_bounds(self, start_s: float, end_s: float) -> None:
        """Of the segment that is shown."""
        if self._content.segment is not None:
            self._change(self._content.segment, start_s=start_s, end_s=end_s)
        else:
            self._player.show_bounds(0.0, self._player.duration_s)
            in_bin = self._browser.tabs.currentIndex() == BIN
            way = "Ctrl+Shift+R restores the recording" if in_bin else "A makes one here, or select one (Alt+1)"
            self._show_status(f"Only a segment has a start and an end: {way}")

    def next_person(self) -> None:
        """The segment, or what is made of the recording, is of the next person in it."""
        stretch, shown = self._player.stretch, self._content.shown
        persons = sorted(stretch.recording.persons()) if stretch is not None else []
        if shown is None:
            self._show_status(self.why_not_shown)
            return
        if len(persons) < 2:
            self._show_status("There is nobody else in this recording")
            return
        person = next((other for other in persons if other > shown[1]), persons[0])
        if self._content.segment is not None and self.library is not None:
            who = name_of(self.library.segments_in(shown[0]), person)
            self._change(self._content.segment, person=person, who=who)
        else:
            self._player.choose_person(person)

    def another_segment(self) -> None:
        """A second of the same recording, from where the player stands."""
        shown, library, duration_s = self._content.shown, self.library, self._player.duration_s
        if self._browser.tabs.currentIndex() == BIN:
            self._show_status(NONE_IN_BIN)
        elif shown is not None and library is not None:
            recording, person, who = shown
            start_s = min(self._player.time_s, max(duration_s - 1.0, 0.0))
            who = who or name_of(library.segments_in(recording), person)
            self.add(recording, [NewSegment(start_s, min(start_s + 1.0, duration_s), person, None, who)])
        else:
            self._show_status(self.why_not_shown)

    def propose_segments(self) -> list[int]:
        """Segments wherever something moves in the recording and none is yet; their ids."""
        shown, stretch, library = self._content.shown, self._player.stretch, self.library
        if shown is None or stretch is None or library is None:
            self._show_status(self.why_not_shown)
            return []
        recording, person, who = shown
        segments = library.segments_in(recording)
        taken, who = occupied_spans(segments, person, self._player.duration_s), who or name_of(segments, person)
        parts = free_parts(propose(*motion_energy(stretch.recording, person)), taken)
        if not parts:
            self._show_status("There is no movement of half a second or longer outside the segments")
            return []
        return self.add(recording, [NewSegment(start_s, end_s, person, None, who) for start_s, end_s in parts])

    def add(self, recording: str, new: Sequence[NewSegment]) -> list[int]:
        """Keep segments; where none is chosen, the first of them is."""
        made: list[int] = []
        if not self.do(lambda library: made.extend(library.add_segments(recording, new))):
            return []
        if self._browser.segments.position_of(made[0]) is None:
            self._show_status("Added what the filters hide: clear them to see it")
        elif self._content.segment is None:
            self._browser.choose_segment(made[0])
        return made

    def remove(self) -> None:
        """Segments go, for undo to bring back; recordings go into the bin."""
        if self._browser.tabs.currentIndex() == SEGMENTS:
            self._with_segments(lambda library, ids: library.remove_segments(ids))
        else:
            self.delete_recordings()

    # Recordings.

    def delete_recordings(self) -> None:
        """Put the chosen recordings, or those of the chosen segments, into the bin."""
        chosen = [row.id for row in self._browser.chosen_recordings()]
        if self._browser.tabs.currentIndex() == SEGMENTS:
            chosen = list(dict.fromkeys(row.recording for row in self._browser.chosen_segments()))
        if self._browser.tabs.currentIndex() == BIN:
            self._show_status("They are in the bin already: Ctrl+Shift+R restores them, Ctrl+Shift+Del empties it")
        elif chosen:
            self.do(lambda library: library.delete_recordings(chosen))
        else:
            self._show_status(NONE_CHOSEN)

    def restore(self) -> None:
        """Restore the selected recordings from the bin."""
        chosen = [row.id for row in self._browser.chosen_recordings()]
        if chosen and self._browser.tabs.currentIndex() == BIN:
            self.do(lambda library: library.restore_recordings(chosen))
        else:
            self._show_status("Select recordings in the bin first (Alt+3)")

    def ask_empty_bin(self, window: QWidget) -> None:
        """Ask before what is in the bin is removed from the disk."""
        count = self.library.count_recordings(Filter(deleted=True)) if self.library is not None else 0
        if not count:
            self._show_status("The bin is empty")
            return
        question = f"Remove {counted(count, 'recording')} from the disk?"
        more = "This cannot be undone, nor can any earlier step."
        ask(window, question, more, "Remove", self.empty_bin)

    def empty_bin(self) -> None:
        """Delete the recordings in the bin from the disk."""
        gone: list[int] = []
        if self.do(lambda library: gone.append(library.empty_bin())):
            self._show_status(f"{counted(gone[0], 'recording')} removed from the disk")

    def _with_segments(self, edit: Callable[[Library, list[int]], object]) -> bool:
        ids = [row.id for row in self._browser.chosen_segments()]
        if ids:
            return self.do(lambda library: edit(library, ids))
        listed = self._browser.tabs.currentIndex() == SEGMENTS
        self._show_status(NONE_CHOSEN if listed else "This works on segments: Alt+1 lists them")
        return False

    def _change(self, segment: SegmentRow, **values: Any) -> bool:
        def change(library: Library) -> None:
            row = library.segment(segment.id) or segment  # as it is now: other windows change it, too
            before = NewSegment(row.start_s, row.end_s, row.person, row.action, row.who, row.note, row.suspect)
            library.change_segment(row.id, replace(before, **values))

        return self.do(change)

    def _existing_name(self, text: str) -> str:
        """The name that reads like this: "sit down" for sit_down; of several, the shown segment's goes first."""
        names = [named.name for named in self.library.names("action")] if self.library else []
        shown = self._content.segment
        own = [shown.action] if shown is not None and shown.action else []
        return existing_action(existing_action(text, own), names)
