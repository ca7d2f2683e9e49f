"""Full teaching: a network trained on the user's own examples, going on from a trained one or from scratch.

The command for it is in fine_tune_command, its check in check.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from recognizer.features import LAYOUT, RATE_FPS, clip_features
from recognizer.teaching.background import everyday_motion
from recognizer.teaching.examples import Example
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.windows import (
    Array,
    ResampledExample,
    Shape,
    WindowAugmentation,
    augmented_positions,
    cut,
    jittered,
    mirrored,
    resampled,
    sliding,
)
from recognizer.training.batches import FRAMES
from recognizer.training.fine_tune.start import copy_body
from recognizer.training.loop import Batch, Hardware, StepData, Training, fit
from recognizer.training.models.registry import NetworkSpec

SHAPE = Shape(FRAMES, RATE_FPS, LAYOUT)
HOP_S = 0.2  # between windows that are evaluated


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """steps of `batch` windows. warmup: part of the steps. average: weight of the past in the averaged network.
    background: share of a batch that shows everyday motions and footage of nothing."""

    steps: int = 300
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.05
    dropout: float = 0.1
    average: float = 0.98
    background: float = 0.25
    changes: WindowAugmentation = field(default_factory=lambda: WindowAugmentation(speed=0.3, shift=0.15))
    seed: int = 0


class WindowSampler:
    """Samples augmented windows of the examples: all actions equally often, and a share of background."""

    def __init__(self, examples: Sequence[Example], settings: FineTuneSettings, one_sided: Sequence[str] = ()) -> None:
        self.actions = tuple(sorted({example.action for example in examples} - {NOTHING}))
        self._settings, self._one_sided = settings, set(one_sided)
        taught = [resampled(example, SHAPE) for example in examples]
        self._by_action: list[list[ResampledExample]] = [
            [each for example, each in zip(examples, taught, strict=True) if example.action == action]
            for action in self.actions
        ]
        rest = [(example, each) for example, each in zip(examples, taught, strict=True) if example.action == NOTHING]
        nothing = [each for example, each in rest if example.around is None]
        still = [each for example, each in rest if example.around is not None]
        self._rest = [*(nothing or [stretch.example for stretch in everyday_motion(SHAPE)]), *still]

    def sample(self, rng: np.random.Generator) -> tuple[Array, np.ndarray]:
        """Features (N, T, F) and targets (N,), the number of actions for what is none of them."""
        settings = self._settings
        is_rest = rng.random(settings.batch) < settings.background
        target = np.where(is_rest, len(self.actions), rng.integers(0, len(self.actions), settings.batch))
        windows = [self._window(int(each), rng) for each in target]
        xy, confidence = (np.concatenate(parts) for parts in zip(*windows, strict=True))
        xy, confidence = jittered(xy, confidence, LAYOUT, settings.changes, rng)
        return clip_features(xy, confidence, RATE_FPS), target

    def _window(self, target: int, rng: np.random.Generator) -> tuple[Array, Array]:
        examples = self._by_action[target] if target < len(self.actions) else self._rest
        example = examples[rng.integers(len(examples))]
        positions = augmented_positions(example, SHAPE, self._settings.changes, rng, 1)[:1]
        window = cut(example, positions)
        one_sided = target < len(self.actions) and self.actions[target] in self._one_sided
        return mirrored(*window, LAYOUT) if not one_sided and rng.random() < 0.5 else window


def fit_network(
    examples: Sequence[Example],
    settings: FineTuneSettings,
    *,
    start: tuple[NetworkSpec, nn.Module] | None = None,
    one_sided: Sequence[str] = (),
    progress: Callable[[float], None] = lambda part: None,
) -> nn.Module:
    """A network with an output for each action in order of their names, and one for everything else; averaged weights.

    start: a trained network, of which all but the head goes on learning, and how it is built; None for a new act-micro.
    Raises ValueError for less than two steps.
    """
    if settings.steps < 2:
        raise ValueError(f"{settings.steps} steps are too few to learn anything; give at least 2")
    torch.manual_seed(settings.seed)
    sampler = WindowSampler(examples, settings, one_sided)
    name, changes = (start[0].name, start[0].changes) if start is not None else ("act-micro", {})
    spec = NetworkSpec(name, len(sampler.actions) + 1, {**changes, "dropout": settings.dropout})
    network = spec.build()
    if start is not None:
        copy_body(start[1], network)
    training = _FineTuning(network, settings)
    data = StepData(_SampledWindows(sampler, settings), settings.steps)
    # On the CPU in full precision, so that the user's result does not depend on the hardware.
    hardware = Hardware(accelerator="cpu", precision="32-true", logs=False)
    fit(training, data, None, hardware, clip_norm=1.0, callbacks=[_Progress(progress, settings.steps)])
    return training.result.eval()


class _FineTuning(Training):
    def __init__(self, network: nn.Module, settings: FineTuneSettings) -> None:
        super().__init__(network, settings.seed, settings.average)
        self.settings = settings

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy."""
        features, target = batch
        return {"loss": nn.functional.cross_entropy(self.network(features), target)}

    def configure_optimizers(self) -> Any:
        how = self.settings
        optimizer = torch.optim.AdamW(
            self.network.parameters(), how.learning_rate, weight_decay=how.weight_decay, betas=(0.9, 0.99)
        )
        warmup = max(how.warmup, 1.5 / how.steps)  # PyTorch divides by its length less one
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, how.learning_rate, total_steps=how.steps, pct_start=warmup
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _SampledWindows:
    """All steps are one epoch."""

    def __init__(self, sampler: WindowSampler, settings: FineTuneSettings) -> None:
        self.sampler, self.seed, self.steps_per_epoch = sampler, settings.seed, settings.steps

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """See Batches."""
        features, target = self.sampler.sample(np.random.default_rng([self.seed, step]))
        return torch.from_numpy(features[mine]), torch.from_numpy(target[mine])


class _Progress(Callback):
    """Reports the completed fraction after each step."""

    def __init__(self, report: Callable[[float], None], steps: int) -> None:
        self.report, self.steps = report, steps

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.report(trainer.global_step / self.steps)


def window_probabilities(network: nn.Module, example: Example, *, mirror: bool = True) -> Array:
    """(W, A + 1) of an example's windows, one every HOP_S. mirror: the mean with those of their mirror images."""
    even = resampled(example, SHAPE)
    window = cut(even, sliding(even, SHAPE, HOP_S))
    views = [window, mirrored(*window, LAYOUT)] if mirror else [window]
    with torch.inference_mode():
        each: list[Tensor] = [network(torch.from_numpy(clip_features(*view, RATE_FPS))) for view in views]
    found: Array = torch.stack(each).softmax(dim=2).mean(dim=0).numpy()
    return found


def whole_example_probabilities(network: nn.Module, examples: Sequence[Example]) -> Array:
    """(C, A + 1) of whole examples: the mean over their windows and the windows' mirror images."""
    return np.stack([window_probabilities(network, example).mean(axis=0) for example in examples])
