"""Baseline: a conditional variational autoencoder of single frames (Kingma, Welling: Auto-Encoding Variational Bayes,
ICLR 2014). Conditioned on the action and the time in the clip, but not on the previous frame."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class FrameVaeConfig:
    """width: V D, numbers of a frame. noise: Z of a frame."""

    width: int
    actions: int
    frames: int
    noise: int = 30
    hidden: int = 512


class FrameVae(nn.Module):
    """N clips, T frames, each made of noise of its own."""

    def __init__(self, config: FrameVaeConfig) -> None:
        super().__init__()
        self.config = config
        condition_width = config.actions + 1
        self.encode = _mlp(config.width + condition_width, config.hidden, 2 * config.noise)
        self.decode = _mlp(config.noise + condition_width, config.hidden, config.width)

    def noise(self, clips: int, generator: torch.Generator | None = None) -> tuple[Tensor]:
        """The latent input of clips, (N, T, Z), on the CPU."""
        return (torch.randn(clips, self.config.frames, self.config.noise, generator=generator),)

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """noise (N, T, Z) and label (N, A) or (N, T, A) to clips (N, T, V D)."""
        return self.decode(torch.cat([noise, _condition(label, noise)], dim=-1))  # type: ignore[no-any-return]

    def losses(self, clips: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Squared error and divergence from the normal distribution, both a frame's, of clips (N, T, V D)."""
        mean, logvar = self.encode(torch.cat([clips, _condition(label, clips)], dim=-1)).chunk(2, dim=-1)
        reconstructed = self(mean + torch.randn_like(mean) * (0.5 * logvar).exp(), label)
        divergence = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(dim=-1).mean()
        return ((reconstructed - clips) ** 2).sum(dim=-1).mean(), divergence


def _condition(label: Tensor, clips: Tensor) -> Tensor:
    """(N, T, A + 1) the condition of each frame: the action, and the time from 0 to 1."""
    n, frames = clips.shape[:2]
    if label.dim() == 2:
        label = label[:, None].expand(-1, frames, -1)
    time = torch.linspace(0, 1, frames, device=clips.device).view(1, frames, 1).expand(n, -1, -1)
    return torch.cat([label, time], dim=-1)


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )
