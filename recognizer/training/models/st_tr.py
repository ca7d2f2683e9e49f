"""ST-TR, spatial temporal transformer networks (Plizzari, Cannici, Matteucci, CVIU 208-209, 2021).

S-TR attends over the joints of each frame (SSA), T-TR over the frames of each joint (TSA), ST-TR-1s does both in one
stream, and StTrFusion adds the logits of S-TR and T-TR. N clips, C channels, T frames, V joints, M people, K subsets of
the graph, H heads, D width, A outputs; inside the network N counts people, too.

Where paper and published code differ the code is the default: ten stages and not nine; values of full width; the
input's own coordinates concatenated before the fourth unit (`concat_input`); no shortcut inside SSA where the width
changes; fusion of logits and not of probabilities; DropAttention at 0.5 after the softmax. The code also makes three
kinds of parameters that it never uses, which are left out here: `person_bn` (2 for each channel of the last width: 512
of the published S-TR 3,075,338, T-TR 1,768,870, T-TR-agcn 2,140,358 and ST-TR-1s 1,743,178), `data_bn` of an SSA
without data normalisation, `down` of a TSA without skip connection.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose.skeleton import Layout
from recognizer.training.models.graph import Graph, layout_of
from recognizer.training.models.inside import Inside, class_activation

# Attention over joints, attention over frames; `base` is the network with graph and temporal convolutions alone.
KINDS = {"s-tr": (True, False), "t-tr": (False, True), "st-tr-1s": (True, True), "base": (False, False)}
CONCAT_UNIT = 3  # the input's coordinates enter before this unit
Maps = list[Tensor]


@dataclass(frozen=True, slots=True)
class StTrConfig:
    """Size and variant of one stream; the defaults are the published ones.

    kind: one of KINDS. joints: a layout or its name. people: M; each has its own input normalisation.
    frames: T of training; only relative positions in time depend on it. strategy: of Graph.
    width: of the first units, then twice and four times as much. bones: the network adds to each joint the vector
    from its parent as further channels. all_layers: attention in every unit, in time within `window` frames where the
    width is the first. augmented: attention beside convolution, with `values` of the channels, and not instead of it.
    keys: share of a unit's width for queries and keys. more_channels: a head has 1/more_channels of them, not 1/heads.
    adaptive: adaptive graph convolution (-agcn), without the skeleton, which the published code loses by an accident.
    importance: learn a weight of each link. relative: relative positions. skeleton_bias: adds a weighted
    adjacency to the scores of SSA (the published code multiplies its weight in again at every call; here once).
    drop_attention: rate. padding: of temporal convolutions, zero or replicate. normalise, skip: inside attention units.
    """

    channels: int
    outputs: int
    joints: Layout | str = "mpose-13"
    people: int = 1
    kind: str = "s-tr"
    frames: int = 30
    dropout: float = 0.5
    strategy: str = "directed"
    width: int = 64
    strides: tuple[int, ...] = (1, 1, 1, 2, 1, 1, 2, 1, 1)
    kernel: int = 9
    padding: str = "zero"
    heads: int = 8
    keys: float = 0.25
    values: float = 0.25
    more_channels: int = 0
    drop_attention: float = 0.5
    bones: bool = False
    concat_input: bool = True
    all_layers: bool = False
    window: int = 10
    augmented: bool = False
    adaptive: bool = False
    importance: bool = True
    relative: bool = False
    skeleton_bias: bool = False
    normalise_input: bool = True
    normalise: bool = True
    skip: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind {self.kind!r} of ST-TR; known are {', '.join(KINDS)}")
        if self.padding not in ("zero", "replicate"):
            raise ValueError(f"padding must be zero or replicate, got {self.padding!r}")
        if len(self.strides) != 9:
            raise ValueError(f"expected 9 strides, got {len(self.strides)}")

    @property
    def layout(self) -> Layout:
        """The joints."""
        return layout_of(self.joints)

    @property
    def units(self) -> list[tuple[int, int]]:
        """Width and stride of each unit."""
        first = [(self.width, 1)] if self.all_layers else []
        return first + [(self.width * 2 ** (place // 3), stride) for place, stride in enumerate(self.strides)]


class StTr(nn.Module):
    """Clips (N, C, T, V, M) to logits (N, A)."""

    def __init__(self, config: StTrConfig) -> None:
        super().__init__()
        self.config = config
        layout = config.layout
        adjacency = torch.from_numpy(Graph(layout, config.strategy).adjacency)  # (K, V, V)
        channels = config.channels * (2 if config.bones else 1)
        self.input_norm = nn.BatchNorm1d(config.people * len(layout) * channels) if config.normalise_input else None
        if config.bones:
            self.parents = [int(joint) for joint in layout.parents]
        x, frames = channels, config.frames
        self.stem: Unit | None = None
        if not config.all_layers:
            self.stem = Unit(x, config.width, adjacency, config, frames=frames, stem=True)
            x = config.width
        self.units = nn.ModuleList()
        for place, (width, stride) in enumerate(config.units):
            x += channels if place == CONCAT_UNIT and config.concat_input else 0
            frames = math.ceil(frames / stride)
            self.units.append(Unit(x, width, adjacency, config, stride=stride, frames=frames))
            x = width
        self.head = nn.Linear(x, config.outputs)
        nn.init.normal_(self.head.weight, 0, math.sqrt(2 / config.outputs))

    def forward(self, clips: Tensor, maps: Maps | None = None) -> Tensor:
        """maps: takes the attention of each layer in order: SSA (N * M, H, T', V, V), TSA (N * M, H, V, T', T'), one
        for each window where TSA has windows, adaptive graph convolution (N * M, V, V) for each of its K subsets."""
        logits: Tensor = self.head(self._pooled(clips, maps)[0])
        return logits

    def inside(self, clips: Tensor) -> Inside:
        """attention: spatial_attention_1.. (N, H, T', V, V) of the SSA layers and temporal_attention_1.. (N, H, V, T',
        T') of the TSA layers without windows, queries first; of one person. Neither is there in -agcn."""
        maps: Maps = []
        pooled, found = self._pooled(clips, maps)
        attention = self._named(maps, clips.shape[2]) if not self.config.adaptive and clips.shape[4] == 1 else {}
        return Inside(self.head(pooled), pooled, attention, class_activation(self.head, found))

    def fixed(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def make_precise(self) -> None:
        """Graph convolutions before attention over frames are precise from now on: trained, that attention is so sharp
        that rounding in their long sums made most of its error. T-TR takes longer, a wide one by a quarter."""
        for unit in self.units:
            if isinstance(unit.temporal, TemporalTransformer) and isinstance(unit.spatial, GraphConv):
                unit.spatial.precise = True

    def _named(self, maps: Maps, frames: int) -> dict[str, Tensor]:
        """Maps of layers by their names."""
        named: dict[str, Tensor] = {}
        spatial, temporal, left = 0, 0, iter(maps)
        for unit, (_, stride) in zip(self.units, self.config.units, strict=True):
            if isinstance(unit.spatial, SpatialTransformer):
                spatial += 1
                named[f"spatial_attention_{spatial}"] = next(left)
            frames = math.ceil(frames / stride)
            if isinstance(unit.temporal, TemporalTransformer):
                window = unit.temporal.attention.window
                parts = [next(left) for _ in range(math.ceil(frames / window) if window else 1)]
                if not window:
                    temporal += 1
                    named[f"temporal_attention_{temporal}"] = parts[0]
        return named

    def _pooled(self, clips: Tensor, maps: Maps | None) -> tuple[Tensor, Tensor]:
        """What the head reads (N, D), and that before the mean over frames and joints (N, D, T', V)."""
        if self.config.bones:
            clips = torch.cat([clips, clips - clips[:, :, :, self.parents]], dim=1)
        _, c, t, v, m = clips.shape
        raw = clips.permute(0, 4, 1, 2, 3).reshape(-1, c, t, v)  # (N * M, C, T, V)
        x = raw if self.input_norm is None else self._normalised(clips, raw, self.input_norm)
        if self.stem is not None:
            x = self.stem(x, maps)
        for place, unit in enumerate(self.units):
            if place == CONCAT_UNIT and self.config.concat_input:
                x = torch.cat([x, raw], dim=1)
            x = unit(x, maps)
        return _mean_person(x.mean(dim=(2, 3)), m), _mean_person(x, m)

    def _normalised(self, clips: Tensor, raw: Tensor, norm: nn.BatchNorm1d) -> Tensor:
        """`raw` (N * M, C, T, V) of the clips (N, C, T, V, M), with statistics of each person, joint and channel."""
        _, c, t, v, m = clips.shape
        if self.training:
            x = norm(clips.permute(0, 4, 3, 1, 2).reshape(-1, m * v * c, t))
            return x.view(-1, v, c, t).permute(0, 2, 3, 1)  # type: ignore[no-any-return]
        scale, shift = (each.to(raw.dtype).view(m, v, c).transpose(1, 2).unsqueeze(2) for each in scale_and_shift(norm))
        return (raw.view(-1, m, c, t, v) * scale + shift).view(-1, c, t, v)


def _mean_person(x: Tensor, people: int) -> Tensor:
    """(N * M, ...) to (N, ...)."""
    return x if people == 1 else x.view(-1, people, *x.shape[1:]).mean(dim=1)


class StTrFusion(nn.Module):
    """ST-TR: the logits of S-TR and T-TR added."""

    def __init__(self, spatial: StTr, temporal: StTr) -> None:
        super().__init__()
        self.spatial, self.temporal = spatial, temporal

    def forward(self, clips: Tensor) -> Tensor:
        """Clips (N, C, T, V, M) to logits (N, A)."""
        logits: Tensor = self.spatial(clips) + self.temporal(clips)
        return logits

    def inside(self, clips: Tensor) -> Inside:
        """S-TR's and T-TR's together."""
        a, b = self.spatial.inside(clips), self.temporal.inside(clips)
        assert a.activation is not None
        assert b.activation is not None
        added = a.activation + b.activation  # both have shortened the clip alike
        embedding = torch.cat([a.embedding, b.embedding], dim=1)
        return Inside(a.logits + b.logits, embedding, {**a.attention, **b.attention}, added)

    def fixed(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}


class Unit(nn.Module):
    """Something over joints, then something over frames, added to the input; a stem has neither attention nor shortcut.

    (N, C, T, V) to (N, D, T', V). frames: T' of training.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        adjacency: Tensor,
        config: StTrConfig,
        *,
        stride: int = 1,
        frames: int,
        stem: bool = False,
    ) -> None:
        super().__init__()
        over_joints, over_frames = KINDS[config.kind]
        attends = (width > config.width or config.all_layers) and not stem
        self.spatial: nn.Module
        self.temporal: nn.Module
        if attends and over_joints:
            self.spatial = SpatialTransformer(channels, width, adjacency, config)
        elif config.adaptive:
            self.spatial = AdaptiveGraphConv(channels, width, adjacency)
        else:
            self.spatial = GraphConv(channels, width, adjacency, importance=config.importance)
        if attends and over_frames:
            window = config.window if config.all_layers and width == config.width else 0
            self.temporal = TemporalTransformer(width, width, config, stride=stride, frames=frames, window=window)
        else:
            dropout = 0.0 if stem else config.dropout
            self.temporal = ConvUnit(width, width, config.kernel, stride, dropout=dropout, padding=config.padding)
        self.skip = not stem
        self.shortcut: nn.Module | None = None
        if self.skip and (channels != width or stride != 1):
            self.shortcut = ConvUnit(channels, width, 1, stride)

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        y: Tensor = self.temporal(self.spatial(x, maps), maps)
        if self.skip:
            y = y + (x if self.shortcut is None else self.shortcut(x))
        return y


class ConvUnit(nn.Module):
    """Dropout, convolution over frames, batch norm, ReLU: (N, C, T, V) to (N, D, T', V)."""

    def __init__(
        self, channels: int, width: int, kernel: int, stride: int, *, dropout: float = 0.0, padding: str = "zero"
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        mode: Literal["replicate", "zeros"] = "replicate" if padding == "replicate" else "zeros"
        self.conv = nn.Conv2d(channels, width, (kernel, 1), (stride, 1), (kernel // 2, 0), padding_mode=mode)
        self.norm = nn.BatchNorm2d(width)
        nn.init.normal_(self.conv.weight, 0, math.sqrt(2 / (width * kernel)))

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        return functional.relu(self.norm(self.conv(self.dropout(x))))


class GraphConv(nn.Module):
    """Each joint gathers from its neighbours, each subset with weights of its own: (N, C, T, V) to (N, D, T, V).

    precise: after training, channels are multiplied in double precision.
    """

    adjacency: Tensor

    def __init__(
        self, channels: int, width: int, adjacency: Tensor, *, importance: bool, activated: bool = True
    ) -> None:
        super().__init__()
        self.precise = False
        self.register_buffer("adjacency", adjacency, persistent=False)  # (K, V, V)
        self.importance = nn.Parameter(torch.ones_like(adjacency)) if importance else None
        self.gather = Gather(channels, width, len(adjacency))
        self.norm = nn.BatchNorm2d(width) if activated else None

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        links = self.adjacency if self.importance is None else self.adjacency * self.importance
        if self.precise and self.norm is not None and not self.training:
            return functional.relu(self.gather.normalised(x, links, self.norm))
        x = self.gather(x, links)
        return x if self.norm is None else functional.relu(self.norm(x))


class Gather(nn.Module):
    """Products with K matrices of links, then one 1x1 convolution of all; biases one for each subset, as published."""

    def __init__(self, channels: int, width: int, subsets: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, subsets * channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(subsets, width))
        nn.init.normal_(self.weight, 0, math.sqrt(2 / width))
        nn.init.uniform_(self.bias, -(channels**-0.5), channels**-0.5)

    def forward(self, x: Tensor, links: Tensor) -> Tensor:
        """x (N, C, T, V) and links (K, V, V) or (N, K, V, V) to (N, D, T, V)."""
        return functional.conv2d(self._gathered(x, links), self.weight, self.bias.sum(dim=0))

    def normalised(self, x: Tensor, links: Tensor, norm: nn.BatchNorm2d) -> Tensor:
        """As forward with the norm after it, channels multiplied in double precision."""
        _, _, t, v = x.shape
        scale, shift = scale_and_shift(norm)
        weight = self.weight.double().flatten(1) * scale[:, None]  # (D, K * C)
        bias = self.bias.double().sum(dim=0) * scale + shift
        products = weight @ self._gathered(x, links).flatten(2).double()  # (N, D, T * V)
        return (products.to(x.dtype) + bias.to(x.dtype)[:, None]).view(-1, len(weight), t, v)

    def _gathered(self, x: Tensor, links: Tensor) -> Tensor:
        """(N, K * C, T, V)."""
        _, c, t, v = x.shape
        return (x.reshape(-1, 1, c * t, v) @ links).view(-1, links.shape[-3] * c, t, v)


class AdaptiveGraphConv(nn.Module):
    """Graph convolution over fixed, learned and the clip's own links (2s-AGCN, Shi et al., CVPR 2019)."""

    fixed: Tensor

    def __init__(self, channels: int, width: int, adjacency: Tensor) -> None:
        super().__init__()
        self.subsets, self.embedding = len(adjacency), width // 4
        nothing = torch.full_like(adjacency, 1e-6)  # which the published code has in place of the skeleton
        self.register_buffer("fixed", nothing, persistent=False)  # (K, V, V)
        self.learned = nn.Parameter(nothing.clone())
        self.embed_a = nn.Conv2d(channels, self.subsets * self.embedding, 1)
        self.embed_b = nn.Conv2d(channels, self.subsets * self.embedding, 1)
        self.gather = Gather(channels, width, self.subsets)
        self.norm = nn.BatchNorm2d(width)
        self.shortcut = (
            nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width)) if channels != width else None
        )
        for name, parameter in self.named_parameters():
            if name.startswith(("embed", "shortcut.0")):  # fan-out of one subset
                scale = math.sqrt(2 / (width if name.startswith("shortcut") else self.embedding))
                nn.init.normal_(parameter, 0, scale if name.endswith("weight") else 0)
        nn.init.normal_(self.gather.weight, 0, math.sqrt(2 / (width * channels * self.subsets)))
        nn.init.zeros_(self.gather.bias)
        nn.init.constant_(self.norm.weight, 1e-6)

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        _, _, t, v = x.shape
        a = self.embed_a(x).reshape(-1, self.subsets, self.embedding * t, v)
        b = self.embed_b(x).reshape(-1, self.subsets, self.embedding * t, v)
        weights = (a.transpose(2, 3) @ b / a.shape[2]).softmax(dim=2)  # (N, K, V, V)
        if maps is not None:
            maps.extend(weights.unbind(dim=1))
        y = self.norm(self.gather(x, weights + self.fixed + self.learned))
        return functional.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class SpatialTransformer(nn.Module):
    """SSA unit: normalise, attend over the joints of each frame, add the input, batch norm, ReLU.

    (N, C, T, V) to (N, D, T, V); added where C = D. Augmented: a graph convolution makes the first channels.
    """

    def __init__(self, channels: int, width: int, adjacency: Tensor, config: StTrConfig) -> None:
        super().__init__()
        values = int(width * config.values) if config.augmented else width
        self.normalise = JointNorm(channels, adjacency.shape[-1]) if config.normalise else None
        bias = adjacency.sum(dim=0) if config.skeleton_bias else None
        self.attention = Attention(
            channels, int(width * config.keys), values, config, joints=adjacency.shape[-1], skeleton=bias
        )
        self.convolution: GraphConv | None = None
        if config.augmented:
            self.convolution = GraphConv(channels, width - values, adjacency, importance=False, activated=False)
        self.skip = config.skip and channels == width and not config.augmented
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        normal = x if self.normalise is None else self.normalise(x)
        y: Tensor = self.attention(normal, maps)
        if self.convolution is not None:
            y = torch.cat([self.convolution(normal), y], dim=1)
        return functional.relu(self.norm(y + x if self.skip else y))


class TemporalTransformer(nn.Module):
    """TSA unit: normalise, attend over the frames of each joint, add the input, batch norm, ReLU.

    (N, C, T, V) to (N, D, T', V). window: attention stays within so many frames; 0 for none. A stride is taken where
    queries, keys and values are made. Augmented: a temporal convolution makes the first channels.
    """

    def __init__(
        self, channels: int, width: int, config: StTrConfig, *, stride: int, frames: int, window: int = 0
    ) -> None:
        super().__init__()
        values = int(width * config.values) if config.augmented else width
        joints = len(config.layout)
        self.normalise = JointNorm(channels, joints) if config.normalise else None
        # the published code pairs frames where the number of joints is odd and drops every second one where it is even
        pairs = stride > 1 and (joints % 2 == 1 or config.more_channels > 0 or window > 0)
        self.attention = Attention(
            *(channels, int(width * config.keys), values, config),
            frames=window or frames,
            stride=stride,
            pairs=pairs,
            window=window,
        )
        self.convolution: ConvUnit | None = None
        if config.augmented:
            self.convolution = ConvUnit(channels, width - values, config.kernel, stride, dropout=config.dropout)
        self.skip = config.skip
        self.shortcut = (
            ConvUnit(channels, width, 1, stride) if self.skip and (channels != width or stride != 1) else None
        )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        y: Tensor = self.attention(x if self.normalise is None else self.normalise(x), maps)
        if self.convolution is not None:
            y = torch.cat([self.convolution(x), y], dim=1)
        if self.skip:
            y = y + (x if self.shortcut is None else self.shortcut(x))
        return functional.relu(self.norm(y))


class Attention(nn.Module):
    """Self-attention with several heads over joints or over frames: (N, C, T, V) to (N, values, T', V).

    keys, values: channels of all heads together. joints: V, to attend over joints. frames: T' of training, to attend
    over frames. skeleton: (V, V) links that count for more.
    """

    skeleton: Tensor | None
    order: Tensor  # of the channels of `qkv`, those of a head together

    def __init__(
        self,
        channels: int,
        keys: int,
        values: int,
        config: StTrConfig,
        *,
        joints: int = 0,
        frames: int = 0,
        stride: int = 1,
        pairs: bool = False,
        window: int = 0,
        skeleton: Tensor | None = None,
    ) -> None:
        super().__init__()
        heads, parts = config.heads, config.more_channels or config.heads
        if keys % heads or values % heads:
            raise ValueError(f"{heads} heads do not divide {keys} channels of keys and {values} of values")
        self.over_joints, self.heads, self.window = joints > 0, heads, window
        self.key, self.value = keys // parts, values // parts  # channels of one head
        self._sizes = [self.key, self.key, self.value]
        self.scale = (keys // heads) ** -0.5
        self.drop = config.drop_attention
        wide = heads * (2 * self.key + self.value)
        self.qkv = nn.Conv2d(channels, wide, (stride if pairs else 1, 1), (stride, 1))
        self.out = nn.Conv2d(heads * self.value, values, 1)
        by_kind = torch.split(torch.arange(wide), [heads * size for size in self._sizes])
        by_head = torch.cat([part.view(heads, -1) for part in by_kind], dim=1)  # (H, 2 key + value)
        self.register_buffer("order", by_head.flatten(), persistent=False)
        self.register_buffer("skeleton", skeleton, persistent=False)
        self.importance = None if skeleton is None else nn.Parameter(torch.ones_like(skeleton))  # (V, V)
        self.relative: nn.Parameter | None = None
        self.relative_self: nn.Parameter | None = None
        if config.relative and joints:  # one vector for each ordered pair of joints, one for a joint with itself
            self.relative = nn.Parameter(torch.randn(joints * (joints - 1), self.key))
            self.relative_self = nn.Parameter(torch.randn(1, self.key))
        elif config.relative:  # one vector for each distance in time
            self.relative = nn.Parameter(torch.randn(2 * frames - 1, self.key))

    def forward(self, x: Tensor, maps: Maps | None = None) -> Tensor:
        if lack := -x.shape[2] % self.qkv.kernel_size[0]:
            x = torch.cat([x, x[:, :, -1:].expand(-1, -1, lack, -1)], dim=2)  # the last frame pairs with itself
        assert self.qkv.bias is not None
        bias = self.qkv.bias[self.order]
        x = functional.conv2d(x, self.qkv.weight[self.order], bias, self.qkv.stride)
        x = x.view(-1, self.heads, sum(self._sizes), *x.shape[2:])  # (N, H, Z, T', V), Z = 2 key + value
        parts = torch.split(x, self.window or x.shape[3], dim=3)  # joints are never split
        mixed = [self._attend(part, maps) for part in parts]
        x = mixed[0] if len(mixed) == 1 else torch.cat(mixed, dim=4)  # (N, H, G, value, L)
        x = x.permute(0, 1, 3, 2, 4) if self.over_joints else x.permute(0, 1, 3, 4, 2)
        return self.out(x.flatten(1, 2))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor, maps: Maps | None) -> Tensor:
        """Over the L joints, or frames, of each of G frames, or joints: (N, H, Z, T', V) to (N, H, G, value, L)."""
        q, k, v = torch.split(x, self._sizes, dim=2)
        k, v = (each.permute(0, 1, 3, 2, 4) if self.over_joints else each.permute(0, 1, 4, 2, 3) for each in (k, v))
        q = q.permute(0, 1, 3, 4, 2) if self.over_joints else q.permute(0, 1, 4, 3, 2)  # (N, H, G, L, d)
        q = q * self.scale
        scores = q @ k  # (N, H, G, L, L), queries first
        if self.skeleton is not None and self.importance is not None:
            scores = scores + self.skeleton * self.importance
        if self.relative is not None:
            scores = scores + (q.unsqueeze(4) * self._relative(k.shape[4])).sum(dim=5)
        if self.training and self.drop > 0:
            scores, v = self._with_keys_dropped(scores, v)
        weights = scores.softmax(dim=4)
        if maps is not None:
            maps.append(weights)
        mixed: Tensor = v @ weights.transpose(3, 4)
        return mixed

    def _with_keys_dropped(self, scores: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """DropAttention: a key is gone for all queries of a head, and the weights of the others grow to sum to 1 again,
        as if the key's score were -inf. (The code divides the weights by their sum, which is the same and takes a
        third longer.) Where all keys are gone nothing is attended to."""
        gone = torch.rand(*scores.shape[:3], 1, scores.shape[4], device=scores.device) < self.drop
        all_gone = gone.all(dim=4, keepdim=True)
        return scores.masked_fill(gone & ~all_gone, -torch.inf), v.masked_fill(all_gone, 0)

    def _relative(self, length: int) -> Tensor:
        """Vectors (L, L, d) of each query's position relative to each key's."""
        assert self.relative is not None
        query, key = torch.arange(length)[:, None], torch.arange(length)[None, :]
        if self.relative_self is None:
            return self.relative[key - query + self.relative.shape[0] // 2]
        others = query * (length - 1) + key - (key > query).long()
        place = torch.where(key == query, length * (length - 1), others)
        return torch.cat([self.relative, self.relative_self])[place]


class JointNorm(nn.BatchNorm1d):
    """Batch norm with statistics of each channel of each joint, over clips and frames: (N, C, T, V) to the same."""

    def __init__(self, channels: int, joints: int) -> None:
        super().__init__(channels * joints)

    def forward(self, x: Tensor) -> Tensor:
        _, c, t, v = x.shape
        if self.training:
            y: Tensor = super().forward(x.permute(0, 1, 3, 2).reshape(-1, c * v, t))
            return y.view(-1, c, v, t).permute(0, 1, 3, 2)
        scale, shift = (each.to(x.dtype).view(c, 1, v) for each in scale_and_shift(self))
        return x * scale + shift


def scale_and_shift(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What a batch norm does after training, of each channel, in double precision."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
    return scale, norm.bias.double() - norm.running_mean.double() * scale
