"""Generated clips in the exchange format (PYSKL's pickles), marked as such, with where they come from.

They are made by a finished training or by an exported generator, and stand in the split `train` alone: no figure is
ever of made-up clips. What marks them: the file's `actionlens` has the object `synthetic` (generator, seed, training),
every annotation's `actionlens` has `synthetic` true, and the name of the data set begins with "synthetic/".
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from pose.whole_file import atomic_write
from recognizer.datasets import pyskl, restricted_pickle
from recognizer.datasets.sequences import SYNTHETIC, ActionSequence
from recognizer.generator import OnnxGenerator
from recognizer.training.errors import TrainingError
from recognizer.training.generate.generated_clips import shares_of
from recognizer.training.generate.trained import Trained

SIZE_PX = (640, 480)
_HIPS_PX = (320.0, 250.0)
_TORSO_PX = 90.0  # a person whose torso is that long just fits the picture


def recordings_of(trained: Trained, action: str, count: int, seed: int) -> list[ActionSequence]:
    """`count` clips of an action, in pixels of a picture of SIZE_PX. TrainingError."""
    place = trained.place(action)
    joints = trained.joints(shares_of([place] * count, len(trained.actions)), seed)
    fps = (trained.frames - 1) / max(trained.seconds[place], 1e-3)
    return _recordings(joints, action, seed, fps, trained.layout, str(trained.job["generator"]["data"]))


def recordings_of_exported(generator: OnnxGenerator, action: str, count: int, seed: int) -> list[ActionSequence]:
    """As recordings_of, of other noise. GeneratorError, TrainingError."""
    clips = generator.clips(action, count, seed)
    joints = np.stack([clip.joints for clip in clips])
    try:
        data = str(generator.card.trained["generator"]["data"])
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{generator.folder}: the card names no data set; export the generator again") from error
    return _recordings(joints, action, seed, clips[0].fps, generator.card.layout, data)


def _recordings(
    clips: NDArray[np.float32], action: str, seed: int, fps: float, layout: Layout, data: str
) -> list[ActionSequence]:
    """Of clips (N, T, V, 2) in torsos. data: the set that the generator was trained on."""
    return [
        ActionSequence(
            dataset=SYNTHETIC + data,
            name=f"{action}_s{seed}_n{number:04d}",
            action=action,
            joints=(joints * _TORSO_PX + _HIPS_PX).astype(np.float32),
            seen=np.ones(joints.shape[:2], dtype=bool),
            layout=layout,
            fps=fps,
            subject=None,
            test=False,
            size_px=SIZE_PX,
        )
        for number, joints in enumerate(clips)
    ]


def provenance(trained: Trained, seed: int) -> dict[str, Any]:
    """Where clips come from: the training, the weights' iteration, the seed, the time."""
    return {
        "generator": trained.name,
        "trained": trained.job,
        "iteration": trained.iteration,
        "seed": seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def provenance_of_exported(generator: OnnxGenerator, seed: int) -> dict[str, Any]:
    """As provenance, with the SHA-256 of the graph."""
    card = generator.card
    return {
        "generator": card.name,
        "sha256": card.sha256,
        "trained": dict(card.trained),
        "iteration": card.iteration,
        "seed": seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write(recordings: Sequence[ActionSequence], source: Mapping[str, Any], file: Path) -> None:
    """Write clips, whole or not at all. source: provenance. OSError."""
    content = pyskl.sequences_to_pyskl(recordings, {"train": [r.name for r in recordings], "test": []})
    content[pyskl.OURS]["synthetic"] = dict(source)
    for annotation in content["annotations"]:
        annotation[pyskl.OURS]["synthetic"] = True
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as temporary:
        restricted_pickle.save(content, temporary)
