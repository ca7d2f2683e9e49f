"""Embedding, attention and activations of a network, for the further outputs of an exported graph; graph networks on
features."""

from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """Outputs and internals of one forward pass over N clips.

    logits: (N, outputs). embedding: (N, D), what the head reads. attention: by name, the heads where HEADS_AXIS says.
    activation: (N, outputs, T', V), whose mean over T' and V is the logits less the head's bias; networks that
    average over frames and joints before a linear head have one.
    """

    logits: Tensor
    embedding: Tensor
    attention: dict[str, Tensor] = field(default_factory=dict)
    activation: Tensor | None = None


HEADS_AXIS = {"attention": 2}  # (N, L, H, T + 1, T + 1); everywhere else (N, H, ...)


class FromFeatures(nn.Module):
    """A graph network on features (N, T, V * C), joint by joint, which it gets as clips (N, C, T, V, 1)."""

    def __init__(self, network: nn.Module, joints: int) -> None:
        super().__init__()
        self.network, self.joints = network, joints

    def forward(self, features: Tensor) -> Tensor:
        return self.network(self.clips(features))  # type: ignore[no-any-return]

    def inside(self, features: Tensor) -> Inside:
        """As `network.inside`, which must exist."""
        return self.network.inside(self.clips(features))  # type: ignore[no-any-return, operator]

    def fixed(self) -> dict[str, Tensor]:
        """As `network.fixed`."""
        return self.network.fixed()  # type: ignore[no-any-return, operator]

    def clips(self, features: Tensor) -> Tensor:
        """Features as clips (N, C, T, V, 1)."""
        x = features.view(-1, features.shape[1], 1, self.joints, features.shape[2] // self.joints)
        return x.permute(0, 4, 1, 3, 2)


def has_inside(network: nn.Module) -> bool:
    """True where the network has `inside` and `fixed`."""
    inner = network.network if isinstance(network, FromFeatures) else network
    return hasattr(inner, "inside")


def class_activation(head: nn.Linear, found: Tensor) -> Tensor:
    """Class activation maps (N, outputs, T', V) of what a mean and a linear head read, (N, D, T', V).

    Their mean over T' and V is the logits less the bias (Zhou et al., CVPR 2016, equation 2).
    """
    n, _, *size = found.shape
    return (head.weight @ found.flatten(2)).view(n, -1, *size)
