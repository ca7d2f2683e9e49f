"""Everyday actions merged from five data sets: what each recording shows, and who trains, validates and tests."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.datasets import jhmdb, kinect, msr_action3d, nw_ucla, penn_action, utd_mhad
from recognizer.datasets.recording import Recording

IDLE, OTHER = "idle", "other"
WEBCAM_POSES = "webcam_poses"
ACTIONS = (
    *(IDLE, "walk", "run", "sit_down", "stand_up", "pick_up", "wave", "clap", "throw", "punch", "kick", "squat"),
    *("push_up", "sit_up", "jumping_jacks", "pull_up", "swing", OTHER),
)

# Data set -> action -> the set's own names of it. What is not named here is OTHER; IDLE is made of still frames.
SOURCES: dict[str, dict[str, tuple[str, ...]]] = {
    utd_mhad.NAME: {
        **{"walk": ("walk",), "run": ("jog",), "sit_down": ("stand_to_sit",), "stand_up": ("sit_to_stand",)},
        **{"wave": ("wave",), "clap": ("clap",), "throw": ("throw",), "punch": ("box",), "squat": ("squat",)},
        "swing": ("baseball_swing", "tennis_swing"),
    },
    nw_ucla.NAME: {
        **{"walk": ("walk", "carry"), "sit_down": ("sit_down",), "stand_up": ("stand_up",), "throw": ("throw",)},
        "pick_up": ("pick_up_one_hand", "pick_up_two_hands"),
    },
    msr_action3d.NAME: {
        **{"run": ("jogging",), "pick_up": ("bend",), "clap": ("hand_clap",), "throw": ("high_throw",)},
        "wave": ("high_arm_wave", "horizontal_arm_wave", "two_hand_wave"),
        **{"punch": ("forward_punch", "side_boxing"), "kick": ("forward_kick", "side_kick")},
        "swing": ("tennis_swing", "golf_swing"),
    },
    penn_action.NAME: {
        **{"throw": ("baseball_pitch",), "squat": ("squat",), "push_up": ("pushup",), "sit_up": ("situp",)},
        **{"jumping_jacks": ("jumping_jacks",), "pull_up": ("pullup",)},
        "swing": ("baseball_swing", "golf_swing", "tennis_forehand"),
    },
    jhmdb.NAME: {
        **{"walk": ("walk",), "run": ("run",), "sit_down": ("sit",), "stand_up": ("stand",), "pick_up": ("pick",)},
        **{"wave": ("wave",), "clap": ("clap",), "throw": ("throw",), "pull_up": ("pullup",), "swing": ("golf",)},
    },
}
# JHMDB's jump is too weak to be an action of its own and too much of one to be called unknown: left out.
_LEFT_OUT = {(jhmdb.NAME, "jump")}

# People (clips, where people are not told apart) of the training split on whom every choice is made.
_VALIDATION_SUBJECTS = {utd_mhad.NAME: {7}, msr_action3d.NAME: {9}, nw_ucla.NAME: {5, 10}}
_VALIDATION_ONE_IN = 6

_MOVES = 0.2  # of a recording's speed: slower is waiting

# Pitch of the camera in degrees, hip drop and hip width of kinect.to_mpose.
_KINECT = {utd_mhad.NAME: (4.0, 0.42, 1.2), nw_ucla.NAME: (13.0, 0.42, 1.2), msr_action3d.NAME: (6.0, 0.5, 0.5)}


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Recordings as MPOSE-13 joints in one flat array, for vectorised sampling.

    joints: (F, 13, 3) float32, all frames of all recordings; z is 0 for sets in two dimensions. seen: (F, 13) bool.
    first, length: (R,) where each recording's frames are. fps: (R,). depth: (R,) bool, True for 3D recordings.
    action: (R,) place in ACTIONS. kind: (R,) place in `kinds`, the names "dataset/action" of the sets' own actions.
    dataset: (R,) names. part: (R,) "train", "validation" or "test". name: (R,) names within the data set.
    lead: (R,) frames that come before a recording's first and show the same person's motion up to it; most have none.
    onset, offset: (R,) frames of the recording between which it is moved; before and after, people wait.
    person: (R,) who it is, as far as the set tells. previous: (R,) the recording that a `lead` belongs to, -1 where
    nobody labelled it.
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
    person: NDArray[np.str_]
    previous: NDArray[np.intp]

    def __post_init__(self) -> None:
        columns = (field.name for field in fields(self) if field.name not in ("joints", "seen", "kinds"))
        uneven = [name for name in columns if len(getattr(self, name)) != len(self.first)]
        if uneven:
            raise ValueError(f"the column {uneven[0]} has another length than the others")

    def __len__(self) -> int:
        return len(self.first)


def action_of(recording: Recording) -> str:
    """The everyday action that a recording shows, OTHER where it shows none."""
    for action, names in SOURCES[recording.dataset].items():
        if recording.action in names:
            return action
    return OTHER


def part_of(recording: Recording) -> str:
    """ "train", "validation" or "test"; validation people come from the training split and never train."""
    if recording.test:
        return "test"
    if recording.subject is not None:
        held_out = recording.subject in _VALIDATION_SUBJECTS[recording.dataset]
    else:
        held_out = crc32(f"{recording.dataset}/{recording.name}".encode()) % _VALIDATION_ONE_IN == 0
    return "validation" if held_out else "train"


def read_all(folder: Path) -> list[Recording]:
    """The recordings of the five sets under `folder`; DataError names the first set that is missing."""
    readers = (penn_action, utd_mhad, nw_ucla, msr_action3d, jhmdb)
    recordings = [recording for reader in readers for recording in reader.read(folder / reader.NAME)]
    return [recording for recording in recordings if (recording.dataset, recording.action) not in _LEFT_OUT]


def merge(recordings: Iterable[Recording]) -> Corpus:
    """Recordings of any of the five sets as one corpus."""
    recordings = list(recordings)
    converted = [_to_mpose(recording) for recording in recordings]
    length = np.array([len(joints) for joints, _ in converted], dtype=np.intp)
    kind_names = [f"{r.dataset}/{r.action}" for r in recordings]
    kinds = tuple(sorted(set(kind_names)))
    moved = [moved_frames(joints, r.fps) for (joints, _), r in zip(converted, recordings, strict=True)]
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
        person=np.array([r.name if r.subject is None else str(r.subject) for r in recordings]),
        previous=np.full(len(recordings), -1, dtype=np.intp),
    )


def moved_frames(joints: NDArray[np.float32], fps: float) -> tuple[float, float]:
    """The first and the last frame of a recording (T, 13, 3) between which its person moves; all where it is unclear.

    A frame is moved when a joint is faster than a fifth of the recording's speed, which is the 90th percentile of its
    fastest joint over 0.2 s.
    """
    last = float(len(joints) - 1)
    span = max(round(0.2 * fps), 1)
    if len(joints) <= 3 * span:
        return 0.0, last
    way = np.linalg.norm(joints[span:] - joints[:-span], axis=-1).max(axis=-1)
    moved = np.flatnonzero(way >= _MOVES * np.quantile(way, 0.9))
    first = float(moved[0] + span / 2) if moved[0] else 0.0
    end = float(moved[-1] + span / 2) if moved[-1] < len(way) - 1 else last
    return (first, end) if end - first >= 0.4 * fps else (0.0, last)


def _to_mpose(recording: Recording) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if recording.dataset in _KINECT:
        pitch, hip_drop, hip_width = _KINECT[recording.dataset]
        joints = kinect.to_mpose(kinect.upright(recording.joints, pitch), hip_drop, hip_width)
        return joints.astype(np.float32), np.ones(joints.shape[:2], dtype=bool)
    places = [recording.layout.index(joint) for joint in MPOSE_13.joints]
    flat = np.pad(recording.joints[:, places], [(0, 0), (0, 0), (0, 1)])
    return flat, recording.seen[:, places]
