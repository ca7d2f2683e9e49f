"""The folder of a recording: recording.json, joints.npz, and video.mp4 unless only skeletons are kept.

ROOT/recordings/ID/. What is being recorded stands beside it as .ID.part (see app.recording.writer). Everything read
from disk is checked: sizes, shapes, finite numbers, growing times.
"""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path

from app.errors import RecordingError
from pose.skeleton import LAYOUTS, Layout
from recognizer.datasets.recorded import Poses
from recognizer.plain_arrays import UNREADABLE, refuse_traps

INFO_FILE, JOINTS_FILE, VIDEO_FILE = "recording.json", "joints.npz", "video.mp4"
VERSION = 1
MAX_FRAMES = 1_000_000  # nine hours at 30 a second
MAX_NUMBER = (1 << 62) - 1  # of a person or a segment: SQLite and NumPy have room for it
_MAX_INFO_BYTES = 1 << 16
_MAX_JOINTS_BYTES = 2 << 30
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What is known of a recording.

    id: "YYYYMMDD-HHMMSS-xxxxxx", UTC and random: the folder's name. created: ISO 8601, UTC. source: as the user named
    it. frames: with a time, whether anybody is in them or not. size: width and height in pixels of the frames.
    session: recordings made at one time and place. person, action: names, "" where they are not known. begins_s: where
    the take itself begins; before it is what was kept from before the key. track_id: identity of whom the take is of,
    where others may be in it, too.
    """

    id: str
    created: str
    source: str
    duration_s: float
    frames: int
    size: tuple[int, int]
    layout: str
    skeleton_only: bool
    session: str
    person: str = ""
    action: str = ""
    begins_s: float = 0.0
    version: int = VERSION
    track_id: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recording in memory. The F frames have times; the P poses say which frame and whom they belong to.

    times_s: (F,) float64 from 0, growing. frame: (P,) places of frames, not falling. person: (P,) identities.
    xy_px: (P, V, 2) float32, pixels of the unmirrored frames. confidence: (P, V) float32, 0 where not seen.
    video: None where only skeletons were kept.
    """

    info: RecordingInfo
    times_s: NDArray[np.float64]
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    layout: Layout
    video: Path | None

    @property
    def poses(self) -> Poses:
        """Its arrays, without what is known of it."""
        layout, size = self.layout, self.info.size
        return Poses(self.times_s, self.frame, self.person, self.xy_px, self.confidence, layout, size)

    def persons(self) -> tuple[int, ...]:
        """Who is in it, those who are there longest first."""
        names, counts = np.unique(self.person, return_counts=True)
        return tuple(int(name) for name in names[np.argsort(-counts, kind="stable")])

    def subject(self) -> int | None:
        """Whom it is of: who was chosen, where that one is in it, else who is there longest; None if nobody is."""
        persons = self.persons()
        chosen = self.info.track_id
        return chosen if chosen in persons else next(iter(persons), None)


def library_root() -> Path:
    """Where recordings are kept unless the user says otherwise."""
    return user_data_path("actionlens", appauthor=False) / "library"


def new_id(now: datetime | None = None) -> str:
    """A name that no other recording has."""
    return f"{(now or datetime.now(UTC)):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"


def is_id(name: str) -> bool:
    """True for the name of a recording's folder."""
    return _ID.fullmatch(name) is not None


def recordings_folder(root: Path) -> Path:
    """The folder that holds the recordings."""
    return root / "recordings"


def recording_folders(root: Path) -> list[Path]:
    """The folders of finished recordings, oldest first."""
    folder = recordings_folder(root)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if is_id(path.name) and path.is_dir())


def storable(text: str) -> str:
    """What recording.json can hold of a text: no more than fits, and nothing of a file's name that is not Unicode."""
    return text.encode("utf-8", "replace").decode()[:_MAX_TEXT]


def info_to_json(info: RecordingInfo) -> str:
    """The content of recording.json."""
    values = asdict(info)
    if info.track_id is None:
        del values["track_id"]  # as versions that do not know it read it
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def parse_info(text: bytes, where: Path) -> RecordingInfo:
    """Check the content of recording.json. Raises RecordingError."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{where} is not valid JSON; remove the recording or put the file back") from error
    if not isinstance(values, dict):
        raise _damaged(where, "it is not an object")
    version = values.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise _damaged(where, "its version is not a number")
    if version > VERSION:
        raise RecordingError(f"{where} was made by a newer version of ActionLens ({version}); update this one")
    try:
        info = RecordingInfo(**{**values, "size": tuple(values.get("size") or ())})
    except TypeError as error:
        raise _damaged(where, "its keys are not those of a recording") from error
    _check_info(info, where)
    return info


def _check_info(info: RecordingInfo, where: Path) -> None:
    texts = (info.id, info.created, info.source, info.session, info.person, info.action, info.layout)
    if not all(isinstance(text, str) and len(text) <= _MAX_TEXT for text in texts):
        raise _damaged(where, "a text is missing or too long")
    if any(text.encode("utf-8", "replace") != text.encode("utf-8", "surrogatepass") for text in texts):
        raise _damaged(where, "a text is not Unicode")
    if not is_id(info.id):
        raise _damaged(where, "its id is not one")
    if info.layout not in LAYOUTS:
        raise _damaged(where, f"no layout {info.layout[:40]!r}")
    numbers: tuple[Any, ...] = (info.duration_s, info.frames, info.begins_s, *info.size)
    if len(info.size) != 2 or not all(_is_number(n) and 0 <= n <= 1e7 for n in numbers):
        raise _damaged(where, "a number is missing or out of range")
    if info.track_id is not None and (not isinstance(info.track_id, int) or isinstance(info.track_id, bool)):
        raise _damaged(where, "its track_id is not a number")
    if not isinstance(info.skeleton_only, bool) or not isinstance(info.frames, int) or info.frames > MAX_FRAMES:
        raise _damaged(where, "a value is of the wrong kind")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def read_info(folder: Path) -> RecordingInfo:
    """What is known of the recording in a folder. Raises RecordingError."""
    path = folder / INFO_FILE
    return parse_info(_read(path, _MAX_INFO_BYTES), path)


def read_recording(folder: Path) -> Recording:
    """The recording in a folder, without its pictures. Raises RecordingError."""
    info = read_info(folder)
    path = folder / JOINTS_FILE
    arrays = _load(path)
    layout = LAYOUTS[info.layout]
    times_s, frame, person, xy, confidence = (arrays[name] for name in _KINDS)
    count = len(frame) if frame.ndim else 0
    shapes_fit = (
        times_s.ndim == frame.ndim == person.ndim == 1
        and len(person) == count
        and xy.shape == (count, len(layout), 2)
        and confidence.shape == (count, len(layout))
        and len(times_s) == info.frames
    )
    if not shapes_fit:
        raise _damaged(path, "its arrays do not fit each other")
    if not (np.isfinite(times_s).all() and np.isfinite(xy).all() and np.isfinite(confidence).all()):
        raise _damaged(path, "it holds values that are not numbers")
    if len(times_s) and times_s[0] != 0:
        raise _damaged(path, "its times do not begin at 0")
    if (np.diff(times_s) <= 0).any() or (np.diff(frame) < 0).any():
        raise _damaged(path, "its times or frames do not increase")
    if count and not (frame[0] >= 0 and frame[-1] < len(times_s)):
        raise _damaged(path, "its poses belong to frames that are not there")
    if len(np.unique(np.stack([frame, person]), axis=1).T) != count:
        raise _damaged(path, "a person is in a frame twice")
    if count and not (person.min() >= 0 and person.max() <= MAX_NUMBER):
        raise _damaged(path, "a person's number is out of range")
    video = folder / VIDEO_FILE
    has_video = video.is_file() and not video.is_symlink() and not info.skeleton_only
    confidence = np.clip(confidence, 0, 1)
    return Recording(info, times_s, frame, person, xy, confidence, layout, video if has_video else None)


_KINDS = {
    "times_s": np.float64,
    "frame": np.int64,
    "person": np.int64,
    "xy_px": np.float32,
    "confidence": np.float32,
}


def save_joints(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write joints.npz of arrays by the names of Recording. Raises OSError."""
    with path.open("wb") as file:
        np.savez_compressed(file, **{name: arrays[name].astype(kind) for name, kind in _KINDS.items()})  # type: ignore[arg-type]


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        if path.stat().st_size > _MAX_JOINTS_BYTES:
            raise _damaged(path, "it is too large")
        refuse_traps(path, _MAX_JOINTS_BYTES)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in _KINDS}
    except FileNotFoundError as error:
        raise RecordingError(f"{path} is missing; remove the recording or put the file back") from error
    except UNREADABLE as error:
        raise _damaged(path, str(error).splitlines()[0][:120] if str(error) else type(error).__name__) from error
    for name, kind in _KINDS.items():
        if arrays[name].dtype != kind:
            raise _damaged(path, f"{name} is {arrays[name].dtype}, not {np.dtype(kind)}")
    return arrays


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.stat().st_size > limit:
            raise _damaged(path, "it is too large")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RecordingError(f"{path} is missing; this is not a recording") from error
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def _damaged(path: Path, what: str) -> RecordingError:
    return RecordingError(f"{path} is damaged ({what}); remove the recording or put the file back")
