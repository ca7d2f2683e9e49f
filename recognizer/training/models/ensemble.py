"""Several trained networks as one."""

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
