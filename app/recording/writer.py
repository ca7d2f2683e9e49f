"""Writes a recording while it happens, so that a killed process loses half a second of it at most.

Joints go to a journal of fixed-size rows that is handed to the system with every frame, the video is a chain of
fragments (app.outputs.video_writer). Finishing makes joints.npz of the journal and renames the folder.

While it is written, a lock beside the folder (.ID.lock) keeps others from completing it, also those that do not see the
process: on another computer or in another container. Windows renames no folder in which a file is open, so it does not
lie within. Older versions, and file systems without locks, have the process in owner.json alone.
"""

import contextlib
import errno
import json
import os
import shutil
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import psutil
from numpy.typing import NDArray

from app.errors import OutputError, RecordingError
from app.outputs.video_writer import VideoWriter, cut_to_whole_fragments
from app.recording.folder import (
    INFO_FILE,
    JOINTS_FILE,
    MAX_FRAMES,
    VIDEO_FILE,
    RecordingInfo,
    info_to_json,
    is_id,
    new_id,
    read_info,
    recordings_folder,
    save_joints,
    storable,
)
from app.writer_lock import WriterLock
from pose.address import public_source
from pose.skeleton import LAYOUTS, Layout
from pose.types import Pose

_JOURNAL, _OWNER = "joints.journal", "owner.json"
_ROW = struct.Struct("<dii")  # time, person, joints that follow; person -1 ends a frame that has no more
_NOBODY = -1
_MAX_JOURNAL_BYTES = 2 << 30
_PART, _NEW, _LOCK = ".part", ".new", ".lock"
_NEW_S = 3600.0  # older ones have nobody any more who would rename them


class RecordingWriter:
    """Writes ROOT/recordings/.ID.part and renames it when finished. One thread at a time.

    The video is as lossless as app.outputs.video_writer's. Raises RecordingError where the folder cannot be made.
    """

    def __init__(
        self,
        root: Path,
        *,
        source: str,
        session: str,
        layout: Layout,
        size: tuple[int, int],
        person: str = "",
        action: str = "",
        begins_s: float = 0.0,
        track_id: int | None = None,
        skeleton_only: bool = False,
        lossless: bool = False,
    ) -> None:
        """begins_s: when the take itself begins, after what was kept from before. track_id: whose it is."""
        now, shown = datetime.now(UTC), storable(public_source(source))
        self.info = RecordingInfo(
            *(new_id(now), now.isoformat(timespec="seconds"), shown, 0.0, 0, size, layout.name),
            *(skeleton_only, storable(session), storable(person), storable(action), round(begins_s, 6)),
            track_id=track_id,
        )
        self.folder = recordings_folder(root) / f".{self.info.id}{_PART}"
        self._layout, self._size = layout, size
        self._first_s: float | None = None
        self._last_s = 0.0
        self._broken, self._pictures = False, 0
        self._video: VideoWriter | None = None
        self._lock = _lock_of(self.folder)
        try:
            new = self.folder.with_suffix(_NEW)  # no other process may find it before it has an owner
            new.mkdir(parents=True)
            (new / _OWNER).write_text(json.dumps(_owner()), encoding="utf-8")
            (new / INFO_FILE).write_text(info_to_json(self.info), encoding="utf-8")
            with contextlib.suppress(OSError):  # where there are no locks, the process is named all the same
                self._lock.take()
            os.replace(new, self.folder)
            self._journal = (self.folder / _JOURNAL).open("wb", buffering=0)
            if not skeleton_only:
                self._video = VideoWriter(self.folder / VIDEO_FILE, lossless=lossless)
        except (OSError, OutputError) as error:
            for made in (self.folder, self.folder.with_suffix(_NEW)):
                shutil.rmtree(made, ignore_errors=True)
            self._lock.remove()
            raise RecordingError(
                f"cannot record into {root}: {_reason(error)}; make room, or check its permissions"
            ) from error

    @property
    def frames(self) -> int:
        """Frames taken in so far."""
        return self.info.frames

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return self.info.duration_s

    def add(self, time_s: float, bgr: NDArray[np.uint8] | None, poses: Sequence[Pose]) -> None:
        """A frame on the source's clock; one that is not after the last is left out. Raises RecordingError."""
        if self._broken:
            raise RecordingError("recording has failed before; make room and start again")
        if self.info.frames >= MAX_FRAMES:
            raise RecordingError(f"a recording has at most {MAX_FRAMES} frames; begin another")
        if self._first_s is None:
            self._first_s = time_s
        at_s = time_s - self._first_s
        if self.info.frames and at_s <= self._last_s:
            return
        self._last_s = at_s
        rows = [_pack(at_s, pose, self._layout) for pose in poses]
        rows.append(_ROW.pack(at_s, _NOBODY, 0))
        try:
            _write_all(self._journal, b"".join(rows))
            if self._video is not None and bgr is not None:
                if at_s and not self._pictures:
                    self._video.write(bgr, 0.0)  # a video begins with its first picture; joints began before it
                self._video.write(bgr, at_s)
                self._pictures += 1
        except (OSError, OutputError) as error:
            self._broken = True  # a row may be there in part: nothing can follow it
            raise RecordingError(
                f"cannot continue recording: {_reason(error)}; make room; it is completed at the next start"
            ) from error
        self.info = replace(self.info, frames=self.info.frames + 1, duration_s=round(at_s, 6))

    def finish(self) -> Path:
        """Make it a recording like any other; its folder. Raises RecordingError, and keeps what there is."""
        try:
            if self._video is not None:
                self._video.close()
            self._journal.close()
            finished = _finish(self.folder, self.info)
            self._lock.remove()
            return finished
        except (OSError, OutputError) as error:
            raise RecordingError(
                f"the recording cannot be finished: {_reason(error)}; make room; it is completed at the next start"
            ) from error

    def keep_for_recovery(self) -> None:
        """Let go of it as it stands, for `recover` to finish: after a full disk."""
        with contextlib.suppress(OSError, OutputError):
            self._journal.close()
        with contextlib.suppress(OSError, OutputError):
            if self._video is not None:
                self._video.close()
        with contextlib.suppress(OSError):
            (self.folder / _OWNER).unlink()
        self._lock.remove()

    def discard(self) -> None:
        """Throw it away."""
        with contextlib.suppress(OSError, OutputError):
            if self._video is not None:
                self._video.close()
        self._journal.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.remove()


@dataclass(frozen=True, slots=True)
class Recovery:
    """An unfinished recording that was found. folder: of the recording it has become, None where nothing could be
    made of it; message: one line."""

    folder: Path | None
    message: str


def recover(root: Path) -> list[Recovery]:
    """Finish what killed processes have left unfinished. What another living process is writing is not touched."""
    parent = recordings_folder(root)
    if not parent.is_dir():
        return []
    _sweep(parent)
    found = []
    for folder in sorted(parent.glob(f".*{_PART}")):
        name = folder.name[1 : -len(_PART)]
        if not is_id(name) or folder.is_symlink() or _is_owned(folder):
            continue
        lock = _lock_of(folder)
        if not _is_free(lock):
            continue
        try:
            if folder.is_dir():  # its writer may just have finished it
                found.append(_recover(folder, name))
        finally:
            lock.remove()
    return found


def _sweep(parent: Path) -> None:
    """Remove what a kill left before there was a recording, and after it was finished."""
    for path in (*parent.glob(f".*{_NEW}"), *parent.glob(f".*{_LOCK}")):
        with contextlib.suppress(OSError):
            if not is_id(path.stem[1:]) or time.time() - path.stat().st_mtime <= _NEW_S:
                continue
            if path.suffix == _NEW:
                shutil.rmtree(path, ignore_errors=True)
            elif not path.with_suffix(_PART).exists():
                path.unlink()


def _lock_of(folder: Path) -> WriterLock:
    """The lock of a recording that is being written, by its folder .ID.part."""
    return WriterLock(folder.parent, folder.with_suffix(_LOCK).name)


def _is_free(lock: WriterLock) -> bool:
    try:
        return lock.take()
    except OSError:
        return True  # no locks here; no process of this computer writes it


def _recover(folder: Path, name: str) -> Recovery:
    try:
        info = read_info(folder)
        if info.id != name:
            raise RecordingError(f"{folder} holds another recording; remove it")
        _take_video(folder)
        target = _finish(folder, info)
        seconds = read_info(target).duration_s
    except (OSError, RecordingError) as error:
        return Recovery(None, f"the unfinished recording {folder} cannot be completed: {_reason(error)}")
    return Recovery(target, f"an unfinished recording of {seconds:.1f} s was completed: {target.name}")


def _take_video(folder: Path) -> None:
    partial = folder / "video.partial.mp4"
    if partial.is_file() and not (folder / VIDEO_FILE).exists() and partial.stat().st_size:
        cut_to_whole_fragments(partial)
        if _has_picture(partial):
            os.replace(partial, folder / VIDEO_FILE)
    partial.unlink(missing_ok=True)


def _has_picture(path: Path) -> bool:
    """False for what a process leaves that was killed before its first fragment."""
    try:
        with av.open(str(path)) as container:
            return next(container.decode(video=0), None) is not None
    except (av.FFmpegError, IndexError, ValueError):
        return False


def _finish(folder: Path, info: RecordingInfo) -> Path:
    """joints.npz of the journal, the final recording.json, the final name. Can be done again after it has failed."""
    journal, joints = folder / _JOURNAL, folder / JOINTS_FILE
    arrays = _read_journal(journal, LAYOUTS[info.layout])
    times_s = arrays["times_s"]
    if not len(times_s):
        shutil.rmtree(folder, ignore_errors=True)
        raise RecordingError("it held no frame and was removed")
    temporary = folder / f".{JOINTS_FILE}"
    save_joints(temporary, arrays)
    os.replace(temporary, joints)
    info = replace(info, frames=len(times_s), duration_s=round(float(times_s[-1]), 6))
    temporary = folder / f".{INFO_FILE}"
    temporary.write_text(info_to_json(info), encoding="utf-8")
    os.replace(temporary, folder / INFO_FILE)
    target = folder.with_name(info.id)
    os.replace(folder, target)
    for left in (_JOURNAL, _OWNER):  # only now: until here everything can be made again
        with contextlib.suppress(OSError):
            (target / left).unlink(missing_ok=True)
    return target


def _pack(at_s: float, pose: Pose, layout: Layout) -> bytes:
    if pose.layout != layout:
        raise ValueError(f"expected poses of layout {layout.name}, got {pose.layout.name}")
    values = np.concatenate([pose.xy_px, pose.confidence[:, None]], axis=1).astype("<f4")
    values[~np.isfinite(values).all(axis=1)] = 0  # nowhere is not seen
    return _ROW.pack(at_s, pose.person, len(layout)) + values.tobytes()


def _read_journal(path: Path, layout: Layout) -> dict[str, NDArray[np.generic]]:
    """Whole frames only: a row that a kill has cut, and the frame it was of, are left out."""
    if path.stat().st_size > _MAX_JOURNAL_BYTES:
        raise RecordingError(f"{path} is too large to be a journal")
    content = path.read_bytes()
    times: list[float] = []
    frame: list[int] = []
    person: list[int] = []
    values: list[NDArray[np.float32]] = []
    of_frame: list[tuple[int, NDArray[np.float32]]] = []
    place, size = 0, len(layout) * 3 * 4
    while place + _ROW.size <= len(content):
        at_s, who, joints = _ROW.unpack_from(content, place)
        place += _ROW.size
        if who == _NOBODY:
            if not at_s > (times[-1] if times else -1e-9) or len(times) == MAX_FRAMES:  # NaN too
                break
            for identity, joint_values in of_frame:
                frame.append(len(times))
                person.append(identity)
                values.append(joint_values)
            times.append(at_s)
            of_frame = []
            continue
        if joints != len(layout) or place + size > len(content):
            break
        of_frame.append((who, np.frombuffer(content, "<f4", len(layout) * 3, place).reshape(len(layout), 3)))
        place += size
    found = np.stack(values) if values else np.zeros((0, len(layout), 3), np.float32)
    return {
        "times_s": np.array(times, np.float64),
        "frame": np.array(frame, np.int64),
        "person": np.array(person, np.int64),
        "xy_px": found[..., :2],
        "confidence": np.clip(found[..., 2], 0, 1),
    }


def _write_all(file: "contextlib.AbstractContextManager[object]", data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = file.write(view)  # type: ignore[attr-defined]
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]


def _owner() -> dict[str, float]:
    return {"pid": os.getpid(), "started": _started(os.getpid())}


def _started(pid: int) -> float:
    """When a process began, by a clock that nobody sets; a number that another process of this pid has not."""
    if sys.platform == "linux":  # psutil adds the time of the boot to it, which moves with the computer's clock
        return float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return float(psutil.Process(pid).create_time())


def _is_owned(folder: Path) -> bool:
    """True while the process that writes it lives on this computer."""
    try:
        owner = json.loads((folder / _OWNER).read_text(encoding="utf-8"))
        return abs(_started(int(owner["pid"])) - float(owner["started"])) < 1.0
    except (psutil.AccessDenied, PermissionError):
        return True
    except (OSError, ValueError, RecursionError, KeyError, TypeError, IndexError, psutil.Error):
        return False


def _reason(error: BaseException) -> str:
    if isinstance(error, OutputError) and error.__cause__ is not None:
        return _reason(error.__cause__)  # its own line says more than belongs into another
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
