"""Poses that are there already, as a recording on disk: what comes in from videos, data sets and other libraries."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.errors import LibraryError
from app.library.rows import NewSegment
from app.recording.folder import (
    INFO_FILE,
    JOINTS_FILE,
    VIDEO_FILE,
    RecordingInfo,
    info_to_json,
    is_id,
    new_id,
    recordings_folder,
    save_joints,
    storable,
)
from recognizer.datasets.recorded import Poses


def describe(poses: Poses, source: str, *, session: str = "", skeleton_only: bool = True) -> RecordingInfo:
    """What is known of a recording that is to be kept, with a new id."""
    now = datetime.now(UTC)
    return RecordingInfo(
        id=new_id(now),
        created=now.isoformat(timespec="seconds"),
        source=storable(source),
        duration_s=round(float(poses.times_s[-1]), 6),
        frames=len(poses.times_s),
        size=poses.size_px,
        layout=poses.layout.name,
        skeleton_only=skeleton_only,
        session=storable(session),
    )


def keep(
    library: Library,
    info: RecordingInfo,
    poses: Poses,
    segments: Sequence[NewSegment] = (),
    *,
    video: Path | None = None,
    announced: bool = True,
) -> str:
    """Write a recording into a library and enter it with its segments, both or neither; its id. See store() and
    Library.add_recording(). Raises RecordingError and LibraryError."""
    staging = library.staging()
    folder = store(library.root, staging, info, poses, video)
    try:
        return library.add_recording(folder, segments, announced=announced)
    except BaseException:
        # What stayed would come in without labels at the next opening, and then be a copy that an import leaves out.
        with contextlib.suppress(OSError, LibraryError):
            if library.recording(folder.name) is None:
                os.replace(folder, staging / folder.name)
                shutil.rmtree(staging / folder.name)
        raise


def store(root: Path, staging: Path, info: RecordingInfo, poses: Poses, video: Path | None = None) -> Path:
    """Write a recording and give it its place; the folder. Another id is taken where there is one of that name.

    staging: a folder on the same disk. video: a file to copy. Raises RecordingError.
    """
    folder: Path | None = None
    try:
        folder = Path(tempfile.mkdtemp(dir=staging))
        if video is not None:
            shutil.copyfile(video, folder / VIDEO_FILE)
        arrays = {name: getattr(poses, name) for name in ("times_s", "frame", "person", "xy_px", "confidence")}
        save_joints(folder / JOINTS_FILE, arrays)
        while not is_id(info.id) or (recordings_folder(root) / info.id).exists():
            info = replace(info, id=new_id())
        (folder / INFO_FILE).write_text(info_to_json(info), encoding="utf-8")
        recordings_folder(root).mkdir(exist_ok=True)
        folder.chmod(0o755)  # mkdtemp's are for the owner alone
        target = recordings_folder(root) / info.id
        os.replace(folder, target)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise RecordingError(f"cannot keep a recording in {root} ({error.strerror}); make room") from error
    return target
