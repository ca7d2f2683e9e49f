"""Metrics of temporal segmentation: the segmental F1 and the edit score.

Lea et al., Temporal Convolutional Networks for Action Segmentation and Detection, CVPR 2017; as in the evaluation of
MS-TCN (Abu Farha and Gall, CVPR 2019). A frame's label is a name, or None for the background, which is no segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

OVERLAPS = (0.10, 0.25, 0.50)


@dataclass(frozen=True, slots=True)
class Run:
    """Frames first to last - 1 with one label."""

    label: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Numbers of found segments that match a true one of their label, that do not, and of true ones without a match."""

    right: int
    wrong: int
    missed: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0..1; 0 where there is no segment at all."""
        pairs = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / pairs if pairs else 0.0


def runs(labels: Sequence[str | None], stretches: Sequence[int]) -> list[Run]:
    """The segments of a sequence of frames; frames of two stretches (numbers, one a frame) are never one segment."""
    found = []
    first = 0
    for (label, _), frames in groupby(zip(labels, stretches, strict=True)):
        last = first + sum(1 for _ in frames)
        if label is not None:
            found.append(Run(label, first, last))
        first = last
    return found


def match(true: Sequence[Run], found: Sequence[Run], overlap: float) -> Matches:
    """Each found segment against the true one of its name that it overlaps most; a true one is matched once.

    overlap: intersection over union from which it counts.
    """
    hit = [False] * len(true)
    right = 0
    for run in found:
        shares = [_overlap(run, other) if other.label == run.label else 0.0 for other in true]
        best = max(range(len(true)), key=shares.__getitem__, default=-1)
        if best >= 0 and shares[best] >= overlap and not hit[best]:
            hit[best] = True
            right += 1
    return Matches(right, len(found) - right, len(true) - right)


def edit_score(true: Sequence[Run], found: Sequence[Run]) -> float:
    """1 less the edit distance between the two orders of names, over the longer one's length; 0..1, 1 for the same."""
    longer = max(len(true), len(found))
    if not longer:
        return 1.0
    distances = list(range(len(found) + 1))
    for place, run in enumerate(true, start=1):
        diagonal, distances[0] = distances[0], place
        for other_place, other in enumerate(found, start=1):
            change = diagonal + (run.label != other.label)
            diagonal = distances[other_place]
            distances[other_place] = min(change, diagonal + 1, distances[other_place - 1] + 1)
    return 1 - distances[-1] / longer


def _overlap(one: Run, other: Run) -> float:
    """Intersection over union."""
    both = min(one.last, other.last) - max(one.first, other.first)
    either = max(one.last, other.last) - min(one.first, other.first)
    return max(0, both) / either
