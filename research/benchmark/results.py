"""Result files of benchmarks: one JSON file for each training, which says how it was made."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.whole_file import write_text
from research.errors import ResearchError
from research.whole_clip.clip_training import WholeClipJob

FOLDER = Path(__file__).parent / "measured"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """Metrics of one trained network on one part of one task.

    accuracy: share of the clips whose likeliest action is right. balanced_accuracy: mean of the actions' shares. right,
    of: correct clips and all clips. recall: share and number of clips by action. learned: clips trained on. parameters:
    of the network. seconds: of training, with whatever else the machine did. commit: of the code, "+" where changed.
    clips: digest of the files of recorded clips, see TaskClips.
    """

    command: str
    task: str
    part: str
    network: str
    preset: str
    seed: int
    frames: int
    learned: int
    of: int
    right: int
    accuracy: float
    balanced_accuracy: float
    recall: dict[str, tuple[float, int]]
    parameters: int
    epochs: int
    seconds: float
    commit: str
    machine: str
    clips: str = ""

    @property
    def name(self) -> str:
        """Its file name without the suffix."""
        return WholeClipJob(self.task, self.network, self.preset, self.seed, self.frames, self.part).name


def metrics(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], actions: tuple[str, ...]
) -> dict[str, Any]:
    """accuracy, balanced_accuracy, right, of and recall of probabilities (R, A) against labels (R,)."""
    found = probabilities.argmax(axis=1)
    right = found == labels
    shares = {a: float(right[labels == a].mean()) for a in np.unique(labels)}  # of the actions that have clips
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean(list(shares.values()))),
        "right": int(right.sum()),
        "of": len(labels),
        "recall": {actions[a]: (round(share, 4), int((labels == a).sum())) for a, share in shares.items()},
    }


def write(result: Result, folder: Path) -> Path:
    """Write a result, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    write_text(path, json.dumps(asdict(result), indent=1) + "\n")
    return path


def read(file: Path) -> Result:
    """A result file. ResearchError where it is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        content["recall"] = {action: (share, count) for action, (share, count) in content["recall"].items()}
        return Result(**content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        need = ", ".join(field.name for field in fields(Result))
        raise ResearchError(f"{file} is not a result file ({type(error).__name__}; needs {need}); remove it") from error


def read_all(folder: Path) -> list[Result]:
    """All results of a folder, by name."""
    return [read(file) for file in sorted(folder.glob("*.json"))]


def mean_and_deviation(values: Sequence[float], digits: int = 1) -> str:
    """ "MEAN ± DEVIATION", the sample standard deviation (n - 1); of one value the value alone."""
    mean = f"{np.mean(values):.{digits}f}"
    return f"{mean} ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else mean


def commit() -> str:
    """The commit of the code, "+" behind it where tracked files differ from it; "unknown" outside a checkout."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + (
            "+" if _git("status", "--porcelain", "--untracked-files=no", "--", "recognizer", "pose", "research") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
