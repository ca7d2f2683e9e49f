"""Weights of the official AcT code (PIC4SeR/AcT, Keras) as an Act.

Two kinds of names are understood, and arrays are (in, out) as Keras has them:

- those of `model.weights`, as `numpy.savez("act.npz", **{w.name: w.numpy() for w in model.weights})` writes them:
  `dense_24/kernel:0`, `.../transformer_encoder_layer_1/multi_head_attention_1/dense_6/kernel:0`,
  `.../layer_normalization_2/gamma:0`, `.../embedding/embeddings:0`, and a variable (1, 1, D) of any name, the class
  token. Keras numbers layers as they are made, from any start; the numbers give only the order.
- those of the attributes in the official source: `dense.kernel`, `class_embed`, `position_embedding.embeddings`,
  `encoder_layers.0.mha.wq.kernel` (and wk, wv, dense), `encoder_layers.0.ffn.0.kernel` (and 1),
  `encoder_layers.0.layernorm1.gamma` (and beta, layernorm2), `head.0.kernel`, `head.1.kernel`.

Sizes follow from the arrays. The config may name them (MODEL_SIZE, or N_HEADS, N_LAYERS, MLP, FRAMES, KEYPOINTS,
CHANNELS, CLASSES, in either case) and then they must agree; `gelu` is exact, as in the published code, or tanh, as in
its TFLite file.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from recognizer.training.models.act import HEAD_WIDTH, SIZES, Act, ActConfig
from research.official.names import OfficialError, Source, State, fill

# Our names within an encoder layer and the attributes of the official source.
_LAYER = {
    "query": "mha.wq",
    "key": "mha.wk",
    "value": "mha.wv",
    "out": "mha.dense",
    "widen": "ffn.0",
    "narrow": "ffn.1",
    "norm1": "layernorm1",
    "norm2": "layernorm2",
}
_SIZES = {"micro": "micro", "small": "small", "base": "medium", "large": "large"}


def load_act(state: State, config: Mapping[str, Any]) -> nn.Module:
    """The network in eval mode, on features (N, T, F). Raises OfficialError."""
    state = state if any("encoder_layers" in name for name in state) else _with_attribute_names(state)
    ours = _config(state, config)
    return fill(Act(ours), state, _source)


def _source(key: str) -> Source:
    """The official name of one of our tensors; Keras keeps matrices as (in, out)."""
    if key == "class_token":
        return ("class_embed",), lambda found: found[0]
    if key == "position":
        return ("position_embedding.embeddings",), lambda found: found[0]
    path, _, kind = key.rpartition(".")
    if layer := re.fullmatch(r"encoder\.(\d+)\.(\w+)", path):
        name = f"encoder_layers.{layer[1]}.{_LAYER[layer[2]]}"
        if layer[2].startswith("norm"):
            return (f"{name}.{'gamma' if kind == 'weight' else 'beta'}",), lambda found: found[0]
    else:
        name = "dense" if path == "embed" else path
    if kind == "weight":
        return (f"{name}.kernel",), _transposed
    return (f"{name}.bias",), lambda found: found[0]


def _transposed(found: list[Tensor]) -> Tensor:
    return found[0].T


def _config(state: State, config: Mapping[str, Any]) -> ActConfig:
    """Sizes of the arrays, checked against those that the config names."""

    def shape(name: str, dimensions: int) -> tuple[int, ...]:
        if name not in state:
            raise OfficialError(f"the weight {name} is missing; give the checkpoint of an AcT")
        found = np.shape(state[name])
        if len(found) != dimensions:
            raise OfficialError(f"the weight {name} must have {dimensions} dimensions, got shape {found}")
        return found

    features, width = shape("dense.kernel", 2)
    rows, _ = shape("position_embedding.embeddings", 2)
    hidden, outputs = shape("head.1.kernel", 2)
    layers = 1 + max(
        (int(name.split(".")[1]) for name in state if re.match(r"encoder_layers\.\d+\.", name)), default=-1
    )
    found = {
        **{"N_HEADS": width // HEAD_WIDTH, "N_LAYERS": layers, "MLP": hidden},
        **{"FRAMES": rows - 1, "FEATURES": features, "CLASSES": outputs},
    }
    named = _config_sizes(config)
    for name, value in found.items():
        if named.get(name, value) != value:
            raise OfficialError(
                f"the config has {name} {named[name]}, but the weights have {value}; give the config that belongs"
            )
    dropout = 0.4 if width == SIZES["large"]["width"] else 0.3
    gelu = str(config.get("gelu", "exact"))
    return ActConfig(features, outputs, rows - 1, width, layers, hidden, dropout, gelu)


def _config_sizes(config: Mapping[str, Any]) -> dict[str, int]:
    """The sizes that a config names, by their official names in capitals; FEATURES is KEYPOINTS * CHANNELS."""
    upper = {str(name).upper(): value for name, value in config.items()}
    size = upper.get("MODEL_SIZE")
    if size is not None and str(size).lower() not in _SIZES:
        raise OfficialError(f"unknown MODEL_SIZE {size!r}; known are {', '.join(_SIZES)}")
    if isinstance(inner := upper.get(str(size).upper()), Mapping):  # as in the official config.yaml
        upper |= {str(name).upper(): value for name, value in inner.items()}
    elif size is not None:
        ours = SIZES[_SIZES[str(size).lower()]]
        upper |= {"N_HEADS": ours["width"] // HEAD_WIDTH, "N_LAYERS": ours["layers"], "MLP": ours["hidden"]}
    if isinstance(inner := upper.get(str(upper.get("DATASET")).upper()), Mapping):
        upper |= {str(name).upper(): value for name, value in inner.items()}
        upper["FRAMES"] = upper.get("FRAMES", 30) // upper.get("SUBSAMPLE", 1)
    if "KEYPOINTS" in upper and "CHANNELS" in upper:
        upper["FEATURES"] = upper["KEYPOINTS"] * upper["CHANNELS"]
    return {name: value for name, value in upper.items() if type(value) is int}


def _with_attribute_names(state: State) -> dict[str, Any]:
    """Names of `model.weights`, or those of attributes, as attribute names.

    The official code makes six dense layers for each encoder layer, then the embedding's and the head's two.
    """
    numbered: dict[tuple[str, int], dict[str, Any]] = {}  # ("dense", 3): {"kernel": ...}
    renamed: dict[str, Any] = {}
    for name, value in state.items():
        *path, kind = re.sub(r":\d+$", "", name).split("/")
        layer = re.fullmatch(r"(dense|layer_normalization)(?:_(\d+))?", path[-1] if path else "")
        if layer:
            numbered.setdefault((layer[1], int(layer[2] or 0)), {})[kind] = value
        elif kind == "embeddings":
            renamed["position_embedding.embeddings"] = value
        elif np.ndim(value) == 3:
            renamed["class_embed"] = value
        else:
            renamed[name] = value  # surplus
    dense = [numbered[key] for key in sorted(numbered) if key[0] == "dense"]
    norms = [numbered[key] for key in sorted(numbered) if key[0] == "layer_normalization"]
    layers = (len(dense) - 3) // 6
    if len(dense) != 6 * layers + 3 or len(norms) != 2 * layers:
        raise OfficialError(
            "the weights are not those of an AcT: expected 6 dense layers of each encoder layer and 3 more, and 2 "
            f"layer norms of each, got {len(dense)} and {len(norms)}; give all of model.weights"
        )
    places = [f"encoder_layers.{layer}.{name}" for layer in range(layers) for name in _LAYER.values()]
    dense_names = [name for name in places if "norm" not in name] + ["dense", "head.0", "head.1"]
    norm_names = [name for name in places if "norm" in name]
    for names, owners in ((dense_names, dense), (norm_names, norms)):
        for name, owner in zip(names, owners, strict=True):
            renamed |= {f"{name}.{kind}": value for kind, value in owner.items()}
    return renamed
