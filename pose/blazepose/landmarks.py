"""The landmark network: the joints of the person in a region."""

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
from pose.skeleton import MEDIAPIPE_33

SIDE = 256
JOINTS = 33  # of MEDIAPIPE_33; two further points tell the region of the next frame
_POINTS = 39
_HIPS, _TOP = 33, 34
_REACH = 3  # cells of the heat map on each side of a joint that refine its place
_MIN_HEAT = 0.5
_OTHER_SIDE = {"left": "right", "right": "left"}
_MIRRORED = [
    MEDIAPIPE_33.index("_".join(_OTHER_SIDE.get(part, part) for part in joint.split("_")))
    for joint in MEDIAPIPE_33.joints
]  # place of each joint's counterpart


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """xy_px: (35, 2) the joints of MEDIAPIPE_33, the middle of the hips and a point on the circle around the person.

    visibility, presence: (33,) 0..1, whether a joint is not hidden, and in the region. score: 0..1, whether there is a
    person in the region. region: that was looked at.
    """

    xy_px: NDArray[np.float32]
    visibility: NDArray[np.float32]
    presence: NDArray[np.float32]
    score: float
    region: Region

    @property
    def next_region(self) -> Region:
        """Where the person is to be looked for in the next frame."""
        return around_person(self.xy_px[_HIPS], self.xy_px[_TOP])


class LandmarkNetwork:
    """Joints of the person in a region of a picture.

    Two regions in one call cost as much as two calls on a CPU (docs/several-people.md).
    """

    def __init__(self, model: bytes, provider: str = CPU) -> None:
        """Raises ModelFileError, and ProviderError where the provider does not work."""
        self._session: Any = open_session(model, provider, "the landmark network")[0]

    def __call__(
        self,
        bgr: NDArray[np.uint8],
        region: Region,
        hidden: Sequence[NDArray[np.float32]] = (),
        *,
        mirrored: bool = False,
    ) -> Landmarks:
        """The landmarks in a region. hidden: bodies (33, 2) px to cover.

        mirrored: show the network the mirror image. People are people there, too, and things often are not.
        """
        part = cut(bgr, region, SIDE)
        cover(part, [region.from_picture(body) * SIDE for body in hidden])
        if mirrored:
            part = np.ascontiguousarray(part[:, ::-1])
        blob = cv2.dnn.blobFromImage(part, 1 / 255, swapRB=True)
        raw, presence, heat = self._session.run(["landmarks", "presence", "heat_map"], {"image": blob})
        values = raw.reshape(_POINTS, 5)
        xy = refine(values[:, :2] / np.float32(SIDE), heat[0])[: _TOP + 1]
        sure = _sigmoid(values[:JOINTS, 3:5])
        if mirrored:
            xy[:, 0] = 1 - xy[:, 0]
            xy[:JOINTS], sure = xy[_MIRRORED], sure[_MIRRORED]
        return Landmarks(region.to_picture(xy), sure[:, 0], sure[:, 1], float(presence[0, 0]), region)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    limited = np.clip(logits, -80, 80)  # beyond which a float's exponential has no value
    made: NDArray[np.float32] = np.reciprocal(1 + np.exp(-limited)).astype(np.float32)
    return made


def refine(xy: NDArray[np.float32], heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points at the middle of the heat around them, as MediaPipe refines them. xy: (P, 2) 0..1. heat: (H, W, P) logits.

    A point outside of the map, or without heat above a half around it, stays.
    """
    height, width, points = heat.shape
    columns, rows = (xy[:points, 0] * width).astype(np.int64), (xy[:points, 1] * height).astype(np.int64)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    steps = np.arange(-_REACH, _REACH + 1)
    near_rows, near_columns = rows[:, None] + steps, columns[:, None] + steps  # (P, 7) each
    valid = ((near_rows >= 0) & (near_rows < height))[:, :, None] & ((near_columns >= 0) & (near_columns < width))[
        :, None
    ]
    picked = heat[
        np.clip(near_rows, 0, height - 1)[:, :, None],
        np.clip(near_columns, 0, width - 1)[:, None],
        np.arange(points)[:, None, None],
    ]
    sure = np.where(valid, _sigmoid(picked), 0)  # (P, rows, columns)
    total = sure.sum(axis=(1, 2))
    change = inside & (sure.max(axis=(1, 2)) >= _MIN_HEAT) & (total > 0)
    safe = np.where(total > 0, total, 1)
    x = (sure.sum(axis=1) * near_columns).sum(axis=1) / safe / width
    y = (sure.sum(axis=2) * near_rows).sum(axis=1) / safe / height
    result = xy.copy()
    result[:points] = np.where(change[:, None], np.stack((x, y), axis=-1), xy[:points])
    return result.astype(np.float32)
