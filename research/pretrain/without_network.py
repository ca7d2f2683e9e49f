"""Baselines of the linear evaluation without any network: a linear layer on the poses, and on the targets of MPDP.

The second is what a network would reach that predicts all targets correctly and keeps nothing else, averaged over the
frames as in the linear evaluation. Both show how far a score is from one that needs no pretraining at all.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recognizer.training.pretrain.recipes import Recipe
from recognizer.training.pretrain.targets import MAGNITUDES, mpdp_targets, steps_of
from research.pretrain.batches import apply_pace
from research.pretrain.motion import Array, MotionClips, Rows
from research.pretrain.protocols import Score, score

STRENGTH = 0.02  # C of the logistic regression; with 0.1 NW-UCLA's validation clips are within a point

Features = NDArray[np.float64]


def poses(x: Array) -> Features:
    """(2 J C,) means and deviations, over the frames of a clip (T, J, C), of each coordinate."""
    frames = x.reshape(len(x), -1).astype(np.float64)
    return np.concatenate([frames.mean(axis=0), frames.std(axis=0)])


def answers(x: Array, people: int, recipe: Recipe, steps_m: tuple[float, ...] | None = None) -> Features:
    """(I J (3^C + 16),) the share of a clip's frames (T, J, C) in which each class of displacement is the right one.

    steps_m: see mpdp_targets.
    """
    direction, magnitude = mpdp_targets(x[None], people, recipe.intervals, recipe.reading, steps_m)
    counts = ((direction[0], 3 ** x.shape[2]), (magnitude[0], MAGNITUDES))
    shares = [(classes[..., None] == np.arange(count)).mean(axis=0).ravel() for classes, count in counts]
    return np.concatenate(shares)


def measure(clips: MotionClips, train_rows: Rows, eval_rows: Rows, frames: int, recipe: Recipe) -> dict[str, Score]:
    """Scores on `eval_rows` of logistic regression, trained on all labels of `train_rows`: of poses, of answers and of
    both. frames: of the longest clip."""
    x = [apply_pace(clip, frames, recipe.pace) for clip in clips.x]
    of_poses = np.stack([poses(clip) for clip in x])
    steps_m = None
    if recipe.steps == "set":
        steps_m = steps_of([x[row] for row in train_rows], recipe.intervals, recipe.reading)
    of_answers = np.stack([answers(clip, clips.people, recipe, steps_m) for clip in x])
    kinds = {"poses": of_poses, "answers": of_answers, "both": np.concatenate([of_poses, of_answers], axis=1)}
    layer, labels = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000)), clips.labels
    return {
        name: score(layer.fit(of[train_rows], labels[train_rows]).predict(of[eval_rows]), labels[eval_rows])
        for name, of in kinds.items()
    }
