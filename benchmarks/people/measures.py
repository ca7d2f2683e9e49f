"""How well people were found: HOTA, object keypoint similarity, PCK, and the identity metrics of motmetrics."""

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
    """One frame. truth, found: identities. similarity: (truth, found) 0..1."""

    truth: list[int]
    found: list[int]
    similarity: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hota:
    """Means over the thresholds. hota: the geometric mean of detection and association at each."""

    hota: float
    detection: float
    association: float


@dataclass(frozen=True, slots=True, eq=False)
class SceneMetrics:
    """Of one scene. identities: a motmetrics.MOTAccumulator. false_frames: frames with a skeleton that matches nobody.

    frames: for HOTA. oks, pck: of each matched person in each frame.
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

    As in the paper's own code there is one assignment per frame: that of the greatest summed similarity, each pair
    weighted by how well the two identities fit over the whole scene.
    """
    fit = _identity_overlap(frames)
    parts = np.array([_scores_at(alpha, frames, fit) for alpha in _ALPHAS])
    detection, association = parts.T
    return Hota(float(np.sqrt(detection * association).mean()), float(detection.mean()), float(association.mean()))


def _identity_overlap(frames: Sequence[Matching]) -> dict[tuple[int, int], float]:
    """How well each true and each found identity fit: the Jaccard index of their summed similarity."""
    together: defaultdict[tuple[int, int], float] = defaultdict(float)
    for frame in frames:
        both = frame.similarity.sum(axis=0)[None] + frame.similarity.sum(axis=1)[:, None] - frame.similarity
        shares = np.divide(frame.similarity, both, out=np.zeros_like(frame.similarity), where=both > 0)
        for (row, column), share in np.ndenumerate(shares):
            together[frame.truth[row], frame.found[column]] += float(share)
    true, found = _counts(frames)
    return {(t, f): share / (true[t] + found[f] - share) for (t, f), share in together.items()}


def _counts(frames: Sequence[Matching]) -> tuple[Counter[int], Counter[int]]:
    """Number of frames that show each true and each found identity."""
    return Counter(t for frame in frames for t in frame.truth), Counter(f for frame in frames for f in frame.found)


def _scores_at(alpha: float, frames: Sequence[Matching], fit: dict[tuple[int, int], float]) -> tuple[float, float]:
    """Detection and association score at one threshold of similarity."""
    pairs: Counter[tuple[int, int]] = Counter()
    for frame in frames:
        weights = np.array([[fit[t, f] for f in frame.found] for t in frame.truth]).reshape(frame.similarity.shape)
        for row, column in zip(*linear_sum_assignment(-weights * frame.similarity), strict=True):
            if frame.similarity[row, column] >= alpha - 1e-9:
                pairs[frame.truth[row], frame.found[column]] += 1
    true, found = _counts(frames)
    hits, present = sum(pairs.values()), sum(true.values()) + sum(found.values())
    if not hits:
        return float(not present), float(not present)
    association = sum(n * n / (true[t] + found[f] - n) for (t, f), n in pairs.items()) / hits
    return hits / (present - hits), association


def evaluate_scene(scene: Scene, found: Sequence[tuple[Pose, ...]]) -> SceneMetrics:
    """Metrics of the poses of each frame of a scene against the truth."""
    made = SceneMetrics(motmetrics.MOTAccumulator(auto_id=True), 0, [], [], [])
    false_frames = 0
    for truth, poses in zip(scene.truth, found, strict=True):
        joints = [convert(p.xy_px, np.ones(len(p.layout), np.float32), p.layout, MPOSE_13)[0] for p in poses]
        distances = np.full((len(truth), len(joints)), np.nan)
        similarity = np.zeros(distances.shape)
        for row, true in enumerate(truth.values()):
            for column, other in enumerate(joints):
                distance = float(np.linalg.norm(trunk(true) - trunk(other))) / max(float(np.ptp(true[:, 1])), 1.0)
                distances[row, column] = distance if distance < NEAR else np.nan
                similarity[row, column] = oks(true, other)
        people = [pose.person for pose in poses]
        made.identities.update(list(truth), people, distances)
        made.frames.append(Matching(list(truth), people, similarity))
        false_frames += bool(np.isnan(distances).all(axis=0).any()) if len(truth) else bool(joints)
        for row, column in zip(*linear_sum_assignment(np.where(np.isnan(distances), 1e3, distances)), strict=True):
            if not np.isnan(distances[row, column]):
                true = list(truth.values())[row]
                made.oks.append(float(similarity[row, column]))
                made.pck.append(pck(true, joints[column]))
    return SceneMetrics(made.identities, false_frames, made.frames, made.oks, made.pck)
