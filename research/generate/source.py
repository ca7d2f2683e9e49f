"""A generator to draw from: a finished training, or one that is exported."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.generator import OnnxGenerator, shipped_generator
from recognizer.training.generate.trained import load_trained

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """joints: clips (N, T, V, 2) in torsos of shares of the actions (N, A) and a seed; the same seed
    gives clip n the same noise. data: the name in sets.SETS of what it was trained on. place: index of an action, or an
    error that lists them."""

    actions: tuple[str, ...]
    layout: Layout
    frames: int
    data: str
    place: Callable[[str], int]
    joints: Callable[[Array, int], Array]


def source_of(run: Path | None, exported: Path | None) -> Source:
    """Of a run's folder, or of an exported generator's (the shipped one by default). RunError, CardError,
    GeneratorError."""
    if run is not None:
        trained = load_trained(run)
        data = str(trained.job["generator"]["data"])
        return Source(trained.actions, trained.layout, trained.frames, data, trained.place, trained.joints)
    generator = OnnxGenerator(exported or shipped_generator())
    card = generator.card
    data = str(card.trained.get("generator", {}).get("data", ""))

    def joints(shares: Array, seed: int) -> Array:
        label = np.repeat(shares[:, None].astype(np.float32), card.frames, axis=1)
        return generator.joints(generator.noise(seed, range(len(shares))), label)

    return Source(card.actions, card.layout, card.frames, data, generator.place, joints)
