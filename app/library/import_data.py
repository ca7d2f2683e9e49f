"""Data sets of skeleton action recognition, and our own exports, become labelled recordings without pixels."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.copies import DuplicateFinder
from app.library.errors import LibraryError
from app.library.import_report import ImportOptions, ImportProgress, ImportReport, Tell
from app.library.labels import MAX_LABEL, clean_label, label_key
from app.library.pose_recordings import describe, keep
from app.library.rows import NewSegment
from recognizer.datasets.dataset import ReadResult
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import read_each
from recognizer.datasets.recorded import Poses
from recognizer.datasets.registry import DATASETS
from recognizer.datasets.sequences import ActionSequence, LabelledSequence
from recognizer.datasets.webcam_poses import UNKNOWN_PERSON, part_of

# A picture of 640 x 480 whose field of view is Kinect's: 525 pixels of focal length (OpenNI's default for its sensor).
_FOCAL_PX, _SIZE = 525.0, (640, 480)
_NEAREST_M = 0.3
_MARGIN = 0.1  # around joints without a picture, of their extent
_HEIGHT_PX = 480
_FARTHEST = 1e7  # pixels, millimetres or metres: nobody is so far away


def import_data_set(
    library: Library,
    name: str,
    folder: Path,
    options: ImportOptions | None = None,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Every sequence of a data set (a name in DATASETS) with its action, person and split; a line for each that cannot
    be used.

    Joints in metres are seen through a camera with Kinect's field of view: depth is lost. Raises LibraryError, and
    DataError where the folder is not the data set.
    """
    if name not in DATASETS:
        raise LibraryError(f"there is no data set called {name}; choose one of {', '.join(sorted(DATASETS))}")
    found = DATASETS[name].read_foreign(folder)
    return import_sequences(library, found, name, options, tell=tell, cancel=cancel)


def import_sequences(
    library: Library,
    found: Iterable[ReadResult],
    name: str,
    options: ImportOptions | None = None,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """What a reader of data sets gives; see import_data_set."""
    split, how = free_split(library, f"{name} as published"), options or ImportOptions()

    def coming(one: ReadResult) -> Incoming:
        if isinstance(one, DataError):
            raise one
        if isinstance(one, LabelledSequence):
            return _labelled(one, name, how, {split: part_of(one)})
        return incoming(one, how, {split: "test" if one.test else "train"})

    return import_all(library, read_each(found, coming), tell=tell, cancel=cancel)


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """A recording being imported, with its segments. splits: their part, by split."""

    name: str
    source: str
    poses: Poses
    segments: tuple[NewSegment, ...]
    session: str
    splits: Mapping[str, str]


def incoming(sequence: ActionSequence, options: ImportOptions, splits: Mapping[str, str]) -> Incoming:
    """A data set's sequence, whose people are called after the data set and their number."""
    poses = poses_of_sequence(sequence)
    who = options.who or (f"{sequence.dataset} {sequence.subject}" if sequence.subject is not None else None)
    action = options.action or label_or(sequence.action, "unnamed")
    name = f"{sequence.dataset}/{sequence.name}"
    segment = NewSegment(0.0, float(poses.times_s[-1]), 0, action, who)
    return Incoming(name, name, poses, (segment,), options.session, splits)


def _labelled(sequence: LabelledSequence, dataset: str, options: ImportOptions, splits: Mapping[str, str]) -> Incoming:
    """A sequence with a segment for each of its segments."""
    posed = np.flatnonzero(sequence.posed)
    start_s = float(sequence.times_s[0])
    poses = Poses(
        sequence.times_s - start_s,
        posed.astype(np.int64),
        np.zeros(len(posed), np.int64),
        sequence.xy_px[posed],
        sequence.confidence[posed],
        sequence.layout,
        sequence.size,
    )
    who = options.who or (label_or(sequence.person, "") if sequence.person != UNKNOWN_PERSON else "")
    segments = tuple(
        NewSegment(
            max(segment.start_s - start_s, 0.0),
            min(segment.end_s - start_s, float(poses.times_s[-1])),
            0,
            options.action or label_or(segment.label, "unnamed"),
            who or None,
        )
        for segment in sequence.segments
    )
    name = f"{dataset}/{sequence.name}"
    return Incoming(name, name, poses, segments, options.session, splits)


def import_all(
    library: Library,
    coming: Iterable[Incoming | DataError],
    *,
    total: int = 0,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Keep what comes until it ends or is cancelled; what cannot be used is a line of its own. DataError where nothing
    can be read at all."""
    report = ImportReport()
    copies = DuplicateFinder(library)  # of what was there before: a set that holds something twice comes in whole
    splits: dict[str, dict[int, str]] = {}
    with report.keeping():
        for came in coming:
            if cancel is not None and cancel.is_set():
                report.cancelled = True
                break
            if isinstance(came, DataError):
                report.problems.append(str(came))
            elif (known := copies.recording_with(came.poses)) is not None:
                report.copies.append(f"{came.name} is already in the library ({known})")
            else:
                _keep(library, came, report, splits)
            done = len(report.recordings) + len(report.problems) + len(report.copies)
            if tell is not None:
                tell(ImportProgress(done, total, "" if isinstance(came, DataError) else came.name))
    with report.keeping():  # also of what came in before an error
        for name, parts in splits.items():
            library.set_split(free_split(library, label_or(name, "imported")), parts)
    return report


def poses_of_sequence(sequence: ActionSequence) -> Poses:
    """The skeletons of a data set's sequence in pixels, with times from its rate. A frame in which nothing of a
    person is seen has no pose of that person. Raises DataError for what can be no place."""
    skeletons = sequence.people
    joints = np.stack([skeleton.joints for skeleton in skeletons])
    if (farthest := float(np.abs(joints).max(initial=0, where=np.isfinite(joints)))) > _FARTHEST:
        raise DataError(f"{sequence.name}: a joint at {farthest:.3g}, which is not a position; get the file again")
    flat, size = _in_pixels(joints, sequence)
    confidence = np.stack(
        [skeleton.seen.astype(np.float32) if skeleton.score is None else skeleton.score for skeleton in skeletons]
    )
    seen = np.stack([skeleton.seen for skeleton in skeletons]) & np.isfinite(flat).all(axis=-1)
    confidence = np.where(seen, np.clip(np.nan_to_num(confidence), 0, 1), 0).astype(np.float32)
    frame, person = np.nonzero(seen.any(axis=-1).T)  # by frame, then by person
    return Poses(
        np.arange(flat.shape[1]) / sequence.fps,
        frame.astype(np.int64),
        person.astype(np.int64),
        np.where(np.isfinite(flat), flat, 0)[person, frame].astype(np.float32),
        confidence[person, frame],
        sequence.layout,
        size,
    )


def label_or(text: str, otherwise: str) -> str:
    """A name out of a file, shortened; what cannot be one is called otherwise."""
    try:
        return clean_label(text[:MAX_LABEL], "name")
    except LibraryError:
        return otherwise


def _keep(library: Library, came: Incoming, report: ImportReport, splits: dict[str, dict[int, str]]) -> None:
    if not len(came.poses.frame) or len(came.poses.times_s) < 2:
        report.problems.append(f"{came.name} shows nobody: not imported")
        return
    info = describe(came.poses, came.source, session=came.session)
    try:
        name = keep(library, info, came.poses, came.segments)
    except (RecordingError, LibraryError) as error:
        report.problems.append(f"{came.name}: {error}")
        return
    report.recordings.append(name)
    for segment in library.segments_in(name):
        for split, part in came.splits.items():
            splits.setdefault(split, {})[segment.id] = part


def _in_pixels(joints: NDArray[np.float32], sequence: ActionSequence) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """(M, T, V, 2) joints in pixels of a picture, and its size."""
    if joints.shape[-1] == 3:
        depth = joints[..., 2]
        if float(np.nanmin(np.where(joints.any(axis=-1), depth, np.inf))) > _NEAREST_M:
            centre = np.array(_SIZE, np.float32) / 2
            safe = np.maximum(depth, _NEAREST_M)[..., None]
            return (joints[..., :2] / safe * np.float32(_FOCAL_PX) + centre).astype(np.float32), _SIZE
        joints = joints[..., :2]  # about the body's own middle: seen from far away
    elif sequence.size_px is not None:
        return joints, sequence.size_px
    return _fitted(joints, np.stack([skeleton.seen for skeleton in sequence.people]))


def _fitted(joints: NDArray[np.float32], seen: NDArray[np.bool_]) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Joints of which no picture is known: as they are where they lie in one, else moved and scaled into one."""
    there = joints[seen & np.isfinite(joints).all(axis=-1)]
    if not len(there):
        return joints, _SIZE
    low, high = there.min(axis=0), there.max(axis=0)
    if low.min() >= 0 and high.max() > 50:  # pixels already
        width, height = (max(int(np.ceil(side)) + 1, 2) for side in high)
        return joints, (width, height)
    extent = max(float((high - low).max()), 1e-6)
    scale = _HEIGHT_PX / (extent * (1 + 2 * _MARGIN))
    moved = (joints - low + _MARGIN * extent) * np.float32(scale)
    width, height = (int(np.ceil(side)) + 1 for side in (high - low + 2 * _MARGIN * extent) * scale)
    return moved.astype(np.float32), (width, height)


def free_split(library: Library, name: str) -> str:
    """The name, or with a number where a split has it already, in whatever case: that one would be replaced."""
    taken, number, free = {label_key(known) for known in library.splits()}, 1, name
    while label_key(free) in taken:
        number += 1
        free = f"{name} {number}"
    return free
