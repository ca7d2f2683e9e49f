"""Full teaching: AcT trained on the user's own clips, from a trained network or from scratch.

The command for it is in fine_tune_command.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.features import LAYOUT, RATE_FPS, clip_features
from recognizer.teaching.background import everyday_motion
from recognizer.teaching.clips import TeachingClip
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.windows import (
    Array,
    Changes,
    Shape,
    SteadyClip,
    cut,
    jittered,
    mirrored,
    shaken,
    sliding,
    steady,
)
from recognizer.training.batches import FRAMES
from recognizer.training.models.act import Act
from recognizer.training.networks import NetworkSpec

_SHAPE = Shape(FRAMES, RATE_FPS, LAYOUT)
_HOP_S = 0.2


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """network: one of networks.NETWORKS. steps of `batch` windows. warmup: part of the steps. average: weight of the
    past in the averaged network. background: share of a batch that shows everyday motions and footage of nothing."""

    network: str = "act-micro"
    steps: int = 300
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.05
    dropout: float = 0.1
    average: float = 0.98
    background: float = 0.25
    changes: Changes = field(default_factory=lambda: Changes(speed=0.3, shift=0.15))
    seed: int = 0


class WindowDrawer:
    """Draws changed windows of clips: every action alike, and the background its share."""

    def __init__(
        self, clips: Sequence[TeachingClip], settings: FineTuneSettings, one_sided: Sequence[str] = ()
    ) -> None:
        self.actions = tuple(sorted({clip.action for clip in clips} - {NOTHING}))
        self._settings, self._one_sided = settings, set(one_sided)
        taught = [steady(clip, _SHAPE) for clip in clips]
        self._by_action: list[list[SteadyClip]] = [
            [each for clip, each in zip(clips, taught, strict=True) if clip.action == action] for action in self.actions
        ]
        nothing = [each for clip, each in zip(clips, taught, strict=True) if clip.action == NOTHING]
        self._rest = nothing or [stretch.clip for stretch in everyday_motion(_SHAPE)]

    def draw(self, rng: np.random.Generator) -> tuple[Array, np.ndarray]:
        """Features (N, T, F) and targets (N,), the number of actions for what is none of them."""
        settings = self._settings
        is_rest = rng.random(settings.batch) < settings.background
        target = np.where(is_rest, len(self.actions), rng.integers(0, len(self.actions), settings.batch))
        lots = [self._window(int(each), rng) for each in target]
        xy, confidence = (np.concatenate(parts) for parts in zip(*lots, strict=True))
        xy, confidence = jittered(xy, confidence, LAYOUT, settings.changes, rng)
        return clip_features(xy, confidence, RATE_FPS), target

    def _window(self, target: int, rng: np.random.Generator) -> tuple[Array, Array]:
        clips = self._by_action[target] if target < len(self.actions) else self._rest
        clip = clips[rng.integers(len(clips))]
        positions = shaken(clip, _SHAPE, self._settings.changes, rng, 1)[:1]
        window = cut(clip, positions)
        one_sided = target < len(self.actions) and self.actions[target] in self._one_sided
        return mirrored(*window, LAYOUT) if not one_sided and rng.random() < 0.5 else window


def fit_act(
    clips: Sequence[TeachingClip],
    settings: FineTuneSettings,
    *,
    start: nn.Module | None = None,
    one_sided: Sequence[str] = (),
    progress: Callable[[float], None] = lambda part: None,
) -> nn.Module:
    """An AcT with an output for each action in order of their names, and one for everything else; averaged weights.

    start: a trained network of the same size, whose head is replaced; None begins from scratch.
    """
    torch.manual_seed(settings.seed)
    drawer = WindowDrawer(clips, settings, one_sided)
    outputs = len(drawer.actions) + 1
    network = NetworkSpec(settings.network, outputs, {"dropout": settings.dropout}).build()
    if start is not None:
        copy_body(start, network)
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.99)
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=settings.warmup
    )
    network.train()
    for step in range(settings.steps):
        features, target = drawer.draw(np.random.default_rng([settings.seed, step]))
        loss = nn.functional.cross_entropy(network(torch.from_numpy(features)), torch.from_numpy(target))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            weight = min(settings.average, (step + 1) / (step + 10))  # the first steps do not linger
            for kept, new in zip(averaged.parameters(), network.parameters(), strict=True):
                kept.lerp_(new, 1 - weight)
        progress((step + 1) / settings.steps)
    return averaged.eval()


def copy_body(start: nn.Module, network: nn.Module) -> None:
    """Take over everything of an AcT but its head. Raises ValueError where the two are of different sizes."""
    if not isinstance(start, Act) or not isinstance(network, Act) or start.config.width != network.config.width:
        raise ValueError("fine-tuning goes on from an AcT of the same size")
    body = {name: values for name, values in start.state_dict().items() if not name.startswith("head.")}
    missing = network.load_state_dict(body, strict=False).missing_keys
    if any(not name.startswith("head.") for name in missing):
        raise ValueError("fine-tuning goes on from an AcT of the same size")


def whole_clip_probabilities(network: nn.Module, clips: Sequence[TeachingClip]) -> Array:
    """(C, A + 1) of whole clips: the mean over their windows and the windows' mirror images."""
    rows = []
    for clip in clips:
        even = steady(clip, _SHAPE)
        window = cut(even, sliding(even, _SHAPE, _HOP_S))
        both = [clip_features(*views, RATE_FPS) for views in (window, mirrored(*window, LAYOUT))]
        with torch.inference_mode():
            logits: Tensor = network(torch.from_numpy(np.concatenate(both)))
        rows.append(logits.softmax(dim=1).mean(dim=0).numpy())
    return np.stack(rows)
