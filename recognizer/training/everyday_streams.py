"""Labelled sequences of poses as rows of the everyday corpus: a row for each labelled stretch of motion."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, convert
from recognizer.datasets import webcam_poses
from recognizer.datasets.clip_files import ClipFile
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence, LabelledSequence
from recognizer.datasets.webcam_poses import part_of
from recognizer.features import RATE_FPS
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.everyday import (
    ACTIONS,
    IDLE,
    OTHER,
    SIT_STILL,
    UNLISTED,
    WEBCAM_POSES,
    Corpus,
    merge,
    read_all,
    read_clips,
)
from recognizer.training.filling import filled
from recognizer.window import MAX_POSE_GAP_S, MIN_CONFIDENCE, resample

_SHORTEST_S = 0.4  # of a row: shorter labels are not used

_PIECE, _SETTLING_S = 100, 1.0  # poses that are resampled at once, and the context that they get on either side


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A labelled stretch of a run of poses. first, length: in frames of the run."""

    run: int
    first: int
    length: int
    action: str
    kind: str
    part: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class EverydaySets:
    """The data of everyday actions for training, validation and test.

    research: recordings of the data sets. own: of files of clips. webcams: sequences of webcam_poses; none where it is
    not there.
    """

    research: list[ActionSequence]
    own: list[ActionSequence]
    webcams: list[LabelledSequence]

    def corpus(self) -> Corpus:
        """All of it."""
        return with_sequences(merge([*self.research, *self.own]), self.webcams)


def read_sets(folder: Path, clips: Sequence[ClipFile] = (), leave_out: Collection[str] = ()) -> EverydaySets:
    """The research sets under `folder`, files of clips, and webcam_poses, where it is there. DataError names what is
    missing.

    leave_out: names of data sets of which nothing is taken; DataError for one that is not there. A sequence that cannot
    be read is logged and left out.
    """
    webcams = (folder / WEBCAM_POSES).is_dir()
    own = read_clips(clips)
    research = read_all(folder)
    available = {recording.dataset for recording in (*research, *own)} | ({WEBCAM_POSES} if webcams else set())
    unknown = sorted(set(leave_out) - available)
    if unknown:
        raise DataError(f"no data set {unknown[0]!r} to leave out")
    if not webcams:
        sys.stderr.write(
            f"{folder} has no {WEBCAM_POSES}: without it recognizers do poorly on people they have not seen\n"
        )
    research, own = ([each for each in found if each.dataset not in leave_out] for found in (research, own))
    used = webcams and WEBCAM_POSES not in leave_out
    sequences = labelled_sequences(webcam_poses.read(folder / WEBCAM_POSES)) if used else ()
    return EverydaySets(research, own, list(sequences))


def read_corpus(folder: Path, clips: Sequence[ClipFile] = (), leave_out: Collection[str] = ()) -> Corpus:
    """All of read_sets."""
    return read_sets(folder, clips, leave_out).corpus()


def action_and_kind(label: str) -> tuple[str, str]:
    """The everyday action of a label, and the name of its kind of motion."""
    if label == SIT_STILL:
        return IDLE, IDLE
    if label.startswith(UNLISTED) or label not in ACTIONS:
        return OTHER, label.removeprefix(UNLISTED)
    return label, label


def with_sequences(corpus: Corpus, sequences: Iterable[LabelledSequence]) -> Corpus:
    """The corpus with a row for each labelled stretch of the sequences, at 20 poses a second.

    The frames before a row are kept: they lead up to it (Corpus.lead). Time without a label is in no row.
    """
    runs: list[tuple[NDArray[np.float32], NDArray[np.bool_]]] = []
    rows: list[_Row] = []
    for sequence in sequences:
        for start_s, joints, seen in _runs(sequence):
            rows += _rows(sequence, start_s, len(joints), len(runs))
            runs.append((joints, seen))
    if not rows:
        return corpus
    starts = np.cumsum([0, *(len(joints) for joints, _ in runs)])
    kinds = [f"{WEBCAM_POSES}/{row.kind}" for row in rows]
    return corpus.appended(
        [np.pad(joints, [(0, 0), (0, 0), (0, 1)]) for joints, _ in runs],
        [seen for _, seen in runs],
        sorted(set(kinds)),
        first=np.array([starts[row.run] + row.first for row in rows]),
        length=np.array([row.length for row in rows], dtype=np.intp),
        lead=np.array([row.first for row in rows]),
        fps=RATE_FPS,
        depth=False,
        action=[row.action for row in rows],
        kind=kinds,
        dataset=WEBCAM_POSES,
        part=[row.part for row in rows],
        name=[row.name for row in rows],
        previous=_previous(rows, len(corpus)),
    )


def _runs(sequence: LabelledSequence) -> Iterator[tuple[float, NDArray[np.float32], NDArray[np.bool_]]]:
    """Runs of poses without a gap over which a window begins again: start, joints (T, 13, 2) and seen (T, 13).

    One in which no joint is ever seen shows nobody.
    """
    posed = np.flatnonzero(sequence.posed)
    if not len(posed):
        return
    times_s = sequence.times_s[posed]
    xy, confidence = convert(sequence.xy_px[posed], sequence.confidence[posed], sequence.layout, MPOSE_13)
    cuts = np.flatnonzero(np.diff(times_s) > MAX_POSE_GAP_S) + 1
    for places in np.split(np.arange(len(posed)), cuts):
        if times_s[places[-1]] - times_s[places[0]] < _SHORTEST_S:
            continue
        joints, found = _resampled(
            times_s[places], xy[places].astype(np.float64), confidence[places].astype(np.float64)
        )
        seen = found >= MIN_CONFIDENCE
        if seen.any():
            yield float(times_s[places[0]]), filled(joints, seen), seen


def _resampled(
    times_s: NDArray[np.float64], xy: NDArray[np.float64], confidence: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A run at 20 poses a second, piece by piece: the cost of `resample` grows with the square of the length."""
    at_s = np.arange(times_s[0], times_s[-1] + 1e-6, 1 / RATE_FPS)
    pieces = []
    for piece in np.split(at_s, range(_PIECE, len(at_s), _PIECE)):
        near = slice(*np.searchsorted(times_s, (piece[0] - _SETTLING_S, piece[-1] + _SETTLING_S)))
        pieces.append(resample(times_s[near], xy[near], confidence[near], piece, 1 / RATE_FPS))
    return np.concatenate([joints for joints, _ in pieces]), np.concatenate([found for _, found in pieces])


def _rows(sequence: LabelledSequence, start_s: float, frames: int, run: int) -> Iterator[_Row]:
    part = part_of(sequence)
    for segment in sequence.segments:
        first = max(round((segment.start_s - start_s) * RATE_FPS), 0)
        length = min(round((segment.end_s - start_s) * RATE_FPS) + 1, frames) - first
        if length < _SHORTEST_S * RATE_FPS:
            continue
        action, kind = action_and_kind(segment.label)
        yield _Row(run, first, length, action, kind, part, f"{sequence.name}@{segment.start_s:g}")


def _previous(rows: Sequence[_Row], offset: int) -> NDArray[np.intp]:
    """(R,) the row that ends where a row begins, -1 where what came before has no label."""
    out = np.full(len(rows), -1, dtype=np.intp)
    for place, (one, following) in enumerate(pairwise(rows)):
        if one.run == following.run and following.first - (one.first + one.length) <= 2:
            out[place + 1] = offset + place
    return out
