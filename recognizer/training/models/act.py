"""AcT, the Action Transformer (Mazzia et al., Pattern Recognition 124, 2022), as in its authors' published code.

N clips, T frames, F features, D width, A outputs. Where paper and code differ the code counts: the head's two
layers have nothing between them, and the class token also gets a learned position.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 64  # of each attention head


@dataclass(frozen=True, slots=True)
class ActConfig:
    """Size of the network. width: D. hidden: of the head (the paper's D_mlp). The encoder's own hidden width is 4 D."""

    features: int
    outputs: int
    frames: int = 30
    width: int = 64
    layers: int = 4
    hidden: int = 256
    dropout: float = 0.3

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
    """Features (N, T, F) to logits (N, A)."""

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

    def forward(self, features: Tensor) -> Tensor:
        x = self.embed(features)  # (N, T, D)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)  # (N, T + 1, D)
        x = x + self.position
        for layer in self.encoder[:-1]:
            x = layer(x, x)
        x = self.encoder[-1](x[:, :1], x)  # (N, 1, D): of the last layer only the class token is read
        logits: Tensor = self.head(x[:, 0])  # (N, A)
        return logits


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

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """x (N, Q, D) looks at context (N, K, D); gives (N, Q, D)."""
        x = self.norm1(x + self.dropout(self._attend(x, context)))
        y = self.narrow(functional.gelu(self.widen(x)))  # exact GELU
        return self.norm2(x + self.dropout(y))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor, context: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:  # (N, K, D) -> (N, heads, K, 64)
            return y.view(y.shape[0], y.shape[1], self.heads, HEAD_WIDTH).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(context)), split(self.value(context))
        mixed = functional.scaled_dot_product_attention(q, k, v)  # (N, heads, Q, 64)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


def parameter_count(model: nn.Module) -> int:
    """Trainable numbers."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
