"""Synthetic clips in the application: which generators there are, and a clip as people in a picture. No Qt."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.palette import action_text
from app.results import PersonResult, Result
from pose.types import Frame, Pose
from recognizer.decision import Decision
from recognizer.generator import CARD_FILE, MODEL_FILE, GeneratedClip, OnnxGenerator, generator_folders

SIZE_PX = (640, 480)
_HIPS_PX = (320.0, 250.0)
_TORSO_PX = 90.0  # a person whose torso is that long just fits the picture
_BLANK = np.full((SIZE_PX[1], SIZE_PX[0], 3), (16, 13, 12), np.uint8)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to generate: a clip of `first`, blended with a share of `second`, from a seed's noise."""

    folder: Path
    first: str
    second: str
    share: float
    seed: int


def own_generators(root: Path) -> Path:
    """The user's own folder of generators, inside the library's folder."""
    return root / "generators"


def offered(root: Path) -> list[Path]:
    """The folders of generators: those under weights/ and the user's own."""
    return generator_folders(own_generators(root))


def none_here(root: Path) -> str:
    """One line for when there is no generator: where to put one."""
    return (
        f"There is no generator: put a folder with {MODEL_FILE} and {CARD_FILE} into weights/ or into "
        f"{own_generators(root)}, then refresh."
    )


class Maker:
    """Generates clips; keeps the last generator loaded. May be called from any thread."""

    def __init__(self) -> None:
        self._generator: OnnxGenerator | None = None
        self._lock = threading.Lock()

    def actions(self, folder: Path) -> tuple[str, ...]:
        """The actions that a generator knows. Raises CardError, GeneratorError."""
        with self._lock:
            return self._of(folder).card.actions

    def make(self, request: GenerationRequest) -> GeneratedClip:
        """Raises CardError, GeneratorError."""
        with self._lock:
            return self._of(request.folder).blend(request.first, request.second, request.share, request.seed)

    def _of(self, folder: Path) -> OnnxGenerator:
        if self._generator is None or self._generator.folder != folder:
            self._generator = OnnxGenerator(folder)
        return self._generator


def provenance_text(clip: GeneratedClip) -> str:
    """A line that says that the clip is synthetic, of which actions, and how it was generated."""
    return (
        f"Synthetic, nobody performed this: {mix_text(clip)}. Generator {clip.generator}, seed {clip.seed}; "
        f"{len(clip.joints)} poses in {clip.duration_s:.1f} s."
    )


def mix_text(clip: GeneratedClip) -> str:
    """The actions of a clip with their shares."""
    if len(clip.shares) == 1:
        return action_text(next(iter(clip.shares)))
    return " + ".join(f"{share:.0%} {action_text(action)}" for action, share in clip.shares.items())


def result_at(clip: GeneratedClip, time_s: float) -> Result:
    """The clip at a time, interpolated between two poses, as the view shows people: in a blank picture of SIZE_PX."""
    time_s = min(max(time_s, 0.0), clip.duration_s)
    xy = (_between(clip, time_s) * _TORSO_PX + _HIPS_PX).astype(np.float32)
    pose = Pose(xy, np.ones(len(xy), np.float32), clip.layout, time_s)
    decision = Decision(0, time_s, f"synthetic: {mix_text(clip)}", 0.0, 0.0)
    now_s = time.perf_counter()
    frame = Frame(_BLANK, time_s, now_s, 0)
    return Result(frame, (PersonResult(pose, decision, fresh=False),), (), nobody=False, decided_s=now_s)


def _between(clip: GeneratedClip, time_s: float) -> NDArray[np.float32]:
    place = time_s * clip.fps
    before = min(int(place), len(clip.joints) - 2)
    share = np.float32(place - before)
    joints: NDArray[np.float32] = clip.joints[before] * (1 - share) + clip.joints[before + 1] * share
    return joints
