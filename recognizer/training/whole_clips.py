"""Recordings as arrays with a row for each whole clip, resampled to one length."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout, convert
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Normalise = Literal["none", "first", "frame"]

_MIN_TORSO = 0.2  # of the clip's extent: a torso seen end-on is no measure of the body


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """What the rows hold, of the first person of a clip.

    layout: joints to convert to; None keeps the set's own.
    normalise: "first" or "frame" puts the origin into the middle of the hips in the first frame that shows them, or in
        each frame, and measures in torsos (median over the clip); "none" leaves the set's units.
    score, seen: further channels, in this order after the places. The score is the pose estimator's, or 1 and 0 for
        seen and not; seen is 1 and 0, too.
    """

    layout: Layout | None = None
    normalise: Normalise = "frame"
    score: bool = False
    seen: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class WholeClips:
    """Clips of one layout and dimension.

    x: (N, T, V, C) float32, 0 where a joint is missing. labels: (N,) places in `actions`. train, test: (N,) after the
    set's protocol. subjects: (N,) numbers of the people, -1 where they are not told apart.
    """

    x: Array
    labels: NDArray[np.intp]
    actions: tuple[str, ...]
    layout: Layout
    train: Mask
    test: Mask
    subjects: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.x)


def whole_clips(
    recordings: Iterable[ActionSequence],
    frames: int = 30,
    options: ClipOptions | None = None,
    actions: Sequence[str] | None = None,
) -> WholeClips:
    """Every recording resampled in time to `frames`, linearly, first and last frame kept.

    actions: the list that labels are places in; by default the sorted actions of the recordings. DataError when there
    is no recording or they do not fit each other: several layouts, 2D with 3D, an action that is not listed.
    """
    if frames < 1:
        raise ValueError("a clip needs a frame")
    recordings, options = list(recordings), options or ClipOptions()
    tracks = [_resampled(track, frames) for track in _tracks(recordings, options)]
    return _clips(recordings, tracks, options, actions)


def stratified(
    rows: NDArray[np.intp], labels: list[str] | NDArray[np.integer], share: float, seed: int
) -> tuple[Rows, Rows]:
    """A stratified split of rows: training rows and the held-out share. DataError where an action has too few clips."""
    from sklearn.model_selection import train_test_split  # takes a second to import

    try:
        train, test = train_test_split(rows, test_size=share, random_state=seed, stratify=labels)
    except ValueError as error:
        raise DataError(f"too few clips to hold some of each action out ({error}); check the data folder") from error
    return np.sort(train), np.sort(test)


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """The person of a clip, or those of N of them: xyz (..., T, V, D), there, score and seen (..., T, V)."""

    xyz: Array
    there: Mask
    score: Array
    seen: Array


def _tracks(recordings: Sequence[ActionSequence], options: ClipOptions) -> list[_Track]:
    if not recordings:
        raise DataError("no recordings to make clips of; check the folder, the split and the actions")
    if options.normalise not in get_args(Normalise):
        raise ValueError(f"unknown normalise {options.normalise!r}; known are {', '.join(get_args(Normalise))}")
    first = recordings[0]
    for recording in recordings:
        if recording.layout != first.layout or recording.joints.shape[-1] != first.joints.shape[-1]:
            kinds = [f"{r.dataset}/{r.name} ({r.layout.name}, {r.joints.shape[-1]}D)" for r in (recording, first)]
            raise DataError(f"{kinds[0]} and {kinds[1]} do not fit each other; convert or project them first")
    return [_track(recording, options) for recording in recordings]


def _track(recording: ActionSequence, options: ClipOptions) -> _Track:
    xyz, seen = recording.joints, recording.seen.astype(np.float32)
    # A joint that was not seen but has a place, filled in by the reader, is better than none.
    there: Mask = recording.seen | np.any(xyz != 0, axis=-1)
    score = seen if recording.score is None else recording.score
    if options.layout is not None and options.layout != recording.layout:
        xyz, made = convert(xyz, there.astype(np.float32), recording.layout, options.layout)
        nowhere = np.zeros((*score.shape, 2), np.float32)
        score, seen = (convert(nowhere, each, recording.layout, options.layout)[1] for each in (score, seen))
        there = made > 0
    return _Track(np.where(there[..., None], xyz, np.float32(0)), there, score, seen)


def _resampled(track: _Track, frames: int) -> _Track:
    """Linear in time between the frames that have a joint; a joint is there where the nearer of the two has it."""
    last = len(track.xyz) - 1
    place = np.linspace(0, last, frames)
    before = np.minimum(place.astype(np.intp), max(last - 1, 0))
    after = np.minimum(before + 1, last)
    late = (place - before).astype(np.float32)[:, None]
    weight_before, weight_after = (1 - late) * track.there[before], late * track.there[after]
    total = weight_before + weight_after
    there = total >= 0.5
    share = np.where(total > 0, weight_after / np.where(total > 0, total, 1), 0)[..., None]
    xyz = (1 - share) * track.xyz[before] + share * track.xyz[after]
    score, seen = (
        ((1 - late) * each[before] + late * each[after]).astype(np.float32) for each in (track.score, track.seen)
    )
    return _Track(np.where(there[..., None], xyz, 0).astype(np.float32), there, score, seen)


def _clips(
    recordings: Sequence[ActionSequence],
    tracks: Sequence[_Track],
    options: ClipOptions,
    actions: Sequence[str] | None,
) -> WholeClips:
    names = tuple(actions) if actions is not None else tuple(sorted({r.action for r in recordings}))
    for recording in recordings:
        if recording.action not in names:
            raise DataError(f"{recording.dataset}/{recording.name} shows {recording.action}, which is not listed")
    layout = options.layout or recordings[0].layout
    each = ((t.xyz, t.there, t.score, t.seen) for t in tracks)
    all_tracks = _Track(*(np.stack(parts) for parts in zip(*each, strict=True)))
    test = np.array([recording.test for recording in recordings])
    return WholeClips(
        x=_channels(all_tracks, layout, options),
        labels=np.array([names.index(recording.action) for recording in recordings], dtype=np.intp),
        actions=names,
        layout=layout,
        train=~test,
        test=test,
        subjects=np.array([-1 if r.subject is None else r.subject for r in recordings], dtype=np.intp),
    )


def _channels(tracks: _Track, layout: Layout, options: ClipOptions) -> Array:
    """(N, T, V, C) the channels that the options ask for."""
    xyz, there = tracks.xyz, tracks.there[..., None]
    origin = np.zeros((1, 1, 1, 1), dtype=np.float32)
    if options.normalise != "none":
        hips, found = _middle(tracks, layout, "hip")
        scale = _torso(tracks, layout)[:, None, None, None]
        xyz = xyz / scale
        origin = (_carried_forward(hips, found, options.normalise) / scale[:, 0])[:, :, None]
    channels = [np.where(there, xyz - origin, 0)]
    if options.score:
        channels.append(tracks.score[..., None])
    if options.seen:
        channels.append(tracks.seen[..., None])
    return np.concatenate(channels, axis=-1).astype(np.float32)


def _middle(tracks: _Track, layout: Layout, part: str) -> tuple[Array, Mask]:
    """(N, T, D) the middle of the hips or shoulders, and (N, T) where both are there."""
    sides = [layout.index(f"{side}_{part}") for side in ("left", "right")]
    found: Mask = np.all(tracks.there[:, :, sides], axis=2)
    return tracks.xyz[:, :, sides].mean(axis=2), found


def _carried_forward(places: Array, found: Mask, normalise: Normalise) -> Array:
    """(N, T, D) the place of each frame (where it has none, of the one before), or of the first frame that has one."""
    first = np.argmax(found, axis=1)[:, None]
    if normalise == "first":
        latest = np.repeat(first, found.shape[1], axis=1)
    else:
        latest = np.maximum.accumulate(np.where(found, np.arange(found.shape[1]), first), axis=1)
    return np.take_along_axis(places, latest[..., None], axis=1)


def _torso(tracks: _Track, layout: Layout) -> Array:
    """(N,) the median distance between hips and shoulders, never 0."""
    hips, with_hips = _middle(tracks, layout, "hip")
    shoulders, with_shoulders = _middle(tracks, layout, "shoulder")
    length = np.linalg.norm(shoulders - hips, axis=-1)
    scale = np.ones(len(length), dtype=np.float32)
    for row, both in enumerate(with_hips & with_shoulders):
        joints = tracks.xyz[row][tracks.there[row]]
        extent = float(np.ptp(joints, axis=0).max()) if len(joints) else 0.0
        torso = float(np.median(length[row, both])) if both.any() else 0.0
        scale[row] = max(torso, _MIN_TORSO * extent) or 1.0
    return scale
