"""The command repetitions: accuracy of repetition counts on clips that were counted by eye.

Counting works as in the live program, pose by pose. "Action given": the counter knows the true action, so only the
counting is evaluated. "Live": a recognizer predicts the action, whole sequences are streamed, and time without any
counted action must give no count.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from pose.types import Pose
from recognizer.datasets import penn_action, webcam_poses
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import LabelledSequence
from recognizer.decision import Decision
from recognizer.live import LiveRecognition
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.repetition_counter import UNCOUNTED, Repetition, RepetitionCounter
from recognizer.training.dataset_sequences import action_sequences, labelled_sequences

COLUMNS = ("set", "name", "person", "action", "start_s", "end_s", "count", "half")
HALVES = ("tune", "test", "all")
_STEP_S = 0.1  # between two decisions, as live
_LIVE_FROM_S = 4.0  # a shorter clip ends about when its action is first shown
_LATE_S = 0.7  # a repetition at the very end may be reported this much later


@dataclass(frozen=True, slots=True)
class CountedClip:
    """A line of the table of counts: times in seconds of the sequence, None for all of it."""

    dataset: str
    name: str
    action: str
    start_s: float | None
    end_s: float | None
    count: int
    half: str


@dataclass(frozen=True, slots=True, eq=False)
class _Poses:
    times_s: NDArray[np.float64]
    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    layout: Layout

    def __iter__(self) -> Iterator[Pose]:
        for place, time_s in enumerate(self.times_s.tolist()):
            if np.any(self.xy_px[place]):
                yield Pose(self.xy_px[place], self.confidence[place], self.layout, time_s)


@dataclass(frozen=True, slots=True)
class CountResult:
    """A clip, which has the true count, and the count that was found."""

    clip: CountedClip
    found: int

    @property
    def error(self) -> int:
        """Absolute error of the count."""
        return abs(self.found - self.clip.count)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds webcam_poses and penn_action")
    parser.add_argument(
        "--counts", type=Path, default=Path("docs/repetitions.csv"), help="the table of counts taken by eye"
    )
    parser.add_argument("--half", choices=HALVES, default="test", help="of the people (default test)")
    parser.add_argument("--model", metavar="NAME|DIR", help="also stream whole sequences through this recognizer")
    parser.add_argument("--each", action="store_true", help="list the clips with another count than the eye's")


def run(options: argparse.Namespace) -> int:
    """Print the figures."""
    clips = [clip for clip in read_counts(options.counts) if options.half in (clip.half, "all")]
    model = None if options.model is None else find_model(options.model)  # refused before the clips are read
    found = labelled_sequences(webcam_poses.read(options.folder / webcam_poses.NAME))
    sequences = {sequence.name: sequence for sequence in found}
    poses = _poses_of(clips, sequences, options.folder)
    results = [CountResult(clip, count_repetitions(poses[clip], clip)) for clip in clips]
    sys.stdout.write(f"action given, {options.half} people\n")
    for name, part in (("all", results), *_by_set(results)):
        sys.stdout.write(f"  {name:<14}{summary_line(part)}\n")
    if options.each:
        sys.stdout.writelines(_miscounted_lines(results))
    if model is not None:
        recognizer = OnnxRecognizer(model, "cpu")
        try:
            _run_live(clips, sequences, recognizer, each=options.each, half=options.half)
        finally:
            recognizer.close()
    return 0


def read_counts(table: Path) -> tuple[CountedClip, ...]:
    """The clips of a table; DataError where it is not one."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise KeyError("a column is missing")
            return tuple(_counted_clip(row) for row in rows)
    except OSError as error:
        raise DataError(f"{table} cannot be read ({error.strerror}); name the table of counts with --counts") from error
    except (KeyError, ValueError, csv.Error) as error:
        raise DataError(f"{table} is not a table with the columns {', '.join(COLUMNS)}; correct it") from error


def _counted_clip(row: Mapping[str, str | None]) -> CountedClip:
    """Raises KeyError or ValueError."""
    texts = {name: row[name] or "" for name in COLUMNS}  # a short row has None
    if texts["half"] not in HALVES[:2]:
        raise ValueError(f"no half {texts['half']!r}")
    start_s, end_s = (float(texts[name]) if texts[name] else None for name in ("start_s", "end_s"))
    return CountedClip(texts["set"], texts["name"], texts["action"], start_s, end_s, int(texts["count"]), texts["half"])


def count_repetitions(poses: Iterable[Pose], clip: CountedClip) -> int:
    """The count of the live counter when it is given the true action from the start."""
    counter, found, start_s, due_s, last_s = RepetitionCounter(0), 0, None, 0.0, 0.0
    for pose in poses:
        start_s = pose.time_s if start_s is None else start_s
        counter.push(pose)
        last_s = pose.time_s
        if pose.time_s >= due_s:
            due_s = pose.time_s + _STEP_S
            found += len(counter.update(Decision(0, pose.time_s, clip.action, 1.0, start_s)))
    return found + len(counter.finish(clip.action, last_s)[0])


def summary_line(results: Sequence[CountResult]) -> str:
    """Mean error as a share of the count (of clips with one), within one, exact."""
    if not results:
        return "no clips"
    shares = [c.error / c.clip.count for c in results if c.clip.count]
    share = f"{np.mean(shares):.3f}" if shares else "-"
    near, exact = (np.mean([c.error <= most for c in results]) for most in (1, 0))
    return f"{len(results):4d} clips, error {share}, within one {near:.1%}, exact {exact:.1%}"


def _by_set(results: Sequence[CountResult]) -> list[tuple[str, list[CountResult]]]:
    several = [c for c in results if c.clip.count > 1]
    sets = sorted({c.clip.dataset for c in results})
    return [*((name, [c for c in results if c.clip.dataset == name]) for name in sets), ("two or more", several)]


def _miscounted_lines(results: Iterable[CountResult]) -> list[str]:
    return [f"    {c.clip.name} {c.clip.action}: {c.clip.count}, found {c.found}\n" for c in results if c.error]


def _poses_of(
    clips: Sequence[CountedClip], sequences: dict[str, LabelledSequence], folder: Path
) -> dict[CountedClip, _Poses]:
    wanted = {clip.name for clip in clips if clip.dataset == penn_action.NAME}
    found: dict[str, _Poses] = {}
    for recording in action_sequences(penn_action.read(folder / penn_action.NAME)) if wanted else ():
        if recording.name in wanted:
            times_s = np.arange(len(recording.joints)) / recording.fps
            found[recording.name] = _Poses(
                times_s, recording.joints, recording.seen.astype(np.float32), recording.layout
            )
    poses = {}
    for clip in clips:
        if clip.dataset == penn_action.NAME and clip.name in found:
            poses[clip] = found[clip.name]
        elif clip.name in sequences:
            poses[clip] = _clip_poses(sequences[clip.name], clip)
        else:
            raise DataError(f"{folder} has no {clip.dataset} sequence {clip.name}; give the folder of the data sets")
    return poses


def _clip_poses(sequence: LabelledSequence, clip: CountedClip) -> _Poses:
    times_s = sequence.times_s
    start_s, end_s = clip.start_s or 0.0, times_s[-1] if clip.end_s is None else clip.end_s
    inside = (times_s >= start_s) & (times_s <= end_s)
    return _Poses(times_s[inside], sequence.xy_px[inside], sequence.confidence[inside], sequence.layout)


def stream_repetitions(sequence: LabelledSequence, recognizer: OnnxRecognizer) -> list[Repetition]:
    """All repetitions that the live program counts in a sequence."""
    live = LiveRecognition(recognizer)
    found: list[Repetition] = []
    poses = _Poses(sequence.times_s, sequence.xy_px, sequence.confidence, sequence.layout)
    for pose in poses:
        live.process(pose.time_s, (pose,))
        found += live.take_repetitions()
    live.clear()
    return [*found, *live.take_repetitions()]


def _run_live(
    clips: Sequence[CountedClip],
    sequences: dict[str, LabelledSequence],
    recognizer: OnnxRecognizer,
    *,
    each: bool,
    half: str,
) -> None:
    known = set(recognizer.card.actions)
    chosen = [c for c in clips if c.name in sequences and c.action in known and _duration_s(c) >= _LIVE_FROM_S]
    streamed = {name: stream_repetitions(sequences[name], recognizer) for name in sorted({c.name for c in chosen})}
    live = [CountResult(clip, _count_within(streamed[clip.name], clip)) for clip in chosen]
    sys.stdout.write(f"live with {recognizer.card.name}, clips of {_LIVE_FROM_S:g} s or more of its actions\n")
    # The halves are of this table: the recognizer's own training people are in both.
    unknown = [c for c in live if webcam_poses.part_of(sequences[c.clip.name]) == "test"]
    for name, part in (("all", live), ("test people", unknown)):
        sys.stdout.write(f"  {name:<14}{summary_line(part)}\n")
    if each:
        sys.stdout.writelines(_miscounted_lines(live))
    parts = {"tune": ("train", "validation"), "test": ("test",)}.get(half, webcam_poses.PARTS)
    sys.stdout.write(f"counted where nothing is to be counted, live, {' and '.join(parts)} people of webcam_poses\n")
    for kind, (minutes, count) in _false_counts(sequences.values(), recognizer, parts, streamed).items():
        sys.stdout.write(f"  {kind:<14}{count} in {minutes:.1f} min\n")


def _duration_s(clip: CountedClip) -> float:
    return (clip.end_s or 0.0) - (clip.start_s or 0.0)


def _count_within(repetitions: Iterable[Repetition], clip: CountedClip) -> int:
    start_s, end_s = clip.start_s or 0.0, (clip.end_s or 0.0) + _LATE_S
    return sum(r.action == clip.action and start_s <= r.time_s <= end_s for r in repetitions)


def _false_counts(
    sequences: Iterable[LabelledSequence],
    recognizer: OnnxRecognizer,
    parts: Sequence[str],
    streamed: dict[str, list[Repetition]],
) -> dict[str, tuple[float, int]]:
    """Minutes and counts by kind: walk, run, idle, and unlisted motion."""
    listed = set(recognizer.card.actions)
    totals: dict[str, tuple[float, int]] = {}
    for sequence in sequences:
        segments = [s for s in sequence.segments if s.label in UNCOUNTED or s.label not in listed]
        if not segments or webcam_poses.part_of(sequence) not in parts:
            continue
        known = sequence.name in streamed
        found = streamed[sequence.name] if known else stream_repetitions(sequence, recognizer)
        for segment in segments:
            kind = segment.label if segment.label in listed else "unlisted"
            minutes, count = totals.get(kind, (0.0, 0))
            inside = sum(segment.start_s <= r.time_s <= segment.end_s for r in found)
            totals[kind] = minutes + (segment.end_s - segment.start_s) / 60, count + inside
    return totals
