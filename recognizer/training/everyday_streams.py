"""Labelled sequences of poses as rows of the everyday corpus: a row for each labelled stretch of motion."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, convert
from recognizer.datasets import webcam_poses
from recognizer.datasets.clip_files import ClipFile
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence
from recognizer.datasets.webcam_poses import part_of
from recognizer.features import RATE_FPS
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.everyday import ACTIONS, IDLE, OTHER, WEBCAM_POSES, Corpus, merge, read_all
from recognizer.training.filling import filled
from recognizer.window import MAX_POSE_GAP_S, MIN_CONFIDENCE, resample

_UNLISTED = "other:"
_SEATED_IDLE = "other:sit_still"
_SHORTEST_S = 0.4  # of a row: less of a label is no motion to learn from

_PIECE, _SETTLING_S = 100, 1.0  # poses that are resampled at once, and what they may depend on to either side


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A labelled stretch of a run of poses. first, length, lead: in frames of the run."""

    run: int
    first: int
    length: int
    action: str
    kind: str
    part: str
    name: str
    person: str


def read_corpus(folder: Path, clips: Sequence[ClipFile] = (), leave_out: Collection[str] = ()) -> Corpus:
    """The research sets under `folder` and files of clips (read_all), and webcam_poses, where it is there. DataError
    names what is missing.

    leave_out: names of data sets of which nothing is taken; DataError for one that is not there. A sequence that cannot
    be read is told in the log and left out.
    """
    webcams = (folder / WEBCAM_POSES).is_dir()
    found = read_all(folder, clips)
    there = {recording.dataset for recording in found} | ({WEBCAM_POSES} if webcams else set())
    unknown = sorted(set(leave_out) - there)
    if unknown:
        raise DataError(f"no data set {unknown[0]!r} to leave out")
    corpus = merge([recording for recording in found if recording.dataset not in leave_out])
    if not webcams:
        sys.stderr.write(f"{folder} has no {WEBCAM_POSES}: without it a recognizer is wrong about strangers\n")
    if not webcams or WEBCAM_POSES in leave_out:
        return corpus
    return with_sequences(corpus, labelled_sequences(webcam_poses.read(folder / WEBCAM_POSES)))


def action_and_kind(label: str) -> tuple[str, str]:
    """The everyday action of a label, and the name of its kind of motion."""
    if label == _SEATED_IDLE:
        return IDLE, IDLE
    if label.startswith(_UNLISTED) or label not in ACTIONS:
        return OTHER, label.removeprefix(_UNLISTED)
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
    starts = np.cumsum([0, *(len(joints) for joints, _ in runs)]) + len(corpus.joints)
    kind_names = [f"{WEBCAM_POSES}/{row.kind}" for row in rows]
    kinds = (*corpus.kinds, *sorted(set(kind_names)))
    count = len(rows)
    length = np.array([row.length for row in rows], dtype=np.intp)
    return replace(
        corpus,
        joints=np.concatenate([corpus.joints, *(np.pad(joints, [(0, 0), (0, 0), (0, 1)]) for joints, _ in runs)]),
        seen=np.concatenate([corpus.seen, *(seen for _, seen in runs)]),
        first=np.append(corpus.first, [starts[row.run] + row.first for row in rows]),
        length=np.append(corpus.length, length),
        lead=np.append(corpus.lead, [row.first for row in rows]),
        onset=np.append(corpus.onset, np.zeros(count, np.float32)),
        offset=np.append(corpus.offset, (length - 1).astype(np.float32)),
        fps=np.append(corpus.fps, np.full(count, RATE_FPS, np.float32)),
        depth=np.append(corpus.depth, np.zeros(count, dtype=bool)),
        action=np.append(corpus.action, [ACTIONS.index(row.action) for row in rows]),
        kind=np.append(corpus.kind, [kinds.index(name) for name in kind_names]),
        kinds=kinds,
        dataset=np.append(corpus.dataset, np.full(count, WEBCAM_POSES)),
        part=np.append(corpus.part, [row.part for row in rows]),
        name=np.append(corpus.name, [row.name for row in rows]),
        person=np.append(corpus.person, [row.person for row in rows]),
        previous=np.append(corpus.previous, _previous(rows, len(corpus))),
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
        joints, found = _even(times_s[places], xy[places].astype(np.float64), confidence[places].astype(np.float64))
        seen = found >= MIN_CONFIDENCE
        if seen.any():
            yield float(times_s[places[0]]), filled(joints, seen), seen


def _even(
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
        who = sequence.person if sequence.person != "unknown" else f"{sequence.source}/{sequence.name}"
        yield _Row(run, first, length, action, kind, part, f"{sequence.name}@{segment.start_s:g}", who)


def _previous(rows: Sequence[_Row], offset: int) -> NDArray[np.intp]:
    """(R,) the row that ends where a row begins, -1 where what came before has no label."""
    out = np.full(len(rows), -1, dtype=np.intp)
    for place, (one, following) in enumerate(pairwise(rows)):
        if one.run == following.run and following.first - (one.first + one.length) <= 2:
            out[place + 1] = offset + place
    return out
