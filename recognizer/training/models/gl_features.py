"""GL-Transformer on the features of live recognition."""

import torch
from torch import Tensor, nn

from recognizer.features import CHANNELS, LAYOUT
from recognizer.training.models.gl_transformer import GlTransformer
from recognizer.training.models.inside import Inside

_TORSO_M = 0.5  # what the features' unit counts for


def motion_of(features: Tensor) -> Tensor:
    """Features (N, T, V * 6) to clips (N, T, V + 1, 2): joints from the middle of the hips, and its way since the first
    frame, a torso counting as 0.5 m.

    The way is what the joints' velocities hold beyond their change of place, the mean over the joints that are there in
    both frames.
    """
    x = features.view(-1, features.shape[1], len(LAYOUT), len(CHANNELS))
    place, velocity = x[..., :2], x[..., 2:4]
    there = (x.abs().sum(dim=3) > 0).to(x.dtype)  # (N, T, V)
    both = (there[:, 1:] * there[:, :-1]).unsqueeze(3)
    step = (velocity[:, 1:] - place[:, 1:] + place[:, :-1]) * both
    moved = step.sum(dim=2) / both.sum(dim=2).clamp_min(1)  # (N, T - 1, 2)
    way = torch.cat([torch.zeros_like(moved[:, :1]), moved.cumsum(dim=1)], dim=1)
    return _TORSO_M * torch.cat([place, way.unsqueeze(2)], dim=2)


class GlFeatures(nn.Module):
    """Features (N, T, F) to logits (N, outputs): a linear layer on what the backbone makes of their motion."""

    def __init__(self, backbone: GlTransformer, outputs: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.config.features, outputs)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.embedding(features))  # type: ignore[no-any-return]

    def embedding(self, features: Tensor) -> Tensor:
        """(N, D) what the head reads."""
        return self.backbone.embedding(motion_of(features))

    def inside(self, features: Tensor) -> Inside:
        """attention: spatial_attention_1.. (N, H, T, V, V) of the blocks, queries first, among the V joints; what the
        rows lack of 1 goes to the way of the body."""
        frames, spatial, _ = self.backbone.with_attention(motion_of(features))
        embedding = frames.mean(dim=1)
        joints = len(LAYOUT)
        maps = {
            f"spatial_attention_{block}": map_[..., :joints, :joints].transpose(1, 2)
            for block, map_ in enumerate(spatial, 1)
        }
        return Inside(self.head(embedding), embedding, maps)

    def fixed(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}
