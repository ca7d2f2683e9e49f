"""What a pretrained network is worth: linear evaluation, and fine-tuning with few labels.

Always the network of the last epoch, evaluated once; nothing is selected on the evaluation clips.
"""

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import recall_score
from torch import Tensor, nn

from recognizer.training.loop import Hardware
from recognizer.training.models.gl_transformer import GlClassifier, GlTransformer
from recognizer.training.pretrain.pretraining import fit
from recognizer.training.pretrain.recipes import Pace, Recipe
from recognizer.training.run_folder import claim_folder
from research.pretrain.batches import MotionBatches, apply_pace, pad_batch, roll_axes
from research.pretrain.motion import MotionClips, Rows
from research.pretrain.pretraining import ActionTraining

_AT_ONCE = 128  # clips in a batch of evaluation


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """The linear evaluation. Rate, epochs and batch are those of the published code, which passes new interpolations of
    the clips through the network in every epoch, with dropout active; here `copies` of them are passed once and without
    dropout, and each epoch takes another. corrupted: joints of each evaluation clip that are set to 0, the root's
    position, in all frames. axes: number of world axes that 3D clips are seen along; the layer takes all embeddings."""

    epochs: int = 120
    batch: int = 1024
    learning_rate: float = 3e-3
    copies: int = 8
    stretch: float = 0.1
    corrupted: int = 0
    axes: int = 1


@dataclass(frozen=True, slots=True)
class Score:
    """right of `of` clips are correct; balanced: mean recall of the actions. best_right: correct clips at the epoch
    that is best on these same clips, as the published code reports; only to compare with its figures."""

    right: int
    of: int
    balanced: float
    best_right: int | None = None

    @property
    def accuracy(self) -> float:
        """Share of the clips whose likeliest action is right."""
        return self.right / self.of


def embeddings(
    backbone: GlTransformer,
    clips: MotionClips,
    rows: Rows,
    pace: Pace,
    stretch: NDArray[np.floating] | None = None,
    axis: int = 0,
) -> Tensor:
    """(R, J D) the embedding of each row, in eval mode. stretch: (R,) how many times longer they are made. axis: of the
    world that they are seen along, see batches.along."""
    frames, found = backbone.config.frames, []
    how = np.ones(len(rows)) if stretch is None else stretch
    order = np.argsort([-len(clips.x[row]) for row in rows], kind="stable")  # similar lengths in one batch
    backbone.eval()
    with torch.inference_mode():
        for part in np.array_split(order, max(1, -(-len(order) // _AT_ONCE))):
            x, real = pad_batch([roll_axes(apply_pace(clips.x[rows[i]], frames, pace, how[i]), axis) for i in part])
            found.append(backbone.embedding(torch.from_numpy(x), torch.from_numpy(real)))
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.from_numpy(order)] = torch.arange(len(order))
    return torch.cat(found)[back]


def _embeddings_along_axes(
    backbone: GlTransformer,
    clips: MotionClips,
    rows: Rows,
    pace: Pace,
    axes: int,
    stretch: NDArray[np.floating] | None = None,
) -> Tensor:
    """(R, axes J D) the embeddings of each row along `axes` world axes; of 2D clips along one."""
    seen_along = range(axes if clips.channels == 3 else 1)
    return torch.cat([embeddings(backbone, clips, rows, pace, stretch, axis) for axis in seen_along], dim=1)


def corrupt_joints(clips: MotionClips, rows: Rows, count: int, seed: int) -> MotionClips:
    """The clips with `count` joints of each of the rows at 0 in all frames, drawn for each clip; never the one that
    carries the displacement of the body. ValueError where there are not so many."""
    corrupted_clips, rng = list(clips.x), np.random.default_rng([seed, 3])
    body = np.setdiff1d(np.arange(len(clips.joints)), [clips.global_joint])
    if not 0 < count <= len(body):
        raise ValueError(f"of {len(body)} joints {count} cannot be corrupted")
    for row in rows:
        lost = rng.choice(body, count, replace=False)
        corrupted_clips[row] = clips.x[row].copy()
        corrupted_clips[row][:, (lost[:, None] * clips.people + np.arange(clips.people)).ravel()] = 0
    return replace(clips, x=tuple(corrupted_clips))


def linear_evaluation(
    backbone: GlTransformer,
    clips: MotionClips,
    train_rows: Rows,
    eval_rows: Rows,
    pace: Pace,
    seed: int,
    how: LinearSettings | None = None,
) -> Score:
    """Score of a linear layer on the frozen network's embeddings, trained on all labels of `train_rows`."""
    how = how or LinearSettings()
    rng = np.random.default_rng([seed, 2])
    limits = 1 - how.stretch, 1 + how.stretch
    stretches = [rng.uniform(*limits, len(train_rows)) for _ in range(how.copies)]
    copies = torch.stack(
        [_embeddings_along_axes(backbone, clips, train_rows, pace, how.axes, stretch) for stretch in stretches]
    ).clone()
    labels = torch.from_numpy(clips.labels[train_rows])
    torch.manual_seed(seed)
    layer = nn.Linear(copies.shape[2], len(clips.actions))
    optimizer = torch.optim.Adam(layer.parameters(), lr=how.learning_rate)
    corrupted_clips = corrupt_joints(clips, eval_rows, how.corrupted, seed) if how.corrupted else clips
    eval_embeddings, best = _embeddings_along_axes(backbone, corrupted_clips, eval_rows, pace, how.axes).clone(), 0
    for epoch in range(how.epochs):
        for part in torch.from_numpy(rng.permutation(len(train_rows))).split(how.batch):  # type: ignore[no-untyped-call]
            optimizer.zero_grad()
            nn.functional.cross_entropy(layer(copies[epoch % how.copies, part]), labels[part]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            last = score(layer(eval_embeddings).argmax(dim=1).numpy(), clips.labels[eval_rows])
        best = max(best, last.right)
    return replace(last, best_right=best)


def fine_tune(
    backbone: GlTransformer,
    clips: MotionClips,
    labelled: Rows,
    recipe: Recipe,
    seed: int,
    folder: Path,
    hardware: Hardware,
    described: dict[str, Any],
) -> GlClassifier:
    """The whole network, starting from these weights, and a new linear layer, trained on the labelled rows only."""
    torch.manual_seed(seed)
    network = GlClassifier(copy.deepcopy(backbone), len(clips.actions))
    batches = MotionBatches(clips, labelled, recipe, backbone.config.frames, seed, supervised=True)
    claim_folder(folder, described)
    fit(ActionTraining(network, recipe, batches.steps_per_epoch, seed), batches, folder, hardware)
    return network.float().cpu().eval()


def classify(network: GlClassifier, clips: MotionClips, rows: Rows, pace: Pace) -> Score:
    """Score of the network on these rows."""
    with torch.inference_mode():
        logits = network.head(embeddings(network.backbone, clips, rows, pace))
    return score(logits.argmax(dim=1).numpy(), clips.labels[rows])


def score(found: Rows, labels: Rows) -> Score:
    """Score of predicted against true actions, both (N,). balanced: over the actions that occur in `labels`."""
    balanced = recall_score(labels, found, labels=np.unique(labels), average="macro")
    return Score(int((found == labels).sum()), len(labels), float(balanced))
