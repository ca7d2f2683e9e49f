"""Several networks as one, and one on a part of the channels."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

AVERAGES = ("probabilities", "logits")


class Ensemble(nn.Module):
    """Input of the members to logits (N, A): the mean of their logits, or the log of their mean probability.

    The paper on AcT averages 2, 5 and 10 networks without saying which; its code has no ensembles.
    """

    def __init__(self, networks: Sequence[nn.Module], average: str = "probabilities") -> None:
        super().__init__()
        if not networks or average not in AVERAGES:
            raise ValueError(
                f"expected some networks and one of {', '.join(AVERAGES)}, got {len(networks)}, {average!r}"
            )
        self.networks, self.average = nn.ModuleList(networks), average

    def forward(self, clips: Tensor) -> Tensor:
        each = torch.stack([network(clips) for network in self.networks])  # (members, N, A)
        if self.average == "logits":
            return each.mean(dim=0)
        return each.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(self.networks))


class WeightedMean(nn.Module):
    """Input of the members to the log (N, A) of the weighted mean of their probabilities."""

    def __init__(self, networks: Sequence[nn.Module], weights: Sequence[float]) -> None:
        super().__init__()
        if not networks or len(networks) != len(weights) or min(weights) <= 0:
            raise ValueError(f"expected networks with a weight above 0 each, got {len(networks)} and {weights}")
        self.networks = nn.ModuleList(networks)
        self.log_shares = [math.log(weight / sum(weights)) for weight in weights]

    def forward(self, clips: Tensor) -> Tensor:
        each = [
            network(clips).log_softmax(dim=1) + share
            for network, share in zip(self.networks, self.log_shares, strict=True)
        ]
        return torch.stack(each).logsumexp(dim=0)


class Stream(nn.Module):
    """`network` on the channels from `first` on, `size` of them, of each joint of features (N, T, V * C)."""

    def __init__(self, network: nn.Module, joints: int, first: int, size: int) -> None:
        super().__init__()
        self.network, self.joints, self.first, self.size = network, joints, first, size

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, T, V * C) to logits (N, A)."""
        each = features.view(*features.shape[:2], self.joints, -1)
        return self.network(each[..., self.first : self.first + self.size].flatten(2))  # type: ignore[no-any-return]


class LogitSum(nn.Module):
    """The logits of several networks added, each on the same features."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, T, V * C) to logits (N, A)."""
        return torch.stack([network(features) for network in self.networks]).sum(dim=0)
