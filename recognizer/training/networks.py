"""The recognizers by name, built for the features of live recognition, and what is kept to build one again."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from pose.errors import ActionLensError
from recognizer.features import CHANNELS, LAYOUT
from recognizer.training.models.act import SIZES, Act, ActConfig
from recognizer.training.models.from_features import FromFeatures
from recognizer.training.models.st_gcn import StGcn, StGcnConfig
from recognizer.training.models.st_tr import KINDS, StTr, StTrConfig, StTrFusion


class NetworkError(ActionLensError):
    """A network's name or one of its settings is unknown."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """family: "act", "st-gcn" or "st-tr", as in cards. name: one of NETWORKS. changes: fields of its configuration."""

    name: str
    outputs: int
    changes: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The recognizer that it is a size or a part of."""
        return NETWORKS[self.name].family

    def build(self) -> nn.Module:
        """A fresh network: features (N, T, F) to logits (N, outputs). Raises NetworkError."""
        network = NETWORKS[self.name]
        known = {f.name for f in fields(network.config)} - {"outputs", "features", "channels", "joints", "people"}
        unknown = sorted(set(self.changes) - known)
        if unknown:
            raise NetworkError(f"{self.name} has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}")
        try:
            return network.build(self.outputs, **{**network.defaults, **_frozen(self.changes)})
        except (TypeError, ValueError) as error:
            raise NetworkError(f"{self.name} cannot be built: {error}; mend --set") from error


@dataclass(frozen=True, slots=True)
class _Network:
    family: str
    config: type
    build: Callable[..., nn.Module]
    defaults: Mapping[str, Any]


def _act(outputs: int, **settings: Any) -> nn.Module:
    return Act(ActConfig(features=len(CHANNELS) * len(LAYOUT), outputs=outputs, **settings))


def _on_features(network: nn.Module) -> nn.Module:
    return FromFeatures(network, len(LAYOUT))


def _st_gcn(outputs: int, **settings: Any) -> nn.Module:
    return _on_features(StGcn(StGcnConfig(channels=len(CHANNELS), outputs=outputs, joints=LAYOUT.name, **settings)))


def _st_tr(outputs: int, **settings: Any) -> StTr:
    return StTr(StTrConfig(channels=len(CHANNELS), outputs=outputs, joints=LAYOUT.name, **settings))


def _one_stream(outputs: int, **settings: Any) -> nn.Module:
    return _on_features(_st_tr(outputs, **settings))


def _two_streams(outputs: int, **settings: Any) -> nn.Module:
    streams = [_st_tr(outputs, **{**settings, "kind": kind}) for kind in ("s-tr", "t-tr")]
    return _on_features(StTrFusion(*streams))


NETWORKS: dict[str, _Network] = {
    **{f"act-{size}": _Network("act", ActConfig, _act, defaults) for size, defaults in SIZES.items()},
    "st-gcn": _Network("st-gcn", StGcnConfig, _st_gcn, {}),
    **{kind: _Network("st-tr", StTrConfig, _one_stream, {"kind": kind}) for kind in KINDS if kind != "base"},
    "st-tr": _Network("st-tr", StTrConfig, _two_streams, {}),
}


def parse_changes(pairs: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE, where VALUE is JSON or a bare word. Raises NetworkError."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise NetworkError(f"--set takes FIELD=VALUE, not {pair!r}")
        try:
            changes[name] = json.loads(value)
        except ValueError:
            changes[name] = value
    return changes


def _frozen(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
