"""The official codes' names of weights, and how a network of ours is filled from them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pose.errors import ActionLensError
from recognizer.training.models.st_tr import StTrConfig

State = Mapping[str, Any]
# The official names of one of our tensors, and how their values become it.
Source = tuple[tuple[str, ...], Callable[[list[Tensor]], Tensor]]

# Buffers that follow from the configuration, and counters: optional in a checkpoint.
_FIXED = r"(.*\.)?num_batches_tracked|(.*\.)?A"


class OfficialError(ActionLensError):
    """Official weights, or their configuration, do not make a network."""


def fill(network: nn.Module, state: State, source_of: Callable[[str], Source], unused: str = "") -> nn.Module:
    """Copy the official weights `state` into the network and give it back in eval mode.

    source_of: from our names. unused: pattern of official names that the official code creates but never uses.
    Raises OfficialError that names a missing, surplus, misshapen or non-finite weight.
    """
    state = _without_wrapper(state)
    left = set(state)
    with torch.no_grad():
        for key, target in network.state_dict().items():
            names, join = source_of(key)
            missing = [name for name in names if name not in state]
            if missing and re.fullmatch(_FIXED, missing[0]):
                continue
            if missing:
                raise OfficialError(
                    f"the weight {missing[0]} is missing; give the checkpoint that belongs to the config"
                )
            left -= set(names)
            value = join([as_tensor(state[name], name) for name in names])
            if _squeezed(value.shape) != _squeezed(target.shape):
                raise OfficialError(
                    f"the weight {names[0]} has the wrong shape: expected {tuple(target.shape)} from the config, "
                    f"got {tuple(value.shape)}; give the config that belongs to the checkpoint"
                )
            target.copy_(value.reshape(target.shape))
    surplus = sorted(name for name in left if not re.fullmatch(f"{_FIXED}|{unused}", name))
    if surplus:
        raise OfficialError(
            f"the weight {surplus[0]} is not part of the network of this config ({len(surplus)} such); "
            "give the config that belongs to the checkpoint"
        )
    return network.eval()


def as_tensor(value: Any, name: str) -> Tensor:
    """An array or tensor as float32. Raises OfficialError where it is neither or not finite."""
    try:
        tensor = value.detach() if isinstance(value, Tensor) else torch.from_numpy(np.array(value, dtype=np.float32))
        tensor = tensor.to("cpu", torch.float32)
    except (TypeError, ValueError) as error:
        raise OfficialError(f"the weight {name} is not an array of numbers") from error
    if not torch.isfinite(tensor).all():
        raise OfficialError(f"the weight {name} has values that are not finite; the checkpoint is damaged")
    return tensor


def _without_wrapper(state: State) -> State:
    """Names without the `module.` that torch's DataParallel puts before each."""
    if state and all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): value for name, value in state.items()}
    return state


def _squeezed(shape: torch.Size) -> list[int]:
    return [size for size in shape if size != 1]


def renamed(key: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The key with every rule's pattern replaced, in their order."""
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key


def _first(tensors: list[Tensor]) -> Tensor:
    return tensors[0]


_ST_GCN = (
    (r"^position\.", "origin_stream."),
    (r"^motion\.", "motion_stream."),
    (r"\bblocks\.", "st_gcn_networks."),
    (r"\bgather\.weight$", "gcn.conv.weight"),
    (r"\bgather_bias$", "gcn.conv.bias"),
    (r"\bgather_norm\.", "tcn.0."),
    (r"\btemporal\.", "tcn.2."),
    (r"\btemporal_norm\.", "tcn.3."),
    (r"\bshortcut\.", "residual."),
    (r"\bimportance\.", "edge_importance."),
    (r"\binput_norm\.", "data_bn."),
    (r"\bhead\.", "fcn."),
    (r"\badjacency$", "A"),
)


def st_gcn_source(subsets: int) -> Callable[[str], Source]:
    """Of models.st_gcn: the whole network, its two-stream form, or a block.

    subsets: K of the graph; the official convolution gives K D channels, ours takes K C.
    """

    def source(key: str) -> Source:
        name = renamed(key, _ST_GCN)
        if name.endswith("gcn.conv.weight"):
            return (name,), lambda found: torch.cat(found[0].chunk(subsets), dim=1)
        if name.endswith("gcn.conv.bias"):
            return (name,), lambda found: found[0].view(subsets, -1)
        return (name,), _first

    return source


_ST_TR = (
    (r"^input_norm\.", "data_bn."),
    (r"^head\.", "fcn."),
    (r"^stem\.spatial\.", "gcn0."),
    (r"^stem\.temporal\.", "tcn0."),
    (r"^units\.(\d+)\.shortcut\.", r"backbone.\1.down1."),
    (r"^units\.(\d+)\.spatial\.", r"backbone.\1.gcn1."),
    (r"^units\.(\d+)\.temporal\.", r"backbone.\1.tcn1."),
    (r"\bnorm\.", "bn."),
    (r"\bnormalise\.", "data_bn."),
    (r"\bshortcut\.", "down."),
    (r"\bgcn1\.attention\.", "gcn1.attention_conv."),
    (r"\bgcn1\.convolution\.gather\.", "gcn1.g_convolutions."),
    (r"\bconvolution\.", "tcn_conv."),
    (r"\btcn1\.attention\.", "tcn1."),
    (r"\battention_conv\.importance$", "attention_conv.mask"),
    (r"\bqkv\.", "qkv_conv."),
    (r"\bout\.", "attn_out."),
    (r"\brelative$", "key_rel"),
    (r"\brelative_self$", "key_rel_diagonal"),
    (r"\bimportance$", "mask"),
    (r"\blearned$", "PA"),
    (r"\bembed_a\.", "conv_a."),
    (r"\bembed_b\.", "conv_b."),
)


def st_tr_source(config: StTrConfig, subsets: int, inside: str = "") -> Callable[[str], Source]:
    """Of models.st_tr: the whole network, or what `inside` names of a unit, as the official code does: `gcn1.`, ...

    subsets: K of the graph; the official code has a convolution for each.
    """
    rules = (*_ST_TR, (r"\bgather\.", "conv_d." if config.adaptive else "conv_list."))
    official_inside = renamed(inside, rules)

    def source(key: str) -> Source:
        name = renamed(inside + key, rules).removeprefix(official_inside)
        each = re.fullmatch(r"(.*\b(?:conv_list|g_convolutions|conv_[abd]))\.(weight|bias)", name)
        if not each:
            return (name,), _first
        names = tuple(f"{each[1]}.{k}.{each[2]}" for k in range(subsets))
        if each[1].endswith(("conv_a", "conv_b")):
            return names, torch.cat
        return names, (lambda parts: torch.cat(parts, dim=1)) if each[2] == "weight" else torch.stack

    return source


def st_tr_unused(config: StTrConfig) -> str:
    """Pattern of the weights that the official ST-TR creates and never uses."""
    patterns = [r"person_bn\..*"]
    if not config.normalise_input:
        patterns.append(r"data_bn\..*")
    if not config.normalise:
        patterns.append(r"(.*\.gcn1\.)?data_bn\..*")
    if not config.skip:
        patterns.append(r"(.*\.tcn1\.)?down\..*")
    return "|".join(patterns)
