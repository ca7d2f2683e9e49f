"""The benchmarks: a data set, its official split, its dimensions; and what of it is for choosing a recipe."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from pose.errors import ActionLensError
from pose.skeleton import Layout
from recognizer.datasets import jhmdb, msr_action3d, nw_ucla, penn_action, utd_mhad
from recognizer.datasets.recording import DataError, Recording
from recognizer.training import views
from recognizer.training.whole_clip.clips import ClipOptions, whole_clips

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

SOURCE_FRAMES = 64  # what clips are resampled to before a recipe takes its own frames of them
VIEWS_DEG = (-50.0, -40.0, -30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0)
PARTS = ("test", "validation")
_SPLIT_SEED = 0


class TaskError(ActionLensError):
    """A benchmark that does not exist, or whose data do not make one."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskClips:
    """Clips of a task.

    x: (K, N, F, V, D) float32 in torsos from the first frame's mid-hips; K views of each clip, the first one its own
    camera's, all for training. seen: (K, N, F, V). labels: (N,) places in `actions`. learn, judge: (L,) and (J,) rows.
    """

    x: Array
    seen: Mask
    labels: NDArray[np.intp]
    actions: tuple[str, ...]
    layout: Layout
    learn: Rows
    judge: Rows

    def __post_init__(self) -> None:
        if not np.isfinite(self.x).all():
            row = int(np.flatnonzero(~np.isfinite(self.x).all(axis=(0, 2, 3, 4)))[0])
            raise DataError(f"clip {row} has joints that are not numbers; take its file out of the data set")
        for rows, what in ((self.learn, "learn from"), (self.judge, "judge by")):
            if not len(rows):
                raise DataError(f"the split has no clips to {what}; check that the data folder is whole")

    @property
    def dims(self) -> int:
        """2 or 3."""
        return int(self.x.shape[-1])


@dataclass(frozen=True, slots=True)
class Task:
    """A benchmark. read: recordings of a folder. held_out: (R,) which of a folder's recordings, as far as they are
    training clips, a recipe is chosen by; None for a stratified sixth of them. flat: 3D recordings are seen by their
    own camera, in training by others around them too.
    """

    name: str
    title: str
    folder: str
    read: Callable[[Path], Iterator[Recording]]
    held_out: Callable[[Path, Sequence[Recording]], Mask] | None = None
    flat: bool = False

    def recordings(self, data: Path) -> list[Recording]:
        """All recordings below `data`, the folder of all data sets. DataError where it does not hold this one."""
        folder = data / self.folder
        if not folder.is_dir():
            raise DataError(f"no folder {folder}; give the folder that holds the data sets")
        return list(self.read(folder))

    def load(self, data: Path, part: str = "test") -> TaskClips:
        """Training clips and those of a part: "test", or "validation", which is taken out of the training clips."""
        recordings = self.recordings(data)
        learn, judge = self._split(data / self.folder, recordings, part)
        versions = _views(recordings) if self.flat else [recordings]
        options = ClipOptions(normalise="first", score=True)
        clips = [whole_clips(version, SOURCE_FRAMES, options) for version in versions]
        x = np.stack([clip.x for clip in clips])
        first = clips[0]
        return TaskClips(x[..., :-1], x[..., -1] > 0.5, first.labels, first.actions, first.layout, learn, judge)

    def _split(self, folder: Path, recordings: list[Recording], part: str) -> tuple[Rows, Rows]:
        test = np.array([recording.test for recording in recordings], dtype=bool)
        if part == "test":
            return np.flatnonzero(~test), np.flatnonzero(test)
        learn = np.flatnonzero(~test)
        if self.held_out is not None:
            held_out = self.held_out(folder, recordings)
            return np.flatnonzero(~test & ~held_out), np.flatnonzero(~test & held_out)
        actions = [recordings[row].action for row in learn]
        return stratified(learn, actions, 1 / 6, _SPLIT_SEED)


def stratified(rows: Rows, labels: list[str] | NDArray[np.integer], share: float, seed: int) -> tuple[Rows, Rows]:
    """Rows less a stratified share of them, and that share. DataError where an action has too few clips for it."""
    try:
        learn, judge = train_test_split(rows, test_size=share, random_state=seed, stratify=labels)
    except ValueError as error:
        raise DataError(f"too few clips to hold some of each action out ({error}); check the data folder") from error
    return np.sort(learn), np.sort(judge)


def _views(recordings: list[Recording]) -> list[list[Recording]]:
    own = [views.own_view(recording) for recording in recordings]
    return [own, *([views.view(recording, yaw) for recording in recordings] for yaw in VIEWS_DEG)]


def _jhmdb(split: int) -> Task:
    other = split % len(jhmdb.SPLITS) + 1

    def read(folder: Path) -> Iterator[Recording]:
        return jhmdb.read(folder, split)

    def test_of_the_next_split(folder: Path, recordings: Sequence[Recording]) -> Mask:
        """The official splits keep clips of one source video together, which a random part would not."""
        clips = {clip.joints.tobytes() for clip in jhmdb.read(folder, other) if clip.test}
        return np.array([recording.joints.tobytes() in clips for recording in recordings])

    return Task(f"jhmdb14-{split}", f"JHMDB-14, split {split}", "jhmdb14", read, test_of_the_next_split)


def _view_2(folder: Path, recordings: Sequence[Recording]) -> Mask:
    """NW-UCLA's other training view: choosing meets what the test does, the same people from a new side."""
    return np.array([recording.name.endswith("_v02") for recording in recordings])


def _subject(number: int) -> Callable[[Path, Sequence[Recording]], Mask]:
    return lambda folder, recordings: np.array([recording.subject == number for recording in recordings])


TASKS = {
    task.name: task
    for task in (
        Task("penn", "Penn Action, official split", "penn_action", penn_action.read),
        *(_jhmdb(split) for split in jhmdb.SPLITS),
        Task("nw-ucla-3d", "NW-UCLA cross-view, 3D", "nw_ucla", nw_ucla.read, _view_2),
        Task("nw-ucla-2d", "NW-UCLA cross-view, 2D", "nw_ucla", nw_ucla.read, _view_2, flat=True),
        Task("utd-mhad", "UTD-MHAD cross-subject, 3D", "utd_mhad", utd_mhad.read, _subject(7)),
        Task(
            "msr-action3d",
            "MSR Action3D cross-subject, 3D",
            "msr_action3d",
            msr_action3d.read,
            _subject(9),
        ),
    )
}


def task_of(name: str) -> Task:
    """The task of that name; TaskError lists those that there are."""
    if name not in TASKS:
        raise TaskError(f"no task {name!r}; choose one of {', '.join(TASKS)}")
    return TASKS[name]
