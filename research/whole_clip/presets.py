"""Training recipes by name: those of the papers, and our own for short clips. Comments give the source of the
numbers."""

import dataclasses
from dataclasses import dataclass, field
from typing import Literal, get_args

from research.errors import ResearchError

Channel = Literal["position", "velocity", "velocity_from_zero", "direction", "score"]
Centre = Literal["first", "frame", "box"]


@dataclass(frozen=True, slots=True)
class Augment:
    """What is done to training clips, in this order; 0, None or False leaves a step out. See transforms.

    stretch: least and greatest share of a clip that is used as the whole. warp: unevenness of its speed. sample: frames
    at random places, in their order. choose: part of the frames that random_choose keeps; the network must take any
    number of frames. flip: "swap" exchanges left and right joints, "plain" does not. rotate_deg: limits of yaw, pitch
    and roll. scale: of each axis by itself. zoom: of all axes together. noise: of the joints, in torsos. feature_noise:
    of every input number. joint_dropout: share of joints.
    """

    stretch: tuple[float, float] | None = None
    warp: float = 0.0
    sample: bool = False
    choose: float | None = None
    flip: Literal["swap", "plain"] | None = None
    rotate_deg: tuple[float, float, float] | None = None
    scale: float = 0.0
    zoom: float = 0.0
    move: bool = False
    noise: float = 0.0
    joint_dropout: float = 0.0
    feature_noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rate over the training. kind:

    act: width^-0.5 min(step^-0.5, step w^-1.5), w = warmup of all steps, then `last` from `drop` of all steps on.
    steps: the peak, times `factor` after each of `milestones`, parts of all epochs.
    cosine: linear warm-up over `warmup` of all steps, then half a cosine down to `last` of the peak.
    """

    kind: Literal["act", "steps", "cosine"]
    warmup: float = 0.0
    drop: float = 0.8
    last: float = 0.0
    milestones: tuple[float, ...] = ()
    factor: float = 0.1


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe.

    channels, centre: of the input; velocities are displacements between the frames of the clip, "frame" takes the
    middle of the hips of each frame for the origin, "first" that of the first frame. "box" scales each axis of the clip
    to -1..1, of all joints and frames together, as the published code of CTR-GCN does for NW-UCLA; the other channels
    are made of the scaled places, too.
    optimizer: adamw-keras subtracts `weight_decay` of every weight at each step, not scaled by the learning rate.
    decay_all: biases and norms decay too. dropout: None leaves the network's own. average: share of the past in the
    running mean of weights that is used in the end, 0 for none. keep: the last weights, or those of the epoch with the
    best accuracy on validation. mirror_test: the probabilities of the clip and of its mirror image are averaged.
    Batches are always full: they continue across epochs.
    """

    name: str
    epochs: int
    batch: int
    optimizer: Literal["adamw", "adamw-keras", "sgd"]
    schedule: Schedule
    learning_rate: float = 0.0
    weight_decay: float = 0.0
    decay_all: bool = True
    label_smoothing: float = 0.0
    dropout: float | None = None
    average: float = 0.0
    clip_norm: float | None = None
    channels: tuple[Channel, ...] = ("position",)
    centre: Centre = "frame"
    augment: Augment = field(default_factory=Augment)
    keep: Literal["last", "best"] = "last"
    mirror_test: bool = False

    def changed(self, **fields: object) -> "Preset":
        """The same recipe with some fields replaced."""
        return dataclasses.replace(self, **fields)  # type: ignore[arg-type]


# AcT (Mazzia et al., 2022), published code: 350 epochs, batch 512, AdamW with eps 1e-7 and a decay of 1e-4 of all
# variables at each step, warm-up over 0.3 of the steps (paper: 0.4), rate 1e-4 from 0.8 on, label smoothing 0.1, flip
# of x without exchange of joints in half of the clips, noise 0.03 on all features, best validation epoch kept.
ACT = Preset(
    name="act-paper",
    epochs=350,
    batch=512,
    optimizer="adamw-keras",
    schedule=Schedule("act", warmup=0.3, drop=0.8, last=1e-4),
    weight_decay=1e-4,
    label_smoothing=0.1,
    channels=("position", "velocity_from_zero"),
    augment=Augment(flip="plain", feature_noise=0.03),
    keep="best",
)

# ST-GCN (Yan et al., 2018), published code for NTU RGB+D: SGD 0.1 with Nesterov momentum 0.9, decay 1e-4, rate divided
# by 10 after epochs 10 and 50 of 80, batch 64, dropout 0.5, no augmentation (paper: rate 0.01, divided every 10
# epochs); origin in the first frame's hips, where the code leaves camera coordinates.
ST_GCN = Preset(
    name="st-gcn-paper",
    epochs=80,
    batch=64,
    optimizer="sgd",
    schedule=Schedule("steps", milestones=(10 / 80, 50 / 80)),
    learning_rate=0.1,
    weight_decay=1e-4,
    dropout=0.5,
    centre="first",
)

# ST-GCN, published code for Kinetics-Skeleton: as above, but rate divided by 10 after epochs 20, 30 and 40 of 50, batch
# 256, no dropout, random moving, half of the frames chosen in training and all in the test, score as third channel.
ST_GCN_KINETICS = ST_GCN.changed(
    name="st-gcn-kinetics",
    epochs=50,
    batch=256,
    schedule=Schedule("steps", milestones=(20 / 50, 30 / 50, 40 / 50)),
    dropout=0.0,
    channels=("position", "score"),
    augment=Augment(choose=0.5, move=True),
)

# ST-TR (Plizzari et al., 2021) for NTU RGB+D: SGD 0.1 with Nesterov momentum 0.9, decay 1e-4, rate divided by 10 after
# epochs 60 and 90 of 120, batch 32, dropout 0.5, no augmentation; origin in each frame's hips (code: spine).
ST_TR = Preset(
    name="st-tr-paper",
    epochs=120,
    batch=32,
    optimizer="sgd",
    schedule=Schedule("steps", milestones=(60 / 120, 90 / 120)),
    learning_rate=0.1,
    weight_decay=1e-4,
    dropout=0.5,
)

# Ours, chosen on validation parts of the training splits with AcT-micro; docs/benchmarks-recognizers.md has what was
# tried and with which figures.
SHORT_CLIPS = Preset(
    name="short-clips",
    epochs=100,
    batch=64,
    optimizer="adamw",
    schedule=Schedule("cosine", warmup=0.1, last=0.01),
    learning_rate=1e-3,
    weight_decay=0.05,
    decay_all=False,
    label_smoothing=0.1,
    dropout=0.1,
    average=0.995,
    clip_norm=1.0,
    channels=("position", "velocity", "direction"),
    augment=Augment(
        stretch=(0.75, 1.0),
        warp=0.3,
        flip="swap",
        rotate_deg=(90.0, 15.0, 10.0),
        scale=0.1,
        noise=0.01,
        joint_dropout=0.02,
    ),
    mirror_test=True,
)

# Fewer epochs: more cost graph networks 3 points of accuracy and more on small sets.
SHORT_CLIPS_GRAPH = SHORT_CLIPS.changed(
    name="short-clips-graph",
    epochs=40,
)

# Ours with the augmentation that the published code of CTR-GCN (Chen et al., 2021) has for NW-UCLA: frames at random
# places, turned by up to 60 degrees about the vertical and the horizontal axis, 0.5 to 1.5 times as large; flip and
# joint dropout are kept.
CROSS_VIEW = SHORT_CLIPS.changed(
    name="cross-view",
    augment=Augment(sample=True, flip="swap", rotate_deg=(60.0, 60.0, 0.0), zoom=0.5, joint_dropout=0.02),
)

_ALL = (ACT, ST_GCN, ST_GCN_KINETICS, ST_TR, SHORT_CLIPS, SHORT_CLIPS_GRAPH, CROSS_VIEW)
PRESETS = {preset.name: preset for preset in _ALL}


SETTINGS = "NAME+epochs=N+batch=N+centre=first|frame|box changes a recipe"


def preset_of(name: str) -> Preset:
    """The recipe of that name, with the changes of SETTINGS; ResearchError lists the known ones."""
    base, *pairs = name.split("+")
    if base not in PRESETS:
        raise ResearchError(f"no preset {base!r}; choose one of {', '.join(PRESETS)}")
    changes: dict[str, object] = {}
    for pair in pairs:
        setting, _, value = pair.partition("=")
        if setting == "centre" and value in get_args(Centre):
            changes[setting] = value
        elif setting in ("epochs", "batch") and value.isdecimal() and int(value) > 0:
            changes[setting] = int(value)
        else:
            raise ResearchError(f"{pair!r} does not change a recipe; {SETTINGS}, N above 0")
    return PRESETS[base].changed(name=name, **changes)
