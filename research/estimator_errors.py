"""`estimator-errors`: what this program's pose estimator does to motion, by joint, measured on webcam_poses.

Only sequences of the training people that this program's own estimator made. Lengths are in torsos: the 80th percentile
of the distance between the middles of shoulders and hips, over a sequence.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, convert
from pose.whole_file import write_text
from recognizer.datasets import webcam_poses
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence
from recognizer.training.augment import torso_length
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.everyday import WEBCAM_POSES
from recognizer.window import MIN_CONFIDENCE

OWN_ESTIMATOR = "actionlens"
_AT_REST = ("idle", "other:sit_still")
_SECOND_DIFFERENCE = np.sqrt(6.0)  # its spread for white noise of spread 1
_MAD = 1.4826  # of a normal distribution: spread over median absolute deviation
_MIN_DISTANCE, _SWAP_RATIO = 0.15, 0.5  # torsos between two sides that can be told apart; a swap halves what they moved
_LEAST_FPS = 14.0
_SIDES = [
    (MPOSE_13.index(f"left_{part}"), MPOSE_13.index(f"right_{part}"))
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]


@dataclass(frozen=True, slots=True)
class JointErrors:
    """jitter: spread of the noise of somebody at rest, torsos. hidden: share of the frames without the joint. outside:
    share where it lies outside the picture. hidden_s: median length of a stretch without it. swaps_a_minute: exchanges
    with the other side's joint, which move both less than half as much."""

    joint: str
    jitter: float
    hidden: float
    outside: float
    hidden_s: float
    swaps_a_minute: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `estimator-errors`."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds webcam_poses")
    parser.add_argument("--out", type=Path, default=Path("runs/estimator_errors.json"), metavar="FILE")


def run(options: argparse.Namespace) -> None:
    """Print a line for each joint and write them as JSON."""
    sequences = [
        each
        for each in labelled_sequences(webcam_poses.read(options.data / WEBCAM_POSES))
        if each.estimator == OWN_ESTIMATOR and webcam_poses.part_of(each) == "train" and _fps(each) >= _LEAST_FPS
    ]
    if not sequences:
        raise DataError(
            f"{options.data / WEBCAM_POSES} shows no training person by this program's own estimator; check it"
        )
    errors = measure(sequences)
    minutes = sum(each.times_s[-1] - each.times_s[0] for each in sequences) / 60
    sys.stdout.write(f"{len(sequences)} sequences, {minutes:.1f} minutes\n" + as_text(errors))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(options.out, json.dumps([asdict(each) for each in errors], indent=1) + "\n")


def measure(sequences: Iterable[LabelledSequence]) -> list[JointErrors]:
    """The errors of each joint of MPOSE_13 over all sequences."""
    parts = [_SequenceErrors.of(sequence) for sequence in sequences]
    swaps = np.sum([part.swaps for part in parts], axis=0) / (sum(part.seconds for part in parts) / 60)
    return [
        JointErrors(
            joint,
            _median(np.concatenate([part.noise[place] for part in parts])) * _MAD,
            float(np.concatenate([part.hidden[:, place] for part in parts]).mean()),
            float(np.concatenate([part.outside[:, place] for part in parts]).mean()),
            _median(np.concatenate([part.hidden_s[place] for part in parts])),
            float(swaps[place]),
        )
        for place, joint in enumerate(MPOSE_13.joints)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _SequenceErrors:
    """Measured on one sequence. noise: (K,) absolute second differences at rest, by joint. hidden, outside: (T, 13).
    hidden_s: lengths of stretches, by joint. swaps: (13,)."""

    noise: list[NDArray[np.float64]]
    hidden: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    hidden_s: list[NDArray[np.float64]]
    swaps: NDArray[np.float64]
    seconds: float

    @staticmethod
    def of(sequence: LabelledSequence) -> "_SequenceErrors":
        posed = sequence.posed
        xy, confidence = convert(sequence.xy_px[posed], sequence.confidence[posed], sequence.layout, MPOSE_13)
        times_s = sequence.times_s[posed]
        seen = confidence >= MIN_CONFIDENCE
        outside = np.any((xy < 0) | (xy >= sequence.size), axis=-1)
        xy = xy / torso_length(xy[None])[0]
        return _SequenceErrors(
            _noise(xy, seen, times_s, sequence),
            ~seen,
            outside,
            [_gap_lengths(~seen[:, joint], times_s) for joint in range(len(MPOSE_13.joints))],
            _swaps(xy, seen),
            float(times_s[-1] - times_s[0]),
        )


def _noise(
    xy: NDArray[np.float32], seen: NDArray[np.bool_], times_s: NDArray[np.float64], sequence: LabelledSequence
) -> list[NDArray[np.float64]]:
    at_rest = np.zeros(len(xy), bool)
    for segment in sequence.segments:
        if segment.label in _AT_REST:
            at_rest |= (times_s >= segment.start_s) & (times_s <= segment.end_s)
    second = np.abs(xy[2:] - 2 * xy[1:-1] + xy[:-2]) / _SECOND_DIFFERENCE
    usable = seen[2:] & seen[1:-1] & seen[:-2] & (at_rest[2:] & at_rest[1:-1] & at_rest[:-2])[:, None]
    return [second[usable[:, joint], joint].ravel().astype(np.float64) for joint in range(xy.shape[1])]


def _gap_lengths(missing: NDArray[np.bool_], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    step_s = float(np.median(np.diff(times_s)))
    return np.array(
        [len(list(group)) * step_s for is_missing, group in groupby(missing.tolist()) if is_missing], dtype=np.float64
    )


def _swaps(xy: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Number of frames, by joint, in which a left and a right joint lie where the other one was."""
    counts = np.zeros(xy.shape[1])
    for left, right in _SIDES:
        both = (seen[:, left] & seen[:, right])[1:] & (seen[:, left] & seen[:, right])[:-1]
        apart = np.linalg.norm(xy[1:, left] - xy[1:, right], axis=-1) > _MIN_DISTANCE
        kept, crossed = (_movement(xy, left, right, swapped) for swapped in (False, True))
        counts[[left, right]] = (both & apart & (crossed < _SWAP_RATIO * kept)).sum()
    return counts


def _movement(xy: NDArray[np.float32], left: int, right: int, swapped: bool) -> NDArray[np.float64]:
    """Distance that two joints move together from frame to frame; swapped: as if they changed places."""
    moved = np.zeros(len(xy) - 1)
    for now, before in ((left, right), (right, left)) if swapped else ((left, left), (right, right)):
        moved += np.linalg.norm(xy[1:, now] - xy[:-1, before], axis=-1)
    return moved


def _fps(sequence: LabelledSequence) -> float:
    return (len(sequence.times_s) - 1) / float(sequence.times_s[-1] - sequence.times_s[0])


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else 0.0


def as_text(errors: Sequence[JointErrors]) -> str:
    """A line for each joint."""
    rows = [
        f"{e.joint:16} {e.jitter:.4f}  {e.hidden:6.1%}  {e.outside:6.1%}  {e.hidden_s:6.2f}  {e.swaps_a_minute:5.2f}"
        for e in errors
    ]
    return "\n".join([f"{'joint':16} jitter  hidden  outside  for s  swaps/min", *rows]) + "\n"
