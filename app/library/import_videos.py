"""Videos and folders of videos become recordings, with poses by the same estimator as live."""

import os
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.copies import DuplicateFinder
from app.library.errors import LibraryError
from app.library.import_report import ImportOptions, ImportReport, ProgressReporter, Tell, Ticker, refused
from app.library.labels import clean_label
from app.library.pose_recordings import describe, keep
from app.library.rows import NewSegment
from app.library.video_poses import CANCEL, PosedVideo, pose_videos, shares
from pose.address import public_source
from pose.errors import PoseModelError
from pose.estimators import EstimatorSpec, choose, find_model
from pose.folders import is_leftover, natural_key

VIDEO_SUFFIXES = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".vob", ".wmv"),
        *(".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".m2t", ".mod", ".tod", ".ogv", ".gif"),
        *(".mxf", ".dv", ".ivf", ".y4m", ".h264", ".h265", ".hevc", ".mjpg", ".mjpeg"),
    )
)


def find_videos(paths: Iterable[Path], problems: list[str] | None = None) -> list[Path]:
    """The given files, and the videos in the given folders and those below; links to folders are not followed.

    problems: gets a line for whatever in a folder cannot be looked at. Raises LibraryError where a path is not there or
    cannot be read, or no video is found.
    """
    found: list[Path] = []
    hidden: list[str] = []
    for path in paths:
        try:
            if path.is_dir():
                found += videos_in(path, hidden)
            elif path.exists():
                found.append(path)
            else:
                raise LibraryError(f"{public_source(str(path))} does not exist; check the name")
        except OSError as error:
            raise refused(path, error) from error
    if not found:
        nothing = "there is no video in it; give videos or folders of videos, or name the data set that it is"
        raise LibraryError(hidden[0] if hidden else nothing)
    if problems is not None:
        problems += hidden
    return list(dict.fromkeys(found))


def videos_in(top: Path, hidden: list[str]) -> list[Path]:
    """The videos in a folder and those below. hidden: gets a line for whatever cannot be looked at."""

    def cannot(error: OSError) -> None:
        hidden.append(str(refused(Path(error.filename or top), error)))

    found: list[Path] = []
    for folder, _, names in os.walk(top, onerror=cannot):
        for path in (Path(folder) / name for name in names):
            try:
                if not is_leftover(path.relative_to(top)) and is_video(path):
                    found.append(path)
            except OSError as error:
                cannot(error)
    return sorted(found, key=natural_key)


def is_video(path: Path) -> bool:
    """True for a file with a video's extension. Raises OSError where the folder does not let it be seen."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def import_videos(
    library: Library,
    paths: Iterable[Path],
    options: ImportOptions | None = None,
    *,
    pose_model: Path | None = None,
    tell: Tell | None = None,
    cancel: threading.Event | None = None,
) -> ImportReport:
    """Find the poses of videos in other processes and keep them as recordings; what fails is a line of the report.

    Videos that show nobody are reported and not kept. tell is called from another thread, too. cancel ends it within a
    few seconds; what is finished stays. Raises LibraryError and PoseModelError where nothing can be imported at all.
    """
    options, cancel = options or ImportOptions(), cancel or threading.Event()
    kind = _check(options)
    report = ImportReport()
    videos = find_videos(paths, report.problems)
    staging, copies = library.staging(), DuplicateFinder(library)
    videos = copies.new_videos(videos, report)
    if not videos:
        return report
    spec = EstimatorSpec(kind, find_model(kind, pose_model, cancel=cancel), options.people)
    teller = ProgressReporter(tell, len(videos))
    with tempfile.TemporaryDirectory(dir=staging, ignore_cleanup_errors=True) as folder:
        marks = Path(folder)
        finished = 0

        def tick() -> None:
            if cancel.is_set():
                (marks / CANCEL).touch()
            teller(finished + shares(marks, len(videos)))

        posing = pose_videos(videos, spec, marks, jobs=options.jobs, backend=options.backend)
        with report.keeping(), Ticker(tick):
            for posed in posing:
                _keep(library, posed, options, report, copies)
                finished += 1
                teller(finished, posed.path.name)
    report.cancelled = cancel.is_set()
    return report


def _check(options: ImportOptions) -> str:
    """The kind of estimator. Raises LibraryError."""
    for name, what in ((options.action, "action"), (options.who, "person"), (options.session, "session")):
        if name:
            clean_label(name, what)
    if options.jobs < 1:
        raise LibraryError(f"{options.jobs} jobs: give at least 1")
    try:
        return choose(options.pose, options.people)
    except PoseModelError as error:
        raise LibraryError(str(error)) from error


def _keep(
    library: Library,
    posed: PosedVideo,
    options: ImportOptions,
    report: ImportReport,
    copies: DuplicateFinder,
) -> None:
    poses, path = posed.poses, posed.path
    if poses is None:
        if posed.line:
            report.problems.append(posed.line)
        return
    if not len(poses.frame):
        report.problems.append(f"{path} shows nobody: not imported")
        return
    if len(poses.times_s) < 2:
        report.problems.append(f"{path} is a single picture: not imported")
        return
    if (known := copies.recording_with(poses)) is not None:
        report.copies.append(f"{path} is already in the library ({known})")
        return
    info = describe(poses, path.name, session=options.session, skeleton_only=options.skeleton_only)
    try:
        action = path.parent.name if options.action_from_folder else options.action
        longest = int(np.bincount(poses.person).argmax())  # who is there longest
        segments = [NewSegment(0.0, info.duration_s, longest, action or None, options.who or None)]
        video = None if options.skeleton_only else path
        name = keep(library, info, poses, segments if action or options.who else [], video=video)
        report.recordings.append(name)
        copies.remember(name, poses)
    except (RecordingError, LibraryError) as error:
        report.problems.append(f"{path}: {error}")
