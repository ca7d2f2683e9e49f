"""The streams on which thresholds are chosen and recognizers are measured: real people, and research recordings."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from recognizer.datasets import webcam_poses
from recognizer.datasets.registry import terms_of
from recognizer.training.augment import Array
from recognizer.training.calibrate import Calibration, OperatingPoint, outcomes
from recognizer.training.evaluate import logits_of
from recognizer.training.everyday import WEBCAM_POSES, part_of
from recognizer.training.everyday_streams import EverydaySets
from recognizer.training.streams.replay import RecordedStream, features_of, record, split_by_stream
from recognizer.training.streams.report import as_json
from recognizer.training.streams.stream_set_command import make

RESEARCH = "research"
_SEED = 0
_CARD_METRICS = ("windows", "unlisted", "events", "delay_s", "f1", "edit", "labelled_minutes", "sequences", "labels")

StreamSets = Mapping[str, list[RecordedStream]]


def stream_sets(sets: EverydaySets, part: str) -> dict[str, list[RecordedStream]]:
    """The streams of the "validation" or "test" people by set; one without streams is left out."""
    recordings = [recording for recording in sets.research if part_of(recording) == part]
    people = (sequence for sequence in sets.webcams if webcam_poses.part_of(sequence) == part)
    streams = {RESEARCH: list(record(make(recordings, _SEED))), WEBCAM_POSES: list(record(people))}
    return {name: of_set for name, of_set in streams.items() if of_set}


def stream_logits(network: nn.Module, sets: StreamSets) -> dict[str, list[Array]]:
    """Logits (N, A) of the windows of each stream, by set."""
    return {name: split_by_stream(streams, logits_of(network, features_of(streams))) for name, streams in sets.items()}


def stream_metrics(
    part: str, sets: StreamSets, logits: Mapping[str, list[Array]], rules: Calibration
) -> dict[str, dict[str, Any]]:
    """Metrics of a card: "PART_streams_SET", each with its split."""
    metrics = {}
    for name, streams in sets.items():
        figures = as_json(outcomes(streams, logits[name], rules))
        about = {"split": split_of_streams(name, part, streams), "how": "recognizer.training stream"}
        metrics[f"{part}_streams_{name}"] = about | {key: figures[key] for key in _CARD_METRICS}
    return metrics


def split_of_streams(name: str, part: str, streams: Sequence[RecordedStream]) -> str:
    """The people of a set of streams, as cards state it."""
    if name == WEBCAM_POSES:
        return f"poses of real people before a camera, the {part} people"
    sources = terms_of({stream.sequence.source for stream in streams})
    return f"recordings of the {part} people of {', '.join(source.name for source in sources)}, joined (seed {_SEED})"


def points_table(points: Mapping[str, Sequence[OperatingPoint]]) -> str:
    """Every operating point that was tried, a line each."""
    lines = ["set bias threshold shown-right unlisted-as-listed wrong/h delay-s worth"]
    for name, of_set in points.items():
        lines += [
            f"{name} {p.other_bias:+.2f} {p.threshold:.2f} {p.shown_right:.3f} {p.shown_listed:.3f} "
            f"{p.wrong_per_hour:.0f} {'-' if p.delay_s is None else f'{p.delay_s:.2f}'} {p.score:.3f}"
            for p in of_set
        ]
    return "\n".join(lines) + "\n"
