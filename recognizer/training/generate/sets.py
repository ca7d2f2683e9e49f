"""Training data of generators: 2D clips of some actions of a data set, of one length, standardised.

A part of the official training split is held out, on which weights are selected. The official test split is used
only to measure.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import LAYOUTS, Layout
from recognizer.datasets import jhmdb, msr_action3d, ntu, nw_ucla, penn_action, utd_mhad
from recognizer.datasets.dataset import DataSet
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence
from recognizer.training import views
from recognizer.training.data_argument import existing_folder
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.errors import TrainingError
from recognizer.training.whole_clips import ClipOptions, stratified, whole_clips

Array = NDArray[np.float32]
Rows = NDArray[np.intp]
Part = Literal["validation", "test"]

_MIN_SPREAD = 0.01  # torsos: coordinates that never move (the middle of the hips) are not scaled up
_VALIDATION_SHARE = 1 / 6
_SPLIT_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Motions:
    """Clips of a set.

    x: (N, T, V, 2) float32 torsos from the middle of the hips of each frame, x right, y down. labels: (N,) places in
    `actions`. train, validation, test: rows. seconds: (A,) median duration of an action's training clips.
    """

    x: Array
    labels: Rows
    actions: tuple[str, ...]
    layout: Layout
    train: Rows
    validation: Rows
    test: Rows
    seconds: tuple[float, ...]

    @property
    def scale(self) -> tuple[Array, Array]:
        """Mean and standard deviation (V, 2) of the coordinates of the training clips."""
        seen = self.x[self.train]
        spread = np.maximum(seen.std(axis=(0, 1)), np.float32(_MIN_SPREAD))
        return seen.mean(axis=(0, 1)), spread

    @property
    def standardised(self) -> Array:
        """(N, T, V * 2), joint by joint, each coordinate in deviations from its mean over the training clips."""
        mean, spread = self.scale
        return ((self.x - mean) / spread).reshape(*self.x.shape[:2], -1).astype(np.float32)

    def evaluation_rows(self, part: Part) -> Rows:
        """Rows of a part."""
        return self.test if part == "test" else self.validation


@dataclass(frozen=True, slots=True)
class MotionSet:
    """A data set and some of its actions. held_out: the subject left for validation, where people are told apart."""

    name: str
    dataset: DataSet
    actions: tuple[str, ...]
    held_out: int | None = None

    def load(
        self, data: Path, frames: int, actions: tuple[str, ...] | None = None, layout: str | None = None
    ) -> Motions:
        """Clips below `data`, the folder of all data sets, resampled to `frames`. DataError, TrainingError."""
        folder = existing_folder(data / self.dataset.name)
        if layout is not None and layout not in LAYOUTS:
            raise TrainingError(f"no layout {layout!r}; choose one of {', '.join(LAYOUTS)}")
        wanted = actions or self.actions
        recordings, known = [], set()
        for recording in action_sequences(self.dataset.read(folder)):
            known.add(recording.action)
            if recording.action in wanted:
                recordings.append(recording)  # keeping the others would not fit into memory with NTU RGB+D
        for action in wanted:
            if action not in known:
                raise TrainingError(f"{self.name} has no action {action!r}; it has {', '.join(sorted(known))}")
        return motions(recordings, frames, wanted, self.held_out, layout)


def motions(
    recordings: list[ActionSequence],
    frames: int,
    actions: tuple[str, ...],
    held_out: int | None = None,
    layout: str | None = None,
) -> Motions:
    """Sequences as clips of `frames`; 3D ones as their own camera sees them. DataError where they do not fit.

    held_out: subject of the training split that is left for validation; without one, the recordings that the set's
    reader marks, else a stratified sixth.
    """
    flat = [views.own_view(r) if r.joints.shape[-1] == 3 else r for r in recordings]
    options = ClipOptions(layout=LAYOUTS[layout] if layout else None, normalise="frame")
    clips = whole_clips(flat, frames, options, actions)
    train_rows = np.flatnonzero(clips.train)
    kept = np.array([recording.validation for recording in recordings], dtype=bool)[train_rows]
    if held_out is not None:
        kept = clips.subjects[train_rows] == held_out
    if held_out is not None or kept.any():
        train, validation = train_rows[~kept], train_rows[kept]
    else:
        train, validation = stratified(train_rows, clips.labels[train_rows], _VALIDATION_SHARE, _SPLIT_SEED)
    for rows, part in ((train, "training"), (validation, "validation"), (np.flatnonzero(clips.test), "test")):
        if len(np.unique(clips.labels[rows])) < len(actions):
            raise DataError(f"an action has no {part} clips; check that the data folder is whole")
    durations_s = np.array([len(r.joints) / r.fps for r in recordings])
    seconds = tuple(float(np.median(durations_s[train][clips.labels[train] == place])) for place in range(len(actions)))
    test = np.flatnonzero(clips.test)
    return Motions(clips.x, clips.labels, clips.actions, clips.layout, train, validation, test, seconds)


SETS = {
    motion_set.name: motion_set
    for motion_set in (
        MotionSet(  # the ten with the most training clips
            "penn",
            penn_action.DATASET,
            (
                *("bowl", "baseball_swing", "tennis_serve", "squat", "baseball_pitch", "pushup", "pullup"),
                *("golf_swing", "tennis_forehand", "bench_press"),
            ),
        ),
        MotionSet(  # ten that move in different ways
            "utd-mhad",
            utd_mhad.DATASET,
            ("wave", "clap", "throw", "cross_arms", "box", "baseball_swing", "jog", "walk", "lunge", "squat"),
            held_out=7,
        ),
        MotionSet(  # the eight with test clips
            "nw-ucla",
            nw_ucla.DATASET,
            ("pick_up_one_hand", "walk", "sit_down", "stand_up", "donning", "doffing", "throw", "carry"),
            held_out=10,
        ),
        MotionSet(  # the ten with the most training clips of split 1
            "jhmdb14",
            jhmdb.DATASET,
            ("pour", "pullup", "throw", "catch", "clap", "wave", "golf", "push", "run", "walk"),
        ),
        MotionSet(
            "msr-action3d",
            msr_action3d.DATASET,
            (
                *("high_arm_wave", "hammer", "forward_punch", "high_throw", "draw_circle", "two_hand_wave"),
                *("side_boxing", "forward_kick", "jogging", "tennis_swing"),
            ),
            held_out=9,
        ),
        MotionSet(  # ten of one person that move in different ways; which ten the paper took, its code does not say
            "ntu",
            ntu.DATASET,
            (
                *("drink", "pick_up", "throw", "sit_down", "stand_up", "clap", "put_on_jacket", "wave"),
                *("kick_something", "jump_up"),
            ),
            held_out=38,
        ),
    )
}


def set_of(name: str) -> MotionSet:
    """The set of that name; TrainingError lists those that there are."""
    if name not in SETS:
        raise TrainingError(f"no set {name!r}; choose one of {', '.join(SETS)}")
    return SETS[name]
