"""What is exported: one or more trained networks as a single graph."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pose.skeleton import MPOSE_13
from recognizer.features import CHANNELS

# Sign of each channel in a mirror.
_MIRROR_SIGN = {"x": -1.0, "y": 1.0, "vx": -1.0, "vy": 1.0, "bx": -1.0, "by": 1.0}


class Deployed(nn.Module):
    """Features (N, T, F) to logits (N, A): log of the mean probability over the networks and the mirrored clip.

    listed: number of listed actions; a network's further outputs add up to the last action, `other`, from whose logit
    `other_bias` is taken.
    """

    place: Tensor
    sign: Tensor
    other_bias: Tensor

    def __init__(
        self, networks: Sequence[nn.Module], listed: int, mirror: bool = True, other_bias: float = 0.0
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.listed, self.mirror = listed, mirror
        channels = len(CHANNELS)
        place = [int(j) * channels + c for j in MPOSE_13.mirrored for c in range(channels)]
        self.register_buffer("place", torch.tensor(place))
        self.register_buffer("other_bias", torch.tensor([0.0] * listed + [other_bias]))
        self.register_buffer("sign", torch.tensor([_MIRROR_SIGN[c] for c in CHANNELS] * len(MPOSE_13)))

    def forward(self, features: Tensor) -> Tensor:
        clips = features
        if self.mirror:
            clips = torch.cat([features, features.index_select(2, self.place) * self.sign])
        views = 2 if self.mirror else 1
        each = [network(clips).softmax(dim=-1).unflatten(0, (views, -1)) for network in self.networks]
        mean = torch.cat(each).mean(dim=0)  # (networks * views, N, outputs) -> (N, outputs)
        other = mean[:, self.listed :].sum(dim=-1, keepdim=True)
        logits = torch.cat([mean[:, : self.listed], other], dim=-1).clamp_min(1e-9).log()  # (N, A)
        return logits - self.other_bias
