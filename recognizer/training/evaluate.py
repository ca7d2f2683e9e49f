"""Evaluation of a network: accuracy of clips by the mean of their sliding windows, false alarms of single windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import nn

from recognizer.features import LAYOUT, RATE_FPS, clip_features
from recognizer.training import augment
from recognizer.training.augment import Array
from recognizer.training.batches import FRAMES, gather
from recognizer.training.everyday import ACTIONS, IDLE, OTHER, Corpus

HOP_FRAMES = 5  # a window every quarter of a second
_MIN_EVIDENCE = 0.05  # so that a recording of rest alone is idle
_CAMERA_TORSOS = 7.0  # distance of the camera in front of 3D recordings, about 3.5 m


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Features (W, 30, F) of the windows of recordings, and the recording (W,) that each belongs to."""

    features: Array
    recording: NDArray[np.intp]


def windows_of(corpus: Corpus, recordings: NDArray[np.intp], hidden: Sequence[str] = ()) -> Windows:
    """The sliding windows of recordings as a camera in front would see them, at their own speed.

    hidden: parts of the body that are out of the picture, as "knee".

    1.5 s at 20 poses a second, one every 5 poses, and one at the end; a recording shorter than that is stretched to
    one window.
    """
    owner: list[int] = []
    positions = []
    span_s = (FRAMES - 1) / RATE_FPS
    for recording in recordings:
        last = float(corpus.length[recording] - 1)
        span = min(span_s * float(corpus.fps[recording]), last)
        hop = HOP_FRAMES / RATE_FPS * float(corpus.fps[recording])
        starts = np.arange(0, last - span + 1e-6, hop)
        if last - span - starts[-1] > hop / 4:
            starts = np.append(starts, last - span)
        positions.append(starts[:, None] + span * np.linspace(0, 1, FRAMES))
        owner += [int(recording)] * len(starts)
    rows = np.array(owner, dtype=np.intp)
    xy, seen = seen_from_front(corpus, rows, np.concatenate(positions))
    seen[..., [place for place, joint in enumerate(LAYOUT.joints) if joint.endswith(tuple(hidden))]] = False
    return Windows(clip_features(xy, seen.astype(np.float32), RATE_FPS), rows)


def seen_from_front(
    corpus: Corpus, recordings: NDArray[np.intp], positions: NDArray[np.floating]
) -> tuple[Array, NDArray[np.bool_]]:
    """Unit-size clips (N, T, 13, 2) from the camera's own side at frame positions (N, T), and what is seen."""
    joints, seen = gather(corpus, recordings, positions)
    return front_view(augment.unit_size(joints), corpus.depth[recordings]), seen


def front_view(joints: Array, depth: NDArray[np.bool_]) -> Array:
    """Unit-size clips (N, T, 13, 3) from the camera's own side, in perspective where there is depth."""
    away = np.where(depth[:, None, None, None], 1 + joints[..., 2:] / _CAMERA_TORSOS, 1)
    return (joints[..., :2] / np.maximum(away, 0.3)).astype(np.float32)


def logits_of(network: nn.Module, features: Array, batch: int = 128) -> Array:
    """Logits (W, A) of a network that gives those of the actions.

    batch: of windows; with larger ones most of the time goes into memory allocation.
    """
    network.eval()
    with torch.inference_mode():
        parts = [network(torch.from_numpy(features[i : i + batch])).numpy() for i in range(0, len(features), batch)]
    return np.concatenate(parts)


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Probabilities over the last axis."""
    probabilities: Array = special.softmax(logits / temperature, axis=-1).astype(np.float32)
    return probabilities


def clip_probabilities(windows: Windows, probabilities: Array, *, even: bool = False) -> tuple[NDArray[np.intp], Array]:
    """The recordings, and the mean (R, A) of the probabilities of each one's windows.

    A window counts by the evidence in it that something listed is done, for recordings begin and end at rest, where
    idle is the right answer and not the recording's. even: every window counts alike.
    """
    recordings, place = np.unique(windows.recording, return_inverse=True)
    evidence = 1 - probabilities[:, ACTIONS.index(IDLE)] - probabilities[:, ACTIONS.index(OTHER)] + _MIN_EVIDENCE
    weight = np.ones(len(place)) if even else evidence
    total = np.zeros((len(recordings), probabilities.shape[1]), dtype=np.float64)
    np.add.at(total, place, probabilities * weight[:, None])
    return recordings, (total / np.bincount(place, weight)[:, None]).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ClipReport:
    """Accuracy over the clips of listed actions; a clip called idle or other is wrong.

    accuracy_listed: the likeliest among the listed actions, all but idle and other, is right; idle clips do not count.
    accuracy_even: accuracy with every window of a clip counting alike. unlisted_called_listed: part of the clips of
    unlisted actions whose likeliest action is a listed one, before any threshold. balanced: mean of the recalls.
    by_dataset: (accuracy, clips). recall: (recall, clips) by action. confusion: rows true, columns predicted, in the
    order of ACTIONS.
    """

    accuracy: float
    accuracy_listed: float
    accuracy_even: float
    unlisted_called_listed: float
    balanced: float
    clips: int
    by_dataset: dict[str, tuple[float, int]]
    recall: dict[str, tuple[float, int]]
    confusion: NDArray[np.intp]


def report_clips(corpus: Corpus, windows: Windows, probabilities: Array) -> ClipReport:
    """Clip accuracy from window probabilities (W, A)."""
    recordings, mean = clip_probabilities(windows, probabilities)
    even = clip_probabilities(windows, probabilities, even=True)[1]
    true, predicted = corpus.action[recordings], mean.argmax(axis=1)
    listed = true != ACTIONS.index(OTHER)
    active = listed & (true != ACTIONS.index(IDLE))
    right = (true == predicted)[listed]
    sets = corpus.dataset[recordings][listed]
    return ClipReport(
        accuracy=float(right.mean()),
        accuracy_listed=float((true == 1 + mean[:, 1:-1].argmax(axis=1))[active].mean()) if active.any() else 0.0,
        accuracy_even=float((true == even.argmax(axis=1))[listed].mean()),
        unlisted_called_listed=float((predicted != ACTIONS.index(OTHER))[~listed].mean()) if not listed.all() else 0.0,
        balanced=float(np.mean([(predicted[true == a] == a).mean() for a in np.unique(true[listed])])),
        clips=int(listed.sum()),
        by_dataset={str(s): (float(right[sets == s].mean()), int((sets == s).sum())) for s in np.unique(sets)},
        recall={
            ACTIONS[a]: (float((predicted[true == a] == a).mean()), int((true == a).sum()))
            for a in np.unique(true[listed])
        },
        confusion=_confusion(true, predicted),
    )


def _confusion(true: NDArray[np.intp], predicted: NDArray[np.intp]) -> NDArray[np.intp]:
    """(A, A) counts of clips: rows true, columns found. scikit-learn's takes a second to import."""
    count = len(ACTIONS)
    return np.bincount(true * count + predicted, minlength=count**2).reshape(count, count)


@dataclass(frozen=True, slots=True)
class AlarmReport:
    """Single windows under the thresholds.

    kept: part of the rightly recognised windows of listed clips that are still shown. alarms: part of the windows of
    unlisted clips for which a listed action is shown; alarms_without_idle: the same without those shown as idle.
    """

    kept: float
    alarms: float
    alarms_without_idle: float
    windows: int


def report_alarms(corpus: Corpus, windows: Windows, probabilities: Array, thresholds: Array) -> AlarmReport:
    """False alarms at thresholds (A,) on probabilities (W, A)."""
    true, predicted = corpus.action[windows.recording], probabilities.argmax(axis=1)
    other = ACTIONS.index(OTHER)
    shown = (probabilities.max(axis=1) >= thresholds[predicted]) & (predicted != other)
    right = (true == predicted) & (true != other)
    unlisted = true == other
    return AlarmReport(
        kept=float(shown[right].mean()) if right.any() else 0.0,
        alarms=float(shown[unlisted].mean()),
        alarms_without_idle=float((shown & (predicted != 0))[unlisted].mean()),
        windows=int(unlisted.sum()),
    )
