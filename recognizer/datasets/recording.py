"""What every reader returns: one recorded person doing one action."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.errors import ActionLensError
from pose.folders import is_leftover
from pose.skeleton import Layout

SYNTHETIC = "synthetic/"  # begins the data set's name of clips that a generator made up


class DataError(ActionLensError):
    """A data set is missing or cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """The skeletons of one person in a clip.

    joints: (T, V, 2 or 3) float32. seen: (T, V) bool. score: (T, V) float32, the estimator's, where there is one.
    """

    joints: NDArray[np.float32]
    seen: NDArray[np.bool_]
    score: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A sequence of skeletons of one person, in the data set's own layout.

    dataset, name: where it comes from. action: the set's own name of the action.
    joints: (T, V, 2) pixels or any square unit, or (T, V, 3) metres in the camera's axes; x right in an unmirrored
        picture, y down, z away from the camera; float32.
    seen: (T, V) bool, False where the joint was not annotated or not tracked.
    fps: rate of the T skeletons. subject: the person's number; None where the set does not tell people apart.
    test: True if the set's protocol (or ours, where it has none) puts the recording into the test split.
    others: further people of the same clip, over the same T frames; where they are absent, `seen` is False.
    score: (T, V) float32, the pose estimator's confidence in each joint; None for measured or annotated skeletons.
    size_px: width and height of the picture that 2D joints are in, where the set tells it.

    Raises DataError for a made-up recording in a test split: figures on it would say nothing.
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

    def __post_init__(self) -> None:
        if self.test and self.dataset.startswith(SYNTHETIC):
            raise DataError(f"{self.dataset}: {self.name} is made up and in a test split; move it to training")

    @property
    def people(self) -> tuple[Skeleton, ...]:
        """Everyone in the clip, the recording's own person first."""
        return (Skeleton(self.joints, self.seen, self.score), *self.others)


def files_of(folder: Path, pattern: str, dataset: str) -> list[Path]:
    """The files of a data set, sorted; DataError when there are none."""
    files = sorted(file for file in folder.glob(pattern) if not is_leftover(file.relative_to(folder)))
    if not files:
        raise DataError(f"no {dataset} files ({pattern}) in {folder}; give the folder that holds the data sets")
    return files
