"""The recognizer that evaluates generated clips.

As in the paper it is the clip discriminator without the label and with one output for each action.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from recognizer.training.loop import Batch, Hardware, StepData, Training, fit
from recognizer.training.models.sa_gcn import ClipDiscriminator

Clips = NDArray[np.float32]
Rows = NDArray[np.intp]

_BATCH = 32
_LEARNING_RATE = 3e-4
_AT_ONCE = 256
_HERE = Hardware(accelerator="cpu", precision="32-true", logs=False)


class _Draws:
    """Clips drawn at random, each batch anew."""

    def __init__(self, clips: Clips, labels: Rows, steps: int, seed: int) -> None:
        self.clips, self.labels, self.steps_per_epoch = torch.from_numpy(clips), torch.from_numpy(labels), steps
        self._rows = np.random.default_rng(seed).integers(0, len(clips), (steps, _BATCH))

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """Clips (B, T, F) and labels (B,)."""
        rows = torch.from_numpy(self._rows[step][mine])
        return self.clips[rows], self.labels[rows]


class _Recognition(Training):
    """Learns the actions of clips."""

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy."""
        clips, labels = batch
        return {"loss": functional.cross_entropy(self.network(clips), labels)}

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.network.parameters(), lr=_LEARNING_RATE)


def train_recognizer(clips: Clips, labels: Rows, actions: int, steps: int, seed: int) -> ClipDiscriminator:
    """A recognizer of standardised clips (N, T, F) with labels (N,), in eval mode."""
    torch.manual_seed(seed)
    network = ClipDiscriminator(clips.shape[2], 0, clips.shape[1], actions)
    fit(_Recognition(network, seed), StepData(_Draws(clips, labels, steps, seed), steps), None, _HERE)
    return network.eval()


def probabilities(network: ClipDiscriminator, clips: Clips) -> NDArray[np.float32]:
    """(N, A)."""
    with torch.inference_mode():
        parts = [network(part).softmax(dim=1) for part in torch.split(torch.from_numpy(clips), _AT_ONCE)]
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def accuracy(network: ClipDiscriminator, clips: Clips, labels: Rows) -> float:
    """Share of clips classified correctly."""
    return float((probabilities(network, clips).argmax(axis=1) == labels).mean())
