"""The recognizer that judges generated clips.

As the paper has it, it is the clip discriminator without the label and with one output for each action.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from recognizer.training.models.sa_gcn import ClipDiscriminator

Clips = NDArray[np.float32]
Rows = NDArray[np.intp]

_BATCH = 32
_LEARNING_RATE = 3e-4
_AT_ONCE = 256


def learn(clips: Clips, labels: Rows, actions: int, steps: int, seed: int) -> ClipDiscriminator:
    """A recognizer of standardised clips (N, T, F) with labels (N,), in eval mode."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = ClipDiscriminator(clips.shape[2], 0, clips.shape[1], actions)
    optimizer = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
    x, target = torch.from_numpy(clips), torch.from_numpy(labels)
    for _ in range(steps):
        rows = torch.from_numpy(rng.integers(0, len(clips), _BATCH))
        loss = functional.cross_entropy(network(x[rows]), target[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network.eval()


def probabilities(network: ClipDiscriminator, clips: Clips) -> NDArray[np.float32]:
    """(N, A)."""
    with torch.inference_mode():
        parts = [network(part).softmax(dim=1) for part in torch.split(torch.from_numpy(clips), _AT_ONCE)]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def accuracy(network: ClipDiscriminator, clips: Clips, labels: Rows) -> float:
    """Share of clips told right."""
    return float((probabilities(network, clips).argmax(axis=1) == labels).mean())
