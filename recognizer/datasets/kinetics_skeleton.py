"""Kinetics-Skeleton (Yan, Xiong, Lin, AAAI 2018): OpenPose COCO-18 poses of Kinetics-400 clips, one JSON file each."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.folders import is_leftover
from pose.skeleton import OPENPOSE_18
from recognizer.datasets.dataset import DataSet, ReadResult
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import damaged, load_json, numbers, read_each
from recognizer.datasets.sequences import ActionSequence, Skeleton
from recognizer.model_card import TrainingSource

log = logging.getLogger(__name__)

NAME = "kinetics_skeleton"
FPS = 30.0  # the authors resampled the clips to this rate and to 340 x 256 pixels
SIZE_PX = (340, 256)
_SIZE = np.array(SIZE_PX, dtype=np.float32)
_READ, _KEPT = 5, 2  # people read of each frame and kept of them, as in ST-GCN's code
_MAX_FRAMES = 100_000  # a frame number beyond is damage: clips last 10 s
_PARTS = (("kinetics_train", False), ("kinetics_val", True))


def read(folder: Path) -> Iterator[ReadResult]:
    """Every clip of kinetics_train and kinetics_val (the test split) that has a skeleton, in pixels of 340 x 256.

    As in ST-GCN's code, each frame's people are sorted by the sum of their scores and the best two are kept, so the two
    are no identities. Joints of score 0 are missing. `score` holds OpenPose's scores.
    """
    for part, _ in _PARTS:
        if not (folder / part).is_dir() or not (folder / f"{part}_label.json").is_file():
            raise DataError(f"no {part} with {part}_label.json in {folder}; give the folder of Kinetics-Skeleton")
    for part, test in _PARTS:
        for labels in read_each([folder / f"{part}_label.json"], _labels):
            yield from (labels,) if isinstance(labels, DataError) else _clips(folder / part, labels, test)


def _labels(file: Path) -> dict[str, Any]:
    labels = load_json(file)
    if not isinstance(labels, dict):
        raise damaged(file, "not a table of clips")
    return labels


def _clips(folder: Path, labels: dict[str, Any], test: bool) -> Iterator[ReadResult]:
    files = sorted(file for file in folder.glob("*.json") if not is_leftover(Path(file.name)))
    shown = [file for file in files if not _without_skeleton(labels.get(file.stem))]
    if len(shown) < len(files):
        log.info("%s: %d clips without a skeleton left out", folder.name, len(files) - len(shown))
    yield from read_each(shown, lambda file: _sequence(file, labels.get(file.stem), test))


def _without_skeleton(label: Any) -> bool:
    return isinstance(label, dict) and not label.get("has_skeleton")


def _sequence(file: Path, label: Any, test: bool) -> ActionSequence:
    if not isinstance(label, dict) or not isinstance(label.get("label"), str):
        raise DataError(f"{file}: {file.parent.name}_label.json has no label for it; use the two of one download")
    content = load_json(file)
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, list):
        raise damaged(file, "has no list `data`")
    if content.get("label_index", label.get("label_index")) != label.get("label_index"):
        raise damaged(file, f"its label_index is not the one of the label file, {label.get('label_index')}")
    frames = [_frame(frame, file) for frame in data]
    length = max((index + 1 for index, _ in frames), default=0)
    if length < 2:
        raise damaged(file, "fewer than 2 frames, though its label says that it has a skeleton")
    people = np.zeros((_KEPT, length, len(OPENPOSE_18), 3), dtype=np.float32)
    for index, poses in frames:
        best = poses[np.argsort(-poses[..., 2].sum(axis=1), kind="stable")[:_KEPT]]
        people[: len(best), index] = best
    skeletons = []
    for person in people:
        seen = person[..., 2] > 0
        joints = np.where(seen[..., None], person[..., :2] * _SIZE, np.float32(0))
        skeletons.append(Skeleton(joints, seen, person[..., 2].copy()))
    return ActionSequence(
        dataset=NAME,
        name=file.stem,
        action=label["label"].replace(" ", "_"),
        joints=skeletons[0].joints,
        seen=skeletons[0].seen,
        layout=OPENPOSE_18,
        fps=FPS,
        subject=None,
        test=test,
        others=tuple(skeleton for skeleton in skeletons[1:] if skeleton.seen.any()),
        score=skeletons[0].score,
        size_px=SIZE_PX,
    )


def _frame(frame: Any, file: Path) -> tuple[int, NDArray[np.float32]]:
    """A frame's number and its people (M, 18, 3) of x, y in 0..1 and score."""
    index = frame.get("frame_index") if isinstance(frame, dict) else None
    skeletons = frame.get("skeleton") if isinstance(frame, dict) else None
    if type(index) is not int or not 0 <= index < _MAX_FRAMES or not isinstance(skeletons, list):
        raise damaged(file, "a frame without a number or a list of skeletons")
    poses = np.zeros((min(len(skeletons), _READ), len(OPENPOSE_18), 3), dtype=np.float32)
    for pose, skeleton in zip(poses, skeletons[:_READ], strict=True):
        if not isinstance(skeleton, dict) or not {"pose", "score"} <= skeleton.keys():
            raise damaged(file, f"frame {index}: a skeleton without pose and score")
        xy, score = numbers(skeleton["pose"], file, "poses"), numbers(skeleton["score"], file, "scores")
        if xy.shape != (36,) or score.shape != (18,):
            raise damaged(file, f"frame {index}: not 18 joints")
        pose[:, :2], pose[:, 2] = xy.reshape(18, 2), score
    finite = np.isfinite(poses).all(axis=-1)
    if not finite.all():
        log.warning("%s: frame %d: joints that are not numbers, taken as missing", file.name, index)
        poses[~finite] = 0
    return index, poses


DATASET = DataSet(
    name=NAME,
    read=read,
    layout=OPENPOSE_18,
    terms=TrainingSource(
        "Kinetics-Skeleton",
        "Yan, Xiong, Lin: Spatial Temporal Graph Convolutional Networks, AAAI 2018; https://github.com/yysijie/st-gcn",
        "no licence of the poses stated; the videos belong to their makers",
    ),
    files="kinetics_train_label.json",
)
