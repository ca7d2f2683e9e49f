"""PYSKL's pickles, the exchange format of skeleton action recognition (Duan et al., ACM MM 2022): read and written.

A file holds `split`, lists of clip names by split, and `annotations`, one dict a clip: frame_dir (its name), label,
total_frames, img_shape and original_shape (height, width; 2D only), keypoint (M, T, V, C) and keypoint_score (M, T, V)
(2D only). What an ActionSequence has beyond that is written under the key `actionlens`, which other programs ignore.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.folders import is_leftover
from pose.skeleton import COCO_17, LAYOUTS, NTU_25, OPENPOSE_18, OPENPOSE_25, Layout
from recognizer.datasets import restricted_pickle
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.file_problems import read_each
from recognizer.datasets.kinect import TO_PICTURE
from recognizer.datasets.plausible import check_axes, check_coordinates
from recognizer.datasets.sequences import ActionSequence, Skeleton

log = logging.getLogger(__name__)

NAME = "pyskl"
FPS = 30.0  # not in the format; of NTU RGB+D and of most videos
OURS = "actionlens"
Content = dict[str, Any]
PART_WORDS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
_SPLIT = re.compile(rf"(?:(.*)_)?({'|'.join(PART_WORDS)})([0-9]*)", re.IGNORECASE | re.DOTALL)  # xsub_train, train1
_LAYOUTS = {(17, 2): COCO_17, (18, 2): OPENPOSE_18, (25, 2): OPENPOSE_25, (25, 3): NTU_25, (17, 3): COCO_17}


def read(
    file: Path,
    train: str | None = None,
    test: str | None = None,
    layout: Layout | None = None,
    actions: Sequence[str] | None = None,
) -> Iterator[ActionSequence | DataError]:
    """The sequences of a pickle, or of the only one in a folder; see pyskl_to_sequences."""
    if file.is_dir():
        pickles = sorted(path for path in file.glob("*.pkl") if not is_leftover(Path(path.name)))
        if len(pickles) != 1:
            raise DataError(f"{len(pickles)} PYSKL pickles (*.pkl) in {file}; give one file")
        file = pickles[0]
    if not file.is_file():
        raise DataError(f"no file {file}; give a PYSKL pickle")
    content = restricted_pickle.load(file)
    try:
        found = pyskl_to_sequences(content, train, test, layout, actions)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    for one in found:
        yield type(one)(f"{file}: {one}") if isinstance(one, DataError) else one


def sequences_to_pyskl(
    sequences: Iterable[ActionSequence], splits: Mapping[str, Iterable[str]] | None = None
) -> Content:
    """Sequences in PYSKL's format.

    splits: clip names by split; without it, `train` and `test` after the sequences' own. Labels are places in the
    sorted list of the actions. 3D joints are turned back to the camera's axes, as PYSKL has them. Where a set does not
    tell the picture's size, it is the least that holds the clip's joints. DataError when two clips have one name or a
    split names a clip that is not there.
    """
    sequences = list(sequences)
    names = {sequence.name for sequence in sequences}
    if len(names) != len(sequences):
        raise DataError("two sequences have one name; write each data set and split to a file of its own")
    actions = sorted({sequence.action for sequence in sequences})
    if splits is None:
        splits = {
            part: [sequence.name for sequence in sequences if sequence.test == test]
            for part, test in (("train", False), ("test", True))
        }
    lists = {split: list(clips) for split, clips in splits.items()}
    for split, clips in lists.items():
        if not set(clips) <= names:
            raise DataError(f"split {split} names clips that are not among the sequences")
    return {
        "split": lists,
        "annotations": [_annotation(sequence, actions.index(sequence.action)) for sequence in sequences],
        OURS: {"actions": actions},
    }


def pyskl_to_sequences(
    content: Any,
    train: str | None = None,
    test: str | None = None,
    layout: Layout | None = None,
    actions: Sequence[str] | None = None,
) -> list[ActionSequence | DataError]:
    """What a pickle's content holds, and in the place of a clip that cannot be used the reason; DataError when the
    content is not PYSKL's.

    train, test: names of the splits to read; needed where there is more than one of each (xsub_train, xview_train).
    Of numbered ones (train1, test1, train2, test2, ...: UCF101, HMDB51) the first is read where none is chosen, and one
    chosen brings the other of its number. Clips in neither are left out. layout: by default after the number of joints.
    actions: names by label; by default those that we wrote, else action_0, action_1, ...
    """
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        raise DataError("not in PYSKL's format (a dict with `split` and a list `annotations`); give another file")
    split = content.get("split")
    if not isinstance(split, dict) or not all(isinstance(clips, list | tuple) for clips in split.values()):
        raise DataError("has no dict `split` of lists of clips; give another file")
    part_of = _parts(split, train, test)
    ours = content.get(OURS)
    if actions is None and isinstance(ours, dict) and isinstance(ours.get("actions"), list):
        actions = [str(action) for action in ours["actions"]]
    wanted = [
        (number, annotation)
        for number, annotation in enumerate(content["annotations"])
        if name_of(annotation) is None or name_of(annotation) in part_of
    ]

    def sequence(numbered: tuple[int, Any]) -> ActionSequence:
        number, annotation = numbered
        name = name_of(annotation)
        if name is None:
            raise DataError(f"annotation {number} has no name (`frame_dir`); get the file again")
        return _sequence(annotation, part_of[name], layout, actions)

    return list(read_each(wanted, sequence))


def parts_of(splits: Mapping[Any, Any], *, strict: bool = False) -> dict[str, dict[str, str]]:
    """The part of each clip, "train", "validation" or "test", by split: those of xsub_train and xsub_val are of xsub,
    those of train and val of "", those of train1 and test1 of split1. strict: DataError for a clip that is in two
    parts."""
    found: dict[str, dict[str, str]] = {}
    for name, members in splits.items():
        named = _SPLIT.fullmatch(str(name))
        if named is None or not isinstance(members, list | tuple):
            continue
        base, word, number = named.groups()
        base = "_".join(filter(None, (base, number and f"split{number}")))
        part = PART_WORDS[word.lower()]
        of_clip = found.setdefault(base, {})
        both = [str(member) for member in members if of_clip.get(str(member), part) != part]
        if strict and both:
            raise DataError(f"{both[0]} is in {of_clip[both[0]]} and in {part} of one split; write the splits again")
        of_clip.update((str(member), part) for member in members)
    return found


def first_of(splits: Iterable[str]) -> str | None:
    """The first of numbered splits (split1, split2, split3), which is meant where none is named; None for others."""
    numbered = [re.fullmatch("split([0-9]+)", split) for split in splits]
    first = min((int(split[1]), split[0]) for split in numbered if split) if numbered and all(numbered) else None
    return first and first[1]


def name_of(annotation: Any) -> str | None:
    """A clip's name; None where the annotation has none."""
    name = annotation.get("frame_dir") if isinstance(annotation, dict) else None
    return name if isinstance(name, str) else None


def _annotation(sequence: ActionSequence, label: int) -> dict[str, Any]:
    people = sequence.people
    keypoint = np.stack([person.joints for person in people])
    scored = [person.score is not None for person in people]
    annotation: dict[str, Any] = {"frame_dir": sequence.name, "label": label, "total_frames": keypoint.shape[1]}
    if keypoint.shape[-1] == 3:
        keypoint = keypoint * TO_PICTURE
    else:
        width, height = sequence.size_px or (max(int(np.ceil(keypoint[..., axis].max())), 1) for axis in (0, 1))
        annotation |= {"img_shape": (height, width), "original_shape": (height, width)}
    if keypoint.shape[-1] == 2 or any(scored):
        annotation["keypoint_score"] = np.stack(
            [person.seen.astype(np.float32) if person.score is None else person.score for person in people]
        )
    annotation["keypoint"] = keypoint
    annotation[OURS] = {
        "dataset": sequence.dataset,
        "layout": sequence.layout.name,
        "fps": sequence.fps,
        "subject": sequence.subject,
        "seen": np.stack([person.seen for person in people]),
        "scored": scored,
        "size_px": sequence.size_px,
    }
    return annotation


def _parts(split: Mapping[str, Sequence[Any]], train: str | None, test: str | None) -> dict[str, bool]:
    """Whether each clip tests, for the clips of the two splits."""
    chosen = []
    numbers = [number for name in (train, test) if name is not None and (number := _number(name))]
    for given, words in ((train, ("train",)), (test, ("val", "test"))):
        fitting = [given] if given is not None else [name for name in split if any(word in str(name) for word in words)]
        if len(fitting) > 1 and all(map(_number, fitting)):
            numbers = numbers or [min(map(_number, fitting), key=int)]
            fitting = [name for name in fitting if _number(name) == numbers[0]]
        if len(fitting) != 1 or fitting[0] not in split:
            raise DataError(f"say which splits to train and test on; there are {', '.join(map(str, split))}")
        chosen.append(fitting[0])
    training, testing = (split[name] for name in chosen)
    both = set(map(str, training)) & set(map(str, testing))
    if both:
        raise DataError(f"{len(both)} clips are in {chosen[0]} and in {chosen[1]}; choose other splits")
    return {**{str(name): False for name in training}, **{str(name): True for name in testing}}


def _number(split: Any) -> str:
    """The number behind a split's name, "1" of train1; "" where it has none."""
    named = _SPLIT.fullmatch(str(split))
    return named[3] if named is not None else ""


def _sequence(
    annotation: Mapping[str, Any], test: bool, layout: Layout | None, actions: Sequence[str] | None
) -> ActionSequence:
    name = annotation["frame_dir"]
    keypoint, score = _arrays(annotation)
    if keypoint.shape[0] == 0 or keypoint.shape[1] < 2:
        raise EmptyFileError(f"{name}: nobody in it, left out")
    ours = annotation.get(OURS) if isinstance(annotation.get(OURS), dict) else {}
    assert isinstance(ours, dict)
    seen = ours.get("seen")
    if not isinstance(seen, np.ndarray) or seen.shape != keypoint.shape[:3] or seen.dtype != np.bool_:
        seen = np.any(keypoint != 0, axis=-1) if score is None else score > 0
    seen = seen & _finite(keypoint, name)
    size_px = _size_px(ours["size_px"] if "size_px" in ours else annotation.get("img_shape"), "size_px" not in ours)
    layout = layout or LAYOUTS.get(str(ours.get("layout"))) or _LAYOUTS.get((keypoint.shape[2], keypoint.shape[3]))
    known = layout is not None and len(layout) == keypoint.shape[2]
    if not ours and (known or keypoint.shape[3] == 3):  # MediaPipe, whose joints we write, places some far outside
        check_coordinates(keypoint, seen, size_px, name)
    if layout is None or len(layout) != keypoint.shape[2]:
        raise DataError(f"{name}: no layout has {keypoint.shape[2]} joints in {keypoint.shape[3]}D; name the layout")
    joints = np.where(np.isfinite(keypoint), keypoint, 0) * (TO_PICTURE if keypoint.shape[3] == 3 else np.float32(1))
    scored = ours.get("scored")
    if not isinstance(scored, list) or len(scored) != len(joints):
        scored = [score is not None] * len(joints)
    people = [
        Skeleton(joints[m], seen[m], score[m] if score is not None and scored[m] else None) for m in range(len(joints))
    ]
    return ActionSequence(
        dataset=str(ours.get("dataset", NAME)),
        name=name,
        action=_action(annotation.get("label"), name, actions),
        joints=people[0].joints,
        seen=people[0].seen,
        layout=layout,
        fps=_fps(ours.get("fps")),
        subject=ours["subject"] if type(ours.get("subject")) is int else None,
        test=test,
        others=tuple(people[1:]),
        score=people[0].score,
        size_px=size_px,
    )


def _arrays(annotation: Mapping[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """keypoint (M, T, V, 2 or 3) and keypoint_score (M, T, V) or None, checked against each other."""
    name, keypoint, score = annotation["frame_dir"], annotation.get("keypoint"), annotation.get("keypoint_score")
    if not isinstance(keypoint, np.ndarray):
        raise DataError(f"{name}: no array `keypoint`; a table of contents without skeletons cannot be read")
    if keypoint.dtype.kind not in "fiu":
        raise DataError(f"{name}: `keypoint` of shape {keypoint.shape} holds no numbers; get the file again")
    total_frames = annotation.get("total_frames")
    if isinstance(total_frames, np.ndarray) and total_frames.ndim == 0:
        total_frames = total_frames.item()
    if "total_frames" in annotation and not isinstance(total_frames, int | float | np.number):
        raise DataError(f"{name}: `total_frames` is not a number; get the file again")
    check_axes(keypoint, total_frames, name)
    if total_frames is not None and total_frames != keypoint.shape[1]:
        raise DataError(f"{name}: {keypoint.shape[1]} frames, total_frames says {total_frames}")
    if score is None:
        return keypoint.astype(np.float32), None
    if not isinstance(score, np.ndarray) or score.dtype.kind not in "fiu" or score.shape != keypoint.shape[:3]:
        raise DataError(f"{name}: `keypoint_score` does not fit `keypoint`; get the file again")
    return keypoint.astype(np.float32), np.nan_to_num(score.astype(np.float32))


def _finite(keypoint: NDArray[np.float32], name: str) -> NDArray[np.bool_]:
    finite: NDArray[np.bool_] = np.all(np.isfinite(keypoint), axis=-1)
    if not finite.all():
        log.warning("%s: %d joints are not numbers, taken as missing", name, (~finite).sum())
    return finite


def _action(label: Any, name: str, actions: Sequence[str] | None) -> str:
    if not isinstance(label, int | np.integer) or label < 0:
        raise DataError(f"{name}: its label is not a number of 0 or more; get the file again")
    place = int(label)
    if actions is None:
        return f"action_{place}"
    if place >= len(actions):
        raise DataError(f"{name}: label {place}, but there are {len(actions)} names of actions")
    return actions[place]


def _fps(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e6 else FPS


def _size_px(size: Any, height_first: bool) -> tuple[int, int] | None:
    if not isinstance(size, tuple | list) or len(size) != 2 or any(type(side) is not int or side < 1 for side in size):
        return None
    return (size[1], size[0]) if height_first else (size[0], size[1])
