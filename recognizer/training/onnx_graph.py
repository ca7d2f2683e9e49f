"""Trained networks and their ONNX graphs, rewritten so that ONNX Runtime answers sooner; the answers stay the same.

ONNX Runtime itself folds batch norms and activations into convolutions, scales and transposes into products; torch's
exporter folds whatever depends on weights alone. Here is what neither of them can know.
"""

import copy
import itertools

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from recognizer.training.models.act import HEAD_WIDTH, Act, EncoderLayer
from recognizer.training.models.inside import Inside

_MOST_NUMBERS = 1 << 17  # in a constant that is written out
_BROADCASTING = ("Add", "Sub", "Mul")


def folded(network: nn.Module) -> nn.Module:
    """A copy in eval mode that gives the same answers, every AcT in it replaced by a FoldedAct."""
    network = copy.deepcopy(network)
    if isinstance(network, Act):
        return FoldedAct(network).eval()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, Act):
                setattr(module, name, FoldedAct(child))
    return network.eval()


def written_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give constants that are added or multiplied the whole shape of the result, but for the batch axis.

    ONNX Runtime repeats short rows slowly: 13 joints at a time for norms and biases of each joint. Changes `model`.
    """
    graph = model.graph
    shapes = {value.name: _sizes(value) for value in (*graph.value_info, *graph.output)}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        batch, *sizes = shapes.get(node.output[0]) or (1,)
        if node.op_type not in _BROADCASTING or batch or not all(sizes) or np.prod(sizes) > _MOST_NUMBERS:
            continue
        for place, name in enumerate(node.input):
            small = numpy_helper.to_array(constants[name]) if name in constants else np.zeros(1)
            if 1 < small.size < np.prod(sizes):
                whole = np.ascontiguousarray(np.broadcast_to(small, (1, *sizes)))
                node.input[place] = f"{node.output[0]}_{name}"
                graph.initializer.append(numpy_helper.from_array(whole, node.input[place]))
    used = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return model


def _sizes(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """Of each axis, 0 where it is open."""
    return tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)


class FoldedAct(nn.Module):
    """AcT for export: features (N, T, F) to logits (N, A). N clips, S = T + 1 tokens, D width, H heads of 64.

    What can be multiplied once is multiplied here: the two layers of the head, with nothing between them; with one
    head also queries with keys, and values with the output. The bias of the keys moves all scores of a query alike and
    falls away in the softmax; the bias of the values passes through it, for its rows add up to 1. A bias that meets a
    residual is moved into whatever made the residual, so that the sum becomes a part of the product (Gemm).
    """

    def __init__(self, act: Act) -> None:
        super().__init__()
        self.act = act
        encoder = [layer for layer in act.encoder if isinstance(layer, EncoderLayer)]
        kind = _SingleHead if act.config.heads == 1 else _SeveralHeads
        layers = [kind(layer) for layer in encoder[:-1]]
        for before, after in itertools.pairwise(layers):
            before.feed.last_bias.data += after.early
        self.early = _constant(layers[0].early if layers else torch.zeros(act.config.width))
        self.layers = nn.ModuleList(layers)
        self.last = _FirstToken(encoder[-1])
        self.last_attention = _Weights(encoder[-1])
        first, second = (layer for layer in act.head if isinstance(layer, nn.Linear))
        self.head = _constant(_product(second.weight, first.weight))  # (A, D)
        self.head_bias = _constant(_product(second.weight, first.bias) + second.bias)

    def forward(self, features: Tensor) -> Tensor:
        return functional.linear(self.last(self._encoded(features, None)), self.head, self.head_bias)

    def inside(self, features: Tensor) -> Inside:
        """As Act.inside, of the same answers."""
        maps: list[Tensor] = []
        x = self._encoded(features, maps)
        token = self.last(x)
        maps.append(self.last_attention(x))
        logits = functional.linear(token, self.head, self.head_bias)
        return Inside(logits, token, {"attention": torch.stack(maps, dim=1)})

    def fixed(self) -> dict[str, Tensor]:
        """As Act.fixed."""
        return self.act.fixed()

    def _encoded(self, features: Tensor, maps: list[Tensor] | None) -> Tensor:
        """What all layers but the last make of features: (N, S, D)."""
        act, (_, frames, _) = self.act, features.shape
        first = torch.cat([act.class_token, act.embed.bias.expand(1, frames, -1)], dim=1)
        first = first + act._position(frames, None) + self.early  # (1, S, D)
        x = functional.pad(features, (0, 0, 1, 0)) @ act.embed.weight.T + first  # (N, S, D)
        for layer in self.layers:
            x = layer(x, maps)
        return x


class _SingleHead(nn.Module):
    """An encoder layer of one head: (N, S, D) to the same. early: what it wants added to its input, here nothing."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        keys, scale = layer.key.weight.T, HEAD_WIDTH**-0.5
        self.query = _constant(_product(keys, layer.query.weight) * scale)  # (D, D)
        self.query_bias = _constant(_product(keys, layer.query.bias) * scale)
        self.value = _constant(_product(layer.out.weight, layer.value.weight))
        self.value_bias = _constant(_gathered_bias(layer))
        self.early = _constant(torch.zeros(keys.shape[0]))
        self.feed = _FeedForward(layer)

    def forward(self, x: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        _, tokens, width = x.shape
        rows = x.reshape(-1, width)  # (N * S, D), which ONNX Runtime multiplies fastest
        queries = functional.linear(rows, self.query, self.query_bias).view(-1, tokens, width)
        values = functional.linear(rows, self.value, self.value_bias).view(-1, tokens, width)
        weights = (queries @ x.transpose(1, 2)).softmax(dim=2)  # (N, S, S)
        if maps is not None:
            maps.append(weights.unsqueeze(1))
        mixed = weights @ values  # (N, S, D)
        y: Tensor = self.feed(rows + mixed.reshape(-1, width))
        return y.view(-1, tokens, width)


class _SeveralHeads(nn.Module):
    """An encoder layer: (N, S, D), to which `early` (D,) was added, to (N, S, D)."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        scale, bias = HEAD_WIDTH**-0.5, _gathered_bias(layer)
        self.heads = layer.heads
        weight = torch.cat([_product(layer.query.weight) * scale, layer.key.weight, layer.value.weight])  # (3 D, D)
        nothing = torch.zeros(len(bias))
        own = torch.cat([_product(layer.query.bias) * scale, nothing, nothing])
        self.projection = _constant(weight)
        self.projection_bias = _constant(own - _product(weight, bias))  # `early` is in the input
        self.out = _constant(layer.out.weight)
        self.early = _constant(bias)
        self.feed = _FeedForward(layer)

    def forward(self, x: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        _, tokens, width = x.shape
        rows = x.reshape(-1, width)
        parts = functional.linear(rows, self.projection, self.projection_bias).chunk(3, dim=1)
        q, k, v = (part.reshape(-1, tokens, self.heads, HEAD_WIDTH).transpose(1, 2) for part in parts)  # (N, H, S, 64)
        weights = (q @ k.transpose(2, 3)).softmax(dim=3)  # (N, H, S, S)
        if maps is not None:
            maps.append(weights)
        mixed = weights @ v
        mixed = mixed.transpose(1, 2).reshape(-1, width)
        y: Tensor = self.feed(torch.addmm(rows, mixed, self.out.T))
        return y.view(-1, tokens, width)


class _FirstToken(nn.Module):
    """The last encoder layer, of which only the class token is read: (N, S, D) to (N, D).

    One query a clip: weights of keys and values meet the query and what it gathers, not every token.
    """

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        scale, width = HEAD_WIDTH**-0.5, layer.query.weight.shape[0]
        self.query = _constant(_product(layer.query.weight) * scale)
        self.query_bias = _constant(_product(layer.query.bias) * scale)
        self.key = _constant(layer.key.weight.view(-1, HEAD_WIDTH, width))  # (H, 64, D)
        self.value = _constant(layer.value.weight.view(-1, HEAD_WIDTH, width).transpose(1, 2))  # (H, D, 64)
        self.out = _constant(layer.out.weight)
        self.out_bias = _constant(_gathered_bias(layer))
        self.feed = _FeedForward(layer)

    def forward(self, x: Tensor) -> Tensor:
        first, width = x[:, 0], x.shape[2]  # (N, D)
        query = functional.linear(first, self.query, self.query_bias).view(-1, width // HEAD_WIDTH, 1, HEAD_WIDTH)
        query = (query @ self.key).squeeze(2)  # (N, H, D)
        seen = (query @ x.transpose(1, 2)).softmax(dim=2) @ x  # (N, H, D)
        mixed = (seen.unsqueeze(2) @ self.value).reshape(-1, width)
        y: Tensor = self.feed(first + functional.linear(mixed, self.out, self.out_bias))
        return y


class _Weights(nn.Module):
    """The attention (N, H, S, S) of a layer whose input is (N, S, D); nothing of it is read further on."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        width = layer.query.weight.shape[0]
        scale, keys = HEAD_WIDTH**-0.5, layer.key.weight.view(-1, HEAD_WIDTH, width)  # (H, 64, D)
        queries, bias = layer.query.weight.view(-1, HEAD_WIDTH, width), layer.query.bias.view(-1, 1, HEAD_WIDTH)
        self.query = _constant(_product(queries.transpose(1, 2), keys) * scale)  # (H, D, D)
        self.query_bias = _constant(_product(bias, keys) * scale)  # (H, 1, D)

    def forward(self, x: Tensor) -> Tensor:
        queries = x.unsqueeze(1) @ self.query + self.query_bias  # (N, H, S, D)
        return (queries @ x.unsqueeze(1).transpose(2, 3)).softmax(dim=3)


class _FeedForward(nn.Module):
    """Norm, two layers, sum, norm: (R, D) to the same. The bias of the second layer is in the bias of the norm."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        late = _product(layer.narrow.bias)
        self.epsilon, self.gelu = layer.norm1.eps, layer.gelu
        self.first, self.first_bias = _constant(layer.norm1.weight), _constant(layer.norm1.bias + late)
        self.widen = _constant(layer.widen.weight)
        self.widen_bias = _constant(layer.widen.bias - _product(layer.widen.weight, late))
        self.narrow = _constant(layer.narrow.weight.T)
        self.last, self.last_bias = _constant(layer.norm2.weight), _constant(layer.norm2.bias)

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[1],)
        x = functional.layer_norm(x, size, self.first, self.first_bias, self.epsilon)
        wide = self.gelu(functional.linear(x, self.widen, self.widen_bias))
        return functional.layer_norm(torch.addmm(x, wide, self.narrow), size, self.last, self.last_bias, self.epsilon)


def _gathered_bias(layer: EncoderLayer) -> Tensor:
    """What the biases of values and output come to (D,)."""
    return _product(layer.out.weight, layer.value.bias) + layer.out.bias


def _product(*factors: Tensor) -> Tensor:
    """In double precision."""
    product = factors[0].detach().double()
    for factor in factors[1:]:
        product = product @ factor.detach().double()
    return product


def _constant(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values.detach().float().contiguous().clone(), requires_grad=False)


def anonymous(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the lines of code, with this machine's paths, that torch's exporter notes beside each node."""
    graphs = [model.graph, *model.functions]
    for holder in [model, *graphs, *(node for graph in graphs for node in graph.node), *model.graph.input]:
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    for value in [*model.graph.output, *model.graph.value_info, *model.graph.initializer]:
        value.ClearField("metadata_props")
        value.ClearField("doc_string")
    return model
