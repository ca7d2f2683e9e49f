"""Data sets to pretrain on, each with its published split and the part of it for choosing recipes."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from recognizer.datasets import ntu, nw_ucla, utd_mhad
from recognizer.datasets.clip_files import KINDS, ClipFile, clip_file, read
from recognizer.datasets.dataset import Reader
from recognizer.datasets.errors import DataError
from recognizer.datasets.sequences import ActionSequence
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.pretrain.recipes import Facing
from research.errors import ResearchError
from research.pretrain.motion import MotionClips, Rows, motion_clips

PARTS = ("test", "validation")
_MOST_FRAMES, _MOST_PEOPLE = 300, 2  # of a file of recorded clips, as of NTU RGB+D


@dataclass(frozen=True, slots=True)
class Task:
    """A data set and its split. frames: the longest clip. people: slots. validation_subjects: training subjects that
    are held out where sizes and recipes are chosen. file: of recorded clips, instead of the folder of a data set; it
    marks its validation clips itself. evaluates_runs_of: name of a task whose runs can be evaluated on this one,
    too."""

    name: str
    folder: str
    read: Reader
    frames: int
    people: int
    validation_subjects: tuple[int, ...]
    file: ClipFile | None = None
    evaluates_runs_of: str = ""

    def load(self, data: Path | None, facing: Facing = "frame") -> MotionClips:
        """All clips below `data`, the folder of all data sets. DataError where it does not hold this one."""
        if self.file is not None:
            folder = self.file.path
        elif data is None:
            raise DataError(f"{self.name} is a data set; give --data, the folder that holds the data sets")
        else:
            folder = data / self.folder
        if not folder.exists():
            raise DataError(f"no folder {folder}; give the folder that holds the data sets")
        return motion_clips(action_sequences(self.read(folder)), self.people, facing)

    def split(self, clips: MotionClips, part: str) -> tuple[Rows, Rows]:
        """Rows to train on and rows to evaluate on. part: "test", the published split, or "validation", some subjects
        of its training part against the others. DataError where one is empty."""
        validation = clips.validation | np.isin(clips.subjects, self.validation_subjects)
        held_out = clips.test if part == "test" else validation & ~clips.test
        train_rows, eval_rows = np.flatnonzero(~clips.test & ~held_out), np.flatnonzero(held_out)
        if not len(train_rows) or not len(eval_rows):
            raise DataError(f"the {part} split of {self.name} has no clips to train or evaluate on; check the data")
        return train_rows, eval_rows


def labelled_subset(rows: Rows, labels: Rows, share: float, seed: int) -> Rows:
    """A stratified share of the rows, at least one of each action: those whose labels may be used."""
    if share >= 1:
        return rows
    own = labels[rows]
    count = max(round(share * len(rows)), len(np.unique(own)))
    try:
        chosen, _ = train_test_split(rows, train_size=count, random_state=seed, stratify=own)
    except ValueError as error:
        raise ResearchError(f"{share:.0%} of the labels cannot be drawn of all actions ({error}); give more") from error
    return np.sort(_with_every_action(chosen, rows, labels, seed))


def _with_every_action(chosen: Rows, rows: Rows, labels: Rows, seed: int) -> Rows:
    """Of few rows a rare action may have got none: one of its rows replaces one of the action with the most."""
    rng, chosen = np.random.default_rng(seed), chosen.copy()
    for missing in np.setdiff1d(labels[rows], labels[chosen]):
        actions, counts = np.unique(labels[chosen], return_counts=True)
        replaced = rng.choice(np.flatnonzero(labels[chosen] == actions[counts.argmax()]))
        chosen[replaced] = rng.choice(rows[labels[rows] == missing])
    return chosen


def _ntu(actions: int, protocol: str, validation_subjects: tuple[int, ...]) -> Task:
    read = partial(ntu.read, protocol=protocol, actions=actions)
    return Task(f"ntu{actions}-{protocol}", f"ntu_rgbd_{actions}", read, 300, 2, validation_subjects)


TASKS = {
    task.name: task
    for task in (
        Task("nw-ucla", nw_ucla.NAME, nw_ucla.read_published, 50, 1, (9, 10)),
        Task("nw-ucla-corrected", nw_ucla.NAME, nw_ucla.read, 50, 1, (9, 10), evaluates_runs_of="nw-ucla"),
        Task("utd-mhad", utd_mhad.NAME, utd_mhad.read, 100, 1, (7,)),
        _ntu(60, "xsub", (34, 35, 38)),
        _ntu(60, "xview", (34, 35, 38)),
        _ntu(120, "xsub", (93, 97, 103)),
        _ntu(120, "xset", (93, 97, 103)),
    )
}


def task_of(name: str) -> Task:
    """The task of that name, or of a file of recorded clips by its path; ResearchError lists those that there are."""
    if name in TASKS:
        return TASKS[name]
    file = clip_file(name)
    if file is None:
        raise ResearchError(f"no task {name!r}; choose one of {', '.join(TASKS)}, or give the path of {KINDS}")
    sequences = [one for one in read(file) if isinstance(one, ActionSequence)]
    frames = min(max(len(sequence.joints) for sequence in sequences), _MOST_FRAMES)
    people = min(max(len(sequence.people) for sequence in sequences), _MOST_PEOPLE)
    return Task(file.name, "", lambda _: iter(read(file)), frames, people, (), file)
