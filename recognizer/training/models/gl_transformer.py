"""GL-Transformer (Kim et al., "Global-local Motion Transformer", ECCV 2022), as in its authors' published code.

N clips, T frames, J tokens of a frame, C coordinates, D width, H heads, R real frames of a batch, all clips together.
A frame's tokens are the joints of all people, joint by joint (token = joint * people + person); the token of one joint
carries the person's global translation instead, so that the body's way and its pose attend to each other. Each block
attends over the tokens of a frame, then over the frames of a clip, whose J D numbers are one token there, then goes
through two layers. Where paper and code differ the code counts: each block has its own positions, which are added
before each of the two attentions, and the width is 48 (8 heads of 6), not 6.

Clips keep their natural speed and so differ in length. All work on single frames is done on the R real frames alone,
as rows; only the attention over frames sees clips side by side, padded to the longest of the batch.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

Positions = Literal["tight", "trainable", "fixed"]
PositionStart = Literal["zeros", "sines"]

_SINE_AMPLITUDE = 0.5  # of the sines that learned positions begin with
_MAGNITUDES = 16  # classes of pretraining: see pretrain.targets


@dataclass(frozen=True, slots=True)
class GlConfig:
    """Size of the network; the defaults are the published ones for NTU RGB+D, but for the number of people.

    joints: of a person, the one that carries the global translation included. global_joint: which that is. channels:
    coordinates. frames: the longest clip. width: D. drop_path: of the last block, rising from 0 at the first.
    positions: "tight", a learned vector for each joint at each frame; "trainable", learned vectors for joints before
    the one attention and for frames before the other; "fixed", the same as sines. position_start: what learned
    positions begin with, "zeros" (published, slow to be learnt) or "sines".
    between_people: whether the tokens of one person attend to those of another. global_translation: False leaves it out
    of the input.
    """

    joints: int
    global_joint: int
    channels: int = 3
    people: int = 1
    frames: int = 300
    width: int = 48
    depth: int = 4
    heads: int = 8
    expand: float = 2.0
    dropout: float = 0.1
    attention_dropout: float = 0.1
    drop_path: float = 0.1
    qkv_bias: bool = True
    positions: Positions = "tight"
    position_start: PositionStart = "zeros"
    between_people: bool = True
    global_translation: bool = True

    def __post_init__(self) -> None:
        if self.positions not in get_args(Positions):
            raise ValueError(f"positions must be tight, trainable or fixed, got {self.positions!r}")
        if self.position_start not in get_args(PositionStart):
            raise ValueError(f"position_start must be zeros or sines, got {self.position_start!r}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of {self.heads} heads")
        if not 0 <= self.global_joint < self.joints:
            raise ValueError(f"global_joint must be one of {self.joints} joints, got {self.global_joint}")

    @property
    def tokens(self) -> int:
        """J: of a frame."""
        return self.joints * self.people

    @property
    def features(self) -> int:
        """J D: numbers of a frame."""
        return self.tokens * self.width

    @property
    def global_tokens(self) -> list[int]:
        """The tokens that carry each person's global translation."""
        return [self.global_joint * self.people + person for person in range(self.people)]


class Packing:
    """Which frames of a batch are real. real: (N, T) bool, at least one in each clip; None where all are.

    Frames may be missing anywhere in a clip; rows are the real ones, clip by clip.
    """

    def __init__(self, clips: int, frames: int, real: Tensor | None = None) -> None:
        self.clips, self.frames = clips, frames
        self.places = None if real is None else real.flatten().nonzero().squeeze(1)  # (R,) of N * T
        self.keys = None if real is None else real[:, None, None]  # (N, 1, 1, T)

    def pack(self, x: Tensor) -> Tensor:
        """(N, T, ...) to rows (R, ...)."""
        rows = x.flatten(0, 1)
        return rows if self.places is None else rows.index_select(0, self.places)

    def unpack(self, rows: Tensor) -> Tensor:
        """Rows (R, ...) to (N, T, ...), 0 where a frame is not real."""
        if self.places is not None:
            full = rows.new_zeros(self.clips * self.frames, *rows.shape[1:])
            rows = full.index_copy(0, self.places, rows)
        return rows.view(self.clips, self.frames, *rows.shape[1:])

    def of_clips(self, values: Tensor) -> Tensor:
        """A value of each clip (N, ...) for each of its rows (R, ...)."""
        return self.pack(values[:, None].expand(-1, self.frames, *values.shape[1:]))

    def mean(self, rows: Tensor) -> Tensor:
        """(N, F) means of the rows (R, F) of each clip."""
        if self.places is None:
            return self.unpack(rows).mean(dim=1)
        clip = self.places // self.frames
        total = rows.new_zeros(self.clips, rows.shape[1]).index_add(0, clip, rows)
        return total / torch.bincount(clip, minlength=self.clips)[:, None].to(rows.dtype)


class GlTransformer(nn.Module):
    """Clips (N, T, J, C), T up to the configuration's, to their representation: J D numbers for each frame."""

    def __init__(self, config: GlConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.channels, config.width)
        self.embed_global = nn.Linear(config.channels, config.width)
        self.dropout = nn.Dropout(config.dropout)
        rise = config.drop_path / max(config.depth - 1, 1)
        self.blocks = nn.ModuleList(Block(config, place * rise) for place in range(config.depth))
        size = config.features
        self.norm = nn.LayerNorm(size)
        layers = [nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size)]
        self.mlp = nn.Sequential(*layers, nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size))

    def forward(self, clips: Tensor, real: Tensor | None = None) -> Tensor:
        """(N, T, J D); 0 where a frame is not real. real: (N, T) bool, see Packing."""
        packing = Packing(clips.shape[0], clips.shape[1], real)
        return packing.unpack(self.rows(clips, packing))

    def embedding(self, clips: Tensor, real: Tensor | None = None) -> Tensor:
        """(N, J D) the mean over the real frames, the input of classification heads."""
        packing = Packing(clips.shape[0], clips.shape[1], real)
        return packing.mean(self.rows(clips, packing))

    def with_attention(self, clips: Tensor, real: Tensor | None = None) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """(N, T, J D), and each block's attention over joints (N, T, H, J, J), 0 where a frame is not real, and over
        frames (N, H, T, T)."""
        packing, maps = Packing(clips.shape[0], clips.shape[1], real), list[Tensor]()
        rows = self.rows(clips, packing, maps)
        return packing.unpack(rows), [packing.unpack(map_) for map_ in maps[::2]], maps[1::2]

    def rows(self, clips: Tensor, packing: Packing, maps: list[Tensor] | None = None) -> Tensor:
        """(R, J D) of the real frames; `maps` takes each block's two attentions, (R, H, J, J) and (N, H, T, T)."""
        if clips.shape[1] > self.config.frames:
            raise ValueError(f"expected at most {self.config.frames} frames, got {clips.shape[1]}")
        rows = self.dropout(self._embedded(packing.pack(clips)))  # (R, J, D)
        for block in self.blocks:
            rows = block(rows, packing, maps)
        return self.mlp(self.norm(rows.flatten(1)))  # type: ignore[no-any-return]

    def _embedded(self, x: Tensor) -> Tensor:
        """(R, J, C) to (R, J, D), in float32 also under autocast: bfloat16 would lose displacements of centimetres."""
        device = x.device.type
        if torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                return self._embedded(x)
        place = self.config.global_tokens
        way = x[:, place] if self.config.global_translation else torch.zeros_like(x[:, place])
        embedded = self.embed(x)
        embedded[:, place] = self.embed_global(way)
        return embedded  # type: ignore[no-any-return]


class Block(nn.Module):
    """Rows (R, J, D) to the same: attention over joints, attention over frames, two layers, each added to its input."""

    between: Tensor | None

    def __init__(self, config: GlConfig, drop_path: float = 0.0) -> None:
        super().__init__()
        size, hidden = config.features, int(config.features * config.expand)
        self.position = PositionTable(config)
        self.spatial_norm = nn.LayerNorm(config.width)
        self.spatial = Attention(config.width, config)
        self.temporal_norm = nn.LayerNorm(size)
        self.temporal = Attention(size, config)
        self.forward_norm = nn.LayerNorm(size)
        self.widen, self.narrow = nn.Linear(size, hidden), nn.Linear(hidden, size)
        self.dropout = nn.Dropout(config.dropout)
        self.drop_path = drop_path
        person = torch.arange(config.tokens) % config.people
        same = None if config.between_people else person[:, None] == person
        self.register_buffer("between", same, persistent=False)  # (J, J): which tokens attend to which

    def forward(self, x: Tensor, packing: Packing, maps: list[Tensor] | None = None) -> Tensor:
        """maps: takes attention over joints (R, H, J, J) and over frames (N, H, T, T)."""
        x = x + self.position.of_joints(packing)
        x = x + self._stochastic_depth(self.spatial(self.spatial_norm(x), self.between, maps), packing)
        rows = (x + self.position.of_frames(packing)).flatten(1)  # (R, J D)
        rows = rows + self._stochastic_depth(
            self.temporal(self.temporal_norm(rows), packing.keys, maps, packing), packing
        )
        wide = self.dropout(functional.gelu(self.widen(self.forward_norm(rows))))
        rows = rows + self._stochastic_depth(self.dropout(self.narrow(wide)), packing)
        return rows.view_as(x)

    def _stochastic_depth(self, branch: Tensor, packing: Packing) -> Tensor:
        """Stochastic depth (Huang et al., ECCV 2016): in training the branch is left out for some clips."""
        if not self.training or not self.drop_path:
            return branch
        keep = branch.new_empty(packing.clips).bernoulli_(1 - self.drop_path) / (1 - self.drop_path)
        return branch * packing.of_clips(keep).view(-1, *[1] * (branch.ndim - 1))


class PositionTable(nn.Module):
    """The position embeddings of a block, for joints and frames, in one of the three kinds of GlConfig."""

    def __init__(self, config: GlConfig) -> None:
        super().__init__()
        self.kind = config.positions
        joint = sines(config.tokens, config.width).view(1, 1, config.tokens, config.width)
        frame = sines(config.frames, config.features).view(1, config.frames, config.tokens, config.width)
        if self.kind == "fixed":
            self.register_buffer("joint", joint, persistent=False)
            self.register_buffer("frame", frame, persistent=False)
            return
        amplitude = _SINE_AMPLITUDE if config.position_start == "sines" else 0.0
        if self.kind == "tight":
            self.joint_frame = nn.Parameter(amplitude * frame)
        else:
            self.joint, self.frame = nn.Parameter(amplitude * joint), nn.Parameter(amplitude * frame)

    def of_joints(self, packing: Packing) -> Tensor:
        """(R, J, D), or (1, J, D), before the attention over joints."""
        return self._rows(self.joint_frame, packing) if self.kind == "tight" else self.joint[0]

    def of_frames(self, packing: Packing) -> Tensor:
        """(R, J, D) before the attention over frames."""
        return self._rows(self.joint_frame if self.kind == "tight" else self.frame, packing)

    @staticmethod
    def _rows(table: Tensor, packing: Packing) -> Tensor:
        return packing.pack(table[:, : packing.frames].expand(packing.clips, -1, -1, -1))


class Attention(nn.Module):
    """Multi-head self-attention with dropout on the weights and on what they gather."""

    def __init__(self, size: int, config: GlConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(size, 3 * size, bias=config.qkv_bias)
        self.out = nn.Linear(size, size)
        self.dropout = nn.Dropout(config.dropout)
        self.weight_dropout = config.attention_dropout

    def forward(
        self, x: Tensor, mask: Tensor | None, maps: list[Tensor] | None = None, packing: Packing | None = None
    ) -> Tensor:
        """Over the tokens of x (R, K, F), or, with a packing, of the rows x (R, F) over those of their clip.

        mask: bool, broadcast to (N, H, K, K), True where a token may be attended to. maps: takes the weights.
        """
        qkv = self.qkv(x)
        if packing is not None:
            qkv = packing.unpack(qkv)  # (N, T, 3 F)
        q, k, v = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # each (N, H, K, F / H)
        rate = self.weight_dropout if self.training else 0.0
        # The fused attention of processors is slow in bfloat16: a training step takes half as long again with it.
        slow = q.device.type == "cpu" and q.dtype == torch.bfloat16
        if maps is None and not slow and not torch.compiler.is_exporting():
            gathered = functional.scaled_dot_product_attention(q, k, v, mask, rate)
        else:
            scores = (q @ k.transpose(2, 3)) * q.shape[3] ** -0.5
            weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(dim=3)
            if maps is not None:
                maps.append(weights)
            gathered = functional.dropout(weights, rate) @ v
        gathered = gathered.transpose(1, 2).flatten(2)
        return self.dropout(self.out(gathered if packing is None else packing.pack(gathered)))  # type: ignore[no-any-return]


class GlPretraining(nn.Module):
    """Multi-interval pose displacement prediction (the paper's MPDP): for each token, frame and interval the class of
    the direction in which the token moved, and of how far; without `magnitude` the direction alone.

    A linear layer for each interval and each of the two, on the J D numbers of a frame.
    """

    def __init__(self, backbone: GlTransformer, intervals: int, magnitude: bool = True) -> None:
        super().__init__()
        config = backbone.config
        self.backbone = backbone

        def heads(classes: int) -> nn.ModuleList:
            return nn.ModuleList(nn.Linear(config.features, config.tokens * classes) for _ in range(intervals))

        self.directions = heads(3**config.channels)
        self.magnitudes = heads(_MAGNITUDES) if magnitude else None

    def forward(self, clips: Tensor, real: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits of the real frames, (R, I, J, 3^C) and (R, I, J, 16) or None."""
        return self.predictions(self.backbone.rows(clips, Packing(clips.shape[0], clips.shape[1], real)))

    def predictions(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """As forward, from the backbone's output for frames (R, J D)."""

        def logits(heads: nn.ModuleList) -> Tensor:
            found = torch.stack([head(rows) for head in heads], dim=1)  # (R, I, J K)
            return found.view(*found.shape[:2], self.backbone.config.tokens, -1)

        return logits(self.directions), None if self.magnitudes is None else logits(self.magnitudes)


class GlClassifier(nn.Module):
    """Clips (N, T, J, C) to logits (N, A): a linear layer on the mean over the real frames."""

    def __init__(self, backbone: GlTransformer, outputs: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.config.features, outputs)

    def forward(self, clips: Tensor, real: Tensor | None = None) -> Tensor:
        """real: (N, T) bool, see Packing."""
        return self.head(self.backbone.embedding(clips, real))  # type: ignore[no-any-return]


def sines(count: int, width: int) -> Tensor:
    """(count, width) sines and cosines of the places 0 to count - 1 (Vaswani et al., 2017, section 3.5)."""
    place = torch.arange(count, dtype=torch.float64)[:, None]
    angle = place / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :width].float()
