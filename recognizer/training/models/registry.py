"""The networks by name: a description, how to build one for clips of a shape, and the spec to rebuild it.

All take features (N, T, V * C) and give logits (N, outputs). Those of live recognizers also give their embedding and
attention: see inside.Inside.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

from torch import nn

from pose.errors import ActionLensError
from pose.skeleton import Layout
from recognizer.features import CHANNELS, LAYOUT
from recognizer.training.models.act import SIZES, Act, ActConfig
from recognizer.training.models.dd_net import DdNet, DdNetConfig
from recognizer.training.models.ensemble import Stream
from recognizer.training.models.gl_features import GlFeatures
from recognizer.training.models.gl_transformer import GlConfig, GlTransformer
from recognizer.training.models.inside import FromFeatures
from recognizer.training.models.st_gcn import StGcn, StGcnConfig, StGcnTwoStream
from recognizer.training.models.st_tr import StTr, StTrConfig, StTrFusion
from recognizer.training.models.unshared import Tcn, TcnConfig

_SHAPE_FIELDS = {"outputs", "features", "channels", "joints", "people", "frames", "global_joint", "centre_distances"}
_STREAM_KINDS = 3  # positions, velocities, directions of bones


class NetworkError(ActionLensError):
    """A network does not exist, has no such setting or cannot take these clips."""


@dataclass(frozen=True, slots=True)
class ClipShape:
    """What a network has to fit: C channels of a joint, the layout, the outputs, T frames, and, where training clips
    tell it, each joint's mean distance from the middle of all joints."""

    channels: int
    layout: Layout
    outputs: int
    frames: int = 30
    centre_distances: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """family: as in cards. note: what it is, for tables. defaults: fields of `config` that make this size or variant.
    width: D of the transformer schedule. any_frames: takes any T. live: a live recognizer can be made of it."""

    name: str
    family: str
    note: str
    config: type
    assemble: Callable[..., nn.Module]
    defaults: Mapping[str, Any]
    width: int = 64
    any_frames: bool = True
    live: bool = True

    def build(self, shape: ClipShape, changes: Mapping[str, Any] | None = None) -> nn.Module:
        """A network with random weights. changes: of fields of the configuration. Raises NetworkError."""
        changes = self.checked(changes or {})
        try:
            return self.assemble(shape, **{**self.defaults, **_with_tuples(changes)})
        except (TypeError, ValueError) as error:
            raise NetworkError(f"{self.name} cannot be built: {error}; correct its settings") from error

    def checked(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changes; NetworkError where the configuration has no such field, or a field of another kind."""
        known = {f.name for f in fields(self.config)} - _SHAPE_FIELDS
        if unknown := sorted(set(changes) - known):
            raise NetworkError(f"{self.name} has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}")
        hints = get_type_hints(self.config)
        for name, value in changes.items():
            kinds, what = _KINDS.get(hints[name], ((), ""))
            if kinds and type(value) not in kinds:
                raise NetworkError(f"{self.name}: {name} is {what}, not {value!r}; correct its settings")
        return changes


# The values that fields of a configuration take, by their type.
_KINDS: Mapping[type, tuple[tuple[type, ...], str]] = {
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
    str: ((str,), "a word"),
}


def _act(shape: ClipShape, **settings: Any) -> nn.Module:
    return Act(ActConfig(shape.channels * len(shape.layout), shape.outputs, shape.frames, **settings))


def _st_gcn(shape: ClipShape, network: type[nn.Module] = StGcn, **settings: Any) -> nn.Module:
    if settings.get("strategy") == "mean-distance":
        settings["centre_distances"] = shape.centre_distances
    config = StGcnConfig(channels=shape.channels, outputs=shape.outputs, joints=shape.layout, **settings)
    return FromFeatures(network(config), len(shape.layout))


def _tcn(shape: ClipShape, **settings: Any) -> nn.Module:
    config = TcnConfig(channels=shape.channels, outputs=shape.outputs, joints=shape.layout, **settings)
    return FromFeatures(Tcn(config), len(shape.layout))


def _dd_net(shape: ClipShape, **settings: Any) -> nn.Module:
    config = DdNetConfig(channels=shape.channels, outputs=shape.outputs, joints=shape.layout, **settings)
    return FromFeatures(DdNet(config), len(shape.layout))


def _two_stream(shape: ClipShape, **settings: Any) -> nn.Module:
    return _st_gcn(shape, StGcnTwoStream, **settings)


def _st_tr_alone(shape: ClipShape, **settings: Any) -> StTr:
    return StTr(StTrConfig(shape.channels, shape.outputs, shape.layout, frames=shape.frames, **settings))


def _st_tr(shape: ClipShape, **settings: Any) -> nn.Module:
    return FromFeatures(_st_tr_alone(shape, **settings), len(shape.layout))


def _st_tr_fusion(shape: ClipShape, **settings: Any) -> nn.Module:
    streams = [_st_tr_alone(shape, **{**settings, "kind": kind}) for kind in ("s-tr", "t-tr")]
    return FromFeatures(StTrFusion(*streams), len(shape.layout))


def _gl_transformer(shape: ClipShape, **settings: Any) -> nn.Module:
    if shape.channels != len(CHANNELS):
        raise NetworkError("gl-transformer reads the motion out of live features; give it those")
    joints = len(shape.layout)
    config = GlConfig(joints + 1, joints, channels=2, people=1, frames=shape.frames, **settings)
    return GlFeatures(GlTransformer(config), shape.outputs)


def _single_stream(name: str, what: str, part: int, whole: Network) -> Network:
    """The network `whole` on only one of the kinds of channels."""

    def assemble(shape: ClipShape, **settings: Any) -> nn.Module:
        if shape.channels % _STREAM_KINDS:
            raise NetworkError(f"{name} needs positions, velocities and directions; use a recipe such as short-clips")
        size = shape.channels // _STREAM_KINDS
        inner = whole.assemble(replace(shape, channels=size), **settings)
        return Stream(inner, len(shape.layout), part * size, size)

    return replace(whole, name=name, note=f"{whole.note}, {what} alone", assemble=assemble, live=False)


def _acts() -> list[Network]:
    return [
        Network(
            f"act-{size}", "act", f"AcT, {size}", ActConfig, _act, defaults, int(defaults["width"]), any_frames=False
        )
        for size, defaults in SIZES.items()
    ]


def _st_gcns() -> list[Network]:
    short: dict[str, Any] = {"widths": (32, 32, 64, 64, 128, 128), "strides": (1, 1, 2, 1, 2, 1), "kernel": 5}
    narrow: dict[str, Any] = {"widths": (32,) * 4 + (64,) * 3 + (128,) * 3}
    six = Network(
        "st-gcn-short", "st-gcn", "ST-GCN, six blocks of 32 to 128 channels, kernel 5", StGcnConfig, _st_gcn, short
    )
    return [
        Network("st-gcn", "st-gcn", "ST-GCN, published size", StGcnConfig, _st_gcn, {}),
        Network("st-gcn-2s", "st-gcn", "ST-GCN, two streams", StGcnConfig, _two_stream, {}, live=False),
        Network("st-gcn-narrow", "st-gcn", "ST-GCN, 32 to 128 channels", StGcnConfig, _st_gcn, narrow, live=False),
        six,
        _single_stream("st-gcn-short-joints", "positions", 0, six),
        _single_stream("st-gcn-short-motion", "velocities", 1, six),
        _single_stream("st-gcn-short-bones", "directions of bones", 2, six),
        Network("tcn", "tcn", "baseline TCN of ST-GCN's Table 1", TcnConfig, _tcn, {}, live=False),
        Network("tcn-short", "tcn", "baseline TCN, sizes of st-gcn-short", TcnConfig, _tcn, short, live=False),
    ]


def _dd_nets() -> list[Network]:
    return [Network("dd-net", "dd-net", "DD-Net", DdNetConfig, _dd_net, {})]


def _st_trs() -> list[Network]:
    def one(name: str, note: str, assemble: Callable[..., nn.Module] = _st_tr, **defaults: Any) -> Network:
        return Network(name, "st-tr", note, StTrConfig, assemble, defaults, live="width" not in defaults)

    return [
        one("s-tr", "S-TR, published size", kind="s-tr"),
        one("t-tr", "T-TR, published size", kind="t-tr"),
        one("st-tr-1s", "ST-TR, both attentions in one stream", kind="st-tr-1s"),
        one("st-tr", "ST-TR, two streams trained together", _st_tr_fusion),
        one("s-tr-narrow", "S-TR, 16 to 64 channels", kind="s-tr", width=16),
        one("t-tr-narrow", "T-TR, 16 to 64 channels", kind="t-tr", width=16),
        one("st-tr-1s-narrow", "ST-TR in one stream, 16 to 64 channels", kind="st-tr-1s", width=16),
    ]


def _gls() -> list[Network]:
    small = {"width": 16, "depth": 4, "heads": 8}
    return [Network("gl-transformer", "gl-transformer", "GL-Transformer, small", GlConfig, _gl_transformer, small)]


NETWORKS = {network.name: network for network in (*_acts(), *_st_gcns(), *_dd_nets(), *_st_trs(), *_gls())}
LIVE = tuple(name for name, network in NETWORKS.items() if network.live)
# Trained one by one, their logits added, as ST-TR's code does it (and, for streams, that of 2s-AGCN, Shi et al., 2019).
FUSIONS = {
    "st-tr": ("s-tr", "t-tr"),
    "st-tr-narrow": ("s-tr-narrow", "t-tr-narrow"),
    "st-gcn-short-4s": ("st-gcn-short", "st-gcn-short-joints", "st-gcn-short-motion", "st-gcn-short-bones"),
}
FUSION_NOTES = {"st-gcn-short-4s": "four-stream ST-GCN, six blocks: all channels, and each kind alone"}
SETTINGS = "NAME+FIELD=VALUE+... changes fields of the network's configuration"
# On whole clips of a data set: all but those that a fusion stands for and the one that reads live features.
WHOLE_CLIP = tuple(name for name in NETWORKS if name not in {*FUSIONS, "gl-transformer"})


def network_of(name: str, among: Sequence[str] = tuple(NETWORKS)) -> Network:
    """The network of that name; NetworkError lists those that there are.

    NAME+FIELD=VALUE+... is the network with changes in its configuration: st-gcn+strategy=distance+importance=false.
    """
    base, *pairs = name.split("+")
    if base not in among:
        raise NetworkError(f"no network is called {base!r}; choose one of {', '.join(among)}")
    network = NETWORKS[base]
    if not pairs:
        return network
    changes = network.checked(parse_changes(pairs))
    note = f"{network.note}; {', '.join(pairs)}"
    return replace(network, name=name, note=note, defaults={**network.defaults, **changes})


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network on the features of live recognition. name: one of LIVE. changes: fields of its configuration."""

    name: str
    outputs: int
    changes: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The recognizer that it is a size or a part of, as in cards: act, st-gcn, st-tr, gl-transformer or dd-net."""
        return network_of(self.name, LIVE).family

    def build(self) -> nn.Module:
        """A fresh network: features (N, T, F) to logits (N, outputs). Raises NetworkError."""
        return network_of(self.name, LIVE).build(ClipShape(len(CHANNELS), LAYOUT, self.outputs), self.changes)


def parse_changes(pairs: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE, where VALUE is JSON or a bare word. Raises NetworkError."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise NetworkError(f"a setting is FIELD=VALUE, not {pair!r}")
        try:
            changes[name] = json.loads(value)
        except ValueError:
            changes[name] = value
    return changes


def _with_tuples(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}


def parameter_count(network: nn.Module) -> int:
    """Number of parameters."""
    return sum(weight.numel() for weight in network.parameters())
