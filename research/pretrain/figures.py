"""Figures of a pretrained network: attention maps and distances, similarity of positions (paper: Fig. 4, 5, A)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from recognizer.training.explain.figures import save_png
from recognizer.training.models.gl_transformer import GlTransformer
from recognizer.training.pretrain.recipes import Pace
from research.pretrain.batches import apply_pace, pad_batch
from research.pretrain.motion import MotionClips, Rows

matplotlib.use("Agg")

_CLIPS_AT_ONCE = 32
_MOST_CLIPS = 128  # over which attended distance is averaged


@dataclass(frozen=True, slots=True, eq=False)
class AttentionStatistics:
    """Means over real frames and clips. joints: (depth, H, J, J), rows attend to columns. distance: (depth, H)
    mean number of frames to the attended frames. uniform_distance: the same for uniform attention."""

    joints: NDArray[np.float32]
    distance: NDArray[np.float32]
    uniform_distance: float


def attention_statistics(backbone: GlTransformer, clips: MotionClips, rows: Rows, pace: Pace) -> AttentionStatistics:
    """Attention of the network on the clips of these rows."""
    joints, distance, alike, frames, count = [], [], 0.0, 0, 0
    backbone.eval()
    for start in range(0, len(rows), _CLIPS_AT_ONCE):
        part = rows[start : start + _CLIPS_AT_ONCE]
        padded, there = pad_batch([apply_pace(clips.x[row], backbone.config.frames, pace) for row in part])
        x, real = torch.from_numpy(padded), torch.from_numpy(there)
        with torch.inference_mode():
            _, spatial, temporal = backbone.with_attention(x, real)
        joints.append(torch.stack([map_.sum(dim=(0, 1)) for map_ in spatial]))
        distance.append(torch.stack([_distances(map_, real).sum(dim=0) for map_ in temporal]))
        uniform = real[:, None, None, :] / real.sum(dim=1)[:, None, None, None]
        alike += float(_distances(uniform.expand(-1, 1, real.shape[1], -1), real).sum())
        frames, count = frames + int(real.sum()), count + len(part)
    total: Tensor = torch.stack(joints).sum(dim=0) / frames
    apart: Tensor = torch.stack(distance).sum(dim=0) / count
    return AttentionStatistics(total.numpy(), apart.numpy(), alike / count)


def _distances(weights: Tensor, real: Tensor) -> Tensor:
    """(N, H) the mean of |t - s| over real frames t, weighted by the attention (N, H, T, T) of t to s."""
    place = torch.arange(real.shape[1])
    apart = (weights * (place[:, None] - place).abs()).sum(dim=3)  # (N, H, T)
    return (apart * real[:, None]).sum(dim=2) / real.sum(dim=1, keepdim=True)


def similarity(table: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosine similarities of positions (T, J, D): of frames (T, T), mean over joints, and of joints (J, J), mean over
    frames."""
    unit = functional.normalize(table.detach(), dim=2)
    frames = torch.einsum("tjd,sjd->ts", unit, unit) / table.shape[1]
    joints = torch.einsum("tjd,tkd->jk", unit, unit) / table.shape[0]
    return frames.numpy(), joints.numpy()


def draw(backbone: GlTransformer, clips: MotionClips, rows: Rows, pace: Pace, folder: Path) -> list[Path]:
    """Write the figures as PNG files and give their paths; positions only where the network has tight ones."""
    folder.mkdir(parents=True, exist_ok=True)
    spread = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_CLIPS)).astype(np.intp)]
    found = attention_statistics(backbone, clips, spread, pace)
    names = [name if clips.people == 1 else f"{name} {p + 1}" for name in clips.joints for p in range(clips.people)]
    names = [f"{name} (way)" if place in backbone.config.global_tokens else name for place, name in enumerate(names)]
    example = rows[int(np.argmax([min(len(clips.x[row]), backbone.config.frames) for row in rows]))]
    figures = {
        "attention-joints.png": _joint_maps(found.joints.mean(axis=1), names),
        "attention-frames.png": _frame_maps(backbone, clips, int(example), pace),
        "attended-distance.png": _distance(found),
    }
    if backbone.config.positions == "tight":
        figures["position-similarity.png"] = _positions(backbone, names)
    return [save_png(figure, folder / name) for name, figure in figures.items()]


def _joint_maps(maps: NDArray[np.float32], names: Sequence[str]) -> Figure:
    """maps: (depth, J, J)."""
    figure = Figure(figsize=(5.5 * len(maps), 5), layout="constrained")
    for block, axes in enumerate(figure.subplots(1, len(maps), squeeze=False)[0]):
        picture = axes.imshow(maps[block], cmap="viridis", vmin=0)
        axes.set(title=f"block {block + 1}, mean of heads", xlabel="looked at")
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
        axes.set_yticks(range(len(names)), names, fontsize=6)
        figure.colorbar(picture, ax=axes, shrink=0.6)
    figure.suptitle("Attention over joints, mean over frames and clips")
    return figure


def _frame_maps(backbone: GlTransformer, clips: MotionClips, row: int, pace: Pace) -> Figure:
    x = torch.from_numpy(apply_pace(clips.x[row], backbone.config.frames, pace))[None]
    with torch.inference_mode():
        _, _, maps = backbone.eval().with_attention(x)
    heads = maps[0].shape[1]
    figure = Figure(figsize=(1.8 * heads, 2 * len(maps)), layout="constrained")
    for block, line in enumerate(figure.subplots(len(maps), heads, squeeze=False)):
        for head, axes in enumerate(line):
            axes.imshow(maps[block][0, head].numpy(), cmap="viridis")
            axes.set_title(f"block {block + 1}, head {head + 1}", fontsize=7)
            axes.tick_params(labelsize=6)
    figure.suptitle(f"Attention over frames, {clips.names[row]} ({clips.actions[clips.labels[row]]})")
    return figure


def _distance(found: AttentionStatistics) -> Figure:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for block, distances in enumerate(found.distance):
        axes.scatter([block + 1] * len(distances), np.sort(distances), s=30, alpha=0.7)
    axes.axhline(found.uniform_distance, color="grey", linestyle="--", label="all frames alike")
    axes.set(xlabel="block", ylabel="frames", title="Attended distance of each head", ylim=(0, None))
    axes.set_xticks(range(1, len(found.distance) + 1))
    axes.legend()
    return figure


def _positions(backbone: GlTransformer, names: Sequence[str]) -> Figure:
    figure = Figure(figsize=(4 * len(backbone.blocks), 8), layout="constrained")
    grid = figure.subplots(2, len(backbone.blocks), squeeze=False)
    for block, (above, below) in enumerate(zip(*grid, strict=True)):
        table = backbone.get_parameter(f"blocks.{block}.position.joint_frame")[0]
        frames, joints = similarity(table)
        above.imshow(frames, cmap="coolwarm", vmin=-1, vmax=1)
        above.set(title=f"block {block + 1}", xlabel="frame", ylabel="frame")
        picture = below.imshow(joints, cmap="coolwarm", vmin=-1, vmax=1)
        below.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
        below.set_yticks(range(len(names)), names, fontsize=6)
    figure.colorbar(picture, ax=grid, shrink=0.5, label="cosine similarity")
    figure.suptitle("Similarity of the learned positions, of frames and of joints")
    return figure
