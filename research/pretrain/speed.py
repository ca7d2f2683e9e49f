"""How many clips a second pretraining processes, against the straightforward way: every clip padded to the greatest
length, and the padding computed as well."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from recognizer.training.loop import Batch
from recognizer.training.models.gl_transformer import GlPretraining, GlTransformer, Packing
from recognizer.training.pretrain.pretraining import mpdp_loss
from recognizer.training.pretrain.recipes import Recipe
from research.pretrain.batches import MotionBatches
from research.pretrain.motion import MotionClips, Rows
from research.pretrain.pretraining import network_config


@dataclass(frozen=True, slots=True)
class Speed:
    """Clips a second in whole training steps, medians. real: share of the frames up to the longest that are real."""

    packed: float
    full_width: float
    real: float

    @property
    def gain(self) -> float:
        """How many times as fast."""
        return self.packed / self.full_width


def measure(
    clips: MotionClips, rows: Rows, recipe: Recipe, frames: int, size: str, steps: int, device: str = "cpu"
) -> Speed:
    """Both ways take turns on the same batches, so that a busy machine slows both; the first turn is not counted."""
    torch.manual_seed(0)
    backbone = GlTransformer(network_config(clips, frames, size, recipe))
    network = GlPretraining(backbone, len(recipe.intervals), magnitude=recipe.magnitude).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    maker = MotionBatches(clips, rows, recipe, frames, 0)
    times: dict[bool, list[float]] = {False: [], True: []}
    real = 0.0
    for step in range(steps + 1):
        batch: Batch = tuple(part.to(device) for part in maker.batch(step))
        real += float(batch[1].sum()) / (recipe.batch * frames) / (steps + 1)
        for wide in (False, True):
            seconds = _timed(partial(_step, network, optimizer, batch, recipe, wide, frames), device)
            if step:
                times[wide].append(seconds)
    packed, full = (recipe.batch / statistics.median(times[wide]) for wide in (False, True))
    return Speed(packed, full, real)


def _timed(work: Callable[[], None], device: str) -> float:
    def wait() -> None:
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def _step(
    network: GlPretraining, optimizer: torch.optim.Optimizer, batch: Batch, recipe: Recipe, wide: bool, frames: int
) -> None:
    clips, real, *targets = batch
    tokens = network.backbone.config.global_tokens
    if wide:
        logits = _full_width(network, _padded(clips, frames), _padded(real, frames))
        real = _padded(real, frames)
        direction, magnitude = (_padded(target, frames)[real] for target in targets)
    else:
        logits = network(clips, real)
        direction, magnitude = (target[real] for target in targets)
    loss = mpdp_loss(logits, (direction, magnitude), tokens, recipe.reading, recipe.global_translation)["loss"]
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _padded(values: Tensor, frames: int) -> Tensor:
    """(N, T, ...) to (N, frames, ...), 0 after the end."""
    missing = values.new_zeros(len(values), frames - values.shape[1], *values.shape[2:])
    return torch.cat([values, missing], dim=1)


def _full_width(network: GlPretraining, clips: Tensor, real: Tensor) -> tuple[Tensor, Tensor | None]:
    """The result of `network(clips, real)`, with all frames as rows; padding is masked in the attention over frames."""
    packing = Packing(clips.shape[0], clips.shape[1])
    packing.keys = real[:, None, None]
    directions, magnitudes = network.predictions(network.backbone.rows(clips, packing))
    here = real.flatten()
    return directions[here], None if magnitudes is None else magnitudes[here]
