"""DD-Net, double features and double motion (Yang et al., ACM Multimedia Asia 2019), of the published code's size.

Its input features are computed here from positions and velocities of joints: the distances of all pairs of joints in
each frame, which are invariant to rotation, and the motion at two speeds, over one frame and over two. Convolutions
over time follow. N clips, C channels of a joint, T frames, V joints, D dimensions, A outputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose.skeleton import Layout
from recognizer.training.models.inside import Inside

_KINDS = 3  # of channels: positions, velocities, and directions of bones, which it leaves out
_SLOPE = 0.2  # of LeakyReLU below 0, as published


@dataclass(frozen=True, slots=True)
class DdNetConfig:
    """Size of the network; the defaults are the published ones.

    channels: C, of positions, velocities and directions in D dimensions. filters: of the embeddings. dropout: of whole
    channels of the embeddings. head_dropout: of the two layers of `hidden` channels before the output.
    """

    channels: int
    outputs: int
    joints: Layout
    filters: int = 64
    hidden: int = 128
    dropout: float = 0.1
    head_dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.channels % _KINDS:
            raise ValueError("it needs positions, velocities and directions; use a recipe such as short-clips")

    @property
    def dims(self) -> int:
        """D."""
        return self.channels // _KINDS


class DdNet(nn.Module):
    """Clips (N, C, T, V, 1), T at least 8, to logits (N, A)."""

    pairs: Tensor

    def __init__(self, config: DdNetConfig) -> None:
        super().__init__()
        self.config = config
        joints, filters = len(config.joints), config.filters
        pairs = torch.triu_indices(joints, joints, offset=1)
        self.register_buffer("pairs", pairs, persistent=False)
        coordinates = joints * config.dims
        self.distances = _embedding(pairs.shape[1], filters, config.dropout, nn.MaxPool1d(2))
        self.slow = _embedding(coordinates, filters, config.dropout, nn.MaxPool1d(2))
        self.fast = _embedding(coordinates, filters, config.dropout, nn.Identity())
        self.body = nn.Sequential(
            *_double_convolution(3 * filters, 2 * filters),
            nn.MaxPool1d(2),
            *_double_convolution(2 * filters, 4 * filters),
            nn.MaxPool1d(2),
            *_double_convolution(4 * filters, 8 * filters),
            nn.AdaptiveMaxPool1d(1),
            nn.Flatten(),
        )
        self.head = nn.Sequential(
            *_dense(8 * filters, config.hidden, config.head_dropout),
            *_dense(config.hidden, config.hidden, config.head_dropout),
            nn.Linear(config.hidden, config.outputs),
        )

    def forward(self, clips: Tensor) -> Tensor:
        return self.head(self.body_features(clips))  # type: ignore[no-any-return]

    def inside(self, clips: Tensor) -> Inside:
        """Logits and embedding; there is no attention in it."""
        embedding = self.head[:-1](self.body_features(clips))
        return Inside(self.head[-1](embedding), embedding)

    def fixed(self) -> dict[str, Tensor]:
        """Nothing: every output depends on the clip."""
        return {}

    def body_features(self, clips: Tensor) -> Tensor:
        """(N, 8 filters), the maximum over time of each channel of the body."""
        dims = self.config.dims
        position, velocity = clips[:, :dims, ..., 0], clips[:, dims : 2 * dims, ..., 0]
        slow = velocity.transpose(2, 3).flatten(1, 2)  # (N, D * V, T)
        half = slow.shape[2] // 2 * 2
        fast = slow[..., 0:half:2] + slow[..., 1:half:2]
        embedded = [self.distances(self.pair_distances(position)), self.slow(slow), self.fast(fast)]
        return self.body(torch.cat(embedded, dim=1))  # type: ignore[no-any-return]

    def pair_distances(self, position: Tensor) -> Tensor:
        """Distances (N, V (V - 1) / 2, T) of pairs of joints (N, D, T, V); 0 where one was not seen, which is at 0."""
        one, other = self.pairs.unbind()
        seen = (position != 0).any(dim=1)
        distance: Tensor = torch.linalg.vector_norm(position[..., one] - position[..., other], dim=1)
        return (distance * seen[..., one] * seen[..., other]).transpose(1, 2)


def _embedding(channels: int, filters: int, dropout: float, pool: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        *_convolution(channels, filters, 1),
        nn.Dropout1d(dropout),
        *_convolution(filters, filters, 3),
        nn.Dropout1d(dropout),
        *_convolution(filters, filters, 1),
        pool,
        nn.Dropout1d(dropout),
    )


def _double_convolution(channels: int, filters: int) -> list[nn.Module]:
    return [*_convolution(channels, filters, 3), *_convolution(filters, filters, 3)]


def _convolution(channels: int, filters: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv1d(channels, filters, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm1d(filters), nn.LeakyReLU(_SLOPE)]


def _dense(channels: int, hidden: int, dropout: float) -> list[nn.Module]:
    layer = nn.Linear(channels, hidden, bias=False)
    return [layer, nn.BatchNorm1d(hidden), nn.LeakyReLU(_SLOPE), nn.Dropout(dropout)]
