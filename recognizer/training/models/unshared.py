"""What ST-GCN is compared with in Table 1 of its paper: networks whose joints do not share weights.

N clips (times people), C channels in, D out, T frames, V joints, L links.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose.skeleton import Layout
from recognizer.training.models.graph import layout_of


class LocalConvolution(nn.Module):
    """Graph convolution in which each link has a weight matrix, and each joint a bias, of its own: "local convolution".

    linked: (V, V) bool, from and to.
    """

    source: Tensor
    target: Tensor

    def __init__(self, channels: int, width: int, linked: Tensor) -> None:
        super().__init__()
        source, target = linked.nonzero(as_tuple=True)
        self.register_buffer("source", source, persistent=False)  # (L,)
        self.register_buffer("target", target, persistent=False)
        self.weight = nn.Parameter(torch.randn(len(source), channels, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(len(linked), width))

    def forward(self, x: Tensor, links: Tensor) -> Tensor:
        """x (N, C, T, V) and links (1, V, V), how much each counts, to (N, D, T, V)."""
        n, c, t, v = x.shape
        joints = x.permute(3, 0, 2, 1).reshape(v, n * t, c)
        weight = self.weight * links[0, self.source, self.target, None, None]
        gathered = torch.bmm(joints[self.source], weight)  # (L, N * T, D)
        start = self.bias[:, None].to(gathered.dtype).expand(v, n * t, -1)  # bfloat16 in mixed precision
        y = torch.index_add(start, 0, self.target, gathered)  # (V, N * T, D)
        return y.view(v, n, t, -1).permute(1, 3, 2, 0)


@dataclass(frozen=True, slots=True)
class TcnConfig:
    """Size of the network; widths, strides, kernel and dropout are those of ST-GCN, with which it is compared."""

    channels: int
    outputs: int
    joints: Layout | str = "mpose-13"
    dropout: float = 0.5
    widths: tuple[int, ...] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
    strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
    kernel: int = 9

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if len(self.widths) != len(self.strides):
            raise ValueError(f"{len(self.widths)} widths but {len(self.strides)} strides")


class Tcn(nn.Module):
    """Clips (N, C, T, V, M), any T, to logits (N, A): the numbers of all joints of a frame are its channels, and
    convolutions go over time alone ("baseline TCN", after Kim and Reiter, 2017)."""

    def __init__(self, config: TcnConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels * len(layout_of(config.joints))
        self.input_norm = nn.BatchNorm1d(channels)
        self.blocks = nn.ModuleList()
        for place, (width, stride) in enumerate(zip(config.widths, config.strides, strict=True)):
            self.blocks.append(TcnBlock(channels, width, config, stride=stride, residual=place > 0))
            channels = width
        self.head = nn.Linear(channels, config.outputs)

    def forward(self, clips: Tensor) -> Tensor:
        n, c, t, v, m = clips.shape
        x: Tensor = self.input_norm(clips.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t))
        for block in self.blocks:
            x = block(x)  # (N * M, D, T')
        logits: Tensor = self.head(x.mean(dim=2).view(n, m, -1).mean(dim=1))
        return logits


class TcnBlock(nn.Module):
    """Convolution in time, added to the input; without `residual` neither that nor dropout."""

    def __init__(self, channels: int, width: int, config: TcnConfig, *, stride: int, residual: bool) -> None:
        super().__init__()
        self.temporal = nn.Conv1d(channels, width, config.kernel, stride, config.kernel // 2)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(config.dropout if residual else 0.0)
        self.residual = residual
        self.shortcut: nn.Module = nn.Identity()
        if residual and (channels != width or stride != 1):
            self.shortcut = nn.Sequential(nn.Conv1d(channels, width, 1, stride), nn.BatchNorm1d(width))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, T) to (N, D, T')."""
        y: Tensor = self.dropout(self.norm(self.temporal(x)))
        return functional.relu(y + self.shortcut(x) if self.residual else y)
