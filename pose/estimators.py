"""What finds people in frames: the protocol of an estimator, and the estimators that there are.

A new one is a file with a class, called as `ESTIMATORS` says, and a row here. Nothing heavy is imported before one is
opened.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pose.errors import PoseModelError

if TYPE_CHECKING:
    from pose.skeleton import Layout
    from pose.types import Frame, Pose

AUTO, MEDIAPIPE, BLAZEPOSE = "auto", "mediapipe", "blazepose"
CPU = "cpu"
FULL = "full"
QUALITIES = ("lite", FULL, "heavy")
MAX_PEOPLE = 8
MEDIAPIPE_BUNDLE = "pose.model_asset:find_pose_model"


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
    name of the poses' layout, in pose.skeleton. people: that it follows at most. qualities: that it can have. model:
    module:function that finds the model's file, called as pose.model_asset.find_pose_model; "" where none is needed.
    has_providers: it is called with provider=, too, of ONNX Runtime.
    """

    name: str
    text: str
    where: str
    layout: str
    people: int
    qualities: tuple[str, ...] = (FULL,)
    model: str = MEDIAPIPE_BUNDLE
    has_providers: bool = False

    @property
    def poses_layout(self) -> "Layout":
        """The layout itself."""
        from pose.skeleton import LAYOUTS

        return LAYOUTS[self.layout]


ESTIMATORS = {
    kind.name: kind
    for kind in (
        EstimatorKind(MEDIAPIPE, "MediaPipe", "pose.estimator:MediaPipeEstimator", "mediapipe-33", 4),
        EstimatorKind(
            *(BLAZEPOSE, "BlazePose", "pose.blazepose.estimator:BlazePoseEstimator", "mediapipe-33", MAX_PEOPLE),
            qualities=QUALITIES,
            has_providers=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """An estimator as a run has it. kind: a name in ESTIMATORS. model: its file. people: to follow at most.

    provider: of ONNX Runtime, where the kind has_providers.
    """

    kind: str
    model: Path
    people: int = 1
    quality: str = FULL
    provider: str = CPU

    @property
    def layout(self) -> "Layout":
        """Of its poses."""
        return ESTIMATORS[self.kind].poses_layout


def resolve_kind(kind: str, people: int, quality: str = FULL) -> str:
    """The estimator that `auto` stands for with this many people; any other kind as it is, able or not.

    One person is MediaPipe's: recognizers were trained on its poses (docs/several-people.md has the comparison).
    """
    if kind == AUTO:
        return BLAZEPOSE if people > 1 or quality != FULL else MEDIAPIPE
    return kind


def choose(kind: str, people: int, quality: str = FULL) -> str:
    """The kind, with `auto` resolved. Raises PoseModelError if it is unknown or cannot do what is asked."""
    kind = resolve_kind(kind, people, quality)
    if kind not in ESTIMATORS:
        raise PoseModelError(f"no estimator is called {kind!r}; choose one of {', '.join((AUTO, *ESTIMATORS))}")
    row = ESTIMATORS[kind]
    if not 1 <= people <= MAX_PEOPLE:
        raise PoseModelError(f"{people} people cannot be followed; give 1 to {MAX_PEOPLE}")
    if people > row.people:
        more = next(other.name for other in ESTIMATORS.values() if other.people >= people)
        raise PoseModelError(f"{row.text} follows 1 to {row.people} people; use --pose {more}, or fewer people")
    if quality not in row.qualities:
        raise PoseModelError(f"{row.text} has no quality {quality!r}; use --pose {BLAZEPOSE}, or --pose-quality {FULL}")
    return kind


def find_model(
    kind: str,
    path: Path | None,
    *,
    progress: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """The model's file of an estimator, which may be built or fetched first. Raises PoseModelError.

    path: that the user gives instead. progress: called with one line at each step. cancel: stops it.
    """
    where = ESTIMATORS[kind].model
    if not where:
        return path or Path()
    found: Path = _import_object(where)(path, progress=progress, cancel=cancel)
    return found


def open_estimator(spec: EstimatorSpec, row: EstimatorKind | None = None) -> PoseEstimator:
    """Load its model, on the caller's thread. Raises PoseModelError, and ProviderError where its provider fails.

    row: of the process that asks; by default, that of this one's registry.
    """
    row = row or ESTIMATORS[spec.kind]
    more = {"provider": spec.provider} if row.has_providers else {}
    made: PoseEstimator = _import_object(row.where)(spec.model, people=spec.people, quality=spec.quality, **more)
    return made


def _import_object(where: str) -> Any:
    """Import the object that module:name names."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
