"""What finds people in frames: the protocol of an estimator, and the estimators that there are.

A new one is a file with a class, called as `ESTIMATORS` says, and a row here. Nothing heavy is imported before one is
opened.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pose.errors import PoseModelError

if TYPE_CHECKING:
    from pose.skeleton import Layout
    from pose.types import Frame, Pose

AUTO, MEDIAPIPE, BLAZEPOSE = "auto", "mediapipe", "blazepose"
FULL = "full"
QUALITIES = ("lite", FULL, "heavy")
MAX_PEOPLE = 8


class PoseEstimator(Protocol):
    """Finds people in successive frames of one source."""

    def estimate(self, frame: "Frame") -> "tuple[Pose, ...]":
        """The people in the frame, each with an identity kept over frames; empty where nobody is.

        Frames must come in order of time; an earlier one begins a new run. Poses carry the estimator's layout. Several
        people: duplicates removed, smoothed, tracked. Raises RuntimeError where it fails on the frame.
        """
        ...

    def close(self) -> None:
        """Free the model. Any number of times."""
        ...


@dataclass(frozen=True, slots=True)
class EstimatorKind:
    """A row of the registry.

    text: the name for people. where: module:class, called with the model's path, people= and quality=. layout: the
    name of the poses' layout, in pose.skeleton. people: that it follows at most. qualities: that it can have.
    """

    name: str
    text: str
    where: str
    layout: str
    people: int
    qualities: tuple[str, ...] = (FULL,)


ESTIMATORS = {
    kind.name: kind
    for kind in (
        EstimatorKind(MEDIAPIPE, "MediaPipe", "pose.estimator:MediaPipeEstimator", "mediapipe-33", 4),
        EstimatorKind(
            BLAZEPOSE, "BlazePose", "pose.blazepose.estimator:BlazePoseEstimator", "mediapipe-33", MAX_PEOPLE, QUALITIES
        ),
    )
}


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """An estimator as a run has it. kind: a name in ESTIMATORS. model: its file. people: to follow at most."""

    kind: str
    model: Path
    people: int = 1
    quality: str = FULL

    @property
    def layout(self) -> "Layout":
        """Of its poses."""
        from pose.skeleton import LAYOUTS

        return LAYOUTS[ESTIMATORS[self.kind].layout]


def choose(kind: str, people: int, quality: str = FULL) -> str:
    """The estimator that `auto` is for so many people, or the given one. Raises PoseModelError where it cannot do that.

    One person is MediaPipe's: recognizers were trained on its poses (docs/several-people.md has the comparison).
    """
    if kind == AUTO:
        kind = BLAZEPOSE if people > 1 or quality != FULL else MEDIAPIPE
    if kind not in ESTIMATORS:
        raise PoseModelError(f"no estimator is called {kind!r}; choose one of {', '.join((AUTO, *ESTIMATORS))}")
    row = ESTIMATORS[kind]
    if not 1 <= people <= row.people:
        more = [other.name for other in ESTIMATORS.values() if other.people >= people > 0]
        other = f"use --pose {more[0]}, or fewer people" if more else f"give 1 to {MAX_PEOPLE}"
        raise PoseModelError(f"{row.text} follows 1 to {row.people} people, not {people}; {other}")
    if quality not in row.qualities:
        raise PoseModelError(f"{row.text} has no quality {quality!r}; use --pose {BLAZEPOSE}, or --pose-quality {FULL}")
    return kind


def open_estimator(spec: EstimatorSpec) -> PoseEstimator:
    """Load its model, on the caller's thread. Raises PoseModelError."""
    module, _, name = ESTIMATORS[spec.kind].where.partition(":")
    made: PoseEstimator = getattr(import_module(module), name)(spec.model, people=spec.people, quality=spec.quality)
    return made
