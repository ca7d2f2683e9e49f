"""What there is to know of a published data set, in one place: the DATASET of each file beside this one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout
from recognizer.datasets.errors import DataError
from recognizer.datasets.kinect import KinectView
from recognizer.datasets.sequences import ActionSequence, LabelledSequence
from recognizer.model_card import TrainingSource

ReadResult = ActionSequence | LabelledSequence | DataError  # the last: in the place of what cannot be used, the reason
Reader = Callable[[Path], Iterator[ReadResult]]
HeldOut = Callable[[Path, Sequence[ActionSequence]], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Split:
    """A published split, as a benchmark trains and tests on it.

    name, title: of the benchmark. read: the set's folder, each sequence's `test` after this split. held_out: (R,) which
    of a folder's sequences, as far as they are training ones, a recipe is chosen by; None for a stratified sixth of
    them. flat: 3D sequences are seen by their own camera, in training by others around them too.
    """

    name: str
    title: str
    read: Reader
    held_out: HeldOut | None = None
    flat: bool = False


class Postures(NamedTuple):
    """The set's own names of actions in which somebody who keeps still is not standing: seated in the first or the last
    frames, or crouching."""

    seated_first: tuple[str, ...] = ()
    seated_last: tuple[str, ...] = ()
    crouching: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set.

    name: of its folder among the data sets, of `--format`, and of `ActionSequence.dataset`.
    read: every sequence of its folder in a fixed order, and in the place of one that cannot be used the reason. Raises
        DataError where the folder is not the set's at all.
    layout: of its joints. terms: who made it, where it is, and what its authors allow, as cards state it.
    files: a pattern of the files that tell its folder from others; "" where their names tell nothing.
    read_isolated: as `read`, for files of unknown origin, where reading one may end the process; None where `read` is
        safe on any file.
    splits: the benchmarks.
    everyday: everyday action -> the set's own names of it; all its other actions are unlisted motion. Empty: everyday
        training makes no use of the set. left_out: its actions that are neither. postures: what tells idle people.
    validation_people: people of the training split on whom every choice is made; empty where the set does not tell
        people apart, or where a checksum may choose them.
    marks_validation: its reader says which training sequences they are, in `validation`.
    kinect: how Kinect's skeletons become upright ones with the proportions of annotated people; None for others.
    """

    name: str
    read: Reader
    layout: Layout
    terms: TrainingSource
    files: str = ""
    read_isolated: Reader | None = None
    splits: tuple[Split, ...] = ()
    everyday: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    postures: Postures = field(default_factory=Postures)
    validation_people: frozenset[int] = frozenset()
    marks_validation: bool = False
    kinect: KinectView | None = None

    def read_foreign(self, folder: Path) -> Iterator[ReadResult]:
        """Like `read`, for untrusted files."""
        return (self.read_isolated or self.read)(folder)


def people(*numbers: int) -> HeldOut:
    """Choose by these people."""
    return lambda folder, sequences: np.isin([-1 if s.subject is None else s.subject for s in sequences], numbers)
