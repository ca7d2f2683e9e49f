"""Labelled segments as a PYSKL pickle, and PYSKL pickles as recordings; a round trip loses nothing of a segment.

What the format has no place for (true times, which frames a person is in, names, notes) stands in each annotation
under the key `actionlens`, which other programs ignore.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import OutputError
from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.export_formats import Export, opened, refuse_nothing
from app.library.import_data import Incoming, import_all, incoming
from app.library.import_report import ImportOptions, ImportReport, Tell
from app.library.labels import clean_label, clean_note
from app.library.rows import NewSegment, SegmentRow
from app.plurals import counted
from app.recording.folder import Recording
from recognizer.datasets import pyskl, restricted_pickle
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import read_each
from recognizer.datasets.recorded import LabelledSegment, Poses, cut, sequence_of
from recognizer.datasets.sequences import ActionSequence


def write(export: Export) -> str:
    """See exporting.ExportFormat."""
    return counted(export_pyskl(export.library, export.segments, export.target, export.problems), "segment")


def export_pyskl(
    library: Library, segments: Sequence[SegmentRow], file: Path, problems: list[str] | None = None
) -> int:
    """Write the labelled ones of the segments; how many. The library's splits become NAME_train, NAME_test, ...;
    without any, all is in `train`. problems: as export_formats.opened. Raises OutputError, and RecordingError."""
    sequences: list[ActionSequence] = []
    ours: dict[str, dict[str, Any]] = {}
    ids: dict[int, str] = {}
    people = [person.name for person in library.names("person")]
    recording: Recording | None = None
    for row in segments:
        if row.action is None:
            continue
        if recording is None or recording.info.id != row.recording:
            recording = opened(library, row.recording, problems)
        made = _sequence(row, recording, people) if recording is not None else None
        if made is not None:
            sequences.append(made[0])
            ours[row.name], ids[row.id] = made[1], row.name
    refuse_nothing(len(sequences), problems)
    if not sequences:
        raise OutputError("no labelled segment to write; label some first")
    content = pyskl.sequences_to_pyskl(sequences, _splits(library, ids))
    for annotation in content["annotations"]:
        annotation[pyskl.OURS] |= ours[annotation["frame_dir"]]
    try:
        restricted_pickle.save(content, file)
    except OSError as error:
        raise OutputError(f"cannot write {file} ({error.strerror}); choose another place") from error
    return len(sequences)


def import_pyskl(
    library: Library,
    file: Path,
    options: ImportOptions | None = None,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Every annotation of a pickle, as a recording with one segment; its splits become splits of the library.

    Raises DataError where the file is no such pickle, and LibraryError.
    """
    if not file.is_file():
        raise DataError(f"no file {file}; give a PYSKL pickle")
    content = restricted_pickle.load(file)
    splits = content.get("split") if isinstance(content, dict) else None
    if not isinstance(splits, dict) or not isinstance(content.get("annotations"), list):
        raise DataError(f"{file}: not in PYSKL's format (a dict with `split` and a list `annotations`)")
    named = {name: note for note in content["annotations"] if (name := pyskl.name_of(note)) is not None}
    try:
        found = pyskl.pyskl_to_sequences({**content, "split": {"train": list(named), "test": []}})
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    notes = {name: note.get(pyskl.OURS) for name, note in named.items()}
    return import_all(
        library,
        _incoming(file, found, notes, pyskl.parts_of(splits), options or ImportOptions()),
        total=len(found),
        tell=tell,
        cancel=cancel,
    )


def _sequence(
    row: SegmentRow, recording: Recording, people: Sequence[str]
) -> tuple[ActionSequence, dict[str, Any]] | None:
    """A segment as the offline package has it, the segment's person first, and what that has no place for."""
    poses = recording.poses
    found = cut(poses, row.start_s, row.end_s, row.person)
    if found is None:
        return None
    assert row.action is not None
    segment = LabelledSegment(row.name, row.person, row.start_s, row.end_s, row.action, row.who or "")
    sequence = sequence_of(found, poses, segment, people)
    more = {
        "times_s": found.times_s,
        "present": found.present,
        "persons": found.persons,
        "who": row.who,
        "session": row.session,
        "note": row.note,
        "suspect": row.suspect,
        "source": row.source,
    }
    return sequence, more


def _splits(library: Library, ids: Mapping[int, str]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for name, parts in library.splits().items():
        for part in sorted({*parts.values(), "train", "test"}):
            splits[f"{name}_{part}"] = [ids[segment] for segment in ids if parts.get(segment) == part]
    return splits or {"train": list(ids.values()), "test": []}


def _incoming(
    file: Path,
    found: Sequence[ActionSequence | DataError],
    notes: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, str]],
    options: ImportOptions,
) -> Iterator[Incoming | DataError]:
    def one(sequence: ActionSequence | DataError) -> Incoming:
        if isinstance(sequence, DataError):
            raise sequence
        splits = {base: of_segment[sequence.name] for base, of_segment in parts.items() if sequence.name in of_segment}
        came = incoming(sequence, options, splits)
        note = notes.get(sequence.name)
        return _restored(came, sequence, note, options) if isinstance(note, dict) and "times_s" in note else came

    for came in read_each(found, one):
        yield DataError(f"{file}: {came}") if isinstance(came, DataError) else came


def _restored(came: Incoming, sequence: ActionSequence, note: Mapping[str, Any], options: ImportOptions) -> Incoming:
    """With what we wrote beside the format. DataError where it is not as we write it."""
    (whole,) = came.segments
    try:
        poses = _poses(sequence, note)
        segment = NewSegment(
            0.0,
            whole.end_s,
            int(note["persons"][0]),
            whole.action,
            options.who or (None if note["who"] is None else clean_label(note["who"], "person")),
            clean_note(note["note"]),
            bool(note["suspect"]),
        )
        session = options.session or ("" if note["session"] is None else clean_label(note["session"], "session"))
        return Incoming(came.name, str(note["source"]), poses, (segment,), session, came.splits)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, LibraryError) as error:
        raise DataError(f"{sequence.name}: what ActionLens wrote there is damaged; get the file again") from error


def _poses(sequence: ActionSequence, note: Mapping[str, Any]) -> Poses:
    skeletons = sequence.people
    times_s, present, persons = note["times_s"], note["present"], [int(person) for person in note["persons"]]
    shape = (len(skeletons), len(sequence.joints))
    if times_s.shape != shape[1:] or times_s.dtype != np.float64 or not np.isfinite(times_s).all():
        raise ValueError("times")
    if (np.diff(times_s) <= 0).any() or present.shape != shape or present.dtype != np.bool_:
        raise ValueError("frames")
    if len(set(persons)) != len(skeletons) or min(persons) < 0 or sequence.joints.shape[-1] != 2:
        raise ValueError("people")
    order = np.argsort(persons, kind="stable")
    frame, place = np.nonzero(present[order].T)
    chosen = order[place]
    joints = np.stack([skeleton.joints for skeleton in skeletons])
    score = np.stack(
        [
            np.zeros(skeleton.seen.shape, np.float32) if skeleton.score is None else skeleton.score
            for skeleton in skeletons
        ]
    )
    return Poses(
        times_s - times_s[0],
        frame.astype(np.int64),
        np.array(persons, np.int64)[chosen],
        joints[chosen, frame],
        score[chosen, frame],
        sequence.layout,
        sequence.size_px or (1, 1),
    )
