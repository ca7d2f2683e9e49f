"""load_official: weights of the official ST-GCN, ST-TR and AcT codes in the networks of this project.

Names and settings are those of the official codes: `Model.state_dict()` and the model arguments of ST-GCN
(yysijie/st-gcn) and ST-TR (Chiaraplizz/ST-TR), and the Keras variables of AcT (PIC4SeR/AcT; names: act.py). Blocks of
the graph networks are loaded alone where the settings are those of a block.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from pose.skeleton import COCO_17, LAYOUTS, NTU_25, OPENPOSE_18, Layout
from recognizer.training.models import st_gcn, st_tr
from recognizer.training.models.graph import Graph
from research.official.act import load_act
from research.official.names import (
    OfficialError,
    State,
    fill,
    st_gcn_source,
    st_tr_source,
    st_tr_unused,
)

Config = Mapping[str, Any]


def _numbered(name: str, joints: int, bones: tuple[tuple[int, int], ...], centre: int) -> Layout:
    """A layout of joints without names; bones and centre count from 0."""
    names = tuple(f"joint_{place}" for place in range(joints))
    return Layout(name, names, tuple((names[a], names[b]) for a, b in bones), names[centre])


# ST-GCN's layout of NTU's 24 bones as joints, by its numbers from 1 on.
_NTU_EDGE_BONES = (
    *((1, 2), (3, 2), (4, 3), (5, 2), (6, 5), (7, 6), (8, 7), (9, 2), (10, 9), (11, 10), (12, 11), (13, 1)),
    *((14, 13), (15, 14), (16, 15), (17, 1), (18, 17), (19, 18), (20, 19), (21, 22), (22, 8), (23, 24), (24, 12)),
)
_NTU_EDGE = _numbered("ntu_edge", 24, tuple((a - 1, b - 1) for a, b in _NTU_EDGE_BONES), 2)
# PYSKL hangs both tips of a hand on the hand itself (NTU's joints 22 to 25).
_HANDS = {
    "left_hand_tip": "left_hand",
    "left_thumb": "left_hand",
    "right_hand_tip": "right_hand",
    "right_thumb": "right_hand",
}
_NTU_PYSKL = replace(NTU_25, name="nturgb+d", edges=(*NTU_25.edges[:-4], *_HANDS.items()))

# Official names of layouts, in lower case.
_LAYOUTS: dict[str, Layout] = {
    **LAYOUTS,
    **dict.fromkeys(("openpose", "kinetics"), OPENPOSE_18),
    **dict.fromkeys(("ntu", "ntu-rgb+d", "ntu_rgb_d"), NTU_25),
    "nturgb+d": _NTU_PYSKL,
    "ntu_edge": _NTU_EDGE,
    "coco": COCO_17,
}
# ST-TR's labelling modes as strategies of Graph.
_LABELLING = {
    "spatial": "directed",
    "uniform": "uniform",
    "distance": "separate",
    "distance*": "difference",
    "DAD": "symmetric",
    "DLD": "laplacian",
    "FC": "full",
}
_BY_JOINTS = {18: OPENPOSE_18, 25: NTU_25, 17: COCO_17}
# Frames that the official relative positions are made for, by the width of the unit.
_OFFICIAL_FRAMES = 300


def load_official(system: str, state: State, config: Config) -> nn.Module:
    """The network of an official checkpoint, in eval mode, on the official input.

    system: st-gcn, s-tr, t-tr or act. state: official names to arrays or tensors; buffers that follow from the config
    (the adjacency, num_batches_tracked) may be left out. config: the official model arguments, also flat. Graph
    networks take clips (N, C, T, V, M), AcT features (N, T, F); blocks take what the official block takes (those of
    ST-GCN also the adjacency). Raises OfficialError in one line.
    """
    loaders: dict[str, Callable[[State, Config], nn.Module]] = {
        "st-gcn": _st_gcn,
        "s-tr": lambda state, config: _st_tr("s-tr", state, config),
        "t-tr": lambda state, config: _st_tr("t-tr", state, config),
        "act": load_act,
    }
    if system not in loaders:
        raise OfficialError(f"unknown system {system!r}; known are {', '.join(loaders)}")
    if not isinstance(config, Mapping):
        raise OfficialError(f"the config must be an object of settings, got {type(config).__name__}")
    try:
        return loaders[system](state, config)
    except (
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RuntimeError,
    ) as error:  # of the networks' own configurations
        raise OfficialError(f"the config does not make a network: {' '.join(str(error).split())}") from error


def _positive_int(config: Config, key: str) -> int:
    """A whole number above 0."""
    value = config.get(key)
    if type(value) is not int or value < 1:
        raise OfficialError(f"the config needs {key!r}, a whole number above 0, got {value!r}")
    return value


def _layout(name: Any) -> Layout:
    layout = _LAYOUTS.get(str(name).rpartition(".")[2].lower())
    if layout is None:
        raise OfficialError(f"unknown layout {name!r}; known are {', '.join(_LAYOUTS)}")
    return layout


def _st_gcn(state: State, config: Config) -> nn.Module:
    if "out_channels" in config:
        return _st_gcn_block(state, config)
    graph = {**config, **config.get("graph_args", {})}
    ours = st_gcn.StGcnConfig(
        channels=_positive_int(config, "in_channels"),
        outputs=_positive_int(config, "num_class"),
        joints=_layout(graph.get("layout", "openpose")),
        people=config.get("M", 2),
        dropout=float(config.get("dropout", 0)),
        strategy=graph.get("strategy", "uniform"),
        max_hop=graph.get("max_hop", 1),
        dilation=graph.get("dilation", 1),
        importance=bool(config.get("edge_importance_weighting", True)),
    )
    if ours.strategy not in ("uniform", "distance", "spatial"):
        raise OfficialError(f"unknown strategy {ours.strategy!r} of ST-GCN; known are uniform, distance, spatial")
    two = any("origin_stream." in name for name in state)
    subsets = len(ours.graph.adjacency)
    return fill(st_gcn.StGcnTwoStream(ours) if two else st_gcn.StGcn(ours), state, st_gcn_source(subsets))


def _st_gcn_block(state: State, config: Config) -> nn.Module:
    """A block, which takes (clips, adjacency)."""
    kernel, subsets = config.get("kernel", (9, 3))
    width = _positive_int(config, "out_channels")
    ours = st_gcn.StGcnConfig(channels=1, outputs=1, kernel=kernel, dropout=float(config.get("dropout", 0)))
    residual = bool(config.get("residual", True))
    stride = config.get("stride", 1)
    links = torch.zeros(subsets, 1, 1)  # a block with shared weights only counts them
    block = st_gcn.Block(_positive_int(config, "in_channels"), width, links, ours, stride=stride, residual=residual)
    return fill(block, state, st_gcn_source(subsets))


def _st_tr(system: str, state: State, config: Config) -> nn.Module:
    for option in ("use_local_bn", "multiscale", "backbone_config"):
        if config.get(option):
            raise OfficialError(f"the config has {option!r}, which no published ST-TR has and this program cannot load")
    if "num_class" not in config:
        return _st_tr_block(state, config)
    layout = _st_tr_layout(config)
    labelling = config.get("graph_args", {}).get("labeling_mode", "uniform")
    if labelling not in _LABELLING:
        raise OfficialError(f"unknown labeling_mode {labelling!r}; known are {', '.join(_LABELLING)}")
    kind = _kind(system, config)
    over_joints, over_frames = st_tr.KINDS[kind]
    beside = {not config.get("only_attention", True)} if over_joints else set()
    beside |= {not config.get("only_temporal_attention", True)} if over_frames else set()
    if len(beside) > 1:
        raise OfficialError(
            "only_attention and only_temporal_attention of the config differ; this program needs them equal"
        )
    ours = replace(
        _attention_config(config, layout),
        channels=_positive_int(config, "channel"),
        outputs=_positive_int(config, "num_class"),
        people=config.get("num_person", 1),
        kind=kind,
        augmented=True in beside,
        frames=_OFFICIAL_FRAMES,
        strategy=_LABELLING[labelling],
        width=128 if config.get("double_channel", False) else 64,
        kernel=config.get("temporal_kernel_size", 9),  # `kernel_temporal` is read by no one
        concat_input=bool(config.get("concat_original", False)),
        all_layers=bool(config.get("all_layers", False)),
        window=config.get("dim_block2" if config.get("double_channel", False) else "dim_block1", 10),
        adaptive=bool(config.get("agcn", any(name.endswith(".PA") for name in state))),
        importance=bool(config.get("mask_learning", False)),
        normalise_input=bool(config.get("use_data_bn", False)),
    )
    network = st_tr.StTr(ours)
    subsets = len(Graph(layout, ours.strategy).adjacency)
    return fill(network, state, st_tr_source(ours, subsets), st_tr_unused(ours))


def _kind(system: str, config: Config) -> str:
    default = st_tr.KINDS[system]
    flags = bool(config.get("attention", default[0])), bool(config.get("tcn_attention", default[1]))
    kind = next(kind for kind, attention in st_tr.KINDS.items() if attention == flags)
    if not any(ours and theirs for ours, theirs in zip(flags, default, strict=True)):
        raise OfficialError(f"the config's attention and tcn_attention are those of {kind}, not of {system}")
    return kind


def _st_tr_layout(config: Config) -> Layout:
    """By the name of the graph, else by the number of joints."""
    joints = config.get("num_point")
    name = config.get("graph", config.get("layout"))
    if name is not None:
        layout = _layout(name)
        if joints not in (None, len(layout)):
            raise OfficialError(f"the config has num_point {joints}, but its graph {name!r} has {len(layout)} joints")
        return layout
    joints = _positive_int(config, "num_point")
    return _BY_JOINTS.get(joints) or _numbered("bare", joints, (), 0)


def _attention_config(config: Config, layout: Layout) -> st_tr.StTrConfig:
    """What the network and its blocks share."""
    return st_tr.StTrConfig(
        channels=1,
        outputs=1,
        joints=layout,
        dropout=float(config.get("dropout", 0.5)),
        heads=config.get("Nh", 8),
        keys=config.get("dk_factor", config.get("dk", 0.25)),
        values=config.get("dv_factor", config.get("dv", 0.25)),
        more_channels=config.get("n", config.get("num", 4)) if config.get("more_channels", False) else 0,
        drop_attention=0.5 if config.get("drop_connect", True) else 0.0,
        relative=bool(config.get("relative", False)),
        skeleton_bias=bool(config.get("adjacency", False)),
        normalise=bool(config.get("data_normalization", True)),
        skip=bool(config.get("skip_conn", True)),
    )


def _st_tr_block(state: State, config: Config) -> nn.Module:
    """A unit over joints or frames, or SSA's attention alone; which one, the settings and names tell."""
    channels = _positive_int(config, "in_channels")
    square = next((np.shape(state[name])[-1] for name in ("mask", "PA") if name in state), None)
    layout = _st_tr_layout({"num_point": square, **config})
    ours = replace(_attention_config(config, layout), adaptive="PA" in state)
    adjacency = torch.from_numpy(Graph(layout, "directed").adjacency)
    block: nn.Module
    if "out_channels" not in config:
        skeleton = adjacency.sum(dim=0) if ours.skeleton_bias else None
        keys, values = _positive_int(config, "dk"), _positive_int(config, "dv")
        block = st_tr.Attention(channels, keys, values, ours, joints=len(layout), skeleton=skeleton)
        return fill(block, state, st_tr_source(ours, 3, "gcn1.attention."))
    width = _positive_int(config, "out_channels")
    if "only_temporal_attention" in config:
        ours = replace(ours, augmented=not config["only_temporal_attention"])
        window = config.get(f"dim_block{width.bit_length() - 6}", 10) if "dim_block1" in config else 0
        frames = _OFFICIAL_FRAMES * 64 // width
        stride = config.get("stride", 1)
        block = st_tr.TemporalTransformer(channels, width, ours, stride=stride, frames=frames, window=window)
        return fill(block, state, st_tr_source(ours, 3, "tcn1."), st_tr_unused(ours))
    if "only_attention" in config:
        ours = replace(ours, augmented=not config["only_attention"])
        block = st_tr.SpatialTransformer(channels, width, adjacency, ours)
    elif ours.adaptive:
        block = st_tr.AdaptiveGraphConv(channels, width, adjacency)
    else:
        importance = bool(config.get("mask_learning", False))
        block = st_tr.GraphConv(channels, width, adjacency, importance=importance)
    return fill(block, state, st_tr_source(ours, 3, "gcn1."), st_tr_unused(ours))
