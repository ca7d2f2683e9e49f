"""Data for pretraining: all available skeletons, without labels, as live recognition sees people.

The training people of all sets, 3D ones seen by cameras at random places, and a user's own recordings.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.datasets.clip_files import ClipFile
from recognizer.features import LAYOUT, RATE_FPS, clip_features
from recognizer.training import augment
from recognizer.training.augment import Augmentation
from recognizer.training.batches import FRAMES, Positions, gather
from recognizer.training.everyday import Corpus, placed_by_readers
from recognizer.training.everyday_streams import read_corpus
from recognizer.training.loop import Batch, Hardware
from recognizer.training.models.gl_features import motion_of
from recognizer.training.pretrain.own_recordings import OWN, read_library, with_recordings
from recognizer.training.pretrain.pretraining import Pretrained, PretrainingJob, load_pretrained, pretrain_on
from recognizer.training.pretrain.recipes import GLOBAL, Recipe, config_of
from recognizer.training.pretrain.targets import mpdp_targets
from recognizer.training.run_folder import RunError, digest_of_columns

Rows = NDArray[np.intp]

NAME = "everyday"
TITLE = "all skeletons that there are, in two dimensions"

TOKENS = (*LAYOUT.joints, GLOBAL)
SHAPE = {"joints": len(TOKENS), "global_joint": len(LAYOUT), "channels": 2, "people": 1, "frames": FRAMES}
_LONGEST_S = 6.0  # beyond, a recording is not drawn more often
# Windows as those of training with labels, but without a detector's noise: it would be what is to be predicted.
_AUGMENTATION = Augmentation(noise=0.0, bias=0.0, lose_joint=0.01, crop=0.1, unusual=0.0, kinect=0.0)


def read(
    data: Path, library: Path | None = None, leave_out: tuple[str, ...] = (), clips: Sequence[ClipFile] = ()
) -> Corpus:
    """The sets under `data` but those left out, files of clips, and the recordings of a library. DataError."""
    corpus = read_corpus(data, clips, leave_out)
    return with_recordings(corpus, read_library(library)) if library is not None else corpus


def rows_of(corpus: Corpus) -> Rows:
    """Recordings to pretrain on: of the training people alone, neither of the validation nor of the test split."""
    return np.flatnonzero(corpus.part == "train")


class EverydayBatches:
    """Batches of windows of 30 frames, all of them real, with the classes of their displacements."""

    def __init__(self, corpus: Corpus, rows: Rows, recipe: Recipe, seed: int) -> None:
        self.corpus, self.rows, self.recipe, self.seed = corpus, rows, recipe, seed
        seconds = np.minimum(corpus.length[rows] / corpus.fps[rows], _LONGEST_S)
        self._share = (seconds / seconds.sum()).astype(np.float64)
        self.steps_per_epoch = math.ceil(len(rows) / recipe.batch)  # batches of as many windows as there are recordings

    def batch(self, step: int, mine: slice = slice(None)) -> Batch:
        """Clips (B, 30, 14, 2), real (B, 30), and the classes (B, 30, I, 14) of direction and magnitude."""
        rng = np.random.default_rng([self.seed, step])
        clips = motion_of(torch.from_numpy(self.features(rng)[mine]))
        classes = mpdp_targets(clips.numpy(), 1, self.recipe.intervals, self.recipe.reading)
        return clips, torch.ones(clips.shape[:2], dtype=torch.bool), *(torch.from_numpy(each) for each in classes)

    def features(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """(B, 30, F) of random windows."""
        rows = rng.choice(self.rows, self.recipe.batch, p=self._share)
        return random_windows(self.corpus, rows, rng, _AUGMENTATION, stretch=self.recipe.stretch)


def random_windows(
    corpus: Corpus, rows: Rows, rng: np.random.Generator, how: Augmentation, *, stretch: float, mirror: bool = True
) -> NDArray[np.float32]:
    """Features (N, 30, F) of a random window of each of the rows, changed as `how` says. stretch: bound of the change
    of speed. mirror: half of them as in a mirror."""
    joints, seen = gather(corpus, rows, _positions(corpus, rows, rng, stretch))
    joints = augment.change_proportions(augment.unit_size(joints), rng, how.proportions)
    xy = augment.view(joints, corpus.depth[rows], rng, how)
    # Where readers gave hidden joints a place, half of the windows show it, as a live detector does.
    seen = seen | ((rng.random(len(seen)) < 0.5) & placed_by_readers(corpus)[rows])[:, None, None]
    if mirror:
        xy, seen = augment.mirror(xy, seen, rng)
    xy = augment.jitter(xy, rng, how)
    seen = augment.crop(xy, seen, rng, np.full(len(seen), how.crop), np.zeros(len(seen), dtype=bool))
    seen = augment.lose_joints(seen, rng, how)
    return clip_features(xy, seen.astype(np.float32), RATE_FPS)


def _positions(corpus: Corpus, rows: Rows, rng: np.random.Generator, stretch: float) -> Positions:
    """(N, 30) frames of windows at about natural speed; short recordings are stretched over most of one."""
    last = (corpus.length[rows] - 1).astype(np.float64)
    how = 1 + rng.uniform(-stretch, stretch, len(rows))
    span = how * (FRAMES - 1) / RATE_FPS * corpus.fps[rows]
    span = np.where(span > last, np.minimum(span, last * rng.uniform(0.85, 1.15, len(rows))), span)
    start = rng.uniform(np.minimum(0, last - span), np.maximum(last - span, 0))
    positions: Positions = start[:, None] + span[:, None] * np.linspace(0, 1, FRAMES)
    return positions


def pretrain_everyday(
    corpus: Corpus, recipe: Recipe, size: str, seed: int, leave_out: tuple[str, ...], folder: Path, hardware: Hardware
) -> Pretrained:
    """As pretraining.pretrain_on, on rows_of the corpus."""
    rows = rows_of(corpus)
    own = int((corpus.dataset == OWN).sum())
    job = PretrainingJob(NAME, size, recipe, FRAMES, seed, "train")
    described = {
        "job": asdict(job),
        "joints": list(TOKENS),
        "left_out": list(leave_out),
        "recordings": len(rows),
        "own": own,
        "data": digest_of_columns(corpus),
    }
    return pretrain_on(
        EverydayBatches(corpus, rows, recipe, seed), lambda r: config_of(SHAPE, size, r), described, folder, hardware
    )


def load_everyday(folder: Path) -> Pretrained:
    """A finished pretraining of pretrain_everyday. Raises RunError."""
    found = load_pretrained(folder)
    if found.job["job"]["task"] != NAME:
        raise RunError(f"{folder} was pretrained on {found.job['job']['task']}; give a run of --task {NAME}")
    return found
