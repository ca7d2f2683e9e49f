"""Layers of a streaming network, made of those of a network of clips after its training.

Batch norms are multiplied into the layers before them. Frames are (N, V, n, C), see research.streaming.memory.
"""

import torch
from torch import Tensor, nn

from recognizer.training.models import st_tr
from research.streaming.memory import Memory, Rate

Norm = nn.BatchNorm1d | nn.BatchNorm2d
scale_and_shift = torch.no_grad()(st_tr.scale_and_shift)


class FoldedBatchNorm(nn.Module):
    """A batch norm over joints and channels as scale and shift. by_joint: its layout is (V, C), else (C, V)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: Norm, joints: int, *, by_joint: bool) -> None:
        super().__init__()
        for name, values in zip(("scale", "shift"), scale_and_shift(norm), strict=True):
            laid_out = values.view(joints, -1) if by_joint else values.view(-1, joints).T
            self.register_buffer(name, laid_out.float().contiguous()[:, None])  # (V, 1, C)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


class Dense(nn.Module):
    """A convolution of size 1, and a batch norm if there is one: (N, V, n, C) to (N, V, n, D).

    weight: (D, C). bias: (D,) or (V, 1, D).
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, norm: Norm | None = None) -> None:
        super().__init__()
        weight, bias = weight.detach().double(), bias.detach().double()
        if norm is not None:
            scale, shift = scale_and_shift(norm)
            weight, bias = weight * scale[:, None], bias * scale + shift
        self.register_buffer("weight", weight.T.float().contiguous())
        self.register_buffer("bias", bias.float().contiguous())

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class GraphGather(nn.Module):
    """Weighted sums of each joint's neighbours over K subsets of links: (N, V, n, C) to (N, V, n, K * C).

    links: (K, V, V), from the neighbour to the joint.
    """

    links: Tensor

    def __init__(self, links: Tensor) -> None:
        super().__init__()
        self.subsets = len(links)
        self.register_buffer("links", links.detach().permute(2, 0, 1).flatten(0, 1).contiguous())  # (V * K, V)

    def forward(self, x: Tensor) -> Tensor:
        _, v, n, c = x.shape
        y = (self.links @ x.flatten(2)).view(-1, v, self.subsets, n, c)
        if n > 1:
            y = y.transpose(2, 3)
        return y.reshape(-1, v, n, self.subsets * c)


class Temporal(nn.Module):
    """A convolution in time, and a batch norm if there is one, of the frames until the newest: no padding.

    (N, V, n, C) to (N, V, n', D). weight: (D, C, kernel). bias: (D,).
    """

    def __init__(self, weight: Tensor, bias: Tensor, stride: int = 1, norm: Norm | None = None) -> None:
        super().__init__()
        self.kernel, self.stride = weight.shape[2], stride
        self.dense = Dense(weight.permute(0, 2, 1).flatten(1), bias, norm)

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        kept, reach = rate.kept(self.stride), (self.kernel - 1) * rate.spacing
        frames = memory.extended(x, reach)[:, :, kept - 1 :]
        if rate.frames == kept:
            taps = frames[:, :, :: rate.spacing].flatten(2).unsqueeze(2)
        else:
            last = frames.shape[2] - reach
            taps = torch.cat([frames[:, :, first : first + last : kept] for first in range(self.kernel)], dim=3)
        return self.dense(taps)  # type: ignore[no-any-return]


class Shortcut(nn.Module):
    """The residual connection: the input of `delay` frames ago, through a layer if its width or rate changes."""

    def __init__(self, delay: int, stride: int, dense: nn.Module | None) -> None:
        super().__init__()
        self.delay, self.stride, self.dense = delay, stride, dense

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        kept = rate.kept(self.stride)
        x = memory.delayed(x, self.delay * rate.spacing)[:, :, kept - 1 :: kept]
        return x if self.dense is None else self.dense(x)


class TemporalPool(nn.Module):
    """Mean (N, C) over all joints and the last `count` of the network's own frames, until the newest."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        reach = (self.count - 1) * rate.spacing
        frames = memory.extended(x.mean(dim=1, keepdim=True), reach)
        return frames[:, 0, frames.shape[2] - 1 - reach :: rate.spacing].mean(dim=1)
