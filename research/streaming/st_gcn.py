"""ST-GCN step by step."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.training.models.st_gcn import Block, StGcn
from research.streaming.layers import Dense, FoldedBatchNorm, GraphGather, Shortcut, Temporal, TemporalPool
from research.streaming.memory import Memory, Rate, check_one_answer


class StreamingStGcn(nn.Module):
    """The answer of an StGcn with padding "valid" to the poses until now, a step of `poses` of them at a time.

    pooled: frames of the last block that are averaged. reach: poses that an answer depends on. Raises ResearchError.
    """

    def __init__(self, network: StGcn, pooled: int, poses: int = 1) -> None:
        super().__init__()
        config = network.config
        check_one_answer(poses, config.strides)
        self.first = Rate(poses)
        self.input_norm = FoldedBatchNorm(network.input_norm, len(config.layout), by_joint=True)
        links = [network.adjacency * weight for weight in network.importance] or [network.adjacency] * len(
            config.widths
        )
        self.blocks = nn.ModuleList(
            _Block(cast(Block, block), each, stride)
            for block, each, stride in zip(network.blocks, links, config.strides, strict=True)
        )
        self.pooled, self.head = TemporalPool(pooled), network.head
        spacing = torch.tensor([1, *config.strides]).cumprod(0).tolist()
        self.reach = 1 + (config.kernel - 1) * sum(spacing[:-1]) + (pooled - 1) * spacing[-1]

    def forward(self, poses: Tensor, memory: Memory) -> Tensor:
        """The next poses (N, V, n, C) to logits (N, A)."""
        x, rate = self.input_norm(poses), self.first
        for block in self.blocks:
            x = block(x, rate, memory)
            rate = rate.after(cast(_Block, block).stride)
        logits: Tensor = self.head(self.pooled(x, rate, memory))
        return logits


class _Block(nn.Module):
    """(N, V, n, C) to (N, V, n', D). The shortcut is delayed to the middle of the kernel."""

    def __init__(self, block: Block, links: Tensor, stride: int) -> None:
        super().__init__()
        self.stride = stride
        bias = links.sum(dim=1).T @ block.gather_bias  # (V, D): it goes over the links, too
        self.gathered = GraphGather(links)
        self.gather = Dense(block.gather.weight.flatten(1), bias[:, None], block.gather_norm)
        self.temporal = Temporal(*_weight_and_bias(block.temporal), stride, block.temporal_norm)
        self.shortcut: Shortcut | None = None
        if block.residual:
            dense = None
            if isinstance(block.shortcut, nn.Sequential):
                conv, norm = cast(nn.Conv2d, block.shortcut[0]), cast(nn.BatchNorm2d, block.shortcut[1])
                weight, bias = _weight_and_bias(conv)
                dense = Dense(weight.flatten(1), bias, norm)
            self.shortcut = Shortcut(self.temporal.kernel // 2, stride, dense)

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        y = self.temporal(functional.relu(self.gather(self.gathered(x))), rate, memory)
        if self.shortcut is not None:
            y = y + self.shortcut(x, rate, memory)
        return functional.relu(y)


def _weight_and_bias(conv: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Weight (D, C, kernel) and bias (D,)."""
    assert conv.bias is not None
    return conv.weight[..., 0], conv.bias
