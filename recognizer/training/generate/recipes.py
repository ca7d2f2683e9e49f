"""Generator networks by name, and the settings of their training."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from pose.skeleton import Layout
from recognizer.training.errors import TrainingError
from recognizer.training.generate.frame_vae import FrameVae, FrameVaeConfig
from recognizer.training.models.sa_gcn import Generator, SaGcnConfig

AnyGenerator = Generator | FrameVae

FRAME_VAE = "frame-vae"
# What each changes of SaGcnConfig. The ablations are those of the paper's Table 4, on the paper's reading.
NETWORKS: dict[str, dict[str, Any]] = {
    "sa-gcn": {},
    "sa-gcn-paper-residual": {"residual": "first"},
    "sa-gcn-official": {"reading": "official", "mix": "clip"},
    "sa-gcn-clip-mix": {"mix": "clip"},
    "sa-gcn-no-mix": {"mix": "none"},
    "cnn": {"layers": "cnn"},
    "no-inter-frame": {"layers": "frame"},
    "st-gcn": {"layers": "st-gcn"},
    "c-skeleton-gan": {"layers": "none"},
}
NETWORK_NAMES = (*NETWORKS, FRAME_VAE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The official code's schedule; the paper has batches of 100.

    iterations: 100,000 officially. evaluate: iterations between two looks at the validation clips. real_target: of the
    discriminators and of the generator, one-sided label smoothing. sampled: frames that the frame discriminator sees.
    average: decay of a running mean of the generator's weights that is used in the end; 0 (officially) for none.
    divergence_weight: of the VAE's divergence term.
    penalty: weight of the squared gradient of the discriminators at real clips (R1: Mescheder, Geiger, Nowozin, ICML
        2018). disturb: how strongly clips are changed, real and generated alike, before they are judged (Zhao, Liu,
        Lin, Zhu, Han: Differentiable Augmentation, NeurIPS 2020). Both keep discriminators from learning few clips by
        heart. mismatch: share of real clips under another action's name in what discriminators shall reject, so that
        the action matters to them (Reed, Akata, Yan, Logeswaran, Schiele, Lee, ICML 2016). variety: weight of the share
        by which two generated clips of an action lie nearer to each other than two real ones do (after Mao, Lee, Tseng,
        Ma, Yang: Mode Seeking GANs, CVPR 2019, with the real distance as its bound). 0 (officially) for none.
    """

    iterations: int = 100_000
    batch: int = 20
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    evaluate: int = 200
    real_target: float = 0.9
    sampled: int = 21
    average: float = 0.0
    divergence_weight: float = 1.0
    penalty: float = 0.0
    disturb: float = 0.0
    mismatch: float = 0.0
    variety: float = 0.0

    def __post_init__(self) -> None:
        for name in ("penalty", "disturb", "variety"):
            if not 0 <= getattr(self, name) < math.inf:
                raise TrainingError(f"--{name} {getattr(self, name)} is not 0 or above")
        for name in ("average", "mismatch"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"--{name} {getattr(self, name)} is not from 0 to below 1")

    @property
    def rounds(self) -> int:
        """Number of evaluations on the validation clips; the iterations are rounded up to whole rounds."""
        return -(-self.iterations // self.evaluate)


def config_of(network: str, layout: Layout, actions: int, frames: int) -> dict[str, Any]:
    """The network's whole configuration, as build takes it; TrainingError lists the networks."""
    if network == FRAME_VAE:
        return asdict(FrameVaeConfig(2 * len(layout), actions, frames))
    if network not in NETWORKS:
        raise TrainingError(f"no network {network!r}; choose one of {', '.join(NETWORK_NAMES)}")
    return asdict(SaGcnConfig(layout.name, actions, frames, **NETWORKS[network]))


def build(network: str, config: dict[str, Any], seed: int | None = None) -> AnyGenerator:
    """The network, with the weights that `seed` begins with."""
    if seed is not None:
        torch.manual_seed(seed)
    return FrameVae(FrameVaeConfig(**config)) if network == FRAME_VAE else Generator(SaGcnConfig(**config))
