"""Data sets of skeleton action recognition, and our own exports, become labelled recordings without pixels."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.copies import Copies
from app.library.errors import LibraryError
from app.library.importing import ImportOptions, ImportProgress, ImportReport, Tell
from app.library.labels import MAX_LABEL, clean_label
from app.library.storing import describe, store
from app.library.types import Filter, NewClip, Tracks
from pose.folders import is_leftover
from recognizer.training.data import (
    jhmdb,
    kinetics_skeleton,
    mpose2021,
    msr_action3d,
    ntu,
    nw_ucla,
    penn_action,
    utd_mhad,
    utd_openpose,
)
from recognizer.training.data.recording import DataError
from recognizer.training.data.recording import Recording as Sample

_MPOSE_FPS = 30.0  # not in the files; of most videos that it was made of


def read_mpose2021(folder: Path) -> Iterator[Sample]:
    """Split 1 of MPOSE2021's OpenPose variant: each pose about its neck, in torsos, as its package has it."""
    split = mpose2021.read(folder, velocities=False, confidence=True)
    for part, x, y in (("train", split.x_train, split.y_train), ("test", split.x_test, split.y_test)):
        for number, (clip, label) in enumerate(zip(x, y.tolist(), strict=True)):
            yield Sample(
                dataset=mpose2021.NAME,
                name=f"{part}_{number:05d}",
                action=split.actions[label],
                joints=clip[..., :2],
                seen=clip[..., 2] > 0,
                layout=split.layout,
                fps=_MPOSE_FPS,
                subject=None,
                test=part == "test",
                score=clip[..., 2],
            )


# Data set -> its reader of a folder.
READERS: dict[str, Callable[[Path], Iterator[Sample]]] = {
    module.NAME: module.read
    for module in (penn_action, utd_mhad, utd_openpose, nw_ucla, msr_action3d, jhmdb, ntu, kinetics_skeleton)
} | {mpose2021.NAME: read_mpose2021}
# What tells a data set from others: names of its files.
_FILES = {
    "penn_action": "labels/*.mat",
    "utd_mhad": "a*_s*_t*_skeleton.mat",
    "utd_openpose_csv": "*/a*_s*_t*_color.avi.csv",
    "nw_ucla": "a*_s*_e*_v*.json",
    "msr_action3d": "a*_s*_e*_skeleton3D.txt",
    "jhmdb14": "split*_train.npz",
    "ntu_rgbd": "S*C*P*R*A*.skeleton",
}
# A picture of 640 x 480 whose field of view is Kinect's: 525 pixels of focal length (OpenNI's default for its sensor).
_FOCAL_PX, _SIZE = 525.0, (640, 480)
_NEAREST_M = 0.3
_MARGIN = 0.1  # around joints without a picture, of their extent
_HEIGHT_PX = 480
_FARTHEST = 1e7  # pixels, millimetres or metres: nobody is so far away


def data_set_in(folder: Path) -> str | None:
    """Which data set lies in a folder, by the names of its files; None where it is none that is known by them."""
    for name, pattern in _FILES.items():
        if any(not is_leftover(file.relative_to(folder)) for file in folder.glob(pattern)):
            return name
    return None


def import_data_set(
    library: Library,
    name: str,
    folder: Path,
    options: ImportOptions | None = None,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Every recording of a data set (a name in READERS) with its action, person and split.

    Joints in metres are seen through a camera with Kinect's field of view: depth is lost. Raises LibraryError, and
    DataError where the folder is not the data set.
    """
    if name not in READERS:
        raise LibraryError(f"no data set is called {name}; choose one of {', '.join(sorted(READERS))}")
    return import_samples(library, READERS[name](folder), name, options, tell=tell, cancel=cancel)


def import_samples(
    library: Library,
    samples: Iterator[Sample],
    name: str,
    options: ImportOptions | None = None,
    *,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Recordings as the offline package reads them; see import_data_set."""
    split = _free_name(library, f"{name} as published")
    came = (incoming(sample, options or ImportOptions(), {split: _part(sample)}) for sample in samples)
    return import_all(library, came, tell=tell, cancel=cancel)


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """A recording on its way in, with its one clip. splits: the clip's part, by split."""

    name: str
    source: str
    tracks: Tracks
    clip: NewClip
    session: str
    splits: Mapping[str, str]


def incoming(sample: Sample, options: ImportOptions, splits: Mapping[str, str]) -> Incoming:
    """A data set's recording, whose people are called after the data set and their number."""
    tracks = tracks_of_sample(sample)
    who = options.who or (f"{sample.dataset} {sample.subject}" if sample.subject is not None else None)
    action = options.action or label_or(sample.action, "unnamed")
    name = f"{sample.dataset}/{sample.name}"
    clip = NewClip(0.0, float(tracks.times_s[-1]), 0, action, who)
    return Incoming(name, name, tracks, clip, options.session, splits)


def import_all(
    library: Library,
    coming: Iterable[Incoming],
    *,
    total: int = 0,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Keep what comes until it ends, is cancelled, or a file is damaged, which is a line once something has come."""
    report, staging = ImportReport(), library.staging()
    copies = Copies(library)  # of what was there before: a set that holds something twice comes in whole
    splits: dict[str, dict[int, str]] = {}
    try:
        for came in coming:
            if cancel is not None and cancel.is_set():
                report.cancelled = True
                break
            if (known := copies.of_tracks(came.tracks)) is not None:
                report.copies.append(f"{came.name} is {known}")
            else:
                _keep(library, staging, came, report, splits)
            done = len(report.recordings) + len(report.problems) + len(report.copies)
            if tell is not None:
                tell(ImportProgress(done, total, came.name))
    except DataError as error:
        if not report.recordings and not report.copies:
            raise
        report.problems.append(str(error))
    for name, parts in splits.items():
        library.set_split(_free_name(library, label_or(name, "imported")), parts)
    return report


def tracks_of_sample(sample: Sample) -> Tracks:
    """The skeletons of a data set's recording in pixels, with times from its rate. A frame in which nothing of a
    person is seen has no pose of that person. Raises DataError for what can be no place."""
    skeletons = sample.people
    joints = np.stack([skeleton.joints for skeleton in skeletons])
    if (farthest := float(np.abs(joints).max(initial=0, where=np.isfinite(joints)))) > _FARTHEST:
        raise DataError(f"{sample.name}: a joint at {farthest:.3g}, which is no place; get the file anew")
    flat, size = _in_pixels(joints, sample)
    confidence = np.stack(
        [skeleton.seen.astype(np.float32) if skeleton.score is None else skeleton.score for skeleton in skeletons]
    )
    seen = np.stack([skeleton.seen for skeleton in skeletons]) & np.isfinite(flat).all(axis=-1)
    confidence = np.where(seen, np.clip(np.nan_to_num(confidence), 0, 1), 0).astype(np.float32)
    frame, person = np.nonzero(seen.any(axis=-1).T)  # by frame, then by person
    return Tracks(
        np.arange(flat.shape[1]) / sample.fps,
        frame.astype(np.int64),
        person.astype(np.int64),
        np.where(np.isfinite(flat), flat, 0)[person, frame].astype(np.float32),
        confidence[person, frame],
        sample.layout,
        size,
    )


def label_or(text: str, otherwise: str) -> str:
    """A name out of a file, shortened; what cannot be one is called otherwise."""
    try:
        return clean_label(text[:MAX_LABEL], "name")
    except LibraryError:
        return otherwise


def _keep(
    library: Library, staging: Path, came: Incoming, report: ImportReport, splits: dict[str, dict[int, str]]
) -> None:
    if not len(came.tracks.frame) or len(came.tracks.times_s) < 2:
        report.problems.append(f"{came.name} holds nobody: not imported")
        return
    info = describe(came.tracks, came.source, session=came.session)
    try:
        folder = store(library.root, staging, info, came.tracks)
        library.add_recording(folder, [came.clip])
    except (RecordingError, LibraryError) as error:
        report.problems.append(f"{came.name}: {error}")
        return
    report.recordings.append(folder.name)
    for clip in library.clips(Filter(recording=folder.name), limit=-1):
        for split, part in came.splits.items():
            splits.setdefault(split, {})[clip.id] = part


def _part(sample: Sample) -> str:
    return "test" if sample.test else "train"


def _in_pixels(joints: NDArray[np.float32], sample: Sample) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """(M, T, V, 2) joints in pixels of a picture, and its size."""
    if joints.shape[-1] == 3:
        depth = joints[..., 2]
        if float(np.nanmin(np.where(joints.any(axis=-1), depth, np.inf))) > _NEAREST_M:
            centre = np.array(_SIZE, np.float32) / 2
            safe = np.maximum(depth, _NEAREST_M)[..., None]
            return (joints[..., :2] / safe * np.float32(_FOCAL_PX) + centre).astype(np.float32), _SIZE
        joints = joints[..., :2]  # about the body's own middle: seen from far away
    elif sample.size_px is not None:
        return joints, sample.size_px
    return _fitted(joints, np.stack([skeleton.seen for skeleton in sample.people]))


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


def _free_name(library: Library, name: str) -> str:
    taken, number, free = library.splits(), 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
