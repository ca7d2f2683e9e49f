"""ST-GCN, spatial temporal graph convolutional networks (Yan, Xiong, Lin, AAAI 2018), as in the published code.

N clips, C channels, T frames, V joints, M people, K subsets of the graph, A outputs. Where paper and code differ the
code is the default: ten blocks and not nine, the first without shortcut; the graph normalised once and then split;
distances to the centre known up to one bone; clips padded with zeros in time. On clips of 30 frames the code's kernels
of 9 reach past the window in every later block; `kernel`, `strides` and `padding` are there for that.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose.skeleton import Layout
from recognizer.training.models.graph import Graph, layout_of
from recognizer.training.models.inside import Inside, class_activation
from recognizer.training.models.unshared import LocalConvolution

PADDINGS = ("zero", "replicate", "valid")
CONVOLUTIONS = ("graph", "local")


@dataclass(frozen=True, slots=True)
class StGcnConfig:
    """Size and variant of the network; the defaults are the published ones.

    joints: a layout or its name. people: M in the input; all share the weights, so any M can be given.
    strategy, max_hop, dilation, normalise, centre_distances: of Graph. importance: learn a weight of
    each link in each block. convolution: graph, or local, with weights of its own for each link (strategy uniform).
    widths, strides: channels out and stride in time of each block. kernel: frames of a temporal convolution, odd.
    padding: in time; zero, replicate (the first and last frame go on) or valid (the clip gets shorter in each block).
    """

    channels: int
    outputs: int
    joints: Layout | str = "mpose-13"
    people: int = 1
    dropout: float = 0.5
    strategy: str = "spatial"
    max_hop: int = 1
    dilation: int = 1
    normalise: str = "whole"
    centre_distances: tuple[float, ...] = ()
    importance: bool = True
    convolution: str = "graph"
    widths: tuple[int, ...] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
    strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
    kernel: int = 9
    padding: str = "zero"

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if self.padding not in PADDINGS:
            raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {self.padding!r}")
        if self.convolution not in CONVOLUTIONS:
            raise ValueError(f"convolution must be one of {', '.join(CONVOLUTIONS)}, got {self.convolution!r}")
        if self.convolution == "local" and self.strategy != "uniform":
            raise ValueError(f"local convolution has no subsets; give strategy uniform, not {self.strategy}")
        if len(self.widths) != len(self.strides):
            raise ValueError(f"{len(self.widths)} widths but {len(self.strides)} strides")

    def check_frames(self, frames: int) -> None:
        """ValueError where `valid` padding leaves nothing of a clip."""
        left = frames
        for stride in self.strides if self.padding == "valid" else ():
            left = (left - self.kernel) // stride + 1
            if left < 1:
                raise ValueError(
                    f"clips of {frames} frames are too short for padding 'valid' with kernel {self.kernel}"
                )

    @property
    def layout(self) -> Layout:
        """The joints."""
        return layout_of(self.joints)

    @property
    def graph(self) -> Graph:
        """The skeleton's graph."""
        return Graph(
            self.layout,
            self.strategy,
            self.max_hop,
            self.dilation,
            self.normalise,
            self.centre_distances,
        )


class StGcn(nn.Module):
    """Clips (N, C, T, V, M), any T, to logits (N, A)."""

    adjacency: Tensor

    def __init__(self, config: StGcnConfig) -> None:
        super().__init__()
        self.config = config
        adjacency = torch.from_numpy(config.graph.adjacency)
        joints = len(config.layout)
        self.register_buffer("adjacency", adjacency)  # (K, V, V)
        self.input_norm = nn.BatchNorm1d(joints * config.channels)
        self.blocks = nn.ModuleList()
        self.importance = nn.ParameterList()
        channels = config.channels
        for place, (width, stride) in enumerate(zip(config.widths, config.strides, strict=True)):
            self.blocks.append(Block(channels, width, adjacency, config, stride=stride, residual=place > 0))
            if config.importance:
                self.importance.append(nn.Parameter(torch.ones_like(adjacency)))
            channels = width
        self.head = nn.Linear(channels, config.outputs)
        self._initialise()

    def _initialise(self) -> None:
        """As the published code: small normal weights, batch norms near one."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, 0.0, 0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)
                nn.init.zeros_(module.bias)

    def forward(self, clips: Tensor) -> Tensor:
        x = self._last_block(clips).mean(dim=(2, 3))  # (N * M, D)
        x = x.view(-1, clips.shape[4], x.shape[1]).mean(dim=1)  # (N, D): people that are not there count too
        logits: Tensor = self.head(x)  # (N, A)
        return logits

    def inside(self, clips: Tensor) -> Inside:
        """activation: of the mean over people."""
        found = self.features(clips).mean(dim=4)  # (N, D, T', V)
        pooled = found.mean(dim=(2, 3))
        return Inside(self.head(pooled), pooled, activation=class_activation(self.head, found))

    def fixed(self) -> dict[str, Tensor]:
        """edge_importance: (blocks, K, V, V), the learned weight of each link, 0 where there is no link."""
        if not self.config.importance:
            return {}
        return {"edge_importance": torch.stack(list(self.importance)) * (self.adjacency != 0)}

    def features(self, clips: Tensor) -> Tensor:
        """What the last block makes of clips (N, C, T, V, M): (N, D, T', V, M)."""
        x = self._last_block(clips)
        return x.view(-1, clips.shape[4], *x.shape[1:]).permute(0, 2, 3, 4, 1)

    def _last_block(self, clips: Tensor) -> Tensor:
        _, c, t, v, _ = clips.shape
        self.config.check_frames(t)
        x: Tensor = clips.permute(0, 4, 3, 1, 2).reshape(-1, v * c, t)  # (N * M, V * C, T)
        x = self.input_norm(x).view(-1, v, c, t).permute(0, 2, 3, 1)  # (N * M, C, T, V)
        for place, block in enumerate(self.blocks):
            links = self.adjacency * self.importance[place] if self.config.importance else self.adjacency
            x = block(x, links)  # (N * M, D, T', V)
        return x


class Block(nn.Module):
    """Graph convolution, then convolution in time, added to the input; without `residual` neither that nor dropout."""

    def __init__(
        self, channels: int, width: int, links: Tensor, config: StGcnConfig, *, stride: int = 1, residual: bool = True
    ) -> None:
        """links: (K, V, V)."""
        super().__init__()
        self.subsets = len(links)
        self.local: LocalConvolution | None = None
        if config.convolution == "local":
            self.local = LocalConvolution(channels, width, links[0] != 0)
        else:
            self.gather = nn.Conv2d(self.subsets * channels, width, 1, bias=False)
            self.gather_bias = nn.Parameter(torch.zeros(self.subsets, width))
        self.gather_norm = nn.BatchNorm2d(width)
        self.temporal = temporal_conv(width, config.kernel, stride, config.padding)
        self.temporal_norm = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(config.dropout if residual else 0.0)
        self.residual = residual
        self.margin = config.kernel // 2 if config.padding == "valid" else 0
        self.shortcut: nn.Module | None = None
        if residual and (channels != width or stride != 1):
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, (stride, 1)), nn.BatchNorm2d(width))

    def forward(self, x: Tensor, links: Tensor) -> Tensor:
        """x (N, C, T, V) and links (K, V, V) to (N, D, T', V)."""
        y = functional.relu(self._gathered(x, links))  # (N, D, T, V)
        y = self.dropout(self.temporal_norm(self.temporal(y)))  # (N, D, T', V)
        if self.residual:
            frames = x[:, :, self.margin : x.shape[2] - self.margin]
            y = y + (frames if self.shortcut is None else self.shortcut(frames))
        return functional.relu(y)

    def _gathered(self, x: Tensor, links: Tensor) -> Tensor:
        """Each joint gathers from its neighbours, each subset of them with weights of its own: (N, D, T, V)."""
        if self.local is not None:
            return self.gather_norm(self.local(x, links))  # type: ignore[no-any-return]
        _, c, t, v = x.shape
        y = (x.reshape(-1, 1, c * t, v) @ links).view(-1, self.subsets * c, t, v)
        y = self.gather(y)  # (N, D, T, V)
        bias = (self.gather_bias.T @ links.sum(dim=1)).unsqueeze(1)  # (D, 1, V): it goes over the links, too
        norm = self.gather_norm
        if self.training or norm.running_var is None:
            return norm(y + bias)  # type: ignore[no-any-return]
        # the same, with the convolution next to the norm, so that ONNX Runtime makes one of them
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        return norm(y) + bias * scale.view(-1, 1, 1)  # type: ignore[no-any-return]


def temporal_conv(width: int, kernel: int, stride: int, padding: str) -> nn.Conv2d:
    """Convolution over `kernel` frames."""
    reach = 0 if padding == "valid" else kernel // 2
    mode: Literal["replicate", "zeros"] = "replicate" if padding == "replicate" else "zeros"
    return nn.Conv2d(width, width, (kernel, 1), (stride, 1), (reach, 0), padding_mode=mode)


class StGcnTwoStream(nn.Module):
    """The published two-stream form: one network sees positions, one accelerations; their logits are added."""

    def __init__(self, config: StGcnConfig) -> None:
        super().__init__()
        self.config = config
        self.position = StGcn(config)
        self.motion = StGcn(config)

    def forward(self, clips: Tensor) -> Tensor:
        """Clips (N, C, T, V, M) to logits (N, A)."""
        logits: Tensor = self.position(clips) + self.motion(motion_of(clips))
        return logits


def motion_of(clips: Tensor) -> Tensor:
    """x[t] less the mean of its neighbours in time, 0 in the first and last frame: (N, C, T, V, M)."""
    inner = clips[:, :, 1:-1] - 0.5 * clips[:, :, 2:] - 0.5 * clips[:, :, :-2]
    return functional.pad(inner, (0, 0, 0, 0, 1, 1))
