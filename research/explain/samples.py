"""Clips drawn of a data set's split, to measure explanations on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer.clips import Clip
from recognizer.features import LAYOUT, RATE_FPS
from recognizer.training.batches import FRAMES
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.evaluate import seen_from_front
from recognizer.training.everyday import ACTIONS, IDLE, OTHER, Corpus, merge
from recognizer.training.explain.clips import READERS, TORSO_PX


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Clips of a split, and the action (N,), an index into ACTIONS, of each. description: in words, for reports."""

    clips: tuple[Clip, ...]
    actions: NDArray[np.intp]
    description: str


def sample(data: Path, sets: tuple[str, ...], part: str, count: int, seed: int) -> Sample:
    """The middle 1.5 s of recordings of listed actions, drawn at random. Raises DataError."""
    corpus = merge(one for name in sets for one in action_sequences(READERS[name](data / name)))
    listed = (corpus.part == part) & ~np.isin(corpus.action, [ACTIONS.index(IDLE), ACTIONS.index(OTHER)])
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(listed))[:count]
    description = (
        f"the middle 1.5 s of {len(rows)} clips of listed actions, {part} split of {' and '.join(sets)}, seed {seed}"
    )
    return Sample(middle_clips(corpus, rows), corpus.action[rows], description)


def middle_clips(corpus: Corpus, rows: NDArray[np.intp]) -> tuple[Clip, ...]:
    """A clip of the middle of each recording; recordings shorter than a clip are stretched to one."""
    last = corpus.length[rows] - 1.0
    span = np.minimum((FRAMES - 1) / RATE_FPS * corpus.fps[rows], last)
    positions = (last - span)[:, None] / 2 + span[:, None] * np.linspace(0, 1, FRAMES)
    xy, seen = seen_from_front(corpus, rows, positions)
    xy_px = (xy * TORSO_PX).astype(np.float32)
    times = positions[:, -1] / corpus.fps[rows]
    return tuple(
        Clip(one, confidence, RATE_FPS, LAYOUT, float(time_s), 0)
        for one, confidence, time_s in zip(xy_px, seen.astype(np.float32), times, strict=True)
    )
