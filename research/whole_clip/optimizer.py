"""Optimizers and learning rates of the recipes."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from research.whole_clip.presets import Preset, Schedule


class KerasAdamW(torch.optim.AdamW):
    """AdamW as TensorFlow Addons has it: before each step every weight shrinks by `decay`, independent of the rate."""

    def __init__(self, params: Any, lr: float, decay: float) -> None:
        super().__init__(params, lr=lr, eps=1e-7, weight_decay=0.0)
        self._keras_decay = decay

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step. The decay comes first; gradients are of the weights before it."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.mul_(1 - self._keras_decay)
        super().step()
        return loss


def optimizer_of(network: nn.Module, preset: Preset) -> torch.optim.Optimizer:
    """The preset's optimizer; the schedule multiplies its rate (of 1 where the schedule gives rates themselves)."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    if preset.optimizer == "adamw-keras":
        return KerasAdamW(weights, 1.0 if preset.schedule.kind == "act" else preset.learning_rate, preset.weight_decay)
    groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": preset.weight_decay}]
    if not preset.decay_all:
        groups = [
            {"params": [w for w in weights if w.ndim >= 2], "weight_decay": preset.weight_decay},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
        ]
    if preset.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=preset.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=preset.learning_rate)


def rate_of(schedule: Schedule, steps: int, width: int) -> Callable[[int], float]:
    """Factor on the optimizer's rate at a step, counted from 0, of `steps`; `width`: D of a transformer."""
    warmup = max(schedule.warmup * steps, 1e-9)

    def act(step: int) -> float:
        if step >= schedule.drop * steps:
            return schedule.last
        return float(width**-0.5 * min((step or 1e-9) ** -0.5, step * warmup**-1.5))

    def in_steps(step: int) -> float:
        return float(schedule.factor ** sum(step >= milestone * steps for milestone in schedule.milestones))

    def cosine(step: int) -> float:
        if step < warmup:
            return (step + 1) / max(warmup, 1)
        progress = min((step - warmup) / max(steps - warmup, 1), 1)
        return schedule.last + (1 - schedule.last) * 0.5 * (1 + math.cos(math.pi * progress))

    return {"act": act, "steps": in_steps, "cosine": cosine}[schedule.kind]
