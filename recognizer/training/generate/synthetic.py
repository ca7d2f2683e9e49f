"""Generated clips in the exchange format (PYSKL's pickles), marked as such, with where they come from.

They stand in the split `train` alone: no figure is ever of made-up clips. What marks them: the file's `actionlens` has
the object `synthetic` (generator, seed, training), every annotation's `actionlens` has `synthetic` true, and the name
of the data set begins with "synthetic/".
"""

import contextlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.errors import ActionLensError
from recognizer.training.data import pyskl, restricted_pickle
from recognizer.training.data.recording import SYNTHETIC, Recording
from recognizer.training.generate.making import shares_of
from recognizer.training.generate.trained import Trained

SIZE_PX = (640, 480)
_HIPS_PX = (320.0, 250.0)
_TORSO_PX = 90.0  # a person whose torso is that long just fits the picture


class SyntheticError(ActionLensError):
    """Clips that cannot be made or written."""


def recordings_of(trained: Trained, action: str, count: int, seed: int) -> list[Recording]:
    """`count` clips of an action, in pixels of a picture of SIZE_PX. SetError, SyntheticError."""
    if count < 1:
        raise SyntheticError(f"--count {count} is no number of clips; give 1 or more")
    place = trained.place(action)
    joints = trained.joints(shares_of([place] * count, len(trained.actions)), seed)
    fps = (trained.frames - 1) / max(trained.seconds[place], 1e-3)
    return [_recording(trained, action, clip, fps, f"{action}_s{seed}_n{n:04d}") for n, clip in enumerate(joints)]


def _recording(trained: Trained, action: str, joints: NDArray[np.float32], fps: float, name: str) -> Recording:
    return Recording(
        dataset=SYNTHETIC + str(trained.job["generator"]["data"]),
        name=name,
        action=action,
        joints=(joints * _TORSO_PX + _HIPS_PX).astype(np.float32),
        seen=np.ones(joints.shape[:2], dtype=bool),
        layout=trained.layout,
        fps=fps,
        subject=None,
        test=False,
        size_px=SIZE_PX,
    )


def provenance(trained: Trained, seed: int) -> dict[str, Any]:
    """Where clips come from: the training, the weights' iteration, the seed, the time."""
    return {
        "generator": trained.name,
        "trained": trained.job,
        "iteration": trained.iteration,
        "seed": seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write(recordings: Sequence[Recording], source: Mapping[str, Any], file: Path) -> None:
    """Write clips, whole or not at all. source: provenance. SyntheticError where that does not work."""
    content = pyskl.recordings_to_pyskl(recordings, {"train": [r.name for r in recordings], "test": []})
    content[pyskl.OURS]["synthetic"] = dict(source)
    for annotation in content["annotations"]:
        annotation[pyskl.OURS]["synthetic"] = True
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        restricted_pickle.save(content, temporary)
        os.replace(temporary, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise SyntheticError(f"cannot write {file} ({error.strerror}); choose another place") from error
