"""How well people were found: HOTA, object keypoint similarity and PCK, and motmetrics' account of identities."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import motmetrics
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.people.scenes import Scene, trunk
from pose.skeleton import MPOSE_13, convert
from pose.types import Pose

NEAR = 0.35  # of the height: distance of trunks within which a pose is the person's
_PCK_REACH = 0.2  # of the trunk's length
_ALPHAS = np.arange(0.05, 0.951, 0.05)
# COCO's spread of annotators (its sigmas, doubled) for each joint; the head has the ears'.
_SPREAD = {
    "head": 0.035,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
}
_SPREADS = 2 * np.array([_SPREAD[joint.rpartition("_")[2]] for joint in MPOSE_13.joints])
_AREA = 0.53  # of the box around the joints that a body covers, as is usual where there are no outlines
_SHOULDERS, _HIPS = ([MPOSE_13.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip"))


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """One frame. truth, found: identities. likeness: (truth, found) 0..1."""

    truth: list[int]
    found: list[int]
    likeness: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hota:
    """Means over the thresholds. hota: the geometric mean of detection and association at each."""

    hota: float
    detection: float
    association: float


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Of one scene. identities: a motmetrics.MOTAccumulator. false_frames: with a skeleton that is nobody's.

    frames: for HOTA. oks, pck: of each found person, in the order in which they were found.
    """

    identities: Any
    false_frames: int
    frames: list[Matching]
    oks: list[float]
    pck: list[float]


def oks(true: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """COCO's object keypoint similarity of joints (13, 2), 0..1; each joint counts, hidden ones too."""
    area = max(float(np.prod(np.ptp(true, axis=0))) * _AREA, 1.0)
    square = ((true - found) ** 2).sum(axis=-1)
    return float(np.exp(-square / (2 * area * _SPREADS**2)).mean())


def pck(true: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Part of the joints (13, 2) within a fifth of the trunk's length of their place."""
    length = float(np.linalg.norm(true[_SHOULDERS].mean(axis=0) - true[_HIPS].mean(axis=0)))
    return float((np.linalg.norm(true - found, axis=-1) <= _PCK_REACH * length).mean())


def hota(frames: Sequence[Matching]) -> Hota:
    """Higher Order Tracking Accuracy (Luiten et al., IJCV 2021) of one scene.

    As in the paper's own code one assignment a frame serves: that of the greatest summed likeness, each pair weighted
    by how well the two identities fit over the whole scene.
    """
    fit = _fit(frames)
    parts = np.array([_at(alpha, frames, fit) for alpha in _ALPHAS])
    detection, association = parts.T
    return Hota(float(np.sqrt(detection * association).mean()), float(detection.mean()), float(association.mean()))


def _fit(frames: Sequence[Matching]) -> dict[tuple[int, int], float]:
    """How well each true identity and each found one fit: their likeness summed, over all that both have."""
    together: defaultdict[tuple[int, int], float] = defaultdict(float)
    for frame in frames:
        both = frame.likeness.sum(axis=0)[None] + frame.likeness.sum(axis=1)[:, None] - frame.likeness
        shares = np.divide(frame.likeness, both, out=np.zeros_like(frame.likeness), where=both > 0)
        for (row, column), share in np.ndenumerate(shares):
            together[frame.truth[row], frame.found[column]] += float(share)
    true, found = _counts(frames)
    return {(t, f): share / (true[t] + found[f] - share) for (t, f), share in together.items()}


def _counts(frames: Sequence[Matching]) -> tuple[Counter[int], Counter[int]]:
    """Frames in which each true and each found identity is."""
    return Counter(t for frame in frames for t in frame.truth), Counter(f for frame in frames for f in frame.found)


def _at(alpha: float, frames: Sequence[Matching], fit: dict[tuple[int, int], float]) -> tuple[float, float]:
    """Detection and association at one threshold of likeness."""
    pairs: Counter[tuple[int, int]] = Counter()
    for frame in frames:
        weights = np.array([[fit[t, f] for f in frame.found] for t in frame.truth]).reshape(frame.likeness.shape)
        for row, column in zip(*linear_sum_assignment(-weights * frame.likeness), strict=True):
            if frame.likeness[row, column] >= alpha - 1e-9:
                pairs[frame.truth[row], frame.found[column]] += 1
    true, found = _counts(frames)
    hits, present = sum(pairs.values()), sum(true.values()) + sum(found.values())
    if not hits:
        return float(not present), float(not present)
    association = sum(n * n / (true[t] + found[f] - n) for (t, f), n in pairs.items()) / hits
    return hits / (present - hits), association


def account_of(scene: Scene, found: Sequence[tuple[Pose, ...]]) -> Account:
    """The poses of each frame of a scene against the truth."""
    made = Account(motmetrics.MOTAccumulator(auto_id=True), 0, [], [], [])
    false_frames = 0
    for truth, poses in zip(scene.truth, found, strict=True):
        joints = [convert(p.xy_px, np.ones(len(p.layout), np.float32), p.layout, MPOSE_13)[0] for p in poses]
        gaps = np.full((len(truth), len(joints)), np.nan)
        likeness = np.zeros(gaps.shape)
        for row, true in enumerate(truth.values()):
            for column, other in enumerate(joints):
                gap = float(np.linalg.norm(trunk(true) - trunk(other))) / max(float(np.ptp(true[:, 1])), 1.0)
                gaps[row, column] = gap if gap < NEAR else np.nan
                likeness[row, column] = oks(true, other)
        people = [pose.person for pose in poses]
        made.identities.update(list(truth), people, gaps)
        made.frames.append(Matching(list(truth), people, likeness))
        false_frames += bool(np.isnan(gaps).all(axis=0).any()) if len(truth) else bool(joints)
        for row, column in zip(*linear_sum_assignment(np.where(np.isnan(gaps), 1e3, gaps)), strict=True):
            if not np.isnan(gaps[row, column]):
                true = list(truth.values())[row]
                made.oks.append(float(likeness[row, column]))
                made.pck.append(pck(true, joints[column]))
    return Account(made.identities, false_frames, made.frames, made.oks, made.pck)
