"""A user's own recordings, without labels, to pretrain on.

A library is a folder `recordings` with a folder for each recording, in which joints.npz holds: times_s (F,) float64 of
the frames, growing; frame (P,) int64, the place of each pose's frame; person (P,) int64; xy_px (P, V, 2) float32 pixels
of the unmirrored picture; confidence (P, V) float32, 0 where a joint was not seen. recording.json names the layout.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import LAYOUTS, MPOSE_13, Layout
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import read_each
from recognizer.datasets.recorded import load_joints
from recognizer.features import RATE_FPS
from recognizer.plain_arrays import UNREADABLE
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import trunk_seen
from recognizer.teaching.windows import Shape, resampled
from recognizer.training.batches import FRAMES
from recognizer.training.dataset_sequences import log_errors
from recognizer.training.everyday import OTHER, Corpus

OWN = "recordings"  # in place of the data set's name

_GAP_S = 0.5  # from which on a person who was away is a new track
_SHORTEST_S = 1.0
_BODY = [MPOSE_13.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A person without a gap. joints: (T, 13, 2) pixels, those not seen filled in. seen: (T, 13)."""

    name: str
    joints: NDArray[np.float32]
    seen: NDArray[np.bool_]
    fps: float


def read_library(library: Path) -> list[Track]:
    """The tracks of all people in all recordings; what cannot be read is logged and left out. DataError where there is
    no usable track."""
    folder = library / "recordings" if (library / "recordings").is_dir() else library
    files = sorted(folder.glob("[!.]*/joints.npz"))
    if not files:
        raise DataError(f"no recordings in {library}; give the folder of a library")
    tracks = [track for of_file in log_errors(read_each(files, _read_tracks)) for track in of_file]
    if not tracks:
        raise DataError(f"no recording in {library} shows shoulders and hips for {_SHORTEST_S:g} s; record more")
    return tracks


def with_recordings(corpus: Corpus, tracks: Sequence[Track]) -> Corpus:
    """The corpus and the tracks, as training recordings of the set OWN."""
    length = np.array([len(track.joints) for track in tracks], dtype=np.intp)
    kind = f"{OWN}/{OTHER}"
    return corpus.appended(
        [np.pad(track.joints, [(0, 0), (0, 0), (0, 1)]) for track in tracks],
        [track.seen for track in tracks],
        [kind],
        first=np.cumsum(length) - length,
        length=length,
        lead=0,
        fps=np.array([track.fps for track in tracks], dtype=np.float32),
        depth=False,
        action=[OTHER] * len(tracks),
        kind=[kind] * len(tracks),
        dataset=OWN,
        part="train",
        name=[track.name for track in tracks],
    )


def _read_tracks(file: Path) -> list[Track]:
    try:
        return list(_tracks(file))
    except UNREADABLE as error:
        raise DataError(f"{file} cannot be read ({' '.join(str(error).split())[:120]}), skipped") from error


def _tracks(file: Path) -> Iterator[Track]:
    arrays, layout = load_joints(file), _layout(file.with_name("recording.json"))
    times_s, frame = arrays["times_s"], arrays["frame"]
    for person in np.unique(arrays["person"]):
        mine = np.flatnonzero(arrays["person"] == person)
        mine = mine[np.unique(frame[mine], return_index=True)[1]]
        cuts = np.flatnonzero(np.diff(times_s[frame[mine]]) > _GAP_S) + 1
        for number, part in enumerate(np.split(mine, cuts)):
            at_s = times_s[frame[part]]
            if len(part) > 1 and at_s[-1] - at_s[0] >= _SHORTEST_S:
                name = f"{file.parent.name}/{person}/{number}"
                xy, confidence = arrays["xy_px"][part], arrays["confidence"][part]
                track = _track(Example(name, OTHER, None, None, at_s, xy, confidence, layout))
                if track is not None:
                    yield track


def _track(example: Example) -> Track | None:
    """Resampled to even times; None where the trunk is not seen in half of it."""
    even = resampled(example, Shape(FRAMES, RATE_FPS, MPOSE_13))
    seen: NDArray[np.bool_] = even.confidence > 0
    if not trunk_seen(even.confidence, MPOSE_13) or not seen[:, _BODY].any(axis=0).all():
        return None
    joints = filled(even.xy, seen)
    hips = joints[:, _BODY[1::2]].mean(axis=1)
    never = np.flatnonzero(~seen.any(axis=0))
    joints[:, never] = hips[:, None]
    return Track(example.name, joints, seen, 1 / even.step_s)


def filled(joints: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Joints (T, V, C) that are missing at times, on the straight way between where they were seen (T, V)."""
    out, frames = joints.copy(), np.arange(len(joints))
    for joint in np.flatnonzero(seen.any(axis=0) & ~seen.all(axis=0)):
        there = seen[:, joint]
        for channel in range(joints.shape[-1]):
            out[~there, joint, channel] = np.interp(frames[~there], frames[there], joints[there, joint, channel])
    return out


def _layout(file: Path) -> Layout:
    name = json.loads(file.read_text(encoding="utf-8"))["layout"]
    if name not in LAYOUTS:
        raise ValueError(f"layout {name!r} is not known")
    return LAYOUTS[name]
