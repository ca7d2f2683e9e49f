"""S-TR and T-TR step by step.

S-TR's attention is over the joints of each frame, so that S-TR answers as its network of clips does without padding.
T-TR's is over all frames of a clip, and each of its layers changes what all frames hand to the next with every new
pose. Here only the newest frame asks, as in the last layer of a Continual Transformer, and what a frame handed on
stays as it was: the network of clips whose frames attend to themselves and to earlier ones alone. That is another
answer than T-TR's own from the same weights.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.training.models.st_tr import (
    CONCAT_UNIT,
    AdaptiveGraphConv,
    ConvUnit,
    GraphConv,
    SpatialTransformer,
    StTr,
    TemporalTransformer,
    Unit,
)
from research.errors import ResearchError
from research.streaming.layers import (
    Dense,
    FoldedBatchNorm,
    GraphGather,
    Shortcut,
    Temporal,
    TemporalPool,
    scale_and_shift,
)
from research.streaming.memory import Memory, Rate, check_one_answer


class StreamingStTr(nn.Module):
    """The answer of an StTr without padding to the poses until now, a step of `poses` of them at a time.

    pooled: frames of the last unit that are averaged. reach: poses that an answer depends on; with attention over
    frames, the least number of poses after which nothing earlier is looked at. Raises ResearchError for variants whose
    layers need a whole clip.
    """

    def __init__(self, network: StTr, pooled: int, poses: int = 1) -> None:
        super().__init__()
        config = network.config
        strides = [stride for _, stride in config.units]
        _check(network)
        check_one_answer(poses, strides)
        self.first, self.parents = Rate(poses), network.parents if config.bones else None
        norm = network.input_norm
        self.input_norm = None if norm is None else FoldedBatchNorm(norm, len(config.layout), by_joint=True)
        units = cast(list[Unit], list(network.units))
        self.stem = None if network.stem is None else _Unit(network.stem, 1, config.frames)
        self.units = nn.ModuleList()
        frames = config.frames
        for unit, stride in zip(units, strides, strict=True):
            frames = -(-frames // stride)
            self.units.append(_Unit(unit, stride, frames))
        self.concat_unit = CONCAT_UNIT if config.concat_input else -1
        self.pooled, self.head = TemporalPool(pooled), network.head
        self.reach, spacing = 1, 1
        for each in ([] if self.stem is None else [self.stem]) + cast(list[_Unit], list(self.units)):
            self.reach += each.reach * spacing + each.reach_after * spacing * each.stride
            spacing *= each.stride
        self.reach += (pooled - 1) * spacing

    def forward(self, poses: Tensor, memory: Memory) -> Tensor:
        """The next poses (N, V, n, C) to logits (N, A)."""
        if self.parents is not None:
            poses = torch.cat([poses, poses - poses[:, self.parents]], dim=3)
        x = poses if self.input_norm is None else self.input_norm(poses)
        rate, delay = self.first, 0
        if self.stem is not None:
            x, delay = self.stem(x, rate, memory), self.stem.delay
        for place, unit in enumerate(cast(list[_Unit], list(self.units))):
            if place == self.concat_unit:
                x = torch.cat([x, memory.delayed(poses, delay)], dim=3)
            x, delay = unit(x, rate, memory), delay + unit.delay * rate.spacing
            rate = rate.after(unit.stride)
        logits: Tensor = self.head(self.pooled(x, rate, memory))
        return logits


def _check(network: StTr) -> None:
    """Raise ResearchError where a layer needs a whole clip."""
    if network.config.people != 1:
        raise ResearchError(f"a stream is of one person; build the network with people=1, not {network.config.people}")
    for unit in network.units:
        if isinstance(unit.spatial, AdaptiveGraphConv):
            raise ResearchError("adaptive graph convolution makes its links of a whole clip; set adaptive=false")
        if isinstance(unit.temporal, TemporalTransformer):
            if unit.temporal.attention.window:
                raise ResearchError("attention within windows of a clip has none in a stream; set all_layers=false")
            if unit.temporal.convolution is not None:
                raise ResearchError("attention beside a convolution in time runs ahead of it; set augmented=false")


class _Unit(nn.Module):
    """(N, V, n, C) to (N, V, n', D).

    delay: input frames by which its output lags. reach, reach_after: frames that it looks back over, before and after
    its stride.
    """

    def __init__(self, unit: Unit, stride: int, frames: int) -> None:
        super().__init__()
        self.stride = stride
        self.spatial: nn.Module
        if isinstance(unit.spatial, GraphConv):
            self.spatial = _GraphConv(unit.spatial)
        else:
            self.spatial = _SpatialAttention(cast(SpatialTransformer, unit.spatial))
        self.temporal: _TemporalConv | _TemporalAttention
        if isinstance(unit.temporal, TemporalTransformer):
            self.temporal = _TemporalAttention(unit.temporal, stride, frames)
            self.delay, self.reach, self.reach_after = self.temporal.delay, self.temporal.delay, frames - 1
        else:
            self.temporal = _TemporalConv(cast(ConvUnit, unit.temporal), stride)
            self.reach, self.reach_after = self.temporal.conv.kernel - 1, 0
            self.delay = self.reach // 2
        self.shortcut = _shortcut(unit.shortcut, self.delay, stride) if unit.skip else None

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        y: Tensor = self.temporal(self.spatial(x), rate, memory)
        return y if self.shortcut is None else y + self.shortcut(x, rate, memory)


class _GraphConv(nn.Module):
    """Graph convolution, norm, ReLU."""

    def __init__(self, unit: GraphConv) -> None:
        super().__init__()
        self.gathered = GraphGather(unit.adjacency if unit.importance is None else unit.adjacency * unit.importance)
        self.dense = Dense(unit.gather.weight.flatten(1), unit.gather.bias.sum(dim=0), unit.norm)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.dense(self.gathered(x)))


class _SpatialAttention(nn.Module):
    """SSA as in the network of clips: it works on each frame by itself."""

    def __init__(self, unit: SpatialTransformer) -> None:
        super().__init__()
        self.unit = unit

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.unit(x.permute(0, 3, 2, 1))
        return y.permute(0, 3, 2, 1)


class _TemporalConv(nn.Module):
    """Convolution in time, norm, ReLU."""

    def __init__(self, unit: ConvUnit, stride: int) -> None:
        super().__init__()
        assert unit.conv.bias is not None
        self.conv = Temporal(unit.conv.weight[..., 0], unit.conv.bias, stride, unit.norm)

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        return functional.relu(self.conv(x, rate, memory))


def _shortcut(unit: nn.Module | None, delay: int, stride: int) -> Shortcut:
    if not isinstance(unit, ConvUnit):
        return Shortcut(delay, stride, None)
    assert unit.conv.bias is not None
    return Shortcut(
        delay, stride, nn.Sequential(Dense(unit.conv.weight[..., 0, 0], unit.conv.bias, unit.norm), nn.ReLU())
    )


class _TemporalAttention(nn.Module):
    """TSA in which each frame sees itself and the frames - 1 before it.

    delay: frames from the start of the newest kernel of qkv to the newest frame.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, unit: TemporalTransformer, stride: int, frames: int) -> None:
        super().__init__()
        attention = unit.attention
        bias, order = attention.qkv.bias, attention.order
        assert bias is not None
        joints = 1 if unit.normalise is None else unit.normalise.num_features // attention.qkv.in_channels
        self.normalise = None if unit.normalise is None else FoldedBatchNorm(unit.normalise, joints, by_joint=False)
        self.qkv = Temporal(attention.qkv.weight[order][..., 0], bias[order], stride)
        self.out = Dense(attention.out.weight.flatten(1), cast(Tensor, attention.out.bias))
        self.delay, self.frames, self.stride = self.qkv.kernel - 1, frames, stride
        self.heads, self.key, self.scaled = attention.heads, attention.key, attention.scale
        self.relative = attention.relative
        self.shortcut = _shortcut(unit.shortcut, self.delay, stride) if unit.skip else None
        for name, values in zip(("scale", "shift"), scale_and_shift(unit.norm), strict=True):
            self.register_buffer(name, values.float())

    def forward(self, x: Tensor, rate: Rate, memory: Memory) -> Tensor:
        found = self.qkv(x if self.normalise is None else self.normalise(x), rate, memory)
        n, v, count = found.shape[:3]
        q, new_keys_values = torch.split(
            found.view(n, v, count, self.heads, -1), [self.key, self._key_value_width(found)], dim=4
        )
        spacing = rate.after(self.stride).spacing
        reach = (self.frames - 1) * spacing
        keys_values = memory.extended(new_keys_values.flatten(3), reach)  # (N, V, reach + n', H * (key + value))
        keys_values = keys_values.view(n, v, -1, self.heads, self._key_value_width(found))
        answers = [self._attend(q[:, :, f], keys_values[:, :, f : f + reach + 1 : spacing]) for f in range(count)]
        y: Tensor = self.out(torch.stack(answers, dim=2))
        if self.shortcut is not None:
            y = y + self.shortcut(x, rate, memory)
        return functional.relu(y * self.scale + self.shift)

    def _key_value_width(self, found: Tensor) -> int:
        return found.shape[3] // self.heads - self.key

    def _attend(self, q: Tensor, keys_values: Tensor) -> Tensor:
        """A frame's queries (N, V, H, key), and keys and values (N, V, L, H, key + value), to (N, V, H * value)."""
        keys_values = keys_values.transpose(2, 3)  # (N, V, H, L, key + value)
        k, v = torch.split(keys_values, [self.key, keys_values.shape[4] - self.key], dim=4)
        q = q.unsqueeze(3) * self.scaled
        scores = q @ k.transpose(3, 4)  # (N, V, H, 1, L)
        if self.relative is not None:
            scores = scores + q @ self.relative[: self.frames].T
        return (scores.softmax(dim=4) @ v).flatten(2)
