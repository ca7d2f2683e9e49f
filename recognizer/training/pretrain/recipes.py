"""Recipes of pretraining and fine-tuning, and sizes of the network. Every number has its source."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recognizer.training.errors import TrainingError
from recognizer.training.models.gl_transformer import GlConfig, Positions, PositionStart
from recognizer.training.pretrain.targets import INTERVALS, Reading

Facing = Literal["frame", "clip", "none"]
Pace = Literal["natural", "squeezed", "sampled"]
Steps = Literal["centimetres", "set"]

GLOBAL = "global"  # the token of the way of the whole body, where a layout has no root of its own


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network learns.

    decay: factor on the rate after each epoch. warmup: steps in which the rate rises to its peak. clip_norm: limit of
    the gradient's norm. stretch: clips are made longer or shorter by up to this part. shear: amplitude, of all but the
    global translation. pace: "natural" cuts clips at the longest, "squeezed" resamples what is longer to it, "sampled"
    resamples all to it. facing: 3D clips are turned to the front
    in each frame, once, or not. steps: of the magnitude classes, a centimetre (published) or for each interval in the
    scale of the clips that are learnt from, see targets.steps_of. yaw_deg: 3D clips are turned about the vertical by up
    to so much. axes: of the world that 3D clips are seen along, 1 or 3: with 3 each clip of a batch is seen along one
    of them, and the linear evaluation takes the embeddings of all three. Everyday windows know neither steps nor yaw
    nor axes. position_start: see GlConfig. dropout: of everything, branches of blocks too; fine-tuning keeps that of
    pretraining. The rest are the paper's ablations.
    """

    name: str
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.1
    decay: float = 0.99
    warmup: int = 0
    clip_norm: float | None = None
    stretch: float = 0.1
    shear: float = 0.3
    pace: Pace = "natural"
    facing: Facing = "frame"
    intervals: tuple[int, ...] = INTERVALS
    magnitude: bool = True
    reading: Reading = "code"
    global_translation: bool = True
    between_people: bool = True
    positions: Positions = "tight"
    position_start: PositionStart = "zeros"
    dropout: float = 0.1
    label_smoothing: float = 0.0
    steps: Steps = "centimetres"
    yaw_deg: float = 0.0
    axes: int = 1

    def changed(self, **fields: Any) -> "Recipe":
        """The same with some fields replaced; TrainingError where a value is none that can be."""
        recipe = dataclasses.replace(self, **fields)
        if recipe.epochs < 1 or recipe.batch < 1:
            raise TrainingError(f"epochs and batch must be above 0, got {recipe.epochs} and {recipe.batch}")
        if not 0 < recipe.decay <= 1:
            raise TrainingError(f"decay must be above 0 and at most 1, got {recipe.decay}")
        if not recipe.learning_rate > 0:
            raise TrainingError(f"learning rate must be above 0, got {recipe.learning_rate}")
        if not 0 <= recipe.dropout < 1:
            raise TrainingError(f"dropout must be from 0 to below 1, got {recipe.dropout}")
        if not recipe.intervals or min(recipe.intervals) < 1:
            raise TrainingError(f"intervals must be numbers of frames above 0, got {recipe.intervals}")
        if not 0 <= recipe.yaw_deg <= 180:
            raise TrainingError(f"yaw must be from 0 to 180 degrees, got {recipe.yaw_deg}")
        if recipe.axes not in (1, 3):
            raise TrainingError(f"axes must be 1 or 3, got {recipe.axes}")
        return recipe


# GL-Transformer, published code for NTU RGB+D: AdamW, rate 5e-5 (paper: 5e-4), batch 128, 120 epochs.
PUBLISHED = Recipe(
    name="published",
    epochs=120,
    batch=128,
    learning_rate=5e-5,
)
# Ours, for sets of a thousand clips, where 120 epochs of batches of 128 are 960 steps (37,000 on NTU RGB+D): smaller
# batches, a higher rate with a warm-up, no dropout, and positions that begin as sines; docs/pretraining.md has what was
# tried.
SMALL_SET = PUBLISHED.changed(
    name="small-set",
    epochs=150,
    batch=16,
    learning_rate=5e-4,
    warmup=50,
    clip_norm=1.0,
    dropout=0.0,
    position_start="sines",
)
RECIPES = {recipe.name: recipe for recipe in (PUBLISHED, SMALL_SET)}

# Width and depth; published: that of NTU RGB+D's 50 tokens.
SIZES: dict[str, dict[str, int]] = {
    "published": {"width": 48, "depth": 4, "heads": 8},
    "medium": {"width": 24, "depth": 4, "heads": 8},
    "small": {"width": 16, "depth": 4, "heads": 8},
    "shallow": {"width": 24, "depth": 2, "heads": 8},
    "wide": {"width": 48, "depth": 2, "heads": 8},
}


def recipe_of(name: str) -> Recipe:
    """The recipe of that name; TrainingError lists those that there are."""
    if name not in RECIPES:
        raise TrainingError(f"no recipe {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def size_of(name: str) -> dict[str, int]:
    """Width, depth and heads of that name; TrainingError lists those that there are."""
    if name not in SIZES:
        raise TrainingError(f"no size {name!r}; choose one of {', '.join(SIZES)}")
    return SIZES[name]


def config_of(shape: Mapping[str, int], size: str, recipe: Recipe) -> GlConfig:
    """The network for clips of a shape: joints, global_joint, channels, people and frames of GlConfig."""
    return GlConfig(
        positions=recipe.positions,
        position_start=recipe.position_start,
        dropout=recipe.dropout,
        attention_dropout=recipe.dropout,
        drop_path=recipe.dropout,
        between_people=recipe.between_people,
        global_translation=recipe.global_translation,
        **{**shape, **size_of(size)},  # type: ignore[arg-type]
    )
