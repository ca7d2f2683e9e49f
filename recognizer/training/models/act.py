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
        return self.head(self._encoded(features, places)[0])  # type: ignore[no-any-return]

    def inside(self, features: Tensor) -> Inside:
        """attention: (N, L, H, T + 1, T + 1), the class token first; also rows of the last layer that nothing reads."""
        token, maps = self._encoded(features)
        return Inside(self.head(token), token, {"attention": torch.stack(maps, dim=1)})

    def fixed(self) -> dict[str, Tensor]:
        """position_similarity: (1, T + 1, T + 1), cosines of the positions, the class token first (Fig. 9)."""
        unit = functional.normalize(self.position, dim=2)
        return {"position_similarity": unit @ unit.transpose(1, 2)}

    def _encoded(self, features: Tensor, places: Sequence[int] | None = None) -> tuple[Tensor, list[Tensor]]:
        """The class token (N, D) after all layers, and their attention."""
        token = self.class_token.expand(features.shape[0], -1, -1)
        x = torch.cat([token, self.embed(features)], dim=1) + self._position(features.shape[1], places)
        maps = []
        for layer in self.encoder:
            x, weights = layer(x)
            maps.append(weights)
        return x[:, 0], maps

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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, S, D) to the same, and the attention (N, heads, S, S)."""
        q, k, v = (self._split(layer(x)) for layer in (self.query, self.key, self.value))  # (N, heads, S, 64)
        weights = (q @ k.transpose(2, 3) * HEAD_WIDTH**-0.5).softmax(dim=3)
        mixed = (weights @ v).transpose(1, 2).flatten(2)  # (N, S, D)
        x = self.norm1(x + self.dropout(self.out(mixed)))
        y = self.narrow(self.gelu(self.widen(x)))
        return self.norm2(x + self.dropout(y)), weights

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, HEAD_WIDTH).transpose(1, 2)
