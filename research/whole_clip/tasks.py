"""The benchmark tasks: a data set with its published split, and the part of it for choosing recipes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.clip_files import KINDS, ClipFile, clip_file, read
from recognizer.datasets.dataset import Split
from recognizer.datasets.errors import DataError
from recognizer.datasets.registry import DATASETS
from recognizer.datasets.sequences import ActionSequence
from recognizer.training import views
from recognizer.training.data_argument import existing_folder
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.whole_clips import ClipOptions, stratified, whole_clips
from research.errors import ResearchError

Array = NDArray[np.float32]
Rows = NDArray[np.intp]

SOURCE_FRAMES = 64  # what clips are resampled to before a recipe takes its own frames of them
VIEWS_DEG = (-50.0, -40.0, -30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0)
PARTS = ("test", "validation")
_SPLIT_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class TaskClips:
    """Clips of a task.

    x: (K, N, F, V, D) float32 in torsos from the first frame's mid-hips; K views of each clip, the first one its own
    camera's, all for training. score: (K, N, F, V) float32, the pose estimator's, 1 where there is none; 0 where a
    joint was not seen. labels: (N,) indices into `actions`. train_rows, eval_rows: rows to train on and to
    evaluate on. extra_actions: how many actions, the last ones, come from other tasks: trained on, never the label of
    an evaluation clip. digest: of the files of recorded clips among them, "" where all are of published sets.
    """

    x: Array
    score: Array
    labels: NDArray[np.intp]
    actions: tuple[str, ...]
    layout: Layout
    train_rows: Rows
    eval_rows: Rows
    extra_actions: int = 0
    digest: str = ""

    def __post_init__(self) -> None:
        if not np.isfinite(self.x).all():
            row = int(np.flatnonzero(~np.isfinite(self.x).all(axis=(0, 2, 3, 4)))[0])
            raise DataError(f"clip {row} has joints that are not numbers; take its file out of the data set")
        for rows, what in ((self.train_rows, "train on"), (self.eval_rows, "evaluate on")):
            if not len(rows):
                raise DataError(f"the split has no clips to {what}; check that the data folder is whole")

    def with_training_clips(self, other: "TaskClips", name: str) -> "TaskClips":
        """These clips plus the training clips of another task. ResearchError where they do not fit together."""
        if (self.layout, self.dims, len(self.x)) != (other.layout, other.dims, len(other.x)):
            raise ResearchError(f"{name} has other joints, dimensions or views; train on tasks of one layout")
        rows = other.train_rows
        return TaskClips(
            x=np.concatenate([self.x, other.x[:, rows]], axis=1),
            score=np.concatenate([self.score, other.score[:, rows]], axis=1),
            labels=np.concatenate([self.labels, other.labels[rows] + len(self.actions)]),
            actions=(*self.actions, *(f"{name}: {action}" for action in other.actions)),
            layout=self.layout,
            train_rows=np.concatenate([self.train_rows, len(self.labels) + np.arange(len(rows))]),
            eval_rows=self.eval_rows,
            extra_actions=self.extra_actions + len(other.actions),
        )

    @property
    def dims(self) -> int:
        """2 or 3."""
        return int(self.x.shape[-1])

    @property
    def centre_distances(self) -> tuple[float, ...]:
        """(V,) mean distance of each joint from the middle of all joints of its frame, over the training clips."""
        x, seen = self.x[0, self.train_rows].astype(np.float64), self.score[0, self.train_rows, ..., None] > 0
        middle = (x * seen).sum(axis=2) / np.maximum(seen.sum(axis=2), 1)
        apart = np.linalg.norm(x - middle[:, :, None], axis=-1, keepdims=True)
        mean = (apart * seen).sum(axis=(0, 1)) / np.maximum(seen.sum(axis=(0, 1)), 1)
        return tuple(mean[:, 0].tolist())


@dataclass(frozen=True, slots=True)
class Task:
    """A benchmark: a published split of a data set, whose folder has its name, or a file of recorded clips.

    extra_tasks: tasks whose training clips are trained on too.
    """

    dataset: str
    split: Split
    file: ClipFile | None = None
    extra_tasks: tuple["Task", ...] = ()

    @property
    def name(self) -> str:
        """As on the command line."""
        return "+".join([self.split.name, *(task.name for task in self.extra_tasks)])

    @property
    def title(self) -> str:
        """In words."""
        return self.split.title

    @property
    def digest(self) -> str:
        """Of the content of the files of recorded clips, "" where there is none. OSError."""
        return "".join(_digest(task.file.path) for task in (self, *self.extra_tasks) if task.file is not None)

    def is_in(self, data: Path) -> bool:
        """Whether `data`, the folder of all data sets, has a folder for this one."""
        return (data / self.dataset).is_dir()

    def folder(self, data: Path | None) -> Path:
        """Where its clips are. data: the folder of all data sets. DataError where it does not hold this one."""
        if self.file is not None:
            return self.file.path
        if data is None:
            raise DataError(f"{self.name} is a data set; give --data, the folder that holds the data sets")
        return existing_folder(data / self.dataset)

    def load(self, data: Path | None, part: str = "test") -> TaskClips:
        """Training clips, and evaluation clips of a part: "test", or "validation", split off the training clips."""
        clips = self._own_clips(data, part)
        for task in self.extra_tasks:
            clips = clips.with_training_clips(task.load(data), task.name)
        return replace(clips, digest=self.digest)

    def _own_clips(self, data: Path | None, part: str) -> TaskClips:
        folder = self.folder(data)
        sequences = list(action_sequences(self.split.read(folder)))
        train_rows, eval_rows = self._split(folder, sequences, part)
        versions = _views(sequences) if self.split.flat else [sequences]
        options = ClipOptions(normalise="first", score=True, seen=True)
        clips = [whole_clips(version, SOURCE_FRAMES, options) for version in versions]
        x = np.stack([clip.x for clip in clips])
        first = clips[0]
        scored = np.array([sequence.score is not None for sequence in sequences])[:, None, None]
        score = np.where(x[..., -1] > 0.5, np.where(scored, x[..., -2], np.float32(1)), np.float32(0))
        return TaskClips(x[..., :-2], score, first.labels, first.actions, first.layout, train_rows, eval_rows)

    def _split(self, folder: Path, sequences: list[ActionSequence], part: str) -> tuple[Rows, Rows]:
        test = np.array([sequence.test for sequence in sequences], dtype=bool)
        if part == "test":
            return np.flatnonzero(~test), np.flatnonzero(test)
        train_rows = np.flatnonzero(~test)
        kept = np.array([sequence.validation for sequence in sequences], dtype=bool)
        if kept.any():
            return np.flatnonzero(~test & ~kept), np.flatnonzero(kept)
        if self.split.held_out is not None:
            held_out = self.split.held_out(folder, sequences)
            return np.flatnonzero(~test & ~held_out), np.flatnonzero(~test & held_out)
        actions = [sequences[row].action for row in train_rows]
        return stratified(train_rows, actions, 1 / 6, _SPLIT_SEED)


def _views(sequences: list[ActionSequence]) -> list[list[ActionSequence]]:
    own = [views.own_view(sequence) for sequence in sequences]
    return [own, *([views.view(sequence, yaw) for sequence in sequences] for yaw in VIEWS_DEG)]


EXTRA_TASKS_HELP = "NAME+NAME+... is the first, trained together with the training clips of the others"
TASKS = {split.name: Task(dataset.name, split) for dataset in DATASETS.values() for split in dataset.splits}


def task_of(name: str) -> Task:
    """The task of that name, or of a file of recorded clips by its path; ResearchError lists those that there are.

    NAME+NAME+... is the first task, trained with the training clips of the others as well.
    """
    if name in TASKS:
        return TASKS[name]
    first, *others = name.split("+")
    if first in TASKS and others:
        extra_tasks = tuple(task_of(other) for other in others)
        _demand_distinct_data_sets((TASKS[first], *extra_tasks))
        return replace(TASKS[first], extra_tasks=extra_tasks)
    file = clip_file(name)
    if file is None:
        raise ResearchError(f"no task {name!r}; choose one of {', '.join(TASKS)}, or give the path of {KINDS}")
    return Task("", Split(file.name, f"clips of {file.name}", lambda _: iter(read(file))), file)


def _digest(path: Path) -> str:
    """Start of the SHA-256 of a file, or of all files of a folder; it changes with their content."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    content = hashlib.sha256()
    for file in files:
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:16]


def _demand_distinct_data_sets(tasks: Sequence[Task]) -> None:
    """ResearchError where two tasks share a data set: test clips of one may be training clips of the other."""
    names = [task.dataset or str(task.folder(None)) for task in tasks]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ResearchError(f"two of the tasks are of {twice}, whose test clips would be learnt from; name another set")
