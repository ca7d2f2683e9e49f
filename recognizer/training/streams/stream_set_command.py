"""The command stream-set: labelled sequences for the stream benchmark, made of the research data.

Sets in three dimensions (UTD-MHAD, MSR Action3D, NW-UCLA): whole recordings of one person, listed and unlisted ones
mixed, are joined by streams.joins and seen by one fixed camera. Sets in two dimensions (Penn Action,
JHMDB) have pictures and no places: each recording is a sequence of its own, with its first and its last pose held,
without a label. Further sets of everyday actions, where they are there, are treated in the same way. The folder has the
layout of webcam_poses; the labels are everyday actions and `other:KIND`. The same data and seed give the same files.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pose.number_arguments import seed
from pose.skeleton import MPOSE_13
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence, LabelledSequence, Segment
from recognizer.datasets.webcam_poses import INDEX, SEQUENCES
from recognizer.training import augment, everyday, views
from recognizer.training.data_argument import add_data
from recognizer.training.streams.joins import (
    FPS,
    SIT_DOWN,
    STAND_UP,
    WALK,
    ActionRecording,
    Timeline,
    join,
    prepare_recording,
    standing_pose,
)

Array = NDArray[np.float32]

SIZE = (640, 480)

_RECORDINGS = 8  # in a sequence
_FOCAL_PX = 560.0  # 60 degrees across the picture
_YAW_DEG, _PITCH_DEG, _DISTANCE_M = (-25.0, 25.0), (-8.0, 12.0), (2.8, 4.2)
_HIPS_UP_M = 0.95
_JITTER_PX = 0.7
_CONFIDENCE = 0.9
_TRUNK = [MPOSE_13.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
_MARGIN = 0.85  # of the picture that a recording in two dimensions fills
_HOLD_S = (1.7, 0.8)  # of its first and last pose; the first fills the window
_COLUMNS = (
    *("name", "source", "person", "seconds", "fps", "layout", "estimator", "action", "segments", "half_body"),
    *("terms", "note"),
)


def add_stream_set(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder that is not there yet")
    add_data(parser)
    parser.add_argument("--part", choices=("validation", "test"), default="validation", help="whose recordings")
    parser.add_argument("--seed", type=seed, default=0)


def run_stream_set(options: argparse.Namespace) -> None:
    """Write the folder, whole or not at all."""
    if options.out.exists():
        raise DataError(f"{options.out} is there already; give a folder that is not, or move it away")
    read = everyday.read_all(options.data)
    recordings = [recording for recording in read if everyday.part_of(recording) == options.part]
    sequences = list(make(recordings, options.seed))
    write(options.out, sequences)
    minutes = sum(float(sequence.times_s[-1]) for sequence in sequences) / 60
    sys.stdout.write(f"{options.out}: {len(sequences)} sequences, {minutes:.1f} minutes\n")


def make(recordings: Sequence[ActionSequence], seed: int) -> Iterator[LabelledSequence]:
    """The sequences of these recordings, person by person in order of data set and number."""
    corpus = everyday.merge(recordings)
    people: dict[tuple[str, str], list[int]] = {}
    for row, recording in enumerate(recordings):
        who = recording.name if recording.subject is None else f"{recording.subject:02d}"
        people.setdefault((recording.dataset, who), []).append(row)
    for (dataset, who), rows in sorted(people.items()):
        person = f"{dataset}-{who}"
        rng = np.random.default_rng([seed, crc32(person.encode())])
        labels = [_label(recordings[row]) for row in rows]
        frames = [slice(corpus.first[row], corpus.first[row] + corpus.length[row]) for row in rows]
        if corpus.depth[rows[0]]:
            prepared = [
                prepare_recording(corpus.joints[span], float(corpus.fps[row]), label)
                for row, span, label in zip(rows, frames, labels, strict=True)
            ]
            yield from _person_sequences(dataset, person, prepared, rng)
        else:
            for number, (row, span, label) in enumerate(zip(rows, frames, labels, strict=True)):
                name = f"{person}-{number:02d}" if number else person
                flat, fps = corpus.joints[span, :, :2], float(corpus.fps[row])
                yield _padded(dataset, person, name, flat, corpus.seen[span], fps, label)


def write(folder: Path, sequences: Sequence[LabelledSequence]) -> None:
    """Sequences as a folder that webcam_poses reads. Raises DataError where it cannot be written."""
    temporary = folder.with_name(f".{os.getpid()}.{folder.name}")  # two processes may write one folder
    try:
        (temporary / SEQUENCES).mkdir(parents=True)
        lines = ["\t".join(_COLUMNS)]
        for sequence in sequences:
            _save(temporary / SEQUENCES / f"{sequence.name}.npz", sequence)
            lines.append("\t".join(_row(sequence)))
        (temporary / INDEX).write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.replace(temporary, folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}); give a folder in one of yours") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _label(recording: ActionSequence) -> str:
    action = everyday.action_of(recording)
    return f"{everyday.UNLISTED}{recording.action}" if action == everyday.OTHER else action


def _person_sequences(
    dataset: str, person: str, recordings: Sequence[ActionRecording], rng: np.random.Generator
) -> Iterator[LabelledSequence]:
    standing = standing_pose(recordings)
    walks = [recording for recording in recordings if recording.label == WALK]
    units = _shuffled(recordings, rng)
    for number, first in enumerate(range(0, len(units), _RECORDINGS)):
        chosen = [recording for unit in units[first : first + _RECORDINGS] for recording in unit]
        yield _filmed(dataset, person, f"{person}-{number:02d}", join(chosen, walks, standing, rng), rng)


def _shuffled(recordings: Sequence[ActionRecording], rng: np.random.Generator) -> list[tuple[ActionRecording, ...]]:
    """Recordings in random order, but standing up follows sitting down, as far as there are recordings of both."""
    order = [recordings[place] for place in rng.permutation(len(recordings))]
    down = [recording for recording in order if recording.label == SIT_DOWN]
    up = [recording for recording in order if recording.label == STAND_UP]
    pairs = [tuple(r for r in pair if r is not None) for pair in zip_longest(down, up)]
    units = [*((r,) for r in order if r.label not in (SIT_DOWN, STAND_UP)), *pairs]
    return [units[place] for place in rng.permutation(len(units))]


def _filmed(dataset: str, person: str, name: str, timeline: Timeline, rng: np.random.Generator) -> LabelledSequence:
    """What a camera at a random place, looking at the middle of the room, sees of a timeline."""
    joints = np.concatenate(timeline.parts)
    yaw, pitch, distance = (float(rng.uniform(*limits)) for limits in (_YAW_DEG, _PITCH_DEG, _DISTANCE_M))
    pivot = np.array([0, -_HIPS_UP_M, 0], np.float32)
    flat = views.project(joints, pivot, yaw, pitch, distance)
    xy_px: Array = (flat * (_FOCAL_PX / distance) + np.array(SIZE) / 2).astype(np.float32)
    xy_px += rng.standard_normal(xy_px.shape, dtype=np.float32) * np.float32(_JITTER_PX)
    inside: NDArray[np.bool_] = np.all((xy_px >= 0) & (xy_px < SIZE), axis=-1)
    for first, last in timeline.absent:
        inside[first:last] = False
    posed: NDArray[np.bool_] = np.any(inside[:, _TRUNK], axis=-1)
    segments = [
        Segment(segment.start_s, float(seen[-1]) / FPS, segment.label)
        for segment in timeline.segments
        if len(seen := _frames_of(segment)[posed[_frames_of(segment)]]) > FPS / 3
    ]
    return _sequence(dataset, person, name, "kinect", xy_px, inside & posed[:, None], FPS, segments)


def _frames_of(segment: Segment) -> NDArray[np.intp]:
    return np.arange(round(segment.start_s * FPS), round(segment.end_s * FPS) + 1)


def _padded(
    dataset: str, person: str, name: str, joints: Array, seen: NDArray[np.bool_], fps: float, label: str
) -> LabelledSequence:
    """A recording in two dimensions in the middle of the picture, its first and last pose held."""
    before, after = (round(seconds * fps) for seconds in _HOLD_S)
    low, high = (edge(joints[seen], axis=0) for edge in (np.min, np.max))
    scale = float((_MARGIN * np.array(SIZE) / np.maximum(high - low, 1e-6)).min())
    xy_px = (joints - (low + high) / 2) * np.float32(scale) + np.array(SIZE, np.float32) / 2
    hold = ((before, after), (0, 0), (0, 0))
    still = augment.smooth_noise((1, before + len(joints) + after, len(MPOSE_13), 2), np.random.default_rng(0))[0]
    xy_px = np.pad(xy_px, hold, mode="edge") + still
    segment = Segment(before / fps, (before + len(joints) - 1) / fps, label)
    return _sequence(dataset, person, name, "annotated", xy_px, np.pad(seen, hold[:2], mode="edge"), fps, [segment])


def _sequence(
    dataset: str,
    person: str,
    name: str,
    estimator: str,
    xy_px: Array,
    seen: NDArray[np.bool_],
    fps: float,
    segments: Sequence[Segment],
) -> LabelledSequence:
    posed: NDArray[np.bool_] = np.any(seen, axis=-1)
    return LabelledSequence(
        name=name,
        source=dataset,
        person=person,
        times_s=np.arange(len(xy_px)) / fps,
        xy_px=np.where(posed[:, None, None], xy_px, 0).astype(np.float32),
        confidence=np.where(seen, np.float32(_CONFIDENCE), np.float32(0)),
        layout=MPOSE_13,
        size=SIZE,
        segments=tuple(segments),
        estimator=estimator,
        terms="research use; see the data set",
        note="made of research recordings",
    )


def _save(file: Path, sequence: LabelledSequence) -> None:
    np.savez_compressed(
        file,
        times_s=sequence.times_s.astype(np.float32),
        xy8=np.clip(np.round(sequence.xy_px * 8), -(2**15), 2**15 - 1).astype(np.int16),
        conf=np.round(sequence.confidence * 255).astype(np.uint8),
        size=np.array(sequence.size, np.int32),
        layout=np.array(sequence.layout.name),
    )


def _row(sequence: LabelledSequence) -> list[str]:
    seconds = float(sequence.times_s[-1])
    segments = [[round(start_s, 3), round(end_s, 3), label] for start_s, end_s, label in sequence.segments]
    parts = (("left_hip", "right_hip"), ("left_knee", "right_knee"))
    whole = np.all([sequence.confidence[:, [MPOSE_13.index(j) for j in pair]].all(axis=-1) for pair in parts], axis=0)
    return [
        *(sequence.name, sequence.source, sequence.person, f"{seconds:.2f}", f"{(len(whole) - 1) / seconds:.1f}"),
        *(sequence.layout.name, sequence.estimator, "", json.dumps(segments), f"{whole.mean():.2f}"),
        *(sequence.terms, sequence.note),
    ]
