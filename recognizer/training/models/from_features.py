"""Graph networks on the features of live recognition and training."""

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from recognizer.training.models.inside import Inside


class FromFeatures(nn.Module):
    """Features (N, T, M * V * C), person by person, joint by joint, to whatever `network` makes of (N, C, T, V, M).

    recognizer.features makes them for one person.
    """

    def __init__(self, network: nn.Module, joints: int, people: int = 1) -> None:
        super().__init__()
        self.network, self.joints, self.people = network, joints, people

    def forward(self, features: Tensor) -> Tensor:
        return self.network(self.clips(features))  # type: ignore[no-any-return]

    def with_attention(self, features: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits and attention, for networks that have some."""
        return self.network.with_attention(self.clips(features))  # type: ignore[no-any-return, operator]

    def inside(self, features: Tensor) -> "Inside":
        """As the network itself, which must have it."""
        return self.network.inside(self.clips(features))  # type: ignore[no-any-return, operator]

    def fixed(self) -> dict[str, Tensor]:
        """As the network itself."""
        return self.network.fixed()  # type: ignore[no-any-return, operator]

    def clips(self, features: Tensor) -> Tensor:
        """Features as clips (N, C, T, V, M)."""
        x = features.view(-1, features.shape[1], self.people, self.joints, self._channels(features))
        return x.permute(0, 4, 1, 3, 2)

    def _channels(self, features: Tensor) -> int:
        return features.shape[2] // (self.people * self.joints)
