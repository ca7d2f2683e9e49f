"""Frames of a corpus in which people rest: examples of idle, and of what comes before and after an action."""

import numpy as np
from numpy.typing import NDArray

from recognizer.datasets.registry import DATASETS
from recognizer.training import augment
from recognizer.training.augment import Mask
from recognizer.training.everyday import Corpus

_SEATED_AT_START, _SEATED_AT_END, _CROUCHING = (
    [f"{dataset.name}/{action}" for dataset in DATASETS.values() for action in dataset.postures[which]]
    for which in range(3)
)


def resting_frames(corpus: Corpus) -> Mask:
    """(F,) frames of people upright, standing or sitting, with their hands below the shoulders."""
    hips, shoulders = augment.middle(corpus.joints, [7, 8]), augment.middle(corpus.joints, [1, 2])
    torso = np.linalg.norm(shoulders - hips, axis=-1) + np.float32(1e-6)
    upright = (hips[:, 1] - shoulders[:, 1]) / torso > 0.93
    hands_low = (corpus.joints[:, 5:7, 1] - shoulders[:, None, 1]).min(axis=1) > 0.3 * torso
    knees_low = (corpus.joints[:, 9:11, 1] - hips[:, None, 1]).min(axis=1) > 0.5 * torso
    ankles_low = (corpus.joints[:, 11:, 1] - corpus.joints[:, 9:11, 1]).min(axis=1) > 0.45 * torso
    recording, place = _locate_frames(corpus)
    kind = np.array(corpus.kinds)[corpus.kind[recording]]
    standing = knees_low & ankles_low & ~np.isin(kind, _CROUCHING)
    seated = np.isin(kind, _SEATED_AT_START) & (place < 3)
    seated |= np.isin(kind, _SEATED_AT_END) & (corpus.length[recording] - 1 - place < 3)
    resting: Mask = upright & hands_low & (standing | seated) & corpus.seen.all(axis=1) & (place >= 0)
    return resting


def _locate_frames(corpus: Corpus) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(F,) the recording of each frame, and its place in the recording; place -1 for frames of no recording."""
    recording, place = np.zeros(len(corpus.joints), dtype=np.intp), np.full(len(corpus.joints), -1, dtype=np.intp)
    rows = np.repeat(np.arange(len(corpus)), corpus.length)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(corpus.length) - corpus.length, corpus.length)
    frames = corpus.first[rows] + within
    recording[frames], place[frames] = rows, within
    return recording, place


def idle_frames(corpus: Corpus, resting: Mask, chosen: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Resting frames (recording, place) of the chosen recordings, those of seated people repeated to a quarter."""
    recording, _ = _locate_frames(corpus)
    frames = np.flatnonzero(resting & chosen[recording])
    may_sit = np.isin(np.array(corpus.kinds)[corpus.kind[recording[frames]]], _SEATED_AT_START + _SEATED_AT_END)
    knees = corpus.joints[frames, 9:11, 1].mean(axis=-1) - corpus.joints[frames, 7:9, 1].mean(axis=-1)
    shins = corpus.joints[frames, 11:, 1].mean(axis=-1) - corpus.joints[frames, 9:11, 1].mean(axis=-1)
    sitting = frames[may_sit & (knees < 0.6 * shins)]
    repeats = len(frames) // (3 * max(len(sitting), 1))
    frames = np.concatenate([frames, np.repeat(sitting, repeats)])
    return recording[frames], frames - corpus.first[recording[frames]]
