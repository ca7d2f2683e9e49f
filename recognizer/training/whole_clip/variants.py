"""Networks by name, all on features (N, T, V * C): the sizes and variants that are trained and compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from pose.errors import ActionLensError
from pose.skeleton import Layout
from recognizer.training.models.act import SIZES, Act, ActConfig
from recognizer.training.models.from_features import FromFeatures
from recognizer.training.models.st_gcn import StGcn, StGcnConfig, StGcnTwoStream
from recognizer.training.models.st_tr import StTr, StTrConfig


class NetworkError(ActionLensError):
    """A network that does not exist or cannot take these clips."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network has to fit: C channels of a joint, the layout, A actions, T frames. dropout: None for its own."""

    channels: int
    layout: Layout
    outputs: int
    frames: int
    dropout: float | None = None

    @property
    def own_dropout(self) -> dict[str, Any]:
        """As keyword of a configuration."""
        return {} if self.dropout is None else {"dropout": self.dropout}


@dataclass(frozen=True, slots=True)
class Variant:
    """A network. note: what it is, for the tables. width: D of the transformer schedule. any_frames: takes any T."""

    name: str
    note: str
    build: Callable[[Shape], nn.Module]
    width: int = 64
    any_frames: bool = True


def _act(size: str) -> Variant:
    def build(shape: Shape) -> nn.Module:
        sizes = {**SIZES[size], **shape.own_dropout}
        features = shape.channels * len(shape.layout)
        return Act(ActConfig(features, shape.outputs, shape.frames, **sizes))

    return Variant(f"act-{size}", f"AcT, {size}", build, int(SIZES[size]["width"]), any_frames=False)


def _st_gcn(name: str, note: str, **more: Any) -> Variant:
    network = StGcnTwoStream if more.pop("two_stream", False) else StGcn

    def build(shape: Shape) -> nn.Module:
        config = StGcnConfig(
            channels=shape.channels,
            outputs=shape.outputs,
            joints=shape.layout,
            **shape.own_dropout,
            **more,
        )
        return FromFeatures(network(config), len(shape.layout))

    return Variant(name, note, build)


def _stream(name: str, what: str, part: int, whole: Variant) -> Variant:
    """`whole` on one of the kinds of channels of short-clips alone: positions, velocities, directions of bones."""

    def build(shape: Shape) -> nn.Module:
        if shape.channels % STREAM_KINDS:
            raise NetworkError(f"{name} needs positions, velocities and directions; use a recipe such as short-clips")
        size = shape.channels // STREAM_KINDS
        return Stream(whole.build(replace(shape, channels=size)), len(shape.layout), part * size, size)

    return Variant(name, f"{whole.note}, {what} alone", build)


def _st_tr(name: str, note: str, **more: Any) -> Variant:
    def build(shape: Shape) -> nn.Module:
        fixed: dict[str, Any] = {**shape.own_dropout, **more}
        config = StTrConfig(shape.channels, shape.outputs, shape.layout, frames=shape.frames, **fixed)
        return FromFeatures(StTr(config), len(shape.layout))

    return Variant(name, note, build)


STREAM_KINDS = 3
_SHORT: dict[str, Any] = {"widths": (32, 32, 64, 64, 128, 128), "strides": (1, 1, 2, 1, 2, 1), "kernel": 5}
_SHORT_GCN = _st_gcn("st-gcn-short", "ST-GCN, six blocks of 32 to 128 channels, kernel 5", **_SHORT)
VARIANTS = {
    variant.name: variant
    for variant in (
        *(_act(size) for size in SIZES),
        _st_gcn("st-gcn", "ST-GCN, published size"),
        _st_gcn("st-gcn-2s", "ST-GCN, two streams", two_stream=True),
        _st_gcn("st-gcn-narrow", "ST-GCN, 32 to 128 channels", widths=(32,) * 4 + (64,) * 3 + (128,) * 3),
        _SHORT_GCN,
        _stream("st-gcn-short-joints", "positions", 0, _SHORT_GCN),
        _stream("st-gcn-short-motion", "velocities", 1, _SHORT_GCN),
        _stream("st-gcn-short-bones", "directions of bones", 2, _SHORT_GCN),
        _st_tr("s-tr", "S-TR, published size", kind="s-tr"),
        _st_tr("t-tr", "T-TR, published size", kind="t-tr"),
        _st_tr("s-tr-narrow", "S-TR, 16 to 64 channels", kind="s-tr", width=16),
        _st_tr("t-tr-narrow", "T-TR, 16 to 64 channels", kind="t-tr", width=16),
    )
}
# Trained one by one, their logits added, as ST-TR's code does it (and, for streams, that of 2s-AGCN, Shi et al., 2019).
FUSIONS = {
    "st-tr": ("s-tr", "t-tr"),
    "st-tr-narrow": ("s-tr-narrow", "t-tr-narrow"),
    "st-gcn-short-4s": ("st-gcn-short", "st-gcn-short-joints", "st-gcn-short-motion", "st-gcn-short-bones"),
}
FUSION_NOTES = {"st-gcn-short-4s": "four streams of ST-GCN, six blocks: all channels, and each kind alone"}


class Stream(nn.Module):
    """`network` on the channels from `first` on, `size` of them, of each joint of features (N, T, V * C)."""

    def __init__(self, network: nn.Module, joints: int, first: int, size: int) -> None:
        super().__init__()
        self.network, self.joints, self.first, self.size = network, joints, first, size

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, T, V * C) to logits (N, A)."""
        each = features.view(*features.shape[:2], self.joints, -1)
        return self.network(each[..., self.first : self.first + self.size].flatten(2))  # type: ignore[no-any-return]


class LogitSum(nn.Module):
    """The logits of several networks added, each on the same features."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, T, V * C) to logits (N, A)."""
        return torch.stack([network(features) for network in self.networks]).sum(dim=0)


def variant_of(name: str) -> Variant:
    """The network of that name; NetworkError lists those that there are."""
    if name not in VARIANTS:
        raise NetworkError(f"no network {name!r}; choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
