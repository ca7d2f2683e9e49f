"""The catalogue of a library: what is there, every edit of it with undo, and examples for teaching."""

import contextlib
import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from app.library import edit_operations, queries, thumbnail_files, untracked_recordings
from app.library.catalogue_file import make_staging, open_catalogue, tidy
from app.library.edits import WHOLE, Edit
from app.library.errors import GoneError, LibraryError
from app.library.examples import examples
from app.library.journal import Journal
from app.library.labels import clean_note
from app.library.queries import PAGE, Kind
from app.library.rows import Filter, Model, Named, NewSegment, RecordingRow, SegmentRow
from app.recording.folder import Recording, read_recording, recording_folders, recordings_folder
from app.writer_lock import WriterLock
from recognizer.action_names import action_text
from recognizer.teaching.examples import Example

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


class Library:
    """A folder of recordings with its catalogue. Thread-safe; calls wait for each other.

    The first to open a library writes, all others read: `read_only` and a line in `notes` say so. Opening repairs what
    it can: a damaged catalogue is set aside and rebuilt from the folders, missing recordings are added, and unfinished
    ones are completed. `notes` has a line for each repair, for the user. A failed edit raises LibraryError with one
    line and changes nothing.
    """

    def __init__(self, root: Path) -> None:
        """Open the library in a folder, creating it if there is none. Raises LibraryError."""
        self.root = root
        self.notes: list[str] = []
        self._lock = WriterLock(root)
        self.read_only = not self._take_lock()
        try:
            self._database = open_catalogue(root, self.notes, read_only=self.read_only)
            self._journal = Journal(root, self._database)
            if not self.read_only:
                tidy(root, self.notes)
                self.refresh()
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Let others write. May be called repeatedly."""
        self._database.close()
        self._lock.release()

    def __enter__(self) -> "Library":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What is there.

    def segments(self, chosen: Filter | None = None, offset: int = 0, limit: int = PAGE) -> list[SegmentRow]:
        """A page of segments, newest recording first, then by time."""
        return queries.segments(self._database, chosen or Filter(), offset, limit)

    def count_segments(self, chosen: Filter | None = None) -> int:
        """How many segments there are under a filter."""
        return queries.count_segments(self._database, chosen or Filter())

    def segment_seconds(self, chosen: Filter | None = None) -> float:
        """The total length of all segments under a filter."""
        return queries.segment_seconds(self._database, chosen or Filter())

    def segment_ids(self, chosen: Filter | None = None) -> list[int]:
        """The ids of all segments under a filter, in the order of segments(): a list of 10,000 rows needs no more."""
        return queries.segment_ids(self._database, chosen or Filter())

    def segments_in(self, recording: str) -> list[SegmentRow]:
        """All segments of a recording, also of one in the bin, by time."""
        return queries.segments(self._database, Filter(recording=recording, deleted=None), 0, -1)

    def segments_of(self, segments: Sequence[int]) -> list[SegmentRow]:
        """Segments by their ids, in that order; those that are gone are left out."""
        return queries.segments_of(self._database, segments)

    def segment(self, segment: int) -> SegmentRow | None:
        """One segment."""
        return queries.segment(self._database, segment)

    def recordings(self, chosen: Filter | None = None, offset: int = 0, limit: int = PAGE) -> list[RecordingRow]:
        """A page of recordings, newest first. With `unlabelled`, those with a segment without a label, or with none."""
        return queries.recordings(self._database, chosen or Filter(), offset, limit)

    def count_recordings(self, chosen: Filter | None = None) -> int:
        """How many recordings there are under a filter."""
        return queries.count_recordings(self._database, chosen or Filter())

    def recording(self, recording: str) -> RecordingRow | None:
        """One recording."""
        return queries.recording(self._database, recording)

    def open_recording(self, recording: str) -> Recording:
        """Its poses and video, from disk. Raises RecordingError."""
        return read_recording(recordings_folder(self.root) / recording)

    def names(self, kind: Kind) -> list[Named]:
        """All actions, people or sessions, with the number of their segments."""
        return queries.named(self._database, kind)

    def splits(self) -> dict[str, dict[int, str]]:
        """The part ("train", "validation", "test") of each segment, by split."""
        return queries.splits(self._database)

    def models(self) -> list[Model]:
        """The taught recognizers, oldest first."""
        return queries.models(self._database)

    def examples(self, actions: Sequence[str] | None = None) -> list[Example]:
        """The labelled segments of some actions, or of all, "nothing" among them. Recordings that cannot be read are
        left out with a warning in the log, and so are segments in which the person is seen less than twice."""
        return examples(self, actions)

    # Edits. Each is one step of undo.

    def add_segments(self, recording: str, segments: Sequence[NewSegment]) -> list[int]:
        """Add segments of spans of a recording; their ids."""
        return self._journal.do(
            f"add {_many(segments, 'segment')}", lambda edit: edit_operations.add_segments(edit, recording, segments)
        )

    def add_segments_to(
        self, segments: Mapping[str, Sequence[NewSegment]], label: Sequence[int] = (), action: str | None = None
    ) -> list[int]:
        """Add segments of spans of several recordings and label existing segments, in one step; ids of the new ones."""

        def change(edit: Edit) -> list[int]:
            key = edit.named("actions", action, "action")
            for segment in label:
                edit.update("clips", segment, action=key)
            return [made for name, new in segments.items() for made in edit_operations.add_segments(edit, name, new)]

        new = [segment for each in segments.values() for segment in each]
        parts = [f"add {_many(new, 'segment')}"] if new else []
        parts += [f"label {_many(label, 'segment')} {action_text(str(action))}"] if label else []
        return self._journal.do(" and ".join(parts), change)

    def change_segment(self, segment: int, new: NewSegment) -> None:
        """Give a segment other bounds, labels or notes."""
        self._journal.do("change a segment", lambda edit: edit_operations.change_segment(edit, segment, new))

    def remove_segments(self, segments: Sequence[int]) -> None:
        """Remove segments; their recordings stay."""
        self._journal.do(
            f"remove {_many(segments, 'segment')}", lambda edit: edit_operations.remove_segments(edit, segments)
        )

    def label(self, segments: Sequence[int], action: str | None) -> None:
        """Set which action segments show; None for not known yet. A new name becomes an action."""

        def change(edit: Edit) -> None:
            key = edit.named("actions", action, "action")
            for segment in segments:
                edit.update("clips", segment, action=key)

        self._journal.do(
            f"label {_many(segments, 'segment')} {action_text(action) if action else 'as unlabelled'}", change
        )

    def label_each(self, labels: Mapping[int, str]) -> None:
        """Set an action for each of several segments, by id, in one step."""

        def change(edit: Edit) -> None:
            for segment, action in labels.items():
                edit.update("clips", segment, action=edit.named("actions", action, "action"))

        self._journal.do(f"label {_many(list(labels), 'segment')} as proposed", change)

    def set_who(self, segments: Sequence[int], name: str | None) -> None:
        """Set who segments show; None for not known. A new name becomes a person."""

        def change(edit: Edit) -> None:
            key = edit.named("people", name, "person")
            for segment in segments:
                edit.update("clips", segment, who=key)

        self._journal.do(f"name the person of {_many(segments, 'segment')}", change)

    def mark_suspect(self, segments: Sequence[int], suspect: bool) -> None:
        """Mark labels as suspect, or clear the mark."""

        def change(edit: Edit) -> None:
            for segment in segments:
                edit.update("clips", segment, suspect=int(suspect))

        self._journal.do(f"{'doubt' if suspect else 'confirm'} {_many(segments, 'label')}", change)

    def set_session(self, recordings: Sequence[str], name: str | None) -> None:
        """Set in which session recordings were made; None for not known."""
        text = f"set the session of {_many(recordings, 'recording')}"
        self._journal.do(text, lambda edit: edit_operations.set_session(edit, recordings, name))

    def set_recording_note(self, recording: str, note: str) -> None:
        """A remark on a recording."""
        text = clean_note(note)
        self._journal.do("note on a recording", lambda edit: edit.update("recordings", recording, note=text))

    def set_session_note(self, session: str, note: str) -> None:
        """A remark on a session."""
        text = clean_note(note)

        def change(edit: Edit) -> None:
            key = edit.find("sessions", session)
            if key is None:
                raise GoneError(f"session {session}")
            edit.update("sessions", key, note=text)

        self._journal.do("note on a session", change)

    def delete_recordings(self, recordings: Sequence[str]) -> None:
        """Put recordings into the bin; their files stay until empty_bin()."""
        self._set_deleted(recordings, f"delete {_many(recordings, 'recording')}", True)

    def restore_recordings(self, recordings: Sequence[str]) -> None:
        """Take recordings out of the bin."""
        self._set_deleted(recordings, f"restore {_many(recordings, 'recording')}", False)

    def add_name(self, kind: Kind, name: str) -> None:
        """A new action, person or session."""
        self._journal.do(f"add the {kind} {name}", lambda edit: edit_operations.add_name(edit, kind, name))

    def rename(self, kind: Kind, name: str, new: str) -> None:
        """Rename an action, a person or a session."""
        self._journal.do(f"rename the {kind} {name}", lambda edit: edit_operations.rename(edit, kind, name, new))

    def merge(self, kind: Kind, name: str, into: str) -> None:
        """Merge one name into another, and remove the first."""
        self._journal.do(
            f"merge the {kind} {name} into {into}", lambda edit: edit_operations.merge(edit, kind, name, into)
        )

    def remove_name(self, kind: Kind, name: str) -> None:
        """Remove an action, a person or a session; segments stay, without it."""
        self._journal.do(f"remove the {kind} {name}", lambda edit: edit_operations.remove_name(edit, kind, name))

    def set_key(self, action: str, key: str) -> None:
        """Set the key that labels with an action, "1" to "9"; "" for none."""
        self._journal.do(
            f"set the key of {action_text(action)}", lambda edit: edit_operations.set_key(edit, action, key)
        )

    def set_split(self, name: str, parts: Mapping[int, str]) -> None:
        """A split: the part ("train", "validation", "test") of each segment by its id."""
        self._journal.do(f"set the split {name}", lambda edit: edit_operations.set_split(edit, name, parts))

    def set_part(self, name: str, segments: Sequence[int], part: str | None) -> None:
        """Put segments into a part of a split, creating the split if needed; None takes them out."""
        text = f"put {_many(segments, 'segment')} into {part or 'no part'} of the split {name}"
        self._journal.do(
            text if segments else f"add the split {name}",
            lambda edit: edit_operations.set_part(edit, name, segments, part),
        )

    def remove_split(self, name: str) -> None:
        """Remove a split."""
        self._journal.do(f"remove the split {name}", lambda edit: edit_operations.remove_split(edit, name))

    def add_model(self, model: Model) -> None:
        """Add a taught recognizer and its training segments."""
        self._journal.do(f"add the model {model.name}", lambda edit: edit_operations.add_model(edit, model))

    def add_models(self, models: Sequence[Model]) -> None:
        """Add several in one step."""

        def change(edit: Edit) -> None:
            for model in models:
                edit_operations.add_model(edit, model)

        self._journal.do("add recognizers", change)

    def remove_model(self, name: str) -> None:
        """Remove a taught recognizer; its folder stays."""
        self._journal.do(f"remove the model {name}", lambda edit: edit_operations.remove_model(edit, name))

    def undo_text(self) -> str | None:
        """What undo() would undo, for a menu; None if there is nothing."""
        step = self._journal.next_step(undo=True)
        return None if step is None else step[1]

    def last_step(self) -> int | None:
        """The number of the step that undo() would undo, which every edit that changes something raises."""
        step = self._journal.next_step(undo=True)
        return None if step is None else step[0]

    def redo_text(self) -> str | None:
        """What redo() would redo."""
        step = self._journal.next_step(undo=False)
        return None if step is None else step[1]

    def undo(self) -> str | None:
        """Undo the last edit, also one of an earlier run; its text, None if there is none."""
        return self._journal.replay(undo=True)

    def redo(self) -> str | None:
        """Redo the last undone edit."""
        return self._journal.replay(undo=False)

    # What cannot be undone.

    def refresh(self) -> int:
        """Add recordings that are on disk but not here yet, and hide those that are gone; how many were added."""
        self._journal.check_writable()
        on_disk = {folder.name: folder for folder in recording_folders(self.root)}
        gone = 0
        with self._journal.writing() as edit:
            for row in edit.connection.execute("SELECT id, missing FROM recordings").fetchall():
                there = on_disk.pop(row["id"], None) is not None
                gone += not there
                if there == bool(row["missing"]):
                    edit.connection.execute(
                        "UPDATE recordings SET missing = ? WHERE id = ?", (int(not there), row["id"])
                    )
            entered = sum(
                untracked_recordings.adopt(edit.connection, folder, self.notes) for folder in on_disk.values()
            )
        if gone:
            are = "1 recording is" if gone == 1 else f"{gone} recordings are"
            back = "it comes back" if gone == 1 else "they come back"
            self.notes.append(f"{are} no longer on disk: hidden until {back}")
        return entered

    def add_recording(self, folder: Path, segments: Sequence[NewSegment] = (), *, announced: bool = True) -> str:
        """Add one finished recording of this library, and segments of it; its id. Raises LibraryError.

        announced: the action that it was recorded as also becomes a segment.
        """
        problems: list[str] = []
        with self._journal.writing() as edit:
            if edit.keys("SELECT 1 FROM recordings WHERE id = ?", folder.name):
                raise LibraryError(f"the recording {folder.name} is already in the library")
            if not untracked_recordings.adopt(edit.connection, folder, problems, announced=announced):
                raise LibraryError(problems[0])
            edit_operations.add_segments(edit, folder.name, segments)
        self.notes += problems
        return folder.name

    def empty_bin(self) -> int:
        """Remove deleted recordings from disk, and the undo history, which refers to them; how many."""
        staging = self.staging()  # where it cannot be made, nothing has been removed from the catalogue
        with self._journal.writing() as edit:
            gone = edit.keys("SELECT id FROM recordings WHERE deleted = 1")
            for recording in gone:
                edit_operations.remove_segments(edit, edit.keys("SELECT id FROM clips WHERE recording = ?", recording))
                edit.connection.execute("DELETE FROM recordings WHERE id = ?", (recording,))
            if gone:
                edit.connection.execute("DELETE FROM edits")
                edit.connection.execute("INSERT OR IGNORE INTO unwritten VALUES (?)", (WHOLE,))
        for recording in gone:
            with contextlib.suppress(OSError):  # one that stays comes back into the bin at the next opening
                os.replace(recordings_folder(self.root) / recording, staging / recording)
                shutil.rmtree(staging / recording)
                thumbnail_files.remove_all(self.root, recording)
        return len(gone)

    def staging(self) -> Path:
        """A staging folder inside the library for imports; emptied at the next opening. Raises LibraryError."""
        self._journal.check_writable()
        return make_staging(self.root)

    # Implementation.

    def _take_lock(self) -> bool:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            taken = self._lock.take()
        except OSError as error:
            if error.errno in _NOT_WRITABLE:
                self.notes.append(f"{self.root} cannot be written ({error.strerror}): the library is open read-only")
                return False
            raise LibraryError(f"cannot open a library in {self.root} ({error.strerror}); choose another") from error
        if not taken:
            self.notes.append(f"the library is open in {self._lock.owner()}: it is read-only here")
        return taken

    def _set_deleted(self, recordings: Sequence[str], text: str, deleted: bool) -> None:
        def change(edit: Edit) -> None:
            for recording in recordings:
                edit.update("recordings", recording, deleted=int(deleted))

        self._journal.do(text, change)


def _many(things: Sequence[object], what: str) -> str:
    return f"a {what}" if len(things) == 1 else f"{len(things)} {what}s"
