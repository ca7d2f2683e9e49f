"""What attention costs: model folders as live recognition runs them, with and without it, call by call in turns."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.clips import Clip
from recognizer.model_card import find_model
from recognizer.onnx_recognizer import OnnxRecognizer

_WARM_UP = 5


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """Medians in milliseconds of one call for `people` clips. overhead: median share by which a call with attention
    takes longer than the call without it right before."""

    model: str
    people: int
    without_ms: float
    with_ms: float
    overhead: float


def measure_attention(models: Sequence[str], people: Sequence[int], rounds: int) -> list[AttentionRow]:
    """On one thread of the CPU, features and softmax included; processor time, so that other programs do not count.

    Raises CardError.
    """
    recognizers = [OnnxRecognizer(find_model(model), "cpu") for model in models]
    return [_measure(recognizer, count, rounds) for recognizer in recognizers for count in people]


def _measure(recognizer: OnnxRecognizer, people: int, rounds: int) -> AttentionRow:
    clips = [_random_clip(recognizer, person) for person in range(people)]
    pairs = [
        tuple(_milliseconds(recognizer, clips, attention=attention) for attention in (False, True))
        for _ in range(_WARM_UP + rounds)
    ][_WARM_UP:]
    without, with_attention = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    overhead = statistics.median(late / early - 1 for early, late in pairs)
    return AttentionRow(recognizer.name, people, without, with_attention, overhead)


def _milliseconds(recognizer: OnnxRecognizer, clips: Sequence[Clip], *, attention: bool) -> float:
    started_s = time.thread_time()
    recognizer.predict(clips, attention=attention)
    return (time.thread_time() - started_s) * 1000


def _random_clip(recognizer: OnnxRecognizer, person: int) -> Clip:
    card = recognizer.card
    shape = (card.frames, len(card.skeleton))
    xy_px = np.random.default_rng(person).uniform(100, 400, (*shape, 2)).astype(np.float32)
    return Clip(xy_px, np.ones(shape, np.float32), card.fps, card.skeleton, 0.0, person)


def as_table(rows: Sequence[AttentionRow]) -> str:
    """In Markdown."""
    lines = ["| model | people | without ms | with attention ms | more |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {row.model} | {row.people} | {row.without_ms:.3f} | {row.with_ms:.3f} | {row.overhead:.1%} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
