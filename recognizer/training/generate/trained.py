"""A trained generator on disk: generator.pt with weights, configuration and what turns its clips into joints."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pose.skeleton import LAYOUTS, Layout
from recognizer.training.errors import TrainingError
from recognizer.training.generate.generated_clips import make
from recognizer.training.generate.recipes import AnyGenerator, build
from recognizer.training.run_folder import RunError, open_content, save_content

Array = NDArray[np.float32]

GENERATOR_FILE = "generator.pt"


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """network: in eval mode. name: of its kind. job: what it was trained on and how. mean, spread: (V, 2) of the
    training clips, in torsos. seconds: (A,) that a clip of an action lasts. history: of the training."""

    network: AnyGenerator
    name: str
    config: dict[str, Any]
    job: dict[str, Any]
    actions: tuple[str, ...]
    layout: Layout
    mean: Array
    spread: Array
    seconds: tuple[float, ...]
    history: tuple[dict[str, Any], ...]
    iteration: int

    @property
    def frames(self) -> int:
        """T of its clips."""
        return int(self.config["frames"])

    def place(self, action: str) -> int:
        """Of an action; TrainingError lists those that it knows."""
        if action not in self.actions:
            raise TrainingError(f"the generator does not know {action!r}; choose one of {', '.join(self.actions)}")
        return self.actions.index(action)

    def joints(self, shares: NDArray[np.floating], seed: int) -> Array:
        """Clips (N, T, V, 2) in torsos from the middle of the hips, x right, y down; see generated_clips.make."""
        clips = make(self.network, shares, seed)
        shaped: Array = clips.reshape(*clips.shape[:2], *self.mean.shape) * self.spread + self.mean
        return shaped


def save_trained(folder: Path, trained: Trained) -> None:
    """Write generator.pt, whole or not at all."""
    content = {
        "name": trained.name,
        "config": trained.config,
        "job": trained.job,
        "actions": list(trained.actions),
        "layout": trained.layout.name,
        "mean": torch.from_numpy(trained.mean),
        "spread": torch.from_numpy(trained.spread),
        "seconds": list(trained.seconds),
        "history": list(trained.history),
        "iteration": trained.iteration,
        "weights": trained.network.state_dict(),
    }
    save_content(folder / GENERATOR_FILE, content)


def load_trained(folder: Path) -> Trained:
    """generator.pt of a finished training. Raises RunError."""
    path = folder / GENERATOR_FILE
    if not path.is_file():
        raise RunError(f"no {GENERATOR_FILE} in {folder}; train first, or give the folder of a finished training")
    with open_content(path, f"remove {folder} and train again") as content:
        network = build(content["name"], content["config"])
        network.load_state_dict(content["weights"])
        return Trained(
            network=network.eval(),
            name=content["name"],
            config=content["config"],
            job=content["job"],
            actions=tuple(content["actions"]),
            layout=LAYOUTS[content["layout"]],
            mean=content["mean"].numpy(),
            spread=content["spread"].numpy(),
            seconds=tuple(content["seconds"]),
            history=tuple(content["history"]),
            iteration=int(content["iteration"]),
        )
