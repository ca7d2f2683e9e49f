"""The detector: where in a part of the picture people may be, from BlazePose's detection network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pose.blazepose.covers import cover
from pose.blazepose.region import Region, around_person, cut
from pose.estimators import CPU
from pose.onnx_session import open_session

SIDE = 224
MIN_SCORE = 0.3
# Grids of anchors: points a side, and anchors at each point. Anchors have their place alone; their size is 1.
_GRIDS = ((28, 2), (14, 2), (7, 6))
_SAME_PERSON = 0.15  # of the size: how near hips and shoulders of two detections of one person lie
_LARGEST_LOGIT = 80.0  # beyond which a float's exponential has no value


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A possible person. hips_px, shoulders_px, top_px: (2,) the middles of hips and shoulders, and a point on
    the circle around the person, above the hips. score: 0..1."""

    hips_px: NDArray[np.float32]
    shoulders_px: NDArray[np.float32]
    top_px: NDArray[np.float32]
    score: float

    @property
    def size_px(self) -> float:
        """Diameter of the circle around the person."""
        return 2 * float(np.linalg.norm(self.top_px - self.hips_px))

    @property
    def region(self) -> Region:
        """The region for the landmark network."""
        return around_person(self.hips_px, self.top_px)


class Detector:
    """Detections in a square of a picture."""

    def __init__(self, model: bytes, provider: str = CPU) -> None:
        """Raises ModelFileError, and ProviderError where the provider does not work."""
        self._session: Any = open_session(model, provider, "the pose detector")[0]
        self._anchors = anchors()

    def __call__(
        self, bgr: NDArray[np.uint8], region: Region, hidden: Sequence[NDArray[np.float32]] = ()
    ) -> list[Detection]:
        """The people in the region, likeliest first; each once. hidden: bodies (33, 2) px to cover."""
        part = cut(bgr, region, SIDE)
        cover(part, [region.from_picture(body) * SIDE for body in hidden])
        blob = cv2.dnn.blobFromImage(part, 2 / 255, mean=(127.5, 127.5, 127.5), swapRB=True)
        raw, logits = self._session.run(["boxes", "scores"], {"image": blob})
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -_LARGEST_LOGIT, _LARGEST_LOGIT)))
        likely = np.flatnonzero(scores >= MIN_SCORE)
        points = raw[0, likely, 4:].reshape(-1, 4, 2) / SIDE + self._anchors[likely, None]
        return merge([_detection(region.to_picture(p), float(s)) for p, s in zip(points, scores[likely], strict=True)])


def _detection(points: NDArray[np.float32], score: float) -> Detection:
    """points: (4, 2) px: hips, the circle of the whole body, shoulders, the circle of the upper body."""
    return Detection(points[0], points[2], points[1], score)


def anchors() -> NDArray[np.float32]:
    """(2254, 2) the middles of the anchors, x and y, in units of the picture."""
    found = []
    for points, each in _GRIDS:
        along = (np.arange(points, dtype=np.float32) + 0.5) / points
        y, x = np.meshgrid(along, along, indexing="ij")
        found.append(np.repeat(np.stack((x, y), axis=-1).reshape(-1, 2), each, axis=0))
    return np.concatenate(found).astype(np.float32)


def merge(detections: list[Detection]) -> list[Detection]:
    """Detections of one person as one, their points weighted by score; its score is the highest of them."""
    left = sorted(detections, key=lambda detection: -detection.score)
    kept = []
    while left:
        first = left[0]
        same = [other for other in left if _is_same_person(first, other)]
        left = [other for other in left if other not in same]
        weights = np.array([other.score for other in same], np.float32)
        hips, shoulders, top = (
            np.average([getattr(other, name) for other in same], axis=0, weights=weights).astype(np.float32)
            for name in ("hips_px", "shoulders_px", "top_px")
        )
        kept.append(Detection(hips, shoulders, top, first.score))
    return kept


def _is_same_person(a: Detection, b: Detection) -> bool:
    near = _SAME_PERSON * max(a.size_px, b.size_px)
    gaps = (a.hips_px - b.hips_px, a.shoulders_px - b.shoulders_px)
    return a is b or all(float(np.linalg.norm(gap)) < near for gap in gaps)
