"""What is exported: one or more trained networks as a single graph."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pose.skeleton import MPOSE_13
from recognizer.features import CHANNELS
from recognizer.training.models.inside import HEADS_AXIS, Inside, has_inside
from recognizer.training.models.st_tr import StTr

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
        for module in self.networks.modules():
            if isinstance(module, StTr):
                module.make_precise()
        self.listed, self.mirror = listed, mirror
        channels = len(CHANNELS)
        place = [int(j) * channels + c for j in MPOSE_13.mirrored for c in range(channels)]
        self.register_buffer("place", torch.tensor(place))
        self.register_buffer("other_bias", torch.tensor([0.0] * listed + [other_bias]))
        self.register_buffer("sign", torch.tensor([_MIRROR_SIGN[c] for c in CHANNELS] * len(MPOSE_13)))

    @property
    def has_inside(self) -> bool:
        """True where all networks have `inside` and `fixed`."""
        return all(has_inside(network) for network in self.networks)

    def forward(self, features: Tensor) -> Tensor:
        clips = self.with_mirror(features)
        return self.combined([network(clips) for network in self.networks])

    def inside(self, features: Tensor) -> dict[str, Tensor]:
        """The outputs of an exported graph by name: logits as of forward, "embedding" (N, D) of the networks one after
        the other, attention with the heads of all of them, "class_activation" (N, A, T', V), their mean, and what is
        the same for every clip. All but the logits are of the clip itself and not of its mirror image."""
        clips = self.with_mirror(features)
        found: list[Inside] = [network.inside(clips) for network in self.networks]  # type: ignore[operator]
        own = [self._views(each.embedding)[0] for each in found]
        outputs = {"logits": self.combined([each.logits for each in found]), "embedding": torch.cat(own, dim=1)}
        for name in {name: None for each in found for name in each.attention}:  # of a fusion each has its own
            maps = [self._views(each.attention[name])[0] for each in found if name in each.attention]
            outputs[name] = torch.cat(maps, dim=HEADS_AXIS.get(name, 1))
        activations = [self._activation(each) for each in found if each.activation is not None]
        if activations:
            outputs["class_activation"] = torch.stack(activations).mean(dim=0)
        return outputs | self.fixed()

    def with_mirror(self, features: Tensor) -> Tensor:
        """Features (N, T, F) with their mirror images after them, (2 N, T, F), if this averages over both."""
        if not self.mirror:
            return features
        return torch.cat([features, features.index_select(2, self.place) * self.sign])

    def _views(self, values: Tensor) -> Tensor:
        """(views * N, ...) to (views, N, ...), the clips themselves first."""
        return values.view(2 if self.mirror else 1, -1, *values.shape[1:])

    def combined(self, each: Sequence[Tensor]) -> Tensor:
        """Each network's logits of what with_mirror gave to the logits (N, A) of forward."""
        mean = torch.cat([self._views(logits.softmax(dim=-1)) for logits in each]).mean(dim=0)  # (N, outputs)
        other = mean[:, self.listed :].sum(dim=-1, keepdim=True)
        logits = torch.cat([mean[:, : self.listed], other], dim=-1).clamp_min(1e-9).log()  # (N, A)
        return logits - self.other_bias

    def _activation(self, inside: Inside) -> Tensor:
        """(N, A, T', V): that of `other` is of the logarithm of its outputs' sum, each weighs by its probability."""
        assert inside.activation is not None
        activation, logits = self._views(inside.activation)[0], self._views(inside.logits)[0]
        share = logits[:, self.listed :].softmax(dim=1)[:, None]  # (N, 1, others)
        rest = activation[:, self.listed :]
        other = (share @ rest.flatten(2)).view(-1, 1, *rest.shape[2:])
        return torch.cat([activation[:, : self.listed], other], dim=1)

    def fixed(self) -> dict[str, Tensor]:
        """What is the same for every clip: "position_similarity" (networks, T + 1, T + 1) and the
        networks' mean "edge_importance" (blocks, K, V, V)."""
        each: list[dict[str, Tensor]] = [network.fixed() for network in self.networks]  # type: ignore[operator]
        fixed = {}
        for name in {name: None for constants in each for name in constants}:
            values = [constants[name] for constants in each if name in constants]
            fixed[name] = torch.cat(values) if name == "position_similarity" else torch.stack(values).mean(dim=0)
        return fixed
