"""Clips of a generator, from a seed."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.training.generate.recipes import AnyGenerator

Array = NDArray[np.float32]
_AT_ONCE = 100


def make(network: AnyGenerator, shares: NDArray[np.floating], seed: int) -> Array:
    """Standardised clips (N, T, V D) of shares of the actions, (N, A) or for each frame (N, T, A).

    The same seed and N give the same noise, so that clips of different shares can be compared.
    """
    device = next(network.parameters()).device
    noise = network.noise(len(shares), torch.Generator().manual_seed(seed))
    was_training = network.training
    network.eval()
    made = []
    with torch.no_grad():
        for first in range(0, len(shares), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            label = torch.from_numpy(shares[some].astype(np.float32)).to(device)
            made.append(network(*(part[some].to(device) for part in noise), label).float().cpu().numpy())
    network.train(was_training)
    clips: Array = np.concatenate(made)
    return clips


def shares_of(labels: Sequence[int] | NDArray[np.integer], actions: int) -> Array:
    """(N, A) with 1 at the label's place."""
    shares: Array = np.eye(actions, dtype=np.float32)[np.asarray(labels, dtype=np.intp)]
    return shares
