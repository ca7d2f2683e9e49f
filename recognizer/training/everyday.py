"""Everyday actions merged from data sets: the action of each recording, and its part: training, validation or test.

Each set's DATASET maps its own actions to everyday actions.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13, convert
from recognizer.datasets import clip_files, kinect, webcam_poses
from recognizer.datasets.clip_files import ClipFile
from recognizer.datasets.dataset import ReadResult
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.registry import DATASETS, dataset_of, terms_of
from recognizer.datasets.sequences import ActionSequence
from recognizer.model_card import TrainingSource
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.filling import filled
from recognizer.window import MIN_CONFIDENCE

IDLE, OTHER = "idle", "other"
UNLISTED = f"{OTHER}:"  # before the name of a kind of unlisted motion, in labels of sequences
SIT_STILL = f"{UNLISTED}sit_still"  # which is idle
LEFT_OUT = "left out"  # the part of recordings that are not used
WEBCAM_POSES = webcam_poses.NAME
ACTIONS = (
    *(IDLE, "walk", "run", "sit_down", "stand_up", "pick_up", "wave", "clap", "throw", "punch", "kick", "squat"),
    *("push_up", "sit_up", "jumping_jacks", "pull_up", "swing", OTHER),
)

# Data of the shipped recognizers, without which nothing is trained; other sets are used where they are present.
REQUIRED = ("penn_action", "utd_mhad", "nw_ucla", "msr_action3d", "jhmdb14")

_VALIDATION_ONE_IN = 6  # clips or people for validation, where the set does not define them

_OWN_TERMS = TrainingSource("recorded clips", "files of clips that training was given", "as their owner says")

_MOVING_SHARE = 0.2  # of a recording's speed: slower is waiting


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Recordings as MPOSE-13 joints in one flat array, for vectorised sampling.

    joints: (F, 13, 3) float32, all frames of all recordings; z is 0 for sets in two dimensions. seen: (F, 13) bool.
    first, length: (R,) where each recording's frames are. fps: (R,). depth: (R,) bool, True for 3D recordings.
    action: (R,) place in ACTIONS. kind: (R,) place in `kinds`, the names "dataset/action" of the sets' own actions.
    dataset: (R,) names. part: (R,) "train", "validation" or "test". name: (R,) names within the data set.
    lead: (R,) frames that come before a recording's first and show the same person's motion up to it; most have none.
    onset, offset: (R,) frames of the recording between which it is moved; before and after, people wait.
    previous: (R,) the recording that a `lead` belongs to, -1 where nobody labelled it.
    """

    joints: NDArray[np.float32]
    seen: NDArray[np.bool_]
    first: NDArray[np.intp]
    length: NDArray[np.intp]
    fps: NDArray[np.float32]
    depth: NDArray[np.bool_]
    action: NDArray[np.intp]
    kind: NDArray[np.intp]
    kinds: tuple[str, ...]
    dataset: NDArray[np.str_]
    part: NDArray[np.str_]
    name: NDArray[np.str_]
    lead: NDArray[np.intp]
    onset: NDArray[np.float32]
    offset: NDArray[np.float32]
    previous: NDArray[np.intp]

    def __post_init__(self) -> None:
        columns = (field.name for field in fields(self) if field.name not in ("joints", "seen", "kinds"))
        uneven = [name for name in columns if len(getattr(self, name)) != len(self.first)]
        if uneven:
            raise ValueError(f"the column {uneven[0]} has another length than the others")

    def __len__(self) -> int:
        return len(self.first)

    def appended(
        self,
        joints: Sequence[NDArray[np.float32]],
        seen: Sequence[NDArray[np.bool_]],
        kinds: Sequence[str],
        *,
        first: NDArray[np.intp],
        length: NDArray[np.intp],
        lead: NDArray[np.intp] | int,
        fps: NDArray[np.float32] | float,
        depth: bool,
        action: Sequence[str],
        kind: Sequence[str],
        dataset: str,
        part: Sequence[str] | str,
        name: Sequence[str],
        previous: NDArray[np.intp] | int = -1,
    ) -> "Corpus":
        """The corpus and further recordings, moved throughout.

        joints, seen: further frames, in pieces; `first` counts from the first of them. kinds: those that are new.
        action, kind: names. Where a column has one value, it is that of all further recordings.
        """
        every = (*self.kinds, *kinds)
        further = {
            **{"first": first + len(self.joints), "length": length, "lead": lead, "fps": fps, "depth": depth},
            **{"onset": 0, "offset": length - 1, "dataset": dataset, "part": part, "name": name, "previous": previous},
            **{"action": [ACTIONS.index(each) for each in action], "kind": [every.index(each) for each in kind]},
        }
        columns = {}
        for column, values in further.items():
            before = getattr(self, column)
            dtype = None if before.dtype.kind == "U" else before.dtype  # texts may be longer than those before
            columns[column] = np.append(before, np.broadcast_to(np.asarray(values, dtype), len(length)))
        frames = {"joints": np.concatenate([self.joints, *joints]), "seen": np.concatenate([self.seen, *seen])}
        return replace(self, kinds=every, **frames, **columns)


def action_of(sequence: ActionSequence) -> str:
    """The everyday action that a sequence shows, OTHER where it shows none.

    Of clips of no known set it is what they are labelled, "Sit down" as much as sit_down.
    """
    if sequence.dataset not in DATASETS:
        name = "_".join(sequence.action.lower().replace("_", " ").replace("-", " ").split())
        return name if name in ACTIONS else OTHER
    for action, names in dataset_of(sequence.dataset).everyday.items():
        if sequence.action in names:
            return action
    return OTHER


def part_of(sequence: ActionSequence) -> str:
    """ "train", "validation" or "test"; validation people come from the training split and never train."""
    if sequence.test or sequence.validation:
        return "test" if sequence.test else "validation"
    if sequence.dataset not in DATASETS:
        return "train"
    dataset = dataset_of(sequence.dataset)
    if dataset.marks_validation:
        return "train"
    people = dataset.validation_people
    if sequence.subject is not None and people:
        held_out = sequence.subject in people
    else:
        who = sequence.name if sequence.subject is None else f"person {sequence.subject}"
        held_out = crc32(f"{sequence.dataset}/{who}".encode()) % _VALIDATION_ONE_IN == 0
    return "validation" if held_out else "train"


def read_all(folder: Path) -> list[ActionSequence]:
    """The sequences of the data sets under `folder` that map their actions to everyday actions.

    DataError names the first one of REQUIRED that is missing. What cannot be used is logged and left out.
    """
    used = [
        dataset
        for dataset in DATASETS.values()
        if dataset.everyday and (dataset.name in REQUIRED or (folder / dataset.name).is_dir())
    ]
    return [
        sequence
        for dataset in used
        for sequence in action_sequences(dataset.read(folder / dataset.name))
        if sequence.action not in dataset.left_out
    ]


def read_clips(clips: Sequence[ClipFile]) -> list[ActionSequence]:
    """The sequences of files of clips. As clip_files.read; what cannot be used is logged and left out."""
    return [sequence for file in clips for sequence in action_sequences(_check_confidence(clip_files.read(file)))]


def _check_confidence(found: Iterable[ReadResult]) -> Iterator[ReadResult]:
    """Replace recorded clips in which no joint is confident enough for the live program by an error that says so."""
    for one in found:
        if isinstance(one, ActionSequence) and one.dataset not in DATASETS and not _own_to_mpose(one)[1].any():
            yield EmptyFileError(f"{one.name}: no joint of a confidence of {MIN_CONFIDENCE:g}, left out")
        else:
            yield one


def without_kinds(corpus: Corpus, kinds: Collection[str]) -> Corpus:
    """The corpus with recordings of some kinds ("dataset/action") in no part, so that nothing learns from them, nor
    from the end of them that leads up to another recording. Raises DataError for a kind that is not there."""
    unknown = sorted(set(kinds) - set(corpus.kinds))
    if unknown:
        raise DataError(f"no recording is of the kind {unknown[0]}; kinds are named as {corpus.kinds[0]}")
    gone = np.isin(corpus.kind, [corpus.kinds.index(kind) for kind in kinds])
    after = (corpus.previous >= 0) & gone[corpus.previous]
    return replace(
        corpus,
        part=np.where(gone, LEFT_OUT, corpus.part),
        lead=np.where(after, 0, corpus.lead),
        previous=np.where(after, -1, corpus.previous),
    )


def merge(recordings: Iterable[ActionSequence]) -> Corpus:
    """Sequences of any of the sets as one corpus."""
    recordings = list(recordings)
    converted = [_to_mpose(recording) for recording in recordings]
    length = np.array([len(joints) for joints, _ in converted], dtype=np.intp)
    kind_names = [f"{r.dataset}/{r.action}" for r in recordings]
    kinds = tuple(sorted(set(kind_names)))
    moved = [motion_span(joints, r.fps) for (joints, _), r in zip(converted, recordings, strict=True)]
    return Corpus(
        joints=np.concatenate([joints for joints, _ in converted]),
        seen=np.concatenate([seen for _, seen in converted]),
        first=np.cumsum(length) - length,
        length=length,
        fps=np.array([r.fps for r in recordings], dtype=np.float32),
        depth=np.array([r.joints.shape[-1] == 3 for r in recordings]),
        action=np.array([ACTIONS.index(action_of(r)) for r in recordings], dtype=np.intp),
        kind=np.array([kinds.index(name) for name in kind_names], dtype=np.intp),
        kinds=kinds,
        dataset=np.array([r.dataset for r in recordings]),
        part=np.array([part_of(r) for r in recordings]),
        name=np.array([r.name for r in recordings]),
        lead=np.zeros(len(recordings), dtype=np.intp),
        onset=np.array([first for first, _ in moved], dtype=np.float32),
        offset=np.array([last for _, last in moved], dtype=np.float32),
        previous=np.full(len(recordings), -1, dtype=np.intp),
    )


def terms(corpus: Corpus) -> tuple[TrainingSource, ...]:
    """Of the data sets that a corpus has recordings of, as cards state them."""
    return sources_of(set(corpus.dataset.tolist()))


def sources_of(names: Collection[str]) -> tuple[TrainingSource, ...]:
    """The data sets of these names, in the registry's order; all files of recorded clips are one source."""
    return (*terms_of(names), *([_OWN_TERMS] if set(names) - set(DATASETS) else []))


def placed_by_readers(corpus: Corpus) -> NDArray[np.bool_]:
    """(R,) recordings whose readers give hidden joints a place that may be shown: those of research sets."""
    return np.isin(corpus.dataset, [name for name in DATASETS if name != WEBCAM_POSES])


def motion_span(joints: NDArray[np.float32], fps: float) -> tuple[float, float]:
    """The first and the last frame of a recording (T, 13, 3) between which its person moves; all where it is unclear.

    A frame is moved when a joint is faster than a fifth of the recording's speed, which is the 90th percentile of its
    fastest joint over 0.2 s.
    """
    last = float(len(joints) - 1)
    span = max(round(0.2 * fps), 1)
    if len(joints) <= 3 * span:
        return 0.0, last
    way = np.linalg.norm(joints[span:] - joints[:-span], axis=-1).max(axis=-1)
    moved = np.flatnonzero(way >= _MOVING_SHARE * np.quantile(way, 0.9))
    first = float(moved[0] + span / 2) if moved[0] else 0.0
    end = float(moved[-1] + span / 2) if moved[-1] < len(way) - 1 else last
    return (first, end) if end - first >= 0.4 * fps else (0.0, last)


def _to_mpose(sequence: ActionSequence) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(T, 13, 3) joints, z at 0 where there is none, and (T, 13) whether they were seen."""
    if sequence.dataset not in DATASETS:
        return _own_to_mpose(sequence)
    camera = dataset_of(sequence.dataset).kinect
    if camera is not None:
        upright = kinect.upright(sequence.joints, camera.pitch_deg)
        joints = kinect.to_mpose(upright, camera.hip_drop, camera.hip_width)
        return joints.astype(np.float32), np.ones(joints.shape[:2], dtype=bool)
    if set(MPOSE_13.joints) <= set(sequence.layout.joints):
        places = [sequence.layout.index(joint) for joint in MPOSE_13.joints]
        joints, seen = sequence.joints[:, places], sequence.seen[:, places]
    else:
        joints, found = convert(sequence.joints, sequence.seen.astype(np.float32), sequence.layout, MPOSE_13)
        seen = found > 0
    return np.pad(joints, [(0, 0), (0, 0), (0, 3 - joints.shape[-1])]), seen


def _own_to_mpose(sequence: ActionSequence) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """As _to_mpose, of recorded clips: joints below the live program's confidence threshold are not seen."""
    score = sequence.seen.astype(np.float32) if sequence.score is None else sequence.score * sequence.seen
    joints, found = convert(sequence.joints, score, sequence.layout, MPOSE_13)
    seen = found >= MIN_CONFIDENCE
    if seen.any():
        joints = filled(joints, seen)
    return np.pad(joints, [(0, 0), (0, 0), (0, 3 - joints.shape[-1])]), seen
