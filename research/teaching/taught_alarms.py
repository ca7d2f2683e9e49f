"""`taught-alarms`: the false alarms an hour that a teaching states, against those on footage that it never had.

Three of what the training people of webcam_poses do are taught, with five takes each, of five people where there are
so many. Half of the test people, as far as they do none of it, are the footage of nothing; what is made of that is
streamed over the other half by the program's own window and decision. No embedding has seen the test people.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose import number_arguments
from recognizer.datasets import webcam_poses
from recognizer.datasets.sequences import LabelledSequence
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.examples import NOTHING, Example
from recognizer.teaching.lesson import trunk_seen
from recognizer.teaching.metrics import FalseAlarms
from recognizer.teaching.package import card_names
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.run import run_quick
from recognizer.training.dataset_sequences import labelled_sequences
from recognizer.training.everyday import WEBCAM_POSES
from recognizer.training.streams.run import stream_sequence
from research.metrics_file import write_metrics

TAUGHT, TAKES = 3, 5
_LEAST_S = 2.0  # of a sequence: a window and a moment to decide
_TAKE_S = (0.8, 6.0)  # shortest and longest stretch that is a take
_AT_REST = ("idle", "other:sit_still", "other:lying")  # what nobody would teach


@dataclass(frozen=True, slots=True)
class Episode:
    """actions: what was taught. stated, stated_s: alarms of the check and seconds of footage that it judged; low, high:
    its interval an hour. then, then_s: alarms on the other half."""

    actions: tuple[str, ...]
    stated: int
    stated_s: float
    low: float
    high: float
    then: int
    then_s: float

    @property
    def within(self) -> bool:
        """Whether what then happened lies in the interval that was stated."""
        return self.low <= 3600 * self.then / self.then_s <= self.high


def add_taught_alarms(parser: argparse.ArgumentParser) -> None:
    """Arguments of `taught-alarms`."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds webcam_poses")
    parser.add_argument("--model", type=Path, default=Path("weights/act"), metavar="DIR", help="to build on")
    parser.add_argument("--episodes", type=number_arguments.count, default=8)
    parser.add_argument("--seed", type=number_arguments.seed, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/taught_alarms.json"), metavar="FILE")


def run_taught_alarms(options: argparse.Namespace) -> None:
    """Teach and stream, episode by episode, and write the metrics."""
    sequences = list(labelled_sequences(webcam_poses.read(options.data / WEBCAM_POSES)))
    clips = takes(each for each in sequences if webcam_poses.part_of(each) == "train")
    people = [each for each in sequences if webcam_poses.part_of(each) == "test" and _is_footage(each)]
    found = []
    for number in range(options.episodes):
        episode = run_episode(clips, people, options.model, np.random.default_rng([options.seed, number // 2]), number)
        found.append(episode)
        sys.stderr.write(f"{episode}\n")
        write_metrics(options.out, summary(found))
    sys.stdout.write(json.dumps(summary(found), indent=1) + "\n")


def takes(sequences: Iterable[LabelledSequence]) -> list[Example]:
    """Every labelled stretch that could be a take; action: its label, person: who does it."""
    found = []
    for each in sequences:
        for number, segment in enumerate(each.segments):
            here = each.posed & (each.times_s >= segment.start_s) & (each.times_s <= segment.end_s)
            seconds = segment.end_s - segment.start_s
            if segment.label in _AT_REST or not _TAKE_S[0] <= seconds <= _TAKE_S[1] or here.sum() < 2:
                continue
            if trunk_seen(each.confidence[here], each.layout):
                found.append(_clip(each, here, f"{each.name}/{number}", segment.label))
    return found


def draw_takes(clips: Sequence[Example], rng: np.random.Generator) -> list[Example]:
    """TAKES of each of TAUGHT actions, of as many people as there are."""
    count = Counter(clip.action for clip in clips)
    labels = rng.choice(sorted(label for label in count if count[label] >= TAKES), TAUGHT, replace=False)
    chosen: list[Example] = []
    for label in labels.tolist():
        own = [clip for clip in clips if clip.action == label]
        own = [own[place] for place in rng.permutation(len(own))]
        firsts = {clip.person: clip for clip in reversed(own)}  # one of each person
        rest = [clip for clip in own if firsts[clip.person] is not clip]
        chosen += [*firsts.values(), *rest][:TAKES]
    return chosen


def run_episode(
    clips: Sequence[Example], people: Sequence[LabelledSequence], base: Path, rng: np.random.Generator, number: int
) -> Episode:
    """One episode. Episodes 2n and 2n + 1, with equal generators, swap the halves of the people."""
    taught = draw_takes(clips, rng)
    labels = {clip.action for clip in taught}
    people = [each for each in people if not labels & {segment.label for segment in each.segments}]
    names = rng.permutation(sorted({each.person for each in people}))
    half = set(names[number % 2 :: 2].tolist())
    nothing = [_clip(each, each.posed, f"{each.name}/all", NOTHING) for each in people if each.person in half]
    named = [replace(clip, action=f"my {clip.action}") for clip in taught]  # the base may know the action, too
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_quick(TeachingRequest(QUICK, "mine", base, Path(folder), [*named, *nothing], keep_base=True))
        actions = sorted({clip.action for clip in named})
        then, then_s = alarms_of(outcome.folder, actions, [each for each in people if each.person not in half])
    stated = outcome.check.alarms or FalseAlarms(1.0, {})
    return Episode(tuple(sorted(labels)), stated.count, stated.seconds, *stated.interval, then, then_s)


def _is_footage(sequence: LabelledSequence) -> bool:
    return bool(sequence.posed.sum() > 1 and sequence.times_s[-1] - sequence.times_s[0] >= _LEAST_S)


def _clip(sequence: LabelledSequence, frames: NDArray[np.bool_], name: str, action: str) -> Example:
    """Some frames of a sequence as a clip; a person's footage is one session."""
    return Example(
        name,
        action,
        sequence.person,
        sequence.person,
        sequence.times_s[frames],
        sequence.xy_px[frames],
        sequence.confidence[frames],
        sequence.layout,
    )


def alarms_of(model: Path, actions: Sequence[str], sequences: Sequence[LabelledSequence]) -> tuple[int, float]:
    """How often a taught action begins in sequences where nobody does it, and in how many seconds. actions: sorted."""
    recognizer = OnnxRecognizer(model, "cpu")
    names, count, seconds = set(card_names(actions)), 0, 0.0
    try:
        for sequence in sequences:
            if not trunk_seen(sequence.confidence[sequence.posed], sequence.layout):
                continue  # as in footage of nothing that shows nobody
            events = stream_sequence(sequence, recognizer).events
            count += sum(event.kind == "start" and event.action in names for event in events)
            seconds += float(sequence.times_s[-1] - sequence.times_s[0])
    finally:
        recognizer.close()
    return count, round(seconds, 1)


def summary(found: Sequence[Episode]) -> dict[str, Any]:
    """Alarms an hour, stated and then, over all episodes; in how many of them what happened lies in the interval."""
    stated, then = (
        3600 * sum(getattr(each, name) for each in found) / sum(getattr(each, f"{name}_s") for each in found)
        for name in ("stated", "then")
    )
    return {
        "stated_an_hour": round(stated, 1),
        "then_an_hour": round(then, 1),
        "ratio": round(then / stated, 2) if stated else None,
        "within_the_interval": sum(each.within for each in found),
        "episodes": [asdict(each) for each in found],
    }
