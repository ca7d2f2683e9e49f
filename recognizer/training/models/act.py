"""AcT, the Action Transformer (Mazzia et al., Pattern Recognition 124, 2022), as in its authors' published code.

N clips, T frames, F features, D width, A outputs. Where paper and code differ the code counts: the head's two
layers have nothing between them, and the class token also gets a learned position. The published code has no rule for
clips of fewer frames than it was trained on; here each pose keeps the position of its time (see `forward`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.training.models.inside import Inside

HEAD_WIDTH = 64  # of each attention head


@dataclass(frozen=True, slots=True)
class ActConfig:
    """Size of the network.

    frames: T of training. width: D. hidden: of the head (the paper's D_mlp); the encoder's own hidden width is 4 D.
    gelu: exact, as the published code has it, or tanh, the approximation of its TFLite file.
    """

    features: int
    outputs: int
    frames: int = 30
    width: int = 64
    layers: int = 4
    hidden: int = 256
    dropout: float = 0.3
    gelu: str = "exact"

    def __post_init__(self) -> None:
        if self.gelu not in ("exact", "tanh"):
            raise ValueError(f"gelu must be exact or tanh, got {self.gelu!r}")
        if self.width % HEAD_WIDTH:
            raise ValueError(f"width must be a multiple of {HEAD_WIDTH}, got {self.width}")

    @property
    def heads(self) -> int:
        """Attention heads of 64 channels."""
        return self.width // HEAD_WIDTH


# Width, layers, hidden and dropout of the four sizes; dropout as in the published code.
SIZES: dict[str, dict[str, int | float]] = {
    "micro": {"width": 64, "layers": 4, "hidden": 256, "dropout": 0.3},
    "small": {"width": 128, "layers": 5, "hidden": 256, "dropout": 0.3},
    "medium": {"width": 192, "layers": 6, "hidden": 256, "dropout": 0.3},
    "large": {"width": 256, "layers": 6, "hidden": 512, "dropout": 0.4},
}


class Act(nn.Module):
    """Features (N, T, F), T up to the trained one, to logits (N, A)."""

    def __init__(self, config: ActConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.features, config.width)
        self.class_token = nn.Parameter(torch.empty(1, 1, config.width))
        self.position = nn.Parameter(torch.empty(1, config.frames + 1, config.width))
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.head = nn.Sequential(nn.Linear(config.width, config.hidden), nn.Linear(config.hidden, config.outputs))
        self._initialise()

    def _initialise(self) -> None:
        """Keras's defaults, with which the published results were made."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.position, -0.05, 0.05)
        # he_normal of fan-in 1: a normal of deviation sqrt(2) / 0.8796, truncated at two deviations
        deviation = 2**0.5 / 0.87962566
        nn.init.trunc_normal_(self.class_token, std=deviation, a=-2 * deviation, b=2 * deviation)

    def forward(self, features: Tensor, places: Sequence[int] | None = None) -> Tensor:
        """places: which frames of the trained clip these T are, from 0 on; left out, they are spread evenly over it."""
        return self._logits(features, places, None)

    def with_attention(self, features: Tensor, places: Sequence[int] | None = None) -> tuple[Tensor, list[Tensor]]:
        """Logits and each layer's attention (N, heads, T + 1, T + 1), the class token first; of the last layer only
        what the class token looks at (N, heads, 1, T + 1)."""
        maps: list[Tensor] = []
        return self._logits(features, places, maps), maps

    def inside(self, features: Tensor) -> Inside:
        """attention: (N, L, H, T + 1, T + 1), the class token first; also rows of the last layer that nothing reads."""
        maps: list[Tensor] = []
        tokens, last = features.shape[1] + 1, self.encoder[-1]
        x = self._encoded(features, None, maps)  # (N * tokens, D)
        token = last(x, tokens, None, only_first=True)
        last(x, tokens, maps)
        return Inside(self.head(token), token, {"attention": torch.stack(maps, dim=1)})

    def fixed(self) -> dict[str, Tensor]:
        """position_similarity: (1, T + 1, T + 1), cosines of the positions, the class token first (Fig. 9)."""
        unit = functional.normalize(self.position, dim=2)
        return {"position_similarity": unit @ unit.transpose(1, 2)}

    def _logits(self, features: Tensor, places: Sequence[int] | None, maps: list[Tensor] | None) -> Tensor:
        x = self._encoded(features, places, maps)
        # of the last layer only the class token is read
        logits: Tensor = self.head(self.encoder[-1](x, features.shape[1] + 1, maps, only_first=True))  # (N, A)
        return logits

    def _encoded(self, features: Tensor, places: Sequence[int] | None, maps: list[Tensor] | None) -> Tensor:
        """What all layers but the last make of features (N, T, F): rows (N * tokens, D)."""
        tokens = features.shape[1] + 1
        # An empty frame in front becomes the class token: its embedding is the bias, which `first` takes away.
        first = functional.pad(self.class_token - self.embed.bias, (0, 0, 0, tokens - 1))
        x = self.embed(functional.pad(features, (0, 0, 1, 0)).flatten(0, 1))  # (N * tokens, D)
        x = (x.view(-1, tokens, self.config.width) + (first + self._position(tokens - 1, places))).flatten(0, 1)
        for layer in self.encoder[:-1]:
            x = layer(x, tokens, maps)
        rows: Tensor = x
        return rows

    def _position(self, count: int, places: Sequence[int] | None) -> Tensor:
        """The positions (1, T + 1, D) of the class token and of `count` frames. ValueError where they do not fit."""
        if count == self.config.frames and places is None:
            return self.position
        last = self.config.frames - 1
        if places is None and count <= self.config.frames:
            places = [round(last * place / max(count - 1, 1)) for place in range(count)]
        if places is None or len(places) != count or not all(0 <= place <= last for place in places):
            raise ValueError(
                f"expected at most {last + 1} frames, each with a place of 0 to {last}, got {count} frames"
            )
        return self.position[:, [0, *(place + 1 for place in places)]]


class EncoderLayer(nn.Module):
    """Post-norm encoder layer: attention, then a two-layer network, each added to its input and normalised."""

    def __init__(self, config: ActConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.width, config.width)
        self.key = nn.Linear(config.width, config.width)
        self.value = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, config.width)
        self.widen = nn.Linear(config.width, 4 * config.width)
        self.narrow = nn.Linear(4 * config.width, config.width)
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.dropout = nn.Dropout(config.dropout)
        self.gelu = nn.GELU("tanh" if config.gelu == "tanh" else "none")

    def forward(self, x: Tensor, tokens: int, maps: list[Tensor] | None = None, *, only_first: bool = False) -> Tensor:
        """Rows (N * tokens, D), which ONNX Runtime multiplies fastest, to the same, or only the first of each clip."""
        queries, keys, values = self._projected(x, tokens, only_first)
        y = self.out(self._gathered(queries, keys, values, 1 if only_first else tokens, tokens, maps))
        if only_first:
            x = x.view(-1, tokens, x.shape[1])[:, 0]
        x = self.norm1(x + self.dropout(y))
        y = self.narrow(self.gelu(self.widen(x)))
        return self.norm2(x + self.dropout(y))  # type: ignore[no-any-return]

    def _projected(self, x: Tensor, tokens: int, only_first: bool) -> Sequence[Tensor]:
        """Queries, keys and values, in as few products as can be."""
        layers = (self.key, self.value) if only_first else (self.query, self.key, self.value)
        weight, bias = torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])
        found = functional.linear(x, weight, bias).chunk(len(layers), dim=1)
        return (self.query(x.view(-1, tokens, x.shape[1])[:, 0]), *found) if only_first else found

    def _gathered(
        self, queries: Tensor, keys: Tensor, values: Tensor, asking: int, tokens: int, maps: list[Tensor] | None
    ) -> Tensor:
        """What the heads of each of a clip's `asking` queries gather from its tokens, a row for each query."""

        def split(rows: Tensor, count: int) -> Tensor:  # (N * K, D) -> (N, heads, K, 64)
            if self.heads == 1:
                return rows.view(-1, 1, count, HEAD_WIDTH)
            return rows.view(-1, count, self.heads, HEAD_WIDTH).transpose(1, 2)

        q, k, v = split(queries, asking), split(keys, tokens), split(values, tokens)
        # The fused attention of processors is slow in bfloat16: a training step takes half as long again with it.
        slow = q.device.type == "cpu" and q.dtype == torch.bfloat16
        if maps is None and not slow and not torch.compiler.is_exporting():
            mixed = functional.scaled_dot_product_attention(q, k, v)  # (N, heads, Q, 64)
        else:  # in the open, so that ONNX Runtime can fuse the scale into the product
            weights = ((q @ k.transpose(2, 3)) * HEAD_WIDTH**-0.5).softmax(dim=3)  # (N, heads, Q, K)
            if maps is not None:
                maps.append(weights)
            mixed = weights @ v
        if self.heads > 1:
            mixed = mixed.transpose(1, 2)
        return mixed.reshape(-1, self.heads * HEAD_WIDTH)


def parameter_count(model: nn.Module) -> int:
    """Trainable numbers."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
