"""Clips to explain: of a video, or of a recording of a data set."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose.estimators import AUTO, EstimatorSpec, choose, find_model, open_estimator
from recognizer.clips import Clip
from recognizer.datasets.registry import DATASETS
from recognizer.decision import body_in_view
from recognizer.explain import Recognizer
from recognizer.features import RATE_FPS
from recognizer.training.batches import FRAMES
from recognizer.training.dataset_sequences import action_sequences
from recognizer.training.errors import TrainingError
from recognizer.training.evaluate import seen_from_front
from recognizer.training.everyday import IDLE, merge
from recognizer.window import PoseWindow

READERS = {dataset.name: dataset.read for dataset in DATASETS.values() if dataset.everyday}
TORSO_PX = 100.0  # clips of data sets are drawn as if somebody stood in a picture of this scale


def clip_of(recognizer: Recognizer, name: str, data: Path | None, at_s: float | None, pose: str = AUTO) -> Clip:
    """A clip of a video file, or of DATASET/RECORDING under `data`: the one that ends nearest to at_s, else the one
    with the highest probability of a listed action but idle.

    pose: what finds people in a video. Raises TrainingError, or PoseModelError, SourceError and DataError.
    """
    clips = list(_of_video(recognizer, name, pose) if Path(name).is_file() else _of_recording(recognizer, name, data))
    if not clips:
        raise TrainingError(
            f"nobody is in view for a whole clip of {FRAMES / RATE_FPS:.1f} s in {name}; choose another"
        )
    if at_s is not None:
        return min(clips, key=lambda clip: abs(clip.time_s - at_s))
    excluded = {IDLE, *recognizer.card.decision.other}
    wanted = [place for place, action in enumerate(recognizer.card.actions) if action not in excluded]
    scores = [recognizer.predict([clip])[0].probabilities[wanted].max() for clip in clips]
    return clips[int(np.argmax(scores))]


def _of_video(recognizer: Recognizer, name: str, pose: str) -> Iterator[Clip]:
    from pose.source import open_source

    kind = choose(pose, 1)
    card = recognizer.card
    window = PoseWindow(card.frames, card.fps, card.skeleton)
    source, estimator = open_source(name), open_estimator(EstimatorSpec(kind, find_model(kind, None)))
    try:
        while (frame := source.read()) is not None:
            for one in estimator.estimate(frame):
                yield from (clip for clip in window.push(one) if body_in_view(clip))
    finally:
        estimator.close()
        source.close()


def _of_recording(recognizer: Recognizer, name: str, data: Path | None) -> Iterator[Clip]:
    dataset, _, recording_name = name.partition("/")
    if data is None or dataset not in READERS:
        known = ", ".join(READERS)
        raise TrainingError(f"{name} is not a file; give a video, or DATASET/RECORDING and --data (data sets: {known})")
    for recording in action_sequences(READERS[dataset](data / dataset)):
        if recording.name == recording_name:
            corpus = merge([recording])
            break
    else:
        raise TrainingError(f"{dataset} has no recording {recording_name!r}; a recording is named as its file")
    card, last = recognizer.card, float(corpus.length[0] - 1)
    span = min((card.frames - 1) / card.fps * float(corpus.fps[0]), last)
    starts = np.arange(0, last - span + 1e-6, float(corpus.fps[0]) / card.fps)
    positions = starts[:, None] + span * np.linspace(0, 1, card.frames)
    xy, seen = seen_from_front(corpus, np.zeros(len(starts), dtype=np.intp), positions)
    xy_px = (xy * TORSO_PX).astype(np.float32)
    for one, confidence, place in zip(xy_px, seen.astype(np.float32), positions, strict=True):
        yield Clip(one, confidence, card.fps, card.skeleton, float(place[-1] / corpus.fps[0]), 0)
