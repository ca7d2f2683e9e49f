"""What readers of data sets give: sequences of skeletons, of one action each or with labelled segments."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.errors import DataError

SYNTHETIC = "synthetic/"  # prefix of the data set's name of generated clips


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """The skeletons of one person in a sequence.

    joints: (T, V, 2 or 3) float32. seen: (T, V) bool. score: (T, V) float32, the estimator's, where there is one.
    """

    joints: NDArray[np.float32]
    seen: NDArray[np.bool_]
    score: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ActionSequence:
    """Skeletons of one person doing one action, in the data set's own layout.

    dataset, name: where it comes from. action: the set's own name of the action.
    joints: (T, V, 2) pixels or any square unit, or (T, V, 3) metres in the camera's axes; x right in an unmirrored
        picture, y down, z away from the camera; float32.
    seen: (T, V) bool, False where the joint was not annotated or not tracked.
    fps: rate of the T skeletons. subject: the person's number; None where the set does not tell people apart.
    test: True if the set's protocol (or ours, where it has none) puts the sequence into the test split.
    validation: True if the split of a file of recorded clips, or the reader of the set, keeps it for choosing.
    others: further people of the same sequence, over the same T frames; where they are absent, `seen` is False.
    score: (T, V) float32, the pose estimator's confidence in each joint; None for measured or annotated skeletons.
    size_px: width and height of the picture that 2D joints are in, where the set tells it.

    Raises DataError for a synthetic sequence in a test split: figures on it would mean nothing.
    """

    dataset: str
    name: str
    action: str
    joints: NDArray[np.float32]
    seen: NDArray[np.bool_]
    layout: Layout
    fps: float
    subject: int | None
    test: bool
    others: tuple[Skeleton, ...] = ()
    score: NDArray[np.float32] | None = None
    size_px: tuple[int, int] | None = None
    validation: bool = False

    def __post_init__(self) -> None:
        if self.test and self.dataset.startswith(SYNTHETIC):
            raise DataError(f"{self.dataset}: {self.name} is synthetic and in a test split; move it to training")

    @property
    def people(self) -> tuple[Skeleton, ...]:
        """Everyone in the sequence, its own person first."""
        return (Skeleton(self.joints, self.seen, self.score), *self.others)


class Segment(NamedTuple):
    """From start_s to end_s somebody does what the label says: an action's name, or `other:WHAT`."""

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSequence:
    """The poses of one person over a longer time, and what the person does in it.

    times_s: (T,) float64, increasing; every frame, with or without a pose. xy_px: (T, V, 2) float32, y down.
    confidence: (T, V) float32 in 0..1. size: width and height of the picture. person: an id, or "unknown".
    segments: in order and apart; the time between them has no label, which says nothing of it.
    """

    name: str
    source: str
    person: str
    times_s: NDArray[np.float64]
    xy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    layout: Layout
    size: tuple[int, int]
    segments: tuple[Segment, ...]
    note: str = ""
    estimator: str = ""
    terms: str = ""

    @property
    def posed(self) -> NDArray[np.bool_]:
        """(T,) False where the frame has no pose: every joint at 0."""
        posed: NDArray[np.bool_] = np.any(self.xy_px, axis=(1, 2))
        return posed
