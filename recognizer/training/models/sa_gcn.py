"""SA-GCN (Yu, Zhao, Li, Yuan, Chen: Structure-Aware Human-Action Generation, ECCV 2020): made-up clips of actions.

A GRU turns noise and the action into a row of latent poses, each the last one plus a step. Self-attention over frames
scores which past frames matter to a frame; the best few become links between a joint and itself in those frames, beside
the bones within a frame. Five graph convolutions on these links correct the poses. Two discriminators judge: one single
frames, one the whole clip.

Tensor axes: N clips, T frames, V joints, D dimensions of a joint, C channels, A actions, K kept frames.
Where paper and code (PingYu-iris/SA-GCN) differ, `SaGcnConfig.reading` chooses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from pose.skeleton import Layout
from recognizer.training.models.graph import Graph, layout_of

Reading = Literal["paper", "official"]
Layers = Literal["attended", "frame", "st-gcn", "cnn", "none"]
Mix = Literal["frame", "clip", "none"]
Residual = Literal["input", "first"]
Form = Literal["sparse", "dense"]

_SELF_LINK = _BONE_LINK = 0.1  # added to every score, so that no joint is without links
_FEATURES = 1024
_CHANNELS = (32, 64, 64, 128, 128)
_FEW_FRAMES = 64  # whose links are faster as a (T, T) matrix for all joints than one by one
_TEMPORAL_KERNEL = 9  # of ST-GCN
_LEAK = 0.2


@dataclass(frozen=True, slots=True)
class SaGcnConfig:
    """joints: of the clips. keep: K, frames linked to a frame.

    reading: "paper" links a frame to K past frames, divides rows by their sums and gives a joint's coordinates to the
        graph as channels; "official" takes K frames of which the frame itself may be one, divides rows by the sums of
        columns, multiplies from the left, and reads the numbers of a clip as first all x, then all y, although they
        are not stored so.
    layers: what corrects the poses: "attended" graph convolutions (SA-GCN), or the ablations of the paper's Table 4:
        "frame" leaves links between frames out, "st-gcn" puts convolutions over time in their place, "cnn" has plain
        3x3 convolutions over frames and joints; "none" ends before them, without attention (as in SkeletonGAN).
    mix: a dense layer after each graph convolution, over the joints of a frame or (official) all joints of all frames:
        the latter's cost grows with (T V)^2 and its clips have one length.
    residual: what the third layer gets beside the second one's output: "input", the uncorrected poses, as the official
        code does it, or "first", the first layer's output, as the paper has it (of the paper's reading alone).
    form: "sparse" and "dense" give the same numbers; dense builds the whole (T V, T V) adjacency.
    """

    joints: Layout | str = "penn-13"
    actions: int = 10
    frames: int = 50
    dims: int = 2
    reading: Reading = "paper"
    layers: Layers = "attended"
    mix: Mix = "frame"
    residual: Residual = "input"
    keep: int = 5
    noise: int = 30
    label: int = 20
    mixed: int = 60
    hidden: int = 100
    heads: int = 3
    form: Form = "sparse"

    def __post_init__(self) -> None:
        choices = {"reading": Reading, "layers": Layers, "mix": Mix, "residual": Residual, "form": Form}
        for name, kind in choices.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"unknown {name} {getattr(self, name)!r}; known are {', '.join(get_args(kind))}")
        for name in ("actions", "frames", "dims", "keep", "noise", "label", "mixed", "hidden", "heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is not above 0")
        if self.reading == "official" and self.residual != "input":
            raise ValueError(f"residual {self.residual!r} is of the paper's reading alone")
        if self.width < self.heads:
            raise ValueError(f"{self.heads} heads do not share {self.width} coordinates")

    @property
    def layout(self) -> Layout:
        """Of the clips."""
        return layout_of(self.joints)

    @property
    def width(self) -> int:
        """V D, numbers of a frame: joint by joint."""
        return len(self.layout) * self.dims


class SelfAttention(nn.Module):
    """Attention of frames to themselves and the frames before; H heads of width // H."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.head_width = heads, width // heads
        inner = self.heads * self.head_width
        self.query, self.key, self.value = (nn.Linear(width, inner) for _ in range(3))
        self.out = nn.Linear(inner, width)
        self.gain = nn.Parameter(torch.zeros(1))
        for linear in (self.query, self.key, self.value):
            nn.init.normal_(linear.weight, std=(2 / (width + self.head_width)) ** 0.5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, T, F) to (N, T, F) and the scores (N, T, T), their mean over the heads; rows add up to 1."""
        query, key, value = (
            part(x).unflatten(-1, (self.heads, self.head_width)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        scores = (
            (query @ key.transpose(-1, -2) * self.head_width**-0.5).masked_fill(future, float("-inf")).softmax(dim=-1)
        )
        seen = (scores @ value).transpose(1, 2).flatten(2)
        return self.gain * self.out(seen) + x, scores.mean(dim=1)


class Links(NamedTuple):
    """Â of N clips, frame by frame.

    past: (N, T, K) linked frames and weights: (N, T, K) of a joint's link to itself there, 0 where there is none.
    own: (N, T) weight of the bones and of a joint itself within the frame. total: (N, T, V) what rows are divided by.
    """

    past: Tensor
    weights: Tensor
    own: Tensor
    total: Tensor


class ActionGraph(nn.Module):
    """Joints of all frames as one graph: Â = scores (A_in + A_seq) + 0.1 I + 0.1 A_in (the paper's equation 6).

    A_in: bones within a frame, with self loops. A_seq: a joint to itself in all other frames. The scores of a frame
    hold for all its joints, so Â is a product of joints within frames, and of frames for each joint: T (V^2 + K V)
    weights, of which nothing else is ever built in the sparse form.
    """

    bones: Tensor

    def __init__(self, layout: Layout, reading: Reading, keep: int, *, between: bool = True) -> None:
        super().__init__()
        self.reading, self.keep, self.between = reading, keep, between
        bones = (Graph(layout, "spatial").distances <= 1).astype("float32")
        self.register_buffer("bones", torch.from_numpy(bones), persistent=False)

    def links(self, scores: Tensor) -> Links:
        """Of the scores (N, T, T): the best K of each row; the paper keeps the frame itself besides them."""
        frames = scores.shape[1]
        itself = torch.eye(frames, dtype=torch.bool, device=scores.device)
        candidates = scores if self.reading == "official" else scores.masked_fill(itself, 0)
        weights, past = candidates.topk(min(self.keep, frames), dim=-1)
        here = past == torch.arange(frames, device=scores.device)[:, None]
        own = scores.diagonal(dim1=1, dim2=2)
        if self.reading == "official":  # only where the frame is among its own best
            own = (weights * here).sum(dim=-1)
        weights = weights * ~here * float(self.between)
        degree = self.bones.sum(dim=0)
        within = (own + _BONE_LINK)[..., None] * degree + _SELF_LINK
        if self.reading == "paper":
            return Links(past, weights, own, within + weights.sum(dim=-1, keepdim=True))
        towards = torch.zeros_like(own).scatter_add(1, past.flatten(1), weights.flatten(1))
        return Links(past, weights, own, within + towards[..., None])

    def forward(self, x: Tensor, links: Links) -> Tensor:
        """x (N, C, T, V) to the normalised Â times x; the official code multiplies x by it from the other side."""
        official = self.reading == "official"
        total = links.total[:, None]
        if official:
            x = x / total
        out = (links.own + _BONE_LINK)[:, None, :, None] * (x @ self.bones) + _SELF_LINK * x
        if self.between and x.shape[2] <= _FEW_FRAMES:
            out = out + _multiplied(x, links, official)
        elif self.between:
            out = out + (_scattered if official else _gathered)(x, links)
        return out if official else out / total

    def dense(self, links: Links) -> Tensor:
        """The whole normalised Â (N, T V, T V), rows divided by `total`: for comparison, it costs (T V)^2."""
        n, frames, _ = links.past.shape
        joints = len(self.bones)
        between = _between(links)
        itself = torch.eye(joints, device=between.device)
        within = (links.own + _BONE_LINK)[..., None, None] * self.bones + _SELF_LINK * itself
        now = torch.eye(frames, device=between.device)[:, None, :, None]
        matrix = between[:, :, None, :, None] * itself[:, None, :] + within[:, :, :, None] * now
        return (matrix / links.total[..., None, None]).reshape(n, frames * joints, frames * joints)

    def dense_product(self, x: Tensor, matrix: Tensor) -> Tensor:
        """As forward, with the whole normalised Â."""
        matrix = matrix if self.reading == "official" else matrix.transpose(1, 2)
        return (x.flatten(2) @ matrix).view_as(x)


def _rows(x: Tensor) -> Tensor:
    """(N, C, T, V) as rows (N T, C V), one a frame."""
    return x.transpose(1, 2).flatten(2).flatten(0, 1)


def _places(links: Links) -> Tensor:
    """(N T, K) linked frames as places in rows."""
    n, frames, _ = links.past.shape
    first = torch.arange(n, device=links.past.device)[:, None, None] * frames
    return (links.past + first).flatten(0, 1)


def _between(links: Links) -> Tensor:
    """(N, T, T) weights of the links between frames, one for all joints."""
    n, frames, _ = links.past.shape
    return links.weights.new_zeros(n, frames, frames).scatter_add(2, links.past, links.weights)


def _multiplied(x: Tensor, links: Links, transposed: bool) -> Tensor:
    """As _gathered, or as _scattered, through a matrix of frames."""
    between = _between(links)
    # As rows, (N, T, C V): of (N, C, T, V) the matrix would be copied for each channel.
    out = (between.transpose(1, 2) if transposed else between) @ x.transpose(1, 2).flatten(2)
    return out.view(x.shape[0], x.shape[2], x.shape[1], x.shape[3]).transpose(1, 2)


def _gathered(x: Tensor, links: Links) -> Tensor:
    """Each frame the weighted sum of the frames that it is linked to."""
    rows, places, weights = _rows(x), _places(links), links.weights.flatten(0, 1)
    out = sum(weights[:, k, None] * rows.index_select(0, places[:, k]) for k in range(places.shape[1]))
    assert isinstance(out, Tensor)
    return out.view(x.shape[0], x.shape[2], x.shape[1], x.shape[3]).transpose(1, 2)


def _scattered(x: Tensor, links: Links) -> Tensor:
    """Each frame added, weighted, to the frames that it is linked to: the transposed product."""
    rows, places, weights = _rows(x), _places(links), links.weights.flatten(0, 1)
    out = torch.zeros_like(rows)
    for k in range(places.shape[1]):
        out = out.index_add(0, places[:, k], weights[:, k, None] * rows)
    return out.view(x.shape[0], x.shape[2], x.shape[1], x.shape[3]).transpose(1, 2)


class GraphConvolution(nn.Module):
    """A 1x1 convolution, the links, a dense layer over joints; x (N, C, T, V) to (N, C', T, V), without activation.

    Where rows of the links add up to 1 (the paper's reading), links and convolution are exchanged: the same numbers,
    with fewer channels to gather.
    """

    def __init__(self, channels: int, out: int, config: SaGcnConfig) -> None:
        super().__init__()
        self.layers, self.between, joints = config.layers, config.layers == "attended", len(config.layout)
        if config.layers == "cnn":
            self.gather = nn.Conv2d(channels, out, 3, padding=1)
            return
        self.gather = nn.Conv2d(channels, out, 1)
        if config.layers == "st-gcn":
            self.temporal = nn.Conv2d(out, out, (_TEMPORAL_KERNEL, 1), padding=(_TEMPORAL_KERNEL // 2, 0))
        sizes = {"frame": joints, "clip": joints * config.frames}
        self.mix = nn.Linear(sizes[config.mix], sizes[config.mix]) if config.mix in sizes else None
        self.flat = config.mix == "clip"
        self.links_first = config.reading == "paper"

    def forward(self, x: Tensor, graph: ActionGraph, links: Links, matrix: Tensor | None = None) -> Tensor:
        """matrix: the whole Â where the dense form is asked for."""
        if self.layers == "cnn":
            return self.gather(x)  # type: ignore[no-any-return]
        if not self.links_first:
            x = self.gather(x)
        x = graph(x, links) if matrix is None else graph.dense_product(x, matrix)
        if self.links_first:
            x = self.gather(x)
        if self.layers == "st-gcn":
            x = self.temporal(x)
        if self.mix is None:
            return x
        return self.mix(x.flatten(2)).view_as(x) if self.flat else self.mix(x)  # type: ignore[no-any-return]


class Correction(nn.Module):
    """The five layers with their residual links: the input, or the first layer's output, to the third, the third to the
    fifth. Without a link from the input nothing passes but what the bones' sums leave of a pose: some differences of
    neighbouring joints are nearly lost in the first layer."""

    def __init__(self, config: SaGcnConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.dims if config.reading == "paper" else 1
        between = config.layers == "attended"
        self.graph = ActionGraph(config.layout, config.reading, config.keep, between=between)
        widths = (channels, *_CHANNELS)
        self.layers = nn.ModuleList(GraphConvolution(a, b, config) for a, b in pairwise(widths))
        first = _CHANNELS[0] if config.residual == "first" else channels
        self.to_third, self.to_fifth = nn.Conv2d(first, _CHANNELS[2], 1), nn.Conv2d(_CHANNELS[2], _CHANNELS[4], 1)
        self.out = nn.Conv2d(_CHANNELS[4], channels, 1)
        if config.reading == "paper":
            self._keep_variance()
            if config.residual == "input":
                self._initialise_as_identity()

    def _keep_variance(self) -> None:
        """Initial weights that preserve the variance. With PyTorch's defaults the five linear layers leave a fortieth
        of the effect of the noise, and all clips of an action start out the same."""
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.normal_(part.weight, std=part.weight[0].numel() ** -0.5)
            elif isinstance(part, nn.Linear):
                nn.init.eye_(part.weight)
            if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
                nn.init.zeros_(part.bias)

    def _initialise_as_identity(self) -> None:
        """Initial weights that make the correction an identity: layers at the end of residual links add nothing yet,
        and the last convolution inverts the links. The graph's part grows from there (as in ReZero: Bachlechner et
        al., UAI 2021)."""
        for place in (2, 4):
            nn.init.zeros_(self.layers[place].gather.weight)  # type: ignore[union-attr, arg-type]
        with torch.no_grad():
            passed = self.to_fifth.weight[:, :, 0, 0] @ self.to_third.weight[:, :, 0, 0]
            self.out.weight.copy_(torch.linalg.pinv(passed)[:, :, None, None])

    def forward(self, poses: Tensor, scores: Tensor) -> Tensor:
        """Poses (N, T, V D) and scores (N, T, T) to poses."""
        config = self.config
        if config.reading == "official":
            # A plain view: (T, V D) numbers as (D, T, V), and clips in another order than their graphs.
            x = poses.reshape(-1, 1, config.frames, len(config.layout))
            scores = scores.repeat(config.dims, 1, 1)
        else:
            x = poses.view(*poses.shape[:2], len(config.layout), config.dims).permute(0, 3, 1, 2)
        links = self.graph.links(scores)
        matrix = self.graph.dense(links) if config.form == "dense" and config.layers != "cnn" else None
        first = self.layers[0](x, self.graph, links, matrix)
        second = self.layers[1](first, self.graph, links, matrix)
        third = self.layers[2](second, self.graph, links, matrix)
        third = third + self.to_third(x if config.residual == "input" else first)
        fourth = self.layers[3](third, self.graph, links, matrix)
        fifth = self.layers[4](fourth, self.graph, links, matrix) + self.to_fifth(third)
        out = self.out(fifth)
        if config.reading == "official":
            return out.reshape(poses.shape)  # type: ignore[no-any-return]
        return out.permute(0, 2, 3, 1).flatten(2)  # type: ignore[no-any-return]


class Stages(NamedTuple):
    """clips, before (the correction): (N, T, V D). latent_scores, scores: (N, T, T) of the two attentions."""

    clips: Tensor
    before: Tensor
    latent_scores: Tensor
    scores: Tensor


class Generator(nn.Module):
    """Noise and actions to clips of standardised joints."""

    def __init__(self, config: SaGcnConfig) -> None:
        super().__init__()
        self.config = config
        latent = config.hidden + config.actions
        self.embed = nn.Linear(config.actions, config.label)
        self.join = nn.Linear(config.label + config.noise, config.mixed)
        self.recurrent = nn.GRU(config.mixed, config.hidden, batch_first=True)
        attends = config.layers != "none"
        self.attend_latent = SelfAttention(latent, config.heads) if attends else None
        self.widen_skip = nn.Linear(latent, _FEATURES)
        self.widen = _perceptron(latent, 512, _FEATURES, nn.ReLU)
        self.deepen = _perceptron(_FEATURES, _FEATURES, _FEATURES, nn.ReLU)
        self.to_poses = nn.Conv1d(_FEATURES, config.width, 3, padding=1)
        self.attend_poses = SelfAttention(config.width, config.heads) if attends else None
        self.correct = Correction(config) if attends else None

    def noise(self, clips: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The latent input of clips: noise (N, T, Z) and the latent pose before the first one (N, H), on the CPU.

        The paper begins at 0; the official code anywhere between 0 and 1.
        """
        noise = torch.randn(clips, self.config.frames, self.config.noise, generator=generator)
        start = torch.rand(clips, self.config.hidden, generator=generator)
        return noise, start if self.config.reading == "official" else torch.zeros_like(start)

    def forward(self, noise: Tensor, start: Tensor, label: Tensor) -> Tensor:
        """noise (N, T, Z), start (N, H), label (N, A) or one for each frame (N, T, A): shares of actions that add up
        to 1. Clips (N, T, V D)."""
        return self.stages(noise, start, label).clips

    def stages(self, noise: Tensor, start: Tensor, label: Tensor) -> Stages:
        """As forward, with the intermediate results."""
        if label.dim() == 2:
            label = label[:, None].expand(-1, noise.shape[1], -1)
        steps, _ = self.recurrent(self.join(torch.cat([self.embed(label), noise], dim=-1)))
        latent = torch.cat([start[:, None] + steps.cumsum(dim=1), label], dim=-1)
        latent_scores = scores = latent.new_zeros(latent.shape[0], noise.shape[1], noise.shape[1])
        if self.attend_latent is not None:
            latent, latent_scores = self.attend_latent(latent)
        features = self.widen_skip(latent) + self.widen(latent)
        features = features + self.deepen(features)
        before = clips = self.to_poses(features.transpose(1, 2)).transpose(1, 2)
        if self.attend_poses is not None and self.correct is not None:
            attended, scores = self.attend_poses(clips)
            clips = self.correct(attended, scores)
        return Stages(clips, before, latent_scores, scores)


class FrameDiscriminator(nn.Module):
    """Judges single frames of a clip, S at once, whatever their order."""

    def __init__(self, width: int, actions: int, frames: int = 21) -> None:
        super().__init__()
        self.skip = nn.Linear(width, 512)
        self.trunk = _perceptron(width, 1024, 512, lambda: nn.LeakyReLU(_LEAK))
        self.head = _perceptron(512 + actions, 1024, 128, lambda: nn.LeakyReLU(_LEAK))
        self.score, self.join = nn.Linear(128, 1), nn.Linear(frames, 1)

    def forward(self, frames: Tensor, label: Tensor) -> Tensor:
        """frames (N, S, V D) and label (N, A) to logits (N,), high for real clips."""
        x = self.skip(frames) + self.trunk(frames)
        x = torch.cat([x, label[:, None].expand(-1, x.shape[1], -1)], dim=-1)
        return self.join(self.score(self.head(x))[..., 0])[:, 0]  # type: ignore[no-any-return]


class ClipDiscriminator(nn.Module):
    """Judges whole clips of T frames. Without actions it is the recognizer of the paper's measure, with A outputs."""

    def __init__(self, width: int, actions: int, frames: int = 50, outputs: int = 1) -> None:
        super().__init__()
        self.trunk = _perceptron(width, 1000, 1000, lambda: nn.LeakyReLU(_LEAK))
        self.head = _perceptron(1000 + actions, 1024, 128, lambda: nn.LeakyReLU(_LEAK))
        self.over_time, self.join = nn.Conv1d(128, 1, 3, padding=1), nn.Linear(frames, outputs)

    def forward(self, clips: Tensor, label: Tensor | None = None) -> Tensor:
        """clips (N, T, V D) and label (N, A), where there are actions, to logits (N, outputs)."""
        x = self.trunk(clips)
        if label is not None:
            x = torch.cat([x, label[:, None].expand(-1, x.shape[1], -1)], dim=-1)
        return self.join(self.over_time(self.head(x).transpose(1, 2))[:, 0])  # type: ignore[no-any-return]


def _perceptron(inputs: int, inner: int, outputs: int, activation: Callable[[], nn.Module]) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, inner), activation(), nn.Linear(inner, outputs), activation())
